"""What can be checked of Theorem 1: how a layer changes the smoothness of data and of labels.

Provable, for any fixed non-negative weights and :math:`x_{out} = \\phi(W x_{in})` with slopes of
:math:`\\phi` up to :math:`\\beta` (1 for ReLU):

.. math:: \\sum w_{ij} \\|x^{out}_i - x^{out}_j\\|^2
          \\le \\beta^2 \\|W\\|_2^2 \\sum w_{ij} \\|x^{in}_i - x^{in}_j\\|^2

The theorem says the same of labels, and of graphs that change from layer to layer. That rests on
assumptions that can be measured but do not follow; the bound is one-sided, so that a fall of the
label smoothness is not implied by any norm.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from scipy import sparse
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh
from threadpoolctl import threadpool_limits
from torch import Tensor

from analysis_lib.errors import DataError, UserError
from analysis_lib.statistics.ranks import rank_correlation


def data_smoothness(graph: sparse.csr_array, embeddings: np.ndarray) -> float:
    r"""Return the weighted sum of squared distances over the edges of a graph.

    .. math:: \tfrac12 \sum_{ij} w_{ij} \|x_i - x_j\|^2 = \mathrm{tr}(X^\top L X)

    The equality holds for symmetric weights, of which each edge counts once.

    Parameters
    ----------
    graph : sparse array, shape (n, n)
        Non-negative weights.
    embeddings : float ndarray, shape (n, ...)
        One point a clip; further axes are flattened.

    Returns
    -------
    float

    Raises
    ------
    UserError, DataError
        If the shapes disagree, a weight is negative, or a value is not finite.

    References
    ----------
    Das, Shekkizhar & Ortega (2023), proof of Theorem 1.

    Examples
    --------
    >>> data_smoothness(np.array([[0.0, 2.0], [2.0, 0.0]]), np.array([[0.0, 0.0], [3.0, 4.0]]))
    50.0
    """
    graph = sparse.coo_array(graph)
    embeddings = np.asarray(embeddings)
    n = len(embeddings) if embeddings.ndim else 0
    if graph.shape != (n, n):
        raise UserError(
            f"a graph of shape {graph.shape} and embeddings of shape {embeddings.shape} disagree; "
            "one embedding a node is needed"
        )
    if not (np.isfinite(graph.data).all() and (graph.data >= 0).all()):
        raise DataError("the graph's weights must be finite and not negative")
    points, total = embeddings.reshape(n, -1), 0.0
    rows, columns = graph.coords
    step = max(1, 2**17 // max(1, points.shape[1]))  # edges at a time: 1 MiB of differences
    for part in (slice(i, i + step) for i in range(0, graph.nnz, step)):
        difference = points[rows[part]].astype(float) - points[columns[part]]
        total += graph.data[part] @ np.einsum("ed,ed->e", difference, difference)
    if not np.isfinite(total):
        raise DataError("the embeddings hold a NaN or infinity")
    return float(total / 2)


def operator_norm(
    linear: Callable[[Tensor], Tensor],
    shape: Sequence[int],
    rng: np.random.Generator,
    n_iter: int = 1000,
    tol: float = 1e-5,
    dtype: torch.dtype = torch.float32,
) -> float:
    r"""Return the spectral norm of a linear map that is given as a function of tensors.

    .. math:: \|A\|_2 = \sqrt{\lambda_{\max}(A^\top A)}

    :math:`A^\top` is the vector-Jacobian product of automatic differentiation, and the eigenvalue
    is found by Lanczos iteration, so that the matrix is never formed: any chain of convolutions,
    graph products and scalings will do.

    Parameters
    ----------
    linear : callable
        From a tensor of the given shape to any tensor. Networks in evaluation mode only; of an
        affine map f, give ``lambda x: f(x) - f(torch.zeros_like(x))``.
    shape : sequence of int
        Of the input.
    rng : numpy Generator
        For the start vector.
    n_iter : int
        Largest number of restarts.
    tol : float
        Relative accuracy of :math:`\lambda_{\max}`.
    dtype : torch.dtype
        Of the input.

    Returns
    -------
    float

    Raises
    ------
    UserError
        If the map is not linear, does not depend on its input, or the iteration does not converge.

    Examples
    --------
    >>> matrix = torch.tensor([[3.0, 0.0], [0.0, -4.0], [0.0, 0.0]])
    >>> round(operator_norm(lambda x: matrix @ x, (2,), np.random.default_rng(0)), 5)
    4.0
    """
    shape = tuple(int(s) for s in shape)
    size = int(np.prod(shape))
    if size < 1:
        raise UserError(f"the input needs at least one entry, got shape {shape}")

    def tensor(vector: np.ndarray) -> Tensor:
        return torch.from_numpy(np.asarray(vector, float).reshape(shape)).to(dtype)

    _check_linear(linear, tensor(rng.normal(size=size)), tensor(rng.normal(size=size)))

    def gram(vector: np.ndarray) -> np.ndarray:
        x = tensor(vector).requires_grad_()
        with torch.enable_grad():
            y = linear(x)
            if not y.requires_grad:
                raise UserError("the map's output does not depend on its input")
            (back,) = torch.autograd.grad(y, x, y.detach())
        return back.double().numpy().ravel()

    start = rng.normal(size=size)
    first = gram(start)
    if size == 1:
        return float(np.sqrt(first[0] / start[0]))
    if not first.any():
        return 0.0
    operator = LinearOperator((size, size), matvec=gram, dtype=float)
    try:
        with threadpool_limits(1, "blas"):  # ARPACK's threads would fight with torch's
            (largest,) = eigsh(operator, 1, v0=start, maxiter=n_iter, tol=tol, return_eigenvectors=False)
    except ArpackNoConvergence as error:
        raise UserError(
            f"the norm did not converge in {n_iter} iterations; raise n_iter or tol, or take dtype=torch.float64"
        ) from error
    return float(np.sqrt(max(largest, 0.0)))


@torch.no_grad()
def _check_linear(linear: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> None:
    """Raise UserError unless linear(2x - 3y) = 2 linear(x) - 3 linear(y), up to rounding."""
    together, apart = linear(2 * x - 3 * y), 2 * linear(x) - 3 * linear(y)
    scale = max(float(together.abs().max()), float(apart.abs().max()))
    if not np.isfinite(scale):
        raise UserError("the map gives NaN or infinite values")
    if float((together - apart).abs().max()) > 1e-3 * scale:
        raise UserError(
            "the map is not linear: leave activations out, put the network into evaluation mode, "
            "and subtract its value at zero if it has a bias"
        )


def change_norm_correlation(ratios: Sequence[float], norms: Sequence[float]) -> float:
    r"""Return the Spearman correlation of :math:`|1 - r_l|` with :math:`s_l` (remark 1).

    Parameters
    ----------
    ratios, norms : sequence of float, length L
        Of each layer: its smoothness out over in, and its spectral norm.

    Raises
    ------
    UserError
        If there are fewer than three layers, or one of the two is the same at all of them.

    Examples
    --------
    >>> change_norm_correlation([0.75, 0.5, 0.2], [1, 2, 3])
    1.0
    """
    change, norms = np.abs(1 - np.asarray(ratios, float)), np.asarray(norms, float)
    if len(change) < 3:
        raise UserError(f"a rank correlation needs at least three layers, got {len(change)}")
    if np.ptp(change) == 0 or np.ptp(norms) == 0:
        raise UserError("the correlation is not defined: all ratios, or all norms, are equal")
    return float(np.round(rank_correlation(change[None], norms[None])[0], 12))
