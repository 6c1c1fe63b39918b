"""Tables of importance: what they say is what the maps say, class by class."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import Preprocessing
from analysis_lib.errors import UserError
from analysis_lib.explain.attributions import (
    clip_maps,
    explain,
    explain_variants,
    importance_table,
    joint_table,
    layer_table,
    part_table,
    scaled,
)
from analysis_lib.explain.gradcam import GradCAM
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


@pytest.fixture
def data(rng):
    labels = np.repeat([0, 2, 1], 4)
    clips = [rng.normal(size=(1, rng.integers(5, 9), 4, 3)) for _ in labels]
    groups = ("lower", "lower", "upper", "upper")
    return SkeletonDataset("toy", STICK, clips, labels, ("kick", "jump", "wave", "nod"), groups)


@pytest.fixture
def network():
    torch.manual_seed(3)
    model = STGCN(STICK, 4, width=0.125).eval()
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    return Checkpoint("toy", model, model.layer_names, Preprocessing(frames=8, fit="pad", bodies=2), {})


@pytest.fixture
def found(network, data):
    return explain(network, data, "true", GradCAM())


def test_variants_in_one_pass_are_those_one_by_one(network, data):
    methods = [GradCAM(), GradCAM(counterfactual=True), GradCAM("released")]
    how = {"n_slices": 2, "batch_size": 5}
    for made, method in zip(explain_variants(network, data, "true", methods, **how), methods, strict=True):
        one = explain(network, data, "true", method, **how)
        assert (made.method, made.layers) == (method, one.layers)
        np.testing.assert_array_equal(made.importance, one.importance)
        np.testing.assert_array_equal(made.lengths, one.lengths)
        np.testing.assert_array_equal(made.scores, one.scores)


def test_slices_are_means_of_the_maps_whatever_the_batch(network, data, found):
    whole = clip_maps(network, data, "true", GradCAM())
    np.testing.assert_array_equal(found.lengths, np.stack(whole.lengths, axis=1))
    for body, batch_size in ((0, 5), (1, 12)):
        some = explain(network, data, "true", GradCAM(), 2, body, batch_size=batch_size)
        expected = whole.by_slice(2, body)
        np.testing.assert_allclose(some.importance, expected, atol=1e-4 * expected.max())
    assert found.take([3, 0]).data.clips == tuple(data.clips[i] for i in (3, 0))
    np.testing.assert_array_equal(found.take([3, 0]).scores, found.scores[[3, 0]])
    with pytest.raises(UserError, match="body 2 does not exist; the clips have 2"):
        explain(network, data, "true", GradCAM(), body=2)


def test_the_table_holds_the_mean_map_of_each_class(data, found):
    table = importance_table(found).set_index(["class", "layer", "slice", "joint"])
    assert len(table) == 3 * 10 * 3 * 4
    for c, name in enumerate(data.class_names[:3]):
        mean = found.importance[data.labels == c].mean(axis=0)
        assert table.loc[(name, 7, 2, "hip"), "importance"] == pytest.approx(mean[6, 1, 2])
        assert table.loc[(name, 1, 3, "head"), "importance"] == pytest.approx(mean[0, 2, 3])
    row = table.loc[("wave", 1, 1, "head"), ["group", "layer_name", "clips"]]
    assert row.tolist() == ["upper", "st_gcn_networks.0", 4]
    assert set(importance_table(found, ["wave"])["class"]) == {"wave"}


def test_scales_are_within_the_layer_and_within_the_class(rng, found):
    table = importance_table(found)
    assert table.groupby(["class", "layer"])["layer_scaled"].max().isin([0, 1]).all()
    ranges = table.groupby("class")["global_scaled"].agg(["min", "max"])
    assert (ranges["min"] == 0).all()
    assert (ranges["max"] == 1).all()
    values = rng.uniform(1, 9, size=(4, 3, 5))
    by_layer = scaled(values, "layer")
    assert (by_layer.min(axis=(1, 2)).tolist(), by_layer.max(axis=(1, 2)).tolist()) == ([0] * 4, [1] * 4)
    assert (scaled(values, "global").max(axis=(1, 2)) < 1).sum() == 3
    assert not scaled(np.full((2, 3), 7.0), "layer").any()
    with pytest.raises(UserError, match="unknown norm 'layers'; did you mean 'layer'"):
        scaled(values, "layers")


def test_targets_are_true_predicted_or_one_class(network, data, found):
    assert found.targets.tolist() == data.labels.tolist()
    predicted = explain(network, data, "predicted", GradCAM())
    assert predicted.targets.tolist() == found.scores.argmax(axis=1).tolist()
    assert set(explain(network, data, "nod", GradCAM()).targets) == {3}
    with pytest.raises(UserError, match="unknown target 'ture'; did you mean 'true'"):
        explain(network, data, "ture", GradCAM())


def test_only_clips_that_are_named_rightly(network, data, found):
    kept = explain(network, data, "true", GradCAM(), correct_only=True)
    assert 0 < len(kept.data) < len(data)
    assert kept.correct.all()
    index = np.flatnonzero(found.correct)
    assert kept.data.clips == tuple(data.clips[i] for i in index)
    np.testing.assert_array_equal(kept.importance, found.importance[index])
    wrong = data.take(np.flatnonzero(~found.correct))
    with pytest.raises(UserError, match=r"names none of the .* clips rightly"):
        explain(network, wrong, "true", GradCAM(), correct_only=True)


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
    signed = replace(found, importance=found.importance * [1, -1, 1, -1])
    pd.testing.assert_frame_equal(part_table(signed, ["kick"]), table)


def test_layers_mass_is_the_sum_over_valid_places(network, data, found):
    whole = clip_maps(network, data, "true", GradCAM())
    table = layer_table(found, n_bootstrap=20)
    masses = [m[:, 0].sum(axis=(1, 2)).mean() for m in whole.maps]
    np.testing.assert_allclose(table["mass"], masses, rtol=1e-4)
    assert (table["low"] <= table["similarity"]).all()
    assert (table["similarity"] <= table["high"]).all()
    assert table["similarity"].between(-1, 1).all()
    pd.testing.assert_frame_equal(layer_table(found, n_bootstrap=20), table)


def test_maps_of_a_class_repeat_where_they_are_specific(found):
    """Layer 1: one map a class; layer 2: noise; layer 3: the same map for all."""
    rng, labels = np.random.default_rng(1), found.data.labels
    own = rng.random((4, 3, 4))[labels]
    noise, common = rng.random((2, 12, 3, 4))
    maps = np.stack([own, noise, np.broadcast_to(common[:1], own.shape)], axis=1)
    known = replace(found, layers=("a", "b", "c"), importance=maps, lengths=found.lengths[:, :3])
    table = layer_table(known, n_bootstrap=5)
    np.testing.assert_allclose(table["repeat"][[0, 2]], 1)
    assert abs(table["repeat"][1]) < 0.5
    assert table["similarity"][2] == pytest.approx(1)
    assert table["similarity"][0] < 0.8
    single = layer_table(known.take([0, 4]), n_bootstrap=1)
    assert single["repeat"].isna().all()
    assert single["similarity"].notna().all()
    with pytest.raises(UserError, match="at least two classes"):
        layer_table(known.take([0, 1]))
