"""Chapters side by side: their order, their share of the machine, and what a failure or Ctrl-C leaves."""

import json
import os
import threading
import time
from types import SimpleNamespace

import pytest
from notebooks import write_chapter

from analysis_lib.chapters.chapter import load_chapter
from analysis_lib.chapters.recorded import BUILT
from analysis_lib.errors import UserError
from analysis_lib.publishing import side_by_side
from analysis_lib.publishing.runs import Run
from analysis_lib.publishing.side_by_side import room, run_chapters

READS = "chapters: list[str] = ['a', 'b']  # read\nedition: str = 'x'  # whose tables"


def steps(*names, **reads):
    """Return a plan of chapters that read the tables of others."""
    return [(SimpleNamespace(name=name), {"chapters": reads.get(name, [])}) for name in names]


@pytest.fixture
def ran(monkeypatch, tmp_path):
    """Stand in for runs: each waits until so many run as are wanted side by side, and is noted at begin and end."""
    seen = SimpleNamespace(events=[], given=[], together=1, fails=())

    def run_chapter(chapter, parameters, out, *, stop, own, **given):
        seen.events.append(f"+{chapter.name}")
        seen.given.append({BUILT: os.environ.get(BUILT), **own})
        if chapter.name in seen.fails:
            raise UserError(f"{chapter.name} failed")
        if seen.fails:
            seen.events.append("ended" if stop.wait(20) else "went on")
        seen.barrier.wait(20)
        seen.events.append(f"-{chapter.name}")
        return Run(chapter.name, tmp_path, True)

    monkeypatch.setattr(side_by_side, "run_chapter", run_chapter)
    monkeypatch.setattr(side_by_side, "cpu_count", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("LOKY_MAX_CPU_COUNT", raising=False)
    seen.barrier = threading.Barrier(1)
    return seen


def test_a_chapter_comes_after_those_that_it_reads(ran, tmp_path):
    plan = steps("all", "a", "both", "b", both=["a", "b", "elsewhere"], all=["both"])
    runs = run_chapters(plan, tmp_path, jobs=1, cache=tmp_path)
    assert [run.chapter for run in runs] == ["all", "a", "both", "b"]
    assert [event for event in ran.events if event[0] == "+"] == ["+a", "+b", "+both", "+all"]


def test_chapters_run_side_by_side_with_a_share_of_the_cores(ran, tmp_path, monkeypatch):
    ran.barrier = threading.Barrier(2)
    run_chapters(steps("a", "b", "c", "d"), tmp_path, jobs=2, edition="x", cache=tmp_path)
    assert all(given["OMP_NUM_THREADS"] == given["LOKY_MAX_CPU_COUNT"] == "4" for given in ran.given)
    assert {given[BUILT] for given in ran.given} == {f"x={tmp_path / 'tables'}"}
    assert not {"OMP_NUM_THREADS", "LOKY_MAX_CPU_COUNT", BUILT} & set(os.environ)
    ran.barrier = threading.Barrier(1)
    run_chapters(steps("a", "last", last=["a"]), tmp_path, jobs=2, cache=tmp_path)
    alone = {BUILT: None, "LOKY_MAX_CPU_COUNT": "8", "OMP_NUM_THREADS": "4"}  # torch as in company
    assert ran.given[-2:] == [alone] * 2
    run_chapters(steps("a", "b"), tmp_path, jobs=1, cache=tmp_path)
    assert ran.given[-1] == {BUILT: None}
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    run_chapters(steps("a", "b"), tmp_path, jobs=2, cache=tmp_path)
    assert [given["OMP_NUM_THREADS"] for given in ran.given[-2:]] == ["3", "3"]


def test_what_others_wait_for_and_what_takes_long_begins_first(ran, tmp_path):
    for name, seconds in (("a", 1), ("b", 30), ("c", 9)):
        (tmp_path / name / "run").mkdir(parents=True)
        (tmp_path / name / "run" / "run.json").write_text(json.dumps({"seconds": seconds}))
    plan = steps("a", "b", "c", "known", "new", "last", last=["a", "c"])
    run_chapters(plan, tmp_path, jobs=1, cache=tmp_path, seconds={"known": 20, "b": 1})
    assert ran.events[::2] == ["+c", "+a", "+new", "+last", "+b", "+known"]


def test_one_that_others_wait_for_begins_before_those_that_nobody_does_as_soon_as_it_can(ran, tmp_path):
    seconds = {"a": 1, "reads": 2, "long": 90, "longer": 99}
    plan = steps("long", "longer", "a", "reads", "last", reads=["a"], last=["reads"])
    run_chapters(plan, tmp_path, jobs=1, cache=tmp_path, seconds=seconds)
    assert ran.events[::2] == ["+a", "+reads", "+last", "+longer", "+long"]


def test_a_failure_ends_those_that_run_and_begins_no_other(ran, tmp_path):
    ran.fails = ("b",)
    with pytest.raises(UserError, match="b failed"):
        run_chapters(steps("a", "b", "c", "last", last=["a"]), tmp_path, jobs=2, cache=tmp_path)
    assert "ended" in ran.events
    assert not {"went on", "+last"} & set(ran.events)


def test_as_many_as_cores_and_memory_allow(ran, monkeypatch):
    for gigabytes, wanted in ((100, 8), (10, 3), (1, 1)):
        memory = SimpleNamespace(available=gigabytes * 2**30)
        monkeypatch.setattr(side_by_side.psutil, "virtual_memory", lambda memory=memory: memory)
        assert room() == wanted


@pytest.mark.parametrize("end", [KeyboardInterrupt, UserError])
def test_kernels_are_gone_soon_after_an_end(tmp_path, monkeypatch, end):
    """Two real chapters, one of which would never end."""
    for name, cell in (("long", "import time\nopen({!r}, 'w').close()\ntime.sleep(600)"), ("short", "1 + 1")):
        write_chapter(tmp_path, name, cell.format(str(tmp_path / "begun")), parameters="n: int = 1  # how many")
    plan = [(load_chapter(name, tmp_path), {"n": 1}) for name in ("long", "short")]
    real = side_by_side.wait

    def wait(begun, **how):
        while not (tmp_path / "begun").exists() or not (tmp_path / "out" / "short.ipynb").exists():
            time.sleep(0.05)
        if end is KeyboardInterrupt:
            raise KeyboardInterrupt
        return real(begun, **how)

    monkeypatch.setattr(side_by_side, "wait", wait)
    lines = []
    if end is UserError:
        monkeypatch.setattr(side_by_side, "run_chapter", failing_after(side_by_side.run_chapter))
    with pytest.raises(end):
        run_chapters(plan, tmp_path / "out", jobs=2, cache=tmp_path / "cache", report=lines.append)
    assert sorted(lines[:2]) == ["long: running", "short: running"]
    assert list((tmp_path / "cache" / "long").iterdir()) == []
    assert list((tmp_path / "cache" / "short").iterdir())  # what was done stays done


def failing_after(run):
    def call(chapter, *given, **how):
        done = run(chapter, *given, **how)
        raise UserError(f"after {done.chapter}")

    return call
