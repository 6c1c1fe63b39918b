"""What is found, and said, of one dataset graph."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from sentences import check_all

from analysis_lib.studies.explore import words
from analysis_lib.studies.explore.findings import Findings, findings

COLUMNS = ["class", "clips", "q", "chance"]


def test_the_lowest_and_the_highest_by_hand():
    table = pd.DataFrame([("a", 3, 0.2, 0.5), ("b", 4, 0.6, 0.7), ("c", 5, float("nan"), 0.9)], columns=COLUMNS)
    assert findings(table) == Findings(2, 7, ("a", 0.2), ("b", 0.6), 0.6)
    assert findings(table[2:]) is None


@given(st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), max_size=6))
def test_sentences_have_no_hole(values):
    table = pd.DataFrame([(f"class {i}", 1, q, q) for i, q in enumerate(values)], columns=COLUMNS)
    check_all(words.answer(findings(table)))
