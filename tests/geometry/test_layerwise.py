"""The chain from embeddings to the smoothness table, on clips whose geometry is known."""

from dataclasses import replace
from functools import wraps

import numpy as np
import pytest
import torch
from torch import nn

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import Preprocessing
from analysis_lib.errors import UserError
from analysis_lib.geometry import layerwise
from analysis_lib.geometry.curves import label_curves, smoothness_table
from analysis_lib.geometry.embeddings import Embeddings
from analysis_lib.geometry.layerwise import (
    dataset_graphs,
    graph_table,
    kept_apart,
    layer_embeddings,
    layer_graph,
    stored_distances,
)
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.stgcn import STGCN
from analysis_lib.results.digest import array_digest
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.studies.smoothness.tables import theorem_table
from analysis_lib.warping.options import Warping

STICK = Skeleton("stick", ("foot", "knee", "hip"), ((0, 1), (1, 2)), centre=2)
PREPARE = Preprocessing(frames=8, steps=("first-bodies",))


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    """A store of the test's own; returns its folder."""
    monkeypatch.setenv("STGBOOK_STORE", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture
def calls(monkeypatch):
    """Count how many clips were embedded beyond the first, and how often the others are called."""
    counts = {"embed": 0, "windowed_dtw": 0, "windowed_dtw_knn": 0, "similarity_kernel": 0}

    def counted(name, function):
        @wraps(function)
        def call(*args, **options):
            counts[name] += len(args[1]) - 1 if name == "embed" else 1
            return function(*args, **options)

        monkeypatch.setattr(layerwise, name, call)

    for name in counts:
        counted(name, getattr(layerwise, name))
    return counts


@pytest.fixture
def data(rng):
    labels = np.repeat([0, 1, 2], 6)
    clips = [rng.normal(size=(1, 8, 3, 3)) + [2 * c, 1, -c] for c in labels]
    return SkeletonDataset("toy", STICK, clips, labels, ("kick", "jump", "wave"), ("lower", "lower", "upper"))


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
    table = smoothness_table(label_curves(layers, data, 50))
    by_layer = table[table["level"] == "class"].groupby("layer")["q"]
    assert by_layer.max()[1] < 0.01
    assert by_layer.min()[0] > 0.4


@pytest.mark.parametrize("graph", ["nnk", "knn"])
def test_a_super_class_is_the_mean_of_its_classes_and_bands_enclose(data, rng, graph):
    layers = dataset_graphs(known_embeddings(rng, data.labels), 4, graph=graph)
    table = smoothness_table(label_curves(layers, data, 200))
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
    renamed = SkeletonDataset(
        "toy", STICK, data.sequences, 2 - data.labels, ("wave", "jump", "kick"), ("upper", "lower", "lower")
    )
    layers = dataset_graphs(embeddings, 4)
    one, other = (smoothness_table(label_curves(layers, d, 2)) for d in (data, renamed))
    keys = ["layer", "level", "name"]
    np.testing.assert_allclose(one.sort_values(keys)["q"], other.sort_values(keys)["q"])


def test_features_are_read_once_for_their_digests_and_kept_where_wanted(data, network, kept, calls, monkeypatch):
    embeddings, read = layer_embeddings(network, data, keep=False), []
    assert not (kept / "embeddings").exists()
    monkeypatch.setattr(
        "analysis_lib.geometry.embeddings.array_digest", lambda x: read.append(len(x)) or array_digest(x)
    )
    for n_neighbors in (4, 5):
        dataset_graphs(embeddings, n_neighbors, how=Warping(1))
    assert len(read) == calls["windowed_dtw"] == len(embeddings.layers)
    dataset_graphs(layer_embeddings(network, data), 4, how=Warping(1))
    assert calls["windowed_dtw"] == len(embeddings.layers)  # those that are kept have the same distances
    assert (kept / "embeddings").exists()


def test_the_graph_table_counts_edges(data, rng):
    layers = dataset_graphs(known_embeddings(rng, data.labels), 4, graph="knn")
    table = graph_table(layers)
    assert table["n_edges"].tolist() == [layer.graph.nnz // 2 for layer in layers]
    upper = layers[0].distance[np.triu_indices(18, 1)]
    assert table.loc[0, "mean_distance"] == pytest.approx(upper.mean())


def seen(data, people, cameras):
    return replace(data, subjects=np.array(people), views=np.array(cameras, int))


@pytest.mark.parametrize("edges", ["other people", "other cameras"])
def test_edges_join_other_people_or_cameras_and_are_kept_by_them(data, rng, kept, edges):
    clips = seen(data, np.arange(18) % 3, np.arange(18) // 9)
    apart = kept_apart(clips, edges)
    embeddings = known_embeddings(rng, data.labels)
    for _ in range(2):  # computed, and from the store
        for layer, free in zip(dataset_graphs(embeddings, 4, apart=apart), dataset_graphs(embeddings, 4), strict=True):
            rows, columns = layer.graph.nonzero()
            assert (apart[rows] != apart[columns]).all()
            rows, columns = free.graph.nonzero()
            assert (apart[rows] == apart[columns]).any()


def test_whom_clips_may_be_joined_to(data):
    clips = seen(data, np.arange(18) % 3, np.zeros(18))
    assert kept_apart(clips, "all") is None
    assert kept_apart(clips, "other people").tolist() == clips.subjects.tolist()
    with pytest.raises(UserError, match=r"edges to other cameras need views .* two or more; of these 18 they are 0$"):
        kept_apart(clips, "other cameras")
    with pytest.raises(UserError, match=r"need subjects that are known .* they are -1$"):
        kept_apart(data, "other people")
    with pytest.raises(UserError, match="unknown kind of edges 'others'"):
        kept_apart(data, "others")


def test_a_graph_of_some_clips_is_built_as_on_these_alone(data, rng):
    clips, embeddings = seen(data, np.arange(18) % 3, np.arange(18) % 2), known_embeddings(rng, data.labels)
    chosen = np.arange(3, 16)
    some = Embeddings(
        embeddings.layers, *(tuple(x[chosen] for x in of) for of in (embeddings.features, embeddings.lengths))
    )
    for how in ({"graph": "knn", "symmetrise": "mean"}, {"apart": clips.views}):
        few = how | ({"apart": clips.views[chosen]} if "apart" in how else {})
        for layer, alone in zip(dataset_graphs(embeddings, 3, **how), dataset_graphs(some, 3, **few), strict=True):
            assert abs(layer.among(chosen) - alone.graph).max() < 1e-6


def test_unknown_graph_and_layer(data, rng):
    embeddings = known_embeddings(rng, data.labels)
    with pytest.raises(UserError, match="unknown graph 'nkn'; did you mean 'nnk'"):
        dataset_graphs(embeddings, 4, graph="nkn")
    with pytest.raises(UserError, match=r"layers are 0 \(the input\) to \d, got -1"):
        layer_graph(embeddings, -1, 4)


def test_a_network_goes_through_whole(data, network):
    embeddings = layer_embeddings(network, data)
    layers = dataset_graphs(embeddings, 4, how=Warping(2))
    assert [layer.layer for layer in layers] == list(range(11))
    theorem = theorem_table(network, data, layers)
    assert theorem["layer"].tolist() == list(range(2, 11))
    assert (theorem["data_ratio"] <= theorem["bound"] * (1 + 1e-6)).all()
    assert np.isfinite(theorem[["norm", "bound", "label_ratio"]].to_numpy(float)).all()


def test_layer_norms_of_a_layer_worked_out_densely(data, network):
    """The norm of block 2 equals the largest singular value of its explicit matrix."""
    from analysis_lib.studies.smoothness.tables import _layer_norms, _without_relu

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


def same(one, other):
    """Assert that two lists of layers agree to the last bit."""
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.distance, b.distance)
        assert (a.graph != b.graph).nnz == 0
        assert (a.layer, a.name, a.diagnostics) == (b.layer, b.name, b.diagnostics)


def test_chapters_share_embeddings_distances_and_graphs(data, network, calls, kept, monkeypatch):
    first = dataset_graphs(layer_embeddings(network, data), 4, how=Warping(2))
    assert {k: v for k, v in calls.items() if v} == {"embed": 17, "windowed_dtw": 11, "similarity_kernel": 11}
    again = dataset_graphs(
        layer_embeddings(network, data, batch_size=5, reduce="flatten", max_memory=10), 4, how=Warping(2)
    )
    assert {k: v for k, v in calls.items() if v} == {"embed": 17, "windowed_dtw": 11, "similarity_kernel": 11}
    same(first, again)
    monkeypatch.setenv("STGBOOK_STORE", "off")
    same(first, dataset_graphs(layer_embeddings(network, data), 4, how=Warping(2)))
    assert {k: v for k, v in calls.items() if v} == {"embed": 34, "windowed_dtw": 22, "similarity_kernel": 22}


def test_another_graph_on_the_same_distances(data, network, calls):
    embeddings = layer_embeddings(network, data)
    knn = dataset_graphs(embeddings, 4, graph="knn", how=Warping(2))
    nnk = dataset_graphs(embeddings, 4, how=Warping(2))
    for k, symmetrise in ((5, "max"), (4, "mean")):
        dataset_graphs(embeddings, k, symmetrise=symmetrise, how=Warping(2))
    assert {k: v for k, v in calls.items() if v} == {"embed": 17, "windowed_dtw": 11, "similarity_kernel": 44}
    assert all(a.graph.nnz >= b.graph.nnz for a, b in zip(knn, nnk, strict=True))


@pytest.mark.parametrize(
    "how", [Warping(2), Warping(band=3), Warping(dtype="float64"), Warping(alpha=(0.4, 0.2, 0.2, 0.2))]
)
def test_another_distance_is_computed(data, rng, calls, how):
    embeddings = known_embeddings(rng, data.labels)
    dataset_graphs(embeddings, 4)
    dataset_graphs(embeddings, 4, how=how)
    assert calls["windowed_dtw"] == 4


CHANGES = {
    "a weight": lambda model: model.st_gcn_networks[9].gcn.conv.weight.data.view(-1)[0].add_(1),
    "a buffer": lambda model: model.data_bn.running_mean[0].add_(1),
    "its code": lambda model: model.st_gcn_networks[3].register_forward_hook(lambda m, x, y: 2 * y),
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_network_is_embedded(data, network, calls, change):
    layer_embeddings(network, data)
    CHANGES[change](network.model)
    layer_embeddings(network, data)
    assert calls["embed"] == 34


def test_other_clips_and_other_features_are_embedded(data, network, calls):
    for chosen in (data, data.take(range(1, 18)), data.take([0, *range(17, 0, -1)])):
        layer_embeddings(network, chosen)
    layer_embeddings(network, data, reduce="joint")
    assert calls["embed"] == 17 + 16 + 17 + 17


def test_the_body_counts_though_the_first_clip_has_twins(data, network, calls):
    pairs = [np.concatenate([x, x + i]) for i, x in enumerate(data.sequences)]
    twins = SkeletonDataset("twins", STICK, pairs, data.labels, data.class_names, data.groups)
    network = replace(network, preprocessing=replace(PREPARE, bodies=2))
    for body in (0, 1):
        layer_embeddings(network, twins, body=body)
    assert calls["embed"] == 34


def test_interrupted_it_goes_on_with_the_next_layer(data, rng, calls, monkeypatch):
    embeddings = known_embeddings(rng, data.labels)
    counted = layerwise.windowed_dtw

    def interrupted(features, *args, **options):
        if features is embeddings.features[1]:
            raise KeyboardInterrupt
        return counted(features, *args, **options)

    monkeypatch.setattr(layerwise, "windowed_dtw", wraps(counted)(interrupted))
    with pytest.raises(KeyboardInterrupt):
        dataset_graphs(embeddings, 4)
    monkeypatch.setattr(layerwise, "windowed_dtw", counted)
    assert len(dataset_graphs(embeddings, 4)) == 2
    assert calls["windowed_dtw"] == 2


def test_code_that_was_edited_after_loading_keeps_nothing(data, rng, calls, kept, monkeypatch):
    monkeypatch.setitem(layerwise.LOADED, "distances", "as it was")
    for _ in range(2):
        dataset_graphs(known_embeddings(np.random.default_rng(0), data.labels), 4)
    assert calls["windowed_dtw"] == 4
    assert [path.name for path in kept.iterdir()] == ["graphs"]


@pytest.mark.parametrize("place", ["store", "off"])
def test_embeddings_that_outgrow_memory(data, network, kept, monkeypatch, place):
    whole = layer_embeddings(network, data)
    monkeypatch.setenv("STGBOOK_STORE", "off" if place == "off" else f"{kept}-2")
    mapped = layer_embeddings(network, data, max_memory=1000)
    for a, b in zip(whole.features, mapped.features, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(whole.lengths, mapped.lengths, strict=True):
        np.testing.assert_array_equal(a, b)
    assert whole.layers == mapped.layers
    if place == "off":
        mapped.folder.cleanup()


@pytest.mark.parametrize("between", [False, True])
def test_distances_are_computed_where_one_is_told_and_kept(rng, monkeypatch, between):
    seen = []

    def stub(x, *_, scheduler, device, **options):
        seen.append((scheduler, device))
        return np.full((len(x), 3), len(seen))

    for name in ("windowed_dtw", "windowed_dtw_between"):
        monkeypatch.setattr(layerwise, name, stub)
    clips, lengths = rng.random((3, 6, 3), np.float32), np.full(3, 6)
    references = (clips[:, ::-1], lengths) if between else ()
    for i, (scheduler, device) in enumerate((("tcp://one:8786", ""), ("", "cuda"), ("", ""))):
        monkeypatch.setenv("STGBOOK_SCHEDULER", scheduler)
        monkeypatch.setenv("STGBOOK_DEVICE", device)
        found = stored_distances(clips, lengths, *references)
        assert found.max() == (1, 2, 1)[i]  # machines do not show in a distance, a device does
    assert seen == [("tcp://one:8786", "cpu"), (None, "cuda")]
    stored_distances(clips, lengths, *references, how=Warping(2))
    stored_distances(clips, lengths, clips, lengths)
    assert len(seen) == 4


@pytest.mark.parametrize("graph", ["nnk", "knn"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_more_clips_get_the_same_graph_without_all_pairs(rng, calls, monkeypatch, graph, dtype):
    """In clusters of ten, one of four copies, with clips of a frame or two: none of their windows but the first."""
    centres = rng.normal(size=(13, 12, 40))
    groups = np.concatenate([np.repeat(np.arange(12), 10), np.full(4, 12)])
    x = (centres[groups] + 0.5 * (groups < 12)[:, None, None] * rng.normal(size=(124, 12, 40))).astype(np.float32)
    lengths = np.where(groups == 12, 12, rng.integers(1, 13, 124))
    order = rng.permutation(124)
    embeddings = Embeddings(("input",), (x[order],), (lengths[order],))
    how, tolerance = Warping(3, dtype=dtype), {"float32": 1e-4, "float64": 1e-9}[dtype]
    dense = layer_graph(embeddings, 0, 3, graph, "max", how)
    monkeypatch.setattr(layerwise, "DENSE_LIMIT", 100)
    for _ in range(2):
        few = layer_graph(embeddings, 0, 3, graph, "max", how)
    assert calls["windowed_dtw"] == calls["windowed_dtw_knn"] == 1
    assert abs(few.graph - dense.graph).max() < tolerance
    assert (few.graph > tolerance).nnz == (dense.graph > tolerance).nnz
    assert few.diagnostics.n_duplicates == dense.diagnostics.n_duplicates == (4 if graph == "nnk" else 0)
    assert abs(few.known - dense.distance * (few.known.toarray() > 0)).max() < tolerance
    assert dense.share == 1
    assert 0 < few.share < 1
    assert graph_table([dense, few])["mean_distance"].isna().tolist() == [False, True]


def test_who_needs_all_pairs_is_told_how_many_clips_are_too_many(data, rng, monkeypatch):
    embeddings = known_embeddings(rng, data.labels)
    monkeypatch.setattr(layerwise, "DENSE_LIMIT", 17)
    message = "distances of all pairs are computed of at most 17 clips, and these are 18; take fewer"
    with pytest.raises(UserError, match=message):
        stored_distances(embeddings.features[0], embeddings.lengths[0])
    with pytest.raises(UserError, match=message):
        layer_graph(embeddings, 0, 4).distance  # noqa: B018
    assert stored_distances(*2 * (embeddings.features[0], embeddings.lengths[0])).shape == (18, 18)
