"""Tiles, panels, threads and memory: none of them may show in a distance."""

import subprocess
import sys
import time
from textwrap import dedent

import numpy as np
import pytest

from analysis_lib.errors import DataError, UserError
from analysis_lib.progress import note_if_slow
from analysis_lib.warping import local as dtw_run
from analysis_lib.warping import tiles as dtw_tiles
from analysis_lib.warping.distances import windowed_dtw, windowed_dtw_between
from analysis_lib.warping.kernels import LANES
from analysis_lib.warping.options import Warping


@pytest.fixture
def small_tiles(monkeypatch):
    """Tiles and groups of a block or two, so that few clips make many."""
    monkeypatch.setattr(dtw_tiles, "TILE", (16, 8))
    monkeypatch.setattr(dtw_tiles, "GROUP", 32)
    monkeypatch.setattr(dtw_run, "TILE", (16, 8))
    monkeypatch.setattr(dtw_run, "GROUP", 32)
    monkeypatch.setattr(dtw_tiles, "DIAGONAL", 8)


@pytest.fixture
def ragged(rng):
    return rng.random((61, 9, 6), np.float32), rng.integers(1, 10, 61)


def test_small_tiles_say_the_same(ragged, monkeypatch, request):
    whole = windowed_dtw(*ragged, Warping(3, dtype="float64"))
    request.getfixturevalue("small_tiles")
    np.testing.assert_allclose(windowed_dtw(*ragged, Warping(3, dtype="float64")), whole, atol=1e-9)


@pytest.mark.parametrize("kibibytes", [26, 40, 2**20])
@pytest.mark.parametrize("n_jobs", [1, 3])
def test_memory_and_threads_do_not_change_a_bit(ragged, small_tiles, kibibytes, n_jobs):
    x, lengths = ragged
    options = {"max_memory": 1024 * kibibytes, "n_jobs": n_jobs}
    once, again = windowed_dtw(x, lengths, Warping(3)), windowed_dtw(x, lengths, Warping(3), **options)
    np.testing.assert_array_equal(again, once)
    arguments = (x[:29], x, lengths[:29], lengths, Warping(3))
    np.testing.assert_array_equal(windowed_dtw_between(*arguments, **options), windowed_dtw_between(*arguments))
    np.testing.assert_allclose(windowed_dtw_between(*arguments), once[:29], atol=1e-5)


def test_less_memory_makes_more_panels(ragged, small_tiles, monkeypatch):
    seen = []
    packed = dtw_tiles.Panel.packed
    monkeypatch.setattr(dtw_tiles.Panel, "packed", lambda *a: seen.append(len(a[2])) or packed(*a))
    windowed_dtw(*ragged, Warping(3), max_memory=20 * 1024, n_jobs=2)
    assert len(seen) > 4
    assert sum(seen) >= 61 // LANES


def test_too_little_memory_says_how_much_suffices(ragged):
    with pytest.raises(UserError, match=r"9 frames with 6 features; \d+ MiB suffice"):
        windowed_dtw(np.repeat(ragged[0], 40, axis=0), max_memory=2**18)


def test_every_pair_is_in_one_tile(ragged, small_tiles):
    rule = dtw_tiles.Rule(np.ones(1), "cosine", "path", None, np.dtype("f"), 3, 9, 6)
    for symmetric, expected in ((True, 61 * 60 // 2), (False, 61 * 61)):
        found = dtw_tiles.tiles(rule, range(8), range(8), symmetric)
        assert sum(dtw_run.n_in(tile, (61, 61), symmetric) for tile in found) == expected
        cells = [(i, j) for t in found for i in range(t.top, t.bottom) for j in range(t.start, t.stop)]
        assert len(cells) == len(set(cells))


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_workspaces_begin_with_a_line_of_the_cache(dtype):
    for size in (1, 1000):
        array = dtw_tiles.aligned(size, dtype)
        assert (array.shape, array.dtype) == ((size,), dtype)
        assert array.ctypes.data % dtw_tiles.LINE == 0


def test_workspaces_are_used_again_and_what_was_in_them_does_not_show(ragged, monkeypatch):
    x, lengths = ragged
    monkeypatch.setattr(dtw_tiles, "_FREE", [])
    first = windowed_dtw(x, lengths, Warping(3), n_jobs=1)  # of two threads the second may come too late to take any
    free = list(dtw_tiles._FREE)
    assert free
    for memory in free:
        memory[:] = 0xFF  # NaN, in floats
    again = windowed_dtw(x, lengths, Warping(3), n_jobs=1)
    np.testing.assert_array_equal(again, first)
    assert {id(memory) for memory in dtw_tiles._FREE} == {id(memory) for memory in free}


def test_no_more_workspaces_wait_than_allowed(monkeypatch):
    monkeypatch.setattr(dtw_tiles, "_FREE", [])
    monkeypatch.setattr(dtw_tiles, "KEPT", 1000)
    arrays = [dtw_tiles.aligned(100, np.float32) for _ in range(3)]
    dtw_tiles.give_back(*arrays)
    assert len(dtw_tiles._FREE) == 2
    dtw_tiles.aligned(1000, np.float32)  # none fits: they make room
    assert dtw_tiles._FREE == []


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_the_clip_with_a_nan_is_named_whichever_block_it_is_in(ragged, value):
    x, lengths = ragged
    lengths[37] = 5
    x[37, 5:] = value  # padding may hold anything
    windowed_dtw(x, lengths, Warping(3))
    x[37, 4, 2] = value
    with pytest.raises(DataError, match="clip 37 of embeddings"):
        windowed_dtw(x, lengths, Warping(3))


UNDER_A_LIMIT = dedent("""
    import resource, sys
    import numpy as np
    from analysis_lib.warping.distances import windowed_dtw
    x = np.load(sys.argv[1], mmap_mode="r")
    windowed_dtw(x[:60], n_jobs=2)
    windowed_dtw(x[:60].view(), n_jobs=2)
    result = 4 * len(x) ** 2
    size = next(int(l.split()[1]) * 1024 for l in open("/proc/self/status") if "VmSize" in l)
    resource.setrlimit(resource.RLIMIT_AS, (size + result + 2**26 + 2**23,) * 2)
    try:
        found = windowed_dtw(x, n_jobs=2, max_memory=int(sys.argv[2]))
    except MemoryError:
        print("no memory")
    else:
        print("finished", found.shape[0], np.isfinite(found).all())
""")


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux only")
@pytest.mark.parametrize(("max_memory", "expected"), [(2**26, "finished 900 True"), (2**30, "no memory")])
def test_it_finishes_in_the_memory_that_it_is_given(tmp_path, rng, max_memory, expected):
    np.save(tmp_path / "x.npy", rng.random((900, 32, 1024), np.float32))
    done = subprocess.run(
        [sys.executable, "-c", UNDER_A_LIMIT, tmp_path / "x.npy", str(max_memory)],
        capture_output=True,
        text=True,
        check=False,
        env={"MALLOC_ARENA_MAX": "1"},
    )
    assert done.stdout.strip() == expected, done.stderr


def test_a_notice_comes_only_when_one_waits(capsys):
    with note_if_slow("never", after=60):
        pass
    with note_if_slow("compiling", after=0):
        time.sleep(0.2)
    assert capsys.readouterr().err == "one moment: compiling\n"
