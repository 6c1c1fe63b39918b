"""The table of claims in a browser: sorted by its headings, filtered by paper and verdict, plain without a script."""

import shutil

import pytest
from browser import BROWSER, open_browser, serve

from analysis_lib.files import ROOT
from analysis_lib.studies.claims import words
from analysis_lib.studies.claims.findings import FAILS, HOLDS, UNDECIDED, UNTESTED, Edition, Finding, Findings
from analysis_lib.studies.claims.papers import Claim

pytestmark = pytest.mark.skipif(not BROWSER, reason="no Chromium or Chrome on this machine")

VERDICTS = {"G2": (HOLDS, UNDECIDED), "G10": (UNTESTED, FAILS), "F1": (FAILS, HOLDS)}
SHOWN = "[...document.querySelectorAll('tbody tr')].filter((row) => !row.hidden).map((row) => row.id).join(' ')"


@pytest.fixture(scope="module")
def table():
    claims = [Claim(name, "c", "w", "p", "own#f", (), source="G" if name[0] == "G" else "F & co") for name in VERDICTS]
    found = [Finding(c, e, (), v) for c in claims for e, v in zip(("one", "two"), VERDICTS[c.id], strict=True)]
    return words.claims_html(Findings(claims, [Edition(e, {}, ()) for e in ("one", "two")], found))


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with open_browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(browser, table, tmp_path):
    shutil.copyfile(ROOT / "book" / "_assets" / "tables.js", tmp_path / "tables.js")
    (tmp_path / "page.html").write_text(f"<!doctype html><title>t</title><script src='tables.js'></script>{table}")
    with serve(tmp_path) as url:
        browser.open(f"{url}/page.html")
        browser.wait("document.querySelector('.table-filters') !== null")
        yield browser


def choose(page, place, value):
    select = f"document.querySelectorAll('select')[{place}]"
    page.run(f"{select}.value = '{value}'; {select}.dispatchEvent(new Event('change'))")


def test_headings_sort_up_and_down(page):
    click = "document.querySelectorAll('thead button')[{}].click()"
    order = {0: "F1 G2 G10", 1: "F1 G2 G10", 2: "G2 F1 G10", 3: "F1 G10 G2"}
    for column, expected in order.items():
        page.run(click.format(column))
        assert page.run(SHOWN) == expected
    page.run(click.format(3))
    assert page.run(SHOWN) == "G2 G10 F1"
    states = page.run("[...document.querySelectorAll('thead th')].map((th) => th.getAttribute('aria-sort')).join(' ')")
    assert states == "none none none descending"


def test_filters_by_paper_and_verdict(page):
    told = "document.querySelector('[role=status]').textContent"
    choose(page, 0, "G")
    assert (page.run(SHOWN), page.run(told)) == ("G2 G10", "2 of 3 shown")
    choose(page, 1, "does not hold")  # in any column
    assert (page.run(SHOWN), page.run(told)) == ("G10", "1 of 3 shown")
    choose(page, 0, "F & co")
    assert page.run(SHOWN) == "F1"
    page.run("location.hash = '#G2'")
    page.wait(f"{told} === '3 of 3 shown'")  # a link to a row that was filtered away shows all
