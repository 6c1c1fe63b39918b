"""Sentences of the data chapter, and the cards of networks."""

import pandas as pd
import pytest
from sentences import answered
from torch import nn

from analysis_lib.datasets.preparation.recipe import Preprocessing
from analysis_lib.networks.checkpoints import Checkpoint, load_checkpoint
from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.studies.data import words
from analysis_lib.studies.data.findings import Findings, Soundness
from analysis_lib.words import THIN


@pytest.mark.parametrize(("better", "people"), [(Verdict.HOLDS, 10), (Verdict.UNDECIDED, 1), (Verdict.FAILS, 0)])
def test_words_of_the_answer(said, better, people):
    gap = {Verdict.HOLDS: 0.3, Verdict.UNDECIDED: 0.0, Verdict.FAILS: -0.3}[better]
    network, baseline = Estimate(0.6 + gap, 0.58 + gap, 0.62 + gap, 1100), Estimate(0.6, 0.55, 0.65, 1100)
    found = Findings(1484, 10, people, 3, 39.5, 201, network, baseline, gap, better)
    said(better, "\n".join([answered(words, found), words.numbers(found)]))


def test_words_without_a_network(said):
    found = Findings(24, 2, 0, 9, 9, 9, None, Estimate(0.6, 0.5, 0.7, 9), float("nan"), Verdict.UNDECIDED)
    said("no network", "\n".join([answered(words, found), words.numbers(found)]))


@pytest.mark.parametrize(
    ("card", "shown"),
    [
        ({"name": "mine"}, 6),
        ({"name": "mine", "recipe": {"seed": 3}, "code": "0.1"}, 8),
        ({"recipe": {"lr": 1, "weight_decay": 0, "batch_size": 2, "holdout": 0, "schedule": "step"}, "epochs_run": 3}, 8),
    ],
)
def test_a_card_written_by_hand_says_what_it_has(card, shown):
    text = words.model_card(Checkpoint("mine", nn.Linear(3, 2), ("fc",), Preprocessing(), card))
    assert text.count("\n") + 1 == shown
    assert ("step decay" in text) == ("epochs_run" in card)
    assert "stopped by | the end of the schedule |" in text or "epochs_run" not in card


def test_words_of_a_card(said):
    model = nn.Linear(3, 2)
    said("a network of one's own", words.model_card(Checkpoint("mine:make", model, ("fc",), Preprocessing(), {})))
    said("a network with a card", words.model_card(load_checkpoint("nw-ucla")))


@pytest.mark.parametrize(
    ("case", "found"),
    [
        ("nothing amiss", Soundness(True, 0, 3, False, (), False, {})),
        ("people unknown, one twin", Soundness(False, 0, 1, False, (("b", "a"),), False, {})),
        ("people in both", Soundness(True, 9, 9, True, (("b", "a"), ("d", "c")), True, {"hand": 0.25, "elbow": 0.004})),
    ],
)
def test_words_of_what_to_keep_in_mind(said, case, found):
    said(case, words.soundness(found))


@pytest.mark.parametrize("place", [["method"], ["edition", "method"]])
def test_networks_have_no_names_of_files_in_the_table_of_accuracies(place):
    row = {"edition": "this run", "accuracy": 0.9, "low": 0.8, "high": 0.95, "clips": 1100}
    table = pd.DataFrame([row | {"method": "network 'x-1'"}, row | {"method": "nearest"}]).set_index(place)
    shown = words.scores(table)
    assert shown.index.get_level_values("method").tolist() == ["the network", "nearest"]
    assert shown.iloc[0].tolist() == [f"90{THIN}% (80{THIN}% to 95{THIN}%)", 1100]


def test_clips_of_other_editions_are_counted():
    table = pd.DataFrame({"label": ["sit", "stand"], "clips": [1000, 484]})
    assert words.counts({"A, recorded": table}) == "A, recorded: 1,484 clips of 2 actions."
    assert words.counts({}) == ""
