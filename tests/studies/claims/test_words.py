"""The page of claims says what was found: sentences, HTML and figure."""

import re
from dataclasses import replace

import matplotlib as mpl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentences import check, check_answer

from analysis_lib.plots.style import FAINT, NEGATIVE
from analysis_lib.statistics.estimates import Estimate
from analysis_lib.studies.claims import words
from analysis_lib.studies.claims.deviations import OPEN, OTHER, SAME, deviation_table
from analysis_lib.studies.claims.figures import plot_verdicts, verdict_counts
from analysis_lib.studies.claims.findings import (
    DECIDED,
    FAILS,
    HOLDS,
    MISSING,
    UNDECIDED,
    UNTESTED,
    VERDICTS,
    Edition,
    Finding,
    Findings,
)
from analysis_lib.studies.claims.measures import cell
from analysis_lib.studies.claims.papers import Bounds, Check, Claim, Claims, Former, Setting, Training
from analysis_lib.studies.claims.tables import claims_table

SHARE = Check("share", (), cell, at_least=0.5, unit="percent", over={"k": 10})
DROP = Check("drop", (), cell, at_most=-1, unit="points")
GAP = Check("gap", (), cell, at_most=0, unit="points")
ONE = Claim("G1", "a < b", "Fig. 1", "82 %", "smoothness#fig-x", (SHARE, DROP, Check("beside", (), cell)), ours=True)
ONE = replace(
    ONE, source="One & only", bounds=Bounds("2026-01-02", True), history=(Former("2026-01-02", "b < 1", "unfair"),)
)
TWO = Claim("G2", "c", "Fig. 2", "3", "data#y", (Check("n", (), cell, at_least=0.1, at_most=0.2),), source="Two")
FACT = Claim("G3", "1 + 1 = 2", "Fig. 3", "2", "data#z", (), kind="fact", source="Two")
CONTROL = Claim("G4", "it is learnt", "Fig. 4", "not tried", "data#w", (GAP,), kind="control", source="Two")
NONE = dict.fromkeys(VERDICTS, 0)
FOUND = Findings(
    [ONE, TWO, FACT, CONTROL],
    [
        Edition("one", NONE | {FAILS: 1, UNTESTED: 1}, ("G1",), wanted=3),
        Edition(
            "two",
            NONE | {UNDECIDED: 1, MISSING: 1},
            (),
            ("d", "e"),
            ("2025-01-01", "2025-02-01"),
            ("1 (x)", "1 (y)"),
            2,
            3,
        ),
        Edition("three", NONE | {HOLDS: 2}, (), ("d",), (), (), 3, 3, 1),
    ],
    [
        Finding(
            ONE, "one", (Estimate(0.8062, 0.7, 0.9, 1480), Estimate(0.019), Estimate(7)), FAILS, held=1, settings=36
        ),
        Finding(ONE, "two", (Estimate(0.6), Estimate(-2.0), None), UNDECIDED),
        Finding(ONE, "three", (Estimate(0.6), Estimate(-2.0), None), HOLDS, held=36, settings=36),
        Finding(TWO, "one", (Estimate(0.15),), UNTESTED, "NTU", "why <not>", "do & so"),
        Finding(TWO, "two", (None,), MISSING, command="make it"),
        Finding(TWO, "three", (Estimate(0.15),), HOLDS),
        Finding(FACT, "one", (), MISSING),
        Finding(FACT, "two", (), FAILS),
        Finding(FACT, "three", (), FAILS),
        Finding(CONTROL, "one", (Estimate(-0.0004, -0.003, 0.00002),), UNDECIDED),
        Finding(CONTROL, "two", (Estimate(-0.5, -0.6, -0.4),), HOLDS),
        Finding(CONTROL, "three", (None,), MISSING),
    ],
)


def test_words_of_the_answer_and_the_sources(said):
    said("answer", f"{words.answer(FOUND)}\n{words.numbers(FOUND)}")
    said("sources", words.sources(FOUND))


@given(
    st.lists(st.lists(st.integers(0, 60), min_size=5, max_size=5), max_size=3),
    st.lists(st.sampled_from(VERDICTS), max_size=4),
)
def test_the_answer_counts_what_was_found(counts, facts):
    editions = [Edition(f"e {i}", dict(zip(VERDICTS, row, strict=True)), ()) for i, row in enumerate(counts)]
    checked = [Finding(replace(FACT, id=f"F{i}"), "e 0", (), verdict) for i, verdict in enumerate(facts)]
    found = Findings([ONE] * 200 + [one.claim for one in checked], editions, checked)
    answer = words.answer(found)
    check_answer(answer)
    check(words.numbers(found))
    n = [one.counts[HOLDS] + one.counts[FAILS] + one.counts[UNDECIDED] for one in editions]
    first = next(filter(None, n), 0)
    told = [one.counts for one, k in zip(editions, n, strict=True) if k and 2 * k >= first][:2]
    tested = [verdict for verdict in facts if verdict in DECIDED]
    assert ("Nothing can be said" in answer) == (not told and not tested)
    held = [str(one[HOLDS]) for one in told] + ([str(tested.count(HOLDS))] if tested else [])
    assert re.findall(r"(\d+) holds?\b", answer) == held
    assert ("rest" in answer) == any(one[UNTESTED] + one[MISSING] for one in told)
    assert re.findall(r"f (\d+) facts?", answer) == ([str(len(tested))] if tested else [])
    assert words.answer(replace(found, claims=[])).startswith("Nothing can be said")


def test_words_of_the_table(said):
    html = words.claims_html(FOUND)
    said("table", html.replace("<t", "\n<t").replace("<li", "\n<li"))
    assert html.count("<tr") == 5
    assert (html.count("a fact"), html.count("a control")) == (1, 1)


@pytest.mark.parametrize(
    ("verdicts", "cell", "blocks"),
    [
        ((HOLDS, FAILS), HOLDS, ["three", "four"]),
        ((MISSING, UNDECIDED), UNDECIDED, ["four"]),
        ((UNTESTED, MISSING), UNTESTED, []),
        ((MISSING, MISSING), MISSING, []),
    ],
)
def test_editions_after_the_second_share_a_cell_that_tells_what_they_tested(verdicts, cell, blocks):
    names = ("one", "two", "three", "four")
    found = [Finding(TWO, e, (None,), v) for e, v in zip(names, (HOLDS, HOLDS, *verdicts), strict=True)]
    html = words.claims_html(Findings([TWO], [Edition(e, NONE, ()) for e in names], found))
    (shared,) = re.findall(r"<td data-head='Other data' data-verdict='(.*?)'>(.*?)</td>", html)
    assert shared[0] == cell
    assert re.findall(r"<div data-verdict='.*?'> <small>(.*?)</small>", shared[1]) == blocks
    assert "Other data" not in words.claims_html(Findings([TWO], [Edition("one", NONE, ())], found[:1]))


def test_words_of_the_summary(said):
    html = words.summary_html(FOUND)
    said("summary", html.replace("<section", "\n<section").replace("<h", "\n<h").replace("<li", "\n<li"))
    assert set(re.findall("href='#(.*?)'", html)) == {"G1", "G2", "G3", "G4"}  # each leads to its row
    assert re.findall("<h3>(.*?)</h3>", html)[-1] == "Facts, which no data decide"


def test_words_of_what_differs(said):
    settings = (Setting("epochs", "recipe.epochs", "100", "Section 4", 100), Setting("width", "width", "1", "", 1.0))
    training = Training("One & only", "stgcn", (*settings, Setting("steps", "steps")))
    card = {
        "name": "mine",
        "architecture": "stgcn",
        "recipe": {"epochs": 100},
        "steps": ["turn", "mirror"],
        "width": 0.5,
    }
    table = deviation_table([training], [card, card | {"name": "other", "architecture": "agcn"}])
    assert table["verdict"].tolist() == [SAME, OTHER, OPEN]
    assert table["ours"].tolist() == ["100", "0.5", "turn, mirror"]
    said("differs", words.deviations(table) + words.deviations_html(table).replace("<tr", "\n<tr"))
    assert words.deviations(deviation_table([training], [])).startswith("No network")


def test_the_line_under_the_figure_names_the_records():
    assert words.records(FOUND) == ["two, recorded 2025-01-01 to 2025-02-01"]


def test_what_was_left_out():
    assert words.left_out(Claims((), {"G3": "a *setting*"}, ())) == r"- G3: a \*setting\*"


@pytest.mark.usefixtures("drawn_whole")
def test_the_bars_of_the_figure_are_the_verdicts_of_each_paper_and_edition():
    table = claims_table(FOUND)
    counts = verdict_counts(table).set_index(["paper", "edition"])
    assert list(counts.index) == [
        *[("all papers", edition) for edition in ("one", "two", "three")],
        *[("One & only", edition) for edition in ("one", "two", "three")],
        *[("Two", edition) for edition in ("one", "three")],  # nothing is recorded of "two"
        *[("this book's own controls", edition) for edition in ("one", "two")],
        ("facts", "any data"),
    ]
    assert counts.loc[("facts", "any data")].to_dict() == {HOLDS: 0, FAILS: 1, UNDECIDED: 0, UNTESTED: 0}
    assert counts.loc[("all papers", "three")].to_dict() == {HOLDS: 2, FAILS: 0, UNDECIDED: 0, UNTESTED: 0}
    (axes,) = plot_verdicts(table).axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == [edition for _, edition in counts.index]
    told = [text.get_text() for text in axes.texts]
    assert told.count("2") == 1
    assert {"all papers", "One & only", "Two"} < set(told)
    bars = [(bar.get_x(), bar.get_width(), mpl.colors.to_hex(bar.get_edgecolor())) for bar in axes.patches]
    assert bars[:2] == [(0, 1, NEGATIVE.lower()), (1, 1, FAINT.lower())]
    assert len(bars) == 12


@pytest.mark.usefixtures("drawn_whole")
@pytest.mark.parametrize("rows", [0, 1])
def test_the_figure_of_one_claim_or_none(rows):
    axes = plot_verdicts(claims_table(FOUND).head(rows)).axes[0]
    assert len(axes.patches) == rows
    assert "all papers" not in [text.get_text() for text in axes.texts]
