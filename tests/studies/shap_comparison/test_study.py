"""What the chapter *shap_comparison* counts, finds, says and draws."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentences import check_all

from analysis_lib.datasets.catalogue import load_dataset
from analysis_lib.statistics import Verdict
from analysis_lib.studies.shap_comparison import words
from analysis_lib.studies.shap_comparison.figures import plot_classes
from analysis_lib.studies.shap_comparison.findings import Findings, findings
from analysis_lib.studies.shap_comparison.tables import class_table


def table(*clips):
    actions = [f"action {i}" for i in range(len(clips))]
    return pd.DataFrame({"group": "upper body", "action": actions, "clips": clips})


def test_each_clip_is_counted_once():
    data = load_dataset("synthetic")
    counted = class_table(data)
    assert counted["clips"].sum() == len(data)
    assert counted["clips"].is_monotonic_decreasing
    assert set(counted["action"]) == set(data.class_names)


def test_what_is_found_by_hand():
    assert findings(table(4, 2, 3)) == Findings(9, 3, ("action 0", 4), ("action 1", 2), Verdict.HOLDS)
    assert findings(table(5, 2)).even == Verdict.FAILS
    assert findings(table(0)) is findings(table()) is None


def test_the_answer(said):
    said("uneven", "\n".join(say(findings(table(4, 2, 3))) for say in (words.answer, words.numbers)))
    said("even", words.answer(findings(table(3, 3))))


@given(st.lists(st.integers(0, 3000), max_size=4))
def test_sentences_are_whole_whatever_was_found(clips):
    found = findings(table(*clips))
    check_all(words.answer(found), words.numbers(found))


@pytest.mark.usefixtures("drawn_whole")
def test_the_figure_has_a_bar_an_action():
    (axes,) = plot_classes(table(4, 2, 3)).axes
    assert [bar.get_width() for bar in axes.patches] == [4, 2, 3]
