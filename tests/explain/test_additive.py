"""Methods whose attributions add up: the linter, DeepLIFT, gradients, Shapley values; and maps that know nothing."""

from itertools import permutations

import captum.attr
import numpy as np
import pytest
import torch
from torch import nn

from analysis_lib.datasets.preparation.recipe import Preprocessing, clip_tensors
from analysis_lib.datasets.preparation.streams import STREAMS
from analysis_lib.datasets.synthetic.make import synthetic
from analysis_lib.errors import UserError
from analysis_lib.explain import features
from analysis_lib.explain.deeplift import DeepLiftShap
from analysis_lib.explain.features import background
from analysis_lib.explain.gradcam import GradCAM
from analysis_lib.explain.gradients import ExpectedGradients, IntegratedGradients
from analysis_lib.explain.joint_shapley import JointShapley, JointShapleyInTime, players
from analysis_lib.explain.linter import inexact
from analysis_lib.explain.plain_baselines import ByLot, MotionEnergy
from analysis_lib.explain.shapley import exact_shapley, sampled_shapley
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.registry import build
from analysis_lib.skeletons.skeleton import Skeleton

JOINTS, FRAMES = 6, 12
BODY = Skeleton(
    "chain", tuple("abcdef"), [(v, v - 1) for v in range(1, JOINTS)], parts={"low": (0, 1), "high": (2, 3, 4, 5)}
)
LENGTHS = np.array([12, 9])


class Graph(nn.Module):
    """Two layers, the mean over joints; what is between the layers is exchanged."""

    layer_names, layer_axes = ("first", "second"), "n c t v"

    def __init__(self, act, second=None, between=None):
        super().__init__()
        self.first, self.second, self.fc = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, (3, 1), padding=(1, 0)), nn.Linear(8, 4)
        self.act, self.last = act, nn.ReLU() if second is None else second
        self.between = between
        self.graph = nn.Parameter(torch.rand(JOINTS, JOINTS))

    def forward(self, x):
        x = torch.einsum("nctv,vw->nctw", self.act(self.first(x[..., 0])), self.graph)
        x = self.second(x if self.between is None else self.between(x))
        return self.fc(self.last(x).mean(dim=(2, 3)))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.softmax = nn.Conv2d(8, 1, 1), nn.Softmax(dim=3)

    def forward(self, x):
        return x * self.softmax(self.conv(x))


def network(model):
    torch.manual_seed(0)
    for part in model.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.normal_(part.weight, std=0.5)
            nn.init.normal_(part.bias, std=0.5)
    return Checkpoint("net", model.eval(), model.layer_names, None, {})


def graph(**parts):
    torch.manual_seed(1)
    return network(Graph(**({"act": nn.ReLU()} | parts)))


def branches():
    torch.manual_seed(1)
    return network(build("multi-branch", BODY, 4, 3, width=0.0625))


def clips(n, seed=0):
    x = np.random.default_rng(seed).normal(size=(n, 3, FRAMES, JOINTS, 1)).astype(np.float32)
    if n == len(LENGTHS):
        x[1, :, 9:] = 0
    return x


REUSED = nn.ReLU()
#: what stands in a small graph network, whether DeepLIFT's sums are off, and what the linter says of it
TABLE = {
    "ReLU modules and einsum": ({}, False, []),
    "a functional ReLU": ({"act": torch.relu}, True, ["a function, not a module of its own"]),
    "one ReLU module twice": ({"act": REUSED, "second": REUSED}, None, ["the same module is called 2 times"]),
    "attention": ({"between": Attention()}, True, ["a product of two things that both depend on the clip"]),
    "SiLU": ({"act": nn.SiLU()}, True, ["there is no rule for this module"]),
    "Hardswish": ({"act": nn.Hardswish()}, True, ["there is no rule for this module"]),
    "GELU": ({"act": nn.GELU()}, True, ["there is no rule for this module"]),
}


@pytest.mark.parametrize(("parts", "off", "why"), TABLE.values(), ids=TABLE)
def test_the_linter_knows_when_sums_will_be_off(parts, off, why):
    net = graph(**parts)
    assert sorted(set(inexact(net.model, clips(1)).why)) == why
    method = DeepLiftShap(clips(5, seed=2))
    if off is None:
        with pytest.raises(UserError, match=r"at 'act' the same module is called 2 times in a pass; give each"):
            method(net, clips(2), LENGTHS, "predicted")
        return
    gap = method(net, clips(2), LENGTHS, "predicted").gaps["additivity"]
    assert (gap.max() > 1e-3) == off
    assert off or gap.max() < 1e-4


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda x: x / x.abs().sum(), ["a function, not a module of its own", "a quotient whose divisor depends"]),
        (lambda x: x.relu_(), ["a function, not a module of its own"]),
        (lambda x: nn.functional.softmax(x, 1), ["a function, not a module of its own"]),
        (lambda x: x.pow(2), ["a function, not a module of its own"]),
        (lambda x: torch.einsum("nctv,nctw->nctv", x, x), ["a product of two things"]),
        (lambda x: (2 * x + 1).flip(2).transpose(2, 3).reshape(x.shape) / 3, []),
    ],
)
def test_functions_that_the_linter_names(function, why):
    found = inexact(graph(between=function).model, clips(1)).why.unique()
    assert len(found) == len(why)
    assert all(a.startswith(b) for a, b in zip(sorted(found), why, strict=True))


@pytest.mark.parametrize(("doubled", "why"), [(False, []), (True, ["a product of two things that both depend"])])
def test_what_is_added_to_a_product_is_no_factor(doubled, why):
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(3, 3)

        def forward(self, x):
            y = self.linear(x)
            return torch.baddbmm(y, y, y if doubled else torch.eye(3).expand(len(x), 3, 3))

    found = inexact(Sum(), np.ones((2, 3, 3), np.float32)).why
    assert [text.startswith(start) for text, start in zip(found, why, strict=True)] == [True] * len(why)


def test_the_linter_leaves_the_network_as_it_was():
    net = graph()
    net.model.train()
    inexact(net.model, clips(1))
    assert net.model.training
    assert all(p.requires_grad for p in net.model.parameters())
    assert not any(m._forward_hooks for m in net.model.modules())


@pytest.mark.parametrize("max_memory", [1, 2**17, 2**29])
def test_deeplift_is_captums_whatever_the_chunks(max_memory):
    net, x, others = graph(), clips(2), clips(5, seed=2)
    found = DeepLiftShap(others, max_memory=max_memory)(net, x, LENGTHS, np.array([1, 3]))
    with pytest.warns(UserWarning, match="hooks"):
        expected = captum.attr.DeepLiftShap(net.model).attribute(
            torch.from_numpy(x), torch.from_numpy(others), target=torch.tensor([1, 3])
        )
    whole = expected.detach().numpy().sum(axis=1).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(found.maps[0][0], whole[0], atol=1e-5)
    np.testing.assert_allclose(found.maps[0][1, :, :9], whole[1, :, :9], atol=1e-5)
    assert not found.maps[0][1, :, 9:].any()
    outside = np.abs(expected.detach().numpy().sum(axis=1)[1, 9:]).sum() / np.abs(whole[1]).sum()
    np.testing.assert_allclose(found.gaps["in padding"], [0, outside], rtol=1e-4)


def test_deeplift_of_a_softmax_does_not_depend_on_what_passes_beside():
    net, x, others = graph(between=Attention()), clips(2), clips(3, seed=2)
    classes = np.array([1, 3])
    found = DeepLiftShap(others)(net, x, LENGTHS, classes)
    alone = [DeepLiftShap(o[None])(net, x[1:], LENGTHS[1:], classes[1:]).maps[0][0] for o in others]
    np.testing.assert_allclose(found.maps[0][1], np.mean(alone, axis=0), atol=1e-6)


def test_gradients_are_taken_where_they_are_switched_off():
    net, x = graph(), clips(2)
    method = IntegratedGradients(clips(2, seed=2), n_steps=2)
    with torch.no_grad():
        found = method(net, x, LENGTHS, "predicted")
    np.testing.assert_array_equal(found.maps[0], method(net, x, LENGTHS, "predicted").maps[0])


def test_one_player_alone_has_the_whole_difference():
    net, x, others = graph(), clips(1), clips(2, seed=2)
    whose = np.zeros((1, JOINTS), int)
    for n_draws in (0, 2):
        found = JointShapley(others, whose, n_draws=n_draws).values(net, x)
        np.testing.assert_allclose(found.values[:, 0], found.scores - found.expected, atol=1e-5)


@pytest.mark.parametrize("make", [IntegratedGradients, ExpectedGradients])
def test_gradients_along_ways_add_up(make):
    net, x = graph(act=nn.Softplus(), second=nn.Softplus()), clips(2)
    found = make(clips(5, seed=2), n_steps=32)(net, x, LENGTHS, "predicted")
    assert found.gaps["additivity"].max() < 0.05
    exact = IntegratedGradients(clips(5, seed=2), n_steps=32, max_memory=1)(net, x, LENGTHS, "predicted")
    np.testing.assert_allclose(found.maps[0], exact.maps[0], atol=0.05 * np.abs(exact.maps[0]).max())


def test_integrated_gradients_are_captums():
    net, x, one = graph(), clips(2), clips(1, seed=3)
    found = IntegratedGradients(one, n_steps=50)(net, x, np.array([12, 12]), np.array([0, 2]))
    expected = captum.attr.IntegratedGradients(net.model).attribute(
        torch.from_numpy(x), torch.from_numpy(one), target=torch.tensor([0, 2]), n_steps=50
    )
    np.testing.assert_allclose(found.maps[0], expected.numpy().sum(axis=1).transpose(0, 3, 1, 2), atol=1e-4)


def test_streams_are_explained_each_and_together():
    net, x = branches(), clips(2)
    found = IntegratedGradients(clips(3, seed=2), at="streams", n_steps=64)(net, x, LENGTHS, "predicted")
    assert found.layers == (*STREAMS, "integrated gradients")
    np.testing.assert_allclose(sum(found.maps[:4]), found.maps[4], atol=1e-6)
    assert found.gaps["additivity"].max() < 0.05
    with pytest.raises(UserError, match="Graph makes no streams of its clips; explain it at 'coordinates'"):
        IntegratedGradients(x, at="streams")(graph(), x, LENGTHS, "predicted")
    with pytest.raises(UserError, match="unknown place to explain a network at 'stream'; did you mean 'streams'"):
        IntegratedGradients(x, at="stream")(net, x, LENGTHS, "predicted")


def by_force(value, n_players):
    """Return Shapley values as the mean over all orders."""
    found = []
    for order in permutations(range(n_players)):
        inside, gains = np.zeros((1, n_players), bool), np.zeros(n_players)
        for player in order:
            before = value(inside)[0]
            inside[0, player] = True
            gains[player] = value(inside)[0] - before
        found.append(gains)
    return np.mean(found, axis=0)


def game(n_players, seed=0):
    table = np.random.default_rng(seed).normal(size=2**n_players)
    return lambda coalitions, draw=0: table[coalitions @ (1 << np.arange(n_players))]


@pytest.mark.parametrize("n_players", [1, 2, 5])
def test_exact_values_are_the_mean_over_all_orders(n_players):
    value = game(n_players)
    np.testing.assert_allclose(exact_shapley(value, n_players), by_force(value, n_players), atol=1e-12)


def test_sampled_values_of_eight_players_lie_within_two_standard_errors():
    value = game(8)
    exact = exact_shapley(value, 8)
    near = []
    for seed in range(12):
        found = sampled_shapley(value, 8, 100, np.random.default_rng(seed))
        np.testing.assert_allclose(found.values.sum(), exact.sum(), atol=1e-9)
        near.append(np.abs(found.values - exact) <= 2 * found.errors)
    assert 0.88 < np.mean(near) <= 1


def test_sampling_stops_when_it_may():
    value = game(8)
    rough, fine = (sampled_shapley(value, 8, 400, np.random.default_rng(0), tolerance=t) for t in (0.4, 0.2))
    assert 8 <= rough.draws < fine.draws < 400
    assert fine.errors.max() <= 0.2 * np.abs(fine.values).max()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: exact_shapley(game(2), 13), "1 to 12 players, got 13; sample them"),
        (lambda: sampled_shapley(game(2), 2, 1, np.random.default_rng(0)), "2 draws at least, got 2 players and 1 dra"),
    ],
)
def test_games_that_are_refused(call, words):
    with pytest.raises(UserError, match=words):
        call()


def test_joints_against_captum_and_exactly():
    net, x, one = graph(), clips(2), clips(1, seed=3)
    exact = JointShapley(one, n_draws=0).values(net, x)
    sampled = JointShapley(one, n_draws=60).values(net, x)
    mask = torch.arange(JOINTS).view(1, 1, 1, JOINTS, 1).expand(1, 3, FRAMES, JOINTS, 1).contiguous()
    for c in range(4):
        theirs = captum.attr.ShapleyValues(net.model).attribute(
            torch.from_numpy(x), torch.from_numpy(one), target=c, feature_mask=mask
        )
        np.testing.assert_allclose(exact.values[:, :, c], theirs[:, 0, 0, :, 0].numpy(), atol=1e-5)
    assert (np.abs(sampled.values - exact.values) <= 4 * sampled.errors + 1e-6).all()
    assert (sampled.draws == 60).all()
    assert (exact.draws == 0).all()


@pytest.mark.parametrize("kind", ["joints", "joints x streams", "parts"])
def test_players_of_a_network_with_streams(kind):
    net, x, others = branches(), clips(2), clips(3, seed=3)
    whose = players(BODY, kind, 4)
    method = JointShapley(others, whose, at="streams", n_draws=6)
    found, values = method(net, x, LENGTHS, "predicted"), method.values(net, x)
    assert found.gaps["additivity"].max() < 1e-3
    assert values.values.shape == (2, whose.max() + 1, 4)
    assert found.layers == ((*STREAMS, "shapley") if "streams" in kind else ("shapley",))
    own = values.values[np.arange(2), :, values.targets]
    np.testing.assert_allclose(found.maps[-1][:, 0, 0].sum(axis=1), own.sum(axis=1), rtol=1e-4)
    assert not found.maps[-1][1, :, 9:].any()
    assert (found.maps[-1][1, :, :1] == found.maps[-1][1, :, :9]).all()
    few = JointShapley(others, whose, at="streams", n_draws=6, max_memory=1)(net, x, LENGTHS, "predicted")
    np.testing.assert_allclose(few.maps[-1], found.maps[-1], atol=1e-5 * np.abs(found.maps[-1]).max())


def test_players_that_do_not_fit():
    with pytest.raises(UserError, match=r"players of shape \(1, 6\) \(streams, joints\) are needed, got \(4, 6\)"):
        JointShapley(clips(2), players(BODY, "joints", 4)).values(graph(), clips(2))
    with pytest.raises(UserError, match="unknown kind of player 'joint'; did you mean 'joints'"):
        players(BODY, "joint")


def test_shapley_values_in_time_keep_their_means():
    net, x = graph(), clips(2)
    which = JointShapley(clips(3, seed=3), n_draws=6)
    found = JointShapleyInTime(which)(net, x, LENGTHS, "predicted")
    still = which(net, x, LENGTHS, "predicted")
    np.testing.assert_allclose(found.by_slice(1), still.by_slice(1), rtol=1e-4, atol=1e-6)
    (_, when) = GradCAM()(net, x, LENGTHS, "predicted").maps
    expected = when.mean(axis=(1, 3))[0] / when[0].mean()
    np.testing.assert_allclose(found.maps[0][0, 0, :, 2] / still.maps[0][0, 0, :, 2], expected, rtol=1e-4)


def test_maps_that_know_nothing():
    net, x = graph(), clips(2)
    lot, other, moves = (m(net, x, LENGTHS, "predicted").maps[0] for m in (ByLot(), ByLot(1), MotionEnergy()))
    assert (lot != other)[0].all()
    assert (lot[0] != lot[1])[:, :9].all()
    np.testing.assert_array_equal(lot[1:], ByLot()(net, x[1:], LENGTHS[1:], "predicted").maps[0])  # alone, or not
    assert not lot[1, :, 9:].any()
    expected = ((x[1, :, 1:9, :, 0] - x[1, :, :8, :, 0]) ** 2).sum(axis=0)
    np.testing.assert_allclose(moves[1, 0, :8], expected, rtol=1e-5)
    assert not moves[1, 0, 8:].any()


def test_a_background_is_drawn_from_the_whole_dataset():
    data, as_it_is = synthetic(subjects=3, takes=1), Preprocessing(frames=60, fit="resample")
    found = background(data, as_it_is, 40)
    assert found.shape == (40, 3, 60, 25, 1)
    everything = clip_tensors(data, as_it_is)[0]
    drawn = [int(np.flatnonzero((everything == clip).all(axis=(1, 2, 3, 4)))[0]) for clip in found]
    assert len(set(drawn)) == 40
    assert min(drawn) < 30
    assert max(drawn) > 150
    with pytest.raises(UserError, match="a background of 181 clips was asked for; 'synthetic' has 180 to draw from"):
        background(data, as_it_is, 181)


def test_a_background_passes_once_however_many_clips_are_held_against_it(monkeypatch):
    net, others, asked = graph(), clips(3, 1), []
    passed = features.all_scores
    noted = lambda scores, of, batch: asked.append(len(of)) or passed(scores, of, batch)  # noqa: E731
    monkeypatch.setattr(features, "all_scores", noted)
    methods = DeepLiftShap(others), ExpectedGradients(others), JointShapley(others, n_draws=2)
    expected = [method(net, clips(1, 2), LENGTHS[:1], np.array([0])).gaps["additivity"] for method in methods]
    again = [method(net, clips(1, 2), LENGTHS[:1], np.array([0])).gaps["additivity"] for method in methods]
    np.testing.assert_array_equal(expected, again)
    assert asked == [3]
    with torch.no_grad():
        net.model.fc.bias += 1  # it has learnt meanwhile
    DeepLiftShap(others)(net, clips(1, 2), LENGTHS[:1], np.array([0]))
    assert asked == [3, 3]
