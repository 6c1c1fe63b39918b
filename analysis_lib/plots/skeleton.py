"""Drawings of a body: bones and joints in the plane, values as colour, size as importance."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from scipy.optimize import linear_sum_assignment

from analysis_lib.errors import UserError
from analysis_lib.plots.style import FAINT, INK, LEFT, MIDDLE, RIGHT, SEQUENTIAL
from analysis_lib.skeletons.skeleton import Skeleton


def side_colours(skeleton: Skeleton) -> list[str]:
    """Return a tint for each joint: one for left, one for right, grey for the middle."""
    colours = [MIDDLE] * skeleton.n_joints
    for left, right in skeleton.pairs:
        colours[left], colours[right] = LEFT, RIGHT
    return colours


def draw_skeleton(
    ax,
    skeleton: Skeleton,
    joints: np.ndarray,
    values: np.ndarray | None = None,
    sizes: np.ndarray | float = 22,
    *,
    cmap=SEQUENTIAL,
    vmin: float | None = None,
    vmax: float | None = None,
    tint: bool = True,
    bone_width: float = 1.6,
) -> PathCollection:
    """Draw one pose from the front, and return its joints (for a colour bar).

    Parameters
    ----------
    ax : matplotlib Axes
        Loses its frame and gets equal scales; its limits grow to hold the pose.
    skeleton : Skeleton
    joints : ndarray, shape (V, C)
        The first two coordinates are drawn, x to the right and y up. A joint that is NaN is left
        out, with its bones.
    values : ndarray, shape (V,), optional
        Coloured by ``cmap`` between ``vmin`` and ``vmax``; without them joints have the tint of
        their side.
    sizes : float or ndarray, shape (V,)
        Area of the joints, in square points.
    tint : bool
        Whether bones of the left and the right side differ in colour.

    Returns
    -------
    PathCollection
    """
    places = np.array(joints, float)
    if places.ndim != 2 or len(places) != skeleton.n_joints or places.shape[1] < 2:
        raise UserError(
            f"expected ({skeleton.n_joints}, 2 or more) coordinates for the joints of "
            f"'{skeleton.name}', got {places.shape}; is that one frame of one body?"
        )
    places = places[:, :2]
    colours = side_colours(skeleton) if tint else [MIDDLE] * skeleton.n_joints
    bones = [e for e in skeleton.edges if np.isfinite(places[list(e)]).all()]
    # a bone between a limb and the trunk is the limb's
    shades = [next((colours[v] for v in e if colours[v] != MIDDLE), MIDDLE) for e in bones]
    look = {"colors": shades, "linewidths": bone_width, "capstyle": "round", "zorder": 1}
    ax.add_collection(LineCollection([places[list(e)] for e in bones], **look))
    seen = np.isfinite(places).all(axis=1)
    area = np.broadcast_to(np.asarray(sizes, float), len(places))[seen]
    paint = {"c": np.array(colours)[seen]}
    if values is not None:
        paint = {"c": np.asarray(values, float)[seen], "cmap": cmap, "vmin": vmin, "vmax": vmax}
    dots = ax.scatter(*places[seen].T, s=area, edgecolors=INK, linewidths=0.4, zorder=2, **paint)
    if seen.any():
        low, high = places[seen].min(axis=0), places[seen].max(axis=0)
        half = np.maximum(high - low, 0.2 * np.max(high - low)) / 2  # joints in a row need a width, too
        ax.update_datalim([(low + high) / 2 - half, (low + high) / 2 + half])
        ax.autoscale_view()
    ax.set_aspect("equal", adjustable="box")
    ax.set_axis_off()
    return dots


#: parts of more joints than this, such as a hand or a face, are drawn once more by themselves
CROWDED = 20
_PANEL, _POSE, _COLUMN, _LINE = 7.0, 3.4, 2.15, 0.135  # inches


def named_skeleton(skeleton: Skeleton, pose: np.ndarray) -> Figure:
    """Return a picture of a pose with the number and the name of each joint.

    Names stand in two columns beside the body, each at the place that makes the lines from joints to
    names shortest together; such lines do not cross. A part of more than `CROWDED` joints has a panel of
    its own where there are others.

    Parameters
    ----------
    skeleton : Skeleton
    pose : ndarray, shape (V, 2)
        y up. A joint that is NaN is left out.
    """
    everything = set(range(skeleton.n_joints))
    crowded = {part: set(index) for part, index in skeleton.parts.items() if len(index) > CROWDED}
    apart = {part: index for part, index in crowded.items() if index != everything}
    shown = {skeleton.name: sorted(everything.difference(*apart.values())), **{k: sorted(v) for k, v in apart.items()}}
    columns = min(len(shown), 2)
    rows = -(-len(shown) // columns)
    longest = max(len(named) for named in shown.values())
    height = max(_PANEL, (longest // 2 + 3) * _LINE)
    figure = plt.figure(figsize=(columns * _PANEL, rows * height), layout="none")
    for i, (title, named) in enumerate(shown.items()):
        column, row = i % columns, rows - 1 - i // columns
        ax = figure.add_axes((column / columns, row / rows, 1 / columns, 1 / rows))
        whole = title == skeleton.name
        _draw_named(ax, skeleton, np.array(pose, float)[:, :2], sorted(everything) if whole else named, named, height)
        ax.set_title(title, y=0.965, loc="center")
    return figure


def _draw_named(ax, skeleton: Skeleton, pose: np.ndarray, drawn: Sequence[int], named: Sequence[int], height: float):
    """Draw some joints of a pose in inches, and the names of some of them in columns on both sides."""
    places = np.full_like(pose, np.nan)
    places[drawn] = pose[drawn]
    low, high = np.nanmin(places, axis=0), np.nanmax(places, axis=0)
    box = np.array([_POSE, height - 1.2])
    places = (places - (low + high) / 2) * np.min(box / np.maximum(high - low, 1e-9))
    draw_skeleton(ax, skeleton, places, sizes=16)
    named = [v for v in named if np.isfinite(places[v]).all()]
    half = -(-len(named) // 2)
    spread = min(height / 2 - 0.5, half * _LINE * 1.6)
    y = np.linspace(spread, -spread, half) if half > 1 else np.zeros(half)
    slots = np.concatenate([np.column_stack([np.full(half, side * _COLUMN), y]) for side in (-1, 1)])
    far = np.linalg.norm(places[named][:, None] - slots, axis=-1)
    for v, slot in zip(*linear_sum_assignment(far), strict=True):
        joint, (x, y) = named[v], slots[slot]
        ax.plot([places[joint, 0], x], [places[joint, 1], y], color=FAINT, linewidth=0.6, zorder=0)
        side = "left" if x > 0 else "right"
        ax.text(x + np.sign(x) * 0.05, y, f"{joint} {skeleton.joints[joint]}", ha=side, va="center", fontsize=7.5)
    ax.set_xlim(-_PANEL / 2, _PANEL / 2)
    ax.set_ylim(-height / 2, height / 2)
