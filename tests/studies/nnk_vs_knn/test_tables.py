"""NNK beside k-NN: every number again by another route, and the laws that tie the tables."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from analysis_lib.errors import UserError
from analysis_lib.geometry.embeddings import Embeddings
from analysis_lib.geometry.graphs import knn_graph, nnk_graph, similarity_kernel
from analysis_lib.geometry.neighbour_votes import vote_errors
from analysis_lib.geometry.smoothness import label_smoothness
from analysis_lib.studies.nnk_vs_knn.tables import (
    check_candidates,
    comparison_table,
    difference_table,
    gain_table,
    gap_table,
    layer_distances,
    read_graphs,
    symmetrisation_table,
)
from analysis_lib.warping.distances import windowed_dtw
from analysis_lib.warping.options import Warping

LABELS = np.repeat([0, 1, 2], 8)


def distance(points):
    """Return distances of clips that are points of the plane, near ones similar."""
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
    return 1 - np.exp(-(apart**2) / 2)


@pytest.fixture
def layers(rng):
    """One layer that mixes the classes, one that parts them halfway."""
    noise = rng.normal(size=(2, len(LABELS), 2))
    return {"input": distance(noise[0]), "deep": distance(noise[1] + 1.2 * np.eye(3)[LABELS][:, :2])}


@pytest.fixture
def readings(layers):
    return read_graphs(layers, LABELS, (3, 10), n_bootstrap=100)


def share_by_loop(graph):
    """Return the mean of the classes of the share of weight that leaves them."""
    dense, shares = graph.toarray(), []
    for c in range(3):
        leaving = sum(dense[i, j] for i in range(24) for j in range(24) if LABELS[i] == c != LABELS[j])
        shares.append(leaving / dense[c == LABELS].sum())
    return np.mean(shares)


@pytest.mark.parametrize(("name", "build"), [("nnk", nnk_graph), ("knn", knn_graph)])
def test_a_row_says_what_its_graph_says(layers, readings, name, build):
    table = comparison_table(readings).set_index(["layer", "n_neighbors", "graph"])
    assert len(table) == 2 * 2 * 3
    for i, k in ((0, 3), (1, 10)):
        row = table.loc[(i, k, name)]
        kernel = similarity_kernel([*layers.values()][i])
        graph, diagnostics = build(kernel, k)
        leaving = graph.toarray() * (LABELS[:, None] != LABELS)
        assert row["q"] == pytest.approx(share_by_loop(graph))
        assert row["error"] == vote_errors(build(kernel, k, "none")[0], LABELS).mean()
        assert row["raw"] == pytest.approx(leaving.sum() / 3)
        assert row["weight"] == pytest.approx(np.triu(graph.toarray()).sum())
        assert row["edges"] == np.count_nonzero(np.triu(graph.toarray()))
        assert row["neighbours"] == diagnostics.mean_neighbours
        assert (row["clips"], row["smallest_class"]) == (24, 8)
        assert row["chance"] == pytest.approx(2 / 3)
        assert 0 <= row["q_low"] < row["q_high"] <= 1
        assert 0 <= row["error_low"] < row["error_high"] <= 1


def test_the_matched_graph_has_as_many_neighbours_as_nnk_on_average(readings):
    table = comparison_table(readings).set_index(["layer", "n_neighbors", "graph"])["neighbours"]
    for place in ((0, 3), (0, 10), (1, 3), (1, 10)):
        assert table[(*place, "matched")] == round(table[(*place, "nnk")])
    assert table[0, 10, "nnk"] < 6 < 10 == table[0, 10, "knn"]


def test_by_people_each_graph_is_built_anew_without_one_of_them(layers):
    people = np.tile([0, 1, 2, 3], 6)
    for reading in read_graphs(layers, LABELS, [4], n_bootstrap=20_000, people=people):
        kernel, build = similarity_kernel(layers[reading.place["layer_name"]]), nnk_graph
        if reading.graph != "nnk":
            build = knn_graph
        width = 4 if reading.graph != "matched" else round(reading.counts["neighbours"])
        without = {"q": [], "error": [], "neighbours": []}
        for who in range(4):
            kept = np.flatnonzero(people != who)
            part, labels = kernel[np.ix_(kept, kept)], LABELS[kept]
            own = build(part, width, "none")[0]
            without["q"].append(label_smoothness(build(part, width)[0], labels))
            of_clips = {"error": vote_errors(own, labels), "neighbours": (own.toarray() > 0).sum(axis=1)}
            for measure, values in of_clips.items():
                without[measure].append([values[labels == c].mean() for c in range(3)])
        for measure, found in without.items():
            error = np.sqrt(3 / 4 * ((found - np.mean(found, axis=0)) ** 2).sum(axis=0))
            low, high = np.quantile(reading.replicates[measure], [0.025, 0.975], axis=0)
            np.testing.assert_allclose((high - low) / 2, t.ppf(0.975, 3) * error, rtol=0.08, atol=1e-12)


def test_with_one_candidate_all_graphs_are_one_and_pairing_leaves_no_difference(layers):
    """One candidate gets its similarity as weight from NNK too; unpaired draws would differ."""
    table = difference_table(read_graphs(layers, LABELS, [1], n_bootstrap=50))
    assert len(table) == 2 * 1 * 2 * 2
    assert np.abs(table[["difference", "low", "high"]]).to_numpy().max() < 1e-12


def test_differences_are_those_of_the_table_with_quantiles_of_paired_replicates(readings):
    table = comparison_table(readings).set_index(["layer", "n_neighbors", "graph"])
    found = {(r.place["layer"], r.place["n_neighbors"], r.graph): r.replicates for r in readings}
    differences = difference_table(readings)
    assert len(differences) == 2 * 2 * 2 * 2
    for row in differences.itertuples():
        place = (row.layer, row.n_neighbors)
        expected = table.loc[(*place, "nnk"), row.measure] - table.loc[(*place, row.against), row.measure]
        assert row.difference == pytest.approx(expected)
        paired = found[*place, "nnk"][row.measure] - found[*place, row.against][row.measure]
        assert (row.low, row.high) == pytest.approx(tuple(np.quantile(paired.mean(axis=1), [0.025, 0.975])))


def test_all_layers_are_resampled_alike_and_the_seed_decides(layers):
    first, again, other = (
        comparison_table(read_graphs(layers, LABELS, [4], n_bootstrap=30, seed=seed)) for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(first, again)
    assert (first["q"] == other["q"]).all()
    assert (first["q_low"] != other["q_low"]).any()


def test_the_numbering_of_classes_does_not_matter(layers):
    one, other = (
        comparison_table(read_graphs(layers, labels, [5], n_bootstrap=2)) for labels in (LABELS, 7 - 3 * LABELS)
    )
    columns = ["q", "error", "raw", "weight"]
    np.testing.assert_allclose(one[columns], other[columns])


def test_the_factors_of_the_gap_make_up_the_ratio(readings):
    table = comparison_table(readings)
    gap = gap_table(table)
    assert len(gap) == 4
    np.testing.assert_allclose(gap["edges"] * gap["edge_weight"] * gap["share"], gap["raw"])
    wide = table.set_index(["layer", "n_neighbors", "graph"])
    row = gap.set_index(["layer", "n_neighbors"]).loc[(1, 10)]
    nnk, knn = (wide.loc[(1, 10, name)] for name in ("nnk", "knn"))
    assert row["raw"] == knn["raw"] / nnk["raw"]
    assert row["edges"] == knn["edges"] / nnk["edges"]
    # with classes of one size, the share is the normalised form with every edge counted once
    assert row["share"] == pytest.approx((knn["raw"] / knn["weight"]) / (nnk["raw"] / nnk["weight"]))


def test_graphs_that_keep_their_classes_have_no_ratio():
    rows = [
        {"layer": 1, "n_neighbors": 5, "graph": g, "raw": raw, "weight": 2.0, "edges": 4}
        for g, raw in (("nnk", 0.0), ("knn", 1.0))
    ]
    assert gap_table(pd.DataFrame(rows)).empty


def test_symmetrisations_agree_with_the_comparison_and_with_the_directed_graph(layers, readings):
    table = symmetrisation_table(layers, LABELS, 10).set_index(["layer", "graph", "symmetrise"])
    assert len(table) == 2 * 2 * 4
    main = comparison_table(readings).set_index(["layer", "graph", "n_neighbors"])
    for name in ("nnk", "knn"):
        assert table.loc[(1, name, "max"), "q"] == pytest.approx(main.loc[(1, name, 10), "q"])
        assert table.loc[(1, name, "max"), "edges"] == main.loc[(1, name, 10), "edges"]
        assert table.loc[(1, name, "none"), "error"] == main.loc[(1, name, 10), "error"]
        assert table.loc[(1, name, "author"), "edges"] < table.loc[(1, name, "max"), "edges"]
    directed = knn_graph(similarity_kernel(layers["deep"]), 10, "none")[0].toarray()
    own = [directed[i, LABELS[i] == LABELS].sum() / directed[i].sum() for i in range(24)]
    assert table.loc[(1, "knn", "none"), "q"] == pytest.approx(1 - np.mean(own))


@pytest.mark.parametrize("counts", [[24], [5, 100]])
def test_more_candidates_than_other_clips_are_refused(layers, counts):
    message = rf"n_neighbors asks for {counts[-1]} neighbours, but a clip has only 23 others; take smaller"
    for refused in (
        lambda: check_candidates(24, counts),
        lambda: read_graphs(layers, LABELS, counts),
        lambda: symmetrisation_table(layers, LABELS, counts[-1]),
    ):
        with pytest.raises(UserError, match=message):
            refused()


def test_the_smallest_candidate_set_counts_and_its_layer_and_clip_are_named(layers):
    deep = layers["deep"].copy()
    deep[17, :20] = deep[:20, 17] = 1  # no similarity to 19 others
    deep[17, 17] = 0
    few = layers | {"deep": deep}
    assert len(read_graphs(few, LABELS, [4], n_bootstrap=2)) == 6
    with pytest.raises(UserError, match=r"clip 17 has only 4 others .* at layer 1 \(deep\)"):
        read_graphs(few, LABELS, [5])


@pytest.mark.parametrize("counts", [[], [0], [3, -1]])
def test_a_number_of_neighbours_is_needed(counts):
    with pytest.raises(UserError, match=r"need numbers of neighbours from 1, got n_neighbors = \["):
        check_candidates(24, counts)


def test_distances_have_the_names_of_layers_in_order(rng):
    features = rng.normal(size=(2, 4, 6, 3)).astype("float32")
    found = layer_distances(Embeddings(("input", "first"), tuple(features), (np.full(4, 6),) * 2), Warping(n_windows=2))
    assert list(found) == ["input", "first"]
    np.testing.assert_array_equal(found["first"], windowed_dtw(features[1], np.full(4, 6), Warping(n_windows=2)))


def test_gains_beside_untrained_draws(layers, rng):
    """By another route: plain graphs of the trained layers and of two draws, at the number next to the one asked."""
    draws = [{name: distance(rng.normal(size=(len(LABELS), 2))) for name in layers} for _ in range(2)]
    readings = read_graphs(layers, LABELS, (3, 10), n_bootstrap=100)
    table = gain_table(readings, draws, LABELS, 8, n_bootstrap=100)
    assert set(table["n_neighbors"]) == {10}

    def gap(distances, what):
        kernel = similarity_kernel(distances["deep"])
        own = [build(kernel, 10, "none")[0] for build in (nnk_graph, knn_graph)]
        both = [build(kernel, 10)[0] for build in (nnk_graph, knn_graph)]
        read = {
            "q": share_by_loop,
            "error": lambda g: vote_errors(g, LABELS).mean(),
            "neighbours": lambda g: g.nnz / 24,
        }
        nnk, knn = map(read[what], both if what == "q" else own)
        return nnk - knn

    for what in ("q", "error", "neighbours"):
        row = table[(table["against"] == "knn") & (table["measure"] == what) & (table["layer"] == 1)].iloc[0]
        twin = np.mean([gap(draw, what) for draw in draws])
        assert row["trained"] == pytest.approx(gap(layers, what))
        assert row["untrained"] == pytest.approx(twin)
        assert row["difference"] == pytest.approx(gap(layers, what) - twin)
        assert row["all_low"] <= row["difference"] <= row["all_high"]
        assert np.isnan(row["seeds_low"])
    alike = gain_table(readings, draws[:1], LABELS, 8, n_bootstrap=100, seeds=draws[1:])
    row = alike.query("against == 'knn' and measure == 'q' and layer == 1").iloc[0]
    assert sorted([gap(layers, "q"), gap(draws[1], "q")]) == pytest.approx([row["seeds_low"], row["seeds_high"]])
    assert not len(gain_table(readings, [], LABELS, 8))


def test_a_draw_that_shows_what_the_network_shows_gains_as_much(layers, readings):
    table = gain_table(readings, [layers], LABELS, 3, n_bootstrap=100)
    assert set(table["n_neighbors"]) == {3}
    assert (table[["difference", "low", "high"]] == 0).all(axis=None)  # the same clips are drawn for both


def test_draws_with_few_similar_clips_have_fewer_candidates(layers, readings):
    far = {name: np.where(np.arange(24)[:, None] // 6 == np.arange(24) // 6, d, 1.0) for name, d in layers.items()}
    assert set(gain_table(readings, [far], LABELS, 10, n_bootstrap=100)["n_neighbors"]) == {3}
