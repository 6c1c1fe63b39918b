"""NNK: against scipy's non-negative least squares, the optimality conditions, and geometry."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import nnls

from analysis_lib.errors import DataError, UserError
from analysis_lib.nnk.weights import FLOOR, nearest, nnk_weights

seeds = st.integers(0, 10_000)


def gaussian(points, sigma=1.0):
    squared = ((points[:, None] - points[None]) ** 2).sum(axis=-1)
    return np.exp(-squared / (2 * sigma**2))


def indefinite(rng, n):
    """Return a similarity as dynamic time warping gives it: in [0, 1], not positive definite."""
    kernel = rng.uniform(0.2, 0.9, (n, n))
    kernel = (kernel + kernel.T) / 2
    np.fill_diagonal(kernel, 1)
    return kernel


def by_nnls(kernel, i, candidates):
    """Return the weights by least squares on the Cholesky factor, and the ridge by eigenvalues."""
    gram, target = kernel[np.ix_(candidates, candidates)], kernel[i, candidates]
    ridge = max(0, FLOOR - np.linalg.eigvalsh(gram)[0])
    factor = np.linalg.cholesky(gram + ridge * np.eye(len(gram)))
    return nnls(factor.T, np.linalg.solve(factor, target))[0], ridge


@settings(deadline=None, max_examples=40)
@given(seed=seeds, n=st.integers(3, 30), data=st.data(), definite=st.booleans())
def test_equals_least_squares_on_the_cholesky_factor(seed, n, data, definite):
    rng = np.random.default_rng(seed)
    kernel = gaussian(rng.normal(size=(n, 3))) if definite else indefinite(rng, n)
    neighbours = nearest(kernel, data.draw(st.integers(1, n - 1)))
    result = nnk_weights(kernel, neighbours)
    for i in np.flatnonzero(~result.duplicate):
        wanted, ridge = by_nnls(kernel, i, neighbours[i])
        np.testing.assert_allclose(result.weights[i], wanted, atol=2e-5)
        assert result.ridge[i] == pytest.approx(ridge, abs=1e-12)


def objective(gram, target, theta):
    return theta @ gram @ theta / 2 - target @ theta


@given(seed=seeds, n=st.integers(3, 70), sigma=st.floats(0.3, 3))
def test_where_the_kernel_is_definite_no_objective_is_above_that_of_nnls(seed, n, sigma):
    kernel = gaussian(np.random.default_rng(seed).normal(size=(n, 6)), sigma)
    neighbours = nearest(kernel, min(n - 1, 55))
    result = nnk_weights(kernel, neighbours)
    for i in np.flatnonzero(~result.duplicate & (result.ridge == 0)):
        problem = kernel[np.ix_(neighbours[i], neighbours[i])], kernel[i, neighbours[i]]
        wanted = objective(*problem, by_nnls(kernel, i, neighbours[i])[0])
        assert objective(*problem, result.weights[i]) == pytest.approx(wanted, abs=1e-10)


@given(
    seed=seeds,
    n=st.integers(4, 40),
    k=st.integers(1, 39),
    copies=st.integers(1, 3),
    kind=st.sampled_from([gaussian, indefinite]),
)
def test_the_optimality_conditions_hold(seed, n, k, copies, kind):
    rng = np.random.default_rng(seed)
    kernel = gaussian(rng.normal(size=(n, 2))) if kind is gaussian else indefinite(rng, n)
    copied = np.arange(n) // copies
    kernel, k = kernel[np.ix_(copied, copied)], min(k, n - 1)
    neighbours = nearest(kernel, k)
    result = nnk_weights(kernel, neighbours)
    assert (result.weights >= 0).all()
    assert ((result.weights > 0).sum(axis=1) <= k).all()
    assert result.violation.max() < 1e-9
    target = np.take_along_axis(kernel, neighbours, axis=1)
    np.testing.assert_array_equal(result.duplicate, (target > 1 - 1e-6).any(axis=1))
    for i, (s, theta) in enumerate(zip(neighbours, result.weights, strict=True)):
        gram = kernel[np.ix_(s, s)]
        ridge = max(0, FLOOR - np.linalg.eigvalsh(gram)[0])
        assert result.ridge[i] == pytest.approx(ridge, abs=1e-12)
        if result.duplicate[i]:
            assert theta.tolist() == np.where(target[i] > 1 - 1e-6, target[i], 0).tolist()
            continue
        gradient = (gram + ridge * np.eye(k)) @ theta - target[i]
        assert gradient.min() > -5e-5  # weights below 1e-6 were set to zero
        assert np.abs(gradient * theta).max() < 5e-5
        error = 1 - 2 * theta @ target[i] + theta @ gram @ theta
        assert result.error[i] == pytest.approx(error, abs=5e-5)


def held(kernel, neighbours):
    """Return a sparse kernel of the pairs that NNK reads, without the diagonal."""
    mask = np.zeros(kernel.shape, bool)
    for i, s in enumerate(neighbours):
        members = np.append(s, i)
        mask[np.ix_(members, members)] = True
    np.fill_diagonal(mask, False)
    rows, columns = np.nonzero(mask)
    return sparse.csr_array((kernel[rows, columns], (rows, columns)), shape=kernel.shape)


@settings(max_examples=20)
@given(seed=seeds, n=st.integers(3, 30), k=st.integers(1, 12), single=st.booleans())
def test_a_sparse_kernel_gives_what_a_dense_one_gives(seed, n, k, single):
    kernel = np.maximum(0, indefinite(np.random.default_rng(seed), n) - 0.3)  # some explicit zeros
    np.fill_diagonal(kernel, 1)
    kernel = kernel.astype(np.float32) if single else kernel
    neighbours = nearest(kernel, min(k, n - 1))
    dense, few = nnk_weights(kernel, neighbours), nnk_weights(held(kernel, neighbours), neighbours)
    for name in vars(dense):
        np.testing.assert_array_equal(getattr(few, name), getattr(dense, name))


def test_a_sparse_kernel_of_many_nodes_is_never_made_dense():
    n, steps = 20_000, np.arange(-6, 7)  # a ring, of which 6 nodes each way are near
    ring = (np.arange(n)[:, None] + steps) % n
    similar = np.tile(np.exp(-(steps**2) / 2), n).astype(np.float32)
    kernel = sparse.csr_array((similar, (np.repeat(np.arange(n), 13), ring.ravel())))
    tracemalloc.start()
    weights = nnk_weights(kernel, np.delete(ring[:, 3:-3], 3, axis=1)).weights
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**24  # of the 1.6e9 bytes of a dense matrix
    assert (weights[:, 2:4] > 0.5).all()
    assert not weights[:, [0, 1, 4, 5]].any()


@settings(deadline=None, max_examples=30)
@given(steps=st.lists(st.floats(0.05, 2), min_size=2, max_size=12), sigma=st.floats(0.3, 3))
def test_on_a_line_a_candidate_behind_another_has_weight_zero(steps, sigma):
    line = np.cumsum([0, *steps])[:, None]
    kernel = gaussian(line, sigma)
    result = nnk_weights(kernel, nearest(kernel, len(line) - 1))
    for i in np.flatnonzero(~result.duplicate):
        assert set(result.neighbours[i][result.weights[i] > 0]) <= {i - 1, i + 1}


def test_in_the_plane_only_the_surrounding_ring_is_kept():
    angles = np.arange(6) * np.pi / 3
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    kernel = gaussian(np.concatenate([[[0, 0]], ring, 2 * ring]))
    weights = nnk_weights(kernel, nearest(kernel, 12)).weights[0]
    np.testing.assert_allclose(weights[:6], weights[0])
    assert weights[0] > 0.1
    assert not weights[6:].any()


def test_one_candidate_by_hand():
    kernel = np.array([[1, 0.6], [0.6, 1]])
    result = nnk_weights(kernel, nearest(kernel, 1))
    np.testing.assert_allclose(result.weights, 0.6)
    np.testing.assert_allclose(result.error, 1 - 0.36)
    assert not result.ridge.any()


def test_duplicates_are_joined_to_each_other_only():
    points = np.array([[0, 0], [0, 0], [0, 0], [1, 0], [0, 1.5]])
    kernel = gaussian(points)
    result = nnk_weights(kernel, nearest(kernel, 4))
    assert result.duplicate.tolist() == [True, True, True, False, False]
    assert result.weights[0].tolist() == [1, 1, 0, 0]
    assert result.error[:3].tolist() == [0, 0, 0]
    # equal candidates make their kernel singular: lifted, and the weight is shared
    assert result.ridge[3] == pytest.approx(FLOOR, rel=1e-3)
    shares = result.weights[3][np.isin(result.neighbours[3], [0, 1, 2])]
    np.testing.assert_allclose(shares, shares[0], rtol=1e-6)
    assert 3 * shares[0] == pytest.approx(np.exp(-0.5), rel=0.01)


def test_nearest_equals_a_stable_sort(rng):
    kernel = np.round(indefinite(rng, 40), 1)  # many ties
    np.fill_diagonal(kernel, 1)
    kernel = np.minimum(kernel, kernel.T)
    for k in (1, 7, 39):
        for i, found in enumerate(nearest(kernel.astype(np.float32), k)):
            others = [j for j in np.argsort(-kernel[i], kind="stable") if j != i]
            assert found.tolist() == others[:k]


def test_a_node_is_not_its_own_neighbour_even_among_duplicates():
    found = nearest(np.ones((4, 4)), 3)
    assert found.tolist() == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]


def test_permuting_the_nodes_permutes_the_weights(rng):
    kernel, order = gaussian(rng.normal(size=(25, 3))), rng.permutation(25)
    dense = []
    for matrix in (kernel, kernel[np.ix_(order, order)]):
        result = nnk_weights(matrix, nearest(matrix, 10))
        dense.append(np.zeros((25, 25)))
        np.put_along_axis(dense[-1], result.neighbours, result.weights, axis=1)
    np.testing.assert_allclose(dense[1], dense[0][np.ix_(order, order)], atol=1e-9)


def test_many_candidates_of_a_nearly_singular_kernel(rng):
    kernel = gaussian(rng.normal(size=(150, 2)), sigma=2).astype(np.float32)
    result = nnk_weights(kernel, nearest(kernel, 100))
    assert result.violation.max() < 1e-8
    assert (result.ridge > 0).any()


def test_inputs_are_unchanged(rng):
    kernel = gaussian(rng.normal(size=(9, 2)))
    kernel.flags.writeable = False
    neighbours = nearest(kernel, 4)
    neighbours.flags.writeable = False
    nnk_weights(kernel, neighbours)


def with_entry(value, *at):
    kernel = np.eye(3)
    kernel[at] = value
    return kernel


ODD = with_entry(0.5, 0, 1)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nearest(np.eye(3), 3), UserError, r"must lie in 1\.\.2 for 3 nodes, got 3"),
        (lambda: nearest(np.eye(3), 0), UserError, r"must lie in 1\.\.2"),
        (lambda: nearest(np.ones((3, 2)), 1), UserError, r"must be square, got shape \(3, 2\)"),
        (lambda: nearest(with_entry(np.nan, 1, 2), 1), DataError, r"entry \(1, 2\) is NaN or infinite"),
        (lambda: nearest(with_entry(np.inf, [0, 1], [1, 0]), 1), DataError, r"entry \(0, 1\) is NaN or infinite"),
        (lambda: nearest(ODD, 1), UserError, r"not symmetric: 0.5 at \(0, 1\), 0 at \(1, 0\)"),
        (lambda: nnk_weights(ODD, [[1], [0], [0]]), UserError, "kernel is not symmetric"),
        (
            lambda: nnk_weights(with_entry(np.inf, 2, 1), [[1, 2], [0, 2], [0, 1]]),
            DataError,
            r"entry \(2, 1\) is NaN or infinite",
        ),
        (lambda: nnk_weights(np.zeros((2, 2)), [[1], [0]]), UserError, "1 on its diagonal, got 0 at"),
        (lambda: nearest(sparse.eye_array(3), 1), UserError, "does not hold all similarities"),
        (
            lambda: nnk_weights(sparse.csr_array(np.ones((3, 3)) - np.eye(3)[1]), [[2], [2], [0]]),
            UserError,
            r"sparse kernel does not hold the pair \(2, 1\); it must hold, both ways, each node",
        ),
        (
            lambda: nnk_weights(sparse.csr_array(with_entry(np.nan, 0, 2)), [[2], [0], [0]]),
            DataError,
            r"entry \(0, 2\) is NaN or infinite",
        ),
        (
            lambda: nnk_weights(sparse.csr_array(([0.5, 0.5], [1, 1], [0, 2, 2]), shape=(2, 2)), [[1], [0]]),
            UserError,
            r"unsorted or repeated entries; sum_duplicates\(\) first",
        ),
        (lambda: nearest(np.zeros((3, 3)), 1), UserError, r"1 on its diagonal, got 0 at \(0, 0\); is it a dist"),
        (lambda: nnk_weights(np.eye(3), [[1], [2]]), UserError, r"must be \(n, k\) with n = 3.*\(2, 1\)"),
        (lambda: nnk_weights(np.eye(3), [[1], [2], [3]]), UserError, r"neighbours must lie in 0\.\.2"),
        (lambda: nnk_weights(np.eye(3), [[1], [1], [0]]), UserError, "candidates of node 1 hold itself"),
        (lambda: nnk_weights(np.eye(3), [[1, 1], [0, 2], [0, 1]]), UserError, "node 0 hold itself, or"),
        (
            lambda: nnk_weights(
                gaussian(np.arange(9)[:, None] ** 0.7, 3),
                nearest(gaussian(np.arange(9)[:, None] ** 0.7, 3), 8),
                tol=-1.0,
            ),
            UserError,
            "conditions violated by",
        ),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_graph_of_one_node_is_refused():
    with pytest.raises(UserError, match="a graph of neighbours needs at least two nodes, got 1"):
        nearest(np.ones((1, 1)), 0)
