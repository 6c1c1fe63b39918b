"""Figures of architectures are drawn whole, of one network and of many, with twins and without."""

import numpy as np
import pandas as pd
import pytest

from analysis_lib.studies.architectures import figures
from analysis_lib.studies.architectures.tables import root_table, titles

pytestmark = pytest.mark.usefixtures("drawn_whole")


def curves(depths, draws):
    rows = [
        (name, "stgcn", draw, layer, layer / depth, 0.5, 0.4, 0.6, np.nan if layer == depth else 2.0)
        for name, depth in depths.items()
        for draw in range(draws + 1)
        for layer in range(depth + 1)
    ]
    names = ["network", "architecture", "draw", "layer", "depth", "q", "low", "high", "separation"]
    return pd.DataFrame(rows, columns=names)


@pytest.mark.parametrize("depths", [{"a": 1}, {"a": 10, "b": 7, "c": 8, "d": 10}])
@pytest.mark.parametrize("draws", [0, 2])
def test_curves(depths, draws):
    table = curves(depths, draws)
    panels = [axes for axes in figures.plot_curves(table, {"real": table}).axes if axes.get_visible()]
    names = [*titles(table).values()]
    assert [axes.get_title("left") for axes in panels] == [*names, *(f"{name}\nreal" for name in names)]
    assert all(len(axes.get_lines()) == 1 + draws for axes in panels)
    figures.plot_separation(table)


def test_boards_ours_filled_and_published_hollow():
    rows = [("A", "paper", 0.97, 0.95, 0.98), ("mine", "ours", 0.95, 0.93, 0.97), ("B", "paper", 0.9, 0.87, 0.92)]
    board = pd.DataFrame(rows, columns=["network", "whose", "accuracy", "low", "high"])
    axes, other = figures.plot_boards({"here": board, "real": board[:1]}).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["B", "mine", "A"]
    drawn = {one.get_label(): one.lines[0].get_xydata().tolist() for one in axes.containers}
    assert drawn == {"published": [[0.9, 0], [0.97, 2]], "ours": [[0.95, 1]]}
    assert other.get_title("left") == "real"
    assert figures.plot_boards({}) is None


def test_accuracy_and_roots(rng):
    shape = pd.DataFrame({"network": ["a"], "statistic": "fall", "value": 0.5, "low": 0.4, "high": 0.6})
    costs = pd.DataFrame({"network": ["a"], "architecture": "stgcn", "accuracy": 0.9, "low": 0.8, "high": 0.95})
    (axes,) = figures.plot_accuracy(shape, costs).axes
    assert axes.containers[0].get_label() == "ST-GCN"
    (axes,) = figures.plot_roots(root_table(rng.normal(size=(5, 3, 6, 4, 1)))).axes
    assert len(axes.get_lines()) == 7
