"""What several methods say of the same clips, drawn on bodies side by side."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis_lib.plots.skeleton import draw_skeleton
from analysis_lib.plots.style import INK, WIDTH, use_style
from analysis_lib.skeletons.skeleton import Skeleton

#: of a joint's value between -1 and 1: orange speaks against, green for
DIVERGING = "PuOr"
_LARGEST = 60.0  # area of a joint of value 1 or -1, in square points


def plot_maps(table: pd.DataFrame, skeleton: Skeleton, names: Sequence[str] = ()) -> Figure:
    """Draw one row a clip and one column a method: area is a joint's absolute value, colour its sign.

    Parameters
    ----------
    table : DataFrame
        Columns clip, class, method, joint, value (-1 to 1), x, y, as from
        `analysis_lib.explain.comparison.map_table`. A boolean column ``true`` rings joints that count.
    skeleton : Skeleton
    names : sequence of str
        Of the rows, the class of the clip by default.
    """
    use_style()
    clips, methods = list(dict.fromkeys(table["clip"])), list(dict.fromkeys(table["method"]))
    cells = table.set_index(["clip", "method", "joint"]).sort_index()
    joints = list(skeleton.joints)
    place = {clip: cells.loc[clip, methods[0]].loc[joints, ["x", "y"]].to_numpy() for clip in clips}
    shapes = [np.ptp(of[:, 1]) / max(np.ptp(of[:, 0]), 0.35 * np.ptp(of[:, 1]), 1e-9) for of in place.values()]
    height = sum(np.clip(WIDTH / (len(methods) + 1) * shape, 0.9, 1.9) for shape in shapes) + 0.9
    size = {"figsize": (WIDTH, height), "height_ratios": [np.clip(shape, 0.5, 3) for shape in shapes]}
    figure, grid = plt.subplots(len(clips), len(methods), squeeze=False, **size)
    for row, clip in zip(grid, clips, strict=True):
        low, high = place[clip].min(axis=0), place[clip].max(axis=0)
        margin = 0.12 * (high - low).max()
        for axes, method in zip(row, methods, strict=True):
            of = cells.loc[clip, method].loc[joints]
            value = of["value"].to_numpy(float)
            look = {"sizes": 2 + _LARGEST * np.abs(value), "tint": False, "bone_width": 0.8, "vmin": -1, "vmax": 1}
            dots = draw_skeleton(axes, skeleton, place[clip], value, cmap=DIVERGING, **look)
            if "true" in of:
                ringed = of["true"].to_numpy(bool)
                axes.scatter(*place[clip][ringed].T, s=95, facecolors="none", edgecolors=INK, linewidths=0.9, zorder=3)
            axes.set(xlim=(low[0] - margin, high[0] + margin), ylim=(low[1] - margin, high[1] + margin))
    for axes, method in zip(grid[0], methods, strict=True):
        axes.set_title(method.replace(" ", "\n", 1).replace("-SHAP", "-\nSHAP"), loc="center", fontsize=8.5)
    classes = [table.loc[table["clip"] == clip, "class"].iloc[0] for clip in clips]
    for axes, name in zip(grid[:, 0], names or classes, strict=True):
        look = {"ha": "right", "va": "center", "transform": axes.transAxes, "fontsize": 8.5}
        axes.text(-0.05, 0.5, name.replace(" ", "\n"), **look)
    bar = figure.colorbar(dots, ax=grid, location="bottom", shrink=0.45, aspect=30, pad=0.02)
    bar.set_label("value of a joint over the largest of its clip")
    bar.set_ticks([-1, 0, 1], labels=["−1 against", "0", "1 for"])
    return figure
