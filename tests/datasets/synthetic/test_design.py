"""The joints that an action moves by design."""

from dataclasses import replace

import numpy as np
import pytest

from analysis_lib.datasets.synthetic.design import designed_joints, designed_paths, moving_joints
from analysis_lib.datasets.synthetic.make import synthetic
from analysis_lib.errors import UserError

#: what moves most in an action, by the words of its joints
MOST = {"drink water": "hand", "kicking something": "foot", "brushing teeth": "hand", "throw": "hand"}


@pytest.mark.parametrize(("action", "word"), MOST.items())
def test_what_moves_most(action, word):
    joints = synthetic(subjects=3, takes=1).skeleton.joints
    assert word in joints[designed_paths(action).argmax()]


def test_clips_move_what_the_design_says_on_the_side_that_leads():
    data = synthetic(subjects=6, takes=1)
    joints = data.skeleton.joints
    sides = {True: [], False: []}
    for i in np.flatnonzero(data.labels == data.class_names.index("drink water")):
        truth = moving_joints("drink water", data.sequences[i])
        left, right = (truth[[joints.index(f"{side} wrist")]].all() for side in ("left", "right"))
        assert left != right
        sides[bool(data.subjects[i] == 3)].append(left)  # subject 3 is left-handed
    assert np.mean(sides[True]) > np.mean(sides[False]) + 0.5


def test_the_truth_of_a_dataset_is_that_of_its_clips():
    data = synthetic(subjects=3, takes=1).take([0, 30, 59])
    found = designed_joints(data)
    for joints, i in zip(found, range(3), strict=True):
        np.testing.assert_array_equal(joints, moving_joints(data.class_names[data.labels[i]], data.sequences[i]))
    with pytest.raises(UserError, match="nobody knows which joints the actions of 'mine' move by design"):
        designed_joints(replace(data, name="mine"))


def test_actions_that_there_are_not():
    with pytest.raises(UserError, match="unknown synthetic action 'drink'; did you mean 'drink water'"):
        designed_paths("drink")
