"""Several methods on the same clips: their maps side by side, how far they agree, how near they are to what is true."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from analysis_lib.datasets.upright import upright
from analysis_lib.errors import UserError
from analysis_lib.explain.attributions import Attribution
from analysis_lib.statistics.intervals import mean_interval, percentile_interval, times_drawn
from analysis_lib.statistics.ranks import rank_correlation, ranking_area

#: what methods said, by name
Explained = Mapping[str, Attribution]


def joint_values(found: Attribution, layer: int = -1) -> np.ndarray:
    """Return the importance of each joint in each clip, mean over time, at one layer of the maps: (n, V)."""
    found.check_joints(layer)
    return found.importance[:, layer].mean(axis=1, dtype=np.float64)


def to_unit(values: np.ndarray) -> np.ndarray:
    """Return values of each clip over the largest absolute one, so that methods share a scale; zeros stay.

    Examples
    --------
    >>> to_unit(np.array([[1.0, -4.0], [0.0, 0.0]])).tolist()
    [[0.25, -1.0], [0.0, 0.0]]
    """
    size = np.abs(values).max(axis=-1, keepdims=True)
    return np.divide(values, size, out=np.zeros_like(values), where=size > 0)


def map_table(explained: Explained, clips: Sequence[int], truth: np.ndarray | None = None) -> pd.DataFrame:
    """Return what each method says of each joint of some clips, and where the joint is in the middle of each.

    Parameters
    ----------
    truth : bool ndarray, shape (n, V), optional
        Which joints count, in every clip.

    Returns
    -------
    DataFrame
        Columns clip (from 0), class, method, joint, value (over the clip's largest), x, y (upright), and true, if
        that is known.
    """
    tables = []
    for method, found in explained.items():
        values, data = to_unit(joint_values(found)), upright(found.data)
        for i in clips:
            x = data.sequences[i][found.body]
            pose = x[len(x) // 2]
            whose = {"clip": i, "class": data.class_names[data.labels[i]], "method": method}
            of = {"joint": data.skeleton.joints, "value": values[i], "x": pose[:, 0], "y": pose[:, 1]}
            of |= {} if truth is None else {"true": truth[i]}
            tables.append(pd.DataFrame({**whose, **of}))
    return pd.concat(tables, ignore_index=True)


def value_table(explained: Explained) -> pd.DataFrame:
    """Return each method's value of each joint in each clip, over the clip's largest: clip, method, joint, value."""
    tables = []
    for method, found in explained.items():
        wide = pd.DataFrame(to_unit(joint_values(found)), columns=found.data.skeleton.joints)
        tables.append(wide.rename_axis("clip").reset_index().melt("clip", var_name="joint").assign(method=method))
    return pd.concat(tables, ignore_index=True)[["clip", "method", "joint", "value"]]


def agreement_table(explained: Explained, n_bootstrap: int = 300, seed: int = 0) -> pd.DataFrame:
    r"""Return how far each two methods rank the joints alike: Kendall's :math:`\tau` of their medians over clips.

    Returns
    -------
    DataFrame
        Columns one, other, clips, tau, low, high (95 %, clips drawn again, the same for both), rho (Spearman's
        within a clip, mean over clips).
    """
    values = {method: to_unit(joint_values(found)) for method, found in explained.items()}
    n = len(next(iter(values.values())))
    index = [np.repeat(np.arange(n), row) for row in _draws(n, n_bootstrap, seed)]
    rows = []
    for one, other in combinations(values, 2):
        tau, *again = (_tau(values[one][i], values[other][i]) for i in (np.arange(n), *index))
        low, high = percentile_interval(np.array(again))
        rho = rank_correlation(values[one], values[other]).mean()
        rows.append((one, other, n, tau, low, high, rho))
    return pd.DataFrame(rows, columns=["one", "other", "clips", "tau", "low", "high", "rho"])


def _draws(n: int, n_bootstrap: int, seed: int) -> np.ndarray:
    return times_drawn(np.zeros(n, int), n_bootstrap, np.random.default_rng(seed))


def _tau(one: np.ndarray, other: np.ndarray) -> float:
    """Return Kendall's correlation of two medians over clips; 0 where one of them has no order."""
    medians = np.median(one, axis=0), np.median(other, axis=0)
    if not all(np.ptp(m) for m in medians):
        return 0.0
    return float(kendalltau(*medians).statistic)


def spread_table(explained: Explained, n_bootstrap: int = 300, seed: int = 0) -> pd.DataFrame:
    """Return how far a joint's value differs from clip to clip: the interquartile range, mean over the joints.

    Returns
    -------
    DataFrame
        Columns method, clips, spread, low, high.
    """
    rows = []
    for method, found in explained.items():
        values = to_unit(joint_values(found))
        index = [np.repeat(np.arange(len(values)), row) for row in _draws(len(values), n_bootstrap, seed)]
        own, *again = (_spread(values[i]) for i in (np.arange(len(values)), *index))
        rows.append((method, len(values), own, *percentile_interval(np.array(again))))
    return pd.DataFrame(rows, columns=["method", "clips", "spread", "low", "high"])


def _spread(values: np.ndarray) -> float:
    return float(np.subtract(*np.quantile(values, [0.75, 0.25], axis=0)).mean())


def truth_areas(found: Attribution, truth: np.ndarray, layer: int = -1) -> np.ndarray:
    """Return how far each clip's map ranks the joints that count above the others, (n,); see `ranking_area`.

    Parameters
    ----------
    truth : bool ndarray, shape (n, V)
        Which joints count, in each clip.
    """
    return ranking_area(joint_values(found, layer), truth)


def truth_table(explained: Explained, truth: np.ndarray) -> pd.DataFrame:
    """Return the mean area (`truth_areas`) of every layer of every method's maps, with its interval over clips.

    Returns
    -------
    DataFrame
        Columns method, layer (from 1), layer_name, clips, mean, low, high. Layers without joints are left out, and
        clips in which all joints count or none.

    Raises
    ------
    UserError
        If no clip is left.
    """
    if not (truth.any(axis=1) & ~truth.all(axis=1)).any():
        raise UserError("in every clip all joints count or none, so that nothing can be ranked")
    rows = []
    for method, found in explained.items():
        for i, name in enumerate(found.layers):
            if name not in found.mixed:
                areas = truth_areas(found, truth, i)
                areas = areas[np.isfinite(areas)]
                row = {"method": method, "layer": i + 1, "layer_name": name, "clips": len(areas)}
                rows.append(row | mean_interval(areas))
    return pd.DataFrame(rows)
