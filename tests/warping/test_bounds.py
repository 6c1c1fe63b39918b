"""Lower bounds of distances: frames in few dimensions, the least mean along a path, the order of clips."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis_lib.warping.bounds import frame_subspace, lower_bounds, projected, similar_together
from analysis_lib.warping.distances import windowed_dtw
from analysis_lib.warping.kernels import LANES
from analysis_lib.warping.options import Warping, prepared
from analysis_lib.warping.tiles import Crew, Panel, Tile, match


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**20), n_dims=st.integers(1, 11), centred=st.booleans())
def test_projected_frames_are_never_farther_apart(seed, n_dims, centred):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(5, 4, 12)) * rng.choice([0, 1], size=(5, 4, 1))  # some frames are zero
    origin = rng.normal(size=12) if centred else None
    y = projected(x, np.full(5, 4), n_dims, origin).reshape(20, -1).astype(float)
    frames = x.reshape(20, 12)
    if not centred:
        frames = frames / np.maximum(np.linalg.norm(frames, axis=1, keepdims=True), 1e-300)
    true = np.linalg.norm(frames[:, None] - frames, axis=2)
    assert (np.linalg.norm(y[:, None] - y, axis=2) <= true + 2e-3).all()
    assert (np.square(y[:, None] - y).sum(axis=2) <= np.square(true) + 1e-5).all()


def test_nothing_is_lost_where_frames_lie_in_the_subspace(rng):
    x = rng.normal(size=(6, 5, 3)) @ rng.normal(size=(3, 20))
    y = projected(x, np.full(6, 5), 3, np.zeros(20))
    np.testing.assert_allclose(y[..., 3], 0, atol=2e-2)
    flat, full = y.reshape(30, 4), x.reshape(30, 20)
    np.testing.assert_allclose(
        np.linalg.norm(flat[:, None] - flat, axis=2), np.linalg.norm(full[:, None] - full, axis=2), atol=2e-2
    )


def test_padding_is_not_read(rng):
    x = rng.random((3, 6, 8))
    lengths = np.array([2, 6, 4])
    other = x.copy()
    other[0, 2:], other[2, 4:] = np.nan, np.inf
    np.testing.assert_array_equal(projected(other, lengths, 4), projected(x, lengths, 4))
    assert not projected(x, lengths, 4)[0, 2:].any()


def test_the_basis_is_that_of_the_singular_vectors(rng):
    frames = rng.normal(size=(30, 4)) @ rng.normal(size=(4, 50))
    found = frame_subspace(frames, 4)
    expected = np.linalg.svd(frames, full_matrices=False)[2][:4]
    np.testing.assert_allclose(found.T @ found, np.eye(4), atol=1e-10)
    np.testing.assert_allclose(found @ found.T, expected.T @ expected, atol=1e-8)


@pytest.mark.parametrize("n", [1, 8, 61])
def test_the_order_holds_every_point_once_and_keeps_clusters_together(rng, n):
    labels = rng.integers(0, 3, n)
    points = 50.0 * np.eye(3)[labels] + rng.normal(size=(n, 3))
    order = similar_together(points, 8)
    assert sorted(order) == list(range(n))
    changes = np.count_nonzero(np.diff(labels[order]))
    assert changes <= max(0, np.count_nonzero(np.diff(labels)) if n < 9 else 6)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"normalise": "none"},
        {"normalise": "sum", "band": 1},
        {"relative": True, "band": 2},
        {"metric": "sqeuclidean", "relative": True},
        {"dtype": "float64"},
    ],
    ids=str,
)
def test_a_bound_never_exceeds_the_distance(rng, options):
    centres = rng.normal(size=(8, 9, 80))
    x = (centres[rng.integers(0, 8, 61)] + 0.4 * rng.normal(size=(61, 9, 80))).astype(np.float32)
    lengths = rng.integers(5, 10, 61)
    (clips,), rule = prepared(Warping(2, **options), clips=(x, lengths))
    with Crew(2) as crew:
        clips, bounds = lower_bounds(clips, rule, 2**30, crew)
    distances = windowed_dtw(x, lengths, Warping(2, **options))[np.ix_(clips.order, clips.order)]
    for b in range(bounds.shape[1]):
        least = distances[:, b * LANES : (b + 1) * LANES].min(axis=1)
        assert (bounds[:61, b] <= least).all()
    assert bounds[:61].mean() > 0.3 * distances.mean()


@pytest.mark.parametrize(("rounds", "expected"), [(0, 0.12), (1, 0.06), (2, 0.08), (3, 0.08)])
def test_the_least_mean_along_a_path_by_hand(rounds, expected):
    """Local distances 0.2, 0.4 / 0, 0.04: the diagonal costs 0.24, and so does the path through 0.

    The distance is the mean along the shorter one, 0.12. One round finds the other path and the
    bound 0.12 + (0.24 - 3 x 0.12) / 2, the next its mean, which no path is below.
    """
    x = np.array([[[1.0, 0.0], [0.8, 0.6]], [[0.8, 0.6], [0.6, 0.8]]])
    (clips,), rule = prepared(Warping(1), clips=(x, None))
    out = np.zeros((2, 2), np.float32)
    with Crew(1) as crew:
        panel = Panel.packed(clips, rule, range(1), crew)
        match(panel, panel, rule, [Tile(0, 1, 0, 1)], True, out, crew, rounds=rounds)
    assert out[0, 1] == pytest.approx(expected, abs=1e-5)
