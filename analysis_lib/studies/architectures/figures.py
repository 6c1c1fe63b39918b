"""Figures of the chapter on architectures, drawn from its tidy tables alone."""

from collections.abc import Mapping
from textwrap import wrap

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from analysis_lib.networks.titles import entry_titles
from analysis_lib.plots.beside import GREY, NOTHING, Tables
from analysis_lib.plots.panels import key_below, panels
from analysis_lib.plots.style import COLOURS, DASHES, INK, MARKERS, WIDTH, Y_LABEL, layer_axis, percent_axis, use_style
from analysis_lib.studies.architectures.tables import titles
from analysis_lib.words import plain

LONGEST = 26  # letters in a line above a panel


def plot_curves(table: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw one panel a network: label variation by layer with its band, and dashed its untrained twins."""
    use_style()
    parts = [
        ("\n".join([*wrap(titles(each)[name], LONGEST), *([label] if label else [])]), rows, label)
        for label, each in (("", table), *beside.items())
        for name, rows in each.groupby("network", sort=False)
    ]
    figure, grid = panels(len(parts), 3, 2.2, 0.3, sharey=True)
    for place, (axes, (title, rows, label)) in enumerate(zip(grid, parts, strict=True)):
        colour = GREY if label else COLOURS[0]
        for draw, curve in rows.groupby("draw"):
            x = curve["layer"] + 1
            if draw:
                axes.plot(x, curve["q"], color=COLOURS[1], ls="--", lw=1, label="untrained twins")
            else:
                axes.plot(x, curve["q"], color=colour, marker="o", markersize=3, label=None if label else "trained")
                axes.fill_between(x, curve["low"], curve["high"], color=colour, alpha=0.2, lw=0)
        layer_axis(axes, ["in", *range(1, rows["layer"].max() + 1)])
        axes.set_title(title)
        axes.set_ylim(0, 1)
        axes.grid(axis="y")
        axes.set_ylabel("" if place % 3 else Y_LABEL)
    key_below(figure, grid)
    return figure


def plot_accuracy(shape: pd.DataFrame, costs: pd.DataFrame) -> Figure:
    """Draw accuracy (Wilson's interval) against the fall of label variation, one point a network."""
    use_style()
    figure, axes = plt.subplots(figsize=(WIDTH, 0.45 * WIDTH))
    falls = shape[shape["statistic"] == "fall"].set_index("network")
    alike = costs[costs["network"].isin(falls.index)]
    named = titles(alike)
    for i, row in enumerate(alike.itertuples()):
        fall = falls.loc[row.network]
        across, up = ([[v - low], [high - v]] for v, low, high in _ends(fall, row))
        style = {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)], "markersize": 6, "lw": 0.8}
        axes.errorbar(
            [fall["value"]], [row.accuracy], up, across, label=named[row.network], ls="", elinewidth=0.8, **style
        )
    axes.set(xlabel="fall of label variation from layer 1 to the last", ylabel="accuracy on test clips")
    percent_axis(axes.yaxis)
    axes.grid()
    key_below(figure, [axes], most=2)
    return figure


def _ends(fall: pd.Series, row) -> list[tuple[float, float, float]]:
    """Return value and interval of the fall and of the accuracy."""
    return [(fall["value"], fall["low"], fall["high"]), (row.accuracy, row.low, row.high)]


def plot_boards(boards: Mapping[str, pd.DataFrame]) -> Figure | None:
    """Draw leaderboards, a panel each: our networks filled, published ones hollow; without a board no figure."""
    if not boards:
        return None
    use_style()
    heights = [len(board) + 1.5 for board in boards.values()]
    size = {"figsize": (WIDTH, 0.2 * sum(heights) + 0.6), "height_ratios": heights}
    figure, grid = plt.subplots(len(boards), 1, squeeze=False, sharex=True, **size)
    for axes, (label, board) in zip(grid[:, 0], boards.items(), strict=True):
        for ours, rows in board[::-1].reset_index(drop=True).groupby(board[::-1].reset_index()["whose"] == "ours"):
            look = (
                {"color": COLOURS[0], "marker": "o"} if ours else {"color": COLOURS[1], "marker": "D", "mfc": "white"}
            )
            ends = [rows["accuracy"] - rows["low"], rows["high"] - rows["accuracy"]]
            name = "ours" if ours else "published"
            axes.errorbar(rows["accuracy"], rows.index, xerr=ends, ls="", elinewidth=1, label=name, **look)
        axes.set_yticks(range(len(board)), board["network"].map(entry_titles(board["network"]))[::-1])
        axes.set_title(label)
        axes.grid(axis="x")
        percent_axis(axes.xaxis)
    axes.set_xlabel("accuracy on the test clips")
    key_below(figure, grid[:, 0])
    return figure


def plot_separation(table: pd.DataFrame) -> Figure:
    """Draw how far joints are apart, between over within, against depth; dashed: untrained twins."""
    use_style()
    figure, axes = plt.subplots()
    named = titles(table)
    for i, (name, rows) in enumerate(table.groupby("network", sort=False)):
        colour = COLOURS[i % len(COLOURS)]
        for draw, curve in rows.groupby("draw"):
            label = None if draw else named[name]
            look = {"ls": "--", "lw": 0.7} if draw else {"marker": MARKERS[i % len(MARKERS)], "markersize": 4}
            axes.plot(curve["depth"], curve["separation"], color=colour, label=label, **look)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(lambda value, _: plain(value))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set(xlabel="layer, as a share of the network's layers", ylabel="variance between joints / within")
    axes.grid(axis="y")
    key_below(figure, [axes], most=2)
    return figure


def plot_roots(table: pd.DataFrame) -> Figure:
    """Draw the error of the inverse root against iterations, one curve an eps; dashed: the start as printed."""
    use_style()
    figure, axes = plt.subplots(figsize=(WIDTH, 0.4 * WIDTH))
    for i, (eps, rows) in enumerate(table.groupby("eps")):
        for start, curve in rows.groupby("start"):
            printed = start == "as printed"
            look = {"ls": DASHES[1] if printed else DASHES[0], "marker": MARKERS[i], "markersize": 4}
            axes.plot(curve["iterations"], curve["error"], color=COLOURS[i], label=f"{start}, ε = {plain(eps)}", **look)
    axes.axhline(1, color=INK, lw=0.6, ls=":")
    axes.set_yscale("log")
    axes.set_ylim(1e-6, 1e6)
    axes.set_xticks([1, *range(5, table["iterations"].max() + 1, 5)])
    axes.set(xlabel="iterations", ylabel="relative error")
    axes.grid(axis="y")
    key_below(figure, [axes], most=3)
    return figure
