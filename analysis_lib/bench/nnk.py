"""NNK for all nodes beside two ways of solving it node by node in Python."""

from collections.abc import Callable
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


def gaussian_kernel(n_nodes: int) -> np.ndarray:
    r"""Return :math:`\exp(-d^2 / 2 \sigma^2)` of points in 20 clouds in 8 dimensions: positive definite.

    :math:`\sigma` is the mean distance of the tenth neighbour.
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


def scipy_nnls(gram: np.ndarray, target: np.ndarray) -> np.ndarray:
    r"""Return the exact NNK weights of a node, by least squares on the Cholesky factor.

    .. math:: \theta = \arg\min_{\theta \ge 0} \lVert R\,\theta - R^{-\top} K_{Si} \rVert_2^2,
              \qquad R^\top R = K_{SS} + \delta I

    Source: Lawson & Hanson (1974), "Solving least squares problems", chapter 23.
    """
    upper = np.linalg.cholesky(gram).T
    return nnls(upper, solve_triangular(upper, target, trans="T", check_finite=False))[0]


def iterative_reference(gram: np.ndarray, target: np.ndarray, tol: float = 1e-6) -> np.ndarray:
    r"""Return NNK weights of a node by the public iterative method, whose candidates leave for good.

    The free set F starts as the candidates with :math:`K_{Si} > \mathrm{tol}`. Each round solves

    .. math:: (K_{SS} + \delta I)_{FF}\, \theta_F = (K_{Si})_F, \qquad \theta_{S \setminus F} = 0

    and takes the candidates with :math:`\theta < \mathrm{tol}` out of F, until the largest of the weights
    that are taken out is smaller than ``tol`` in magnitude. A candidate that has left is never tried again, so
    that the result need not be the minimum. As published, the weights of a node with a similarity above
    ``1 - tol`` are its similarities above it.

    Source: Shekkizhar & Ortega (2020), "Graph construction from data by non-negative kernel regression".
    """
    if target.max() > 1 - tol:
        return np.where(target > 1 - tol, target, 0)
    theta, free, left = np.zeros(len(target)), np.flatnonzero(target > tol), np.inf
    while len(free) and left >= tol:
        factor = cho_factor(gram[np.ix_(free, free)], overwrite_a=True, check_finite=False)
        found = cho_solve(factor, target[free], overwrite_b=True, check_finite=False)
        kept = found >= tol
        theta[free] = np.where(kept, found, 0)
        free, left = free[kept], np.abs(found[~kept]).max(initial=0)
    return theta


PEERS = {"scipy.optimize.nnls": scipy_nnls, "iterative reference": iterative_reference}


def node_by_node(solve: Callable, kernel: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """Return the weights, (n, k), from ``solve(K_SS + ridge I, K_Si)`` of each node."""
    weights, diagonal = np.empty(neighbours.shape), np.diag_indices(neighbours.shape[1])
    for theta, row, s in zip(weights, kernel, neighbours, strict=True):
        gram = kernel[s[:, None], s]
        gram[diagonal] += lift(gram)
        theta[:] = solve(gram, row[s])
    return weights


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


def bench_kernel(name: str, n_nodes: int, rounds: int = 5) -> list[dict]:
    """Return the record of one of `KERNELS` for each number of `CANDIDATES` (see `bench_candidates`)."""
    kernel = KERNELS[name](n_nodes)
    return [{"kernel": name, "nodes": n_nodes, **bench_candidates(kernel, k, rounds)} for k in CANDIDATES]


def bench_candidates(kernel: np.ndarray, n_candidates: int, rounds: int) -> dict:
    """Return the seconds in which each method finds the weights of all nodes.

    All read the same candidates, and all do the whole work: test whether the matrix of a node is positive
    definite, find its ridge if not, and solve; to hand the peers the ridges would spare them what is half of
    our time where many are needed. Ours runs on all cores; the peers, in Python, on one, with a BLAS of one
    thread, which is the faster for their small matrices.

    Returns
    -------
    dict
        ``candidates``; ``ridged`` and ``duplicates``, numbers of nodes; ``violation``, the largest of the
        optimality conditions; ``methods``: for each ``name``, ``seconds``, and by how much its objective lies
        above ours (``above``) and below it (``below``) at the node where that is most.
    """
    neighbours = nearest(kernel, n_candidates)
    ours = nnk_weights(kernel, neighbours)
    others = {peer: partial(node_by_node, solve, kernel, neighbours) for peer, solve in PEERS.items()}
    with threadpool_limits(1, "blas"):
        found = {OURS: ours.weights, **{peer: call() for peer, call in others.items()}}
        runs = in_turns({OURS: lambda: nnk_weights(kernel, neighbours)}, others, rounds)
    value = {method: objective(kernel, neighbours, ours.ridge, weights) for method, weights in found.items()}
    methods = []
    for method in found:
        excess = (value[method] - value[OURS])[~ours.duplicate]
        above, below = (float(e.max(initial=0)) for e in (excess, -excess))
        methods.append({"name": method, "seconds": runs[method], "above": above, "below": below})
    counts = {"ridged": int((ours.ridge > 0).sum()), "duplicates": int(ours.duplicate.sum())}
    return {"candidates": n_candidates, **counts, "violation": float(ours.violation.max()), "methods": methods}


def objective(kernel: np.ndarray, neighbours: np.ndarray, ridge: np.ndarray, weights: np.ndarray) -> np.ndarray:
    r"""Return the quantity that NNK minimises, for each node, shape (n,).

    .. math:: \tfrac12 \theta^\top (K_{SS} + \delta I)\, \theta - K_{Si}^\top \theta
    """
    grams = kernel[neighbours[:, :, None], neighbours[:, None]]
    curvature = np.einsum("ia,iab,ib->i", weights, grams, weights) + ridge * np.square(weights).sum(axis=1)
    return curvature / 2 - (np.take_along_axis(kernel, neighbours, axis=1) * weights).sum(axis=1)
