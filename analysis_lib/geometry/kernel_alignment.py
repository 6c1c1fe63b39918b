"""Centred kernel alignment (CKA): whether two layers, or networks, tell clips apart in the same way."""

import numpy as np

from analysis_lib.errors import UserError


def kernel_alignment(one: np.ndarray, other: np.ndarray) -> float:
    r"""Return how far two kernels of the same clips agree: 1 if they are proportional, 0 on average if unrelated.

    .. math:: \mathrm{CKA}(K, L) = \frac{\mathrm{HSIC}(K, L)}{\sqrt{\mathrm{HSIC}(K, K)\, \mathrm{HSIC}(L, L)}}

    with the unbiased estimate of the Hilbert-Schmidt independence criterion, :math:`\tilde K` being K with
    a diagonal of zeros,

    .. math:: n (n - 3)\, \mathrm{HSIC}(K, L) = \operatorname{tr}(\tilde K \tilde L)
              + \frac{\mathbf 1^\top \tilde K \mathbf 1\, \mathbf 1^\top \tilde L \mathbf 1}{(n - 1)(n - 2)}
              - \frac{2}{n - 2} \mathbf 1^\top \tilde K \tilde L \mathbf 1

    Without it, features of more dimensions than there are clips agree with whatever they are compared with. It may
    come out below 0.

    Parameters
    ----------
    one, other : ndarray, shape (n, n)
        Symmetric, n > 3; for linear CKA :math:`X X^\top` of features X. They need not be centred.

    Raises
    ------
    UserError
        If the shapes disagree, there are fewer than four clips, or all clips are alike.

    References
    ----------
    Kornblith, Norouzi, Lee & Hinton (2019); Nguyen, Raghu & Kornblith (2021), equation (3); Song et al. (2012).

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> turned, other = x @ np.linalg.qr(x[:3])[0], np.random.default_rng(1).normal(size=(50, 900))
    >>> [round(abs(kernel_alignment(x @ x.T, y @ y.T)), 1) for y in (turned, other)]
    [1.0, 0.0]
    """
    one, other = np.array(one, float), np.array(other, float)
    if one.shape != other.shape or one.ndim != 2 or len(one) != one.shape[1] or len(one) < 4:
        raise UserError(f"two (n, n) kernels of four clips or more are needed, got {one.shape} and {other.shape}")
    for kernel in (one, other):
        np.fill_diagonal(kernel, 0)
    own = [_hsic(kernel, kernel) for kernel in (one, other)]
    if any(size <= 1e-9 * (kernel**2).sum() for size, kernel in zip(own, (one, other), strict=True)):
        raise UserError("the alignment of kernels is not defined where all clips are alike")
    return float(_hsic(one, other) / np.sqrt(own[0] * own[1]))


def _hsic(one: np.ndarray, other: np.ndarray) -> float:
    """Return n (n - 3) times the unbiased estimate for two kernels with diagonals of zeros."""
    n = len(one)
    whole = one.sum() * other.sum() / ((n - 1) * (n - 2))
    return (one * other).sum() + whole - 2 / (n - 2) * (one.sum(axis=0) @ other.sum(axis=0))
