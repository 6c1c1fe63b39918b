"""Figures of the transfer chapter: every curve is there, at its place, with what was recorded."""

import numpy as np
import pandas as pd
import pytest

from analysis_lib.studies.transfer import figures

pytestmark = pytest.mark.usefixtures("drawn_whole")


def smoothness(groups=("arms", "legs")):
    rows = [
        {
            "layer": layer,
            "level": level,
            "name": name,
            "group": name,
            "q": 0.9 - 0.05 * layer,
            "low": 0.8 - 0.05 * layer,
            "high": 1 - 0.05 * layer,
            "chance": 0.95,
        }
        for layer in range(11)
        for level in ("group", "class")
        for name in groups
    ]
    return pd.DataFrame(rows)


def learning():
    rows = [
        {
            "case": case,
            "clips_per_class": size,
            "seed": seed,
            "epoch": epoch,
            "accuracy": 0.1 * epoch + 0.02 * seed,
            "loss": 2 - 0.2 * epoch,
        }
        for case in ("head", "last 3 + head", "last 5 + head", "all", "scratch")
        for size in (2, 6)
        for seed in (0, 1)
        for epoch in range(4)
    ]
    old = {"case": "old head", "clips_per_class": 0, "seed": 0, "epoch": 0, "accuracy": 0.1}
    return pd.DataFrame([old, *rows])


def final(cuts=(0, 3, 10)):
    rows = [
        {"case": "x", "cut": cut, "clips_per_class": size, "accuracy": 0.5 + 0.03 * cut}
        for cut in cuts
        for size in (2, 6)
    ]
    rows.append({"case": "scratch", "cut": 10, "clips_per_class": 6, "accuracy": 0.3})
    table = pd.DataFrame(rows)
    return table.assign(low=table["accuracy"] - 0.1, high=table["accuracy"] + 0.1)


def choices(rules):
    rows = [
        {
            "clips_per_class": size,
            "rule": rule,
            "is_forecast": rule == "labels",
            "cut": i,
            "lost": 0.01 * i,
            "low": 0.0,
            "high": 0.02 * i,
        }
        for size in (2, 6)
        for i, rule in enumerate(rules)
    ]
    return pd.DataFrame(rows)


def labels(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_new_actions_beside_own_and_recorded_ones():
    figure = figures.plot_smoothness(smoothness(), smoothness(), {"NW-UCLA": smoothness(["arms"])})
    here, there = figure.axes
    assert [line.get_label() for line in here.lines] == ["arms", "legs", "its own actions", "random labels"]
    assert (here.get_title("left"), there.get_title("left")) == ("here", "NW-UCLA")
    assert labels(figure) == ["arms", "legs", "its own actions", "random labels"]
    np.testing.assert_allclose(here.lines[0].get_ydata(), 0.9 - 0.05 * np.arange(11))


def test_learning_curves_are_those_of_the_largest_set():
    figure = figures.plot_learning(learning())
    accuracy, loss = figure.axes
    assert labels(figure) == ["head", "last 3 + head", "all", "scratch"]
    np.testing.assert_allclose(accuracy.lines[0].get_ydata(), 0.1 * np.arange(4) + 0.01)
    np.testing.assert_allclose(loss.lines[0].get_ydata(), 2 - 0.2 * np.arange(4))
    assert accuracy.get_title("left") == "6 clips a class to learn from"
    assert len(figures.plot_learning(learning(), {"NW-UCLA": learning()}).axes) == 4


def test_one_curve_a_set_size():
    figure = figures.plot_cuts(final(), {"NW-UCLA": final([0, 1])})
    here, there = figure.axes
    assert [line.get_label() for line in here.lines[:2]] == ["2", "6"]
    np.testing.assert_allclose(here.lines[1].get_xdata(), [0, 3, 10])
    np.testing.assert_allclose(here.lines[1].get_ydata(), [0.5, 0.59, 0.8])
    np.testing.assert_allclose(there.lines[0].get_xdata(), [0, 1])
    assert here.lines[2].get_label() == "6, from scratch"
    assert set(here.lines[2].get_ydata()) == {0.3}


def test_every_rule_has_its_row_and_fixed_ones_come_first():
    figure = figures.plot_choices(
        choices(["labels", "always cut 0"]), {"NW-UCLA": choices(["x", "always cut 1", "labels"])}
    )
    here = figure.axes[0]
    rules = [label.get_text() for label in here.get_yticklabels()]
    assert rules == ["x", "always cut 0", "always cut 1", "labels"]
    np.testing.assert_allclose(here.lines[0].get_xdata(), [0, 1])  # in points of a per cent
    assert here.get_ylim()[0] > here.get_ylim()[1]
