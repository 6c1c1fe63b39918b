"""From recordings to windows: rate, median, unit, cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import medfilt

from analysis_lib.datasets.preparation.recordings import in_trunks, median_filtered, resampled, windows
from analysis_lib.errors import UserError


@pytest.mark.parametrize(("rate", "wanted", "frames"), [(25, 30, 11), (50, 30, 6), (30, 30, 10), (30, 15, 5)])
def test_a_straight_way_stays_straight_at_any_rate(rate, wanted, frames):
    x = np.stack([np.arange(10) / rate, 3 - np.arange(10) / rate], axis=1)
    found = resampled(x, rate, wanted)
    assert len(found) == frames
    np.testing.assert_allclose(found[:, 0], np.arange(len(found)) / wanted, atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=1), 3)


def test_gaps_stay_gaps():
    found = resampled(np.array([0.0, 1.0, np.nan, 3.0, 4.0]), 2, 4)
    np.testing.assert_array_equal(np.isnan(found), [0, 0, 0, 1, 1, 1, 0, 0, 0])


def test_the_median_of_each_joint_by_itself(rng):
    x = rng.normal(size=(20, 3, 2))
    np.testing.assert_array_equal(median_filtered(x)[2:-2, 1, 0], medfilt(x[:, 1, 0], 5)[2:-2])


def test_units_of_the_body(rng):
    x = rng.normal(size=(30, 4, 2))
    found = in_trunks(x, 0, 2)
    np.testing.assert_allclose(np.median(np.linalg.norm(found[:, 0] - found[:, 2], axis=1)), 0.5)
    np.testing.assert_allclose(np.median(found[:, 2], axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(in_trunks(7 * x + [400, 3], 0, 2), found, atol=1e-12)


@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 9))
def test_windows_cover_a_recording(n, length, step):
    found = windows(np.arange(n), length, step)
    assert {len(w) for w in found} == {min(n, length)}
    assert found[-1][-1] == n - 1
    if step <= length:
        assert set(np.concatenate(found)) == set(range(n))
    assert [w[0] for w in found[:-1]] == list(range(0, max(0, n - length), step))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: resampled(np.zeros(3), 0, 30), "rates above 0, got 3 frames at 0 Hz to become 30 Hz"),
        (lambda: in_trunks(np.zeros((3, 2, 2)), 0, 1), r"the trunk \(joints 1 to 0\) has the length 0.0"),
        (lambda: windows(np.zeros(3), 0, 1), "a frame at least, got 0 and 1"),
    ],
)
def test_recordings_that_cannot_be_brought_into_form(call, words):
    with pytest.raises(UserError, match=words):
        call()
