"""Layerwise GradCAM: a network worked out by hand, separate passes, foreign models, clear errors."""

import numpy as np
import pytest
import torch
from torch import nn

from analysis_lib.errors import UserError
from analysis_lib.explain.gradcam import LayerMaps, gradcam, gradcam_slices, target_classes
from analysis_lib.explain.maps import importance_map, slice_weights
from analysis_lib.networks.hooks import captured
from analysis_lib.networks.stgcn import STGCN
from analysis_lib.skeletons.layouts import layout


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
    found = gradcam(Tiny(), x, np.array([2]), ["lift"], target=0)
    # beta = (1, 1/2) / (T V) and F = (2x, -x): the map is ReLU(3/8 x)
    np.testing.assert_allclose(found.maps[0][0, 0], [[0.375, 0], [1.125, 0]])
    against = gradcam(Tiny(), x, np.array([2]), ["lift"], target=0, counterfactual=True)
    np.testing.assert_allclose(against.maps[0][0, 0], [[0, 0.75], [0, 0]])
    other = gradcam(Tiny(), x, np.array([2]), ["lift"], target=1)  # beta = (0, -1): ReLU(x)
    np.testing.assert_allclose(other.maps[0][0, 0], [[1, 0], [3, 0]])


@pytest.mark.parametrize("counterfactual", [False, True])
def test_at_the_last_layer_the_weights_are_those_of_the_head(model, clips, counterfactual):
    """With a linear head on a global mean, beta_k = w_ck / (T V M) exactly."""
    x, lengths = clips
    found = gradcam(
        model,
        x,
        lengths,
        model.layer_names[-1:],
        target="true",
        labels=np.array([0, 1, 2, 3, 0]),
        counterfactual=counterfactual,
    )
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
    labels = np.array([0, 1, 2, 3, 0])
    found = gradcam(model, x, lengths, model.layer_names, target="true", labels=labels)
    for name, maps, n_l in zip(found.layers, found.maps, found.lengths, strict=True):
        for i, c in enumerate(labels):
            kept = []
            handle = model.get_submodule(name).register_forward_hook(
                lambda m, args, out, kept=kept: kept.append(out) or out.retain_grad()
            )
            model(torch.from_numpy(x[i : i + 1]))[0, c].backward()
            handle.remove()
            valid = torch.arange(kept[0].shape[2]) < n_l[i]
            there = torch.tensor([[True], [i != 1]])
            one = importance_map(kept[0].detach()[None], kept[0].grad[None], (valid & there)[None])
            close(maps[i], one[0].numpy())
    model.zero_grad()


@pytest.mark.parametrize("n_frames", [1, 3, 6, 40])
def test_maps_on_the_frames_of_a_clip(rng, n_frames):
    """Two layers, the second with half the frames and one map for both bodies; 6 of 8 are valid."""
    maps = rng.random((3, 2, 8, 5)), rng.random((3, 1, 4, 5))
    lengths = np.array([8, 6, 8]), np.array([4, 3, 4])
    shown = LayerMaps(("a", "b"), maps, lengths, np.zeros((3, 2)), np.zeros(3))
    found = shown.on_frames(1, n_frames, 2)
    assert found.shape == (2, 2, n_frames, 5)
    for t in range(n_frames):
        np.testing.assert_array_equal(found[0, :, t], maps[0][1, :, int(t * 6 / n_frames)])
        for body in (0, 1):
            np.testing.assert_array_equal(found[1, body, t], maps[1][1, 0, int(t * 3 / n_frames)])
    np.testing.assert_array_equal(shown.on_frames(1, n_frames), found[:, :1])
    with pytest.raises(UserError, match="layer 'a' has maps of 2 bodies; the clip has 3"):
        shown.on_frames(1, n_frames, 3)


def test_slices_are_means_of_the_maps_whatever_the_batch(model, clips):
    x, lengths = clips
    whole = gradcam(model, x, lengths, model.layer_names, target=1)
    for batch_size in (2, 5):
        found = gradcam_slices(model, x, lengths, model.layer_names, target=1, body=1, batch_size=batch_size)
        for k, (maps, n) in enumerate(zip(whole.maps, whole.lengths, strict=True)):
            expected = slice_weights(n, maps.shape[2], 3) @ maps[:, 1]
            close(found.importance[:, k], expected)
        np.testing.assert_array_equal(found.lengths, np.stack(whole.lengths, axis=1))
    np.testing.assert_array_equal(found.take([3, 0]).scores, found.scores[[3, 0]])


def test_the_model_is_left_as_it_was(model, clips):
    model.train()
    model.st_gcn_networks[3].eval()
    model.fcn.weight.grad = torch.full_like(model.fcn.weight, 3.0)
    state = {k: v.clone() for k, v in model.state_dict().items()}
    modes = [m.training for m in model.modules()]
    x = clips[0].copy()
    gradcam(model, *clips, model.layer_names)
    with pytest.raises(UserError, match="coordinates a frame"):
        gradcam(model, clips[0][:, :, :, :7], clips[1], model.layer_names)
    assert [m.training for m in model.modules()] == modes
    assert not any(m._forward_hooks for m in model.modules())
    assert (model.fcn.weight.grad == 3).all()
    assert all(p.grad is None for p in model.st_gcn_networks.parameters())
    np.testing.assert_array_equal(x, clips[0])
    for key, value in model.state_dict().items():
        torch.testing.assert_close(value, state[key])


def test_a_frozen_model_under_no_grad_gives_the_same(model, clips):
    expected = gradcam(model, *clips, model.layer_names)
    with torch.no_grad():
        found = gradcam(model.requires_grad_(False), *clips, model.layer_names)
    for a, b in zip(expected.maps, found.maps, strict=True):
        np.testing.assert_array_equal(a, b)


class AddInPlace(nn.Module):
    def forward(self, x):
        x += 1
        return x


@pytest.mark.parametrize("after", [nn.ReLU(inplace=True), AddInPlace()])
def test_what_works_in_place_after_a_layer_does_not_reach_back_into_it(after, rng):
    x, lengths = rng.normal(size=(3, 1, 4, 5, 1)).astype(np.float32), np.array([4, 4, 2])
    model = Tiny(after)
    found = gradcam(model, x, lengths, ["lift", "after"], target=1)
    # the gradient is that before the module: only where its input is positive, for a ReLU
    features = model.lift(torch.from_numpy(x[..., 0])).detach()
    passes = (features > 0) | isinstance(after, AddInPlace)
    w = torch.tensor([0.0, -4.0]).view(1, 2, 1, 1)
    valid = torch.arange(4) < torch.tensor(lengths)[:, None, None]
    expected = importance_map(features[:, None], (w * passes / 20)[:, None], valid)
    np.testing.assert_allclose(found.maps[0], expected.numpy(), rtol=1e-5, atol=1e-8)


def test_a_network_that_changes_its_input_in_place_leaves_the_clips_alone(rng):
    x = rng.normal(size=(2, 1, 4, 5, 1)).astype(np.float32)
    before = x.copy()
    model = nn.Sequential(AddInPlace(), Tiny())
    gradcam(model, x, np.array([4, 4]), ["1.lift"])
    np.testing.assert_array_equal(x, before)


def test_targets():
    scores = torch.tensor([[3.0, 1.0, 2.0], [0.0, 4.0, 5.0]])
    assert target_classes(scores, "predicted").tolist() == [0, 2]
    assert target_classes(scores, "true", np.array([1, 1])).tolist() == [1, 1]
    assert target_classes(scores, 2).tolist() == [2, 2]


@pytest.mark.parametrize(
    ("target", "labels", "message"),
    [
        ("ture", None, "unknown target 'ture'; did you mean 'true'"),
        ("true", None, "target 'true' needs the labels of all 2 clips"),
        ("true", np.array([0, 3]), r"the classes 0\.\.2; there is no 3"),
        (-1, None, r"the classes 0\.\.2; there is no -1"),
    ],
)
def test_targets_that_are_none(target, labels, message):
    with pytest.raises(UserError, match=message):
        target_classes(torch.zeros(2, 3), target, labels)


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


class Detached(Tiny):
    def forward(self, x):
        return self.head(self.lift(x[..., 0]).detach().mean(dim=(2, 3)))


class NoGrad(Tiny):
    @torch.no_grad()
    def forward(self, x):
        return super().forward(x)


class Overwrites(Tiny):
    def forward(self, x):
        y = self.lift(x[..., 0]).exp()
        score = self.head(y.mean(dim=(2, 3)))
        y.mul_(0)
        return score


class Frames(Tiny):
    def forward(self, x):
        return self.head(self.lift(x[..., 0]).mean(dim=3).transpose(1, 2))


@pytest.mark.parametrize(
    ("model", "layer", "message"),
    [
        (Odd(), "lifts", r"unknown layer of Odd 'lifts'; did you mean 'lift'\? choices: after, flat"),
        (Odd(), "flat", r"layer 'flat' gave \(2, 48\) for 2 clips with 1 bodies"),
        (Odd(), "pair", "layer 'pair' gave tuple for 2 clips"),
        (Odd(), "halves", r"gave \(2, 2, 4, 3\): 3 on the axis of joints, where the clips have 6"),
        (Odd(), "unused", "layer 'unused' has no influence on the scores"),
        (Odd(), "after", "layer 'after' is not called in a forward pass"),
        (Detached(), "lift", "layer 'lift' has no influence on the scores"),
        (NoGrad(), "lift", "layer 'lift' of NoGrad cannot be differentiated"),
        (Overwrites(), "lift", r"Overwrites has no gradients \(one of the variables .* inplace operation\); does its"),
        (Frames(), "lift", r"the network must give \(clips, classes\) scores, got \(2, 4, 2\)"),
    ],
)
def test_one_clear_error(model, layer, message, rng):
    x = rng.normal(size=(2, 1, 4, 6, 1)).astype(np.float32)
    with pytest.raises(UserError, match=message):
        gradcam(model, x, np.array([4, 4]), [layer])
    assert not any(m._forward_hooks for m in model.modules())


def test_a_missing_body(model, clips):
    with pytest.raises(UserError, match="body 2 does not exist; the clips have 2"):
        gradcam_slices(model, *clips, model.layer_names, body=2)


def test_a_layer_that_fuses_the_bodies_has_one_map(rng):
    class Fused(Tiny):
        def forward(self, x):
            return self.head(self.lift(x.mean(dim=4)).mean(dim=(2, 3)))

    x = rng.normal(size=(2, 1, 4, 6, 2)).astype(np.float32)
    x[0, ..., 1] = 0
    found = gradcam(Fused(), x, np.array([4, 3]), ["lift"], target=1)
    assert found.maps[0].shape == (2, 1, 4, 6)
    expected = np.maximum(x.mean(axis=4)[:, 0, :3], 0) * 4 / 24  # beta = (0, -4) / (T V)
    np.testing.assert_allclose(found.maps[0][:, 0, :3], expected, rtol=1e-5)
