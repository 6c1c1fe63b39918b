"""Findings of the spectrum by hand."""

import pandas as pd
import pytest

from analysis_lib.studies.spectrum.findings import Distance, Variant, findings

#: share of energy at three frequencies; 2, 1 and 1 clips
ENERGY = {"x": (0.5, 0.3, 0.2), "y": (0.1, 0.1, 0.8), "z": (0.3, 0.2, 0.5)}
VARIANTS = pd.DataFrame({"degree": ["a", "b"], "signal": ["raw", "velocity"], "share": [0.9, 0.4]})
FILTERS = pd.DataFrame({"power": [1, 1, 2, 2, 3], "share": [0.8, 0.8, 0.7, 0.7, 0.5]})


def class_table():
    rows = [
        {"level": "class", "class": name, "clips": 1 + (name == "x"), "k": k + 1, "energy": share}
        for name, shares in ENERGY.items()
        for k, share in enumerate(shares)
    ]
    return pd.DataFrame([*rows, {"level": "group", "class": "", "clips": 4, "k": 3, "energy": 9.0}])


def distances(*hops):
    own = [("ntu-25", f"list {i}", n, "a - b", 10) for i, n in enumerate(hops)]
    columns = ["skeleton", "edges", "diameter", "between", "hand to foot"]
    return pd.DataFrame([*own, ("kinect-20", "own", 99, "c - d", pd.NA)], columns=columns)


def found_of(top=2, hops=(12, 11)):
    return findings(class_table(), VARIANTS, FILTERS, distances(*hops), top, clips=5)


def test_the_share_of_the_smoothest_frequencies():
    energy = found_of().energy
    assert (energy.clips, energy.still, energy.top, energy.frequencies) == (4, 1, 2, 3)
    assert energy.share == pytest.approx((0.5 + 0.9 + 0.7) / 3)
    assert (energy.least, energy.most) == (("x", pytest.approx(0.5)), ("y", pytest.approx(0.9)))
    assert (energy.smoothest, energy.flat) == (pytest.approx(0.5), 2 / 3)
    assert found_of(top=3).energy.share == pytest.approx(1)


def test_choices_powers_and_hops():
    found = found_of()
    assert found.weakest == Variant("velocity", "b", 0.4)
    assert found.powers == ((1, 0.8), (3, 0.5))
    assert found.distances == (Distance("list 0", 12, "a - b"), Distance("list 1", 11, "a - b"))
    assert (found.limbs, found.paper, found.reach) == (10, 10, False)
    assert found_of(hops=(10, 9)).reach
    assert not found_of(hops=(10, 11)).reach
