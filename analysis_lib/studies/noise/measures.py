"""What claims on noise come down to, read off `analysis_lib.studies.noise.tables.noise_smoothness`.

The noise is that on the clips of the chosen actions, ``psnr`` its level in decibels.
"""

import pandas as pd

from analysis_lib.errors import UserError
from analysis_lib.statistics import Estimate


def noisy_change(table: pd.DataFrame, psnr: float) -> Estimate:
    """Return how much noise changes label variation: mean over actions and layers, no sign."""
    return Estimate(float(_disturbed(table, psnr)["change"].abs().mean()))


def steady_change(table: pd.DataFrame, psnr: float, steady: float) -> Estimate:
    """Return the largest change that noise makes to a steady curve, with its interval, no sign.

    Steady is an action whose label variation without noise rises by no more than ``steady`` from one layer to the
    next.
    """
    clean = table[(table["noisy"] == "none") & (table["layer"] > 0)]
    curves = clean.pivot(index="layer", columns="name", values="q")
    names = [name for name, curve in curves.items() if not curve.diff().max() > steady]
    rows = _disturbed(table, psnr)
    rows = rows[rows["name"].isin(names)]
    if rows.empty:
        raise UserError("no action with a steady curve")
    row = rows.loc[rows["change"].abs().idxmax()]
    ends = sorted(row[["change_low", "change_high"]] * (1 if row["change"] >= 0 else -1))
    return Estimate(float(abs(row["change"])), *map(float, ends))


def noisy_rise(table: pd.DataFrame, name: str, psnr: float) -> Estimate:
    """Return the largest rise from one layer to the next of an action's curve with noise."""
    rows = _disturbed(table, psnr)
    curve = rows[rows["name"] == name].set_index("layer")["q"]
    if curve.empty:
        raise UserError(f"no noise was put on '{name}'")
    return Estimate(float(curve.diff().max()))


def _disturbed(table: pd.DataFrame, psnr: float) -> pd.DataFrame:
    """Return the rows of the layers where the chosen actions had noise of that level."""
    rows = table[(table["noisy"] == "chosen") & (table["psnr"] == psnr) & (table["layer"] > 0)]
    if rows.empty:
        raise UserError(f"no graph with noise of {psnr:g} dB")
    return rows
