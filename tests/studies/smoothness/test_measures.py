"""Measures of claims on label smoothness, on tables that are small enough to be read by hand."""

import pandas as pd
import pytest

from analysis_lib.errors import UserError
from analysis_lib.studies.smoothness.measures import end_excess, middle_rise


def curves(**by_name):
    """Return a smoothness table of actions of one super-class, four clips each, layers from 0."""
    rows = [("class", name, "g", 4, i, q) for name, curve in by_name.items() for i, q in enumerate(curve)]
    return pd.DataFrame(rows, columns=["level", "name", "group", "clips", "layer", "q"])


def test_actions_that_rise_in_the_middle():
    table = curves(a=[0, 5, 8, 7, 1], b=[0, 5, 5.5, 4, 4], c=[0, 5, 4, 3, 2])
    found = middle_rise(table, ["a"])
    assert (found.value, found.clips) == (3, 12)
    assert middle_rise(table, ["a", "b"]).value == 0.5
    assert middle_rise(table, ["a", "c"]).value == -1


def test_actions_that_end_high():
    table = curves(a=[9, 5], b=[0, 3], c=[0, 2])
    assert end_excess(table, ["a"]).value == 2
    assert end_excess(table, ["a", "c"]).value == -1


@pytest.mark.parametrize("measure", [middle_rise, end_excess])
def test_an_action_that_is_not_there_is_named(measure):
    with pytest.raises(UserError, match=r"^no action 'd'$"):
        measure(curves(a=[9, 5]), ["a", "d"])


def test_two_layers_have_no_middle():
    with pytest.raises(UserError, match=r"^fewer than three layers have no middle$"):
        middle_rise(curves(a=[9, 5, 4]), ["a"])
