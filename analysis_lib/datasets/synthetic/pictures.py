"""The synthetic actions as a pose estimator would find them in a video: two coordinates and a score a joint.

The layout is that of Kinetics-skeleton (OpenPose, 18 joints), and so is what goes wrong: a joint behind the body
is less sure and often missing, a face that looks away has no nose, and what is outside the image is not seen.
"""

from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.synthetic.make import synthetic
from analysis_lib.datasets.synthetic.performers import stream
from analysis_lib.skeletons.layouts import NTU_25, OPENPOSE_18

#: focal length in widths of the image, width over height
FOCAL, ASPECT = 0.7, 4 / 3
#: in m: half the width of a trunk, how far behind its axis a joint is hidden by it, half a head
TRUNK, BEHIND, HEAD = 0.16, 0.08, 0.09
#: scores of a joint that is seen well and of one that is hidden, and their spread
SEEN, HIDDEN, SPREAD = 0.82, 0.35, 0.1
#: share of the frames in which a joint that is hidden, or not, is not found; they come in runs of so many frames
LOST_HIDDEN, LOST_SEEN, RUN = 0.45, 0.03, 9
BLUR = 0.004  # spread of a found joint, in sizes of the image

#: joints that both layouts have at the same place
_SAME = tuple(name for name in OPENPOSE_18.joints if name in NTU_25.joints and name != "neck")
#: places on a head: to its left, up and forward, in units of `HEAD`
_FACE = {
    "nose": (0, 0, 1.1),
    "right eye": (-0.35, 0.3, 0.9),
    "left eye": (0.35, 0.3, 0.9),
    "right ear": (-0.8, 0.1, 0),
    "left ear": (0.8, 0.1, 0),
}


def pictures(classes: str = "seen", seed: int = 0) -> SkeletonDataset:
    """Return the clips of `analysis_lib.datasets.synthetic.make.synthetic`, as found in a video.

    Returns
    -------
    SkeletonDataset
        Sequences (1, T_i, 18, 3) of x, y and score, in units of the image's size from its middle, y downward. A
        joint that was not found is (0, 0, 0).

    Raises
    ------
    UserError
        If there is no such set of classes.
    """
    filmed = synthetic(seed=seed, classes=classes)
    found = [picture(x[0], stream(seed, "picture", i))[None].astype(np.float32) for i, x in enumerate(filmed.sequences)]
    return replace(
        filmed,
        name="synthetic-pictures" if classes == "seen" else f"synthetic-pictures-{classes}",
        skeleton=OPENPOSE_18,
        sequences=tuple(found),
        unit="image size",
        channels=("x", "y", "score"),
        missing=None,
    )


def picture(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    r"""Return the 18 joints that are found of a body (T, 25, 3) before a camera, (T, 18, 3).

    .. math:: u = f X / Z, \qquad v = -f a\, Y / Z

    with X to the right, Y up and Z away from the camera in m, and a the image's width over its height.

    Parameters
    ----------
    x : ndarray, shape (T, 25, 3)
    rng : numpy Generator
    """
    body, away = _joints(x)
    hidden = _behind_the_trunk(body, x) | away
    place = np.stack([FOCAL * body[..., 0], -FOCAL * ASPECT * body[..., 1]], axis=-1) / body[..., 2:]
    shape = hidden.shape
    score = np.where(hidden, HIDDEN, SEEN) + SPREAD * _smooth(rng.standard_normal(shape))
    score = np.clip(score, 0.05, 1)
    place = place + BLUR / score[..., None] * rng.standard_normal(place.shape)
    lost = _uniform_runs(shape, rng) < np.where(hidden, LOST_HIDDEN, LOST_SEEN)
    lost |= (np.abs(place) > 0.5).any(axis=-1)
    return np.where(lost[..., None], 0, np.concatenate([place, score[..., None]], axis=-1))


def _joints(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the 18 joints in space, and whether each is on the side of the head that looks away."""
    of = {name: x[:, NTU_25.joint(name)] for name in NTU_25.joints}
    left = _unit(of["left shoulder"] - of["right shoulder"])
    up = _unit(of["head"] - of["neck"])
    forward = _unit(np.cross(left, up))
    places = {name: of[name] for name in _SAME}
    places["neck"] = (of["left shoulder"] + of["right shoulder"]) / 2
    away = dict.fromkeys(places, np.zeros(len(x), bool))
    for name, (to_left, higher, ahead) in _FACE.items():
        offset = HEAD * (to_left * left + higher * up + ahead * forward)
        places[name] = of["head"] + offset
        away[name] = (offset * of["head"]).sum(axis=-1) > 0.5 * HEAD * np.linalg.norm(of["head"], axis=-1)
    names = OPENPOSE_18.joints
    return np.stack([places[name] for name in names], axis=1), np.stack([away[name] for name in names], axis=1)


def _behind_the_trunk(body: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return which joints (T, 18) the line from the camera meets only behind the trunk."""
    top, base = x[:, NTU_25.joint("neck")], x[:, NTU_25.joint("hip centre")]
    share = ((body - base[:, None]) * (top - base)[:, None]).sum(-1) / np.square(top - base).sum(-1)[:, None]
    axis = base[:, None] + np.clip(share, 0, 1)[..., None] * (top - base)[:, None]
    sideways = np.abs(body[..., 0] / body[..., 2] - axis[..., 0] / axis[..., 2]) * axis[..., 2]
    along = (share > 0) & (share < 1)
    return along & (sideways < TRUNK) & (body[..., 2] > axis[..., 2] + BEHIND)


def _smooth(noise: np.ndarray) -> np.ndarray:
    """Return noise of spread 1 that changes slowly from frame to frame."""
    slow = gaussian_filter1d(noise, 2, axis=0)
    return slow / max(slow.std(), 1e-9)


def _uniform_runs(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Return numbers that are spread evenly over 0..1, and near each other within a run of frames."""
    slow = uniform_filter1d(rng.standard_normal(shape), RUN, axis=0)
    return (slow.argsort(axis=None).argsort() / slow.size).reshape(shape)


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-9)
