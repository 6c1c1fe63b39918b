"""Which clips are looked at: so many of each class, some classes, those that are seen best."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.upright import upright
from analysis_lib.errors import UserError, unknown_choice


def sample_per_class(labels: np.ndarray, n_per_class: int, seed: int) -> np.ndarray:
    """Return sorted clip indices, so many of every class, drawn without replacement.

    Parameters
    ----------
    labels : int ndarray, shape (n,)
    n_per_class : int
        Of a class that has fewer, all; 0 takes as many of each as the smallest has.

    Raises
    ------
    UserError
        If the number is negative.

    Examples
    --------
    >>> sample_per_class(np.array([0, 0, 0, 1, 1]), 0, seed=0).shape
    (4,)
    """
    classes, counts = np.unique(labels, return_counts=True)
    _check_number(n_per_class)
    wanted = n_per_class or counts.min()
    rng = np.random.default_rng(seed)
    drawn = [
        rng.choice(np.flatnonzero(labels == c), min(wanted, n), replace=False)
        for c, n in zip(classes, counts, strict=True)
    ]
    return np.sort(np.concatenate(drawn))


def _check_number(n_per_class: int) -> None:
    if n_per_class < 0:
        raise UserError(
            f"the number of clips a class must be at least 0 (as many as the smallest has), got {n_per_class}"
        )


#: which clips may become nodes of a graph: those that are tested, those that are learnt from, or half of each
NODES = ("test", "train", "both")


def node_splits(data: SkeletonDataset, nodes: str, test: str, train: str) -> tuple[str, ...]:
    """Return the splits whose clips become nodes, those that are tested first; the only one that there is, if it is.

    Raises
    ------
    UserError
        If there is no such choice of nodes.

    Examples
    --------
    >>> from analysis_lib.datasets.catalogue import load_dataset
    >>> data = load_dataset("synthetic")
    >>> node_splits(data, "both", "test", "train"), node_splits(data, "train", "test", "train")
    (('test', 'train'), ('train',))
    """
    if nodes not in NODES:
        raise unknown_choice("choice of nodes", nodes, NODES)
    only = only_split(data)
    return (only,) if only else {"test": (test,), "train": (train,), "both": (test, train)}[nodes]


def only_split(data: SkeletonDataset) -> str:
    """Return the name of the only split that has clips; empty if there are several, or none."""
    filled = [name for name, index in data.splits.items() if len(index)]
    return filled[0] if len(filled) == 1 else ""


def sample_splits(data: SkeletonDataset, splits: Sequence[str], n_per_class: int, seed: int) -> np.ndarray:
    """Return the positions of so many clips of every class, as many from each of some splits (`sample_per_class`).

    Of an odd number the first split gives one more; each gives at least one. With 0, each gives as many of every
    class as the smallest class of all of them has.

    Raises
    ------
    UserError, DataError
        If the number is negative, there is no such split, it is empty, or two of them share a clip.

    Examples
    --------
    >>> from analysis_lib.datasets.catalogue import load_dataset
    >>> data = load_dataset("synthetic")
    >>> len(sample_splits(data, ("test", "train"), 3, seed=0)) / len(data.class_names)
    3.0
    """
    _check_number(n_per_class)
    for one, other in combinations(splits, 2):
        data.train_test(other, one)
    parts = [data.split(name) for name in splits]
    half, rest = divmod(n_per_class or len(parts) * smallest_class(*parts), len(parts))
    drawn = [sample_per_class(part.labels, max(1, half + (i < rest)), seed) for i, part in enumerate(parts)]
    return np.concatenate([data.splits[name][index] for name, index in zip(splits, drawn, strict=True)])


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


def usual_actions(data: SkeletonDataset, most: int) -> list[str]:
    """Return the first action with clips of each super-class, at most so many; without super-classes the first actions.

    Examples
    --------
    >>> from analysis_lib.datasets.catalogue import load_dataset
    >>> usual_actions(load_dataset("synthetic"), 2)
    ['drink water', 'kicking something']
    """
    present = class_indices(data, ())
    groups = list(dict.fromkeys(data.groups[c] for c in present))
    first = [next(c for c in present if data.groups[c] == group) for group in groups]
    return [data.class_names[c] for c in (first if len(groups) > 1 else present)[:most]]


def made_splits(data: SkeletonDataset) -> tuple[dict[str, np.ndarray], str]:
    """Return a training and a test split for data that have none, and a sentence that says how it was made.

    Every third person is tested; or where people are not known, or a class would then be missing on one
    side, every third clip of each class. Of two, the second is tested. Nothing is drawn by lot. Where no
    class has two clips, there is no test split.
    """
    people = np.unique(data.subjects)
    tested = np.isin(data.subjects, _every_third(people))
    whole = lambda part: set(data.labels[part].tolist()) == set(data.labels.tolist())  # noqa: E731
    if people[0] >= 0 and len(people) > 1 and whole(tested) and whole(~tested):
        which = "every third" if len(people) > 2 else "the second"
        rule = f"{which} person ({', '.join(map(str, _every_third(people).tolist()))}) is tested"
    else:
        tested = np.zeros(len(data), bool)
        for c in np.unique(data.labels):
            tested[_every_third(np.flatnonzero(data.labels == c))] = True
        rule = "every third clip of each action, or the second of two, is tested, whoever performed it"
    if not tested.any():
        note = "The data name no splits, and no action has two clips: all are in the split `train`, and none is tested."
        return {"train": np.arange(len(data))}, note
    splits = {"train": np.flatnonzero(~tested), "test": np.flatnonzero(tested)}
    return splits, f"The data name no splits, so one was made: {rule}."


def _every_third(values: np.ndarray) -> np.ndarray:
    return values[2::3] if len(values) > 2 else values[1:]


def left_out_groups(data: SkeletonDataset, seed: int = 0) -> tuple[np.ndarray, str]:
    """Return what may be left out at a time, one number a clip, and what it is: "people", or parts of the clips.

    People, if there are three or more, they are known of all clips, and none of them is the only one of
    an action. Else each class's clips are dealt to at most ten parts by lot.

    Raises
    ------
    UserError
        If a class has one clip: without it there would be none.

    Examples
    --------
    >>> from analysis_lib.datasets.catalogue import load_dataset
    >>> data = load_dataset("synthetic")
    >>> groups, what = left_out_groups(data)
    >>> groups is data.subjects, what
    (True, 'people')
    """
    members = [np.flatnonzero(data.labels == c) for c in np.unique(data.labels)]
    several = min(len(np.unique(data.subjects[mine])) for mine in members) > 1
    if several and data.subjects.min() >= 0 and len(np.unique(data.subjects)) > 2:
        return data.subjects, "people"
    if (fewest := min(map(len, members))) < 2:
        raise UserError("an action has one clip: nothing can be said of other clips; take two of each or more")
    groups, rng = np.zeros(len(data), np.int64), np.random.default_rng(seed)
    for mine in members:
        groups[rng.permutation(mine)] = np.arange(len(mine)) % min(10, max(3, fewest))
    return groups, "clips"


def smallest_class(*datasets: SkeletonDataset) -> int:
    """Return how many clips the smallest class of several datasets has."""
    return int(min(np.unique(data.labels, return_counts=True)[1].min() for data in datasets))


def clips_of(data: SkeletonDataset, names: Sequence[str]) -> np.ndarray:
    """Return the positions of the clips of some classes (`class_indices`)."""
    return np.flatnonzero(np.isin(data.labels, class_indices(data, names)))


def front_clips(data: SkeletonDataset, names: Sequence[str] = ()) -> list[int]:
    """Return for each class (`class_indices`) the position of the clip that is seen most from the front.

    Left and right are furthest apart in the picture there, in the mean of all pairs and frames.
    """
    pairs, sequences = np.array(data.skeleton.pairs or [(0, 0)]).T, upright(data).sequences

    def width(i):
        return np.abs(np.diff(sequences[i][0][:, pairs, 0], axis=1)).mean()

    return [int(max(np.flatnonzero(data.labels == c), key=width)) for c in class_indices(data, names)]
