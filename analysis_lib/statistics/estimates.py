"""Estimates with intervals, and the verdicts that they allow."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import nan

from scipy.stats import norm


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
