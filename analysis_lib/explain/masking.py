"""Joints taken away from clips, or given back, in order of importance: does the score follow?

A joint is never set to zero, which would be a place like any other: its trajectory is replaced by a
baseline that says nothing of the clip.

References
----------
Petsiuk, Das & Saenko (2018), RISE: deletion and insertion, here joint by joint.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import softmax
from torch import nn

from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.explain.once import answered
from analysis_lib.networks.training.fit import predict
from analysis_lib.warping.windows import checked_lengths


def valid_frames(x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return which frames hold a body, bool of shape (N, T, M): not padding, not all zero."""
    frames = np.arange(x.shape[2]) < checked_lengths(lengths, x.shape[2])[:, None]
    return frames[..., None] & (x != 0).any(axis=(1, 2, 3))[:, None]


def _mean(x: np.ndarray, valid: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    mask = valid[:, None, :, None, :]
    count = np.maximum(mask.sum(axis=axes, keepdims=True), 1)
    return (x * mask).sum(axis=axes, keepdims=True, dtype=np.float64) / count


#: what a masked joint does instead, by name (`masking_baseline`), from clips, valid frames and the centre
BASELINES = {
    "average": lambda x, valid, centre: _mean(x, valid, axes=(0, 2)),
    "still": lambda x, valid, centre: _mean(x, valid, axes=(2,)),
    "centre": lambda x, valid, centre: x[:, :, :, [centre]],
}


def masking_baseline(x: np.ndarray, lengths: np.ndarray, how: str = "average", centre: int = 0) -> np.ndarray:
    """Return the clips with every joint masked; padding and absent bodies stay as they are.

    Parameters
    ----------
    x : float32 ndarray, shape (N, C, T, V, M)
    lengths : int ndarray, shape (N,)
        Valid frames.
    how : {"average", "still", "centre"}
        ``"average"``: the mean place of the joint over all clips, so that nothing is left of this
        one and masking all joints makes all clips alike. ``"still"``: its mean place in this clip,
        so that its movement goes and the posture stays. ``"centre"``: the path of joint ``centre``.

    Returns
    -------
    float32 ndarray, shape (N, C, T, V, M)

    Examples
    --------
    >>> x = np.array([1.0, 3.0, 0.0], np.float32).reshape(1, 1, 3, 1, 1)  # two frames and padding
    >>> masking_baseline(x, np.array([2])).ravel().tolist()
    [2.0, 2.0, 0.0]
    """
    if how not in BASELINES:
        raise unknown_choice("baseline", how, BASELINES)
    valid = valid_frames(x, lengths)
    return np.where(valid[:, None, :, None, :], BASELINES[how](x, valid, centre), x).astype(x.dtype)


def joint_motion(x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return how far each joint strays from its mean place, root mean square, shape (N, V).

    Over the valid frames of all bodies, in the units of the clips.

    Examples
    --------
    >>> x = np.array([[1.0, 0.0], [3.0, 0.0]], np.float32).reshape(1, 1, 2, 2, 1)
    >>> joint_motion(x, np.array([2])).tolist()
    [[1.0, 0.0]]
    """
    valid = valid_frames(x, lengths)
    strayed = ((x - _mean(x, valid, axes=(2,))) * valid[:, None, :, None, :]) ** 2
    count = np.maximum(valid.sum(axis=(1, 2)), 1)
    return np.sqrt(strayed.sum(axis=(1, 2, 4)) / count[:, None])


def ranking(importance: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the rank of each joint in its clip, 0 the most important; ties are drawn by lot.

    Parameters
    ----------
    importance : ndarray, shape (N, V)

    Examples
    --------
    >>> ranking(np.array([[0.1, 0.9, 0.5]]), np.random.default_rng(0)).tolist()
    [[2, 0, 1]]
    """
    order = np.lexsort((rng.random(importance.shape), -importance))
    return order.argsort(axis=1)


def masking_curve(
    model: nn.Module,
    x: np.ndarray,
    baseline: np.ndarray,
    targets: np.ndarray,
    ranks: np.ndarray,
    counts: Sequence[int],
    insert: bool = False,
    batch_size: int = 8,
    known: dict[tuple[int, bytes], float] | None = None,
) -> np.ndarray:
    r"""Return the probability of each clip's target class as joints are masked or given back.

    Deletion masks the joints of rank :math:`< k`, insertion all others.

    Parameters
    ----------
    model : nn.Module
    x, baseline : float32 ndarray, shape (N, C, T, V, M)
        The clips, and the clips with every joint masked (`masking_baseline`).
    targets : int ndarray, shape (N,)
    ranks : int ndarray, shape (N, V) or (N, T, V)
        From `ranking`; of joints, or of joints in windows of time, by frame.
    counts : sequence of int, length K
        Numbers k of joints, or of joints in windows.
    insert : bool
    known : dict, optional
        What was found, by clip and what was masked in it: one that is given again, for other ranks of the same clips,
        spares asking twice.

    Returns
    -------
    float64 ndarray, shape (N, K)

    Raises
    ------
    UserError
        If a count lies outside 0..V, or beyond the joints in windows.
    """
    most, where = (x.shape[3], ranks[:, None]) if ranks.ndim == 2 else (int(ranks.max()) + 1, ranks)
    if wrong := [k for k in counts if not 0 <= k <= most]:
        raise UserError(f"counts must lie in 0..{most}, the number of joints, got {wrong[0]}")
    curve, known = np.empty((len(x), len(counts))), {} if known is None else known
    for i, k in enumerate(counts):
        masked = (where >= k) if insert else (where < k)

        def probabilities(new: list[int], masked: np.ndarray = masked) -> np.ndarray:
            scores = predict(model, np.where(masked[new][:, None, ..., None], baseline[new], x[new]), batch_size)
            return softmax(scores.astype(np.float64), axis=1)[np.arange(len(new)), targets[new]]

        curve[:, i] = answered([(clip, mask.tobytes()) for clip, mask in enumerate(masked)], probabilities, known)
    return curve
