"""The page of claims says what the table says: sentence, HTML and figure."""

import re

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from analysis_lib.studies.claims import words as report
from analysis_lib.studies.claims.figures import plot_verdicts
from analysis_lib.studies.claims.tables import FAILS, HOLDS, MISSING, UNTESTED, Check, Claim, Claims, Need

NEED = Need("NTU", (), "do & so")
CLAIMS = Claims(
    (
        Claim(
            "G1",
            "a < b",
            "Fig. 1",
            "82 %",
            "smoothness#fig-x",
            (
                Check("share", (), "cell", at_least=0.5, unit="percent"),
                Check("drop", (), "cell", at_most=-1, unit="points"),
            ),
            ours=True,
        ),
        Claim("G2", "c", "Fig. 2", "3", "data#y", (), need=NEED),
    ),
    {"NTU": NEED},
    {"G3": "a setting"},
)
ROW = {
    "value": float("nan"),
    "low": float("nan"),
    "high": float("nan"),
    "clips": 0,
    "clear": True,
    "holds": float("nan"),
    "without": "",
    "note": "",
    "command": "",
}


@pytest.fixture
def table():
    rows = [
        {
            "id": "G1",
            "edition": "one",
            "verdict": FAILS,
            "check": "share",
            "value": 0.8062,
            "low": 0.7,
            "high": 0.9,
            "clips": 1480,
            "holds": 1.0,
        },
        {"id": "G1", "edition": "one", "verdict": FAILS, "check": "drop", "value": 0.019, "holds": 0.0},
        {"id": "G1", "edition": "two", "verdict": HOLDS, "check": "share", "value": 0.6, "holds": 1.0, "clear": False},
        {"id": "G1", "edition": "two", "verdict": HOLDS, "check": "drop", "value": -2.0, "holds": 1.0, "clear": False},
        {
            "id": "G2",
            "edition": "one",
            "verdict": UNTESTED,
            "check": "",
            "without": "NTU",
            "note": "why <not>",
            "command": "do & so",
        },
        {"id": "G2", "edition": "two", "verdict": MISSING, "check": "", "command": "make it"},
    ]
    return pd.DataFrame([{**ROW, **row} for row in rows])


def test_the_answer_counts_claims_not_checks(table):
    assert report.claims_answer(table).data == (
        "**Answer.** Of 2 claims, on *one*: hold 0; do not hold 1 (G1); cannot be tested 1. "
        "On *two*: hold 1; do not hold 0; cannot be tested 0; not recorded 1. "
        "For 1 of them an interval crosses its bound."
    )


def test_the_table_has_values_intervals_bounds_and_commands(table):
    html = report.claims_html(CLAIMS, table).data
    assert "<a href='smoothness.html#fig-x'>G1</a> <span>a &lt; b</span>" in html
    text = re.sub(r"<[^>]+>", "|", html)
    for expected in (
        "✗ does not hold",
        "80.6 %",
        "[70.0 %, 90.0 %]",
        "1,480 clips",
        "✓ wanted at least 50.0 %",
        "+1.9 points",
        "✗ wanted at most −100.0 points",
        "✓ holds, not clearly",
        "○ cannot be tested without NTU",
        "why &lt;not&gt;",
        "do &amp; so",
        "– not recorded",
        "make it",
        "bounds: this book's own",
    ):
        assert expected in text, expected
    assert html.count("<tr>") == 3
    assert html.count("<td data-head='two'>") == 2


def test_a_value_that_is_not_judged_has_no_mark(table):
    table.loc[table["verdict"] == FAILS, ["verdict", "without"]] = UNTESTED, "NTU"
    html = report.claims_html(CLAIMS, table).data
    one = re.search(r"data-head='one'>(.*?)</td>", html)[1]
    assert "80.6 %" in one
    assert "wanted" not in one


def test_bounds_in_words():
    assert report.wanted(Check("n", (), "cell", at_least=0.1, at_most=0.2)) == "0.10 to 0.20"
    assert report.wanted(Check("n", (), "cell", at_least=-1e-9, at_most=1e-9)) == "0.00"


def test_where_the_numbers_come_from(table, monkeypatch):
    facts = {
        ("one", "a"): {"data": {"name": "d"}, "code": "1 (x)", "date": "2025-01-01"},
        ("one", "b"): {"data": {"name": "d"}, "code": "1 (y)", "date": "2025-02-01"},
    }
    monkeypatch.setattr(report, "recorded_provenance", lambda *place: facts.get(place))
    lines = report.editions_answer(table, ["a", "b", "c"]).data.splitlines()
    assert lines == [
        "- *one*: d; recorded 2025-01-01 to 2025-02-01; 2 of 3 chapters; code 1 (x), 1 (y)",
        "- *two*: no tables; `stgbook book --edition two` makes them",
    ]
    del facts["one", "a"], facts["one", "b"]["date"]
    assert "d; this build; 1 of 3" in report.editions_answer(table, ["a", "b", "c"]).data


def test_what_was_left_out():
    assert report.left_out_table(CLAIMS).loc["G3", "why"] == "a setting"


def test_the_figure_has_a_mark_for_each_claim_and_edition(table):
    with mpl.rc_context():
        figure = plot_verdicts(CLAIMS, table)
        figure.canvas.draw()
        (axes,) = figure.axes
        marks = {tuple(p): tuple(c.get_facecolor()[0]) for c in axes.collections for p in c.get_offsets().tolist()}
        names = [tick.get_text() for tick in axes.get_yticklabels()]
        plt.close(figure)
    assert set(marks) == {(0, 0), (1, 0), (0, 1), (1, 1)}  # (edition, claim)
    assert marks[1, 0] == (1, 1, 1, 1)  # hollow: not clear
    assert marks[0, 0] == mpl.colors.to_rgba("#D55E00")
    assert [name.split()[0] for name in names] == ["G1", "G2"]
