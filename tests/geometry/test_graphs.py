"""Data-set graphs: by hand, against loops over pairs, and the laws of k-NN and NNK."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import nnls

from analysis_lib.errors import DataError, UserError
from analysis_lib.geometry.graphs import knn_graph, nnk_graph, similarity_kernel
from analysis_lib.nnk.weights import nearest, nnk_weights


def gaussian(points, sigma=1.0):
    squared = ((points[:, None] - points[None]) ** 2).sum(axis=-1)
    return np.exp(-squared / (2 * sigma**2))


def directed(kernel, k):
    """Return dense directed weights, candidates and errors, node by node."""
    result = nnk_weights(kernel, nearest(kernel, k))
    weights, candidates = np.zeros_like(kernel), np.zeros_like(kernel, bool)
    for i, (s, theta) in enumerate(zip(result.neighbours, result.weights, strict=True)):
        weights[i, s], candidates[i, s] = theta, True
    return weights, candidates, result.error


def test_knn_by_hand():
    kernel = np.array([[1, 0.9, 0.1, 0], [0.9, 1, 0.5, 0], [0.1, 0.5, 1, 0], [0, 0, 0, 1]])
    one, diagnostics = knn_graph(kernel, 1)
    assert one.toarray().tolist() == [[0, 0.9, 0, 0], [0.9, 0, 0.5, 0], [0, 0.5, 0, 0], [0] * 4]
    assert diagnostics.n_edges == 2
    assert diagnostics.n_isolated == 1
    assert diagnostics.mean_neighbours == 0.75
    mean, _ = knn_graph(kernel, 1, "mean")
    assert mean[1, 2] == mean[2, 1] == 0.25
    assert mean[0, 1] == 0.9
    mutual, _ = knn_graph(kernel, 1, "author")
    assert mutual.nnz == 2
    assert mutual[0, 1] == 0.9
    one_way, diagnostics = knn_graph(kernel, 1, "none")
    assert one_way.toarray()[2].tolist() == [0, 0.5, 0, 0]
    assert one_way[1, 2] == 0
    assert diagnostics.n_edges == 3


def test_symmetrisations_of_nnk_pair_by_pair(rng):
    kernel = gaussian(rng.normal(size=(30, 2)))
    weights, candidates, error = directed(kernel, 6)
    found = {s: nnk_graph(kernel, 6, s)[0].toarray() for s in ("max", "mean", "author", "none")}
    assert (found["author"] > 0).any()
    for i, j in product(range(30), repeat=2):
        assert found["none"][i, j] == weights[i, j]
        assert found["max"][i, j] == max(weights[i, j], weights[j, i])
        assert found["mean"][i, j] == pytest.approx((weights[i, j] + weights[j, i]) / 2)
        mutual = candidates[i, j] and candidates[j, i]
        better = (i, j) if error[i] < error[j] else (j, i)
        assert found["author"][i, j] == (weights[better] if mutual else 0)


def test_exact_ties_of_the_error_delete_an_edge_under_the_authors_rule():
    kernel = np.array([[1, 0.5], [0.5, 1]])
    graph, diagnostics = nnk_graph(kernel, 1, "author")
    assert graph.nnz == 0
    assert diagnostics.n_isolated == 2
    assert nnk_graph(kernel, 1)[0].nnz == 2


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    k=st.integers(1, 9),
    build=st.sampled_from([knn_graph, nnk_graph]),
    rule=st.sampled_from(["max", "mean", "author"]),
)
def test_graphs_are_symmetric_without_loops_or_stored_zeros(seed, k, build, rule):
    points = np.random.default_rng(seed).normal(size=(12, 2)).round(1)
    graph, diagnostics = build(gaussian(points), k, rule)
    assert isinstance(graph, sparse.csr_array)
    assert abs(graph - graph.T).max() == 0
    assert not graph.diagonal().any()
    assert (graph.data > 0).all()
    assert diagnostics.n_edges == graph.nnz // 2
    assert diagnostics.n_isolated == (graph.sum(axis=1) == 0).sum()


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 19))
def test_nnk_edges_are_knn_edges_and_no_heavier(seed, k):
    kernel = gaussian(np.random.default_rng(seed).normal(size=(20, 3)))
    nnk, knn = (build(kernel, k)[0].toarray() for build in (nnk_graph, knn_graph))
    assert (nnk <= knn + 1e-6).all()


def test_nnk_saturates_as_k_grows_and_knn_does_not(rng):
    kernel = gaussian(rng.normal(size=(150, 2)), sigma=0.5)
    nnk = [nnk_graph(kernel, k)[1].mean_neighbours for k in (10, 20, 50)]
    assert nnk[2] < 1.2 * nnk[0]
    assert [round(knn_graph(kernel, k, "none")[1].mean_neighbours) for k in (5, 10)] == [5, 10]


def test_ridges_and_duplicates_are_counted():
    kernel = gaussian(np.array([[0.0], [0.0], [1.0], [3.0]]))
    _, diagnostics = nnk_graph(kernel, 3)
    assert diagnostics.n_duplicates == 2
    assert diagnostics.n_ridge == 2  # the candidates of the other two hold both
    assert knn_graph(kernel, 3)[1].n_duplicates == 0


def test_tiny_similarities_are_no_edges():
    kernel = np.array([[1, 1e-7], [1e-7, 1]])
    assert knn_graph(kernel, 1)[0].nnz == nnk_graph(kernel, 1)[0].nnz == 0


def test_linear_kernel(rng):
    distances = np.array([[0, 0.25, 1], [0.25, 0, 0.5], [1, 0.5, 0]], np.float32)
    kernel = similarity_kernel(distances)
    assert kernel.tolist() == [[1, 0.75, 0], [0.75, 1, 0.5], [0, 0.5, 1]]
    assert kernel.dtype == np.float32


@pytest.mark.parametrize("build", [knn_graph, nnk_graph])
@pytest.mark.parametrize("symmetrise", ["max", "author", "none"])
def test_a_kernel_of_candidates_alone_gives_the_same_graph_ties_and_duplicates_too(rng, build, symmetrise):
    points = rng.integers(0, 6, (40, 2)) / 2  # on a grid: many are equal, many equally far
    distances = np.round(1 - gaussian(points), 3)
    members = np.concatenate([np.arange(40)[:, None], nearest(1 - distances, 6)], axis=1)
    held = np.zeros((40, 40), bool)
    for row in members:
        held[np.ix_(row, row)] = True
    np.fill_diagonal(held, False)
    rows, columns = np.nonzero(held)
    known = sparse.csr_array((distances[held], (rows, columns)), shape=held.shape)
    for k in (4, 6):
        wanted, of_all = build(similarity_kernel(distances), k, symmetrise)
        found, of_few = build(similarity_kernel(known), k, symmetrise)
        assert (found != wanted).nnz == 0
        assert of_few == of_all


def test_neighbours_of_other_people_are_those_that_a_loop_finds(rng):
    kernel, people = gaussian(rng.normal(size=(30, 2))), rng.integers(0, 4, 30)
    knn, nnk = (build(kernel, 5, "none", people)[0].toarray() for build in (knn_graph, nnk_graph))
    for i in range(30):
        others = [j for j in range(30) if people[j] != people[i]]
        near = sorted(others, key=lambda j: -kernel[i, j])[:5]
        assert sorted(np.flatnonzero(knn[i])) == sorted(near)
        root = np.linalg.cholesky(kernel[np.ix_(near, near)])  # |root.T theta - root^-1 k| is the objective of NNK
        theta, _ = nnls(root.T, np.linalg.solve(root, kernel[near, i]))
        np.testing.assert_allclose(nnk[i, near], theta, atol=1e-6)
    for build in (knn_graph, nnk_graph):
        rows, columns = build(kernel, 5, "max", people)[0].nonzero()
        assert (people[rows] != people[columns]).all()
        own = build(kernel, 5, "max", np.arange(30))  # nobody is seen twice: no restriction
        assert (own[0] != build(kernel, 5)[0]).nnz == 0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: knn_graph(np.eye(3), 1, "maximum"),
            UserError,
            "unknown symmetrisation 'maximum'.* choices: author, max, mean, none",
        ),
        (lambda: knn_graph(np.eye(3), 3), UserError, r"must lie in 1\.\.2 for 3 nodes, got 3"),
        (lambda: nnk_graph(np.zeros((3, 3)), 1), UserError, "1 on its diagonal"),
        (lambda: similarity_kernel(np.zeros((2, 3))), UserError, r"square matrix, got shape \(2, 3\)"),
        (lambda: similarity_kernel(np.full((2, 2), np.nan)), DataError, "finite and not negative"),
        (lambda: similarity_kernel(np.full((2, 2), 1.5)), UserError, "up to 1, got 1.5; take normalise"),
        (lambda: similarity_kernel(-np.ones((2, 2))), DataError, "finite and not negative"),
        (lambda: knn_graph(np.eye(3), 2, apart=np.array([1, 1, 2])), UserError, r"in 1\.\.1, the clips that some .* 2"),
        (lambda: knn_graph(np.eye(3), 1, apart=np.zeros(2)), UserError, r"shape \(2,\) for 3 clips"),
        (lambda: knn_graph(2 * np.eye(3), 1, apart=np.arange(3)), UserError, "1 on its diagonal"),
        (lambda: nnk_graph(sparse.csr_array(1 - np.eye(3)), 1, apart=np.arange(3)), UserError, "only the nearest"),
        (lambda: knn_graph(sparse.csr_array(1 - np.eye(3)), 3), UserError, r"in 1\.\.2, all that is known, got 3"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
