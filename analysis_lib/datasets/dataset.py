"""`SkeletonDataset`: what every reader returns and every chapter starts from."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from pathlib import Path
from types import MappingProxyType

import numpy as np

from analysis_lib.datasets.gaps import fill_gaps
from analysis_lib.errors import DataError, UserError, unknown_choice
from analysis_lib.files import atomic_path, digest
from analysis_lib.skeletons.skeleton import Skeleton

#: what the keys of splits begin with in a saved dataset
SPLIT = "split_"
#: what the numbers of a joint can mean, in this order; by number of channels the first is the default
CHANNELS = (("x", "y"), ("x", "y", "z"), ("x", "y", "score"), ("x", "y", "z", "score"))
#: share of the widest clip's extent that coordinates may lose as 32-bit numbers
PRECISION = 1e-4
#: classes that are named by their numbers where nobody names them
MOST_CLASSES = 10_000


@dataclass(frozen=True, eq=False)
class SkeletonDataset:
    """Skeleton sequences with their labels, and how they are split.

    Attributes
    ----------
    name : str
    skeleton : Skeleton
    sequences : tuple of float32 ndarray, each of shape (M, T_i, V, C)
        M bodies, T_i valid frames, V joints, C channels. Never padded; read-only. A joint that is
        given as NaN is missing: `analysis_lib.datasets.gaps.fill_gaps` fills it in.
    labels : int64 ndarray, shape (n,)
        0-based class of each clip; given as text, the names of the classes.
    class_names : tuple of str
        By default the labels' names in order of the alphabet, or ``class 0``, ``class 1``, ...
    groups : tuple of str, one a class
        Super-class, such as ``"upper body"``; ``"all"`` where none is defined.
    clips : tuple of str, length n
        Name of each clip in its source.
    subjects, views : int64 ndarray, shape (n,)
        -1 where unknown.
    splits : mapping of str to sorted int64 ndarray
        Clip indices by split name (``"train"``, ``"test"``, ...).
    unit : str
        Unit of the coordinates.
    channels : tuple of str
        What the C numbers of a joint mean, one of `CHANNELS`: two are x and y, three are x, y and z,
        unless it is said that one is a score. A score is no place: it is never moved, turned or scaled.
    missing : float64 ndarray, shape (n, V)
        Share of each clip's frames in which a joint was missing.
    notes : tuple of str
        Sentences on what had to be decided for want of better when the data were read, for the pages.

    Raises
    ------
    DataError
        If shapes or types disagree, a clip is empty or holds a value that is infinite, a joint is
        never seen, an index is out of range, or the splits of one protocol share clips. The message
        names the clip.
    """

    name: str
    skeleton: Skeleton
    sequences: tuple[np.ndarray, ...]
    labels: np.ndarray
    class_names: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    clips: tuple[str, ...] = ()
    subjects: np.ndarray | None = None
    views: np.ndarray | None = None
    splits: Mapping[str, np.ndarray] = field(default_factory=dict)
    unit: str = "m"
    channels: tuple[str, ...] = ()
    missing: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.sequences)
        unknown = np.full(n, -1)
        fix = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731
        fix("clips", tuple(map(str, self.clips)) or tuple(f"clip {i}" for i in range(n)))
        if n == 0:
            raise DataError(f"dataset '{self.name}' has no clips")
        self._check_counts(n)
        fix("sequences", _narrowed(self.clips, self.sequences))
        labels, class_names = _classes(self.labels, tuple(map(str, self.class_names)))
        fix("labels", _frozen(labels, np.int64))
        fix("class_names", class_names)
        fix("groups", tuple(map(str, self.groups)) or ("all",) * len(self.class_names))
        fix("subjects", _frozen(_whole("subjects", unknown if self.subjects is None else self.subjects), np.int64))
        fix("views", _frozen(_whole("views", unknown if self.views is None else self.views), np.int64))
        splits = {k: _frozen(np.sort(_whole(f"split '{k}'", v)), np.int64) for k, v in self.splits.items()}
        fix("splits", MappingProxyType(splits))
        channels = self.sequences[0].shape[-1]
        fix("channels", tuple(map(str, self.channels)) or _channels(channels))
        fix("notes", tuple(self.notes))
        self._check()
        self._fill()

    def _check_counts(self, n: int) -> None:
        """Refuse a list of another length than there are clips."""
        for what in ("labels", "subjects", "views", "clips"):
            given = getattr(self, what)
            if given is not None and len(given) != n:
                raise DataError(f"{what} has {len(given)} entries for {n} clips")

    def _check(self) -> None:
        """Refuse contents that would turn into a silent NaN further on."""
        n, n_classes = len(self.sequences), len(self.class_names)
        if len(self.groups) != n_classes:
            raise DataError(f"groups has {len(self.groups)} entries for {n_classes} classes")
        if twice := [name for name in self.class_names if self.class_names.count(name) > 1]:
            raise DataError(f"two classes are called '{twice[0]}'; give each a name of its own")
        if not ((self.labels >= 0) & (self.labels < n_classes)).all():
            hint = "; do they count from 1? subtract 1" if self.labels.min() == 1 else ""
            raise DataError(f"labels must lie in 0..{n_classes - 1}, got {np.unique(self.labels)}{hint}")
        channels = len(self.channels)
        if self.channels not in CHANNELS:
            raise DataError(f"channels must be one of {', '.join(map('-'.join, CHANNELS))}, got {self.channels}")
        for clip, x in zip(self.clips, self.sequences, strict=True):
            check_sequence(clip, x, self.skeleton.n_joints, gaps=True)
            if x.shape[-1] != channels:
                raise DataError(f"{clip}: {x.shape[-1]} coordinates a joint, others {channels}")
        for split, index in self.splits.items():
            if len(index) and not (index[0] >= 0 and index[-1] < n):
                raise DataError(f"split '{split}' names a clip outside 0..{n - 1}")
        for one, other in combinations(self.splits, 2):
            if _protocol(one) == _protocol(other) is not None:
                self._check_disjoint(one, other)

    def _check_disjoint(self, one: str, other: str) -> None:
        shared = np.intersect1d(self.splits[one], self.splits[other])
        if len(shared):
            raise DataError(
                f"splits '{one}' and '{other}' of '{self.name}' share {len(shared)} clips, the first of them "
                f"'{self.clips[shared[0]]}'; what is scored must not have been learnt from"
            )

    def _fill(self) -> None:
        """Fill gaps in time, and keep how much was missing."""
        filled, missing = self.sequences, self.missing
        if missing is None:
            found = [fill_gaps(x, self.n_coordinates) for x in self.sequences]
            filled, missing = tuple(_frozen(x, np.float32) for x, _ in found), np.array([m for _, m in found])
            if missing.any():
                self._check_seen(missing)
        if np.shape(missing) != (len(self), self.skeleton.n_joints):
            raise DataError(f"missing has shape {np.shape(missing)}, expected a share a clip and joint")
        object.__setattr__(self, "sequences", filled)
        object.__setattr__(self, "missing", _frozen(missing, np.float64))

    def _check_seen(self, missing: np.ndarray) -> None:
        never = (missing == 1).all(axis=0)
        if never.all() or (missing == 1).all(axis=1).any():
            clip = self.clips[int((missing == 1).all(axis=1).argmax())]
            raise DataError(f"{clip}: every coordinate is NaN (a missing joint); leave the clip out")
        if never.any():
            joint = self.skeleton.joints[int(never.argmax())]
            raise DataError(f"joint '{joint}' is NaN in every frame of every clip; leave it out of the skeleton")

    @property
    def n_coordinates(self) -> int:
        """How many channels are coordinates; the last one may be a score."""
        return len(self.channels) - self.channels.count("score")

    @property
    def places(self) -> tuple[np.ndarray, ...]:
        """The clips without scores, each of shape (M, T_i, V, 2 or 3)."""
        return tuple(x[..., : self.n_coordinates] for x in self.sequences)

    def __len__(self) -> int:
        return len(self.sequences)

    def __repr__(self) -> str:
        return (
            f"SkeletonDataset('{self.name}', {len(self)} clips, {len(self.class_names)} classes, "
            f"{self.skeleton.name}, splits {self._split_sizes()})"
        )

    def _split_sizes(self) -> dict[str, int]:
        return {name: len(index) for name, index in self.splits.items()}

    @cached_property
    def lengths(self) -> np.ndarray:
        """Number of frames of each clip, shape (n,)."""
        return np.array([x.shape[1] for x in self.sequences])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the contents: clips, labels, names, splits and skeleton."""
        head = repr(
            (
                self.name,
                self.skeleton.to_dict(),
                self.class_names,
                self.groups,
                self.clips,
                sorted((k, v.tolist()) for k, v in self.splits.items()),
                self.unit,
                *([self.channels] if self.channels != _channels(len(self.channels)) else []),
            )
        )
        arrays = (self.labels, self.subjects, self.views, *self.sequences)
        return digest(head, *(part for a in arrays for part in (str(a.shape), a.tobytes())))

    def split(self, name: str) -> "SkeletonDataset":
        """Return the clips of one split.

        Raises
        ------
        UserError, DataError
            If there is no such split (the choices are listed), or it is empty.
        """
        if name not in self.splits:
            raise unknown_choice(f"split of '{self.name}'", name, self.splits)
        if not len(self.splits[name]):
            raise DataError(f"split '{name}' of '{self.name}' is empty")
        return self.take(self.splits[name])

    def train_test(self, train: str, test: str) -> tuple["SkeletonDataset", "SkeletonDataset"]:
        """Return the clips that are learnt from, and those that are scored.

        Raises
        ------
        UserError, DataError
            As `split`; or if the two share a clip.
        """
        parts = self.split(train), self.split(test)
        self._check_disjoint(train, test)
        return parts

    def take(self, index: Iterable[int]) -> "SkeletonDataset":
        """Return the clips at ``index``, in that order; splits follow the clips."""
        index = np.asarray(list(index), np.int64)
        position = {int(old): new for new, old in enumerate(index)}
        splits = {
            name: np.array([position[i] for i in old.tolist() if i in position], np.int64)
            for name, old in self.splits.items()
        }
        return replace(
            self,
            sequences=tuple(self.sequences[i] for i in index),
            labels=self.labels[index],
            clips=tuple(self.clips[i] for i in index),
            subjects=self.subjects[index],
            views=self.views[index],
            missing=self.missing[index],
            splits=splits,
        )

    def of_classes(self, names: Iterable[str], name: str = "") -> "SkeletonDataset":
        """Return the clips of some classes alone, numbered in the order of ``names``.

        Parameters
        ----------
        names : iterable of str
        name : str, optional
            Of the new dataset; this one's by default.

        Raises
        ------
        UserError
            If there is no such class (the choices are listed).
        """
        names = tuple(names)
        if unknown := [given for given in names if given not in self.class_names]:
            raise unknown_choice(f"class of '{self.name}'", unknown[0], self.class_names)
        number = {self.class_names.index(given): new for new, given in enumerate(names)}
        kept = self.take(np.flatnonzero(np.isin(self.labels, list(number))))
        return replace(
            kept,
            name=name or self.name,
            labels=np.array([number[c] for c in kept.labels.tolist()], np.int64),
            class_names=names,
            groups=tuple(self.groups[c] for c in number),
        )

    def with_test_people(self, subjects: Iterable[int], name: str = "") -> "SkeletonDataset":
        """Return the same clips with two splits: ``test``, those of some people, and ``train``, everybody else's.

        Parameters
        ----------
        subjects : iterable of int
        name : str, optional
            Of the new dataset; this one's by default.

        Raises
        ------
        UserError
            If there is no clip of one of them, or of nobody else.
        """
        subjects = list(subjects)
        people = np.unique(self.subjects[self.subjects >= 0]).tolist()
        if unknown := [given for given in subjects if given not in people]:
            raise unknown_choice(f"person of '{self.name}'", str(unknown[0]), map(str, people))
        tested = np.isin(self.subjects, subjects)
        if tested.all():
            raise UserError(f"all clips of '{self.name}' would be tested on; leave somebody to learn from")
        splits = {"train": np.flatnonzero(~tested), "test": np.flatnonzero(tested)}
        return replace(self, name=name or self.name, splits=splits)

    def save(self, path: str | Path) -> None:
        """Write the dataset as one ``.npz`` of plain arrays (see `analysis_lib.datasets.readers.npz`).

        `analysis_lib.datasets.readers.npz.read_npz` returns it unchanged, fingerprint included.

        Raises
        ------
        UserError
            If the file cannot be written; an older file at ``path`` then stays as it was.
        """
        arrays = {
            "x": np.concatenate([x.reshape(-1, *x.shape[2:]) for x in self.sequences]),
            "bodies": np.array([len(x) for x in self.sequences]),
            "lengths": self.lengths,
            "labels": self.labels,
            "skeleton": json.dumps(self.skeleton.to_dict()),
            "class_names": np.array(self.class_names, str),
            "groups": np.array(self.groups, str),
            "clips": np.array(self.clips, str),
            "subjects": self.subjects,
            "views": self.views,
            "name": self.name,
            "unit": self.unit,
            "channels": np.array(self.channels, str),
            **({"missing": self.missing} if self.missing.any() else {}),
        }
        splits = {f"{SPLIT}{name}": index for name, index in self.splits.items()}
        with atomic_path(path) as temporary, open(temporary, "wb") as handle:
            np.savez(handle, **arrays, **splits)


def check_sequence(clip: str, x: np.ndarray, n_joints: int, gaps: bool = False) -> None:
    """Raise DataError, naming the clip, unless ``x`` is a finite (M, T > 0, V, C) array; ``gaps`` allows NaN."""
    if x.ndim != 4:
        hint = "; of one body it is x[None]" if x.ndim == 3 else ""
        raise DataError(f"{clip}: expected (bodies, frames, joints, coordinates), got {x.shape}{hint}")
    if x.shape[2] != n_joints:
        hint = "; are the coordinates before the joints?" if x.shape[3] == n_joints else ""
        raise DataError(f"{clip}: {x.shape[2]} joints, but its skeleton has {n_joints}{hint}")
    if 0 in x.shape:
        raise DataError(f"{clip}: zero-length clip, shape {x.shape}")
    wrong = np.isinf(x) if gaps else ~np.isfinite(x)
    if wrong.any():
        frame = int(np.argwhere(wrong)[0][1])
        raise DataError(f"{clip}: {'' if gaps else 'NaN or '}infinite coordinate in frame {frame}")


def _narrowed(clips: Iterable[str], sequences: Iterable) -> tuple[np.ndarray, ...]:
    """Return the clips as 32-bit numbers, if these hold what the clips show."""
    found, lost, widest = [], 0.0, 0.0
    for clip, values in zip(clips, sequences, strict=True):
        given = np.asarray(values)
        if given.dtype.kind not in "fiu":
            raise DataError(f"{clip}: coordinates must be real numbers, got {given.dtype}")
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes inf, refused later
            found.append(_frozen(given, np.float32))
        if given.size and given.dtype.itemsize > 2 and given.dtype != np.float32:
            exact = given.astype(float)
            with np.errstate(invalid="ignore"):
                lost = max(lost, np.nan_to_num(np.abs(exact - found[-1]), nan=0, posinf=0).max())
            widest = max(widest, np.nan_to_num(np.nanmax(exact, initial=-np.inf) - np.nanmin(exact, initial=np.inf)))
    if lost > PRECISION * widest > 0:
        raise DataError(
            f"coordinates lose {lost:.2g} as 32-bit numbers, and the widest clip spans no more than {widest:.3g}; "
            "subtract an origin near the clips first"
        )
    return tuple(found)


def _classes(labels, class_names: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return 0-based labels and the names of the classes; text labels are names."""
    labels = np.asarray(labels)
    if labels.dtype.kind in "UO" and all(isinstance(label, str) for label in labels.tolist()):
        class_names = class_names or tuple(np.unique(labels.astype(str)).tolist())
        if unknown := [label for label in labels.tolist() if label not in class_names]:
            raise unknown_choice("class name among the labels", unknown[0], class_names)
        return np.array([class_names.index(label) for label in labels.tolist()], int), class_names
    labels = _whole("labels", labels)
    if not class_names:
        if labels.min() == 1:
            raise DataError("labels begin with 1, and classes are counted from 0; subtract 1, or give class_names")
        if labels.max() >= MOST_CLASSES:
            raise DataError(f"labels go up to {labels.max()}; without class_names they are below {MOST_CLASSES}")
        class_names = tuple(f"class {c}" for c in range(labels.max() + 1))
    return labels, class_names


def _whole(what: str, values) -> np.ndarray:
    """Return whole numbers, one axis of them."""
    values = np.asarray(values)
    if values.ndim != 1 or (values.dtype.kind not in "iub" and values.size):
        raise DataError(f"{what} must be whole numbers on one axis, got {values.dtype} of shape {values.shape}")
    return values.astype(np.int64)


def _channels(count: int) -> tuple[str, ...]:
    """Return what so many channels mean if nothing is said."""
    if count in (2, 3):
        return CHANNELS[count - 2]
    raise DataError(
        f"{count} coordinates a joint: expected x and y, or x, y and z; if the last is a score, say so with "
        f"channels=('x', 'y', 'z', 'score'); are the axes (bodies, frames, joints, coordinates)?"
    )


def _protocol(split: str) -> str | None:
    """Return what stands before ``train``, ``test`` or ``val`` in a split's name; None if there is no such end.

    >>> _protocol("xsub_train"), _protocol("test"), _protocol("fold 3")
    ('xsub_', '', None)
    """
    found = re.fullmatch(r"(.*?)(train|test|val|validation)", split)
    return found[1] if found else None


def _frozen(values, dtype) -> np.ndarray:
    """Return ``values`` as a contiguous read-only array (a copy only where one is needed)."""
    array = np.ascontiguousarray(values, dtype)
    if array.flags.writeable:
        array = array.view()
        array.flags.writeable = False
    return array
