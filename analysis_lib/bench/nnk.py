"""NNK for all nodes beside two ways of solving it node by node."""

import numpy as np
from scipy.spatial.distance import pdist, squareform
from threadpoolctl import threadpool_limits

from analysis_lib.bench.clips import moving_clips
from analysis_lib.bench.nnk_peers import iterative_reference, scipy_nnls
from analysis_lib.bench.rounds import in_turns
from analysis_lib.nnk.weights import nearest, nnk_weights
from analysis_lib.warping.distances import windowed_dtw

SIZES, CANDIDATES = (500, 2000), (15, 30, 50)
OURS = "nnk_weights"
PEERS = {"scipy.optimize.nnls": scipy_nnls, "iterative reference": iterative_reference}


def gaussian_kernel(n_nodes: int) -> np.ndarray:
    r"""Return :math:`\exp(-d^2 / 2 \sigma^2)` of points in 20 clouds in 8 dimensions.

    :math:`\sigma` is the mean distance of the tenth neighbour. The kernel is positive definite.

    Returns
    -------
    float64 ndarray, shape (n_nodes, n_nodes)
    """
    rng = np.random.default_rng(0)
    points = rng.normal(size=(20, 8))[rng.integers(20, size=n_nodes)]
    points += 0.4 * rng.normal(size=points.shape)
    distance = squareform(pdist(points))
    sigma = np.partition(distance, 10, axis=1)[:, 10].mean()
    return np.exp(-(distance**2) / (2 * sigma**2))


def warping_kernel(n_nodes: int) -> np.ndarray:
    """Return 1 - windowed DTW of generated clips, as the book uses it; seldom positive definite.

    Returns
    -------
    float64 ndarray, shape (n_nodes, n_nodes)
    """
    return 1 - windowed_dtw(moving_clips(n_nodes)).astype(float)


KERNELS = {"Gaussian": gaussian_kernel, "windowed DTW": warping_kernel}


def bench_kernel(name: str, n_nodes: int, rounds: int = 5) -> list[dict]:
    """Return a record for each number of `CANDIDATES` (see `bench_candidates`).

    Parameters
    ----------
    name : str
        One of `KERNELS`.
    n_nodes, rounds : int
    """
    kernel = KERNELS[name](n_nodes)
    return [bench_candidates(name, kernel, k, rounds) for k in CANDIDATES]


def bench_candidates(name: str, kernel: np.ndarray, n_candidates: int, rounds: int = 5) -> dict:
    """Return the seconds in which each method finds the weights of all nodes.

    All read the same candidates, and all do the whole work: test whether the matrix of a node is
    positive definite, find its ridge if not, and solve; to hand the peers the ridges would spare
    them what is half of our time where many are needed. Ours runs on all cores; the peers, in
    Python, on one, with a BLAS of one thread, which is the faster for their small matrices.

    Parameters
    ----------
    name : str
        Of the kernel.
    kernel : float64 ndarray, shape (n, n)
    n_candidates, rounds : int

    Returns
    -------
    dict
        ``kernel``, ``nodes``, ``candidates``; ``ridged`` and ``duplicates``, numbers of nodes;
        ``violation``, the largest of the optimality conditions; ``methods``: for each ``name``,
        ``seconds``, and by how much its objective lies above ours (``above``) and below it
        (``below``) at the node where that is most.
    """
    neighbours = nearest(kernel, n_candidates)
    ours = nnk_weights(kernel, neighbours)
    methods = {OURS: lambda: nnk_weights(kernel, neighbours)}
    with threadpool_limits(1, "blas"):
        others = {name: lambda peer=peer: peer(kernel, neighbours, None) for name, peer in PEERS.items()}
        found = {OURS: ours.weights, **{name: call() for name, call in others.items()}}
        runs = in_turns(methods, others, rounds)
    value = {m: objective(kernel, neighbours, ours.ridge, w) for m, w in found.items()}
    excess = {m: (v - value[OURS])[~ours.duplicate] for m, v in value.items()}
    return {
        "kernel": name,
        "nodes": len(kernel),
        "candidates": n_candidates,
        "ridged": int((ours.ridge > 0).sum()),
        "duplicates": int(ours.duplicate.sum()),
        "violation": float(ours.violation.max()),
        "methods": [
            {
                "name": m,
                "seconds": runs[m],
                "above": float(excess[m].max(initial=0)),
                "below": float(-excess[m].min(initial=0)),
            }
            for m in found
        ],
    }


def objective(kernel: np.ndarray, neighbours: np.ndarray, ridge: np.ndarray, weights: np.ndarray) -> np.ndarray:
    r"""Return the quantity that NNK minimises, for each node.

    .. math:: \tfrac12 \theta^\top (K_{SS} + \delta I)\, \theta - K_{Si}^\top \theta

    Parameters
    ----------
    kernel : ndarray, shape (n, n)
    neighbours : int ndarray, shape (n, k)
    ridge : ndarray, shape (n,)
    weights : ndarray, shape (n, k)

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> kernel = np.array([[1, 0.6], [0.6, 1]])
    >>> objective(kernel, np.array([[1], [0]]), np.zeros(2), np.array([[0.6], [0.5]])).round(3)
    array([-0.18 , -0.175])
    """
    value = np.empty(len(kernel))
    for i, (s, theta) in enumerate(zip(neighbours, weights, strict=True)):
        curvature = theta @ kernel[np.ix_(s, s)] @ theta + ridge[i] * theta @ theta
        value[i] = curvature / 2 - kernel[i, s] @ theta
    return value
