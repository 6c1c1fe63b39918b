"""The command: what it measures, prints and writes; and the environment that it runs in."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from analysis_lib.bench import __main__ as command
from analysis_lib.bench import dtw, growth, layer, nnk, shapley
from analysis_lib.errors import DataError
from analysis_lib.files import ROOT
from analysis_lib.studies.performance.tables import load_bench, speed_table

RUNS = {"how": "", "clips": 200, "gap": None}
SHAPE = {
    "clips": 200,
    "windows": 4,
    "operations": 4,
    "cells": 2,
    "floor": {unit: {"work": 2, "seconds": [0.001]} for unit in ("operations", "cells")},
    "methods": [
        {**RUNS, "name": "windowed_dtw", "seconds": [0.006, 0.005, 0.007]},
        {**RUNS, "name": "tslearn", "seconds": [0.3]},
    ],
}
SIZE = {"frames": 13, "features": 8, "neighbours": 10, "pairs": 1000, "computed": 250}
SIZE |= {"methods": [{"name": "windowed_dtw_knn", "seconds": [0.1]}]}
SAMPLED = {"how": "", "seconds": [2.0], "error": 1.0}
VALUES = [
    {
        **{"explained": "one class", "clips": 4, "frames": 60, "joints": 25, "classes": 20, "evaluations": 200},
        "methods": [{**SAMPLED, "name": "JointShapley"}, {**SAMPLED, "name": "captum, sampling", "error": 2.0}],
    }
]
LIBRARIES = ("seaborn", "IPython", "papermill", "yaml", "distributed")


@pytest.fixture
def measured(monkeypatch):
    """Replace what measures; what it was given is kept."""
    given = []

    def keep(module, name, result):
        monkeypatch.setattr(module, name, lambda *a, **options: given.append(a) or result(*a))

    keep(dtw, "bench_shape", lambda t, d, _: {**SHAPE, "frames": t, "features": d})
    keep(nnk, "bench_kernel", lambda *_: [])
    keep(growth, "bench_size", lambda n: {**SIZE, "clips": n})
    keep(layer, "bench_layer", lambda kind: {})
    keep(shapley, "bench_values", lambda missing: VALUES)
    return given


@pytest.fixture
def run(tmp_path):
    """Return a function that calls the command, and returns what it printed and wrote."""

    def call(*arguments):
        done = CliRunner().invoke(command.main, [*arguments, "--output", str(tmp_path / "b.json")])
        return done, load_bench(tmp_path / "b.json") if (tmp_path / "b.json").exists() else None

    return call


def test_ratios_are_printed_and_every_run_is_written(measured, run):
    done, record = run("--only", "dtw", "--only", "growth")
    assert done.exit_code == 0
    row = next(line for line in done.output.splitlines() if line.startswith("52 × 60"))
    assert row.split() == ["52", "×", "60", "6.00", "ms", "3.00", "ms", "50", "%", "50×"]
    assert "25\u202f%" in done.output
    assert "NNK" not in done.output
    assert record["dtw"][0] == {**SHAPE, "frames": 52, "features": 60}
    assert record["growth"][0] == {**SIZE, "clips": 500}
    assert [m["times"] for m in record["tables"]["dtw"][1:3]] == pytest.approx([1, 50])
    assert record["tables"]["growth"][0]["share"] == 0.25
    assert record["machine"]["versions"]["numpy"]
    assert record["quick"] is False
    assert len(speed_table(record)) == 15


def test_a_part_is_measured_again_without_the_others(measured, run, monkeypatch):
    _, before = run("--only", "dtw", "--only", "shapley")
    monkeypatch.setattr(command, "machine_facts", lambda: {**before["machine"], "cpu": "another"})
    done, record = run("--only", "shapley", "--keep")
    assert done.exit_code == 0
    assert record["dtw"] == before["dtw"]
    assert record["machine"] == before["machine"]
    assert record["machines"] == {"shapley": {**before["machine"], "cpu": "another"}}
    assert record["tables"].keys() == {"dtw", "shapley"}
    assert record["shapley"] == VALUES
    assert "4.0×" in done.output
    done, _ = run("--keep", "--quick")
    assert done.exit_code == 2
    assert "does not belong" in done.output


def test_what_is_kept_is_read_before_anything_is_measured(measured, run):
    done, record = run("--keep")
    assert done.exit_code == 1
    assert "No such file" in done.output
    assert (record, measured) == (None, [])


def test_all_shapes_and_sizes_are_measured(measured):
    for part in command.PARTS:
        for measure in command.cases(part, False, {}).values():
            measure()
    shapes = [(52, 60), (16, 5120), (26, 2560), (64, 1280), (75, 6400)]
    kernels = [(name, n) for name in ("Gaussian", "windowed DTW") for n in (500, 2000)]
    sizes = [(n,) for n in (500, 1000, 2000, 4000, 8000)]
    assert [given[:2] for given in measured] == [
        *shapes,
        *kernels,
        *sizes,
        ("early",),
        ("late",),
        (shapley.why_missing(),),
    ]


def test_a_library_that_is_not_installed_is_left_out_and_named(measured, run, monkeypatch):
    monkeypatch.setattr(dtw, "why_missing", lambda peers: {"aeon, best": "not here", "dtaidistance": "broken"})
    done, record = run("--quick", "--only", "dtw")
    assert "not measured: aeon, best (not here)" in done.output
    assert "A trial with few clips" in done.output
    assert {peer.name for peer in measured[0][2]} == {"tslearn", "aeon, documented"}
    assert record["missing"]["dtaidistance"] == "broken"


def test_a_disagreement_is_one_line_and_writes_nothing(run, monkeypatch):
    def differ(*arguments, **options):
        raise DataError("tslearn and windowed_dtw differ")

    monkeypatch.setattr(dtw, "bench_shape", differ)
    done, record = run("--only", "dtw")
    assert done.exit_code == 1
    assert done.output.splitlines()[-1] == "Error: tslearn and windowed_dtw differ"
    assert record is None


def test_a_quick_run_needs_nothing_that_the_bench_s_lock_has_not(tmp_path):
    for name in LIBRARIES:
        (tmp_path / f"{name}.py").write_text("raise ImportError('the bench runs without it')")
    parts = [word for part in ("growth", "layer", "shapley") for word in ("--only", part)]
    options = ["--quick", *parts, "--output", str(tmp_path / "b.json")]
    command, place = [sys.executable, "-m", "analysis_lib.bench", *options], {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=os.environ | place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "b.json").read_text())
    assert [case["clips"] for case in record["growth"]] == [60, 120]
    assert [case["kind"] for case in record["layer"]] == ["early", "late"]
    assert [case["explained"] for case in record["shapley"]] == ["one class", "all classes"]
    held = {line.split("==")[0] for line in (ROOT / "requirements-bench.lock").read_text().split()}
    assert held.isdisjoint(LIBRARIES)
