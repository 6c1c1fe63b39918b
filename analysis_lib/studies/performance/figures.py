"""Figures of the performance chapter, drawn from its tidy tables alone."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from analysis_lib.plots.style import COLOURS, DASHES, INK, MARKERS, WIDTH, percent_axis, use_style
from analysis_lib.studies.performance.tables import growth_exponents
from analysis_lib.words import number, percent


def plot_speed(table: pd.DataFrame) -> Figure:
    """Draw the seconds of all methods by shape, and our share of the floor.

    Left: one row a shape, one sign a method, log axis; hollow signs were measured on fewer clips;
    the bar across a row is the floor. Right: floor over our time, for both ways to normalise.
    """
    use_style()
    methods = [m for m in table["method"].unique() if m != "floor"]
    ours = methods[0]
    own = [m for m in methods if m.startswith(ours)]
    shapes = list(dict.fromkeys(zip(table["frames"], table["features"], strict=True)))
    row = {shape: i for i, shape in enumerate(shapes)}
    height = 1.5 + 0.42 * len(shapes)
    figure, (left, right) = plt.subplots(1, 2, sharey=True, figsize=(WIDTH, height), width_ratios=[2.6, 1])
    y = np.array([row[s] for s in zip(table["frames"], table["features"], strict=True)])
    whole = (table["measured"] == table["clips"]).to_numpy()
    floor = (table["method"] == "floor").to_numpy()
    left.scatter(table["seconds"][floor], y[floor], marker="|", s=260, color=INK, lw=1.6)
    left.scatter([], [], marker="|", s=90, color=INK, lw=1.6, label="floor of this machine")
    for i, method in enumerate(m for m in methods if m == ours or m not in own):
        mine = (table["method"] == method).to_numpy()
        style = {"marker": MARKERS[i % 8], "s": 38, "edgecolor": COLOURS[i % 8], "zorder": 3}
        left.scatter([], [], color=COLOURS[i % 8], label=method, **style)
        for part, face in ((mine & whole, COLOURS[i % 8]), (mine & ~whole, "white")):
            left.scatter(table["seconds"][part], y[part], facecolor=face, **style)
    beside = {"textcoords": "offset points", "ha": "right", "va": "center", "fontsize": 7.5}
    for i, method in enumerate(own):
        mine = (table["method"] == method).to_numpy()
        name = "costs alone" if method == ours else method.removeprefix(ours).strip(", ")
        share, place = table["of_floor"][mine], y[mine] + 0.16 * (2 * i - 1)
        right.scatter(share, place, marker="os"[i % 2], s=30, color=COLOURS[i], label=name)
        for x, up in zip(share, place, strict=True):
            right.annotate(percent(x), (x, up), (-5, 0), **beside)
    left.set_yticks(range(len(shapes)), [f"{t} × {d}" for t, d in shapes])
    left.set(xscale="log", xlabel="seconds (log scale)", ylabel="frames × features")
    left.set_ylim(len(shapes) - 0.5, -0.5)
    right.set(xlim=(0, 1), xlabel="floor, of our time")
    percent_axis(right.xaxis)
    for axes, columns in ((left, 3), (right, 1)):
        axes.grid(axis="x")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=columns, columnspacing=1.0, handletextpad=0.3)
    return figure


def plot_growth(table: pd.DataFrame) -> Figure:
    """Draw seconds against the number of clips, and the share of pairs that were computed."""
    use_style()
    slopes = growth_exponents(table)
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 0.42 * WIDTH))
    for i, (method, part) in enumerate(table.groupby("method", sort=False)):
        style = {"color": COLOURS[i], "marker": MARKERS[i], "ls": DASHES[i]}
        left.plot(
            part["clips"], part["seconds"], label=f"{method}: grows as 𝑛 to the {number(slopes[method])}", **style
        )
    left.set(xscale="log", yscale="log", ylabel="seconds (log scale)")
    left.legend(loc="upper left")
    ours = table[table["method"] == slopes.index[0]]
    right.plot(ours["clips"], ours["share"], color=COLOURS[0], marker=MARKERS[0])
    for clips, share in zip(ours["clips"], ours["share"], strict=True):
        right.annotate(percent(share), (clips, share), (4, 5), textcoords="offset points", fontsize=7.5)
    right.set(xscale="log", ylabel="pairs computed, of all")
    right.set_xlim(right=1.5 * ours["clips"].max())
    right.set_ylim(0, min(1.05, 1.3 * ours["share"].max()))
    percent_axis(right.yaxis)
    for axes in (left, right):
        axes.set_xticks(ours["clips"], [f"{n:,}" for n in ours["clips"]])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("clips n (log scale)")
        axes.grid(axis="y")
    return figure
