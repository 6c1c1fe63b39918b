"""How the book looks at a network, drawn with clips of its own."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.geometry.layerwise import LayerGraph
from analysis_lib.geometry.smoothness import label_smoothness
from analysis_lib.plots.skeleton import draw_skeleton
from analysis_lib.plots.style import COLOURS, INK, WIDTH, use_style

_MOMENTS = 2


def plot_method(data: SkeletonDataset, layers: list[LayerGraph], mean: pd.DataFrame | None = None) -> Figure:
    """Draw the way from a clip to the label variation of a layer, in five steps.

    Parameters
    ----------
    data : SkeletonDataset
        A few clips, in the order of their labels.
    layers : list of LayerGraph
        Of these clips, the input first; the last is drawn.
    mean : DataFrame, optional
        Label variation by layer of many clips (`analysis_lib.studies.opening.tables.curve_table`); else that of
        these few is drawn, and said to be theirs.
    """
    use_style()
    figure, steps = plt.subplots(1, 5, figsize=(WIDTH, 2.1), subplot_kw={"box_aspect": 1})
    clip, network, distances, graph, curve = steps
    _draw_clip(figure, clip, data)
    _draw_network(network, len(layers) - 1)
    _draw_distances(distances, layers[-1], data)
    _draw_graph(graph, layers[-1], data.labels)
    few = mean is None
    _draw_curve(curve, _of_few(layers, data.labels) if few else mean, "these clips" if few else "all clips")
    return figure


def _title(axes: Axes, number: int, text: str) -> None:
    axes.set_title(f"{number}  {text}", loc="left", fontsize=9)


def _draw_clip(figure: Figure, axes: Axes, data: SkeletonDataset) -> None:
    """Draw two moments of the first clip, its start and its middle, side by side."""
    _title(axes, 1, "a clip")
    axes.axis("off")
    x = data.sequences[0][0]
    low, high = x[..., :2].min(axis=(0, 1)), x[..., :2].max(axis=(0, 1))
    for i, frame in enumerate(np.linspace(0, (len(x) - 1) / 2, _MOMENTS).astype(int)):
        inset = axes.inset_axes((0.5 * i, -0.2, 0.5, 1.2))
        draw_skeleton(inset, data.skeleton, x[frame])
        inset.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
        for drawn in inset.get_children():
            drawn.set_clip_on(False)


def _draw_network(axes: Axes, depth: int) -> None:
    _title(axes, 2, "a network")
    for i in range(depth):
        axes.barh(i, 1, height=0.85, color=plt.get_cmap("Blues")(0.2 + 0.6 * i / max(depth - 1, 1)))
    for i in sorted({0, depth - 1}):
        axes.text(-0.06, i, f"{i + 1}", ha="right", va="center", fontsize=8)
    axes.text(0.5, -0.8, "layers", ha="center", va="top", fontsize=8)
    axes.annotate("", (1.12, depth - 0.6), (1.12, -0.4), arrowprops={"arrowstyle": "->", "color": INK})
    axes.set(xlim=(0, 1.2), ylim=(-0.6, depth - 0.4))
    axes.axis("off")


def _draw_distances(axes: Axes, layer: LayerGraph, data: SkeletonDataset) -> None:
    """Draw how far apart all clips are at one layer."""
    _title(axes, 3, "distances")
    axes.imshow(np.asarray(layer.known), cmap="viridis", aspect="auto")
    axes.set_xticks([])
    _, first, count = np.unique(data.labels, return_index=True, return_counts=True)
    names = [data.class_names[data.labels[i]].replace(" ", "\n") for i in first]
    axes.set_yticks(first + (count - 1) / 2, names, fontsize=7.5)
    axes.tick_params(length=0)
    axes.set_xlabel("dark: alike", fontsize=8)


def _draw_graph(axes: Axes, layer: LayerGraph, labels: np.ndarray) -> None:
    """Draw the clips on a circle; an edge between two actions is dashed."""
    _title(axes, 4, "neighbours")
    angle = 2 * np.pi * np.arange(len(labels)) / len(labels)
    place = np.stack([np.cos(angle), np.sin(angle)], 1)
    weights = np.triu(layer.graph.toarray())
    for i, j in zip(*np.nonzero(weights), strict=True):
        style = {"ls": "--", "color": INK} if labels[i] != labels[j] else {"color": "#888888"}
        axes.plot(*place[[i, j]].T, lw=0.5 + 2 * weights[i, j] / weights.max(), zorder=1, **style)
    _, place_of = np.unique(labels, return_inverse=True)
    for (x, y), c in zip(place, place_of, strict=True):
        axes.plot(x, y, "osD^v"[c % 5], markersize=8, color=COLOURS[(3 + c) % len(COLOURS)], zorder=2)
    axes.set(xlim=(-1.25, 1.25), ylim=(-1.25, 1.25))
    axes.set_xlabel("dashed: another action", fontsize=8)
    axes.set(xticks=[], yticks=[])
    sns.despine(ax=axes, left=True, bottom=True)


def _of_few(layers: list[LayerGraph], labels: np.ndarray) -> pd.DataFrame:
    """Return the share of weight on dashed edges, layer by layer."""
    shares = [label_smoothness(layer.graph, labels).mean() for layer in layers[1:]]
    return pd.DataFrame({"layer": range(1, len(layers)), "q": shares})


def _draw_curve(axes: Axes, curve: pd.DataFrame, whose: str) -> None:
    """Draw label variation layer by layer."""
    _title(axes, 5, "label variation")
    axes.plot(curve["layer"], curve["q"], marker="o", markersize=3.5, color=COLOURS[0])
    axes.set(xlabel=f"layer, {whose}", ylim=(0, 1))
    axes.grid(axis="y")
