"""What a dataset holds, in lines of text."""

import numpy as np

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.words import counted, number, percent


def described(data: SkeletonDataset) -> str:
    r"""Return what a dataset holds: counts, shapes, channels and ranges, gaps, splits, classes.

    Examples
    --------
    >>> from analysis_lib.skeletons.skeleton import Skeleton
    >>> arm = Skeleton("arm", ("hand", "elbow"), ((0, 1),))
    >>> clips = [np.zeros((1, 1, 2, 2)), np.array([[[[1, 0], [3, 2]], [[1, 0], [np.nan, 2]]]])]
    >>> print(described(SkeletonDataset("lifts", arm, clips, [0, 1], ("up", "down"))).replace("\u202f", " "))
    lifts: 2 clips, 2 classes
    skeleton: arm (2 joints, 1 bone)
    bodies: 1 (2 of the clips)
    frames: 1 to 2, median 1.5
    channels: x, y, in m
      x: 0 to 3.0
      y: 0 to 2.0
    missing: elbow 33 %; no other joint
    splits: none
    subjects: unknown
    views: unknown
    classes:
      up: 1 clip
      down: 1 clip
    """
    skeleton, lengths = data.skeleton, data.lengths
    classes = zip(data.class_names, np.bincount(data.labels, minlength=len(data.class_names)).tolist(), strict=True)
    bones = len({frozenset(edge) for edge in skeleton.edges})
    bodies, clips = np.unique([len(x) for x in data.sequences], return_counts=True)
    low = np.min([x.min(axis=(0, 1, 2)) for x in data.sequences], axis=0)
    high = np.max([x.max(axis=(0, 1, 2)) for x in data.sequences], axis=0)
    return "\n".join(
        [
            f"{data.name}: {counted(len(data), 'clip')}, {counted(len(data.class_names), 'class', 'classes')}",
            f"skeleton: {skeleton.name} ({counted(skeleton.n_joints, 'joint')}, {counted(bones, 'bone')})",
            f"bodies: {', '.join(f'{m} ({n:,} of the clips)' for m, n in zip(bodies, clips, strict=True))}",
            f"frames: {lengths.min()} to {lengths.max()}, median {number(np.median(lengths), None)}",
            f"channels: {', '.join(data.channels)}, in {data.unit}",
            *(
                f"  {channel}: {number(a)} to {number(b)}"
                for channel, a, b in zip(data.channels, low.tolist(), high.tolist(), strict=True)
            ),
            f"missing: {_missing(data)}",
            f"splits: {', '.join(f'{name} {len(index)}' for name, index in data.splits.items()) or 'none'}",
            *(f"{what}: {_people(getattr(data, what))}" for what in ("subjects", "views")),
            "classes:",
            *(f"  {name}: {counted(n, 'clip')}" for name, n in classes),
        ]
    )


def _missing(data: SkeletonDataset) -> str:
    """Return the share of frames in which each joint was missing, the worst first."""
    share = np.average(data.missing, axis=0, weights=data.lengths)
    worst = [v for v in np.argsort(-share, kind="stable").tolist() if share[v] > 0]
    if not worst:
        return "no joint"
    named = ", ".join(f"{data.skeleton.joints[v]} {percent(share[v])}" for v in worst)
    return f"{named}{'' if len(worst) == data.skeleton.n_joints else '; no other joint'}"


def _people(numbers: np.ndarray) -> str:
    """Return how many subjects or views there are."""
    known = np.unique(numbers[numbers >= 0])
    return f"{len(known)}" if len(known) else "unknown"
