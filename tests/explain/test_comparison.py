"""Several methods side by side: what is shared is alike, what is true is ranked first."""

import numpy as np
import pytest
import torch

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import Preprocessing
from analysis_lib.errors import UserError
from analysis_lib.explain.attributions import explain
from analysis_lib.explain.comparison import (
    agreement_table,
    joint_values,
    map_table,
    spread_table,
    to_unit,
    truth_table,
    value_table,
)
from analysis_lib.explain.gradcam import GradCAM
from analysis_lib.explain.plain_baselines import ByLot, MotionEnergy
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.stgcn import STGCN
from analysis_lib.skeletons.skeleton import Skeleton

STICK = Skeleton("stick", ("head", "hip", "hand", "foot"), edges=((0, 1), (2, 1), (3, 1)), centre=1)


@pytest.fixture(scope="module")
def explained():
    """Return what three methods say of eight clips in which the hand moves most."""
    rng = np.random.default_rng(0)
    clips = [rng.normal(0, (0.01, 0.01, 1, 0.02), (1, 12, 3, 4)).swapaxes(2, 3) for _ in range(8)]
    data = SkeletonDataset("toy", STICK, clips, [0, 1] * 4, ("wave", "kick"))
    torch.manual_seed(0)
    model = STGCN(STICK, 2, width=0.0625).eval()
    network = Checkpoint("toy", model, model.layer_names[-2:], Preprocessing(frames=12, steps=()), {})
    methods = {"GradCAM": GradCAM(), "motion energy": MotionEnergy(), "again": MotionEnergy(), "by lot": ByLot()}
    return {name: explain(network, data, "true", method, 2) for name, method in methods.items()}


def test_what_moves_by_design_is_found_by_what_moves(explained):
    truth = np.zeros((8, 4), bool)
    truth[:, 2] = True
    table = truth_table(explained, truth).set_index(["method", "layer"])
    assert table.loc[("motion energy", 1), ["mean", "low", "high"]].tolist() == [1, 1, 1]
    assert len(table.loc["GradCAM"]) == 2
    assert 0 < table.loc[("by lot", 1), "mean"] < 1
    with pytest.raises(UserError, match="nothing can be ranked"):
        truth_table(explained, truth | ~truth)


def test_a_method_agrees_with_itself_alone(explained):
    table = agreement_table(explained).set_index(["one", "other"])
    assert table.loc[("motion energy", "again"), ["tau", "low", "high", "rho"]].tolist() == pytest.approx([1, 1, 1, 1])
    assert (table["low"] <= table["high"]).all()
    assert abs(table.loc[("motion energy", "by lot"), "rho"]) < 0.9
    spread = spread_table(explained).set_index("method")["spread"]
    assert spread["motion energy"] < spread["by lot"]


def test_values_share_a_scale_and_keep_their_sign(explained):
    values = value_table(explained)
    assert values.groupby(["method", "clip"])["value"].apply(lambda v: v.abs().max()).between(0.999, 1.001).all()
    assert to_unit(np.array([[-2.0, 1.0]])).tolist() == [[-1, 0.5]]
    assert len(values) == 4 * 8 * 4


def test_maps_stand_in_the_middle_of_the_clip(explained):
    found = explained["motion energy"]
    table = map_table(explained, [3], truth=np.eye(4, dtype=bool)[[2] * 8])
    one = table[table["method"] == "motion energy"].set_index("joint")
    np.testing.assert_allclose(one.loc[list(STICK.joints), "value"], to_unit(joint_values(found))[3])
    np.testing.assert_allclose(one.loc["hand", ["x", "y"]].astype(float), found.data.sequences[3][0][6, 2, :2])
    assert one.index[one["true"]].tolist() == ["hand"]
