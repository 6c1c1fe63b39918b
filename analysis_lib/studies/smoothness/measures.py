"""What claims on the smoothness of labels come down to.

Label variation is read off `analysis_lib.geometry.curves.smoothness_table`; layer 0 is the input, of which papers
do not speak.
"""

from collections.abc import Sequence

import pandas as pd

from analysis_lib.errors import UserError
from analysis_lib.statistics.estimates import Estimate


def middle_rise(table: pd.DataFrame, names: Sequence[str]) -> Estimate:
    """Return how far label variation rises in the middle above the first layer and the last.

    Of several actions the least counts: positive means that all of them rise.
    """
    curves = _curves(table, names)
    if len(curves) < 3:
        raise UserError("fewer than three layers have no middle")
    middle, ends = curves.iloc[1:-1].max(), curves.iloc[[0, -1]].max()
    return Estimate(float((middle - ends).min()), clips=_clips(table))


def end_excess(table: pd.DataFrame, names: Sequence[str]) -> Estimate:
    """Return how far some actions end above the median action of their super-class, the least."""
    ends = _curves(table, names).iloc[-1]
    last = table[(table["level"] == "class") & (table["layer"] == table["layer"].max())]
    medians = last.set_index("name").groupby("group")["q"].transform("median")
    return Estimate(float((ends - medians[ends.index]).min()), clips=_clips(table))


def _curves(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the label variation of some actions (columns) by layer (rows), without the input."""
    rows = table[(table["level"] == "class") & (table["layer"] > 0)]
    curves = rows.pivot(index="layer", columns="name", values="q")
    if missing := [name for name in names if name not in curves]:
        raise UserError(f"no action '{missing[0]}'")
    return curves[list(names)]


def _clips(table: pd.DataFrame) -> int:
    """Return the number of clips behind a table of label variation."""
    return int(table[(table["level"] == "class") & (table["layer"] == 1)]["clips"].sum())
