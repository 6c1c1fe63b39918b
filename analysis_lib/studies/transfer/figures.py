"""Figures of the transfer chapter, drawn from its tidy tables alone.

Each takes ``beside``, tables of the same kind that other editions recorded; those have panels of their
own after the edition at hand.
"""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis_lib.plots.beside import NOTHING, Tables
from analysis_lib.plots.panels import key_below, panels
from analysis_lib.plots.style import (
    COLOURS,
    DASHES,
    INK,
    MARKERS,
    Y_LABEL,
    group_styles,
    layer_axis,
    percent_axis,
    use_style,
)
from analysis_lib.studies.transfer.runs import SCRATCH
from analysis_lib.studies.transfer.tables import OLD_HEAD


def _editions(table: pd.DataFrame, beside: Tables) -> dict[str, pd.DataFrame]:
    """Return the edition at hand and what others recorded, by title."""
    return {"this run" if beside else "": table, **beside}


def _grid(tables: Tables, height: float, **options) -> tuple[Figure, list[Axes]]:
    """Return a figure with a titled panel for each edition, two side by side."""
    figure, grid = panels(len(tables), 2, height, **options)
    for axes, title in zip(grid, tables, strict=True):
        axes.set_title(title)
    return figure, grid


def _style(i: int) -> dict:
    return {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)], "ls": DASHES[i % len(DASHES)]}


def plot_smoothness(new: pd.DataFrame, own: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw label variation of actions that a network never saw, beside that of its own actions.

    Parameters
    ----------
    new, own : DataFrame
        Label variation by layer, for the target and for the source.
    """
    use_style()
    tables = _editions(new, beside)
    figure, grid = _grid(tables, 3.0, sharey=True)
    for axes, table in zip(grid, tables.values(), strict=True):
        groups = table[table["level"] == "group"]
        styles = group_styles(groups["name"])
        for name, curve in groups.groupby("name", sort=False):
            x = curve["layer"] + 1
            axes.plot(x, curve["q"], label=name, markersize=4, **styles[name])
            axes.fill_between(x, curve["low"], curve["high"], color=styles[name]["color"], alpha=0.13, lw=0)
        if axes is grid[0]:
            mean = own[own["level"] == "group"].groupby("layer")["q"].mean()
            axes.plot(mean.index + 1, mean, color=INK, lw=1.2, ls="--", label="its own actions")
        chance = groups.groupby("layer")["chance"].mean()
        axes.plot(chance.index + 1, chance, color=INK, lw=0.8, ls=":", label="random labels")
        axes.set_ylim(0, 1.03)
        axes.grid(axis="y")
        layer_axis(axes, ["in", *range(1, groups["layer"].nunique())])
    for axes in grid[::2]:
        axes.set_ylabel(Y_LABEL)
    key_below(figure, grid, most=5)
    return figure


def plot_learning(table: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw accuracy and loss on the test clips by epoch, at the largest set size, one row an edition.

    Lines are means over seeds, bands go from the least seed to the greatest; dotted: the source's own
    head, before anything is learnt. Of the cuts there are the least, the one in the middle and the deepest.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.transfer.tables.transfer_table`.
    """
    use_style()
    tables = _editions(table, beside)
    figure, grid = panels(2 * len(tables), 2, 2.4, 0.5)
    for line, (title, part) in zip(zip(grid[::2], grid[1::2], strict=True), tables.items(), strict=True):
        largest = part["clips_per_class"].max()
        read = part[(part["clips_per_class"] == largest) & part["accuracy"].notna()]
        styles = _case_styles(read)
        for axes, column in zip(line, ("accuracy", "loss"), strict=True):
            for case, style in styles.items():
                seeds = read[read["case"] == case].groupby("epoch")[column].agg(["mean", "min", "max"])
                axes.plot(seeds.index, seeds["mean"], markersize=3.5, label=case, **style)
                axes.fill_between(seeds.index, seeds["min"], seeds["max"], color=style["color"], alpha=0.15, lw=0)
            axes.set_ylabel(column)
            axes.grid(axis="y")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        old = part.loc[part["case"] == OLD_HEAD, "accuracy"].iloc[0]
        line[0].axhline(old, color=INK, lw=0.9, ls=":", label=OLD_HEAD)
        percent_axis(line[0].yaxis)
        line[0].set(ylim=(0, 1.03), title=f"{title}\n{largest} clips a class to learn from".strip())
        top = read[read["case"].isin(list(styles))].groupby(["case", "epoch"])["loss"].mean().max()
        line[1].set(ylim=(0, 1.1 * top), ylabel="loss (nats)")
    for axes in grid[-2:]:
        axes.set_xlabel("epoch")
    key_below(figure, grid)
    return figure


def _case_styles(read: pd.DataFrame) -> dict[str, dict]:
    """Return the style of the least cut, the middle one, the deepest, and of training from scratch."""
    tuned = read[read["case"] != SCRATCH].sort_values("cut")["case"].unique()
    styles = {tuned[len(tuned) // 2]: _style(2), tuned[-1]: _style(4), tuned[0]: _style(0)}
    return {case: styles[case] for case in tuned if case in styles} | {SCRATCH: _style(1)}


def plot_cuts(final: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw the accuracy in the end by how many layers learn, one curve a set size.

    Parameters
    ----------
    final : DataFrame
        From `analysis_lib.studies.transfer.tables.final_table`.
    """
    use_style()
    tables = _editions(final, beside)
    figure, grid = _grid(tables, 2.9, sharey=True)
    for axes, table in zip(grid, tables.values(), strict=True):
        tuned = table[table["case"] != SCRATCH].sort_values("cut")
        sizes = sorted(tuned["clips_per_class"].unique())
        for i, (size, shade) in enumerate(zip(sizes, sns.light_palette(COLOURS[0], len(sizes) + 2)[2:], strict=True)):
            curve = tuned[tuned["clips_per_class"] == size]
            axes.plot(curve["cut"], curve["accuracy"], label=size, markersize=4, **_style(i) | {"color": shade})
            axes.fill_between(curve["cut"], curve["low"], curve["high"], color=shade, alpha=0.13, lw=0)
        scratch = table[table["case"] == SCRATCH].iloc[0]
        label = f"{scratch['clips_per_class']}, from scratch"
        axes.axhline(scratch["accuracy"], color=COLOURS[1], lw=1, ls="--", label=label)
        axes.set(xlabel="layers that learn with the head", xticks=tuned["cut"].unique(), ylim=(0, 1.03))
        axes.grid(axis="y")
        _sizes_below(axes)
    for axes in grid[::2]:
        axes.set_ylabel("accuracy on test clips")
        percent_axis(axes.yaxis)
    return figure


def _sizes_below(axes: Axes) -> None:
    """Write the key of a panel, whose entries are sizes of sets, below its axis."""
    place = {"loc": "upper left", "bbox_to_anchor": (0, -0.2), "ncols": 4, "columnspacing": 1, "borderaxespad": 0}
    axes.legend(title="clips a class", title_fontsize=8, alignment="left", **place)


def plot_choices(choices: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw the accuracy that each way to choose a cut loses against the best cut, by set size.

    Parameters
    ----------
    choices : DataFrame
        From `analysis_lib.studies.transfer.tables.choice_table`.
    """
    use_style()
    tables = _editions(choices, beside)
    every = pd.concat(tables.values())
    fixed = every[~every["is_forecast"]].sort_values("cut")["rule"].unique()
    rules = [*fixed, *every.loc[every["is_forecast"], "rule"].unique()]
    figure, grid = _grid(tables, 0.9 + 0.34 * len(rules), sharey=True, sharex=True)
    for axes, table in zip(grid, tables.values(), strict=True):
        sizes = sorted(table["clips_per_class"].unique())
        for i, size in enumerate(sizes):
            part, style = table[table["clips_per_class"] == size], _style(i) | {"ls": ""}
            y = np.array([rules.index(rule) for rule in part["rule"]]) + 0.22 * (i - (len(sizes) - 1) / 2)
            axes.hlines(y, 100 * part["low"], 100 * part["high"], color=style["color"], lw=1.2)
            axes.plot(100 * part["lost"], y, markersize=4.5, label=size, **style)
        axes.axvline(0, color=INK, lw=0.9)
        axes.axhline(len(fixed) - 0.5, color=INK, lw=0.8, alpha=0.25)
        axes.set(xlabel="points of accuracy lost", yticks=range(len(rules)), yticklabels=rules)
        axes.tick_params(labelbottom=True)
        axes.grid(axis="x")
        _sizes_below(axes)
    grid[0].set_ylim(len(rules) - 0.4, -0.6)
    return figure
