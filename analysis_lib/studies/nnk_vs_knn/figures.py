"""Figures of the chapter on NNK and k-NN, drawn from its tidy tables alone.

``beside`` are the same tables as other editions recorded them (`analysis_lib.chapters.other_editions`).
"""

from collections.abc import Mapping
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, NullLocator

from analysis_lib.networks.untrained import TRAINED, UNTRAINED
from analysis_lib.plots.beside import GREY, NOTHING, Tables, faint, keys, where
from analysis_lib.plots.panels import key_below, seed_bars
from analysis_lib.plots.style import COLOURS, DASHES, INK, MARKERS, SEQUENTIAL, WIDTH, percent_axis, use_style
from analysis_lib.studies.nnk_vs_knn.tables import RIVALS, SPARSITY, gap_means

#: label, colour, marker and dash of each graph
GRAPHS = {
    "nnk": ("NNK", COLOURS[0], "o", "-"),
    "knn": ("𝑘-NN", COLOURS[1], "s", "--"),
    "matched": ("𝑘-NN, as sparse as NNK", COLOURS[2], "^", "-."),
}
MEASURES = {"q": "label variation 𝑞", "error": "leave-one-out error"}
#: factors of the raw form's ratio: label, colour, hatch
FACTORS = {
    "edges": ("more edges", COLOURS[5], ""),
    "edge_weight": ("heavier edges", COLOURS[4], "//"),
    "share": ("labels: a larger share leaves", COLOURS[3], "xx"),
}


def plot_forms(table: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw the normalised form above the raw one by layer, a column for each of a few k."""
    figure, columns, others = _by_candidates(table, beside, 2, 0.68)
    for k, (top, bottom) in columns.items():
        mine, theirs = table[table["n_neighbors"] == k], where(others, n_neighbors=k)
        _curves(top, mine, "q", GRAPHS, beside=theirs)
        _curves(bottom, mine, "raw", GRAPHS, beside=theirs)
        chance = mine.groupby("layer")["chance"].mean()
        top.plot(chance.index, chance, color=INK, lw=0.8, ls=":")
        top.set_ylim(0, 1)
        bottom.set_yscale("log")
    top, bottom = next(iter(columns.values()))
    top.set_ylabel(f"normalised:\n{MEASURES['q']}")
    bottom.set_ylabel("raw (log scale):\nmean 𝑄 of a class")
    chance_line = plt.Line2D([], [], color=INK, lw=0.8, ls=":", label="random labels")
    key_below(figure, [top], [chance_line, *keys(others)])
    return figure


def plot_errors(table: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw the leave-one-out error by layer, a column for each of a few k."""
    figure, columns, others = _by_candidates(table, beside, 1, 0.42)
    for k, (axes,) in columns.items():
        _curves(axes, table[table["n_neighbors"] == k], "error", GRAPHS, beside=where(others, n_neighbors=k))
    (first,) = next(iter(columns.values()))
    first.set(ylim=(0, None), ylabel=MEASURES["error"])
    percent_axis(first.yaxis)
    key_below(figure, [first], keys(others))
    return figure


def _few(table: pd.DataFrame, most: int = 3) -> list[int]:
    """Return the numbers of candidates that are drawn: the least, the greatest, and some between."""
    every = sorted(set(table["n_neighbors"]))
    return every if len(every) <= most else [every[i] for i in np.linspace(0, len(every) - 1, most).astype(int)]


def _by_candidates(table: pd.DataFrame, beside: Tables, rows: int, height: float) -> tuple[Figure, dict, Tables]:
    """Return a figure, its axes from top to bottom by number of candidates, and other editions' rows of these."""
    use_style()
    counts = _few(table)
    others, size = where(beside, n_neighbors=counts), (WIDTH, height * WIDTH)
    figure, grid = plt.subplots(rows, len(counts), sharex=True, sharey="row", squeeze=False, figsize=size)
    for k, top, bottom in zip(counts, grid[0], grid[-1], strict=True):
        top.set_title(f"𝑘 = {k}")
        _layers(bottom, table, *others.values())
    return figure, dict(zip(counts, grid.T, strict=True)), others


def plot_support(table: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw how many neighbours NNK keeps of those offered, and what k does at the last layer."""
    use_style()
    figure, (support, last) = plt.subplots(1, 2, figsize=(WIDTH, 0.46 * WIDTH))
    nnk = table[table["graph"] == "nnk"]
    layers = list(dict.fromkeys(nnk["layer"]))
    named = _some(layers, 12)
    for i, (layer, shade) in enumerate(zip(layers, sns.color_palette(SEQUENTIAL, len(layers)), strict=True)):
        curve = nnk[nnk["layer"] == layer].sort_values("n_neighbors")
        style = {"color": shade, "lw": 1.2, "marker": MARKERS[i % 8], "markersize": 3.5}
        label = str(layer or "in") if layer in named else None
        support.plot(curve["n_neighbors"], curve["neighbours"], label=label, **style)
    counts = sorted(set(nnk["n_neighbors"]))
    support.plot(counts, counts, color=COLOURS[1], ls="--", label="𝑘-NN")
    others = where(beside, n_neighbors=counts)
    for other, thin in faint(where(others, graph="nnk")):
        kept = other.groupby("n_neighbors")["neighbours"].agg(["min", "max"])
        support.plot(kept.index, kept, color=GREY, **thin)
        support.fill_between(kept.index, *kept.T.to_numpy(), color=GREY, lw=0, alpha=0.15)
    support.set(title="neighbours kept", ylabel="neighbours of a clip (log scale)", yscale="log")
    ticks = [t for t in (1, 2, 5, 10, 20, 50, 100, 200, 500) if t <= 1.2 * max(counts)]
    support.yaxis.set_major_locator(FixedLocator(ticks))
    support.yaxis.set_major_formatter("{x:.0f}")
    support.yaxis.set_minor_locator(NullLocator())
    support.legend(title="NNK at layer", fontsize=7.5, ncols=2, title_fontsize=7.5, labelspacing=0.2)
    deepest, ends = _deepest(table), {label: _deepest(other) for label, other in others.items()}
    _curves(last, deepest, "q", GRAPHS, x="n_neighbors", beside=ends)
    last.set(title=f"at the last layer ({layers[-1]})", ylabel=MEASURES["q"], ylim=(0, 1))
    last.legend(fontsize=7.5, loc="upper left")
    key_below(figure, handles=keys(others))
    for axes in (support, last):
        axes.set(xscale="log", xlabel="candidates 𝑘 (log scale)")
        axes.set_xticks(counts, counts)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.grid(axis="y")
    return figure


def _deepest(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the last layer, by k."""
    return table[table["layer"] == table["layer"].max()].sort_values("n_neighbors")


def plot_differences(differences: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw NNK minus each other graph by layer, with paired intervals and a line at zero; of many k, a few."""
    counts = _few(differences)
    others = where(beside, n_neighbors=counts)
    titles = {against: f"NNK minus {GRAPHS[against][0]}" for against in RIVALS}
    figure, grid = _by_measure(titles, 0.8, differences, *others.values())
    for (measure, against), axes in grid.items():
        mine = differences[(differences["measure"] == measure) & (differences["against"] == against)]
        for i, k in enumerate(counts):
            one, look = mine[mine["n_neighbors"] == k], {"color": COLOURS[i], "linestyle": DASHES[i]}
            axes.fill_between(one["layer"], one["low"], one["high"], color=COLOURS[i], alpha=0.2, lw=0)
            axes.plot(one["layer"], one["difference"], label=f"𝑘 = {k}", marker=MARKERS[i], markersize=3.5, **look)
            for other, thin in faint(where(others, n_neighbors=k, measure=measure, against=against)):
                axes.plot(other["layer"], other["difference"], **look | thin)
        axes.axhline(0, color=INK, lw=0.8)
    for measure, label in MEASURES.items():
        grid[measure, "knn"].set_ylabel(f"difference of\n{label}")
    key_below(figure, [grid["q", "knn"]], keys(others))
    return figure


#: how the network and its untrained draws look: colour, marker, dash
NETWORKS = {TRAINED: (COLOURS[0], "o", "-"), UNTRAINED: (COLOURS[1], "s", "--")}


def plot_gains(table: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw NNK minus k-NN by layer for a network and its untrained draws, and below the difference of the two."""
    use_style()
    mine = table[table["against"] == "knn"]
    others = where(beside, against="knn")
    titles = {**MEASURES, SPARSITY: "neighbours of a clip"}
    figure, grid = plt.subplots(2, len(titles), sharex=True, figsize=(WIDTH, 0.62 * WIDTH))
    for (top, bottom), (measure, title) in zip(grid.T, titles.items(), strict=True):
        rows, theirs = mine[mine["measure"] == measure], where(others, measure=measure)
        for network, (colour, marker, dash) in NETWORKS.items():
            style = {"color": colour, "linestyle": dash}
            top.plot(rows["layer"], rows[network], marker=marker, markersize=3, lw=1.2, label=network, **style)
            for other, thin in faint(theirs):
                top.plot(other["layer"], other[network], **style | thin)
        seed_bars(top, rows["layer"], rows)
        for ends in (("low", "high"), ("all_low", "all_high")):
            bottom.fill_between(rows["layer"], *(rows[end].astype(float) for end in ends), color=INK, alpha=0.14, lw=0)
        bottom.plot(rows["layer"], rows["difference"], color=INK, lw=1.2)
        top.set_title(title)
        for axes in (top, bottom):
            axes.axhline(0, color=INK, lw=0.8, ls=":")
            axes.grid(axis="y")
        _layers(bottom, mine, *others.values())
    grid[0, 0].set_ylabel("NNK minus 𝑘-NN")
    grid[1, 0].set_ylabel("trained minus\nuntrained")
    key_below(figure, [grid[0, 0]], keys(others))
    return figure


def plot_symmetrisation(table: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw label variation and error by layer for each way to make edges symmetric."""
    titles = {graph: GRAPHS[graph][0] for graph in ("nnk", "knn")}
    figure, grid = _by_measure(titles, 0.72, table, *beside.values())
    for (measure, graph), axes in grid.items():
        mine = table[table["graph"] == graph]
        for i, name in enumerate(dict.fromkeys(mine["symmetrise"])):
            curve = mine[mine["symmetrise"] == name]
            style = {"color": COLOURS[i], "linestyle": DASHES[i]}
            axes.plot(curve["layer"], curve[measure], marker=MARKERS[i], markersize=4, lw=1.4, label=name, **style)
            for other, thin in faint(where(beside, graph=graph, symmetrise=name)):
                axes.plot(other["layer"], other[measure], **style | thin)
    for measure, label in MEASURES.items():
        grid[measure, "nnk"].set(ylim=(0, None), ylabel=label)
    percent_axis(grid["error", "nnk"].yaxis)
    key_below(figure, [grid["q", "nnk"]], keys(beside))
    return figure


def _by_measure(titles: Mapping[str, str], height: float, *tables: pd.DataFrame) -> tuple[Figure, dict]:
    """Return a figure of a row a measure and a column a title, and its axes by measure and key of the title."""
    use_style()
    figure, grid = plt.subplots(2, 2, sharex=True, sharey="row", figsize=(WIDTH, height * WIDTH))
    for axes, title in zip(grid[0], titles.values(), strict=True):
        axes.set_title(title)
    for axes in grid[1]:
        _layers(axes, *tables, most=12)
    for axes in grid.flat:
        axes.grid(axis="y")
    return figure, dict(zip(product(MEASURES, titles), grid.flat, strict=True))


def plot_gap(gap: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw the ratio of the raw forms as a bar for each k, cut into its factors.

    Factors are geometric means of the layers without the input, which multiply as the factors of
    one layer do. Those above 1 lengthen the bar to the right of 1, those below 1 to the left of it.
    """
    use_style()
    means = gap_means(gap)
    others = {label: gap_means(other) for label, other in where(beside, n_neighbors=list(means.index)).items()}
    figure, axes = plt.subplots(figsize=(WIDTH, 1.1 + (0.36 + 0.2 * len(others)) * len(means)))
    height = 0.66 / (1 + 0.6 * len(others))
    for y, (k, row) in enumerate(means.iterrows()):
        middle = y - 0.33 + height / 2
        _gap_bar(axes, row, middle, height, INK, first=y == 0)
        for i, other in enumerate(others.values()):
            if k in other.index:
                below = middle + height * (0.82 + 0.6 * i)
                _gap_bar(axes, other.loc[k], below, 0.5 * height, GREY, alpha=0.5)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_yticks(range(len(means)), [f"𝑘 = {k}" for k in means.index])
    axes.invert_yaxis()
    axes.axvline(1, color=INK, lw=0.8)
    axes.set_xlabel("raw form of 𝑘-NN over that of NNK (log scale)")
    shown = [label for label, other in others.items() if len(other)]
    pale = [Patch(color=GREY, alpha=0.5, label=f"below, pale: {label}") for label in shown]
    handles = [*axes.get_legend_handles_labels()[0], *pale]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    return figure


def _gap_bar(axes: Axes, row: pd.Series, y: float, height: float, ink: str, first: bool = False, **look) -> None:
    """Draw the factors of one k as one bar, and write their product beside it."""
    ends = {True: 1.0, False: 1.0}  # of the bar: right of 1, and left of it
    for name, (label, colour, hatch) in FACTORS.items():
        start, fill = ends[row[name] >= 1], {"color": colour, "hatch": hatch, "edgecolor": "white"}
        width = start * (row[name] - 1)
        axes.barh(y, width, left=start, height=height, label=label if first else None, **fill, **look)
        ends[row[name] >= 1] = start * row[name]
    text = f"{row['raw']:.3g} = " + " × ".join(f"{row[name]:.2f}" for name in FACTORS)
    axes.text(1.02, y, text, fontsize=8, va="center", color=ink, transform=axes.get_yaxis_transform())


def _curves(axes: Axes, table: pd.DataFrame, column: str, graphs, x: str = "layer", beside: Tables = NOTHING) -> None:
    """Draw a column, with its band where it has one, as one curve a graph."""
    for name in graphs:
        label, colour, marker, dash = GRAPHS[name]
        curve, style = table[table["graph"] == name], {"color": colour, "linestyle": dash}
        axes.plot(curve[x], curve[column], marker=marker, markersize=3, lw=1.2, label=label, **style)
        if f"{column}_low" in curve:
            axes.fill_between(curve[x], curve[f"{column}_low"], curve[f"{column}_high"], color=colour, alpha=0.15, lw=0)
        for other, thin in faint(where(beside, graph=name)):
            axes.plot(other[x], other[column], **style | thin)
    axes.grid(axis="y")


def _layers(axes: Axes, *tables: pd.DataFrame, most: int = 6) -> None:
    """Name at most so many layers on the x axis, the input first."""
    layers = sorted(set(pd.concat(tables)["layer"]))
    shown = _some(layers, most)
    axes.set_xticks(shown, [str(layer or "in") for layer in shown])
    axes.set_xlim(layers[0] - 0.6, layers[-1] + 0.6)
    axes.set_xlabel("layer")


def _some(layers: list[int], most: int) -> list[int]:
    """Return at most so many of the layers, evenly spread."""
    return layers[:: -(-len(layers) // most)]
