"""Curves of small networks beside their twins, shares of a fall by hand, costs counted by hand, roots beside truth."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from analysis_lib.datasets.preparation.recipe import Preprocessing
from analysis_lib.datasets.synthetic.make import synthetic
from analysis_lib.errors import UserError
from analysis_lib.geometry.curves import redrawn_smoothness
from analysis_lib.geometry.layerwise import dataset_graphs, layer_embeddings
from analysis_lib.geometry.smoothness import group_means
from analysis_lib.networks.checkpoints import Checkpoint, load_checkpoint
from analysis_lib.networks.cost import multiplications
from analysis_lib.networks.registry import ARCHITECTURES, build
from analysis_lib.studies.architectures import tables

FRAMES = 24


@pytest.fixture(scope="module")
def data():
    whole = synthetic(subjects=3, takes=1, views=(0, 90))
    return whole.take(np.flatnonzero(whole.labels < 4))


def network(name, data, **arguments):
    torch.manual_seed(0)
    arguments |= {"width": 0.125} | ({"frames": FRAMES} if name == "st-gdn" else {})
    model = build(name, data.skeleton, len(data.class_names), 3, **arguments).eval()
    card = {
        "architecture": name,
        "arguments": arguments,
        "skeleton": data.skeleton.to_dict(),
        "class_names": data.class_names,
        "in_channels": 3,
        "test_accuracy": 0.5,
        "n_test": 40,
        "recipe": {"repeats": 3},
        "epochs_run": 4,
    }
    return Checkpoint(f"my {name}", model, model.layer_names, Preprocessing(FRAMES), card)


@pytest.fixture(scope="module")
def curves(data):
    networks = [network(name, data) for name in ("stgcn", "fg-stformer")]
    return tables.measure(networks, data, data, n_draws=2, n_neighbors=3, n_bootstrap=20)


def test_each_network_stands_beside_its_twins_on_the_same_clips(curves, data):
    table = tables.curve_table(curves)
    assert table.groupby("network", sort=False)["layer"].max().to_dict() == {"my stgcn": 10, "my fg-stformer": 8}
    assert set(table["draw"]) == {0, 1, 2}
    inputs = table[table["layer"] == 0]
    assert inputs[["q", "low", "high"]].nunique().to_list() == [1, 1, 1]  # before any weight, all see the same
    assert (table["low"] <= table["high"]).all()
    last = table[(table["layer"] == 8) & (table["network"] == "my fg-stformer")]
    assert last["separation"].isna().all()  # parts are no joints
    assert table[table["network"] == "my stgcn"]["separation"].gt(0).all()


def test_people_are_left_out_of_every_graph(data):
    stgcn, people = network("stgcn", data), data.subjects
    (curve,) = tables.measure([stgcn], data, data, 0, 3, n_bootstrap=20, people=people)
    assert len(np.unique(people)) == 3
    for i, layer in enumerate(dataset_graphs(layer_embeddings(stgcn, data), 3)):
        _, again = redrawn_smoothness(layer, data.labels, 20, people=people)
        np.testing.assert_allclose(curve.replicates[:, i], group_means(again, data.groups[:4])[1].mean(axis=-1))


def test_differences_of_falls_are_paired(curves):
    shape = tables.shape_table(curves).set_index(["network", "statistic"])
    value = shape["value"]
    for name in ("my stgcn", "my fg-stformer"):
        assert value[name, "learnt"] == pytest.approx(value[name, "fall"] - value[name, "twin's fall"])
    assert ("my stgcn", "less late") not in shape.index
    drawn = {k: r["low"] > 0 for (k, s), r in shape.iterrows() if s == "fall"}
    assert {k: np.isfinite(value[k, "late"]) for k in drawn} == drawn  # shares of a clear fall alone
    again = tables.shape_table([curves[0], *curves[:3]]).set_index(["network", "statistic"])
    assert "less late" not in again.index.get_level_values(1)  # a network is not held to itself


@pytest.mark.parametrize(
    ("curve", "fall", "first_half", "late"),
    [
        (np.linspace(1, 0.1, 10), 0.9, 4 / 9, 2 / 9),  # gradual
        ([0.9] * 8 + [0.3, 0.2], 0.7, 0, 1),  # all at the end
        ([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.2], 0.7, 3 / 7, 2 / 7),  # seven layers: late is after the sixth
        ([0.5, 0.6], -0.1, np.nan, np.nan),
        ([0.5], 0, np.nan, np.nan),
    ],
)
def test_shares_of_a_fall(curve, fall, first_half, late):
    found = tables.shapes(np.asarray(curve, float))
    assert [float(found[name]) for name in ("fall", "first half", "late")] == pytest.approx(
        [fall, first_half, late], nan_ok=True
    )


def test_costs_are_counted_and_accuracy_is_the_card_s(data):
    (row,) = tables.cost_table([network("stgcn", data)], data).itertuples()
    model = network("stgcn", data).model
    assert (row.parameters, row.layers, row.passes) == (sum(p.numel() for p in model.parameters()), 10, 12)
    assert (row.accuracy, row.clips, row.seconds > 0, row.low < 0.5 < row.high) == (0.5, 40, True, True)


def test_a_network_without_a_card_is_scored(data):
    own = Checkpoint("own", network("stgcn", data).model, ("st_gcn_networks.0",), Preprocessing(FRAMES), {})
    (row,) = tables.cost_table([own], data).itertuples()
    assert (row.clips, row.architecture) == (len(data), "STGCN")


@pytest.mark.parametrize(
    ("history", "hours"),
    [([], np.nan), ([{"seconds": 1800}, {"seconds": 3600}], 1.5), ([{"seconds": 60}, {"epoch": 2}], np.nan)],
)
def test_hours_are_told_if_each_epoch_told_its_time(data, history, hours):
    told = replace(network("stgcn", data), card=network("stgcn", data).card | {"history": history})
    (row,) = tables.cost_table([told], data).itertuples()
    assert row.hours == pytest.approx(hours, nan_ok=True)


def test_streams_of_one_architecture_are_fused(data):
    joint, agcn = network("stgcn", data), network("agcn", data)
    bone = replace(joint, name="bones", preprocessing=Preprocessing(FRAMES, steps=("first-bodies", "bones")))
    assert tables.same_stream([joint, bone, agcn]) == [joint, agcn]
    wider = replace(joint, card=joint.card | {"arguments": {"width": 1.0}})  # first, and not like the others
    with pytest.raises(UserError, match="no kind of network is trained on several streams"):
        tables.fusion_table([wider, bone], data)
    table = tables.fusion_table([wider, joint, agcn, bone], data)
    assert table["streams"].tolist() == ["bone", "joint", "bone, joint", "bone, joint"]
    assert table["weights"].tolist() == ["alone", "alone", "equal", "published, 0.6 0.6"]
    with pytest.raises(UserError, match="no kind of network is trained on several streams of these"):
        tables.fusion_table([joint, joint, agcn], data)


def test_ours_stand_beside_published_ones():
    costs = pd.DataFrame({"network": ["mine"], "clips": 464, "accuracy": 0.95, "low": 0.93, "high": 0.97})
    columns = ["architecture", "streams", "weights", "clips", "accuracy", "low", "high"]
    board = tables.leaderboard(
        "nw-ucla", costs, pd.DataFrame([("x", "a, b", "equal", 464, 0.1, 0.0, 0.2)], columns=columns)
    )
    assert board["network"].tolist()[:4] == ["FG-STFormer", "CTR-GCN", "DC-GCN+ADG", "mine"]
    assert board["network"].tolist()[-1] == "x, 2 streams, equal weights"
    assert (board["low"] < board["accuracy"]).all()
    with pytest.raises(UserError, match="no published accuracies on these data are kept"):
        tables.leaderboard("synthetic", costs, None)
    assert len(tables.leaderboard("nw-ucla", costs, None)) == 8


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_multiplications_grow_with_the_clip(name, data):
    model = network(name, data).model
    one, two = (multiplications(model, (3, FRAMES, 25, bodies)) for bodies in (1, 2))
    head = sum(m.weight.numel() for m in model.modules() if isinstance(m, nn.Linear))
    assert two - head == pytest.approx(2 * (one - head), rel=1e-3)


def test_the_reference_comes_first():
    from analysis_lib.networks.checkpoints import trained_on

    names = trained_on("synthetic")
    loaded = tables.load_networks([*names, *names], None)
    assert sorted(n.name for n in loaded) == sorted(names)
    assert tables.architecture(loaded[0]) == "stgcn"
    with pytest.raises(UserError, match="no network is trained on nothing; stgbook train --dataset nothing"):
        tables.load_networks([], type("Data", (), {"name": "nothing"}))
    assert load_checkpoint(names[0]).card["dataset"] == "synthetic"


def test_the_printed_iteration_runs_away_and_the_scaled_one_arrives(rng):
    mixed = rng.normal(size=(6, 3, 10, 1, 1)) + 0.1 * rng.normal(size=(6, 3, 10, 8, 1))  # eight joints that move alike
    table = tables.root_table(mixed, eps=(1e-5, 1.0), iterations=(1, 5, 20)).set_index(["start", "eps", "iterations"])
    error = table["error"]
    assert error["scaled", 1e-5, 20] < 1e-6
    assert error["scaled", 1.0, 5] < error["scaled", 1e-5, 5]  # the more is added, the sooner
    assert error["as printed", 1.0, 5] > error["as printed", 1.0, 1]
    assert table["condition"]["scaled", 1e-5, 1] > table["condition"]["scaled", 1.0, 1]
