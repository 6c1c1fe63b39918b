"""Measures of claims on the spectrum, by hand."""

import pandas as pd
import pytest

from analysis_lib.studies.spectrum.measures import passed_energy, top_energy, unturned_pairs

# two actions at three frequencies; the top is one of three
ENERGY = {"a": [0.1, 0.1, 0.8], "b": [0.3, 0.1, 0.6]}


@pytest.fixture
def table():
    rows = [("class", name, 5, k, e, e - 0.02, e + 0.05) for name, es in ENERGY.items() for k, e in enumerate(es, 1)]
    rows += [("group", "", 10, k, 9.0, 9.0, 9.0) for k in (1, 2, 3)]
    return pd.DataFrame(rows, columns=["level", "class", "clips", "k", "energy", "low", "high"])


def test_energy_at_some_frequencies_has_the_interval_of_all_at_their_worst(table):
    top = top_energy(table)
    assert (top.value, top.clips) == (pytest.approx(0.7), 10)
    assert (top.low, top.high) == pytest.approx((max(0.68, 1 - 0.25 - 0.15), min(0.75, 1 - 0.18 - 0.08)))


def test_energy_where_a_power_passes_more_than_half(table):
    rows = {"power": [1, 1, 1, 2, 2, 2], "k": [3, 2, 1] * 2, "response": [1.0, 0.6, -0.3, 1.0, 0.36, 0.09]}
    assert passed_energy(table, pd.DataFrame(rows), 1).value == pytest.approx(0.8)
    assert passed_energy(table, pd.DataFrame(rows), 2).value == pytest.approx(0.7)


def test_the_order_of_eigenvalues_is_turned_round():
    assert unturned_pairs(pd.DataFrame({"eigenvalue": [1.5, -0.5, 1.0, 1.5]})).value == 0
