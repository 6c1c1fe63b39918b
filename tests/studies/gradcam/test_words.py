"""Sentences of the GradCAM chapter, one snapshot for each case."""

from dataclasses import replace
from math import nan

import pytest
from sentences import answered

from analysis_lib.statistics import Estimate, Verdict
from analysis_lib.studies.gradcam import words
from analysis_lib.studies.gradcam.findings import (
    Agreement,
    Balance,
    Early,
    Findings,
    Forgetting,
    Gain,
    Growth,
    Limbs,
    Place,
)

HALF = Estimate(0.31, -0.2, 0.45)
GAINS = tuple(Gain(t, a, 40, HALF, Verdict.HOLDS, 3) for t in ("deletion", "insertion") for a in ("motion", "random"))
FOUND = Findings(
    layers=10,
    growth=Growth(34.6, 5.7, 7),
    places=(Place("throw", "right arm", 2.31), Place("kick", "left arm", 2, "leg", 0.1), Place("nod")),
    limbs=(Limbs("upper body", "arm", 12, 6, 12), Limbs("lower body", "leg", 1, 0, 1)),
    early=Early(7, 3, 0.08, 0.21, (True, True), HALF, HALF, Verdict.HOLDS, 0.88, Verdict.HOLDS),
    times={"throw": (0.27, 0.42, 0.31), "kick": (0.5, 0.5), "nod": ()},
    balances=(Balance("throw", "right wrist", "spine", 2, 25), Balance("nod", "", "", 0, 25)),
    agreement=Agreement(8, 20, 0.91, -0.2, 1, 3),
    forgetting=Forgetting("head", 12, HALF, HALF, Verdict.HOLDS),
    gains=GAINS,
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
    ):
        said(sentence, getattr(words, sentence)(FOUND))


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
    mixed = replace(FOUND.early, weak=(True, False), parting=Verdict.FAILS, specific=Verdict.FAILS)
    said("early, one of two", words.early(replace(FOUND, early=mixed)))
    neither = replace(FOUND.early, weak=(False, False), parting=Verdict.UNDECIDED, repeat=nan)
    said("early, neither", words.early(replace(FOUND, early=neither)))
    said("early, none", words.early(replace(FOUND, early=None, layers=2)))


def test_words_where_there_is_little_to_say(said):
    said("limbs, none", words.limbs(replace(FOUND, limbs=())))
    said("released, all empty", words.released(replace(FOUND, agreement=Agreement(20, 20, 0, 0, 0, 0))))
    said(
        "randomisation, failed",
        words.randomisation(replace(FOUND, forgetting=Forgetting("head", 1, HALF, HALF, Verdict.FAILS))),
    )
