"""Which clips are looked at: those that are asked for, or a line that says why not."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.sampling import (
    class_indices,
    clips_of,
    front_clips,
    left_out_groups,
    made_splits,
    node_splits,
    sample_per_class,
    sample_splits,
    usual_actions,
)
from analysis_lib.errors import UserError
from analysis_lib.skeletons.skeleton import Skeleton

FEET = Skeleton("feet", ("left foot", "right foot"), ((0, 1),), pairs=((0, 1),))


@pytest.fixture
def data():
    """Return clips in which the feet are so far apart."""
    clips = [np.tile([[-w, 0, 0], [w, 0, 0]], (1, 4, 1, 1)) for w in (0.3, 0.1, 0.5, 0.2)]
    return SkeletonDataset("toy", FEET, clips, [0, 2, 0, 2], ("kick", "nod", "wave"))


def test_classes_are_those_named_or_all_that_have_clips(data):
    assert class_indices(data, ["wave", "kick"]) == [2, 0]
    assert class_indices(data, []) == [0, 2]
    assert clips_of(data, ["wave"]).tolist() == [1, 3]


def test_of_each_class_the_clip_seen_most_from_the_front(data):
    assert front_clips(data) == [2, 3]
    assert front_clips(data, ["wave"]) == [3]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["wafe"], "unknown class of 'toy' 'wafe'; did you mean 'wave'"),
        (["kick", "nod"], r"class 'nod' has no clip among the 4 .* kick, wave"),
        (["kick", "kick"], "each class is named once, got kick, kick"),
    ],
)
def test_classes_that_cannot_be_looked_at(data, names, message):
    with pytest.raises(UserError, match=message):
        class_indices(data, names)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(0, 5))
def test_every_class_is_sampled_equally(labels, seed):
    labels = np.array(labels)
    chosen = sample_per_class(labels, 0, seed)
    classes, counts = np.unique(labels, return_counts=True)
    assert len(set(chosen.tolist())) == len(chosen)
    assert np.unique(labels[chosen], return_counts=True)[1].tolist() == [counts.min()] * len(classes)


def test_sampling_more_than_there_are_takes_what_there_is():
    assert sample_per_class(np.array([0, 0, 0, 1, 1]), 3, seed=0).tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(UserError, match="at least 0"):
        sample_per_class(np.array([0, 0, 1]), -1, seed=0)


ARM = Skeleton("arm", ("shoulder", "elbow", "hand"), ((1, 0), (2, 1)))


def clips(labels, **given):
    rng = np.random.default_rng(0)
    return SkeletonDataset("mine", ARM, [rng.normal(size=(1, 4, 3, 2)) for _ in labels], labels, **given)


@pytest.mark.parametrize(
    ("groups", "most", "chosen"),
    [
        ((), 2, ["a", "b"]),
        ((), 9, ["a", "b", "c"]),
        (("up", "up", "low"), 9, ["a", "c"]),
        (("up", "up", "low"), 1, ["a"]),
    ],
)
def test_usual_actions_are_the_first_of_each_super_class(groups, most, chosen):
    assert usual_actions(clips([2, 1, 0], class_names=("a", "b", "c"), groups=groups), most) == chosen


@pytest.mark.parametrize(
    ("labels", "subjects", "tested", "rule"),
    [
        ([0, 1] * 4, [1, 1, 2, 2, 5, 5, 7, 7], [4, 5], "every third person (5)"),
        ([0, 1] * 2, [4, 4, 3, 3], [0, 1], "the second person (4)"),
        ([0, 0, 1, 1], [1, 1, 2, 2], [1, 3], "every third clip of each action"),  # by person a class would be missing
        ([0, 0, 0, 0, 1, 1, 1], None, [2, 6], "every third clip of each action"),
        ([0, 0, 1], None, [1], "or the second of two"),
    ],
)
def test_a_split_is_made_by_person_else_by_clip(labels, subjects, tested, rule):
    splits, note = made_splits(clips(labels, subjects=subjects))
    assert splits["test"].tolist() == tested
    assert sorted([*splits["train"], *splits["test"]]) == list(range(len(labels)))
    assert rule in note


def test_of_single_clips_none_is_tested():
    splits, note = made_splits(clips([0, 1, 2]))
    assert {name: index.tolist() for name, index in splits.items()} == {"train": [0, 1, 2]}
    assert "no action has two clips" in note


def people(subjects, labels):
    x = [np.zeros((1, 2, 2, 3))] * len(labels)
    return SkeletonDataset("toy", FEET, x, labels, subjects=subjects)


@pytest.mark.parametrize(
    ("subjects", "what"),
    [
        (np.arange(12) % 3, "people"),
        (np.arange(12) % 2, "clips"),  # two say nothing of how people differ
        (np.arange(12) // 6 + np.arange(12) % 2 * 2, "people"),
        (np.arange(12) // 4, "clips"),  # the first action is done by one alone
        (None, "clips"),
    ],
)
def test_people_are_left_out_where_they_are_known_else_parts_of_each_class(subjects, what):
    data = people(subjects, np.repeat([0, 1, 2], [4, 4, 4]))
    groups, found = left_out_groups(data)
    assert found == what
    assert len(np.unique(groups)) > 2
    for group in np.unique(groups):
        assert set(data.labels[groups != group]) == {0, 1, 2}


def test_an_action_with_one_clip_cannot_be_left_out():
    with pytest.raises(UserError, match="an action has one clip"):
        left_out_groups(people(None, [0, 0, 1]))


@pytest.fixture
def halves():
    """Return eight clips of two classes, four of each split."""
    clips = [np.zeros((1, 3, 2, 3))] * 8
    return SkeletonDataset("toy", FEET, clips, [0, 0, 1, 1] * 2, splits={"test": range(4), "train": range(4, 8)})


@pytest.mark.parametrize(("nodes", "splits"), [("test", ("test",)), ("train", ("train",)), ("both", ("test", "train"))])
def test_nodes_are_of_the_splits_that_are_asked_for(halves, nodes, splits):
    assert node_splits(halves, nodes, "test", "train") == splits
    only = halves.take(range(4))  # the training split has no clips left
    assert node_splits(only, nodes, "test", "train") == ("test",)


def test_unknown_nodes_are_refused(halves):
    with pytest.raises(UserError, match=r"^unknown choice of nodes 'all'; choices: both, test, train$"):
        node_splits(halves, "all", "test", "train")


@pytest.mark.parametrize(("n", "of_test", "of_train"), [(2, 1, 1), (3, 2, 1), (1, 1, 1), (0, 2, 2), (9, 2, 2)])
def test_half_of_the_clips_are_of_each_split(halves, n, of_test, of_train):
    index = sample_splits(halves, ("test", "train"), n, seed=0)
    assert len(set(index.tolist())) == len(index)
    for c in (0, 1):
        mine = index[halves.labels[index] == c]
        assert ((mine < 4).sum(), (mine >= 4).sum()) == (of_test, of_train)


def test_one_split_is_sampled_as_it_is_alone(halves):
    part = halves.split("train")
    alone = part.take(sample_per_class(part.labels, 1, 3))
    assert halves.take(sample_splits(halves, ("train",), 1, 3)).clips == alone.clips


def test_splits_that_cannot_both_give_nodes(halves):
    with pytest.raises(UserError, match=r"^the number of clips a class must be at least 0 .*, got -1$"):
        sample_splits(halves, ("test", "train"), -1, 0)
    shared = dataclasses.replace(halves, splits={"one": [0, 2], "other": [0, 3]})
    with pytest.raises(UserError, match="share 1 clips"):
        sample_splits(shared, ("one", "other"), 1, 0)
