"""The bench of many clips: generated ones, the k nearest of them, and a layer's graph; memory."""

import time

import numpy as np
import pytest

from analysis_lib.bench import growth, layer
from analysis_lib.bench.clips import moving_clips
from analysis_lib.bench.machine import machine_facts, memory, peak_memory
from analysis_lib.errors import DataError
from analysis_lib.warping.distances import windowed_dtw
from analysis_lib.warping.options import Warping

MIB = 2**20


def test_generated_clips_are_alike_within_a_class_and_none_negative(tmp_path):
    clips, classes = moving_clips(40, 5, 30)
    assert clips.shape == (40, 5, 30)
    assert clips.dtype == np.float32
    assert clips.min() == 0
    assert not np.array_equal(clips, moving_clips(40, 5, 30, seed=1)[0])
    distance = windowed_dtw(clips, how=Warping(1))
    same = classes[:, None] == classes
    assert np.median(distance[same & ~np.eye(40, dtype=bool)]) < 0.3 * np.median(distance[~same])
    again, _ = moving_clips(40, 5, 30, file=tmp_path / "clips.npy")
    assert isinstance(again, np.memmap)
    assert np.array_equal(np.load(tmp_path / "clips.npy"), clips)


def test_growth_counts_pairs_and_checks_the_nearest(monkeypatch):
    record = growth.bench_size(30, 3, 6, 20)
    assert (record["clips"], record["neighbours"], record["pairs"]) == (30, 3, 435)
    assert 30 * 3 / 2 <= record["computed"] <= 435
    assert {m["name"]: len(m["seconds"]) for m in record["methods"]} == {"windowed_dtw_knn": 2, "windowed_dtw": 1}

    monkeypatch.setattr(growth, "windowed_dtw", lambda clips: 1.5 * windowed_dtw(clips))
    with pytest.raises(DataError, match=r"^of 30 clips, the nearest and the matrix differ by 0\.\d"):
        growth.bench_size(30, 3, 6, 20)


def test_memory_that_is_held_for_a_while_is_seen():
    if memory() is None:
        pytest.skip("only Linux says how much memory a process holds")
    before = memory()

    def hold():
        held = np.ones(64 * MIB, np.uint8)
        time.sleep(0.2)
        return held[:3].sum()

    found, peak = peak_memory(hold, every=0.01)
    assert found == 3
    assert 60 * MIB < peak - before < 200 * MIB


def test_pages_of_files_are_no_memory(tmp_path):
    if memory() is None:
        pytest.skip("only Linux says how much memory a process holds")
    np.save(tmp_path / "large.npy", np.ones(64 * MIB, np.uint8))
    before, mapped = memory(), np.load(tmp_path / "large.npy", mmap_mode="r")
    assert mapped.sum() == 64 * MIB
    assert memory() - before < 16 * MIB


def test_the_machine_is_named():
    facts = machine_facts()
    assert facts["cores"] >= 1
    assert {"python", "numpy", "numba", "scipy"} <= facts["versions"].keys()
    assert facts["versions"]["numpy"] == np.__version__
    assert facts["blas"] != "unknown"
    assert len(facts["cpu"]) > 2


def test_a_layer_s_record_counts_what_it_cost(tmp_path, monkeypatch):
    monkeypatch.setattr(layer, "FEW", 30)
    record = layer.bench_layer("late", 90, 8, 40, folder=tmp_path / "new")
    assert record["pairs"] == 90 * 89 / 2
    assert 90 * 10 / 2 <= record["computed"] <= record["pairs"]
    assert 0 < record["q"] < 1
    assert list((tmp_path / "new").iterdir()) == []

    known = {**record, "seconds": 90.0, "matrix": 7200.0, "peak": 3 * 2**29, "computed": 801, "q": 0.125}
    row = layer.layer_overview(layer.layer_table({"layer": [known]})).loc["late"]
    assert row.to_dict() == {
        "clips": "90 x 8 x 40",
        "graph and q": "1.5 min",
        "matrix": "120.0 min",
        "memory": "1.50 GiB",
        "computed": "20.0 %",
        "q": "0.12",
    }
