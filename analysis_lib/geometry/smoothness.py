"""Label smoothness: how much of a data-set graph's weight joins clips of different classes, and how surely.

Labels are one-hot, one indicator y_c a class, so that no value depends on how classes are numbered.
Graphs are symmetric, shape (n, n), without a need to leave self loops out: they do not count. Results
are in the order of ``np.unique(labels)``.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from analysis_lib.errors import DataError, UserError
from analysis_lib.statistics.intervals import percentile_interval, times_drawn


def laplacian(graph: sparse.csr_array) -> sparse.csr_array:
    r"""Return the combinatorial Laplacian :math:`L = D - W`; self loops are left out.

    Parameters
    ----------
    graph : sparse array or ndarray, shape (n, n)
        Symmetric, non-negative weights W.

    Returns
    -------
    csr_array, shape (n, n)

    Raises
    ------
    UserError, DataError
        If W is not square, finite, non-negative and symmetric.

    Examples
    --------
    >>> laplacian(np.array([[0.0, 2.0], [2.0, 0.0]])).toarray().tolist()
    [[2.0, -2.0], [-2.0, 2.0]]
    """
    graph = _symmetric(graph)
    return sparse.csr_array(sparse.diags_array(graph.sum(axis=1)) - graph)


def quadratic_form(graph: sparse.csr_array, labels: np.ndarray) -> np.ndarray:
    r"""Return the weight of the edges that leave each class.

    .. math:: Q_c = \mathbf{y}_c^\top L\, \mathbf{y}_c

    A denser graph has larger values: see `label_smoothness`.

    Parameters
    ----------
    graph : sparse array or ndarray, shape (n, n)
    labels : int ndarray, shape (n,)
        Any numbering.

    Returns
    -------
    float64 ndarray, shape (n_classes,)

    Raises
    ------
    UserError, DataError
        As `laplacian`, or if there is not one label a clip.

    References
    ----------
    Das, Shekkizhar & Ortega (2023), equation (7) with one-hot labels.

    Examples
    --------
    >>> quadratic_form(np.array([[0.0, 1, 0], [1, 0, 1], [0, 1, 0]]), np.array([7, 7, 3])).tolist()
    [1.0, 1.0]
    """
    return _forms(graph, labels)[1]


def label_smoothness(graph: sparse.csr_array, labels: np.ndarray) -> np.ndarray:
    r"""Return the share of each class's edge weight that leaves the class.

    .. math:: q_c = \mathbf{y}_c^\top L\, \mathbf{y}_c \,/\, \mathbf{y}_c^\top D\, \mathbf{y}_c

    Smaller is smoother: 0 if the class is joined to itself only, 1 if to other classes only. With
    random labels :math:`q_c` is about :math:`1 - n_c / n`. The paper prints no normalisation.

    Parameters and errors are those of `quadratic_form`.

    Raises
    ------
    UserError
        If a class has no edge at all: its share is 0/0, and neither 0 nor 1 would be true.

    Examples
    --------
    >>> path = np.array([[0.0, 1, 0], [1, 0, 1], [0, 1, 0]])
    >>> label_smoothness(path, np.array([7, 7, 3])).round(3).tolist()
    [1.0, 0.333]
    """
    classes, leaving, volume = _forms(graph, labels)
    if not (volume > 0).all():
        raise UserError(
            f"class {classes[int((volume <= 0).argmax())]} has no edge, so that its share is not "
            "defined; take more neighbours, or symmetrise='max'"
        )
    return np.minimum(leaving / volume, 1)


def directed_smoothness(graph: sparse.csr_array, labels: np.ndarray) -> np.ndarray:
    r"""Return the mean share of a clip's own neighbour weight that lies outside its class.

    .. math:: \frac{1}{n_c} \sum_{i \in c} \Big( 1 - \sum_j \bar\theta_{ij} [y_j = c] \Big),
              \qquad \sum_j \bar\theta_{ij} = 1

    Each clip counts the same, and no edge is symmetrised.

    Parameters
    ----------
    graph : sparse array, shape (n, n)
        Directed weights, as from ``nnk_graph(kernel, symmetrise="none")``.
    labels : int ndarray, shape (n,)

    Returns
    -------
    float64 ndarray, shape (n_classes,)

    Raises
    ------
    UserError, DataError
        If a clip has no neighbour, or the weights are not finite and non-negative.

    Examples
    --------
    >>> directed_smoothness(np.array([[0.0, 3, 1], [1, 0, 0], [0, 1, 0]]), np.array([0, 0, 1]))
    array([0.125, 1.   ])
    """
    graph = _checked(graph)
    _, onehot = _onehot(labels, graph.shape[0])
    total = graph.sum(axis=1)
    if not (total > 0).all():
        raise UserError(f"clip {int((total <= 0).argmax())} has no neighbour; take more candidates")
    own = np.einsum("nc,nc->n", onehot, graph @ onehot) / total
    return onehot.T @ (1 - np.minimum(own, 1)) / onehot.sum(axis=0)


def group_means(values: np.ndarray, groups: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the super-classes in sorted order, and the unweighted mean of each one's classes.

    Parameters
    ----------
    values : ndarray, shape (..., n_classes)
    groups : sequence of str, length n_classes

    Returns
    -------
    tuple of str
    ndarray, shape (..., n_groups)

    Examples
    --------
    >>> group_means(np.array([0.5, 0.1, 0.3]), ["upper", "lower", "upper"])
    (('lower', 'upper'), array([0.1, 0.4]))
    """
    values, groups = np.asarray(values, float), np.asarray(groups, str)
    if groups.shape != values.shape[-1:]:
        raise UserError(f"{len(groups)} groups for {values.shape[-1]} classes; give one a class")
    names = np.unique(groups)
    means = [values[..., groups == name].mean(axis=-1) for name in names]
    return tuple(names.tolist()), np.stack(means, axis=-1)


def class_smoothness(graph: sparse.csr_array, labels: np.ndarray, groups: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the smoothness of each class, one a row, plain and normalised.

    Parameters
    ----------
    graph : sparse array, shape (n, n)
        Symmetric weights.
    labels : int ndarray, shape (n,)
    groups : sequence of str, optional
        Super-class of each class, in the order of ``np.unique(labels)``.

    Returns
    -------
    DataFrame
        Columns ``class``, ``group`` (if given), ``clips`` (n_c), ``raw`` (Q_c), ``per_clip``
        (Q_c / n_c), ``normalised`` (q_c) and ``chance`` (1 - n_c / n).

    Examples
    --------
    >>> graph = np.array([[0.0, 1, 0], [1, 0, 1], [0, 1, 0]])
    >>> class_smoothness(graph, np.array([0, 0, 1])).columns.tolist()
    ['class', 'clips', 'raw', 'per_clip', 'normalised', 'chance']
    """
    raw, (classes, clips) = quadratic_form(graph, labels), np.unique(labels, return_counts=True)
    columns = {"class": classes, "clips": clips, "raw": raw, "per_clip": raw / clips}
    shares = {"normalised": label_smoothness(graph, labels), "chance": 1 - clips / clips.sum()}
    table = pd.DataFrame(columns | shares)
    if groups is not None:
        group_means(table["raw"].to_numpy(), groups)  # one group a class, or an error
        table.insert(1, "group", list(groups))
    return table


def resampled_smoothness(
    graph: sparse.csr_array, labels: np.ndarray, n_replicates: int = 500, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return `label_smoothness`, and what it is when clips are drawn again within each class.

    Clip i drawn :math:`m_i` times (`analysis_lib.statistics.intervals.times_drawn`) gives each of its edges
    that weight; the graph is not built again, for a repeated clip would be its own nearest neighbour:

    .. math:: q_c = \frac{O_c}{O_c + I_c}, \quad
              O_c = \sum_{i \in c, j \notin c} w_{ij} m_i m_j, \quad
              I_c = \frac{n_c}{n_c - 1} \sum_{i, j \in c} w_{ij} m_i m_j

    The factor makes up for :math:`E[m_i m_j] = 1 - 1/n_c` within a class, without which every
    replicate would be rougher than the sample on average. What remains of that, as a ratio of sums that
    vary is no ratio of their means, is taken away: the mean of the replicates is moved to the sample's
    value. One seed draws the same clips on every graph of these labels: differences of replicates are
    paired.

    Returns
    -------
    q : float64 ndarray, shape (n_classes,)
    replicates : float64 ndarray, shape (n_replicates, n_classes)
        NaN where a class kept no edge; `smoothness_interval` counts them.

    Raises
    ------
    UserError, DataError
        As `label_smoothness`, or if there is no replicate.

    Examples
    --------
    >>> graph = np.kron(np.eye(2), np.ones((3, 3)))  # two classes that do not touch
    >>> q, replicates = resampled_smoothness(graph, np.repeat([0, 1], 3), 20)
    >>> q.tolist(), replicates.shape, np.nanmax(replicates).item()
    ([0.0, 0.0], (20, 2), 0.0)
    """
    q, weights = label_smoothness(graph, labels), _symmetric(graph)
    classes, index, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    draws = times_drawn(labels, n_replicates, np.random.default_rng(seed)).T.astype(float)  # (n, replicates)
    edges = weights.tocoo()
    together = index[edges.row] == index[edges.col]
    same = sparse.csr_array((edges.data * together, edges.coords), weights.shape)
    pick = np.eye(len(classes))[index].T
    inside = pick @ (draws * (same @ draws))  # (classes, replicates)
    outside = pick @ (draws * ((weights - same) @ draws))
    inside *= (sizes / np.maximum(sizes - 1, 1))[:, None]
    volume = inside + outside
    shares = np.divide(outside, volume, out=np.full_like(volume, np.nan), where=volume > 0)
    known = np.isfinite(shares)
    mean = np.where(known, shares, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return q, (shares + (q - mean)[:, None]).T


def smoothness_interval(replicates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the 95 % percentile interval of each column; replicates in which a class kept no edge are left out.

    Parameters
    ----------
    replicates : ndarray, shape (n_replicates, ...)
        From `resampled_smoothness`, of classes, or means or differences of these.

    Returns
    -------
    low, high : float64 ndarray, shape (...)

    Raises
    ------
    UserError
        If more than half of the replicates of a column are NaN.

    Examples
    --------
    >>> [bound.round(3).tolist() for bound in smoothness_interval(np.array([[0.1], [0.2], [0.3]]))]
    [[0.105], [0.295]]
    """
    missing = np.isnan(replicates).sum(axis=0).max()
    if 2 * missing > len(replicates):
        raise UserError(
            f"a class has no edge in {missing} of {len(replicates)} replicates; "
            "sample more clips a class, or take more neighbours"
        )
    return percentile_interval(replicates)


def _checked(graph) -> sparse.csr_array:
    """Return the weights as a float csr_array without self loops, or raise."""
    graph = sparse.csr_array(graph, dtype=float)
    if graph.ndim != 2 or graph.shape[0] != graph.shape[1]:
        raise UserError(f"the graph must be a square matrix, got shape {graph.shape}")
    if not (np.isfinite(graph.data).all() and (graph.data >= 0).all()):
        raise DataError("the graph's weights must be finite and not negative")
    return sparse.csr_array(graph - sparse.diags_array(graph.diagonal()))


def _symmetric(graph) -> sparse.csr_array:
    """Return what `_checked` returns, or raise where an edge has two weights."""
    graph = _checked(graph)
    if abs(graph - graph.T).max() > 1e-9 * max(1.0, graph.max()):
        raise UserError("the graph is directed; build it with symmetrise='max', 'mean' or 'author'")
    return graph


def _forms(graph, labels) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the classes, the weight that leaves each, and the weight of all edges of its clips."""
    matrix = laplacian(graph)
    classes, onehot = _onehot(labels, matrix.shape[0])
    leaving = np.maximum(np.einsum("nc,nc->c", onehot, matrix @ onehot), 0)
    return classes, leaving, matrix.diagonal() @ onehot


def _onehot(labels, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the classes (n_classes,) and the indicators (n, n_classes)."""
    labels = np.asarray(labels)
    if labels.shape != (n,) or not n:
        raise UserError(
            f"expected one label a clip, {n} in all, got shape {labels.shape}; "
            "are the labels those of the sampled clips?"
        )
    classes, index = np.unique(labels, return_inverse=True)
    return classes, np.eye(len(classes))[index]
