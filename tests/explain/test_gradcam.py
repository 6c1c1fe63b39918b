"""Layerwise GradCAM: by hand, by loops that follow the equations, foreign models, clear errors."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from analysis_lib.datasets.preparation.recipe import Preprocessing
from analysis_lib.errors import UserError
from analysis_lib.explain.gradcam import GradCAM, channel_weights
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.hooks import captured
from analysis_lib.networks.stgcn import STGCN
from analysis_lib.skeletons.layouts import layout

SHAPE = (2, 2, 3, 4, 5)  # N, M, C, T, V
LABELS = np.array([0, 1, 2, 3, 0])


def explained(model, x, lengths, layers=None, target="predicted", **options):
    """Return the maps of a network at some layers, all by default."""
    return GradCAM(**options)(
        Checkpoint("toy", model, layers or model.layer_names, Preprocessing(), {}), x, lengths, target
    )


@pytest.fixture
def layer(rng):
    """Return features, gradients and valid frames; the second clip has one body of two frames."""
    features, gradients = (torch.tensor(rng.normal(size=SHAPE)) for _ in range(2))
    valid = torch.tensor([[[1, 1, 1, 0], [1, 1, 1, 0]], [[1, 1, 0, 0], [0, 0, 0, 0]]]).bool()
    return features, gradients, valid


@pytest.mark.parametrize("counterfactual", [False, True])
def test_the_map_is_the_equation(layer, counterfactual):
    """Equations (5) and (6), one number at a time."""
    features, gradients, valid = layer
    N, M, C, T, V = SHAPE
    sign, expected = -1 if counterfactual else 1, np.zeros((N, M, T, V))
    for n in range(N):
        places = [(m, t, v) for m in range(M) for t in range(T) for v in range(V) if valid[n, m, t]]
        beta = [sum(sign * gradients[n, m, c, t, v].item() for m, t, v in places) / len(places) for c in range(C)]
        for m, t, v in places:
            expected[n, m, t, v] = max(0, sum(beta[c] * features[n, m, c, t, v] for c in range(C)))
    found = GradCAM(counterfactual=counterfactual).layer_map(*layer)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_what_is_in_the_padding_has_no_say(layer, variant):
    features, gradients, valid = layer
    arithmetic = GradCAM(variant).layer_map
    padding = ~valid[:, :, None, :, None].expand(SHAPE)
    before = arithmetic(features, gradients, valid)
    after = arithmetic(features.masked_fill(padding, 99.0), gradients.masked_fill(padding, -7), valid)
    torch.testing.assert_close(before, after)
    assert not before[~valid].any()
    assert before.any()
    nothing = torch.zeros_like(valid)
    assert not channel_weights(gradients, nothing).any()
    assert not arithmetic(features, gradients, nothing).any()


def test_the_counterfactual_is_no_complement(layer):
    plain, against = (GradCAM(counterfactual=c).layer_map(*layer) for c in (False, True))
    assert not (plain * against).any()  # a joint speaks for or against, never both
    assert ((plain + against)[layer[2]] > 0).all()


def test_the_released_variant_by_loops(layer):
    features, gradients, _ = layer
    found = GradCAM("released").layer_map(*layer).numpy()
    f, g = features[1, 0, :, :2].numpy(), gradients[1, 0, :, :2].numpy()  # the body of two frames
    weight = (g / np.sqrt((g**2).mean())).mean(axis=(0, 1)).sum()
    maps = np.maximum(weight * f.mean(axis=0), 0)
    expected = (maps - maps.min()) / (maps.max() + 1e-8)
    np.testing.assert_allclose(found[1, 0, :2], expected, atol=1e-7)
    assert np.isfinite(found).all()


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = STGCN(layout("kinect-20"), 4, width=0.125).eval()
    for module in model.modules():
        if isinstance(module, nn.Conv2d):  # the published start is so small that all maps are alike
            nn.init.kaiming_normal_(module.weight)
    return model


@pytest.fixture
def clips(rng):
    lengths = np.array([16, 9, 1, 12, 16])
    x = rng.normal(size=(5, 3, 16, 20, 2)).astype(np.float32)
    x[np.broadcast_to(np.arange(16) >= lengths[:, None, None, None, None], x.swapaxes(2, 4).shape).swapaxes(2, 4)] = 0
    x[1, ..., 1] = 0  # the second body is not there
    return x, lengths


def close(found, expected):
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


class Tiny(nn.Module):
    """One channel twice as large as the input and one its negative; scores are weighted means."""

    layer_axes = "n c t v"  # sizes are too small to tell

    def __init__(self, after=None):
        super().__init__()
        self.lift = nn.Conv2d(1, 2, 1, bias=False)
        self.lift.weight.data = torch.tensor([2.0, -1.0]).view(2, 1, 1, 1)
        self.after = after or nn.Identity()
        self.head = nn.Linear(2, 2, bias=False)
        self.head.weight.data = torch.tensor([[1.0, 0.5], [0.0, -4.0]])

    def forward(self, x):
        return self.head(self.after(self.lift(x[..., 0])).mean(dim=(2, 3)))


def test_a_network_worked_out_by_hand():
    x = np.array([[1.0, -2.0], [3.0, 0.0]], np.float32).reshape(1, 1, 2, 2, 1)  # (T, V) = (2, 2)
    found = explained(Tiny(), x, np.array([2]), ["lift"], target=0)
    # beta = (1, 1/2) / (T V) and F = (2x, -x): the map is ReLU(3/8 x)
    np.testing.assert_allclose(found.maps[0][0, 0], [[0.375, 0], [1.125, 0]])
    against = explained(Tiny(), x, np.array([2]), ["lift"], target=0, counterfactual=True)
    np.testing.assert_allclose(against.maps[0][0, 0], [[0, 0.75], [0, 0]])
    other = explained(Tiny(), x, np.array([2]), ["lift"], target=1)  # beta = (0, -1): ReLU(x)
    np.testing.assert_allclose(other.maps[0][0, 0], [[1, 0], [3, 0]])


@pytest.mark.parametrize("counterfactual", [False, True])
def test_at_the_last_layer_the_weights_are_those_of_the_head(model, clips, counterfactual):
    """With a linear head on a global mean, beta_k = w_ck / (T V M) exactly."""
    x, lengths = clips
    found = explained(model, x, lengths, model.layer_names[-1:], LABELS, counterfactual=counterfactual)
    with torch.no_grad(), captured(model, model.layer_names[-1:]) as outputs:
        model(torch.from_numpy(x))
        features = outputs[model.layer_names[-1]].unflatten(0, (5, 2))  # (N, M, C, T, V)
        w = model.fcn.weight[found.targets, :, 0, 0] * (-1 if counterfactual else 1)
        expected = torch.einsum("nc,nmctv->nmtv", w / (4 * 20 * 2), features).relu().numpy()
    valid = np.arange(4) < found.lengths[0][:, None]
    expected = expected * valid[:, None, :, None]
    expected[1, 1] = 0
    close(found.maps[0], expected)
    assert expected.any()


def test_one_backward_pass_gives_what_one_a_layer_and_clip_gives(model, clips):
    x, lengths = clips
    found = explained(model, x, lengths, target=LABELS)
    for name, maps, n_l in zip(found.layers, found.maps, found.lengths, strict=True):
        for i, c in enumerate(LABELS):
            kept = []
            handle = model.get_submodule(name).register_forward_hook(
                lambda m, args, out, kept=kept: kept.append(out) or out.retain_grad()
            )
            model(torch.from_numpy(x[i : i + 1]))[0, c].backward()
            handle.remove()
            valid = torch.arange(kept[0].shape[2]) < n_l[i]
            there = torch.tensor([[True], [i != 1]])
            one = GradCAM().layer_map(kept[0].detach()[None], kept[0].grad[None], (valid & there)[None])
            close(maps[i], one[0].numpy())
    model.zero_grad()


def test_the_model_is_left_as_it_was(model, clips):
    model.train()
    model.st_gcn_networks[3].eval()
    model.fcn.weight.grad = torch.full_like(model.fcn.weight, 3.0)
    state = {k: v.clone() for k, v in model.state_dict().items()}
    modes = [m.training for m in model.modules()]
    x = clips[0].copy()
    explained(model, *clips)
    with pytest.raises(UserError, match="coordinates a frame"):
        explained(model, clips[0][:, :, :, :7], clips[1])
    assert [m.training for m in model.modules()] == modes
    assert not any(m._forward_hooks for m in model.modules())
    assert (model.fcn.weight.grad == 3).all()
    assert all(p.grad is None for p in model.st_gcn_networks.parameters())
    np.testing.assert_array_equal(x, clips[0])
    for key, value in model.state_dict().items():
        torch.testing.assert_close(value, state[key])


def test_a_frozen_model_under_no_grad_gives_the_same(model, clips):
    expected = explained(model, *clips)
    with torch.no_grad():
        found = explained(model.requires_grad_(False), *clips)
    for a, b in zip(expected.maps, found.maps, strict=True):
        np.testing.assert_array_equal(a, b)


class AddInPlace(nn.Module):
    def forward(self, x):
        x += 1
        return x


@pytest.mark.parametrize("after", [nn.ReLU(inplace=True), AddInPlace()])
def test_what_works_in_place_after_a_layer_does_not_reach_back_into_it_nor_into_the_clips(after, rng):
    x, lengths = rng.normal(size=(3, 1, 4, 5, 1)).astype(np.float32), np.array([4, 4, 2])
    model, before = Tiny(after), x.copy()
    explained(nn.Sequential(AddInPlace(), model), x, lengths, ["1.lift"])
    np.testing.assert_array_equal(x, before)
    found = explained(model, x, lengths, ["lift", "after"], target=1)
    # the gradient is that before the module: only where its input is positive, for a ReLU
    features = model.lift(torch.from_numpy(x[..., 0])).detach()
    passes = (features > 0) | isinstance(after, AddInPlace)
    w = torch.tensor([0.0, -4.0]).view(1, 2, 1, 1)
    valid = torch.arange(4) < torch.tensor(lengths)[:, None, None]
    expected = GradCAM().layer_map(features[:, None], (w * passes / 20)[:, None], valid)
    np.testing.assert_allclose(found.maps[0], expected.numpy(), rtol=1e-5, atol=1e-8)


class Odd(Tiny):
    """A network with layers that cannot have maps."""

    def __init__(self):
        super().__init__()
        self.flat = nn.Flatten()
        self.halves = nn.AvgPool2d((1, 2))
        self.unused = nn.Conv2d(2, 2, 1)
        self.pair = Pair()

    def forward(self, x):
        y = self.lift(x[..., 0])
        self.unused(y)
        self.pair(y)
        return self.head(self.halves(y).mean(dim=(2, 3))) + 0 * self.flat(y).mean()


class Pair(nn.Module):
    def forward(self, x):
        return x, x


def tiny(forward):
    """Return a `Tiny` that goes forward in another way."""
    model = Tiny()
    model.forward = partial(forward, model)
    return model


def overwriting(model, x):
    y = model.lift(x[..., 0]).exp()
    score = model.head(y.mean(dim=(2, 3)))
    y.mul_(0)
    return score


DETACHED = tiny(lambda model, x: model.head(model.lift(x[..., 0]).detach().mean(dim=(2, 3))))
NO_GRAD = tiny(torch.no_grad()(Tiny.forward))
FRAMES = tiny(lambda model, x: model.head(model.lift(x[..., 0]).mean(dim=3).transpose(1, 2)))


@pytest.mark.parametrize(
    ("model", "layer", "message"),
    [
        (Odd(), "lifts", r"unknown layer of Odd 'lifts'; did you mean 'lift'\? choices: after, flat"),
        (Odd(), "flat", r"layer 'flat' gave \(2, 48\) for 2 clips of 6 joints and 1 bodies; that is not 'n c t v'"),
        (Odd(), "pair", "layer 'pair' has no influence on the scores"),
        (Odd(), "halves", "layer 'halves' gave 3 nodes on the axis of joints, where the clips have 6"),
        (Odd(), "unused", "layer 'unused' has no influence on the scores"),
        (Odd(), "after", "layer 'after' is not called in a forward pass"),
        (DETACHED, "lift", "layer 'lift' has no influence on the scores"),
        (NO_GRAD, "lift", "layer 'lift' of Tiny cannot be differentiated"),
        (tiny(overwriting), "lift", r"Tiny has no gradients \(one of the variables .* inplace operation\); does its"),
        (FRAMES, "lift", r"the network must give \(clips, classes\) scores, got \(2, 4, 2\)"),
    ],
)
def test_one_clear_error(model, layer, message, rng):
    x = rng.normal(size=(2, 1, 4, 6, 1)).astype(np.float32)
    with pytest.raises(UserError, match=message):
        explained(model, x, np.array([4, 4]), [layer])
    assert not any(m._forward_hooks for m in model.modules())


def test_a_layer_that_fuses_the_bodies_has_one_map(rng):
    class Fused(Tiny):
        def forward(self, x):
            return self.head(self.lift(x.mean(dim=4)).mean(dim=(2, 3)))

    x = rng.normal(size=(2, 1, 4, 6, 2)).astype(np.float32)
    x[0, ..., 1] = 0
    found = explained(Fused(), x, np.array([4, 3]), ["lift"], target=1)
    assert found.maps[0].shape == (2, 1, 4, 6)
    expected = np.maximum(x.mean(axis=4)[:, 0, :3], 0) * 4 / 24  # beta = (0, -4) / (T V)
    np.testing.assert_allclose(found.maps[0][:, 0, :3], expected, rtol=1e-5)


def test_a_layer_of_parts_has_maps_of_joints(rng):
    """Parts of two joints: what is said of a part is said of its joints, as if they had been lifted each."""
    x, lengths = rng.normal(size=(2, 1, 4, 6, 1)).astype(np.float32), np.array([4, 3])
    model = Odd()
    model.layer_nodes = {"halves": np.kron(np.eye(3), [1, 1])}
    found = explained(model, x, lengths, ["halves"], target=1)
    parts = x[:, 0, :, :, 0].reshape(2, 4, 3, 2).mean(axis=3)
    expected = np.maximum(parts, 0) * 4 / 12  # beta = (0, -4) / (T P)
    expected[1, 3] = 0
    np.testing.assert_allclose(found.maps[0][:, 0], expected.repeat(2, axis=2), rtol=1e-5)
