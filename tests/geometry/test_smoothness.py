"""Label smoothness: three-node graphs by hand, sums over edges, laws, and the bootstrap."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from analysis_lib.errors import DataError, UserError
from analysis_lib.geometry.smoothness import (
    class_smoothness,
    directed_smoothness,
    group_means,
    label_smoothness,
    laplacian,
    quadratic_form,
    resampled_smoothness,
    smoothness_interval,
)
from analysis_lib.statistics.intervals import times_drawn

PATH = np.array([[0, 2, 0], [2, 0, 3], [0, 3, 0.0]])  # 0 -2- 1 -3- 2
seeds = st.integers(0, 10_000)


def random_graph(seed, n=14, density=0.4, n_classes=3):
    rng = np.random.default_rng(seed)
    graph = np.triu(rng.random((n, n)) * (rng.random((n, n)) < density), 1)
    graph[np.arange(n - 1), np.arange(1, n)] += 0.1  # no clip is isolated
    labels = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, n - n_classes)])
    return graph + graph.T, rng.permutation(labels)


def test_path_graph_by_hand():
    assert laplacian(PATH).toarray().tolist() == [[2, -2, 0], [-2, 5, -3], [0, -3, 3]]
    labels = np.array([0, 0, 1])
    assert quadratic_form(PATH, labels).tolist() == [3, 3]
    np.testing.assert_allclose(label_smoothness(PATH, labels), [3 / 7, 1])


def test_self_loops_are_left_out():
    looped = PATH + np.diag([9, 9, 9])
    np.testing.assert_array_equal(laplacian(looped).toarray(), laplacian(PATH).toarray())
    labels = np.array([0, 0, 1])
    np.testing.assert_array_equal(directed_smoothness(looped, labels), directed_smoothness(PATH, labels))


@settings(deadline=None, max_examples=30)
@given(seed=seeds)
def test_equals_the_sum_over_edges(seed):
    graph, labels = random_graph(seed)
    forms, shares = quadratic_form(graph, labels), label_smoothness(graph, labels)
    for c, (raw, share) in enumerate(zip(forms, shares, strict=True)):
        leaving = sum(
            graph[i, j] for i, j in product(range(14), repeat=2) if i < j and (labels[i] == c) != (labels[j] == c)
        )
        assert raw == pytest.approx(leaving)
        assert share == pytest.approx(leaving / graph[labels == c].sum())


@settings(deadline=None, max_examples=30)
@given(seed=seeds, scale=st.floats(0.01, 100))
def test_laws(seed, scale):
    graph, labels = random_graph(seed)
    shares = label_smoothness(graph, labels)
    assert (shares >= 0).all()
    assert (shares <= 1).all()
    np.testing.assert_allclose(label_smoothness(scale * graph, labels), shares)
    # the numbering of classes does not matter, only their order follows it
    renamed = np.array([70, -3, 12])[labels]
    np.testing.assert_allclose(label_smoothness(graph, renamed), shares[[1, 2, 0]])
    # the order of clips does not matter
    order = np.random.default_rng(seed).permutation(14)
    np.testing.assert_allclose(label_smoothness(graph[np.ix_(order, order)], labels[order]), shares)


@settings(deadline=None, max_examples=20)
@given(seed=seeds, measure=st.sampled_from([quadratic_form, label_smoothness]))
def test_constant_labels_give_zero(seed, measure):
    graph, _ = random_graph(seed)
    assert measure(graph, np.full(14, 5)) == pytest.approx(0, abs=1e-12)


def test_random_labels_come_out_at_chance(rng):
    graph, _ = random_graph(11, n=300, density=0.2)
    table = class_smoothness(graph, rng.permutation(np.repeat([0, 1, 2], [150, 100, 50])))
    np.testing.assert_allclose(table["chance"], [0.5, 2 / 3, 5 / 6])
    np.testing.assert_allclose(table["normalised"], table["chance"], atol=0.02)


def test_directed_by_hand():
    graph = sparse.csr_array(np.array([[0, 3, 1], [2, 0, 0], [0, 5, 0.0]]))
    # shares outside the own class: 1/4, 0 | 1
    assert directed_smoothness(graph, np.array([4, 4, 9])).tolist() == [0.125, 1]


@settings(deadline=None, max_examples=20)
@given(seed=seeds)
def test_the_directed_twin_equals_the_share_where_all_degrees_are_equal(seed):
    rng = np.random.default_rng(seed)
    steps = rng.random(6)
    gaps = np.abs(np.subtract.outer(np.arange(12), np.arange(12)))
    circulant = np.r_[0, steps][np.minimum(gaps, 12 - gaps)]
    labels = rng.permutation(np.repeat([0, 1, 2], 4))
    np.testing.assert_allclose(directed_smoothness(circulant, labels), label_smoothness(circulant, labels))


def test_super_classes_are_unweighted_means():
    names, means = group_means(np.array([[0.0, 1.0, 0.5], [1, 1, 0]]), ["b", "a", "b"])
    assert names == ("a", "b")
    assert means.tolist() == [[1, 0.25], [1, 0.5]]


def test_table_of_classes():
    table = class_smoothness(PATH, np.array([8, 8, 2]), groups=["upper", "lower"])
    pd.testing.assert_frame_equal(
        table,
        pd.DataFrame(
            {
                "class": [2, 8],
                "group": ["upper", "lower"],
                "clips": [1, 2],
                "raw": [3.0, 3.0],
                "per_clip": [3.0, 1.5],
                "normalised": [1.0, 3 / 7],
                "chance": [2 / 3, 1 / 3],
            }
        ),
    )


def test_bootstrap_equals_a_sum_over_the_drawn_clips():
    graph, labels = random_graph(3)
    q, found = resampled_smoothness(graph, labels, 8, seed=7)
    assert q.tolist() == label_smoothness(graph, labels).tolist()
    sizes, wanted = np.bincount(labels), np.full((8, 3), np.nan)
    for replicate, drawn in enumerate(times_drawn(labels, 8, np.random.default_rng(7))):
        clips = np.repeat(np.arange(14), drawn)
        for c in range(3):
            inside = outside = 0.0
            for a, b in product(clips, repeat=2):
                if labels[a] == c:
                    inside += graph[a, b] * (labels[b] == c)
                    outside += graph[a, b] * (labels[b] != c)
            inside *= sizes[c] / (sizes[c] - 1)
            if outside + inside:
                wanted[replicate, c] = outside / (outside + inside)
    np.testing.assert_allclose(found, wanted - np.nanmean(wanted, axis=0) + q)


def test_bootstrap_centres_on_the_sample_and_its_interval_shrinks_with_it():
    widths = []
    for n in (40, 360):
        rng = np.random.default_rng(1)
        labels = np.repeat([0, 1], n // 2)
        close = np.where(labels[:, None] == labels, 0.5, 0.2)
        graph = np.triu(rng.random((n, n)) < close, 1).astype(float)
        graph += graph.T
        point, replicates = resampled_smoothness(graph, labels, 400)
        np.testing.assert_allclose(np.median(replicates, axis=0), point, atol=0.01)
        low, high = smoothness_interval(replicates)
        assert ((low < point) & (point < high)).all()
        widths.append((high - low).mean())
    assert widths[1] < widths[0] / 2


def test_bootstrap_follows_the_seed_and_accepts_classes_of_one_clip():
    labels, graph = np.array([0, 0, 1]), np.ones((3, 3))
    one, two, other = (resampled_smoothness(graph, labels, 30, s)[1] for s in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)
    assert (one[:, 1] == 1).all()


def test_intervals_leave_undefined_replicates_out():
    replicates = np.array([[0.0, 1.0], [0.4, 0.8], [np.nan, 0.6]])
    low, high = smoothness_interval(replicates)
    np.testing.assert_allclose(low, [0.01, 0.61])
    np.testing.assert_allclose(high, [0.39, 0.99])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: laplacian(np.triu(PATH)), UserError, "graph is directed; build it with symmetrise="),
        (lambda: laplacian(-PATH), DataError, "finite and not negative"),
        (lambda: laplacian(np.full((2, 2), np.nan)), DataError, "finite and not negative"),
        (lambda: laplacian(np.ones((2, 3))), UserError, r"square matrix, got shape \(2, 3\)"),
        (lambda: label_smoothness(PATH, np.zeros(2)), UserError, r"3 in all, got shape \(2,\)"),
        (
            lambda: label_smoothness(np.diag([0, 1.0]), np.array([4, 6])),
            UserError,
            "class 4 has no edge, so that its share is not defined; take more neighbours",
        ),
        (lambda: directed_smoothness(np.triu(PATH), np.zeros(3)), UserError, "clip 2 has no neighbour"),
        (lambda: group_means(np.ones(3), ["a"]), UserError, "1 groups for 3 classes; give one a class"),
        (lambda: class_smoothness(PATH, np.array([0, 0, 1]), ["a"]), UserError, "1 groups for 2 classes"),
        (lambda: resampled_smoothness(PATH, np.zeros(2)), UserError, r"3 in all, got shape \(2,\)"),
        (lambda: resampled_smoothness(PATH, np.zeros(3), 0), UserError, "3 clips and 0 replicates"),
        (
            lambda: smoothness_interval(np.array([[np.nan, 0.1], [np.nan, 0.2], [0.1, np.nan]])),
            UserError,
            "a class has no edge in 2 of 3 replicates; sample more clips",
        ),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
