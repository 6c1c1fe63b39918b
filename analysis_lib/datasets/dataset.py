"""`SkeletonDataset`: what every reader returns and every chapter starts from."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np

from analysis_lib.errors import DataError, unknown_choice
from analysis_lib.files import atomic_path, digest
from analysis_lib.skeletons.skeleton import Skeleton

#: what the keys of splits begin with in a saved dataset
SPLIT = "split_"


@dataclass(frozen=True, eq=False)
class SkeletonDataset:
    """Skeleton sequences with their labels, and how they are split.

    Attributes
    ----------
    name : str
    skeleton : Skeleton
    sequences : tuple of float32 ndarray, each of shape (M, T_i, V, C)
        M bodies, T_i valid frames, V joints, C coordinates. Never padded; read-only.
    labels : int64 ndarray, shape (n,)
        0-based class of each clip.
    class_names : tuple of str
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

    Raises
    ------
    DataError
        If shapes disagree, a clip is empty or holds a value that is not finite, or an index is
        out of range. The message names the clip.
    """

    name: str
    skeleton: Skeleton
    sequences: tuple[np.ndarray, ...]
    labels: np.ndarray
    class_names: tuple[str, ...]
    groups: tuple[str, ...] = ()
    clips: tuple[str, ...] = ()
    subjects: np.ndarray | None = None
    views: np.ndarray | None = None
    splits: Mapping[str, np.ndarray] = field(default_factory=dict)
    unit: str = "m"

    def __post_init__(self) -> None:
        n = len(self.sequences)
        unknown = np.full(n, -1)
        fix = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731
        fix("sequences", tuple(_frozen(x, np.float32) for x in self.sequences))
        fix("labels", _frozen(self.labels, np.int64))
        fix("class_names", tuple(map(str, self.class_names)))
        fix("groups", tuple(map(str, self.groups)) or ("all",) * len(self.class_names))
        fix("clips", tuple(map(str, self.clips)) or tuple(f"clip {i}" for i in range(n)))
        fix("subjects", _frozen(unknown if self.subjects is None else self.subjects, np.int64))
        fix("views", _frozen(unknown if self.views is None else self.views, np.int64))
        splits = {k: _frozen(np.sort(v), np.int64) for k, v in self.splits.items()}
        fix("splits", MappingProxyType(splits))
        self._check()

    def _check(self) -> None:
        """Refuse contents that would turn into a silent NaN further on."""
        n, n_classes = len(self.sequences), len(self.class_names)
        if n == 0:
            raise DataError(f"dataset '{self.name}' has no clips")
        for what in ("labels", "subjects", "views", "clips"):
            if len(getattr(self, what)) != n:
                raise DataError(f"{what} has {len(getattr(self, what))} entries for {n} clips")
        if len(self.groups) != n_classes:
            raise DataError(f"groups has {len(self.groups)} entries for {n_classes} classes")
        if not ((self.labels >= 0) & (self.labels < n_classes)).all():
            raise DataError(f"labels must lie in 0..{n_classes - 1}, got {np.unique(self.labels)}")
        channels = self.sequences[0].shape[-1]
        for clip, x in zip(self.clips, self.sequences, strict=True):
            check_sequence(clip, x, self.skeleton.n_joints)
            if x.shape[-1] != channels:
                raise DataError(f"{clip}: {x.shape[-1]} coordinates a joint, others {channels}")
        for split, index in self.splits.items():
            if len(index) and not (index[0] >= 0 and index[-1] < n):
                raise DataError(f"split '{split}' names a clip outside 0..{n - 1}")

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
        }
        splits = {f"{SPLIT}{name}": index for name, index in self.splits.items()}
        with atomic_path(path) as temporary, open(temporary, "wb") as handle:
            np.savez(handle, **arrays, **splits)


def check_sequence(clip: str, x: np.ndarray, n_joints: int) -> None:
    """Raise DataError, naming the clip, unless ``x`` is a finite (M, T > 0, V, C) array."""
    if x.ndim != 4:
        raise DataError(f"{clip}: expected (bodies, frames, joints, coordinates), got {x.shape}")
    if x.shape[2] != n_joints:
        raise DataError(f"{clip}: {x.shape[2]} joints, but its skeleton has {n_joints}")
    if 0 in x.shape:
        raise DataError(f"{clip}: zero-length clip, shape {x.shape}")
    if not np.isfinite(x).all():
        frame = int(np.argwhere(~np.isfinite(x))[0][1])
        raise DataError(f"{clip}: NaN or infinite coordinate in frame {frame}")


def _frozen(values, dtype) -> np.ndarray:
    """Return ``values`` as a contiguous read-only array (a copy only where one is needed)."""
    array = np.ascontiguousarray(values, dtype)
    if array.flags.writeable:
        array = array.view()
        array.flags.writeable = False
    return array
