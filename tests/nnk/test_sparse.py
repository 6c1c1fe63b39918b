"""A sparse kernel that holds what NNK reads gives what the whole kernel gives."""

import numpy as np
import pytest
from scipy import sparse

from analysis_lib.errors import DataError, UserError
from analysis_lib.nnk.weights import nearest, nnk_weights


@pytest.fixture
def kernel(rng):
    """Similarities of points, with duplicates, and not everywhere definite."""
    x = rng.normal(size=(60, 3))
    x[[7, 30]] = x[3]
    found = np.exp(-np.square(x[:, None] - x).sum(axis=2) / 2)
    noise = np.triu(rng.uniform(-0.05, 0.05, found.shape), 1) * (found < 0.99)
    return np.clip(found + noise + noise.T, 0, 1)


def held(kernel, neighbours):
    """Return the entries among each node and its candidates, and no other."""
    sets = np.concatenate([np.arange(len(kernel))[:, None], neighbours], axis=1)
    rows = np.repeat(sets[:, :, None], sets.shape[1], axis=2).ravel()
    columns = np.repeat(sets[:, None, :], sets.shape[1], axis=1).ravel()
    mask = np.zeros(kernel.shape, bool)
    mask[rows, columns] = True
    rows, columns = np.nonzero(mask)
    return sparse.csr_array((kernel[rows, columns], (rows, columns)), shape=kernel.shape)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [1, 6, 15])
def test_the_same_weights_as_of_the_whole_kernel(kernel, dtype, k):
    kernel = kernel.astype(dtype)
    neighbours = nearest(kernel, k)
    given = held(kernel, neighbours)
    assert given.nnz < kernel.size
    one, other = nnk_weights(kernel, neighbours), nnk_weights(given, neighbours)
    for name in ("weights", "error", "ridge", "duplicate"):
        np.testing.assert_array_equal(getattr(other, name), getattr(one, name), err_msg=name)
    assert one.duplicate.any()


def test_the_ridge_is_that_of_the_spectrum(kernel):
    neighbours = nearest(kernel, 12)
    found = nnk_weights(kernel, neighbours)
    for i, row in enumerate(neighbours):
        least = np.linalg.eigvalsh(kernel[np.ix_(row, row)])[0]
        expected = max(0.0, 1e-6 - least)
        if not found.duplicate[i]:
            assert found.ridge[i] == pytest.approx(expected, abs=1e-12)
    assert 0 < np.count_nonzero(found.ridge) < len(kernel)


def test_a_missing_pair_is_named(kernel):
    neighbours = nearest(kernel, 6)
    given = held(kernel, neighbours).tolil()
    a, b = 20, int(neighbours[20, 2])
    given[a, b] = given[b, a] = 0
    given = sparse.csr_array(given)
    given.eliminate_zeros()
    with pytest.raises(UserError, match=r"does not hold the pair \(\d+, \d+\)"):
        nnk_weights(given, neighbours)


def test_an_explicit_zero_is_a_similarity(kernel):
    neighbours = nearest(kernel, 6)
    given = held(kernel, neighbours)
    a, b = 20, int(neighbours[20, 5])
    given[a, b] = given[b, a] = 0.0  # stored, as the pair is
    dense = kernel.copy()
    dense[a, b] = dense[b, a] = 0.0
    found = nnk_weights(given, neighbours)
    np.testing.assert_array_equal(found.weights, nnk_weights(dense, neighbours).weights)


def test_unsound_entries_are_named(kernel):
    neighbours = nearest(kernel, 6)
    given = held(kernel, neighbours)
    given.data[given.indptr[4]] = np.nan
    with pytest.raises(DataError, match="NaN or infinite"):
        nnk_weights(given, neighbours)
