"""PYSKL annotation pickles, read by an unpickler that can build arrays and nothing else.

A pickle is a program; loading one runs it. Here every name that it asks for is looked up in a short
list (arrays, dtypes and numbers of numpy), and anything else is refused by name.
"""

import logging
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.readers import ntu_tables
from analysis_lib.datasets.readers.ntu import CLIP_NAME
from analysis_lib.errors import DataError
from analysis_lib.skeletons.layouts import COCO_17, NTU_25
from analysis_lib.skeletons.skeleton import Skeleton

log = logging.getLogger(__name__)

_multiarray, _numeric = np._core.multiarray, np._core.numeric


def _latin1(text: str, encoding: str) -> bytes:
    """Return bytes from the form in which pickle protocol 2 writes them."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes encoded as {encoding}")
    return text.encode("latin1")


#: a label beyond this is taken for damage
MAX_CLASSES = 10_000

#: all that a pickle may name; numpy 1 and numpy 2 call the same functions differently
ALLOWED: Mapping[tuple[str, str], Callable] = {
    ("numpy", "dtype"): np.dtype,
    ("numpy", "ndarray"): np.ndarray,
    ("_codecs", "encode"): _latin1,
    **{
        (f"numpy.{core}.{module}", name): function
        for core in ("core", "_core")
        for module, name, function in (
            ("multiarray", "_reconstruct", _multiarray._reconstruct),
            ("multiarray", "scalar", _multiarray.scalar),
            ("numeric", "_frombuffer", _numeric._frombuffer),
        )
    },
}


class ArrayUnpickler(pickle.Unpickler):
    """Unpickler of plain containers, text, numbers and numpy arrays; it refuses all else."""

    def find_class(self, module: str, name: str) -> Callable:
        """Return an allowed function, or raise DataError with the name of a refused one."""
        if (module, name) not in ALLOWED:
            raise DataError(
                f"the pickle asks for '{module}.{name}', which could run code; only containers "
                "and numpy arrays are read. If you trust the file, convert it to .npz yourself"
            )
        target = ALLOWED[module, name]
        # a fresh wrapper: pickles may set attributes of what they are given
        return target if isinstance(target, type) else lambda *args: target(*args)


def load_arrays(path: str | Path) -> object:
    """Return the contents of a pickle of plain containers and numpy arrays.

    Raises
    ------
    DataError
        If the pickle names anything else (nothing of it is run), is cut off, or cannot be read.
    """
    try:
        with open(path, "rb") as handle:
            return ArrayUnpickler(handle).load()
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # a damaged pickle may raise nearly anything
        raise DataError(f"{path} is not a readable pickle ({error}); is the file cut off?") from error


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
    clips, labels, sequences = map(list, zip(*kept, strict=True))
    code, n_classes = _ntu_code(clips, labels), max(labels) + 1
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
        unit="m" if contents["annotations"][0]["keypoint"].shape[-1] == 3 else "px",
    )


def _contents(path) -> dict:
    """Return the pickle's dict of a list of annotations and a dict of lists, the splits."""
    contents = load_arrays(path)
    if not isinstance(contents, dict):
        raise DataError(f"{path}: expected a dict, got {type(contents).__name__}")
    splits = contents.get("split")
    if not (
        isinstance(contents.get("annotations"), list)
        and isinstance(splits, dict)
        and all(isinstance(names, list | tuple) for names in splits.values())
    ):
        raise DataError(
            f"{path}: expected 'split' (a dict of lists of names) and 'annotations' (a list), got "
            f"{ {str(k): type(v).__name__ for k, v in contents.items()} }"
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
    where = f"{path}: clip {clip}"
    x = _numbers(where, "keypoint", x, 4)
    if x.shape[-1] not in (2, 3):
        raise DataError(f"{where}: keypoint has shape {x.shape}, expected (M, T, V, 2 or 3)")
    if not isinstance(label, int | np.integer) or not 0 <= label < MAX_CLASSES:
        raise DataError(f"{where}: expected a label in 0..{MAX_CLASSES - 1}, got {label!r}")
    if not np.array_equal(annotation.get("total_frames", x.shape[1]), x.shape[1]):
        raise DataError(f"{where}: total_frames is {annotation['total_frames']}, but keypoint has {x.shape[1]}")
    if x.shape[-1] == 2 and "keypoint_score" in annotation:
        score = _numbers(where, "keypoint_score", annotation["keypoint_score"], 3)
        if score.shape != x.shape[:3]:
            raise DataError(f"{where}: keypoint_score {score.shape} does not fit {x.shape}")
        x = np.concatenate([x, score[..., None]], axis=-1)
    return str(clip), int(label), x


def _numbers(where: str, key: str, value: object, ndim: int) -> np.ndarray:
    """Return an array of real numbers as float32."""
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu" or value.ndim != ndim:
        got = f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value)
        raise DataError(f"{where}: expected {key} as an array of {ndim} axes of numbers, got {got}")
    return value.astype(np.float32)


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
    table = {str(name): list(map(str, members)) for name, members in table.items()}
    position = {clip: i for i, clip in enumerate(clips)}
    if len(position) != len(clips):
        raise DataError(f"{path}: two annotations have one frame_dir")
    for name, members in table.items():
        if absent := [clip for clip in members if clip not in known]:
            raise DataError(f"{path}: split '{name}' names {len(absent)} clips without annotation, first {absent[0]}")
    return {name: np.array([position[c] for c in members if c in position], int) for name, members in table.items()}
