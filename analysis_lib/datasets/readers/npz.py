"""The bring-your-own format: one ``.npz`` of plain arrays, written by hand in a few lines.

For clips of your own, each an array of (frames, joints, coordinates)::

    np.savez(
        "mine.npz",
        x=np.concatenate(clips),                  # float, (sum of lengths, V, C)
        lengths=[len(clip) for clip in clips],    # frames of each clip
        labels=labels,                            # 0-based class of each clip
        edges=[(0, 1), (1, 2)],                   # bones, 0-based; or layout="kinect-20"
        split_train=train, split_test=test,       # clip indices, or one bool a clip
    )

=================  ================================================================================
key                value
=================  ================================================================================
``x``              (n, M, T, V, C): padded clips of M bodies; or (n, T, V, C): of one body;
                   or (rows, V, C): clips one after the other (with several bodies: all frames of
                   the first body, then all of the second, then the next clip). Any unit; NaN is a
                   missing joint, and is filled in.
``lengths``        int (n,): valid frames of each clip. May be left out where ``x`` is padded and
                   every frame is valid.
``labels``         int (n,): class of each clip, 0-based; or text (n,): its name.
``layout``         Text: name of a published layout. Or, in its place:
``edges``          int (E, 2): bones (child, parent), 0-based. Joint 0 is the centre.
``joints``         text (V,): joint names, beside ``edges``
``bodies``         int (n,): bodies of each clip (default M, or 1)
``class_names``    text (n_classes,)
``groups``         text (n_classes,): super-class of each class
``clips``          text (n,): clip names
``subjects``       int (n,)
``views``          int (n,)
``split_NAME``     int: clips of split NAME; or bool (n,)
``name``           Text: name of the dataset (default: that of the file)
``unit``           Text: unit of the coordinates (default: "m")
``channels``       text (C,): x, y and z, with ``score`` after them if there is one (default: x, y, z)
``missing``        float (n, V): share of frames in which each joint was missing, written by ``save``
``skeleton``       Text: ``json.dumps(Skeleton(...).to_dict())``, in place of both: with body parts
                   and left-right pairs. This is what
                   `SkeletonDataset.save` writes.
=================  ================================================================================

Only ``x``, ``labels`` and one of ``layout``, ``edges``, ``skeleton`` are needed (and ``lengths``,
where ``x`` has no axis of clips). Without splits one is made when the file is opened by name
(`analysis_lib.datasets.sampling.made_splits`). No value may be an object array: nothing is ever unpickled.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from analysis_lib.datasets.dataset import SPLIT, SkeletonDataset
from analysis_lib.errors import DataError, UserError, unknown_choice
from analysis_lib.loading import checked, parse_json, read_arrays
from analysis_lib.skeletons.layouts import layout
from analysis_lib.skeletons.skeleton import Skeleton

#: kind of the values (a key of `_KINDS`), and axes
KEYS = {
    "x": ("f", (3, 4, 5)),
    "lengths": ("i", (1,)),
    "labels": ("l", (1,)),
    "bodies": ("i", (1,)),
    "layout": ("U", (0,)),
    "skeleton": ("U", (0,)),
    "edges": ("i", (2,)),
    "joints": ("U", (1,)),
    "class_names": ("U", (1,)),
    "groups": ("U", (1,)),
    "clips": ("U", (1,)),
    "subjects": ("i", (1,)),
    "views": ("i", (1,)),
    "name": ("U", (0,)),
    "unit": ("U", (0,)),
    "channels": ("U", (1,)),
    "missing": ("f", (2,)),
}

_KINDS = {
    "i": ("iu", "whole numbers"),
    "f": ("fiu", "numbers"),
    "b": ("iub", "whole numbers or bools"),
    "l": ("iuU", "whole numbers or text"),
    "U": ("U", "text"),
}


def read_npz(path: str | Path) -> SkeletonDataset:
    """Return the dataset in a ``.npz`` file of the form that the module's first lines describe.

    Raises
    ------
    DataError
        If the file is missing, damaged, or no ``.npz``; a key is missing, unknown, of another
        type or shape than described, or holds Python objects; or a clip is empty or has a value
        that is not finite. The message names the file and the key, or the clip.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "stick.npz"
    ...     np.savez(path, x=np.ones((5, 3, 2)), lengths=[2, 3], labels=[0, 1],
    ...              edges=[(0, 1), (1, 2)], split_train=[0], split_test=[1])
    ...     read_npz(path)
    SkeletonDataset('stick', 2 clips, 2 classes, stick, splits {'train': 1, 'test': 1})
    """
    path = Path(path).expanduser()
    arrays = _load(path)
    try:
        return _dataset(path.stem, arrays)
    except UserError as error:  # of ours: the file's name is all that is missing
        raise DataError(f"{path}: {error}") from error


def _load(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of the file, each checked for its type and number of axes."""
    opened = read_arrays(path)
    arrays = {key: _array(path, opened, key) for key in opened}
    if absent := [key for key in ("x", "labels") if key not in arrays]:
        raise DataError(f"{path} has no '{absent[0]}'; its keys are {sorted(arrays) or 'none'}")
    return arrays


def _array(path: Path, opened: Mapping, key: str) -> np.ndarray:
    """Return one array of the file; its key must exist, its type and axes be as described."""
    kind, axes = ("b", (1,)) if key.startswith(SPLIT) else KEYS.get(key, (None, ()))
    if kind is None:
        raise DataError(f"{path}: {unknown_choice('key', key, [*KEYS, SPLIT + 'NAME'])}")
    value = opened[key]
    kinds, wanted = _KINDS[kind]
    is_empty_split = kind == "b" and value.size == 0  # np.savez makes floats of []
    if value.ndim not in axes or (value.dtype.kind not in kinds and not is_empty_split):
        raise DataError(
            f"{path}: '{key}' must be {wanted} with {' or '.join(map(str, axes))} axes, got "
            f"{value.dtype} of shape {value.shape}"
        )
    return value


def _dataset(name: str, arrays: Mapping[str, np.ndarray]) -> SkeletonDataset:
    """Return the dataset of checked arrays."""
    n = len(arrays["labels"])
    for key in ("lengths", "bodies", "clips", "subjects", "views"):
        if key in arrays and len(arrays[key]) != n:
            raise DataError(f"'{key}' has {len(arrays[key])} entries for {n} labels")
    if n == 0:
        raise DataError("'labels' is empty; a dataset needs at least one clip")
    skeleton = _skeleton(name, arrays)
    bones = arrays.get("edges", np.zeros(0, int))
    _check_axes(arrays, int(bones.max()) + 1 if bones.size and "joints" not in arrays else skeleton.n_joints)
    return SkeletonDataset(
        name=str(arrays.get("name", name)),
        skeleton=skeleton,
        sequences=_sequences(arrays, n),
        labels=arrays["labels"],
        class_names=tuple(arrays.get("class_names", ())),
        groups=tuple(arrays.get("groups", ())),
        clips=tuple(arrays.get("clips", ())),
        subjects=arrays.get("subjects"),
        views=arrays.get("views"),
        splits={
            key.removeprefix(SPLIT): _split(key, value, n) for key, value in arrays.items() if key.startswith(SPLIT)
        },
        unit=str(arrays.get("unit", "m")),
        channels=tuple(arrays.get("channels", ())),
        missing=arrays.get("missing"),
    )


def _check_axes(arrays: Mapping[str, np.ndarray], n_joints: int) -> None:
    """Refuse coordinates before frames, as networks take them, and say how to turn them round."""
    shape, cure = arrays["x"].shape, None
    if not {"channels", "bodies"} & set(arrays) and len(shape) == 5 and shape[1] in (2, 3, 4) and shape[4] <= 2:
        cure = "(N, C, T, V, M)", "(0, 4, 2, 3, 1)"
    if len(shape) == 4 and shape[1] in (2, 3, 4) and shape[2] != n_joints == shape[3]:
        cure = "(N, C, T, V)", "(0, 2, 3, 1)"
    if cure:
        named = "; if its axes are right, say what the last one holds: channels=('x', 'y')" if len(shape) == 5 else ""
        raise DataError(f"'x' of shape {shape} looks like {cure[0]}; x.transpose{cure[1]} cures that{named}")


def _sequences(arrays: Mapping[str, np.ndarray], n: int) -> tuple[np.ndarray, ...]:
    """Return the clips, each (M, T_i, V, C), whichever of the three forms ``x`` has."""
    x = arrays["x"]
    if x.ndim == 3:
        return _unchained(x, arrays, n)
    x = x[:, None] if x.ndim == 4 else x  # (n, M, T, V, C)
    if len(x) != n:
        raise DataError(f"'x' holds {len(x)} clips, 'labels' {n}")
    lengths = _counts("lengths", arrays.get("lengths", _shown(x)), x.shape[2])
    bodies = _counts("bodies", arrays.get("bodies", np.full(n, x.shape[1])), x.shape[1])
    return tuple(c[:m, :t] for c, m, t in zip(x, bodies, lengths, strict=True))


def _shown(x: np.ndarray) -> np.ndarray:
    """Return the frames of padded clips (n, M, T, V, C) up to the last that is not all NaN."""
    seen = ~np.isnan(x).all(axis=(1, 3, 4))  # (n, T)
    return x.shape[2] - seen[:, ::-1].argmax(axis=1)


def _unchained(x: np.ndarray, arrays: Mapping[str, np.ndarray], n: int) -> tuple[np.ndarray, ...]:
    """Return the clips of the rows ``x``, shape (rows, V, C)."""
    if "lengths" not in arrays:
        raise DataError(f"'x' of shape {x.shape} has no axis of clips, so 'lengths' is needed")
    lengths = _counts("lengths", arrays["lengths"], len(x))
    bodies = _counts("bodies", arrays.get("bodies", np.ones(n, int)), len(x))
    rows = lengths * bodies
    if rows.sum() != len(x):
        raise DataError(f"'x' has {len(x)} rows, but 'lengths' (times 'bodies') make {rows.sum()}; is a clip missing?")
    pieces = np.split(x, np.cumsum(rows)[:-1])
    return tuple(piece.reshape(m, t, *x.shape[1:]) for piece, m, t in zip(pieces, bodies, lengths, strict=True))


def _counts(key: str, values: np.ndarray, most: int) -> np.ndarray:
    """Return counts that lie in 1..most."""
    if bad := [(i, v) for i, v in enumerate(values.tolist()) if not 1 <= v <= most]:
        raise DataError(f"'{key}' of clip {bad[0][0]} is {bad[0][1]}, expected 1 to {most}")
    return values.astype(np.int64)


def _split(key: str, value: np.ndarray, n: int) -> np.ndarray:
    """Return the clip indices of one split, given as indices or as one bool a clip."""
    if value.dtype.kind == "b":
        if len(value) != n:
            raise DataError(f"'{key}' has {len(value)} bools for {n} clips")
        return np.flatnonzero(value)
    if len(np.unique(value)) != len(value):
        raise DataError(f"'{key}' names a clip twice")
    return value


def _skeleton(name: str, arrays: Mapping[str, np.ndarray]) -> Skeleton:
    """Return the skeleton that exactly one of ``skeleton``, ``layout`` and ``edges`` gives."""
    given = [key for key in ("skeleton", "layout", "edges") if key in arrays]
    if len(given) != 1:
        raise DataError(
            f"exactly one of 'layout', 'edges' and 'skeleton' is needed, got {given or 'none'}; "
            "give your bones as edges=[(child, parent), ...], 0-based"
        )
    if "joints" in arrays and given != ["edges"]:
        raise DataError(f"'joints' goes with 'edges', but the file has '{given[0]}'")
    if given == ["layout"]:
        return layout(str(arrays["layout"]))
    if given == ["edges"]:
        return _described(name, arrays)
    return checked(parse_json(str(arrays["skeleton"]), "'skeleton'"), Skeleton, "'skeleton'")


def _described(name: str, arrays: Mapping[str, np.ndarray]) -> Skeleton:
    """Return the skeleton that ``edges`` and ``joints`` describe."""
    n_joints, edges = arrays["x"].shape[-2], arrays["edges"]
    joints = arrays.get("joints", [f"joint {v}" for v in range(n_joints)])
    if edges.shape[1] != 2:
        raise DataError(f"'edges' must have shape (n, 2), got {edges.shape}")
    if len(joints) != n_joints:
        raise DataError(f"'joints' has {len(joints)} entries for {n_joints} joints of 'x'")
    return Skeleton(
        name=str(arrays.get("name", name)),
        joints=tuple(joints),
        edges=tuple(map(tuple, edges)),
        source="given with the data",
    )
