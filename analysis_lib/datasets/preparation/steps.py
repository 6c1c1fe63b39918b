"""Steps that bring one skeleton clip into a common frame: bodies, gaps, origin, axes, scale.

Each takes a clip (M, T, V, C) and returns another; its input is not changed. A joint whose
coordinates are all zero was not seen: it stays zero through centring and rotation. What is no clip,
or a joint that it has not, is a `UserError`. Joints are numbered from 0.

References
----------
Yan, Xiong & Lin (2018), ST-GCN: bodies in file order, nothing else. Shi et al. (2019), 2s-AGCN, released
code (``pre_normalization``): the other steps but `centre_clip` (Chen et al. 2021, CTR-GCN,
``seq_translation``) and `min_max` (its feeder of NW-UCLA).
"""

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from analysis_lib.errors import UserError

#: below this, an angle or the 1-norm of a rotation axis counts as nothing to rotate (2s-AGCN)
DEGENERATE = 1e-6


def first_bodies(x: np.ndarray, count: int) -> np.ndarray:
    """Return the first ``count`` bodies of a clip, with bodies of zeros where it has fewer.

    Examples
    --------
    >>> first_bodies(np.ones((1, 4, 3, 2)), 2).sum(axis=(1, 2, 3))
    array([24.,  0.])
    """
    x = _checked(x)
    if count < 1:
        raise UserError(f"the number of bodies must be at least 1, got {count}")
    absent = np.zeros((max(0, count - len(x)), *x.shape[1:]), x.dtype)
    return np.concatenate([x[:count], absent])


def largest_bodies(x: np.ndarray, count: int = 2, n_coordinates: int | None = None) -> np.ndarray:
    r"""Return the ``count`` bodies that are spread most, the most spread first; zeros for absent ones.

    .. math:: e_m = \sum_c \operatorname{std}_{t, v}\, x_{m t v c}

    over the frames in which body m is present and the first ``n_coordinates`` channels, all by default: scores are
    no space. The sum of axis-wise deviations depends on the
    axes, so a rotated clip may rank its bodies differently. Equal bodies keep their order.

    Examples
    --------
    >>> still, moving = np.ones((5, 2, 3)), np.arange(30.0).reshape(5, 2, 3)
    >>> largest_bodies(np.stack([still, moving]), 1)[0, -1, -1]
    array([27., 28., 29.])
    """
    x = _checked(x)
    energy = np.array([_energy(body[..., :n_coordinates]) for body in x])
    return first_bodies(x[np.argsort(-energy, kind="stable")], count)


def _energy(body: np.ndarray) -> float:
    """Return the summed standard deviations of the coordinates (T, V, C) over non-zero frames."""
    seen = body[body.any(axis=(1, 2))]
    return float(seen.std(axis=(0, 1), dtype=float).sum()) if len(seen) else 0.0


def fill_null_frames(x: np.ndarray, n_frames: int) -> np.ndarray:
    """Return the clip repeated from its beginning until it has ``n_frames`` frames, body by body.

    A body that is absent in the first frame is shifted to the start, and its inner gaps vanish
    with it; the gaps of a body that is there from the start remain. Trailing null frames are
    overwritten by the repetition. A longer clip than ``n_frames`` is a `UserError`.

    Examples
    --------
    >>> x = np.array([0.0, 1, 2, 0, 3, 0]).reshape(1, 6, 1, 1)
    >>> fill_null_frames(x, 8).ravel()
    array([1., 2., 3., 1., 2., 3., 1., 2.])
    """
    x = _checked(x)
    if x.shape[1] > n_frames:
        raise UserError(
            f"a clip of {x.shape[1]} frames does not fit into {n_frames}; "
            "choose more frames, or resample the clip first"
        )
    return np.stack([_repeated(body, n_frames) for body in x])


def _repeated(body: np.ndarray, n_frames: int) -> np.ndarray:
    """Return one body (T, V, C) without leading and trailing null frames, tiled to ``n_frames``."""
    seen = np.flatnonzero(body.any(axis=(1, 2)))
    if not len(seen):
        return np.zeros((n_frames, *body.shape[1:]), body.dtype)
    clip = body[: seen[-1] + 1] if seen[0] == 0 else body[seen]
    return clip[np.arange(n_frames) % len(clip)]


def centre_frames(x: np.ndarray, joint: int) -> np.ndarray:
    """Return the clip relative, frame by frame, to a joint of the first body, where that is present.

    Examples
    --------
    >>> x = np.array([[[1.0, 5.0], [2.0, 7.0]]])[..., None]  # 1 body, 2 frames, 2 joints, 1 axis
    >>> centre_frames(x, 0)[0, :, :, 0]
    array([[0., 4.],
           [0., 5.]])
    """
    x = _checked(x, joint)
    return _moved(x, x[:1, :, joint, None])


def centre_clip(x: np.ndarray, joint: int) -> np.ndarray:
    """Return the clip relative to where a joint of the first body is when that body first appears.

    The offset is one for the whole clip, so the way through the room is kept; a clip without a
    first body is returned as it is.

    Examples
    --------
    >>> x = np.array([[[0.0, 0.0], [1.0, 5.0], [2.0, 7.0]]])[..., None]
    >>> centre_clip(x, 0)[0, :, :, 0]
    array([[0., 0.],
           [0., 4.],
           [1., 6.]])
    """
    x = _checked(x, joint)
    start = x[0].any(axis=(1, 2)).argmax()
    return _moved(x, x[0, start, joint])


def _moved(x: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Return x - origin, with joints of zeros left alone."""
    return np.where(x.any(axis=-1, keepdims=True), x - origin, x)


def align_axis(x: np.ndarray, joint_from: int, joint_to: int, axis: int) -> np.ndarray:
    r"""Return the clip (M, T, V, 3) rotated so that one bone of the first frame points along x, y or z.

    The bone is :math:`b = x_{0, 0, \mathrm{to}} - x_{0, 0, \mathrm{from}}` of the first body; all
    bodies and frames turn with it about :math:`b \times e_{axis}`, the shortest way. Nothing is
    rotated if the bone has no length, or lies along the axis already, in either direction: the
    published code leaves a bone that points the opposite way as it is. Of two alignments in a row
    only the last is exact.

    Examples
    --------
    >>> x = np.array([[0.0, 0, 0], [0, 2, 0]]).reshape(1, 1, 2, 3)
    >>> align_axis(x, 0, 1, axis=2)[0, 0, 1].round(6)
    array([0., 0., 2.])
    """
    x = _checked(x, joint_from, joint_to)
    if x.shape[-1] != 3 or axis not in (0, 1, 2):
        raise UserError(
            "a clip needs 3 coordinates a joint, and an axis 0, 1 or 2, to be rotated; "
            f"got {x.shape[-1]} coordinates and axis {axis}"
        )
    bone, target = x[0, 0, joint_to] - x[0, 0, joint_from], np.eye(3)[axis]
    pivot = np.cross(bone.astype(float), target)
    angle = np.arctan2(np.linalg.norm(pivot), bone[axis])
    if np.abs(pivot).sum() < DEGENERATE or angle < DEGENERATE:
        return x.copy()
    rotation = Rotation.from_rotvec(angle * pivot / np.linalg.norm(pivot)).as_matrix()
    return (x @ rotation.T).astype(x.dtype)


def min_max(x: np.ndarray) -> np.ndarray:
    """Return the clip scaled to [-1, 1], each axis by its own range over the clip; 0 where it has none."""
    x = _checked(x)
    low, high = x.min(axis=(0, 1, 2)), x.max(axis=(0, 1, 2))
    span = high - low
    return np.where(span > 0, 2 * (x - low) / np.where(span > 0, span, 1) - 1, 0).astype(x.dtype)


def unit_size(x: np.ndarray) -> np.ndarray:
    r"""Return the clip in units of its body's size, so that the unit of the data does not count.

    .. math:: s^2 = \operatorname{mean}_{m, t, v} \lVert x_{m t v} - \bar{x}_{m t} \rVert^2

    over the frames in which a body is present, with its mean joint :math:`\bar{x}_{m t}`. A clip of a single
    joint, or whose joints coincide, is returned as it is.

    Examples
    --------
    >>> x = np.array([[[-2.0, 0.0], [2.0, 0.0]]])[None]  # 1 body, 1 frame, 2 joints, x and y
    >>> unit_size(1e-9 * x)[0, 0].round(6).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    x = _checked(x)
    seen = x[x.any(axis=(2, 3))].astype(float)  # (frames, V, C)
    spread = seen - seen.mean(axis=1, keepdims=True)
    size = np.sqrt((spread**2).sum(axis=-1).mean()) if len(seen) else 0.0
    return (x / size).astype(x.dtype) if size > 0 else x.copy()


def bones(x: np.ndarray, parents: Sequence[int]) -> np.ndarray:
    """Return each joint relative to the one that its bone leads to; zero of a joint without, or where one is not seen.

    Examples
    --------
    >>> bones(np.array([1.0, 3.0, 7.0]).reshape(1, 1, 3, 1), (0, 0, 1)).ravel()
    array([0., 2., 4.])
    """
    x = _checked(x, *parents)
    return _difference(x, x[:, :, list(parents)])


def motion(x: np.ndarray) -> np.ndarray:
    """Return how far each joint goes to the next frame; zero at the last frame, or where it is not seen.

    Examples
    --------
    >>> motion(np.array([1.0, 3.0, 7.0]).reshape(1, 3, 1, 1)).ravel()
    array([2., 4., 0.])
    """
    x = _checked(x)
    return _difference(np.concatenate([x[:, 1:], x[:, -1:]], axis=1), x)


def _difference(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return x - y, zero where a joint of either is of zeros."""
    seen = x.any(axis=-1, keepdims=True) & y.any(axis=-1, keepdims=True)
    return np.where(seen, x - y, 0)


def _checked(x: np.ndarray, *joints: int) -> np.ndarray:
    """Return ``x`` as floats if it is one clip (M, T, V, C) and has these joints."""
    x = np.asarray(x)
    if x.ndim != 4 or 0 in x.shape:
        raise UserError(f"expected one clip (bodies, frames, joints, coordinates), got shape {x.shape}")
    if wrong := [v for v in joints if not 0 <= v < x.shape[2]]:
        raise UserError(f"joint {wrong[0]} does not exist: the clip has {x.shape[2]} joints")
    return x if np.issubdtype(x.dtype, np.floating) else x.astype(np.float32)
