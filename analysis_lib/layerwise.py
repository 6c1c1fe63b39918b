"""Layer by layer: distances, dataset graphs and label smoothness, from embeddings to one table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from analysis_lib.dataset_graphs import knn_graph, nnk_graph
from analysis_lib.dtw import windowed_dtw
from analysis_lib.embeddings import Embeddings
from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.smoothness import bootstrap_smoothness, class_smoothness, largest_drop

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
    diagnostics
        What the solver counted (`analysis_lib.dataset_graphs`).
    """

    layer: int
    name: str
    distance: np.ndarray
    graph: csr_array
    diagnostics: object
