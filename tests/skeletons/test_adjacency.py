"""Matrices of the skeleton graph: by hand on three joints, published counts, laws on any tree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_lib.errors import UserError
from analysis_lib.skeletons.adjacency import STRATEGIES, adjacency, normalise_columns, normalise_symmetric, partition
from analysis_lib.skeletons.layouts import LAYOUTS, layout
from analysis_lib.skeletons.skeleton import Skeleton

#: hand - elbow - shoulder, seen from the shoulder
ARM = Skeleton("arm", ("hand", "elbow", "shoulder"), ((0, 1), (1, 2)), centre=2)


@st.composite
def trees(draw):
    n = draw(st.integers(2, 10))
    edges = tuple((v, draw(st.integers(0, v - 1))) for v in range(1, n))
    return Skeleton("tree", tuple(f"j{v}" for v in range(n)), edges, draw(st.integers(0, n - 1)))


def test_adjacency_by_hand():
    assert adjacency(ARM).tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]


def test_columns_by_hand_and_empty_ones_stay_empty():
    matrix = np.array([[1.0, 0], [3, 0]])
    assert normalise_columns(matrix).tolist() == [[0.25, 0], [0.75, 0]]


def test_symmetric_normalisation_by_hand():
    assert normalise_symmetric(np.array([[0.0, 4], [4, 0]])).tolist() == [[0, 1], [1, 0]]
    given_degree = normalise_symmetric(np.array([[1.0, 2], [2, 1]]), np.array([4.0, 1.0]))
    assert given_degree.tolist() == [[0.25, 1], [1, 1]]
    assert normalise_symmetric(np.array([[1, 0], [0, 0]])).tolist() == [[1, 0], [0, 0]]


def test_spatial_partition_by_hand():
    """First index source, second destination; columns are shares of two, three, two."""
    same, nearer, farther = partition(ARM, "spatial")
    assert np.allclose(same, np.diag([1 / 2, 1 / 3, 1 / 2]))
    # sources that are farther from the shoulder than their destination
    assert np.allclose(nearer, [[0, 1 / 3, 0], [0, 0, 1 / 2], [0, 0, 0]])
    assert np.allclose(farther, [[0, 0, 0], [1 / 2, 0, 0], [0, 1 / 3, 0]])


def test_agcn_partition_by_hand():
    own, inward, outward = partition(ARM, "agcn")
    assert own.tolist() == np.eye(3).tolist()
    assert inward.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    assert outward.tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 0]]


@pytest.mark.parametrize(
    ("name", "legacy", "intended"), [("ntu-25", [25, 40, 8], [25, 24, 24]), ("openpose-18", [18, 25, 9], [18, 17, 17])]
)
def test_legacy_partition_is_the_official_codes_and_not_the_papers(name, legacy, intended):
    count = lambda strategy: (partition(layout(name), strategy) > 0).sum((1, 2)).tolist()  # noqa: E731
    assert count("spatial_legacy") == legacy
    assert count("spatial") == intended


def test_the_eight_outward_entries_of_the_official_ntu_graph():
    outward = partition(layout("ntu-25"), "spatial_legacy")[2]
    pairs = " ".join(f"{a}-{b}" for a, b in np.argwhere(outward))
    assert pairs == "1-0 2-3 4-5 8-9 20-1 20-2 20-4 20-8"


@given(trees(), st.sampled_from(["uniform", "distance", "spatial", "spatial_legacy"]), st.integers(1, 4))
def test_columns_of_a_stack_sum_to_one_and_subsets_are_disjoint(skeleton, strategy, max_hop):
    stack = partition(skeleton, strategy, max_hop)
    assert np.allclose(stack.sum(axis=(0, 1)), 1)
    assert ((stack > 0).sum(axis=0) <= 1).all()
    assert ((stack.sum(axis=0) > 0) == (skeleton.hop_distance <= max_hop)).all()


@given(trees(), st.integers(1, 4))
def test_distance_subsets_hold_one_hop_distance_each(skeleton, max_hop):
    for hop, subset in enumerate(partition(skeleton, "distance", max_hop)):
        assert ((subset > 0) == (skeleton.hop_distance == hop)).all()


@given(trees())
def test_the_two_spatial_partitions_agree_up_to_the_radius_of_one_hop(skeleton):
    """Where no joint is more than one hop from the centre, nothing is truncated."""
    if skeleton.hop_distance[skeleton.centre].max() <= 1:
        assert np.allclose(partition(skeleton, "spatial"), partition(skeleton, "spatial_legacy"))
    assert np.allclose(partition(skeleton, "spatial").sum(0), partition(skeleton, "spatial_legacy").sum(0))


@pytest.mark.parametrize("skeleton", LAYOUTS.values(), ids=lambda s: s.name)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_serves_every_layout(skeleton, strategy):
    stack = partition(skeleton, strategy)
    assert stack.shape[1:] == (skeleton.n_joints,) * 2
    assert np.isfinite(stack).all()
    assert (stack >= 0).all()


def test_choices_that_do_not_exist():
    with pytest.raises(UserError) as error:
        partition(ARM, "spacial")
    assert str(error.value) == (
        "unknown partition 'spacial'; did you mean 'spatial'? choices: agcn, distance, spatial, spatial_legacy, uniform"
    )
    with pytest.raises(UserError) as error:
        partition(ARM, "distance", 0)
    assert str(error.value) == "max_hop must be at least 1, got 0"
