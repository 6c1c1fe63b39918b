"""Shapley values of streams that were passed once, beside those of all coalitions that were passed whole."""

import numpy as np
import pytest
import torch

from analysis_lib.datasets.preparation.recipe import Preprocessing
from analysis_lib.explain.joint_shapley import JointShapley
from analysis_lib.explain.stream_shapley import stream_shapley
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.multi_branch import MultiBranchGCN
from analysis_lib.skeletons.skeleton import Skeleton

STICK = Skeleton("stick", ("head", "hip", "hand"), ((0, 1), (2, 1)), 1)


@pytest.mark.parametrize("n_bodies", [1, 2])
def test_streams_passed_once_are_worth_what_they_are_worth_whole(rng, n_bodies):
    torch.manual_seed(0)
    model = MultiBranchGCN(STICK, 4, width=0.0625)
    model.fc.weight.data *= 100
    network = Checkpoint("toy", model.train(), model.layer_names, Preprocessing(frames=8, steps=()), {})
    background, x = (rng.normal(size=(n, 3, 8, 3, n_bodies)).astype(np.float32) for n in (3, 2))
    before = x.copy()
    values = stream_shapley(network, background, x, batch_size=2)  # batches of two and of one
    whole = JointShapley(background, np.repeat(np.arange(4)[:, None], 3, axis=1), "streams", 0).values(network, x)
    np.testing.assert_allclose(values, whole.values, atol=1e-5 * np.abs(whole.values).max())
    assert np.abs(whole.values).max() > 0.01
    np.testing.assert_array_equal(x, before)
    assert model.training
