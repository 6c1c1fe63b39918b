"""Sentences of the chapters: they say what the tables say, agreement and disagreement alike."""

import pandas as pd
import pytest
from torch import nn

from analysis_lib.networks.checkpoints import Checkpoint, load_checkpoint
from analysis_lib.datasets.preparation.recipe import Preprocessing
from analysis_lib.studies.data.words import data_answer, model_card


@pytest.mark.parametrize(
    ("network", "baseline", "verdict"),
    [
        ((0.9, 0.88, 0.92), (0.6, 0.55, 0.65), "30.0 points more than"),
        ((0.62, 0.5, 0.7), (0.6, 0.55, 0.65), "not clearly more than"),
        ((0.5, 0.4, 0.6), (0.6, 0.55, 0.65), "no more than"),
    ],
)
def test_the_comparison_with_the_baseline(network, baseline, verdict, rng):
    from analysis_lib.datasets.dataset import SkeletonDataset
    from analysis_lib.skeletons.skeleton import Skeleton

    data = SkeletonDataset(
        "toy", Skeleton("s", ("a", "b"), ((0, 1),)), [rng.normal(size=(1, 4, 2, 3))] * 2, [0, 1], ("x", "y")
    )
    rows = [dict(zip(("accuracy", "low", "high"), v, strict=True), method="m", clips=100) for v in (network, baseline)]
    assert verdict in data_answer(data, pd.DataFrame(rows)).data


def test_a_network_without_a_card_shows_its_size():
    model = nn.Linear(3, 2)
    card = model_card(Checkpoint("mine:make", model, ("fc",), Preprocessing(), {})).data
    assert "| parameters | 8 |" in card
    assert "test accuracy" not in card


def test_what_a_card_notes_about_its_training_is_shown():
    network = load_checkpoint("nw-ucla")
    assert network.card["note"] in model_card(network).data
