"""NTU RGB+D 60 and 120: the ``.skeleton`` text files that Kinect v2 recordings are published in.

A file holds the number of frames; then for every frame the number of bodies; then for every body a
record of 10 fields that begins with its id, the number of joints, and 12 fields a joint, of which
the first three are x, y, z in metres (y up, z away from the camera).
"""

import logging
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.readers import ntu_tables as tables
from analysis_lib.datasets.readers.archive import decoded, read_members
from analysis_lib.errors import DataError, unknown_choice
from analysis_lib.progress import progress_bar
from analysis_lib.skeletons.layouts import NTU_25

log = logging.getLogger(__name__)

#: setup, camera, performer, replication, action: all 1-based
CLIP_NAME = re.compile(r"S(\d{3})C(\d{3})P(\d{3})R(\d{3})A(\d{3})")
N_JOINTS, BODY_FIELDS, JOINT_FIELDS = 25, 10, 12
ORDERS = ("file", "id")


def read_ntu(
    path: str | Path,
    benchmark: str = "ntu-60",
    missing: str | Path | None = None,
    progress: bool = True,
    order: str = "file",
) -> SkeletonDataset:
    """Return NTU RGB+D as a dataset with every published split.

    ==============  ===========================================================================
    benchmark       splits (each with ``_train`` and ``_test``)
    ==============  ===========================================================================
    ``ntu-60``      ``xsub``, ``xview``
    ``ntu-120``     ``xsub``, ``xset``; ``transfer``: actions 61 to 120 only, by performer
    ``ntu-61-120``  ``xsub``, ``xset``; actions 61 to 120 as classes 0 to 59
    ==============  ===========================================================================

    Clips of other actions are left alone. A clip in which no body was ever seen is dropped; a
    line of the log counts them.

    Parameters
    ----------
    path : str or Path
        Folder with the zips as downloaded, or with the unpacked files at any depth; or one zip.
    benchmark : str
    missing : str or Path, optional
        The published list of clips with missing or incomplete skeletons, one name a line; these
        are left out (302 of NTU-60, 535 of NTU-120).
    progress : bool
        Show a progress bar.
    order : {"file", "id"}
        What a body's place in the arrays means, see `parse_skeleton`.

    Returns
    -------
    SkeletonDataset
        Sequences (M, T_i, 25, 3) in metres with all M bodies of a clip; ``views`` are cameras.

    Raises
    ------
    UserError, DataError
        If the benchmark or the order is unknown, there are no such clips, or a file is damaged;
        the message names the file and the line.

    References
    ----------
    Shahroudy et al. (2016), NTU RGB+D; Liu et al. (2020), NTU RGB+D 120.
    """
    if benchmark not in tables.BENCHMARKS:
        raise unknown_choice("NTU benchmark", benchmark, tables.BENCHMARKS)
    if order not in ORDERS:
        raise unknown_choice("order of bodies", order, ORDERS)
    parsed, dropped = {}, _missing_names(missing)
    for name, content in progress_bar(_clips(path, benchmark), f"reading {benchmark}", progress):
        if name in parsed:
            raise DataError(f"{path} holds {name} twice; leave one copy of the dataset in it")
        if name not in dropped:
            parsed[name] = parse_skeleton(decoded(content), name, order)
    kept = {name: parsed[name] for name in sorted(parsed) if len(parsed[name])}
    log.info("%s: %d clips read, %d without any body dropped", benchmark, len(kept), len(parsed) - len(kept))
    if not kept:
        raise DataError(
            f"{path}: none of its {len(parsed)} clips of {benchmark} shows a body; is it the "
            "folder or zip of the skeletons?"
        )
    return _dataset(benchmark, list(kept), list(kept.values()))


def parse_skeleton(text: str, name: str = "clip", order: str = "file") -> np.ndarray:
    """Return the bodies of one ``.skeleton`` file, with zeros where a body is absent.

    Parameters
    ----------
    text : str
        Contents of the file.
    name : str
        What errors call it.
    order : {"file", "id"}
        ``"file"``: body m is the m-th in each frame's list, as ST-GCN and 2s-AGCN read it; one
        place may hold two people in turn. ``"id"``: body m is one tracked id throughout, in order
        of first appearance, as CTR-GCN reads it. Ids are text: floats cannot hold 17 digits.

    Returns
    -------
    float32 ndarray, shape (M, T, 25, 3)
        M is 0 if no frame has a body.

    Raises
    ------
    DataError
        If the file is cut off or garbled; the message names the file and the line.
    """
    lines = text.rstrip().splitlines()
    n_frames, bodies = _walk(lines, name)
    ids = dict.fromkeys(body.id for body in bodies)
    rank = {body_id: m for m, body_id in enumerate(ids)}
    places = [rank[body.id] if order == "id" else body.place for body in bodies]
    frames = [body.frame for body in bodies]
    if clash := [key for key, n in Counter(zip(frames, places, strict=True)).items() if n > 1]:
        raise DataError(
            f"{name}: frame {clash[0][0]} lists body {list(ids)[clash[0][1]]} twice; read it with order='file'"
        )
    n_bodies = max(places, default=-1) + 1
    if n_bodies * n_frames * N_JOINTS * 12 > 64 * len(text) + 2**20:
        raise DataError(f"{name}: {n_frames} frames of {n_bodies} bodies in {len(text)} characters; is it damaged?")
    x = np.zeros((n_bodies, n_frames, N_JOINTS, 3), np.float32)
    if bodies:
        x[places, frames] = _joints(lines, bodies, name)
    return x


class _Body(NamedTuple):
    """Where a body is: its frame, its place in the frame's list, its id, its first joint's line."""

    frame: int
    place: int
    id: str
    start: int


def _walk(lines: list[str], name: str) -> tuple[int, list[_Body]]:
    """Return the number of frames and all body records, without reading joints."""
    n_frames, at, bodies = _count(lines, 0, "the number of frames", name), 1, []
    for frame in range(n_frames):
        n_bodies, at = _count(lines, at, "the number of bodies", name), at + 1
        for place in range(n_bodies):
            if at >= len(lines) or len(fields := lines[at].split()) != BODY_FIELDS:
                raise _damage(lines, at, f"a body of {BODY_FIELDS} fields", name)
            if _count(lines, at + 1, "the number of joints", name) != N_JOINTS:
                raise _damage(lines, at + 1, f"{N_JOINTS} joints", name)
            bodies.append(_Body(frame, place, fields[0], at + 2))
            at += 2 + N_JOINTS
    if at < len(lines):
        raise _damage(lines, at, f"the end after {n_frames} frames", name)
    if at > len(lines):
        raise _damage(lines, len(lines), "a joint", name)
    return n_frames, bodies


def _count(lines: list[str], at: int, what: str, name: str) -> int:
    """Return the count that line ``at`` consists of."""
    text = lines[at].strip() if at < len(lines) else ""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise _damage(lines, at, what, name)
    return int(text)


def _joints(lines: list[str], bodies: list[_Body], name: str) -> np.ndarray:
    """Return x, y, z of every body's joints, shape (bodies, 25, 3), parsed in one go."""
    index = [at for body in bodies for at in range(body.start, body.start + N_JOINTS)]
    rows = [lines[at] for at in index]
    try:
        values = np.loadtxt(rows, comments=None, ndmin=2)
    except ValueError:
        values = np.empty((0, 0))
    if values.shape != (len(rows), JOINT_FIELDS) or not np.isfinite(values[:, :3]).all():
        bad = next((at for at in index if not _is_joint(lines[at])), index[0])
        raise _damage(lines, bad, f"a joint of {JOINT_FIELDS} numbers", name)
    return values[:, :3].reshape(-1, N_JOINTS, 3)


def _is_joint(line: str) -> bool:
    """Return whether a line holds 12 numbers, the first three of them finite."""
    try:
        values = [float(field) for field in line.split()]
    except ValueError:
        return False
    return len(values) == JOINT_FIELDS and bool(np.isfinite(values[:3]).all())


def _damage(lines: list[str], at: int, expected: str, name: str) -> DataError:
    """Return the error for a line that is not what the format asks for."""
    got = repr(lines[at][:40]) if at < len(lines) else "the end of the file"
    return DataError(
        f"{name}, line {at + 1}: expected {expected}, got {got}; the file is cut off or damaged: "
        "fetch it again, or leave the clip out with a missing list"
    )


def _missing_names(path: str | Path | None) -> set[str]:
    """Return the clip names in a missing list."""
    if path is None:
        return set()
    try:
        text = decoded(Path(path).read_bytes())
    except OSError as error:
        raise DataError(f"cannot read the missing list {path}: {error.strerror}") from error
    if not (names := {match.group() for match in CLIP_NAME.finditer(text)}):
        raise DataError(f"the missing list {path} names no clip such as S001C002P005R002A008")
    return names


def _clips(path: str | Path, benchmark: str) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of the benchmark's clips in a zip, a folder, or a folder of zips."""
    first, last = tables.BENCHMARKS[benchmark]
    path = Path(path).expanduser()
    for source in (sorted(path.glob("*.zip")) if path.is_dir() else []) or [path]:
        for match, content in read_members(source, rf"{CLIP_NAME.pattern}\.skeleton", "S001C002P005R002A008.skeleton"):
            if first <= int(match[5]) <= last:
                yield match.string.removesuffix(".skeleton"), content


def _dataset(benchmark: str, clips: list[str], sequences: list[np.ndarray]) -> SkeletonDataset:
    """Return the dataset of parsed clips, whose names hold everything else."""
    first, last = tables.BENCHMARKS[benchmark]
    code = np.array([CLIP_NAME.fullmatch(name).groups() for name in clips], int)
    return SkeletonDataset(
        name=benchmark,
        skeleton=NTU_25,
        sequences=tuple(sequences),
        labels=code[:, 4] - first,
        class_names=tables.ACTIONS[first - 1 : last],
        groups=tables.GROUPS[first - 1 : last],
        clips=tuple(clips),
        subjects=code[:, 2],
        views=code[:, 1],
        splits=tables.splits(code, benchmark),
    )
