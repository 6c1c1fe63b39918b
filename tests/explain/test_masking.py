"""Joints masked and given back: baselines by hand, and a network that looks at one joint alone."""

import numpy as np
import pytest
import torch
from torch import nn

from analysis_lib.errors import UserError
from analysis_lib.explain.masking import BASELINES, joint_motion, masking_baseline, masking_curve, ranking

LENGTHS = np.array([6, 4, 6])


@pytest.fixture
def x(rng):
    """Return three clips (N, C, T, V, M); the second is shorter and has one body."""
    x = rng.normal(size=(3, 2, 6, 5, 2)).astype(np.float32)
    x[1, :, 4:] = 0
    x[1, ..., 1] = 0
    return x


class OneJoint(nn.Module):
    """Score of class 1: how much joint 3 moves; class 0 always scores 0."""

    def forward(self, x):
        motion = 50 * x[:, :, :, 3].var(dim=2).sum(dim=(1, 2))
        return torch.stack([torch.zeros_like(motion), motion - 20], dim=1)


@pytest.mark.parametrize("how", BASELINES)
def test_padding_and_absent_bodies_stay(x, how):
    before = x.copy()
    masked = masking_baseline(x, LENGTHS, how, centre=2)
    assert not masked[1, :, 4:].any()
    assert not masked[1, ..., 1].any()
    np.testing.assert_array_equal(x, before)
    assert masked.dtype == np.float32


def test_average_is_one_still_pose_for_all_clips(x):
    masked = masking_baseline(x, LENGTHS)
    first = np.concatenate([x[0, :, :, :, 0], x[1, :, :4, :, 0], x[2, :, :, :, 0]], axis=1)
    for i, n in enumerate(LENGTHS):
        for t in range(n):
            np.testing.assert_allclose(masked[i, :, t, :, 0], first.mean(axis=1), atol=1e-6)
    second = np.concatenate([x[0, ..., 1], x[2, ..., 1]], axis=1)  # nobody's zeros do not count
    np.testing.assert_allclose(masked[0, :, 0, :, 1], second.mean(axis=1), atol=1e-6)


def test_still_keeps_the_place_and_centre_the_path(x):
    still, centre = (masking_baseline(x, LENGTHS, how, centre=2) for how in ("still", "centre"))
    np.testing.assert_allclose(still[1, :, 2, :, 0], x[1, :, :4, :, 0].mean(axis=1), rtol=1e-5)
    np.testing.assert_array_equal(centre[0], np.repeat(x[0, :, :, [2]].transpose(1, 2, 0, 3), 5, 2))


def test_unknown_baseline(x):
    with pytest.raises(UserError, match="unknown baseline 'mean'"):
        masking_baseline(x, LENGTHS, "mean")


def test_motion_is_the_distance_from_the_mean_place(x):
    found = joint_motion(x, LENGTHS)
    path = x[1, :, :4, :, 0]
    expected = np.sqrt(((path - path.mean(axis=1, keepdims=True)) ** 2).sum(axis=0).mean(axis=0))
    np.testing.assert_allclose(found[1], expected, rtol=1e-5)
    x[:, :, :, 4] = 7
    assert not joint_motion(x, np.full(3, 6))[:, 4].any()


def test_ranks_follow_importance_and_ties_are_drawn_by_lot(rng):
    importance = rng.random((4, 9))
    ranks = ranking(importance, rng)
    np.testing.assert_array_equal(
        np.take_along_axis(importance, ranks.argsort(axis=1), 1), -np.sort(-importance, axis=1)
    )
    tied = ranking(np.zeros((2000, 5)), rng)
    assert (np.sort(tied, axis=1) == np.arange(5)).all()
    np.testing.assert_allclose(tied.mean(axis=0), 2, atol=0.15)


@pytest.mark.parametrize("how", ["average", "still"])
def test_with_an_oracle_one_joint_decides(x, how, rng):
    x, lengths = x[[0, 2]], np.array([6, 6])
    masked = masking_baseline(x, lengths, how)
    oracle = np.eye(5)[[3, 3]]
    arguments = OneJoint(), x, masked, np.array([1, 1])
    best, worst = ranking(oracle, rng), ranking(-oracle, rng)
    for ranks, insert, expected in (
        (best, False, [1, 0, 0, 0, 0, 0]),
        (worst, False, [1, 1, 1, 1, 1, 0]),
        (best, True, [0, 1, 1, 1, 1, 1]),
        (worst, True, [0, 0, 0, 0, 0, 1]),
    ):
        curve = masking_curve(*arguments, ranks, range(6), insert)
        np.testing.assert_allclose(curve, [expected] * 2, atol=1e-3)


def test_counts_beyond_the_joints(x, rng):
    with pytest.raises(UserError, match=r"counts must lie in 0\.\.5, the number of joints, got 6"):
        masking_curve(OneJoint(), x, x, np.ones(3, int), ranking(np.zeros((3, 5)), rng), [0, 6])


class Counting(OneJoint):
    """Notes how many clips it is shown."""

    def __init__(self):
        super().__init__()
        self.seen = 0

    def forward(self, x):
        self.seen += len(x)
        return super().forward(x)


def test_what_is_masked_in_two_orders_is_asked_once(x):
    masked, targets = masking_baseline(x, LENGTHS), np.ones(3, int)
    ranks = np.tile(np.arange(5), (3, 1))
    other = ranks[:, [1, 0, 2, 3, 4]]  # after two joints the same are masked
    alone = [masking_curve(OneJoint(), x, masked, targets, order, range(6)) for order in (ranks, other)]
    net, known = Counting(), {}
    both = [masking_curve(net, x, masked, targets, order, range(6), known=known) for order in (ranks, other)]
    np.testing.assert_allclose(both, alone, atol=1e-6)
    assert net.seen == 3 * (6 + 1)
