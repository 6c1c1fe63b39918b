"""Measures of claims on transfer, by hand."""

from itertools import product

import pandas as pd
import pytest

from analysis_lib.errors import UserError
from analysis_lib.statistics import wilson_interval
from analysis_lib.studies.transfer.measures import case_accuracy, head_start, largest_rise, range_ratio


def curves(**by_group):
    """Return a smoothness table of super-classes, layers from 0, with one action of four clips."""
    rows = [("group", name, 8, i, q) for name, curve in by_group.items() for i, q in enumerate(curve)]
    rows.append(("class", "a", 4, 1, 99.0))
    return pd.DataFrame(rows, columns=["level", "name", "clips", "layer", "q"])


def test_label_variation_on_new_actions():
    rising = largest_rise(curves(up=[0, 8, 7, 7.5], low=[9, 8, 6, 4]))
    assert (rising.value, rising.clips) == (0.5, 4)
    assert largest_rise(curves(low=[0, 8, 6, 5])).value == -1
    assert range_ratio(curves(up=[0, 8, 7, 6]), curves(up=[0, 9, 8, 1])).value == 0.25


@pytest.fixture
def transfer():
    final = {"old head": (0.1, 0.1), "head": (0.6, 0.4), "all": (0.8, 0.8), "scratch": (0.5, 0.7)}
    rows = [("old head", 0, seed, 0, final["old head"][seed]) for seed in (0, 1)]
    rows += [
        (case, clips, seed, epoch, final[case][seed] * epoch / 2 * (clips == 20))
        for case, clips, seed, epoch in product(("head", "all", "scratch"), (5, 20), (0, 1), (0, 1, 2))
    ]
    columns = ["case", "clips_per_class", "seed", "epoch", "accuracy"]
    return pd.DataFrame(rows, columns=columns).assign(n_test=50)


def test_accuracy_of_a_way_to_transfer(transfer):
    found = case_accuracy(transfer, "head")
    assert (found.value, found.clips) == (pytest.approx(0.5), 50)
    assert (found.low, found.high) == pytest.approx(wilson_interval(25, 50))
    assert case_accuracy(transfer, "old head").value == pytest.approx(0.1)
    ratio = case_accuracy(transfer, "head", of="all")
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((0.625, 0.5, 0.75))
    with pytest.raises(UserError, match="no case 'none'"):
        case_accuracy(transfer, "none")


def test_a_head_start_over_scratch(transfer):
    found = head_start(transfer, ["head", "all"], "scratch")
    assert (found.value, found.low, found.high) == pytest.approx((-0.075, -0.225, 0.075))
    assert found.clips == 50
    with pytest.raises(UserError, match="no case 'none'"):
        head_start(transfer, ["none"], "scratch")
