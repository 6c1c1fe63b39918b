"""Figures of networks of any depth, and of a theorem that was not checked, are drawn whole."""

import numpy as np
import pandas as pd
import pytest

from analysis_lib.studies.smoothness import figures
from analysis_lib.studies.smoothness.tables import COLUMNS

pytestmark = pytest.mark.usefixtures("drawn_whole")


def table_of(depth, names=("arms", "legs")):
    layers, names = np.repeat(range(depth + 1), 2 * len(names)), [*names] * 2 * (depth + 1)
    levels = np.tile(np.repeat(["group", "class"], 2), depth + 1)
    numbers = {"q": 0.5, "low": 0.4, "high": 0.6, "chance": 0.9}
    return pd.DataFrame({"layer": layers, "level": levels, "group": names, "name": names} | numbers)


@pytest.mark.parametrize("depth", [1, 2, 40])
def test_curves(depth):
    table = table_of(depth)
    (axes,) = figures.plot_groups(table).axes
    assert len(axes.get_lines()[0].get_ydata()) == depth + 1
    panels = figures.plot_classes(table).axes
    assert [axes.get_title("left") for axes in panels] == ["arms", "legs"]
    assert [bool(axes.get_ylabel()) for axes in panels] == [True, False]


@pytest.mark.parametrize("depth", [1, 2, 40])
def test_the_theorem(depth):
    rows = [(i, f"layer {i}", 2.0, 5.0, 0.9, np.nan) for i in range(2, depth + 1)]
    claim, _ = figures.plot_theorem(pd.DataFrame(rows, columns=COLUMNS)).axes
    assert len(claim.get_lines()[0].get_ydata()) == depth - 1
