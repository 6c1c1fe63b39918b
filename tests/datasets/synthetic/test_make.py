"""The synthetic dataset: what it promises of people, cameras, noise, classes and splits."""

import re

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from analysis_lib.datasets.synthetic.actions import SEEN
from analysis_lib.datasets.synthetic.kinematics import OPPOSITE
from analysis_lib.datasets.synthetic.make import _LIMB_ENDS, _SIGMA, film, synthetic, track
from analysis_lib.datasets.synthetic.motions import by_name
from analysis_lib.datasets.synthetic.performers import enact, person
from analysis_lib.errors import UserError
from analysis_lib.skeletons.layouts import layout

NTU = layout("ntu-25")
SMALL = {"subjects": 3, "takes": 1}
LEFT_HANDED = 3


@pytest.fixture(scope="module")
def data():
    return synthetic(**SMALL)


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def takes(action: str, subject: int, n: int = 8) -> list[np.ndarray]:
    """Return takes of an action in the person's own space, of all its ways."""
    ways, who = by_name(SEEN)[action], person(0, subject)
    rng = np.random.default_rng(5)
    return [enact(ways[i % len(ways)], who, rng) for i in range(n)]


def travel(clips: list[np.ndarray]) -> dict[str, float]:
    """Return the mean path length of each joint relative to the hips, m."""
    paths = [np.linalg.norm(np.diff(x - x[:, :1], axis=0), axis=2).sum(axis=0) for x in clips]
    return dict(zip(NTU.joints, np.mean(paths, axis=0), strict=True))


def test_shape_of_the_default_dataset():
    data = synthetic()
    assert len(data) == 20 * 12 * 3 * 2
    np.testing.assert_array_equal(np.bincount(data.labels), 72)
    assert set(data.groups) == {"upper body", "lower body", "full body"}
    assert {"throw", "brushing teeth", "reading", "writing", "drop"} < set(data.class_names)
    assert (data.skeleton, data.unit, data.sequences[0].shape[0]) == (NTU, "m", 1)
    assert data.lengths.min() >= 30
    assert data.lengths.max() <= 120
    assert np.unique(data.lengths).size > 60
    lefties = {s for s in range(12) if person(0, s).left_handed}
    test_subjects = set(data.split("test").subjects.tolist())
    assert lefties & test_subjects
    assert lefties - test_subjects


def test_splits_share_no_subject_and_no_view(data):
    assert not set(data.split("train").subjects) & set(data.split("test").subjects)
    assert not set(data.split("xview_train").views) & set(data.split("xview_test").views)
    for train, test in (("train", "test"), ("xview_train", "xview_test")):
        both = np.concatenate([data.splits[train], data.splits[test]])
        np.testing.assert_array_equal(np.sort(both), np.arange(len(data)))
        assert set(data.split(train).labels) == set(data.split(test).labels) == set(range(20))


def test_unseen_classes_are_others_of_the_same_people(data):
    unseen = synthetic(classes="unseen", **SMALL)
    assert unseen.name == "synthetic-unseen"
    assert not set(unseen.class_names) & set(data.class_names)
    assert len(unseen.class_names) >= 8
    np.testing.assert_array_equal(np.unique(unseen.labels), np.arange(len(unseen.class_names)))


def test_a_seed_has_one_fingerprint(data):
    assert synthetic(**SMALL).fingerprint == data.fingerprint
    assert synthetic(seed=1, **SMALL).fingerprint != data.fingerprint


def test_coordinates_stand_on_a_grid_that_hides_the_last_digits(data):
    """A difference of one unit in the last place moves no coordinate, on whatever processor."""
    x = np.concatenate([s.reshape(-1) for s in data.sequences])
    np.testing.assert_array_equal(x, np.round(x.astype(float), 4).astype(np.float32))


def test_a_clip_does_not_depend_on_which_others_are_made(data):
    more = synthetic(subjects=4, takes=2, views=(-45.0, 0.0, 45.0, 90.0))
    place = {clip: i for i, clip in enumerate(more.clips)}
    for clip, x in zip(data.clips[::17], data.sequences[::17], strict=True):
        np.testing.assert_array_equal(more.sequences[place[clip]], x)


def test_clip_names_say_what_they_are(data):
    for i in (0, 7, 100):
        name, view = data.class_names[data.labels[i]], data.views[i]
        assert data.clips[i] == f"{name}, subject {data.subjects[i]}, view {view}, take 0"
    assert len(set(data.clips)) == len(data)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"classes": "sen"}, "unknown set of classes 'sen'; did you mean 'seen'?"),
        ({"subjects": 2}, "got seed 0, 2 subjects, 3 views, 2 takes"),
        ({"views": (0.0,)}, "got seed 0, 12 subjects, 1 views, 2 takes"),
        ({"takes": 0}, "at least 3 subjects and 2 views"),
        ({"seed": -1}, "needs a seed >= 0"),
    ],
)
def test_wrong_arguments_are_named(wrong, message):
    with pytest.raises(UserError, match=re.escape(message)):
        synthetic(**wrong)


@pytest.mark.parametrize("action", ["falling", "throw", "writing", "jump up"])
def test_bones_never_change_before_the_sensor(action):
    child, parent = np.array(NTU.edges).T
    lengths = [np.linalg.norm(x[:, child] - x[:, parent], axis=2) for x in takes(action, 0)]
    lengths = np.concatenate(lengths)
    np.testing.assert_allclose(lengths, np.broadcast_to(lengths[0], lengths.shape), rtol=1e-10)


def test_people_differ_and_stay_themselves():
    heights = [person(0, s).offsets[:, 1].min() for s in range(6)]
    assert np.unique(heights).size == 6
    np.testing.assert_array_equal(person(0, 2).offsets, person(0, 2).offsets)
    assert person(0, 2).tempo != person(1, 2).tempo
    assert [s for s in range(12) if person(0, s).left_handed] == [3, 8]
    for s in range(12):
        order = [0, *OPPOSITE[1:]]
        offsets = person(0, s).offsets
        np.testing.assert_allclose(offsets[order], offsets * (-1, 1, 1))


@pytest.mark.parametrize("action", ["hand waving", "throw", "drink water", "brushing teeth"])
def test_the_leading_hand_moves_most_and_left_handers_lead_with_the_left(action):
    for subject, lead, other in ((0, "right", "left"), (LEFT_HANDED, "left", "right")):
        path = travel(takes(action, subject, 12))
        assert path[f"{lead} hand"] > 1.5 * path[f"{other} hand"]
        assert path[f"{lead} hand"] > 2 * max(path[f"{s} foot"] for s in ("left", "right"))


def test_a_left_hander_is_the_mirror_image():
    """The same person with the other handedness, drawn from the same stream."""
    who, motion = person(0, 1), by_name(SEEN)["hand waving"][0]
    twin = person(0, 1)
    object.__setattr__(twin, "left_handed", True)
    x = enact(motion, who, np.random.default_rng(3))
    y = enact(motion, twin, np.random.default_rng(3))
    np.testing.assert_allclose(y, (x * (-1, 1, 1))[:, OPPOSITE[1:] - 1], atol=1e-9)


@pytest.mark.parametrize("action", ["kicking something", "walking towards", "hopping"])
def test_feet_move_most_in_actions_of_the_legs(action):
    path = travel(takes(action, 0))
    feet = max(path["left foot"], path["right foot"])
    assert feet == max(path.values()) or feet > 0.6 * max(path.values())
    assert feet > 3 * path["head"]


def test_walking_towards_the_camera_comes_nearer_and_others_stay():
    def approach(action):
        return np.mean([x[0, 0, 2] - x[-1, 0, 2] for x in takes(action, 0)])

    assert approach("walking towards") > 0.8
    assert abs(approach("hand waving")) < 0.2


def test_jumps_leave_the_floor_and_other_actions_do_not():
    def clearance(action):
        return [x[:, :, 1].min(axis=1).max() for x in takes(action, 0)]

    assert min(clearance("jump up")) > 0.15
    assert max(clearance("clapping")) < 0.05


@pytest.mark.parametrize(
    ("action", "start", "end"),
    [("sitting down", "high", "low"), ("standing up", "low", "high"), ("falling", "high", "floor")],
)
def test_heights_of_the_hips_at_start_and_end(action, start, end):
    ranges = {"high": (0.8, 1.15), "low": (0.35, 0.75), "floor": (0.0, 0.3)}
    heights = np.array([x[[0, -1], 0, 1] for x in takes(action, 0) if len(x) < 120])
    for column, name in zip(np.median(heights, axis=0), (start, end), strict=True):
        assert ranges[name][0] < column < ranges[name][1]


def test_the_camera_turns_and_moves_a_rigid_body(rng):
    x = takes("throw", 0, 1)[0]
    y = film(x, 30.0, rng)
    turn, residual = Rotation.align_vectors(y[5] - y[5].mean(axis=0), x[5] - x[5].mean(axis=0))
    assert residual < 1e-6
    turned = turn.apply((x - x[5, 0]).reshape(-1, 3)).reshape(x.shape)
    np.testing.assert_allclose(y - y[5, 0], turned, atol=1e-6)


def test_views_are_as_far_apart_as_the_cameras(rng):
    """The mean angle of the shoulder line over many clips follows the camera."""
    x = np.zeros((1, 25, 3))
    x[:, NTU.joint("right shoulder"), 0] = 0.2
    x[:, NTU.joint("left shoulder"), 0] = -0.2
    yaws = {}
    for yaw in (-45.0, 0.0, 45.0):
        lines = [np.diff(film(x, yaw, rng)[0, [4, 8]], axis=0)[0] for _ in range(400)]
        yaws[yaw] = np.degrees(np.angle(np.mean([d[0] - 1j * d[2] for d in lines])))
    for yaw, measured in yaws.items():
        assert abs(measured - yaw) < 5
    assert film(x, 0, rng)[0, 0, 2] > 2


def test_jitter_is_as_large_as_promised_and_largest_at_the_tips(rng):
    still = np.zeros((60, 25, 3))
    errors = np.stack([np.median(np.abs(track(still, rng)), axis=(0, 2)) for _ in range(60)])
    np.testing.assert_allclose(np.median(errors, axis=0) / 0.6745, _SIGMA, rtol=0.15)
    assert _SIGMA[NTU.joint("left hand tip")] == _SIGMA.max() > 3 * _SIGMA[NTU.joint("head")]
    assert not still.any()


def test_lost_limbs_freeze_or_jump_for_a_while():
    moving = np.linspace(0, 3, 90)[:, None, None] * np.ones((1, 25, 3))
    still = np.zeros((90, 25, 3))
    ends = sorted({joint for limb in _LIMB_ENDS for joint in limb})
    frozen = jumped = 0
    for seed in range(60):
        steps = np.diff(track(moving, np.random.default_rng(seed))[:, ends], axis=0)
        stopped = (steps == 0).all(axis=2).sum(axis=0)
        frozen += bool(stopped.max() >= 3)
        assert stopped.max() <= 3 * 17  # hardly more than three limbs are lost in one clip
        error = np.abs(track(still, np.random.default_rng(seed))).max(axis=2)
        jumped += bool((error > 0.1).any())
        assert (error[:, NTU.joint("head")] < 0.04).all()
    assert 10 < frozen < 50
    assert 8 < jumped < 40
