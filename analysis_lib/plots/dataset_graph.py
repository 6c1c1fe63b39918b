"""Dataset graphs in the plane: one dot a clip, one line an edge."""

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.sparse import triu
from sklearn.manifold import TSNE

from analysis_lib.errors import UserError
from analysis_lib.geometry.layerwise import LayerGraph
from analysis_lib.plots.panels import key_below, panels
from analysis_lib.plots.style import FAINT, INK, WIDTH, group_styles, use_style
from analysis_lib.words import percent


def plot_dataset_graphs(layers: list[LayerGraph], labels: np.ndarray, groups: tuple[str, ...], seed: int) -> Figure:
    """Draw the dataset graphs of some layers: one dot a clip, placed by t-SNE of the distances.

    Colour is the super-class. Edges within a class are grey, edges that leave it dark.
    """
    use_style()
    figure, grid = panels(len(layers), len(layers), WIDTH / len(layers), 0.5)
    for axes, layer in zip(grid, layers, strict=True):
        edges = triu(layer.graph).tocoo()
        leaving = labels[edges.row] != labels[edges.col]
        title = "input" if layer.layer == 0 else f"layer {layer.layer}"
        axes.set_title(f"{title}: {percent(leaving.mean())} of {len(leaving)} edges leave their class")
        axes.set_axis_off()
        try:
            place = _embed_in_plane(layer.distance, seed)
        except UserError as error:  # too many clips
            axes.text(0.5, 0.5, f"no picture:\n{error}", ha="center", wrap=True, transform=axes.transAxes)
            continue
        for mask, colour, width in ((~leaving, FAINT, 0.6), (leaving, INK, 0.35)):
            ends = np.stack([place[edges.row[mask]], place[edges.col[mask]]], axis=1)
            axes.add_collection(LineCollection(ends, colors=colour, linewidths=width, zorder=1))
        for group, style in group_styles(groups).items():
            mine = np.array([groups[c] == group for c in labels])
            look = {"color": style["color"], "marker": style["marker"], "edgecolor": "white", "linewidth": 0.4}
            axes.scatter(*place[mine].T, s=14, label=group, zorder=2, **look)
    key_below(figure, grid[:1], [Line2D([], [], color=INK, lw=0.8, label="edge between classes")])
    return figure


def _embed_in_plane(distance: np.ndarray, seed: int) -> np.ndarray:
    """Return positions in the plane, shape (n, 2), that keep near clips near (t-SNE)."""
    perplexity = min(15.0, (len(distance) - 1) / 3)
    tsne = TSNE(metric="precomputed", init="random", perplexity=perplexity, random_state=seed)
    return tsne.fit_transform(np.maximum(distance, 0))
