"""Drawings of a body: bones and joints in the plane, values as colour, size as importance."""

import numpy as np
from matplotlib.collections import LineCollection, PathCollection

from analysis_lib.errors import UserError
from analysis_lib.plots.style import INK, LEFT, MIDDLE, RIGHT, SEQUENTIAL
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
    ax.set_aspect("equal", adjustable="box")
    ax.set_axis_off()
    return dots
