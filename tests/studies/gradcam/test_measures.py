"""Measures of claims on importance maps, by hand."""

from itertools import product

import pandas as pd
import pytest

from analysis_lib.errors import UserError
from analysis_lib.studies.gradcam.measures import early_strength, later_joints, part_share


def test_early_maps_over_late_ones():
    table = pd.DataFrame({"layer": [1, 2, 3, 4], "mean": [1.0, 3, 8, 8]})
    assert early_strength(table, late=2).value == 0.25
    with pytest.raises(UserError, match="a network of 4 layers"):
        early_strength(table, late=4)


def test_the_part_with_most_in_the_last_layers():
    rows = [
        ("throw", 7, layer, part, share, 0.25)
        for layer, shares in ((1, (1.0, 0, 0)), (2, (0.1, 0.4, 0.5)), (3, (0.2, 0.6, 0.2)))
        for part, share in zip(("left arm", "right arm", "torso"), shares, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["class", "clips", "layer", "part", "share", "joints"])
    found = part_share(table, ["toss", "throw"], ["left arm", "right arm"], late=2)
    assert (found.value, found.clips) == (pytest.approx(2.0), 7)
    assert part_share(table, ["throw"], ["torso"], late=1).value == pytest.approx(0.8)
    with pytest.raises(UserError, match="no action 'kick'"):
        part_share(table, ["kick"], ["torso"], late=1)
    with pytest.raises(UserError, match="no part of the body called tail"):
        part_share(table, ["throw"], ["tail"], late=1)


def maps(*importance):
    """Return the last layer's maps of two joints in three slices; the first layer is misleading."""
    rows = [
        ("sit", 5, layer, s, joint, value if layer == 2 else 99.0)
        for layer in (1, 2)
        for (s, joint), value in zip(product((1, 2, 3), "ab"), importance, strict=True)
    ]
    return pd.DataFrame(rows, columns=["class", "clips", "layer", "slice", "joint", "importance"])


def test_joints_that_matter_more_later():
    assert later_joints(maps(1.0, 3, 2, 3, 4, 3), ["sit"], late=1).value == 0.5  # b stays as it was
    assert later_joints(maps(0.0, 0, 1, 1, 1, 1), ["sit"], late=1).value == 1
    with pytest.raises(UserError, match="empty"):
        later_joints(maps(0.0, 0, 0, 0, 0, 0), ["sit"], late=1)
