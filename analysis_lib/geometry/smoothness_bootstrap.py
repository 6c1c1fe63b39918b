"""Error bars of label smoothness: clips drawn again on a graph that stays as it is."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from analysis_lib.errors import UserError
from analysis_lib.geometry.smoothness import group_means, laplacian


def bootstrap_smoothness(
    graph: sparse.csr_array, labels: np.ndarray, rng: np.random.Generator, n_replicates: int = 500
) -> np.ndarray:
    r"""Return the normalised smoothness of each class in bootstrap replicates.

    Clips are drawn with replacement within each class, as the sample has a fixed number of clips a
    class. Clip i drawn :math:`m_i` times gives each of its edges that weight; the graph is not
    built again, for a repeated clip would be its own nearest neighbour:

    .. math:: q_c = \frac{O_c}{O_c + I_c}, \quad
              O_c = \sum_{i \in c, j \notin c} w_{ij} m_i m_j, \quad
              I_c = \frac{n_c}{n_c - 1} \sum_{i, j \in c} w_{ij} m_i m_j

    The factor makes up for :math:`E[m_i m_j] = 1 - 1/n_c` within a class, without which every
    replicate would be rougher than the sample on average.

    Parameters
    ----------
    graph : sparse array, shape (n, n)
        Symmetric weights.
    labels : int ndarray, shape (n,)
    rng : numpy Generator
    n_replicates : int

    Returns
    -------
    float64 ndarray, shape (n_replicates, n_classes)
        Classes in the order of ``np.unique(labels)``. A replicate in which a class kept no edge is
        NaN there; `smoothness_intervals` counts them.

    Raises
    ------
    UserError
        If the graph is directed, the shapes disagree, or there is no replicate.

    References
    ----------
    Efron & Tibshirani (1993), chapter 8 (stratified samples).

    Examples
    --------
    >>> graph = np.kron(np.eye(2), np.ones((3, 3)))  # two classes that do not touch
    >>> labels = np.repeat([0, 1], 3)
    >>> q = bootstrap_smoothness(graph, labels, np.random.default_rng(0), 20)
    >>> q.shape, np.nanmax(q).item()
    ((20, 2), 0.0)
    """
    if n_replicates < 1:
        raise UserError(f"n_replicates must be at least 1, got {n_replicates}")
    matrix = laplacian(graph)
    weights = sparse.csr_array(sparse.diags_array(matrix.diagonal()) - matrix)
    labels = np.asarray(labels)
    if labels.shape != (weights.shape[0],):
        raise UserError(f"{weights.shape[0]} clips need as many labels, got shape {labels.shape}")
    classes, index, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    draws = _multiplicities(index, sizes, n_replicates, rng)  # (n, replicates)
    edges = weights.tocoo()
    together = index[edges.row] == index[edges.col]
    same = sparse.csr_array((edges.data * together, edges.coords), weights.shape)
    pick = np.eye(len(classes))[index].T
    inside = pick @ (draws * (same @ draws))  # (classes, replicates)
    outside = pick @ (draws * ((weights - same) @ draws))
    inside *= (sizes / np.maximum(sizes - 1, 1))[:, None]
    volume = inside + outside
    return np.divide(outside, volume, out=np.full_like(volume, np.nan), where=volume > 0).T


def smoothness_intervals(
    replicates: np.ndarray, groups: Sequence[str] | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Return percentile intervals of each class and, where groups are given, each super-class.

    Parameters
    ----------
    replicates : ndarray, shape (n_replicates, n_classes)
        From `bootstrap_smoothness`.
    groups : sequence of str, length n_classes, optional
    level : float
        Coverage, between 0 and 1.

    Returns
    -------
    DataFrame
        Columns ``kind`` (``"class"`` or ``"group"``), ``name`` (position of the class, or name of
        the super-class), ``low``, ``median``, ``high``, and ``undefined``: how many replicates were
        left out because a class had no edge.

    Raises
    ------
    UserError
        If ``level`` is not between 0 and 1, or a class has no edge in more than half of the
        replicates.

    Examples
    --------
    >>> q = np.array([[0.1, 0.3], [0.2, 0.4], [0.3, 0.5]])
    >>> smoothness_intervals(q, ["arms", "arms"])["median"].round(6).tolist()
    [0.2, 0.4, 0.3]
    """
    if not 0 < level < 1:
        raise UserError(f"level must lie between 0 and 1, got {level}; 0.95 means 95 %")
    columns = [("class", c, q) for c, q in enumerate(replicates.T)]
    if groups is not None:
        names, means = group_means(replicates, groups)
        columns += [("group", name, q) for name, q in zip(names, means.T, strict=True)]
    return pd.DataFrame([_interval(kind, name, q, level) for kind, name, q in columns])


def _interval(kind: str, name, values: np.ndarray, level: float) -> dict:
    """Return one row of `smoothness_intervals`."""
    defined = values[np.isfinite(values)]
    if 2 * len(defined) < len(values):
        raise UserError(
            f"{kind} {name} has no edge in {len(values) - len(defined)} of {len(values)} "
            "replicates; sample more clips a class, or take more neighbours"
        )
    low, median, high = np.quantile(defined, [(1 - level) / 2, 0.5, (1 + level) / 2])
    return {
        "kind": kind,
        "name": name,
        "low": low,
        "median": median,
        "high": high,
        "undefined": len(values) - len(defined),
    }


def _multiplicities(index: np.ndarray, sizes: np.ndarray, n_replicates: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often each clip is drawn, (n, replicates), with n_c draws in class c."""
    draws = np.empty((len(index), n_replicates))
    for c, size in enumerate(sizes):
        draws[index == c] = rng.multinomial(size, np.full(size, 1 / size), n_replicates).T
    return draws
