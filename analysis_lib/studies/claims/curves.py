"""What claims on the shape of a network's curves come down to, under one combination of open choices.

Tables are rows of `analysis_lib.studies.claims.choices.choice_table` that differ in layer, class and who is left out
only, and, for `graph_gap`, in the kind of graph. Intervals are those of other people (the jackknife, graphs built
anew); without rows that leave people out there are none.
"""

from collections.abc import Callable
from math import nan

import numpy as np
import pandas as pd

from analysis_lib.errors import UserError
from analysis_lib.geometry.curves import shapes
from analysis_lib.statistics.estimates import Estimate
from analysis_lib.statistics.intervals import N_DRAWS, jackknife_draws, percentile_interval, simultaneous_band
from analysis_lib.statistics.ranks import rank_correlation


def shape(table: pd.DataFrame, statistic: str, mean: str, boundary: int) -> Estimate:
    """Return what the mean curve is like: a key of `analysis_lib.geometry.curves.shapes`.

    ``mean`` is ``"name"`` for the mean of classes or ``"group"`` for that of super-classes.
    """

    def read(curves: np.ndarray) -> np.ndarray:
        return shapes(_mean(curves, table, mean), boundary)[statistic]

    _deep_enough(table, boundary)
    return _estimate(table, read)


def least_fall(table: pd.DataFrame) -> Estimate:
    """Return by how much label variation falls from the first layer to the last, in the action where it falls least.

    The interval is that of all actions at once: all fall if it lies above zero, and one does not if it lies below.
    """
    falls = [curves[..., 0, :] - curves[..., -1, :] for curves in _read(table)]
    return _worst(*falls, np.min, _clips(table))


def over_chance(table: pd.DataFrame, boundary: int) -> Estimate:
    """Return label variation over that of random labels, mean of actions and of the layers up to the boundary."""
    clips = table[table["layer"] == 1].drop_duplicates("name")["clips"].to_numpy()
    chance = 1 - (clips - 1) / (clips.sum() - 1)
    _deep_enough(table, boundary)
    return _estimate(table, lambda curves: (curves[..., :boundary, :] / chance).mean(axis=(-2, -1)))


def graph_gap(table: pd.DataFrame, one: str, other: str) -> Estimate:
    """Return by how much label variation on one kind of graph is above that on another, at the layer where it is most.

    Mean of actions; the interval is that of all layers at once.
    """
    kinds = [table[table["graph"] == graph] for graph in (one, other)]
    if any(rows.empty for rows in kinds):
        raise UserError(f"no graphs of both kinds, {one} and {other}")
    of = [_read(rows) for rows in kinds]
    gaps = [(mine - theirs).mean(axis=-1) for mine, theirs in zip(*of, strict=True)]
    return _worst(*gaps, np.max, _clips(table))


def bound_slack(table: pd.DataFrame, theorem: pd.DataFrame) -> Estimate:
    r"""Return how many times as large as needed the bound of Theorem 1 is with c = 1, at the layer where it is least.

    .. math:: \min_l \|W_l\|_2^2 \, q_{l - 1} / q_l
    """
    norms = _norms(table, theorem)
    return _estimate(table, lambda curves: (norms**2 / _steps(curves)).min(axis=-1))


def norm_correlation(table: pd.DataFrame, theorem: pd.DataFrame) -> Estimate:
    """Return the rank correlation over layers of a layer's norm with how much it changes label variation."""
    norms = _norms(table, theorem)
    if len(norms) < 3:
        raise UserError(f"a rank correlation needs three layers or more, got {len(norms)}")

    def read(curves: np.ndarray) -> np.ndarray:
        change = np.abs(1 - _steps(curves)).reshape(-1, len(norms))
        return rank_correlation(change, np.broadcast_to(norms, change.shape)).reshape(curves.shape[:-2])

    return _estimate(table, read)


def _steps(curves: np.ndarray) -> np.ndarray:
    """Return what the mean curve is of that of the layer before, from the second layer on, (..., L - 1)."""
    mean = curves.mean(axis=-1)
    return _share(mean[..., 1:], mean[..., :-1])


def _norms(table: pd.DataFrame, theorem: pd.DataFrame) -> np.ndarray:
    """Return the norms of the layers from the second on (`analysis_lib.studies.smoothness.tables.theorem_table`)."""
    if theorem.empty or len(theorem) != table["layer"].max() - 1:
        raise UserError("the network has one layer, or names no linear maps")
    return theorem["norm"].to_numpy(float)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return a ratio; NaN to nothing."""
    return np.divide(part, whole, out=np.full(np.shape(part), nan), where=whole != 0)


def _deep_enough(table: pd.DataFrame, boundary: int) -> None:
    if table["layer"].max() <= boundary:
        raise UserError(f"a network of {table['layer'].max()} layers")


def _mean(curves: np.ndarray, table: pd.DataFrame, mean: str) -> np.ndarray:
    """Return the mean curve of (..., L, n) ones: of the classes, or of the means of the super-classes, (..., L)."""
    of = table[table["layer"] == 1].drop_duplicates("name")[mean].to_numpy()
    return np.mean([curves[..., of == one].mean(axis=-1) for one in dict.fromkeys(of)], axis=0)


def _read(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the curves (L, n) of the classes, and draws of them for other people, (N_DRAWS or 0, L, n)."""
    names, people = table["name"].unique(), table["without"].unique()
    wide = table.pivot(index=["without", "layer"], columns="name", values="q")[names]
    each = wide.to_numpy(float).reshape(len(people), -1, len(names))  # -1, nobody left out, comes first
    if len(each) < 4:
        return each[:1].sum(axis=0), np.empty((0, *each.shape[1:]))
    return each[0], jackknife_draws(each[0], each[1:], N_DRAWS, np.random.default_rng(0))


def _estimate(table: pd.DataFrame, read: Callable[[np.ndarray], np.ndarray]) -> Estimate:
    """Return what is read off the curves, (..., L, n) to (...), with the interval of the draws."""
    curves, draws = _read(table)
    low, high = percentile_interval(read(draws)) if len(draws) else (nan, nan)
    return Estimate(float(read(curves)), float(low), float(high), _clips(table))


def _worst(values: np.ndarray, draws: np.ndarray, extreme: Callable, clips: int) -> Estimate:
    """Return the least or the greatest of several values, with the extremes of their simultaneous band."""
    ends = map(extreme, simultaneous_band(values, draws)) if len(draws) else (nan, nan)
    return Estimate(float(extreme(values)), *map(float, ends), clips)


def _clips(table: pd.DataFrame) -> int:
    return int(table[table["layer"] == 1].drop_duplicates("name")["clips"].sum())
