"""Findings of the spectrum by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentences import check_all

from analysis_lib.studies.spectrum import words
from analysis_lib.studies.spectrum.findings import Distance, Variant, findings

#: share of energy at three frequencies; 2, 1 and 1 clips
ENERGY = {"x": (0.5, 0.3, 0.2), "y": (0.1, 0.1, 0.8), "z": (0.3, 0.2, 0.5)}
VARIANTS = pd.DataFrame([("a", "centred", 0.9), ("b", "velocity", 0.4), ("b", "centred", 0.8)])
VARIANTS.columns = ["degree", "signal", "share"]
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


def found_of(top=2, hops=(12, 11), **of):
    return findings(class_table(), VARIANTS, FILTERS, distances(*hops), top, clips=5, **of)


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
    assert found.distances == (Distance("list 0", 12, "a - b", 10), Distance("list 1", 11, "a - b", 10))
    assert (found.paper, found.falling) == (10, True)
    assert found_of(hops=()).distances == ()


def test_velocities_stand_beside_positions_and_the_other_way_round():
    assert found_of(signal="raw", degree="b").beside == Variant("velocity", "b", 0.4)
    assert found_of(signal="velocity", degree="b").beside == Variant("centred", "b", 0.8)
    assert found_of(degree="a").beside is None


@given(
    st.integers(1, 4),
    st.integers(1, 40),
    st.integers(0, 9999),
    st.lists(st.floats(0, 1), max_size=5),
    st.lists(st.integers(1, 15), max_size=3),
    st.integers(0, 2),
    st.sampled_from(list(words.SIGNALS)),
)
def test_sentences_never_contradict_their_numbers(classes, joints, seed, shares, hops, still, signal):
    energy = np.random.default_rng(seed).dirichlet(np.ones(joints), classes)
    rows = [("class", f"c {c}", 1, k + 1, x) for (c, k), x in np.ndenumerate(energy)]
    table = pd.DataFrame(rows, columns=["level", "class", "clips", "k", "energy"])
    powers = pd.DataFrame({"power": range(1, len(shares) + 1), "share": shares})
    found = findings(table, VARIANTS, powers, distances(*hops), 1 + joints // 3, classes + still, signal, "b")
    check_all(words.answer(found), words.numbers(found, "toy"), words.variants(found), words.filters(found))
    assert ("cannot grow" not in words.filters(found)) or max(np.diff(shares), default=0) <= 1e-9
    assert "velocities" in words.answer(found)  # beside positions
    said = words.distances(found)
    check_all(words.answer(found), said)
    assert said.count("do not join") == sum(n > 10 for n in hops)
    nothing = findings(table[:0], VARIANTS[:0], powers, distances(), 1, still)
    check_all(words.answer(nothing), words.numbers(nothing, "toy"), words.variants(nothing))
