"""Theorem 1: its provable part as a law, operator norms against the SVD, ratios by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from torch import nn

from analysis_lib.errors import DataError, UserError
from analysis_lib.geometry.operator_norms import change_norm_correlation, data_smoothness, operator_norm
from analysis_lib.geometry.smoothness import laplacian

seeds = st.integers(0, 10_000)


def symmetric(rng, n):
    weights = rng.random((n, n)) * (rng.random((n, n)) < 0.5)
    np.fill_diagonal(weights, 0)
    return weights + weights.T


def test_data_smoothness_is_the_trace_of_the_quadratic_form(rng):
    graph, x = symmetric(rng, 12), rng.normal(size=(12, 3, 4))
    flat = x.reshape(12, 12)
    wanted = np.trace(flat.T @ laplacian(graph) @ flat)
    assert data_smoothness(sparse.csr_array(graph), x) == pytest.approx(wanted)
    assert data_smoothness(graph, x.astype(np.float32)) == pytest.approx(wanted, rel=1e-5)


def test_data_smoothness_in_several_passes_over_the_edges(rng):
    x = np.zeros((3, 2**23))  # one edge at a time
    x[1, 0], x[2, 1] = 1, 2
    graph = np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0.0]])
    assert data_smoothness(graph, x.astype(np.float32)) == 5


@settings(deadline=None, max_examples=50)
@given(seed=seeds, n=st.integers(2, 12), d_in=st.integers(1, 8), d_out=st.integers(1, 8))
def test_the_provable_part(seed, n, d_in, d_out):
    """Under ReLU: sum theta |dx_out|^2 <= |W|^2 sum theta |dx_in|^2 for any theta >= 0."""
    rng = np.random.default_rng(seed)
    matrix, theta = rng.normal(size=(d_out, d_in)), rng.random((n, n)) ** 4
    x_in = rng.normal(size=(n, d_in))
    x_out = np.maximum(x_in @ matrix.T, 0)
    norm = operator_norm(lambda x: torch.from_numpy(matrix) @ x, (d_in,), rng, dtype=torch.float64)
    bound = norm**2 * data_smoothness(theta, x_in)
    assert data_smoothness(theta, x_out) <= bound * (1 + 1e-6)


@settings(deadline=None, max_examples=25)
@given(seed=seeds, d_in=st.integers(1, 12), d_out=st.integers(1, 12))
def test_norm_of_a_matrix_is_its_largest_singular_value(seed, d_in, d_out):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(d_out, d_in))
    tensor = torch.from_numpy(matrix).float()
    found = operator_norm(lambda x: tensor @ x, (d_in,), rng)
    assert found == pytest.approx(np.linalg.norm(matrix, 2), rel=1e-4)


def test_norm_of_a_chain_of_convolution_graph_product_and_normalisation(rng):
    torch.manual_seed(0)
    convolution = nn.Conv2d(3, 4, (3, 1), (2, 1), padding=(1, 0))
    norm = nn.BatchNorm2d(4).eval()
    nn.init.uniform_(norm.weight)
    adjacency = torch.rand(5, 5)

    def affine(x):
        return norm(convolution(x @ adjacency))

    def linear(x):
        return affine(x) - affine(torch.zeros_like(x))

    shape = (1, 3, 6, 5)
    dense = torch.autograd.functional.jacobian(linear, torch.zeros(shape)).reshape(-1, 90)
    found = operator_norm(linear, shape, rng)
    assert found == pytest.approx(float(torch.linalg.matrix_norm(dense, 2)), rel=1e-4)
    assert convolution.weight.grad is None


def test_norms_that_are_known(rng):
    assert operator_norm(lambda x: -3 * x, (2, 5), rng) == pytest.approx(3, rel=1e-4)
    assert operator_norm(lambda x: 0 * x, (4,), rng) == 0
    assert operator_norm(lambda x: x.sum().expand(9), (1,), rng) == pytest.approx(3, rel=1e-5)
    assert operator_norm(lambda x: x.sum(), (16,), rng) == pytest.approx(4, rel=1e-4)


def test_correlation_of_change_and_norm():
    ratios = [0.9, 1.3, 0.4]  # changes 0.1, 0.3, 0.6
    assert [change_norm_correlation(ratios, norms) for norms in ([1, 2, 5], [5, 2, 1], [2, 1, 3])] == [1, -1, 0.5]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda rng: data_smoothness(np.ones((2, 2)), np.ones((3, 1))),
            UserError,
            r"shape \(2, 2\) and embeddings of shape \(3, 1\) disagree",
        ),
        (lambda rng: data_smoothness(-np.ones((2, 2)), np.ones((2, 1))), DataError, "not negative"),
        (lambda rng: data_smoothness(np.ones((2, 2)), np.array([[1], [np.nan]])), DataError, "hold a NaN"),
        (
            lambda rng: operator_norm(torch.relu, (9,), rng),
            UserError,
            "not linear: leave activations out, put the network into evaluation mode, and subtract",
        ),
        (lambda rng: operator_norm(lambda x: x + 1, (9,), rng), UserError, "subtract its value at zero"),
        (lambda rng: operator_norm(lambda x: x.detach(), (9,), rng), UserError, "does not depend on its"),
        (lambda rng: operator_norm(lambda x: x * np.inf, (9,), rng), UserError, "NaN or infinite values"),
        (lambda rng: operator_norm(lambda x: x, (3, 0), rng), UserError, r"at least one entry.*\(3, 0\)"),
        (
            lambda rng: operator_norm(
                lambda x: x * torch.linspace(0.99, 1, 400, dtype=torch.float64),
                (400,),
                rng,
                n_iter=1,
                tol=1e-12,
                dtype=torch.float64,
            ),
            UserError,
            "did not converge in 1 iterations; raise n_iter or tol",
        ),
        (lambda rng: change_norm_correlation([1, 2], [1, 2]), UserError, "at least three layers, got 2"),
        (lambda rng: change_norm_correlation([1, 2, 3], [1, 1, 1]), UserError, "all norms, are equal"),
    ],
)
def test_errors(rng, call, error, message):
    with pytest.raises(error, match=message):
        call(rng)
