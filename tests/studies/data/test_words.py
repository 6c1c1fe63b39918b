"""Sentences of the chapters: they say what the tables say, agreement and disagreement alike."""

import numpy as np
import pandas as pd
import pytest
from torch import nn

from analysis_lib.networks.checkpoints import Checkpoint, load_checkpoint
from analysis_lib.geometry.curves import _with_all
from analysis_lib.datasets.preparation.recipe import Preprocessing
from analysis_lib.studies.data.words import data_answer, model_card, smoothness_answer, theorem_answer


def curves(**by_name):
    rows = [
        {"level": "group", "name": name, "layer": i, "q": q}
        for name, values in by_name.items()
        for i, q in enumerate(values)
    ]
    return pd.DataFrame(rows)


FLAT_THEN_FALL = [0.9, *[0.8] * 8, 0.5, 0.2]
EARLY_FALL = [0.9, 0.8, 0.4, *[0.4] * 6, 0.4, 0.3]


def shape_of(**by_name):
    """Return the shape of curves, with intervals of no width."""
    names, boundary = list(by_name), min(8, len(next(iter(by_name.values()))) - 2)
    found = _with_all(np.array(list(by_name.values()))[:, 1:], names, boundary)
    table = pd.DataFrame(
        [(*key, float(value)) for key, value in found.items()], columns=["group", "statistic", "value"]
    )
    return table.assign(low=table["value"], high=table["value"], clips=60, boundary=boundary)


@pytest.mark.parametrize(
    ("groups", "verdict"),
    [
        (
            {"arms": FLAT_THEN_FALL, "legs": FLAT_THEN_FALL},
            "of it) holds; that the largest drop of every super-class lies after layer 8 holds.",
        ),
        (
            {"arms": EARLY_FALL, "legs": EARLY_FALL},
            "of it) does not hold; that the largest drop of every super-class lies after layer 8 does not hold.",
        ),
        ({"arms": EARLY_FALL, "legs": FLAT_THEN_FALL}, "after layer 8 does not hold."),
    ],
)
def test_the_verdict_on_the_sudden_fall_follows_the_curves(groups, verdict):
    text = smoothness_answer(curves(**groups), shape_of(**groups)).data
    assert verdict in text
    assert "On 60 clips" in text


def test_a_drop_that_resampling_moves_is_not_called_sure():
    shape = shape_of(arms=FLAT_THEN_FALL)
    shape.loc[shape["statistic"] == "drop after", "low"] = 3
    text = smoothness_answer(curves(arms=FLAT_THEN_FALL), shape).data
    assert "arms: 0.30 (0.30 to 0.30) after layer 8 (3 to 8)" in text
    assert text.endswith("holds on these clips, but not on all resamples of them.")


def test_the_fall_is_quoted_from_the_table():
    text = smoothness_answer(curves(arms=FLAT_THEN_FALL), shape_of(arms=FLAT_THEN_FALL)).data
    assert "from 0.80 at layer 1 to 0.20 at layer 10" in text
    assert "by +0.00 up to layer 8 and by -0.60 after it" in text


def test_a_shallow_network_is_not_compared_with_layer_8():
    shallow = {"arms": [0.9, 0.8, 0.1]}
    assert "up to layer 8" not in smoothness_answer(curves(**shallow), shape_of(**shallow)).data


def test_theorem_sentence():
    table = pd.DataFrame(
        {
            "layer": [2, 3, 4],
            "norm": [1.0, 2.0, 4.0],
            "bound": [1.0, 4.0, 16.0],
            "label_ratio": [0.5, 1.0, 2.0],
            "data_ratio": [0.9, 3.0, 20.0],
        }
    )
    text = theorem_answer(table).data
    assert "c = 0.5 (layer 2)" in text
    assert "holds at 2 of 3 layers" in text
    assert "is 0.50 over 3 layers" in text
    assert "not checked" in theorem_answer(table[:0]).data


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
