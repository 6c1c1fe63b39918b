"""Poses as text, curves through key poses, waves; and the table of actions itself."""

import re

import numpy as np
import pytest

from analysis_lib.datasets.synthetic.actions import HABITS, SEEN, UNSEEN
from analysis_lib.datasets.synthetic.motions import (
    DEGREES_OF_FREEDOM,
    EXACT,
    Motion,
    Variation,
    Wave,
    by_name,
    perform,
    pose,
)
from analysis_lib.errors import UserError

NECK = DEGREES_OF_FREEDOM.index("neck flex")
TIME = np.linspace(0, 1, 101)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def test_a_pose_adds_up_its_clauses_and_rest_is_zero():
    values = pose("both knee flex 20 side 3, left knee flex 5, body lift 12")
    named = {n: v for n, v in zip(DEGREES_OF_FREEDOM, values, strict=True) if v}
    assert named == {
        "left knee flex": 25,
        "right knee flex": 20,
        "left knee side": 3,
        "right knee side": 3,
        "body lift": 12,
    }
    assert not pose("").any()


@pytest.mark.parametrize("text", ["knee", "right knee 20", "right knee flex", "flex 20", "neck flex 1 2"])
def test_a_clause_that_cannot_be_read_is_quoted(text):
    message = f"cannot read '{text}' in a pose; expected a joint, then an axis and a number"
    with pytest.raises(UserError, match=re.escape(message)):
        pose(text)


def test_a_number_that_is_none_is_quoted_too():
    with pytest.raises(UserError, match="cannot read 'neck flex much' in a pose"):
        pose("body lift 2, neck flex much")


def test_an_unknown_joint_names_the_closest():
    with pytest.raises(UserError, match="unknown degree of freedom 'right kne flex'; did you mean 'right knee flex'"):
        pose("right kne flex 3")


def test_poses_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        pose("neck flex 1")[0] = 1


def test_curves_pass_through_the_keys_and_never_beyond(rng):
    motion = Motion("nod", "g", keys=((0.2, "neck flex 30"), (0.5, "neck flex -10")))
    curve = perform(motion, TIME, TIME, rng)[:, NECK]
    np.testing.assert_allclose(curve[[0, 20, 50, 100]], [0, 30, -10, 0], atol=1e-4)
    assert curve.max() <= 30 + 1e-9
    assert curve.min() >= -10 - 1e-9


def test_keys_at_the_ends_replace_rest(rng):
    motion = Motion("rise", "g", keys=((0.0, "neck flex 30"), (1.0, "neck flex 5")))
    np.testing.assert_allclose(perform(motion, TIME, TIME, rng)[[0, -1], NECK], [30, 5])


def test_repetitions_repeat_and_end_at_the_last_key(rng):
    motion = Motion("nod", "g", keys=((0.5, "neck flex 30"),))
    curve = perform(motion, TIME, TIME, rng, EXACT, 2)[:, NECK]
    np.testing.assert_allclose(curve[:50], curve[50:100], atol=1e-9)
    assert curve[-1] == 0


def test_waves_oscillate_at_their_frequency_and_die_down(rng):
    motion = Motion("shake", "g", waves=(Wave("neck flex 10", hz=5, phase=0.25),))
    curve = perform(motion, TIME, TIME, rng)[:, NECK]
    np.testing.assert_allclose(curve[20:81], 10 * np.cos(10 * np.pi * TIME[20:81]), atol=1e-9)
    assert curve[0] == curve[-1] == 0
    half = Motion("shake", "g", waves=(Wave("neck flex 10", hz=5, phase=0.25, half=True),))
    np.testing.assert_allclose(perform(half, TIME, TIME, rng)[:, NECK], curve.clip(0), atol=1e-9)


def test_variation_touches_only_what_moves(rng):
    motion = Motion("nod", "g", ((0.22, "neck flex 30"), (0.78, "neck flex 30")), (Wave("neck flex 3", 2),))
    wild = Variation(pose=5, scale=0.3, timing=0.3, rate=0.2)
    takes = [perform(motion, TIME, TIME, rng, wild) for _ in range(2)]
    assert np.abs(takes[0][:, NECK] - takes[1][:, NECK]).max() > 1
    assert not np.delete(takes[0], NECK, axis=1).any()
    assert np.isfinite(takes).all()


def test_how_the_body_lies_does_not_vary(rng):
    motion = Motion("fall", "g", keys=((1.0, "body flex 90, neck flex 20"),))
    end = perform(motion, TIME, TIME, rng, Variation(pose=9, scale=0.3))[-1]
    assert end[DEGREES_OF_FREEDOM.index("body flex")] == 90
    assert abs(end[NECK] - 20) > 0.1


def test_varied_key_times_keep_their_order(rng):
    keys = tuple((t, f"neck flex {100 * t}") for t in (0.0, 0.3, 0.35, 0.9, 1.0))
    for _ in range(20):
        curve = perform(Motion("m", "g", keys), TIME, TIME, rng, Variation(timing=1.0))[:, NECK]
        assert (np.diff(curve) >= -1e-9).all()
        np.testing.assert_allclose(curve[[0, -1]], [0, 100])


def test_ways_of_one_action_share_its_super_class():
    ways = by_name([Motion("a", "x"), Motion("b", "x"), Motion("a", "x", seconds=3)])
    assert [(name, len(motions)) for name, motions in ways.items()] == [("a", 2), ("b", 1)]
    with pytest.raises(UserError, match="action 'a' is in two super-classes, 'x' and 'y'"):
        by_name([Motion("a", "x"), Motion("a", "y")])


@pytest.mark.parametrize(("table", "least"), [(SEEN, (8, 4, 4)), (UNSEEN, (4, 3, 3))])
def test_the_table_has_enough_actions_of_each_super_class(table, least):
    groups = [motions[0].group for motions in by_name(table).values()]
    counts = [groups.count(g) for g in ("upper body", "lower body", "full body")]
    assert sum(counts) == len(groups)
    assert all(c >= n for c, n in zip(counts, least, strict=True))


def test_seen_and_unseen_actions_differ():
    assert not by_name(SEEN).keys() & by_name(UNSEEN).keys()


@pytest.mark.parametrize("motion", SEEN + UNSEEN + HABITS, ids=lambda m: m.name)
def test_every_motion_can_be_read_and_moves(motion, rng):
    curve = perform(motion, TIME, TIME * motion.seconds, rng)
    assert np.ptp(curve, axis=0).max() > 2
    assert all(0 <= t <= 1 for t, _ in motion.keys)
    assert 0.5 < motion.seconds * motion.repeats <= 4
