"""Intrinsic dimension: in how many directions clips differ from those nearest to them."""

import numpy as np

from analysis_lib.errors import UserError


def two_nn_dimension(distances: np.ndarray, kept: float = 0.9) -> float:
    r"""Return the dimension that the ratios of each point's two smallest distances speak of.

    Where points lie evenly on a manifold of d dimensions, :math:`\mu_i = r_{i2} / r_{i1}` has the distribution

    .. math:: F(\mu) = 1 - \mu^{-d}, \qquad \text{so that} \quad -\log(1 - F(\mu)) = d \log \mu

    and d is the slope of the line through the origin by least squares, F being the empirical distribution.

    Parameters
    ----------
    distances : ndarray, shape (n, n)
        Symmetric. Of lengths: of :math:`1 - \cos`, which is half the square of one, give the square root.
    kept : float
        Share of the points, those of the smallest ratios, that the line is laid through.

    Raises
    ------
    UserError
        If fewer than three points have two neighbours at different distances from it.

    References
    ----------
    Facco, d'Errico, Rodriguez & Laio (2017), Scientific Reports 7:12140. The same as DADApy's ``compute_id_2NN``.

    Examples
    --------
    >>> x = np.random.default_rng(0).random((500, 2))
    >>> round(two_nn_dimension(np.linalg.norm(x[:, None] - x, axis=-1)), 1)
    2.1
    """
    away = np.array(distances, float)
    np.fill_diagonal(away, np.inf)
    first, second = np.partition(away, 1, axis=1)[:, :2].T if len(away) > 2 else np.zeros((2, 1))
    ratio = np.sort(second[first > 0] / first[first > 0])
    log_ratio = np.log(ratio)[: int(kept * len(ratio))]
    if len(log_ratio) < 3 or not log_ratio.any():
        raise UserError(
            f"the dimension of {len(distances)} clips cannot be told: too few have near ones at two distances"
        )
    beyond = -np.log1p(-np.arange(1, len(log_ratio) + 1) / len(ratio))
    return float(log_ratio @ beyond / (log_ratio @ log_ratio))
