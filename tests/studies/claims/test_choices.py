"""Open choices, measured together: as each is measured by itself, by the way that the smoothness chapter goes."""

import numpy as np
import pandas as pd
import pytest

from analysis_lib.datasets.catalogue import load_dataset
from analysis_lib.datasets.sampling import clips_of, sample_per_class
from analysis_lib.geometry.layerwise import dataset_graphs, layer_embeddings
from analysis_lib.geometry.smoothness import label_smoothness
from analysis_lib.networks.checkpoints import load_checkpoint
from analysis_lib.studies.claims.choices import OPTIONS, choice_table
from analysis_lib.warping.options import Warping

GRID = {"split": ["test", "train"], "n_windows": [2], "reduce": ["flatten", "joint", "channel"]}
GRID |= {"n_neighbors": [3, 5, 900], "graph": ["nnk", "knn"]}
SPLITS = {"test": "test", "train": "train"}


@pytest.fixture(scope="module")
def small():
    """Return a network, clips of three actions, and what the choices change."""
    whole = load_dataset("synthetic")
    network, data = load_checkpoint("synthetic", whole), whole.take(clips_of(whole, ["throw", "hopping", "falling"]))
    return network, data, choice_table(network, data, GRID, SPLITS, 4)


@pytest.mark.parametrize(
    "chosen", [("test", 2, "flatten", 3, "nnk"), ("test", 2, "joint", 5, "knn"), ("train", 2, "channel", 5, "nnk")]
)
def test_a_combination_is_what_it_is_by_itself(small, chosen):
    network, data, table = small
    split, n_windows, reduce, k, graph = chosen
    nodes = data.split(split)
    nodes = nodes.take(sample_per_class(nodes.labels, 4, 0))
    embeddings = layer_embeddings(network, nodes, reduce=reduce)
    layers = dataset_graphs(embeddings, k, graph, how=Warping(n_windows=n_windows))[1:]
    rows = table[(table[list(OPTIONS)] == pd.Series(chosen, list(OPTIONS))).all(axis=1) & (table["without"] == -1)]
    found = rows.pivot(index="layer", columns="name", values="q")[
        [data.class_names[c] for c in np.unique(nodes.labels)]
    ]
    expected = [label_smoothness(layer.graph, nodes.labels) for layer in layers]
    np.testing.assert_allclose(found.to_numpy(), expected, atol=2e-6)
    assert set(rows["clips"]) == {4}


def test_people_are_left_out_where_all_is_the_books_own_but_the_graph(small):
    _, data, table = small
    nodes = data.split("test")
    people = set(nodes.take(sample_per_class(nodes.labels, 4, 0)).subjects.tolist())
    without = table[table["without"] >= 0]
    assert set(without["without"]) == people
    own = without[list(OPTIONS)].drop_duplicates().to_numpy().tolist()
    assert own == [["test", 2, "flatten", 3, "nnk"], ["test", 2, "flatten", 3, "knn"]]


def test_more_neighbours_than_clips_are_no_choice(small):
    assert set(small[2]["n_neighbors"]) == {3, 5}
