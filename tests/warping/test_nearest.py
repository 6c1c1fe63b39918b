"""Nearest clips and lists of pairs, against the whole matrix."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis_lib.errors import UserError
from analysis_lib.warping import nearest as dtw_nearest
from analysis_lib.warping.bounds import lower_bounds
from analysis_lib.warping.distances import windowed_dtw
from analysis_lib.warping.kernels import LANES
from analysis_lib.warping.nearest import windowed_dtw_knn, windowed_dtw_pairs
from analysis_lib.warping.options import Warping, prepared
from analysis_lib.warping.tiles import Crew, Panel, Tile, match


def clustered(seed, n, n_frames=9, n_features=80, n_clusters=8):
    """Clips around a few centres, of different lengths."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(n_clusters, n_frames, n_features))
    x = centres[rng.integers(0, n_clusters, n)] + 0.4 * rng.normal(size=(n, n_frames, n_features))
    return x.astype(np.float32), rng.integers(n_frames // 2 + 1, n_frames + 1, n)


OPTIONS = [
    {},
    {"normalise": "none"},
    {"normalise": "sum", "band": 1},
    {"relative": True, "band": 2},
    {"metric": "sqeuclidean", "relative": True},
    {"dtype": "float64"},
    {"metric": "sqeuclidean", "normalise": "none", "relative": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("n", [5, 71])
def test_the_nearest_are_those_of_the_whole_matrix(options, n):
    x, lengths = clustered(0, n)
    distances = windowed_dtw(x, lengths, Warping(2, **options))
    np.fill_diagonal(distances, np.inf)
    found = windowed_dtw_knn(x, 4, lengths, Warping(2, **options))
    expected = np.sort(distances, axis=1)[:, :4]
    np.testing.assert_allclose(found.distances, expected, rtol=1e-5, atol=1e-5)
    shown = np.take_along_axis(distances, found.indices, axis=1)
    np.testing.assert_allclose(shown, expected, rtol=1e-5, atol=1e-5)
    assert all(len(set(row)) == 4 for row in found.indices)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**20), k=st.integers(1, 12), n=st.integers(13, 60))
def test_exact_for_any_clips(seed, k, n):
    x, lengths = clustered(seed, n, n_clusters=3)
    distances = windowed_dtw(x, lengths, Warping(3))
    np.fill_diagonal(distances, np.inf)
    found = windowed_dtw_knn(x, k, lengths, Warping(3), n_jobs=1)
    np.testing.assert_allclose(found.distances, np.sort(distances, axis=1)[:, :k], atol=1e-5)


@settings(deadline=None, max_examples=20)
@given(
    seed=st.integers(0, 2**20),
    n=st.integers(9, 150),
    options=st.sampled_from(OPTIONS),
    n_jobs=st.integers(1, 4),
    mebibytes=st.sampled_from([8, 1024]),
)
def test_neither_threads_nor_memory_show_in_a_distance(seed, n, options, n_jobs, mebibytes):
    x, lengths = clustered(seed, n, n_clusters=5)
    x[np.random.default_rng(seed).random(x.shape[:2]) < 0.1] = 0
    resources = {"n_jobs": n_jobs, "max_memory": mebibytes * 2**20}
    distances = windowed_dtw(x, lengths, Warping(2, **options))
    found = windowed_dtw_knn(x, 5, lengths, Warping(2, **options), **resources)
    shown = np.take_along_axis(distances, found.indices, axis=1)
    np.testing.assert_allclose(found.distances, shown, rtol=1e-5, atol=1e-5)
    pairs = np.random.default_rng(seed).integers(0, n, (300, 2))
    listed = windowed_dtw_pairs(x, pairs, lengths, Warping(2, **options), **resources)
    np.testing.assert_allclose(listed, distances[tuple(pairs.T)], rtol=1e-5, atol=1e-5)
    np.fill_diagonal(distances, np.inf)
    nearest = np.sort(distances, axis=1)[:, :5]
    np.testing.assert_allclose(found.distances, nearest, rtol=1e-5, atol=1e-5)


def test_far_clusters_are_not_compared():
    x, _ = clustered(1, 400, n_clusters=12)
    found = windowed_dtw_knn(x, 3)
    assert found.n_pairs == 400 * 399 // 2
    assert found.n_computed < 0.4 * found.n_pairs


def test_duplicates_come_first_and_by_index():
    x, _ = clustered(2, 30)
    x[[4, 9, 21]] = x[0]
    found = windowed_dtw_knn(x, 3, how=Warping(dtype="float64"))
    assert found.indices[[0, 4, 9, 21]].tolist() == [[4, 9, 21], [0, 9, 21], [0, 4, 21], [0, 4, 9]]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_bound_never_exceeds_the_distance(options):
    x, lengths = clustered(3, 61)
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


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_pairs_are_entries_of_the_whole_matrix(rng, options):
    x, lengths = clustered(4, 83)
    distances = windowed_dtw(x, lengths, Warping(2, **options))
    pairs = rng.integers(0, 83, (200, 2))
    pairs[0] = 7, 7
    found = windowed_dtw_pairs(x, pairs, lengths, Warping(2, **options))
    np.testing.assert_allclose(found, distances[pairs[:, 0], pairs[:, 1]], rtol=1e-5, atol=1e-5)
    assert found[0] == 0


def test_pairs_may_be_few_or_none():
    x, _ = clustered(5, 20)
    assert len(windowed_dtw_pairs(x, np.empty((0, 2), int))) == 0
    found = windowed_dtw_pairs(x, np.array([[3, 17], [17, 3]]))
    assert found[0] == found[1] > 0


def test_memory_does_not_grow_with_the_square(monkeypatch):
    x, _ = clustered(6, 1600, n_frames=4, n_features=64)
    windowed_dtw_knn(x[:100], 3)  # compiled
    tracemalloc.start()
    windowed_dtw_knn(x, 3, max_memory=2**23)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1600**2 * 4 + 2**23


@pytest.mark.parametrize("k", [0, 20])
def test_k_must_fit(k):
    with pytest.raises(UserError, match=rf"must lie in 1\.\.19 for 20 clips, got {k}"):
        windowed_dtw_knn(clustered(7, 20)[0], k)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (np.array([[0, 20]]), r"in 0\.\.19, got 0\.\.20"),
        (np.array([0, 1]), "whole numbers"),
        (np.array([[0.0, 1.0]]), "whole numbers"),
    ],
)
def test_pairs_must_exist(pairs, message):
    with pytest.raises(UserError, match=message):
        windowed_dtw_pairs(clustered(7, 20)[0], pairs)


def test_a_missing_refinement_would_be_noticed(monkeypatch):
    """Without the rounds after the first blocks, some neighbours are missed."""
    x, _ = clustered(8, 300, n_clusters=4)
    exact = windowed_dtw_knn(x, 6)
    monkeypatch.setattr(dtw_nearest, "_promising", lambda bounds, farthest, done: np.zeros_like(done))
    assert (windowed_dtw_knn(x, 6).distances[:, -1] > exact.distances[:, -1] + 1e-4).any()
