"""What the data chapter finds, as numbers."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.studies.data import words
from analysis_lib.studies.data.findings import Soundness, findings, soundness
from analysis_lib.words import points
from sentences import check_all

CLIPS = pd.DataFrame({"label": ["a", "b", "a"], "subject": [1, -1, 1], "frames": [9, 4, 7]})


@pytest.mark.parametrize(
    ("network", "baseline", "better"),
    [
        ((0.9, 0.88, 0.92, 100), (0.6, 0.55, 0.65, 100), Verdict.HOLDS),
        ((0.66, 0.6, 0.7, 100), (0.6, 0.55, 0.65, 100), Verdict.UNDECIDED),
        ((0.58, 0.4, 0.6, 100), (0.6, 0.55, 0.65, 100), Verdict.UNDECIDED),
        ((0.3, 0.2, 0.4, 100), (0.6, 0.55, 0.65, 100), Verdict.FAILS),
    ],
)
def test_the_network_is_better_if_intervals_do_not_meet(network, baseline, better):
    scores = pd.DataFrame([network, baseline], columns=["accuracy", "low", "high", "clips"])
    found = findings(CLIPS, scores)
    assert (found.network, found.baseline, found.better) == (Estimate(*network), Estimate(*baseline), better)
    assert found.gap == pytest.approx(network[0] - baseline[0])
    assert (found.clips, found.actions, found.people) == (3, 2, 1)
    assert (found.shortest, found.median, found.longest) == (4, 7, 9)


def side(clips, subjects, views):
    return pd.DataFrame({"clip": clips, "subject": subjects, "view": views})


@pytest.mark.parametrize(
    ("subjects", "views", "expected"),
    [
        (([1, 2], [3, 3]), ([1, 1], [1, 1]), {"known": True, "shared": 0, "tested": 1, "apart": False}),
        (([1, 2], [2, 3]), ([1, 2], [3, 3]), {"known": True, "shared": 1, "tested": 2, "apart": True}),
        (([1, 2], [2, -1]), ([-1, -1], [-1, -1]), {"known": False, "shared": 1, "tested": 2, "apart": False}),
    ],
)
def test_people_and_views_of_two_splits(subjects, views, expected):
    train, test = (side(clips, s, v) for clips, s, v in zip((["a", "b"], ["c", "d"]), subjects, views, strict=True))
    twins = pd.DataFrame([("b", "a")], columns=["clip", "same_as"])
    missing = pd.DataFrame({"joint": ["hand", "elbow"], "missing": [0.25, 0.0]})
    found = soundness(train, test, twins, missing)
    assert found == Soundness(**expected, twins=(("b", "a"),), across=False, missing={"hand": 0.25})
    assert soundness(train, test, pd.DataFrame([("c", "a")], columns=twins.columns), missing).across


def test_without_clips_or_a_baseline_nothing_is_found():
    scores = pd.DataFrame([(0.9, 0.8, 0.95, 9)] * 2, columns=["accuracy", "low", "high", "clips"])
    assert findings(CLIPS[:0], scores) is findings(CLIPS, scores.assign(accuracy=[0.9, float("nan")])) is None
    check_all(words.answer(None), words.numbers(None))


def test_without_a_network_the_baseline_stands_alone():
    scores = pd.DataFrame([(0.9, 0.8, 0.95, 9)], columns=["accuracy", "low", "high", "clips"])
    found = findings(CLIPS, scores)
    assert (found.network, found.baseline.value, found.better) == (None, 0.9, Verdict.UNDECIDED)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 2), st.integers(1, 2000)), min_size=1, max_size=6),
    st.lists(st.tuples(*[st.one_of(st.floats(0, 1), st.just(float("nan")))] * 3), min_size=2, max_size=2),
    st.integers(1, 2000),
)
def test_sentences_never_contradict_their_numbers(clips, scores, tested):
    table = pd.DataFrame([(*score, tested) for score in scores], columns=["accuracy", "low", "high", "clips"])
    found = findings(pd.DataFrame(clips, columns=["label", "subject", "frames"]), table)
    answer, numbers = words.answer(found), words.numbers(found)
    check_all(answer, numbers)
    if found:
        (own, low, high), (other, other_low, other_high) = scores
        ((better, _),) = words.verdicts(found)
        assert (better == Verdict.HOLDS) == (other_low <= other <= other_high < low <= high and own > other_high)
        assert better != Verdict.FAILS or high < other_low
        assert ("above" not in numbers) or own > other
        assert ("below" not in numbers) or own < other
        assert ("level" not in numbers) or points(own - other) == "0"
