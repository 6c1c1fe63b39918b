"""Figures of parts are drawn whole from tables alone."""

import numpy as np
import pandas as pd
import pytest

from analysis_lib.skeletons.layouts import layout
from analysis_lib.studies.ablations import figures
from analysis_lib.studies.ablations.tables import COMPARISONS

pytestmark = pytest.mark.usefixtures("drawn_whole")
BODY = layout("kinect-20")
JOINTS = list(BODY.joints)


def test_a_panel_a_table_of_the_papers():
    parts = pd.DataFrame([vars(c) | {"value": 0.01, "low": np.nan, "high": np.nan, "sd": 0.01} for c in COMPARISONS])
    figure = figures.plot_parts(parts)
    assert [len(axes.get_yticks()) for axes in figure.axes] == [3, 4, 2, 3, 6]
    assert figures.plot_parts(parts[:0]) is None


def test_skeletons_with_focal_joints_and_links(rng):
    poses, links = [], []
    for action in ("throw", "kick"):
        x, y = rng.normal(size=(2, 20))
        row = {"class": action, "joint": JOINTS, "x": x, "y": y, "focal": np.arange(20) < 12, "score": rng.random(20)}
        poses.append(pd.DataFrame(row))
        links.append(pd.DataFrame({"class": action, "joint": JOINTS, "part": [0, 9] * 10, "weight": rng.random(20)}))
    figure = figures.plot_looks(pd.concat(poses), pd.concat(links), BODY)
    assert [axes.get_title("center") for axes in figure.axes[:2]] == ["throw", "kick"]
    assert len(figure.axes[2].collections[-2].get_segments()) == figures.LINES


def test_maps_actions_and_planes(rng):
    shares = pd.DataFrame({"class": np.repeat(["throw", "kick"], 20), "joint": JOINTS * 2, "share": rng.random(40)})
    assert len(figures.plot_focus(shares, BODY).axes[0].get_yticks()) == 20
    rows = {"class": ["throw", "kick"], "one": [0.2, 0.9], "other": [0.8, 0.8]}
    gains = pd.DataFrame(rows | {"value": [-0.6, 0.1], "low": [-0.9, -0.1], "high": [-0.2, 0.2]})
    (axes,) = figures.plot_actions(gains, "fg", "st").axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["throw", "kick"]
    x, y = rng.normal(size=(2, 60))
    nodes = pd.DataFrame({"network": "a", "joint": JOINTS * 3, "x": x, "y": y, "separation": 1.0, "silhouette": 0.0})
    figures.plot_nodes(nodes, BODY)
