"""Preprocessing: laws of the tensor, the NW-UCLA feeder by an independent route, augmentations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.augmentations import crop_frames, mirror, turn, turn_about_y
from analysis_lib.datasets.preparation.recipe import PREPROCESSINGS, Preprocessing, clip_tensor, clip_tensors
from analysis_lib.datasets.preparation.steps import min_max
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


@pytest.mark.parametrize("step", ["centre-clip", "centre-frames"])
def test_the_origin_is_the_skeletons_own_centre_unless_a_recipe_says_otherwise(rng, step):
    x, body = clip(rng, n_joints=17), layout("coco-17")
    found, other = (
        clip_tensor(x, body, Preprocessing(frames=9, steps=(step,), **how))[0] for how in ({}, {"centre": 5})
    )
    assert body.centre != 5
    assert not found[:, 0, body.centre].any()
    assert not other[:, 0, 5].any()


def test_padding_fills_up_with_zeros_and_thins_longer_clips_evenly(rng):
    x, recipe = clip(rng, n_frames=17), Preprocessing(frames=8, fit="pad", steps=("first-bodies",))
    found, length = clip_tensor(x[:, :5], KINECT, recipe)
    np.testing.assert_array_equal(found[:, :5, :, 0], x[0, :5].transpose(2, 0, 1))
    assert not found[:, 5:].any()
    thin, full = clip_tensor(x, KINECT, Preprocessing(frames=5, fit="pad", steps=("first-bodies",)))
    np.testing.assert_array_equal(thin[..., 0], x[0, ::4].transpose(2, 0, 1))
    assert (length, full) == (5, 5)


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
    assert not np.allclose(y[..., 0], x[..., 0])
    assert np.allclose(y[..., 1], x[..., 1], atol=1e-6) == (change is turn_about_y)  # heights
    np.testing.assert_array_equal(x, before)


def test_turns_are_about_x_and_y_by_up_to_sixty_degrees():
    """The image of the z axis, of many turns: both angles read off, uniform within the limit."""
    z = np.array([[[[0.0, 0.0, 1.0]]]])
    x, y, z = np.array([turn(z, KINECT, np.random.default_rng(s)).ravel() for s in range(400)]).T
    about_x, about_y = np.degrees(np.arcsin(-y)), np.degrees(np.arctan2(x, z))
    for angle in (about_x, about_y):
        assert -60 <= angle.min() < -58
        assert 58 < angle.max() <= 60
        assert abs(angle.std() - 120 / np.sqrt(12)) < 3
    x_axis = turn(np.array([[[[1.0, 0.0, 0.0]]]]), KINECT, np.random.default_rng(0)).ravel()
    assert x_axis[1] == pytest.approx(0, abs=1e-12)  # no roll about z


def test_random_frames_come_in_order_and_evenly():
    x = np.arange(30, dtype=np.float32).reshape(1, 30, 1, 1) * np.ones((1, 1, 20, 3), np.float32)
    recipe = Preprocessing(frames=52, steps=("first-bodies",))
    drawn = np.array([clip_tensor(x, KINECT, recipe, np.random.default_rng(s))[0][0, :, 0, 0] for s in range(200)])
    assert (np.diff(drawn, axis=1) >= 0).all()
    counts = np.bincount(drawn.ravel().astype(int), minlength=30)
    assert counts.min() > 0.85 * counts.mean()


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
