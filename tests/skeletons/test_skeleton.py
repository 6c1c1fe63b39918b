"""Skeleton: a path by hand, hops against a naive search, and tables that no body could have."""

from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_lib.errors import UserError
from analysis_lib.skeletons.layouts import LAYOUTS, layout
from analysis_lib.skeletons.skeleton import Skeleton

PATH = Skeleton("path", ("foot", "knee", "hip"), ((0, 1), (1, 2)), centre=2)


@st.composite
def forests(draw):
    """Skeletons in which every joint but the first has at most one, earlier, parent."""
    n = draw(st.integers(1, 12))
    parents = [draw(st.one_of(st.none(), st.integers(0, v - 1))) for v in range(1, n)]
    edges = tuple((v + 1, p) for v, p in enumerate(parents) if p is not None)
    return Skeleton("drawn", tuple(f"j{v}" for v in range(n)), edges)


def breadth_first(skeleton, start):
    distance = {start: 0}
    queue = deque([start])
    while queue:
        here = queue.popleft()
        for a, b in (*skeleton.edges, *((b, a) for a, b in skeleton.edges)):
            if a == here and b not in distance:
                distance[b] = distance[here] + 1
                queue.append(b)
    return [distance.get(v, np.inf) for v in range(skeleton.n_joints)]


def test_a_path_by_hand():
    assert PATH.hop_distance.tolist() == [[0, 1, 2], [1, 0, 1], [2, 1, 0]]
    assert PATH.parents == (1, 2, 2)
    assert PATH.joint("knee") == 1
    assert dict(PATH.parts) == {"body": (0, 1, 2)}


@given(forests())
def test_hops_are_those_of_a_breadth_first_search(skeleton):
    expected = [breadth_first(skeleton, v) for v in range(skeleton.n_joints)]
    assert skeleton.hop_distance.tolist() == expected


@given(forests())
def test_edges_toward_the_root_are_the_parents(skeleton):
    assert {(v, p) for v, p in enumerate(skeleton.parents) if v != p} == set(skeleton.edges)


@pytest.mark.parametrize("skeleton", [*LAYOUTS.values(), PATH], ids=lambda s: s.name)
def test_plain_containers_give_the_same_skeleton_back(skeleton):
    copy = Skeleton.from_dict(skeleton.to_dict())
    assert copy == skeleton
    assert copy.variants == skeleton.variants


def test_a_table_of_lists_and_numpy_numbers_becomes_plain():
    one = Skeleton("one", ["a", "b"], np.array([[0, 1]]), centre=np.int64(1), pairs=[[0, 1]], parts={"body": [0, 1]})
    assert one == Skeleton("one", ("a", "b"), ((0, 1),), 1, pairs=((0, 1),))
    assert type(one.edges[0][0]) is type(one.centre) is int


def test_tables_cannot_be_changed():
    with pytest.raises(AttributeError):
        PATH.name = "other"
    with pytest.raises(TypeError):
        PATH.parts["body"] = ()


def test_a_variant_keeps_all_but_the_edges():
    ntu = layout("ntu-25")
    other = ntu.with_edges("ntu-tips-on-hand")
    assert (other.joints, other.parts, other.pairs, other.centre) == (ntu.joints, ntu.parts, ntu.pairs, ntu.centre)
    assert other.edges == ntu.variants["ntu-tips-on-hand"]
    assert other.with_edges("ntu-stgcn").edges == ntu.edges
    assert "ntu-tips-on-hand" in other.source


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"joints": ()}, "skeleton 'bad' has no joints"),
        ({"edges": ((0, 3),)}, "skeleton 'bad' has joints 0..2, but its edges, pairs or centre name joint 3"),
        ({"pairs": ((-1, 0),)}, "skeleton 'bad' has joints 0..2, but its edges, pairs or centre name joint -1"),
        ({"centre": 7}, "skeleton 'bad' has joints 0..2, but its edges, pairs or centre name joint 7"),
        ({"variants": {"x": ((0, 9),)}}, "skeleton 'bad' has joints 0..2, but its edges, pairs or centre name joint 9"),
        ({"edges": ((1, 1),)}, "skeleton 'bad': edge (1, 1) joins a joint to itself"),
        ({"parts": {"leg": (0, 1)}}, "skeleton 'bad': the parts must name every joint exactly once"),
        ({"parts": {"leg": (0, 1, 2), "foot": (2,)}}, "skeleton 'bad': the parts must name every joint exactly once"),
    ],
)
def test_tables_that_no_body_could_have(change, message):
    table = {"name": "bad", "joints": ("a", "b", "c"), "edges": ((0, 1),), "centre": 0} | change
    with pytest.raises(UserError) as error:
        Skeleton(**table)
    assert str(error.value) == message


def test_unknown_names_list_the_choices():
    with pytest.raises(UserError) as error:
        PATH.joint("kne")
    assert str(error.value) == ("unknown joint of 'path' 'kne'; did you mean 'knee'? choices: foot, hip, knee")
    with pytest.raises(UserError) as error:
        PATH.with_edges("x")
    assert str(error.value) == "unknown edge list of 'path' 'x'; choices: none"
