"""Which clips are looked at: so many of each class, some classes, those that are seen best."""

from collections.abc import Sequence

import numpy as np

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.errors import UserError, unknown_choice


def sample_per_class(labels: np.ndarray, n_per_class: int, seed: int) -> np.ndarray:
    """Return sorted clip indices, the same number of every class, drawn without replacement.

    Parameters
    ----------
    labels : int ndarray, shape (n,)
    n_per_class : int
        0 takes as many as the smallest class has.

    Raises
    ------
    UserError
        If a class has fewer clips than asked for.

    Examples
    --------
    >>> sample_per_class(np.array([0, 0, 0, 1, 1]), 0, seed=0).shape
    (4,)
    """
    classes, counts = np.unique(labels, return_counts=True)
    wanted = n_per_class or counts.min()
    if wanted < 0 or wanted > counts.min():
        raise UserError(
            f"n_per_class is {n_per_class}, but class {classes[counts.argmin()]} has "
            f"{counts.min()} clips; 0 takes as many as the smallest class has"
        )
    rng = np.random.default_rng(seed)
    drawn = [rng.choice(np.flatnonzero(labels == c), wanted, replace=False) for c in classes]
    return np.sort(np.concatenate(drawn))


def class_indices(data: SkeletonDataset, names: Sequence[str]) -> list[int]:
    """Return the numbers of some classes; without names, of all that have clips.

    Raises
    ------
    UserError
        If a class does not exist, has no clip (those that have are listed), or is named twice.
    """
    present = [data.class_names[c] for c in np.unique(data.labels)]
    for name in names:
        if name not in data.class_names:
            raise unknown_choice(f"class of '{data.name}'", name, data.class_names)
        if name not in present:
            raise UserError(
                f"class '{name}' has no clip among the {len(data)} that are looked at; "
                f"classes with clips: {', '.join(present)}"
            )
    if len(set(names)) < len(names):
        raise UserError(f"each class is named once, got {', '.join(names)}")
    return [data.class_names.index(name) for name in names or present]


def clips_of(data: SkeletonDataset, names: Sequence[str]) -> np.ndarray:
    """Return the positions of the clips of some classes (`class_indices`)."""
    return np.flatnonzero(np.isin(data.labels, class_indices(data, names)))


def front_clips(data: SkeletonDataset, names: Sequence[str] = ()) -> list[int]:
    """Return for each class (`class_indices`) the position of the clip that is seen most from the front.

    Left and right are furthest apart in the picture there, in the mean of all pairs and frames.
    """
    pairs = np.array(data.skeleton.pairs or [(0, 0)]).T

    def width(i):
        return np.abs(np.diff(data.sequences[i][0][:, pairs, 0], axis=1)).mean()

    return [int(max(np.flatnonzero(data.labels == c), key=width)) for c in class_indices(data, names)]
