"""NNK: against scipy's non-negative least squares, the optimality conditions, and geometry."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from analysis_lib.errors import DataError, UserError
from analysis_lib.nnk import FLOOR, nearest, nnk_weights

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


@settings(deadline=None, max_examples=40)
@given(seed=seeds, n=st.integers(3, 40), k=st.integers(1, 39), definite=st.booleans())
def test_the_optimality_conditions_hold(seed, n, k, definite):
    rng = np.random.default_rng(seed)
    kernel = gaussian(rng.normal(size=(n, 2))) if definite else indefinite(rng, n)
    neighbours = nearest(kernel, min(k, n - 1))
    result = nnk_weights(kernel, neighbours)
    assert (result.weights >= 0).all()
    assert (result.n_neighbours <= min(k, n - 1)).all()
    for i in np.flatnonzero(~result.duplicate):
        s, theta = neighbours[i], result.weights[i]
        gram = kernel[np.ix_(s, s)] + result.ridge[i] * np.eye(len(s))
        gradient = gram @ theta - kernel[i, s]
        assert gradient.min() > -5e-5  # weights below 1e-6 were set to zero
        assert np.abs(gradient * theta).max() < 5e-5
        error = 1 - 2 * theta @ kernel[i, s] + theta @ kernel[np.ix_(s, s)] @ theta
        assert result.error[i] == pytest.approx(error, abs=5e-5)


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
        (
            lambda: nearest(with_entry(np.nan, 1, 2), 1),
            DataError,
            r"entry \(1, 2\) is NaN or infinite",
        ),
        (lambda: nearest(ODD, 1), UserError, "kernel is not symmetric"),
        (
            lambda: nearest(np.zeros((3, 3)), 1),
            UserError,
            "1 on its diagonal, got 0 to 0; is it a dist",
        ),
        (
            lambda: nnk_weights(np.eye(3), [[1], [2]]),
            UserError,
            r"must be \(n, k\) with n = 3.*\(2, 1\)",
        ),
        (
            lambda: nnk_weights(np.eye(3), [[1], [2], [3]]),
            UserError,
            r"neighbours must lie in 0\.\.2",
        ),
        (
            lambda: nnk_weights(np.eye(3), [[1], [1], [0]]),
            UserError,
            "candidates of node 1 hold itself",
        ),
        (
            lambda: nnk_weights(np.eye(3), [[1, 1], [0, 2], [0, 1]]),
            UserError,
            "node 0 hold itself, or",
        ),
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
