"""What is said of label variation, a snapshot a case."""

from dataclasses import replace
from math import inf, nan

import pytest
from sentences import answered

from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.studies.smoothness import words
from analysis_lib.studies.smoothness.findings import (
    CurveFindings,
    Drop,
    Learnt,
    Neighbours,
    Picture,
    TheoremFindings,
    Votes,
)

PICTURE = Picture(8, -0.031, -0.584, Estimate(0.05, 0.01, 0.12), Verdict.HOLDS, Verdict.UNDECIDED)
DROPS = (Drop("arms", Estimate(0.31, 0.2, 0.42), Estimate(9, 8, 9)), Drop("legs", Estimate(0.2, 0.1, 0.3), Estimate(8)))
FOUND = CurveFindings(240, 2, (20, 0.82, 0.25), 10, 0.8, 0.2, DROPS, (), 8, PICTURE)
FAILS = replace(PICTURE, share=Estimate(1.9, 0.8, 3.0), flat=Verdict.FAILS, sudden=Verdict.FAILS)
RISES = replace(FAILS, early=-0.06, late=0.15, share=Estimate(0.4, 0.3, 0.45))
UNDECIDED = replace(PICTURE, flat=Verdict.UNDECIDED, sudden=Verdict.HOLDS)
HALVES = (Estimate(-0.02, -0.05, 0.01), Estimate(-0.3, -0.4, -0.2), Verdict.HOLDS)
LEARNT = Learnt(2, 10, Estimate(-0.32, -0.4, -0.24), (4, 8, 9, 10), (1,), 8, *HALVES)
THEOREM = TheoremFindings(9, 0.4771, 4, 9, 9, -0.32, 9)


@pytest.mark.parametrize(
    ("case", "found"),
    [
        ("flat, and the place undecided", FOUND),
        ("neither", replace(FOUND, picture=FAILS)),
        ("a rise after the boundary", replace(FOUND, picture=RISES)),
        ("flatness undecided", replace(FOUND, picture=UNDECIDED)),
        ("no change after the boundary", replace(FOUND, picture=replace(FAILS, share=Estimate(inf)))),
        ("one never falls, no layer after the boundary", replace(FOUND, steady=("torso",), picture=None)),
        ("none falls", replace(FOUND, drops=(), steady=("arms", "legs"), picture=None)),
        ("one layer is named", replace(FOUND, drops=(replace(DROPS[0], after=Estimate(8, 8, 8)),))),
        ("one super-class, one layer", replace(FOUND, groups=1, depth=1, drops=(), steady=("arms",), picture=None)),
    ],
)
def test_the_answer(said, case, found):
    said(case, "\n".join([answered(words, found), words.numbers(found)]))


@pytest.mark.parametrize(
    ("case", "found"),
    [
        ("learnt", LEARNT),
        ("learnt at every layer", replace(LEARNT, lower=tuple(range(1, 11)), higher=(), draws=1)),
        ("learnt nowhere surely", replace(LEARNT, lower=(), higher=(), early=None, late=None)),
        ("nothing untrained beside", None),
    ],
)
def test_what_was_learnt(said, case, found):
    said(case, words.learnt(found))
    said(f"{case}: badges", "\n".join(map(str, words.verdicts(FOUND, found))))


def test_whose_neighbours(said):
    found = (Neighbours("all", (0.4, 0.2), (0.45, 0.5)), Neighbours("other cameras", (0.6, 0.3), None))
    said("two kinds of neighbours", words.neighbours(found))
    said("one kind of neighbours", words.neighbours(found[:1]))
    everyone, others = Votes("all", 464, Estimate(0.107, 0.08, 0.14), Estimate(0.02, 0.0, 0.05)), "other cameras"
    across = Votes(others, 464, Estimate(0.61, 0.5, 0.7), Estimate(0.2, 0.1, 0.3))
    said("across cameras it is harder at the input", words.votes([everyone, across]))
    said("nobody knows whether", words.votes([everyone, replace(across, first=Estimate(0.2, 0.1, 0.3))]))
    said("it is easier", words.votes([replace(across, edges="all"), replace(everyone, edges=others)]))
    said("any clip alone", words.votes([everyone]))


@pytest.mark.parametrize(
    ("case", "found"),
    [
        ("theorem", THEOREM),
        ("theorem broken", replace(THEOREM, kept=8)),
        ("theorem, two layers", TheoremFindings(1, 0.5, 2, 1, 1, nan, 1)),
        ("theorem, labels that never vary", TheoremFindings(2, nan, 0, 0, 0, nan, 0)),
        ("theorem not checked", TheoremFindings(0, nan, 0, 0, 0, nan, 0)),
    ],
)
def test_the_theorem(said, case, found):
    said(case, words.theorem(found))
