"""NNK for all nodes beside two ways of solving it node by node in Python."""

from functools import partial

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import nnls
from scipy.spatial.distance import pdist, squareform
from threadpoolctl import threadpool_limits

from analysis_lib.bench.clips import moving_clips
from analysis_lib.bench.rounds import in_turns
from analysis_lib.nnk.weights import FLOOR, nearest, nnk_weights
from analysis_lib.warping.distances import windowed_dtw

SIZES, CANDIDATES = (500, 2000), (15, 30, 50)
OURS = "nnk_weights"
MAX_ROUNDS = 50  # a candidate, of the iterative reference


def gaussian_kernel(n_nodes: int) -> np.ndarray:
    r"""Return :math:`\exp(-d^2 / 2 \sigma^2)` of points in 20 clouds in 8 dimensions, float64 (n, n).

    :math:`\sigma` is the mean distance of the tenth neighbour. The kernel is positive definite.
    """
    rng = np.random.default_rng(0)
    points = rng.normal(size=(20, 8))[rng.integers(20, size=n_nodes)]
    points += 0.4 * rng.normal(size=points.shape)
    distance = squareform(pdist(points))
    sigma = np.partition(distance, 10, axis=1)[:, 10].mean()
    return np.exp(-(distance**2) / (2 * sigma**2))


def warping_kernel(n_nodes: int) -> np.ndarray:
    """Return 1 - windowed DTW of generated clips, as the book uses it; seldom positive definite."""
    return 1 - windowed_dtw(moving_clips(n_nodes)[0]).astype(float)


KERNELS = {"Gaussian": gaussian_kernel, "windowed DTW": warping_kernel}


def scipy_nnls(kernel: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    r"""Return the exact NNK weights, (n, k), by least squares on the Cholesky factor of each node.

    .. math:: \theta_i = \arg\min_{\theta \ge 0}
              \lVert R\,\theta - R^{-\top} K_{Si} \rVert_2^2, \qquad R^\top R = K_{SS} + \delta_i I

    With the ridges :math:`\delta_i` of `lift`.

    References
    ----------
    Lawson & Hanson (1974), "Solving least squares problems", chapter 23.

    Examples
    --------
    >>> scipy_nnls(np.array([[1, 0.6], [0.6, 1]]), np.array([[1], [0]])).round(6).tolist()
    [[0.6], [0.6]]
    """
    weights = np.empty(neighbours.shape)
    for theta, (gram, target) in zip(weights, _problems(kernel, neighbours), strict=True):
        upper = np.linalg.cholesky(gram).T
        theta[:] = nnls(upper, solve_triangular(upper, target, trans="T", check_finite=False))[0]
    return weights


def iterative_reference(kernel: np.ndarray, neighbours: np.ndarray, tol: float = 1e-6) -> np.ndarray:
    r"""Return NNK weights, (n, k), by the public iterative method, whose candidates leave for good.

    The free set F starts as the candidates with :math:`K_{Si} > \mathrm{tol}`. Each round solves

    .. math:: (K_{SS} + \delta_i I)_{FF}\, \theta_F = (K_{Si})_F, \qquad \theta_{S \setminus F} = 0

    and takes the candidates with :math:`\theta < \mathrm{tol}` out of F, until the largest of the weights
    that are taken out is smaller than ``tol`` in magnitude. A candidate that has left is never tried again, so
    that the result need not be the minimum. As published, the weights of a node with a similarity above
    ``1 - tol`` are its similarities above it.

    References
    ----------
    Shekkizhar & Ortega (2020), "Graph construction from data by non-negative kernel regression".

    Examples
    --------
    >>> iterative_reference(np.array([[1, 0.6], [0.6, 1]]), np.array([[1], [0]])).round(6).tolist()
    [[0.6], [0.6]]
    """
    weights = np.zeros(neighbours.shape)
    for theta, (gram, target) in zip(weights, _problems(kernel, neighbours), strict=True):
        if target.max() > 1 - tol:
            theta[:] = np.where(target > 1 - tol, target, 0)
            continue
        free = np.flatnonzero(target > tol)
        for _ in range(MAX_ROUNDS * len(target)):
            if not len(free):
                break
            factor = cho_factor(gram[np.ix_(free, free)], overwrite_a=True, check_finite=False)
            found = cho_solve(factor, target[free], overwrite_b=True, check_finite=False)
            kept = found >= tol
            theta[free] = np.where(kept, found, 0)
            free, lost = free[kept], np.abs(found[~kept])
            if lost.max(initial=0) < tol:
                break
    return weights


PEERS = {"scipy.optimize.nnls": scipy_nnls, "iterative reference": iterative_reference}


def lift(gram: np.ndarray) -> float:
    r"""Return what lifts the smallest eigenvalue of a matrix to `FLOOR`, or 0, as `nnk_weights` does.

    Eigenvalues are computed only if a Cholesky factor does not show that they are large enough, which is
    several times as fast.

    Examples
    --------
    >>> round(lift(np.array([[1, 1.5], [1.5, 1]])), 9), lift(np.eye(2))
    (0.500001, 0.0)
    """
    try:
        np.linalg.cholesky(gram - FLOOR * np.eye(len(gram)))
    except np.linalg.LinAlgError:
        return max(0.0, float(FLOOR - np.linalg.eigvalsh(gram)[0]))
    return 0.0


def _problems(kernel, neighbours):
    """Yield the matrix K_SS, lifted, and the vector K_Si of each node."""
    diagonal = np.diag_indices(neighbours.shape[1])
    for i, s in enumerate(neighbours):
        gram = kernel[s[:, None], s]
        gram[diagonal] += lift(gram)
        yield gram, kernel[i, s]


def bench_kernel(name: str, n_nodes: int, rounds: int = 5) -> list[dict]:
    """Return the record of one of `KERNELS` for each number of `CANDIDATES` (see `bench_candidates`)."""
    kernel = KERNELS[name](n_nodes)
    return [bench_candidates(name, kernel, k, rounds) for k in CANDIDATES]


def bench_candidates(name: str, kernel: np.ndarray, n_candidates: int, rounds: int = 5) -> dict:
    """Return the seconds in which each method finds the weights of all nodes.

    All read the same candidates, and all do the whole work: test whether the matrix of a node is positive
    definite, find its ridge if not, and solve; to hand the peers the ridges would spare them what is half of
    our time where many are needed. Ours runs on all cores; the peers, in Python, on one, with a BLAS of one
    thread, which is the faster for their small matrices.

    Returns
    -------
    dict
        ``kernel``, ``nodes``, ``candidates``; ``ridged`` and ``duplicates``, numbers of nodes; ``violation``,
        the largest of the optimality conditions; ``methods``: for each ``name``, ``seconds``, and by how much
        its objective lies above ours (``above``) and below it (``below``) at the node where that is most.
    """
    neighbours = nearest(kernel, n_candidates)
    ours = nnk_weights(kernel, neighbours)
    others = {peer: partial(solve, kernel, neighbours) for peer, solve in PEERS.items()}
    with threadpool_limits(1, "blas"):
        found = {OURS: ours.weights, **{peer: call() for peer, call in others.items()}}
        runs = in_turns({OURS: lambda: nnk_weights(kernel, neighbours)}, others, rounds)
    value = {method: objective(kernel, neighbours, ours.ridge, weights) for method, weights in found.items()}
    methods = []
    for method in found:
        excess = (value[method] - value[OURS])[~ours.duplicate]
        above, below = (float(e.max(initial=0)) for e in (excess, -excess))
        methods.append({"name": method, "seconds": runs[method], "above": above, "below": below})
    return {
        "kernel": name,
        "nodes": len(kernel),
        "candidates": n_candidates,
        "ridged": int((ours.ridge > 0).sum()),
        "duplicates": int(ours.duplicate.sum()),
        "violation": float(ours.violation.max()),
        "methods": methods,
    }


def objective(kernel: np.ndarray, neighbours: np.ndarray, ridge: np.ndarray, weights: np.ndarray) -> np.ndarray:
    r"""Return the quantity that NNK minimises, for each node, shape (n,).

    .. math:: \tfrac12 \theta^\top (K_{SS} + \delta I)\, \theta - K_{Si}^\top \theta

    Examples
    --------
    >>> kernel = np.array([[1, 0.6], [0.6, 1]])
    >>> objective(kernel, np.array([[1], [0]]), np.zeros(2), np.array([[0.6], [0.5]])).round(3)
    array([-0.18 , -0.175])
    """
    value = np.empty(len(kernel))
    for i, (s, theta) in enumerate(zip(neighbours, weights, strict=True)):
        value[i] = (theta @ kernel[np.ix_(s, s)] @ theta + ridge[i] * theta @ theta) / 2 - kernel[i, s] @ theta
    return value
