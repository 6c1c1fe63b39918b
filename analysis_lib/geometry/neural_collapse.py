"""Neural collapse: how little the clips of a class differ, beside how much the classes do."""

import numpy as np

from analysis_lib.errors import UserError


def within_class_collapse(x: np.ndarray, labels: np.ndarray) -> float:
    r"""Return the spread within classes in units of that between them (NC1); 0 where each class is one point.

    .. math:: \frac{1}{C} \operatorname{tr}\!\big(\Sigma_W \Sigma_B^{+}\big), \qquad
              \Sigma_W = \frac1n \sum_i (x_i - \bar x_{y_i})(x_i - \bar x_{y_i})^\top, \quad
              \Sigma_B = \frac1C \sum_c (\bar x_c - \bar x)(\bar x_c - \bar x)^\top

    with :math:`\bar x` the mean of the class means. Only directions in which class means differ are asked.

    Parameters
    ----------
    x : ndarray, shape (n, d)
    labels : ndarray, shape (n,)

    Raises
    ------
    UserError
        If there are not two classes whose means differ.

    References
    ----------
    Papyan, Han & Donoho (2020), PNAS 117, equation (4) and its figure 6.

    Examples
    --------
    Means at -2 and 2, so that :math:`\Sigma_B = 4`; each clip is 1 away from its own:

    >>> round(within_class_collapse(np.array([[-3.0], [-1], [1], [3]]), np.array([0, 0, 1, 1])), 6)
    0.125
    """
    x = np.asarray(x, float)
    classes, index, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    means = np.stack([x[index == c].mean(axis=0) for c in range(len(classes))])
    _, sizes, directions = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)
    seen = sizes > 1e-6 * max(sizes.max(), 1e-30)
    if not seen.any() or len(classes) < 2:
        raise UserError("collapse needs two classes or more whose means differ")
    within = ((x - means[index]) @ directions[seen].T) ** 2  # (n, rank), along each direction
    return float((within.mean(axis=0) / sizes[seen] ** 2).sum())
