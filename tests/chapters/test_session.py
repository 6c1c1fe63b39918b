"""A chapter's session: what it has, the line beside its figures, and the tables that it keeps."""

import json
from types import SimpleNamespace

import pandas as pd
import pytest

from analysis_lib.chapters import session as module
from analysis_lib.chapters.session import Session

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


def test_the_line_has_parameters_code_data_model_and_time():
    text = opened(data=DATA, network=MODEL).record().data
    first, second = text.split("\n")
    assert first == (
        '<small class="provenance">Parameters <code>n = 3</code>, <code>layers = \\[1, 2\\]</code>; '
        "data synthetic <code>0123456789ab</code>; "
        "model mine <code>fedcba987654</code>; code 1.2 (abc1234)."
    )
    assert second.startswith("Run time ")
    assert second.endswith(".</small>")


def test_a_model_without_stored_weights_has_its_name_alone():
    text = opened(namespace={}, network=SimpleNamespace(name="nets:make", card={})).record().data
    assert "Parameters none; model nets:make; code 1.2 (abc1234)." in text


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


@pytest.mark.parametrize(
    ("sentences", "shown"), [(("One.", "", "Two."), "One.\n\nTwo."), ((), ""), (("Alone.",), "Alone.")]
)
def test_sentences_are_paragraphs(sentences, shown):
    assert opened().say(*sentences).data == shown
