"""People stand upright in drawings, however their coordinates lie."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.upright import mean_pose, upright
from analysis_lib.plots.poses import rest_pose
from analysis_lib.skeletons.layouts import layout
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.studies.gradcam.tables import pose_table

AXES = {
    "y up": (np.eye(3), "m"),
    "y down": (np.diag([1, -1, 1]), "m"),
    "z up": (np.eye(3)[[0, 2, 1]], "m"),
    "z up, facing x": (np.eye(3)[[2, 0, 1]], "m"),
    "a picture": (np.diag([1, -1]), "px"),
    "a picture and scores": (np.diag([1, -1]), "px"),
}


@pytest.mark.parametrize("name", AXES)
def test_a_body_stands_upright(rng, name):
    axes, unit = AXES[name]
    body = layout("coco-17")
    pose = np.column_stack([rest_pose(body), 0.05 * rng.normal(size=17)])[:, : len(axes)] + 2
    x = pose @ axes.T + 0.001 * rng.normal(size=(1, 8, 17, len(axes)))
    channels = ("x", "y", "z")[: len(axes)]
    if "scores" in name:
        x, channels = np.concatenate([x, rng.random((*x.shape[:3], 1))], -1), ("x", "y", "score")
    data = SkeletonDataset("body", body, [x], [0], ("stand",), unit=unit, channels=channels)
    found = upright(data)
    shown = mean_pose(data)
    assert_allclose(shown - shown[0], pose[:, :2] - pose[0, :2], atol=0.01)
    table = pose_table(data, n_slices=1)
    assert_allclose(table[["x", "y"]].to_numpy(), found.sequences[0][0, 4, :, :2])
    assert (found is data) == (name == "y up")
    assert_allclose(found.sequences[0][..., len(axes) :], data.sequences[0][..., len(axes) :])


@pytest.mark.parametrize(("unit", "up"), [("m", 1), ("px", -1), ("image size", -1)])
def test_without_legs_pictures_have_y_down(unit, up):
    arm = Skeleton("arm", ("hand", "elbow"), ((0, 1),))
    data = SkeletonDataset("arm", arm, [np.array([[[[0.0, 1], [0, 3]]]])], [0], ("up",), unit=unit)
    assert upright(data).sequences[0].tolist() == [[[[0, up], [0, 3 * up]]]]
