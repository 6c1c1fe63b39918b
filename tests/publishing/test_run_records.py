"""Which recorded files and tables a run's key covers."""

import json

from notebooks import write_chapter

from analysis_lib.chapters import recorded
from analysis_lib.chapters.chapter import load_chapter
from analysis_lib.publishing import runs
from analysis_lib.publishing.runs import run_inputs


def test_another_record_at_the_same_path_is_another_run(monkeypatch, tmp_path):
    chapter = load_chapter("performance")
    monkeypatch.setattr(runs, "ROOT", tmp_path)
    (tmp_path / "bench.json").write_text("{}")
    before = run_inputs(chapter, {"record": "bench.json"})
    (tmp_path / "bench.json").write_text("{} ")
    assert run_inputs(chapter, {"record": "bench.json"})["records"] != before["records"]


def test_tables_of_other_chapters_that_a_run_may_read_count(tmp_path, monkeypatch):
    monkeypatch.setattr(recorded, "PUBLISHED", tmp_path)
    monkeypatch.delenv(recorded.BUILT, raising=False)
    chapter = load_chapter("performance")
    given = {"edition": "mine", "other_editions": ["a", "b"], "chapters": ["data", "noise"]}

    def records():
        return run_inputs(chapter, given)["records"]

    assert records() == {}
    for place in ("mine/data", "b/noise", "c/data", "a/performance"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "table.csv").write_text("i\n1\n")
    before = records()
    assert set(before) == {"mine/data", "b/noise"}
    (tmp_path / "b" / "noise" / "table.csv").write_text("i\n2\n")
    assert records()["b/noise"] != before["b/noise"]
    built = tmp_path / "built"
    (built / "data").mkdir(parents=True)
    monkeypatch.setenv(recorded.BUILT, f"mine={built}")  # goes before the published one
    assert records()["mine/data"] != before["mine/data"]


def test_what_other_editions_recorded_of_the_chapter_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(recorded, "PUBLISHED", tmp_path)
    write_chapter(tmp_path, "count", "n")
    for edition, model in (("mine", "m"), ("other", "n")):
        (tmp_path / edition / "count").mkdir(parents=True)
        facts = {"parameters": {"dataset": "synthetic", "model": model}}
        (tmp_path / edition / "count" / "provenance.json").write_text(json.dumps(facts))
    chapter = load_chapter("count", tmp_path)
    monkeypatch.setattr(runs, "_named", lambda kind, parameters: [])  # its data and model are none
    given = {"dataset": "synthetic", "model": "m"}
    assert set(run_inputs(chapter, given)["records"]) == {"other/count"}
