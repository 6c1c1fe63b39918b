"""The bench of windowed DTW: turns, the floor, peers that compute the same, the k nearest."""

import numpy as np
import pytest

from analysis_lib.bench import dtw, growth, peers
from analysis_lib.bench.clips import moving_clips
from analysis_lib.bench.floor import LANES, least_work, product_unit, recurrence, recurrence_unit
from analysis_lib.bench.machine import machine_facts
from analysis_lib.bench.peers import Peer, dtw_peers, unit_windows, why_missing
from analysis_lib.bench.rounds import in_turns, seconds_of
from analysis_lib.errors import DataError
from analysis_lib.warping.distances import windowed_dtw
from analysis_lib.warping.options import Warping


def naive_dtw(local):
    """Return the cost of the best path through local distances (T, T'), cell by cell."""
    cost = np.full(np.add(local.shape, 1), np.inf)
    cost[0, 0] = 0
    for i, j in np.ndindex(local.shape):
        cost[i + 1, j + 1] = local[i, j] + min(cost[i, j], cost[i, j + 1], cost[i + 1, j])
    return cost[-1, -1]


def cosine_costs(_, window):
    """Return twice the cosine cost of all pairs of clips (n, T, D), as a peer would."""
    local = 2 * (1 - np.einsum("atd,bsd->abts", window, window).clip(-1, 1))
    return np.array([[naive_dtw(pair) for pair in row] for row in local])


HONEST = Peer("honest", "by hand", "math", lambda window: window, cosine_costs)


def test_each_turn_is_timed_and_nothing_else(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr("time.perf_counter", lambda: next(clock) ** 2)
    assert seconds_of(lambda: None) == 1
    calls = {name: lambda: next(clock) for name in "abc"}  # a clock that each call moves on, too
    assert in_turns({"a": calls["a"]}, {"b": calls["b"]}, 1) == {"a": [16, 28], "b": [40]}


def test_the_least_work_is_counted_pair_by_pair():
    pairs = [(i, j) for i in range(5) for j in range(i)]
    cells = sum(size**2 for _ in pairs for size in (3, 3, 3, 4))
    assert least_work(5, 13, 7, 4) == (14 * cells, cells)


@pytest.mark.parametrize("n_frames", [1, 2, 5])
def test_the_bare_recurrence_is_the_recurrence(rng, n_frames):
    local = rng.random((n_frames, n_frames, LANES), np.float32)
    rows = np.empty((2, n_frames, LANES), np.float32)
    found = rows[recurrence(local, rows, 2), -1]
    wanted = [naive_dtw(local[:, :, lane].astype(float)) for lane in (0, 1, LANES - 1)]
    assert found[[0, 1, LANES - 1]] == pytest.approx(wanted, rel=1e-6)


def test_a_unit_does_the_work_that_it_says(monkeypatch):
    done = []
    monkeypatch.setattr(np, "matmul", lambda a, b, out: done.append(2 * a.size * b.shape[1]))
    call, work = product_unit(size=6, repeats=3)
    call()
    assert sum(done) == work
    monkeypatch.setattr(
        "analysis_lib.bench.floor.recurrence", lambda distances, rows, repeats: done.append(distances.size * repeats)
    )
    done.clear()
    call, work = recurrence_unit(n_frames=3, repeats=5)
    call()
    assert sum(done) == work


def test_generated_clips_are_alike_within_a_class_and_none_negative():
    clips = moving_clips(40, 5, 30)
    assert clips.shape == (40, 5, 30)
    assert clips.dtype == np.float32
    assert clips.min() == 0
    assert np.array_equal(clips, moving_clips(40, 5, 30))
    assert not np.array_equal(clips, moving_clips(40, 5, 30, seed=1))
    nearest = np.sort(windowed_dtw(clips, how=Warping(1)) + np.eye(40), axis=1)[:, 0]
    assert np.median(nearest) < 0.5 * windowed_dtw(clips, how=Warping(1)).mean()


def test_the_machine_is_named():
    facts = machine_facts()
    assert facts["cores"] >= 1
    assert {"python", "numpy", "numba", "scipy"} <= facts["versions"].keys()
    assert facts["versions"]["numpy"] == np.__version__
    assert facts["blas"] != "unknown"
    assert len(facts["cpu"]) > 2


def test_windows_have_unit_frames_and_peers_their_layouts(rng):
    clips = rng.random((3, 9, 4), np.float32) + 0.1
    windows = unit_windows(clips, 2)
    assert [w.shape for w in windows] == [(3, 4, 4), (3, 5, 4)]
    assert np.allclose(np.linalg.norm(np.concatenate(windows, axis=1), axis=2), 1)
    assert np.allclose(windows[1][2, 0] / clips[2, 4], windows[1][2, 0, 0] / clips[2, 4, 0])
    documented, best = (f(windows[0]) for f in (peers.features_first, peers.features_first_view))
    assert np.array_equal(documented, best)
    assert documented.flags.c_contiguous
    assert best.base is windows[0]


@pytest.mark.parametrize("peer", dtw_peers(), ids=lambda peer: f"{peer.name}, {peer.how}")
def test_peers_compute_what_we_compute(rng, peer):
    reason = why_missing((peer,)).get(peer.name)
    if reason:
        pytest.skip(reason)
    clips = np.abs(rng.normal(size=(5, 13, 6)))
    weights = np.array([0.4, 0.3, 0.2, 0.1])
    theirs = peer.prepared(unit_windows(clips, 4), weights)()
    ours = windowed_dtw(clips, how=Warping(alpha=weights, normalise="none", dtype="float64"))
    assert theirs == pytest.approx(ours, abs=1e-6)


def test_a_peer_that_is_not_there_is_named_with_the_cure():
    absent = Peer("absent", "", "no_such_library", None, None)
    assert why_missing((HONEST, absent)) == {
        "absent": "No module named 'no_such_library'; pip install -e '.[bench]', or make bench"
    }


def test_a_shape_s_record_holds_every_run(monkeypatch):
    record = dtw.bench_shape(8, 3, [HONEST], n_clips=6, rounds=2)
    assert (record["operations"], record["cells"]) == least_work(6, 8, 3, 4)
    assert [(m["name"], m["clips"], len(m["seconds"])) for m in record["methods"]] == [
        ("windowed_dtw", 6, 4),
        ("windowed_dtw, by path length", 6, 4),
        ("honest", 6, 2),
    ]
    assert record["methods"][2]["gap"] < 1e-5
    assert {u: len(r["seconds"]) for u, r in record["floor"].items()} == {"operations": 4, "cells": 4}
    assert all(s > 0 for m in record["methods"] for s in m["seconds"])


@pytest.mark.parametrize(("seconds", "clips"), [(0.1, 90), (0.6, 80), (9.0, 40)])
def test_a_slow_peer_is_measured_on_as_many_clips_as_fit(monkeypatch, seconds, clips):
    """A run of 40 clips takes ``seconds`` and four times that for twice the clips; budget 2.5 s."""
    sizes = []

    def costs(_, window):
        sizes.append(len(window))
        return 2 * windowed_dtw(window, how=Warping(1, normalise="none"))

    def seconds_of(call):
        call()
        return seconds * (sizes[-1] / 40) ** 2

    def in_turns(own, others, rounds):
        return {name: [1.0] for name in [*own, *others]}

    monkeypatch.setattr(dtw, "seconds_of", seconds_of)
    monkeypatch.setattr(dtw, "in_turns", in_turns)
    peer = Peer("slow", "", "math", lambda window: window, costs)
    record = dtw.bench_shape(1, 3, [peer], n_clips=90, n_windows=1, budget=2.5)
    assert record["methods"][2]["clips"] == clips


def test_a_peer_that_computes_something_else_is_refused():
    wrong = Peer("wrong", "", "math", lambda w: w, lambda _, w: 1.01 * cosine_costs(_, w))
    with pytest.raises(DataError) as error:
        dtw.bench_shape(4, 3, [wrong], n_clips=4)
    assert str(error.value) == (
        "wrong and windowed_dtw differ by 0.01 of the largest distance; are the versions those of "
        "requirements-bench.lock?"
    )


def test_growth_counts_pairs_and_checks_the_nearest(monkeypatch):
    record = growth.bench_size(30, 3, 6, 20, rounds=2)
    assert (record["clips"], record["neighbours"], record["pairs"]) == (30, 3, 435)
    assert 30 * 3 / 2 <= record["computed"] <= 435
    assert [(m["name"], len(m["seconds"])) for m in record["methods"]] == [("windowed_dtw_knn", 2), ("windowed_dtw", 1)]

    monkeypatch.setattr(growth, "windowed_dtw", lambda clips: 1.5 * windowed_dtw(clips))
    with pytest.raises(DataError, match=r"^of 30 clips, the nearest and the matrix differ by 0\.\d"):
        growth.bench_size(30, 3, 6, 20)
