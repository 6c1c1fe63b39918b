"""Findings on transfer as numbers, on small tables."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentences import check, check_all

from analysis_lib.geometry.curves import EVERY
from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.studies.transfer import words
from analysis_lib.studies.transfer.findings import Probe, _forecast, findings, probe_findings


def final_of(**accuracy):
    """Return accuracies in the end by case: scratch apart, cuts count up; a smaller set must not count."""
    rows = [
        {"case": case, "cut": i, "clips_per_class": size, "accuracy": a if size == 6 else 0.99}
        for size in (2, 6)
        for i, (case, a) in enumerate(accuracy.items())
    ]
    table = pd.DataFrame(rows).assign(clips=50)
    return table.assign(low=table["accuracy"] - 0.1, high=table["accuracy"] + 0.1)


def table_of(**curves):
    """Return accuracy by epoch of each case, after an old head."""
    rows = [(case, 6, e, a) for case, values in curves.items() for e, a in enumerate(values)]
    columns = ["case", "clips_per_class", "epoch", "accuracy"]
    return pd.DataFrame([("old head", 0, 0, 0.11), ("head", 2, 9, 1.0), *rows], columns=columns)


def variation(*q):
    """Return label variation of one super-class of two actions, whose own curves must not count."""
    group = pd.DataFrame({"level": "group", "name": "arms", "layer": range(len(q)), "q": q})
    return pd.concat([group, *(group.assign(level="class", name=name, q=9.0) for name in ("wave", "clap"))])


RULES = (
    ("always cut 0", False, 0, 0.10, np.nan),
    ("always cut 3", False, 3, 0.0, np.nan),
    ("labels", True, 0, 0.10, -0.5),
    ("other", True, 3, 0.0, 1.0),
)


def found(final=None, table=None, new=(0.1, 0.9, 0.8, 0.85, 0.6), own=(0.0, 0.8, 0.5, 0.1), rules=RULES, drop=0.2):
    read = [(EVERY, "drop after", 2.0, 1.0, 3.0), (EVERY, "drop", drop, drop, drop)]
    shape = pd.DataFrame(read, columns=["group", "statistic", "value", "low", "high"])
    shape = shape if len(new) > 2 else shape.iloc[:0]  # one layer has no shape
    choices = pd.DataFrame(rules, columns=["rule", "is_forecast", "cut", "lost", "rho"])
    choices = choices.assign(clips_per_class=6, best_cut=3, low=choices["lost"] - 0.09)
    final = final_of(head=0.5, all=0.7, scratch=0.3) if final is None else final
    table = table_of(head=[0.1, 0.5], all=[0.1, 0.2], scratch=[0.1, 0.4]) if table is None else table
    return findings(table, final, variation(*new), variation(*own), shape, choices)


def test_accuracies_are_those_of_the_largest_set():
    seen = found()
    assert (seen.old, seen.clips, seen.size, seen.shallowest, seen.best) == (0.11, 50, 6, "head", "all")
    expected = {"shallow": 0.5, "deep": 0.7, "scratch": 0.3}
    for name, value in expected.items():
        estimate = getattr(seen, name)
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx((value, value - 0.1, value + 0.1))


@pytest.mark.parametrize(
    ("accuracy", "deeper", "ahead"),
    [
        ({"head": 0.4, "all": 0.7, "scratch": 0.1}, Verdict.HOLDS, Verdict.HOLDS),
        ({"head": 0.7, "all": 0.4, "scratch": 0.99}, Verdict.FAILS, Verdict.FAILS),
        ({"head": 0.5, "all": 0.6, "scratch": 0.4}, Verdict.UNDECIDED, Verdict.UNDECIDED),
        ({"all": 0.7}, Verdict.UNTESTED, Verdict.UNTESTED),
    ],
)
def test_one_way_is_better_if_intervals_part(accuracy, deeper, ahead):
    seen = found(final_of(**accuracy))
    assert (seen.deeper, seen.ahead, seen.best) == (deeper, ahead, "all" if "head" in accuracy else None)


def test_without_tuning_nothing_is_found():
    assert found(final_of(scratch=0.3)) is found(final_of(head=0.3)[:0]) is None
    check_all(words.answer(None), words.numbers(None))
    assert not any(say(None) for say in (words.curves, words.learning, words.choices))


SHARES = st.one_of(st.floats(0, 1), st.just(np.nan))


@given(
    st.lists(st.tuples(SHARES, SHARES, SHARES), min_size=1, max_size=5),
    st.tuples(SHARES, SHARES, SHARES),
    st.lists(SHARES, min_size=2, max_size=12),
    st.booleans(),
)
def test_sentences_never_contradict_their_numbers(tuned, afresh, curve, has_rules):
    names = ["head", *(f"last {cut} + head" for cut in range(1, len(tuned)))]
    rows = [*zip(names, range(len(tuned)), tuned, strict=False), ("scratch", 99, afresh)]
    final = pd.DataFrame([(case, cut, 6, *a, 50) for case, cut, a in rows])
    final.columns = ["case", "cut", "clips_per_class", "accuracy", "low", "high", "clips"]
    seen = found(final, new=curve, rules=RULES if has_rules else RULES[:0])
    answer, numbers = words.answer(seen), words.numbers(seen)
    assert " of each new action of *Other* names " in words.answer(seen, "Other")
    assert words.answer(seen, "a name of five words") == answer
    check_all(answer, numbers)
    for text in (words.curves(seen), words.learning(seen), words.choices(seen)):
        check(text)
    (value, low, high), (other, low_2, high_2) = tuned[0], afresh
    (ahead, _), (deeper, _) = words.verdicts(seen) or [(Verdict.UNTESTED, "")] * 2
    assert (ahead == Verdict.HOLDS) == (low_2 <= other <= high_2 < low <= high and value > high_2)
    assert ahead != Verdict.FAILS or other > value
    assert (deeper == Verdict.UNTESTED) == (not any(a == a for a, *_ in tuned[1:]))
    assert ("at chance" in answer) == (low_2 <= seen.chance <= high_2 and other == other)
    if deeper == Verdict.HOLDS:
        assert any(one[0] > one[1] > high for one in tuned[1:])
    if deeper == Verdict.FAILS:
        assert all(not one[0] >= value for one in tuned[1:])


def test_a_curve_that_never_falls_has_no_place():
    assert found(drop=0.0).drop_after is found(drop=np.nan).drop_after is None


@pytest.mark.parametrize(
    ("new", "span", "rises", "steps"),
    [((0.1, 0.9, 0.8, 0.85, 0.6), 0.3, 1, 3), ((0.1, 0.9, 0.8, 0.6), 0.3, 0, 2), ((0.1, 0.9), 0, 0, 0)],
)
def test_spans_and_rises_leave_the_input_out(new, span, rises, steps):
    seen = found(new=new)
    assert (seen.new_span, seen.own_span) == pytest.approx((span, 0.7))
    assert (seen.rises, seen.steps) == (rises, steps)
    assert seen.drop_after == (Estimate(2, 1, 3) if steps else None)


def test_epochs_at_which_scratch_is_passed():
    curves = {"head": [0.1, 0.5, 0.8], "last 1 + head": [0.5, 0.4, 0.2], "all": [0.1, 0.2, 0.4]}
    seen = found(table=table_of(**curves, scratch=[0.1, 0.2, 0.4]))
    assert (seen.epochs, seen.goal) == (2, 0.4)
    assert seen.passed == ((1, ("head",)), (None, ("last 1 + head", "all")))  # before the first epoch nothing is tuned


def test_forecasts_are_ranked_among_the_fixed_rules():
    seen = found()
    assert (seen.best_cuts, seen.clear) == (((6, 3),), ((6, 1, 1),))
    assert (seen.fixed, seen.fixed_lost, seen.n_fixed) == ("always cut 3", 0, 2)
    labels, other = seen.forecasts
    assert (labels.rule, labels.taken, labels.lost, labels.better) == ("labels", ((6, 0),), 0.1, 1)
    assert (labels.rho, other.rho, other.better) == ((-0.5, -0.5), (1, 1), 0)
    assert labels.worst == (0.1, 6)


def test_the_greatest_loss_and_an_order_that_few_cuts_leave_undecided():
    rows = pd.DataFrame([("f", 2, 1, 0.05, -0.9), ("f", 6, 1, 0.01, -0.95)])
    rows.columns = ["rule", "clips_per_class", "cut", "lost", "rho"]
    fixed = pd.Series([0.0] * 12)
    said = {n: _forecast(rows, fixed[:n]) for n in (3, 12)}
    assert (said[3].worst, said[3].rho) == ((0.05, 2), (-0.95, -0.9))
    assert (said[3].agrees, said[12].agrees) == (Verdict.UNDECIDED, Verdict.FAILS)
    assert _forecast(rows.assign(rho=[0.9, -0.1]), fixed).agrees == Verdict.UNDECIDED
    assert _forecast(rows.assign(rho=np.nan), fixed).agrees == Verdict.UNTESTED


@pytest.mark.parametrize(("scratch", "chance"), [(0.55, True), (0.45, True), (0.61, False), (0.1, False)])
def test_scratch_is_at_chance_if_its_interval_holds_it(scratch, chance):
    seen = found(final_of(head=0.9, scratch=scratch))  # intervals of 0.1 to both sides, two actions
    assert (seen.chance, seen.at_chance) == (0.5, chance)
    for text in (words.answer(seen), words.numbers(seen), words.learning(seen)):
        assert ("chance" in text) == chance


def test_one_cut_has_no_others():
    seen = found(rules=[RULES[1], ("other", True, 3, 0.0, np.nan)])
    assert (seen.clear, seen.n_fixed, seen.forecasts[0].rho) == ((), 1, None)


def test_the_probe_is_read_at_the_largest_size():
    probes = pd.DataFrame([(2, 0, 0.9), (6, 0, 0.4), (6, 1, 0.6)], columns=["clips_per_class", "seed", "accuracy"])
    rows = [("head", 2, 0.1), ("head", 6, 0.3), ("all", 6, 0.8)]
    final = pd.DataFrame(rows, columns=["case", "clips_per_class", "accuracy"])
    still, ended = table_of(head=[0.1, 0.2, 0.3, 0.4]), table_of(head=[0.1, 0.4, 0.4, 0.4])
    assert probe_findings(probes, final, still) == Probe(6, 0.5, 0.3, True)
    assert np.isnan(probe_findings(probes, final[2:], ended).head)
    assert not probe_findings(probes, final, ended).learns
    assert probe_findings(probes[:0], final, still) is None
