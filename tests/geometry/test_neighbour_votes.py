"""Votes by hand and by loop, and ties that favour nobody."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from analysis_lib.errors import DataError, UserError
from analysis_lib.geometry.neighbour_votes import class_means, vote_errors


def random_graph(rng, n=20):
    """Return directed weights without loops, some of them zero."""
    return np.where(rng.random((n, n)) < 0.3, rng.random((n, n)), 0) * (1 - np.eye(n))


def error_by_loop(graph, labels, i):
    votes = dict.fromkeys(labels.tolist(), 0.0)
    for j, weight in enumerate(graph[i]):
        votes[int(labels[j])] += weight
    winners = [c for c, total in votes.items() if total == max(votes.values())]
    return 1 - (labels[i] in winners) / len(winners)


def test_errors_are_those_of_a_loop_over_neighbours(rng):
    graph, labels = random_graph(rng), rng.integers(0, 3, 20)
    expected = [error_by_loop(graph, labels, i) for i in range(20)]
    assert vote_errors(sparse.csr_array(graph), labels) == pytest.approx(expected)
    assert 0 < np.mean(expected) < 1


def test_weight_decides_and_not_the_number_of_neighbours():
    graph = np.zeros((4, 4))
    graph[0] = [0, 3, 1, 1]
    assert vote_errors(graph, np.array([7, 7, 2, 2]))[0] == 0


def test_ties_share_the_guess_and_a_lonely_clip_guesses_at_random():
    graph = np.zeros((3, 3))
    graph[0] = [0, 0.3, 0.1 + 0.2]  # equal but for rounding
    assert vote_errors(graph, np.array([0, 0, 1])).tolist() == [0.5, 0.5, 0.5]


@given(st.permutations(range(4)), st.integers(0, 1000))
def test_the_numbering_of_classes_does_not_matter(order, seed):
    rng = np.random.default_rng(seed)
    graph = rng.integers(0, 3, (12, 12)) * (1 - np.eye(12))  # small integers: many ties
    labels = np.repeat(range(4), 3)
    assert vote_errors(graph, np.array(order)[labels]).tolist() == vote_errors(graph, labels).tolist()


@pytest.mark.parametrize(
    ("graph", "labels", "message"),
    [
        (np.eye(2), [0, 1], "clip 0 is its own neighbour and would vote for itself; drop the loop"),
        (np.zeros((2, 2)), [0, 1, 1], "3 labels for a graph of shape (2, 2); give one a clip"),
        (np.array([[0, -1.0], [0, 0]]), [0, 1], "the graph's weights must be finite and not negative"),
        (np.array([[0, np.nan], [0, 0]]), [0, 1], "the graph's weights must be finite and not negative"),
    ],
)
def test_what_is_no_graph_of_neighbours_is_refused(graph, labels, message):
    with pytest.raises(UserError) as error:
        vote_errors(graph, np.array(labels))
    assert str(error.value) == message
    assert isinstance(error.value, DataError) == message.startswith("the graph's")


def test_class_means_by_hand(rng):
    values, labels = rng.random(30), np.repeat([3, 9], [10, 20])
    assert class_means(values, labels) == pytest.approx([values[:10].mean(), values[10:].mean()])
