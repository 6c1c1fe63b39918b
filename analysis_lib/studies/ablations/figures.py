"""Figures of the chapter on parts of networks, drawn from its tidy tables alone."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis_lib.networks.fg_stformer import body_parts
from analysis_lib.networks.titles import entry_titles
from analysis_lib.plots.panels import key_below, panels
from analysis_lib.plots.skeleton import draw_skeleton
from analysis_lib.plots.style import COLOURS, INK, MARKERS, POSITIVE, WIDTH, percent_axis, use_style
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.studies.ablations.words import TITLES
from analysis_lib.words import THIN, number

LINES = 12  # of attention, the strongest


def plot_parts(parts: pd.DataFrame) -> Figure | None:
    """Draw what each part gives, here with its interval and as published; without a row there is no figure."""
    if parts.empty:
        return None
    use_style()
    blocks = [rows.iloc[::-1] for _, rows in parts.groupby(["architecture", "place"], sort=False)]
    heights = [len(rows) + 0.9 for rows in blocks]
    size = {"figsize": (WIDTH, 0.27 * sum(heights) + 0.7), "height_ratios": heights}
    figure, grid = plt.subplots(len(blocks), 1, sharex=True, squeeze=False, **size)
    for axes, rows in zip(grid[:, 0], blocks, strict=True):
        y, gain = np.arange(len(rows)), 100 * rows[["value", "low", "high"]]
        error = [gain["value"] - gain["low"], gain["high"] - gain["value"]]
        axes.errorbar(
            gain["value"], y, xerr=error, ls="", marker="o", color=COLOURS[0], label=f"here, 95{THIN}% interval"
        )
        look = {"s": 30, "facecolors": "none", "edgecolors": COLOURS[1], "zorder": 3}
        if rows["published"].notna().any():
            axes.scatter(100 * rows["published"], y, marker="D", label="published, on NTU RGB+D", **look)
        axes.axvline(0, color=INK, lw=0.6)
        axes.set_yticks(y, rows["part"])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_title(f"{TITLES[rows['architecture'].iloc[0]]}, {rows['place'].iloc[0]}")
        axes.grid(axis="x")
    axes.set_xlabel("gain in accuracy, points")
    key_below(figure, grid[:, 0])
    return figure


def plot_looks(poses: pd.DataFrame, links: pd.DataFrame, skeleton: Skeleton) -> Figure:
    """Draw focal joints on some skeletons, and below the strongest attention that joints pay to parts.

    Above, the darker and larger a joint, the more informative; joints that are not focal are small and grey. Below,
    squares are parts at the middle of their joints; a line leads from a joint to a part that it takes from.
    """
    use_style()
    actions = list(dict.fromkeys(poses["class"]))
    figure, grid = plt.subplots(2, len(actions), squeeze=False, figsize=(WIDTH, 2 * 2.1 + 0.6))
    joints = list(skeleton.joints)
    for (above, below), action in zip(grid.T, actions, strict=True):
        mine = poses[poses["class"] == action].set_index("joint").loc[joints]
        places, focal = mine[["x", "y"]].to_numpy(), mine["focal"].to_numpy(bool)
        draw_skeleton(above, skeleton, places, sizes=5, tint=False, bone_width=0.8)
        shown = np.where(focal[:, None], places, np.nan)
        low, high = poses["score"].min(), poses["score"].max()
        dots = draw_skeleton(
            above, skeleton, shown, mine["score"].to_numpy(), 38, vmin=low, vmax=high, tint=False, bone_width=0
        )
        above.set_title(action, loc="center")
        draw_skeleton(below, skeleton, places, sizes=5, tint=False, bone_width=0.8)
        _draw_links(below, links[links["class"] == action].nlargest(LINES, "weight"), places, skeleton)
        below.set(xlim=above.get_xlim(), ylim=above.get_ylim())
    bar = {"location": "right", "shrink": 0.8, "aspect": 25}
    figure.colorbar(dots, ax=grid[0], label="informativeness", **bar)
    handles = [Line2D([], [], color=POSITIVE, lw=2, marker="s", label=f"the {LINES} strongest links, joint to part")]
    key_below(figure, handles=handles)
    return figure


def _draw_links(axes, links: pd.DataFrame, places: np.ndarray, skeleton: Skeleton) -> None:
    middles = np.array([places[list(part)].mean(axis=0) for part in body_parts(skeleton)])
    starts, ends = places[[skeleton.joints.index(joint) for joint in links["joint"]]], middles[links["part"]]
    widths = 2.5 * links["weight"] / links["weight"].max()
    axes.add_collection(
        LineCollection(list(np.stack([starts, ends], axis=1)), colors=POSITIVE, linewidths=widths, alpha=0.8, zorder=3)
    )
    axes.scatter(*ends.T, marker="s", s=18, color=POSITIVE, edgecolors=INK, linewidths=0.4, zorder=4)


def plot_focus(table: pd.DataFrame, skeleton: Skeleton) -> Figure:
    """Draw in which share of the frames each joint is focal, a column an action."""
    use_style()
    joints = [skeleton.joints[v] for part in skeleton.parts.values() for v in part]
    shares = table.pivot(index="joint", columns="class", values="share")
    shares = shares.loc[joints, list(dict.fromkeys(table["class"]))]
    figure, axes = plt.subplots(figsize=(WIDTH, 1.5 + 0.17 * len(shares)))
    mesh = axes.pcolormesh(shares.to_numpy(), cmap="mako_r", vmin=0, vmax=1)
    axes.set_yticks(np.arange(len(shares)) + 0.5, shares.index)
    axes.set_xticks(np.arange(shares.shape[1]) + 0.5, shares.columns, rotation=90)
    axes.invert_yaxis()
    figure.colorbar(mesh, ax=axes, label="share of frames", aspect=30)
    return figure


def plot_actions(table: pd.DataFrame, one: str, other: str) -> Figure:
    """Draw the accuracy of two networks for each action, sorted by how much the first is ahead."""
    use_style()
    rows = table.sort_values("value", kind="stable")
    figure, axes = plt.subplots(figsize=(WIDTH, 0.9 + 0.19 * len(rows)))
    y = np.arange(len(rows))
    told = (rows["low"] > 0) | (rows["high"] < 0)
    axes.hlines(y, rows["one"], rows["other"], color=np.where(told, INK, "#C9C9C9"), lw=np.where(told, 2.2, 1.2))
    first, second = entry_titles([one, other]).values()
    for column, name, colour, marker in (("one", first, COLOURS[0], "o"), ("other", second, COLOURS[1], "s")):
        axes.plot(rows[column], y, ls="", marker=marker, markersize=5, color=colour, label=name)
    axes.set_yticks(y, rows["class"])
    percent_axis(axes.xaxis)
    axes.set_xlabel("accuracy on the action's clips")
    axes.grid(axis="x")
    key_below(figure, [axes], [Line2D([], [], color=INK, lw=2.2, label="a difference beyond chance")])
    return figure


def plot_nodes(table: pd.DataFrame, skeleton: Skeleton) -> Figure:
    """Draw joints of clips in the plane, a panel a network; colour and marker are the joint's part of the body."""
    use_style()
    names: Sequence[str] = list(dict.fromkeys(table["network"]))
    called = entry_titles(names)
    figure, grid = panels(len(names), 2, 0.5 * WIDTH, 0.4)
    for axes, name in zip(grid, names, strict=True):
        mine = table[table["network"] == name]
        axes.set_title(f"{called[name]}: between / within {number(mine['separation'].iloc[0])}")
        for i, (part, joints) in enumerate(skeleton.parts.items()):
            rows = mine[mine["joint"].isin([skeleton.joints[v] for v in joints])]
            look = {"s": 12, "color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)], "lw": 0}
            axes.scatter(rows["x"], rows["y"], label=part, alpha=0.7, **look)
        axes.set(xticks=[], yticks=[])
    key_below(figure, grid[:1])
    return figure
