"""The smallest eigenvalue that the ridge of NNK rests on, against other routes."""

import numpy as np
import pytest

from analysis_lib.nnk.solver import is_above, smallest_eigenvalue, tridiagonalise


def padded(matrix):
    """Return a copy whose rows end in whole vectors."""
    found = np.zeros((len(matrix) + 1, len(matrix) // 8 * 8 + 8))
    found[:-1, : len(matrix)] = matrix
    return found


def smallest(matrix):
    k, space = len(matrix), padded(matrix)
    diagonal, squares = np.empty(k), np.empty(k)
    tridiagonalise(space, k, np.zeros((4, space.shape[1])), diagonal, squares)
    return smallest_eigenvalue(diagonal, squares, k)


def with_spectrum(rng, values):
    basis = np.linalg.qr(rng.normal(size=(len(values), len(values))))[0]
    return (basis * values) @ basis.T


@pytest.mark.parametrize("least", [1e-7, 0.0, -1e-7, -1e-3, -0.3, -40.0])
@pytest.mark.parametrize("above", [[0, 0], [1e-9, 0.5], [0.1, 0.2], [1e-5, 1e-5]])
def test_a_known_spectrum(rng, least, above):
    values = np.concatenate([[least], least + np.array(above), np.linspace(0.5, 15, 17)])
    matrix = with_spectrum(rng, values)
    assert smallest(matrix) == pytest.approx(least, abs=1e-12)
    assert is_above(padded(matrix), 20, least - 1e-9, padded(matrix), np.empty(20))
    assert not is_above(padded(matrix), 20, least + 1e-9, padded(matrix), np.empty(20))


@pytest.mark.parametrize("k", [2, 7, 8, 9, 50, 120])
def test_far_below_zero(k):
    matrix = np.eye(k) - 0.9 * (1 - np.eye(k))
    assert smallest(matrix) == pytest.approx(1 - 0.9 * (k - 1), rel=1e-13)


def test_all_pairs_alike():
    assert smallest(np.ones((20, 20))) == pytest.approx(0, abs=1e-13)
    assert smallest(np.eye(20)) == pytest.approx(1, rel=1e-14)
    assert smallest(np.eye(1)) == 1
