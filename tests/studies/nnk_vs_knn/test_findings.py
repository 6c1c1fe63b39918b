"""What NNK gains over k-NN, as numbers, whichever way it went; the input, layer 0, must not be judged."""

import pandas as pd
import pytest

from analysis_lib.studies.nnk_vs_knn import findings
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
        ([LOWER] * 4, Against(4, 4, 4, 0), Split((5, 10), ())),
        ([HIGHER] * 4, Against(4, 0, 0, 4), Split((), (5, 10))),
        ([LOWER, HIGHER, LOWER, UNCLEAR], Against(4, 3, 2, 1), Split((10,), (5,))),
    ],
)
def test_the_papers_claim_is_judged_for_each_k(knn, counts, everywhere):
    found = findings.comparison(GRAPHS, differences(q_knn=knn, q_matched=[UNCLEAR] * 4))
    assert (found.clips, found.knn, found.everywhere) == (60, counts, everywhere)


@pytest.mark.parametrize(
    ("matched", "lower", "higher"),
    [
        ([LOWER, LOWER, LOWER, UNCLEAR], True, False),
        ([UNCLEAR, UNCLEAR, HIGHER, UNCLEAR], False, True),
        ([LOWER, HIGHER, UNCLEAR, UNCLEAR], True, True),
        ([UNCLEAR] * 4, False, False),
    ],
)
def test_the_rival_with_as_many_neighbours_decides_why(matched, lower, higher):
    found = findings.comparison(GRAPHS, differences(q_knn=[LOWER] * 4, q_matched=matched))
    assert (found.lower, found.higher) == (lower, higher)


def test_what_chance_alone_would_give_is_not_called_clear():
    few = [differences(q_knn=[LOWER] * 4, q_matched=[UNCLEAR] * 4)] * 9
    clear = differences(q_knn=[LOWER] * 4, q_matched=[LOWER, LOWER, UNCLEAR, UNCLEAR])
    found = findings.comparison(GRAPHS, pd.concat([*few, clear]))  # 2 of 40: no more than 5 %
    assert (found.matched.lower, found.lower) == (2, False)


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
