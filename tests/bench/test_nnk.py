"""The bench of NNK: peers solve the same problem, and objectives are compared."""

import numpy as np
import pytest

from analysis_lib.bench import nnk
from analysis_lib.bench.nnk import iterative_reference, lift, node_by_node, objective, scipy_nnls
from analysis_lib.nnk.weights import nearest, nnk_weights


def best_of_all_supports(gram, target):
    """Return the least objective over all supports whose weights are none negative, and those weights."""
    best, least = np.zeros(len(target)), 0.0
    for support in range(1, 2 ** len(target)):
        s = [j for j in range(len(target)) if support >> j & 1]
        theta = np.linalg.solve(gram[np.ix_(s, s)], target[s])
        if (theta >= 0).all() and -target[s] @ theta / 2 < least:
            best, least = np.zeros(len(target)), -target[s] @ theta / 2
            best[s] = theta
    return best, least


@pytest.mark.parametrize("definite", [True, False])
def test_the_exact_peer_finds_the_best_of_all_supports(rng, definite):
    """With the ridges of ours, where the kernel of a node is not positive definite."""
    x = rng.normal(size=(12, 2))
    noise = np.triu(rng.uniform(-0.2, 0.2, (12, 12)), 1) * (not definite)
    kernel = np.exp(-((x[:, None] - x) ** 2).sum(axis=2) / 2) + noise + noise.T
    neighbours = nearest(kernel, 5)
    ridge = nnk_weights(kernel, neighbours).ridge
    assert (ridge == 0).all() if definite else 0 < np.count_nonzero(ridge) < 12
    assert [lift(kernel[np.ix_(s, s)]) for s in neighbours] == pytest.approx(ridge, abs=1e-12)
    grams = [kernel[np.ix_(s, s)] + r * np.eye(5) for s, r in zip(neighbours, ridge, strict=True)]
    wanted = [best_of_all_supports(g, kernel[i, s]) for i, (g, s) in enumerate(zip(grams, neighbours, strict=True))]
    found = node_by_node(scipy_nnls, kernel, neighbours)
    assert found == pytest.approx(np.array([best for best, _ in wanted]), abs=1e-6)
    assert objective(kernel, neighbours, ridge, found) == pytest.approx([least for _, least in wanted], abs=1e-9)


def test_the_iterative_peer_never_takes_a_candidate_back():
    """The second candidate alone is best, but the first round drops it along with the third."""
    gram = np.array([[1.0, 0.95, 0.9, 0.92], [0.95, 1.0, 0.76, 0.99], [0.9, 0.76, 1.0, 0.73], [0.92, 0.99, 0.73, 1.0]])
    target = np.array([0.85, 0.92, 0.54, 0.9])
    assert (np.linalg.solve(gram, target) < 0).tolist() == [False, True, True, False]
    assert scipy_nnls(gram, target) == pytest.approx([0, 0.92, 0, 0])
    left = np.linalg.solve(gram[np.ix_([0, 3], [0, 3])], target[[0, 3]])
    assert iterative_reference(gram, target) == pytest.approx([left[0], 0, 0, left[1]])


def test_the_iterative_peer_joins_duplicates_by_their_similarity():
    """Both candidates equal the node, if not each other; as a minimum, each would have 2/3."""
    gram, target = np.array([[1, 0.5], [0.5, 1]]), np.full(2, 1 - 1e-8)
    assert iterative_reference(gram, target).tolist() == target.tolist()
    assert scipy_nnls(gram, target) == pytest.approx([2 / 3, 2 / 3])


@pytest.mark.parametrize("name", nnk.KERNELS)
def test_kernels_are_similarities_and_the_gaussian_is_definite(name):
    kernel = nnk.KERNELS[name](60)
    assert kernel.dtype == np.float64
    assert np.array_equal(kernel, kernel.T)
    assert np.array_equal(kernel.diagonal(), np.ones(60))
    assert kernel.min() >= 0
    assert name != "Gaussian" or np.linalg.eigvalsh(kernel)[0] > 0


def test_a_record_compares_objectives_and_holds_every_run(monkeypatch):
    monkeypatch.setattr(nnk, "CANDIDATES", (4, 8))
    few, many = nnk.bench_kernel("Gaussian", 40, rounds=2)
    assert [few[key] for key in ("kernel", "nodes", "candidates")] == ["Gaussian", 40, 4]
    assert many["candidates"] == 8
    assert few["violation"] < 1e-6
    runs = {m["name"]: len(m["seconds"]) for m in many["methods"]}
    assert runs == {"nnk_weights": 4, "scipy.optimize.nnls": 2, "iterative reference": 2}
    ours, exact, iterative = many["methods"]
    assert (ours["above"], ours["below"]) == (0, 0)
    assert max(exact["above"], exact["below"], iterative["below"]) < 1e-10


def test_the_excess_is_that_of_the_worst_node(monkeypatch):
    kernel = nnk.gaussian_kernel(30)
    monkeypatch.setattr(nnk, "PEERS", {"nothing": lambda gram, target: np.zeros(len(target))})
    record = nnk.bench_candidates(kernel, 5, rounds=1)
    ours = nnk_weights(kernel, nearest(kernel, 5))
    # at the minimum the objective is minus half of theta . K_Si
    gain = [w @ kernel[i, s] / 2 for i, (w, s) in enumerate(zip(ours.weights, ours.neighbours, strict=True))]
    assert record["methods"][1]["above"] == pytest.approx(max(gain))
