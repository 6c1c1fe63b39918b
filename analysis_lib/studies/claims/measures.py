"""What a claim of a paper comes down to: one number, read off tables that chapters recorded.

Each of `MEASURES` takes tidy tables and the arguments that ``data/claims`` gives it. Here are those
that read one number, and those on spectra and label smoothness; `analysis_lib.studies.claims.trials` has the
others. Layer 0 is the input, of which the paper does not speak: it is left out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
import pandas as pd

from analysis_lib.geometry.curves import EVERY
from analysis_lib.geometry.operator_norms import change_norm_correlation


class UnmeasuredError(Exception):
    """These tables cannot say it; the message has the reason, in a few words."""


@dataclass(frozen=True)
class Measured:
    """A value, its 95 % interval, and the number of clips behind it (NaN and 0: there is none)."""

    value: float
    low: float = nan
    high: float = nan
    clips: int = 0


def cell(
    table: pd.DataFrame, column: str, where: Mapping = {}, low: str = "", high: str = "", clips: str = ""
) -> Measured:
    """Return one number of the one row that has the values ``where``.

    Parameters
    ----------
    table : DataFrame
    column, low, high, clips : str
        Columns of the value, its interval, and the number of clips.
    where : mapping of str to value
        Columns and what they must hold.

    Raises
    ------
    UnmeasuredError
        If there is no such row, or more than one.

    Examples
    --------
    >>> table = pd.DataFrame({"edges": ["a", "b"], "bones": [24, 19]})
    >>> cell(table, "bones", {"edges": "a"}).value
    24.0
    """
    rows = _rows(table, where)
    if len(rows) > 1:
        raise UnmeasuredError(f"{len(rows)} rows with {_said(where)}, not one")
    return _of(rows.iloc[0], column, low, high, clips)


def extreme(
    table: pd.DataFrame, column: str, of: str, where: Mapping = {}, low: str = "", high: str = "", clips: str = ""
) -> Measured:
    """Return the largest (``of="max"``) or smallest number of the layers, with its own interval.

    The parameters are those of `cell`; the input is left out.
    """
    rows = _rows(table[table["layer"] > 0], where)
    place = rows[column].idxmax() if of == "max" else rows[column].idxmin()
    return _of(rows.loc[place], column, low, high, clips)


def eigenvalue_gap(table: pd.DataFrame) -> Measured:
    r"""Return the smallest eigenvalue of :math:`2I - A`: two minus the largest of the adjacency.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.spectrum.tables.class_energy`.
    """
    return Measured(float(2 - table["eigenvalue"].max()))


def network_accuracy(table: pd.DataFrame) -> Measured:
    """Return the accuracy of the network on its test split, from `report.accuracy_table`."""
    own = table[table["method"].str.startswith("network")]
    return _of(own.iloc[0], "accuracy", "low", "high", "clips")


def shape(table: pd.DataFrame, statistic: str, boundary: int = 8) -> Measured:
    """Return a number on the shape of the curves of all super-classes, with its interval.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.geometry.curves.shape_table`.
    statistic : str
        A key of `analysis_lib.geometry.curves.shapes`.
    boundary : int
        Layer that must part early from late.
    """
    where = {"group": EVERY, "statistic": statistic}
    if statistic == "early change" and (table["boundary"] != boundary).any():
        raise UnmeasuredError(f"a network without a layer after {boundary}")
    return cell(table, "value", where, "low", "high", "clips")


def largest_rise(table: pd.DataFrame) -> Measured:
    """Return the largest rise of label variation from one layer to the next in any super-class.

    Negative if every curve falls throughout.
    """
    return Measured(float(_groups(table).diff().max().max()), clips=_clips(table))


def range_ratio(table: pd.DataFrame, other: pd.DataFrame) -> Measured:
    """Return the range of one table's label variation over layers as a share of another's."""
    one, two = (np.ptp(_groups(t).mean(axis=1)) for t in (table, other))
    return Measured(float(one / two), clips=_clips(table))


def middle_rise(table: pd.DataFrame, names: Sequence[str]) -> Measured:
    """Return how far label variation rises in the middle above the first layer and the last.

    Of several actions the least counts: positive means that all of them rise.
    """
    curves = _actions(table, names)
    middle, ends = curves.iloc[1:-1].max(), curves.iloc[[0, -1]].max()
    return Measured(float((middle - ends).min()), clips=_clips(table))


def end_excess(table: pd.DataFrame, names: Sequence[str]) -> Measured:
    """Return how far some actions end above the median action of their super-class, the least."""
    last = table[(table["level"] == "class") & (table["layer"] == table["layer"].max())]
    last = last.assign(above=last["q"] - last.groupby("group")["q"].transform("median"))
    found = last.set_index("name")["above"].reindex(list(names))
    if found.isna().any():
        raise UnmeasuredError(f"no action '{found.index[found.isna()][0]}'")
    return Measured(float(found.min()), clips=_clips(table))


def needed_constant(table: pd.DataFrame) -> Measured:
    r"""Return the least :math:`c` with which Theorem 1 holds at every layer.

    .. math:: c = \max_l \frac{y^\top L_{out} y}{y^\top L_{in} y\, \|W\|_2^2}

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.smoothness.tables.theorem_table`.
    """
    if table.empty:
        raise UnmeasuredError("the network names no linear maps")
    return Measured(float((table["label_ratio"] / table["norm"] ** 2).max()))


def norm_correlation(table: pd.DataFrame) -> Measured:
    """Return the rank correlation of a layer's norm with how much it changes label variation."""
    if table.empty:
        raise UnmeasuredError("the network names no linear maps")
    return Measured(change_norm_correlation(table["label_ratio"], table["norm"]))


def _rows(table: pd.DataFrame, where: Mapping) -> pd.DataFrame:
    """Return the rows that hold the values ``where``; there is at least one."""
    for column, value in where.items():
        table = table[table[column] == value]
    if table.empty:
        raise UnmeasuredError(f"no row with {_said(where)}")
    return table


def _said(where: Mapping) -> str:
    return ", ".join(f"{column} = {value}" for column, value in where.items()) or "anything"


def _of(row: pd.Series, column: str, low: str, high: str, clips: str) -> Measured:
    """Return a row's number with its interval and its number of clips, where columns are named."""
    ends = (float(row[end]) if end else nan for end in (low, high))
    return Measured(float(row[column]), *ends, int(row[clips]) if clips else 0)


def _groups(table: pd.DataFrame) -> pd.DataFrame:
    """Return label variation by layer (rows) and super-class (columns), without the input."""
    rows = table[(table["level"] == "group") & (table["layer"] > 0)]
    return rows.pivot(index="layer", columns="name", values="q")


def _actions(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return label variation by layer (rows) and action (columns), without the input."""
    rows = table[(table["level"] == "class") & (table["layer"] > 0)]
    curves = rows.pivot(index="layer", columns="name", values="q")
    if missing := [name for name in names if name not in curves]:
        raise UnmeasuredError(f"no action '{missing[0]}'")
    return curves[list(names)]


def _clips(table: pd.DataFrame) -> int:
    """Return the number of clips behind a table of label variation."""
    return int(table[(table["level"] == "class") & (table["layer"] == 1)]["clips"].sum())


MEASURES: tuple[Callable[..., Measured], ...] = (
    cell,
    extreme,
    eigenvalue_gap,
    network_accuracy,
    shape,
    largest_rise,
    range_ratio,
    middle_rise,
    end_excess,
    needed_constant,
    norm_correlation,
)
