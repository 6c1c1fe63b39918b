"""Sampling takes as many clips of each class, or says why it cannot."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_lib.datasets.sampling import sample_per_class
from analysis_lib.errors import UserError


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
