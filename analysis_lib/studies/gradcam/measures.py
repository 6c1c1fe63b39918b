"""What claims on importance maps come down to; the tables are those of `analysis_lib.explain.attributions`.

An action has several ``names``, one in each dataset; ``late`` is the number of last layers that count.
"""

from collections.abc import Sequence

import pandas as pd

from analysis_lib.errors import UserError
from analysis_lib.statistics import Estimate


def early_strength(table: pd.DataFrame, late: int) -> Estimate:
    """Return the mean importance of a place in the early layers over that in the late ones (`layer_table`)."""
    if len(table) <= late:
        raise UserError(f"a network of {len(table)} layers")
    return Estimate(float(table["mean"].iloc[:-late].mean() / table["mean"].iloc[-late:].mean()))


def part_share(table: pd.DataFrame, names: Sequence[str], parts: Sequence[str], late: int) -> Estimate:
    """Return the importance on parts of the body over that of an even map (`part_table`).

    Of several parts the one with the most counts: of two arms, the one that throws.
    """
    rows = _late(table, names, late)
    rows = rows[rows["part"].isin(parts)]
    if rows.empty:
        raise UserError(f"no part of the body called {' or '.join(parts)}")
    shares = rows.groupby("part")[["share", "joints"]].mean()
    return Estimate(float((shares["share"] / shares["joints"]).max()), clips=int(rows["clips"].iloc[0]))


def later_slices(table: pd.DataFrame, names: Sequence[str], late: int) -> Estimate:
    """Return the importance after the first slice of time over that in the first (`importance_table`)."""
    rows = _late(table, names, late)
    first = rows["slice"] == 1
    later, start = (rows[part]["importance"].mean() for part in (~first, first))
    if start == 0:
        raise UserError("the first slice has no importance at all")
    return Estimate(float(later / start), clips=int(rows["clips"].iloc[0]))


def least_joint(table: pd.DataFrame, names: Sequence[str], late: int) -> Estimate:
    """Return the importance of the least important joint over the mean of all joints (`importance_table`).

    After the first slice of time.
    """
    rows = _late(table, names, late)
    joints = rows[rows["slice"] > 1].groupby("joint")["importance"].mean()
    if not joints.any():
        raise UserError("the maps are empty")
    return Estimate(float(joints.min() / joints.mean()), clips=int(rows["clips"].iloc[0]))


def _late(table: pd.DataFrame, names: Sequence[str], late: int) -> pd.DataFrame:
    """Return the rows of the last layers of the action that has one of the names."""
    rows = table[table["class"].isin(names)]
    if rows.empty:
        raise UserError(f"no action '{names[0]}'")
    return rows[rows["layer"] > rows["layer"].max() - late]
