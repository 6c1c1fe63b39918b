"""Faults of real sensors, put on clips: noise, hidden joints, lost frames, unsteady time stamps.

Each takes the tensor ``x`` that a network is given, float32 of shape (N, C, T, V, M), the valid
``lengths`` of its clips, int of shape (N,), a strength and a numpy Generator. It returns the changed
clips, of the same shape and type, and the strength that each clip got, float64 of shape (N,). What
nobody measured stays as it is: padding, absent bodies, absent joints. One seed draws faults that grow
with the strength: the frames lost at 0.2 are among those lost at 0.4, and the noise at 20 dB is that
at 40 dB ten times over.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from analysis_lib.errors import DataError, UserError, unknown_choice
from analysis_lib.warping.windows import checked_lengths

#: decibels by which the achieved PSNR may miss what was asked for
TOLERANCE = 0.1

#: where a hidden joint is reported: at the mean of the joints that are seen, or at the origin
PLACES = ("mean", "zero")


def measured(x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return which joints were measured in which frames, bool of shape (N, T, V, M).

    Frames within the valid length, of joints that are not at the origin throughout the clip:
    that is how absent bodies and absent joints are written.

    Examples
    --------
    >>> x = np.array([[5.0, 0.0], [0.0, 0.0], [7.0, 0.0]]).reshape(1, 1, 3, 2, 1)
    >>> measured(x, np.array([2]))[0, :, :, 0].tolist()  # joint 1 is absent, frame 2 is padding
    [[True, False], [True, False], [False, False]]
    """
    frames = np.arange(x.shape[2]) < checked_lengths(lengths, x.shape[2])[:, None]
    joints = (x != 0).any(axis=(1, 2))  # (N, V, M)
    return frames[:, :, None, None] & joints[:, None]


def noise_levels(*levels: Iterable[float]) -> list[float]:
    """Return all PSNR levels of some lists once, the weakest noise first.

    Raises
    ------
    UserError
        If there is none, or one is not finite.

    Examples
    --------
    >>> noise_levels([20, 40], [30, 20])
    [40, 30, 20]
    """
    found = {level for given in levels for level in given}
    if not found:
        raise UserError("noise needs at least one PSNR level, such as 20 dB")
    if wrong := [level for level in found if not np.isfinite(level)]:
        raise UserError(f"the PSNR must be a finite number of decibels, got {wrong[0]}")
    return sorted(found, reverse=True)


def gaussian_noise(
    x: np.ndarray, lengths: np.ndarray, psnr: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the clips with additive white Gaussian noise, and the PSNR that each clip got.

    .. math:: \mathrm{PSNR} = 10 \log_{10} \frac{p^2}{\mathrm{MSE}}, \qquad
              \sigma = p \cdot 10^{-\mathrm{PSNR} / 20}

    with p the range of the clip's measured coordinates. The noise of each clip is scaled to an MSE
    of exactly :math:`\sigma^2`: a short clip would miss its level by chance.

    Parameters
    ----------
    psnr : float
        Decibels; smaller is noisier.

    Raises
    ------
    UserError, DataError
        If ``psnr`` is not finite; if a clip has no range to measure noise by; or if the achieved
        level is off by more than `TOLERANCE`, for which the noise has to be finer than float32.

    Examples
    --------
    >>> x = np.arange(24, dtype=np.float32).reshape(1, 2, 4, 3, 1)
    >>> noisy, achieved = gaussian_noise(x, np.array([4]), 20, np.random.default_rng(0))
    >>> round(float(((noisy - x) ** 2).mean()), 2), achieved.round(3).tolist()  # 0.1 * (23 - 0)
    (5.29, [20.0])
    """
    noise_levels([psnr])
    where = np.broadcast_to(measured(x, lengths)[:, None], x.shape)
    noise = np.where(where, rng.standard_normal(x.shape), 0)
    noisy, achieved = x.copy(), np.empty(len(x))
    for i, mask in enumerate(where):
        height = float(np.ptp(x[i][mask])) if mask.any() else 0.0
        if not height > 0:
            raise DataError(f"clip {i} does not move and has no extent: its PSNR is not defined")
        sigma = height * 10 ** (-psnr / 20)
        noisy[i] += sigma / np.sqrt((noise[i][mask] ** 2).mean()) * noise[i]
        error = noisy[i][mask].astype(float) - x[i][mask]
        with np.errstate(divide="ignore"):
            achieved[i] = 20 * np.log10(height / np.sqrt((error**2).mean()))
    worst = int(np.abs(achieved - psnr).argmax())
    if not abs(achieved[worst] - psnr) <= TOLERANCE:
        raise UserError(
            f"noise at {psnr:g} dB came out at {achieved[worst]:g} dB in clip {worst}: it is beyond "
            "what 32-bit coordinates can hold; take a level nearer to 40 dB"
        )
    return noisy, achieved


def hide_joints(
    x: np.ndarray, lengths: np.ndarray, share: float, rng: np.random.Generator, place: str = "mean"
) -> tuple[np.ndarray, np.ndarray]:
    """Return the clips with some joints hidden throughout, and the share that each clip got.

    Parameters
    ----------
    share : float
        Of the joints of each body, rounded to whole joints; one always stays seen.
    place : {"mean", "zero"}
        A hidden joint is reported at the mean place of the joints that are seen in that frame, as
        trackers do that complete a body, or at the origin, as those do that report nothing.

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 6.0, 9.0], np.float32).reshape(1, 1, 1, 4, 1)
    >>> hidden, achieved = hide_joints(x, np.array([1]), 0.25, np.random.default_rng(0))
    >>> hidden.ravel().tolist(), achieved.tolist()
    ([1.0, 2.0, 6.0, 3.0], [0.25])
    """
    _check_share(share)
    if place not in PLACES:
        raise unknown_choice("place of a hidden joint", place, PLACES)
    there = measured(x, lengths)
    joints = there.any(axis=1)  # (N, V, M)
    count = joints.sum(axis=1, keepdims=True)
    wanted = np.minimum(np.rint(share * count), np.maximum(count - 1, 0))
    hidden = _drawn(joints, wanted, rng)
    seen = (there & ~hidden[:, None])[:, None]  # (N, 1, T, V, M)
    mean = (x * seen).sum(axis=3, keepdims=True) / np.maximum(seen.sum(axis=3, keepdims=True), 1)
    changed = (there & hidden[:, None])[:, None]
    found = np.where(changed, mean if place == "mean" else 0, x).astype(x.dtype)
    return found, hidden.sum(axis=(1, 2)) / np.maximum(joints.sum(axis=(1, 2)), 1)


def drop_frames(
    x: np.ndarray, lengths: np.ndarray, share: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the clips with a share of their valid frames lost, in whole frames, and the share of each clip.

    In place of a lost frame the last one that came is shown again; the first frame always comes.

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 3.0, 4.0, 0.0], np.float32).reshape(1, 1, 5, 1, 1)
    >>> dropped, achieved = drop_frames(x, np.array([4]), 0.5, np.random.default_rng(0))
    >>> dropped.ravel().tolist(), achieved.tolist()
    ([1.0, 2.0, 2.0, 2.0, 0.0], [0.5])
    """
    _check_share(share)
    lengths = checked_lengths(lengths, x.shape[2], at_least=1)
    frame = np.arange(x.shape[2])
    losable = (frame > 0) & (frame < lengths[:, None])  # (N, T)
    wanted = np.minimum(np.rint(share * lengths), lengths - 1)[:, None]
    lost = _drawn(losable, wanted, rng)
    return _shown(x, np.maximum.accumulate(np.where(lost, 0, frame), axis=1)), lost.sum(1) / lengths


def jitter_frames(
    x: np.ndarray, lengths: np.ndarray, frames: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the clips with unsteady time stamps, and the largest shift that each clip got.

    .. math:: \tilde{x}(t) = x(t + e_t), \qquad e_t \in \{-s, \dots, s\} \text{ uniformly}

    with ``frames`` as s, and cut off at the ends of the clip. Frames may come out of order, or twice.

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 3.0, 4.0, 0.0], np.float32).reshape(1, 1, 5, 1, 1)
    >>> shaken, largest = jitter_frames(x, np.array([4]), 1, np.random.default_rng(0))
    >>> shaken.ravel().tolist(), largest.tolist()
    ([1.0, 1.0, 2.0, 3.0, 0.0], [1.0])
    """
    if not (np.isfinite(frames) and frames >= 0 and frames == int(frames)):
        raise UserError(f"the jitter must be a whole number of frames from 0, got {frames}")
    lengths = checked_lengths(lengths, x.shape[2], at_least=1)[:, None]
    frame = np.arange(x.shape[2])
    shift = np.floor(rng.random((len(x), x.shape[2])) * (2 * frames + 1)).astype(int) - int(frames)
    source = np.where(frame < lengths, np.clip(frame + shift, 0, lengths - 1), frame)
    return _shown(x, source), np.abs(source - frame).max(axis=1).astype(float)


#: perturbations by name: clips, valid lengths, strength, generator -> clips, achieved strength
PERTURBATIONS: Mapping[str, Callable[..., tuple[np.ndarray, np.ndarray]]] = {
    "noise": gaussian_noise,
    "occlusion": hide_joints,
    "frame drop": drop_frames,
    "jitter": jitter_frames,
}


#: those that change places: scores are kept from them
OF_PLACES = ("noise", "occlusion")


def _check_share(share: float) -> None:
    if not 0 <= share <= 1:
        raise UserError(f"a share must lie between 0 and 1, got {share}")


def _drawn(among: np.ndarray, wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return ``wanted`` of the true entries along axis 1, by lot; more wanted only adds to them."""
    lot = np.where(among, rng.random(among.shape), np.inf)
    return among & (lot.argsort(axis=1).argsort(axis=1) < wanted)


def _shown(x: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Return the clips with frame ``source[i, t]`` in place of frame t of clip i."""
    return np.take_along_axis(x, source[:, None, :, None, None], axis=2)
