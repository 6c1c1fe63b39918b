"""Tables of a dataset: counts by hand, and the baseline on clips that are warped twins."""

import numpy as np
import pytest

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import Preprocessing
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.studies.data.tables import (class_table, clip_table, confusion_table, example_clips, missing_table, nearest_neighbour_predictions, twin_table)

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


def test_clips_that_occur_twice_and_joints_that_were_missing():
    x = [np.full((1, t, 3, 2), v) for t, v in ((4, 1.0), (4, 1.0), (2, 1.0), (6, 2.0))]
    x[3][0, 1:4, 1] = np.nan
    arm = Skeleton("arm", ("shoulder", "elbow", "hand"), ((1, 0), (2, 1)))
    data = SkeletonDataset("mine", arm, x, [0, 0, 1, 1], clips=("a", "b", "c", "d"))
    assert twin_table(data).to_dict("records") == [{"clip": "b", "same_as": "a"}]
    assert missing_table(data).to_dict("list") == {
        "joint": ["elbow", "shoulder", "hand"],
        "missing": [3 / 16, 0, 0],
    }
