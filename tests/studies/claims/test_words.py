"""The page of claims says what was found: sentences, HTML and figure."""

import matplotlib as mpl
import pytest

from analysis_lib.statistics import Estimate
from analysis_lib.studies.claims import words
from analysis_lib.studies.claims.figures import plot_verdicts
from analysis_lib.studies.claims.findings import FAILS, HOLDS, MISSING, UNTESTED, Edition, Finding, Findings
from analysis_lib.studies.claims.measures import cell
from analysis_lib.studies.claims.papers import Check, Claim, Claims
from analysis_lib.studies.claims.tables import claims_table, left_out_table

SHARE = Check("share", (), cell, at_least=0.5, unit="percent")
DROP = Check("drop", (), cell, at_most=-1, unit="points")
ONE = Claim("G1", "a < b", "Fig. 1", "82 %", "smoothness#fig-x", (SHARE, DROP), ours=True)
TWO = Claim("G2", "c", "Fig. 2", "3", "data#y", (Check("n", (), cell, at_least=0.1, at_most=0.2),))
FOUND = Findings(
    [ONE, TWO],
    [
        Edition("one", {HOLDS: 0, FAILS: 1, UNTESTED: 1, MISSING: 0}, ("G1",), 0, wanted=3),
        Edition(
            "two",
            {HOLDS: 1, FAILS: 0, UNTESTED: 0, MISSING: 1},
            (),
            1,
            ("d", "e"),
            ("2025-01-01", "2025-02-01"),
            ("1 (x)", "1 (y)"),
            2,
            3,
        ),
        Edition("three", {HOLDS: 2, FAILS: 0, UNTESTED: 0, MISSING: 0}, (), 0, ("d",), (), (), 3, 3),
    ],
    [
        Finding(ONE, "one", (Estimate(0.8062, 0.7, 0.9, 1480), Estimate(0.019)), FAILS),
        Finding(ONE, "two", (Estimate(0.6), Estimate(-2.0)), HOLDS, clear=False),
        Finding(ONE, "three", (Estimate(0.6), Estimate(-2.0)), HOLDS),
        Finding(TWO, "one", (Estimate(0.15),), UNTESTED, True, "NTU", "why <not>", "do & so"),
        Finding(TWO, "two", (None,), MISSING, command="make it"),
        Finding(TWO, "three", (Estimate(0.15),), HOLDS),
    ],
)


def test_words_of_the_answer_and_the_sources(said):
    said("answer", words.answer(FOUND))
    said("sources", words.sources(FOUND))


def test_words_of_the_table(said):
    html = words.claims_html(FOUND)
    said("table", html.replace("<t", "\n<t").replace("<li", "\n<li"))
    assert html.count("<tr") == 3


def test_what_was_left_out():
    assert left_out_table(Claims((), {"G3": "a setting"}, ())).loc["G3", "why"] == "a setting"


@pytest.mark.usefixtures("drawn_whole")
def test_the_figure_has_a_mark_for_each_claim_and_edition():
    figure = plot_verdicts(Claims((ONE, TWO), {}, ()), claims_table(FOUND))
    (axes,) = figure.axes
    rows = {y: row for row, y in enumerate(axes.get_yticks())}
    found = [(p, tuple(c.get_facecolor()[0])) for c in axes.collections for p in c.get_offsets().tolist()]
    marks = {(x, rows[y]): colour for (x, y), colour in found}
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    assert set(marks) == {(edition, claim) for edition in range(3) for claim in range(2)}
    assert marks[1, 0] == (1, 1, 1, 1)  # hollow: not clear
    assert marks[0, 0] == mpl.colors.to_rgba("#D55E00")
    assert [name.split()[0] for name in names] == ["G1", "G2"]
