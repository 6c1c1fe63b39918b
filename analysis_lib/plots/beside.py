"""How what other editions recorded is drawn: faint, behind the curves of the edition at hand.

Figures take it as ``beside``, a mapping from labels to tables with the columns of the figure's own
table (`analysis_lib.chapters.other_editions.Beside`). A faint curve has the colour and the dash of the curve that it
belongs to, and is thin; the second edition and further ones are told by small marks.
"""

from collections.abc import Iterator, Mapping

import pandas as pd
from matplotlib.lines import Line2D

Tables = Mapping[str, pd.DataFrame]

NOTHING: Tables = {}
GREY = "#6E6E6E"  # of what stands for an edition as a whole

_MARKS = ("", "x", "+", "1", "2")


def where(beside: Tables, **equal) -> dict[str, pd.DataFrame]:
    """Return the rows of each table whose columns have these values, perhaps none.

    Parameters
    ----------
    beside : mapping from str to DataFrame
    **equal
        A value for each column, or a list of values.

    Examples
    --------
    >>> tables = {"A": pd.DataFrame({"k": [5, 10]}), "B": pd.DataFrame({"k": [7]})}
    >>> {label: rows["k"].tolist() for label, rows in where(tables, k=[10, 20]).items()}
    {'A': [10], 'B': []}
    """
    found = dict(beside)
    for column, values in equal.items():
        values = values if isinstance(values, list) else [values]
        found = {label: table[table[column].isin(values)] for label, table in found.items()}
    return found


def faint(beside: Tables) -> Iterator[tuple[pd.DataFrame, dict]]:
    """Yield each table with what makes a line faint, to be added to the style of its curve."""
    for i, table in enumerate(beside.values()):
        yield table, _faint_style(i)


def keys(beside: Tables) -> list[Line2D]:
    """Return one entry of a legend for each table that has rows."""
    return [
        Line2D([], [], color=GREY, label=label, **_faint_style(i))
        for i, (label, table) in enumerate(beside.items())
        if len(table)
    ]


def _faint_style(i: int) -> dict:
    return {"lw": 0.9, "alpha": 0.55, "marker": _MARKS[i % len(_MARKS)], "markersize": 3, "zorder": 1.5}
