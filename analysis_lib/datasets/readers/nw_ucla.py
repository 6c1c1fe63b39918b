"""NW-UCLA Multiview Action3D: ten actions seen by three Kinect v1 cameras, one JSON file a clip.

A file is called ``aAA_sSS_eEE_vVV.json`` (action, subject, repetition, view) and holds
``skeletons``, a list of frames of 20 joints of x, y, z in metres, and ``label``, from 1 to 10.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from analysis_lib.datasets.dataset import SkeletonDataset, check_sequence
from analysis_lib.datasets.readers.archive import decoded, read_members
from analysis_lib.errors import DataError, shown
from analysis_lib.loading import parse_json
from analysis_lib.skeletons.layouts import KINECT_20

#: code in the file name, name, and super-class of classes 0 to 9
ACTIONS = (
    ("01", "pick up with one hand", "full body"),
    ("02", "pick up with two hands", "full body"),
    ("03", "drop trash", "upper body"),
    ("04", "walk around", "lower body"),
    ("05", "sit down", "full body"),
    ("06", "stand up", "full body"),
    ("08", "donning", "upper body"),
    ("09", "doffing", "upper body"),
    ("11", "throw", "upper body"),
    ("12", "carry", "upper body"),
)

TRAIN_VIEWS, TEST_VIEWS = (1, 2), (3,)

_CLASS_OF = {code: label for label, (code, _, _) in enumerate(ACTIONS)}
_NAME = r"a(\d\d)_s(\d\d)_e\d\d_v(\d\d)\.json"


def read_nw_ucla(path: str | Path) -> SkeletonDataset:
    """Return NW-UCLA with the cross-view split: trained on cameras 1 and 2, tested on camera 3.

    Parameters
    ----------
    path : str or Path
        ``all_sqe.zip``, or the folder that it unpacks to.

    Returns
    -------
    SkeletonDataset
        Sequences (1, T_i, 20, 3) in metres, in the order of the file names; nothing is centred,
        scaled or resampled. The super-classes are this project's (none are published).

    Raises
    ------
    DataError
        If there are no such files, or one of them is cut off, has not 20 joints, has no frame, has
        a value that is not finite, or contradicts its own name; the message names the file.

    References
    ----------
    Wang, Nie, Xia, Wu & Zhu (2014), Cross-view action modeling, learning and recognition, CVPR.
    The JSON files, their labels and the split are those of Chen et al. (2021), CTR-GCN.
    """
    members = read_members(path, _NAME, "a01_s01_e00_v01.json")
    clips, codes, sequences = zip(*(_clip(match, content) for match, content in members), strict=True)
    labels, subjects, views = np.array(codes).T
    return SkeletonDataset(
        name="nw-ucla",
        skeleton=KINECT_20,
        sequences=sequences,
        labels=labels,
        class_names=tuple(name for _, name, _ in ACTIONS),
        groups=tuple(group for _, _, group in ACTIONS),
        clips=clips,
        subjects=subjects,
        views=views,
        splits={
            "train": np.flatnonzero(np.isin(views, TRAIN_VIEWS)),
            "test": np.flatnonzero(np.isin(views, TEST_VIEWS)),
        },
    )


def _clip(match: re.Match, content: bytes) -> tuple[str, tuple[int, int, int], np.ndarray]:
    """Return the name of a clip, its class, subject and view, and its array (1, T, 20, 3)."""
    name, action, subject, view = match.string, match[1], int(match[2]), int(match[3])
    if action not in _CLASS_OF or view not in (*TRAIN_VIEWS, *TEST_VIEWS):
        raise DataError(
            f"{name}: NW-UCLA has the actions {', '.join(_CLASS_OF)} and the views 1, 2, 3; does "
            "the file belong to another dataset?"
        )
    table = _parse(name, content)
    if table["label"] != _CLASS_OF[action] + 1:
        raise DataError(
            f"{name}: expected label {_CLASS_OF[action] + 1} for action a{action}, got {shown(table['label'])}"
        )
    code = (_CLASS_OF[action], subject, view)
    return name.removesuffix(".json"), code, _sequence(name, table["skeletons"])


def _parse(name: str, content: bytes) -> dict:
    """Return the JSON object of one file, with the keys that are needed."""
    table = parse_json(decoded(content), name)
    if not isinstance(table, dict) or not {"skeletons", "label"} <= table.keys():
        got = sorted(table) if isinstance(table, dict) else type(table).__name__
        raise DataError(f"{name}: expected an object with 'skeletons' and 'label', got {got}")
    return table


def _sequence(name: str, frames: Sequence) -> np.ndarray:
    """Return the frames of one clip, shape (1, T, 20, 3)."""
    if frames == []:
        raise DataError(f"{name} has zero frames; fetch it again, or remove the file")
    try:
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes inf, refused later
            x = np.array(frames, np.float32)
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(
            f"{name}: expected frames of 20 joints of x, y, z, got uneven lists or text ({error})"
        ) from error
    if x.ndim != 3 or x.shape[1:] != (KINECT_20.n_joints, 3):
        raise DataError(f"{name}: expected shape (frames, 20 joints, 3), got {x.shape}")
    check_sequence(name.removesuffix(".json"), x[None], KINECT_20.n_joints)
    return x[None]
