"""What NNK gains over k-NN, as numbers, whichever way it went; the input, layer 0, must not be judged."""

from math import nan

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentences import check, check_all

from analysis_lib.statistics.estimates import Verdict
from analysis_lib.studies.nnk_vs_knn import findings, words
from analysis_lib.studies.nnk_vs_knn.findings import Against, Split

LOWER, HIGHER, UNCLEAR = (-0.2, -0.3, -0.1), (0.2, 0.1, 0.3), (-0.01, -0.1, 0.1)
GRAPHS = pd.DataFrame({"clips": [60]})


def differences(**values):
    """Return (difference, low, high) by measure and rival (``q_knn``), at layers 1, 2 and k 5, 10; 0 is opposite."""
    rows = []
    for name, found in values.items():
        for (layer, k), (d, low, high) in zip([(1, 5), (2, 5), (1, 10), (2, 10)], found, strict=True):
            rows += [(layer, k, *name.split("_"), d, low, high), (0, k, *name.split("_"), -d, -high, -low)]
    return pd.DataFrame(rows, columns=["layer", "n_neighbors", "measure", "against", "difference", "low", "high"])


@pytest.mark.parametrize(
    ("knn", "counts", "everywhere"),
    [
        ([LOWER] * 4, Against(4, 4, 4, 0), {5: Verdict.HOLDS, 10: Verdict.HOLDS}),
        ([HIGHER] * 4, Against(4, 0, 0, 4), {5: Verdict.FAILS, 10: Verdict.FAILS}),
        ([LOWER, HIGHER, LOWER, UNCLEAR], Against(4, 3, 2, 1), {5: Verdict.FAILS, 10: Verdict.UNDECIDED}),
    ],
)
def test_the_papers_claim_is_judged_for_each_k(knn, counts, everywhere):
    found = findings.comparison(GRAPHS, differences(q_knn=knn, q_matched=[UNCLEAR] * 4))
    assert (found.clips, found.knn, found.everywhere) == (60, counts, everywhere)
    assert sum(map(len, found.knn.above.values())) == sum(d > 0 for d, *_ in knn)


def test_where_nnk_is_worse_is_named_in_order_without_the_input():
    table = differences(q_knn=[HIGHER, (0.01, -0.1, 0.1), LOWER, HIGHER])[::-1]
    found = findings.comparison(GRAPHS, table)
    assert found.knn.above == {5: (1, 2), 10: (2,)}
    assert "above somewhere at layers 1 and 2, with k = 5 and 10" in words.numbers(found)
    assert "above somewhere" not in words.numbers(findings.comparison(GRAPHS, differences(q_knn=[LOWER] * 4)))
    assert findings.comparisons({"A": GRAPHS, "B": GRAPHS}, {"A": table, "C": table}).keys() == {"A"}


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        (Against(20, 9, 2, 0), Verdict.UNDECIDED),  # clearly lower now and then is no help
        (Against(50, 40, 35, 0), Verdict.HOLDS),
        (Against(50, 40, 35, 2), Verdict.HOLDS),  # as many as chance has it
        (Against(50, 40, 35, 15), Verdict.UNDECIDED),
        (Against(8, 1, 0, 5), Verdict.FAILS),
        (Against(8, 4, 4, 0), Verdict.UNDECIDED),
        (Against(0, 0, 0, 0), Verdict.UNTESTED),
    ],
)
def test_lower_is_clearly_so_in_most_pairs(counts, verdict):
    assert counts.verdict == verdict


def test_label_variation_and_error_are_judged_apart():
    found = findings.comparison(GRAPHS, differences(q_matched=[UNCLEAR] * 4, error_matched=[LOWER] * 4))
    judged = [one.verdict for one in (found.knn, found.matched, found.error)]
    assert judged == [Verdict.UNTESTED, Verdict.UNDECIDED, Verdict.HOLDS]


@pytest.mark.parametrize(
    ("q", "error", "disagree"),
    [(HIGHER, LOWER, True), (LOWER, HIGHER, True), (LOWER, LOWER, False), (UNCLEAR, LOWER, False)],
)
def test_errors_at_the_smallest_and_the_largest_k(q, error, disagree):
    rows = [
        (layer, k, graph, value + 0.1 * (k == 100) + (layer == 0))
        for layer in (0, 1, 2)
        for k in (5, 20, 100)
        for graph, value in (("nnk", 0.1), ("knn", 0.25), ("matched", 0.2))
    ]
    table = pd.DataFrame(rows, columns=["layer", "n_neighbors", "graph", "error"])
    knn = [LOWER, LOWER, HIGHER, UNCLEAR]
    tests = differences(q_matched=[q] * 4, error_matched=[error] * 4, error_knn=knn)
    found = findings.errors(table, tests)
    assert found.candidates == (5, 100)
    assert found.rates["nnk"] == pytest.approx((0.1, 0.2))
    assert (found.knn, found.disagree) == (Against(4, 3, 2, 1), disagree)
    assert findings.errors(table[table["n_neighbors"] == 5], tests).candidates == (5,)


def gap(*rows):
    table = pd.DataFrame(rows, columns=["layer", "n_neighbors", "edges", "edge_weight", "share"])
    return findings.gap(table.assign(raw=table["edges"] * table["edge_weight"] * table["share"]))


def test_the_gap_is_shared_out_on_a_log_scale():
    found = gap((0, 5, 9, 9, 9), (1, 5, 2, 4, 2), (2, 5, 8, 1, 2), (1, 9, 2, 2, 0.5))
    assert (found.pairs, found.below, list(found.factors)) == (3, 3, [5, 9])
    assert found.factors[5] == pytest.approx({"raw": 16, "edges": 4, "edge_weight": 2, "share": 2})
    assert found.weight == pytest.approx((0.75, 2))
    assert found.edges == pytest.approx((0.5, 1))


def test_where_there_is_no_gap_there_are_no_factors():
    assert gap((1, 5, 1, 0.5, 1)).factors == gap((0, 5, 2, 2, 2)).factors == gap().factors == {}


def support(kept, smallest=11):
    rows = [
        (layer, k, "nnk", number if layer else 99, 3 if k == max(kept) else 0)
        for layer in (0, 1, 2)
        for k, number in kept.items()
    ]
    table = pd.DataFrame(rows, columns=["layer", "n_neighbors", "graph", "neighbours", "ridge"])
    return findings.support(table.assign(clips=24, smallest_class=smallest))


@pytest.mark.parametrize(
    ("kept", "growth", "slows"),
    [
        ({5: 4.0, 10: 6.0, 20: 6.3}, 0.05, "saturated"),
        ({5: 3.0, 10: 5.0, 20: 7.5}, 0.5, "slower"),
        ({5: 4.0, 10: 6.0, 20: 10.0}, 2 / 3, "not"),
        ({10: 6.0, 20: 10.0}, 2 / 3, "unknown"),
    ],
)
def test_saturation_is_judged_by_growth(kept, growth, slows):
    found = support(kept)
    assert (found.kept, found.slows) == (kept, slows)
    assert found.growth == pytest.approx((growth, 1))


def test_k_beyond_the_class_and_the_ridge_are_found():
    found = support({5: 4.0, 10: 6.0, 20: 7.0})
    assert (found.ridge, found.others, found.crowded) == (0.125, 10, {20: 0.5})
    assert support({5: 4.0}).growth is None


def test_symmetrisations_give_an_order():
    rows = [
        (layer, graph, name, q + (layer == 0), isolated)
        for layer in (0, 1)
        for name, nnk, knn, isolated in (("max", 0.2, 0.3, 0), ("author", 0.4, 0.1, 7), ("none", 0.1, 0.2, 0))
        for graph, q in (("nnk", nnk), ("knn", knn))
    ]
    found = findings.symmetrisation(pd.DataFrame(rows, columns=["layer", "graph", "symmetrise", "q", "isolated"]))
    assert found.q == {"max": (0.2, 0.3), "author": (0.4, 0.1), "none": (0.1, 0.2)}
    assert (found.lower, found.isolated) == (Split(("max", "none"), ("author",)), 7)


SHARES = st.one_of(st.floats(0, 1), st.just(nan))
DIFFERENCES = st.tuples(*[st.one_of(st.floats(-1, 1), st.just(nan))] * 3)


@given(st.lists(st.tuples(*[DIFFERENCES] * 4), max_size=20), st.integers(1, 4))
def test_sentences_never_contradict_their_numbers(pairs, n_layers):
    places = [(1 + i % n_layers, 5 * (1 + i // n_layers)) for i in range(len(pairs))]
    measures = [("q", "knn"), ("q", "matched"), ("error", "knn"), ("error", "matched")]
    rows = [
        (*place, *of, *one)
        for place, pair in zip(places, pairs, strict=True)
        for of, one in zip(measures, pair, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["layer", "n_neighbors", "measure", "against", "difference", "low", "high"])
    found = findings.comparison(GRAPHS, table)
    answer, numbers = words.answer(found), words.numbers(found)
    check_all(answer, numbers)
    if not pairs:
        assert answer == words.NOTHING
        return
    for (verdict, _), of in zip(words.verdicts(found), (0, 1, 3), strict=True):
        lower = sum(value < 0 and low <= high < 0 for value, low, high in (pair[of] for pair in pairs))
        higher = sum(value > 0 and 0 < low <= high for value, low, high in (pair[of] for pair in pairs))
        assert (verdict == Verdict.HOLDS) == (lower > len(pairs) / 2 and higher <= len(pairs) / 20)
        assert verdict != Verdict.FAILS or higher > len(pairs) / 2
    every = [k for k in {k for _, k in places} if f"holds for k = {k}" in numbers]
    for (_, k), ((difference, low, high), *_) in zip(places, pairs, strict=True):
        assert k not in every or (difference < 0 and low <= high < 0)


@given(
    st.lists(st.tuples(st.floats(0.1, 9), st.floats(0.1, 9), st.floats(0.1, 9)), max_size=4),
    st.lists(st.floats(1, 40), min_size=1, max_size=4),
    st.lists(st.tuples(SHARES, SHARES, st.integers(0, 2)), min_size=1, max_size=4),
)
def test_further_sentences_have_no_hole(ratios, kept, choices):
    found = gap(*((1, k + 5, *ratio) for k, ratio in enumerate(ratios)))
    said = words.gap(found)
    assert ("no gap" in said) == (bool(ratios) and not found.factors)
    kept = words.support(support({2 + 3 * i: x for i, x in enumerate(kept)}))
    ways = [
        (1, graph, f"way {i}", q, isolated)
        for i, (nnk, knn, isolated) in enumerate(choices)
        for graph, q in (("nnk", nnk), ("knn", knn))
    ]
    table = pd.DataFrame(ways, columns=["layer", "graph", "symmetrise", "q", "isolated"])
    for text in (said, kept, words.symmetrisation(findings.symmetrisation(table))):
        check(text)


def gains_of(*by_layer):
    """Return a table of gains in label variation: trained, untrained, and the band of all layers, from layer 1 on."""
    columns = ["layer", "trained", "untrained", "all_low", "all_high"]
    rows = [(0, -9.0, 9.0, -20.0, -17.0), *((i, *row) for i, row in enumerate(by_layer, start=1))]
    table = pd.DataFrame(rows, columns=columns).assign(against="knn", measure="q", n_neighbors=10)
    difference = table["trained"] - table["untrained"]
    return table.assign(difference=difference, low=table["all_low"], high=table["all_high"])


@pytest.mark.parametrize(
    ("bands", "lower", "higher", "verdict"),
    [
        ([(-0.5, -0.1), (-0.5, -0.1)], (1, 2), (), Verdict.HOLDS),
        ([(0.1, 0.5), (0.1, 0.5)], (), (1, 2), Verdict.FAILS),
        ([(-0.1, 0.1), (-0.5, -0.1)], (2,), (), Verdict.UNDECIDED),  # half of the layers are not most
        ([(-0.2, -0.1), (0.1, 0.5)], (1,), (2,), Verdict.UNDECIDED),
        ([(-0.1, 0.1), (-0.1, 0.1)], (), (), Verdict.UNDECIDED),
    ],
)
def test_gains_of_training_are_judged_at_all_layers_at_once(bands, lower, higher, verdict):
    found = findings.gains(gains_of(*((-0.2, -0.1, *band) for band in bands)), 2)
    (profile,) = found.profiles
    assert (found.depth, found.n_neighbors, profile.lower, profile.higher) == (2, 10, lower, higher)
    assert profile.verdict == verdict
    assert (profile.trained, profile.untrained, profile.last.value) == ((-0.2, -0.2), (-0.1, -0.1), -0.1)
    check(words.gains(found))


def test_without_untrained_networks_nothing_is_said_of_training():
    assert findings.gains(None, 2) is findings.gains(gains_of(), 2) is None
    check(words.gains(None))
