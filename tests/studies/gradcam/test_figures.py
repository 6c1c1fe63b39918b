"""Figures of the GradCAM chapter: sizes, places, colours and labels are read back from them."""

import itertools

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.colors import to_rgba

from analysis_lib.errors import UserError
from analysis_lib.plots.style import GROUP_COLOURS, NEGATIVE, POSITIVE
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.studies.gradcam.figures import (
    plot_controls,
    plot_counterfactual,
    plot_joints,
    plot_layers,
    plot_masking,
    plot_parts,
    plot_randomisation,
    plot_strength,
)

pytestmark = pytest.mark.usefixtures("drawn_whole")

STICK = Skeleton("stick", ("foot", "hip", "head"), ((0, 1), (2, 1)), 1, parts={"leg": (0,), "trunk": (1, 2)})
ACTIONS = {"kick": "lower body", "wave": "upper body"}


def importance(rng, n_layers=4):
    index = itertools.product(ACTIONS, range(1, n_layers + 1), (1, 2, 3), STICK.joints)
    table = pd.DataFrame(index, columns=["class", "layer", "slice", "joint"])
    table[["importance", "layer_scaled", "global_scaled"]] = rng.random((len(table), 3))
    return table.assign(group=table["class"].map(ACTIONS), clips=7)


@pytest.fixture
def table(rng):
    return importance(rng)


@pytest.fixture
def poses(rng):
    table = pd.DataFrame(itertools.product(ACTIONS, (1, 2, 3), STICK.joints), columns=["class", "slice", "joint"])
    return table.assign(x=rng.normal(size=len(table)), y=rng.normal(size=len(table)), clip="c")


def dots(axes):
    return [c for c in axes.collections if isinstance(c, PathCollection)]


def texts(figure):
    return {t.get_text() for t in figure.findobj(mpl.text.Text) if t.get_text()}


def test_layers_run_across_and_time_down(table, poses):
    shuffled = table.sample(frac=1, random_state=0)
    figure = plot_layers(shuffled, poses.sample(frac=1, random_state=1), STICK, ["wave"])
    panels = np.array(figure.axes[:12]).reshape(3, 4)
    for (s, layer), axes in np.ndenumerate(panels):
        rows = table.query(f"`class` == 'wave' and layer == {layer + 1} and slice == {s + 1}")
        (drawn,) = dots(axes)
        np.testing.assert_allclose(drawn.get_array(), rows["layer_scaled"])
        order = drawn.get_sizes().argsort()
        assert (order == np.argsort(rows["layer_scaled"])).all()
        places = poses.query(f"`class` == 'wave' and slice == {s + 1}")[["x", "y"]]
        np.testing.assert_allclose(drawn.get_offsets(), places)
        assert drawn.get_clim() == (0, 1)
    assert len({axes.get_xlim() for axes in panels.flat}) == 1
    assert {"start", "middle", "end", "layer 4", "wave: layers 1 to 4, mean of 7 clips"} <= texts(figure)


def test_actions_stand_one_below_the_other_and_may_be_none(table, poses):
    figure = plot_layers(table, poses, STICK, ["wave", "kick"])
    assert [block.get_suptitle()[:5] for block in figure.subfigs] == ["wave:", "kick:"]
    assert len(figure.axes) == 2 * 12 + 1
    assert plot_layers(table, poses, STICK, []) is None
    with pytest.raises(UserError, match="no rows of action 'nod'"):
        plot_layers(table, poses, STICK, ["nod"])


@pytest.mark.parametrize(("n_layers", "shown"), [(1, [1]), (40, [1, 37, 38, 39, 40])])
def test_one_layer_and_forty(rng, poses, n_layers, shown):
    figure = plot_layers(importance(rng, n_layers), poses, STICK, ["wave"])
    titles = [axes.get_title().removeprefix("layer ") for axes in figure.axes[: len(shown)]]
    assert titles == list(map(str, shown))
    steps = itertools.product(range(1, n_layers + 3), range(1, n_layers + 1))
    table = pd.DataFrame(steps, columns=["step", "layer"]).assign(mean=0.1, low=0, high=0.2)
    table["forgotten"] = [["head", *map(str, range(n_layers, 0, -1)), "rest"][i - 1] for i in table["step"]]
    cells, curve = plot_randomisation(table, list(map(str, range(1, n_layers + 1)))).axes[:2]
    assert cells.get_yticklabels()[1].get_text() == f"… layer {n_layers}"
    assert len(curve.lines[0].get_xdata()) == n_layers + 2
    assert len(cells.get_xticks()) <= 14


def test_the_heat_map_has_a_row_a_joint_and_a_column_an_action(rng):
    table = pd.DataFrame(itertools.product(ACTIONS, STICK.joints), columns=["class", "joint"])
    table = table.assign(scaled=rng.random(6), group=table["class"].map(ACTIONS))
    axes = plot_joints(table, STICK, ["kick"]).axes[0]
    (mesh,) = [c for c in axes.collections if isinstance(c, QuadMesh)]
    cells = mesh.get_array().reshape(3, 2)
    columns = [t.get_text() for t in axes.get_xticklabels()]
    rows = [t.get_text() for t in axes.get_yticklabels()]
    for (i, j), value in np.ndenumerate(cells):
        one = table[(table["joint"] == rows[i]) & (table["class"] == columns[j])]
        assert value == one["scaled"].item()
    for label in axes.get_xticklabels():
        assert label.get_color() == GROUP_COLOURS[ACTIONS[label.get_text()]]
        assert label.get_fontweight() == ("bold" if label.get_text() == "kick" else "normal")


def test_the_sign_is_a_shape_and_a_colour(table, poses):
    counter = table.assign(importance=table["importance"].to_numpy()[::-1])
    figure = plot_counterfactual(table, counter, poses, STICK, ["wave", "kick"])
    panels = np.array(figure.axes).reshape(2, 3)
    for (row, s), axes in np.ndenumerate(panels):
        key = f"`class` == '{['wave', 'kick'][row]}' and layer == 4"
        signed = table.query(key)["importance"] - counter.query(key)["importance"]
        share = (signed / signed.abs().max())[table["slice"] == s + 1].to_numpy()
        _, positive, negative = dots(axes)
        assert len(positive.get_offsets()) == (share > 0).sum()
        assert len(negative.get_offsets()) == (share < 0).sum()
        sizes = np.concatenate([positive.get_sizes(), negative.get_sizes()])
        np.testing.assert_allclose(sizes, 110 * np.sqrt(np.abs(np.r_[share[share > 0], share[share < 0]])))
        for drawn, colour in ((positive, POSITIVE), (negative, NEGATIVE)):
            assert all(tuple(c) == to_rgba(colour) for c in drawn.get_facecolors())


def curves(axes):
    return {line.get_label(): line.get_ydata() for line in axes.lines}


def test_strength_is_relative_to_the_largest():
    table = pd.DataFrame(
        {
            "layer": [1, 2, 3],
            "mean": [1, 2, 4],
            "mass": [4, 1, 2],
            "similarity": [0.1, 0.2, 0.9],
            "low": 0.0,
            "high": 1.0,
            "repeat": 0.7,
        }
    )
    strength, alike = plot_strength(table).axes
    assert curves(strength)["mean of the map"].tolist() == [0.25, 0.5, 1]
    assert curves(strength)["sum of the map"].tolist() == [1, 0.25, 0.5]
    assert curves(alike)["other actions"].tolist() == [0.1, 0.2, 0.9]
    assert curves(alike)["same action, other clips"].tolist() == [0.7] * 3


def test_controls_have_a_panel_each_with_the_band_of_their_difference():
    strength = pd.DataFrame({"layer": [1, 2, 3, 4], "trained": [0.1, 0.1, 0.2, 0.6], "untrained": 0.25})
    strength = strength.assign(all_low=strength["trained"] - 0.3, all_high=strength["trained"] - 0.2)
    strength = strength.assign(seeds_low=strength["trained"] - 0.05, seeds_high=strength["trained"])
    targets = pd.DataFrame({"layer": [1, 2], "clip": [0.5, 0.4], "target": [0.1, 0.4], "neither": 0.2})
    targets = targets.assign(all_low=[0.2, -0.2], all_high=[0.6, 0.2])
    left, right = plot_controls(strength, targets).axes
    assert curves(left)["trained"].tolist() == [0.1, 0.1, 0.2, 0.6]
    assert curves(left)["untrained networks"].tolist() == [0.25] * 4
    assert set(left.lines[-1].get_ydata()) == {0.25}  # an even share
    assert curves(right)["same class, other clip"].tolist() == [0.1, 0.4]
    for axes, low, high in ((left, 0.05, 0.65), (right, 0.2, 0.7)):
        ends = axes.collections[0].get_paths()[0].vertices[:, 1]
        assert (ends.min(), ends.max()) == pytest.approx((low, high))
    bars = [path.vertices[:, 1].tolist() for path in left.collections[1].get_paths()]
    np.testing.assert_allclose(bars, [[0.05, 0.1], [0.05, 0.1], [0.15, 0.2], [0.55, 0.6]])
    one_seed = plot_controls(strength.assign(seeds_low=np.nan, seeds_high=np.nan), targets).axes[0]
    assert len(one_seed.collections) == 1
    assert [axes.get_title("left") for axes in plot_controls(None, targets).axes] == ["Clip or class?"]
    assert plot_controls(None, None) is None


def test_parts_are_drawn_against_an_even_map():
    rows = [
        {"class": c, "layer": layer, "part": part, "share": share, "joints": 0.5}
        for c in ACTIONS
        for layer in (1, 2)
        for part, share in (("leg", 0.8), ("trunk", 0.2))
    ]
    for axes in plot_parts(pd.DataFrame(rows), list(ACTIONS)).axes:
        assert curves(axes)["leg"].tolist() == [1.6, 1.6]
        assert curves(axes)["trunk"].tolist() == [0.4, 0.4]


def test_of_many_parts_those_with_most_are_drawn_and_seen_whole():
    rows = [
        {"class": c, "layer": layer, "part": f"joint {v}", "share": v / 66 + i, "joints": 1 / 12}
        for i, c in enumerate(ACTIONS)
        for layer in (1, 2)
        for v in range(12)
    ]
    for axes in plot_parts(pd.DataFrame(rows), list(ACTIONS)).axes:
        drawn = [label for label in curves(axes) if not label.startswith("_")]  # but for the line of an even map
        assert drawn == [f"joint {v}" for v in range(4, 12)]
        assert axes.get_ylim()[1] > max(max(values) for values in curves(axes).values())


def test_randomisation_writes_each_cell_and_draws_the_last_layer():
    steps, rho = ["head", "b", "a"], np.array([[0.9, 0.5], [-0.04, -0.3], [0.1, 0.2]])
    rows = [
        {
            "step": i + 1,
            "forgotten": step,
            "layer": k + 1,
            "mean": rho[i, k],
            "low": rho[i, k] - 0.1,
            "high": rho[i, k] + 0.1,
        }
        for i, step in enumerate(steps)
        for k in (0, 1)
    ]
    cells, curve = plot_randomisation(pd.DataFrame(rows), ["a", "b"]).axes[:2]
    written = {t.get_position(): t.get_text() for t in cells.texts}
    assert written == {(1, 1): "0.9", (2, 1): "0.5", (1, 2): "0.0", (2, 2): "−0.3", (1, 3): "0.1", (2, 3): "0.2"}
    labels = [t.get_text() for t in cells.get_yticklabels()]
    assert labels == ["head", "… layer 2", "… layer 1"]
    assert curve.lines[0].get_xdata().tolist() == [0.5, -0.3, 0.2]
    low, high = cells.get_ylim()
    assert low > high


def test_masking_draws_one_curve_an_order_in_both_tests(rng):
    rows = [
        {"test": t, "order": o, "joints": k, "mean": rng.random(), "low": 0, "high": 1}
        for t in ("deletion", "insertion")
        for o in ("importance", "motion", "random")
        for k in (0, 2, 5)
    ]
    table = pd.DataFrame(rows)
    for axes, test in zip(plot_masking(table).axes, ("deletion", "insertion"), strict=True):
        assert test in axes.get_title("left").lower()
        for order, name in (("importance", "by importance"), ("random", "at random")):
            mine = table[(table["test"] == test) & (table["order"] == order)]
            assert curves(axes)[name].tolist() == mine["mean"].tolist()
