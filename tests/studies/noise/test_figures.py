"""Figures of the noise chapter show what their tables say: curves, bands and ticks are read back."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from analysis_lib.studies.noise.figures import plot_noise_smoothness, plot_robustness

pytestmark = pytest.mark.usefixtures("drawn_whole")

CONDITIONS = [("none", np.nan), ("chosen", 30.0), ("chosen", 20.0), ("all", 20.0)]
LABELS = ["clean", "30 dB, these actions", "20 dB, these actions", "20 dB, all actions"]
ACCURACIES = [
    ("none", np.nan),
    ("noise", 40.0),
    ("noise", 15.0),
    ("occlusion", 0.1),
    ("frame drop", 0.75),
    ("jitter", 8),
]


@pytest.fixture
def smoothness(rng):
    table = pd.DataFrame(
        [(*key, layer, name) for key in CONDITIONS for layer in range(3) for name in ("hop", "drop")],
        columns=["noisy", "psnr", "layer", "name"],
    )
    table["q"] = rng.uniform(0.3, 0.7, len(table))
    table["change"] = rng.uniform(-0.2, 0.2, len(table))
    for column in ("", "change_"):
        middle = table[column.rstrip("_") or "q"]
        table[f"{column}low"], table[f"{column}high"] = middle - 0.1, middle + 0.05
    return table


@pytest.fixture
def scores(rng):
    table = pd.DataFrame(
        [(*key, name) for key, name in product(ACCURACIES, ("some", "every"))], columns=["kind", "strength", "set"]
    )
    table["accuracy"] = rng.uniform(0.3, 0.7, len(table))
    for column, width in (("low", -0.1), ("high", 0.2), ("seeds_low", -0.03), ("seeds_high", 0.04)):
        table[column] = table["accuracy"] + width
    return table.assign(clips=table["set"].map({"some": 9, "every": 40}))


def band(collection):
    (path,) = collection.get_paths()
    return path.vertices[:, 1].min(), path.vertices[:, 1].max()


def legends(figure):
    return [t.get_text() for legend in figure.legends for t in legend.get_texts()]


def test_each_action_has_its_curves_and_its_changes(smoothness):
    figure = plot_noise_smoothness(smoothness)
    for name, (left, right) in zip(("hop", "drop"), np.reshape(figure.axes, (2, 2)), strict=True):
        parts = [
            part
            for _, part in smoothness[smoothness["name"] == name].groupby(["noisy", "psnr"], sort=False, dropna=False)
        ]
        assert left.get_title("left") == name
        for line, label, part in zip(left.lines, LABELS, parts, strict=True):
            assert line.get_label() == label
            np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3])
            np.testing.assert_array_equal(line.get_ydata(), part["q"])
        assert band(left.collections[0]) == pytest.approx((parts[0]["low"].min(), parts[0]["high"].max()))
        zero, *changes = right.lines
        assert set(zero.get_ydata()) == {0}
        for line, shade, part in zip(changes, right.collections, parts[1:], strict=True):
            np.testing.assert_array_equal(line.get_ydata(), part["change"])
            ends = part["change_low"].min(), part["change_high"].max()
            assert band(shade) == pytest.approx(ends)
        assert left.get_ylim()[0] == 0
    assert legends(figure) == LABELS
    assert [t.get_text() for t in figure.axes[-1].get_xticklabels()] == ["in", "1", "2"]


def test_conditions_differ_in_more_than_colour(smoothness):
    lines = plot_noise_smoothness(smoothness).axes[0].lines
    assert len({line.get_marker() for line in lines}) == len(CONDITIONS)
    assert len({line.get_color() for line in lines}) == len(CONDITIONS)


def test_one_action_alone_can_be_drawn(smoothness):
    assert len(plot_noise_smoothness(smoothness[smoothness["name"] == "hop"]).axes) == 2


def test_each_perturbation_has_a_panel_from_clean_to_strong(scores):
    figure = plot_robustness(scores, ("some", "every"))
    titles = [axes.get_title("left") for axes in figure.axes]
    assert titles == ["white Gaussian noise", "hidden joints", "lost frames", "unsteady time stamps"]
    ticks = [[t.get_text() for t in axes.get_xticklabels()] for axes in figure.axes]
    assert ticks == [["clean", "40", "15"], ["clean", "10 %"], ["clean", "75 %"], ["clean", "8"]]
    for axes, kind in zip(figure.axes, ("noise", "occlusion", "frame drop", "jitter"), strict=True):
        shades, bars = axes.collections[::2], axes.collections[1::2]
        for name, line, shade, bar in zip(("some", "every"), axes.lines, shades, bars, strict=True):
            rows = scores[(scores["set"] == name) & scores["kind"].isin(["none", kind])]
            np.testing.assert_array_equal(line.get_ydata(), rows["accuracy"])
            assert band(shade) == pytest.approx((rows["low"].min(), rows["high"].max()))
            np.testing.assert_allclose([s[:, 1] for s in bar.get_segments()], rows[["seeds_low", "seeds_high"]])
    assert legends(figure) == ["some (9 clips)", "every (40 clips)"]


def test_a_panel_that_is_not_needed_is_not_seen(scores):
    figure = plot_robustness(scores[scores["kind"] != "jitter"], ("some",))
    assert [axes.get_visible() for axes in figure.axes] == [True, True, True, False]


def test_recorded_actions_have_rows_of_their_own(smoothness):
    other = smoothness.assign(name=smoothness["name"] + " down")
    figure = plot_noise_smoothness(smoothness, {"NW-UCLA": other})
    assert [axes.get_title("left") for axes in figure.axes[::2]] == [
        "hop",
        "drop",
        "NW-UCLA: hop down",
        "NW-UCLA: drop down",
    ]
    assert [axes.get_xlabel() for axes in figure.axes] == [""] * 6 + ["layer"] * 2


def test_recorded_accuracy_lies_between_the_strengths_at_hand(scores):
    kept = scores["kind"].isin(["none", "noise"]) & (scores["set"] == "some")
    other = scores[kept].copy()
    other["strength"] = other["strength"].replace({40.0: 27.5, 15.0: 5.0})
    figure = plot_robustness(scores, ("some",), {"NW-UCLA": other})
    plain = plot_robustness(scores, ("some",))
    (line,) = [drawn for drawn in figure.axes[0].lines if drawn.get_alpha() == 0.55]
    np.testing.assert_allclose(line.get_xdata(), [0, 1.5, np.nan])
    np.testing.assert_allclose(line.get_ydata(), other["accuracy"])
    assert len(figure.axes[0].lines) == len(plain.axes[0].lines) + 1
    assert figure.legends[0].get_texts()[-1].get_text() == "NW-UCLA"
