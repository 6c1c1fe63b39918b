"""Intervals of proportions, means and curves: over clips drawn again, and over people left out."""

import warnings
from collections.abc import Callable, Sequence

import numpy as np

from analysis_lib.errors import UserError

#: draws of other people, or of other parts of the clips, behind an interval (`jackknife_draws`)
N_DRAWS = 2000


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


def mean_interval(
    values: np.ndarray, seed: int = 0, n_bootstrap: int = 1000, people: np.ndarray | None = None
) -> dict[str, float]:
    """Return the mean over clips, and its 95 % interval over clips drawn again, or by people left out in turn.

    One seed draws the same clips, or people, for all arrays of one length: for the interval of a paired
    difference, give the differences.

    Parameters
    ----------
    values : ndarray, shape (n,)
        One value a clip.
    people : ndarray, shape (n,), optional
        Who is seen in each clip, three people or more: `jackknife_draws` in place of a bootstrap over clips.

    Returns
    -------
    dict of str to float
        ``mean``, ``low``, ``high``.

    Examples
    --------
    >>> mean_interval(np.array([2.0, 2.0]))
    {'mean': 2.0, 'low': 2.0, 'high': 2.0}
    """
    rng = np.random.default_rng(seed)
    if people is None:
        replicates = resampled_means(values, np.zeros(len(values), int), rng, n_bootstrap)[:, 0]
    else:
        without = left_out(people, lambda kept: values[kept].mean())
        replicates = jackknife_draws(values.mean(), without, n_bootstrap, rng)
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
