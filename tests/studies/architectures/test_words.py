"""What is said of architectures, a snapshot a case."""

from dataclasses import replace
from math import inf, nan

import pandas as pd
import pytest
from sentences import check, check_answer

from analysis_lib.statistics.estimates import Estimate
from analysis_lib.studies.architectures import words
from analysis_lib.studies.architectures.findings import Board, Findings, Network, Roots

ABOUT = {"twin": Estimate(-0.1, -0.2, 0), "learnt": Estimate(0.3, 0.1, 0.5), "accuracy": Estimate(0.9, 0.85, 0.93, 464)}
FALL, NOT_TOLD = Estimate(0.5, 0.4, 0.6), Estimate(nan)


def network(name, architecture, late, less_late=NOT_TOLD, fall=FALL, **more):
    return Network(name, architecture, fall, late=late, less_late=less_late, **ABOUT | {"first_half": late} | more)


ST = network("st", "stgcn", Estimate(0.8, 0.7, 0.9))
SHIFT = network("shift", "shift-gcn", Estimate(0.3, 0.1, 0.4), Estimate(0.5, 0.3, 0.7))
LATER = network("agcn", "agcn", Estimate(0.95, 0.9, 0.99), Estimate(-0.15, -0.2, -0.05))
SAME = network("ctr", "ctr-gcn", Estimate(0.8, 0.6, 0.9), Estimate(0, -0.2, 0.2), learnt=Estimate(0.1, -0.1, 0.2))
FLAT = network("gdn", "shift-gcn", NOT_TOLD, fall=Estimate(-0.1, -0.2, 0), learnt=NOT_TOLD, twin=NOT_TOLD)
CASES = {
    "one network": Findings((ST,), nan),
    "others fall earlier and later": Findings((ST, SHIFT, LATER, SAME), 0.4),
    "no difference": Findings((ST, SAME), nan),
    "one that does not fall": Findings((ST, FLAT), nan),
    "shares that nothing is known of": Findings((replace(ST, late=Estimate(-1.2, -4.9, -0.3)), SAME), nan),
    "no twins": Findings((replace(ST, twin=NOT_TOLD, learnt=NOT_TOLD),), nan),
    "no ST-GCN": Findings((SAME, LATER), nan),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_said(said, case):
    found = CASES[case]
    texts = [words.numbers(found), words.contrast(found), words.untold(found), words.accuracy(found)]
    check_answer(words.answer(found))
    for text in texts:
        check(text)
    said(case, "\n\n".join([words.answer(found), *texts]))


ROOTS = Roots(33000, {1e-5: 0.93, 0.1: 0.4}, inf, 0.9, 15, 20)


@pytest.mark.parametrize(
    ("case", "found"),
    [("the iteration runs away", ROOTS), ("it comes down, and not far enough", replace(ROOTS, printed=0.3, needed=0))],
)
def test_the_iteration(said, case, found):
    said(case, words.iterations(found))


def test_costs_for_people():
    row = {
        "network": "st",
        "architecture": "stgcn",
        "stream": "joint",
        "machine": "x86_64",
        "hours": 1.5,
        "layers": 10,
        "parameters": 790856,
        "multiplications": 898274560,
        "seconds": 0.0577,
    }
    row |= {"passes": 80, "accuracy": 0.9375, "low": 0.912, "high": 0.956, "clips": 480}
    shown = words.overview(pd.DataFrame([row])).loc["ST-GCN"].tolist()
    assert shown == [
        "joint",
        10,
        "790,856",
        "898 million",
        "57.7 ms",
        "80",
        "x86_64",
        "1 h 30 min",
        "94\u202f% (91\u202f% to 96\u202f%)",
        480,
    ]


BEST = ("FG-STFormer", Estimate(0.97, 0.95, 0.98, 464), 3, 6, 1 / 464)


@pytest.mark.parametrize(
    ("case", "ours"),
    [
        ("ours below", Estimate(0.92, 0.89, 0.94)),
        ("ours not told from the best", Estimate(0.95, 0.93, 0.97)),
        ("ours above", Estimate(0.99, 0.985, 0.995)),
    ],
)
def test_the_leaderboard(said, case, ours):
    text = words.ranks(Board("st", ours, *BEST))
    check(text)
    said(case, text)


def test_each_leaderboard_is_named():
    found = Board("st", Estimate(0.92, 0.89, 0.94), *BEST)
    assert words.standings({"a": found, "b": found}) == f"On a: {words.ranks(found)}\n\nOn b: {words.ranks(found)}"
    assert words.standings({}) == ""


def test_fusions(said):
    columns = ["architecture", "streams", "weights", "accuracy"]
    rows = [("agcn", "bone", "alone", 0.9), ("agcn", "joint", "alone", 0.92), ("agcn", "bone, joint", "equal", 0.94)]
    said("two streams", words.fusion(pd.DataFrame(rows, columns=columns)))
