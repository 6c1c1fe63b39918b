"""Label smoothness: how much of a data-set graph's weight joins clips of different classes.

Labels are one-hot, one indicator y_c a class, so that no value depends on how classes are numbered.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from analysis_lib.errors import DataError, UserError, unknown_choice

NORMALISATIONS = ("degree", "clip", "none")


class Drop(NamedTuple):
    """Largest fall of a curve: its size, and the index of the point before it."""

    size: float
    after: int


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
    graph = _checked(graph)
    if abs(graph - graph.T).max() > 1e-9 * max(1.0, graph.max()):
        raise UserError("the graph is directed; build it with symmetrise='max', 'mean' or 'author'")
    return sparse.csr_array(sparse.diags_array(graph.sum(axis=1)) - graph)


def label_smoothness(laplacian: sparse.csr_array, labels: np.ndarray, normalise: str = "degree") -> np.ndarray:
    r"""Return the weight of the edges that leave each class, by default as a share.

    .. math:: Q_c = \mathbf{y}_c^\top L\, \mathbf{y}_c, \qquad
              q_c = Q_c / \mathbf{y}_c^\top D\, \mathbf{y}_c

    Smaller is smoother: 0 if the class is joined to itself only, 1 if to other classes only. With
    random labels :math:`q_c` is about :math:`1 - n_c / n`. The paper prints no normalisation;
    without one, a denser graph has larger values.

    Parameters
    ----------
    laplacian : sparse array, shape (n, n)
        From `laplacian`.
    labels : int ndarray, shape (n,)
        Any numbering.
    normalise : {"degree", "clip", "none"}
        :math:`q_c`, :math:`Q_c / n_c`, or :math:`Q_c`.

    Returns
    -------
    float64 ndarray, shape (n_classes,)
        In the order of ``np.unique(labels)``.

    Raises
    ------
    UserError
        If the shapes disagree; or for ``"degree"``, if a class has no edge at all: its share is
        0/0, and neither 0 nor 1 would be true.

    References
    ----------
    Das, Shekkizhar & Ortega (2024), equation (7) with one-hot labels.

    Examples
    --------
    >>> path = laplacian(np.array([[0.0, 1, 0], [1, 0, 1], [0, 1, 0]]))
    >>> label_smoothness(path, np.array([7, 7, 3])).round(3).tolist()
    [1.0, 0.333]
    >>> label_smoothness(path, np.array([7, 7, 3]), "none").tolist()
    [1.0, 1.0]
    """
    if normalise not in NORMALISATIONS:
        raise unknown_choice("normalisation", normalise, NORMALISATIONS)
    classes, onehot = _onehot(labels, laplacian.shape[0])
    raw = np.einsum("nc,nc->c", onehot, laplacian @ onehot)
    if normalise == "none":
        return np.maximum(raw, 0)
    if normalise == "clip":
        return np.maximum(raw, 0) / onehot.sum(axis=0)
    volume = laplacian.diagonal() @ onehot
    if not (volume > 0).all():
        raise UserError(
            f"class {classes[int((volume <= 0).argmax())]} has no edge, so that its share is not "
            "defined; take more neighbours, or symmetrise='max'"
        )
    return np.clip(raw / volume, 0, 1)


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
        In the order of ``np.unique(labels)``.

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
    """Return the smoothness of each class, one a row, by all normalisations.

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
    matrix = laplacian(graph)
    classes, clips = np.unique(np.asarray(labels), return_counts=True)
    measures = {"raw": "none", "per_clip": "clip", "normalised": "degree"}
    table = pd.DataFrame({"class": classes, "clips": clips})
    for column, normalise in measures.items():
        table[column] = label_smoothness(matrix, labels, normalise)
    table["chance"] = 1 - clips / clips.sum()
    if groups is not None:
        group_means(table["raw"].to_numpy(), groups)  # one group a class, or an error
        table.insert(1, "group", list(groups))
    return table


def largest_drop(curve: Sequence[float]) -> Drop:
    r"""Return the largest fall between successive points, and where: the "sudden fall" statistic.

    .. math:: \max_l\; q(l) - q(l + 1)

    Parameters
    ----------
    curve : sequence of float, length at least 2
        One value a layer.

    Returns
    -------
    Drop
        ``size`` (negative if the curve only rises) and ``after``, the index l; the first of equals.

    Raises
    ------
    UserError, DataError
        If there are fewer than two points, or one is not finite.

    Examples
    --------
    >>> largest_drop([0.75, 0.75, 0.5, 0.0])
    Drop(size=0.5, after=2)
    """
    curve = np.asarray(curve, float)
    if curve.ndim != 1 or len(curve) < 2:
        raise UserError(f"a drop needs a curve of at least two layers, got shape {curve.shape}")
    if not np.isfinite(curve).all():
        raise DataError("the curve holds a NaN or infinity")
    falls = curve[:-1] - curve[1:]
    return Drop(float(falls.max()), int(falls.argmax()))


def _checked(graph) -> sparse.csr_array:
    """Return the weights as a float csr_array without self loops, or raise."""
    graph = sparse.csr_array(graph, dtype=float)
    if graph.ndim != 2 or graph.shape[0] != graph.shape[1]:
        raise UserError(f"the graph must be a square matrix, got shape {graph.shape}")
    if not (np.isfinite(graph.data).all() and (graph.data >= 0).all()):
        raise DataError("the graph's weights must be finite and not negative")
    return sparse.csr_array(graph - sparse.diags_array(graph.diagonal()))


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
