"""The measure of claims on run time, by hand."""

import pandas as pd
import pytest

from analysis_lib.errors import UserError
from analysis_lib.studies.performance.measures import nnk_overhead


def test_the_time_of_weights_over_that_of_distances_of_as_many_clips():
    rows = [("windowed DTW", "nnk_weights", 500, 0.1), ("windowed DTW", "nnk_weights", 2000, 0.5)]
    rows += [("windowed DTW", "another", 2000, 9.0), ("Gaussian", "nnk_weights", 2000, 7.0)]
    nnk = pd.DataFrame(rows, columns=["kernel", "method", "nodes", "seconds"])
    rows = [("windowed_dtw", 500, 1.0), ("windowed_dtw", 2000, 5.0), ("windowed_dtw_knn", 2000, 2.0)]
    growth = pd.DataFrame([*rows, ("windowed_dtw", 8000, 80.0)], columns=["method", "clips", "seconds"])
    assert nnk_overhead(nnk, growth).value == 0.1
    with pytest.raises(UserError, match="not measured with equally many clips"):
        nnk_overhead(nnk, growth[3:])
