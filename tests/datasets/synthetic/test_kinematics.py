"""Forward kinematics: poses by hand, a naive second route, and the laws of a rigid body."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from analysis_lib.datasets.synthetic.kinematics import (
    _SIGNS,
    _TREE,
    FRAMES,
    OFFSETS,
    OPPOSITE,
    forward_kinematics,
    mirror_angles,
    on_floor,
    within_reach,
)
from analysis_lib.datasets.synthetic.motions import pose
from analysis_lib.skeletons.layouts import layout

NTU = layout("ntu-25")
SEEDS = st.integers(0, 2**32 - 1)


def posed(text: str) -> dict[str, np.ndarray]:
    """Return the place of each joint in a pose given as text."""
    x = forward_kinematics(pose(text)[:-1].reshape(1, len(FRAMES), 3))[0]
    return dict(zip(NTU.joints, x, strict=True))


def some_angles(seed: int, frames: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-80, 80, (frames, len(FRAMES), 3))


@pytest.mark.parametrize(
    ("text", "joint", "parent", "direction"),
    [
        ("", "right elbow", "right shoulder", (0, -1, 0)),
        ("both shoulder flex 90", "right elbow", "right shoulder", (0, 0, -1)),
        ("both shoulder flex 90", "left elbow", "left shoulder", (0, 0, -1)),
        ("both shoulder side 90", "right elbow", "right shoulder", (1, 0, 0)),
        ("both shoulder side 90", "left elbow", "left shoulder", (-1, 0, 0)),
        ("both elbow flex 90", "left wrist", "left elbow", (0, 0, -1)),
        ("both shoulder twist 90, both elbow flex 90", "right wrist", "right elbow", (-1, 0, 0)),
        ("both shoulder twist 90, both elbow flex 90", "left wrist", "left elbow", (1, 0, 0)),
        ("both hip flex 90", "left knee", "left hip", (0, 0, -1)),
        ("both knee flex 90", "right ankle", "right knee", (0, 0, 1)),
        ("body flex 90", "right knee", "right hip", (0, 0, 1)),
        ("upper spine flex 90", "neck", "upper spine", (0, 0, -1)),
        ("upper spine side 90", "neck", "upper spine", (1, 0, 0)),
        ("body twist 90, both elbow flex 90", "right wrist", "right elbow", (1, 0, 0)),
    ],
)
def test_every_axis_turns_the_way_its_name_says(text, joint, parent, direction):
    bone = np.subtract(posed(text)[joint], posed(text)[parent])
    np.testing.assert_allclose(bone / np.linalg.norm(bone), direction, atol=1e-12)


def test_trunk_bends_without_the_legs():
    upright, bent = posed(""), posed("hip centre flex 70, neck twist 30")
    for joint in ("hip centre", "left foot", "right hip"):
        np.testing.assert_array_equal(bent[joint], upright[joint])
    assert bent["head"][2] < -0.4


def test_a_naive_route_agrees():
    """Frame by frame, joint by joint, with the matrix exponential instead of Rodrigues' formula."""

    def turn(x, y, z):
        return expm(np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]))

    angles = some_angles(3, frames=2)
    expected = np.zeros((len(angles), NTU.n_joints, 3))
    for t, row in enumerate(np.radians(angles * _SIGNS)):
        frame, place = {None: np.eye(3)}, {None: np.zeros(3)}
        for name, parent, offset in (("body", None, np.zeros(3)), *_TREE):
            flex, side, twist = row[FRAMES.index(name)]
            place[name] = place[parent] + frame[parent] @ offset
            frame[name] = frame[parent] @ turn(flex, 0, side) @ turn(0, twist, 0)
        expected[t] = [place[joint] for joint in NTU.joints]
    np.testing.assert_allclose(forward_kinematics(angles), expected, atol=1e-12)


@pytest.mark.parametrize("variant", ["ntu-stgcn", "ntu-tips-on-hand"])
@given(seed=SEEDS)
@settings(max_examples=25, deadline=None)
def test_no_pose_changes_a_bone(variant, seed):
    child, parent = np.array(NTU.with_edges(variant).edges).T
    x = forward_kinematics(np.concatenate([np.zeros((1, 26, 3)), some_angles(seed)]))
    lengths = np.linalg.norm(x[:, child] - x[:, parent], axis=2)
    np.testing.assert_allclose(lengths, np.broadcast_to(lengths[0], lengths.shape), rtol=1e-12)
    assert (lengths > 0.02).all()


@given(seed=SEEDS)
@settings(max_examples=25, deadline=None)
def test_mirrored_angles_give_the_mirror_image(seed):
    angles = some_angles(seed)
    order = OPPOSITE[1:] - 1
    image = forward_kinematics(angles)[:, order] * (-1, 1, 1)
    np.testing.assert_allclose(forward_kinematics(mirror_angles(angles)), image, atol=1e-12)
    np.testing.assert_array_equal(mirror_angles(mirror_angles(angles)), angles)


def test_mirroring_leaves_its_input_alone():
    angles = some_angles(0)
    before = angles.copy()
    mirror_angles(angles)
    within_reach(angles)
    np.testing.assert_array_equal(angles, before)


def test_the_body_is_symmetric_and_names_every_joint_of_the_layout():
    assert sorted(OPPOSITE) == list(range(26))
    assert FRAMES[1:] == NTU.joints
    np.testing.assert_array_equal(OFFSETS[OPPOSITE], OFFSETS * (-1, 1, 1))


def test_joints_stop_at_their_limits():
    angles = within_reach(np.full((2, 26, 3), -170.0))
    flex = dict(zip(FRAMES, angles[0, :, 0], strict=True))
    assert (flex["left elbow"], flex["right knee"], flex["left hip"]) == (0, 0, -35)
    assert flex["body"] == -170  # a body can turn any way
    np.testing.assert_array_equal(angles[:, :, 1:], -170)


def test_the_body_stands_on_its_feet_wherever_it_was():
    x = on_floor(forward_kinematics(np.zeros((1, 26, 3))))
    ankle, foot = NTU.joint("left ankle"), NTU.joint("left foot")
    np.testing.assert_allclose(x[0, [ankle, foot], 1], (0.08, 0.02), atol=1e-12)
    np.testing.assert_allclose(on_floor(x + np.array([0, 5, 0])), x, atol=1e-12)


def test_lift_raises_the_whole_body():
    x = forward_kinematics(np.zeros((3, 26, 3)))
    lift = np.array([0, 0.2, 0.1])
    rise = on_floor(x, lift) - on_floor(x)
    np.testing.assert_allclose(rise, lift[:, None, None] * (0, 1, 0) * np.ones_like(x), atol=1e-12)


@given(seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_nothing_sinks_into_the_floor(seed):
    x = on_floor(forward_kinematics(some_angles(seed)))
    assert (x[:, :, 1] > 0.02 - 1e-12).all()
    assert (x[:, :, 1].min(axis=1) <= 0.1 + 1e-12).all()


def test_the_foot_on_the_ground_stays_while_the_other_moves():
    kick = np.linspace(0, 1, 20)[:, None] * pose("right hip flex 60, left hip side 4")
    x = on_floor(forward_kinematics(kick[:, :-1].reshape(20, 26, 3)))
    travel = np.linalg.norm(x[-1] - x[0], axis=1)
    assert travel[NTU.joint("left ankle")] < 0.12 < 0.6 < travel[NTU.joint("right foot")]


def test_sitting_down_moves_the_hips_back_and_down_and_not_the_feet():
    sit = np.linspace(0, 1, 30)[:, None] * pose("both hip flex 85, both knee flex 85")
    x = on_floor(forward_kinematics(sit[:, :-1].reshape(30, 26, 3)))
    moved = x[-1] - x[0]
    np.testing.assert_allclose(moved[NTU.joint("right ankle"), [0, 2]], 0, atol=0.01)
    hips = moved[NTU.joint("hip centre")]
    assert hips[2] > 0.35
    assert hips[1] < -0.35
