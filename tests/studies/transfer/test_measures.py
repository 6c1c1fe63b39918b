"""Measures of claims on transfer, by hand."""

from itertools import product

import pandas as pd
import pytest

from analysis_lib.errors import UserError
from analysis_lib.files import ROOT
from analysis_lib.statistics.intervals import wilson_interval
from analysis_lib.studies.claims.papers import load_claims
from analysis_lib.studies.transfer.measures import (
    STILL,
    case_accuracy,
    converged_share,
    forecast_loss,
    head_start,
    largest_rise,
    probe_share,
    range_ratio,
    still_learns,
)


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


def test_a_case_that_still_learns_is_not_judged():
    curves = {"head": [0.1, 0.5, 0.6, 0.61, 0.6, 0.61], "all": [0.2, 0.7, 0.8, 0.8, 0.8, 0.8]}
    rows = [(case, 9, 0, e, q, 50) for case, curve in curves.items() for e, q in enumerate(curve, 1)]
    table = pd.DataFrame(rows, columns=["case", "clips_per_class", "seed", "epoch", "accuracy", "n_test"])
    assert converged_share(table, "head", "all", still=0.01).value == pytest.approx(0.61 / 0.8)
    with pytest.raises(UserError, match="'head' was still learning when tuning ended"):
        converged_share(table[table["epoch"] < 4], "head", "all", still=0.01)
    with pytest.raises(UserError, match="still learning"):
        converged_share(table, "nobody", "all", still=0.01)
    assert (still_learns(table, "head"), still_learns(table[table["epoch"] < 4], "head")) == (False, True)
    unread = table.assign(accuracy=table["accuracy"].where(table["epoch"] > table["epoch"].max() - 2))
    assert still_learns(unread, "head")  # of the third before the last none was read


def test_the_page_and_the_claim_call_the_same_a_head_that_still_learns():
    checks = [check for claim in load_claims([ROOT / "data/claims/geometry.json"]).claims for check in claim.checks]
    assert [c.arguments["still"] for c in checks if c.measure is converged_share] == [STILL]


def test_a_forecast_loses_what_it_loses_most_at_any_size():
    rows = [("a rule", 0.01, 0.0, 0.02), ("a rule", 0.03, 0.01, 0.05), ("another", 0.5, 0.4, 0.6)]
    found = forecast_loss(pd.DataFrame(rows, columns=["rule", "lost", "low", "high"]), "a rule")
    assert (found.value, found.low, found.high) == pytest.approx((0.03, 0.0071, 0.0529), abs=1e-4)
    with pytest.raises(UserError, match="no rule 'none'"):
        forecast_loss(pd.DataFrame(rows, columns=["rule", "lost", "low", "high"]), "none")


def test_a_probe_beside_all_layers_tuned():
    columns = ["case", "clips_per_class", "seed", "epoch", "accuracy", "n_test"]
    table = pd.DataFrame([("all", 6, seed, 8, 0.8, 40) for seed in (0, 1)], columns=columns)
    probes = pd.DataFrame([(2, 0, 0.1), (6, 0, 0.4), (6, 1, 0.8)], columns=["clips_per_class", "seed", "accuracy"])
    found = probe_share(probes, table, "all")
    assert (found.value, found.low, found.high, found.clips) == (pytest.approx(0.75), 0.5, 1.0, 40)
    with pytest.raises(UserError, match=r"^the probe and 'all' share no seed$"):
        probe_share(probes.assign(seed=7), table, "all")
