"""The measure that reads any table, by hand."""

from math import isnan

import pandas as pd
import pytest

from analysis_lib.errors import UserError
from analysis_lib.statistics.estimates import Estimate
from analysis_lib.studies.claims.measures import cell

TABLE = pd.DataFrame(
    {"layer": [0, 1, 2, 2], "k": [5, 5, 5, 9], "d": [9.0, -1, 2, 8], "low": [8.0, -2, 1, 7], "high": [10.0, 0, 3, 9]}
)


def test_a_cell_has_its_interval_and_its_clips():
    where = {"layer": 2, "k": 9}
    assert cell(TABLE, "d", where, low="low", high="high", clips="k") == Estimate(8, 7, 9, 9)
    assert isnan(cell(TABLE, "d", where).low)
    with pytest.raises(UserError, match="no row with k = 7"):
        cell(TABLE, "d", {"k": 7})
    with pytest.raises(UserError, match="2 rows with layer = 2, not one"):
        cell(TABLE, "d", {"layer": 2})
    for wrong in ({"column": "zork"}, {"column": "d", "where": {"zork": 1}}, {"column": "d", "low": "zork"}):
        with pytest.raises(UserError, match="the table has no column 'zork'"):
            cell(TABLE, **wrong)
