"""Layer by layer: embeddings, distances, dataset graphs and label smoothness, as one tidy table."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from tqdm.auto import tqdm

from analysis_lib.checkpoints import Checkpoint
from analysis_lib.dataset_graphs import GraphDiagnostics, knn_graph, nnk_graph, similarity_kernel
from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.dtw import windowed_dtw
from analysis_lib.embeddings import Embeddings, embed
from analysis_lib.errors import unknown_choice
from analysis_lib.preprocess import clip_tensors
from analysis_lib.smoothness import class_smoothness
from analysis_lib.smoothness_bootstrap import bootstrap_smoothness, smoothness_intervals

GRAPHS = {"nnk": nnk_graph, "knn": knn_graph}


@dataclass(frozen=True)
class LayerGraph:
    """The dataset graph of one layer.

    Attributes
    ----------
    layer : int
        0 is the input.
    name : str
        Module name, or ``"input"``.
    distance : ndarray, shape (n, n)
        Windowed DTW distances in [0, 1].
    graph : csr_array, shape (n, n)
        Symmetric weights, no self loops.
    diagnostics : GraphDiagnostics
    """

    layer: int
    name: str
    distance: np.ndarray
    graph: csr_array
    diagnostics: GraphDiagnostics


def layer_embeddings(network: Checkpoint, data: SkeletonDataset, **options) -> Embeddings:
    """Return the features of all clips at the input and at every layer of a network.

    ``options`` go to `analysis_lib.embeddings.embed`.
    """
    x, lengths = clip_tensors(data, network.preprocessing)
    return embed(network.model, x, lengths, network.layers, **options)


def dataset_graphs(embeddings: Embeddings, n_neighbors: int, graph: str = "nnk",
                   symmetrise: str = "max", progress: bool = False, **options) -> list[LayerGraph]:  # fmt: skip
    """Return the dataset graph of every layer, the input first.

    The kernel is :math:`K = 1 - \\mathrm{wDTW}`, the windowed mean cosine along the warping path.

    Parameters
    ----------
    embeddings : Embeddings
    n_neighbors : int
        Candidates of each node.
    graph : {"nnk", "knn"}
    symmetrise : {"max", "mean", "author"}
    **options
        Go to `analysis_lib.dtw.windowed_dtw`.
    """
    if graph not in GRAPHS:
        raise unknown_choice("graph", graph, GRAPHS)
    layers = []
    steps = list(zip(embeddings.layers, embeddings.features, embeddings.lengths, strict=True))
    for i, (name, features, lengths) in enumerate(tqdm(steps, "layers", disable=not progress)):
        distance = windowed_dtw(features, lengths, **options)
        weights, diagnostics = GRAPHS[graph](similarity_kernel(distance), n_neighbors, symmetrise)
        layers.append(LayerGraph(i, name, distance, weights, diagnostics))
    return layers


def graph_table(layers: list[LayerGraph]) -> pd.DataFrame:
    """Return one row a layer: mean distance, edges, and what the solver counted."""
    rows = []
    for layer in layers:
        upper = layer.distance[np.triu_indices_from(layer.distance, 1)]
        rows.append({"layer": layer.layer, "name": layer.name, "mean_distance": upper.mean()}
                    | vars(layer.diagnostics))  # fmt: skip
    return pd.DataFrame(rows)


def smoothness_table(layers: list[LayerGraph], data: SkeletonDataset, n_bootstrap: int = 500,
                     seed: int = 0) -> pd.DataFrame:  # fmt: skip
    """Return the label variation of every class and super-class at every layer.

    Parameters
    ----------
    layers : list of LayerGraph
    data : SkeletonDataset
        The clips that are the nodes.
    n_bootstrap, seed : int
        Replicates behind the 95 % intervals (`analysis_lib.smoothness_bootstrap`); every layer is
        resampled with the same nodes.

    Returns
    -------
    DataFrame
        Columns layer, layer_name, level (``"class"`` or ``"group"``), group, name, clips, q (share
        of edge weight that leaves the class), low, high, raw (Laplacian quadratic form), per_clip,
        chance (q of random labels). A super-class is the unweighted mean of its classes.
    """
    present = np.unique(data.labels)
    groups = [data.groups[c] for c in present]
    names = [data.class_names[c] for c in present]
    tables = []
    for layer in layers:
        replicates = bootstrap_smoothness(layer.graph, data.labels, np.random.default_rng(seed),
                                          n_bootstrap)  # fmt: skip
        bands = smoothness_intervals(replicates, groups).set_index(["kind", "name"])
        classes = class_smoothness(layer.graph, data.labels, groups)
        classes = classes.rename(columns={"normalised": "q"}).assign(name=names, level="class")
        classes[["low", "high"]] = bands.loc["class"].loc[range(len(names)), ["low", "high"]].values
        numbers = ["q", "raw", "per_clip", "chance"]
        means = classes.groupby("group", as_index=False).agg(
            {**dict.fromkeys(numbers, "mean"), "clips": "sum"}
        )
        means = means.assign(name=means["group"], level="group")
        means[["low", "high"]] = bands.loc["group"].loc[means["name"], ["low", "high"]].values
        both = pd.concat([means, classes], ignore_index=True)
        tables.append(both.assign(layer=layer.layer, layer_name=layer.name))
    return pd.concat(tables, ignore_index=True)[
        ["layer", "layer_name", "level", "group", "name", "clips", "q", "low", "high", "raw",
         "per_clip", "chance"]
    ]  # fmt: skip
