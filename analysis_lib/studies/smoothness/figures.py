"""Figures of the smoothness chapter, drawn from its tidy tables alone.

``beside`` are the same tables as other editions recorded them (`analysis_lib.chapters.other_editions`).
"""

from textwrap import wrap

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis_lib.networks.untrained import SEED, TRAINED, UNTRAINED
from analysis_lib.plots.beside import GREY, NOTHING, Tables, faint, keys, where
from analysis_lib.plots.panels import key_below, panels
from analysis_lib.plots.style import COLOURS, FAINT, INK, WIDTH, Y_LABEL, group_styles, layer_axis, use_style


def plot_groups(table: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw one curve a super-class with its confidence band, and the chance level."""
    use_style()
    groups, others = table[table["level"] == "group"], where(beside, level="group")
    styles = group_styles(pd.concat([groups, *others.values()])["name"])
    figure, axes = plt.subplots()
    for name in dict.fromkeys(groups["name"]):
        _curve(axes, groups[groups["name"] == name], name, styles[name], band=True)
    for other, thin in faint(others):
        for name, curve in other.groupby("name"):
            label = None if name in set(groups["name"]) else name
            axes.plot(curve["layer"] + 1, curve["q"], label=label, **styles[name] | thin)
    chance = groups.groupby("layer")["chance"].mean()
    axes.plot(chance.index + 1, chance, color=INK, lw=0.8, ls=":")
    axes.text(chance.index[-1] + 1, chance.iloc[-1], "random labels ", fontsize=7.5, ha="right", va="bottom")
    _finish(axes, groups, *others.values())
    handles = [*axes.get_legend_handles_labels()[0], *keys(others)]
    axes.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4)
    return figure


LOOKS = {
    TRAINED: {"color": COLOURS[0], "marker": "o", "ls": "-"},
    SEED: {"color": COLOURS[2], "marker": "^", "ls": "-."},
    UNTRAINED: {"color": COLOURS[1], "marker": "s", "ls": "--"},
}


def plot_neighbours(table: pd.DataFrame, learnt: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw a panel for whom clips may be joined to, with all networks, and one for trained minus untrained."""
    use_style()
    kinds = list(dict.fromkeys(table["edges"]))
    figure, grid = panels(len(kinds) + (not learnt.empty), 2, 2.3, 0.4, sharex=True)
    for axes, edges in zip(grid, kinds, strict=False):
        for (network, draw), curve in table[table["edges"] == edges].groupby(["network", "draw"], sort=False):
            label = network if draw == 0 else None
            axes.plot(curve["layer"] + 1, curve["q"], markersize=3.5, lw=1.3, label=label, **LOOKS[network])
        for other, thin in faint(where(beside, edges=edges)):
            for (network, _), curve in other.groupby(["network", "draw"]):
                axes.plot(curve["layer"] + 1, curve["q"], **LOOKS[network] | thin)
        axes.set_title({"all": "joined to any clip"}.get(edges, f"to {edges} only"))
        _finish(axes, table[table["edges"] == edges], *beside.values(), most=6)
    if not learnt.empty:
        axes, rows = grid[-1], learnt[learnt["layer"] > 0]
        axes.fill_between(rows["layer"] + 1, rows["all_low"], rows["all_high"], color=INK, alpha=0.12, lw=0)
        axes.fill_between(rows["layer"] + 1, rows["low"], rows["high"], color=INK, alpha=0.2, lw=0)
        axes.plot(rows["layer"] + 1, rows["difference"], color=INK, lw=1.4)
        axes.axhline(0, color=INK, lw=0.8, ls=":")
        axes.set(title="trained minus untrained", ylabel="difference")
        layer_axis(axes, ["in", *rows["layer"]], most=6)
        axes.grid(axis="y")
    key_below(figure, grid[: len(kinds)], keys(beside))
    return figure


def plot_classes(table: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw a small panel for each action, in the colour of its super-class; those of other editions follow.

    Behind each curve, in grey, is the mean of its super-class.
    """
    use_style()
    parts = [
        (label, name, curve, rows[(rows["level"] == "group") & (rows["name"] == group)])
        for label, rows in (("", table), *beside.items())
        for (group, name), curve in rows[rows["level"] == "class"].groupby(["group", "name"], sort=False)
    ]
    styles = group_styles([curve["group"].iloc[0] for _, _, curve, _ in parts])
    figure, grid = panels(len(parts), 4, 1.45, 0.4, sharex=True, sharey=True)
    for place, (axes, (label, name, curve, mean)) in enumerate(zip(grid, parts, strict=True)):
        look = {"color": styles[curve["group"].iloc[0]]["color"]}
        axes.plot(mean["layer"] + 1, mean["q"], color=FAINT, lw=2.5)
        _curve(axes, curve, name, look | {"marker": "."}, band=True)
        axes.set_title("\n".join(wrap(name, 22)), color=GREY if label else INK, fontsize=8.5)
        _finish(axes, curve, most=6)
        axes.set_xlabel("layer" if place >= len(parts) - 4 else "")
        axes.set_ylabel("" if place % 4 else Y_LABEL)
    groups = [Line2D([], [], label=name, lw=1.4, color=style["color"]) for name, style in styles.items()]
    mean = Line2D([], [], label="mean of the super-class", lw=2.5, color=FAINT)
    recorded = [Line2D([], [], ls="", label=f"grey titles: {label}") for label in beside]
    key_below(figure, handles=[*groups, mean, *recorded], most=4)
    return figure


def _curve(axes: Axes, curve: pd.DataFrame, name: str, style: dict, band: bool) -> None:
    x = curve["layer"] + 1
    axes.plot(x, curve["q"], label=name, markersize=4, lw=1.4, **style)
    if band:
        axes.fill_between(x, curve["low"], curve["high"], color=style["color"], alpha=0.15, lw=0)


def _finish(axes: Axes, *tables: pd.DataFrame, most: int = 30) -> None:
    n_layers = max(table["layer"].nunique() for table in tables)
    layer_axis(axes, ["in", *range(1, n_layers)], most=most)
    axes.set_ylabel(Y_LABEL)
    axes.set_ylim(0, 1)
    axes.grid(axis="y")


def plot_theorem(table: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw both sides of Theorem 1 by layer, and label against data smoothness.

    Left: the ratio of label variation out/in beside the squared norm of the layer, log axis.
    Right: data variation out/in on the input's graph beside the provable bound.
    """
    use_style()
    figure, (claim, proof) = plt.subplots(1, 2, figsize=(WIDTH, 0.48 * WIDTH))
    measures = (
        (claim, "norm", 2, "‖𝑊‖²", (COLOURS[1], "s", "--")),
        (claim, "label_ratio", 1, "label variation out/in", (COLOURS[0], "o", "-")),
        (proof, "bound", 1, "Lipschitz bound", (COLOURS[1], "s", "--")),
        (proof, "data_ratio", 1, "data variation out/in", (COLOURS[2], "^", "-")),
    )
    for axes, column, power, label, look in measures:
        style = dict(zip(("color", "marker", "linestyle"), look, strict=True))
        axes.plot(table["layer"], table[column] ** power, label=label, **style)
        for other, thin in faint(beside):
            axes.plot(other["layer"], other[column] ** power, **style | thin)
    claim.set_title("Theorem 1: is blue below orange?")
    proof.set_title("The part that is provable")
    for axes in (claim, proof):
        axes.set_yscale("log")
        axes.set(xlabel="layer", ylabel="ratio (log scale)")
        axes.set_xticks(sorted(set(pd.concat([table, *beside.values()])["layer"])))
        axes.grid(axis="y")
        axes.legend(handles=[*axes.get_legend_handles_labels()[0], *keys(beside)])
    return figure
