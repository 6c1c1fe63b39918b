"""The bench of NNK: peers solve the same problem, and objectives are compared."""

import numpy as np
import pytest

from analysis_lib.bench import nnk
from analysis_lib.bench.nnk_peers import iterative_reference, lift, scipy_nnls
from analysis_lib.nnk.weights import nearest, nnk_weights


def brute_force(gram, target):
    """Return the best weights over all supports: least objective among those with theta >= 0."""
    best, least = np.zeros(len(target)), 0.0
    for support in range(1, 2 ** len(target)):
        s = [j for j in range(len(target)) if support >> j & 1]
        theta = np.linalg.solve(gram[np.ix_(s, s)], target[s])
        if (theta >= 0).all() and -target[s] @ theta / 2 < least:
            best, least = np.zeros(len(target)), -target[s] @ theta / 2
            best[s] = theta
    return best


@pytest.fixture
def problem(rng):
    x = rng.normal(size=(12, 2))
    kernel = np.exp(-((x[:, None] - x) ** 2).sum(axis=2) / 2)
    return kernel, nearest(kernel, 5)


def test_the_exact_peer_finds_the_best_of_all_supports(problem):
    kernel, neighbours = problem
    wanted = [brute_force(kernel[np.ix_(s, s)], kernel[i, s]) for i, s in enumerate(neighbours)]
    assert scipy_nnls(kernel, neighbours) == pytest.approx(np.array(wanted), abs=1e-9)


def test_a_ridge_is_added_to_the_diagonal_of_its_node(problem):
    kernel, neighbours = problem
    ridge = np.linspace(0, 0.5, 12)
    for peer in (scipy_nnls, iterative_reference):
        each = [peer(kernel + d * np.eye(12), neighbours)[i] for i, d in enumerate(ridge)]
        assert peer(kernel, neighbours, ridge) == pytest.approx(np.array(each), abs=1e-9)


def test_peers_find_the_ridges_that_ours_finds(rng):
    kernel = rng.uniform(0.1, 1, (30, 30))
    kernel = (kernel + kernel.T) / 2
    np.fill_diagonal(kernel, 1)
    neighbours = nearest(kernel, 6)
    ridge = nnk_weights(kernel, neighbours).ridge
    assert 0 < np.count_nonzero(ridge) < 30
    assert [lift(kernel[np.ix_(s, s)]) for s in neighbours] == pytest.approx(ridge, abs=1e-12)
    for peer in (scipy_nnls, iterative_reference):
        assert peer(kernel, neighbours, None) == pytest.approx(peer(kernel, neighbours, ridge))


def test_the_iterative_peer_never_takes_a_candidate_back():
    """The second candidate alone is best, but the first round drops it along with the third."""
    gram = np.array([[1.0, 0.95, 0.9, 0.92], [0.95, 1.0, 0.76, 0.99], [0.9, 0.76, 1.0, 0.73], [0.92, 0.99, 0.73, 1.0]])
    target = np.array([0.85, 0.92, 0.54, 0.9])
    assert (np.linalg.solve(gram, target) < 0).tolist() == [False, True, True, False]
    kernel = np.block([[np.ones((1, 1)), target[None]], [target[:, None], gram]])
    neighbours = np.array([[1, 2, 3, 4]] * 5)
    assert scipy_nnls(kernel, neighbours)[0] == pytest.approx([0, 0.92, 0, 0])
    left = np.linalg.solve(gram[np.ix_([0, 3], [0, 3])], target[[0, 3]])
    assert iterative_reference(kernel, neighbours)[0] == pytest.approx([left[0], 0, 0, left[1]])


def test_the_iterative_peer_joins_duplicates_by_their_similarity():
    """Both candidates equal node 0, if not each other; as a minimum, each would have 2/3."""
    same = 1 - 1e-8
    kernel = np.array([[1.0, same, same], [same, 1.0, 0.5], [same, 0.5, 1.0]])
    neighbours = np.array([[1, 2], [0, 2], [0, 1]])
    assert iterative_reference(kernel, neighbours)[0].tolist() == [same, same]
    assert scipy_nnls(kernel, neighbours, 1e-7)[0] == pytest.approx([2 / 3, 2 / 3])


def test_the_objective_is_the_one_that_is_minimised(problem, rng):
    kernel, neighbours = problem
    ridge = rng.random(12)
    weights = rng.random((12, 5))
    found = nnk.objective(kernel, neighbours, ridge, weights)
    lifted = kernel[np.ix_(neighbours[7], neighbours[7])] + ridge[7] * np.eye(5)
    by_hand = 0.5 * weights[7] @ lifted @ weights[7] - kernel[7, neighbours[7]] @ weights[7]
    assert found[7] == pytest.approx(by_hand)


@pytest.mark.parametrize("name", nnk.KERNELS)
def test_kernels_are_similarities(name):
    kernel = nnk.KERNELS[name](30)
    assert kernel.shape == (30, 30)
    assert kernel.dtype == np.float64
    assert np.array_equal(kernel, kernel.T)
    assert np.array_equal(kernel.diagonal(), np.ones(30))
    assert kernel.min() >= 0


def test_the_gaussian_kernel_is_definite():
    assert np.linalg.eigvalsh(nnk.gaussian_kernel(60))[0] > 0


def test_a_record_compares_objectives_and_holds_every_run(monkeypatch):
    monkeypatch.setattr(nnk, "CANDIDATES", (4, 8))
    few, many = nnk.bench_kernel("Gaussian", 40, rounds=2)
    assert [few[key] for key in ("kernel", "nodes", "candidates")] == ["Gaussian", 40, 4]
    assert many["candidates"] == 8
    assert few["violation"] < 1e-6
    ours, exact, iterative = many["methods"]
    assert [m["name"] for m in (ours, exact, iterative)] == [
        "nnk_weights",
        "scipy.optimize.nnls",
        "iterative reference",
    ]
    assert [len(m["seconds"]) for m in (ours, exact, iterative)] == [4, 2, 2]
    assert (ours["above"], ours["below"]) == (0, 0)
    assert max(exact["above"], exact["below"]) < 1e-10
    assert iterative["below"] < 1e-10


def test_the_excess_is_that_of_the_worst_node(monkeypatch):
    kernel = nnk.gaussian_kernel(30)
    worse = lambda kernel, neighbours, ridge: np.zeros(neighbours.shape)  # noqa: E731
    monkeypatch.setattr(nnk, "PEERS", {"nothing": worse})
    record = nnk.bench_candidates("Gaussian", kernel, 5, rounds=1)
    theta = nnk_weights(kernel, nearest(kernel, 5))
    # at the minimum the objective is minus half of theta . K_Si
    gain = [w @ kernel[i, s] / 2 for i, (w, s) in enumerate(zip(theta.weights, theta.neighbours, strict=True))]
    assert record["methods"][1]["above"] == pytest.approx(max(gain))
