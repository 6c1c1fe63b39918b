"""Layer by layer: embeddings, distances, dataset graphs and label smoothness, as one tidy table."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from tqdm.auto import tqdm

from analysis_lib.checkpoints import Checkpoint
from analysis_lib.dataset_graphs import GraphDiagnostics, knn_graph, nnk_graph
from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.dtw import windowed_dtw
from analysis_lib.embeddings import Embeddings, embed
from analysis_lib.errors import unknown_choice
from analysis_lib.preprocess import clip_tensors
from analysis_lib.smoothness import bootstrap_smoothness, class_smoothness

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
        weights, diagnostics = GRAPHS[graph](1 - distance, n_neighbors, symmetrise)
        layers.append(LayerGraph(i, name, distance, weights, diagnostics))
    return layers


def graph_table(layers: list[LayerGraph]) -> pd.DataFrame:
    """Return one row a layer: mean distance, edges, and what the solver counted."""
    rows = []
    for layer in layers:
        upper = layer.distance[np.triu_indices_from(layer.distance, 1)]
        rows.append({"layer": layer.layer, "name": layer.name, "mean_distance": upper.mean(),
                     "edges": layer.graph.nnz // 2} | vars(layer.diagnostics))  # fmt: skip
    return pd.DataFrame(rows)
