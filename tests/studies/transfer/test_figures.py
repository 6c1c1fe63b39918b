"""Figures of the transfer chapter: every curve is there, at its place, with what was recorded."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from analysis_lib.studies.transfer import figures

pytestmark = pytest.mark.usefixtures("drawn_whole")


def smoothness(*groups, layers=11):
    rows = list(product(range(layers), ("group", "class"), groups))
    table = pd.DataFrame(rows, columns=["layer", "level", "name"])
    q = 0.9 - 0.05 * table["layer"]
    return table.assign(q=q, low=q - 0.1, high=q + 0.1, chance=0.95)


def learning(*tuned):
    cases = [*enumerate(tuned), (99, "scratch")]
    rows = [(case, cut, size, s, e) for (cut, case), size, s, e in product(cases, (2, 6), (0, 1), range(4))]
    table = pd.DataFrame(rows, columns=["case", "cut", "clips_per_class", "seed", "epoch"])
    table = table.assign(accuracy=0.1 * table["epoch"] + 0.02 * table["seed"], loss=2 - 0.2 * table["epoch"])
    old = {"case": "old head", "cut": 0, "clips_per_class": 0, "seed": 0, "epoch": 0, "accuracy": 0.1}
    return pd.concat([pd.DataFrame([old]), table], ignore_index=True)


def final(*cuts, sizes=(2, 6)):
    rows = [("x", cut, size, 0.5 + 0.03 * cut) for cut, size in product(cuts, sizes)] + [("scratch", 10, 6, 0.3)]
    table = pd.DataFrame(rows, columns=["case", "cut", "clips_per_class", "accuracy"])
    return table.assign(low=table["accuracy"] - 0.1, high=table["accuracy"] + 0.1)


def choices(*rules):
    rows = [(size, rule, rule == "labels", i, 0.01 * i) for size, (i, rule) in product((2, 6), enumerate(rules))]
    table = pd.DataFrame(rows, columns=["clips_per_class", "rule", "is_forecast", "cut", "lost"])
    return table.assign(low=0.0, high=2 * table["lost"])


def labels(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_new_actions_beside_own_and_recorded_ones():
    figure = figures.plot_smoothness(
        smoothness("arms", "legs"), smoothness("arms"), {"NW-UCLA": smoothness("arms", layers=2)}
    )
    here, there = figure.axes
    assert [line.get_label() for line in here.lines] == ["arms", "legs", "its own actions", "random labels"]
    assert (here.get_title("left"), there.get_title("left")) == ("this run", "NW-UCLA")
    assert labels(figure) == ["arms", "legs", "its own actions", "random labels"]
    np.testing.assert_allclose(here.lines[0].get_ydata(), 0.9 - 0.05 * np.arange(11))


def test_learning_curves_are_those_of_the_largest_set():
    table = learning("head", "last 1 + head", "last 3 + head", "last 5 + head", "all")
    figure = figures.plot_learning(table)
    accuracy, loss = figure.axes
    assert labels(figure) == ["head", "last 3 + head", "all", "scratch", "old head"]
    np.testing.assert_allclose(accuracy.lines[0].get_ydata(), 0.1 * np.arange(4) + 0.01)
    np.testing.assert_allclose(loss.lines[0].get_ydata(), 2 - 0.2 * np.arange(4))
    assert accuracy.get_title("left") == "6 clips a class to learn from"
    assert len(figures.plot_learning(table, {"NW-UCLA": table}).axes) == 4


@pytest.mark.parametrize("cases", [("head",), ("head", "all"), ("head", "last 1 + head", "all")])
def test_as_many_learning_curves_as_there_are(cases):
    assert labels(figures.plot_learning(learning(*cases))) == [*cases, "scratch", "old head"]


def test_one_curve_a_set_size():
    figure = figures.plot_cuts(final(0, 3, 10), {"NW-UCLA": final(0, 1)})
    here, there = figure.axes
    assert [line.get_label() for line in here.lines[:2]] == ["2", "6"]
    np.testing.assert_allclose(here.lines[1].get_xdata(), [0, 3, 10])
    np.testing.assert_allclose(here.lines[1].get_ydata(), [0.5, 0.59, 0.8])
    np.testing.assert_allclose(there.lines[0].get_xdata(), [0, 1])
    assert here.lines[2].get_label() == "6, from scratch"
    assert set(here.lines[2].get_ydata()) == {0.3}
    assert len(figures.plot_cuts(final(0, sizes=range(1, 11))).axes[0].lines) == 11  # more sizes than markers


def test_every_rule_has_its_row_and_fixed_ones_come_first():
    figure = figures.plot_choices(
        choices("labels", "always cut 0"), {"NW-UCLA": choices("x", "always cut 1", "labels")}
    )
    here = figure.axes[0]
    rules = [label.get_text() for label in here.get_yticklabels()]
    assert rules == ["x", "always cut 0", "always cut 1", "labels"]
    np.testing.assert_allclose(here.lines[0].get_xdata(), [0, 1])  # in points of a per cent
    assert here.get_ylim()[0] > here.get_ylim()[1]
