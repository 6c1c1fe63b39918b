"""Windows in the sense of temporal segments of a clip (never the band of a warping path)."""

import numpy as np

from analysis_lib.errors import UserError


def window_bounds(n_frames: int, n_windows: int) -> np.ndarray:
    r"""Return the first frame of each window, and the end of the last.

    .. math:: b_w = \lfloor w\, T / m \rfloor, \qquad w = 0, \dots, m

    Parameters
    ----------
    n_frames : int
        Length T of the padded clip.
    n_windows : int
        Number m of windows.

    Returns
    -------
    int64 ndarray, shape (m + 1,)
        Window w holds the frames :math:`b_w \le t < b_{w+1}`; none is empty.

    Raises
    ------
    UserError
        If there are fewer windows than one, or more than frames.

    Examples
    --------
    >>> window_bounds(13, 4).tolist()
    [0, 3, 6, 9, 13]
    """
    if not 1 <= n_windows <= n_frames:
        raise UserError(
            f"n_windows must lie in 1..{n_frames}, the number of frames, got {n_windows}; "
            "deep layers have fewer frames than the input"
        )
    return np.arange(n_windows + 1) * n_frames // n_windows


def layer_lengths(lengths: np.ndarray, n_frames: int, n_frames_layer: int) -> np.ndarray:
    r"""Return how many frames of each clip are valid at a layer.

    .. math:: n_l = \lceil n\, T_l / T_0 \rceil

    They are never read off the features: a batch normalisation makes padding non-zero.

    Parameters
    ----------
    lengths : int ndarray, shape (n,)
        Valid frames of the input.
    n_frames, n_frames_layer : int
        Frames :math:`T_0` of the padded input and :math:`T_l` of the layer.

    Returns
    -------
    int64 ndarray, shape (n,)

    Examples
    --------
    >>> layer_lengths(np.array([0, 1, 51, 52]), 52, 13).tolist()
    [0, 1, 13, 13]
    """
    if n_frames < 1 or n_frames_layer < 1:
        raise UserError(f"the input and the layer need at least one frame, got {n_frames} and {n_frames_layer}")
    return -(-checked_lengths(lengths, n_frames) * n_frames_layer // n_frames)


def checked_lengths(lengths: np.ndarray, n_frames: int, at_least: int = 0) -> np.ndarray:
    """Return the valid lengths as int64, shape (n,), or raise UserError naming the wrong one."""
    given = np.asarray(lengths)
    if given.ndim != 1 or not (given.size and np.issubdtype(given.dtype, np.integer)):
        raise UserError(f"lengths must be whole numbers, one a clip, got {given.dtype} of shape {given.shape}")
    wrong = np.flatnonzero((given < at_least) | (given > n_frames))
    if len(wrong):
        raise UserError(
            f"lengths must lie in {at_least}..{n_frames}, but clip {wrong[0]} has "
            f"{given[wrong[0]]}; are they the lengths at this layer (see layer_lengths)?"
        )
    return given.astype(np.int64)


def window_weights(lengths: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    r"""Return the weight of each window: the share of clips that reach into it.

    .. math:: \alpha_w = \#\{i : n_i > b_w\} \Big/ \sum_v \#\{i : n_i > b_v\}

    Non-increasing; uniform where all clips were resampled to one length.

    Parameters
    ----------
    lengths : int ndarray, shape (n,)
    bounds : int ndarray, shape (m + 1,)
        From `window_bounds`.

    Returns
    -------
    float64 ndarray, shape (m,)
        Sum 1.

    Raises
    ------
    UserError
        If no clip has a valid frame, or a length exceeds the last bound.

    References
    ----------
    Das, Shekkizhar & Ortega (2023), below equation (3).

    Examples
    --------
    >>> window_weights(np.array([2, 4, 8]), window_bounds(8, 4)).round(2).tolist()
    [0.43, 0.29, 0.14, 0.14]
    """
    lengths = checked_lengths(lengths, int(bounds[-1]))
    reached = (lengths[:, None] > np.asarray(bounds)[None, :-1]).sum(axis=0)
    if not reached.any():
        raise UserError("no clip has a valid frame: all lengths are 0")
    return reached / reached.sum()


def window_frames(
    lengths: np.ndarray, n_frames: int, n_windows: int, relative: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and the last-plus-one valid frame of each clip in each window.

    Parameters
    ----------
    lengths : int ndarray, shape (n,)
    n_frames, n_windows : int
        Frames T of the padded clip, windows m.
    relative : bool
        False: the windows of `window_bounds`, the same for all clips, cut off where a clip ends.
        True: each clip is divided by its own length.

    Returns
    -------
    start, stop : int64 ndarray, each of shape (n, m)
        Equal where the window holds no valid frame.

    Examples
    --------
    >>> window_frames(np.array([5]), 8, 4)[1].tolist()
    [[2, 4, 5, 5]]
    >>> window_frames(np.array([5]), 8, 4, relative=True)[1].tolist()
    [[1, 2, 3, 5]]
    """
    lengths = checked_lengths(lengths, n_frames)[:, None]
    bounds = window_bounds(n_frames, n_windows)[None]
    if relative:
        bounds = np.arange(n_windows + 1) * lengths // n_windows
    clipped = np.minimum(bounds, lengths)
    return clipped[:, :-1], clipped[:, 1:]
