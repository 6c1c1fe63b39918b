"""Measures of the shape of curves, by hand and against plain loops."""

from math import isnan

import numpy as np
import pandas as pd
import pytest

from analysis_lib.errors import UserError
from analysis_lib.studies.claims import curves

THEOREM = pd.DataFrame({"layer": [2, 3, 4], "norm": [1.5, 2, 4]})


def rows(by_name, without=-1, graph="nnk", groups=None):
    """Return a table of curves of actions, four clips each."""
    found = [
        {
            "graph": graph,
            "without": without,
            "layer": layer,
            "group": (groups or {}).get(name, "g"),
            "name": name,
            "clips": 4,
            "q": q,
        }
        for name, curve in by_name.items()
        for layer, q in enumerate(curve, 1)
    ]
    return pd.DataFrame(found)


def people(by_name, spread=0.01, n=5, **more):
    """Return the curves, and those with one person after another left out, which differ from them a little."""
    rng = np.random.default_rng(1)
    without = [
        rows({name: q + spread * rng.normal(size=len(q)) for name, q in by_name.items()}, i, **more) for i in range(n)
    ]
    return pd.concat([rows(by_name, **more), *without], ignore_index=True)


FLAT = {"a": np.array([0.8, 0.8, 0.7, 0.2]), "b": np.array([0.6, 0.6, 0.6, 0.5]), "c": np.array([0.9, 0.5, 0.5, 0.4])}
GROUPS = {"a": "arms", "b": "legs", "c": "legs"}


def test_the_shape_of_the_mean_curve_of_classes_and_of_groups():
    table = rows(FLAT, groups=GROUPS)
    classes = np.mean([*FLAT.values()], axis=0)
    groups = np.mean([FLAT["a"], (FLAT["b"] + FLAT["c"]) / 2], axis=0)
    for mean, curve in (("name", classes), ("group", groups)):
        found = {of: curves.shape(table, of, mean, 3).value for of in ("drop after", "fall", "early change")}
        assert found["drop after"] == np.argmax(curve[:-1] - curve[1:]) + 1
        assert found["fall"] == pytest.approx(1 - curve[-1] / curve[0])
        assert found["early change"] == pytest.approx(abs(curve[2] - curve[0]) / abs(curve[3] - curve[2]))
    assert isnan(curves.shape(table, "fall", "name", 3).low)
    assert curves.shape(table, "fall", "name", 3).clips == 12
    with pytest.raises(UserError, match=r"^a network of 4 layers$"):
        curves.shape(table, "fall", "name", 4)


def test_intervals_are_those_of_other_people():
    narrow, wide = (curves.shape(people(FLAT, spread), "fall", "name", 3) for spread in (0.001, 0.05))
    assert narrow.low < narrow.value < narrow.high
    assert wide.high - wide.low > 20 * (narrow.high - narrow.low)
    assert isnan(curves.shape(people(FLAT, n=2), "fall", "name", 3).low)  # two people say nothing of others


def test_every_action_falls_or_one_does_not():
    found = curves.least_fall(people(FLAT, 0.001))
    assert found.value == pytest.approx(0.1)
    assert 0 < found.low < found.value < found.high
    rising = curves.least_fall(people(FLAT | {"d": np.array([0.2, 0.3, 0.4, 0.5])}, 0.001))
    assert rising.value == pytest.approx(-0.3)
    assert rising.high < 0


def test_label_variation_over_that_of_random_labels():
    chance = 1 - 3 / 11
    found = curves.over_chance(rows(FLAT), 3).value
    assert found == pytest.approx(np.mean([q[:3].mean() / chance for q in FLAT.values()]))


def test_one_graph_above_another_at_its_worst_layer():
    higher = {name: q + np.array([0.1, 0.1, 0.02, 0.1]) for name, q in FLAT.items()}
    table = pd.concat([people(FLAT, 0.001), people(higher, 0.001, graph="knn")])
    found = curves.graph_gap(table, "nnk", "knn")
    assert found.value == pytest.approx(-0.02)
    assert found.low < found.value < found.high < 0
    with pytest.raises(UserError, match="no graphs of both kinds, nnk and mst"):
        curves.graph_gap(table, "nnk", "mst")


def test_the_slack_of_the_theorem_and_its_remark():
    mean = np.mean([*FLAT.values()], axis=0)
    slack = [n**2 * before / after for n, before, after in zip(THEOREM["norm"], mean, mean[1:], strict=False)]
    assert curves.bound_slack(rows(FLAT), THEOREM).value == pytest.approx(min(slack))
    assert curves.norm_correlation(rows({"a": [1.0, 0.9, 0.7, 0.1]}), THEOREM).value == pytest.approx(1)
    for measure in (curves.bound_slack, curves.norm_correlation):
        with pytest.raises(UserError, match="names no linear maps"):
            measure(rows(FLAT), THEOREM[:0])
    with pytest.raises(UserError, match="three layers or more"):
        curves.norm_correlation(rows({"a": [1.0, 0.9]}), THEOREM[:1])
