"""Figures of the transfer chapter, drawn from its tidy tables alone."""

from collections.abc import Iterator, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis_lib.plots.beside import NOTHING, Tables
from analysis_lib.plots.style import COLOURS, DASHES, FAINT, INK, MARKERS, WIDTH, group_styles, layer_axis, use_style

#: cases of the learning curves that have a style of their own; other cuts are left to `plot_cuts`
CASES = {"head": 0, "last 3 + head": 2, "all": 4, "scratch": 1}
HERE = "here"


def _panels(table: pd.DataFrame, beside: Tables) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the edition at hand and what others recorded, each with its title."""
    yield HERE if beside else "", table
    yield from beside.items()


def _grid(panels: Sequence, height: float, **options) -> tuple[Figure, list[Axes]]:
    """Return a figure with an axes for each panel, two side by side at most."""
    rows, columns = -(-len(panels) // 2), min(2, len(panels))
    figure, grid = plt.subplots(rows, columns, squeeze=False, figsize=(WIDTH, height * rows), **options)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    return figure, list(grid.flat[: len(panels)])


def plot_smoothness(new: pd.DataFrame, own: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw label variation of actions that a network never saw, beside that of its own actions.

    Parameters
    ----------
    new, own : DataFrame
        From `analysis_lib.geometry.curves.smoothness_table`, for the target and for the source.
    beside : mapping of str to DataFrame
        Recorded tables of new actions.
    """
    use_style()
    panels = list(_panels(new, beside))
    figure, grid = _grid(panels, 3.0, sharey=True)
    for axes, (title, table) in zip(grid, panels, strict=True):
        groups = table[table["level"] == "group"]
        styles = group_styles(groups["name"])
        for name in dict.fromkeys(groups["name"]):
            curve = groups[groups["name"] == name]
            x = curve["layer"] + 1
            axes.plot(x, curve["q"], label=name, markersize=4, **styles[name])
            axes.fill_between(x, curve["low"], curve["high"], color=styles[name]["color"], alpha=0.13, lw=0)
        if axes is grid[0]:
            mean = own[own["level"] == "class"].groupby("layer")["q"].mean()
            axes.plot(mean.index + 1, mean, color=INK, lw=1.2, ls="--", label="its own actions")
        chance = groups.groupby("layer")["chance"].mean()
        axes.plot(chance.index + 1, chance, color=INK, lw=0.8, ls=":", label="random labels")
        axes.set(title=title, ylim=(0, 1.03))
        axes.grid(axis="y")
        layer_axis(axes, ["in", *range(1, groups["layer"].nunique())])
    for axes in grid[::2]:
        axes.set_ylabel("label variation $q$")
    handles = {label: handle for axes in grid for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles, loc="outside upper center", ncols=min(5, len(handles)))
    return figure


def plot_learning(table: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw accuracy and loss on the test clips by epoch, at the largest set size.

    One row an edition. Lines are means over seeds, bands go from the least seed to the greatest;
    dotted: the source's own head, before anything is learnt.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.transfer.tables.transfer_table`.
    """
    use_style()
    rows = list(_panels(table, beside))
    figure, grid = plt.subplots(len(rows), 2, squeeze=False, figsize=(WIDTH, 0.5 + 2.4 * len(rows)))
    for line, (title, part) in zip(grid, rows, strict=True):
        largest = part["clips_per_class"].max()
        old = part.loc[part["case"] == "old head", "accuracy"].iloc[0]
        read = part[(part["clips_per_class"] == largest) & part["accuracy"].notna()]
        for case in dict.fromkeys(c for c in read["case"] if c in CASES):
            for axes, column in zip(line, ("accuracy", "loss"), strict=True):
                _learning_curve(axes, read[read["case"] == case], column, case)
        line[0].axhline(old, color=INK, lw=0.9, ls=":")
        line[0].text(read["epoch"].max(), old, "old head", fontsize=7.5, ha="right", va="bottom")
        line[0].set(ylim=(0, 1.03), ylabel="accuracy", title=_named(title, largest))
        top = read[read["case"].isin(list(CASES))].groupby(["case", "epoch"])["loss"].mean().max()
        line[1].set(ylim=(0, 1.1 * top), ylabel="loss (nats)")
        for axes in line:
            axes.grid(axis="y")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    for axes in grid[-1]:
        axes.set_xlabel("epoch")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def _learning_curve(axes: Axes, part: pd.DataFrame, column: str, case: str) -> None:
    seeds = part.groupby("epoch")[column].agg(["mean", "min", "max"])
    i = CASES[case]
    axes.plot(seeds.index, seeds["mean"], color=COLOURS[i], marker=MARKERS[i], ls=DASHES[i], markersize=3.5, label=case)
    axes.fill_between(seeds.index, seeds["min"], seeds["max"], color=COLOURS[i], alpha=0.15, lw=0)


def _named(title: str, clips: int) -> str:
    """Return a panel's title with the size of its training set."""
    return "\n".join(filter(None, (title, f"{clips} clips a class to learn from")))


def plot_cuts(final: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw the accuracy in the end by how many layers learn, one curve a set size.

    Parameters
    ----------
    final : DataFrame
        From `analysis_lib.studies.transfer.accuracy.final_table`.
    """
    use_style()
    panels = list(_panels(final, beside))
    figure, grid = _grid(panels, 3.2, sharey=True)
    for axes, (title, table) in zip(grid, panels, strict=True):
        tuned = table[table["case"] != "scratch"]
        sizes = sorted(tuned["clips_per_class"].unique())
        shades = sns.light_palette(COLOURS[0], len(sizes) + 2)[2:]
        for i, (size, colour) in enumerate(zip(sizes, shades, strict=True)):
            curve = tuned[tuned["clips_per_class"] == size].sort_values("cut")
            axes.plot(
                curve["cut"],
                curve["accuracy"],
                color=colour,
                marker=MARKERS[i],
                markersize=4,
                ls=DASHES[i],
                label=f"{size}",
            )
            axes.fill_between(curve["cut"], curve["low"], curve["high"], color=colour, alpha=0.13, lw=0)
        scratch = table[table["case"] == "scratch"].iloc[0]
        axes.axhline(
            scratch["accuracy"], color=COLOURS[1], lw=1, ls="--", label=f"{scratch['clips_per_class']}, from scratch"
        )
        axes.set(
            title=title, xlabel="layers that learn with the head", xticks=sorted(tuned["cut"].unique()), ylim=(0, 1.03)
        )
        axes.grid(axis="y")
        axes.legend(
            title="clips a class",
            title_fontsize=8,
            loc="lower left",
            bbox_to_anchor=(0, 0.02),
            ncols=2,
            columnspacing=1,
        )
    for axes in grid[::2]:
        axes.set_ylabel("accuracy on test clips")
    return figure


def plot_choices(choices: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw the accuracy that each way to choose a cut loses against the best cut, by set size.

    Parameters
    ----------
    choices : DataFrame
        From `analysis_lib.studies.transfer.findings.choice_table`.
    """
    use_style()
    panels = list(_panels(choices, beside))
    every = pd.concat([table for _, table in panels])
    fixed = every[~every["is_forecast"]].sort_values("cut")["rule"].unique()
    rules = [*fixed, *every.loc[every["is_forecast"], "rule"].unique()]
    figure, grid = _grid(panels, 0.9 + 0.34 * len(rules), sharey=True, sharex=True)
    for axes, (title, table) in zip(grid, panels, strict=True):
        sizes = sorted(table["clips_per_class"].unique())
        for i, size in enumerate(sizes):
            part = table[table["clips_per_class"] == size]
            y = np.array([rules.index(rule) for rule in part["rule"]])
            y = y + 0.22 * (i - (len(sizes) - 1) / 2)
            axes.hlines(y, 100 * part["low"], 100 * part["high"], color=COLOURS[i], lw=1.2)
            axes.plot(
                100 * part["lost"], y, ls="", marker=MARKERS[i], markersize=4.5, color=COLOURS[i], label=f"{size}"
            )
        axes.axvline(0, color=INK, lw=0.9)
        axes.axhline(len(fixed) - 0.5, color=FAINT, lw=0.8)
        axes.set(title=title, xlabel="points of accuracy lost", yticks=range(len(rules)))
        axes.set_yticklabels(rules)
        axes.tick_params(labelbottom=True)
        axes.grid(axis="x")
        axes.legend(title="clips a class", title_fontsize=8, loc="lower right", frameon=True, edgecolor="none")
    grid[0].set_ylim(len(rules) - 0.4, -0.6)
    return figure
