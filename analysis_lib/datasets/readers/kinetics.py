"""Kinetics-skeleton: OpenPose joints of 400 actions, one JSON a clip and one of labels a split.

The published archive holds ``kinetics_train/*.json`` with ``kinetics_train_label.json``, and the
same for ``kinetics_val``. A clip lists frames; a frame lists people; a person has 18 joints as
``pose`` (x0, y0, x1, y1, ...), divided by the size of the image, and 18 confidences, ``score``.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.readers.archive import decoded, read_members
from analysis_lib.errors import DataError, UserError, cut, unknown_choice
from analysis_lib.loading import parse_json
from analysis_lib.progress import progress_bar
from analysis_lib.skeletons.layouts import OPENPOSE_18

log = logging.getLogger(__name__)

#: split names here, and the words in the published file names
SPLITS = {"train": "train", "test": "val"}
#: numbers beyond these are taken for damage
MAX_FRAMES, MAX_CLASSES = 100_000, 10_000
#: a coordinate beyond this, in sizes of the image, is taken for pixels
LARGEST = 2.0


def read_kinetics(
    path: str | Path, splits: tuple[str, ...] = ("train", "test"), people: int = 5, keep: int = 2, progress: bool = True
) -> SkeletonDataset:
    """Return Kinetics-skeleton as a dataset of x, y and score.

    Clips without a skeleton, by their label or in fact, are dropped; a line of the log counts
    them. The whole training split takes some 30 GB; ``splits=("test",)`` takes 3.

    Parameters
    ----------
    path : str or Path
        Folder or zip with ``kinetics_train``, ``kinetics_train_label.json`` and the like. A split
        is read alone from an unpacked folder; in a zip all clips are passed through.
    splits : tuple of {"train", "test"}
        What to read; "test" is the published validation set.
    people, keep : int
        See `parse_clip`.
    progress : bool
        Show a progress bar.

    Returns
    -------
    SkeletonDataset
        Sequences (M, T_i, 18, 3) with M at most ``keep``, in units of the image's size.

    Raises
    ------
    UserError, DataError
        If a split is unknown or not there, or a file is damaged; the message names the file.

    References
    ----------
    Yan, Xiong & Lin (2018), section 4.1 and released code (``feeder_kinetics``).
    """
    if unknown := [split for split in splits if split not in SPLITS]:
        raise unknown_choice("Kinetics split", unknown[0], SPLITS)
    if not 1 <= keep <= people:
        raise UserError(f"1 <= keep <= people is needed, got keep={keep} and people={people}")
    kept, index = [], {}
    for split in splits:
        clips = _read_split(Path(path).expanduser(), split, people, keep, progress)
        index[split] = np.arange(len(kept), len(kept) + len(clips))
        kept += clips
    return SkeletonDataset(
        name="kinetics-skeleton",
        skeleton=OPENPOSE_18,
        sequences=tuple(clip.x for clip in kept),
        labels=np.array([clip.label for clip in kept], int),
        class_names=_class_names(kept),
        clips=tuple(clip.name for clip in kept),
        splits=index,
        unit="image size",
        channels=("x", "y", "score"),
    )


def parse_clip(content: bytes | str, name: str = "clip", people: int = 5, keep: int = 2) -> np.ndarray:
    """Return the people of one clip, the most confident first in every frame.

    As the published feeder does: the origin is the middle of the image (0.5 is subtracted); a
    joint with score 0 was not seen and becomes (0, 0, 0); the people of each frame are sorted by
    their summed score, so a place does not follow one person through time. Equal scores keep the
    order of the file (the published sort leaves that open). Frames stand at their ``frame_index``,
    which in some releases begins with 1: frame 0 is then empty.

    Parameters
    ----------
    content : bytes or str
        The JSON text of a clip.
    name : str
        What errors call it.
    people : int
        How many people a frame are looked at, in the order of the file.
    keep : int
        How many are kept after sorting.

    Returns
    -------
    float32 ndarray, shape (M, T, 18, 3)
        x, y, score. M is at least 1, and not more than ``keep`` or the most people in a frame; T
        is the last frame index plus one.

    Raises
    ------
    DataError
        If the JSON is cut off, or not of this form; the message names the clip.

    Examples
    --------
    >>> person = {"pose": [0.75, 0.5] * 18, "score": [0.5] * 18}
    >>> clip = {"data": [{"frame_index": 0, "skeleton": [person]}], "label_index": 7}
    >>> import json
    >>> parse_clip(json.dumps(clip))[0, 0, 0]
    array([0.25, 0. , 0.5 ], dtype=float32)
    """
    return _people(_loads(content, name), name, people, keep)


def _people(clip: Mapping, name: str, people: int, keep: int) -> np.ndarray:
    """Return the array of `parse_clip` from the parsed JSON."""
    try:
        n_frames = _n_frames([frame["frame_index"] for frame in clip["data"]])
        listed = [
            (frame["frame_index"], place, person["pose"], person["score"])
            for frame in clip["data"]
            for place, person in enumerate(frame["skeleton"][:people])
        ]
        frames, places, poses, scores = zip(*listed, strict=True) if listed else ([],) * 4
        poses = np.array(poses, np.float32).reshape(len(listed), 18, 2)
        scores = np.array(scores, np.float32).reshape(len(listed), 18, 1)
        if not (np.isfinite(poses).all() and np.isfinite(scores).all()):
            raise ValueError("a number that is not finite")
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"{name}: expected frames with frame_index and skeleton (18 joints: pose of 36 "
            f"numbers, score of 18), got something else: {error!r}"
        ) from error
    # tracked joints may lie a little outside the picture, pixels lie far outside of 0..1
    if (seen := poses[(scores != 0)[..., 0]]).size and np.abs(seen).max() > LARGEST:
        raise DataError(
            f"{name}: pose must be divided by the size of the image (0 to 1), got {np.abs(seen).max():g}; are these "
            "pixels? divide x by the width and y by the height"
        )
    x = np.zeros((max(places, default=0) + 1, n_frames, 18, 3), np.float32)
    centred = np.where(scores != 0, poses - np.float32(0.5), 0)
    x[list(places), list(frames)] = np.concatenate([centred, scores], axis=2)
    best = np.argsort(-x[..., 2].sum(axis=2), axis=0, kind="stable")
    return np.take_along_axis(x, best[:, :, None, None], axis=0)[:keep]


def _n_frames(indices: list) -> int:
    """Return the length that the frame indices of a clip imply."""
    if any(type(i) is not int or not 0 <= i < MAX_FRAMES for i in indices):
        raise ValueError(f"frame_index must be an integer in 0..{MAX_FRAMES - 1}")
    return max(indices, default=-1) + 1


class _Clip(NamedTuple):
    """One clip that was read."""

    name: str
    x: np.ndarray
    label: int
    action: str


def _read_split(path: Path, split: str, people: int, keep: int, progress: bool) -> list[_Clip]:
    """Return the clips of a split that show somebody, in the order of their names."""
    table = _label_table(path, SPLITS[split])
    wanted = {name for name, entry in table.items() if entry["has_skeleton"]}
    clips = []
    with progress_bar(None, f"reading {split}", progress, len(wanted)) as bar:
        for match, content in read_members(_place(path, SPLITS[split]), r"(.+)\.json", "clip.json"):
            if (name := match[1]) in wanted:
                wanted.remove(name)
                bar.update()
                label, action = table[name]["label_index"], str(table[name]["label"])
                x = _array(content, match.string, label, people, keep)
                clips += [_Clip(name, x, label, action)] if x.any() else []
    if wanted:
        raise DataError(
            f"{path}: {len(wanted)} labelled clips of {split} are not there, first {min(wanted)}; is the copy complete?"
        )
    log.info("kinetics %s: %d clips read, %d without a skeleton dropped", split, len(clips), len(table) - len(clips))
    return clips


def _array(content: bytes, name: str, label: int, people: int, keep: int) -> np.ndarray:
    """Return the array of one clip file, whose own label must agree."""
    clip = _loads(content, name)
    if clip.get("label_index", label) != label:
        raise DataError(f"{name} has label {clip['label_index']}, its label file {label}; are both of one release?")
    return _people(clip, name, people, keep)


def _place(path: Path, word: str) -> Path:
    """Return the folder that holds the clips of one split, or a zip itself."""
    folders = [p for p in path.rglob(f"*{word}") if p.is_dir()] if path.is_dir() else []
    return folders[0] if len(folders) == 1 else path


def _label_table(path: Path, word: str) -> Mapping[str, Mapping]:
    """Return the label file of a split: entries by clip name."""
    found = read_members(path, rf".*{word}_label\.json", f"kinetics_{word}_label.json")
    files = {match.string: content for match, content in found}
    if len(files) > 1:
        raise DataError(f"{path} holds the label files {sorted(files)}, expected one")
    ((name, content),) = files.items()
    table = _loads(content, name)
    for clip, entry in table.items():
        label = entry.get("label_index") if isinstance(entry, dict) else None
        if type(label) is not int or not {"has_skeleton", "label"} <= set(entry):
            raise DataError(f"{name}: clip {clip} lacks has_skeleton, label or label_index")
        if not 0 <= label < MAX_CLASSES:
            raise DataError(f"{name}: clip {clip} has label_index {label}")
    return table


def _loads(content: bytes | str, name: str) -> dict:
    """Return a JSON object, or raise DataError with the name of its file."""
    loaded = parse_json(content if isinstance(content, str) else decoded(content), name)
    if not isinstance(loaded, dict):
        raise DataError(f"{name}: expected a JSON object, got {type(loaded).__name__}")
    return loaded


def _class_names(clips: list[_Clip]) -> tuple[str, ...]:
    """Return the action of each label; labels without a clip are ``class i``."""
    names = {}
    for clip in clips:
        if names.setdefault(clip.label, clip.action) != clip.action:
            one, other = cut(names[clip.label], 60), cut(clip.action, 60)
            raise DataError(f"label {clip.label} is '{one}', but '{other}' of {clip.name}")
    return tuple(names.get(i, f"class {i}") for i in range(max(names, default=-1) + 1))
