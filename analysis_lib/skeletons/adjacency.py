"""Matrices of a skeleton graph: adjacency, its partitions, normalisation, and spectrum.

In every stack A[k, v, w] the first joint index is the source and the second the destination:
``y[..., w] = sum_k sum_v x_k[..., v] A[k, v, w]``.
"""

import numpy as np

from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.skeletons.skeleton import Skeleton


def adjacency(skeleton: Skeleton) -> np.ndarray:
    """Return the symmetric binary adjacency of the bones, shape (V, V), without self loops."""
    return (skeleton.hop_distance == 1).astype(float)


def normalise_columns(matrix: np.ndarray) -> np.ndarray:
    r"""Return the random-walk normalisation :math:`A D^{-1}`: non-zero columns sum to one.

    This is what the published ST-GCN code applies, whatever its paper prints.
    """
    sums = matrix.sum(axis=-2, keepdims=True)
    return np.divide(matrix, sums, out=np.zeros_like(matrix), where=sums > 0)


def normalise_symmetric(matrix: np.ndarray, degree: np.ndarray | None = None) -> np.ndarray:
    r"""Return :math:`D^{-1/2} A D^{-1/2}`; ``degree`` (V,) defaults to the row sums of ``matrix``."""
    degree = matrix.sum(axis=1) if degree is None else degree
    scale = np.divide(1.0, np.sqrt(degree), out=np.zeros_like(degree, float), where=degree > 0)
    return scale[:, None] * matrix * scale[None, :]


def partition(skeleton: Skeleton, strategy: str = "spatial", max_hop: int = 1) -> np.ndarray:
    r"""Return the partitioned, normalised adjacency of a graph convolution, shape (K, V, V).

    ==================  ====  =====================================================================
    strategy            K     subsets
    ==================  ====  =====================================================================
    ``uniform``         1     all joints within ``max_hop``
    ``distance``        hops  one a hop distance 0..max_hop
    ``spatial``         3     same distance to the centre / toward it / away from it (the paper)
    ``spatial_legacy``  3     what the official ST-GCN code computes: joints more than one hop from
                              the centre count as infinitely far, so their bones fall in subset 1
    ``agcn``            3     self, inward, outward, each normalised by itself (2s-AGCN)
    ==================  ====  =====================================================================

    All but ``agcn`` divide by the columns of the whole neighbourhood, so that the columns of the
    stack sum to one. ``spatial_legacy`` is needed to load official ST-GCN weights.

    Raises
    ------
    UserError
        If the strategy is unknown, or ``max_hop`` is below one.

    References
    ----------
    Yan, Xiong & Lin (2018), section 3.3; Shi et al. (2019), section 3.1.

    Examples
    --------
    >>> from analysis_lib.skeletons.layouts import layout
    >>> a = partition(layout("ntu-25"), "spatial_legacy")
    >>> (a > 0).sum(axis=(1, 2)).tolist()
    [25, 40, 8]
    """
    if strategy not in STRATEGIES:
        raise unknown_choice("partition", strategy, STRATEGIES)
    if max_hop < 1:
        raise UserError(f"max_hop must be at least 1, got {max_hop}")
    return STRATEGIES[strategy](skeleton, max_hop)


def _neighbourhood(skeleton: Skeleton, max_hop: int) -> np.ndarray:
    """Return the column-normalised matrix of pairs within ``max_hop``, self loops included."""
    return normalise_columns((skeleton.hop_distance <= max_hop).astype(float))


def _uniform(skeleton: Skeleton, max_hop: int) -> np.ndarray:
    return _neighbourhood(skeleton, max_hop)[None]


def _distance(skeleton: Skeleton, max_hop: int) -> np.ndarray:
    whole, hops = _neighbourhood(skeleton, max_hop), skeleton.hop_distance
    return np.stack([whole * (hops == k) for k in range(max_hop + 1)])


def _split_by_centre(whole: np.ndarray, to_centre: np.ndarray) -> np.ndarray:
    """Return (same, nearer or farther) subsets of ``whole`` by each joint's distance to the centre.

    Subset 1 holds sources farther from the centre than their destination, subset 2 nearer ones.
    """
    source, destination = to_centre[:, None], to_centre[None, :]
    return np.stack([whole * (source == destination), whole * (source > destination), whole * (source < destination)])


def _spatial(skeleton: Skeleton, max_hop: int) -> np.ndarray:
    to_centre = skeleton.hop_distance[skeleton.centre]
    return _split_by_centre(_neighbourhood(skeleton, max_hop), to_centre)


def _spatial_legacy(skeleton: Skeleton, max_hop: int) -> np.ndarray:
    hops = skeleton.hop_distance
    to_centre = np.where(hops <= max_hop, hops, np.inf)[skeleton.centre]
    whole = _neighbourhood(skeleton, max_hop)
    same, nearer, farther = _split_by_centre(whole, to_centre)
    off_root = same * (hops > 0)
    return np.stack([same - off_root, nearer + off_root, farther])


def _agcn(skeleton: Skeleton, max_hop: int) -> np.ndarray:
    inward = np.zeros((skeleton.n_joints, skeleton.n_joints))
    for child, parent in skeleton.edges:
        inward[parent, child] = 1
    eye = np.eye(skeleton.n_joints)
    return np.stack([eye, normalise_columns(inward), normalise_columns(inward.T)])


STRATEGIES = {
    "uniform": _uniform,
    "distance": _distance,
    "spatial": _spatial,
    "spatial_legacy": _spatial_legacy,
    "agcn": _agcn,
}
