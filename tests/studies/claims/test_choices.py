"""Open choices, measured together: as each is measured by itself, by the way that the smoothness chapter goes."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import nnls

from analysis_lib.chapters.recorded import recorded_table
from analysis_lib.datasets.catalogue import load_dataset
from analysis_lib.datasets.sampling import clips_of, sample_per_class
from analysis_lib.errors import UserError
from analysis_lib.geometry.layerwise import dataset_graphs, layer_embeddings
from analysis_lib.geometry.smoothness import label_smoothness
from analysis_lib.networks.checkpoints import load_checkpoint
from analysis_lib.studies.claims.choices import OPTIONS, RECHECKED, choice_table, distance_tables
from analysis_lib.studies.claims.curves import shape
from analysis_lib.studies.claims.papers import load_claims
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


def test_recorded_distances_are_those_of_the_books_own_choices(small):
    network, data, _ = small
    distances, clips = distance_tables(network, data, GRID, SPLITS, 4)
    nodes = data.split("test")
    nodes = nodes.take(sample_per_class(nodes.labels, 4, 0))
    layers = dataset_graphs(layer_embeddings(network, nodes), 3, how=Warping(n_windows=2))
    for layer in RECHECKED:
        pairs = layers[layer].distance[distances["one"], distances["other"]]
        np.testing.assert_allclose(distances[f"layer_{layer}"], pairs, atol=5e-6)
    assert len(distances) == len(nodes) * (len(nodes) - 1) / 2
    assert clips["name"].tolist() == [data.class_names[c] for c in nodes.labels]


def test_claims_without_open_choices_are_told(small):
    network, data, _ = small
    with pytest.raises(UserError, match=r"^these claims declare no open choices$"):
        choice_table(network, data, {}, SPLITS, 4)


def by_nnls(distance, labels, k):
    """Return label variation of each class on the NNK graph, by scipy's solver and plain loops."""
    n = len(labels)
    weights = np.zeros((n, n))
    for i in range(n):
        order = sorted((j for j in range(n) if j != i), key=lambda j: distance[i, j])[:k]
        root = np.linalg.cholesky(1 - distance[np.ix_(order, order)] + 1e-9 * np.eye(k))
        weights[i, order] = nnls(root.T, np.linalg.solve(root, 1 - distance[i, order]))[0]
    weights = np.maximum(weights, weights.T)
    found = {}
    for c in set(labels):
        inside = sum(weights[i, j] for i in range(n) for j in range(n) if labels[i] == c == labels[j])
        everything = sum(weights[i].sum() for i in range(n) if labels[i] == c)
        found[c] = 1 - inside / everything
    return found


def test_the_recorded_curve_follows_from_the_recorded_distances():
    distances, clips, choices = (
        recorded_table("nw-ucla", "claims", name) for name in ("distances", "clips", "choices")
    )
    own = {name: values[0] for name, values in load_claims(["data/claims/geometry.json"]).grid.items()}
    rows = choices[(choices[[*own]] == pd.Series(own)).all(axis=1) & (choices["without"] == -1)]
    labels, means = clips["name"].tolist(), {}
    for layer in RECHECKED:
        whole = np.zeros((len(clips),) * 2)
        whole[distances["one"], distances["other"]] = distances[f"layer_{layer}"]
        found = by_nnls(whole + whole.T, labels, own["n_neighbors"])
        expected = rows[rows["layer"] == layer].set_index("name")["q"]
        np.testing.assert_allclose([found[name] for name in expected.index], expected, atol=0.01)
        means[layer] = np.mean([*found.values()])
    falls = means[8] - means[9], means[9] - means[10]
    assert (shape(rows, "drop after", "name", 8).value == 8) == (falls[0] > falls[1])
