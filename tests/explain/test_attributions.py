"""Tables of importance: what they say is what the maps say, class by class."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import Preprocessing, clip_tensors
from analysis_lib.errors import UserError
from analysis_lib.explain.attributions import (
    attributions,
    clips_of,
    front_clips,
    importance_table,
    joint_table,
    layer_table,
    part_table,
    pose_table,
)
from analysis_lib.explain.gradcam import gradcam_slices
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.stgcn import STGCN
from analysis_lib.skeletons.skeleton import Skeleton

STICK = Skeleton(
    "stick",
    ("left foot", "right foot", "hip", "head"),
    ((0, 2), (1, 2), (3, 2)),
    centre=2,
    parts={"legs": (0, 1), "trunk": (2, 3)},
    pairs=((0, 1),),
)
KEYS = ["class", "layer", "slice", "joint"]


@pytest.fixture
def data(rng):
    labels = np.repeat([0, 2, 1], 4)
    clips = [rng.normal(size=(1, rng.integers(5, 9), 4, 3)) for _ in labels]
    return SkeletonDataset(
        "toy", STICK, clips, labels, ("kick", "jump", "wave", "nod"), ("lower", "lower", "upper", "upper")
    )


@pytest.fixture
def network():
    torch.manual_seed(3)
    model = STGCN(STICK, 4, width=0.125).eval()
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    return Checkpoint("toy", model, model.layer_names, Preprocessing(frames=8, fit="pad"), {})


@pytest.fixture
def found(network, data):
    return attributions(network, data)


def test_the_table_holds_the_mean_map_of_each_class(network, data, found):
    x, lengths = clip_tensors(data, network.preprocessing)
    maps = gradcam_slices(network.model, x, lengths, network.layers, data.labels, target="true")
    table = importance_table(found).set_index(KEYS)
    assert len(table) == 3 * 10 * 3 * 4
    for c, name in enumerate(data.class_names[:3]):
        mean = maps.importance[data.labels == c].mean(axis=0)
        assert table.loc[(name, 7, 2, "hip"), "importance"] == pytest.approx(mean[6, 1, 2])
        assert table.loc[(name, 1, 3, "head"), "importance"] == pytest.approx(mean[0, 2, 3])
    assert table.loc[("wave", 1, 1, "head"), ["group", "layer_name", "clips"]].tolist() == [
        "upper",
        "st_gcn_networks.0",
        4,
    ]


def test_scales_are_within_the_layer_and_within_the_class(found):
    table = importance_table(found)
    assert table.groupby(["class", "layer"])["layer_scaled"].max().isin([0, 1]).all()
    ranges = table.groupby("class")["global_scaled"].agg(["min", "max"])
    assert (ranges["min"] == 0).all()
    assert (ranges["max"] == 1).all()
    assert (table.groupby(["class", "layer"])["global_scaled"].max() < 1).sum() == 3 * 9


def test_classes_can_be_chosen_and_must_be_there(found):
    assert set(importance_table(found, ["wave"])["class"]) == {"wave"}
    with pytest.raises(UserError, match="unknown class of 'toy' 'wafe'; did you mean 'wave'"):
        importance_table(found, ["wafe"])
    with pytest.raises(UserError, match=r"class 'nod' has no clip among the 12 .* kick, jump, wave"):
        joint_table(found, ["kick", "nod"])


def test_targets_are_true_predicted_or_one_class(network, data, found):
    assert found.maps.targets.tolist() == data.labels.tolist()
    predicted = attributions(network, data, target="predicted")
    assert predicted.maps.targets.tolist() == found.maps.scores.argmax(axis=1).tolist()
    assert set(attributions(network, data, target="nod").maps.targets) == {3}
    with pytest.raises(UserError, match="unknown target 'ture'; did you mean 'true'"):
        attributions(network, data, target="ture")


def test_only_clips_that_are_named_rightly(network, data, found):
    kept = attributions(network, data, correct_only=True)
    assert 0 < len(kept.data) < len(data)
    assert kept.correct.all()
    index = np.flatnonzero(found.correct)
    assert kept.data.clips == tuple(data.clips[i] for i in index)
    np.testing.assert_allclose(kept.maps.importance, found.maps.importance[index], rtol=1e-4, atol=1e-6)
    wrong = data.take(np.flatnonzero(~found.correct))
    with pytest.raises(UserError, match=r"names none of the .* clips rightly"):
        attributions(network, wrong, correct_only=True)


def test_the_heat_map_is_the_last_layer_over_time(found):
    table = joint_table(found).set_index(["class", "joint"])
    last = importance_table(found).query("layer == 10").groupby(["class", "joint"])["importance"]
    pd.testing.assert_series_equal(table["importance"].sort_index(), last.mean())
    assert (table.groupby("class")["scaled"].max() == 1).all()
    first = joint_table(found, ["kick"], layer=0)
    assert first["importance"].tolist() != table.loc["kick", "importance"].tolist()


def test_parts_share_out_the_whole(found):
    table = part_table(found, ["kick"])
    np.testing.assert_allclose(table.groupby("layer")["share"].sum(), 1)
    assert table.groupby("part")["joints"].first().to_dict() == {"legs": 0.5, "trunk": 0.5}
    joints = joint_table(found, ["kick"]).set_index("joint")["importance"]
    legs = table.query("layer == 10 and part == 'legs'")["share"].item()
    assert legs == pytest.approx(joints[["left foot", "right foot"]].sum() / joints.sum())


def test_layers_mass_is_the_sum_over_valid_places(network, data, found):
    from analysis_lib.explain.gradcam import gradcam

    x, lengths = clip_tensors(data, network.preprocessing)
    whole = gradcam(network.model, x, lengths, network.layers, "true", data.labels)
    table = layer_table(found, n_bootstrap=20)
    masses = [m.sum(axis=(1, 2, 3)).mean() for m in whole.maps]
    np.testing.assert_allclose(table["mass"], masses, rtol=1e-4)
    assert (table["low"] <= table["similarity"]).all()
    assert (table["similarity"] <= table["high"]).all()
    assert table["similarity"].between(-1, 1).all()


def test_maps_of_a_class_repeat_where_they_are_specific(found):
    """Layer 1: one map a class; layer 2: noise; layer 3: the same map for all."""
    rng, labels = np.random.default_rng(1), found.data.labels
    own = rng.random((4, 3, 4))[labels]
    noise, common = rng.random((2, 12, 3, 4))
    maps = np.stack([own, noise, np.broadcast_to(common[:1], own.shape)], axis=1)
    known = replace(
        found.maps, layers=("a", "b", "c"), importance=maps.astype(np.float32), lengths=found.maps.lengths[:, :3]
    )
    table = layer_table(replace(found, maps=known), n_bootstrap=5)
    np.testing.assert_allclose(table["repeat"][[0, 2]], 1)
    assert abs(table["repeat"][1]) < 0.5
    assert table["similarity"][2] == pytest.approx(1)
    assert table["similarity"][0] < 0.8
    single = replace(found, data=found.data.take([0, 4]), maps=found.maps.take([0, 4]))
    with pytest.raises(UserError, match="needs a class with at least two clips"):
        layer_table(single, n_bootstrap=1)


def test_comparing_classes_needs_two(network, data):
    alone = attributions(network, data.take([0, 1]))
    with pytest.raises(UserError, match="at least two classes"):
        layer_table(alone)


def test_the_pose_is_that_of_the_clip_seen_from_the_front(rng):
    turned, front = (np.tile([[-w, 0, 0], [w, 0, 0], [0, 1, 0], [0, 2, 0]], (1, 9, 1, 1)) for w in (0.1, 0.5))
    front[0, :, 3, 1] = np.arange(9)
    data = SkeletonDataset("toy", STICK, [turned, front], np.zeros(2), ("kick",))
    table = pose_table(data).set_index(["slice", "joint"])
    assert set(table["clip"]) == {"clip 1"}
    assert front_clips(data) == [1]
    assert clips_of(data, ["kick"]).tolist() == [0, 1]
    assert table.loc[(slice(None), "head"), "y"].tolist() == [1, 4, 7]  # middles of the thirds
    assert table.loc[(1, "left foot"), ["x", "y"]].tolist() == [-0.5, 0]
