"""Figures of the data chapter: classes, example clips, confusion.

``beside`` are the same tables as other editions recorded them (`analysis_lib.chapters.other_editions`).
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.upright import upright
from analysis_lib.plots.beside import GREY, NOTHING, Tables
from analysis_lib.plots.skeleton import draw_skeleton
from analysis_lib.plots.style import INK, SEQUENTIAL, WIDTH, group_styles, use_style
from analysis_lib.studies.data.tables import example_clips
from analysis_lib.words import THIN

_MOMENTS = 4


def plot_classes(classes: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw clip counts and the spread of lengths, one row a class, from `analysis_lib.studies.data.tables.class_table`.

    Rows of other editions stand below, paler, each edition under its name.
    """
    use_style()
    styles = group_styles(pd.concat([classes, *beside.values()])["group"])
    n_rows = sum(len(table) + 1 for table in (classes, *beside.values())) - 1
    figure, (counts, lengths) = plt.subplots(1, 2, sharey=True, figsize=(WIDTH, 0.9 + 0.21 * n_rows))
    names = []
    for label, table in ((None, classes), *beside.items()):
        names += [*([label] if label else []), *table["label"]]
        row = np.arange(len(names) - len(table), len(names))
        pale = 0.45 if label else 1
        colours = [styles[group]["color"] for group in table["group"]]
        counts.barh(row, table["clips"], color=colours, height=0.7, alpha=pale)
        lengths.hlines(row, table["shortest"], table["longest"], color=colours, lw=2.5, alpha=0.5 * pale)
        lengths.scatter(table["median"], row, color=colours, zorder=3, s=22, alpha=pale)
    counts.set_yticks(range(len(names)), names)
    for text in counts.get_yticklabels():
        if text.get_text() in beside:
            text.set(color=GREY, fontstyle="italic")
    counts.invert_yaxis()
    counts.set(xlabel="clips", title="How many")
    lengths.set(xlabel="frames", title="How long", xlim=(0, None))
    for axes in (counts, lengths):
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        axes.set_axisbelow(True)
    handles = [plt.Line2D([], [], color=s["color"], lw=6, label=g) for g, s in styles.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def plot_examples(data: SkeletonDataset, n_classes: int) -> Figure:
    """Draw one clip a class at four moments, from its first frame to its last."""
    use_style()
    clips, data = example_clips(data, n_classes), upright(data)
    figure, grid = plt.subplots(len(clips), _MOMENTS, figsize=(WIDTH, 1.55 * len(clips)), squeeze=False)
    for row, i in zip(grid, clips, strict=True):
        x = data.sequences[i][0]  # first body: (T, V, C)
        low, high = x[..., :2].min(axis=(0, 1)), x[..., :2].max(axis=(0, 1))
        half, (across, up) = 0.55 * (high - low).max(), (low + high) / 2
        for axes, frame in zip(row, np.linspace(0, len(x) - 1, _MOMENTS).astype(int), strict=True):
            draw_skeleton(axes, data.skeleton, x[frame])
            axes.set(xlim=(across - half, across + half), ylim=(up - half, up + half))
            axes.set_title(f"frame {frame + 1}", fontsize=8, loc="center", color="#666666", pad=1)
        c = data.labels[i]
        left = {"ha": "right", "transform": row[0].transAxes}
        row[0].text(-0.05, 0.52, data.class_names[c].replace(" ", "\n"), va="bottom", fontsize=9, **left)
        row[0].text(-0.05, 0.5, data.groups[c], va="top", fontsize=8, color="#666666", **left)
    return figure


def plot_confusion(confusion: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw the confusion matrix, from `analysis_lib.studies.data.tables.confusion_table`: shares of each row.

    Those of other editions, with actions of their own, stand below in the same size of cell.
    """
    use_style()
    tables = [confusion, *beside.values()]
    sizes = [table["label"].nunique() for table in tables]
    side = min(WIDTH, 2.4 + 0.26 * max(sizes))
    size = (side, 0.92 * side * sum(sizes) / max(sizes))
    figure, grid = plt.subplots(len(tables), 1, squeeze=False, height_ratios=sizes, figsize=size)
    for axes, table in zip(grid[:, 0], tables, strict=True):
        image = _confusion(axes, table)
        axes.set_xlim(-0.5, max(sizes) - 0.5)
        axes.set_xlabel("predicted", x=table["label"].nunique() / max(sizes) / 2)
    for axes, label in zip(grid[1:, 0], beside, strict=True):
        axes.set_title(label, color=GREY)
    figure.colorbar(image, ax=grid[0, 0], label="share of the action's clips", format=PercentFormatter(1, symbol=f"{THIN}%"), shrink=0.7)
    return figure


def _confusion(axes: Axes, confusion: pd.DataFrame):
    """Draw one matrix and return its image."""
    names = list(dict.fromkeys(confusion["label"]))
    share = confusion["share"].to_numpy().reshape(len(names), len(names))
    image = axes.imshow(share, cmap=SEQUENTIAL, vmin=0, vmax=1)
    look = {"ha": "center", "va": "center", "fontsize": 7.5}
    for i, j in np.argwhere(share >= 0.005):
        axes.text(j, i, f"{100 * share[i, j]:.0f}", color="white" if share[i, j] > 0.5 else INK, **look)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylabel("action")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return image
