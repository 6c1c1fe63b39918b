"""Non-negative kernel regression (NNK): the sparse neighbourhood of each node of a data set."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from os import getpid

import numpy as np
from joblib import cpu_count
from scipy import sparse

from analysis_lib.errors import DataError, UserError
from analysis_lib.nnk.solver import SOUND, insert_nearest, solve_nodes

#: smallest eigenvalue that the kernel of a candidate set is lifted to
FLOOR = 1e-6


@dataclass(frozen=True, eq=False)
class NNKResult:
    """Neighbourhoods of all nodes.

    Attributes
    ----------
    neighbours : int64 ndarray, shape (n, k)
        The candidates.
    weights : float64 ndarray, shape (n, k)
        :math:`\\theta \\ge 0`; zero for a candidate that is not a neighbour.
    error : float64 ndarray, shape (n,)
        :math:`K_{ii} - 2 \\theta^\\top K_{Si} + \\theta^\\top K_{SS} \\theta`; 0 for a duplicate.
    ridge : float64 ndarray, shape (n,)
        What was added to the diagonal of :math:`K_{SS}`; 0 where it was positive definite.
    duplicate : bool ndarray, shape (n,)
        Nodes that equal a candidate, and are joined to such candidates only.
    violation : float64 ndarray, shape (n,)
        Largest violation of the optimality conditions (KKT); 0 for a duplicate.
    """

    neighbours: np.ndarray
    weights: np.ndarray
    error: np.ndarray
    ridge: np.ndarray
    duplicate: np.ndarray
    violation: np.ndarray


def nearest(kernel: np.ndarray, k: int) -> np.ndarray:
    """Return the k most similar other nodes of each node, most similar first.

    A node is never its own neighbour, even where others equal it. Of equal similarities the lower
    index comes first.

    Parameters
    ----------
    kernel : ndarray, shape (n, n)
    k : int
        1..n - 1.

    Returns
    -------
    int64 ndarray, shape (n, k)

    Raises
    ------
    UserError, DataError
        If there are not k other nodes, or the kernel is not square, finite, symmetric and 1 on the
        diagonal.

    Examples
    --------
    >>> nearest(np.array([[1.0, 1.0, 0.2], [1.0, 1.0, 0.2], [0.2, 0.2, 1.0]]), 1).tolist()
    [[1], [0], [0]]
    """
    kernel = _checked_form(kernel)
    if sparse.issparse(kernel):
        raise UserError("a sparse kernel does not hold all similarities; give an ndarray")
    _check_all_pairs(kernel)
    n = len(kernel)
    if n < 2:
        raise UserError(f"a graph of neighbours needs at least two nodes, got {n}")
    if not 1 <= k < n:
        raise UserError(f"the number of neighbours must lie in 1..{n - 1} for {n} nodes, got {k}")
    found = np.empty((n, k), np.int64)
    _in_threads(insert_nearest, kernel, n, kernel, found)
    return found


def nnk_weights(kernel: np.ndarray, neighbours: np.ndarray, tol: float = 1e-6) -> NNKResult:
    r"""Return the exact NNK weights of all nodes over their candidates.

    .. math:: \theta_i = \arg\min_{\theta \ge 0}
              \tfrac12 \theta^\top (K_{SS} + \delta I)\, \theta - K_{Si}^\top \theta, \qquad
              \delta = \max(0,\ 10^{-6} - \lambda_{\min}(K_{SS}))

    A similarity of dynamic time warping need not be positive definite, hence :math:`\delta`. If
    :math:`K_{Si} > 1 - \mathrm{tol}` for some candidates, they are duplicates of the node, and
    their similarities are its weights.

    Parameters
    ----------
    kernel : ndarray or csr_array, shape (n, n)
        Symmetric similarities, :math:`K_{ii} = 1`. A sparse one must be canonical, and hold, both
        ways, each node with its candidates and these with each other; an entry that is not stored
        is unknown, not zero, but for the diagonal. It is never made dense. Only what is used is
        read and checked, two candidates in one direction.
    neighbours : int ndarray, shape (n, k)
        Candidate sets S, as from `nearest`.
    tol : float
        Weights below it are set to zero; also the tolerance of duplicates and of optimality.

    Returns
    -------
    NNKResult

    Raises
    ------
    UserError, DataError
        If the kernel is not a similarity, or lacks one that is needed; if a candidate does not
        exist, is repeated, or is the node itself; or if a solution is not optimal.

    References
    ----------
    Shekkizhar & Ortega (2020), "Graph construction from data by non-negative kernel regression".
    Solver: Lawson & Hanson (1974), chapter 23, with an updated Cholesky factor.

    Examples
    --------
    The candidate at 2 lies behind the one at 1, seen from 0:

    >>> x = np.array([0.0, 1.0, 2.0])
    >>> kernel = np.exp(-((x[:, None] - x) ** 2) / 2)
    >>> nnk_weights(kernel, nearest(kernel, 2)).weights.round(3).tolist()
    [[0.607, 0.0], [0.534, 0.534], [0.607, 0.0]]
    """
    kernel = _checked_form(kernel)
    neighbours = np.array(neighbours, np.int64, order="C")
    n, k = _check_candidates(neighbours, kernel.shape[0])
    weights, error, ridge, violation = np.zeros((n, k)), np.zeros(n), np.zeros(n), np.zeros(n)
    duplicate = np.zeros(n, np.bool_)
    _in_threads(
        solve_nodes, kernel, n, *_rows(kernel), neighbours, FLOOR, tol, weights, error, ridge, duplicate, violation
    )
    if violation.max() > tol:
        worst = int(violation.argmax())
        raise UserError(
            f"node {worst}: NNK conditions violated by {violation[worst]:.2g}, "
            f"more than tol = {tol}; take a larger tol, or fewer candidates"
        )
    return NNKResult(neighbours, weights, error, ridge, duplicate, violation)


def _checked_form(kernel):
    """Return a square, contiguous matrix of floats, dense or sparse; its entries are not read."""
    held = sparse.issparse(kernel)
    kernel = sparse.csr_array(kernel) if held else np.asarray(kernel)
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or not kernel.shape[0]:
        raise UserError(f"the kernel must be square, got shape {kernel.shape}")
    if kernel.dtype not in (np.float32, np.float64):
        kernel = kernel.astype(np.float64)
    if not held:
        return np.ascontiguousarray(kernel)
    if not kernel.has_canonical_format:
        raise UserError("the sparse kernel has unsorted or repeated entries; sum_duplicates() first")
    return kernel


def _check_all_pairs(kernel: np.ndarray, rows: int = 64) -> None:
    """Raise unless a dense kernel is symmetric, and 1 on its diagonal; a few rows at a time."""
    for top in range(0, len(kernel), rows):
        mirrored = kernel[:, top : top + rows].T.copy()
        np.fill_diagonal(mirrored[:, top:], 1)
        with np.errstate(invalid="ignore"):
            sound = np.abs(kernel[top : top + rows] - mirrored) <= SOUND
        if not sound.all():
            i, j = np.argwhere(~sound)[0]
            raise _unsound(kernel, top + int(i), int(j))


def _rows(kernel) -> tuple:
    """Return the values, columns and limits of the rows, as the compiled loops take them."""
    if sparse.issparse(kernel):
        return kernel.data, kernel.indices, kernel.indptr
    return kernel.ravel(), None, np.arange(0, kernel.size + 1, len(kernel), np.uint64)


def _unsound(kernel, i: int, j: int) -> UserError:
    """Return the error for a pair that is no similarity, of a node with itself or with another."""
    for a, b in ((i, j), (j, i)):
        if sparse.issparse(kernel) and b not in kernel.indices[slice(*kernel.indptr[a : a + 2])]:
            return UserError(
                f"the sparse kernel does not hold the pair ({a}, {b}); it must hold, both ways, "
                "each node with its candidates, and these with each other"
            )
        if not np.isfinite(kernel[a, b]):
            return DataError(f"kernel entry ({a}, {b}) is NaN or infinite")
    if i != j:
        return UserError(
            f"the kernel is not symmetric: {kernel[i, j]:.6g} at ({i}, {j}), {kernel[j, i]:.6g} at "
            f"({j}, {i}); take (K + K.T) / 2 if that is meant"
        )
    return UserError(
        f"the kernel must be 1 on its diagonal, got {kernel[i, i]:.3g} at ({i}, {i}); is it a "
        "distance, or not normalised?"
    )


def _check_candidates(neighbours: np.ndarray, n: int) -> tuple[int, int]:
    """Return (n, k); raise UserError unless each row holds k different other nodes."""
    if neighbours.ndim != 2 or len(neighbours) != n or not neighbours.size:
        raise UserError(f"neighbours must be (n, k) with n = {n} nodes, got {neighbours.shape}")
    own = np.arange(n)[:, None]
    ordered = np.sort(np.concatenate([neighbours, own], axis=1), axis=1)
    if ordered[:, 0].min() < 0 or ordered[:, -1].max() >= n:
        raise UserError(f"neighbours must lie in 0..{n - 1}")
    repeated = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    if repeated.any():
        node = int(repeated.argmax())
        raise UserError(f"the candidates of node {node} hold itself, or one of them twice")
    return neighbours.shape


_n_cores = cache(cpu_count)  # it reads files each time


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    """Return the threads of a process; to start them anew would take as long as a hundred nodes."""
    return ThreadPoolExecutor(_n_cores())


def _in_threads(loop, kernel, n: int, *arguments) -> None:
    """Call ``loop(start, stop, *arguments)`` on slices of the nodes, on all cores.

    A pair that it returns is no similarity; the first is an error.
    """
    n_jobs = min(n, _n_cores())
    edges = np.arange(4 * n_jobs + 1) * n // (4 * n_jobs)
    slices = iter(list(pairwise(edges.tolist())))  # each thread, this one too, takes the next

    def work():
        return [loop(start, stop, *arguments) for start, stop in slices]

    others = [_pool(getpid()).submit(work) for _ in range(n_jobs - 1)]
    pairs = work()
    for other in others:
        if not other.cancel():  # one that has not begun by now would find nothing left to do
            pairs += other.result()
    unsound = [pair for pair in pairs if pair is not None and pair[0] >= 0]
    if unsound:
        raise _unsound(kernel, *min(unsound))
