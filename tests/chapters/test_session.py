"""A chapter's session: what it has, the line beside its figures, and the tables that it keeps."""

import json
import re
from dataclasses import replace
from types import SimpleNamespace

import IPython
import numpy as np
import pandas as pd
import pytest

from analysis_lib.chapters import session as module
from analysis_lib.chapters.notes import RUN
from analysis_lib.chapters.session import Session
from analysis_lib.datasets.catalogue import load_dataset
from analysis_lib.errors import UserError
from analysis_lib.statistics.estimates import Verdict

DATA = SimpleNamespace(name="synthetic", fingerprint="0123456789abcdef" * 4)
MODEL = SimpleNamespace(name="mine", card={"weights_sha256": "fedcba9876543210" * 4})
ANNOTATED = {"n": int, "layers": list, "data_root": str, "missing": int}
NAMESPACE = {"n": 3, "layers": [1, 2], "data_root": "/home/me", "other": object(), "__annotations__": ANNOTATED}


@pytest.fixture(autouse=True)
def version(monkeypatch):
    monkeypatch.delenv("STGBOOK_TABLES", raising=False)
    monkeypatch.setattr(module, "code_version", lambda: "1.2 (abc1234)")


def opened(chapter="own", namespace=NAMESPACE, **used):
    """Return a session whose data and network, if given, have been used."""
    session = Session(chapter, namespace)
    vars(session).update(used)
    return session


def texts(html):
    """Return the lines of text that HTML shows."""
    return [line for line in re.split(r"(?:<[^>]*>|\n)+", html) if line]


def test_this_run_has_parameters_code_data_model_and_time():
    run = opened(data=DATA, network=MODEL).record()
    *head, time, caption, n, three, layers, both = texts(run.html)
    assert head == ["This run", "data synthetic 0123456789ab; model mine fedcba987654; code 1.2 (abc1234)"]
    assert time.startswith("run time ")
    assert (caption, n, three, layers, both) == ("Parameters", "n", "3", "layers", "[1, 2]")
    assert run._repr_mimebundle_()[RUN] == "generated people"


def test_a_model_without_stored_weights_has_its_name_alone():
    run = opened(namespace={}, network=SimpleNamespace(name="nets:<b>", card={})).record()
    assert "<p>model nets:&lt;b&gt;; code 1.2 (abc1234)</p>" in run.html
    assert texts(run.html)[-1] == "no parameters"


def test_the_answer_is_shown_with_its_verdicts_and_recorded(tmp_path, monkeypatch):
    monkeypatch.setenv("STGBOOK_TABLES", str(tmp_path))
    session = opened()
    shown = session.answer("Late.", [(Verdict.HOLDS, "the fall is late")]).data
    assert texts(shown) == ["Late.", "- ", "holds", " the fall is late"]
    session.record()
    kept = pd.read_csv(tmp_path / "own" / "answer.csv", keep_default_na=False)
    assert kept.values.tolist() == [["answer", "Late.", ""], ["claim", "the fall is late", "holds"]]


def test_the_answer_from_other_data_stands_beside(monkeypatch):
    session = opened(data=DATA)
    other = ("Early | late.", [("undecided", "a | b"), ("holds", "only there")])
    monkeypatch.setitem(vars(session), "beside", SimpleNamespace(answers=lambda: {"*Real*": other}))
    shown = session.answer("Late.", [(Verdict.HOLDS, "a | b")]).data
    assert r"*\*Real\**: Early | late." in shown
    rows = [re.split(r" (?<!\\)\| ", line.strip("| ")) for line in shown.splitlines() if line.startswith("|")]
    cells = [[re.sub("<.*?>", "", cell) for cell in row] for row in rows]
    assert cells[0] == ["claim", "generated people", r"\*Real\*"]
    assert cells[2:] == [[r"a \| b", "holds", "undecided"], ["only there", "–", "holds"]]
    assert [one["text"] for one in session.answers] == ["Late.", "a | b"]  # theirs are not recorded as ours


def test_a_chapter_of_the_book_has_the_parameters_that_it_declares(monkeypatch):
    declared = SimpleNamespace(parameters=[SimpleNamespace(name="other"), SimpleNamespace(name="k")])
    monkeypatch.setattr(module, "load_chapter", lambda name: declared)
    assert opened("data", {"other": 1, "n": 3}).parameters == {"other": 1}


def test_parameters_are_those_of_the_first_cell():
    namespace = {"n": 3, "__annotations__": {"n": int}}
    session = opened(namespace=namespace)
    namespace["n"] = 4
    assert session.parameters == {"n": 3}


def test_nothing_is_written_unless_a_folder_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    opened().record(table=pd.DataFrame({"a": [1]}))
    assert list(tmp_path.iterdir()) == []


def test_the_facts_are_written_beside_the_tables(tmp_path, monkeypatch):
    monkeypatch.setenv("STGBOOK_TABLES", str(tmp_path))
    opened(data=DATA, network=MODEL).record()
    assert json.loads((tmp_path / "own" / "provenance.json").read_text()) == {
        "chapter": "own",
        "parameters": {"n": 3, "layers": [1, 2]},
        "code": "1.2 (abc1234)",
        "data": {"name": "synthetic", "fingerprint": DATA.fingerprint},
        "model": {"name": "mine", "weights": MODEL.card["weights_sha256"]},
        "files": {},
    }


CLIPS = SimpleNamespace(name="mine", labels=np.array([0, 0, 0, 2, 2]), class_names=("hop", "sit", "wave"))


@pytest.mark.parametrize(
    ("ask", "got", "note"),
    [
        (lambda s: s.at_most("k", 5, 9), 5, ""),
        (lambda s: s.at_most("k", 10, 9), 9, "`k = 10` asks for more than there are; taken: 9."),
        (
            lambda s: s.at_most("k", [5, 8, 20], 9),
            [5, 8],
            "`k = [5, 8, 20]` asks for more than there are; taken: 5 and 8.",
        ),
        (lambda s: s.at_most("k", [20], 9), [9], "`k = [20]` asks for more than there are; taken: 9."),
        (lambda s: s.per_class("n", 2, CLIPS), 2, ""),
        (
            lambda s: s.per_class("n", 3, CLIPS),
            3,
            "Some actions of mine have fewer clips than `n = 3`, and all are taken: wave 2.",
        ),
    ],
)
def test_what_there_is_too_little_of_is_taken_and_said_once(ask, got, note):
    session = opened()
    assert [ask(session), ask(session)] == [got, got]
    assert [session.say("Answer.").data, session.say("More.").data] == [f"Answer.\n\n{note}".strip(), "More."]


def test_without_a_part_the_rest_goes_on(monkeypatch):
    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda text: shown.append(text.data))
    with opened().part("The curve"):
        raise UserError("no clips of '<b>*sit*'")
    assert shown == [r"*The curve is missing here: no clips of '\<b\>\*sit\*'*"]
    with pytest.raises(ZeroDivisionError), opened().part("The curve"):
        1 / 0  # noqa: B018


@pytest.mark.parametrize(("sentences", "shown"), [(("One.", "", "Two."), "One.\n\nTwo."), (("Alone.",), "Alone.")])
def test_sentences_are_paragraphs(sentences, shown):
    assert opened().say(*sentences).data == shown


def test_where_nothing_is_to_be_said_nothing_is_displayed():
    assert opened().say("") is None


def nodes_of(data, nodes, n_per_class=1):
    """Return the clips that a chapter on these data takes for nodes, and what its page says of them."""
    given = {"split": "test", "train_split": "train"}
    session = opened(namespace=given | {"__annotations__": given}, data=data)
    return session.nodes(nodes, n_per_class, 0), session.training_clips, session.notes


def test_nodes_of_both_splits_are_told():
    data = load_dataset("synthetic")
    tested, _, notes = nodes_of(data, "test")
    assert (len(tested), len(tested.splits["test"]), notes) == (20, 20, [])
    both, train, notes = nodes_of(data, "both", 2)
    assert (len(both.splits["test"]), len(both.splits["train"]), len(train)) == (20, 20, 960)
    assert notes == [
        "The nodes are 20 clips of the split <code>test</code> and 20 clips of the split <code>train</code>."
    ]
    assert nodes_of(data, "train")[2] == ["The nodes are 20 clips of the split <code>train</code>."]


@pytest.mark.parametrize("nodes", ["test", "train", "both"])
def test_data_with_one_split_are_nodes_and_training_clips_alike(nodes):
    data = load_dataset("synthetic")
    data = replace(data, splits={"everyone": range(40)})
    found, train, (note,) = nodes_of(data, nodes)
    assert len(found) == len(np.unique(train.labels))
    assert note.startswith("The data have one split only, <code>everyone</code>: ")
