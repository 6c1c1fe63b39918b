"""What claims on architectures come down to, on tables of two networks."""

import pandas as pd
import pytest

from analysis_lib.errors import UserError
from analysis_lib.statistics.estimates import Estimate
from analysis_lib.statistics.intervals import wilson_interval
from analysis_lib.studies.architectures import measures


def accuracies(**hits):
    rows = [(k, k, 10, 100, h / 100, *wilson_interval(h, 100)) for k, h in hits.items()]
    return pd.DataFrame(rows, columns=["network", "architecture", "layers", "clips", "accuracy", "low", "high"])


def test_the_lead_of_one_network_over_another():
    table = accuracies(a=56, b=48)
    found = measures.accuracy_lead(table, "a", "b")
    assert (found.value, found.low, found.high, found.clips) == pytest.approx((0.08, -0.057, 0.213, 100), abs=1e-3)
    assert measures.board_lead(table, "b", "a").value == pytest.approx(-0.08)
    with pytest.raises(UserError, match="no such b is trained on these data"):
        measures.accuracy_lead(table, "a", "b", layers=7)
    with pytest.raises(UserError, match="c is not on the leaderboard"):
        measures.board_lead(table, "a", "c")


def test_what_is_read_off_one_row():
    shape = pd.DataFrame([("a", "late", 0.3, 0.2, 0.4)], columns=["architecture", "statistic", "value", "low", "high"])
    assert measures.of_fall(shape, "a", "late") == Estimate(0.3, 0.2, 0.4)
    assert measures.board_accuracy(accuracies(a=56), "a").clips == 100
    rows = [("a", 0, 1.0, 4.0), ("a", 1, 1.0, 9.0), ("b", 0, 1.0, 2.0), ("b", 0, 0.5, 9.0)]
    curves = pd.DataFrame(rows, columns=["architecture", "draw", "depth", "separation"])
    assert measures.separation_lead(curves, "a", "b") == Estimate(2.0)
