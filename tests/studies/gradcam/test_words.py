"""Sentences of the GradCAM chapter, one snapshot for each case."""

from dataclasses import replace
from math import nan

import pytest
from sentences import answered

from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.studies.gradcam import words
from analysis_lib.studies.gradcam.findings import (
    Agreement,
    Alike,
    Balance,
    Early,
    Findings,
    Forgetting,
    Gain,
    Growth,
    Learnt,
    Limbs,
    Place,
    Still,
    Targets,
)

HALF = Estimate(0.31, -0.2, 0.45)
LOW, HIGH = Estimate(0.1, 0.08, 0.12), Estimate(0.49, 0.47, 0.52)
GAINS = tuple(Gain(t, a, 40, HALF, Verdict.HOLDS, 3) for t in ("deletion", "insertion") for a in ("motion", "random"))
FOUND = Findings(
    layers=10,
    growth=Growth(0.014, 0.51, (0.04, 0.23), 7, 9, 0.74),
    places=(Place("throw", "right arm", 2.31), Place("kick", "left arm", 2, "leg", 0.1), Place("nod")),
    limbs=(Limbs("upper body", "arm", 12, 6, 12), Limbs("lower body", "leg", 1, 0, 1)),
    early=Early(7, 3, 0.08, 0.21, (True, True), HIGH, HALF, LOW, 5, 0.88, Verdict.HOLDS),
    times={"throw": (0.27, 0.42, 0.31), "kick": (0.5, 0.5), "nod": ()},
    balances=(Balance("throw", "right wrist", "spine", 2, 25, 0.04), Balance("nod", "", "", 0, 25)),
    agreement=Agreement(8, 20, 0.91, -0.2, 1, 3),
    forgetting=Forgetting("head", 12, HALF, HALF, Verdict.HOLDS),
    gains=GAINS,
    learnt=Learnt(
        80, (0.034, 0.28), (10,), (1, 2, 3), Estimate(0.077, 0.057, 0.097), 0.2, Estimate(-0.12, -0.16, -0.08)
    ),
    targets=Targets(38, Alike(1, 0.5, 0.2, HALF), Alike(10, 0.1, 0.4, Estimate(-0.3, -0.5, -0.1)), (), (9, 10)),
    still=Still("average", 40, "drop", 0.85, ("drop",)),
)


def test_words_of_the_whole_page(said):
    for sentence in (
        "answer",
        "numbers",
        "limbs",
        "early",
        "times",
        "counterfactual",
        "released",
        "randomisation",
        "masking",
        "learnt",
        "targets",
        "still",
    ):
        said(sentence, getattr(words, sentence)(FOUND))


def test_words_of_controls(said):
    learnt = replace(FOUND.learnt, less=Estimate(0.1, -0.1, 0.3), stronger=(), weaker=())
    said("learnt, not sure", words.learnt(replace(FOUND, learnt=learnt)))
    more = replace(FOUND.learnt, less=Estimate(0.1, 0.05, 0.3))
    said("learnt, stronger", words.learnt(replace(FOUND, learnt=more)))
    said("learnt, no early layers", words.learnt(replace(FOUND, learnt=replace(FOUND.learnt, early=None, less=None))))
    first = replace(FOUND.targets.first, difference=Estimate(0.3, 0.2, 0.4))
    said("targets, the clip", words.targets(replace(FOUND, targets=replace(FOUND.targets, first=first, clip=(1,)))))
    said("still, all told", words.still(replace(FOUND, still=replace(FOUND.still, untold=()))))
    said("answer, without untrained networks", words.answer(replace(FOUND, learnt=None)))
    level = replace(FOUND, growth=Growth(0.9, 0.1, None, 1, 1, 1.0), places=())
    said("numbers, no rise", words.numbers(level))
    without = replace(FOUND, learnt=None, targets=None, still=None)
    assert not any(getattr(words, part)(without) for part in ("learnt", "targets", "still"))


def test_words_of_a_last_layer_without_joints(said):
    found = replace(FOUND, places=(), limbs=(), balances=(), agreement=None, gains=())
    said("answer, no joints", answered(words, found))
    assert not any(getattr(words, part)(found) for part in ("limbs", "counterfactual", "released", "masking"))


@pytest.mark.parametrize("worse", [1, 2])
def test_words_of_an_order_that_is_no_better_than_lot(said, worse):
    gains = [*GAINS[:1], replace(GAINS[1], better=Verdict.UNDECIDED), *GAINS[2:]]
    gains[3] = replace(GAINS[3], better=Verdict.FAILS) if worse == 2 else GAINS[3]
    shallow = {"growth": None, "layers": 1} if worse == 2 else {"growth": None}
    found = replace(FOUND, gains=tuple(gains), places=FOUND.places[:1], **shallow)
    said(f"answer, {worse} of 2 tests fail", answered(words, found))
    said(f"masking, {worse} of 2 tests fail", words.masking(found))


def test_words_of_early_layers(said):
    mixed = replace(FOUND.early, weak=(True, False), first=LOW, last=HIGH, at=1, specific=Verdict.FAILS)
    said("early, one of two", words.early(replace(FOUND, early=mixed)))
    neither = replace(FOUND.early, weak=(False, False), first=HALF, repeat=nan)
    said("early, neither", words.early(replace(FOUND, early=neither)))
    falls = replace(FOUND.early, first=HIGH, last=LOW, at=10)
    said("early, with depth", words.early(replace(FOUND, early=falls)))
    back = replace(FOUND.early, first=HIGH, last=replace(HIGH, clips=9))
    said("early, apart and back", words.early(replace(FOUND, early=back)))
    said("early, none", words.early(replace(FOUND, early=None, layers=2)))


def test_words_where_there_is_little_to_say(said):
    said("limbs, none", words.limbs(replace(FOUND, limbs=())))
    said("released, all empty", words.released(replace(FOUND, agreement=Agreement(20, 20, 0, 0, 0, 0))))
    said(
        "randomisation, failed",
        words.randomisation(replace(FOUND, forgetting=Forgetting("head", 1, HALF, HALF, Verdict.FAILS))),
    )
