"""The opening quotes what chapters recorded, and draws a graph of a few clips."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from notebooks import record
from sentences import check, check_answer

from analysis_lib.chapters import recorded
from analysis_lib.chapters.chapter import load_chapter
from analysis_lib.datasets.catalogue import load_dataset
from analysis_lib.geometry.smoothness import label_smoothness
from analysis_lib.networks.checkpoints import load_checkpoint
from analysis_lib.studies.opening import words
from analysis_lib.studies.opening.figures import plot_method
from analysis_lib.studies.opening.tables import answer_table, curve_table, few_clips, verdict_table

ASKED = {name: load_chapter(name).question for name in ("noise", "transfer")}
OF = st.sampled_from(["claim", "fact", "control"])
KINDS = ["holds", "does not hold", "undecided", "cannot be tested"]


@pytest.fixture
def published(tmp_path, monkeypatch):
    """An edition of which two chapters have answered, and the claims were judged."""
    monkeypatch.setattr(recorded, "PUBLISHED", tmp_path)
    monkeypatch.delenv(recorded.BUILT, raising=False)
    for chapter, text in (("noise", "It *shakes*."), ("transfer", "All of them.")):
        said = {"kind": ["answer", "claim"], "text": [text, "it helps"], "verdict": ["", "holds"]}
        record(tmp_path / "mine", chapter, answer=pd.DataFrame(said))
    ids, editions = ["G1", "G1", "G2", "G1", "S1", "S1"], ["mine", "mine", "mine", "nw-ucla", "mine", "nw-ucla"]
    verdicts = ["holds", "holds", "cannot be tested here", "does not hold", "holds", "holds"]
    kinds = {"kind": ["claim"] * 4 + ["fact"] * 2, "seen": [1, 0, 0, 1, 0, 0]}
    judged = pd.DataFrame({"id": ids, "edition": editions, "verdict": verdicts} | kinds)
    record(tmp_path / "mine", "claims", table=judged)
    curve = [(0, "group", 0.9), (1, "group", 0.5), (1, "group", 0.7), (1, "class", 0.0), (2, "group", 0.2)]
    record(tmp_path / "mine", "smoothness", table=pd.DataFrame(curve, columns=["layer", "level", "q"]))
    return tmp_path


def test_what_chapters_answered_is_quoted_and_leads_to_them(published):
    answers = answer_table("mine", ["noise", "smoothness", "transfer"])
    claim = '   - <span class="verdict verdict-holds">holds</span> it helps'
    assert words.findings(answers).splitlines() == [
        f"1. **[Noise](noise)** *{ASKED['noise']}* It *shakes*.",
        claim,
        f"1. **[Transfer](transfer)** *{ASKED['transfer']}* All of them.",
        claim,
    ]
    assert words.findings(answers[:0]) == "No chapter has been run yet."


def test_the_first_other_edition_that_has_answered_is_quoted_too(published):
    said = pd.DataFrame({"kind": ["answer", "claim"], "text": ["Not here.", "it helps"], "verdict": ["", "undecided"]})
    record(published / "nw-ucla", "noise", answer=said)
    record(published / "nw-ucla-known", "noise", answer=said.assign(text="No."))
    answers = answer_table("mine", ["noise", "transfer"], ["synthetic-pictures", "nw-ucla", "nw-ucla-known"])
    lines = words.findings(answers).splitlines()
    here = '<span class="verdict verdict-holds">holds</span>'
    there = '<span class="verdict verdict-undecided">NW-UCLA: undecided</span>'
    assert lines == [
        f"1. **[Noise](noise)** *{ASKED['noise']}* It *shakes*.",
        "   - *NW-UCLA*: Not here.",
        f"   - {here} {there} it helps",
        f"1. **[Transfer](transfer)** *{ASKED['transfer']}* All of them.",
        f"   - {here} it helps",
    ]


def test_claims_are_counted_once_and_only_where_they_were_tested(published):
    found = verdict_table("mine")
    assert found.values.tolist() == [
        ["G1", "claim", 1, "mine", "holds"],
        ["G2", "claim", 0, "mine", "cannot be tested here"],
        ["G1", "claim", 1, "NW-UCLA", "does not hold"],
        ["S1", "fact", 0, "mine", "holds"],
        ["S1", "fact", 0, "NW-UCLA", "holds"],
    ]
    said = (
        "Of the claims that can be tested, on mine 1 of 1 holds, 0 do not and 0 are undecided and on NW-UCLA 0 of "
        "1 hold, 1 does not and 0 are undecided; of 1 fact checked, 1 holds."
    )
    assert words.answer(found) == said
    assert words.seen(found).startswith(
        "Bounds that no paper gives were set when this book's curves had been seen for 1 of"
    )
    nothing = verdict_table("no edition")
    assert words.answer(nothing).startswith("Nothing can be said yet")
    assert words.seen(nothing) == ""


@given(st.lists(st.tuples(st.integers(0, 30), OF, st.booleans(), st.integers(0, 2), st.sampled_from(KINDS))))
def test_the_answer_counts_every_claim_that_was_tested(rows):
    columns = ["id", "kind", "seen", "edition", "verdict"]
    table = pd.DataFrame(
        [(f"G{i}", kind, int(seen), f"edition {e}", v) for i, kind, seen, e, v in rows], columns=columns
    )
    table = table.drop_duplicates(["id", "edition"])
    answer = words.answer(table)
    check_answer(answer)
    for total, fails, undecided in re.findall(r"(\d+ of \d+) holds?, (\d+) do(?:es)? not and (\d+)", answer):
        holds, count = map(int, total.split(" of "))
        assert count == holds + int(fails) + int(undecided)
    tested = table[(table["verdict"] != "cannot be tested") & (table["kind"] != "control")]
    assert ("Nothing" in answer) == tested.empty
    each = tested[tested["kind"] == "claim"].groupby("edition", sort=False).size()
    assert (
        answer.count("undecided") == min(2, (2 * each >= each.iloc[0]).sum())
        if len(each)
        else "undecided" not in answer
    )
    check(words.seen(table))


def test_the_curve_is_the_recorded_mean_of_the_super_classes(published):
    assert curve_table("mine").values.tolist() == [[1, pytest.approx(0.6)], [2, 0.2]]
    assert curve_table("no edition") is None


def test_the_picture_shows_the_graph_and_the_label_variation_of_its_clips():
    network, data = load_checkpoint("synthetic"), load_dataset("synthetic").split("test")
    few, layers = few_clips(network, data)
    assert np.bincount(np.unique(few.labels, return_inverse=True)[1]).tolist() == [4, 4, 4]
    *_, graph, curve = plot_method(few, layers).axes[:5]
    weights = np.triu(layers[-1].graph.toarray())
    apart = sum(few.labels[i] != few.labels[j] for i, j in zip(*np.nonzero(weights), strict=True))
    assert sum(line.get_linestyle() == "--" for line in graph.lines) == apart
    shares = [label_smoothness(layer.graph, few.labels).mean() for layer in layers[1:]]
    assert curve.lines[0].get_ydata().tolist() == pytest.approx(shares)
    assert curve.get_xlabel() == "layer, these clips"
    recorded = plot_method(few, layers, pd.DataFrame({"layer": [1, 2], "q": [0.6, 0.2]})).axes[4]
    assert recorded.lines[0].get_ydata().tolist() == [0.6, 0.2]
