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
from matplotlib.ticker import MaxNLocator

from analysis_lib.errors import UserError
from analysis_lib.explain.attributions import NORM_COLUMNS
from analysis_lib.plots import style
from analysis_lib.plots.beside import GREY, NOTHING, Tables, faint, keys, where
from analysis_lib.plots.panels import key_below, panels, seed_bars
from analysis_lib.plots.skeleton import draw_skeleton
from analysis_lib.plots.style import COLOURS, DASHES, INK, MARKERS, WIDTH
from analysis_lib.skeletons.layouts import LAYOUTS
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.studies.gradcam.words import slice_names

_LARGEST = 55.0  # area of a joint of importance 1, in square points
_ORDERS = {"importance": "by importance", "motion": "by motion", "random": "at random"}


def plot_layers(
    table: pd.DataFrame, poses: pd.DataFrame, skeleton: Skeleton, actions: Sequence[str], most: int = 5
) -> Figure | None:
    """Draw the importance of some actions on their skeletons: layers from left to right, time downwards.

    Area and colour of a joint are its importance, between the layer's least and its largest.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.explain.attributions.importance_table`.
    poses : DataFrame
        From `analysis_lib.studies.gradcam.tables.pose_table`.
    actions : sequence of str
        One below the other; where there is none, there is no figure.
    most : int
        Layers that are drawn; of more, the last three, and some evenly apart before them.
    """
    if not len(actions):
        return None
    style.use_style()
    every, slices = sorted(table["layer"].unique()), sorted(table["slice"].unique())
    layers = every
    if len(every) > most:
        layers = [*(every[i] for i in np.linspace(0, len(every) - 4, most - 3).round().astype(int)), *every[-3:]]
    drawn = {action: _places(poses, action, skeleton, slices) for action in actions}
    shapes = [np.divide(*(high - low)[::-1]) for _, (low, high) in drawn.values()]
    heights = [len(slices) * np.clip(WIDTH / (len(layers) + 0.6) * s, 1.35, 2.0) + 0.3 for s in shapes]
    figure = plt.figure(figsize=(WIDTH, sum(heights) + 0.45))
    blocks = figure.subfigures(len(actions), squeeze=False, height_ratios=[*heights[:-1], heights[-1] + 0.45])[:, 0]
    for block, (action, (places, (low, high))) in zip(blocks, drawn.items(), strict=True):
        mine = table[table["class"] == action]
        values = mine.set_index(["layer", "slice", "joint"])[NORM_COLUMNS["layer"]].sort_index()
        grid = block.subplots(len(slices), len(layers), squeeze=False)
        for (row, column), axes in np.ndenumerate(grid):
            value = values.loc[layers[column], slices[row]].loc[list(skeleton.joints)].to_numpy()
            look = {"sizes": 1.5 + _LARGEST * value, "tint": False, "bone_width": 0.8, "vmin": 0, "vmax": 1}
            dots = draw_skeleton(axes, skeleton, places[slices[row]], value, **look)
            axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        for axes, layer in zip(grid[0], layers, strict=True):
            axes.set_title(f"layer {layer}", loc="center")
        for axes, name in zip(grid[:, 0], slice_names(len(slices)), strict=True):
            _row_name(axes, name)
        some = "" if len(layers) == len(every) else f"{len(layers)} of "
        whole = f"layers 1 to {len(every)}" if len(every) > 1 else "its one layer"
        block.suptitle(f"{action}: {some}{whole}, mean of {mine['clips'].iloc[0]} clips", fontsize=9.5)
    bar = {"location": "bottom", "shrink": 0.4, "aspect": 30, "pad": 0.02}
    blocks[-1].colorbar(dots, ax=grid, label="importance, from the least to the largest of each layer", **bar)
    return figure


def _places(poses: pd.DataFrame, action: str, skeleton: Skeleton, slices: Sequence[int]) -> tuple[dict, tuple]:
    """Return the joints' places by slice, and the corners of a frame that holds them all."""
    table = poses[poses["class"] == action].set_index(["slice", "joint"])[["x", "y"]].sort_index()
    if table.empty:
        raise UserError(f"the tables have no rows of action '{action}'")
    places = {s: table.loc[s].loc[list(skeleton.joints)].to_numpy() for s in slices}
    everything = np.concatenate(list(places.values()))
    low, high = everything.min(axis=0), everything.max(axis=0)
    margin = 0.06 * (high - low).max()
    return places, (low - margin, high + margin)


def _row_name(axes: Axes, name: str) -> None:
    axes.text(-0.05, 0.5, name, ha="right", va="center", transform=axes.transAxes, fontsize=8.5)


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
    style.use_style()
    tables = [table, *beside.values()]
    styles = style.group_styles(pd.concat(tables).sort_values("group", ascending=False)["group"])
    size = {"width_ratios": [t["class"].nunique() for t in tables]}
    size["figsize"] = (WIDTH, 1.6 + 0.17 * max(t["joint"].nunique() for t in tables))
    figure, grid = plt.subplots(1, len(tables), squeeze=False, **size)
    for axes, one in zip(grid[0], tables, strict=True):
        mesh = _joint_map(axes, one, _joints_by_part(one, skeleton), styles, mark)
        if beside:
            axes.set_xticks(axes.get_xticks(), axes.get_xticklabels(), rotation=90, va="center")
    for axes, label in zip(grid[0, 1:], beside, strict=True):
        axes.yaxis.tick_right()
        axes.set_title(label, color=GREY)
    bar = {"label": "importance, 0..1 within the action", "aspect": 30, "pad": 0.015 * len(tables) ** 2}
    figure.colorbar(mesh, ax=grid[0, -1], **bar)
    key_below(figure, handles=[Line2D([], [], color=s["color"], lw=5, label=g) for g, s in styles.items()])
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
    mesh = axes.pcolormesh(values.to_numpy(), cmap=style.SEQUENTIAL, vmin=0, vmax=1, rasterized=True)
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

    Upward green triangles: for, larger than against; downward orange ones: the reverse. Area is the root of the
    difference of the two maps, relative to the action's largest, so that small differences can be seen.

    Parameters
    ----------
    table, counter : DataFrame
        From `analysis_lib.explain.attributions.importance_table`, the second of counterfactual maps.
    """
    style.use_style()
    last, key = table["layer"].max(), ["class", "slice", "joint"]
    plain, against = (t[t["layer"] == last].set_index(key)["importance"].sort_index() for t in (table, counter))
    slices = sorted(table["slice"].unique())
    figure, grid = plt.subplots(len(actions), len(slices), squeeze=False, figsize=(WIDTH, 1.95 * len(actions) + 0.4))
    marks = (("^", style.POSITIVE, "speaks for the action"), ("v", style.NEGATIVE, "speaks against it"))
    for row, action in zip(grid, actions, strict=True):
        places, (low, high) = _places(poses, action, skeleton, slices)
        signed = (plain - against).loc[action]
        for axes, s in zip(row, slices, strict=True):
            share = signed.loc[s].loc[list(skeleton.joints)].to_numpy() / (signed.abs().max() or 1)
            draw_skeleton(axes, skeleton, places[s], sizes=0, tint=False, bone_width=1.2)
            for (marker, colour, _), mine in zip(marks, (share > 0, share < 0), strict=True):
                look = {"marker": marker, "color": colour, "edgecolors": "white", "linewidths": 0.4, "zorder": 3}
                axes.scatter(*places[s][mine].T, s=2 * _LARGEST * np.sqrt(np.abs(share[mine])), **look)
            axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        _row_name(row[0], action.replace(" ", "\n"))
    for axes, name in zip(grid[0], slice_names(len(slices)), strict=True):
        axes.set_title(name, loc="center")
    look = {"ls": "", "markersize": 8, "mec": "white"}
    key_below(figure, handles=[Line2D([], [], marker=m, color=c, label=t, **look) for m, c, t in marks])
    return figure


def plot_strength(table: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw how strong each layer's maps are, and how much alike those of the actions.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.explain.attributions.layer_table`.
    """
    style.use_style()
    figure, (strength, alike) = panels(2, 2, 0.4 * WIDTH, 0.3)
    for axes, column, label, i, dash in (
        (strength, "mean", "mean of the map", 0, DASHES[0]),
        (strength, "mass", "sum of the map", 1, DASHES[1]),
        (alike, "repeat", "same action, other clips", 3, DASHES[1]),
        (alike, "similarity", "other actions", 2, DASHES[0]),
    ):
        own = {"marker": MARKERS[i], "ms": 4, "label": label}
        for other, look in ((table, own), *faint(beside)):
            scale = other[column].max() if axes is strength else 1
            axes.plot(other["layer"], other[column] / scale, **{"color": COLOURS[i], "linestyle": dash} | look)
    strength.set(title="How strong?", ylabel="relative to the largest", ylim=(0, None))
    alike.fill_between(table["layer"], table["low"], table["high"], color=COLOURS[2], alpha=0.2, lw=0)
    alike.axhline(1, color=INK, lw=0.8, ls=":")
    everything = pd.concat([table, *beside.values()])
    alike.set(title="The same map for every action?", ylabel="rank correlation of maps")
    alike.set_ylim(min(-0.05, everything[["low", "repeat"]].min().min()), 1.05)
    for axes in (strength, alike):
        style.layer_axis(axes, sorted(set(everything["layer"])), most=20)
        axes.grid(axis="y")
    key_below(figure, (strength, alike), keys(beside), most=5)
    return figure


def plot_controls(strength: pd.DataFrame | None, targets: pd.DataFrame | None, *beside: Tables) -> Figure | None:
    """Draw how strong layers are beside those of untrained networks, and whether maps follow the clip or the class.

    Bands are 95 % of the difference to the other curve, at all layers at once, about the first curve of each panel;
    bars lead from the least to the most that networks of several seeds have.

    Parameters
    ----------
    strength, targets : DataFrame or None
        From `analysis_lib.explain.controls`: `learnt_strength`, `swapped_targets`; None leaves a panel out.
    *beside : mapping of str to DataFrame
        Recorded tables: none, or first those of ``strength`` and then those of ``targets``.

    Returns
    -------
    Figure, or None without a panel
    """
    drawn = [
        (table, *of)
        for table, of in zip((strength, targets), zip(_CONTROLS, beside or [NOTHING] * 2, strict=True), strict=True)
    ]
    drawn = [one for one in drawn if one[0] is not None]
    if not drawn:
        return None
    style.use_style()
    figure, grid = panels(len(drawn), 2, 0.4 * WIDTH, 0.3)
    for axes, (table, (title, label, curves), others) in zip(grid, drawn, strict=True):
        for (column, name), i in curves.items():
            own = {"marker": MARKERS[i], "ms": 4, "label": name}
            for other, look in ((table, own), *faint(others)):
                axes.plot(other["layer"], other[column], **{"color": COLOURS[i], "linestyle": DASHES[i]} | look)
        (_, first), ((second, _), _), *_ = curves.items()  # their difference has the band
        low, high = (table[second] + table[bound] for bound in ("all_low", "all_high"))
        axes.fill_between(table["layer"], low, high, color=COLOURS[first], alpha=0.2, lw=0)
        axes.set(title=title, ylabel=label)
        style.layer_axis(axes, sorted(table["layer"]), most=20)
        axes.grid(axis="y")
        if table is strength:
            seed_bars(axes, table["layer"], table)
            axes.axhline(1 / len(table), color=INK, lw=0.8, ls=":")
            axes.set_ylim(0, None)
            style.percent_axis(axes.yaxis)
        else:
            axes.set_ylim(max(axes.get_ylim()[0], -1.02), min(axes.get_ylim()[1], 1.02))
    key_below(figure, grid, keys({label: table for one in beside for label, table in one.items()}), most=3)
    return figure


#: title, label and curves (column, name and place in the palettes) of the panels of `plot_controls`
_CONTROLS = (
    ("How strong?", "share of all layers", {("trained", "trained"): 0, ("untrained", "untrained networks"): 1}),
    (
        "Clip or class?",
        "rank correlation of maps",
        {("clip", "same clip, other class"): 2, ("target", "same class, other clip"): 3, ("neither", "neither"): 4},
    ),
)


def plot_parts(table: pd.DataFrame, actions: Sequence[str], beside: Tables = NOTHING) -> Figure:
    """Draw which body part has how much of the importance, by layer: one panel an action.

    1 is what the part has in an even map (share of importance over share of joints). Of many parts those that
    have most are drawn.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.explain.attributions.part_table`.
    """
    style.use_style()
    figure, grid = panels(len(actions), 3, 0.38 * WIDTH, 0.3, sharey=True)
    others = where(beside, **{"class": list(actions)})
    layers = sorted(set(pd.concat([table, *others.values()])["layer"]))
    most = (table["share"] / table["joints"]).groupby(table["part"]).max().nlargest(len(COLOURS)).index
    for axes, action in zip(grid, actions, strict=True):
        for i, part in enumerate(part for part in dict.fromkeys(table["part"]) if part in most):
            look = {"color": COLOURS[i % 8], "linestyle": DASHES[i % 8]}
            curve = table[(table["class"] == action) & (table["part"] == part)]
            own = {"marker": MARKERS[i % 8], "ms": 4, "lw": 1.3, "label": part}
            for other, more in ((curve, own), *faint(where(others, **{"class": action, "part": part}))):
                axes.plot(other["layer"], other["share"] / other["joints"], **look | more)
        axes.axhline(1, color=INK, lw=0.8, ls=":")
        axes.set_title(action)
        style.layer_axis(axes, layers, most=12)
        axes.grid(axis="y")
    for axes in grid[::3]:
        axes.set(ylabel="share of importance\nover share of joints", ylim=(0, None))  # of all panels
    key_below(figure, grid, keys(others))
    return figure


def plot_randomisation(table: pd.DataFrame, layer_names: Sequence[str], beside: Tables = NOTHING) -> Figure:
    """Draw how much of each layer's map is left as the network forgets from the scores down.

    Of other editions only networks with the same layers are shown, and their last layer alone.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.explain.checks.randomisation_table`.
    layer_names : sequence of str
        The network's layers, whose steps are called by their number.
    """
    style.use_style()
    number = {name: f"layer {i}" for i, name in enumerate(layer_names, 1)}
    steps, deepest = list(dict.fromkeys(table["forgotten"])), table["layer"].max()
    rho = table.pivot(index="step", columns="layer", values="mean")
    side = 0.27 if len(steps) <= 16 else 0.16
    size = {"figsize": (WIDTH, 1.4 + side * max(len(steps), 6)), "width_ratios": (1.7, 1)}
    figure, (cells, curve) = plt.subplots(1, 2, sharey=True, **size)
    edges = (np.arange(n + 1) + 0.5 for n in rho.shape[::-1])
    mesh = cells.pcolormesh(*edges, rho, cmap="RdBu_r", vmin=-1, vmax=1, rasterized=True)
    for (step, layer), value in np.ndenumerate(rho.to_numpy() if rho.shape[1] <= 14 else np.empty((0, 0))):
        look = {"ha": "center", "va": "center", "fontsize": 7.5, "color": "white" if abs(value) > 0.6 else INK}
        cells.text(layer + 1, step + 1, f"{value:z.1f}".replace("-", "−"), **look)
    names = [number.get(step, step) for step in steps]
    cells.set_yticks(range(1, len(steps) + 1), ["… " * (i > 0) + n for i, n in enumerate(names)])
    cells.set(title="Maps of all layers", xlabel="map of layer", ylabel="forgotten, from the top")
    cells.set_xticks(rho.columns[:: -(-len(rho.columns) // 14)])
    cells.tick_params(length=0)
    cells.spines[:].set_visible(False)
    last = table[table["layer"] == deepest]
    curve.plot(last["mean"], last["step"], color=COLOURS[0], marker="o", ms=4)
    curve.fill_betweenx(last["step"], last["low"], last["high"], color=COLOURS[0], alpha=0.2, lw=0)
    alike = {k: t for k, t in where(beside, layer=deepest).items() if list(dict.fromkeys(t["forgotten"])) == steps}
    for other, thin in faint(alike):
        curve.plot(other["mean"], other["step"], color=COLOURS[0], **thin)
    curve.axvline(0, color=INK, lw=0.8, ls=":")
    curve.set(title="Last layer", xlim=(-1, 1), xlabel="rank correlation\nwith the trained map")
    curve.grid(axis="y")
    cells.invert_yaxis()
    bar = {"location": "bottom", "aspect": 35, "shrink": 0.8}
    figure.colorbar(mesh, ax=cells, label="rank correlation with the trained map", **bar)
    key_below(figure, handles=keys(alike))
    return figure


def plot_masking(table: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw the deletion and insertion curves, with their intervals.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.explain.checks.masking_table`.
    """
    style.use_style()
    figure, grid = panels(2, 2, 0.45 * WIDTH, 0.25, sharey=True)
    most = pd.concat([table, *beside.values()])["joints"].max()
    tests = {
        "deletion": {"title": "Deletion: lower is better", "xlabel": "joints masked"},
        "insertion": {"title": "Insertion: higher is better", "xlabel": "joints given back"},
    }
    for axes, (test, labels) in zip(grid, tests.items(), strict=True):
        for i, (order, name) in enumerate(_ORDERS.items()):
            curve = table[(table["test"] == test) & (table["order"] == order)]
            look = {"color": COLOURS[i] if order != "random" else "#777777", "linestyle": DASHES[i]}
            own = {"marker": MARKERS[i], "ms": 4, "label": name}
            axes.fill_between(curve["joints"], curve["low"], curve["high"], color=look["color"], alpha=0.15, lw=0)
            for other, more in ((curve, own), *faint(where(beside, test=test, order=order))):
                axes.plot(other["joints"], other["mean"], **look | more)
        axes.set(**labels, ylim=(0, 1), xlim=(0, most))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(axis="y")
    grid[0].set_ylabel("probability of the action")
    key_below(figure, grid, keys(beside))
    return figure
