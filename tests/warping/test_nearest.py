"""Nearest clips, and these among themselves, against the whole matrix."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis_lib.errors import UserError
from analysis_lib.warping import nearest as dtw_nearest
from analysis_lib.warping.distances import windowed_dtw
from analysis_lib.warping.nearest import windowed_dtw_among, windowed_dtw_knn
from analysis_lib.warping.options import Warping


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


def check_among(x, candidates, lengths, distances, how, **resources):
    """Assert that those pairs are held that NNK reads, no others, and as in the whole matrix."""
    found = windowed_dtw_among(x, candidates, lengths, how, **resources)
    wanted = np.zeros(distances.shape, bool)
    for i, s in enumerate(candidates):
        wanted[np.ix_([i, *s], [i, *s])] = True
    np.fill_diagonal(wanted, False)
    assert found.has_canonical_format
    assert (found != found.T).nnz == 0
    rows = np.repeat(np.arange(len(x)), np.diff(found.indptr))
    np.testing.assert_array_equal(np.stack([rows, found.indices]), np.nonzero(wanted))
    np.testing.assert_allclose(found.data, distances[wanted], rtol=1e-5, atol=1e-5)


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
    check_among(x, found.indices, lengths, distances, Warping(2, **options), **resources)
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
@pytest.mark.parametrize("k", [1, 7])
def test_clips_and_their_candidates_are_entries_of_the_whole_matrix(rng, options, k):
    x, lengths = clustered(4, 83)
    x[[7, 30]] = x[11]  # at distance 0, which is stored all the same
    lengths[[7, 30]] = lengths[11]
    how = Warping(2, **options)
    anyone = np.stack([rng.permutation(np.delete(np.arange(83), i))[:k] for i in range(83)])
    anyone[7, 0] = 30
    check_among(x, anyone, lengths, windowed_dtw(x, lengths, how), how)


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


def test_a_missing_refinement_would_be_noticed(monkeypatch):
    """Without the rounds after the first blocks, some neighbours are missed."""
    x, _ = clustered(8, 300, n_clusters=4)
    exact = windowed_dtw_knn(x, 6)
    monkeypatch.setattr(dtw_nearest, "_promising", lambda bounds, farthest, done: np.zeros_like(done))
    assert (windowed_dtw_knn(x, 6).distances[:, -1] > exact.distances[:, -1] + 1e-4).any()
