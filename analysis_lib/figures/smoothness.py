"""Figures of the smoothness chapter, drawn from its tidy tables alone."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from scipy.sparse import triu
from sklearn.manifold import TSNE

from analysis_lib.figures.style import (
    COLOURS,
    DASHES,
    FAINT,
    INK,
    MARKERS,
    WIDTH,
    group_styles,
    layer_axis,
    use_style,
)
from analysis_lib.layerwise import LayerGraph

Y_LABEL = "label variation $q$"


def plot_groups(table: pd.DataFrame) -> Figure:
    """Draw one curve a super-class with its confidence band, and the chance level."""
    use_style()
    groups = table[table["level"] == "group"]
    figure, axes = plt.subplots()
    for name, style in group_styles(groups["name"]).items():
        curve = groups[groups["name"] == name]
        _curve(axes, curve, name, style, band=True)
    chance = groups.groupby("layer")["chance"].mean()
    axes.plot(chance.index + 1, chance, color=INK, lw=0.8, ls=":")
    axes.text(chance.index[-1] + 1, chance.iloc[-1], "random labels ", fontsize=7.5, ha="right",
              va="bottom")  # fmt: skip
    _finish(axes, groups)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4)
    return figure


def plot_classes(table: pd.DataFrame) -> Figure:
    """Draw one panel a super-class with one curve a class; each curve is named at its right end."""
    use_style()
    classes = table[table["level"] == "class"]
    groups = list(dict.fromkeys(classes["group"]))
    columns = min(3, len(groups))
    rows = -(-len(groups) // columns)
    tallest = max(classes.groupby("group")["name"].nunique())
    figure, grid = plt.subplots(rows, columns, sharex=True, sharey=True, squeeze=False,
                                figsize=(WIDTH, rows * (3.1 + 0.16 * tallest)))  # fmt: skip
    for axes, group in zip(grid.flat, groups, strict=False):
        names = list(dict.fromkeys(classes.loc[classes["group"] == group, "name"]))
        for i, name in enumerate(names):
            style = {"color": COLOURS[i % 8], "marker": MARKERS[i % 8],
                     "linestyle": DASHES[i // 8 % 8]}  # fmt: skip
            _curve(axes, classes[classes["name"] == name], name, style, band=len(names) <= 4)
        axes.set_title(group)
        _finish(axes, classes)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), fontsize=7,
                    handlelength=2.2)  # fmt: skip
    for axes in list(grid.flat)[len(groups) :]:
        axes.set_visible(False)
    for axes in grid[:, 1:].flat:
        axes.set_ylabel("")
    return figure


def _curve(axes: Axes, curve: pd.DataFrame, name: str, style: dict, band: bool) -> None:
    x = curve["layer"] + 1
    axes.plot(x, curve["q"], label=name, markersize=4, lw=1.4, **style)
    if band:
        axes.fill_between(x, curve["low"], curve["high"], color=style["color"], alpha=0.15, lw=0)


def _finish(axes: Axes, table: pd.DataFrame) -> None:
    n_layers = table["layer"].nunique()
    layer_axis(axes, ["in", *range(1, n_layers)])
    axes.set_ylabel(Y_LABEL)
    axes.set_ylim(0, 1)
    axes.grid(axis="y")


def plot_dataset_graphs(layers: list[LayerGraph], labels: np.ndarray, groups: tuple[str, ...],
                        seed: int) -> Figure:  # fmt: skip
    """Draw the dataset graphs of some layers: one dot a clip, placed by t-SNE of the distances.

    Colour is the super-class. Edges within a class are grey, edges that leave it dark.
    """
    use_style()
    styles = group_styles(groups)
    figure, grid = plt.subplots(1, len(layers), figsize=(WIDTH, WIDTH / len(layers) + 0.5))
    for axes, layer in zip(np.atleast_1d(grid), layers, strict=True):
        place = _embed_in_plane(layer.distance, seed)
        edges = triu(layer.graph).tocoo()
        leaving = labels[edges.row] != labels[edges.col]
        for mask, colour, width in ((~leaving, FAINT, 0.6), (leaving, INK, 0.35)):
            ends = np.stack([place[edges.row[mask]], place[edges.col[mask]]], axis=1)
            axes.add_collection(LineCollection(ends, colors=colour, linewidths=width, zorder=1))
        for group, style in styles.items():
            mine = np.array([groups[c] == group for c in labels])
            axes.scatter(*place[mine].T, s=14, color=style["color"], marker=style["marker"],
                         edgecolor="white", linewidth=0.4, label=group, zorder=2)  # fmt: skip
        title = "input" if layer.layer == 0 else f"layer {layer.layer}"
        axes.set_title(f"{title}: {leaving.mean():.0%} of {len(leaving)} edges leave their class")
        axes.set_axis_off()
    handles, names = np.atleast_1d(grid)[0].get_legend_handles_labels()
    dark = plt.Line2D([], [], color=INK, lw=0.8, label="edge between classes")
    figure.legend(handles=[*handles, dark], labels=[*names, "edge between classes"],
                  loc="outside lower center", ncols=len(names) + 1)  # fmt: skip
    return figure


def _embed_in_plane(distance: np.ndarray, seed: int) -> np.ndarray:
    """Return positions in the plane, shape (n, 2), that keep near clips near (t-SNE)."""
    perplexity = min(15.0, (len(distance) - 1) / 3)
    tsne = TSNE(metric="precomputed", init="random", perplexity=perplexity, random_state=seed)
    return tsne.fit_transform(np.maximum(distance, 0))


def plot_theorem(table: pd.DataFrame) -> Figure:
    """Draw both sides of Theorem 1 by layer, and label against data smoothness.

    Left: the ratio of label variation out/in beside the squared norm of the layer, log axis.
    Right: data variation out/in on the input's graph beside the provable bound.
    """
    use_style()
    figure, (claim, proof) = plt.subplots(1, 2, figsize=(WIDTH, 0.48 * WIDTH))
    x = table["layer"]
    claim.plot(x, table["norm"] ** 2, color=COLOURS[1], marker="s", ls="--", label="$\\|W\\|_2^2$")
    claim.plot(
        x, table["label_ratio"], color=COLOURS[0], marker="o", label="label variation out/in"
    )
    claim.set_title("Theorem 1: is blue below orange?")
    proof.plot(x, table["bound"], color=COLOURS[1], marker="s", ls="--", label="Lipschitz bound")
    proof.plot(x, table["data_ratio"], color=COLOURS[2], marker="^", label="data variation out/in")
    proof.set_title("The part that is provable")
    for axes in (claim, proof):
        axes.set_yscale("log")
        axes.set(xlabel="layer", ylabel="ratio (log scale)")
        axes.set_xticks(list(x))
        axes.grid(axis="y")
        axes.legend()
    return figure
