"""Two ways to solve NNK node by node in Python, as peers of `analysis_lib.nnk.weights` in the benchmark.

Both take the candidates of each node, and read the same matrices K_SS and vectors K_Si. Both need
positive definite ones: they are given the ridges, or find them as they go, by the same rule as
`nnk_weights`.
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import nnls

from analysis_lib.nnk.weights import FLOOR

MAX_ROUNDS = 50  # a candidate, of the iterative reference


def scipy_nnls(kernel, neighbours, ridge=0.0):
    r"""Return the exact NNK weights by least squares on the Cholesky factor of each node.

    .. math:: \theta_i = \arg\min_{\theta \ge 0}
              \lVert R\,\theta - R^{-\top} K_{Si} \rVert_2^2, \qquad R^\top R = K_{SS} + \delta_i I

    Parameters
    ----------
    kernel : float64 ndarray, shape (n, n)
    neighbours : int ndarray, shape (n, k)
        Candidate sets S.
    ridge : float, float64 ndarray of shape (n,), or None
        :math:`\delta_i`, which makes every :math:`K_{SS} + \delta_i I` positive definite. None:
        found here (`lift`).

    Returns
    -------
    float64 ndarray, shape (n, k)

    Raises
    ------
    numpy.linalg.LinAlgError
        If a matrix is not positive definite.

    References
    ----------
    Lawson & Hanson (1974), "Solving least squares problems", chapter 23.

    Examples
    --------
    >>> scipy_nnls(np.array([[1, 0.6], [0.6, 1]]), np.array([[1], [0]])).round(6).tolist()
    [[0.6], [0.6]]
    """
    weights = np.empty(neighbours.shape)
    for i, (gram, target) in enumerate(_problems(kernel, neighbours, ridge)):
        upper = np.linalg.cholesky(gram).T
        wanted = solve_triangular(upper, target, trans="T", check_finite=False)
        weights[i] = nnls(upper, wanted)[0]
    return weights


def iterative_reference(kernel, neighbours, ridge=0.0, tol=1e-6):
    r"""Return NNK weights by the public iterative method, whose candidates leave for good.

    The free set F starts as the candidates with :math:`K_{Si} > \mathrm{tol}`. Each round solves

    .. math:: (K_{SS} + \delta_i I)_{FF}\, \theta_F = (K_{Si})_F, \qquad \theta_{S \setminus F} = 0

    and takes the candidates with :math:`\theta < \mathrm{tol}` out of F, until the largest of
    the weights that are taken out is smaller than ``tol`` in magnitude. A candidate that has left
    is never tried again, so that the result need not be the minimum.

    Parameters
    ----------
    kernel : float64 ndarray, shape (n, n)
    neighbours : int ndarray, shape (n, k)
        Candidate sets S.
    ridge : float, float64 ndarray of shape (n,), or None
        :math:`\delta_i`, which makes every :math:`K_{SS} + \delta_i I` positive definite. None:
        found here (`lift`).
    tol : float
        Smaller weights are zero. As published, the weights of a node with a similarity above
        ``1 - tol`` are its similarities above it.

    Returns
    -------
    float64 ndarray, shape (n, k)

    Raises
    ------
    numpy.linalg.LinAlgError
        If a matrix is not positive definite.

    References
    ----------
    Shekkizhar & Ortega (2020), "Graph construction from data by non-negative kernel regression".

    Examples
    --------
    >>> iterative_reference(np.array([[1, 0.6], [0.6, 1]]), np.array([[1], [0]])).round(6).tolist()
    [[0.6], [0.6]]
    """
    weights = np.zeros(neighbours.shape)
    for theta, (gram, target) in zip(weights, _problems(kernel, neighbours, ridge), strict=True):
        if target.max() > 1 - tol:
            theta[:] = np.where(target > 1 - tol, target, 0)
            continue
        free = np.flatnonzero(target > tol)
        for _ in range(MAX_ROUNDS * len(target)):
            if not len(free):
                break
            factor = cho_factor(gram[np.ix_(free, free)], overwrite_a=True, check_finite=False)
            found = cho_solve(factor, target[free], overwrite_b=True, check_finite=False)
            kept = found >= tol
            theta[free] = np.where(kept, found, 0)
            free, lost = free[kept], np.abs(found[~kept])
            if lost.max(initial=0) < tol:
                break
    return weights


def lift(gram: np.ndarray) -> float:
    r"""Return what lifts the smallest eigenvalue of a matrix to `FLOOR`, or 0.

    .. math:: \delta = \max(0,\ 10^{-6} - \lambda_{\min}(K_{SS}))

    Eigenvalues are computed only if a Cholesky factor does not show that they are large enough,
    which is several times as fast.

    Parameters
    ----------
    gram : float64 ndarray, shape (k, k)

    Returns
    -------
    float

    Examples
    --------
    >>> round(lift(np.array([[1, 1.5], [1.5, 1]])), 9), lift(np.eye(2))
    (0.500001, 0.0)
    """
    try:
        np.linalg.cholesky(gram - FLOOR * np.eye(len(gram)))
    except np.linalg.LinAlgError:
        return max(0.0, float(FLOOR - np.linalg.eigvalsh(gram)[0]))
    return 0.0


def _problems(kernel, neighbours, ridge):
    """Yield the matrix K_SS + ridge I and the vector K_Si of each node."""
    diagonal = np.diag_indices(neighbours.shape[1])
    given = None if ridge is None else np.broadcast_to(ridge, len(neighbours))
    for i, s in enumerate(neighbours):
        gram = kernel[s[:, None], s]
        gram[diagonal] += lift(gram) if given is None else given[i]
        yield gram, kernel[i, s]
