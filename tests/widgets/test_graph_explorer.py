"""The explorer: one layer at a time, the same as all at once; controls that change what is shown."""

import base64

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import Preprocessing, clip_tensors
from analysis_lib.errors import UserError
from analysis_lib.explain.gradcam import gradcam
from analysis_lib.geometry.embeddings import Embeddings
from analysis_lib.geometry.layerwise import dataset_graphs, layer_graph
from analysis_lib.geometry.smoothness import label_smoothness, laplacian
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.stgcn import STGCN
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.warping.options import Warping
from analysis_lib.widgets import graph_explorer as explorer

STICK = Skeleton("stick", ("foot", "knee", "hip"), ((0, 1), (1, 2)), centre=2)


@pytest.fixture
def data(rng):
    labels = np.repeat([0, 1, 3], 5)
    clips = [rng.normal(size=(1, rng.integers(5, 12), 3, 3)) + [c, 1, -c] for c in labels]
    return SkeletonDataset(
        "toy", STICK, clips, labels, ("kick", "jump", "nod", "wave"), ("lower", "lower", "upper", "upper")
    )


@pytest.fixture
def embeddings(rng, data):
    """Return a layer that mixes the classes, and one that keeps them nearly apart."""
    mixed = rng.uniform(0.4, 0.6, size=(15, 8, 5)).astype(np.float32)
    apart = (np.eye(5)[data.labels][:, None] + 0.3 * mixed).astype(np.float32)
    lengths = np.full(15, 8)
    return Embeddings(("input", "deep"), (mixed, apart), (lengths, lengths))


@pytest.fixture
def network():
    torch.manual_seed(0)
    model = STGCN(STICK, 4, width=0.125).eval()
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    prepare = Preprocessing(frames=8, fit="pad", steps=("largest-bodies", "centre-clip"))
    return Checkpoint("toy", model, model.layer_names, prepare, {})


@pytest.fixture
def shown(monkeypatch):
    """Return the list of what is displayed; matplotlib is left as it was."""
    seen = []
    monkeypatch.setattr(explorer, "display", lambda data, **options: seen.append(data))
    with mpl.rc_context():
        yield seen
    assert plt.get_fignums() == []


@pytest.mark.parametrize("graph", ["nnk", "knn"])
def test_one_layer_is_what_all_layers_are(embeddings, graph):
    layers = dataset_graphs(embeddings, 4, graph, "mean", how=Warping(2))
    for i, expected in enumerate(layers):
        found = layer_graph(embeddings, i, 4, graph, "mean", how=Warping(2))
        assert (found.layer, found.name) == (i, embeddings.layers[i])
        assert found.diagnostics == expected.diagnostics
        np.testing.assert_array_equal(found.distance, expected.distance)
        assert (found.graph != expected.graph).nnz == 0


def test_layers_and_graphs_that_do_not_exist(embeddings):
    for layer in (-1, 2):
        with pytest.raises(UserError, match=rf"layers are 0 \(the input\) to 1, got {layer}"):
            layer_graph(embeddings, layer, 4)
    with pytest.raises(UserError, match="unknown graph 'nkn'; did you mean 'nnk'"):
        layer_graph(embeddings, 0, 4, "nkn")


def test_the_class_table_reads_the_graph(embeddings, data):
    layer = layer_graph(embeddings, 1, 4)
    table = explorer.class_table(layer, data)
    q = dict(
        zip(("kick", "jump", "wave"), label_smoothness(laplacian(layer.graph), data.labels, "degree"), strict=True)
    )
    assert {row["class"]: row["q"] for _, row in table.iterrows()} == pytest.approx(q)
    assert table["q"].is_monotonic_decreasing
    assert dict(zip(table["class"], table["group"], strict=True)) == {"kick": "lower", "jump": "lower", "wave": "upper"}


def test_bars_are_as_long_as_the_label_variation(embeddings, data):
    with mpl.rc_context():
        table = explorer.class_table(layer_graph(embeddings, 0, 4), data)
        (axes,) = explorer.plot_class_variation(table).axes
        bars = {round(b.get_y() + b.get_height() / 2): b.get_width() for b in axes.patches}
        names = [t.get_text() for t in axes.get_yticklabels()]
        plt.close("all")
    assert [bars[i] for i in range(3)] == pytest.approx(table["q"])
    assert names == table["class"].tolist()
    assert axes.lines[0].get_xdata() == pytest.approx([2 / 3] * 3)


def test_controls_show_the_layer_that_they_name(embeddings, data, shown):
    box = explorer.explorer(embeddings, data, n_neighbors=40, how=Warping(2))
    layer, neighbours, windows, graph = box.children[0].children
    assert (layer.value, neighbours.value, windows.value, graph.value) == (1, 14, 2, "nnk")
    assert not neighbours.continuous_update
    assert not windows.continuous_update

    def last():
        picture, bars = shown[-2:]
        assert all(base64.b64decode(x["image/png"]).startswith(b"\x89PNG") for x in (picture, bars))
        return picture["text/plain"]

    def expected(i, *args, **options):
        q = explorer.class_table(layer_graph(embeddings, i, *args, **options), data)["q"].mean()
        return f"variation of 3 classes {q:.2f}"

    assert last().startswith("Dataset graph of layer 1: 15 clips")
    assert expected(1, 14, how=Warping(2)) in last()
    layer.value = 0
    assert last().startswith("Dataset graph of the input")
    neighbours.value, graph.value, windows.value = 3, "knn", 4
    assert expected(0, 3, "knn", how=Warping(4)) in last()
    assert len(shown) == 2 * 5


def test_the_player_holds_the_maps_of_its_clips_on_their_own_frames(network, data):
    some = data.take([0, 6, 14])
    player = explorer.clip_player(network, some, layer=3)
    x, lengths = clip_tensors(some, network.preprocessing)
    maps = gradcam(network.model, x, lengths, network.layers, "true", some.labels)
    peaks = [[m[i].max() for m in maps.maps] for i in range(3)]
    np.testing.assert_allclose(player.peaks, peaks, rtol=1e-4)
    assert [c["frames"] for c in player.clips] == [s.shape[1] for s in some.sequences]
    assert player.layer == 3
    said = [data.class_names[c] for c in maps.scores.argmax(axis=1)]
    for clip, true, name in zip(player.clips, ("kick", "jump", "wave"), said, strict=True):
        assert clip["name"].removesuffix(" (1)") == (true if name == true else f"{true}, named {name}")
    wave = explorer.clip_player(network, some, "wave")
    as_wave = gradcam(network.model, x, lengths, network.layers, 3)
    np.testing.assert_allclose(wave.peaks[0], [m[0].max() for m in as_wave.maps], rtol=1e-4)


def test_of_several_bodies_the_one_is_played_that_the_network_sees(network, rng):
    clip = np.concatenate([0.1 * rng.normal(size=(1, 6, 3, 3)), rng.normal(size=(1, 6, 3, 3))])
    pair, alone = (SkeletonDataset("toy", STICK, [x], [0], tuple("abcd")) for x in (clip, clip[1:]))
    first, second = (explorer.clip_player(network, d) for d in (pair, alone))
    assert first.clips[0]["bodies"] == 1
    assert first.poses == second.poses
