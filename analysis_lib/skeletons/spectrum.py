"""The spectrum of a skeleton graph, and the energy of motion at each of its frequencies.

Frequencies are numbered k = 1..V by ascending eigenvalue, as in the paper: the largest eigenvalues
of the adjacency belong to the smoothest basis vectors.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from analysis_lib.errors import DataError, UserError, unknown_choice
from analysis_lib.skeletons.adjacency import adjacency, normalise_symmetric
from analysis_lib.skeletons.skeleton import Skeleton

#: The edge list under which the paper's published eigenbasis is reproduced.
PAPER_EDGES = "ntu-tips-on-hand"
DEGREES = ("no_self", "with_self")
SIGNALS = ("centred", "raw", "velocity")


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenvalues (V,) in ascending order and the matching eigenvectors, columns of (V, V)."""

    eigenvalues: np.ndarray
    eigenvectors: np.ndarray

    @property
    def eigenspaces(self) -> np.ndarray:
        """Number of the distinct eigenvalue that each frequency belongs to, shape (V,)."""
        return np.cumsum(np.diff(self.eigenvalues, prepend=self.eigenvalues[0]) > 1e-9)


def with_edge_list(skeleton: Skeleton, edges: str = "auto") -> Skeleton:
    """Return the skeleton under an edge list: ``"auto"``, ``""``, or the name of a variant.

    ``"auto"`` is the list of the paper's eigenbasis where the skeleton has it, and otherwise the
    skeleton's own edges; ``""`` is always the skeleton's own.

    >>> from analysis_lib.skeletons.layouts import layout
    >>> with_edge_list(layout("ntu-25")).edges[20], with_edge_list(layout("ntu-25"), "").edges[20]
    ((21, 7), (21, 22))
    """
    if edges == "auto":
        edges = PAPER_EDGES if PAPER_EDGES in skeleton.variants else ""
    return skeleton.with_edges(edges) if edges else skeleton


def graph_spectrum(skeleton: Skeleton, degree: str = "no_self") -> Spectrum:
    r"""Return the spectrum of the normalised adjacency of a skeleton graph.

    .. math:: \mathbf{D}^{-1/2} (\hat{\mathbf{A}} + \mathbf{I}) \mathbf{D}^{-1/2}
              = \mathbf{U} \boldsymbol\Lambda \mathbf{U}^\top

    The paper's equation for D and its footnote on the Laplacian disagree about the self loop.
    ``degree="no_self"`` counts bones only and reproduces the authors' published eigenbasis;
    ``"with_self"`` adds one, which is the usual choice and keeps eigenvalues within [-1, 1].

    The component of largest magnitude is positive in every vector (the first of equals). The
    vectors of a multiple eigenvalue are not unique: here they are the pivoted Cholesky factor of
    the projector on its eigenspace, which does not depend on the solver. Compare subspaces.

    Parameters
    ----------
    skeleton : Skeleton
    degree : {"no_self", "with_self"}

    Returns
    -------
    Spectrum
        A joint without bones has eigenvalue 0 under ``"no_self"``.

    Raises
    ------
    UserError
        If the degree is unknown.

    References
    ----------
    Das, Shekkizhar & Ortega (2023), section II.A and figures 2 and 8.

    Examples
    --------
    >>> from analysis_lib.skeletons.skeleton import Skeleton
    >>> bone = Skeleton("bone", ("a", "b"), ((0, 1),))
    >>> graph_spectrum(bone, "with_self").eigenvalues.round(6).tolist()
    [0.0, 1.0]
    >>> graph_spectrum(bone, "no_self").eigenvectors.round(3).tolist()
    [[0.707, 0.707], [-0.707, 0.707]]
    """
    if degree not in DEGREES:
        raise unknown_choice("degree", degree, DEGREES)
    bones = adjacency(skeleton)
    looped = bones + np.eye(len(bones))
    matrix = normalise_symmetric(looped, (bones if degree == "no_self" else looped).sum(axis=1))
    eigenvalues, vectors = np.linalg.eigh(matrix)
    space = Spectrum(eigenvalues, vectors).eigenspaces
    bases = [_canonical_basis(vectors[:, space == s]) for s in np.unique(space)]
    return Spectrum(eigenvalues, np.concatenate(bases, axis=1))


def _canonical_basis(vectors: np.ndarray) -> np.ndarray:
    """Return orthonormal columns of the same span, fixed by the span: pivoted Cholesky of U U^T.

    A pivot bounds its column, so the largest component comes out positive.
    """
    projector = vectors @ vectors.T
    columns = []
    for _ in range(vectors.shape[1]):
        left = np.diag(projector)
        pivot = int(np.argmax(left > left.max() - 1e-9))
        columns.append(projector[:, pivot] / np.sqrt(left[pivot]))
        projector = projector - np.outer(columns[-1], columns[-1])
    return np.stack(columns, axis=1)


def body_signal(x: np.ndarray, signal: str = "centred", origin: int = 1) -> np.ndarray:
    """Return the graph signal of one clip: its coordinates, centred or not, or their changes.

    A joint whose coordinates are all zero was not seen (a second body that is absent, a keypoint
    without confidence): it carries no signal, and neither does a change from or to it.

    Parameters
    ----------
    x : ndarray, shape (M, T, V, C)
    signal : {"centred", "raw", "velocity"}
        ``"centred"`` subtracts from each body the place of its joint ``origin`` in the first
        frame in which that joint is seen; ``"velocity"`` is the difference of successive frames.
    origin : int
        Default 1: the spine in the Kinect layouts.

    Returns
    -------
    float64 ndarray, shape (M, T, V, C); T - 1 frames for the velocity
    """
    if signal not in SIGNALS:
        raise unknown_choice("signal", signal, SIGNALS)
    x = np.asarray(x, float)
    seen = (x != 0).any(axis=-1, keepdims=True)
    if signal == "velocity":
        return np.diff(x, axis=1) * (seen[:, 1:] & seen[:, :-1])
    if signal == "raw":
        return x
    if not 0 <= origin < x.shape[2]:
        raise UserError(f"joint {origin} cannot be the origin: joints are 0..{x.shape[2] - 1}")
    first = seen[:, :, origin, 0].argmax(axis=1)
    return (x - x[np.arange(len(x)), first, origin][:, None, None]) * seen


def clip_energies(
    sequences: Iterable[np.ndarray], basis: np.ndarray, signal: str = "centred", origin: int = 1
) -> np.ndarray:
    r"""Return the share of each clip's energy at each graph frequency.

    .. math:: E_k = \sum_{m, t, c} (\mathbf{u}_k^\top \mathbf{x}_{m t \cdot c})^2 \Big/
              \sum_{m, t, c} \|\mathbf{x}_{m t \cdot c}\|^2

    Bodies are added up, each with its own origin; an absent one adds nothing (see `body_signal`). A
    clip without any energy (a velocity needs two frames) has no spectrum: its row is zero, and means
    over clips leave it out.

    Parameters
    ----------
    sequences : iterable of ndarray, shape (M, T, V, C)
    basis : ndarray, shape (V, V)
        Orthonormal columns, such as ``Spectrum.eigenvectors``.
    signal, origin
        As for `body_signal`.

    Returns
    -------
    ndarray, shape (n, V)
        Non-negative; rows sum to 1.

    Raises
    ------
    UserError, DataError
        If the joints and the basis disagree, or no clip has any energy.

    References
    ----------
    Das, Shekkizhar & Ortega (2023), figure 2.

    Examples
    --------
    >>> still = np.ones((1, 4, 2, 3))
    >>> clip_energies([still], np.array([[1, 1], [-1, 1]]) / np.sqrt(2), "raw").round(6).tolist()
    [[0.0, 1.0]]
    """
    power = np.array([_power(x, basis, signal, origin) for x in sequences])
    total = power.sum(axis=1, keepdims=True)
    if not total.any():
        raise DataError(f"no clip has any {signal} energy: no joint is seen, or none moves")
    return np.divide(power, total, out=np.zeros_like(power), where=total > 0)


def _power(x: np.ndarray, basis: np.ndarray, signal: str, origin: int) -> np.ndarray:
    """Return the energy (V,) of a clip at each frequency, in squared units of its coordinates."""
    if x.ndim != 4 or basis.shape != (x.shape[2],) * 2:
        raise UserError(
            f"expected a clip (M, T, V, C) and a basis (V, V), got {x.shape} and {basis.shape}; "
            "are they of one skeleton?"
        )
    coefficients = np.tensordot(body_signal(x, signal, origin), basis, axes=(2, 0))  # (M, T, C, V)
    return (coefficients**2).sum(axis=(0, 1, 2))


def polynomial_response(eigenvalues: np.ndarray, powers: Iterable[int]) -> np.ndarray:
    r"""Return the relative response of graph filters that are powers of the adjacency.

    .. math:: h_p(\lambda_k) = (\lambda_k / \lambda_{\max})^p

    What a stack of p one-hop layers without weights passes on. Each power is scaled to 1 at the
    largest eigenvalue, so that powers can be compared; odd powers keep the sign.

    Parameters
    ----------
    eigenvalues : ndarray, shape (V,)
    powers : iterable of int, length P

    Returns
    -------
    ndarray, shape (P, V)

    References
    ----------
    Das, Shekkizhar & Ortega (2023), section II.A and figure 9.

    Examples
    --------
    >>> polynomial_response(np.array([-1.0, 1.0, 2.0]), [1, 2]).tolist()
    [[-0.5, 0.5, 1.0], [0.25, 0.25, 1.0]]
    """
    powers = np.array(list(powers))
    if len(powers) == 0 or (powers < 0).any():
        raise UserError(f"powers must be non-negative and at least one, got {powers.tolist()}")
    return (eigenvalues / eigenvalues.max()) ** powers[:, None]
