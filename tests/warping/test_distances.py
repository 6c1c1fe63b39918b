"""Windowed DTW: against a naive triple loop, tslearn, values by hand, and its laws."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tslearn.metrics import dtw as tslearn_dtw
from tslearn.metrics import dtw_path_from_metric

from analysis_lib.errors import DataError, UserError
from analysis_lib.warping.distances import windowed_dtw, windowed_dtw_between
from analysis_lib.warping.options import Warping
from analysis_lib.warping.windows import window_bounds, window_weights

seeds = st.integers(0, 10_000)


def frame_distance(a, b):
    if not a.any() or not b.any():
        return float(a.any() != b.any())
    return min(max(1 - a @ b / np.sqrt((a @ a) * (b @ b)), 0), 1)


def naive(x, y, band=None):
    """Return (cost, length) of the best path, by tuples compared lexicographically."""
    if not len(x) or not len(y):
        return float(len(x) + len(y)), len(x) + len(y)
    radius = np.inf if band is None else max(band, abs(len(x) - len(y)))
    table = {(-1, -1): (0.0, 0)}
    for i, j in product(range(len(x)), range(len(y))):
        if abs(i - j) <= radius:
            before = [table[p] for p in ((i - 1, j - 1), (i - 1, j), (i, j - 1)) if p in table]
            cost, length = min(before)
            table[i, j] = (cost + round(frame_distance(x[i], y[j]), 9), length + 1)
    return table[len(x) - 1, len(y) - 1]


def naive_windowed(x, y, n_x, n_y, alpha, normalise, relative=False, band=None):
    total = used = 0.0
    for w, a in enumerate(alpha):
        m = len(alpha)
        cut_x, cut_y = (
            (window_bounds(len(x), m), window_bounds(len(y), m))
            if not relative
            else ([v * n // m for v in range(m + 1)] for n in (n_x, n_y))
        )
        p, q = x[:n_x][cut_x[w] : cut_x[w + 1]], y[:n_y][cut_y[w] : cut_y[w + 1]]
        if not len(p) and not len(q):
            continue
        cost, length = naive(p, q, band)
        total += a * cost / {"none": 1, "path": length, "sum": len(p) + len(q)}[normalise]
        used += a
    return total / used


def clips(seed, n=4, frames=7, features=3, kind="generic"):
    rng = np.random.default_rng(seed)
    if kind == "ties":  # one-hot frames and zero frames: all distances are 0 or 1 exactly
        x = np.eye(features + 1, features)[rng.integers(0, features + 1, (n, frames))]
    else:
        x = rng.normal(size=(n, frames, features))
    return x.astype(np.float32), rng.integers(1, frames + 1, n)


@settings(deadline=None, max_examples=60)
@given(
    seed=seeds,
    m=st.integers(1, 5),
    kind=st.sampled_from(["generic", "ties"]),
    normalise=st.sampled_from(["path", "none", "sum"]),
    relative=st.booleans(),
    band=st.sampled_from([None, 0, 1, 3]),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_equals_the_triple_loop(seed, m, kind, normalise, relative, band, dtype):
    x, lengths = clips(seed, kind=kind)
    how = Warping(m, band=band, normalise=normalise, relative=relative, dtype=dtype)
    found = windowed_dtw(x, lengths, how)
    alpha = np.full(m, 1 / m) if relative else window_weights(lengths, window_bounds(7, m))
    for i, j in product(range(4), repeat=2):
        wanted = naive_windowed(
            x[i].astype(float), x[j].astype(float), lengths[i], lengths[j], alpha, normalise, relative, band
        )
        assert found[i, j] == pytest.approx(0 if i == j else wanted, abs=5e-6)


@settings(deadline=None, max_examples=20)
@given(seed=seeds, n=st.integers(9, 60), band=st.sampled_from([None, 1]), dtype=st.sampled_from(["float32", "float64"]))
def test_blocks_of_ragged_clips_equal_the_triple_loop(seed, n, band, dtype):
    """Lanes of a block that end early, or hold no clip, do not leak into the others."""
    x, lengths = clips(seed, n)
    x[np.random.default_rng(seed).random(x.shape[:2]) < 0.1] = 0
    found = windowed_dtw(x, lengths, Warping(2, band=band, dtype=dtype), n_jobs=3)
    alpha = window_weights(lengths, window_bounds(7, 2))
    for i, j in np.random.default_rng(seed).integers(0, n, (30, 2)):
        wanted = naive_windowed(
            x[i].astype(float), x[j].astype(float), lengths[i], lengths[j], alpha, "path", band=band
        )
        assert found[i, j] == pytest.approx(0 if i == j else wanted, abs=5e-6)


@pytest.mark.parametrize("band", [None, 2])
def test_raw_costs_equal_tslearn(rng, band):
    x = rng.random((5, 9, 4))
    options = {} if band is None else {"global_constraint": "sakoe_chiba", "sakoe_chiba_radius": band}
    found = windowed_dtw(x, how=Warping(1, normalise="none", band=band, dtype="float64"))
    for i, j in product(range(5), repeat=2):
        _, cost = dtw_path_from_metric(x[i], x[j], metric="cosine", **options)
        assert found[i, j] == pytest.approx(cost, abs=1e-9)


def test_squared_euclidean_costs_are_tslearns_squared(rng):
    x, lengths = 3 + rng.normal(size=(5, 9, 4)), np.array([9, 5, 7, 9, 8])
    found = windowed_dtw(x, lengths, Warping(1, "sqeuclidean", normalise="none", dtype="float64"))
    single = windowed_dtw(x, lengths, Warping(1, "sqeuclidean", normalise="none"))
    for i, j in product(range(5), repeat=2):
        wanted = tslearn_dtw(x[i, : lengths[i]], x[j, : lengths[j]]) ** 2
        assert found[i, j] == pytest.approx(wanted, abs=1e-8)
        assert single[i, j] == pytest.approx(wanted, abs=1e-3)


def test_the_shortest_of_equally_cheap_paths_counts():
    a, b, c = np.eye(3)
    x = np.array([[a, b, a], [a, c, b]])
    # a-a, b-c, a-b and a-a, a-c, b-b, a-b both cost 2, in three and in four steps
    assert naive(x[0], x[1]) == (2, 3)
    assert windowed_dtw(x, how=Warping(1))[0, 1] == np.float32(2 / 3)
    assert windowed_dtw(x[:, ::-1], how=Warping(1))[1, 0] == np.float32(2 / 3)


def test_zero_frames():
    zero, one = np.zeros(2), np.ones(2)
    x = np.array([[zero, zero], [one, one], [zero, zero]])
    assert windowed_dtw(x, how=Warping(2)).tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]


def test_tiny_and_huge_frames_have_a_direction():
    x = np.array([[[1e-30, 0]], [[1e30, 0]], [[0, 1e-30]]], np.float32)
    assert windowed_dtw(x, how=Warping(1)).tolist() == [[0, 0, 1], [0, 0, 1], [1, 1, 0]]


def test_windows_empty_in_one_clip_or_in_both():
    a, b = np.eye(2)
    x = np.array([[a, a, a, a], [b, a, a, a], [b, a, a, a]])
    found = windowed_dtw(x, np.array([1, 1, 4]), Warping(2))
    # the windows start at 0 and 2 and are reached by 3 and 1 clips: alpha = 3/4, 1/4
    assert found[0, 1] == 1  # only the first window counts, and it differs
    assert found[1, 2] == 0.75 * 0.5 + 0.25  # b-b, b-a; the second window is empty in one


def test_an_empty_window_counts_each_frame_of_the_other_in_the_raw_sum():
    x = np.ones((2, 6, 1))
    assert windowed_dtw(x, np.array([2, 6]), Warping(2, normalise="none", alpha=[0.5, 0.5]))[0, 1] == 1.5
    assert windowed_dtw(x, np.array([2, 6]), Warping(2, normalise="sum", alpha=[0.5, 0.5]))[0, 1] == 0.5


def test_relative_windows_stretch_with_the_clip():
    a, b = np.eye(2)
    x = np.array([[a, b, a, a], [a, a, b, b]])
    assert windowed_dtw(x, np.array([2, 4]), Warping(2, relative=True))[0, 1] == 0
    assert windowed_dtw(x, np.array([2, 4]), Warping(2))[0, 1] > 0


def test_padding_is_never_read(rng):
    x, lengths = rng.random((4, 8, 3)), np.array([3, 8, 5, 6])
    wanted = windowed_dtw(x, lengths, Warping(2))
    for i, n in enumerate(lengths):
        x[i, n:] = np.nan
    np.testing.assert_array_equal(windowed_dtw(x, lengths, Warping(2)), wanted)


@settings(deadline=None, max_examples=40)
@given(seed=seeds, kind=st.sampled_from(["generic", "ties"]), m=st.integers(1, 4))
def test_symmetric_zero_on_the_diagonal_and_within_zero_and_one(seed, kind, m):
    x, lengths = clips(seed, n=5, kind=kind)
    found = windowed_dtw(x, lengths, Warping(m))
    np.testing.assert_array_equal(found, found.T)
    assert not found.diagonal().any()
    assert found.min() >= 0
    assert found.max() <= 1
    # the rectangular form goes through the lower triangle and the diagonal too
    np.testing.assert_allclose(windowed_dtw_between(x, x, lengths, lengths, Warping(m)), found, atol=3e-6)


@settings(deadline=None, max_examples=25)
@given(seed=seeds, m=st.integers(1, 4), scale=st.floats(0.01, 100))
def test_a_rescaled_copy_is_at_distance_zero(seed, m, scale):
    x, lengths = clips(seed)
    both = np.concatenate([x, x * np.float32(scale)])
    found = windowed_dtw(both, np.concatenate([lengths, lengths]), Warping(m))
    assert np.abs(found[range(4), range(4, 8)]).max() < 2e-6


@settings(deadline=None, max_examples=25)
@given(seed=seeds, narrow=st.integers(0, 6), wider=st.integers(0, 6))
def test_a_wider_band_never_increases_the_raw_cost(seed, narrow, wider):
    x, lengths = clips(seed)
    costs = [windowed_dtw(x, lengths, Warping(1, band=b, normalise="none")) for b in (narrow, narrow + wider, None)]
    assert (costs[0] >= costs[1]).all()
    assert (costs[1] >= costs[2]).all()


@settings(deadline=None, max_examples=25)
@given(seed=seeds, repeats=st.lists(st.integers(1, 3), min_size=7, max_size=7))
def test_a_clip_and_its_slow_motion_are_at_distance_zero(seed, repeats):
    x, _ = clips(seed, n=1)
    slow = np.repeat(x, repeats, axis=1)
    both = np.zeros((2, slow.shape[1], 3), np.float32)
    both[0, :7], both[1] = x, slow
    found = windowed_dtw(both, np.array([7, len(slow[0])]), Warping(1, normalise="none", dtype="float64"))
    assert found[0, 1] < 1e-9


@settings(deadline=None, max_examples=25)
@given(seed=seeds)
def test_permuting_the_clips_permutes_the_result(seed):
    x, lengths = clips(seed, n=6)
    order = np.random.default_rng(seed).permutation(6)
    np.testing.assert_allclose(
        windowed_dtw(x[order], lengths[order]), windowed_dtw(x, lengths)[np.ix_(order, order)], atol=3e-6
    )


def test_a_query_does_not_depend_on_the_other_queries(rng):
    x, lengths = rng.random((9, 8, 3)), rng.integers(1, 9, 9)
    together = windowed_dtw_between(x[:4], x[4:], lengths[:4], lengths[4:])
    alone = windowed_dtw_between(x[:1], x[4:], lengths[:1], lengths[4:])
    np.testing.assert_allclose(alone, together[:1], atol=3e-6)


def test_read_only_memory_maps(rng, tmp_path):
    x = rng.random((6, 8, 3)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    np.testing.assert_array_equal(windowed_dtw(mapped), windowed_dtw(x))


def test_inputs_are_unchanged_and_a_strided_view_is_read_right(rng):
    wide = rng.normal(size=(4, 8, 6))
    before = wide.copy()
    found = windowed_dtw(wide[:, :, ::2], how=Warping(dtype="float64"))
    np.testing.assert_array_equal(found, windowed_dtw(wide[:, :, ::2].copy(), how=Warping(dtype="float64")))
    np.testing.assert_array_equal(wide, before)


def test_one_clip():
    assert windowed_dtw(np.ones((1, 4, 2))).tolist() == [[0]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lengths": np.array([4, 0, 4])}, r"lengths must lie in 1\.\.4, but clip 1 has 0"),
        ({"lengths": np.array([4, 4, 5])}, "clip 2 has 5"),
        ({"lengths": np.array([4, 4])}, "holds 3 clips, but there are 2 lengths"),
        ({"n_windows": 5}, r"n_windows must lie in 1\.\.4"),
        ({"metric": "cosin"}, "unknown metric 'cosin'; did you mean 'cosine'"),
        ({"normalise": "length"}, "unknown normalisation 'length'"),
        ({"band": -1}, "band must not be negative, got -1"),
        ({"dtype": "int32"}, "unknown dtype 'int32'; did you mean 'float32'"),
        ({"alpha": [1, 2]}, "alpha must be 4 weights"),
        (
            {"lengths": np.array([1, 4, 4]), "alpha": [0, 0, 0, 1]},
            "clips 0 and 0 have no frame in any window of positive weight",
        ),
        (
            {"lengths": np.array([1, 4, 4]), "metric": "sqeuclidean"},
            "sqeuclidean has no largest value; take relative=True",
        ),
    ],
)
def test_choices_that_cannot_work(options, message):
    with pytest.raises(UserError, match=message):
        windowed_dtw(np.ones((3, 4, 2)), options.pop("lengths", None), Warping(**options))


@pytest.mark.parametrize(("shape", "came"), [((3, 4), r"\(3, 4\)"), ((3, 0, 2), r"\(3, 0, 2\)")])
def test_wrong_shapes(shape, came):
    with pytest.raises(UserError, match=rf"must be \(clips, frames, features\), none 0, got {came}"):
        windowed_dtw(np.ones(shape))
    with pytest.raises(UserError, match=r"got \(2, 4, 2\) and \(2, 4, 3\); are both from one layer"):
        windowed_dtw_between(np.ones((2, 4, 2)), np.ones((2, 4, 3)))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_name_the_clip(value):
    x = np.ones((3, 4, 2))
    x[2, 3, 0] = value
    with pytest.raises(DataError, match="clip 2 of embeddings holds a NaN or infinity"):
        windowed_dtw(x)
    with pytest.raises(DataError, match="clip 2 of queries holds a NaN or infinity"):
        windowed_dtw_between(x, np.ones((2, 4, 2)))
