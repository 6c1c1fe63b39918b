"""Measures of claims on noise, by hand."""

from itertools import product

import pandas as pd
import pytest
from scipy.stats import norm

from analysis_lib.errors import UserError
from analysis_lib.studies.noise.measures import noisy_change, noisy_rise, noisy_shift, steady_change


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
        ]
    table = pd.DataFrame(rows, columns=["noisy", "psnr", "layer", "name", "q", "change"])
    return table.assign(change_low=table["change"] - 0.01, change_high=table["change"] + 0.03)


def test_noise_changes_curves(noise):
    found = noisy_change(noise)
    assert found.value == pytest.approx((0.1 + 0.3 + 0.02 + 0.01) / 6)
    low, high = (
        [0.09, 0.27, 0, 0, 0, 0],
        [0.13, 0.31, 0.03, 0.03, 0.03, 0.04],
    )  # of a change that may be none: from zero
    assert (found.low, found.high) == pytest.approx((sum(low) / 6, sum(high) / 6))
    shift = noisy_shift(noise, "chosen")
    assert (shift.value, shift.low, shift.high) == pytest.approx((-0.035, -0.045, -0.005))
    assert noisy_shift(noise, "all").value == 7


def test_noise_changes_steady_curves(noise):
    found = steady_change(noise, steady=0.02)
    z = norm.ppf(1 - 0.025 / 3) / norm.ppf(0.975)  # three layers at once
    assert (found.value, found.high) == pytest.approx((0.02, max(0.02 + 0.01 * z, 0.01 + 0.03 * z)))
    assert steady_change(noise, steady=0.2).value == pytest.approx(0.3)
    with pytest.raises(UserError, match="no action with a steady curve"):
        steady_change(noise[noise["name"] == "drop"], steady=0.02)


def test_one_level_of_noise_is_read_at_a_time(noise):
    with pytest.raises(UserError, match="no graph with noise of that level"):
        noisy_change(noise[noise["noisy"] == "none"])
    with pytest.raises(UserError, match="noise of several levels"):
        noisy_change(pd.concat([noise, noise.assign(psnr=30.0)]))


def test_a_curve_becomes_steady(noise):
    assert noisy_rise(noise, "drop").value == pytest.approx(-0.1)
    assert noisy_rise(noise, "hop").value == pytest.approx(-0.07)
    with pytest.raises(UserError, match="no noise was put on 'fall'"):
        noisy_rise(noise, "fall")
