"""Ranks: areas under ranking curves, correlations, and their intervals."""

import numpy as np
from scipy.stats import rankdata

from analysis_lib.errors import UserError
from analysis_lib.statistics.estimates import Estimate
from analysis_lib.statistics.intervals import percentile_interval, times_drawn


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
