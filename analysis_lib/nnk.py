"""Non-negative kernel regression (NNK): the sparse neighbourhood of each node of a data set."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from joblib import cpu_count

from analysis_lib.errors import DataError, UserError
from analysis_lib.nnk_kernels import check_positive, insert_nearest, solve_nodes

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

    @property
    def n_neighbours(self) -> np.ndarray:
        """Number of neighbours of each node, shape (n,)."""
        return (self.weights > 0).sum(axis=1)


def checked_kernel(kernel: np.ndarray) -> np.ndarray:
    """Return a contiguous similarity matrix, or say what keeps it from being one.

    Raises
    ------
    UserError, DataError
        If it is not square, finite, symmetric, and 1 on the diagonal.
    """
    kernel = np.asarray(kernel)
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1]:
        raise UserError(f"the kernel must be square, got shape {kernel.shape}")
    if kernel.dtype not in (np.float32, np.float64):
        kernel = kernel.astype(np.float64)
    if not np.isfinite(kernel).all():
        i, j = np.argwhere(~np.isfinite(kernel))[0]
        raise DataError(f"kernel entry ({i}, {j}) is NaN or infinite")
    if not np.allclose(kernel, kernel.T, rtol=0, atol=1e-5):
        raise UserError("the kernel is not symmetric; take (K + K.T) / 2 if that is meant")
    if not np.allclose(kernel.diagonal(), 1, rtol=0, atol=1e-5):
        raise UserError(
            f"the kernel must be 1 on its diagonal, got {kernel.diagonal().min():.3g} to "
            f"{kernel.diagonal().max():.3g}; is it a distance, or not normalised?"
        )
    return np.ascontiguousarray(kernel)


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
    UserError
        If there are not k other nodes, or the kernel is not a similarity (`checked_kernel`).

    Examples
    --------
    >>> nearest(np.array([[1.0, 1.0, 0.2], [1.0, 1.0, 0.2], [0.2, 0.2, 1.0]]), 1).tolist()
    [[1], [0], [0]]
    """
    kernel = checked_kernel(kernel)
    n = len(kernel)
    if not 1 <= k < n:
        raise UserError(f"the number of neighbours must lie in 1..{n - 1} for {n} nodes, got {k}")
    found = np.empty((n, k), np.int64)
    _in_threads(insert_nearest, n, kernel, found)
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
    kernel : ndarray, shape (n, n)
        Symmetric similarities, :math:`K_{ii} = 1`.
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
        If the kernel is not a similarity, a candidate does not exist, is repeated, or is the node
        itself, or a solution is not optimal.

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
    kernel = checked_kernel(kernel)
    neighbours = np.ascontiguousarray(neighbours, np.int64)
    _check_candidates(neighbours, len(kernel))
    (n, k), ridge = neighbours.shape, _ridge(kernel, neighbours)
    weights, error, violation = np.zeros((n, k)), np.zeros(n), np.zeros(n)
    duplicate = np.zeros(n, np.bool_)
    _in_threads(
        solve_nodes, n, kernel, neighbours, ridge, tol, weights, error, duplicate, violation
    )
    if violation.max() > tol:
        worst = int(violation.argmax())
        raise UserError(
            f"node {worst}: NNK conditions violated by {violation[worst]:.2g}, "
            f"more than tol = {tol}; take a larger tol, or fewer candidates"
        )
    return NNKResult(neighbours, weights, error, ridge, duplicate, violation)


def _check_candidates(neighbours: np.ndarray, n: int) -> None:
    """Raise UserError unless each row holds k different other nodes."""
    if neighbours.ndim != 2 or len(neighbours) != n or not neighbours.size:
        raise UserError(f"neighbours must be (n, k) with n = {n} nodes, got {neighbours.shape}")
    if neighbours.min() < 0 or neighbours.max() >= n:
        raise UserError(f"neighbours must lie in 0..{n - 1}")
    ordered = np.sort(neighbours, axis=1)
    wrong = (neighbours == np.arange(n)[:, None]).any(axis=1)
    wrong |= (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    if wrong.any():
        node = int(wrong.argmax())
        raise UserError(f"the candidates of node {node} hold itself, or one of them twice")


def _ridge(kernel: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """Return what lifts the smallest eigenvalue of each candidate set's kernel to FLOOR, (n,)."""
    ridge, positive = np.zeros(len(neighbours)), np.zeros(len(neighbours), np.bool_)
    _in_threads(check_positive, len(neighbours), kernel, neighbours, FLOOR, positive)
    doubtful = np.flatnonzero(~positive)
    step = max(1, 2**22 // neighbours.shape[1] ** 2)
    for part in (doubtful[i : i + step] for i in range(0, len(doubtful), step)):
        sets = neighbours[part]
        gram = kernel[sets[:, :, None], sets[:, None, :]].astype(np.float64)
        ridge[part] = np.maximum(0, FLOOR - np.linalg.eigvalsh(gram)[:, 0])
    return ridge


def _in_threads(kernel, n: int, *arguments) -> None:
    """Call a compiled ``kernel(start, stop, *arguments)`` on slices of the nodes, on all cores."""
    n_jobs = min(n, cpu_count())
    edges = np.arange(4 * n_jobs + 1) * n // (4 * n_jobs)
    with ThreadPoolExecutor(n_jobs) as pool:
        list(pool.map(lambda a, b: kernel(a, b, *arguments), edges[:-1], edges[1:]))
