"""What is said of noise, case by case (`words.md`)."""

from dataclasses import replace
from math import nan

import pytest
from sentences import answered

from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.studies.noise import words
from analysis_lib.studies.noise.findings import Climb, Cost, Curves, Findings, Learnt, Score


def score(strength, change):
    return Score(strength, 0.6 + change, Estimate(change, change - 0.1, change + 0.1))


FOUND = Findings(
    level=20.0,
    actions=("hop", "fall"),
    n_layers=2,
    n_points=4,
    clean=0.6,
    noisy=score(20.0, -0.4),
    chosen_change=-0.15,
    all_change=0.2,
    costly=Verdict.HOLDS,
    marks=Verdict.HOLDS,
    higher=4,
    gap=0.35,
    parted=(("hop", -0.2, -0.4),),
    curves=(Curves(30.0, 0, 0, 0.01, "hop", 2), Curves(20.0, 2, 1, -0.3, "fall", 1)),
    climb=Climb("hop", 0.3, 0.1, False, ((30.0, 0.2), (20.0, 0.1)), Verdict.HOLDS),
    mixed_clips=1480,
    mixed=(score(30.0, -0.001), score(20.0, -0.04)),
    reported=-0.019,
    within=(30.0,),
    beyond=(20.0,),
    level_with=(),
    costs=(
        Cost("noise", score(20.0, -0.4), (), score(20.0, -0.4)),
        Cost("occlusion", None, (score(0.125, 0.3),), score(0.4, 0.0)),
        Cost("frame drop", score(0.25, -0.2), (), score(0.75, -0.5)),
        Cost("jitter", None, (), score(8, -0.05)),
    ),
    mistaken="hop",
    mistaken_share=0.6,
    mistaken_own=0.75,
    noisy_clips=1234,
    worst_miss=0.04,
)


def test_the_answer(said):
    open_ = replace(FOUND, all_change=-0.25, costly=Verdict.UNDECIDED, marks=Verdict.FAILS, actions=("sit down",) * 9)
    said("noise marks the actions", f"{answered(words, FOUND)}\n{words.numbers(FOUND)}")
    said("noise does not mark them", f"{answered(words, open_)}\n{words.numbers(open_)}")


def test_curves(said):
    said("curves", words.curves(FOUND))
    one = replace(FOUND, actions=("hop",), n_layers=1, n_points=1, curves=FOUND.curves[:1])
    said("one action, layer and level", "\n\n".join([answered(words, one), words.curves(one)]))


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_curve_that_climbs(said, verdict):
    climb = replace(FOUND.climb, verdict=verdict, weak=verdict is Verdict.UNTESTED)
    said(f"noise steadies: {verdict}", words.climb(replace(FOUND, climb=climb)))


def test_marks(said):
    said("smoother and less accurate", words.mark(FOUND))
    said("none is both", words.mark(replace(FOUND, parted=())))


def test_costs(said):
    said("costs", words.costs(FOUND))
    said("no level beyond", words.costs(replace(FOUND, within=(), beyond=(), level_with=(30.0, 20.0), costs=())))


def test_what_noise_is_taken_for(said):
    said("taken for a noisy action", words.mistaken(FOUND))
    said("taken for another", words.mistaken(replace(FOUND, mistaken="wave", mistaken_share=1.0, mistaken_own=nan)))
    said("taken for none", words.mistaken(replace(FOUND, mistaken="")))


def test_levels(said):
    said("levels", words.levels(FOUND))


def test_words_of_untrained_networks(said):
    learnt = Learnt(20.0, 2, 0.25, 0.1, Estimate(0.15, 0.05, 0.25), Estimate(0.1, -0.1, 0.3), (1, 2), ())
    found = replace(FOUND, learnt=learnt)
    said("learnt", "\n".join([answered(words, found), words.learnt(found)]))
    said("learnt, one draw", words.learnt(replace(FOUND, learnt=replace(learnt, draws=1))))
    same = replace(learnt, last=Estimate(0.0, -0.1, 0.1), growth=Estimate(0.0), higher=(), lower=())
    said("learnt, no difference", words.learnt(replace(FOUND, learnt=same)))
    said("learnt, one layer", words.learnt(replace(FOUND, n_layers=1, learnt=replace(learnt, higher=(), lower=(1,)))))
