"""Sentences of the transfer chapter: they say what the tables say, gains and losses alike."""

import numpy as np
import pandas as pd
import pytest

from analysis_lib.geometry.curves import EVERY
from analysis_lib.studies.transfer.words import choice_report, curves_report, learning_report, transfer_answer


def final(**accuracy):
    """Return end accuracies by case; scratch apart, cuts count up."""
    rows = [
        {
            "case": case,
            "cut": 10 if case == "scratch" else i,
            "clips_per_class": 6,
            "seeds": 2,
            "clips": 50,
            "accuracy": a,
            "low": a - 0.1,
            "high": a + 0.1,
        }
        for i, (case, a) in enumerate(accuracy.items())
    ]
    return pd.DataFrame(rows)


def table(**curves):
    """Return accuracy by epoch of each case, after an old head."""
    rows = [
        {"case": case, "clips_per_class": 6, "seed": 0, "epoch": e, "accuracy": a}
        for case, values in curves.items()
        for e, a in enumerate(values)
    ]
    old = {"case": "old head", "clips_per_class": 0, "seed": 0, "epoch": 0, "accuracy": 0.11}
    return pd.DataFrame([old, *rows])


def test_the_answer_names_the_best_cut():
    text = transfer_answer(table(), final(head=0.5, all=0.7, scratch=0.3)).data
    assert "names 11.0 % of the new actions' 50 test clips" in text
    assert "Given 6 clips of each" in text
    assert "with a new head alone it names 50.0 % (40.0 % to 60.0 %)" in text
    assert "gives at best 70.0 % (60.0 % to 80.0 %), with all" in text
    assert "from scratch reaches 30.0 %" in text


def test_the_answer_does_not_praise_depth_that_does_not_help():
    text = transfer_answer(table(), final(head=0.7, all=0.5, scratch=0.3)).data
    assert "letting layers learn too gives no more" in text


def test_epochs_at_which_scratch_is_passed():
    curves = table(head=[0.1, 0.5, 0.8], all=[0.1, 0.2, 0.3], scratch=[0.1, 0.2, 0.4])
    text = learning_report(curves).data
    assert "After 2 epochs, training from scratch names 40.0 %" in text
    assert "passes that, at the epochs that were read, by epoch 1 with head; never with all." in text


@pytest.mark.parametrize(
    ("new", "verdict"), [([0.9, 0.8, 0.7, 0.6], "never rises"), ([0.9, 0.8, 0.85, 0.6], "rises at 1 of 2 steps")]
)
def test_a_rise_is_told(new, verdict):
    as_table = lambda q: pd.DataFrame({"level": "class", "layer": range(4), "q": q})  # noqa: E731
    shape = pd.DataFrame({"group": [EVERY], "statistic": ["drop after"], "value": [2.0], "low": [1.0], "high": [3.0]})
    text = curves_report(as_table(new), as_table([0.9, 0.8, 0.5, 0.1]), shape).data
    assert verdict in text
    assert "that of the network's own 0.70" in text
    assert "after layer 2 or later (95 % interval of the earliest: 1 to 3)" in text


def test_forecasts_are_ranked_among_the_fixed_rules():
    rows = [
        (rule, forecast, cut, lost, rho)
        for rule, forecast, cut, lost, rho in (
            ("always cut 0", False, 0, 0.10, np.nan),
            ("always cut 3", False, 3, 0.0, np.nan),
            ("labels", True, 0, 0.10, -0.5),
            ("other", True, 3, 0.0, 1.0),
        )
    ]
    choices = pd.DataFrame(rows, columns=["rule", "is_forecast", "cut", "lost", "rho"])
    text = choice_report(choices.assign(clips_per_class=6, best_cut=3, low=[0.01, 0, 0.01, 0])).data
    assert "The best cut turned out to be 3 at 6 clips a class." in text
    assert "lose clearly against it (interval above zero) are 1 of 1 at 6 clips a class." in text
    assert "*labels* takes cut 0 at 6 clips a class, and loses 10.0 points" in text
    assert "1 of 2 fixed rules does better; its order of the cuts agrees" in text
    assert "*other* takes cut 3 at 6 clips a class, and loses 0.0 points" in text
    assert "no fixed rule does better" in text
    assert "*always cut 3* is the best fixed rule: it loses 0.0 points." in text
