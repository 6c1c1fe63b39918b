"""Joints that were not seen for a while: NaN in, places in between out."""

import numpy as np


def fill_gaps(x: np.ndarray, n_coordinates: int) -> tuple[np.ndarray, np.ndarray]:
    r"""Return a clip without NaN, and the share of frames in which each joint was missing.

    A joint is missing in a frame if any of its coordinates is NaN. Between two frames a < t < b in which it
    is seen it moves evenly, before the first and after the last it stays:

    .. math:: x(t) = \frac{(b - t)\, x(a) + (t - a)\, x(b)}{b - a}

    What is never seen in the clip becomes zero, as absent joints and bodies are written. A score that is NaN
    becomes zero.

    Parameters
    ----------
    x : float ndarray, shape (M, T, V, C)
    n_coordinates : int
        The first of the C channels; the others are scores.

    Returns
    -------
    ndarray, shape (M, T, V, C)
        ``x`` itself if nothing is missing.
    float ndarray, shape (V,)
        Over the frames of the bodies that are there; 1 for all where none is.

    Examples
    --------
    >>> x = np.array([np.nan, 1, np.nan, 3, np.nan]).reshape(1, 5, 1, 1)
    >>> filled, missing = fill_gaps(x, 1)
    >>> filled.ravel().tolist(), missing.tolist()
    ([1.0, 1.0, 2.0, 3.0, 3.0], [0.6])
    """
    if not np.isnan(x).any():
        return x, np.zeros(x.shape[2])
    gone = np.isnan(x[..., :n_coordinates]).any(axis=-1)  # (M, T, V)
    filled = np.where(np.isnan(x), 0, x)
    frames = np.arange(x.shape[1])
    for body, joint in np.argwhere(gone.any(axis=1)):
        lost = gone[body, :, joint]
        for channel in range(n_coordinates):
            track = filled[body, :, joint, channel]
            track[lost] = 0 if lost.all() else np.interp(frames[lost], frames[~lost], track[~lost])
    there = ~gone.all(axis=(1, 2))
    return filled, gone[there].mean(axis=(0, 1)) if there.any() else np.ones(x.shape[2])
