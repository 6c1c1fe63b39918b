"""Findings on transfer as numbers, on small tables."""

import numpy as np
import pandas as pd
import pytest

from analysis_lib.geometry.curves import EVERY
from analysis_lib.statistics import Estimate
from analysis_lib.studies.transfer.findings import findings


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
    return pd.DataFrame({"level": "class", "layer": range(len(q)), "q": q})


RULES = (
    ("always cut 0", False, 0, 0.10, np.nan),
    ("always cut 3", False, 3, 0.0, np.nan),
    ("labels", True, 0, 0.10, -0.5),
    ("other", True, 3, 0.0, 1.0),
)


def found(final=None, table=None, new=(0.1, 0.9, 0.8, 0.85, 0.6), own=(0.0, 0.8, 0.5, 0.1), rules=RULES):
    shape = pd.DataFrame({"group": [EVERY], "statistic": ["drop after"], "value": [2.0], "low": [1.0], "high": [3.0]})
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


def test_depth_that_does_not_help_is_not_the_best():
    assert found(final_of(head=0.7, all=0.5, scratch=0.3)).best is None
    alone = found(final_of(all=0.7, scratch=0.3))
    assert (alone.shallowest, alone.best) == ("all", None)


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
    assert seen.passed == ((1, ("head",)), (0, ("last 1 + head",)), (None, ("all",)))


def test_forecasts_are_ranked_among_the_fixed_rules():
    seen = found()
    assert (seen.best_cuts, seen.clear) == (((6, 3),), ((6, 1, 1),))
    assert (seen.fixed, seen.fixed_lost, seen.n_fixed) == ("always cut 3", 0, 2)
    labels, other = seen.forecasts
    assert (labels.rule, labels.taken, labels.lost, labels.better) == ("labels", ((6, 0),), 0.1, 1)
    assert (labels.rho, other.rho, other.better) == ((-0.5, -0.5), (1, 1), 0)


def test_one_cut_has_no_others():
    seen = found(rules=[RULES[1], ("other", True, 3, 0.0, np.nan)])
    assert (seen.clear, seen.n_fixed, seen.forecasts[0].rho) == ((), 1, None)
