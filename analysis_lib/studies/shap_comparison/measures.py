"""What claims on explanations come down to; the tables are those that the chapter *shap_comparison* records."""

import numpy as np
import pandas as pd

from analysis_lib.errors import UserError
from analysis_lib.statistics.estimates import Estimate
from analysis_lib.statistics.intervals import mean_interval
from analysis_lib.studies.shap_comparison.findings import paired, time_ratio


def lead(table: pd.DataFrame, yardstick: str, one: str, other: str) -> Estimate:
    """Return by how much one method is better than another by a yardstick, from ``differences``."""
    found = paired(table, yardstick, one, other)
    if found is None:
        raise UserError(f"{one} and {other} were not compared by {yardstick}")
    return found


def edge_cost(table: pd.DataFrame, method: str, against: str, how: str, side: str, of: str) -> Estimate:
    """Return what the edges of a method's joints cost beyond those of another's, from ``edges``."""
    wanted = {"method": method, "against": against, "how": how, "side": side, "of": of}
    rows = table[(table[list(wanted)] == pd.Series(wanted)).all(axis=1)]
    if rows.empty:
        raise UserError(f"the edges of {method} and {against} were not compared")
    return _estimate(rows.iloc[0])


def rank_agreement(table: pd.DataFrame, one: str, other: str) -> Estimate:
    """Return Kendall's correlation of two methods' rankings, from ``agreement``."""
    rows = table[table[["one", "other"]].isin([one, other]).all(axis=1)]
    if rows.empty:
        raise UserError(f"the rankings of {one} and {other} were not compared")
    row = rows.iloc[0]
    return Estimate(float(row["tau"]), float(row["low"]), float(row["high"]), int(row["clips"]))


def wider(table: pd.DataFrame, one: str, other: str) -> Estimate:
    """Return how many times as far one method's values spread over the clips as another's, from ``spread``.

    The ends are those of the two intervals that lie farthest apart.
    """
    rows = table.set_index("method")
    if not {one, other} <= set(rows.index):
        raise UserError(f"{one} and {other} were not both explained")
    a, b = rows.loc[one], rows.loc[other]
    ends = (a["low"] / b["high"], a["high"] / b["low"]) if b["low"] > 0 else (np.nan, np.nan)
    return Estimate(float(a["spread"] / b["spread"]), *map(float, ends), int(a["clips"]))


def branch_agreement(table: pd.DataFrame) -> Estimate:
    """Return the largest absolute correlation of a branch's map with the last one, from ``stages``."""
    rows = table[~table["stage"].str.startswith("main") & table["rho"].notna()]
    if rows.empty:
        raise UserError("no branch has a map with an order")
    row = rows.loc[rows["rho"].abs().idxmax()]
    ends = sorted(np.sign(row["rho"]) * row[["low", "high"]].astype(float))
    return Estimate(abs(float(row["rho"])), *map(float, ends), int(row["clips"]))


def more_active(table: pd.DataFrame) -> Estimate:
    """Return by how much more of the joints the last temporal layer's map has active than the attention's."""
    found = mean_interval((table["TCN"] - table["attention"]).to_numpy())
    return Estimate(found["mean"], found["low"], found["high"], len(table))


def times_as_long(table: pd.DataFrame) -> Estimate:
    """Return how many times as long SHAP takes as GradCAM, from ``costs``; the range is that of repeats."""
    found = time_ratio(table)
    if np.isnan(found.value):
        raise UserError("GradCAM and SHAP were not both timed")
    return found


def _estimate(row: pd.Series) -> Estimate:
    return Estimate(*(float(row[k]) for k in ("mean", "low", "high")), int(row["clips"]))
