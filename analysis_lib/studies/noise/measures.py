"""What claims on noise come down to, read off `analysis_lib.studies.noise.tables.noise_smoothness`.

Of the noisy graphs a table has those of one level, beside the clean ones.
"""

import numpy as np
import pandas as pd

from analysis_lib.errors import UserError
from analysis_lib.statistics.estimates import Estimate, greatest


def noisy_change(table: pd.DataFrame) -> Estimate:
    """Return how much noise on the chosen actions changes label variation: mean of actions and layers, no sign.

    The interval takes each of them at its worst.
    """
    sizes = _sizes(_disturbed(table, "chosen"))
    return Estimate(*(float(np.mean([getattr(one, end) for one in sizes])) for end in ("value", "low", "high")))


def noisy_shift(table: pd.DataFrame, noisy: str) -> Estimate:
    """Return how noise on the ``"chosen"`` actions, or on ``"all"``, changes their label variation, mean with its sign.

    The interval takes each action and layer at its worst.
    """
    return Estimate(*map(float, _disturbed(table, noisy)[["change", "change_low", "change_high"]].mean()))


def steady_change(table: pd.DataFrame, steady: float) -> Estimate:
    """Return the largest change that noise makes to a steady curve, no sign, with the interval of all at once.

    Steady is an action whose label variation without noise rises by no more than ``steady`` from one layer to the
    next.
    """
    clean = table[(table["noisy"] == "none") & (table["layer"] > 0)]
    curves = clean.pivot(index="layer", columns="name", values="q")
    names = [name for name, curve in curves.items() if not curve.diff().max() > steady]
    rows = _disturbed(table, "chosen")
    rows = rows[rows["name"].isin(names)]
    if rows.empty:
        raise UserError("no action with a steady curve")
    return greatest(_sizes(rows))


def noisy_rise(table: pd.DataFrame, name: str) -> Estimate:
    """Return the largest rise from one layer to the next of an action's curve with noise."""
    rows = _disturbed(table, "chosen")
    curve = rows[rows["name"] == name].set_index("layer")["q"]
    if curve.empty:
        raise UserError(f"no noise was put on '{name}'")
    return Estimate(float(curve.diff().max()))


def _sizes(rows: pd.DataFrame) -> list[Estimate]:
    """Return each change without its sign; what may have either sign is zero at the least."""
    found = []
    for value, low, high in rows[["change", "change_low", "change_high"]].to_numpy(float).tolist():
        ends = sorted((abs(low), abs(high)))
        found.append(Estimate(abs(value), 0.0 if low <= 0 <= high else ends[0], ends[1]))
    return found


def _disturbed(table: pd.DataFrame, noisy: str) -> pd.DataFrame:
    """Return the rows of the layers where the ``"chosen"`` actions, or ``"all"``, had noise."""
    rows = table[(table["noisy"] == noisy) & (table["layer"] > 0)]
    if rows.empty or rows["psnr"].nunique() > 1:
        raise UserError("no graph with noise of that level" if rows.empty else "noise of several levels")
    return rows
