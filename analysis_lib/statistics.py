"""Statistics over clips: estimates and verdicts, intervals of proportions and means, ranks."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import nan

import numpy as np
from scipy.stats import norm, rankdata

from analysis_lib.errors import UserError

#: draws of other people, or of other parts of the clips, behind an interval (`jackknife_draws`)
N_DRAWS = 2000
#: columns of what networks of several seeds have at least and at most (`seed_range`)
SEEDS = ("seeds_low", "seeds_high")


class Verdict(StrEnum):
    """What was found of a statement."""

    HOLDS = "holds"
    FAILS = "does not hold"
    UNDECIDED = "undecided"
    UNTESTED = "cannot be tested here"


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval, NaN where there is none, and the number of clips behind it, 0 if not told."""

    value: float
    low: float = nan
    high: float = nan
    clips: int = 0

    def __neg__(self) -> "Estimate":
        """Return what is estimated with the other sign.

        >>> -Estimate(-0.2, -0.3, 0.1, 9)
        Estimate(value=0.2, low=-0.1, high=0.3, clips=9)
        """
        return Estimate(-self.value, -self.high, -self.low, self.clips)

    def above(self, bound: float) -> Verdict:
        """Return whether the value lies above a bound; undecided where the interval does not say, or is not there.

        A verdict never goes against the value: the interval of a value that lies outside it decides nothing.

        >>> Estimate(0.2, 0.1, 0.3).above(0), Estimate(0.2, -0.1, 0.5).above(0), Estimate(0.2).above(0)
        (<Verdict.HOLDS: 'holds'>, <Verdict.UNDECIDED: 'undecided'>, <Verdict.UNDECIDED: 'undecided'>)
        """
        if bound < self.low <= self.high and self.value > bound:
            return Verdict.HOLDS
        return Verdict.FAILS if self.low <= self.high <= bound and self.value <= bound else Verdict.UNDECIDED

    def below(self, bound: float) -> Verdict:
        """Return whether the value lies below a bound.

        >>> Estimate(-0.2, -0.3, -0.1).below(0)
        <Verdict.HOLDS: 'holds'>
        """
        return (-self).above(-bound)

    def beyond(self, other: "Estimate") -> Verdict:
        """Return whether this lies above another: undecided where the intervals meet.

        >>> Estimate(0.9, 0.8, 0.95).beyond(Estimate(0.5, 0.4, 0.6)), Estimate(0.5).beyond(Estimate(0.9))
        (<Verdict.HOLDS: 'holds'>, <Verdict.UNDECIDED: 'undecided'>)
        """
        if self.above(other.high) == Verdict.HOLDS and other.low <= other.value <= other.high:
            return Verdict.HOLDS
        if other.above(self.high) == Verdict.HOLDS and self.low <= self.value <= self.high:
            return Verdict.FAILS
        return Verdict.UNDECIDED


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict on several statements at once: they hold if all do, and fail if one does.

    >>> together([Verdict.HOLDS, Verdict.UNDECIDED]), together([Verdict.UNDECIDED, Verdict.FAILS]), together([])
    (<Verdict.UNDECIDED: 'undecided'>, <Verdict.FAILS: 'does not hold'>, <Verdict.UNTESTED: 'cannot be tested here'>)
    """
    found = set(verdicts)
    if len(found) == 1:
        return found.pop()
    for verdict in (Verdict.FAILS, Verdict.UNDECIDED):
        if verdict in found:
            return verdict
    return Verdict.UNTESTED


def wilson_interval(hits: float, n: int, z: float = 1.96) -> tuple[float, float]:
    r"""Return the Wilson score interval of a proportion (95 % for z = 1.96).

    .. math:: \frac{\hat p + z^2/2n \pm z\sqrt{\hat p(1-\hat p)/n + z^2/4n^2}}{1 + z^2/n}

    Hits that are a mean over repeats on the same n clips need not be whole. The proportion lies within, to the last
    digit.

    References
    ----------
    Wilson (1927), Journal of the American Statistical Association 22.

    Examples
    --------
    >>> [round(p, 3) for p in wilson_interval(9, 10)]
    [0.596, 0.982]
    """
    if not 0 <= hits <= n or n == 0:
        raise UserError(f"hits must lie in 0..n with n > 0, got {hits} of {n}")
    p, z2 = hits / n, z * z / n
    half = z * np.sqrt(p * (1 - p) / n + z2 / (4 * n))
    low, high = ((p + z2 / 2 + side) / (1 + z2) for side in (-half, half))
    return float(max(0, min(low, p))), float(min(1, max(high, p)))


def times_drawn(labels: np.ndarray, n_replicates: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often each clip is drawn when clips are drawn again within each class.

    Equal labels and generators draw the same clips: replicates of two quantities are then paired.

    Parameters
    ----------
    labels : ndarray, shape (n,)
    n_replicates : int
    rng : numpy Generator

    Returns
    -------
    int64 ndarray, shape (n_replicates, n)
        Over the clips of a class, each row adds up to their number.

    Raises
    ------
    UserError
        If there is no replicate, or no clip.

    References
    ----------
    Efron & Tibshirani (1993), chapter 8 (stratified samples).

    Examples
    --------
    >>> times_drawn(np.array([7, 3, 7]), 2, np.random.default_rng(1)).tolist()
    [[1, 1, 1], [2, 1, 0]]
    """
    classes, index, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    if n_replicates < 1 or not len(classes):
        raise UserError(f"need a clip and a replicate or more, got {len(index)} clips and {n_replicates} replicates")
    drawn = np.empty((n_replicates, len(index)), np.int64)
    for c, size in enumerate(sizes):
        drawn[:, index == c] = rng.multinomial(size, np.full(size, 1 / size), n_replicates)
    return drawn


def resampled_means(
    values: np.ndarray, labels: np.ndarray, rng: np.random.Generator, n_replicates: int = 500
) -> np.ndarray:
    """Return the mean of each class over clips drawn again within it (`times_drawn`).

    Parameters
    ----------
    values : ndarray, shape (n, ...)
        One a clip.
    labels : ndarray, shape (n,)
    rng : numpy Generator
    n_replicates : int

    Returns
    -------
    float64 ndarray, shape (n_replicates, n_classes, ...)
        Classes in the order of ``np.unique(labels)``.

    Examples
    --------
    >>> values, labels = np.array([0.0, 0, 1]), np.array([5, 5, 8])
    >>> resampled_means(values, labels, np.random.default_rng(0), 2).tolist()
    [[0.0, 1.0], [0.0, 1.0]]
    """
    values, labels = np.asarray(values, float), np.asarray(labels)
    if values.shape[:1] != labels.shape:
        raise UserError(f"need one value a label, got shapes {values.shape} and {labels.shape}")
    drawn = times_drawn(labels, n_replicates, rng)
    members = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    means = [np.tensordot(drawn[:, mine].astype(float), values[mine], 1) / len(mine) for mine in members]
    return np.stack(means, axis=1)


def percentile_interval(replicates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds between which 95 % of replicates lie, along the first axis.

    Replicates that are not finite are left out; where none is finite, the bounds are NaN.

    Parameters
    ----------
    replicates : ndarray, shape (n_replicates, ...)

    Returns
    -------
    low, high : float64 ndarray, shape (...)

    Examples
    --------
    >>> [bound.tolist() for bound in percentile_interval(np.array([[0.0, 4], [1, np.inf]]))]
    [[0.025, 4.0], [0.975, 4.0]]
    """
    low, high = _quantile(replicates, [0.025, 0.975])
    return low, high


def _quantile(replicates: np.ndarray, share: float | Sequence[float]) -> np.ndarray:
    """Return quantiles of what is finite, along the first axis; NaN where nothing is."""
    finite = np.where(np.isfinite(replicates), replicates, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a column without any: NaN is what is meant
        return np.nanquantile(finite, share, axis=0)


def left_out(groups: np.ndarray, measure: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return what a measure is with one group of clips after another left out.

    Parameters
    ----------
    groups : ndarray, shape (n,)
        Who is seen in each clip, say.
    measure : callable
        From the indices of the clips that are kept to a number, or an array.

    Returns
    -------
    float64 ndarray, shape (G, ...)
        Groups in the order of ``np.unique(groups)``.

    Raises
    ------
    UserError
        If there are fewer than three groups: two say nothing of how much groups differ.

    Examples
    --------
    >>> x = np.array([1.0, 2, 4])
    >>> left_out(np.array([7, 8, 9]), lambda kept: x[kept].mean()).tolist()
    [3.0, 2.5, 1.5]
    """
    groups = np.asarray(groups)
    each = np.unique(groups)
    if len(each) < 3:
        raise UserError(f"leaving out one after another needs three groups of clips or more, got {len(each)}")
    return np.stack([measure(np.flatnonzero(groups != group)) for group in each]).astype(float)


def jackknife_draws(value: np.ndarray, without: np.ndarray, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    r"""Return values as they might come out for other groups, drawn about those that did.

    .. math:: \theta^* = \theta + \sqrt{\tfrac{G - 1}{G}} \sum_g e_g (\theta_{(g)} - \bar\theta)
              \Big/ \sqrt{u / (G - 1)}, \qquad e_g \sim N(0, 1),\ u \sim \chi^2_{G - 1}

    They have Student's distribution of G - 1 degrees of freedom with the jackknife's covariance: quantiles
    of one number are the jackknife's interval, and whatever follows from several numbers at once, such as
    their difference or a ratio, has them vary together. Equal generators draw the same groups: draws
    of two quantities are then paired.

    Parameters
    ----------
    value : ndarray, shape (...)
        Of all clips.
    without : ndarray, shape (G, ...)
        With one group left out after another, from `left_out`.
    n_draws : int
    rng : numpy Generator

    Returns
    -------
    float64 ndarray, shape (n_draws, ...)

    References
    ----------
    Efron & Tibshirani (1993), chapter 11 (jackknife); Tukey (1958) for its degrees of freedom.

    Examples
    --------
    The mean of three numbers, and its interval by Student's t:

    >>> x = np.array([1.0, 2, 6])
    >>> without = left_out(np.arange(3), lambda kept: x[kept].mean())
    >>> draws = jackknife_draws(x.mean(), without, 200_000, np.random.default_rng(0))
    >>> [float(bound.round(1)) for bound in percentile_interval(draws)]  # 3 ± 4.30 * 1.53
    [-3.6, 9.6]
    """
    without = np.asarray(without, float)
    n = len(without)
    noise = rng.normal(size=(n_draws, n)) / np.sqrt(rng.chisquare(n - 1, size=(n_draws, 1)) / (n - 1))
    spread = np.sqrt((n - 1) / n) * (without - without.mean(axis=0))
    return value + np.tensordot(noise, spread, axes=1)


def simultaneous_band(value: np.ndarray, replicates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the bounds between which 95 % of replicates lie at all places of the last axis at once.

    .. math:: \theta_l \pm c\, h_l, \qquad c = \text{95 % quantile of } \max_l |\theta^*_l - \theta_l| / h_l

    with :math:`h_l` the 95 % quantile of :math:`|\theta^*_l - \theta_l|`, so that c is 1 where there is one place.
    Replicates that are not finite at some place are left out; where none is left, the bounds are NaN.

    Parameters
    ----------
    value : ndarray, shape (..., L)
    replicates : ndarray, shape (n_replicates, ..., L)
        Of the same clips at every place, as from `jackknife_draws`.

    Returns
    -------
    low, high : float64 ndarray, shape (..., L)

    References
    ----------
    Montiel Olea & Plagborg-Møller (2019), Simultaneous confidence bands: sup-t.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> for n in (1, 10):  # independent places: 1.96, and the quantile of the largest of ten
    ...     print(simultaneous_band(np.zeros(n), rng.normal(size=(50_000, n)))[1].mean().round(1))
    2.0
    2.8
    """
    known = np.isfinite(replicates).all(axis=-1, keepdims=True)
    away = np.where(known, np.abs(replicates - value), np.nan)
    half = _quantile(away, 0.95)
    ratio = np.divide(away, half, out=np.zeros_like(away), where=half > 0)
    reach = _quantile(ratio.max(axis=-1), 0.95)[..., None] * half
    return value - reach, value + reach


def mean_of_draws(values: np.ndarray, replicates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the mean of a few draws, of untrained networks say, and replicates of it in which draws vary as well.

    .. math:: \bar q^{(r)} + \sqrt{D / (D - 1)}\, \Big(\frac1D \sum_{d \in \mathcal{D}_r} q^{(d)} - \bar q\Big)

    with :math:`\bar q^{(r)}` the mean of the draws' own replicates, and D draws :math:`\mathcal{D}_r` drawn again with
    replacement; the factor makes the variance that of the mean of D draws. One draw has no spread that could be known.

    Parameters
    ----------
    values : ndarray, shape (D, ...)
    replicates : ndarray, shape (D, R, ...)

    Returns
    -------
    mean : ndarray, shape (...)
    replicates : ndarray, shape (R, ...)

    References
    ----------
    Efron & Tibshirani (1993), chapter 6: the bootstrap divides by D where an unbiased variance divides by D - 1.

    Examples
    --------
    >>> mean, again = mean_of_draws(np.array([1.0, 3.0]), np.zeros((2, 400)) + [[1], [3]])
    >>> float(mean), sorted(set(again.round(2).tolist()))
    (2.0, [0.59, 2.0, 3.41])
    """
    d, mean, again = len(values), values.mean(axis=0), replicates.mean(axis=0)
    if d == 1:
        return mean, again
    drawn = np.random.default_rng(0).integers(d, size=(len(again), d))
    return mean, again + np.sqrt(d / (d - 1)) * (values[drawn].mean(axis=1) - mean)


def seed_range(values: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Return the least and the most of what networks of several seeds have, as ``seeds_low`` and ``seeds_high``.

    One alone has no range: NaN.

    Examples
    --------
    >>> seed_range([np.array([1.0, 5.0]), np.array([2.0, 4.0])])
    {'seeds_low': array([1., 4.]), 'seeds_high': array([2., 5.])}
    """
    every = np.stack([*values])
    if len(every) == 1:
        every = np.full_like(every, np.nan)
    return dict(zip(SEEDS, (every.min(axis=0), every.max(axis=0)), strict=True))


def greatest(found: Sequence[Estimate]) -> Estimate:
    r"""Return the greatest of several values, with the interval of all of them at once (Bonferroni).

    Each interval is widened about its value by :math:`z_{0.025/n} / z_{0.025}`; the ends are the greatest of
    all. The whole interval lies below a bound just if all do.

    Examples
    --------
    >>> one, two = Estimate(-0.3, -0.5, -0.1), Estimate(-0.2, -0.3, -0.1)
    >>> greatest([one]).high, round(greatest([one, two]).high, 4)
    (-0.1, -0.0713)
    """
    wider = norm.ppf(0.025 / len(found)) / norm.ppf(0.025)
    value = max(one.value for one in found)
    low = max(one.value - wider * (one.value - one.low) for one in found)
    high = max(one.value + wider * (one.high - one.value) for one in found)
    return Estimate(float(value), float(low), float(high), max(one.clips for one in found))


def mean_interval(values: np.ndarray, seed: int = 0, n_bootstrap: int = 1000) -> dict[str, float]:
    """Return the mean over clips, and its 95 % percentile interval over clips drawn again.

    One seed draws the same clips for all arrays of one length: for the interval of a paired
    difference, give the differences.

    Parameters
    ----------
    values : ndarray, shape (n,)
        One value a clip.

    Returns
    -------
    dict of str to float
        ``mean``, ``low``, ``high``.

    Examples
    --------
    >>> mean_interval(np.array([2.0, 2.0]))
    {'mean': 2.0, 'low': 2.0, 'high': 2.0}
    """
    together = np.zeros(len(values), int)
    replicates = resampled_means(values, together, np.random.default_rng(seed), n_bootstrap)[:, 0]
    low, high = percentile_interval(replicates)
    return {"mean": float(np.mean(values)), "low": float(low), "high": float(high)}


def unseen_share(n: int) -> float:
    r"""Return the largest share of what none of n clips showed, one-sided 95 %: the rule of three.

    .. math:: (1 - p)^n = 0.05, \qquad p \approx 3 / n

    Examples
    --------
    >>> round(unseen_share(3), 2), round(unseen_share(100), 4)
    (0.63, 0.0295)
    """
    return 1 - 0.05 ** (1 / n)


def ranking_area(values: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return how far what is true is ranked above what is not, in each row, (n, d) -> (n,).

    The area under the ROC curve: the share of pairs of a true and another entry that are in the right order,
    ties for one half. NaN where all entries or none are true.

    Examples
    --------
    >>> ranking_area(np.array([[3.0, 2.0, 1.0, 1.0]]), np.array([[True, False, True, False]])).tolist()
    [0.625]
    """
    truth = np.asarray(truth, bool)
    ranks = rankdata(values, axis=1)
    inside = truth.sum(axis=1)
    pairs = inside * (truth.shape[1] - inside)
    wins = (ranks * truth).sum(axis=1) - inside * (inside + 1) / 2
    return np.divide(wins, pairs, out=np.full(len(ranks), np.nan), where=pairs > 0)


def by_person(scores: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Return the median score of each person over what was seen of him or her, people in order, (n,) -> (p,).

    Examples
    --------
    >>> by_person(np.array([0.1, 0.9, 0.2, 0.6]), np.array([4, 2, 4, 4])).tolist()
    [0.9, 0.2]
    """
    return np.array([np.median(scores[people == who]) for who in np.unique(people)])


def area_interval(scores: np.ndarray, truth: np.ndarray, seed: int = 0, n_bootstrap: int = 1000) -> dict[str, float]:
    """Return the area under the ROC curve, and its 95 % interval over people drawn again within their class.

    Parameters
    ----------
    scores : ndarray, shape (n,)
        One a person.
    truth : bool ndarray, shape (n,)

    Returns
    -------
    dict of str to float
        ``mean`` (the area itself), ``low``, ``high``.

    Examples
    --------
    >>> area_interval(np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True]))
    {'mean': 1.0, 'low': 1.0, 'high': 1.0}
    """
    scores, truth = np.asarray(scores, float), np.asarray(truth, bool)
    drawn = times_drawn(truth, n_bootstrap, np.random.default_rng(seed))
    index = np.stack([np.repeat(np.arange(len(scores)), row) for row in drawn])
    low, high = percentile_interval(ranking_area(scores[index], truth[index]))
    return {"mean": float(ranking_area(scores[None], truth[None])[0]), "low": float(low), "high": float(high)}


def rank_interval(rho: float, n: int) -> Estimate:
    r"""Return a rank correlation of n pairs with its 95 % interval, which three pairs or fewer do not have.

    .. math:: \tanh\left(\operatorname{artanh} \rho \pm 1.96 \sqrt{(1 + \rho^2 / 2) / (n - 3)}\right)

    References
    ----------
    Bonett & Wright (2000), "Sample size requirements for estimating Pearson, Kendall and Spearman correlations".

    Examples
    --------
    >>> found = rank_interval(0.9, 10)
    >>> round(found.low, 2), round(found.high, 2), rank_interval(1.0, 3)
    (0.53, 0.98, Estimate(value=1.0, low=nan, high=nan, clips=0))
    """
    if n <= 3:
        return Estimate(rho)
    with np.errstate(divide="ignore"):
        middle, half = np.arctanh(np.clip(rho, -1, 1)), 1.96 * np.sqrt((1 + rho**2 / 2) / (n - 3))
    return Estimate(rho, *(float(np.tanh(end)) for end in (middle - half, middle + half)))


def rank_correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    r"""Return Spearman's correlation of each row of ``a`` with the same row of ``b``.

    Ties share their mean rank. A row without any order (all equal) agrees with nothing: 0.

    Parameters
    ----------
    a, b : ndarray, shape (n, d)

    Returns
    -------
    float64 ndarray, shape (n,)

    Raises
    ------
    UserError
        If the shapes differ.

    Examples
    --------
    >>> rank_correlation(np.array([[1, 2, 3]] * 3), np.array([[2, 4, 9], [3, 2, 1], [5, 5, 5]]))
    array([ 1., -1.,  0.])
    """
    if a.shape != b.shape or a.ndim != 2:
        raise UserError(f"two (n, d) arrays of one shape are needed, got {a.shape} and {b.shape}")
    ranks = [rankdata(x, axis=1) for x in (a, b)]
    centred = [r - r.mean(axis=1, keepdims=True) for r in ranks]
    sizes = [np.sqrt((c * c).sum(axis=1)) for c in centred]
    product = (centred[0] * centred[1]).sum(axis=1)
    size = sizes[0] * sizes[1]
    return np.divide(product, size, out=np.zeros(len(a)), where=size > 0)
