"""From a long recording of key points to windows of one rate, one unit and one origin.

References
----------
Groos et al. (2022), and Tempel, Ihlen, Adde & Strümke (2024), on infants filmed from above: 30 Hz, median filter, unit
of twice the trunk, origin at the median of the pelvis, windows of 5 s every 2.5 s.
"""

import numpy as np
from scipy.ndimage import median_filter

from analysis_lib.datasets.gaps import fill_gaps
from analysis_lib.errors import UserError

#: frames a second, seconds of a window and from one window to the next
RATE, SECONDS, EVERY = 30, 5.0, 2.5
#: of a trunk: processors disagree about the last digits
DECIMALS = 4


def resampled(x: np.ndarray, rate: float, wanted: float) -> np.ndarray:
    """Return a recording at another rate, by straight lines between frames; NaN beside a gap.

    Parameters
    ----------
    x : ndarray, shape (T, ...)
    rate, wanted : float
        Frames a second.

    Returns
    -------
    ndarray, shape (T', ...)
        From the first frame on, no longer than the recording.

    Examples
    --------
    >>> resampled(np.array([0.0, 2.0, 4.0]), 1, 2).tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0]
    """
    if min(rate, wanted) <= 0 or len(x) == 0:
        raise UserError(
            f"resampling takes a frame and rates above 0, got {len(x)} frames at {rate} Hz to become {wanted} Hz"
        )
    places = np.arange(int((len(x) - 1) * wanted / rate + 1e-9) + 1) * rate / wanted
    before = np.minimum(places.astype(int), len(x) - 1)
    after = np.minimum(before + 1, len(x) - 1)
    share = (places - before).reshape(-1, *[1] * (x.ndim - 1))
    return np.where(share > 0, (1 - share) * x[before] + share * x[after], x[before])


def median_filtered(x: np.ndarray, n_frames: int = 5) -> np.ndarray:
    """Return a recording (T, ...) without jumps of single frames: the median over ``n_frames`` about each.

    Examples
    --------
    >>> median_filtered(np.array([1.0, 1.0, 9.0, 1.0, 2.0]), 3).tolist()
    [1.0, 1.0, 1.0, 2.0, 2.0]
    """
    return median_filter(x, (n_frames, *[1] * (x.ndim - 1)), mode="nearest")


def in_trunks(x: np.ndarray, top: int, pelvis: int) -> np.ndarray:
    r"""Return a recording (T, V, C) whose unit is twice the median length of the trunk, from the pelvis's median.

    .. math:: x' = \frac{x - \operatorname{med}_t x_{pelvis}}
              {2 \operatorname{med}_t \lVert x_{top} - x_{pelvis} \rVert}

    Raises
    ------
    UserError
        If the trunk has no length.

    Examples
    --------
    >>> x = np.array([[[5.0, 5.0], [5.0, 7.0]]])
    >>> in_trunks(x, top=1, pelvis=0).tolist()
    [[[0.0, 0.0], [0.0, 0.5]]]
    """
    trunk = np.median(np.linalg.norm(x[:, top] - x[:, pelvis], axis=-1))
    if not trunk > 0:
        raise UserError(f"the trunk (joints {pelvis} to {top}) has the length {trunk}; nothing can be measured by it")
    return (x - np.median(x[:, pelvis], axis=0)) / (2 * trunk)


def windows(x: np.ndarray, length: int, step: int) -> list[np.ndarray]:
    """Return the windows of a recording (T, ...); the last one ends where the recording does.

    A recording that is shorter than a window is one, as long as it is.

    Examples
    --------
    >>> [w.tolist() for w in windows(np.arange(6), 4, 1)], [w.tolist() for w in windows(np.arange(6), 3, 2)]
    ([[0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5]], [[0, 1, 2], [2, 3, 4], [3, 4, 5]])
    """
    if min(length, step) < 1:
        raise UserError(f"windows need a length and a step of a frame at least, got {length} and {step}")
    last = max(0, len(x) - length)
    return [x[start : start + length] for start in sorted({*range(0, last, step), last})]


def infant_windows(x: np.ndarray, rate: float, top: int, pelvis: int) -> list[np.ndarray]:
    """Return the windows of a recording: gaps filled, 30 Hz, smoothed, in trunks, 5 s long, one every 2.5 s.

    Parameters
    ----------
    x : ndarray, shape (T, V, C)
        Places, NaN where a joint was not seen.
    rate : float
        Frames a second.
    top, pelvis : int
        The joints at the ends of the trunk.

    Returns
    -------
    list of float32 ndarray, each of shape (150, V, C)
        Shorter where the recording is.

    Examples
    --------
    >>> x = np.tile([[0.0, 0.0], [0.0, 2.0]], (250, 1, 1))
    >>> x[100:120, 1] = np.nan
    >>> [w.shape for w in infant_windows(x, 25, top=1, pelvis=0)]
    [(150, 2, 2), (150, 2, 2), (150, 2, 2)]
    """
    seen, _ = fill_gaps(x[None], x.shape[-1])
    body = in_trunks(median_filtered(resampled(seen[0], rate, RATE)), top, pelvis)
    cut = windows(body, int(SECONDS * RATE), int(EVERY * RATE))
    return [np.round(window, DECIMALS).astype(np.float32) for window in cut]


def head_up(x: np.ndarray, top: int, pelvis: int) -> np.ndarray:
    """Return a recording (T, V, 2) turned in its plane until the median trunk points along y; not mirrored.

    Raises
    ------
    UserError
        If the trunk has no direction, as its ends are in one place.

    Examples
    --------
    >>> x = np.array([[[1.0, 1.0], [3.0, 1.0]]])  # the top lies to the right of the pelvis
    >>> (head_up(x, top=1, pelvis=0) + 0.0).tolist()
    [[[-1.0, 1.0], [-1.0, 3.0]]]
    """
    across, along = np.nanmedian(x[:, top] - x[:, pelvis], axis=0)
    if not np.hypot(across, along) > 0:
        raise UserError(f"the trunk (joints {pelvis} to {top}) has no direction; nothing says where the head is")
    cos, sin = np.array([along, across]) / np.hypot(across, along)
    return x @ np.array([[cos, sin], [-sin, cos]])
