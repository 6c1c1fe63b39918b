"""The shape of a curve: by hand, by its laws, and on graphs whose labels fall apart at one layer."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array
from scipy.stats import t

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.sampling import left_out_groups
from analysis_lib.errors import UserError
from analysis_lib.geometry.curves import EVERY, drawn_again, label_curves, shape_table, shapes, smoothness_table
from analysis_lib.geometry.embeddings import Embeddings
from analysis_lib.geometry.graphs import nnk_graph
from analysis_lib.geometry.layerwise import LayerGraph, dataset_graphs
from analysis_lib.geometry.smoothness import label_smoothness
from analysis_lib.skeletons.layouts import layout
from analysis_lib.statistics.intervals import percentile_interval

CURVES = arrays(float, (3, 6), elements=st.floats(0.01, 1.0))
LABELS = np.repeat([0, 1, 2, 3], 5)


def test_shapes_by_hand():
    found = shapes(np.array([[0.9, 0.8, 0.85, 0.1], [0.5, 0.1, 0.1, 0.1]]), boundary=2)
    assert found["drop after"].tolist() == [3, 1]
    np.testing.assert_allclose(found["drop"], [0.75, 0.4])
    np.testing.assert_allclose(found["early change"], [0.1 / 0.7, np.inf])
    np.testing.assert_allclose(found["fall"], [8 / 9, 0.8])


@given(CURVES, st.floats(0.1, 10))
def test_places_and_ratios_do_not_depend_on_the_scale(curves, scale):
    plain, scaled = shapes(curves, 3), shapes(curves * scale, 3)
    np.testing.assert_allclose(plain["fall"], scaled["fall"], atol=1e-9)
    np.testing.assert_allclose(plain["drop"] * scale, scaled["drop"], atol=1e-9)


def layer_of(number, mixing, rng):
    """Return a layer on which a share ``mixing`` of each clip's weight goes to other classes."""
    same = LABELS[:, None] == LABELS
    weights = np.where(same, (1 - mixing) / 4, mixing / 15) * rng.uniform(0.9, 1.1, same.shape)
    weights = np.triu(weights, 1)
    return LayerGraph(number, f"layer {number}", weights, csr_array(weights + weights.T), None)


@pytest.fixture
def clips():
    x = tuple(np.zeros((1, 2, 20, 3)) for _ in LABELS)
    return SkeletonDataset("four", layout("kinect-20"), x, LABELS, tuple("abcd"), ("arms", "arms", "legs", "legs"))


def test_a_fall_at_one_layer_is_found_with_its_interval(clips, rng):
    layers = [layer_of(i, m, rng) for i, m in enumerate([0.2, 0.8, 0.8, 0.8, 0.3, 0.3])]
    table = shape_table(label_curves(layers, clips, 200), 3)
    assert set(table["group"]) == {"arms", "legs", EVERY}
    assert set(table["clips"]) == {20}
    drop = table[table["statistic"] == "drop after"]
    assert (drop[["value", "low", "high"]] == 3).all(axis=None)
    sizes = table[table["statistic"].isin(["drop", "fall"])]
    assert sizes["low"].lt(sizes["value"]).all()
    assert sizes["value"].lt(sizes["high"]).all()
    every = table.set_index(["group", "statistic"])["value"]
    assert every[EVERY, "drop"] == min(every["arms", "drop"], every["legs", "drop"])
    assert every[EVERY, "fall"] == pytest.approx(1 - 0.3 / 0.8, abs=0.02)
    assert every[EVERY, "early change"] < 0.1


def test_without_a_fall_the_place_is_anywhere(clips, rng):
    layers = [layer_of(i, 0.5, rng) for i in range(7)]
    table = shape_table(label_curves(layers, clips, 200), 8)
    assert set(table["boundary"]) == {5}  # the network has no layer after 8
    place = table[(table["statistic"] == "drop after") & (table["group"] == "arms")].iloc[0]
    assert place["high"] - place["low"] >= 2


@pytest.mark.parametrize(("depth", "rows", "boundary"), [(1, 0, []), (2, 12, [1]), (3, 12, [2]), (40, 12, [8])])
def test_networks_of_any_depth(clips, rng, depth, rows, boundary):
    curves = label_curves([layer_of(i, 0.5, rng) for i in range(depth + 1)], clips, 2)
    table = shape_table(curves, 8)
    assert len(table) == rows
    assert table["boundary"].unique().tolist() == boundary
    assert len(smoothness_table(curves)) == (depth + 1) * (2 + 4)


@pytest.fixture
def people(rng):
    """Return 60 clips of 4 actions by 6 people, alike in what somebody does, and their graphs at two layers."""
    labels, subjects = np.tile(np.repeat(range(4), 5), 3), np.repeat(range(6), 10)
    x = tuple(np.zeros((1, 2, 20, 3)) for _ in labels)
    data = SkeletonDataset("six", layout("kinect-20"), x, labels, tuple("abcd"), subjects=subjects)
    habits = rng.normal(size=(6, 4, 1, 3))[subjects, labels]
    features = np.abs(habits + 0.3 * rng.normal(size=(60, 5, 3)))
    lengths = np.full(60, 5)
    return data, dataset_graphs(Embeddings(("input", "one"), (features, features**3), (lengths, lengths)), 4)


def test_intervals_by_people_are_the_jackknifes_with_graphs_built_again(people):
    data, layers = people
    curves = label_curves(layers, data, 40_000, people=data.subjects)
    for layer, q, draws in zip(layers, curves.q, curves.replicates, strict=True):
        without = []
        for person in range(6):
            kept = np.flatnonzero(data.subjects != person)
            graph, _ = nnk_graph(1 - layer.distance[np.ix_(kept, kept)], 4)
            without.append(label_smoothness(graph, data.labels[kept]))
        error = np.sqrt(5 / 6 * ((without - np.mean(without, axis=0)) ** 2).sum(axis=0))
        low, high = percentile_interval(draws)
        np.testing.assert_allclose((high - low) / 2, t.ppf(0.975, 5) * error, rtol=0.05)
        np.testing.assert_allclose((high + low) / 2, q, atol=0.01)
    table = smoothness_table(curves)
    assert table["low"].ge(0).all()
    assert table["high"].le(1).all()


def test_people_are_drawn_where_they_are_known_and_clips_where_not(people):
    data, _ = people
    who, said = drawn_again(data, "people")
    assert (who is data.subjects, said) == (True, "Intervals: jackknife, one of 6 people left out after another.")
    assert drawn_again(data, "clips") == (None, "Intervals: bootstrap over the clips of each action.")
    who, said = drawn_again(replace(data, subjects=None), "people")
    assert who is None
    assert said.startswith("Intervals: bootstrap over the clips of each action; people are not known")
    with pytest.raises(UserError, match="unknown resampling 'cameras'"):
        drawn_again(data, "cameras")


def test_people_move_all_layers_at_once(people):
    data, (_, layer) = people
    curves = label_curves([layer, layer], data, 50, people=data.subjects)
    np.testing.assert_array_equal(*curves.replicates)


def test_where_people_are_not_known_parts_of_the_clips_are_left_out(people):
    data, layers = people
    curves = label_curves(layers, data, 2000, people=left_out_groups(replace(data, subjects=None))[0])
    low, high = percentile_interval(curves.replicates[0])
    assert (low < curves.q[0]).all()
    assert (high > curves.q[0]).all()


def test_a_flat_curve_has_no_ratios(clips, rng):
    flat = layer_of(1, 0.0, rng)
    table = shape_table(label_curves([flat] * 5, clips, 20), 3).set_index(["statistic", "group"])["value"]
    assert table.loc["drop"].tolist() == [0, 0, 0]
    assert table.loc["early change"].isna().all()
    assert (table.loc["fall"].fillna(0) == 0).all()  # of a curve that is zero throughout it is none
    found = shapes(np.array([0.5, 0.4, 0.3, 0.3]), 3)
    assert found["early change"] == np.inf
