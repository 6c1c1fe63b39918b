"""Embeddings: equal to a layer-by-layer pass, hooks always released, any layer layout named."""

import numpy as np
import pytest
import torch
from torch import nn

from analysis_lib.errors import UserError
from analysis_lib.geometry.embeddings import embed
from analysis_lib.networks.hooks import captured
from analysis_lib.networks.stgcn import STGCN
from analysis_lib.skeletons.layouts import layout


@pytest.fixture
def model():
    torch.manual_seed(0)
    return STGCN(layout("kinect-20"), 4, width=0.125)


@pytest.fixture
def clips(rng):
    return rng.normal(size=(5, 3, 16, 20, 2)).astype(np.float32), np.array([16, 9, 1, 12, 16])


def n_hooks(model):
    return sum(len(m._forward_hooks) for m in model.modules())


def test_features_are_those_of_a_pass_block_by_block(model, clips):
    x, lengths = clips
    result = embed(model, x, lengths, model.layer_names, body=1, batch_size=2)
    model.eval()
    with torch.no_grad():
        y = torch.from_numpy(x).permute(0, 4, 3, 1, 2).reshape(10, 60, 16)
        y = model.data_bn(y).view(10, 20, 3, 16).permute(0, 2, 3, 1)
        for block, importance, found in zip(
            model.st_gcn_networks, model.edge_importance, result.features[1:], strict=True
        ):
            y = block(y, model.A * importance)
            flat = y[1::2].permute(0, 2, 1, 3).reshape(5, y.shape[2], -1)
            np.testing.assert_allclose(found, flat.numpy(), rtol=1e-4, atol=1e-6)


def test_the_input_is_layer_zero(model, clips):
    x, lengths = clips
    result = embed(model, x, lengths, [], reduce="flatten")
    assert result.layers == ("input",)
    np.testing.assert_array_equal(result.features[0], x[..., 0].transpose(0, 2, 1, 3).reshape(5, 16, 60))


def test_lengths_follow_the_temporal_strides(model, clips):
    x, lengths = clips
    result = embed(model, x, lengths, model.layer_names)
    assert [f.shape[1] for f in result.features] == [16] * 5 + [8] * 3 + [4] * 3
    assert result.lengths[-1].tolist() == [4, 3, 1, 3, 4]  # ceil(n / 4)


def test_reductions_are_means_over_channels_or_joints(model, clips):
    x, lengths = clips
    name = model.layer_names[3]
    flat, joint, channel = (
        embed(model, x, lengths, [name], reduce=r).features[1].astype(np.float64)
        for r in ("flatten", "joint", "channel")
    )
    cube = flat.reshape(5, 16, -1, 20)  # (n, T, C, V)
    np.testing.assert_allclose(joint, cube.mean(axis=2), atol=1e-6)
    np.testing.assert_allclose(channel, cube.mean(axis=3), atol=1e-6)


def test_memory_mapped_features_are_the_same(model, clips, tmp_path):
    x, lengths = clips
    plain = embed(model, x, lengths, model.layer_names)
    mapped = embed(model, x, lengths, model.layer_names, max_memory=1000, folder=tmp_path)
    assert all(isinstance(f, np.memmap) for f in mapped.features)
    for a, b in zip(plain.features, mapped.features, strict=True):
        np.testing.assert_array_equal(a, b)


def test_hooks_are_gone_after_an_exception_and_the_mode_is_restored(model, clips):
    x, lengths = clips
    model.train()
    with pytest.raises(UserError, match="coordinates a frame"):
        embed(model, x[:, :, :, :7], lengths, model.layer_names)
    assert n_hooks(model) == 0
    assert model.training


def test_inputs_are_left_alone(model, clips):
    x, lengths = clips
    before = x.copy(), {k: v.clone() for k, v in model.state_dict().items()}
    embed(model, x, lengths, model.layer_names)
    np.testing.assert_array_equal(x, before[0])
    for key, value in model.state_dict().items():
        torch.testing.assert_close(value, before[1][key])


def test_unknown_layer_lists_the_models_own(model):
    with (
        pytest.raises(UserError, match=r"unknown layer of STGCN 'st_gcn_network\.3'; did you mean"),
        captured(model, ["st_gcn_network.3"]),
    ):
        pass
    assert n_hooks(model) == 0


def test_a_layer_of_another_shape_says_what_came():
    class Flat(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Flatten()

        def forward(self, x):
            return self.head(x)

    with pytest.raises(UserError, match=r"layer 'head' gives \(3, 60\) for 3 clips of .* no axes that can be read"):
        embed(Flat(), np.zeros((2, 3, 4, 5, 1), np.float32), np.array([4, 4]), ["head"])


def test_a_missing_body(model, clips):
    with pytest.raises(UserError, match="body 2 does not exist; the clips have 2"):
        embed(model, *clips, layers=[], body=2)


def test_what_works_in_place_does_not_reach_back(rng):
    """A foreign model with in-place modules, of which the first changes the clips themselves."""
    torch.manual_seed(0)
    conv, relu = nn.Conv2d(3, 4, 1), nn.ReLU(inplace=True)
    model = nn.Sequential(nn.Hardtanh(-0.5, 0.5, inplace=True), conv, relu)

    class OneBody(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = model

        def forward(self, x):
            return self.body(x[..., 0]).mean(dim=(2, 3))

    x = rng.normal(size=(3, 3, 4, 5, 1)).astype(np.float32)
    before = x.copy()
    found = embed(OneBody(), x, np.array([4, 4, 2]), ["body.1", "body.2"])
    with torch.no_grad():
        expected = conv(torch.from_numpy(before[..., 0]).clamp(-0.5, 0.5)).numpy()
    flat = [a.transpose(0, 2, 1, 3).reshape(3, 4, -1) for a in (before[..., 0], expected, expected.clip(0))]
    np.testing.assert_array_equal(x, before)
    for a, b in zip(found.features, flat, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
