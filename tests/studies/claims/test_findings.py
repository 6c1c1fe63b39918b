"""Verdicts follow from the tables."""

from dataclasses import replace
from math import inf, isnan, nan

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_lib.chapters import recorded
from analysis_lib.errors import UserError
from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.studies.claims.findings import (
    FAILS,
    HOLDS,
    MISSING,
    UNDECIDED,
    UNTESTED,
    VERDICTS,
    Edition,
    _parts,
    findings,
)
from analysis_lib.studies.claims.measures import cell
from analysis_lib.studies.claims.papers import Bounds, Check, Claim, Claims, Need
from analysis_lib.studies.claims.tables import claims_table

FULL = Need("NTU", ("ntu-60",), "stgbook run {chapter}")


def claim(*bounds, **more):
    """Return a claim with a check for each pair of bounds, on column a, b, ... of one table."""
    where = more.pop("where", {})
    checks = tuple(
        Check(c, ("own/table",), cell, {"column": c, "low": "low", "high": "high", "where": where}, low, high)
        for c, (low, high) in zip("ab", bounds, strict=False)
    )
    return Claim("X1", "c", "w", "p", "own#f", checks, **more)


@pytest.fixture
def found(tmp_path, monkeypatch):
    """Return a function from a claim to what is found of it on a record with a = 5 and b = 8."""
    monkeypatch.setattr(recorded, "PUBLISHED", tmp_path)
    facts = {"data": {"name": "small"}, "code": "1 (x)", "date": "2025-01-31"}
    table = pd.DataFrame({"a": [5], "b": [8], "low": [4], "high": [9]})
    recorded.write_record(tmp_path / "mine" / "own", facts, {"table": table})
    return lambda claim, editions=("mine",), chapters=("own",), choices=None: findings(
        Claims((claim,), {}, ()), editions, chapters, {"claims/own": pd.DataFrame()}, choices
    )


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ([(0, 10), (0, 10)], HOLDS),
        ([(0, 6), (0, 10)], UNDECIDED),  # a holds, but its interval goes to 9
        ([(0, 10), (0, 3)], FAILS),  # b fails clearly
        ([(0, 3), (0, 10)], FAILS),
        ([(0, 4.5), (0, 10)], UNDECIDED),
        ([(0, 4.5), (0, 3)], FAILS),  # one clear failure is enough
    ],
)
def test_a_claim_holds_if_all_its_checks_do(found, bounds, expected):
    (one,) = found(claim(*bounds)).found
    assert (one.verdict, one.command) == (expected, "")
    assert one.values == (Estimate(5, 4, 9), Estimate(8, 4, 9))


@given(*[st.one_of(st.integers(-4, 4).map(float), st.just(nan))] * 3, st.integers(-3, 0), st.integers(1, 3))
def test_a_verdict_never_goes_against_its_number(value, low, high, least, most):
    check, estimate = Check("n", (), cell, at_least=least, at_most=most), Estimate(value, low, high)
    verdict, inside = check.judge(estimate), least <= value <= most
    assert (verdict == Verdict.HOLDS) == (inside and least <= low <= high <= most)
    assert (verdict == Verdict.FAILS) == (
        (value < least and low <= high < least) or (value > most and most < low <= high)
    )
    exact = replace(check, exact=True).judge(Estimate(value))
    assert exact == (Verdict.UNDECIDED if isnan(value) else Verdict.HOLDS if inside else Verdict.FAILS)


def test_without_an_interval_nothing_is_decided_but_a_fact():
    check = Check("n", (), cell, at_least=3)
    assert check.judge(Estimate(2)) == check.judge(Estimate(4)) == Verdict.UNDECIDED
    assert replace(check, exact=True).judge(Estimate(4)) == Verdict.HOLDS


@pytest.mark.parametrize(
    ("values", "bounds", "expected"),
    [
        ([5] * 10, (0, 9), (HOLDS, 10, 10)),
        ([5] * 9 + [99], (0, 9), (HOLDS, 9, 10)),
        ([5] * 8 + [99, nan], (0, 9), (UNDECIDED, 8, 9)),  # what is not defined counts for nothing
        ([5] + [0] * 9, (4.5, 9), (UNDECIDED, 1, 10)),  # the interval of the book's own choice crosses the bound
        ([5] + [0] * 9, (7, 9), (FAILS, 0, 10)),
        ([5] + [8] * 2 + [0] * 7, (7, 9), (UNDECIDED, 2, 10)),
    ],
)
def test_a_verdict_needs_nine_in_ten_of_the_choices(found, values, bounds, expected):
    table = pd.DataFrame({"k": range(len(values)), "a": values, "low": 4.0, "high": 6.0})
    check = Check("a", ("claims/choices",), cell, {"column": "a", "low": "low", "high": "high"}, *bounds, over={"k": 0})
    (one,) = found(Claim("X1", "c", "w", "p", "own#f", (check,)), choices=table).found
    assert (one.verdict, one.held, one.settings) == expected


def test_rows_without_a_choice_go_to_all_choices():
    table = pd.DataFrame({"k": [nan, 1, 2], "a": [9.0, 5, 6]})
    parts = _parts([table, pd.DataFrame({"b": [3]})], ["k"])
    assert {k: [sorted(part["a"]), other["b"].tolist()] for k, (part, other) in parts.items()} == {
        (1.0,): [[5, 9], [3]],
        (2.0,): [[6, 9], [3]],
    }


def test_all_parts_must_be_as_wanted_with_the_same_choices(found):
    table = pd.DataFrame({"k": [0, 1, 2], "a": [5, 5, 0], "b": [5, 0, 5], "low": 4.9, "high": 5.1})
    checks = [
        Check(c, ("claims/choices",), cell, {"column": c, "low": "low", "high": "high"}, 1, over={"k": 0}) for c in "ab"
    ]
    (one,) = found(Claim("X1", "c", "w", "p", "own#f", tuple(checks)), choices=table).found
    assert (one.verdict, one.held, one.settings) == (UNDECIDED, 1, 3)
    (gone,) = found(Claim("X1", "c", "w", "p", "own#f", (replace(checks[0], over={"k": 7}),)), choices=table).found
    assert (gone.verdict, gone.note) == (UNTESTED, "nothing was measured with this book's choices")


def test_a_number_without_bounds_is_shown_and_not_judged(found):
    whole = claim((0, 10), (0, 10))
    beside = replace(whole.checks[1], at_least=-inf, at_most=inf)
    (one,) = found(replace(whole, checks=(whole.checks[0], beside))).found
    assert (one.verdict, one.values[1].value) == (HOLDS, 8)
    assert isnan(claims_table(found(replace(whole, checks=(whole.checks[0], beside))))["holds"][1])
    assert found(replace(whole, checks=(beside,))).found[0].verdict == UNTESTED


def test_what_needs_other_data_is_measured_but_not_judged(found):
    (one,) = found(claim((0, 10), need=FULL)).found
    assert (one.verdict, one.without, one.values[0].value) == (UNTESTED, "NTU", 5)
    assert one.command == "stgbook run own"
    assert found(claim((0, 10), need=FULL, command="do")).found[0].command == "do"
    assert found(claim((0, 10), need=Need("it", ("small",), ""))).found[0].verdict == HOLDS


@pytest.mark.parametrize(("otherwise", "told"), [(FULL, ("NTU", "stgbook run own")), (None, ("", ""))])
def test_what_a_table_cannot_say_is_told_with_the_reason(found, otherwise, told):
    (one,) = found(claim((0, 10), where={"a": 7}, otherwise=otherwise)).found
    assert (one.verdict, one.note, one.values) == (UNTESTED, "no row with a = 7", (None,))
    assert (one.without, one.command) == told


def test_a_claim_whose_need_is_met_is_not_told_to_lack_it(found):
    met = Need("it", ("small",), "stgbook do")
    (one,) = found(claim((0, 10), where={"a": 7}, need=met, otherwise=met)).found
    assert (one.verdict, one.without, one.note, one.command) == (UNTESTED, "", "no row with a = 7", "")


def test_facts_are_counted_apart_by_the_first_edition_that_decides_them(found):
    fact = found(claim((0, 10), kind="fact"), ("new", "mine"), chapters=("own",))
    assert fact.facts() == {"X1": HOLDS}
    assert [sum(one.counts.values()) for one in fact.editions] == [0, 0]
    assert fact.on_data == []
    assert found(claim((0, 10), kind="fact"), ("new",)).facts() == {"X1": MISSING}
    assert claims_table(fact)["kind"].tolist() == ["fact", "fact"]


def test_controls_are_counted_apart(found):
    control = found(claim((0, 10), kind="control"), ("mine",), chapters=("own",))
    assert [one.verdict for one in control.found] == [HOLDS]
    assert (control.on_data, [sum(one.counts.values()) for one in control.editions]) == ([], [0])
    assert [one.id for one in control.of_kind("control")] == ["X1"]


def test_claims_that_hold_by_bounds_set_after_the_curves_are_counted(found):
    for bounds, n in ((None, 0), (Bounds("2026-01-01", True), 1), (Bounds("2026-01-01", False), 0)):
        one = found(claim((0, 10), bounds=bounds), ("mine",), chapters=("own",))
        assert [edition.seen for edition in one.editions] == [n]
        assert claims_table(one)["seen"].tolist() == [n]


def test_a_number_that_is_not_defined_is_no_verdict(found):
    check = Check("n", ("own/table",), lambda table: Estimate(float("nan")), at_most=1)
    (one,) = found(Claim("X1", "c", "w", "p", "own#f", (check,))).found
    assert (one.verdict, one.note) == (UNTESTED, "the number is not defined for this network")


def test_what_is_not_recorded_is_told_with_the_command(found):
    new, mine = found(claim((0, 10)), editions=("new", "mine")).found
    assert (new.verdict, new.command) == (MISSING, "stgbook book --edition new")
    assert mine.verdict == HOLDS
    _, mine = found(claim((0, 10)), editions=("new", "mine"), chapters=()).found
    assert (mine.verdict, mine.command) == (MISSING, "stgbook book --edition mine --record")
    with pytest.raises(UserError, match="unknown recorded edition 'mime'; did you mean 'mine'"):
        found(claim((0, 10)), editions=("new", "mime"))


def test_editions_are_counted_and_have_their_sources(found):
    new, mine = found(claim((0, 3)), ("new", "mine"), ("own", "other")).editions
    assert new == Edition("new", dict.fromkeys(VERDICTS, 0) | {MISSING: 1}, (), wanted=2)
    counts = dict.fromkeys(VERDICTS, 0) | {FAILS: 1}
    assert mine == Edition("mine", counts, ("X1",), ("small",), ("2025-01-31",), ("1 (x)",), 1, 2)


def test_a_row_of_the_table_is_a_check(found):
    table = claims_table(found(claim((0, 10), (0, 3)), editions=("mine", "mine")))
    assert table["check"].tolist() == ["a", "b"]
    assert table["holds"].tolist() == [1, 0]
    row = table.iloc[0]
    assert (row["value"], row["low"], row["high"], row["verdict"], row["clips"]) == (5, 4, 9, FAILS, 0)
    (row,) = claims_table(found(claim(need=FULL))).to_dict("records")
    assert (row["check"], row["verdict"], row["command"]) == ("", UNTESTED, "stgbook run own")
