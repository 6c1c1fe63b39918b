"""What claims on transfer come down to: label variation on new actions, and accuracy in the course of tuning.

Tables of label variation are those of `analysis_lib.geometry.curves.smoothness_table`, without the input; tables
of accuracy have the columns case, clips_per_class, seed, epoch (0: before), accuracy, n_test. Of those the largest
number of clips of training counts.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis_lib.errors import UserError
from analysis_lib.statistics.estimates import Estimate, greatest
from analysis_lib.statistics.intervals import wilson_interval

#: gain of accuracy from the second third of the epochs to the last above which a case still learns
STILL = 0.01


def largest_rise(table: pd.DataFrame) -> Estimate:
    """Return the largest rise of label variation from one layer to the next in any super-class.

    Negative if every curve falls throughout.
    """
    return Estimate(float(_curves(table).diff().max().max()), clips=_clips(table))


def range_ratio(table: pd.DataFrame, other: pd.DataFrame) -> Estimate:
    """Return the range of one table's label variation over layers as a share of another's."""
    one, two = (np.ptp(_curves(t).mean(axis=1)) for t in (table, other))
    return Estimate(float(one / two), clips=_clips(table))


def case_accuracy(table: pd.DataFrame, case: str, of: str = "") -> Estimate:
    """Return the accuracy of a way to transfer after its last epoch, or its share ``of`` another case's.

    Returns
    -------
    Estimate
        Mean of the seeds. The interval is Wilson's for the clips of the test split; of a share, it is the least and
        the greatest of the seeds.
    """
    found, n = _last(table, case)
    if of:
        ratios = found / _last(table, of)[0]
        return Estimate(float(ratios.mean()), float(ratios.min()), float(ratios.max()), n)
    mean = float(found.mean())
    return Estimate(mean, *wilson_interval(mean * n, n), n)


def head_start(table: pd.DataFrame, cases: Sequence[str], of: str) -> Estimate:
    """Return by how much some cases are above another, mean of all epochs; the least of them.

    The interval is the least and the greatest of the seeds.
    """
    mine = _full(table[table["case"].isin([*cases, of]) & (table["epoch"] > 0)])
    curves = mine.groupby(["case", "seed"])["accuracy"].mean().unstack("case")
    if missing := {*cases, of} - set(curves):
        raise UserError(f"no case '{min(missing)}'")
    ahead = curves[list(cases)].sub(curves[of], axis=0)
    least = ahead[ahead.mean().idxmin()]
    return Estimate(float(least.mean()), float(least.min()), float(least.max()), int(mine["n_test"].iloc[0]))


def still_learns(table: pd.DataFrame, case: str, still: float = STILL) -> bool:
    """Return whether a case still learnt when tuning ended, at the largest size of the set to learn from.

    That is if the mean accuracy of its last third of epochs is more than ``still`` above that of the third before, or
    if that cannot be told, as fewer than three epochs, or none of a third, were read.
    """
    mine = _full(table[(table["case"] == case) & (table["epoch"] > 0)])
    curve = mine.groupby("epoch")["accuracy"].mean()
    third = len(curve) // 3
    if not third:
        return True
    return not curve.iloc[-third:].mean() - curve.iloc[-2 * third : -third].mean() <= still


def converged_share(table: pd.DataFrame, case: str, of: str, still: float) -> Estimate:
    """Return what `case_accuracy` returns, of a case that no longer learns (`still_learns`)."""
    if still_learns(table, case, still):
        raise UserError(f"'{case}' was still learning when tuning ended; give it more epochs")
    return case_accuracy(table, case, of)


def probe_share(probes: pd.DataFrame, table: pd.DataFrame, of: str) -> Estimate:
    """Return the accuracy of a logistic probe of the untouched last layer, as a share of a case's after its last epoch.

    ``probes`` is from `analysis_lib.studies.transfer.tables.probe_table`. The interval is the least and the greatest
    of the seeds.
    """
    read, (other, n) = _full(probes).set_index("seed")["accuracy"], _last(table, of)
    ratios = (read / other).dropna()
    if ratios.empty:
        raise UserError(f"the probe and '{of}' share no seed")
    return Estimate(float(ratios.mean()), float(ratios.min()), float(ratios.max()), n)


def forecast_loss(table: pd.DataFrame, rule: str) -> Estimate:
    """Return the accuracy lost by following a rule, against the cut that came out best.

    ``table`` is from `analysis_lib.studies.transfer.tables.choice_table`. Of several sizes of the set to learn from
    the greatest loss counts, with the interval of all at once.
    """
    rows = table[table["rule"] == rule]
    if rows.empty:
        raise UserError(f"no rule '{rule}'")
    return greatest([Estimate(*row) for row in rows[["lost", "low", "high"]].to_numpy(float).tolist()])


def _curves(table: pd.DataFrame) -> pd.DataFrame:
    """Return label variation by layer (rows) and super-class (columns), without the input."""
    rows = table[(table["level"] == "group") & (table["layer"] > 0)]
    return rows.pivot(index="layer", columns="name", values="q")


def _clips(table: pd.DataFrame) -> int:
    """Return the number of clips behind a table of label variation."""
    return int(table[(table["level"] == "class") & (table["layer"] == 1)]["clips"].sum())


def _full(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the largest number of clips of training."""
    return table[table["clips_per_class"] == table["clips_per_class"].max()]


def _last(table: pd.DataFrame, case: str) -> tuple[pd.Series, int]:
    """Return a case's accuracy after its last epoch by seed, and the number of test clips."""
    rows = _full(table[table["case"] == case])
    if rows.empty:
        raise UserError(f"no case '{case}'")
    rows = rows[rows["epoch"] == rows["epoch"].max()].set_index("seed")
    return rows["accuracy"], int(rows["n_test"].iloc[0])
