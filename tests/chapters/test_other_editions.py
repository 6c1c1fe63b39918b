"""Records of other editions: whose are shown, how they are labelled, and what is said of them."""

from types import SimpleNamespace

import IPython
import pandas as pd
import pytest
from notebooks import record
from pandas.testing import assert_frame_equal

from analysis_lib.chapters import recorded
from analysis_lib.chapters.notes import SOURCES
from analysis_lib.chapters.other_editions import Beside, other_editions, recorded_beside
from analysis_lib.chapters.recorded import write_facts

HERE = {"dataset": "synthetic", "model": "synthetic", "k": 10, "graph": "nnk", "name": "unrelated"}
HERE |= {"beside": ["third", "nw-ucla", "mine"]}
FACTS = {
    "date": "2025-01-31",
    "code": "0.1.0 (abc)",
    "parameters": {"dataset": "nw-ucla", "model": "nw-ucla", "k": 20, "graph": "nnk"},
    "data": {"name": "nw-ucla", "fingerprint": "0123456789abcdef"},
    "model": {"name": "nw-ucla", "weights": "fedcba9876543210"},
}
TABLE = pd.DataFrame({"method": ["net", "baseline"], "accuracy": [0.75, 0.5]})
LABELS = ["mine, recorded", "NW-UCLA, recorded"]


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Records of chapter "own" by a shipped edition, by one that is not shipped, and of another."""
    monkeypatch.setattr(recorded, "PUBLISHED", tmp_path)
    monkeypatch.delenv(recorded.BUILT, raising=False)
    for edition, chapter, extra in (
        ("nw-ucla", "own", {}),
        ("mine", "own", {"dataset": "m.npz"}),
        ("third", "another", {}),
    ):
        record(tmp_path / edition, chapter, accuracy=TABLE)
        facts = {**FACTS, "parameters": {**FACTS["parameters"], **extra}}
        write_facts(tmp_path / edition / chapter, facts)
    record(tmp_path / "nw-ucla", "own", accuracy=TABLE, more=TABLE)
    write_facts(tmp_path / "nw-ucla" / "own", FACTS)
    return tmp_path


@pytest.mark.parametrize(
    ("dataset", "model", "shown"),
    [
        ("synthetic", "synthetic", ["mine", "nw-ucla"]),
        ("nw-ucla", "nw-ucla", ["mine"]),
        ("m.npz", "nw-ucla", ["nw-ucla"]),
        ("nw-ucla", "nets.small:make", ["mine", "nw-ucla"]),
    ],
)
def test_all_records_are_shown_but_that_of_the_same_data_and_model(published, dataset, model, shown):
    here = HERE | {"dataset": dataset, "model": model}
    assert other_editions("own", here) == shown
    assert sorted(recorded_beside("own", here).differing) == shown


@pytest.mark.parametrize(("beside", "shown"), [({}, []), ({"beside": []}, []), ({"beside": ["mine"]}, ["mine"])])
def test_only_records_that_are_asked_for_are_shown(published, beside, shown):
    here = {name: value for name, value in HERE.items() if name != "beside"}
    assert other_editions("own", here | beside) == shown


def test_tables_are_labelled_by_the_edition_s_title_or_name(published):
    beside = recorded_beside("own", HERE)
    assert list(beside["accuracy"]) == LABELS
    for table in beside["accuracy"].values():
        assert_frame_equal(table, TABLE)
    assert beside["never recorded"] == {}


def test_it_is_told_where_a_record_comes_from_and_what_is_not_as_here(published):
    assert recorded_beside("own", HERE).origins()["NW-UCLA, recorded"] == (
        "data nw-ucla 0123456789ab; model nw-ucla fedcba987654; code 0.1.0 (abc); run on 2025-01-31; "
        "parameters as here but k = 20"
    )
    same = recorded_beside("own", HERE | {"k": 20}).origins().values()
    assert [text.endswith("; parameters as here") for text in same] == [True, True]


def test_parameters_that_are_missing_here_differ(published):
    here = {name: value for name, value in HERE.items() if name != "graph"}
    assert recorded_beside("own", here).differing["nw-ucla"] == {"k": 20, "graph": "nnk"}


def test_a_record_says_what_it_knows(published):
    """What a build in progress has made has no date yet, and a chapter may have no model."""
    facts = {"parameters": {}, "data": {"name": "nw-ucla", "fingerprint": None}}
    write_facts(published / "nw-ucla" / "own", facts)
    assert Beside("own", {"nw-ucla": {}}).origins() == {LABELS[1]: "data nw-ucla; parameters as here"}


def test_a_cell_of_a_notebook_is_told_which_records_it_took(published, monkeypatch):
    shown = []
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=True))
    monkeypatch.setattr(IPython.display, "display", lambda data, raw: shown.append(data))
    beside = recorded_beside("own", HERE)
    assert beside["never recorded"] == {}
    assert shown == []
    assert list(beside["more"]) == LABELS[1:]
    assert [list(data) for data in shown] == [[SOURCES, "text/plain"]]
    assert shown[0][SOURCES] == [f"{LABELS[1]} 2025-01-31"]
    monkeypatch.setattr(IPython, "get_ipython", lambda: None)
    assert list(beside["more"]) == LABELS[1:]
    assert len(shown) == 1


def test_tables_stand_below_under_the_names_of_their_editions(published):
    own = TABLE.assign(accuracy=[1.0, 0.25]).set_index("method")
    joined = recorded_beside("own", HERE).below(own, "accuracy")
    assert joined.index.names == ["edition", "method"]
    assert list(dict.fromkeys(joined.index.get_level_values(0))) == ["this run", *LABELS]
    assert_frame_equal(joined.loc["this run"], own)
    assert_frame_equal(joined.loc["NW-UCLA, recorded"], TABLE.set_index("method"))


def test_answers_stand_under_the_names_of_their_editions(published):
    beside = recorded_beside("own", HERE)
    assert beside.answers() == {}
    rows = [("answer", "Late.", ""), ("claim", "it falls", "holds"), ("claim", "it rises", "undecided")]
    empty = [("answer", "Nothing can be said, as there are no clips.", "")]
    for edition, kept in (("nw-ucla", rows), ("mine", rows[1:]), ("third", empty)):  # the second has verdicts alone
        record(published / edition, "own", answer=pd.DataFrame(kept, columns=["kind", "text", "verdict"]))
        write_facts(published / edition / "own", FACTS)
    beside = Beside("own", {"nw-ucla": {}, "mine": {}, "third": {}})
    said = ("Late.", [("holds", "it falls"), ("undecided", "it rises")])
    assert beside.answers() == {"NW-UCLA, recorded": said}


def test_without_records_nothing_is_added(published):
    beside = recorded_beside("a chapter that nobody recorded", HERE)
    assert (beside["accuracy"], beside.origins()) == ({}, {})
    own = TABLE.set_index("method")
    assert beside.below(own, "accuracy") is own
