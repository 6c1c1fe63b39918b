"""Drawings of a body: bones and joints in the plane, values as colour, size as importance."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure

from analysis_lib.errors import UserError
from analysis_lib.plots.style import INK, LEFT, MIDDLE, RIGHT, SEQUENTIAL, WIDTH
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
    marker: str = "o",
    tint: bool = True,
    bone_width: float = 1.6,
    y_down: bool = False,
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
    y_down : bool
        Whether y grows downwards in the data, as it does in the pixels of an image.

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
    places = places[:, :2] * (1, -1 if y_down else 1)
    colours = side_colours(skeleton) if tint else [MIDDLE] * skeleton.n_joints
    bones = [e for e in skeleton.edges if np.isfinite(places[list(e)]).all()]
    # a bone between a limb and the trunk is the limb's
    shades = [next((colours[v] for v in e if colours[v] != MIDDLE), MIDDLE) for e in bones]
    ax.add_collection(
        LineCollection(
            [places[list(e)] for e in bones], colors=shades, linewidths=bone_width, capstyle="round", zorder=1
        )
    )
    seen = np.isfinite(places).all(axis=1)
    area = np.broadcast_to(np.asarray(sizes, float), len(places))[seen]
    paint = (
        {"c": [c for c, s in zip(colours, seen, strict=True) if s]}
        if values is None
        else {"c": np.asarray(values, float)[seen], "cmap": cmap, "vmin": vmin, "vmax": vmax}
    )
    dots = ax.scatter(*places[seen].T, s=area, marker=marker, edgecolors=INK, linewidths=0.4, zorder=2, **paint)
    ax.set_aspect("equal", adjustable="box")
    ax.set_axis_off()
    return dots


def skeleton_strip(
    skeleton: Skeleton,
    sequence: np.ndarray,
    values: np.ndarray | None = None,
    *,
    frames: int | Sequence[int] = 6,
    label: str = "",
    cmap=SEQUENTIAL,
    y_down: bool = False,
) -> Figure:
    """Return a row of poses over the time of one clip, all to one scale.

    Parameters
    ----------
    skeleton : Skeleton
    sequence : ndarray, shape (M, T, V, C) or (T, V, C)
        Joints that are zero in all coordinates were not seen and are left out.
    values : ndarray, shape (T, V) or (M, T, V), optional
        Coloured on one scale for the whole clip, with a colour bar called ``label``.
    frames : int or sequence of int
        How many poses, evenly spread from first to last; or which frames (0-based).

    Returns
    -------
    Figure
    """
    bodies = np.array(sequence if np.ndim(sequence) == 4 else sequence[None], float)
    bodies[~(bodies != 0).any(axis=-1)] = np.nan
    length = bodies.shape[1]
    chosen = (
        np.unique(np.linspace(0, length - 1, frames).round().astype(int)).tolist()
        if isinstance(frames, int)
        else list(frames)
    )
    if values is not None:
        values = np.broadcast_to(values, bodies.shape[:3])
    drawn = bodies[:, chosen, :, :2] * (1, -1 if y_down else 1)
    low, high = np.nanmin(drawn, axis=(0, 1, 2)), np.nanmax(drawn, axis=(0, 1, 2))
    margin = 0.06 * max(*(high - low), 1e-9)
    across, upright = high - low + 2 * margin
    height = np.clip(WIDTH / len(chosen) * upright / across, 1.2, 3.2)
    fig, axes = plt.subplots(1, len(chosen), figsize=(WIDTH, height + 0.3), squeeze=False)
    scale = {} if values is None else {"vmin": values.min(), "vmax": values.max(), "cmap": cmap}
    for ax, t in zip(axes[0], chosen, strict=True):
        for m, body in enumerate(bodies[:, t]):
            shade = None if values is None else values[m, t]
            dots = draw_skeleton(ax, skeleton, body, shade, 14, y_down=y_down, **scale)
        ax.set(xlim=(low[0] - margin, high[0] + margin), ylim=(low[1] - margin, high[1] + margin))
        ax.set_title(f"frame {t + 1}", loc="center", fontsize=8)
    if values is not None:
        fig.colorbar(dots, ax=axes, label=label, shrink=0.8, pad=0.01)
    return fig
