"""Steps that bring one skeleton clip (M, T, V, C) into a common frame: bodies, gaps, origin, axes.

Two published chains are made of them. (a) ST-GCN: `first_bodies`, zero padding, nothing else.
(b) 2s-AGCN and Shift-GCN: `pre_normalise`, the chain that their checkpoints expect. A joint whose
coordinates are all zero was not seen, and stays zero through every step. Inputs are not changed.
"""

import numpy as np
from scipy.spatial.transform import Rotation

from analysis_lib.errors import UserError

#: below this, an angle or the 1-norm of a rotation axis counts as nothing to rotate (2s-AGCN)
DEGENERATE = 1e-6


def first_bodies(x: np.ndarray, count: int) -> np.ndarray:
    """Return the first ``count`` bodies of a clip, with bodies of zeros where it has fewer.

    Parameters
    ----------
    x : ndarray, shape (M, T, V, C)
    count : int

    Returns
    -------
    ndarray, shape (count, T, V, C)

    Raises
    ------
    UserError
        If ``x`` is not a clip, or ``count`` is below one.

    References
    ----------
    Yan, Xiong & Lin (2018), released code: the first two bodies of each frame in file order.

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


def largest_bodies(x: np.ndarray, count: int = 2) -> np.ndarray:
    r"""Return the ``count`` bodies that are spread most, the most spread first.

    .. math:: e_m = \sum_c \operatorname{std}_{t, v}\, x_{m t v c}

    over the frames in which body m is present. The sum of axis-wise deviations depends on the
    axes, so a rotated clip may rank its bodies differently. Equal bodies keep their order.

    Parameters
    ----------
    x : ndarray, shape (M, T, V, C)
    count : int

    Returns
    -------
    ndarray, shape (count, T, V, C)
        Bodies of zeros are appended where the clip has fewer.

    References
    ----------
    Shi et al. (2019), 2s-AGCN, released code.

    Examples
    --------
    >>> still, moving = np.ones((5, 2, 3)), np.arange(30.0).reshape(5, 2, 3)
    >>> largest_bodies(np.stack([still, moving]), 1)[0, -1, -1]
    array([27., 28., 29.])
    """
    x = _checked(x)
    energy = np.array([_energy(body) for body in x])
    return first_bodies(x[np.argsort(-energy, kind="stable")], count)


def _energy(body: np.ndarray) -> float:
    """Return the summed standard deviations of the coordinates (T, V, C) over non-zero frames."""
    seen = body[body.any(axis=(1, 2))]
    return float(seen.std(axis=(0, 1), dtype=float).sum()) if len(seen) else 0.0


def fill_null_frames(x: np.ndarray, n_frames: int) -> np.ndarray:
    """Return the clip repeated from its beginning until it has ``n_frames`` frames, body by body.

    A body that is absent in the first frame is shifted to the start, and its inner gaps vanish
    with it; the gaps of a body that is there from the start remain. Trailing null frames are
    overwritten by the repetition.

    Parameters
    ----------
    x : ndarray, shape (M, T, V, C)
    n_frames : int
        At least T.

    Returns
    -------
    ndarray, shape (M, n_frames, V, C)

    Raises
    ------
    UserError
        If the clip is longer than ``n_frames``.

    References
    ----------
    Shi et al. (2019), 2s-AGCN, released code (``pre_normalization``, first step).

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
    """Return the clip relative, frame by frame, to a joint of the first body.

    Where the first body is absent nothing is subtracted; joints of zeros stay zero.

    Parameters
    ----------
    x : ndarray, shape (M, T, V, C)
    joint : int
        0-based; the middle of the spine (1) for NTU.

    References
    ----------
    Shi et al. (2019), 2s-AGCN, released code (``pre_normalization``, second step).

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

    The offset is one for the whole clip, so the way through the room is kept. Joints of zeros
    stay zero; a clip without a first body is returned as it is.

    Parameters
    ----------
    x : ndarray, shape (M, T, V, C)
    joint : int
        0-based; the middle of the spine (1) for NTU.

    References
    ----------
    Chen et al. (2021), CTR-GCN, released code (``seq_translation``).

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
    r"""Return the clip rotated so that one bone of the first frame points along an axis.

    The bone is :math:`b = x_{0, 0, \mathrm{to}} - x_{0, 0, \mathrm{from}}` of the first body; all
    bodies and frames turn with it about :math:`b \times e_{axis}`, the shortest way. Nothing is
    rotated if the bone has no length, or lies along the axis already, in either direction: the
    published code leaves a bone that points the opposite way as it is.

    Parameters
    ----------
    x : ndarray, shape (M, T, V, 3)
    joint_from, joint_to : int
    axis : {0, 1, 2}
        x, y or z.

    Returns
    -------
    ndarray, shape (M, T, V, 3)

    References
    ----------
    Shi et al. (2019), 2s-AGCN, released code (``pre_normalization``, third and fourth step).

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


def pre_normalise(x: np.ndarray, n_frames: int = 300) -> np.ndarray:
    """Return an NTU clip as 2s-AGCN and Shift-GCN take it: two bodies, no gaps, facing one way.

    Of the first four bodies the two largest; null frames filled and the clip repeated to
    ``n_frames``; centred on the spine frame by frame; spine (0 to 1) along z, then shoulders
    (4 to 8) along x. The second rotation tilts the spine again unless it was perpendicular to the
    shoulders, so the result depends a little on the view; the published weights were trained on it.

    Parameters
    ----------
    x : ndarray, shape (M, T, 25, 3)
        Bodies by their place in the file (``order="file"`` of the NTU reader).
    n_frames : int

    Returns
    -------
    ndarray, shape (2, n_frames, 25, 3)

    Raises
    ------
    UserError
        If the clip has not 25 joints of 3 coordinates, or is longer than ``n_frames``.

    References
    ----------
    Shi et al. (2019), 2s-AGCN; Cheng et al. (2020), Shift-GCN: ``pre_normalization`` of both.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(1, 40, 25, 3))
    >>> y = pre_normalise(x)
    >>> y.shape, float(abs(y[:, :, 1]).max())
    ((2, 300, 25, 3), 0.0)
    """
    x = _checked(x)
    if x.shape[2:] != (25, 3):
        raise UserError(f"pre_normalise needs the 25 joints of NTU in 3 coordinates, got {x.shape[2:]}")
    x = fill_null_frames(largest_bodies(first_bodies(x, 4), 2), n_frames)
    x = centre_frames(x, joint=1)
    return align_axis(align_axis(x, 0, 1, axis=2), 4, 8, axis=0)


def _checked(x: np.ndarray, *joints: int) -> np.ndarray:
    """Return ``x`` as floats if it is one clip (M, T, V, C) and has these joints."""
    x = np.asarray(x)
    if x.ndim != 4 or 0 in x.shape:
        raise UserError(f"expected one clip (bodies, frames, joints, coordinates), got shape {x.shape}")
    if wrong := [v for v in joints if not 0 <= v < x.shape[2]]:
        raise UserError(f"joint {wrong[0]} does not exist: the clip has {x.shape[2]} joints")
    return x if np.issubdtype(x.dtype, np.floating) else x.astype(np.float32)
