"""Steps: equal to the published chain written out literally, and their laws and limits."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from analysis_lib.datasets.preparation.recipe import PREPROCESSINGS, clip_tensor
from analysis_lib.datasets.preparation.steps import (
    align_axis,
    bones,
    centre_clip,
    centre_frames,
    fill_null_frames,
    first_bodies,
    largest_bodies,
    min_max,
    motion,
)
from analysis_lib.errors import UserError
from analysis_lib.skeletons.layouts import NTU_25

seeds = st.integers(0, 2**32 - 1)
angles = st.tuples(*[st.floats(-3, 3)] * 3)


def ntu_clip(rng, n_bodies=2, n_frames=12):
    """Return a clip of drifting bodies, with an upright spine and shoulders to the sides."""
    x = 0.1 * rng.normal(size=(n_bodies, n_frames, 25, 3))
    x += np.cumsum(0.02 * rng.normal(size=(n_bodies, n_frames, 1, 3)), axis=1)
    x += [0.3, 0.2, 3.0]
    x[:, :, 1] += [0.0, 0.5, 0.1]
    x[:, :, 8] += [0.4, 0.6, 0.0]
    return x


def agcn(x, n_frames):
    """Return a clip after the chain of 2s-AGCN, (2, T, 25, 3)."""
    tensor, _ = clip_tensor(x, NTU_25, replace(PREPROCESSINGS["agcn"], frames=n_frames))
    return tensor.transpose(3, 1, 2, 0)


def turned(x, vector):
    return x @ Rotation.from_rotvec(vector).as_matrix().T


def column(*values):
    """Return a clip of one body, one joint and one coordinate."""
    return np.array(values, float).reshape(1, -1, 1, 1)


# --- bodies ---------------------------------------------------------------------------------------


def test_first_bodies_cuts_and_pads(rng):
    x = rng.normal(size=(3, 4, 2, 3))
    np.testing.assert_array_equal(first_bodies(x, 2), x[:2])
    padded = first_bodies(x, 5)
    np.testing.assert_array_equal(padded[:3], x)
    assert padded.shape == (5, 4, 2, 3)
    assert not padded[3:].any()


def test_the_energy_counts_only_frames_with_a_body():
    # body 0 is still but absent half of the time; with its null frames it would spread more
    still, moving = np.full((4, 2, 3), 9.0), np.linspace(0.5, 1.5, 24).reshape(4, 2, 3)
    still[2:] = 0
    x = largest_bodies(np.stack([still, moving]), 2)
    np.testing.assert_array_equal(x, np.stack([moving, still]))


def test_bodies_are_ranked_by_the_sum_of_standard_deviations(rng):
    x = rng.normal(size=(4, 10, 5, 3)) * np.array([1, 4, 2, 3]).reshape(4, 1, 1, 1)
    energy = [sum(np.std(body[:, :, c].tolist()) for c in range(3)) for body in x]
    order = sorted(range(4), key=lambda m: -energy[m])
    assert order == [1, 3, 2, 0]
    np.testing.assert_array_equal(largest_bodies(x, 3), x[order[:3]])


def test_a_score_is_no_space(rng):
    near, far = rng.normal(size=(2, 10, 5, 3)) * np.array([1, 1, 9]), rng.normal(size=(2, 10, 5, 3)) * 2
    x = np.stack([near[0], far[0]])
    np.testing.assert_array_equal(largest_bodies(x, 2), x)
    np.testing.assert_array_equal(largest_bodies(x, 2, 2), x[::-1])


def test_equal_bodies_keep_their_order(rng):
    body = rng.normal(size=(3, 2, 3))
    for pair in ([body, -body], [-body, body]):
        np.testing.assert_array_equal(largest_bodies(np.stack(pair), 2), pair)


def test_a_missing_second_body_is_zeros(rng):
    x = largest_bodies(rng.normal(size=(1, 3, 2, 3)))
    assert x.shape == (2, 3, 2, 3)
    assert not x[1].any()


# --- null frames ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clip", "filled"),
    [
        (column(1, 2, 3), [1, 2, 3, 1, 2, 3, 1, 2]),
        (column(1, 2, 0, 0), [1, 2, 1, 2, 1, 2, 1, 2]),
        (column(1, 0, 3, 0), [1, 0, 3, 1, 0, 3, 1, 0]),  # inner gap stays: the body was there
        (column(0, 1, 0, 3, 0), [1, 3, 1, 3, 1, 3, 1, 3]),  # and goes with a leading one
        (column(0, 0), [0] * 8),
        (column(*range(1, 9)), list(range(1, 9))),
    ],
)
def test_null_frames_by_hand(clip, filled):
    assert fill_null_frames(clip, 8).ravel().tolist() == filled


def test_bodies_are_filled_each_for_itself():
    x = np.concatenate([column(1, 2, 3, 4), column(0, 5, 0, 0)])
    assert fill_null_frames(x, 6)[..., 0, 0].tolist() == [[1, 2, 3, 4, 1, 2], [5] * 6]


def test_a_clip_that_is_too_long_is_refused():
    with pytest.raises(UserError, match=r"^a clip of 3 frames does not fit into 2; choose more"):
        fill_null_frames(column(1, 2, 3), 2)


# --- centring -------------------------------------------------------------------------------------


def test_frames_are_centred_on_the_first_body_and_zeros_stay():
    x = np.zeros((2, 3, 2, 1))
    x[0, :, :, 0] = [[1, 4], [0, 0], [2, 0]]
    x[1, :, :, 0] = [[7, 0], [8, 9], [0, 5]]
    found = centre_frames(x, 0)[..., 0]
    # frame 1 has no first body: nothing to subtract
    assert found.tolist() == [[[0, 3], [0, 0], [0, 0]], [[6, 0], [8, 9], [0, 3]]]


def test_a_clip_is_centred_by_one_offset_and_zeros_stay():
    x = np.zeros((2, 3, 2, 1))
    x[0, :, :, 0] = [[0, 0], [1, 4], [2, 0]]
    x[1, :, :, 0] = [[7, 0], [0, 0], [3, 5]]
    found = centre_clip(x, 1)[..., 0]
    assert found.tolist() == [[[0, 0], [-3, 0], [-2, 0]], [[3, 0], [0, 0], [-1, 1]]]


def test_a_clip_without_a_first_body_is_left_alone():
    x = np.concatenate([column(0, 0), column(1, 2)])
    np.testing.assert_array_equal(centre_clip(x, 0), x)


@pytest.mark.parametrize("centre", [centre_frames, centre_clip])
def test_centring_forgets_where_the_clip_was(rng, centre):
    x, shift = ntu_clip(rng), np.array([5.0, -2.0, 1.0])
    np.testing.assert_allclose(centre(x + shift, 1), centre(x, 1), atol=1e-12)


# --- rotation: an independent, literal route ------------------------------------------------------


def rodrigues(axis, angle):
    """Return the rotation matrix I + sin K + (1 - cos) K K of the published rule."""
    if np.abs(axis).sum() < 1e-6 or abs(angle) < 1e-6:
        return np.eye(3)
    a, b, c = axis / np.sqrt((axis**2).sum())
    k = np.array([[0, -c, b], [c, 0, -a], [-b, a, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k


def literal_rotation(x, joint_from, joint_to, target):
    """Return the clip rotated joint by joint."""
    v = x[0, 0, joint_to] - x[0, 0, joint_from]
    cosine = np.clip(v @ target / np.linalg.norm(v), -1, 1)
    matrix = rodrigues(np.cross(v, target), np.arccos(cosine))
    y = np.zeros_like(x)
    for m, t, j in np.ndindex(x.shape[:3]):
        y[m, t, j] = matrix @ x[m, t, j]
    return y


def literal_pre_normalisation(x, n_frames):
    """Return family (b) by loops: pad, fill, centre, spine to z, shoulders to x."""

    def energy(s):
        s = s[s.sum(axis=(1, 2)) != 0]
        return sum(s[:, :, c].std() for c in range(3)) if len(s) else 0

    best = sorted(range(len(x)), key=lambda m: -energy(x[m]))[:2]
    s = np.zeros((2, n_frames, 25, 3))
    for m, source in enumerate(best):
        s[m, : x.shape[1]] = x[source]
    for person in s:
        if person.sum() == 0:
            continue
        if person[0].sum() == 0:
            packed = person[person.sum(axis=(1, 2)) != 0].copy()
            person[:] = 0
            person[: len(packed)] = packed
        for t in range(1, n_frames):
            if person[t:].sum() == 0:
                for u in range(t, n_frames):
                    person[u] = person[(u - t) % t]
                break
    centre = s[0, :, 1].copy()
    for m, t, j in np.ndindex(s.shape[:3]):
        if s[m, t, j].sum() != 0:
            s[m, t, j] -= centre[t]
    s = literal_rotation(s, 0, 1, np.array([0, 0, 1]))
    return literal_rotation(s, 4, 8, np.array([1, 0, 0]))


@pytest.mark.parametrize("n_bodies", [1, 2, 3, 5])
def test_the_agcn_recipe_is_the_published_pre_normalisation(rng, n_bodies):
    x = ntu_clip(rng, n_bodies)
    x[-1, :3] = 0  # a body that comes late,
    x[0, 5] = 0  # one with a gap,
    x[0, -2:] = 0  # and a tail to fill
    np.testing.assert_allclose(agcn(x, 30), literal_pre_normalisation(x, 30), atol=1e-6)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_bone_points_along_the_axis_and_nothing_is_deformed(rng, axis):
    x = ntu_clip(rng)
    y = align_axis(x, 3, 17, axis)
    np.testing.assert_allclose(y, literal_rotation(x, 3, 17, np.eye(3)[axis]), atol=1e-12)
    bone = y[0, 0, 17] - y[0, 0, 3]
    np.testing.assert_allclose(bone / np.linalg.norm(bone), np.eye(3)[axis], atol=1e-12)
    lengths = [np.linalg.norm(np.diff(z, axis=2), axis=-1) for z in (x, y)]
    np.testing.assert_allclose(*lengths, atol=1e-12)
    turn = np.linalg.lstsq(x.reshape(-1, 3), y.reshape(-1, 3), rcond=None)[0]
    assert np.linalg.det(turn) == pytest.approx(1)  # and not a mirror image


@pytest.mark.parametrize("bone", [[0, 0, 0], [0, 0, 2], [0, 0, -2], [1e-8, 0, 1]])
def test_degenerate_bones_rotate_nothing(rng, bone):
    x = rng.normal(size=(1, 2, 3, 3))
    x[0, 0, 1] = x[0, 0, 0] + bone
    np.testing.assert_array_equal(align_axis(x, 0, 1, axis=2), x)


def test_zeros_stay_zero(rng):
    x = ntu_clip(rng, 3).astype(np.float32)
    x[0, 6], x[1, 2:4], x[1, 8, 9] = 0, 0, 0
    for y in (centre_frames(x, 2), centre_clip(x, 2), align_axis(x, 4, 8, 0)):
        assert (y[x == 0] == 0).all()
        assert y.dtype == np.float32
    y = agcn(x[:1], 40)
    assert not y[0, 6].any()
    assert not y[1].any()


# --- laws of the chain: what a change of view or of place does to its result ---------------------


def is_safe(*clips):
    """Return whether no rotation of the chain is near the half turn, where the rule breaks off."""
    for x in clips:
        spine = x[0, 0, 1] - x[0, 0, 0]
        upright = align_axis(x, 0, 1, 2)
        shoulders = upright[0, 0, 8] - upright[0, 0, 4]
        if spine[2] / np.linalg.norm(spine) < -0.99:
            return False
        if shoulders[0] / np.linalg.norm(shoulders) < -0.99:
            return False
    return True


@given(seeds, angles)
@settings(max_examples=40, deadline=None)
def test_the_view_does_not_matter_where_shoulders_are_square_to_the_spine(seed, vector):
    x = ntu_clip(np.random.default_rng(seed), 1)
    spine = x[0, 0, 1] - x[0, 0, 0]
    shoulders = x[0, 0, 8] - x[0, 0, 4]
    x[0, 0, 8] -= spine * (shoulders @ spine) / (spine @ spine)
    assume(is_safe(x, turned(x, vector)))
    np.testing.assert_allclose(agcn(turned(x, vector), 15), agcn(x, 15), atol=1e-5)


@given(seeds, angles)
@settings(max_examples=40, deadline=None)
def test_any_two_views_differ_by_a_turn_about_the_shoulders(seed, vector):
    x = ntu_clip(np.random.default_rng(seed), 1)
    assume(is_safe(x, turned(x, vector)))
    a, b = agcn(x, 15)[0], agcn(turned(x, vector), 15)[0]
    np.testing.assert_allclose(b[..., 0], a[..., 0], atol=1e-5)
    np.testing.assert_allclose(  # y, z: same radius about the x axis
        np.hypot(b[..., 1], b[..., 2]), np.hypot(a[..., 1], a[..., 2]), atol=1e-5
    )


def test_the_second_rotation_tilts_the_spine(rng):
    x = ntu_clip(rng, 1)
    y = agcn(x, 12)[0, 0]
    shoulders, spine = y[8] - y[4], y[1] - y[0]
    np.testing.assert_allclose(shoulders[1:], 0, atol=1e-6)
    assert abs(spine[0]) > 1e-3  # as documented: only the last alignment is exact
    view = agcn(turned(x, [0.4, 0.9, -0.3]), 12)[0, 0]
    assert np.abs(view - y).max() > 1e-3


@given(seeds, st.tuples(*[st.floats(-5, 5)] * 3))
@settings(max_examples=25, deadline=None)
def test_the_place_in_the_room_does_not_matter(seed, shift):
    x = ntu_clip(np.random.default_rng(seed))
    np.testing.assert_allclose(agcn(x + np.array(shift), 20), agcn(x, 20), atol=1e-5)


# --- streams --------------------------------------------------------------------------------------


def test_bones_add_up_to_where_a_joint_is_from_its_root(rng):
    x = ntu_clip(rng)
    found, way, joint = bones(x, NTU_25.parents), np.zeros_like(x[:, :, 0]), NTU_25.joint("right hand tip")
    while NTU_25.parents[joint] != joint:
        way, joint = way + found[:, :, joint], NTU_25.parents[joint]
    np.testing.assert_allclose(way, x[:, :, NTU_25.joint("right hand tip")] - x[:, :, joint])
    assert not found[:, :, joint].any()


def test_motions_add_up_to_the_whole_way(rng):
    x = ntu_clip(rng)
    np.testing.assert_allclose(motion(x).sum(axis=1), x[:, -1] - x[:, 0])


@pytest.mark.parametrize("stream", [lambda x: bones(x, NTU_25.parents), motion])
def test_what_is_not_seen_makes_no_jump(rng, stream):
    x = ntu_clip(rng)
    x[0, 4:6, 7] = 0
    found = stream(x)
    assert not found[0, 4:6, 7].any()
    assert np.abs(found).max() < 1.5  # the place in the room, 3 m away, is not taken for a bone or a step


# --- contract -------------------------------------------------------------------------------------

STEPS = {
    "first_bodies": lambda x: first_bodies(x, 2),
    "largest_bodies": lambda x: largest_bodies(x, 2),
    "fill_null_frames": lambda x: fill_null_frames(x, 40),
    "centre_frames": lambda x: centre_frames(x, 1),
    "centre_clip": lambda x: centre_clip(x, 1),
    "align_axis": lambda x: align_axis(x, 0, 1, 2),
    "min_max": min_max,
    "bones": lambda x: bones(x, NTU_25.parents),
    "motion": motion,
}


@pytest.mark.parametrize("step", STEPS)
def test_inputs_are_unchanged_and_results_are_new(rng, step):
    x = ntu_clip(rng, 3).astype(np.float32)
    x[0, :2] = 0
    before = x.copy()
    y = STEPS[step](x)
    np.testing.assert_array_equal(x, before)
    assert y.dtype == np.float32
    y += 1
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("step", STEPS)
def test_what_is_not_a_clip_is_refused(step):
    with pytest.raises(UserError, match=r"expected one clip .* got shape \(12, 25, 3\)"):
        STEPS[step](np.zeros((12, 25, 3)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: first_bodies(x, 0), "the number of bodies must be at least 1, got 0"),
        (lambda x: centre_frames(x, 25), "joint 25 does not exist: the clip has 25 joints"),
        (lambda x: centre_clip(x, -1), "joint -1 does not exist: the clip has 25 joints"),
        (lambda x: align_axis(x, 0, 30, 2), "joint 30 does not exist: the clip has 25 joints"),
        (lambda x: align_axis(x, 0, 1, 3), "got 3 coordinates and axis 3"),
        (lambda x: align_axis(x[..., :2], 0, 1, 0), "got 2 coordinates and axis 0"),
    ],
)
def test_errors_say_what_is_wrong(rng, call, message):
    with pytest.raises(UserError, match=message):
        call(ntu_clip(rng))
