"""Windows: floor boundaries, valid lengths of deep layers, and weights, by hand and by law."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_lib.errors import UserError
from analysis_lib.warping.windows import layer_lengths, window_bounds, window_frames, window_weights


@pytest.mark.parametrize(
    ("n_frames", "n_windows", "bounds"),
    [
        (300, 3, [0, 100, 200, 300]),
        (75, 5, [0, 15, 30, 45, 60, 75]),
        (26, 4, [0, 6, 13, 19, 26]),
        (13, 4, [0, 3, 6, 9, 13]),
        (4, 4, [0, 1, 2, 3, 4]),
        (1, 1, [0, 1]),
    ],
)
def test_bounds_by_hand(n_frames, n_windows, bounds):
    assert window_bounds(n_frames, n_windows).tolist() == bounds


@given(n_frames=st.integers(1, 400), data=st.data())
def test_windows_cover_the_clip_and_none_is_empty(n_frames, data):
    bounds = window_bounds(n_frames, data.draw(st.integers(1, n_frames)))
    assert bounds[0] == 0
    assert bounds[-1] == n_frames
    assert (np.diff(bounds) >= 1).all()
    assert np.ptp(np.diff(bounds)) <= 1


@given(n_frames=st.integers(1, 300), n_layer=st.integers(1, 300), data=st.data())
def test_layer_lengths_are_rounded_up(n_frames, n_layer, data):
    length = data.draw(st.integers(0, n_frames))
    (found,) = layer_lengths(np.array([length]), n_frames, n_layer)
    assert found == math.ceil(length * n_layer / n_frames - 1e-9)
    assert (found == 0) == (length == 0)
    assert found <= n_layer


def test_layer_lengths_do_not_suffer_from_floating_point():
    # 49 * (1 / 49) is below one in floating point for some factors; whole numbers are exact
    lengths = np.arange(301)
    assert layer_lengths(lengths, 300, 75).tolist() == [(n + 3) // 4 for n in lengths]


def test_weights_by_hand():
    bounds = window_bounds(8, 4)  # windows start at 0, 2, 4, 6
    counts = np.array([4, 3, 1, 1])  # a clip of 2 frames does not reach the window at 2
    lengths = np.array([2, 3, 4, 8])
    np.testing.assert_allclose(window_weights(lengths, bounds), counts / 9)


def test_weights_are_uniform_for_clips_of_one_length():
    assert window_weights(np.full(5, 52), window_bounds(52, 4)).tolist() == [0.25] * 4


@given(lengths=st.lists(st.integers(0, 30), min_size=1), n_windows=st.integers(1, 30))
def test_weights_decrease_and_sum_to_one(lengths, n_windows):
    bounds = window_bounds(30, n_windows)
    if max(lengths) == 0:
        with pytest.raises(UserError, match="no clip has a valid frame: all lengths are 0"):
            window_weights(np.array(lengths), bounds)
        return
    alpha = window_weights(np.array(lengths), bounds)
    assert alpha.sum() == pytest.approx(1)
    assert (np.diff(alpha) <= 0).all()


@given(lengths=st.lists(st.integers(0, 30), min_size=1), n_windows=st.integers(1, 30), relative=st.booleans())
def test_the_valid_frames_of_all_windows_are_those_of_the_clip(lengths, n_windows, relative):
    start, stop = window_frames(np.array(lengths), 30, n_windows, relative)
    assert start.shape == stop.shape == (len(lengths), n_windows)
    for length, a, b in zip(lengths, start, stop, strict=True):
        frames = [t for i, j in zip(a, b, strict=True) for t in range(i, j)]
        assert frames == list(range(length))


def test_fixed_windows_do_not_depend_on_the_clip():
    start, stop = window_frames(np.array([5, 8]), 8, 2)
    assert start.tolist() == [[0, 4], [0, 4]]
    assert stop.tolist() == [[4, 5], [4, 8]]


def test_relative_windows_divide_each_clip_by_its_own_length():
    start, stop = window_frames(np.array([5, 8, 1]), 8, 2, relative=True)
    assert start.tolist() == [[0, 2], [0, 4], [0, 0]]
    assert stop.tolist() == [[2, 5], [4, 8], [0, 1]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: window_bounds(3, 4), r"n_windows must lie in 1\.\.3, the number of frames, got 4; deep"),
        (lambda: window_bounds(3, 0), r"n_windows must lie in 1\.\.3"),
        (lambda: layer_lengths(np.array([1, 9]), 8, 4), r"in 0\.\.8, but clip 1 has 9; are they"),
        (lambda: layer_lengths(np.array([-1]), 8, 4), r"clip 0 has -1"),
        (lambda: layer_lengths(np.array([1.5]), 8, 4), "whole numbers, one a clip, got float64"),
        (lambda: layer_lengths(np.array([], int), 8, 4), r"whole numbers.*of shape \(0,\)"),
        (lambda: layer_lengths(np.array([1]), 8, 0), "at least one frame, got 8 and 0"),
        (lambda: window_weights(np.array([9]), window_bounds(8, 2)), "clip 0 has 9"),
    ],
)
def test_errors(call, message):
    with pytest.raises(UserError, match=message):
        call()
