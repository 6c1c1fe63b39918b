"""Measures on importance maps, noise and transfer, by hand."""

from itertools import product

import pandas as pd
import pytest
from analysis_lib.studies.claims.trials import (
    case_accuracy,
    early_strength,
    head_start,
    later_slices,
    least_joint,
    noisy_change,
    noisy_rise,
    part_share,
    steady_change,
)

from analysis_lib.statistics import wilson_interval
from analysis_lib.studies.claims.measures import UnmeasuredError


def test_early_maps_over_late_ones():
    table = pd.DataFrame({"layer": [1, 2, 3, 4], "mean": [1.0, 3, 8, 8]})
    assert early_strength(table, late=2).value == 0.25
    with pytest.raises(UnmeasuredError, match="a network of 4 layers"):
        early_strength(table, late=4)


def test_the_part_with_most_in_the_last_layers():
    rows = [
        ("throw", 7, layer, part, share, 0.25)
        for layer, shares in ((1, (1.0, 0, 0)), (2, (0.1, 0.4, 0.5)), (3, (0.2, 0.6, 0.2)))
        for part, share in zip(("left arm", "right arm", "torso"), shares, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["class", "clips", "layer", "part", "share", "joints"])
    found = part_share(table, ["toss", "throw"], ["left arm", "right arm"], late=2)
    assert (found.value, found.clips) == (pytest.approx(2.0), 7)
    assert part_share(table, ["throw"], ["torso"], late=1).value == pytest.approx(0.8)
    with pytest.raises(UnmeasuredError, match="no action 'kick'"):
        part_share(table, ["kick"], ["torso"])
    with pytest.raises(UnmeasuredError, match="no part of the body called tail"):
        part_share(table, ["throw"], ["tail"])


def maps(*importance):
    """Return the last layer's maps of two joints in three slices; the first layer is misleading."""
    cells = list(product((1, 2, 3), "ab"))
    rows = [
        ("sit", 5, layer, s, joint, value if layer == 2 else 99.0)
        for layer in (1, 2)
        for (s, joint), value in zip(cells, importance, strict=True)
    ]
    return pd.DataFrame(rows, columns=["class", "clips", "layer", "slice", "joint", "importance"])


def test_importance_in_the_course_of_a_clip():
    table = maps(1.0, 3, 2, 6, 4, 4)
    assert later_slices(table, ["sit"], late=1).value == 2
    assert least_joint(table, ["sit"], late=1).value == pytest.approx(3 / 4)
    with pytest.raises(UnmeasuredError, match="no importance"):
        later_slices(maps(0.0, 0, 1, 1, 1, 1), ["sit"], late=1)
    with pytest.raises(UnmeasuredError, match="empty"):
        least_joint(maps(1.0, 1, 0, 0, 0, 0), ["sit"], late=1)


@pytest.fixture
def noise():
    """Two actions: "drop" rises without noise, "hop" does not."""
    clean = {"drop": [9, 0.5, 0.6, 0.2], "hop": [0, 0.5, 0.4, 0.3]}
    change = {"drop": [9, 0.1, -0.3, 0.0], "hop": [9, 0.0, -0.02, 0.01]}
    rows = []
    for name, layer in product(clean, range(4)):
        q, d = clean[name][layer], change[name][layer]
        rows += [
            ("none", float("nan"), layer, name, q, 0.0),
            ("chosen", 20.0, layer, name, q + d, d),
            ("all", 20.0, layer, name, 0.0, 7.0),
            ("chosen", 30.0, layer, name, 0.0, 8.0),
        ]
    table = pd.DataFrame(rows, columns=["noisy", "psnr", "layer", "name", "q", "change"])
    return table.assign(change_low=table["change"] - 0.01, change_high=table["change"] + 0.03)


def test_noise_changes_steady_curves(noise):
    assert noisy_change(noise).value == pytest.approx((0.1 + 0.3 + 0.02 + 0.01) / 6)
    found = steady_change(noise)
    assert (found.value, found.low, found.high) == pytest.approx((0.02, -0.01, 0.03))
    with pytest.raises(UnmeasuredError, match="no graph with noise of 10 dB"):
        noisy_change(noise, psnr=10)
    with pytest.raises(UnmeasuredError, match="no action with a steady curve"):
        steady_change(noise[noise["name"] == "drop"])


def test_a_curve_becomes_steady(noise):
    assert noisy_rise(noise, "drop").value == pytest.approx(-0.1)
    assert noisy_rise(noise, "hop").value == pytest.approx(-0.07)
    with pytest.raises(UnmeasuredError, match="no noise was put on 'fall'"):
        noisy_rise(noise, "fall")


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
    with pytest.raises(UnmeasuredError, match="no case 'none'"):
        case_accuracy(transfer, "none")


def test_a_head_start_over_scratch(transfer):
    found = head_start(transfer, ["head", "all"], "scratch")
    assert (found.value, found.low, found.high) == pytest.approx((-0.075, -0.225, 0.075))
    assert found.clips == 50
    with pytest.raises(UnmeasuredError, match="no case 'none'"):
        head_start(transfer, ["none"], "scratch")
