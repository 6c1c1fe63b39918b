"""Over-smoothing as a number: whether a layer still tells joints from each other."""

import numpy as np

from analysis_lib.errors import UserError
from analysis_lib.warping.windows import checked_lengths


def node_separation(features: np.ndarray, lengths: np.ndarray, n_nodes: int) -> float:
    r"""Return the variance between the nodes of a layer over the variance within them.

    .. math::
        s = \frac{\sum_v \|\bar x_v - \bar x\|^2}{\frac1n \sum_{i, v} \|x_{iv} - \bar x_v\|^2}

    of :math:`x_{iv}`, the mean of node v over the valid frames of clip i. Where all nodes say the
    same, it is zero. Clips of one class ask what the ST-GDN letter asks in its Figure 2.

    Parameters
    ----------
    features : ndarray, shape (n, T, C V)
        One layer of `analysis_lib.geometry.embeddings.embed`, joints innermost (``"flatten"``).
    lengths : int ndarray, shape (n,)
        Valid frames.
    n_nodes : int
        V.

    Raises
    ------
    UserError
        If the features are not of so many nodes, or each node says the same of all clips.

    Examples
    --------
    >>> x = np.array([[[0.0, 4.0]], [[2.0, 6.0]]])  # two clips, one frame, one channel, two nodes
    >>> node_separation(x, np.array([1, 1]), 2)
    4.0
    """
    n, n_frames, size = features.shape
    if size % n_nodes:
        raise UserError(f'{size} features a frame are not those of {n_nodes} nodes; were joints kept ("flatten")?')
    lengths = checked_lengths(lengths, n_frames, at_least=1)
    valid = np.arange(n_frames) < lengths[:, None]
    means = np.einsum("nt,ntd->nd", valid / lengths[:, None], features).reshape(n, -1, n_nodes)
    nodes = means.mean(axis=0)  # (C, V)
    between = np.square(nodes - nodes.mean(axis=1, keepdims=True)).sum()
    within = np.square(means - nodes).sum() / n
    if within == 0:
        raise UserError(f"the {n} clips do not differ at any node of this layer; give clips that do")
    return float(between / within)
