"""What claims on importance maps come down to; the tables are those of `analysis_lib.explain.attributions`.

An action has several ``names``, one in each dataset; ``late`` is the number of last layers that count.
"""

from collections.abc import Sequence

import pandas as pd

from analysis_lib.errors import UserError
from analysis_lib.statistics.estimates import Estimate


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


def later_joints(table: pd.DataFrame, names: Sequence[str], late: int) -> Estimate:
    """Return the share of joints that are more important after the first slice of time than in it.

    ``table`` is from `analysis_lib.explain.attributions.importance_table`; slices after the first count alike.
    """
    rows = _late(table, names, late)
    first, later = (
        rows[part].groupby("joint")["importance"].mean() for part in (rows["slice"] == 1, rows["slice"] > 1)
    )
    if later.empty or not (first.any() or later.any()):
        raise UserError("the maps are empty, or of one slice")
    return Estimate(float((later > first).mean()), clips=int(rows["clips"].iloc[0]))


def _late(table: pd.DataFrame, names: Sequence[str], late: int) -> pd.DataFrame:
    """Return the rows of the last layers of the action that has one of the names."""
    rows = table[table["class"].isin(names)]
    if rows.empty:
        raise UserError(f"no action '{names[0]}'")
    return rows[rows["layer"] > rows["layer"].max() - late]
