"""Figures of the chapter on NNK and k-NN, drawn from its tidy tables alone."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter

from analysis_lib.figures.style import COLOURS, INK, MARKERS, SEQUENTIAL, WIDTH, use_style
from analysis_lib.graph_comparison import RIVALS

#: label, colour, marker and dash of each graph
GRAPHS = {
    "nnk": ("NNK", COLOURS[0], "o", "-"),
    "knn": ("$k$-NN", COLOURS[1], "s", "--"),
    "matched": ("$k$-NN, as sparse as NNK", COLOURS[2], "^", "-."),
}
MEASURES = {"q": "label variation $q$", "error": "leave-one-out error"}
#: factors of the raw form's ratio: label, colour, hatch
FACTORS = {
    "edges": ("more edges", COLOURS[5], ""),
    "edge_weight": ("heavier edges", COLOURS[4], "//"),
    "share": ("labels: a larger share leaves", COLOURS[3], "xx"),
}


def plot_forms(table: pd.DataFrame) -> Figure:
    """Draw the normalised form above the raw one by layer, a column for each k."""
    use_style()
    counts = list(dict.fromkeys(table["n_neighbors"]))
    figure, grid = plt.subplots(2, len(counts), sharex=True, sharey="row", squeeze=False,
                                figsize=(WIDTH, 0.68 * WIDTH))  # fmt: skip
    for (top, bottom), k in zip(grid.T, counts, strict=True):
        mine = table[table["n_neighbors"] == k]
        _curves(top, mine, "q", GRAPHS)
        _curves(bottom, mine, "raw", ("nnk", "knn"))
        chance = mine.groupby("layer")["chance"].mean()
        top.plot(chance.index, chance, color=INK, lw=0.8, ls=":")
        top.set(title=f"$k$ = {k}", ylim=(0, 1))
        bottom.set_yscale("log")
        _layers(bottom, mine)
    grid[0, 0].set_ylabel(f"normalised:\n{MEASURES['q']}")
    grid[1, 0].set_ylabel("raw (log scale):\nmean $Q_c$ of a class")
    chance_line = plt.Line2D([], [], color=INK, lw=0.8, ls=":", label="random labels")
    _legend(figure, grid[0, 0], chance_line)
    return figure


def plot_errors(table: pd.DataFrame) -> Figure:
    """Draw the leave-one-out error by layer, a column for each k."""
    use_style()
    counts = list(dict.fromkeys(table["n_neighbors"]))
    figure, grid = plt.subplots(1, len(counts), sharex=True, sharey=True, squeeze=False,
                                figsize=(WIDTH, 0.42 * WIDTH))  # fmt: skip
    for axes, k in zip(grid[0], counts, strict=True):
        mine = table[table["n_neighbors"] == k]
        _curves(axes, mine, "error", GRAPHS)
        axes.set_title(f"$k$ = {k}")
        _layers(axes, mine)
    grid[0, 0].set_ylim(0, None)
    grid[0, 0].set_ylabel(MEASURES["error"])
    grid[0, 0].yaxis.set_major_formatter(PercentFormatter(1))
    _legend(figure, grid[0, 0])
    return figure


def plot_support(table: pd.DataFrame) -> Figure:
    """Draw how many neighbours NNK keeps of those offered, and what k does at the last layer."""
    use_style()
    figure, (support, last) = plt.subplots(1, 2, figsize=(WIDTH, 0.46 * WIDTH))
    nnk = table[table["graph"] == "nnk"]
    layers = list(dict.fromkeys(nnk["layer"]))
    for i, (layer, shade) in enumerate(
        zip(layers, sns.color_palette(SEQUENTIAL, len(layers)), strict=True)
    ):
        curve = nnk[nnk["layer"] == layer].sort_values("n_neighbors")
        support.plot(curve["n_neighbors"], curve["neighbours"], color=shade, lw=1.2,
                     marker=MARKERS[i % 8], markersize=3.5, label=str(layer or "in"))  # fmt: skip
    counts = sorted(set(nnk["n_neighbors"]))
    support.plot(counts, counts, color=COLOURS[1], ls="--", label="$k$-NN")
    support.set(title="neighbours kept", ylabel="neighbours of a clip (log scale)", yscale="log")
    ticks = [t for t in (1, 2, 5, 10, 20, 50, 100, 200, 500) if t <= 1.2 * max(counts)]
    support.yaxis.set_major_locator(FixedLocator(ticks))
    support.yaxis.set_major_formatter("{x:.0f}")
    support.yaxis.set_minor_locator(NullLocator())
    support.legend(title="NNK at layer", fontsize=6.5, ncols=2, title_fontsize=7)
    deepest = table[table["layer"] == layers[-1]].sort_values("n_neighbors")
    _curves(last, deepest, "q", GRAPHS, x="n_neighbors")
    last.set(title=f"at the last layer ({layers[-1]})", ylabel=MEASURES["q"], ylim=(0, 1))
    last.legend(fontsize=7.5, loc="upper left")
    for axes in (support, last):
        axes.set_xscale("log")
        axes.set_xticks(counts, counts)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("candidates $k$ (log scale)")
        axes.grid(axis="y")
    return figure


def plot_differences(differences: pd.DataFrame) -> Figure:
    """Draw NNK minus each other graph by layer and k, with paired intervals and a line at zero."""
    use_style()
    figure, grid = plt.subplots(2, 2, sharex=True, sharey="row", figsize=(WIDTH, 0.8 * WIDTH))
    counts = list(dict.fromkeys(differences["n_neighbors"]))
    shades = sns.color_palette(SEQUENTIAL, len(counts))
    for row, measure in zip(grid, MEASURES, strict=True):
        for axes, against in zip(row, RIVALS, strict=True):
            mine = differences[(differences["measure"] == measure)
                               & (differences["against"] == against)]  # fmt: skip
            for i, (k, shade) in enumerate(zip(counts, shades, strict=True)):
                one = mine[mine["n_neighbors"] == k]
                x = one["layer"] + 0.7 * ((i + 0.5) / len(counts) - 0.5)
                axes.vlines(x, one["low"], one["high"], color=shade, lw=1.3)
                axes.plot(x, one["difference"], color=shade, ls="", marker=MARKERS[i % 8],
                          markersize=3.2, label=f"$k$ = {k}")  # fmt: skip
            axes.axhline(0, color=INK, lw=0.8)
            axes.grid(axis="y")
        row[0].set_ylabel(f"difference of\n{MEASURES[measure]}")
    for axes, against in zip(grid[0], RIVALS, strict=True):
        axes.set_title(f"NNK minus {GRAPHS[against][0]}")
    for axes in grid[1]:
        _layers(axes, differences, most=12)
    handles, names = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names))
    return figure


def plot_gap(gap: pd.DataFrame) -> Figure:
    """Draw the ratio of the raw forms as a bar for each k, cut into its factors.

    Factors are geometric means of the layers without the input, which multiply as the factors of
    one layer do. Those above 1 lengthen the bar to the right of 1, those below 1 to the left of it.
    """
    use_style()
    logs = np.log(gap[gap["layer"] > 0].drop(columns="layer").set_index("n_neighbors"))
    means = np.exp(logs.groupby(level=0, sort=False).mean())
    figure, axes = plt.subplots(figsize=(WIDTH, 1.1 + 0.36 * len(means)))
    for y, (_, row) in enumerate(means.iterrows()):
        ends = {True: 1.0, False: 1.0}  # of the bar: right of 1, and left of it
        for name, (label, colour, hatch) in FACTORS.items():
            start = ends[row[name] >= 1]
            axes.barh(y, start * (row[name] - 1), left=start, color=colour, hatch=hatch,
                      edgecolor="white", height=0.66, label=label if y == 0 else None)  # fmt: skip
            ends[row[name] >= 1] = start * row[name]
        product = " × ".join(f"{row[name]:.2f}" for name in FACTORS)
        axes.text(1.02, y, f"{row['raw']:.3g} = {product}", fontsize=8, va="center",
                  transform=axes.get_yaxis_transform())  # fmt: skip
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_yticks(range(len(means)), [f"$k$ = {k}" for k in means.index])
    axes.invert_yaxis()
    axes.axvline(1, color=INK, lw=0.8)
    axes.set_xlabel("raw form of $k$-NN over that of NNK (log scale)")
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def plot_symmetrisation(table: pd.DataFrame) -> Figure:
    """Draw label variation and error by layer for each way to make edges symmetric."""
    use_style()
    figure, grid = plt.subplots(2, 2, sharex=True, sharey="row", figsize=(WIDTH, 0.72 * WIDTH))
    for row, (measure, label) in zip(grid, MEASURES.items(), strict=True):
        for axes, graph in zip(row, ("nnk", "knn"), strict=True):
            mine = table[table["graph"] == graph]
            for i, name in enumerate(dict.fromkeys(mine["symmetrise"])):
                curve = mine[mine["symmetrise"] == name]
                axes.plot(curve["layer"], curve[measure], color=COLOURS[i], marker=MARKERS[i],
                          markersize=4, lw=1.4, ls=("-", "--", "-.", ":")[i], label=name)  # fmt: skip
            axes.grid(axis="y")
        row[0].set_ylim(0, None)
        row[0].set_ylabel(label)
    grid[1, 0].yaxis.set_major_formatter(PercentFormatter(1))
    for axes, graph in zip(grid[0], ("nnk", "knn"), strict=True):
        axes.set_title(GRAPHS[graph][0])
    for axes in grid[1]:
        _layers(axes, table, most=12)
    _legend(figure, grid[0, 0])
    return figure


def _curves(axes: Axes, table: pd.DataFrame, column: str, graphs, x: str = "layer") -> None:
    """Draw a column, with its band where it has one, as one curve a graph."""
    for name in graphs:
        label, colour, marker, dash = GRAPHS[name]
        curve = table[table["graph"] == name]
        axes.plot(curve[x], curve[column], color=colour, marker=marker, ls=dash, markersize=3,
                  lw=1.2, label=label)  # fmt: skip
        if f"{column}_low" in curve:
            axes.fill_between(curve[x], curve[f"{column}_low"], curve[f"{column}_high"],
                              color=colour, alpha=0.15, lw=0)  # fmt: skip
    axes.grid(axis="y")


def _layers(axes: Axes, table: pd.DataFrame, most: int = 6) -> None:
    """Name at most so many layers on the x axis, the input first."""
    layers = sorted(set(table["layer"]))
    shown = layers[:: -(-len(layers) // most)]
    axes.set_xticks(shown, [str(layer or "in") for layer in shown])
    axes.set_xlim(layers[0] - 0.6, layers[-1] + 0.6)
    axes.set_xlabel("layer")


def _legend(figure: Figure, axes: Axes, *more) -> None:
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles=[*handles, *more], labels=[*names, *(h.get_label() for h in more)],
                  loc="outside lower center", ncols=len(names) + len(more))  # fmt: skip
