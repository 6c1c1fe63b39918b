"""Yardsticks of explanations: by hand, at their limits, and where an ideal explanation must win."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from analysis_lib.errors import UserError
from analysis_lib.explain.masking import masking_baseline, ranking
from analysis_lib.explain.method import Maps
from analysis_lib.explain.yardsticks import (
    infidelity,
    maximal_sensitivity,
    perturbed,
    prediction_gaps,
    sparseness,
    stability,
)
from analysis_lib.networks.checkpoints import Checkpoint

PARENTS = (0, 0, 1, 2)
WEIGHTS = np.array([3.0, -1.0, 0.0, 0.5], np.float32)
LENGTHS = np.array([6, 4, 6])


class Linear(nn.Module):
    """The score of class 1 is a weighted sum of the first coordinate of four joints, that of class 0 nothing."""

    layer_names = ("hidden",)

    def __init__(self):
        super().__init__()
        self.hidden = nn.Identity()

    def forward(self, x):
        score = (self.hidden(x)[:, 0, :, :, 0].mean(dim=1) * torch.from_numpy(WEIGHTS)).sum(dim=1)
        return torch.stack([0 * score, score], dim=1)


class Ideal:
    """What each joint adds to a linear score."""

    def __call__(self, network, x, lengths, target):
        assert len(x) == len(lengths) == len(target)
        maps = (x[:, 0] * WEIGHTS[:, None]).transpose(0, 3, 1, 2)
        scores = network.model(torch.from_numpy(x)).numpy()
        return Maps(("ideal",), (maps,), (lengths,), scores, scores.argmax(axis=1))


NET = Checkpoint("linear", Linear(), ("hidden",), None, {})


def clips():
    x = np.random.default_rng(0).normal(size=(3, 3, 6, 4, 1)).astype(np.float32)
    x[1, :, 4:] = 0
    return x


def moved(how, radius=0.3, joints=None):
    joints = np.ones((3, 4), bool) if joints is None else joints
    return perturbed(clips(), LENGTHS, how, radius, joints, PARENTS, np.random.default_rng(1))


def test_joints_move_on_spheres_and_nothing_else_does():
    joints = np.array([[1, 0, 0, 1], [1, 1, 1, 1], [0, 0, 0, 0]], bool)
    way = np.linalg.norm(moved("spheres", joints=joints) - clips(), axis=1)[..., 0]  # (N, T, V)
    np.testing.assert_allclose(way[0], np.tile([0.3, 0, 0, 0.3], (6, 1)), atol=1e-6)
    np.testing.assert_allclose(way[1], np.outer([0.3] * 4 + [0, 0], [1] * 4), atol=1e-6)
    assert not way[2].any()
    change = moved("spheres") - clips()
    np.testing.assert_allclose(change[0, :, 0], change[0, :, 5], atol=1e-6)  # one direction for the whole clip


def test_bones_keep_their_lengths():
    x, found = clips(), moved("bone lengths kept")
    assert np.abs(found - x).max() > 0.1
    for v, parent in enumerate(PARENTS):
        own, other = (np.linalg.norm(y[0, :, :, v] - y[0, :, :, parent], axis=0) for y in (x, found))
        np.testing.assert_allclose(other, own, atol=1e-5)
    with pytest.raises(UserError, match="unknown perturbation 'sphere'; did you mean 'spheres'"):
        moved("sphere")


def test_the_joints_that_count_move_the_score():
    x, model = clips(), NET.model
    importance = np.tile(np.abs(WEIGHTS), (3, 1))
    ranks = ranking(importance, np.random.default_rng(0))
    found = prediction_gaps(model, x, LENGTHS, np.ones(3, int), ranks, (0, 1, 4), PARENTS, 0.3, n_draws=8)
    assert not found["PGI"][:, 0].any()
    assert (found["PGI"][:, 1] > 0).all()
    assert not found["PGU"][:, 1].any()  # joint 2 has no weight
    worse = prediction_gaps(model, x, LENGTHS, np.ones(3, int), 3 - ranks, (1,), PARENTS, 0.3, n_draws=8)
    np.testing.assert_allclose(worse["PGI"], 0)


def test_an_ideal_explanation_is_faithful_in_any_unit():
    x = clips()
    masked = masking_baseline(x, LENGTHS, "average")
    ideal = (x - masked)[:, 0, :, :, 0].mean(axis=1) * WEIGHTS
    ones = np.ones(3, int)
    np.testing.assert_allclose(infidelity(NET.model, x, masked, ones, 7 * ideal), 0, atol=1e-6)
    assert (infidelity(NET.model, x, masked, ones, ideal[:, ::-1].copy()) > 1e-3).all()
    np.testing.assert_array_equal(*(infidelity(NET.model, x, masked, ones, ideal[:, ::-1].copy()) for _ in range(2)))


def test_infidelity_of_several_explanations_masks_the_same_joints_once():
    class Counting(Linear):
        seen = 0

        def forward(self, x):
            self.seen += len(x)
            return super().forward(x)

    x, model, known = clips(), Counting(), {}
    masked, ones = masking_baseline(x, LENGTHS), np.ones(3, int)
    for importance in np.random.default_rng(0).normal(size=(3, 3, 4)):
        found = infidelity(model, x, masked, ones, importance, known=known)
        np.testing.assert_allclose(found, infidelity(NET.model, x, masked, ones, importance), rtol=1e-4)
    assert model.seen == len(known) <= 3 * 2**4  # clips, and sets of four joints


def test_sensitivity_of_a_linear_explanation_and_of_none():
    x, ones = clips(), np.ones(3, int)
    still, little, more = (maximal_sensitivity(Ideal(), NET, x, LENGTHS, ones, r) for r in (0.0, 0.01, 0.1))
    assert not still.any()
    assert (little > 0).all()
    np.testing.assert_allclose(more, 10 * little, rtol=1e-3)


def test_stability_is_measured_against_what_changed():
    x = clips()
    found = stability(Ideal(), NET, x, LENGTHS, PARENTS, 1e-3, n_draws=3)
    assert set(found) == {"RIS", "ROS", "RRS", "ranks"}
    np.testing.assert_allclose(found["RIS"], found["RRS"], rtol=1e-4)  # the hidden layer hands on the clip
    assert (found["RIS"] > 0).all()
    np.testing.assert_allclose(found["ranks"], 1)

    class Constant(Ideal):
        def __call__(self, network, x, lengths, target):
            return super().__call__(network, clips(), lengths, target)

    same = stability(Constant(), NET, x, LENGTHS, PARENTS, 1e-3, n_draws=3)
    assert not np.any([same[k] for k in ("RIS", "ROS", "RRS")])
    far = stability(Ideal(), NET, x * 1e-3, LENGTHS, PARENTS, 50.0, n_draws=1, seed=2)
    assert np.isnan(far["RIS"]).any()  # another class


@given(st.lists(st.floats(0, 1e6, width=32), min_size=2, max_size=9))
def test_sparseness_lies_between_even_and_one_joint(values):
    (found,) = sparseness(np.array([values]))
    assert -1e-9 <= found <= 1 - 1 / len(values) + 1e-9
