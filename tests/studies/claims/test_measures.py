"""Measures of claims on tables that are small enough to be read by hand."""

import numpy as np
import pandas as pd
import pytest

from analysis_lib.geometry.curves import EVERY
from analysis_lib.studies.claims.measures import (
    Measured,
    UnmeasuredError,
    cell,
    eigenvalue_gap,
    end_excess,
    extreme,
    largest_rise,
    middle_rise,
    needed_constant,
    network_accuracy,
    norm_correlation,
    range_ratio,
    shape,
)

DIFFERENCES = pd.DataFrame(
    {"layer": [0, 1, 2, 2], "k": [5, 5, 5, 9], "d": [9.0, -1, 2, 8], "low": [8.0, -2, 1, 7], "high": [10.0, 0, 3, 9]}
)
THEOREM = pd.DataFrame({"layer": [2, 3, 4], "norm": [1.0, 2, 4], "label_ratio": [0.9, 0.8, 0.4]})


def curves(**by_name):
    """Return a smoothness table: groups in lower case, actions in upper case, layers from 0."""
    rows = [
        {
            "layer": layer,
            "level": "class" if name.isupper() else "group",
            "name": name,
            "q": q,
            "group": "g",
            "clips": 4,
        }
        for name, curve in by_name.items()
        for layer, q in enumerate(curve)
    ]
    return pd.DataFrame(rows)


def test_a_cell_has_its_interval_and_its_clips():
    where = {"layer": 2, "k": 9}
    assert cell(DIFFERENCES, "d", where, "low", "high", "k") == Measured(8, 7, 9, 9)
    assert np.isnan(cell(DIFFERENCES, "d", where).low)
    with pytest.raises(UnmeasuredError, match="no row with k = 7"):
        cell(DIFFERENCES, "d", {"k": 7})
    with pytest.raises(UnmeasuredError, match="2 rows with layer = 2, not one"):
        cell(DIFFERENCES, "d", {"layer": 2})


def test_the_extreme_of_the_layers_leaves_the_input_out():
    assert extreme(DIFFERENCES, "d", "max", {"k": 5}, "low", "high") == Measured(2, 1, 3)
    assert extreme(DIFFERENCES, "d", "min", {"k": 5}, "low", "high") == Measured(-1, -2, 0)


def test_of_2i_minus_a_the_smallest_eigenvalue():
    assert eigenvalue_gap(pd.DataFrame({"eigenvalue": [-0.5, 1.6, 1.0]})).value == pytest.approx(0.4)


def test_the_network_is_found_among_the_methods():
    table = pd.DataFrame(
        {
            "method": ["nearest", "network 'a'"],
            "accuracy": [0.5, 0.9],
            "low": [0.4, 0.8],
            "high": [0.6, 0.95],
            "clips": [7, 7],
        }
    )
    assert network_accuracy(table) == Measured(0.9, 0.8, 0.95, 7)


SHAPE = pd.DataFrame(
    {
        "group": ["arms", EVERY, EVERY],
        "boundary": 8,
        "clips": 30,
        "statistic": ["fall", "fall", "early change"],
        "value": [0.9, 0.5, 0.2],
        "low": [0.8, 0.4, 0.1],
        "high": [1.0, 0.6, 0.3],
    }
)


def test_the_shape_is_that_of_all_super_classes():
    assert shape(SHAPE, "fall") == Measured(0.5, 0.4, 0.6, 30)
    assert shape(SHAPE, "early change") == Measured(0.2, 0.1, 0.3, 30)
    with pytest.raises(UnmeasuredError, match="a network without a layer after 8"):
        shape(SHAPE.assign(boundary=5), "early change")


def test_the_largest_rise_of_any_super_class():
    assert largest_rise(curves(up=[0, 8, 7, 7.5], low=[9, 8, 6, 4])).value == 0.5
    assert largest_rise(curves(low=[0, 8, 6, 5])).value == -1


def test_the_range_of_one_table_over_another():
    one, other = curves(up=[0, 8, 7, 6]), curves(up=[0, 9, 8, 1])
    assert range_ratio(one, other).value == 0.25


def test_actions_that_rise_in_the_middle():
    table = curves(A=[0, 5, 8, 7, 1], B=[0, 5, 5.5, 4, 4], C=[0, 5, 4, 3, 2], g=[0, 5, 4, 3, 2])
    assert middle_rise(table, ["A"]).value == 3
    assert middle_rise(table, ["A", "B"]).value == 0.5
    assert middle_rise(table, ["A", "C"]).value == -1
    with pytest.raises(UnmeasuredError, match="no action 'D'"):
        middle_rise(table, ["A", "D"])


def test_actions_that_end_high():
    table = curves(A=[9, 5], B=[0, 3], C=[0, 2], g=[9, 9])
    assert end_excess(table, ["A"]).value == 2
    assert end_excess(table, ["A", "C"]).value == -1
    with pytest.raises(UnmeasuredError, match="no action 'D'"):
        end_excess(table, ["D"])


def test_the_constant_of_the_theorem_and_the_remark():
    assert needed_constant(THEOREM).value == pytest.approx(0.9)
    assert norm_correlation(THEOREM).value == 1
    for measure in (needed_constant, norm_correlation):
        with pytest.raises(UnmeasuredError, match="names no linear maps"):
            measure(THEOREM[:0])
