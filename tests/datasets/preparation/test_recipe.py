"""Preprocessing: laws of the tensor, the NW-UCLA feeder by an independent route, augmentations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import (
    PREPROCESSINGS,
    Preprocessing,
    clip_tensor,
    clip_tensors,
    crop_frames,
    min_max,
    mirror,
    turn,
    turn_about_y,
)
from analysis_lib.datasets.preparation.steps import pre_normalise
from analysis_lib.errors import UserError
from analysis_lib.skeletons.layouts import layout

KINECT = layout("kinect-20")


def clip(rng, n_frames=9, n_bodies=1, n_joints=20):
    return rng.normal(size=(n_bodies, n_frames, n_joints, 3)).astype(np.float32)


def test_nw_ucla_feeder_step_by_step(rng):
    x = clip(rng, n_frames=30)
    found, length = clip_tensor(x, KINECT, PREPROCESSINGS["nw-ucla"])
    moved = x[0] - x[0, 0, 1]
    for axis in range(3):
        low, high = moved[..., axis].min(), moved[..., axis].max()
        moved[..., axis] = (moved[..., axis] - low) / (high - low) * 2 - 1
    frames = np.floor(np.linspace(0, 29, 52)).astype(int)
    np.testing.assert_allclose(found[..., 0], moved[frames].transpose(2, 0, 1), atol=1e-6)
    assert found.shape == (3, 52, 20, 1)
    assert length == 52


def test_padding_keeps_frames_and_fills_with_zeros(rng):
    x = clip(rng, n_frames=5)
    recipe = Preprocessing(frames=8, fit="pad", steps=("first-bodies",))
    found, length = clip_tensor(x, KINECT, recipe)
    np.testing.assert_array_equal(found[:, :5, :, 0], x[0].transpose(2, 0, 1))
    assert not found[:, 5:].any()
    assert length == 5


def test_too_long_clips_are_thinned_evenly(rng):
    x = clip(rng, n_frames=17)
    recipe = Preprocessing(frames=5, fit="pad", steps=("first-bodies",))
    found, length = clip_tensor(x, KINECT, recipe)
    np.testing.assert_array_equal(found[..., 0], x[0, ::4].transpose(2, 0, 1))
    assert length == 5


@given(
    frames=st.integers(1, 40),
    wanted=st.integers(1, 40),
    fit=st.sampled_from(["pad", "resample"]),
    bodies=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_every_clip_becomes_a_finite_tensor(frames, wanted, fit, bodies, seed):
    rng = np.random.default_rng(seed)
    recipe = Preprocessing(frames=wanted, fit=fit, bodies=bodies, augment=("turn", "mirror"))
    found, length = clip_tensor(clip(rng, frames), KINECT, recipe, rng)
    assert found.shape == (3, wanted, 20, bodies)
    assert np.isfinite(found).all()
    assert length == (wanted if fit == "resample" else min(frames, wanted))
    assert not found[..., 1:].any()  # bodies that are not there


def test_min_max_reaches_both_ends_and_survives_a_flat_axis(rng):
    x = clip(rng)
    x[..., 1] = 0.3
    y = min_max(x)
    assert y[..., 0].min() == -1
    assert y[..., 2].max() == 1
    assert not y[..., 1].any()


@pytest.mark.parametrize("change", [turn, turn_about_y])
def test_turns_keep_bone_lengths_and_the_input(rng, change):
    def bones(z):
        return np.stack([np.linalg.norm(z[:, :, a] - z[:, :, b], axis=-1) for a, b in KINECT.edges])

    x = clip(rng)
    before = x.copy()
    y = change(x, KINECT, rng)
    np.testing.assert_allclose(bones(y), bones(x), rtol=1e-4)
    assert not np.allclose(y, x)
    np.testing.assert_array_equal(x, before)


def test_a_turn_about_y_keeps_heights(rng):
    x = clip(rng)
    y = turn_about_y(x, KINECT, rng)
    np.testing.assert_allclose(y[..., 1], x[..., 1], atol=1e-6)
    assert not np.allclose(y[..., 0], x[..., 0])


def test_the_mirror_exchanges_left_and_right(rng):
    x = clip(rng)
    flipped = next(y for s in range(20) if (y := mirror(x, KINECT, np.random.default_rng(s))) is not x)
    left, right = KINECT.joint("left hand"), KINECT.joint("right hand")
    np.testing.assert_array_equal(flipped[:, :, left], x[:, :, right] * [-1, 1, 1])
    np.testing.assert_array_equal(flipped[:, :, 3], x[:, :, 3] * [-1, 1, 1])


def test_a_crop_is_a_stretch_of_the_clip(rng):
    x = clip(rng, n_frames=20)
    y = crop_frames(x, KINECT, rng)
    assert 16 <= y.shape[1] <= 20
    start = np.flatnonzero(x[0, :, 0, 0] == y[0, 0, 0, 0])[0]
    np.testing.assert_array_equal(y, x[:, start : start + y.shape[1]])


def test_evaluation_is_deterministic_and_augmentation_follows_the_seed(rng):
    data = SkeletonDataset("toy", KINECT, [clip(rng), clip(rng, 30)], [0, 1], ("a", "b"))
    recipe = PREPROCESSINGS["nw-ucla"]
    plain, lengths = clip_tensors(data, recipe)
    np.testing.assert_array_equal(plain, clip_tensors(data, recipe)[0])
    assert lengths.tolist() == [52, 52]
    once, again, other = (clip_tensors(data, recipe, np.random.default_rng(s))[0] for s in (1, 1, 2))
    np.testing.assert_array_equal(once, again)
    assert not np.allclose(once, other)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fit": "resampel"}, "unknown length rule 'resampel'; did you mean 'resample'"),
        ({"steps": ("minmax",)}, "unknown preprocessing step 'minmax'; did you mean 'min-max'"),
        ({"augment": ("flip",)}, "unknown augmentation 'flip'"),
        ({"frames": 0}, "frames and bodies must be at least 1, got 0, 1"),
    ],
)
def test_recipes_that_cannot_work(arguments, message):
    with pytest.raises(UserError, match=message):
        Preprocessing(**arguments)


@pytest.mark.parametrize("n_bodies", [1, 2, 3])
def test_the_agcn_recipe_is_the_published_pre_normalisation(rng, n_bodies):
    x = clip(rng, n_frames=40, n_bodies=n_bodies, n_joints=25)
    found, _ = clip_tensor(x, layout("ntu-25"), PREPROCESSINGS["agcn"])
    np.testing.assert_allclose(found, pre_normalise(x).transpose(3, 1, 2, 0), atol=1e-5)
