r"""What training adds to a curve over layers: the trained network's minus the mean of its untrained draws'.

A curve comes with replicates for other clips or people, (L,) and (n, L), of the same ones for all networks. Those of
untrained networks vary with the draw as well (`analysis_lib.statistics.several_networks.mean_of_draws`).
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from analysis_lib.networks.untrained import TRAINED, UNTRAINED
from analysis_lib.statistics.intervals import percentile_interval, simultaneous_band
from analysis_lib.statistics.several_networks import mean_of_draws

LEARNT = (TRAINED, UNTRAINED, "difference", "low", "high", "all_low", "all_high")
Curve = tuple[np.ndarray, np.ndarray]


def beside_untrained(trained: Curve, untrained: Sequence[Curve]) -> Iterator[tuple[np.ndarray, ...]]:
    r"""Yield a curve, the mean of the untrained draws' and their difference, (L,); then their replicates, (n, L).

    .. math:: \delta_l = q_l - \frac1D \sum_d q^{(d)}_l

    Examples
    --------
    >>> trained, twin = (np.array([0.5, 0.2]), np.zeros((3, 2))), (np.array([0.5, 0.6]), np.zeros((3, 2)))
    >>> found, again = beside_untrained(trained, [twin])
    >>> found[2].round(1).tolist(), again[2].shape
    ([0.0, -0.4], (3, 2))
    """
    twins = mean_of_draws(*(np.stack(draws) for draws in zip(*untrained, strict=True)))
    for mine, twin in zip(trained, twins, strict=True):
        yield mine, twin, mine - twin


def learnt_rows(trained: Curve, untrained: Sequence[Curve]) -> pd.DataFrame:
    """Return a curve beside that of untrained draws, one row a layer, the input first.

    Returns
    -------
    DataFrame
        Columns trained, untrained (mean of the draws), difference, low, high (95 % of the difference, the same clips
        or people drawn for all), all_low, all_high (of the difference at all layers but the input at once;
        `analysis_lib.statistics.intervals.simultaneous_band`).

    Examples
    --------
    >>> curve = lambda *q: (np.array(q), np.tile(q, (4, 1)))
    >>> learnt_rows(curve(0.5, 0.2), [curve(0.5, 0.6), curve(0.5, 0.8)])[["untrained", "difference"]].round(1).values
    array([[ 0.5,  0. ],
           [ 0.7, -0.5]])
    """
    (mine, twin, difference), (_, _, again) = beside_untrained(trained, untrained)
    both = np.full((2, len(mine)), np.nan)
    both[:, 1:] = simultaneous_band(difference[1:], again[:, 1:])
    values = (mine, twin, difference, *percentile_interval(again), *both)
    return pd.DataFrame(dict(zip(LEARNT, values, strict=True)))


def sure_layers(table: pd.DataFrame) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the layers where a difference is surely below zero, and where above, at all layers at once.

    Parameters
    ----------
    table : DataFrame
        One row a layer: layer, all_low, all_high.

    Examples
    --------
    >>> sure_layers(pd.DataFrame({"layer": [1, 2, 3], "all_low": [-2, -1, np.nan], "all_high": [-1, 1, np.nan]}))
    ((1,), ())
    """
    return tuple(tuple(map(int, table.loc[sure, "layer"])) for sure in (table["all_high"] < 0, table["all_low"] > 0))
