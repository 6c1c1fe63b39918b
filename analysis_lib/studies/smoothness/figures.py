"""Figures of the smoothness chapter, drawn from its tidy tables alone.

``beside`` are the same tables as other editions recorded them (`analysis_lib.chapters.other_editions`).
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis_lib.plots.beside import GREY, NOTHING, Tables, faint, keys, where
from analysis_lib.plots.panels import panels
from analysis_lib.plots.style import COLOURS, DASHES, INK, MARKERS, WIDTH, Y_LABEL, group_styles, layer_axis, use_style


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


def plot_classes(table: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw one panel a super-class with one curve a class; each curve is named below its panel.

    The actions of other editions, which are others, have panels of their own.
    """
    use_style()
    classes = table[table["level"] == "class"]
    others = where(beside, level="class")
    groups = dict.fromkeys(pd.concat([classes, *others.values()])["group"])
    parts = [
        (f"{label}\n{group}" if label else group, rows, GREY if label else INK)
        for label, part in (("", classes), *others.items())
        for group in groups
        if len(rows := part[part["group"] == group])
    ]
    entries = [part["name"].nunique() for _, part, _ in parts]
    tallest = [max(entries[i : i + 3]) for i in range(0, len(parts), 3)]
    figure, grid = panels(len(parts), 3, 3.1, 0.16 * sum(tallest), sharex=True, sharey=True)
    for place, (axes, (title, part, ink)) in enumerate(zip(grid, parts, strict=True)):
        names = list(dict.fromkeys(part["name"]))
        for i, name in enumerate(names):
            style = {"color": COLOURS[i % 8], "marker": MARKERS[i % 8], "linestyle": DASHES[i // 8 % 8]}
            _curve(axes, part[part["name"] == name], name, style, band=len(names) <= 4)
        axes.set_title(title, color=ink)
        axes.tick_params(labelbottom=True)
        _finish(axes, classes, *others.values())
        axes.set_ylabel("" if place % 3 else Y_LABEL)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), fontsize=7, handlelength=2.2)
    return figure


def _curve(axes: Axes, curve: pd.DataFrame, name: str, style: dict, band: bool) -> None:
    x = curve["layer"] + 1
    axes.plot(x, curve["q"], label=name, markersize=4, lw=1.4, **style)
    if band:
        axes.fill_between(x, curve["low"], curve["high"], color=style["color"], alpha=0.15, lw=0)


def _finish(axes: Axes, *tables: pd.DataFrame) -> None:
    n_layers = max(table["layer"].nunique() for table in tables)
    layer_axis(axes, ["in", *range(1, n_layers)])
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
