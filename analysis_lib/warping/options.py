"""What a person asks of windowed DTW, and what is computed then: choices and clips, checked."""

from dataclasses import dataclass

import numpy as np

from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.warping.kernels import any_zero_frame
from analysis_lib.warping.tiles import NORMALISATIONS, Clips, Rule
from analysis_lib.warping.windows import checked_lengths, window_bounds, window_frames, window_weights

METRICS = ("cosine", "sqeuclidean")
PRECISIONS = ("float32", "float64")


@dataclass(frozen=True)
class Warping:
    r"""Every choice of the windowed DTW: what two clips are, when they are compared.

    The local distance of the cosine is :math:`d = 1 - \cos`, cut to [0, 1]; two zero frames are at
    distance 0, a zero frame and another one at 1. Of equally cheap paths the shortest counts.

    Parameters
    ----------
    n_windows : int
        Temporal windows m, with boundaries at :math:`\lfloor w T / m \rfloor`.
    metric : {"cosine", "sqeuclidean"}
    band : int, optional
        Sakoe-Chiba radius in frames; widened to the difference of lengths where that is larger.
    normalise : {"path", "none", "sum"}
        Divide each window's cost by the length of its path (a mean local distance), by nothing, or
        by the sum of the two lengths.
    relative : bool
        Divide each clip by its own length instead; the windows then weigh the same.
    alpha : tuple of float, optional
        Weights of the m windows; by default those of `analysis_lib.warping.windows.window_weights`.
    dtype : {"float32", "float64"}
        Of the computation and the result.

    Raises
    ------
    UserError
        If a choice does not exist, or the weights are not m, none negative, not all 0.

    Examples
    --------
    >>> Warping(n_windows=2, alpha=[1, 3]).alpha
    (1.0, 3.0)
    """

    n_windows: int = 4
    metric: str = "cosine"
    band: int | None = None
    normalise: str = "path"
    relative: bool = False
    alpha: tuple[float, ...] | None = None
    dtype: str = "float32"

    def __post_init__(self) -> None:
        for kind, given, choices in (
            ("metric", self.metric, METRICS),
            ("normalisation", self.normalise, NORMALISATIONS),
            ("dtype", self.dtype, PRECISIONS),
        ):
            if given not in choices:
                raise unknown_choice(kind, given, choices)
        if self.band is not None and self.band < 0:
            raise UserError(f"band must not be negative, got {self.band}; None means no band")
        if self.alpha is not None:
            alpha = tuple(map(float, self.alpha))  # of a list or an array, so that it is hashable
            if len(alpha) != self.n_windows or not min(alpha) >= 0 or not 0 < sum(alpha) < float("inf"):
                raise UserError(f"alpha must be {self.n_windows} weights, none negative, not all 0, got {alpha}")
            object.__setattr__(self, "alpha", alpha)


def prepared(how: Warping, **named) -> tuple[list[Clips], Rule]:
    """Return the clips of each named (features, lengths), checked, and how they are compared.

    The windows are weighted by the lengths of the last.
    """
    found = [_checked(name, *given) for name, given in named.items()]
    shapes = {name: x.shape for name, (x, _) in zip(named, found, strict=True)}
    if len({shape[1:] for shape in shapes.values()}) > 1:
        raise UserError(
            f"{' and '.join(named)} need the same frames and features, got "
            f"{' and '.join(map(str, shapes.values()))}; are both from one layer?"
        )
    (_, n_frames, n_features), lengths = found[-1][0].shape, found[-1][1]
    clips = []
    for name, (x, valid) in zip(named, found, strict=True):
        start, stop = window_frames(valid, n_frames, how.n_windows, how.relative)
        clips.append(Clips(name, x, start, stop - start))
    alpha = _alpha(how, lengths, n_frames)
    _check_windows(clips[0], clips[-1], alpha, how.metric)
    longest = np.max([c.counts.max(axis=0) for c in clips], axis=0)
    centre = {}
    if how.metric == "sqeuclidean":
        centre = dict(zip(("origin", "half_range"), _scale(found), strict=True))
    rule = Rule(
        alpha,
        how.metric,
        how.normalise,
        how.band,
        np.dtype(how.dtype),
        int(longest.max()),
        int(longest.sum()),
        n_features,
        zero_axis=how.metric == "cosine" and any(any_zero_frame(*f) for f in found),
        **centre,
    )
    return clips, rule


def _checked(name: str, x, lengths) -> tuple[np.ndarray, np.ndarray]:
    """Return features (n, T, D) as floats, and the valid lengths."""
    x = np.asarray(x)
    if x.ndim != 3 or 0 in x.shape:
        raise UserError(f"{name} must be (clips, frames, features), none 0, got {x.shape}")
    if x.dtype not in (np.float32, np.float64):
        x = x.astype(np.float32)
    n, n_frames, _ = x.shape
    lengths = np.full(n, n_frames) if lengths is None else lengths
    lengths = checked_lengths(lengths, n_frames, at_least=1)
    if len(lengths) != n:
        raise UserError(f"{name} holds {n} clips, but there are {len(lengths)} lengths")
    return x, lengths


def _alpha(how: Warping, lengths: np.ndarray, n_frames: int) -> np.ndarray:
    """Return the weights of the windows, shape (m,), sum 1."""
    m = how.n_windows
    if how.alpha is not None:
        return np.array(how.alpha) / sum(how.alpha)
    bounds = window_bounds(n_frames, m)
    return np.full(m, 1 / m) if how.relative else window_weights(lengths, bounds)


def _check_windows(left: Clips, right: Clips, alpha: np.ndarray, metric: str) -> None:
    """Raise UserError if two clips share no window, or a distance to an empty window is unbounded.

    Clips are compared by which of their windows are empty: there are few such patterns.
    """
    if left.counts.all() and right.counts.all():
        return
    gaps, who_left = np.unique(left.counts == 0, axis=0, return_index=True)
    others, who_right = np.unique(right.counts == 0, axis=0, return_index=True)
    used = 1 - (gaps * alpha) @ others.T
    if not (used > 1e-12).all():
        i, j = np.argwhere(used <= 1e-12)[0]
        raise UserError(f"clips {who_left[i]} and {who_right[j]} have no frame in any window of positive weight")
    if metric == "sqeuclidean" and (gaps @ ~others.T | ~gaps @ others.T).any():
        raise UserError(
            "a window is empty in one clip only, and sqeuclidean has no largest value; "
            "take relative=True, fewer windows, or metric='cosine'"
        )


def _scale(found) -> tuple[np.ndarray, float]:
    """Return an origin of the frames, shape (D,), and a bound of half their squared distance."""
    valid = lambda x, lengths: (x[i, :n] for i, n in enumerate(lengths))  # noqa: E731
    origin = np.mean([x.mean(axis=0, dtype=float) for x in valid(*found[-1])], axis=0)
    radius = max(np.square(x - origin).sum(axis=1).max() for f in found for x in valid(*f))
    return origin, 2.0 * radius or 1.0
