"""Intervals of proportions and means: scipy's, and what their width must be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import binomtest, norm, spearmanr, t
from sklearn.metrics import roc_auc_score

from analysis_lib.errors import UserError
from analysis_lib.statistics.intervals import (
    jackknife_draws,
    left_out,
    mean_interval,
    percentile_interval,
    resampled_means,
    simultaneous_band,
    times_drawn,
    wilson_interval,
)
from analysis_lib.statistics.ranks import area_interval, rank_correlation, rank_interval, ranking_area
from analysis_lib.statistics.several_networks import mean_of_draws, seed_range


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_is_scipys(case):
    hits, n = case
    expected = binomtest(hits, n).proportion_ci(method="wilson")
    assert wilson_interval(hits, n, z=1.959963984540054) == pytest.approx((expected.low, expected.high), abs=1e-9)
    low, high = wilson_interval(hits, n)
    assert 0 <= low <= hits / n <= high <= 1


def test_the_interval_of_a_mean_over_repeats_lies_between_those_of_whole_hits():
    below, found, above = (wilson_interval(hits, 20) for hits in (7, 7.5, 8))
    assert below < found < above
    assert below[1] < found[1] < above[1]


def test_intervals_hold_the_mean_and_narrow_with_the_clips(rng):
    few, many = (mean_interval(rng.normal(size=n)) for n in (10, 1000))
    for found in (few, many):
        assert found["low"] < found["mean"] < found["high"]
    assert many["high"] - many["low"] == pytest.approx(2 * 1.96 / np.sqrt(1000), rel=0.15)
    assert few["high"] - few["low"] > 4 * (many["high"] - many["low"])


def test_the_interval_of_a_mean_by_people_is_the_jackknife_of_their_means(rng):
    """Everybody has as many clips: leaving one out is to draw the means of people, with Student's t."""
    people, each = np.repeat(np.arange(6), 10), rng.normal(size=6)
    values = each[people] + 0.01 * rng.normal(size=60)
    means = values.reshape(6, 10).mean(axis=1)
    half = t.ppf(0.975, 5) * means.std(ddof=1) / np.sqrt(6)
    found = mean_interval(values, 0, 100_000, people)
    wanted = (values.mean(), values.mean() - half, values.mean() + half)
    assert (found["mean"], found["low"], found["high"]) == pytest.approx(wanted, abs=0.03)
    clips = mean_interval(values)
    assert found["high"] - found["low"] > 2 * (clips["high"] - clips["low"])  # clips of one person are alike


def test_a_paired_difference_is_drawn_with_the_same_clips(rng):
    a = rng.normal(size=50)
    found = mean_interval((a + 0.25) - a)
    assert (found["low"], found["high"]) == pytest.approx((0.25, 0.25))


def test_each_class_keeps_its_number_of_clips(rng):
    labels = rng.permutation(np.repeat([3, 9, 4], [1, 10, 20]))
    drawn = times_drawn(labels, 500, rng)
    for c, size in ((3, 1), (9, 10), (4, 20)):
        assert (drawn[:, labels == c].sum(axis=1) == size).all()
    assert drawn[:, labels == 4].mean(axis=0) == pytest.approx(1, abs=0.2)


def test_resampled_means_are_means_of_the_drawn_clips(rng):
    values, labels = rng.random((30, 2)), np.repeat([3, 9], [10, 20])
    means = resampled_means(values, labels, np.random.default_rng(5), 4000)
    for found, drawn in zip(means[:50], times_drawn(labels, 4000, np.random.default_rng(5)), strict=False):
        clips = np.repeat(np.arange(30), drawn)
        np.testing.assert_allclose(found, [values[clips[:10]].mean(axis=0), values[clips[10:]].mean(axis=0)])
    spread = [values[:10].std(axis=0) / np.sqrt(10), values[10:].std(axis=0) / np.sqrt(20)]
    np.testing.assert_allclose(means.std(axis=0), spread, rtol=0.05)


def test_replicates_that_are_not_finite_are_left_out():
    low, high = percentile_interval(np.array([[1.0, np.nan], [3.0, np.inf], [np.inf, np.nan]]))
    np.testing.assert_allclose((low, high), [[1.05, np.nan], [2.95, np.nan]])


@pytest.mark.parametrize(("values", "n"), [(np.zeros(3), 5), (np.zeros(2), 0)])
def test_values_and_labels_must_match_and_be_drawn(rng, values, n):
    with pytest.raises(UserError, match=r"one value a label, got shapes \(3,\) and \(2,\)|and 0 replicates"):
        resampled_means(values, np.zeros(2, int), rng, n)


@pytest.mark.parametrize(("hits", "n"), [(3, 2), (-1, 2), (0, 0)])
def test_a_proportion_of_nothing(hits, n):
    with pytest.raises(UserError, match="hits must lie in"):
        wilson_interval(hits, n)


def test_the_interval_of_a_rank_correlation():
    """Of pairs that have nothing to do with each other, about one interval in twenty leaves out zero."""
    rng = np.random.default_rng(3)
    found = [rank_interval(r, 12) for r in rank_correlation(rng.random((2000, 12)), rng.random((2000, 12)))]
    assert np.mean([one.low > 0 or one.high < 0 for one in found]) == pytest.approx(0.05, abs=0.015)
    assert all(one.low < one.value < one.high for one in found)
    assert (rank_interval(1.0, 4).low, rank_interval(-1.0, 9).high) == (1, -1)
    assert np.isnan(rank_interval(1.0, 3).low)


def test_rank_correlation_is_scipys(rng):
    a, b = rng.integers(0, 5, size=(2, 6, 12))
    expected = [spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(rank_correlation(a, b), expected)


def test_rows_without_order_agree_with_nothing():
    a, b = np.array([[1, 2], [3, 3], [4, 4]]), np.array([[5, 5], [1, 2], [4, 4]])
    assert rank_correlation(a, b).tolist() == [0, 0, 0]


def test_rank_correlation_needs_one_shape():
    with pytest.raises(UserError, match=r"got \(2, 3\) and \(3, 2\)"):
        rank_correlation(np.zeros((2, 3)), np.zeros((3, 2)))


def test_the_jackknifes_draws_have_its_covariance_and_students_tails(rng):
    x = rng.normal(size=(8, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]])
    without = left_out(np.arange(8), lambda kept: x[kept].mean(axis=0))
    draws = jackknife_draws(x.mean(axis=0), without, 100_000, rng)
    expected = np.cov(x.T) / 8 * 7 / 5  # of the mean; Student's variance is 7 / (7 - 2)
    np.testing.assert_allclose(np.cov(draws.T), expected, rtol=0.05)
    low, high = percentile_interval(draws)
    half = t.ppf(0.975, 7) * x.std(axis=0, ddof=1) / np.sqrt(8)
    np.testing.assert_allclose([low, high], x.mean(axis=0) + np.outer([-1, 1], half), atol=0.02)


def test_the_band_is_that_of_the_largest_of_correlated_normals(rng):
    r, n, scale = 0.7, 6, np.linspace(0.1, 3, 6)

    def inside(reach):  # P(max |z| < reach), given what all share
        within = lambda u: np.diff(norm.cdf((np.array([-reach, reach]) - r**0.5 * u) / (1 - r) ** 0.5)).item()  # noqa: E731
        return quad(lambda u: norm.pdf(u) * within(u) ** n, -8, 8)[0]

    reach = brentq(lambda c: inside(c) - 0.95, 1.9, 3)
    shared, own = rng.normal(size=(100_000, 1)), rng.normal(size=(100_000, n))
    replicates = 5 + scale * (r**0.5 * shared + (1 - r) ** 0.5 * own)
    low, high = simultaneous_band(np.full(n, 5.0), replicates)
    np.testing.assert_allclose([5 - low, high - 5], [reach * scale] * 2, rtol=0.01)
    assert reach > 2.3


def test_a_place_that_never_moves_does_not_widen_the_band(rng):
    replicates = rng.normal(size=(500, 1)) * [1.0, 0.0]
    low, high = simultaneous_band(np.zeros(2), replicates)
    assert (low[1], high[1]) == (0, 0)
    assert high[0] == simultaneous_band(np.zeros(1), replicates[:, :1])[1]


def test_two_groups_cannot_be_left_out():
    with pytest.raises(UserError, match="three groups of clips or more, got 2"):
        left_out(np.array([1, 1, 2]), len)


def test_the_area_under_a_ranking(rng):
    values = rng.integers(0, 4, (20, 7)).astype(float)
    truth = rng.random((20, 7)) < 0.4
    truth[:2] = [[True] * 7, [False] * 7]
    found = ranking_area(values, truth)
    assert np.isnan(found[:2]).all()
    both = [i for i in range(20) if 0 < truth[i].sum() < 7]
    np.testing.assert_allclose(found[both], [roc_auc_score(truth[i], values[i]) for i in both])


def test_the_interval_of_an_area_holds_it_and_narrows(rng):
    truth = np.arange(400) % 2 > 0
    scores = rng.normal(size=400) + 1.5 * truth
    wide, narrow = area_interval(scores[:40], truth[:40]), area_interval(scores, truth)
    assert narrow["low"] < narrow["mean"] < narrow["high"]
    assert narrow["high"] - narrow["low"] < wide["high"] - wide["low"]
    assert narrow["low"] < 0.8556 < narrow["high"]  # the normal law: Phi(1.5 / sqrt 2)


def test_a_band_leaves_out_replicates_with_a_hole(rng):
    """A graph that was drawn again may lose all edges of a class: its replicate has no number there."""
    value, replicates = np.zeros(4), rng.normal(size=(200, 4))
    whole = simultaneous_band(value, replicates)
    holed = np.concatenate([replicates, np.where(np.eye(4, dtype=bool), np.nan, 9.0)])
    np.testing.assert_array_equal(simultaneous_band(value, holed), whole)
    assert np.isnan(simultaneous_band(value, np.full((5, 4), np.nan))).all()


@given(st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_draws_that_are_drawn_again_vary_as_their_mean_does(n_draws, seed):
    values = np.random.default_rng(seed).normal(size=(n_draws, 3))
    replicates = np.zeros((n_draws, 4000, 3)) + values[:, None]  # clips alone would say that nothing varies
    mean, again = mean_of_draws(values, replicates)
    np.testing.assert_allclose(mean, values.mean(axis=0))
    np.testing.assert_allclose(again.std(axis=0), values.std(axis=0, ddof=1) / np.sqrt(n_draws), rtol=0.08)
    np.testing.assert_allclose(again.mean(axis=0), mean, atol=0.1)


def test_one_draw_varies_with_the_clips_alone(rng):
    replicates = rng.normal(size=(1, 50, 2))
    np.testing.assert_array_equal(mean_of_draws(np.ones((1, 2)), replicates)[1], replicates[0])


def test_one_network_alone_has_no_range():
    assert np.isnan(seed_range([np.ones(2)])["seeds_low"]).all()
    assert seed_range([np.ones(2), np.arange(2)])["seeds_low"].tolist() == [0, 1]
