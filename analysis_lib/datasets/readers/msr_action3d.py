"""MSR-Action3D: twenty game actions by ten subjects before a depth camera, one text file a clip.

A file is called ``aAA_sSS_eEE_skeleton3D.txt`` (action, subject, repetition). Every line is a
joint: x, y, z in metres and a confidence; every 20 lines are a frame. Joints are in an order of
their own, which becomes that of layout ``kinect-20`` here.
"""

import logging
import re
from pathlib import Path

import numpy as np

from analysis_lib.datasets.dataset import SkeletonDataset, check_sequence
from analysis_lib.datasets.readers.archive import decoded, read_members
from analysis_lib.errors import DataError
from analysis_lib.skeletons.layouts import KINECT_20, MSR_TO_KINECT

log = logging.getLogger(__name__)

#: names of actions a01..a20
ACTIONS = (
    "high arm wave",
    "horizontal arm wave",
    "hammer",
    "hand catch",
    "forward punch",
    "high throw",
    "draw x",
    "draw tick",
    "draw circle",
    "hand clap",
    "two-hand wave",
    "side boxing",
    "bend",
    "forward kick",
    "side kick",
    "jogging",
    "tennis swing",
    "tennis serve",
    "golf swing",
    "pick up and throw",
)

#: 1-based actions that are not of the upper body (this project's choice; none are published)
LOWER_BODY, FULL_BODY = frozenset({14, 15, 16}), frozenset({13, 20})

#: files with badly corrupted skeletons, which the literature leaves out (567 - 10 = 557)
BAD_CLIPS = frozenset(
    {
        "a02_s03_e02",
        "a04_s03_e01",
        "a07_s04_e01",
        "a13_s09_e01",
        "a13_s09_e02",
        "a13_s09_e03",
        "a14_s03_e01",
        "a20_s07_e01",
        "a20_s07_e03",
        "a20_s10_e03",
    }
)

#: 1-based actions of the three subsets of the original protocol
SUBSETS = {
    "as1": (2, 3, 5, 6, 10, 13, 18, 20),
    "as2": (1, 4, 7, 8, 9, 11, 12, 14),
    "as3": (6, 14, 15, 16, 17, 18, 19, 20),
}

_NAME = r"a(\d\d)_s(\d\d)_e\d\d_skeleton3D\.txt"
_COLUMNS = 4


def read_msr_action3d(path: str | Path, drop_bad: bool = True) -> SkeletonDataset:
    """Return MSR-Action3D with its cross-subject splits: odd subjects train, even ones test.

    ``train`` and ``test`` hold all twenty actions; ``as1_train``, ``as1_test``, ... the subsets of
    eight on which the literature reports, under the labels of the twenty. Frames in which the
    tracker saw nothing (every coordinate 0) are dropped, and clips that consist of them alone; a
    line of the log counts what was dropped.

    Parameters
    ----------
    path : str or Path
        ``MSRAction3DSkeletonReal3D.zip``, or the folder that it unpacks to.
    drop_bad : bool
        Leave out `BAD_CLIPS`.

    Returns
    -------
    SkeletonDataset
        Sequences (1, T_i, 20, 3) in metres, joints in the order of ``kinect-20``.

    Raises
    ------
    DataError
        If there are no such files, or one is cut off, garbled, empty, or has a value that is not
        finite; the message names the file.

    References
    ----------
    Li, Zhang & Liu (2010), Action recognition based on a bag of 3D points, CVPR workshops. The
    list of bad files is that of Wang, Liu, Wu & Yuan (2012), Mining actionlet ensemble, CVPR.
    """
    clips, codes, sequences = [], [], []
    n_bad = n_unseen = n_frames = 0
    for match, content in read_members(path, _NAME, "a01_s01_e01_skeleton3D.txt"):
        clip = match.string.removesuffix("_skeleton3D.txt")
        if drop_bad and clip in BAD_CLIPS:
            n_bad += 1
            continue
        code, x = _clip(match, content)
        seen = x.any(axis=(0, 2, 3))
        n_frames += int((~seen).sum())
        if not seen.any():
            n_unseen += 1
            continue
        clips.append(clip)
        codes.append(code)
        sequences.append(x[:, seen])
    log.info(
        "msr-action3d: %d clips read; dropped %d known bad clips, %d without any skeleton, and %d frames without one",
        len(clips),
        n_bad,
        n_unseen,
        n_frames,
    )
    if not clips:
        raise DataError(f"{path}: none of its clips shows a skeleton; is the copy complete?")
    return _dataset(clips, np.array(codes), sequences)


def splits(actions: np.ndarray, subjects: np.ndarray) -> dict[str, np.ndarray]:
    """Return clip indices by split, of 1-based actions and subjects, both of shape (n,).

    Examples
    --------
    >>> splits(np.array([2, 1]), np.array([1, 1]))["as1_train"]
    array([0])
    """
    train = subjects % 2 == 1
    among = {"": np.ones(len(actions), bool)}
    among |= {f"{name}_": np.isin(actions, subset) for name, subset in SUBSETS.items()}
    return {
        f"{name}{half}": np.flatnonzero(chosen & side)
        for name, chosen in among.items()
        for half, side in (("train", train), ("test", ~train))
    }


def _dataset(clips: list[str], codes: np.ndarray, sequences: list) -> SkeletonDataset:
    """Return the dataset of parsed clips; codes (n, 2) are their actions and subjects, 1-based."""
    actions, subjects = codes.T
    return SkeletonDataset(
        name="msr-action3d",
        skeleton=KINECT_20,
        sequences=tuple(sequences),
        labels=actions - 1,
        class_names=ACTIONS,
        groups=tuple(
            "lower body" if a in LOWER_BODY else "full body" if a in FULL_BODY else "upper body"
            for a in range(1, len(ACTIONS) + 1)
        ),
        clips=tuple(clips),
        subjects=subjects,
        splits=splits(actions, subjects),
    )


def _clip(match: re.Match, content: bytes) -> tuple[tuple[int, int], np.ndarray]:
    """Return action and subject of a clip, 1-based, and its array (1, T, 20, 3)."""
    name, action, subject = match.string, int(match[1]), int(match[2])
    if not (1 <= action <= len(ACTIONS) and 1 <= subject <= 10):
        raise DataError(
            f"{name}: MSR-Action3D has the actions 01 to 20 and the subjects 01 to 10; does the "
            "file belong to another dataset?"
        )
    rows = _rows(name, content)
    if len(rows) % KINECT_20.n_joints:
        raise DataError(
            f"{name}: {len(rows)} lines are not a whole number of frames of 20 joints; is the file cut off?"
        )
    x = rows[:, :3].reshape(1, -1, KINECT_20.n_joints, 3)[:, :, MSR_TO_KINECT]
    check_sequence(name, x, KINECT_20.n_joints)
    return (action, subject), x


def _rows(name: str, content: bytes) -> np.ndarray:
    """Return the numbers of one file, shape (lines, 4)."""
    lines = decoded(content).split("\n")
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise DataError(f"{name} has zero frames; fetch it again, or remove the file")
    try:
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes inf, refused later
            rows = np.loadtxt(lines, comments=None, ndmin=2).astype(np.float32)
    except ValueError as error:
        raise DataError(f"{name}: expected lines of {_COLUMNS} numbers ({error})") from error
    if rows.shape[1] != _COLUMNS:
        raise DataError(
            f"{name}: expected lines of x, y, z and confidence, got {rows.shape[1]} columns; is it a file of Real3D?"
        )
    return rows
