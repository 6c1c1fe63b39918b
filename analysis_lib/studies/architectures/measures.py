"""What claims on networks of several architectures come down to.

Tables are those of `analysis_lib.studies.architectures.tables`; of several networks of one architecture the first
counts.
"""

from math import hypot

import pandas as pd

from analysis_lib.errors import UserError
from analysis_lib.networks.registry import TITLES
from analysis_lib.networks.titles import entry_titles
from analysis_lib.statistics.estimates import Estimate


def of_fall(table: pd.DataFrame, architecture: str, statistic: str) -> Estimate:
    """Return a statistic of how the label variation of an architecture falls, from ``shape_table``.

    Raises
    ------
    UserError
        If there is no such network, or its label variation does not fall beyond the interval: then no share of the
        fall is early or late.
    """
    row = _first(table[table["statistic"] == statistic], architecture)
    if pd.isna(row["value"]):
        name = TITLES.get(architecture, architecture)
        raise UserError(f"it needs a {name} whose label variation falls beyond its interval, and this one's does not")
    return Estimate(*row[["value", "low", "high"]].astype(float))


def accuracy_lead(table: pd.DataFrame, architecture: str, over: str, layers: int = 0) -> Estimate:
    """Return how much more accurate one architecture is than another (of so many layers), from ``cost_table``."""
    others = table[table["layers"] == layers] if layers else table
    return _lead(_first(table, architecture), _first(others, over))


def board_lead(table: pd.DataFrame, network: str, over: str) -> Estimate:
    """Return how far one entry of a leaderboard is above another."""
    return _lead(_entry(table, network), _entry(table, over))


def board_accuracy(table: pd.DataFrame, network: str) -> Estimate:
    """Return the accuracy of one entry of a leaderboard."""
    row = _entry(table, network)
    return Estimate(*row[["accuracy", "low", "high"]].astype(float), clips=int(row["clips"]))


def separation_lead(table: pd.DataFrame, architecture: str, over: str) -> Estimate:
    """Return how many times as far joints are apart at the last layer of one architecture as of another."""
    trained = table[table["draw"] == 0]
    last = trained[trained["depth"] == 1]
    return Estimate(float(_first(last, architecture)["separation"] / _first(last, over)["separation"]))


def _entry(table: pd.DataFrame, network: str) -> pd.Series:
    rows = table[table["network"] == network]
    if rows.empty:
        raise UserError(f"{entry_titles([network])[network]} is not on the leaderboard of these data")
    return rows.iloc[0]


def _first(table: pd.DataFrame, architecture: str) -> pd.Series:
    rows = table[table["architecture"] == architecture]
    if rows.empty:
        raise UserError(f"no such {TITLES.get(architecture, architecture)} is trained on these data")
    return rows.iloc[0]


def _lead(one: pd.Series, other: pd.Series) -> Estimate:
    """Return the difference of two accuracies, with Newcombe's interval (1998, method 10) for other clips in each."""
    value = one["accuracy"] - other["accuracy"]
    low = value - hypot(one["accuracy"] - one["low"], other["high"] - other["accuracy"])
    high = value + hypot(one["high"] - one["accuracy"], other["accuracy"] - other["low"])
    return Estimate(float(value), float(low), float(high), int(min(one["clips"], other["clips"])))
