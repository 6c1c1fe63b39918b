"""What is said of transfer, case by case (`words.md`)."""

from dataclasses import replace
from math import nan

from sentences import answered

from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.studies.transfer import words
from analysis_lib.studies.transfer.findings import Findings, Forecast, Probe

FOUND = Findings(
    old=0.11,
    clips=144,
    size=6,
    shallowest="head",
    shallow=Estimate(0.5, 0.4, 0.6),
    best="last 3 + head",
    deep=Estimate(0.7, 0.6, 0.8),
    scratch=Estimate(0.3, 0.2, 0.39),
    chance=1 / 12,
    deeper=Verdict.UNDECIDED,
    ahead=Verdict.HOLDS,
    new_span=0.301,
    own_span=0.7,
    drop_after=Estimate(8.0, 6.0, 9.0),
    rises=2,
    steps=9,
    epochs=10,
    goal=0.3,
    passed=((2, ("head", "all")), (None, ("last 3 + head",))),
    best_cuts=((2, 0), (6, 5)),
    clear=((2, 0, 4), (6, 1, 4)),
    forecasts=(
        Forecast("target's curve", ((2, 1), (6, 1)), 0.0243, 4, (0.04, 2), (-0.9, -0.32), Verdict.FAILS),
        Forecast("target's against source's", ((2, 10), (6, 10)), 0.0104, 1, (0.02, 6), (0.0, 0.6), Verdict.UNDECIDED),
        Forecast("none beats it", ((2, 0),), 0.0, 0, (0.0, 2), None, Verdict.UNTESTED),
    ),
    n_fixed=5,
    fixed="always cut 5",
    fixed_lost=0.00174,
)


def test_the_answer(said):
    worse = {"ahead": Verdict.FAILS, "deeper": Verdict.UNTESTED, "best": None, "deep": Estimate(nan)}
    cases = {
        "open": FOUND,
        "layers that learn help": replace(FOUND, deeper=Verdict.HOLDS),
        "layers that learn harm": replace(FOUND, deeper=Verdict.FAILS, scratch=Estimate(nan), ahead=Verdict.UNTESTED),
        "a layer and a head, and scratch at chance": replace(
            FOUND, shallowest="last 3 + head", best="last 5 + head", scratch=Estimate(0.08, 0.05, 0.12)
        ),
        "a layer and a head": replace(FOUND, **worse, shallowest="last 1 + head", size=1),
        "all layers alone": replace(FOUND, **worse, shallowest="all", old=nan),
    }
    for case, found in cases.items():
        said(case, f"{answered(words, found)}\n{words.numbers(found)}")


def test_curves(said):
    said("the curve rises", words.curves(FOUND))
    said("the curve never rises", words.curves(replace(FOUND, rises=0)))
    said("one layer", words.curves(replace(FOUND, rises=0, steps=0, drop_after=None)))


def test_learning(said):
    said("learning", words.learning(FOUND))
    chance = replace(FOUND, scratch=Estimate(0.08, 0.05, 0.12), goal=0.083)
    said("nothing learnt from scratch", words.learning(chance))


def test_choices(said):
    said("choices", words.choices(FOUND))
    said("one cut", words.choices(replace(FOUND, clear=(), forecasts=FOUND.forecasts[2:], n_fixed=1)))


def test_what_a_probe_reads(said):
    said("a probe beside the head", words.probe(Probe(6, 0.62, 0.5, True)))
    said("a probe alone", words.probe(Probe(1, 0.62, nan, False)))
    assert words.probe(None) == ""
