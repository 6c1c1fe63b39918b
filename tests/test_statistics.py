"""Intervals of proportions and means: scipy's, and what their width must be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from analysis_lib.errors import UserError
from analysis_lib.statistics import mean_interval, wilson_interval


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_is_scipys(case):
    hits, n = case
    expected = binomtest(hits, n).proportion_ci(method="wilson")
    assert wilson_interval(hits, n, z=1.959963984540054) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_intervals_hold_the_mean_and_narrow_with_the_clips(rng):
    few, many = (mean_interval(rng.normal(size=n)) for n in (10, 1000))
    for found in (few, many):
        assert found["low"] < found["mean"] < found["high"]
    assert many["high"] - many["low"] == pytest.approx(2 * 1.96 / np.sqrt(1000), rel=0.15)
    assert few["high"] - few["low"] > 4 * (many["high"] - many["low"])


def test_a_paired_difference_is_drawn_with_the_same_clips(rng):
    a = rng.normal(size=50)
    found = mean_interval((a + 0.25) - a)
    assert (found["low"], found["high"]) == pytest.approx((0.25, 0.25))


@pytest.mark.parametrize(("hits", "n"), [(3, 2), (-1, 2), (0, 0)])
def test_a_proportion_of_nothing(hits, n):
    with pytest.raises(UserError, match="hits must lie in"):
        wilson_interval(hits, n)
