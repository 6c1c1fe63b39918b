"""Figures of the GradCAM chapter, drawn from its tidy tables alone.

``beside`` are the same tables as other editions recorded them (`analysis_lib.chapters.other_editions`).
"""

from collections.abc import Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.explain.attributions import NORM_COLUMNS
from analysis_lib.plots.beside import GREY, NOTHING, Tables, faint, keys, where
from analysis_lib.plots.skeleton import draw_skeleton
from analysis_lib.plots.style import (
    COLOURS,
    DASHES,
    INK,
    MARKERS,
    NEGATIVE,
    POSITIVE,
    SEQUENTIAL,
    WIDTH,
    group_styles,
    layer_axis,
    use_style,
)
from analysis_lib.skeletons.layouts import LAYOUTS
from analysis_lib.skeletons.skeleton import Skeleton

_LARGEST = 55.0  # area of a joint of importance 1, in square points


def slice_names(n_slices: int) -> list[str]:
    """Return what the time slices are called: start, middle and end where there are three."""
    return ["start", "middle", "end"] if n_slices == 3 else [f"slice {s}" for s in range(1, n_slices + 1)]


def plot_layers(
    table: pd.DataFrame, poses: pd.DataFrame, skeleton: Skeleton, action: str, norm: str = "layer"
) -> Figure:
    """Draw one action's importance on its skeleton: layers from left to right, time downwards.

    Area and colour of a joint are its importance.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.explain.attributions.importance_table`.
    poses : DataFrame
        From `analysis_lib.explain.attributions.pose_table`.
    norm : {"layer", "global"}
        Each layer between its own 0 and 1, or all layers between one 0 and one 1.
    """
    within = {"layer": "within each layer", "global": "over all layers"}
    if norm not in within:
        raise unknown_choice("norm", norm, within)
    use_style()
    table, poses = (t[t["class"] == action] for t in (table, poses))
    if table.empty or poses.empty:
        raise UserError(f"the tables have no rows of action '{action}'")
    layers, slices = sorted(table["layer"].unique()), sorted(table["slice"].unique())
    places, (low, high) = _places(poses, skeleton, slices)
    shape = (high - low)[1] / (high - low)[0]
    width = WIDTH / (len(layers) + 0.6)
    height = np.clip(width * shape, 0.7, 2.0)
    figure, grid = plt.subplots(len(slices), len(layers), squeeze=False, figsize=(WIDTH, len(slices) * height + 0.75))
    values = table.set_index(["layer", "slice", "joint"])[NORM_COLUMNS[norm]].sort_index()
    for row, s in zip(grid, slices, strict=True):
        for axes, layer in zip(row, layers, strict=True):
            value = values.loc[layer, s].loc[list(skeleton.joints)].to_numpy()
            dots = draw_skeleton(
                axes, skeleton, places[s], value, 1.5 + _LARGEST * value, tint=False, bone_width=0.8, vmin=0, vmax=1
            )
            axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    for axes, layer in zip(grid[0], layers, strict=True):
        axes.set_title(f"layer {layer}" if len(layers) < 8 else f"{layer}", loc="center")
    for axes, name in zip(grid[:, 0], slice_names(len(slices)), strict=True):
        _row_name(axes, name)
    figure.colorbar(
        dots,
        ax=grid,
        location="bottom",
        shrink=0.4,
        aspect=30,
        pad=0.02,
        label=f"importance, scaled to 0..1 {within[norm]}",
    )
    clips = table["clips"].iloc[0]
    figure.suptitle(f"{action}: layers 1 to {len(layers)}, mean of {clips} clips", fontsize=9.5)
    return figure


def _places(
    poses: pd.DataFrame, skeleton: Skeleton, slices: Sequence[int]
) -> tuple[dict[int, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return the joints' places by slice, and the corners of a frame that holds them all."""
    table = poses.set_index(["slice", "joint"])[["x", "y"]].sort_index()
    places = {s: table.loc[s].loc[list(skeleton.joints)].to_numpy() for s in slices}
    everything = np.concatenate(list(places.values()))
    low, high = everything.min(axis=0), everything.max(axis=0)
    margin = 0.1 * (high - low).max()
    return places, (low - margin, high + margin)


def _row_name(axes: Axes, name: str, **options) -> None:
    axes.text(-0.05, 0.5, name, ha="right", va="center", transform=axes.transAxes, **{"fontsize": 8.5, **options})


def plot_joints(table: pd.DataFrame, skeleton: Skeleton, mark: Sequence[str] = (), beside: Tables = NOTHING) -> Figure:
    """Draw the importance of every joint for every action at one layer, as a heat map.

    Other editions have other actions, and perhaps other joints: each has a panel on the right.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.explain.attributions.joint_table`.
    skeleton : Skeleton
        Its parts give the order of the joints.
    mark : sequence of str
        Actions to set in bold.
    """
    use_style()
    tables = [table, *beside.values()]
    styles = group_styles(pd.concat(tables).sort_values("group", ascending=False)["group"])
    figure, grid = plt.subplots(
        1,
        len(tables),
        squeeze=False,
        width_ratios=[t["class"].nunique() for t in tables],
        figsize=(WIDTH, 1.6 + 0.17 * max(t["joint"].nunique() for t in tables)),
    )
    for axes, one in zip(grid[0], tables, strict=True):
        mesh = _joint_map(axes, one, _joints_by_part(one, skeleton), styles, mark)
        if beside:
            axes.set_xticks(axes.get_xticks(), axes.get_xticklabels(), rotation=90, va="center")
    for axes, label in zip(grid[0, 1:], beside, strict=True):
        axes.yaxis.tick_right()
        axes.set_title(label, color=GREY)
    figure.colorbar(
        mesh, ax=grid[0, -1], label="importance, 0..1 within the action", aspect=30, pad=0.015 * len(tables) ** 2
    )
    handles = [Line2D([], [], color=s["color"], lw=5, label=g) for g, s in styles.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    return figure


def _joints_by_part(table: pd.DataFrame, skeleton: Skeleton) -> list[list[str]]:
    """Return the table's joints by part of the body, if its skeleton is this one or published."""
    joints = list(dict.fromkeys(table["joint"]))
    for known in (skeleton, *LAYOUTS.values()):
        if set(known.joints) == set(joints):
            return [[known.joints[v] for v in part] for part in known.parts.values()]
    return [joints]


def _joint_map(axes: Axes, table: pd.DataFrame, parts: list[list[str]], styles: dict, mark: Sequence[str]):
    """Draw a heat map, joints down and actions across, and return its mesh."""
    names = list(dict.fromkeys(table.sort_values("group", kind="stable", ascending=False)["class"]))
    groups = table.groupby("class")["group"].first()
    joints = [joint for part in parts for joint in part]
    values = table.pivot(index="joint", columns="class", values="scaled").loc[joints, names]
    mesh = axes.pcolormesh(values.to_numpy(), cmap=SEQUENTIAL, vmin=0, vmax=1, rasterized=True)
    axes.set_yticks(np.arange(len(joints)) + 0.5, joints)
    axes.set_xticks(np.arange(len(names)) + 0.5, names, rotation=45, ha="right", rotation_mode="anchor")
    for label, name in zip(axes.get_xticklabels(), names, strict=True):
        label.set(color=styles[groups[name]]["color"], fontweight="bold" if name in mark else "normal")
    for edge in np.cumsum([len(part) for part in parts])[:-1]:
        axes.axhline(edge, color="white", lw=2.5)
    for i, (a, b) in enumerate(pairwise(names), 1):
        if groups[a] != groups[b]:
            axes.axvline(i, color="white", lw=2.5)
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return mesh


def plot_counterfactual(
    table: pd.DataFrame, counter: pd.DataFrame, poses: pd.DataFrame, skeleton: Skeleton, actions: Sequence[str]
) -> Figure:
    """Draw what speaks for and against actions at the last layer: one row an action, time across.

    Upward green triangles: for, larger than against; downward orange ones: the reverse. Area is
    the difference of the two maps, relative to the action's largest.

    Parameters
    ----------
    table, counter : DataFrame
        From `analysis_lib.explain.attributions.importance_table`, the second of counterfactual maps.
    """
    use_style()
    keys = ["class", "slice", "joint"]
    last = table["layer"].max()
    plain, against = (t[t["layer"] == last].set_index(keys)["importance"].sort_index() for t in (table, counter))
    slices = sorted(table["slice"].unique())
    figure, grid = plt.subplots(len(actions), len(slices), squeeze=False, figsize=(WIDTH, 1.95 * len(actions) + 0.4))
    for row, action in zip(grid, actions, strict=True):
        places, (low, high) = _places(poses[poses["class"] == action], skeleton, slices)
        signed = (plain - against).loc[action]
        for axes, s in zip(row, slices, strict=True):
            share = signed.loc[s].loc[list(skeleton.joints)].to_numpy() / signed.abs().max()
            draw_skeleton(axes, skeleton, places[s], sizes=0, tint=False, bone_width=1.2)
            for sign, marker, colour in ((1, "^", POSITIVE), (-1, "v", NEGATIVE)):
                mine = sign * share > 0
                axes.scatter(
                    *places[s][mine].T,
                    s=2 * _LARGEST * np.abs(share[mine]),
                    marker=marker,
                    color=colour,
                    edgecolors="white",
                    linewidths=0.4,
                    zorder=3,
                )
            axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        _row_name(row[0], action.replace(" ", "\n"))
    for axes, name in zip(grid[0], slice_names(len(slices)), strict=True):
        axes.set_title(name, loc="center")
    marks = (("^", POSITIVE, "speaks for the action"), ("v", NEGATIVE, "speaks against it"))
    handles = [Line2D([], [], ls="", marker=m, color=c, markersize=8, mec="white", label=t) for m, c, t in marks]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def plot_strength(table: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw how strong each layer's maps are, and how much alike those of the actions.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.explain.attributions.layer_table`.
    """
    use_style()
    figure, (strength, alike) = plt.subplots(1, 2, figsize=(WIDTH, 0.4 * WIDTH))
    x = table["layer"]
    for axes, column, label, i, dash in (
        (strength, "mean", "mean of the map", 0, DASHES[0]),
        (strength, "mass", "sum of the map", 1, DASHES[1]),
        (alike, "repeat", "same action, other clips", 3, DASHES[1]),
        (alike, "similarity", "other actions", 2, DASHES[0]),
    ):
        style = {"color": COLOURS[i], "linestyle": dash}
        for other, look in ((table, {"marker": MARKERS[i], "ms": 4, "label": label}), *faint(beside)):
            scale = other[column].max() if axes is strength else 1
            axes.plot(other["layer"], other[column] / scale, **style | look)
    strength.set(title="How strong?", ylabel="relative to the largest", ylim=(0, None))
    alike.fill_between(x, table["low"], table["high"], color=COLOURS[2], alpha=0.2, lw=0)
    alike.axhline(1, color=INK, lw=0.8, ls=":")
    everything = pd.concat([table, *beside.values()])
    lowest = everything[["low", "repeat"]].min().min()
    alike.set(
        title="The same map for every action?", ylim=(min(-0.05, lowest), 1.05), ylabel="rank correlation of maps"
    )
    for axes in (strength, alike):
        axes.legend(handles=[*axes.get_legend_handles_labels()[0], *keys(beside)])
        layer_axis(axes, sorted(set(everything["layer"])))
        axes.grid(axis="y")
    return figure


def plot_parts(table: pd.DataFrame, actions: Sequence[str], beside: Tables = NOTHING) -> Figure:
    """Draw which body part has how much of the importance, by layer: one panel an action.

    1 is what the part has in an even map (share of importance over share of joints).

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.explain.attributions.part_table`.
    """
    use_style()
    figure, grid = plt.subplots(1, len(actions), sharey=True, squeeze=False, figsize=(WIDTH, 0.38 * WIDTH + 0.3))
    parts = list(dict.fromkeys(table["part"]))
    others = where(beside, **{"class": list(actions)})
    layers = sorted(set(pd.concat([table, *others.values()])["layer"]))
    for axes, action in zip(grid[0], actions, strict=True):
        for i, part in enumerate(parts):
            style = {"color": COLOURS[i % 8], "linestyle": DASHES[i % 8]}
            curve = table[(table["class"] == action) & (table["part"] == part)]
            axes.plot(
                curve["layer"],
                curve["share"] / curve["joints"],
                label=part,
                ms=4,
                lw=1.3,
                marker=MARKERS[i % 8],
                **style,
            )
            for other, thin in faint(where(others, **{"class": action, "part": part})):
                axes.plot(other["layer"], other["share"] / other["joints"], **style | thin)
        axes.axhline(1, color=INK, lw=0.8, ls=":")
        axes.set(title=action, ylim=(0, None))
        layer_axis(axes, layers)
        axes.grid(axis="y")
    grid[0, 0].set_ylabel("share of importance\nover share of joints")
    handles = [*grid[0, 0].get_legend_handles_labels()[0], *keys(others)]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure
