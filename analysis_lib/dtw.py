"""Windowed dynamic time warping between clips, equation (3) of the STGCN-geometry paper.

Local distances are a matrix product of frame features, one tile at a time; the recurrence runs over
the tile while it is in the cache. Row blocks go to threads, each with a single-threaded BLAS.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from joblib import cpu_count
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from analysis_lib.dtw_kernels import match, pack
from analysis_lib.errors import DataError, UserError, unknown_choice
from analysis_lib.windows import checked_lengths, window_bounds, window_frames, window_weights

METRICS = ("cosine", "sqeuclidean")
NORMALISATIONS = ("none", "path", "sum")  # the position is the code that the kernel is given
#: bits of a local distance relative to its largest value, near the rounding error of the product
RESOLUTION = {("cosine", 4): 20, ("sqeuclidean", 4): 24, ("cosine", 8): 40, ("sqeuclidean", 8): 40}
ROWS, COLUMNS, PANEL = 256, 1536, 2**28  # frames of a tile (rows, columns); bytes of a panel


def windowed_dtw(embeddings: np.ndarray, lengths: np.ndarray | None = None, n_windows: int = 4,
                 metric: str = "cosine", band: int | None = None, normalise: str = "path",
                 relative: bool = False, alpha: np.ndarray | None = None, dtype=np.float32,
                 progress: bool = False, n_jobs: int | None = None) -> np.ndarray:  # fmt: skip
    r"""Return the windowed DTW distance of all pairs of clips (windows are temporal segments).

    .. math:: \mathrm{wDTW}(s_i, s_j) = \sum_w \alpha_w\, \mathrm{DTW}(s_i^w, s_j^w), \qquad
              D_{ab} = d_{ab} + \min(D_{a-1,b-1}, D_{a-1,b}, D_{a,b-1})

    The local distance is :math:`d = 1 - \cos`, cut to [0, 1]; two zero frames are at distance 0, a
    zero frame and another one at 1. Of equally cheap paths the shortest counts.

    A window that is empty in both clips is left out, and the remaining weights of that pair
    rescaled to sum 1. One that is empty in one clip puts each frame of the other at distance 1.

    Parameters
    ----------
    embeddings : float ndarray or memmap, shape (n, T, D)
        Frame features. Copied only if they are not C-contiguous of type ``dtype``.
    lengths : int ndarray, shape (n,), optional
        Valid frames of each clip, 1..T; all T by default.
    n_windows : int
        Windows m, with boundaries at :math:`\lfloor w T / m \rfloor`.
    metric : {"cosine", "sqeuclidean"}
    band : int, optional
        Sakoe-Chiba radius in frames; widened to the difference of lengths where that is larger.
    normalise : {"path", "none", "sum"}
        Divide each window's cost by the length of its path (a mean local distance), by nothing, or
        by the sum of the two lengths.
    relative : bool
        Divide each clip by its own length instead; the windows then weigh the same.
    alpha : ndarray, shape (m,), optional
        Weights of the windows; by default those of `analysis_lib.windows.window_weights`.
    dtype : {float32, float64}
        Of the computation and the result.
    progress : bool
        Show a bar.
    n_jobs : int, optional
        Threads; all cores by default.

    Returns
    -------
    ndarray of ``dtype``, shape (n, n)
        Symmetric, zero diagonal; in [0, 1] for the cosine with ``"path"`` or ``"sum"``.

    Raises
    ------
    UserError, DataError
        If a shape, length or choice is wrong, or a valid frame holds a NaN or an infinity; or for
        ``"sqeuclidean"`` where exactly one of two windows is empty, as it has no largest value.

    References
    ----------
    Das, Shekkizhar & Ortega (2024), equations (2) and (3). Alignment: Sakoe & Chiba (1978).

    Examples
    --------
    >>> east, north = [1.0, 0.0], [0.0, 1.0]
    >>> clips = np.array([[east, east, north], [east, north, north], [east, east, east]])
    >>> windowed_dtw(clips, n_windows=1, dtype=float).round(3).tolist()
    [[0.0, 0.0, 0.333], [0.0, 0.0, 0.667], [0.333, 0.667, 0.0]]
    """
    rules = _Rules(n_windows, metric, band, normalise, np.dtype(dtype), n_jobs or cpu_count())
    clips = _Clips.checked("embeddings", embeddings, lengths, rules, relative)
    alpha = _alpha(alpha, clips, rules, relative)
    upper = _distances(clips, clips, alpha, rules, True, progress)
    return upper + upper.T


def windowed_dtw_between(queries: np.ndarray, references: np.ndarray,
                         query_lengths: np.ndarray | None = None,
                         reference_lengths: np.ndarray | None = None, n_windows: int = 4,
                         metric: str = "cosine", band: int | None = None, normalise: str = "path",
                         relative: bool = False, alpha: np.ndarray | None = None,
                         dtype=np.float32, progress: bool = False,
                         n_jobs: int | None = None) -> np.ndarray:  # fmt: skip
    """Return the windowed DTW distance of each query to each reference (see `windowed_dtw`).

    The windows are weighted by the lengths of the references, so that the distance of a query does
    not depend on the other queries.

    Parameters
    ----------
    queries, references : float ndarray or memmap, shapes (q, T, D) and (r, T, D)
    query_lengths, reference_lengths : int ndarray, shapes (q,) and (r,), optional
    n_windows, metric, band, normalise, relative, alpha, dtype, progress, n_jobs
        As in `windowed_dtw`.

    Returns
    -------
    ndarray of ``dtype``, shape (q, r)

    Examples
    --------
    >>> clips = np.eye(3)[:, None]
    >>> windowed_dtw_between(clips[:1], clips, n_windows=1).tolist()
    [[0.0, 1.0, 1.0]]
    """
    rules = _Rules(n_windows, metric, band, normalise, np.dtype(dtype), n_jobs or cpu_count())
    left = _Clips.checked("queries", queries, query_lengths, rules, relative)
    right = _Clips.checked("references", references, reference_lengths, rules, relative)
    if left.x.shape[1:] != right.x.shape[1:]:
        raise UserError(
            f"queries and references need the same frames and features, got {left.x.shape} and "
            f"{right.x.shape}; are both from one layer?"
        )
    return _distances(left, right, _alpha(alpha, right, rules, relative), rules, False, progress)


@dataclass(frozen=True)
class _Rules:
    """The choices of a run, checked."""

    n_windows: int
    metric: str
    band: int | None
    normalise: str
    dtype: np.dtype
    n_jobs: int

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise unknown_choice("metric", self.metric, METRICS)
        if self.normalise not in NORMALISATIONS:
            raise unknown_choice("normalisation", self.normalise, NORMALISATIONS)
        if self.dtype not in (np.float32, np.float64):
            raise UserError(f"dtype must be float32 or float64, got {self.dtype}")
        if self.band is not None and self.band < 0:
            raise UserError(f"band must not be negative, got {self.band}; None means no band")


@dataclass(frozen=True)
class _Clips:
    """Frame features (n, T, D) and the first and last-plus-one frame of each window, (n, m)."""

    x: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    lengths: np.ndarray

    @classmethod
    def checked(cls, name: str, x, lengths, rules: _Rules, relative: bool) -> "_Clips":
        x = np.asarray(x)
        if x.ndim != 3 or 0 in x.shape:
            raise UserError(f"{name} must be (clips, frames, features), none 0, got {x.shape}")
        n, n_frames, _ = x.shape
        lengths = np.full(n, n_frames) if lengths is None else lengths
        lengths = checked_lengths(lengths, n_frames, at_least=1)
        if len(lengths) != n:
            raise UserError(f"{name} holds {n} clips, but there are {len(lengths)} lengths")
        for i, length in enumerate(lengths):
            if not np.isfinite(x[i, :length]).all():
                raise DataError(
                    f"clip {i} of {name} holds a NaN or infinity among its valid frames"
                )
        start, stop = window_frames(lengths, n_frames, rules.n_windows, relative)
        return cls(np.ascontiguousarray(x, rules.dtype), start, stop, lengths)

    @property
    def counts(self) -> np.ndarray:
        """Valid frames in each window, shape (n, m)."""
        return self.stop - self.start

    def pack(self, w: int, low: int, high: int, origin) -> tuple[np.ndarray, ...]:
        """Return (rows, D + 1), their shifts, and where each of the clips low..high starts."""
        offsets = np.concatenate([[0], np.cumsum(self.counts[low:high, w])])
        rows = np.empty((offsets[-1], self.x.shape[2] + 1), self.x.dtype)
        shifts = np.empty(len(rows), self.x.dtype)
        start, stop = self.start[low:high, w], self.stop[low:high, w]
        pack(self.x[low:high], start, stop, origin, rows, shifts)
        return rows, shifts, offsets


def _alpha(given, clips: _Clips, rules: _Rules, relative: bool) -> np.ndarray:
    """Return the weights of the windows, shape (m,), sum 1."""
    m = rules.n_windows
    if given is None:
        bounds = window_bounds(clips.x.shape[1], m)
        return np.full(m, 1 / m) if relative else window_weights(clips.lengths, bounds)
    alpha = np.asarray(given, float)
    if alpha.shape != (m,) or not (alpha >= 0).all() or not 0 < alpha.sum() < np.inf:
        raise UserError(f"alpha must be {m} weights, none negative, not all 0, got {given}")
    return alpha / alpha.sum()


def _distances(left, right, alpha, rules: _Rules, symmetric: bool, progress: bool) -> np.ndarray:
    """Return the weighted sum over windows; of the symmetric case the strict upper triangle."""
    gap_left, gap_right = left.counts == 0, right.counts == 0
    used = 1 - (gap_left * alpha) @ gap_right.T  # (n_left, n_right)
    if not (used > 1e-12).all():
        i, j = np.argwhere(used <= 1e-12)[0]
        raise UserError(f"clips {i} and {j} have no frame in any window of positive weight")
    if rules.metric == "sqeuclidean" and (gap_left @ ~gap_right.T | ~gap_left @ gap_right.T).any():
        raise UserError("a window is empty in one clip only, and sqeuclidean has no largest value; "
                        "take relative=True, fewer windows, or metric='cosine'")  # fmt: skip
    out = np.zeros((len(left.x), len(right.x)), rules.dtype)
    origin, half_range = _scale(left, right, rules)
    bits = int(max(left.counts.max(), right.counts.max())).bit_length() + 1  # of a path's length
    resolution = min(RESOLUTION[rules.metric, rules.dtype.itemsize], 61 - 2 * bits)
    scale = 2.0**resolution / half_range
    unit = (1 if rules.metric == "cosine" else 2) / scale
    band = left.x.shape[1] if rules.band is None else rules.band
    mode = NORMALISATIONS.index(rules.normalise)
    budget = max(COLUMNS, PANEL // (rules.dtype.itemsize * left.x.shape[2]))

    with (threadpool_limits(1, "blas"), ThreadPoolExecutor(rules.n_jobs) as pool,
          tqdm(total=rules.n_windows * len(left.x), disable=not progress, desc="DTW", leave=False)
          as bar):  # fmt: skip
        for w in np.flatnonzero(alpha):
            for low, high in _blocks(right.counts[:, w], budget):
                columns, column_shifts, column_offsets = right.pack(w, low, high, origin)
                tiles = _blocks(np.diff(column_offsets), COLUMNS)

                def one_block(block, w=w, low=low, columns=columns, tiles=tiles,
                              shifts=column_shifts, offsets=column_offsets):  # fmt: skip
                    rows, row_shifts, row_offsets = left.pack(w, *block, origin)
                    for a, b in tiles:
                        if symmetric and low + b <= block[0] + 1:
                            continue  # below the diagonal
                        cut = slice(offsets[a], offsets[b])
                        match(rows @ columns[cut].T, row_shifts, shifts[cut], row_offsets,
                              offsets[a : b + 1] - offsets[a], block[0], low + a, symmetric, band,
                              scale, 2.0**resolution, unit, bits, mode, alpha[w], out)  # fmt: skip
                    return block[1] - block[0]

                for done in pool.map(one_block, _blocks(left.counts[:, w], ROWS)):
                    bar.update(done if high == len(right.x) else 0)
    if rules.metric == "cosine" and rules.normalise != "none":
        np.minimum(out, used, out=out)  # a rounding error above 1
    return (out / used).astype(rules.dtype, copy=False)


def _blocks(sizes: np.ndarray, limit: int) -> Sequence[tuple[int, int]]:
    """Return runs (low, high) of clips whose frames add up to ``limit`` at most, or one clip."""
    ends, low, runs = np.cumsum(sizes), 0, []
    while low < len(sizes):
        before = ends[low - 1] if low else 0
        high = max(low + 1, int(np.searchsorted(ends, before + limit, side="right")))
        runs.append((low, high))
        low = high
    return runs


def _scale(left: _Clips, right: _Clips, rules: _Rules) -> tuple[np.ndarray, float]:
    """Return the origin, shape (D,) or (0,) for the cosine, and a bound of half the distance."""
    if rules.metric == "cosine":
        return np.empty(0), 1.0
    valid = lambda c: (x[:n] for x, n in zip(c.x, c.lengths, strict=True))  # noqa: E731
    origin = np.mean([x.mean(axis=0, dtype=float) for x in valid(right)], axis=0)
    radius = max(np.square(x - origin).sum(axis=1).max() for c in (left, right) for x in valid(c))
    return origin, 2.0 * radius or 1.0
