"""What every method shares: maps by frame and by slice, targets, nodes that are no joints."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from analysis_lib.errors import UserError
from analysis_lib.explain.method import Maps, on_joints, slice_weights, target_classes
from analysis_lib.explain.registry import named_method


@pytest.mark.parametrize("n_frames", [1, 3, 6, 40])
def test_maps_on_the_frames_of_a_clip(rng, n_frames):
    """Two layers, the second with half the frames and one map for both bodies; 6 of 8 are valid."""
    maps = rng.random((3, 2, 8, 5)), rng.random((3, 1, 4, 5))
    lengths = np.array([8, 6, 8]), np.array([4, 3, 4])
    shown = Maps(("a", "b"), maps, lengths, np.zeros((3, 2)), np.zeros(3))
    found = shown.on_frames(1, n_frames, 2)
    assert found.shape == (2, 2, n_frames, 5)
    for t in range(n_frames):
        np.testing.assert_array_equal(found[0, :, t], maps[0][1, :, int(t * 6 / n_frames)])
        for body in (0, 1):
            np.testing.assert_array_equal(found[1, body, t], maps[1][1, 0, int(t * 3 / n_frames)])
    np.testing.assert_array_equal(shown.on_frames(1, n_frames), found[:, :1])
    with pytest.raises(UserError, match="layer 'a' has maps of 2 bodies; the clip has 3"):
        shown.on_frames(1, n_frames, 3)
    by_slice = shown.by_slice(2, body=1)  # of clip 1: frames 0 to 2 and 3 to 5; then 0 to 1.5, and 1.5 to 3
    np.testing.assert_allclose(by_slice[1, 0], [maps[0][1, 1, :3].mean(axis=0), maps[0][1, 1, 3:6].mean(axis=0)], 1e-6)
    np.testing.assert_allclose(by_slice[1, 1, 0], (maps[1][1, 0, 0] + maps[1][1, 0, 1] / 2) / 1.5, rtol=1e-6)


@given(st.integers(1, 9), st.integers(0, 4), st.integers(1, 6))
def test_slices_share_out_the_valid_frames(length, padding, n_slices):
    (weights,) = slice_weights(np.array([length]), length + padding, n_slices)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    np.testing.assert_allclose(weights.mean(axis=0)[:length], 1 / length)
    assert not weights[:, length:].any()


def test_no_slice_at_all():
    with pytest.raises(UserError, match="n_slices must be at least 1, got 0"):
        slice_weights(np.array([3]), 4, 0)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("ture", "unknown target 'ture'; choices: a class's number for each clip, predicted"),
        (np.array([0, 3]), r"the classes 0\.\.2; there is no 3"),
        (-1, r"the classes 0\.\.2; there is no -1"),
    ],
)
def test_targets_that_are_none(target, message):
    with pytest.raises(UserError, match=message):
        target_classes(torch.zeros(2, 3), target)


def having(**nodes):
    model = nn.Identity()
    model.layer_nodes = nodes
    return model


def test_an_even_map_stays_even_and_parts_alike_keep_the_mean(rng):
    parts = torch.eye(2).repeat_interleave(3, dim=1)  # two parts of three joints
    maps = torch.tensor(rng.random((4, 1, 5, 2)), dtype=torch.float32)
    found = on_joints(maps, "pool", having(pool=parts), 6)
    torch.testing.assert_close(found, maps.repeat_interleave(3, dim=3))
    torch.testing.assert_close(found.mean(dim=3), maps.mean(dim=3))
    uneven = rng.random((3, 6))
    torch.testing.assert_close(on_joints(torch.full((3,), 7.0), "pool", having(pool=uneven), 6), torch.full((6,), 7.0))
    few = on_joints(torch.tensor([1.0, 2.0]), "pool", having(pool=np.eye(2, 6)), 6)
    assert few.tolist() == [1, 2, 0, 0, 0, 0]  # the network looks at two joints only
    assert on_joints(maps, "other", having(pool=parts), 2) is maps


@pytest.mark.parametrize("weights", [np.ones((3, 6)), np.ones((2, 5)), np.zeros((2, 6)), -np.eye(2, 6)])
def test_weights_of_nodes_that_do_not_fit(weights):
    with pytest.raises(UserError, match=r"layer_nodes\['pool'\] of Identity must hold weights of shape \(2, 6\)"):
        on_joints(torch.ones(2), "pool", having(pool=weights), 6)


def test_nodes_of_which_nothing_is_known():
    with pytest.raises(UserError, match=r"gave 2 nodes .* set `layer_nodes` of Identity to {'pool': weights of"):
        on_joints(torch.ones(2), "pool", nn.Identity(), 6)


def test_methods_have_names():
    with pytest.raises(UserError, match="unknown attribution method 'grad-cam'; did you mean 'gradcam'"):
        named_method("grad-cam")
    with pytest.raises(UserError, match="unknown GradCAM variant 'papre'; did you mean 'paper'"):
        named_method("gradcam", variant="papre")
