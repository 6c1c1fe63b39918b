"""Graphs whose nodes are the clips of a data set: k nearest neighbours (k-NN), and NNK."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from analysis_lib.errors import DataError, UserError, unknown_choice
from analysis_lib.nnk.weights import nearest, nnk_weights

SYMMETRISATIONS = ("max", "mean", "author", "none")
KERNELS = ("linear", "gaussian")
#: weights below it are no edge
TOLERANCE = 1e-6


@dataclass(frozen=True)
class GraphDiagnostics:
    """How a graph came out.

    Attributes
    ----------
    n_edges : int
        Undirected edges; directed ones for ``symmetrise="none"``.
    n_isolated : int
        Nodes without any edge.
    mean_neighbours : float
        Neighbours a node before symmetrisation.
    n_ridge, n_duplicates : int
        Nodes whose candidate kernel was not positive definite, and nodes that equal a candidate
        (see `analysis_lib.nnk.weights.NNKResult`); 0 for k-NN.
    """

    n_edges: int
    n_isolated: int
    mean_neighbours: float
    n_ridge: int = 0
    n_duplicates: int = 0


def similarity_kernel(distances: np.ndarray, kind: str = "linear", n_neighbors: int = 10) -> np.ndarray:
    r"""Return similarities in [0, 1] from windowed DTW distances.

    .. math:: K_{ij} = 1 - d_{ij} \qquad \text{or} \qquad K_{ij} = e^{-d_{ij}^2 / 2 \sigma^2}

    Parameters
    ----------
    distances : ndarray, shape (n, n)
        Symmetric, zero diagonal; in [0, 1] for ``"linear"``.
    kind : {"linear", "gaussian"}
    n_neighbors : int
        :math:`\sigma` is a third of the mean distance to the n-th neighbour; used by
        ``"gaussian"`` only.

    Returns
    -------
    ndarray, shape (n, n)
        1 on the diagonal.

    Raises
    ------
    UserError, DataError
        If a distance is not finite, negative, or above 1 for ``"linear"``; if ``n_neighbors`` is
        not in 1..n - 1; or if :math:`\sigma` would be 0.

    Examples
    --------
    >>> similarity_kernel(np.array([[0.0, 0.25], [0.25, 0.0]])).tolist()
    [[1.0, 0.75], [0.75, 1.0]]
    """
    if kind not in KERNELS:
        raise unknown_choice("kernel", kind, KERNELS)
    distances = np.asarray(distances)
    if distances.ndim != 2 or distances.shape[0] != distances.shape[1]:
        raise UserError(f"distances must be a square matrix, got shape {distances.shape}")
    if not (np.isfinite(distances).all() and (distances >= 0).all()):
        raise DataError("distances must be finite and not negative")
    if kind == "linear":
        if distances.max(initial=0) > 1:
            raise UserError(
                f"1 - d needs distances up to 1, got {distances.max():.3g}; take normalise='path' "
                "with metric='cosine', or kind='gaussian'"
            )
        return 1 - distances
    n = len(distances)
    if not 1 <= n_neighbors < n:
        raise UserError(f"n_neighbors must lie in 1..{n - 1} for {n} clips, got {n_neighbors}")
    others = distances[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    sigma = np.partition(others, n_neighbors - 1, axis=1)[:, n_neighbors - 1].mean() / 3
    if sigma == 0:
        raise UserError(f"all clips have {n_neighbors} duplicates; take a larger n_neighbors")
    return np.exp(-((distances / sigma) ** 2) / 2)


def knn_graph(
    kernel: np.ndarray, n_neighbors: int = 10, symmetrise: str = "max"
) -> tuple[sparse.csr_array, GraphDiagnostics]:
    """Return the graph that joins each clip to its k most similar ones, weighted by similarity.

    Parameters
    ----------
    kernel : ndarray, shape (n, n)
        Symmetric similarities, 1 on the diagonal.
    n_neighbors : int
        k, 1..n - 1. Similarities below 1e-6 make no edge.
    symmetrise : {"max", "mean", "author", "none"}
        As in `nnk_graph`. Both ends give the same weight here, so that ``"author"`` is the graph
        of mutual neighbours.

    Returns
    -------
    csr_array, shape (n, n)
        Without self loops; W[i, j] is the weight of neighbour j of clip i.
    GraphDiagnostics

    References
    ----------
    Das, Shekkizhar & Ortega (2024), figure 4.

    Examples
    --------
    >>> kernel = np.array([[1.0, 0.9, 0.1], [0.9, 1.0, 0.5], [0.1, 0.5, 1.0]])
    >>> knn_graph(kernel, 1)[0].toarray().tolist()
    [[0.0, 0.9, 0.0], [0.9, 0.0, 0.5], [0.0, 0.5, 0.0]]
    """
    neighbours = nearest(kernel, n_neighbors)
    weights = np.take_along_axis(kernel, neighbours, axis=1).astype(float)
    weights[weights < TOLERANCE] = 0
    return _finish(neighbours, weights, symmetrise, np.zeros(len(kernel)), ties=True)


def nnk_graph(
    kernel: np.ndarray, n_neighbors: int = 10, symmetrise: str = "max"
) -> tuple[sparse.csr_array, GraphDiagnostics]:
    """Return the graph of NNK neighbourhoods chosen among the k most similar clips.

    ==========  ===================================================================================
    symmetrise  weight of the edge between i and j
    ==========  ===================================================================================
    ``max``     the larger of the two directed weights
    ``mean``    their mean
    ``author``  that of the end with the smaller error, and only where each is a candidate of the
                other and the errors differ, as in the published PyNNK code; may isolate clips
    ``none``    the directed weights
    ==========  ===================================================================================

    Parameters
    ----------
    kernel : ndarray, shape (n, n)
        Symmetric similarities, 1 on the diagonal.
    n_neighbors : int
        Candidates k, 1..n - 1.
    symmetrise : {"max", "mean", "author", "none"}

    Returns
    -------
    csr_array, shape (n, n)
        Without self loops; W[i, j] is the weight of neighbour j of clip i.
    GraphDiagnostics

    References
    ----------
    Das, Shekkizhar & Ortega (2024), section II.C; Shekkizhar & Ortega (2020).

    Examples
    --------
    >>> x = np.array([0.0, 1.0, 2.0])
    >>> graph, diagnostics = nnk_graph(np.exp(-((x[:, None] - x) ** 2) / 2), 2)
    >>> graph.toarray().round(2).tolist()
    [[0.0, 0.61, 0.0], [0.61, 0.0, 0.61], [0.0, 0.61, 0.0]]
    >>> diagnostics.n_edges
    2
    """
    result = nnk_weights(kernel, nearest(kernel, n_neighbors), TOLERANCE)
    return _finish(
        result.neighbours,
        result.weights,
        symmetrise,
        result.error,
        n_ridge=int((result.ridge > 0).sum()),
        n_duplicates=int(result.duplicate.sum()),
    )


def _finish(
    neighbours, weights, symmetrise: str, error, ties: bool = False, **counts
) -> tuple[sparse.csr_array, GraphDiagnostics]:
    """Return the symmetrised graph of directed weights (n, k), and how it came out."""
    if symmetrise not in SYMMETRISATIONS:
        raise unknown_choice("symmetrisation", symmetrise, SYMMETRISATIONS)
    n, k = neighbours.shape
    rows = np.repeat(np.arange(n), k)
    if symmetrise == "author":
        kept = _smaller_error(rows, neighbours.ravel(), error, ties).reshape(n, k)
        shown = np.where(kept, weights, 0.0)
    else:
        shown = weights
    graph = sparse.csr_array((shown.ravel(), (rows, neighbours.ravel())), shape=(n, n))
    if symmetrise == "mean":
        graph = (graph + graph.T) / 2
    elif symmetrise != "none":
        graph = graph.maximum(graph.T)
    graph = sparse.csr_array(graph)
    graph.eliminate_zeros()
    graph.sort_indices()
    touched = np.zeros(n, bool)
    touched[np.concatenate(graph.nonzero())] = True
    n_edges = graph.nnz if symmetrise == "none" else graph.nnz // 2
    mean = float((weights > 0).sum() / n)
    return graph, GraphDiagnostics(n_edges, int(n - touched.sum()), mean, **counts)


def _smaller_error(source, target, error, ties: bool) -> np.ndarray:
    """Return which directed candidates are mutual and start at the end of smaller error."""
    pairs = sparse.csr_array((np.ones(len(source)), (source, target)), shape=(len(error),) * 2)
    mutual = np.asarray(pairs[target, source]).ravel() > 0
    smaller = error[source] <= error[target] if ties else error[source] < error[target]
    return mutual & smaller
