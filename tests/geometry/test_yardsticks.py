"""Other yardsticks of a layer: by hand, against independent routes, by their laws, and what they refuse."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from analysis_lib.errors import UserError
from analysis_lib.geometry.intrinsic_dimension import two_nn_dimension
from analysis_lib.geometry.kernel_alignment import kernel_alignment
from analysis_lib.geometry.neighbour_votes import label_overlap
from analysis_lib.geometry.neural_collapse import within_class_collapse
from analysis_lib.geometry.probes import probe_errors


def apart(x):
    return np.linalg.norm(x[:, None] - x, axis=-1)


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_the_dimension_of_a_torus_is_found_however_many_coordinates_it_has(rng, dimension):
    angles = 2 * np.pi * rng.random((1500, dimension))  # no edges, which would lower it
    x = np.concatenate([np.cos(angles), np.sin(angles), np.zeros((1500, 4))], axis=1)
    assert two_nn_dimension(apart(x)) == pytest.approx(dimension, rel=0.08)


def test_the_dimension_by_a_loop_and_a_fitted_line(rng):
    distances = apart(rng.normal(size=(60, 3)))
    ratios = []
    for i in range(60):
        first, second = sorted(distances[i, j] for j in range(60) if j != i)[:2]
        ratios.append(second / first)
    x, y = np.log(sorted(ratios)[:54]), -np.log(1 - np.arange(1, 55) / 60)
    slope = np.linalg.lstsq(x[:, None], y, rcond=None)[0].item()
    assert two_nn_dimension(distances) == pytest.approx(slope)
    assert two_nn_dimension(np.sqrt(distances)) == pytest.approx(
        2 * slope
    )  # of half a length it would be twice as many


def collapse_by_the_formula(x, labels):
    means = np.stack([x[labels == c].mean(axis=0) for c in np.unique(labels)])
    between = sum(np.outer(m, m) for m in means - means.mean(axis=0)) / len(means)
    gaps = x - means[np.searchsorted(np.unique(labels), labels)]
    return np.trace(gaps.T @ gaps / len(x) @ np.linalg.pinv(between)) / len(means)


@pytest.mark.parametrize("d", [2, 5, 40])
def test_collapse_is_the_trace_of_its_definition(rng, d):
    labels = np.repeat([3, 5, 9, 11], [4, 6, 3, 5])
    x = rng.normal(size=(18, d)) + 2 * rng.normal(size=(12, d))[labels]
    assert within_class_collapse(x, labels) == pytest.approx(collapse_by_the_formula(x, labels), rel=1e-6)


def test_collapse_does_not_depend_on_scale_turn_or_numbering(rng):
    labels, x = np.repeat([0, 1, 2], 5), rng.normal(size=(15, 6))
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    expected = within_class_collapse(x, labels)
    assert within_class_collapse(3 * x @ turn + 7, 5 - labels) == pytest.approx(expected)
    means = np.stack([x[labels == c].mean(axis=0) for c in range(3)])[labels]
    assert within_class_collapse(means + 0.1 * (x - means), labels) == pytest.approx(0.01 * expected)
    assert within_class_collapse(means, labels) == pytest.approx(0, abs=1e-20)


def hsic_by_loops(a, b):
    """Return the mean over all quadruples of different clips of A_ij (B_ij + B_qr - 2 B_iq)."""
    n, total = len(a), 0.0
    quadruples = [q for q in product(range(n), repeat=4) if len(set(q)) == 4]
    for i, j, q, r in quadruples:
        total += a[i, j] * (b[i, j] + b[q, r] - 2 * b[i, q])
    return total / len(quadruples)


def test_alignment_is_the_mean_over_quadruples_of_clips(rng):
    x, y = rng.normal(size=(7, 3)), rng.normal(size=(7, 2))
    a, b = x @ x.T, (x[:, :2] + y) @ (x[:, :2] + y).T
    expected = hsic_by_loops(a, b) / np.sqrt(hsic_by_loops(a, a) * hsic_by_loops(b, b))
    assert kernel_alignment(a, b) == pytest.approx(expected)


def test_alignment_is_blind_to_turns_scales_and_means_and_not_to_dimensions(rng):
    x = rng.normal(size=(40, 5))
    k = x @ x.T
    y = 3 * x @ np.linalg.qr(rng.normal(size=(5, 5)))[0] + rng.normal(size=5)
    assert kernel_alignment(k, y @ y.T) == pytest.approx(1)
    unrelated = []
    for _ in range(10):
        z = rng.normal(size=(40, 2000))
        unrelated.append(kernel_alignment(k, z @ z.T))
    assert abs(np.mean(unrelated)) < 0.1  # the biased estimate would say 0.3


def test_overlap_counts_neighbours_whatever_their_weight():
    graph = sparse.csr_array([[0, 0.1, 5], [1, 0, 0], [0, 0, 0]])
    found = label_overlap(graph, np.array([4, 4, 7]))
    assert found[:2].tolist() == [0.5, 1]
    assert np.isnan(found[2])


@settings(max_examples=15)
@given(st.integers(0, 99))
def test_a_probe_reads_off_what_is_linear_of_people_it_never_saw(seed):
    rng = np.random.default_rng(seed)
    labels, people = np.tile([0, 1, 2], 12), np.repeat(range(4), 9)
    x = rng.normal(size=(36, 10))
    x[:, :3] += 8 * np.eye(3)[labels]
    assert probe_errors(x, labels, people).mean() <= 1 / 18
    leak = np.concatenate([x, 100 * np.eye(4)[people]], axis=1)  # who it is does not help
    assert probe_errors(leak, labels, people).mean() <= 1 / 18


def test_the_control_task_is_at_chance(rng):
    people, x = np.repeat(range(4), 30), rng.normal(size=(120, 200))
    labels = np.concatenate([rng.permutation(np.tile([0, 1, 2], 10)) for _ in range(4)])
    assert probe_errors(x, labels, people).mean() == pytest.approx(2 / 3, abs=0.12)


def test_no_probe_sees_the_fold_that_it_is_asked_about():
    x = np.array([[0.0], [1.0], [0.0], [1.0], [0.0], [1.0]])
    labels = np.array([0, 1, 0, 1, 1, 0])  # the third person does it the other way round
    assert probe_errors(x, labels, np.array([1, 1, 2, 2, 3, 3]))[4:].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: two_nn_dimension(np.zeros((5, 5))), "dimension of 5 clips cannot be told"),
        (lambda: two_nn_dimension(np.zeros((2, 2))), "dimension of 2 clips cannot be told"),
        (lambda: within_class_collapse(np.eye(3), np.zeros(3)), "two classes or more whose means differ"),
        (lambda: within_class_collapse(np.ones((4, 2)), np.array([0, 0, 1, 1])), "two classes or more"),
        (lambda: kernel_alignment(np.eye(4), np.eye(5)), r"got \(4, 4\) and \(5, 5\)"),
        (lambda: kernel_alignment(np.eye(3), np.eye(3)), "of four clips or more"),
        (lambda: kernel_alignment(np.ones((5, 5)), np.ones((5, 5))), "all clips are alike"),
        (lambda: probe_errors(np.eye(3), np.arange(3), np.zeros(3)), "without fold 0.0 a probe has no two classes"),
    ],
)
def test_errors(call, message):
    with pytest.raises(UserError, match=message):
        call()
