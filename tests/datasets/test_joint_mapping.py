"""Joints of one skeleton for a network of another: by name, by a mapping, or an error that helps."""

import numpy as np
import pytest

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.joint_mapping import map_joints, read_mapping
from analysis_lib.errors import UserError
from analysis_lib.skeletons.layouts import layout

KINECT = {"spine": "mid spine", "shoulder centre": "upper spine"}


@pytest.fixture
def clips():
    """Return clips in which each joint's coordinates are its number."""
    skeleton = layout("ntu-25")
    x = np.broadcast_to(np.arange(25.0)[:, None], (2, 4, 25, 3))
    return SkeletonDataset("numbered", skeleton, (x, x[:1]), np.array([0, 1]), ("a", "b"))


def test_every_joint_of_the_network_gets_the_one_of_its_name(clips):
    mapped = map_joints(clips, layout("kinect-20"), KINECT)
    names = [KINECT.get(name, name) for name in layout("kinect-20").joints]
    assert mapped.skeleton == layout("kinect-20")
    assert [clips.skeleton.joints[int(i)] for i in mapped.sequences[0][1, 2, :, 0]] == names
    assert [x.shape for x in mapped.sequences] == [(2, 4, 20, 3), (1, 4, 20, 3)]


def test_the_same_skeleton_is_left_alone(clips):
    assert map_joints(clips, layout("ntu-25")) is clips


def test_a_mapping_may_exchange_joints_of_the_same_skeleton(clips):
    swapped = map_joints(clips, clips.skeleton, {"left hand": "right hand"})
    left, right = (clips.skeleton.joint(f"{side} hand") for side in ("left", "right"))
    assert swapped.sequences[0][0, 0, left, 0] == right
    assert swapped.sequences[0][0, 0, right, 0] == right


def test_missing_joints_are_named_with_a_mapping_to_start_from(clips):
    with pytest.raises(UserError) as error:
        map_joints(clips, layout("kinect-20"))
    text = str(error.value)
    assert "'kinect-20' has joints that dataset 'numbered' ('ntu-25') lacks" in text
    assert "spine, shoulder centre" in text
    assert "spine: mid spine" in text
    assert "\n" not in text


@pytest.mark.parametrize("mapping", [{"tail": "head"}, {"head": "tail"}])
def test_a_mapping_with_a_joint_that_nobody_has(clips, mapping):
    with pytest.raises(UserError, match="'tail'"):
        map_joints(clips, layout("kinect-20"), mapping)


@pytest.mark.parametrize("text", ["head", "a: b: c"])
def test_a_pair_that_is_none(text):
    with pytest.raises(UserError, match="maps no joint"):
        read_mapping([text])
