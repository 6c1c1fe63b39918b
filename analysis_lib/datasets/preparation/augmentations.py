"""Random changes of one clip (M, T, V, C) for training; inputs are not changed."""

from collections.abc import Callable, Mapping

import numpy as np
from scipy.spatial.transform import Rotation

from analysis_lib.skeletons.skeleton import Skeleton


def turn(x: np.ndarray, skeleton: Skeleton, rng: np.random.Generator) -> np.ndarray:
    """Return the clip as other cameras would see it: turned by up to 60 degrees about x and y."""
    about_x, about_y = rng.uniform(-60, 60, size=2)
    return _turned(x, Rotation.from_euler("xy", [about_x, about_y], degrees=True))


def turn_about_y(x: np.ndarray, skeleton: Skeleton, rng: np.random.Generator) -> np.ndarray:
    """Return the clip as a camera on the same height would see it: turned by up to 60 degrees."""
    return _turned(x, Rotation.from_euler("y", rng.uniform(-60, 60), degrees=True))


def _turned(x: np.ndarray, rotation: Rotation) -> np.ndarray:
    """Return the rotated clip; a picture (x and y alone) as if it were a flat body, seen from the side."""
    axes = slice(x.shape[-1])
    return x @ rotation.as_matrix()[axes, axes].T.astype(x.dtype)


def mirror(x: np.ndarray, skeleton: Skeleton, rng: np.random.Generator) -> np.ndarray:
    """Return the clip, or with probability 1/2 its mirror image with left and right exchanged."""
    if rng.random() < 0.5:
        return x
    order = np.arange(skeleton.n_joints)
    for left, right in skeleton.pairs:
        order[[left, right]] = right, left
    flip = np.ones(x.shape[-1], x.dtype)
    flip[0] = -1
    return x[:, :, order] * flip


def crop_frames(x: np.ndarray, skeleton: Skeleton, rng: np.random.Generator) -> np.ndarray:
    """Return 80 to 100 % of the clip's frames, at a random place."""
    n_frames = x.shape[1]
    keep = max(1, round(n_frames * rng.uniform(0.8, 1.0)))
    start = rng.integers(n_frames - keep + 1)
    return x[:, start : start + keep]


#: those that turn places, and are given no scores
TURNS = ("turn", "turn-about-y")

#: by name: clip, its skeleton, generator -> clip
AUGMENTATIONS: Mapping[str, Callable[[np.ndarray, Skeleton, np.random.Generator], np.ndarray]] = {
    "turn": turn,
    "turn-about-y": turn_about_y,
    "mirror": mirror,
    "crop-frames": crop_frames,
}
