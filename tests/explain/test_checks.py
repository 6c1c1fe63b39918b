"""Sanity checks of any method: an honest map passes them, a map that ignores the network does not."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import nn

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import Preprocessing
from analysis_lib.errors import UserError
from analysis_lib.explain import attributions, checks
from analysis_lib.explain.attributions import explain
from analysis_lib.explain.checks import masking_curves, masking_gain, masking_table, randomisation_table
from analysis_lib.explain.gradcam import GradCAM
from analysis_lib.explain.method import Maps, target_classes
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.hooks import captured
from analysis_lib.networks.stgcn import STGCN
from analysis_lib.skeletons.skeleton import Skeleton

JOINTS = 6
CHAIN = Skeleton("chain", tuple("abcdef"), tuple((i, i + 1) for i in range(5)))
PREPARE = Preprocessing(frames=8, fit="pad", steps=("first-bodies",))


class Detect(nn.Module):
    """Channel c is the energy of joint c, at its place: (N, C, T, V) -> (N, 2, T, V)."""

    def forward(self, x):
        energy = x.square().sum(dim=1, keepdim=True)
        return energy * torch.eye(JOINTS)[:2, None]


class Energy(nn.Module):
    """The score of class c is the energy of joint c: what matters for each class is known."""

    def __init__(self):
        super().__init__()
        self.detect = Detect()

    def forward(self, x):
        return 10 * self.detect(x[..., 0]).sum(dim=3).mean(dim=2)


@pytest.fixture
def data(rng):
    """Return clips whose class is the joint that moves; joint 5 moves most in all of them."""
    labels = np.tile([0, 1], 6)
    clips = rng.normal(scale=0.1, size=(12, 1, 8, JOINTS, 3))
    for clip, c in zip(clips, labels, strict=True):
        clip[0, :, c] += rng.normal(scale=0.7, size=(8, 3))
        clip[0, :, 5] += rng.normal(scale=2.0, size=(8, 3))
    return SkeletonDataset("toy", CHAIN, clips, labels, ("first", "second"))


@pytest.fixture
def oracle(data):
    return explain(Checkpoint("toy", Energy(), ("detect",), PREPARE, {}), data, "true", GradCAM())


@pytest.fixture
def network():
    torch.manual_seed(0)
    model = STGCN(CHAIN, 2, width=0.125).eval()
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    return Checkpoint("toy", model, model.layer_names, PREPARE, {})


def test_a_score_does_not_move(data, monkeypatch):
    seen = []
    monkeypatch.setattr(checks, "joint_motion", lambda x, lengths: seen.append(x.shape[1]) or np.ones(x.shape[::3]))
    scored = SkeletonDataset("toy", CHAIN, data.sequences, data.labels, ("a", "b"), channels=("x", "y", "score"))
    masking_curves(explain(Checkpoint("toy", Energy(), ("detect",), PREPARE, {}), scored, "true", GradCAM()))
    assert seen == [2]


def test_where_the_answer_is_known_importance_finds_it(oracle):
    curves = masking_curves(oracle, n_per_class=0, n_seeds=4)
    table = masking_table(curves).set_index(["test", "order", "joints"])["mean"]
    assert table["deletion", "importance", 0] > 0.9
    assert table["deletion", "importance", 1] < 0.6 < table["deletion", "random", 1]
    assert table["insertion", "importance", 1] > 0.9 > table["insertion", "random", 1]
    assert table["deletion", "motion", 1] > 0.9  # joint 5 moves most and means nothing
    gain = masking_gain(curves)
    assert (gain["low"] > 0).all()
    assert gain["against"].tolist() == ["motion", "random"] * 2


def test_ends_are_the_same_in_every_order_and_test(oracle):
    curves = masking_curves(oracle, counts=[2])
    assert sorted(set(curves["joints"])) == [0, 2, JOINTS]
    wide = curves.set_index(["test", "joints", "order", "clip"])["probability"].unstack()
    full, none = wide.loc["deletion", 0], wide.loc["deletion", JOINTS]
    np.testing.assert_array_equal(full, wide.loc["insertion", JOINTS])
    np.testing.assert_array_equal(none, wide.loc["insertion", 0])
    assert (full.nunique() == 1).all()
    assert len(none.iloc[0].round(9).unique()) == 2  # nothing is left but the class that is asked
    assert len(full.columns) == 8  # four clips of each class


def test_maps_without_any_order_are_not_put_to_the_test(oracle):
    with pytest.raises(UserError, match=r"no clip's map at layer '.*' puts one joint before another"):
        masking_curves(replace(oracle, importance=np.ones_like(oracle.importance)))


def test_gain_is_the_difference_of_the_areas(oracle):
    curves = masking_curves(oracle, counts=[2], n_seeds=1)
    gain = masking_gain(curves).set_index(["test", "against"])

    def area(test, order):
        part = curves[(curves["test"] == test) & (curves["order"] == order) & ~curves["own"]]
        p = part.groupby("joints")["probability"].mean()
        return ((p[0] + p[2]) / 2 * 2 + (p[2] + p[JOINTS]) / 2 * 4) / JOINTS

    for test, sign in (("deletion", -1), ("insertion", 1)):
        expected = sign * (area(test, "importance") - area(test, "random"))
        assert gain.loc[(test, "random"), "mean"] == pytest.approx(expected)
        assert gain.loc[(test, "random"), "area"] == pytest.approx(area(test, "importance"))


def test_a_class_that_the_masked_clip_has_anyway_is_not_judged(oracle):
    """With every joint masked all clips are alike, so that the network names one of the two classes for all."""
    curves = masking_curves(oracle, n_per_class=0, counts=[2])
    by_clip = curves.groupby("clip")["own"].first()
    assert len(set(oracle.targets[by_clip.index[by_clip]])) == len(set(oracle.targets[by_clip.index[~by_clip]])) == 1
    gain = masking_gain(curves)
    assert (gain["own"] + gain["clips"] == len(by_clip)).all()
    assert (gain["own"] == by_clip.sum()).all()
    with pytest.raises(UserError, match="masking cannot tell"):
        masking_gain(curves[curves["own"]])


def test_a_map_turned_upside_down_loses(oracle):
    curves = masking_curves(replace(oracle, importance=-oracle.importance), n_per_class=0)
    gain = masking_gain(curves).query("against == 'random'")
    assert (gain["high"] < 0).all()


def test_random_weights_change_the_maps_of_all_layers(network, data):
    table = randomisation_table(explain(network, data, "true", GradCAM()), n_per_class=6, n_seeds=2)
    assert table["forgotten"].unique().tolist() == ["head", *reversed(network.layers), "rest"]
    assert len(table) == 12 * 10
    assert (table["clips"] <= 12).all()
    assert table.query("step == 12")["mean"].abs().mean() < 0.5
    assert (table["low"] <= table["mean"]).all()
    assert (table["mean"] <= table["high"]).all()


def test_a_map_that_ignores_the_weights_survives(data):
    class InputOnly(Energy):
        """Weights that decide the class, but not a class's map: nothing may change."""

        def __init__(self):
            super().__init__()
            self.offset = nn.Linear(1, 2)

        def forward(self, x):
            return super().forward(x) + 1000 * self.offset(torch.zeros(len(x), 1))

    network = Checkpoint("toy", InputOnly(), ("detect",), PREPARE, {})
    table = randomisation_table(explain(network, data, "true", GradCAM()), n_seeds=1)
    assert table["forgotten"].tolist() == ["head"]
    assert table["mean"].tolist() == pytest.approx([1])
    assert table["blank"].tolist() == [0]


def test_maps_without_order_are_counted_or_refused(oracle):
    blank = replace(oracle, importance=oracle.importance * 0)
    torch.manual_seed(0)
    oracle.network.model.extra = nn.Linear(1, 1)  # something to forget
    with pytest.raises(UserError, match=r"no clip's map at layer 'detect' has any order"):
        randomisation_table(blank)


@dataclass(frozen=True)
class GradientTimesInput:
    """How much each joint's place moves the score, to first order: signed, at the input, so without layers."""

    def __call__(self, network, x, lengths, target):
        x = torch.from_numpy(x).requires_grad_()
        scores = network.model(x)
        targets = target_classes(scores.detach(), target)
        score = scores[torch.arange(len(x)), torch.from_numpy(targets)]
        maps = (x * torch.autograd.grad(score.sum(), x)[0]).sum(dim=1).movedim(3, 1).detach()  # (N, M, T, V)
        gap = (score - maps.sum(dim=(1, 2, 3))).abs().detach().numpy()
        return Maps(("input",), (maps.numpy(),), (lengths,), scores.detach().numpy(), targets, {"additivity": gap})


@dataclass(frozen=True)
class Activity:
    """How large a layer's features are: layers as the network names them, and no gradient at all."""

    def __call__(self, network, x, lengths, target):
        with torch.no_grad(), captured(network.model, network.layers) as outputs:
            scores = network.model(torch.from_numpy(x))
        maps = [outputs[name].unflatten(0, (len(x), -1)).square().sum(dim=2).numpy() for name in network.layers]
        ends = [-(-lengths * m.shape[2] // x.shape[2]) for m in maps]
        return Maps(network.layers, tuple(maps), tuple(ends), scores.numpy(), target_classes(scores, target))


@pytest.mark.parametrize(("method", "n_layers"), [(GradientTimesInput(), 1), (Activity(), 10)])
def test_any_method_goes_through_all_tables_and_checks(network, data, method, n_layers):
    found = explain(network, data, "true", method, n_slices=2, batch_size=5)
    assert found.importance.shape == (12, n_layers, 2, JOINTS)
    table, layers = attributions.importance_table(found), attributions.layer_table(found, n_bootstrap=5)
    assert table["layer_name"].unique().tolist() == list(found.layers) == layers["layer_name"].tolist()
    assert len(table) == 2 * n_layers * 2 * JOINTS
    assert len(attributions.joint_table(found)) == 2 * JOINTS
    parts = attributions.part_table(found)
    assert set(parts["part"]) == set(found.data.skeleton.joints)  # which names no parts
    assert parts.groupby(["class", "layer"])["share"].sum().tolist() == pytest.approx([1] * 2 * n_layers)
    forgetting = randomisation_table(found, n_seeds=1)
    assert forgetting["layer_name"].unique().tolist() == list(found.layers)
    assert len(forgetting) == 12 * n_layers  # the network forgets its own ten layers, head and rest
    assert forgetting["mean"].min() < 0.9
    gain = masking_gain(masking_curves(found, counts=[2], n_per_class=2, n_seeds=1))
    assert gain.notna().all(axis=None)


def test_a_method_whose_map_is_the_answer_finds_the_joint_and_owns_up(data):
    """The score is a square, so gradient times input is twice what each joint adds to it, and says so."""
    network = Checkpoint("toy", Energy(), ("detect",), PREPARE, {})
    found = explain(network, data, "true", GradientTimesInput(), batch_size=5)
    scores = found.scores[range(12), data.labels]
    assert found.importance.sum(axis=(1, 2)).argmax(axis=1).tolist() == data.labels.tolist()
    assert found.importance.mean(axis=(1, 2)).sum(axis=1) * 8 == pytest.approx(2 * scores, rel=1e-4)
    assert found.take([7, 2]).gaps["additivity"] == pytest.approx(scores[[7, 2]], rel=1e-4)
    gain = masking_gain(masking_curves(found, n_per_class=0, n_seeds=4))
    assert (gain["low"] > 0).all()
