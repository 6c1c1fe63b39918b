"""The command: what it measures, prints and writes; and the environment that it runs in."""

import json
import re
import tomllib

import pytest
from click.testing import CliRunner
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from analysis_lib.bench import __main__ as command
from analysis_lib.bench import dtw, growth, nnk
from analysis_lib.errors import DataError
from analysis_lib.files import ROOT
from analysis_lib.studies.performance.tables import load_bench, speed_table

SHAPE = {
    "frames": 52,
    "features": 60,
    "clips": 200,
    "windows": 4,
    "operations": 4,
    "cells": 2,
    "floor": {unit: {"work": 2, "seconds": [0.001]} for unit in ("operations", "cells")},
    "methods": [
        {"name": "windowed_dtw", "how": "", "clips": 200, "seconds": [0.006, 0.005, 0.007], "gap": None},
        {"name": "tslearn", "how": "", "clips": 200, "seconds": [0.3], "gap": 0.0},
    ],
}
SIZE = {
    "clips": 500,
    "frames": 13,
    "features": 8,
    "neighbours": 10,
    "pairs": 1000,
    "computed": 250,
    "methods": [{"name": "windowed_dtw_knn", "seconds": [0.1]}],
}


@pytest.fixture
def measured(monkeypatch):
    """Replace what measures; the calls are kept."""
    calls = []

    def keep(result):
        return lambda *given, **options: calls.append((given, options)) or result(*given)

    monkeypatch.setattr(dtw, "bench_shape", keep(lambda t, d, _: {**SHAPE, "frames": t, "features": d}))
    monkeypatch.setattr(nnk, "bench_kernel", keep(lambda *given: []))
    monkeypatch.setattr(growth, "bench_size", keep(lambda n: {**SIZE, "clips": n}))
    return calls


def run(*arguments):
    return CliRunner().invoke(command.main, [str(a) for a in arguments])


def test_help_names_the_parts_and_the_file():
    text = run("--help").output
    for wanted in ("--quick", "--only", "--output", "dtw ", "nnk ", "growth ", "bench.json"):
        assert wanted in text


def test_ratios_are_printed_and_every_run_is_written(measured, tmp_path):
    done = run("--only", "dtw", "--only", "growth", "--output", tmp_path / "b.json")
    assert done.exit_code == 0
    row = next(line for line in done.output.splitlines() if line.startswith("52 x 60"))
    assert row.split() == ["52", "x", "60", "6.00", "ms", "3.00", "ms", "0.50", "50x"]
    assert "25.0\u202f%" in done.output
    assert "NNK" not in done.output
    record = load_bench(tmp_path / "b.json")
    assert record["dtw"][0] == SHAPE
    assert record["growth"][0] == SIZE
    assert len(record["dtw"]) == len(record["growth"]) == 5
    assert record["tables"]["dtw"][1]["times"] == 1
    assert record["tables"]["dtw"][2]["times"] == pytest.approx(50)
    assert record["tables"]["growth"][0]["share"] == 0.25
    assert {"cpu", "cores", "versions", "date", "code"} <= record["machine"].keys()
    assert record["quick"] is False
    assert len(speed_table(record)) == 15


def test_all_shapes_and_sizes_are_measured(measured, tmp_path):
    command.PARTS["dtw"](False, {})
    cases = [case for part in command.PARTS.values() for case in part(False, {})]
    for _, measure in cases:
        measure()
    given = [a[:2] if len(a) > 2 else a for a, _ in measured]
    assert given == [
        (52, 60),
        (16, 5120),
        (26, 2560),
        (64, 1280),
        (75, 6400),
        ("Gaussian", 500),
        ("Gaussian", 2000),
        ("windowed DTW", 500),
        ("windowed DTW", 2000),
        (500,),
        (1000,),
        (2000,),
        (4000,),
        (8000,),
    ]


def test_a_library_that_is_not_installed_is_left_out_and_named(measured, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "analysis_lib.bench.peers.why_missing", lambda peers: {"aeon, best": "not here", "dtaidistance": "broken"}
    )
    done = run("--quick", "--only", "dtw", "--output", tmp_path / "b.json")
    assert "not measured: aeon, best (not here)" in done.output
    assert "A trial with few clips" in done.output
    assert [peer.name for peer in measured[0][0][2]] == ["tslearn", "tslearn", "aeon, documented"]
    assert load_bench(tmp_path / "b.json")["missing"]["dtaidistance"] == "broken"


def test_a_quick_run_measures_something(tmp_path):
    done = run("--quick", "--only", "growth", "--output", tmp_path / "b.json")
    assert done.exit_code == 0
    assert [c["clips"] for c in json.loads((tmp_path / "b.json").read_text())["growth"]] == [60, 120]


def test_a_disagreement_is_one_line_and_writes_nothing(measured, tmp_path, monkeypatch):
    def differ(*arguments, **options):
        raise DataError("tslearn and windowed_dtw differ")

    monkeypatch.setattr(dtw, "bench_shape", differ)
    done = run("--only", "dtw", "--output", tmp_path / "b.json")
    assert done.exit_code == 1
    assert done.output.splitlines()[-1] == "Error: tslearn and windowed_dtw differ"
    assert not (tmp_path / "b.json").exists()


def test_an_unknown_part_lists_the_parts():
    done = run("--only", "dwt")
    assert done.exit_code == 2
    assert "'dtw', 'nnk', 'growth'" in done.output


def pins():
    lines = (ROOT / "requirements-bench.lock").read_text().split()
    return {canonicalize_name(name): pin for name, pin in (line.split("==") for line in lines)}


def test_the_bench_s_lock_satisfies_every_range_that_it_has_a_say_in():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    peers = [Requirement(r) for r in project["optional-dependencies"]["bench"]]
    ours = [Requirement(r) for r in project["dependencies"]]
    assert {canonicalize_name(r.name) for r in peers} <= pins().keys()
    for wanted in [*peers, *ours]:
        pin = pins().get(canonicalize_name(wanted.name))
        assert pin is None or pin in wanted.specifier, wanted


def test_the_bench_imports_nothing_that_its_lock_has_not(tmp_path):
    """Modules by name, of the bench and of all that it imports from the project."""
    todo, seen, others = list((ROOT / "analysis_lib" / "bench").glob("*.py")), set(), set()
    while todo:
        path = todo.pop()
        if path in seen or not path.exists():
            continue
        seen.add(path)
        found = re.findall(r"^(?:from|import) ([\w.]+)", path.read_text(), re.M)
        todo += [ROOT / f"{n.replace('.', '/')}.py" for n in found if n.startswith("analysis_lib")]
        others |= {n.split(".")[0] for n in found}
    assert others.isdisjoint({"torch", "matplotlib", "seaborn", "IPython", "papermill", "yaml"})
    assert ROOT / "analysis_lib" / "dtw.py" in seen
