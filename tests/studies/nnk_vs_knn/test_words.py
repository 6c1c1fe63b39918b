"""Sentences on NNK and k-NN: they say what the tables say, whichever way it went."""

import pandas as pd
import pytest

from analysis_lib.studies.nnk_vs_knn.words import (
    comparison_answer,
    error_answer,
    gap_answer,
    support_answer,
    symmetrisation_answer,
)

LOWER, HIGHER, UNCLEAR = (-0.2, -0.3, -0.1), (0.2, 0.1, 0.3), (-0.01, -0.1, 0.1)


def differences(measures):
    """Return a table of (difference, low, high) by measure and rival, at layers 1, 2 and k 5, 10.

    Layer 0 is there as well, with the opposite sign: it must not be judged.
    """
    rows = []
    for (measure, against), values in measures.items():
        for place, (d, low, high) in zip([(1, 5), (2, 5), (1, 10), (2, 10)], values, strict=True):
            rows.append((*place, measure, against, d, low, high))
            rows.append((0, place[1], measure, against, -d, -high, -low))
    return pd.DataFrame(rows, columns=["layer", "n_neighbors", "measure", "against", "difference", "low", "high"])


def answer(knn, matched):
    return comparison_answer(differences({("q", "knn"): knn, ("q", "matched"): matched}), 60).data


@pytest.mark.parametrize(
    ("knn", "claim"),
    [
        (
            [LOWER] * 4,
            "below that of k-NN graphs on the same kernel in 4 of 4 pairs of layer and k "
            "(clearly lower in 4, clearly higher in 0). That it is below at every layer, as the paper has "
            "it, holds for k = 5 and 10.",
        ),
        (
            [HIGHER] * 4,
            "in 0 of 4 pairs of layer and k (clearly lower in 0, clearly higher in 4). That "
            "it is below at every layer, as the paper has it, does not hold for k = 5 and 10.",
        ),
        (
            [LOWER, HIGHER, LOWER, UNCLEAR],
            "in 3 of 4 pairs of layer and k (clearly lower in 2, clearly "
            "higher in 1). That it is below at every layer, as the paper has it, holds for k = 10, and "
            "does not hold for k = 5.",
        ),
    ],
)
def test_the_papers_claim_is_judged_for_each_k(knn, claim):
    text = answer(knn, [UNCLEAR] * 4)
    assert "On 60 clips" in text
    assert claim in text


@pytest.mark.parametrize(
    ("matched", "verdict"),
    [
        (
            [LOWER, LOWER, LOWER, UNCLEAR],
            "clearly lower in 3, clearly higher in 0: which neighbours "
            "NNK keeps, and how it weighs them, helps beyond their number.",
        ),
        (
            [UNCLEAR, UNCLEAR, HIGHER, UNCLEAR],
            "clearly higher in 1: what NNK gains in q, it gains by keeping few neighbours, not by which ones.",
        ),
        ([LOWER, HIGHER, UNCLEAR, UNCLEAR], "which is better depends on layer and k."),
        ([UNCLEAR] * 4, "nothing clear is left of the difference once the numbers are the same."),
    ],
)
def test_the_rival_with_as_many_neighbours_decides_why(matched, verdict):
    assert answer([LOWER] * 4, matched).endswith(verdict)


def test_what_chance_alone_would_give_is_not_called_clear():
    few = differences({("q", "knn"): [LOWER] * 4, ("q", "matched"): [UNCLEAR] * 4})
    table = pd.concat([few] * 10)
    one = (table["against"] == "matched") & (table["layer"] == 1) & (table["n_neighbors"] == 5)
    first = one.to_numpy().nonzero()[0][:2]  # 2 of 40: no more than 5 %
    table = table.reset_index(drop=True)
    table.loc[first, ["low", "high"]] = -0.3, -0.1
    assert "clearly lower in 2, clearly higher in 0: nothing clear" in comparison_answer(table, 9).data


def errors(q, error):
    table = pd.DataFrame(
        [
            (layer, k, graph, value + 0.1 * (k == 100) + (layer == 0))
            for layer in (0, 1, 2)
            for k in (5, 100)
            for graph, value in (("nnk", 0.1), ("knn", 0.25), ("matched", 0.2))
        ],
        columns=["layer", "n_neighbors", "graph", "error"],
    )
    return error_answer(
        table,
        differences(
            {
                ("q", "matched"): [q] * 4,
                ("error", "matched"): [error] * 4,
                ("error", "knn"): [LOWER, LOWER, HIGHER, UNCLEAR],
            }
        ),
    ).data


def test_errors_are_quoted_for_the_smallest_and_the_largest_k():
    text = errors(LOWER, LOWER)
    assert "at k = 5 and 100, mean of the layers: NNK 10.0 % and 20.0 %; k-NN 25.0 % and " in text
    assert (
        "k-NN: clearly lower in 2, clearly higher in 1, of 4 pairs; against k-NN as sparse as "
        "NNK: clearly lower in 4, clearly higher in 0." in text
    )


@pytest.mark.parametrize(
    ("q", "error", "clash"),
    [(HIGHER, LOWER, True), (LOWER, HIGHER, True), (LOWER, LOWER, False), (UNCLEAR, LOWER, False)],
)
def test_it_is_said_if_the_two_measures_disagree(q, error, clash):
    assert ("disagree on which graph is better" in errors(q, error)) == clash


def gaps(*rows):
    columns = ["layer", "n_neighbors", "edges", "edge_weight", "share"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(raw=table["edges"] * table["edge_weight"] * table["share"])


def test_the_gap_is_shared_out_on_a_log_scale():
    table = gaps((0, 5, 9, 9, 9), (1, 5, 2, 4, 2), (2, 5, 8, 1, 2), (1, 9, 2, 2, 0.5))
    text = gap_answer(table).data
    assert "NNK is below k-NN in 3 of 3 pairs of layer and k" in text
    assert "16 times at k = 5 (4.00 by more edges, 2.00 by heavier ones, 2.00 by labels)" in text
    assert "; 2 times at k = 9 (2.00 by more edges, 2.00 by heavier ones, 0.50 by labels)" in text
    assert "75.0 % to 200.0 % of the gap is edge weight" in text
    assert "(50.0 % to 100.0 % the number of edges alone)" in text


def test_no_gap_is_said_to_be_none():
    message = "The raw form of k-NN is not above that of NNK at any k: there is no gap."
    assert gap_answer(gaps((1, 5, 1, 0.5, 1))).data == message
    assert gap_answer(gaps((0, 5, 2, 2, 2))).data == message
    assert "75.0 % of the gap is edge" in gap_answer(gaps((1, 5, 2, 4, 2))).data


def supports(kept, smallest=11, ridge=3):
    rows = [
        (layer, k, "nnk", number if layer else 99, ridge if k == max(kept) else 0)
        for layer in (0, 1, 2)
        for k, number in kept.items()
    ]
    table = pd.DataFrame(rows, columns=["layer", "n_neighbors", "graph", "neighbours", "ridge"])
    return support_answer(table.assign(clips=24, smallest_class=smallest)).data


@pytest.mark.parametrize(
    ("kept", "word"),
    [
        ({5: 4, 10: 6, 20: 6.3}, "5.0 %, k-NN's by 100.0 %: it saturates."),
        ({5: 3, 10: 5, 20: 7.5}, "50.0 %, k-NN's by 100.0 %: it slows, but has not saturated."),
        ({5: 4, 10: 6, 20: 10}, "66.7 %, k-NN's by 100.0 %: it shows no sign of saturating."),
    ],
)
def test_saturation_is_judged_by_growth(kept, word):
    text = supports(kept)
    numbers = [f"{number:.1f}" for number in kept.values()]
    assert f"Of 5, 10 and 20 candidates NNK keeps {numbers[0]}, {numbers[1]} and " in text
    assert f"From k = 10 to 20 NNK's number grows by {word}" in text


def test_k_beyond_the_class_and_the_ridge_are_said():
    text = supports({5: 4, 10: 6, 20: 7})
    assert "At k = 20, 12.5 % of the candidate sets have a kernel that is not positive" in text
    assert "A clip has 10 others of its class: at k = 20, k-NN must take at least 50.0 % of" in text
    assert "others of its class" not in supports({5: 4, 10: 6})
    assert "grows" not in supports({5: 4})


def test_symmetrisations_are_listed_with_the_order_that_they_give():
    rows = [
        (layer, graph, name, q + (layer == 0), isolated)
        for layer in (0, 1)
        for name, nnk, knn, isolated in (("max", 0.2, 0.3, 0), ("author", 0.4, 0.1, 7), ("none", 0.1, 0.2, 0))
        for graph, q in (("nnk", nnk), ("knn", knn))
    ]
    table = pd.DataFrame(rows, columns=["layer", "graph", "symmetrise", "q", "isolated"])
    text = symmetrisation_answer(table).data
    assert "`max` 0.200 and 0.300; `author` 0.400 and 0.100; `none` 0.100 and 0.200." in text
    assert "That NNK is lower holds by max and none, and does not hold by author." in text
    assert "`author` leaves up to 7 clips" in text
