"""Which clips are looked at: those that are asked for, or a line that says why not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.sampling import class_indices, clips_of, front_clips, sample_per_class
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


def test_sampling_more_than_there_are():
    with pytest.raises(UserError, match="n_per_class is 3, but class 1 has 2 clips"):
        sample_per_class(np.array([0, 0, 0, 1, 1]), 3, seed=0)
