"""The explorer of dataset graphs: one layer is computed at a time, and shown as a graph and as bars."""

from dataclasses import replace

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.geometry.embeddings import Embeddings
from analysis_lib.geometry.layerwise import LayerGraph, layer_graph
from analysis_lib.plots.dataset_graph import plot_dataset_graphs
from analysis_lib.plots.style import WIDTH
from analysis_lib.studies.explore.figures import plot_class_variation
from analysis_lib.studies.explore.tables import class_table
from analysis_lib.warping.options import Warping
from analysis_lib.widgets.graph_explorer import display_figure, graph_controls

_GRAPHS = {"nnk": "NNK", "knn": "k-NN"}


def layer_explorer(
    embeddings: Embeddings,
    data: SkeletonDataset,
    n_neighbors: int = 10,
    how: Warping = Warping(),
    graph: str = "nnk",
    seed: int = 0,
):
    """Return the controls of `analysis_lib.widgets.graph_explorer.graph_controls` over the graphs of all layers.

    Every change computes the one layer that is shown, unless it is kept (`analysis_lib.results.store`).

    Parameters
    ----------
    embeddings : Embeddings
        Of the clips of ``data``.
    n_neighbors, how, graph
        What is shown first, at the last layer.
    seed : int
        Of the places in the plane.
    """

    def show(layer, n_neighbors, n_windows, graph):
        chosen = replace(how, n_windows=n_windows)
        show_layer(layer_graph(embeddings, layer, n_neighbors, graph, how=chosen), data, seed)

    layers = ["input", *(f"layer {i}" for i in range(1, len(embeddings.layers)))]
    return graph_controls(show, layers, len(data), n_neighbors, how.n_windows, graph, _GRAPHS)


def show_layer(layer: LayerGraph, data: SkeletonDataset, seed: int = 0) -> None:
    """Display the dataset graph of one layer, and below it the label variation of each class."""
    table = class_table(layer, data)
    leaving = f"mean label variation of {len(table)} classes {table['q'].mean():.2f}"
    place = "the input" if layer.layer == 0 else f"layer {layer.layer}"
    figure = plot_dataset_graphs([layer], data.labels, data.groups, seed)
    figure.set_size_inches(WIDTH, 0.68 * WIDTH)
    display_figure(figure, f"Dataset graph of {place}: {len(data)} clips, {leaving}")
    worst, best = table["class"].iloc[[0, -1]]
    bars = f"Label variation by class at {place}: from {worst} (highest) to {best}; {leaving}"
    display_figure(plot_class_variation(table), bars)
