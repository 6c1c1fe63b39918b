"""The chain from embeddings to the smoothness table, on clips whose geometry is known."""

import numpy as np
import pytest
import torch
from torch import nn

from analysis_lib.checkpoints import Checkpoint
from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.embeddings import Embeddings
from analysis_lib.errors import UserError
from analysis_lib.layer_norms import theorem_table
from analysis_lib.layerwise import dataset_graphs, graph_table, layer_embeddings, smoothness_table
from analysis_lib.models.stgcn import STGCN
from analysis_lib.preprocess import Preprocessing
from analysis_lib.skeletons import Skeleton

STICK = Skeleton("stick", ("foot", "knee", "hip"), ((0, 1), (1, 2)), centre=2)
PREPARE = Preprocessing(frames=8, steps=("first-bodies",))


@pytest.fixture
def data(rng):
    labels = np.repeat([0, 1, 2], 6)
    clips = [rng.normal(size=(1, 8, 3, 3)) + [2 * c, 1, -c] for c in labels]
    return SkeletonDataset("toy", STICK, clips, labels, ("kick", "jump", "wave"),
                           ("lower", "lower", "upper"))  # fmt: skip


@pytest.fixture
def network():
    torch.manual_seed(0)
    model = STGCN(STICK, 3, width=0.125).eval()
    return Checkpoint("toy", model, model.layer_names, PREPARE, {})


def known_embeddings(rng, labels):
    """Return a layer that mixes the classes and one that keeps them orthogonal."""
    mixed = rng.uniform(0.4, 0.6, size=(len(labels), 8, 5))
    apart = np.eye(5)[labels][:, None] + 0.05 * rng.uniform(size=(len(labels), 8, 5))
    lengths = np.full(len(labels), 8)
    return Embeddings(("input", "deep"), (mixed, apart), (lengths, lengths))


def test_orthogonal_classes_are_smooth_and_mixed_ones_are_not(data, rng):
    layers = dataset_graphs(known_embeddings(rng, data.labels), 4)
    table = smoothness_table(layers, data, n_bootstrap=50)
    by_layer = table[table["level"] == "class"].groupby("layer")["q"]
    assert by_layer.max()[1] < 0.01
    assert by_layer.min()[0] > 0.4


@pytest.mark.parametrize("graph", ["nnk", "knn"])
def test_a_super_class_is_the_mean_of_its_classes_and_bands_enclose(data, rng, graph):
    layers = dataset_graphs(known_embeddings(rng, data.labels), 4, graph=graph)
    table = smoothness_table(layers, data, n_bootstrap=200)
    first = table[table["layer"] == 0].set_index(["level", "name"])
    assert first.loc[("group", "lower"), "q"] == pytest.approx(
        (first.loc[("class", "kick"), "q"] + first.loc[("class", "jump"), "q"]) / 2
    )
    assert first.loc[("group", "upper"), "q"] == first.loc[("class", "wave"), "q"]
    assert (first["low"] <= first["high"]).all()
    assert first["chance"].to_numpy() == pytest.approx(1 - 6 / 18)
    assert len(table) == 2 * (2 + 3)


def test_class_numbering_does_not_matter(data, rng):
    embeddings = known_embeddings(rng, data.labels)
    renamed = SkeletonDataset("toy", STICK, data.sequences, 2 - data.labels,
                              ("wave", "jump", "kick"), ("upper", "lower", "lower"))  # fmt: skip
    layers = dataset_graphs(embeddings, 4)
    one, other = (smoothness_table(layers, d, n_bootstrap=2) for d in (data, renamed))
    keys = ["layer", "level", "name"]
    np.testing.assert_allclose(one.sort_values(keys)["q"], other.sort_values(keys)["q"])


def test_the_graph_table_counts_edges(data, rng):
    layers = dataset_graphs(known_embeddings(rng, data.labels), 4, graph="knn")
    table = graph_table(layers)
    assert table["n_edges"].tolist() == [layer.graph.nnz // 2 for layer in layers]
    upper = layers[0].distance[np.triu_indices(18, 1)]
    assert table.loc[0, "mean_distance"] == pytest.approx(upper.mean())


def test_unknown_graph(data, rng):
    with pytest.raises(UserError, match="unknown graph 'nkn'; did you mean 'nnk'"):
        dataset_graphs(known_embeddings(rng, data.labels), 4, graph="nkn")


def test_a_network_goes_through_whole(data, network):
    embeddings = layer_embeddings(network, data)
    layers = dataset_graphs(embeddings, 4, n_windows=2)
    assert [layer.layer for layer in layers] == list(range(11))
    theorem = theorem_table(network, data, layers)
    assert theorem["layer"].tolist() == list(range(2, 11))
    assert (theorem["data_ratio"] <= theorem["bound"] * (1 + 1e-6)).all()
    assert np.isfinite(theorem[["norm", "bound", "label_ratio"]].to_numpy(float)).all()


def test_layer_norms_of_a_layer_worked_out_densely(data, network):
    """The norm of block 2 equals the largest singular value of its explicit matrix."""
    from analysis_lib.layer_norms import _layer_norms, _without_relu

    found = _layer_norms(network, data, np.random.default_rng(0))["st_gcn_networks.1"]["norm"]
    block = _without_relu(network.model.st_gcn_networks[1])
    a = network.model.A * network.model.edge_importance[1]
    shape = (1, 8, 8, 3)
    with torch.no_grad():
        offset = block(torch.zeros(shape), a)
        columns = [(block(e.view(shape), a) - offset).flatten() for e in torch.eye(8 * 8 * 3)]
    largest = torch.linalg.svdvals(torch.stack(columns)).max().item()
    assert found == pytest.approx(largest, rel=1e-3)


def test_a_network_that_names_no_linear_factors_gives_an_empty_table(data):
    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 1)

        def forward(self, x):
            return self.conv(x[..., 0]).mean((2, 3))

    network = Checkpoint("plain", Plain().eval(), ("conv",), PREPARE, {})
    layers = dataset_graphs(layer_embeddings(network, data), 4)
    assert theorem_table(network, data, layers).empty
