"""Records come back as they were, or with one line that says why not."""

import csv
import json

import numpy as np
import pandas as pd
import pytest
from notebooks import record

from analysis_lib.chapters import recorded
from analysis_lib.chapters.recorded import (
    PUBLISHED,
    recorded_editions,
    recorded_provenance,
    recorded_table,
    write_facts,
)
from analysis_lib.errors import DataError
from analysis_lib.files import DATA

TEXTS = {"name": ["", "a,b"], "kind": ["None", "NA"], "shown": [True, False]}
FRAME = pd.DataFrame({"layer": [0, 1], "q": [0.5, np.nan], **TEXTS})


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A folder of published records of its own, and no build."""
    monkeypatch.setattr(recorded, "PUBLISHED", tmp_path / "published")
    monkeypatch.delenv(recorded.BUILT, raising=False)
    return tmp_path / "published"


def test_tables_come_back_as_they_were(published):
    frame = pd.DataFrame({"layer": [0, 1], "smoothness": [1 / 3, np.pi], "class": ["a", "b,c"]})
    tables = {"table": FRAME, "q": FRAME[["q"]], "empty": FRAME[:0], "bands": frame.set_index(np.array([7, 8]))}
    record(published / "mine", "own", **tables)
    pd.testing.assert_frame_equal(recorded_table("mine", "own"), FRAME)
    pd.testing.assert_frame_equal(recorded_table("mine", "own", "q"), FRAME[["q"]])
    assert list(recorded_table("mine", "own", "empty").columns) == list(FRAME)
    pd.testing.assert_frame_equal(recorded_table("mine", "own", "bands"), frame, rtol=1e-9)
    path = published / "mine" / "own" / "bands.csv"
    assert path.read_bytes().startswith(b"layer,smoothness,class\n0,0.3333333333,a\n")


def test_no_text_is_a_formula_of_a_spreadsheet(published):
    names = ["=1+1", "+49 151", "-2+3", "@SUM(A1)", "\t=1", "\n=1", "'=1", "'", "-", "x=1", "-0.5", "=", "−1"]
    frame = pd.DataFrame({"name": names, "change": np.linspace(-1, 1, len(names))})
    record(published / "mine", "own", table=frame)
    pd.testing.assert_frame_equal(recorded_table("mine", "own"), frame)
    rows = csv.reader((published / "mine" / "own" / "table.csv").read_text().splitlines(keepends=True))
    cells = [row[0] for row in rows][1:]
    assert [cell for cell in cells if cell[0] in "=+-@\t\r\n"] == ["-0.5"]
    record(published / "mine", "own", table=pd.DataFrame({"name": ["\r=1", "a\r\n=1"]}))
    assert list(recorded_table("mine", "own")["name"]) == ["\n=1", "a\n=1"]


def test_what_is_not_recorded_is_none(published):
    assert recorded_table("mine", "own") is recorded_provenance("mine", "own") is None
    assert recorded_editions() == []
    record(published / "mine", "own", table=FRAME)
    assert recorded_table("mine", "own", "other") is recorded_table("other", "own") is None
    assert recorded_editions() == ["mine"]


def is_damaged(reason, *place):
    with pytest.raises(DataError) as error:
        recorded_table("mine", "own", *place)
    cure = "; write it anew: stgbook book --edition mine --record"
    assert str(error.value).startswith(str(recorded.PUBLISHED / "mine" / "own"))
    assert f" is damaged ({reason})" in str(error.value)
    assert str(error.value).endswith(cure)
    assert "\n" not in str(error.value)


def test_a_table_that_is_not_what_was_recorded_is_told_with_its_cure(published):
    record(published / "mine", "own", table=FRAME)
    path = published / "mine" / "own" / "table.csv"
    whole = path.read_bytes()
    for content in (whole[:-8], whole.replace(b"0.5", b"0.6"), b""):
        path.write_bytes(content)
        is_damaged("it is not what was recorded")
    path.with_name("added.csv").write_bytes(whole)
    is_damaged("it is not what was recorded", "added")
    path.unlink()
    is_damaged("it is gone")


@pytest.mark.parametrize("content", [b'a,b\n"1', b"\xff\xfe", b"a\n1\n1,2,3"])
def test_a_table_that_was_recorded_and_is_none_is_told(published, content):
    record(published / "mine", "own", table=FRAME)
    (published / "mine" / "own" / "table.csv").write_bytes(content)
    recorded.write_facts(published / "mine" / "own", {"parameters": {}})
    with pytest.raises(DataError, match=r"table\.csv is damaged"):
        recorded_table("mine", "own")


def test_facts_that_cannot_be_read_are_told(published):
    record(published / "mine", "own", table=FRAME)
    damaged = (
        ("[]", "must be an object"),
        ("{", "Expecting"),
        ('{"data": "x"}', "'data' must be an object"),
        ('{"model": {"name": 3}}', "'model.name' must be text"),
        ('{"parameters": {"n": NaN}}', "'parameters.n' must be"),
    )
    for content, reason in damaged:
        (published / "mine" / "own" / "provenance.json").write_text(content)
        with pytest.raises(DataError, match=reason):
            recorded_provenance("mine", "own")


def test_a_record_that_is_replaced_between_two_readings_is_read_again(published, monkeypatch):
    record(published / "mine", "own", table=FRAME)
    real, seen = recorded_provenance, []

    def provenance(*place):
        seen.append(real(*place))
        if len(seen) == 1:
            record(published / "mine", "own", table=FRAME[:1])
        return seen[-1]

    monkeypatch.setattr(recorded, "recorded_provenance", provenance)
    assert len(recorded_table("mine", "own")) == 1
    assert len(seen) == 2


def test_a_record_whose_replacement_was_cut_short_is_the_old_one(published):
    record(published / "mine", "own", table=FRAME)
    (published / "mine" / "own").rename(published / "mine" / ".own.before")
    assert len(recorded_table("mine", "own")) == 2
    assert recorded_editions() == ["mine"]


def test_tables_of_this_build_go_before_published_ones_of_its_edition(published, tmp_path, monkeypatch):
    built = tmp_path / "built"
    record(published / "mine", "own", table=FRAME, other=FRAME)
    record(published / "other", "own", table=FRAME)
    monkeypatch.setenv(recorded.BUILT, f"mine={built}")
    assert len(recorded_table("mine", "own")) == 2  # not built yet
    assert "code" in recorded_provenance("mine", "own")
    record(built, "own", table=FRAME[:1])
    assert len(recorded_table("mine", "own")) == 1
    assert len(recorded_table("other", "own")) == 2
    assert recorded_table("mine", "own", "other") is None  # not made by this build: not mixed
    assert "code" not in recorded_provenance("mine", "own")


def test_what_is_published_is_what_was_recorded():
    for path in PUBLISHED.glob("*/*/provenance.json"):
        edition, chapter = path.parts[-3:-1]
        files = json.loads(path.read_text())["files"]
        assert set(files) == {table.name for table in path.parent.glob("*.csv")}
        for name in files:
            assert len(recorded_table(edition, chapter, name.removesuffix(".csv")).columns) > 0


def test_what_is_published_was_made_with_the_networks_that_are_shipped():
    for path in PUBLISHED.glob("*/*/provenance.json"):
        model = json.loads(path.read_text()).get("model")
        if model:
            card = json.loads((DATA / "checkpoints" / f"{model['name']}.json").read_text())
            assert model["weights"] == card["weights_sha256"], f"{path.parent}: record it anew"


def test_facts_are_written_with_the_tables_digests_alone(tmp_path):
    (tmp_path / "table.csv").write_text("a\n1\n")
    (tmp_path / "notes.txt").write_text("")
    write_facts(tmp_path, {"n": 1, "files": "old"})
    facts = json.loads((tmp_path / "provenance.json").read_text())
    assert (facts["n"], list(facts["files"])) == (1, ["table.csv"])
