"""Summaries: counts by hand, equal sampling, the interval against statistics' own tables."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.sampling import sample_per_class
from analysis_lib.errors import UserError
from analysis_lib.datasets.preparation.recipe import Preprocessing
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.studies.data.tables import (class_table, clip_table, confusion_table, example_clips, nearest_neighbour_predictions)

STICK = Skeleton("stick", ("foot", "knee"), ((0, 1),))


@pytest.fixture
def data(rng):
    lengths = [4, 9, 5, 7, 6, 8]
    return SkeletonDataset(
        "toy",
        STICK,
        [rng.normal(size=(1, t, 2, 3)) for t in lengths],
        [0, 0, 1, 1, 2, 2],
        ("kick", "jump", "wave"),
        ("lower", "lower", "upper"),
        tuple("abcdef"),
        splits={"train": [0, 2, 4], "test": [1, 3, 5]},
    )


def test_tables_count_clips_and_frames(data):
    clips = clip_table(data)
    assert clips["frames"].tolist() == [4, 9, 5, 7, 6, 8]
    assert clips["split"].tolist() == ["train", "test"] * 3
    table = class_table(clips).set_index("label")
    assert table["clips"].tolist() == [2, 2, 2]
    assert table.loc["kick", "median"] == 6.5
    assert table["group"].to_dict() == {"jump": "lower", "kick": "lower", "wave": "upper"}


def test_examples_take_turns_between_groups_and_are_of_median_length(data):
    chosen = example_clips(data, 2)
    assert [data.class_names[data.labels[i]] for i in chosen] == ["kick", "wave"]
    assert example_clips(data, 3) == [1, 5, 3]  # the upper median


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(0, 5))
def test_every_class_is_sampled_equally(labels, seed):
    labels = np.array(labels)
    chosen = sample_per_class(labels, 0, seed)
    classes, counts = np.unique(labels, return_counts=True)
    assert len(set(chosen.tolist())) == len(chosen)
    assert np.unique(labels[chosen], return_counts=True)[1].tolist() == [counts.min()] * len(classes)


def test_sampling_more_than_there_are():
    with pytest.raises(UserError, match="n_per_class is 3, but class 1 has 2 clips"):
        sample_per_class(np.array([0, 0, 0, 1, 1]), 3, seed=0)


def test_confusion_by_hand():
    table = confusion_table(np.array([0, 0, 1]), np.array([0, 1, 1]), ("a", "b"))
    assert table["clips"].tolist() == [1, 1, 0, 1]
    assert table["share"].tolist() == [0.5, 0.5, 0.0, 1.0]


def test_nearest_neighbour_finds_the_warped_twin(rng):
    """A slower copy of a training clip is nearest to it, whatever the other clip's length."""
    shapes = [rng.normal(size=(1, 6, 2, 3)) for _ in range(3)]
    train = SkeletonDataset("toy", STICK, shapes, [0, 1, 2], ("a", "b", "c"))
    slow = [np.repeat(x, 2, axis=1) + 0.01 for x in shapes]
    test = SkeletonDataset("toy", STICK, slow, [0, 1, 2], ("a", "b", "c"))
    recipe = Preprocessing(frames=12, fit="pad", steps=("first-bodies",))
    assert nearest_neighbour_predictions(train, test, recipe).tolist() == [0, 1, 2]
