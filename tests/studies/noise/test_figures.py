"""Figures of the noise chapter show what their tables say: curves, bands and ticks are read back."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection

from analysis_lib.studies.noise.figures import plot_learnt, plot_noise_smoothness, plot_robustness

pytestmark = pytest.mark.usefixtures("drawn_whole")

CONDITIONS = [("none", np.nan), ("chosen", 30.0), ("chosen", 20.0), ("all", 20.0)]
LABELS = ["clean", "30 dB, these actions", "20 dB, these actions", "20 dB, all actions"]
FAULTS = [("none", np.nan), ("noise", 40.0), ("noise", 15.0), ("occlusion", 0.1), ("frame drop", 0.75), ("jitter", 8)]
BAND = {"low": -0.1, "high": 0.05}


@pytest.fixture
def smoothness(rng):
    rows = [(*key, layer, name) for key in CONDITIONS for layer in range(3) for name in ("hop", "drop")]
    table = pd.DataFrame(rows, columns=["noisy", "psnr", "layer", "name"])
    table = table.assign(q=rng.uniform(0.3, 0.7, len(table)), change=rng.uniform(-0.2, 0.2, len(table)))
    ends = {f"{c}{end}": table[of] + by for c, of in (("", "q"), ("change_", "change")) for end, by in BAND.items()}
    return table.assign(**ends)


def scores_of(rng, *sets):
    rows = [(*key, name, 9) for key, name in product(FAULTS, sets)]
    table = pd.DataFrame(rows, columns=["kind", "strength", "set", "clips"])
    table["accuracy"] = rng.uniform(0.3, 0.7, len(table))
    ends = {"low": -0.1, "high": 0.2, "seeds_low": -0.03, "seeds_high": 0.04}
    return table.assign(**{column: table["accuracy"] + by for column, by in ends.items()})


def band(collection):
    (path,) = collection.get_paths()
    return path.vertices[:, 1].min(), path.vertices[:, 1].max()


def legends(figure):
    return [t.get_text() for legend in figure.legends for t in legend.get_texts()]


def test_each_action_has_its_curves_and_its_changes(smoothness):
    figure = plot_noise_smoothness(smoothness)
    for name, (left, right) in zip(("hop", "drop"), np.reshape(figure.axes, (2, 2)), strict=True):
        rows = smoothness[smoothness["name"] == name]
        parts = [part for _, part in rows.groupby(["noisy", "psnr"], sort=False, dropna=False)]
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
            assert band(shade) == pytest.approx((part["change_low"].min(), part["change_high"].max()))
        assert left.get_ylim()[0] == 0
        assert len({line.get_marker() for line in left.lines}) == len({line.get_color() for line in left.lines}) == 4
    assert legends(figure) == LABELS
    assert [t.get_text() for t in figure.axes[-1].get_xticklabels()] == ["in", "1", "2"]


def test_one_action_at_one_layer_can_be_drawn(smoothness):
    assert len(plot_noise_smoothness(smoothness.query("name == 'hop' and layer < 2 and psnr != 30")).axes) == 2


def test_recorded_actions_have_rows_of_their_own(smoothness):
    other = smoothness.assign(name=smoothness["name"] + " down")
    figure = plot_noise_smoothness(smoothness, {"NW-UCLA": other})
    titles = ["hop", "drop", "NW-UCLA: hop down", "NW-UCLA: drop down"]
    assert [axes.get_title("left") for axes in figure.axes[::2]] == titles
    assert [axes.get_xlabel() for axes in figure.axes] == [""] * 6 + ["layer"] * 2


def test_each_fault_has_a_panel_from_clean_to_strong(rng):
    scores = scores_of(rng, "some", "every")
    figure = plot_robustness(scores, ("some", "every"))
    titles = [axes.get_title("left") for axes in figure.axes]
    assert titles == ["white Gaussian noise", "hidden joints", "lost frames", "unsteady time stamps"]
    ticks = [[t.get_text() for t in axes.get_xticklabels()] for axes in figure.axes]
    assert ticks == [["clean", "40", "15"], ["clean", "10\u202f%"], ["clean", "75\u202f%"], ["clean", "8"]]
    for axes, kind in zip(figure.axes, ("noise", "occlusion", "frame drop", "jitter"), strict=True):
        shades, bars = axes.collections[::2], axes.collections[1::2]
        for name, line, shade, bar in zip(("some", "every"), axes.lines, shades, bars, strict=True):
            rows = scores[(scores["set"] == name) & scores["kind"].isin(["none", kind])]
            np.testing.assert_array_equal(line.get_ydata(), rows["accuracy"])
            assert band(shade) == pytest.approx((rows["low"].min(), rows["high"].max()))
            np.testing.assert_allclose([s[:, 1] for s in bar.get_segments()], rows[["seeds_low", "seeds_high"]])
    assert legends(figure) == ["some (9 clips)", "every (9 clips)"]


def test_more_actions_than_colours_and_a_panel_that_is_not_needed(rng):
    names = [f"action {i}" for i in range(10)]
    scores = scores_of(rng, *names).query("kind != 'jitter'")
    figure = plot_robustness(scores, names)
    assert [axes.get_visible() for axes in figure.axes] == [True, True, True, False]
    assert len(figure.axes[0].lines) == 10


def test_recorded_accuracy_lies_between_the_strengths_at_hand(rng):
    scores = scores_of(rng, "some")
    other = scores[scores["kind"].isin(["none", "noise"])].copy()
    other["strength"] = other["strength"].replace({40.0: 27.5, 15.0: 5.0})
    figure = plot_robustness(scores, ("some",), {"NW-UCLA": other})
    _, line = figure.axes[0].lines
    assert line.get_alpha() == 0.55
    np.testing.assert_allclose(line.get_xdata(), [0, 1.5, np.nan])
    np.testing.assert_allclose(line.get_ydata(), other["accuracy"])
    assert legends(figure)[-1] == "NW-UCLA"


def test_untrained_networks_stand_beside_the_trained_one():
    table = pd.DataFrame({"layer": [0, 1, 2], "trained": [0.1, 0.3, 0.2], "untrained": [0.1, 0.0, -0.1]})
    table = table.assign(all_low=[np.nan, 0.2, 0.1], all_high=[np.nan, 0.4, 0.5], seeds_low=np.nan, seeds_high=np.nan)
    (axes,) = plot_learnt(table).axes
    assert len(axes.collections) == 1  # no bars over the seeds of one training
    drawn = {line.get_label(): list(line.get_ydata()) for line in axes.lines}
    assert drawn["trained"] == [0.1, 0.3, 0.2]
    assert drawn["untrained networks"] == [0.1, 0.0, -0.1]
    assert band(axes.collections[0]) == pytest.approx((0.0, 0.4))
    assert [t.get_text() for t in axes.get_xticklabels()] == ["in", "1", "2"]
    (axes,) = plot_learnt(table.assign(seeds_low=[0.0, 0.1, 0.2], seeds_high=0.4)).axes
    (bars,) = (one for one in axes.collections if isinstance(one, LineCollection))
    assert [segment[:, 1].tolist() for segment in bars.get_segments()] == [[0.0, 0.4], [0.1, 0.4], [0.2, 0.4]]
