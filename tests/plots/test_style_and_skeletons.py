"""Figures show what their tables say: curves, colours, places and labels are read back."""

import io
import itertools
import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb, to_rgba

from analysis_lib.errors import UserError
from analysis_lib.plots.maps import plot_maps
from analysis_lib.plots.poses import rest_pose
from analysis_lib.plots.skeleton import CROWDED, draw_skeleton, named_skeleton
from analysis_lib.plots.style import (
    COLOURS,
    DASHES,
    GROUP_COLOURS,
    LEFT,
    MARKERS,
    RIGHT,
    group_styles,
    layer_axis,
    use_style,
)
from analysis_lib.skeletons.layouts import LAYOUTS
from analysis_lib.skeletons.skeleton import Skeleton

pytestmark = pytest.mark.usefixtures("drawn_whole")

ARM = Skeleton("arm", ("left hand", "hub", "right hand"), ((0, 1), (2, 1)), 1, pairs=((0, 2),))
every_layout = pytest.mark.parametrize("skeleton", LAYOUTS.values(), ids=lambda s: s.name)


def drawn(figure):
    """Return the PNG of a figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=50)
    return buffer.getvalue()


def texts(figure):
    return [t.get_text() for t in figure.findobj(mpl.text.Text) if t.get_text()]


def renamed(skeleton):
    """Return the skeleton under a name for which there is no pose by hand."""
    return Skeleton("own", skeleton.joints, skeleton.edges, skeleton.centre, dict(skeleton.parts), skeleton.pairs)


def crossing(a, b, c, d):
    """Whether the open segments ab and cd cross."""
    side = lambda p, q, r: np.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))  # noqa: E731
    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


@pytest.mark.parametrize("name", ["$5$ or $", r"$\frac$", r"\$x\$", "50 %_^{}", "<b>"])
def test_a_name_is_drawn_as_it_stands(name):
    use_style()
    figure, axes = plt.subplots()
    axes.plot([0.02, 300], label=name)
    axes.set(title=name, yscale="log")
    axes.set_xticks([0], [name])
    axes.legend()
    drawn(figure)
    assert name in texts(figure)
    assert {"10⁻¹", "10²"} <= {label.get_text() for label in axes.get_yticklabels()}
    assert not any(text.get_parse_math() for text in figure.findobj(mpl.text.Text))


@pytest.mark.parametrize("skeleton", [s for s in LAYOUTS.values() if s.n_joints < 133], ids=lambda s: s.name)
def test_rest_poses_are_symmetric_upright_and_tidy(skeleton):
    pose = rest_pose(skeleton)
    for left, right in skeleton.pairs:
        assert pose[left] == pytest.approx(pose[right] * (-1, 1))
        assert pose[left, 0] < 0
    head = [v for v, n in enumerate(skeleton.joints) if n in ("head", "nose", "head top")]
    ankles = [v for v, n in enumerate(skeleton.joints) if n.endswith(("ankle", "foot")) or n == "wrist"]
    assert pose[head, 1].min(initial=1) > 0.85 > 0.2 > pose[ankles, 1].max()
    gaps = [np.linalg.norm(pose[a] - pose[b]) for a, b in itertools.combinations(range(skeleton.n_joints), 2)]
    assert min(gaps) > 0.055
    pairs = itertools.combinations(skeleton.edges, 2)
    crossed = [{*e, *f} for e, f in pairs if crossing(*pose[list(e)], *pose[list(f)])]
    assert crossed == ([{1, 2, 17, 18}] if skeleton.name == "halpe-26" else [])  # between the eyes to the head's top


@every_layout
def test_an_unknown_skeleton_is_spread_so_that_no_joints_meet(skeleton):
    pose = rest_pose(renamed(skeleton))
    assert np.array_equal(pose, rest_pose(renamed(skeleton)))
    assert pose.shape == (skeleton.n_joints, 2)
    assert pose.min() == 0
    assert pose.max() == 1
    plane = np.linalg.norm(pose[:, None] - pose[None], axis=-1)
    assert plane[~np.eye(len(pose), dtype=bool)].min() > min(0.02, 0.45 / len(pose))
    assert np.corrcoef(plane.ravel(), skeleton.hop_distance.ravel())[0, 1] > 0.85


@pytest.mark.parametrize(
    ("joints", "edges"),
    [("a", ()), ("ab", ((0, 1),)), ("ab", ()), ("abc", ((0, 1), (1, 2))), ("abcd", ((0, 1), (2, 3)))],
)
def test_the_smallest_and_the_broken_skeletons_have_a_pose(joints, edges):
    pose = rest_pose(Skeleton("own", tuple(joints), edges))
    assert pose.shape == (len(joints), 2)
    assert np.isfinite(pose).all()
    assert len(np.unique(pose.round(3), axis=0)) == len(joints)


def test_a_pose_has_its_bones_tints_and_places():
    _, ax = plt.subplots()
    dots = draw_skeleton(ax, ARM, np.array([[-1, 0, 9], [0, 1, 9], [1, 0.5, 9]]))
    assert dots.get_offsets().tolist() == [[-1, 0], [0, 1], [1, 0.5]]
    (bones,) = ax.findobj(LineCollection)
    assert [s.tolist() for s in bones.get_segments()] == [[[-1, 0], [0, 1]], [[1, 0.5], [0, 1]]]
    assert bones.get_colors().tolist() == [list(to_rgba(LEFT)), list(to_rgba(RIGHT))]
    assert ax.get_xlim()[0] <= -1
    assert ax.get_ylim()[1] >= 1


def test_joints_in_a_row_can_be_seen():
    _, ax = plt.subplots()
    draw_skeleton(ax, ARM, np.array([[0.0, 0], [0, 1], [0, 2]]))
    ax.apply_aspect()
    width, height = ax.get_window_extent().size
    assert width > height / 6


def test_values_and_sizes_are_those_of_the_joints_and_unseen_ones_are_left_out():
    _, ax = plt.subplots()
    pose = np.array([[-1.0, 0], [0, 1], [np.nan, np.nan]])
    dots = draw_skeleton(ax, ARM, pose, np.array([0.25, 0.5, 9]), np.array([4, 5, 6]), vmin=0, vmax=1)
    assert dots.get_array().tolist() == [0.25, 0.5]
    assert dots.get_sizes().tolist() == [4, 5]
    assert dots.get_clim() == (0, 1)
    assert dots.get_offsets().tolist() == [[-1, 0], [0, 1]]
    assert len(ax.findobj(LineCollection)[0].get_segments()) == 1


def test_a_pose_of_another_body_is_refused():
    with pytest.raises(UserError) as error:
        draw_skeleton(plt.subplots()[1], ARM, np.zeros((25, 3)))
    assert str(error.value) == (
        "expected (3, 2 or more) coordinates for the joints of 'arm', got (25, 3); is that one frame of one body?"
    )


def test_super_classes_keep_their_colours_and_all_can_be_told_apart():
    assert {n: s["color"] for n, s in group_styles(GROUP_COLOURS).items()} == GROUP_COLOURS
    styles = group_styles(["mine", "upper body", "yours", *map(str, range(12))])
    assert styles["upper body"]["color"] == GROUP_COLOURS["upper body"]
    assert len({s["color"] for s in styles.values()}) == 15
    first = ["upper body", "lower body", "full body", "mine", "yours"]
    assert len({s["marker"] for s in group_styles(first).values()}) == 5
    assert len({s["linestyle"] for s in group_styles(first).values()}) == 5
    assert len(COLOURS) == len(MARKERS) == len(DASHES)


@pytest.mark.parametrize(("a", "b"), list(itertools.combinations([*GROUP_COLOURS.values()][:3], 2)))
def test_super_classes_differ_for_people_without_red_or_green_cones(a, b):
    """Simulated with the matrices of Vienot, Brettel & Mollon (1999), in linear light."""
    to_lms = np.array([[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]])
    protan = np.array([[0, 2.02344, -2.52581], [0, 1, 0], [0, 0, 1]])
    deutan = np.array([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]])
    for missing in (protan, deutan):
        seen = np.linalg.inv(to_lms) @ missing @ to_lms
        one, other = (np.clip(seen @ np.array(to_rgb(c)) ** 2.2, 0, 1) ** (1 / 2.2) for c in (a, b))
        assert np.linalg.norm(one - other) > 0.25


def test_the_layer_axis_names_layers_and_thins_many():
    _, ax = plt.subplots()
    layer_axis(ax, range(1, 11))
    assert ax.get_xticks().tolist() == list(range(1, 11))
    assert [t.get_text() for t in ax.get_xticklabels()] == [str(i) for i in range(1, 11)]
    assert (ax.get_xlabel(), ax.get_xticklabels()[0].get_rotation()) == ("layer", 0)
    layer_axis(ax, [f"st_gcn_networks.{i}" for i in range(10)], "block")
    assert ax.get_xticklabels()[0].get_rotation() == 45
    layer_axis(ax, range(100))
    assert len(ax.get_xticks()) == 25
    layer_axis(ax, range(100), most=10)
    assert len(ax.get_xticks()) == 10
    with pytest.raises(UserError, match=r"^layer_axis needs at least one layer$"):
        layer_axis(ax, [])


@every_layout
def test_the_names_of_all_joints_stand_apart(skeleton):
    figure = named_skeleton(skeleton, rest_pose(skeleton))
    names = [t for t in figure.findobj(mpl.text.Text) if re.match(r"\d+ ", t.get_text())]
    assert sorted(t.get_text() for t in names) == sorted(f"{v} {joint}" for v, joint in enumerate(skeleton.joints))
    boxes = [t.get_window_extent() for t in names]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    crowded = [part for part in skeleton.parts.values() if len(part) > CROWDED]
    assert len(figure.axes) == 1 + len(crowded)


def test_maps_of_several_methods_stand_side_by_side():
    rows = [
        (clip, "wave", method, joint, sign * (v + 1) / 3, v, v, v == 2)
        for clip in (4, 7)
        for method, sign in (("GradCAM", 1), ("by lot", -1))
        for v, joint in enumerate(ARM.joints)
    ]
    table = pd.DataFrame(rows, columns=["clip", "class", "method", "joint", "value", "x", "y", "true"])
    figure = plot_maps(table, ARM, ["first", "second"])
    *grid, bar = figure.axes
    assert [axes.get_title("center") for axes in grid] == ["GradCAM", "by\nlot", "", ""]
    joints, rings = grid[1].collections[1:]
    np.testing.assert_allclose(joints.get_array(), [-1 / 3, -2 / 3, -1])
    assert (np.diff(joints.get_sizes()) > 0).all()
    np.testing.assert_allclose(rings.get_offsets(), [[2, 2]])
    assert bar.get_xlabel() == "value of a joint over the largest of its clip"
