"""What several networks of one kind have: draws without training, and trainings with other seeds."""

from collections.abc import Sequence

import numpy as np

#: columns of what networks of several seeds have at least and at most (`seed_range`)
SEEDS = ("seeds_low", "seeds_high")


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
