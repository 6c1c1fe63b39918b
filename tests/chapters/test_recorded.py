"""Tables that chapters recorded come back as they were, or with one line that says why not."""

import json

import numpy as np
import pandas as pd
import pytest
from notebooks import record

from analysis_lib.chapters import recorded
from analysis_lib.chapters.recorded import recorded_editions, recorded_provenance, recorded_table, table_folder
from analysis_lib.errors import DataError

FRAME = pd.DataFrame(
    {"layer": [0, 1], "q": [0.5, np.nan], "name": ["", "a,b"], "kind": ["None", "NA"], "shown": [True, False]}
)


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A folder of published tables of its own, and no build."""
    monkeypatch.setattr(recorded, "PUBLISHED", tmp_path / "published")
    monkeypatch.delenv(recorded.BUILT, raising=False)
    return tmp_path / "published"


def write(folder, frame=FRAME, name="table"):
    """Record a table of chapter "own" below ``folder``."""
    record(folder, "own", **{name: frame})


def test_a_table_comes_back_as_it_was(published, monkeypatch):
    write(published / "mine")
    pd.testing.assert_frame_equal(recorded_table("mine", "own"), FRAME)
    write(published / "mine", FRAME[["q"]], "other")
    pd.testing.assert_frame_equal(recorded_table("mine", "own", "other"), FRAME[["q"]])


def test_what_is_not_recorded_is_none(published, monkeypatch):
    assert recorded_table("mine", "own") is None
    assert recorded_provenance("mine", "own") is None
    assert recorded_editions() == []
    write(published / "mine")
    assert recorded_table("mine", "own", "other") is None
    assert recorded_table("other", "own") is None


def test_a_table_without_rows_keeps_its_columns(published, monkeypatch):
    write(published / "mine", FRAME[:0])
    assert list(recorded_table("mine", "own").columns) == list(FRAME)


@pytest.mark.parametrize(
    "content",
    [b"", b"a,b\n1,2,3\n", b"a,b\n1,2\n1,2,3\n", b"a,b\n1,2\n3", b"a\n\xff\xfe\n", b'a\n"b\n'],
    ids=["empty", "row too long", "later row too long", "cut off", "not text", "open quote"],
)
def test_a_damaged_table_is_one_line_with_its_cure(published, content):
    path = published / "mine" / "own" / "table.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(DataError) as error:
        recorded_table("mine", "own")
    assert str(error.value).startswith(f"{path} is damaged (")
    assert str(error.value).endswith("); write it anew: stgbook book --edition mine --record")
    assert "\n" not in str(error.value)


def test_where_a_table_comes_from(published):
    path = published / "mine" / "own" / "provenance.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"date": "2025-01-31"}))
    assert recorded_provenance("mine", "own") == {"date": "2025-01-31"}
    (published / "other").mkdir()
    (published / "bench.json").write_text("{}")
    assert recorded_editions() == ["mine"]
    for content, reason in (("[]", "expected one JSON object, got list"), ("{", "Expecting")):
        path.write_text(content)
        with pytest.raises(DataError, match=reason):
            recorded_provenance("mine", "own")


def test_tables_of_this_build_go_before_published_ones_of_its_edition(published, tmp_path, monkeypatch):
    built = tmp_path / "built"
    write(published / "mine")
    write(published / "other")
    monkeypatch.setenv(recorded.BUILT, f"mine={built}")
    assert len(recorded_table("mine", "own")) == 2  # not built yet
    write(built, FRAME[:1])
    assert len(recorded_table("mine", "own")) == 1
    assert len(recorded_table("other", "own")) == 2
    assert table_folder("mine", "own") == built / "own"
    assert recorded_table("mine", "own", "other") is None  # not made by this build: not mixed
