"""The bench of windowed DTW: turns, the floor, and peers that compute the same."""

import numpy as np
import pytest

from analysis_lib.bench import dtw, floor
from analysis_lib.bench.dtw import PEERS, Peer, unit_windows, why_missing
from analysis_lib.bench.floor import LANES, least_work, product_unit, recurrence, recurrence_unit
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


HONEST = Peer("honest", "by hand", "math", cosine_costs)


def test_each_turn_is_timed_and_nothing_else(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr("time.perf_counter", lambda: next(clock) ** 2)
    assert seconds_of(lambda: None) == 1
    calls = {name: lambda: next(clock) for name in "ab"}  # a clock that each call moves on, too
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
    monkeypatch.setattr(floor, "recurrence", lambda distances, rows, repeats: done.append(distances.size * repeats))
    for call, work in (product_unit(size=6, repeats=3), recurrence_unit(n_frames=3, repeats=5)):
        done.clear()
        call()
        assert sum(done) == work


def test_windows_have_unit_frames(rng):
    clips = rng.random((3, 9, 4), np.float32) + 0.1
    windows = unit_windows(clips, 2)
    assert [w.shape for w in windows] == [(3, 4, 4), (3, 5, 4)]
    unit = np.concatenate(windows, axis=1)
    assert np.linalg.norm(unit, axis=2) == pytest.approx(np.ones((3, 9)))
    assert (unit / clips).std(axis=2) == pytest.approx(np.zeros((3, 9)), abs=1e-6)


def test_layouts_are_the_documented_and_the_fast_one(rng):
    window = rng.random((3, 4, 5))
    documented, best = (peer.layout(window) for peer in PEERS[-2:])
    assert np.array_equal(documented, best)
    assert documented.flags.c_contiguous
    assert best.base is window


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: f"{peer.name}, {peer.how}")
def test_peers_compute_what_we_compute(rng, peer):
    if reason := why_missing([peer]):
        pytest.skip(reason[peer.name])
    clips = np.abs(rng.normal(size=(5, 13, 6)))
    weights = np.array([0.4, 0.3, 0.2, 0.1])
    ours = windowed_dtw(clips, how=Warping(alpha=weights, normalise="none", dtype="float64"))
    assert peer.prepared(clips, weights)() == pytest.approx(ours, abs=1e-6)


def test_a_peer_that_is_not_there_is_named_with_the_cure():
    why = "No module named 'no_such_library'; pip install -e '.[bench]', or make bench"
    assert why_missing((HONEST, HONEST._replace(name="absent", module="no_such_library"))) == {"absent": why}


def test_a_shape_s_record_holds_every_run():
    record = dtw.bench_shape(8, 3, [HONEST], n_clips=6, rounds=2)
    assert (record["operations"], record["cells"]) == least_work(6, 8, 3, 4)
    runs = [(m["name"], m["how"], m["clips"], len(m["seconds"])) for m in record["methods"]]
    assert runs == [
        ("windowed_dtw", "normalise='none'", 6, 4),
        ("windowed_dtw, by path length", "normalise='path'", 6, 4),
        ("honest", "by hand", 6, 2),
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

    monkeypatch.setattr(dtw, "seconds_of", lambda call: call() is None or seconds * (sizes[-1] / 40) ** 2)
    monkeypatch.setattr(dtw, "in_turns", lambda own, others, rounds: {key: [1.0] for key in [*own, *others]})
    record = dtw.bench_shape(1, 3, [Peer("slow", "", "math", costs)], n_clips=90, n_windows=1, budget=2.5)
    assert record["methods"][2]["clips"] == clips


def test_a_peer_that_computes_something_else_is_refused():
    wrong = Peer("wrong", "", "math", lambda _, w: 1.01 * cosine_costs(_, w))
    with pytest.raises(DataError, match=r"^wrong and windowed_dtw differ by 0\.01 of the largest distance; are the v"):
        dtw.bench_shape(4, 3, [wrong], n_clips=4)
