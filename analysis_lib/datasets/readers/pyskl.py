"""PYSKL annotation pickles, read by an unpickler that can build arrays and nothing else.

A pickle is a program; loading one runs it. Here every name that it asks for is looked up in a short
list (arrays, dtypes and numbers of numpy), and anything else is refused by name.
"""

import logging
import math
import os
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from analysis_lib.datasets.dataset import MOST_CLASSES, SkeletonDataset
from analysis_lib.datasets.readers import ntu_tables
from analysis_lib.datasets.readers.ntu import CLIP_NAME
from analysis_lib.errors import DataError, cut, shown
from analysis_lib.files import open_plain
from analysis_lib.skeletons.layouts import COCO_17, NTU_25
from analysis_lib.skeletons.skeleton import Skeleton

log = logging.getLogger(__name__)

#: a label beyond this is taken for damage
MAX_CLASSES = 10_000

NUMBERS = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")


class Inert:
    """What a pickle asks numpy to make: what it was called with, and its state, kept and not acted upon."""

    arguments, state = (), None

    def __init__(self, *arguments):
        self.arguments = arguments

    def __setstate__(self, state):
        self.state = state


class _Dtype(Inert):
    """Of `numpy.dtype`."""


class _Array(Inert):
    """Of an array whose contents are its state."""


class _Buffer(Inert):
    """Of an array that is made of bytes, dtype, shape and order."""


class _Scalar(Inert):
    """Of a number that is made of dtype and bytes."""


def _latin1(text: str, encoding: str) -> bytes:
    """Return bytes from the form in which pickle protocol 2 writes them."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes encoded as {shown(encoding)}")
    return text.encode("latin1")


#: all that a pickle may name; numpy 1 and numpy 2 call the same functions differently
ALLOWED: Mapping[tuple[str, str], Callable] = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _Array,
    ("_codecs", "encode"): _latin1,
    **{
        (f"numpy.{core}.{module}", name): made
        for core in ("core", "_core")
        for module, name, made in (
            ("multiarray", "_reconstruct", _Array),
            ("multiarray", "scalar", _Scalar),
            ("numeric", "_frombuffer", _Buffer),
        )
    },
}


class InertUnpickler(pickle._Unpickler):
    """Unpickler of lists, tuples, dicts with keys of text, numbers, and stand-ins for arrays; it refuses all else.

    It is the one in Python: the other takes memory for as many entries as a pickle says that it will
    remember. Keys are text, since the hash of tuples in tuples may take for ever; hence no sets.
    """

    dispatch = pickle._Unpickler.dispatch.copy()
    for _code in (pickle.EMPTY_SET, pickle.ADDITEMS, pickle.FROZENSET):
        del dispatch[_code[0]]

    def find_class(self, module: str, name: str) -> Callable:
        """Return a stand-in, or raise DataError with the name of what is refused."""
        if (module, name) not in ALLOWED:
            raise DataError(
                f"the pickle asks for '{cut(module, 60)}.{cut(name, 60)}', which could run code; only containers "
                "and numpy arrays are read. If you trust the file, convert it to .npz yourself"
            )
        target = ALLOWED[module, name]
        # a fresh wrapper: pickles may set attributes of what they are given
        return lambda *arguments: target(*arguments)

    def load_dict(self):
        items = self.pop_mark()
        self.append({})
        self._put(items)

    def load_setitem(self):
        value, key = self.stack.pop(), self.stack.pop()
        self._put([key, value])

    def load_setitems(self):
        self._put(self.pop_mark())

    def _put(self, items: list) -> None:
        if type(self.stack[-1]) is not dict or not all(type(key) is str for key in items[::2]):
            raise pickle.UnpicklingError("keys that are not text")
        self.stack[-1].update(zip(items[::2], items[1::2], strict=True))

    dispatch |= {pickle.DICT[0]: load_dict, pickle.SETITEM[0]: load_setitem, pickle.SETITEMS[0]: load_setitems}


class _Bounded:
    """A file of which no more is asked for than it has."""

    def __init__(self, handle):
        self.handle = handle
        self.size = os.fstat(handle.fileno()).st_size

    def read(self, n: int) -> bytes:
        if not 0 <= n <= self.size:
            raise EOFError("more bytes are promised than the file has")
        return self.handle.read(n)

    def readline(self) -> bytes:
        return self.handle.readline()


def load_inert(path: str | Path) -> object:
    """Return the contents of a pickle: plain containers, text, numbers, and `Inert` for arrays of numpy.

    Raises
    ------
    DataError
        If the pickle names anything else (nothing of it is run), is cut off, or cannot be read.
    """
    try:
        with open_plain(path) as handle:
            return InertUnpickler(_Bounded(handle)).load()
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # a damaged pickle may raise nearly anything
        raise DataError(f"{path} is not a readable pickle ({cut(error)}); is the file cut off?") from error


def as_array(value: object) -> np.ndarray | None:
    """Return the numbers that a stand-in stands for; None if its type is unknown, or its size does not fit."""
    order = "C"
    match value:
        case _Array(state=(_, shape, _Dtype() as dtype, by_column, raw)):
            order = "F" if by_column is True else "C"
        case _Buffer(arguments=(raw, _Dtype() as dtype, shape, "C" | "F" as order)):
            pass
        case _Scalar(arguments=(_Dtype() as dtype, raw)):
            shape = ()
        case _:
            return None
    name = dtype.arguments[0] if dtype.arguments else None
    if not isinstance(name, str) or name not in NUMBERS or not isinstance(raw, bytes | bytearray):
        return None
    if not (isinstance(shape, tuple) and len(shape) < 8 and all(type(n) is int and 0 <= n < 2**31 for n in shape)):
        return None
    ends = dtype.state[1] if isinstance(dtype.state, tuple) and len(dtype.state) > 1 else "="
    kind = np.dtype((ends if ends in ("<", ">") else "=") + name)
    if math.prod(shape) * kind.itemsize != len(raw):
        return None
    return np.frombuffer(raw, kind).reshape(shape, order=order)


def read_pyskl(
    path: str | Path, skeleton: Skeleton | None = None, class_names: tuple[str, ...] | None = None
) -> SkeletonDataset:
    """Return the clips of a PYSKL annotation pickle, with the splits that it names.

    Clips without a body or a frame are dropped; a line of the log counts them. Coordinates are
    as in the file: metres in 3-D, pixels in 2-D.

    Parameters
    ----------
    path : str or Path
    skeleton : Skeleton, optional
        Needed unless the clips have 25 joints (``ntu-25``) or 17 (``coco-17``).
    class_names : tuple of str, optional
        Else those of NTU if the clips are named so, else ``class 0``, ``class 1``, ...

    Returns
    -------
    SkeletonDataset
        Sequences (M, T_i, V, C): C = 3 coordinates, or x, y and score, or x and y.

    Raises
    ------
    DataError
        If the pickle holds anything but arrays, or lacks a key, or the shapes disagree; the
        message names the clip.

    References
    ----------
    Duan et al. (2022), PYSKL: annotation format.
    """
    contents = _contents(path)
    entries = [_entry(path, i, a) for i, a in enumerate(contents["annotations"])]
    kept = [entry for entry in entries if entry[2].any()]
    log.info("%s: %d clips read, %d without a body dropped", path, len(kept), len(entries) - len(kept))
    if not kept:
        raise DataError(f"{path}: none of its {len(entries)} annotations shows a body")
    flat = as_array(contents["annotations"][0]["keypoint"]).shape[-1] == 2
    clips, labels, sequences = map(list, zip(*kept, strict=True))
    code, n_classes = _ntu_code(clips, labels), max(labels) + 1
    if n_classes > MOST_CLASSES:
        raise DataError(f"{path}: labels go up to {n_classes - 1}, expected less than {MOST_CLASSES}")
    if code is not None and class_names is None:
        class_names = ntu_tables.ACTIONS[: 60 if n_classes <= 60 else 120]
    return SkeletonDataset(
        name=Path(path).stem,
        skeleton=skeleton or _layout(path, sequences[0]),
        sequences=tuple(sequences),
        labels=np.array(labels),
        class_names=class_names or tuple(f"class {i}" for i in range(n_classes)),
        groups=() if code is None else ntu_tables.GROUPS[: len(class_names)],
        clips=tuple(clips),
        subjects=None if code is None else code[:, 2],
        views=None if code is None else code[:, 1],
        splits=_splits(path, contents["split"], clips, {clip for clip, _, _ in entries}),
        unit="px" if flat else "m",
        channels=("x", "y", "score") if flat and sequences[0].shape[-1] == 3 else (),
    )


def _contents(path) -> dict:
    """Return the pickle's dict of a list of annotations and a dict of lists, the splits."""
    contents = load_inert(path)
    if isinstance(contents, list):  # annotations alone
        contents = {"annotations": contents, "split": {}}
    if not isinstance(contents, dict):
        raise DataError(f"{path}: expected a dict or a list, got {type(contents).__name__}")
    splits = contents.get("split")
    if not (
        isinstance(contents.get("annotations"), list)
        and isinstance(splits, dict)
        and all(isinstance(names, list | tuple) for names in splits.values())
        and all(isinstance(name, str) for names in splits.values() for name in names)
    ):
        kinds = {key: type(value).__name__ for key, value in contents.items()}
        raise DataError(
            f"{path}: expected 'split' (a dict of lists of names) and 'annotations' (a list), got {shown(kinds)}"
        )
    return contents


def _entry(path, index: int, annotation: object) -> tuple[str, int, np.ndarray]:
    """Return clip name, label and (M, T, V, C) array of one annotation."""
    if not isinstance(annotation, dict) or {"frame_dir", "label", "keypoint"} - set(annotation):
        raise DataError(
            f"{path}: annotation {index} lacks one of frame_dir, label, keypoint (the Kinetics "
            "pickle of PYSKL is only an index of further files, and is not read)"
        )
    clip, label, x = (annotation[key] for key in ("frame_dir", "label", "keypoint"))
    if not isinstance(clip, str):
        raise DataError(f"{path}: expected frame_dir of annotation {index} as text, got {shown(clip)}")
    where = f"{path}: clip {cut(clip, 60)}"
    x = _numbers(where, "keypoint", x, 4)
    if x.shape[-1] not in (2, 3):
        raise DataError(f"{where}: keypoint has shape {x.shape}, expected (M, T, V, 2 or 3)")
    label, frames = _whole(label), _whole(annotation.get("total_frames", x.shape[1]))
    if label is None or not 0 <= label < MAX_CLASSES:
        raise DataError(f"{where}: expected a label in 0..{MAX_CLASSES - 1}, got {shown(annotation['label'])}")
    if frames != x.shape[1]:
        raise DataError(f"{where}: total_frames is {shown(annotation['total_frames'])}, but keypoint has {x.shape[1]}")
    if x.shape[-1] == 2 and "keypoint_score" in annotation:
        score = _numbers(where, "keypoint_score", annotation["keypoint_score"], 3)
        if score.shape != x.shape[:3]:
            raise DataError(f"{where}: keypoint_score {score.shape} does not fit {x.shape}")
        x = np.concatenate([x, score[..., None]], axis=-1)
    return clip, label, x


def _whole(value: object) -> int | None:
    """Return a whole number, of Python's or numpy's; None if it is none."""
    found = as_array(value)
    if found is not None and found.shape == () and found.dtype.kind in "iu":
        return int(found)
    return value if type(value) is int else None


def _numbers(where: str, key: str, value: object, ndim: int) -> np.ndarray:
    """Return an array of real numbers as float32."""
    array = as_array(value)
    if array is None or array.ndim != ndim:
        other = "one of another type or size" if isinstance(value, Inert) else type(value).__name__
        got = other if array is None else f"{array.dtype} {array.shape}"
        raise DataError(f"{where}: expected {key} as an array of {ndim} axes of numbers, got {got}")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes inf, refused later
        return array.astype(np.float32)


def _layout(path, x: np.ndarray) -> Skeleton:
    """Return the layout that a number of joints implies: PYSKL's files have 25 of NTU or 17 of COCO."""
    known = {s.n_joints: s for s in (NTU_25, COCO_17)}
    if x.shape[2] not in known:
        raise DataError(
            f"{path}: clips of {x.shape[2]} joints; pass the Skeleton that they follow (25 joints are read as "
            "'ntu-25', 17 as 'coco-17')"
        )
    return known[x.shape[2]]


def _ntu_code(clips: list[str], labels: list[int]) -> np.ndarray | None:
    """Return the five numbers of NTU clip names, shape (n, 5), or None for other data."""
    matches = [CLIP_NAME.fullmatch(clip) for clip in clips]
    if not all(matches):
        return None
    code = np.array([match.groups() for match in matches], int)
    return code if (code[:, 4] - 1 == labels).all() else None


def _splits(path, table: Mapping, clips: list[str], known: set[str]) -> dict[str, np.ndarray]:
    """Return clip indices by split; clips that were dropped for want of a body are left out."""
    position = {clip: i for i, clip in enumerate(clips)}
    if len(position) != len(clips):
        raise DataError(f"{path}: two annotations have one frame_dir")
    for name, members in table.items():
        if absent := [clip for clip in members if clip not in known]:
            raise DataError(
                f"{path}: split '{cut(name, 40)}' names {len(absent)} clips without annotation, "
                f"first {cut(absent[0], 40)}"
            )
    return {name: np.array([position[c] for c in members if c in position], int) for name, members in table.items()}
