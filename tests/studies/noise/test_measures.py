"""Measures of claims on noise, by hand."""

from itertools import product

import pandas as pd
import pytest

from analysis_lib.errors import UserError
from analysis_lib.studies.noise.measures import noisy_change, noisy_rise, steady_change


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
    assert noisy_change(noise, 20).value == pytest.approx((0.1 + 0.3 + 0.02 + 0.01) / 6)
    found = steady_change(noise, 20, steady=0.02)
    assert (found.value, found.low, found.high) == pytest.approx((0.02, -0.01, 0.03))
    assert steady_change(noise, 20, steady=0.2).value == pytest.approx(0.3)
    with pytest.raises(UserError, match="no graph with noise of 10 dB"):
        noisy_change(noise, 10)
    with pytest.raises(UserError, match="no action with a steady curve"):
        steady_change(noise[noise["name"] == "drop"], 20, steady=0.02)


def test_a_curve_becomes_steady(noise):
    assert noisy_rise(noise, "drop", 20).value == pytest.approx(-0.1)
    assert noisy_rise(noise, "hop", 20).value == pytest.approx(-0.07)
    with pytest.raises(UserError, match="no noise was put on 'fall'"):
        noisy_rise(noise, "fall", 20)
