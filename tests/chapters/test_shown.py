"""What every page has."""

import re

import pandas as pd

from analysis_lib.chapters.shown import Listed


def cells(table):
    rows = re.findall(r"<tr.*?</tr>", Listed(table)._repr_html_(), re.DOTALL)
    return [re.findall(r"<t[hd]>(.*?)</t[hd]>", row) for row in rows]


def test_the_index_of_a_table_stands_in_columns_and_is_not_said_twice():
    table = pd.DataFrame({"a": ["x", "x", "y"], "b": ["1", "1", "1"], "<n>": [5, 6, 7000]}).set_index(["a", "b"])
    assert cells(table) == [["a", "b", "&lt;n&gt;"], ["x", "1", "5"], ["", "", "6"], ["y", "1", "7,000"]]
    assert cells(pd.DataFrame({"n": [5, 5]})) == [["n"], ["5"], ["5"]]


def test_a_number_that_is_missing_stands_in_a_table():
    shown = Listed(pd.DataFrame({"share": [0.5, float("nan")], "name": ["a", None]}))._repr_html_()
    assert "<td>NaN</td>" in shown
