"""Graphs whose nodes are the clips of a data set: k nearest neighbours (k-NN), and NNK."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from analysis_lib.errors import DataError, UserError, unknown_choice
from analysis_lib.nnk.weights import nearest, nnk_weights

SYMMETRISATIONS = ("max", "mean", "author", "none")
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


def similarity_kernel(distances: np.ndarray | sparse.csr_array) -> np.ndarray | sparse.csr_array:
    r"""Return similarities in [0, 1] from windowed DTW distances.

    .. math:: K_{ij} = 1 - d_{ij}

    Parameters
    ----------
    distances : ndarray or csr_array, shape (n, n)
        Symmetric, zero diagonal, in [0, 1]; of a sparse one, those that are stored.

    Returns
    -------
    ndarray or csr_array, shape (n, n)
        1 on the diagonal; a sparse one holds no diagonal.

    Raises
    ------
    UserError, DataError
        If a distance is not finite, negative, or above 1.

    Examples
    --------
    >>> similarity_kernel(np.array([[0.0, 0.25], [0.25, 0.0]])).tolist()
    [[1.0, 0.75], [0.75, 1.0]]
    """
    held = sparse.issparse(distances)
    values = distances.data if held else np.asarray(distances)
    if np.ndim(distances) != 2 or distances.shape[0] != distances.shape[1]:
        raise UserError(f"distances must be a square matrix, got shape {np.shape(distances)}")
    least, largest = values.min(initial=0), values.max(initial=0)
    if not (least >= 0 and largest < np.inf):
        raise DataError("distances must be finite and not negative")
    if largest > 1:
        raise UserError(f"1 - d needs distances up to 1, got {largest:.3g}; take normalise='path' with metric='cosine'")
    if held:
        return sparse.csr_array((1 - values, distances.indices, distances.indptr), shape=distances.shape)
    return 1 - values


def knn_graph(
    kernel: np.ndarray, n_neighbors: int = 10, symmetrise: str = "max", apart: np.ndarray | None = None
) -> tuple[sparse.csr_array, GraphDiagnostics]:
    """Return the graph that joins each clip to its k most similar ones, weighted by similarity.

    Parameters
    ----------
    kernel, n_neighbors, apart
        As in `nnk_graph`. Similarities below 1e-6 make no edge.
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
    Das, Shekkizhar & Ortega (2023), figure 4.

    Examples
    --------
    >>> kernel = np.array([[1.0, 0.9, 0.1], [0.9, 1.0, 0.5], [0.1, 0.5, 1.0]])
    >>> knn_graph(kernel, 1)[0].toarray().tolist()
    [[0.0, 0.9, 0.0], [0.9, 0.0, 0.5], [0.0, 0.5, 0.0]]
    """
    neighbours = _candidates(kernel, n_neighbors, apart)
    weights = kernel[np.arange(len(neighbours))[:, None], neighbours]
    weights = (weights.toarray() if sparse.issparse(weights) else weights).astype(float)
    weights[weights < TOLERANCE] = 0
    return _finish(neighbours, weights, symmetrise, np.zeros(len(neighbours)), ties=True)


def nnk_graph(
    kernel: np.ndarray, n_neighbors: int = 10, symmetrise: str = "max", apart: np.ndarray | None = None
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
    kernel : ndarray or csr_array, shape (n, n)
        Symmetric similarities, 1 on the diagonal. A sparse one, such as that of
        `analysis_lib.warping.nearest.windowed_dtw_among`, holds each clip with its k most similar
        ones and these with each other, and gives the same graph.
    n_neighbors : int
        Candidates k, 1..n - 1.
    symmetrise : {"max", "mean", "author", "none"}
    apart : ndarray, shape (n,), optional
        Clips that share this number are never candidates of each other: the person who is seen, or the
        camera that saw, so that all edges join different people, or cameras.

    Returns
    -------
    csr_array, shape (n, n)
        Without self loops; W[i, j] is the weight of neighbour j of clip i.
    GraphDiagnostics

    References
    ----------
    Das, Shekkizhar & Ortega (2023), section II.C; Shekkizhar & Ortega (2020).

    Examples
    --------
    >>> x = np.array([0.0, 1.0, 2.0])
    >>> graph, diagnostics = nnk_graph(np.exp(-((x[:, None] - x) ** 2) / 2), 2)
    >>> graph.toarray().round(2).tolist()
    [[0.0, 0.61, 0.0], [0.61, 0.0, 0.61], [0.0, 0.61, 0.0]]
    >>> diagnostics.n_edges
    2
    >>> nnk_graph(np.exp(-((x[:, None] - x) ** 2) / 2), 1, apart=np.array([5, 5, 8]))[0].toarray().round(2).tolist()
    [[0.0, 0.0, 0.14], [0.0, 0.0, 0.61], [0.14, 0.61, 0.0]]
    """
    result = nnk_weights(kernel, _candidates(kernel, n_neighbors, apart), TOLERANCE)
    counts = {"n_ridge": int((result.ridge > 0).sum()), "n_duplicates": int(result.duplicate.sum())}
    return _finish(result.neighbours, result.weights, symmetrise, result.error, **counts)


def _candidates(kernel: np.ndarray | sparse.csr_array, k: int, apart: np.ndarray | None) -> np.ndarray:
    """Return the k most similar clips of each clip, int (n, k); of equal ones the lower index comes first."""
    if apart is not None:
        return _candidates_apart(kernel, k, np.asarray(apart))
    if not sparse.issparse(kernel):
        return nearest(kernel, k)
    counts = np.diff(kernel.indptr)
    if not 1 <= k <= counts.min():
        raise UserError(f"the number of neighbours must lie in 1..{counts.min()}, all that is known, got {k}")
    rows = zip(np.split(kernel.indices, kernel.indptr[1:-1]), np.split(kernel.data, kernel.indptr[1:-1]), strict=True)
    return np.stack([columns[np.argsort(-values, kind="stable")[:k]] for columns, values in rows])


def _candidates_apart(kernel: np.ndarray | sparse.csr_array, k: int, apart: np.ndarray) -> np.ndarray:
    """Return the k most similar clips of each clip among those that do not share its number."""
    if sparse.issparse(kernel):
        raise UserError("of so many clips only the nearest are known, whoever is seen; take fewer clips a class")
    nearest(kernel, 1)  # refuses what is no kernel
    if apart.shape != kernel.shape[:1]:
        raise UserError(f"apart has shape {apart.shape} for {len(kernel)} clips; give one number a clip")
    shared = apart[:, None] == apart
    if not 1 <= k <= (most := (~shared).sum(axis=1).min()):
        raise UserError(
            f"the number of neighbours must lie in 1..{most}, the clips that some clip may be joined to; got {k}"
        )
    return np.argsort(np.where(shared, np.inf, -kernel), axis=1, kind="stable")[:, :k]


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
