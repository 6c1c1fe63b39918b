"""Statistics over clips: intervals of proportions and means, correlations of ranks."""

from dataclasses import dataclass
from enum import StrEnum
from math import nan

import numpy as np
from scipy.stats import rankdata

from analysis_lib.errors import UserError


class Verdict(StrEnum):
    """What was found of a statement."""

    HOLDS = "holds"
    FAILS = "does not hold"
    UNDECIDED = "undecided"
    UNTESTED = "cannot be tested here"


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; NaN where there is none."""

    value: float
    low: float = nan
    high: float = nan

    def above(self, bound: float) -> Verdict:
        """Return whether the value lies above a bound; undecided where the interval does not say.

        >>> Estimate(0.2, 0.1, 0.3).above(0), Estimate(0.2, -0.1, 0.5).above(0), Estimate(0.2).above(0)
        (<Verdict.HOLDS: 'holds'>, <Verdict.UNDECIDED: 'undecided'>, <Verdict.UNDECIDED: 'undecided'>)
        """
        return Verdict.HOLDS if self.low > bound else Verdict.FAILS if self.high <= bound else Verdict.UNDECIDED

    def below(self, bound: float) -> Verdict:
        """Return whether the value lies below a bound.

        >>> Estimate(-0.2, -0.3, -0.1).below(0)
        <Verdict.HOLDS: 'holds'>
        """
        return Verdict.HOLDS if self.high < bound else Verdict.FAILS if self.low >= bound else Verdict.UNDECIDED


def wilson_interval(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    r"""Return the Wilson score interval of a proportion (95 % for z = 1.96).

    .. math:: \frac{\hat p + z^2/2n \pm z\sqrt{\hat p(1-\hat p)/n + z^2/4n^2}}{1 + z^2/n}

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
    return float((p + z2 / 2 - half) / (1 + z2)), float((p + z2 / 2 + half) / (1 + z2))


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
    rng, n = np.random.default_rng(seed), len(values)
    replicates = rng.multinomial(n, np.full(n, 1 / n), n_bootstrap) @ values / n
    low, high = np.quantile(replicates, [0.025, 0.975])
    return {"mean": float(np.mean(values)), "low": float(low), "high": float(high)}


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
