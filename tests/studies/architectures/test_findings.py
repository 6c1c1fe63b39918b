"""Findings on architectures as numbers: three networks, their intervals set by hand."""

import pandas as pd
import pytest

from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.studies.architectures.findings import board, findings, roots

NAMES = ("fall", "twin's fall", "learnt", "first half", "late", "less late")


def shape(**networks):
    """Return a shape table; every number has an interval of 0.1 to both sides."""
    rows = [
        (name, "", statistic, value, value - 0.1, value + 0.1)
        for name, values in networks.items()
        for statistic, value in zip(NAMES, values, strict=False)
    ]
    return pd.DataFrame(rows, columns=["network", "architecture", "statistic", "value", "low", "high"])


def costs(**networks):
    rows = [(name, kind, 100, value, value - 0.05, value + 0.05) for name, (kind, value) in networks.items()]
    return pd.DataFrame(rows, columns=["network", "architecture", "clips", "accuracy", "low", "high"])


THREE = {"a": (0.5, 0, 0.5, 0.1, 0.9), "b": (0.4, 0, 0.4, 0.5, 0.3, 0.6), "c": (0.3, 0, 0.3, 0.1, 0.85, 0.05)}
KINDS = {"a": ("stgcn", 0.9), "b": ("shift-gcn", 0.8), "c": ("agcn", 0.7)}


def test_which_networks_fall_earlier():
    found = findings(shape(**THREE), costs(**KINDS, bones=("ctr-gcn", 0.9)))  # the last has no curve
    assert len(found.networks) == 3
    assert found.reference.name == "ST-GCN"
    assert [[n.name for n in found.told(v)] for v in (Verdict.HOLDS, Verdict.FAILS, Verdict.UNDECIDED)] == [
        ["Shift-GCN"],
        [],
        ["2s-AGCN"],
    ]
    assert found.of("shift-gcn").late == Estimate(0.3, pytest.approx(0.2), 0.4)
    assert found.of("st-gdn") is None
    assert found.correlation != found.correlation  # three are too few


def test_accuracy_goes_with_the_fall_over_four():
    found = findings(shape(**THREE, d=(0.2,)), costs(**KINDS, d=("agcn", 0.6)))
    assert found.correlation == pytest.approx(1)


def test_roots_after_five_steps():
    rows = [
        (start, eps, 100.0, k, error)
        for start, eps, errors in (
            ("scaled", 0.1, (0.5, 0.1, 0.0)),
            ("scaled", 0.01, (0.9, 0.5, 0.001)),
            ("as printed", 0.1, (1, 2, 3)),
            ("as printed", 0.01, (1, 1e9, 1e12)),
        )
        for k, error in zip((1, 5, 9), errors, strict=True)
    ]
    found = roots(pd.DataFrame(rows, columns=["start", "eps", "condition", "iterations", "error"]))
    assert found.scaled == {0.1: 0.1, 0.01: 0.5}
    assert (found.printed_first, found.printed, found.needed, found.most) == (1, 1e9, 9, 9)


def test_the_board_says_whom_the_best_cannot_be_told_from():
    rows = [("p", "A", 100, 0.97, 0.95, 0.98), ("q", "A", 100, 0.95, 0.93, 0.96), ("m", "ours", 50, 0.9, 0.8, 0.94)]
    rows.append(("r", "A", 100, 0.8, 0.7, 0.9))
    found = board(pd.DataFrame(rows, columns=["network", "whose", "clips", "accuracy", "low", "high"]))
    assert (found.ours, found.best, found.met, found.count, found.clip) == ("m", "p", 1, 2, 0.01)
