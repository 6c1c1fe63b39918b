"""Which way is up: cameras, motion capture and pictures each have axes of their own, and drawings have y up."""

from dataclasses import replace

import numpy as np

from analysis_lib.datasets.dataset import SkeletonDataset

_MOST = 1000  # clips that are looked at


def upright(data: SkeletonDataset) -> SkeletonDataset:
    """Return a dataset for drawing, seen from the front: x across, y up, z depth; itself if it is so already.

    Up is the axis on which the legs lie furthest below the rest of the body, across the one on which
    left and right lie furthest apart; so cameras may look along any axis, and y may point down. Without legs
    y is up, or down if the unit is pixels or sizes of an image.

    Examples
    --------
    >>> from analysis_lib.skeletons.skeleton import Skeleton
    >>> body = Skeleton("body", ("head", "foot"), ((1, 0),), parts={"torso": (0,), "left leg": (1,)})
    >>> x = np.array([[0.0, 2.0, 9.0], [0.0, 2.0, 7.5]])[None, None]  # z is up
    >>> upright(SkeletonDataset("b", body, [x], [0], ("stand",))).sequences[0][0, 0].tolist()
    [[0.0, 9.0, 2.0], [0.0, 7.5, 2.0]]
    """
    axes = _axes(data, _median_pose(data))
    if (axes == np.eye(len(axes))).all():
        return data
    turned = [
        np.concatenate([x[..., : len(axes)] @ axes.T.astype(x.dtype), x[..., len(axes) :]], -1) for x in data.sequences
    ]
    return replace(data, sequences=turned)


def mean_pose(data: SkeletonDataset) -> np.ndarray:
    """Return the median place of each joint about the middle of the body, `upright`, (V, 2).

    Examples
    --------
    >>> from analysis_lib.skeletons.skeleton import Skeleton
    >>> body = Skeleton("body", ("head", "foot"), ((1, 0),), parts={"torso": (0,), "left leg": (1,)})
    >>> x = np.array([[5.0, 10.0], [5.0, 30.0]])[None, None]  # the foot is further down: y grows downward
    >>> mean_pose(SkeletonDataset("b", body, [x], [0], ("stand",), unit="px")).tolist()
    [[0.0, 10.0], [0.0, -10.0]]
    """
    pose = _median_pose(data)
    return (pose @ _axes(data, pose).T)[:, :2]


def _median_pose(data: SkeletonDataset) -> np.ndarray:
    """Return the median place of each joint about the middle of the body, (V, coordinates)."""
    clips = data.places[:: 1 + len(data) // _MOST]
    frames = np.concatenate([x.reshape(-1, *x.shape[2:]) for x in clips])
    frames = frames[frames.any(axis=(1, 2))]
    return np.median(frames - frames.mean(axis=1, keepdims=True), axis=0)


def _axes(data: SkeletonDataset, pose: np.ndarray) -> np.ndarray:
    """Return the matrix that brings coordinates to across, up and depth."""
    n = pose.shape[1]
    legs = np.array([v for part, index in data.skeleton.parts.items() if part.endswith("leg") for v in index], int)
    rest = np.setdiff1d(np.arange(len(pose)), legs)
    drop = pose[rest].mean(axis=0) - pose[legs].mean(axis=0) if len(legs) and len(rest) else np.zeros(n)
    up = int(np.abs(drop).argmax()) if drop.any() else 1
    sign = np.sign(drop[up]) or (-1.0 if data.unit in ("px", "image size") else 1.0)
    left, right = np.array(data.skeleton.pairs or [(0, 0)]).T
    apart = np.abs(pose[left] - pose[right]).mean(axis=0)
    across = max((axis for axis in range(n) if axis != up), key=lambda axis: (apart[axis], -axis))
    order = [across, up, *(axis for axis in range(n) if axis not in (across, up))]
    return np.eye(n)[order] * np.array([1, sign, 1])[:n, None]
