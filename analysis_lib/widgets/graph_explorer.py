"""What the reader moves: clips with their importance at all layers, and the graph of any layer."""

from base64 import b64encode
from dataclasses import replace
from io import BytesIO

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display
from matplotlib.figure import Figure

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import STEPS, clip_tensors
from analysis_lib.explain.gradcam import gradcam
from analysis_lib.geometry.embeddings import Embeddings
from analysis_lib.geometry.layerwise import GRAPHS, LayerGraph, layer_graph
from analysis_lib.geometry.smoothness import class_smoothness
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.plots.dataset_graph import plot_dataset_graphs
from analysis_lib.plots.style import INK, WIDTH, Y_LABEL, group_styles, use_style
from analysis_lib.warping.options import Warping
from analysis_lib.widgets.player import SkeletonPlayer, skeleton_player

#: steps of a preprocessing that choose bodies and frames; the others move joints
_CHOOSING = ("first-bodies", "largest-bodies", "fill-null-frames")
_MOST = {"neighbours": 50, "windows": 8}


def clip_player(
    network: Checkpoint, data: SkeletonDataset, target: str = "true", layer: int | None = None, **options
) -> SkeletonPlayer:
    """Return a player of clips with the importance of their joints at every layer.

    The poses are those of the data; of several bodies those that the network is given.

    Parameters
    ----------
    network : Checkpoint
    data : SkeletonDataset
        The clips that are played: a few.
    target : str
        Class whose score is explained: ``"true"``, ``"predicted"``, or the name of one class.
    layer : int, optional
        Which is shown first, from 0; the last by default.
    **options
        ``variant`` and ``counterfactual`` of `analysis_lib.explain.gradcam.gradcam`.
    """
    recipe = network.preprocessing
    x, lengths = clip_tensors(data, recipe)
    explained = data.class_names.index(target) if target in data.class_names else target
    found = gradcam(network.model, x, lengths, network.layers, explained, data.labels, **options)
    poses = []
    for clip in data.sequences:
        for step in recipe.steps:
            clip = STEPS[step](clip, recipe) if step in _CHOOSING else clip
        poses.append(clip[: recipe.bodies])
    names = [
        data.class_names[true] if true == said else f"{data.class_names[true]}, named {data.class_names[said]}"
        for true, said in zip(data.labels, found.scores.argmax(axis=1), strict=True)
    ]
    maps = [found.on_frames(i, p.shape[1], p.shape[0]) for i, p in enumerate(poses)]
    layers = [f"{i} of {len(maps[0])}" for i in range(1, len(maps[0]) + 1)]
    return skeleton_player(poses, data.skeleton, maps, layers=layers, names=names, layer=layer)


def explorer(
    embeddings: Embeddings,
    data: SkeletonDataset,
    n_neighbors: int = 10,
    how: Warping = Warping(),
    graph: str = "nnk",
    seed: int = 0,
) -> ipywidgets.VBox:
    """Return controls for layer, neighbours, windows and kind of graph, and what they show.

    In a live kernel every change computes the one layer that is shown, unless it is kept
    (`analysis_lib.results.store`). A static page shows the picture of the first choice.

    Parameters
    ----------
    embeddings : Embeddings
        Of the clips of ``data``.
    n_neighbors, how, graph
        What is shown first, at the last layer.
    seed : int
        Of the places in the plane.
    """
    names = ["input", *(f"layer {i}" for i in range(1, len(embeddings.layers)))]
    wide = {"style": {"description_width": "5.5em"}, "continuous_update": False}
    neighbours = min(_MOST["neighbours"], len(data) - 1)
    controls = {
        "layer": ipywidgets.Dropdown(
            options=[(name, i) for i, name in enumerate(names)],
            value=len(names) - 1,
            description="Layer",
            style=wide["style"],
        ),
        "n_neighbors": ipywidgets.IntSlider(
            min(n_neighbors, neighbours), 1, neighbours, description="Neighbours", **wide
        ),
        "n_windows": ipywidgets.IntSlider(
            how.n_windows, 1, max(how.n_windows, _MOST["windows"]), description="Windows", **wide
        ),
        "graph": ipywidgets.ToggleButtons(
            options=[({"nnk": "NNK", "knn": "k-NN"}[kind], kind) for kind in GRAPHS],
            value=graph,
            description="Graph",
            style={**wide["style"], "button_width": "5em"},
        ),
    }

    def show(layer, n_neighbors, n_windows, graph):
        chosen = replace(how, n_windows=n_windows)
        show_layer(layer_graph(embeddings, layer, n_neighbors, graph, how=chosen), data, seed)

    shown = ipywidgets.interactive_output(show, controls)
    rows = ipywidgets.GridBox(
        list(controls.values()),
        layout={"grid_template_columns": "repeat(auto-fit, minmax(19em, 1fr))", "width": "100%"},
    )
    return ipywidgets.VBox([rows, shown])


def show_layer(layer: LayerGraph, data: SkeletonDataset, seed: int = 0) -> None:
    """Display the dataset graph of one layer, and below it the label variation of each class."""
    table = class_table(layer, data)
    mean = table["q"].mean()
    leaving = f"mean label variation of {len(table)} classes {mean:.2f}"
    place = "the input" if layer.layer == 0 else f"layer {layer.layer}"
    figure = plot_dataset_graphs([layer], data.labels, data.groups, seed)
    figure.set_size_inches(WIDTH, 0.68 * WIDTH)
    _display(figure, f"Dataset graph of {place}: {len(data)} clips, {leaving}")
    worst, best = (table["class"].iloc[i] for i in (0, -1))
    _display(
        plot_class_variation(table), f"Label variation by class at {place}: from {worst} (highest) to {best}; {leaving}"
    )


def class_table(layer: LayerGraph, data: SkeletonDataset) -> pd.DataFrame:
    """Return the label variation of each class on one graph, the highest first.

    Returns
    -------
    DataFrame
        Columns class, group, clips, q, chance.
    """
    present = np.unique(data.labels)
    table = class_smoothness(layer.graph, data.labels, [data.groups[c] for c in present])
    table["class"] = [data.class_names[c] for c in present]
    table = table.rename(columns={"normalised": "q"})[["class", "group", "clips", "q", "chance"]]
    return table.sort_values("q", ascending=False, kind="stable", ignore_index=True)


def plot_class_variation(table: pd.DataFrame) -> Figure:
    """Draw the label variation of each class as bars, with that of random labels.

    Parameters
    ----------
    table : DataFrame
        From `class_table`.
    """
    use_style()
    figure, axes = plt.subplots(figsize=(WIDTH, 0.9 + 0.19 * len(table)))
    rows = np.arange(len(table))
    for group, style in group_styles(table["group"]).items():
        mine = (table["group"] == group).to_numpy()
        axes.barh(rows[mine], table["q"][mine], color=style["color"], height=0.7, label=group)
    axes.plot(table["chance"], rows, color=INK, lw=0.8, ls=":", label="random labels")
    for row, q in zip(rows, table["q"], strict=True):
        axes.text(q, row, f" {q:.2f}", va="center", fontsize=7)
    axes.set_yticks(rows, table["class"])
    axes.set(xlabel=Y_LABEL, xlim=(0, 1.02))
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    figure.legend(loc="outside upper center", ncols=table["group"].nunique() + 1)
    return figure


def _display(figure: Figure, text: str) -> None:
    """Display a figure as a picture that says in words what it shows, and close it."""
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=160)
    plt.close(figure)
    shown = {"image/png": b64encode(picture.getvalue()).decode(), "text/plain": text}
    display(shown, raw=True, metadata={"image/png": {"width": 100 * WIDTH}})
