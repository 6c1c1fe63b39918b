"""Leave-one-out classification by a graph: each clip gets the class of its neighbours."""

import numpy as np
from scipy import sparse

from analysis_lib.errors import DataError, UserError


def vote_errors(graph: sparse.csr_array, labels: np.ndarray) -> np.ndarray:
    r"""Return how wrongly each clip's neighbours name its class, from 0 to 1.

    .. math:: e_i = 1 - \frac{[\,y_i \in B_i\,]}{|B_i|}, \qquad
              B_i = \arg\max_c \sum_{j:\, y_j = c} w_{ij}

    The clip's own label takes no part. Classes that tie share the guess: no value depends on how
    classes are numbered, and a clip without any neighbour is guessed at random,
    :math:`e_i = 1 - 1/n_{\text{classes}}`.

    Parameters
    ----------
    graph : sparse array, shape (n, n)
        Non-negative weights without self loops; row i holds the neighbours of clip i.
    labels : int ndarray, shape (n,)

    Returns
    -------
    float64 ndarray, shape (n,)

    Raises
    ------
    UserError, DataError
        If the shapes disagree, a clip is its own neighbour, or a weight is negative or not finite.

    References
    ----------
    Shekkizhar & Ortega (2020), section 5 (local classification by NNK weights).

    Examples
    --------
    >>> graph = np.array([[0, 2.0, 1], [1, 0, 3], [0, 0, 0]])
    >>> vote_errors(graph, np.array([0, 0, 1])).tolist()
    [0.0, 1.0, 0.5]
    """
    graph, labels = sparse.csr_array(graph, dtype=float), np.asarray(labels)
    if graph.shape != (len(labels), len(labels)):
        raise UserError(f"{len(labels)} labels for a graph of shape {graph.shape}; give one a clip")
    if graph.diagonal().any():
        clip = int(np.flatnonzero(graph.diagonal())[0])
        raise UserError(f"clip {clip} is its own neighbour and would vote for itself; drop the loop")
    if not (np.isfinite(graph.data).all() and (graph.data >= 0).all()):
        raise DataError("the graph's weights must be finite and not negative")
    classes, index = np.unique(labels, return_inverse=True)
    votes = graph @ np.eye(len(classes))[index]  # (n, classes)
    best = votes >= votes.max(axis=1, keepdims=True) * (1 - 1e-9)
    return 1 - best[np.arange(len(index)), index] / best.sum(axis=1)


def label_overlap(graph: sparse.csr_array, labels: np.ndarray) -> np.ndarray:
    r"""Return the share of each clip's neighbours that have its label, whatever their weights.

    .. math:: \chi_i = \frac{|\{j \in N(i) : y_j = y_i\}|}{|N(i)|}

    Parameters
    ----------
    graph : sparse array, shape (n, n)
        Row i holds the neighbours of clip i: the k nearest.
    labels : ndarray, shape (n,)

    Returns
    -------
    float64 ndarray, shape (n,)
        NaN for a clip without neighbours.

    References
    ----------
    Doimo, Glielmo, Ansuini & Laio (2020), Hierarchical nucleation in deep neural networks, section 3.

    Examples
    --------
    >>> label_overlap(np.array([[0, 2.0, 1], [1, 0, 0], [1, 1, 0]]), np.array([0, 0, 1])).tolist()
    [0.5, 1.0, 0.0]
    """
    edges = sparse.coo_array(graph)
    (row, column), labels = edges.coords, np.asarray(labels)
    same, all_of = (np.bincount(row, of, len(labels)) for of in (labels[row] == labels[column], None))
    return np.divide(same, all_of, out=np.full(len(labels), np.nan), where=all_of > 0)


def class_means(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the mean of each class's clips, shape (n_classes,), in the order of ``np.unique``.

    Examples
    --------
    >>> class_means(np.array([0.0, 1.0, 1.0]), np.array([4, 4, 2])).tolist()
    [1.0, 0.5]
    """
    _, index, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    return np.bincount(index, np.asarray(values, float)) / sizes
