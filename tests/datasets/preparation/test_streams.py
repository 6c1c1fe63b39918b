"""The four streams of multi-branch networks against a plain loop, and where clips are odd."""

import numpy as np
import pytest
import torch
from scipy.signal import butter, sosfiltfilt

from analysis_lib.datasets.preparation.streams import streams
from analysis_lib.errors import UserError
from analysis_lib.skeletons.layouts import layout

PARENTS = (1, 1, 1, 2)


def clips(frames=40, coordinates=3, n=2):
    x = np.random.default_rng(0).normal(size=(n, coordinates, frames, 4, 2))
    return torch.from_numpy(x)


def by_loop(x, parents, reference):
    """Return the streams of one clip (C, T, V, M), as the published code computes them."""
    c, n_frames, n_joints, n_bodies = x.shape
    out = np.zeros((4, 2 * c, n_frames, n_joints, n_bodies))
    for v in range(n_joints):
        out[0, :c, :, v] = x[:, :, v]
        out[0, c:, :, v] = x[:, :, v] - x[:, :, reference]
        bone = x[:, :, v] - x[:, :, parents[v]]
        out[2, :c, :, v] = bone
        for k in range(c):
            out[2, c + k, :, v] = np.arccos(bone[k] / (np.sqrt((bone**2).sum(axis=0)) + 1e-4))
    for t in range(n_frames - 2):
        out[1, :c, t] = x[:, t + 1] - x[:, t]
        out[1, c:, t] = (x[:, t + 2] - x[:, t]) / 2
    smooth = sosfiltfilt(butter(8, 0.5, output="sos"), out[1], axis=1)
    for t in range(n_frames - 2):
        out[3, :c, t] = smooth[:c, t + 1] - smooth[:c, t]
        out[3, c:, t] = (smooth[c:, t + 2] - smooth[c:, t]) / 2
    return out


@pytest.mark.parametrize("coordinates", [2, 3])
def test_as_a_plain_loop_has_it(coordinates):
    x = clips(coordinates=coordinates)
    expected = np.stack([by_loop(clip, PARENTS, 2) for clip in x.numpy()])
    np.testing.assert_allclose(streams(x, PARENTS, 2).numpy(), expected, atol=2e-3)  # angles near 0 are cut off
    np.testing.assert_allclose(streams(x, PARENTS, 2)[:, [0, 1, 3]].numpy(), expected[:, [0, 1, 3]], atol=1e-12)


def test_gradients_are_those_of_differences():
    x = clips(frames=12, n=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: streams(x, PARENTS), x, fast_mode=True)


def test_the_end_of_a_clip_in_padding_is_no_movement():
    x = clips()
    x[0, :, 25:] = 0
    x[1, :, :, :, 1] = 0  # an absent body
    found = streams(x, PARENTS)
    assert not found[0, [1, 3], :, 23:].any()
    assert found[0, 1, :, 22].all()
    assert not found[1, [0, 1, 3], :, :, :, 1].any()
    assert (found[1, 2, 3:, :, :, 1] == torch.pi / 2).all()


def test_bones_without_length_have_gradients():
    x = torch.ones(1, 3, 30, 4, 1, requires_grad=True)
    found = streams(x, PARENTS)
    torch.testing.assert_close(found[:, 2, 3:], torch.full_like(found[:, 2, 3:], torch.pi / 2))
    found.sum().backward()
    assert x.grad.isfinite().all()
    long = torch.tensor([0.0, 5000.0]).view(1, 1, 1, 2, 1).expand(1, 3, 3, 2, 1).clone().requires_grad_()
    streams(long * torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1, 1), (0, 0)).sum().backward()
    assert long.grad.isfinite().all()  # millimetres: the cosine rounds to one


@pytest.mark.parametrize("frames", [1, 2, 3, 27, 28])
def test_short_clips(frames):
    found = streams(clips(frames=frames), PARENTS)
    assert found.shape == (2, 4, 6, frames, 4, 2)
    assert found.isfinite().all()
    assert not found[:, [1, 3], :, -2:].any()


@pytest.mark.parametrize(("parents", "reference"), [(PARENTS, 4), (PARENTS, -1), (layout("ntu-25").parents, 1)])
def test_joints_that_the_clips_lack(parents, reference):
    with pytest.raises(UserError, match="the clips have 4"):
        streams(clips(), parents, reference)
