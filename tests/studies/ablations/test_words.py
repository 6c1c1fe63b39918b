"""What is found of parts, by hand, and what is said of it, a snapshot a case."""

from math import nan

import pandas as pd
import pytest
from sentences import check, check_answer

from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.studies.ablations import findings, words
from analysis_lib.studies.ablations.findings import Actions, Findings, Focus, Part

FOCAL = Part("fg-stformer", "Table 1", "focal joints, not all", Estimate(0.03, 0.01, 0.05), 0.005)
PARTS = Part("fg-stformer", "Table 1", "parts of the body", Estimate(0.01, -0.01, 0.03), 0.008)
FRAMES = Part("st-gdn", "Section III.C", "whitened frames", Estimate(-0.04, -0.06, -0.02), nan)
CASES = {
    "nothing": None,
    "one helps": Findings((FOCAL,), 2, {"fg-stformer": 0.01}),
    "all kinds": Findings((FOCAL, PARTS, FRAMES), 3, {"fg-stformer": 0.01, "st-gdn": 0.02}),
    "none helps": Findings((PARTS,), 3, {"fg-stformer": 0.01}),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_said(said, case):
    found = CASES[case]
    check_answer(words.answer(found))
    if found:
        check(words.numbers(found))
    lines = [words.answer(found), *(f"- {verdict}: {text}" for verdict, text in words.verdicts(found))]
    said(case, "\n".join([*lines, "", words.numbers(found)]))


def test_a_table_of_a_paper_holds_if_all_of_its_parts_help():
    places = CASES["all kinds"].places()
    assert list(places.values()) == [Verdict.UNDECIDED, Verdict.FAILS]
    assert set(words.CLAIMS) >= set(places)


def test_findings_are_read_off_the_tables():
    row = {"architecture": "st-gdn", "place": "Section III.C", "part": "whitened frames", "one": "", "other": ""}
    parts = pd.DataFrame([row | {"value": -0.04, "low": -0.06, "high": -0.02, "published": nan, "sd": 0.02}])
    found = findings.findings(pd.DataFrame({"seeds": [3, 2]}), parts)
    assert (found.seeds, found.sd["st-gdn"], found.told(Verdict.FAILS)[0].name) == (2, 0.02, "whitened frames")
    assert findings.findings(pd.DataFrame({"seeds": []}), parts[:0]) is None
    shown = words.overview(parts).loc["ST-GDN"].tolist()
    assert words.overview(parts[:0]).empty
    assert shown[2:] == ["−4.0 (−6.0 to −2.0)", "not known", "does not hold"]


def test_focal_joints(said):
    rows = [("wave", "head", 1.0), ("wave", "hand", 0.95), ("wave", "foot", 0.05), ("kick", "head", 0.95)]
    rows += [("kick", "hand", 0.0), ("kick", "foot", 1.0)]
    found = findings.focus(pd.DataFrame(rows, columns=["class", "joint", "share"]), ["kick"])
    assert found == Focus(3, 2, ("head",), (), {"kick": ("foot", "head", "hand")})
    check(words.focus(found))
    said("focal joints", words.focus(found))


def test_actions(said):
    columns = ["class", "clips", "one", "other", "value", "low", "high"]
    rows = [("wave", 10, 1, 0.2, 0.8, 0.3, 0.8), ("kick", 30, 0.5, 0.5, 0, -0.2, 0.2), ("sit", 10, 0, 1, -1, -1, -0.4)]
    found = findings.actions(pd.DataFrame(rows, columns=columns))
    assert found == Actions(pytest.approx(0.5), pytest.approx(0.54), ("wave",), ("sit",), 3)
    check(words.actions(found, "fg", "st"))
    said("actions", words.actions(found, "fg", "st"))


def test_joints_apart(said):
    table = pd.DataFrame({"network": ["a", "a", "b"], "separation": [2.0, 2.0, 0.5], "silhouette": [0.1, 0.1, -0.2]})
    text = words.apart(findings.apart(table))
    check(text)
    said("joints apart", text)
