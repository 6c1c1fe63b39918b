"""What is kept of runs: their times, and only so many."""

import os

import pytest

from analysis_lib.publishing import run_cache
from analysis_lib.publishing.run_cache import forget_old_runs, last_seconds


@pytest.fixture
def chapter(tmp_path):
    """Runs a, b, c, d of a chapter, a the last that was used."""
    for age, name in enumerate("abcd"):
        (tmp_path / "count" / name).mkdir(parents=True)
        os.utime(tmp_path / "count" / name, (1000 - age, 1000 - age))
    return tmp_path / "count"


def test_old_runs_are_forgotten_least_recently_used_first(chapter, monkeypatch):
    monkeypatch.setattr(run_cache, "_KEPT", 2)
    forget_old_runs(chapter)
    assert sorted(path.name for path in chapter.iterdir()) == ["a", "b"]


def test_the_time_is_that_of_the_run_that_was_used_last_and_tells_it(chapter):
    assert last_seconds("count", chapter.parent) is last_seconds("never", chapter.parent) is None
    facts = {"a": "torn {", "b": '{"date": "2025-01-31"}', "c": '{"seconds": 49.5}', "d": '{"seconds": 7}'}
    for age, (name, text) in enumerate(facts.items()):
        (chapter / name / "run.json").write_text(text)
        os.utime(chapter / name, (1000 - age, 1000 - age))
    assert last_seconds("count", chapter.parent) == 49.5
