"""A folder of filmed infants: 29 key points a frame, a file a recording, and a table of labels.

A recording is a file ``NAME.csv`` or ``NAME.npz`` of one infant, in pixels, y downwards, as trackers write. A point
that was not seen is empty or NaN. The points are those of the layout ``infant-29`` (Groos et al., 2022).

==========  ===========================================================================================
file        holds
==========  ===========================================================================================
``.csv``    a row a frame, with the columns ``nose_x``, ``nose_y``, ``thorax_x``, ... and, if frames were left
            out, ``frame``; or a row a joint (`analysis_lib.datasets.readers.keypoint_table`, without ``clip``)
``.npz``    ``x`` of shape (T, 29, 2), in the order of the layout; ``rate``, frames a second (may be left out)
==========  ===========================================================================================

The table of labels has the columns ``clip`` (NAME), ``label`` (1 with, 0 without fidgety movements) and, if you like,
``subject`` (whose recording it is), ``split`` (``train``, ``test``) and ``rate`` (frames a second).
"""

import math
from pathlib import Path

import numpy as np
import pandas as pd

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recordings import (
    EVERY,
    RATE,
    SECONDS,
    head_up,
    infant_windows,
    resampled,
    windows,
)
from analysis_lib.datasets.readers.keypoint_table import (
    clips_of_table,
    facts_of_clips,
    filled,
    joints_of,
    numbers_of,
    read_table,
)
from analysis_lib.datasets.readers.keypoints import whole_numbers
from analysis_lib.datasets.synthetic.infants import CLASS_NAMES
from analysis_lib.errors import DataError, UserError, cut
from analysis_lib.loading import read_arrays
from analysis_lib.skeletons.layouts import layout

BODY = layout("infant-29")
ENDS = BODY.joint("thorax"), BODY.joint("pelvis")
LABELS = ("clip", "label", "subject", "split", "rate")


def read_infants(folder: str | Path, labels: str | Path | None = None, rate: float | None = None) -> SkeletonDataset:
    """Return windows of 5 s of the recordings in a folder, as those of the generated infants.

    Each recording is turned until the head is up, its gaps are filled, and it is brought to 30 Hz and to units of
    twice the trunk (`analysis_lib.datasets.preparation.recordings`).

    Parameters
    ----------
    folder : path
    labels : path, optional
        The table of labels; by default ``labels.csv`` in the folder.
    rate : float, optional
        Frames a second of recordings that do not say.

    Returns
    -------
    SkeletonDataset
        Clips of shape (1, 150, 29, 2), in trunks, whose ``views`` number the windows of a recording from 0.
        ``missing`` has the share of each window's frames in which a point was not seen.

    Raises
    ------
    DataError
        If a file is damaged, a recording has no label or no rate, is shorter than a window, or never shows a joint;
        the message says what is wrong with the first such recording, and names the others.
    """
    folder = Path(folder).expanduser()
    table = Path(labels).expanduser() if labels else folder / "labels.csv"
    paths = _recordings(folder, table)
    facts = _facts(table, paths)
    windows, missing, rows, wrong = [], [], [], {}
    for name, path in paths.items():
        try:
            found, gone = _windows_of(path, facts.loc[name], rate)
        except DataError as error:
            wrong[path.name] = error
            continue
        windows += found
        missing += gone
        rows += [(name, i) for i in range(len(found))]
    if wrong:
        first, *others = wrong
        more = f" (nor can {cut(', '.join(others))} be taken)" if others else ""
        raise DataError(f"{wrong[first]}{more}") from wrong[first]
    whose = facts.loc[[name for name, _ in rows]]
    known = whole_numbers(facts, "subject") if "subject" in facts else np.arange(len(facts))
    return SkeletonDataset(
        name=f"{folder.resolve().name} (recordings)",
        skeleton=BODY,
        sequences=tuple(x[None] for x in windows),
        labels=whose["label"].astype(int).to_numpy(),
        class_names=CLASS_NAMES,
        clips=tuple(f"{name}, window {i}" for name, i in rows),
        subjects=pd.Series(known, facts.index).loc[whose.index].to_numpy(),
        views=np.array([i for _, i in rows]),
        splits=_splits(whose),
        unit="trunks",
        missing=np.array(missing),
    )


def _recordings(folder: Path, table: Path) -> dict[str, Path]:
    """Return the files of a folder by their name without ending."""
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder; expected one with a .csv or .npz a recording, and labels.csv")
    files = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in (".csv", ".npz") and p.name != table.name]
    paths = {p.stem: p for p in files}
    if not files:
        raise DataError(f"{folder} has no recording: expected a .csv or .npz of 29 key points for each")
    if len(paths) < len(files):
        twice = next(p.stem for p in files if paths[p.stem] != p)
        raise DataError(f"{folder} has the recording '{twice}' twice, as .csv and as .npz; keep one")
    return paths


def _facts(table: Path, paths: dict[str, Path]) -> pd.DataFrame:
    """Return what the table of labels says of each recording."""
    given = read_table(table)
    if absent := [column for column in LABELS[:2] if column not in given]:
        raise DataError(
            f"{table} has no column '{absent[0]}'; expected {', '.join(LABELS)}, got {cut(', '.join(given))}"
        )
    try:
        facts = facts_of_clips(given, LABELS[1:])
    except DataError as error:
        raise DataError(f"{table}: {error}") from error
    if absent := [name for name in paths if name not in facts.index]:
        raise DataError(f"{table} has no row for the recording '{absent[0]}'; expected its name as clip, and a label")
    if absent := [name for name in facts.index if name not in paths]:
        raise DataError(f"{table} names the recording '{cut(absent[0], 60)}', which is not in the folder")
    if wrong := [name for name in paths if facts.loc[name, "label"] not in ("0", "1")]:
        raise DataError(
            f"{table}: the label of '{wrong[0]}' must be 1 (with fidgety movements) or 0 (without), "
            f"got '{cut(facts.loc[wrong[0], 'label'], 60)}'"
        )
    return facts.loc[list(paths)]


def _windows_of(path: Path, facts: pd.Series, rate: float | None) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the windows of a file, and what was not seen of them."""
    x, own = _read(path)
    try:
        return _windows(x, _rate(facts, own, rate))
    except UserError as error:
        raise DataError(f"{path}: {error}") from error


def _read(path: Path) -> tuple[np.ndarray, object]:
    """Return a recording (T, 29, 2), and its rate or None."""
    if path.suffix.lower() == ".npz":
        arrays = read_arrays(path)
        x = arrays.get("x")
        if x is None or x.ndim != 3 or x.shape[1:] != (BODY.n_joints, 2) or x.dtype.kind not in "fiu":
            held = ", ".join(f"{key} {each.shape}" for key, each in arrays.items())
            raise DataError(f"{path} needs an array x of numbers, of shape (frames, 29, 2), got {cut(held) or 'none'}")
        return x.astype(float), arrays.get("rate")
    table = read_table(path)
    if table.empty:
        raise DataError(f"{path} has no rows below its header")
    try:
        return (_by_joint if "joint" in table else _by_frame)(table, path.stem), None
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def _by_joint(table: pd.DataFrame, name: str) -> np.ndarray:
    """Return the recording of a table with a row a joint."""
    if absent := [column for column in ("frame", "x", "y") if column not in table]:
        raise DataError(f"it has no column '{absent[0]}'; expected frame, joint, x, y, got {cut(', '.join(table))}")
    skeleton, clips, *_ = clips_of_table(table.assign(clip=name))
    (x,) = clips.values()
    _check_layout(skeleton.name)
    if len(x) > 1:
        raise DataError(f"it shows {len(x)} people; keep the rows of the infant")
    return x[0, :, :, :2]


def _by_frame(table: pd.DataFrame, name: str) -> np.ndarray:
    """Return the recording of a table with a row a frame and the columns NAME_x and NAME_y of each joint."""
    points = [column[:-2] for column in table if column.endswith(("_x", " x", ".x"))]
    absent = [f"{p}_y" for p in points if not {f"{p}{s}y" for s in "_ ."} & set(table)] if points else ["nose_x"]
    if absent:
        raise DataError(f"it has no column '{absent[0]}'; expected nose_x, nose_y, ..., got {cut(', '.join(table))}")
    skeleton, joint = joints_of(pd.Series(points))
    _check_layout(skeleton.name)
    column = {p: [next(f"{p}{s}{axis}" for s in "_ ." if f"{p}{s}{axis}" in table) for axis in "xy"] for p in points}
    values = np.stack([[numbers_of(table, c) for c in column[p]] for p in points])  # (points, 2, T)
    frames = numbers_of(table, "frame") if "frame" in table else np.arange(len(table), dtype=float)
    if not ((frames % 1 == 0) & (frames >= 0)).all() or len(np.unique(frames)) < len(frames):
        raise DataError("the column frame must hold whole numbers from 0 on, each once")
    at = np.repeat(frames.astype(int), len(points))
    rows = values.transpose(2, 0, 1).reshape(-1, 2)
    (x,) = filled(name, np.zeros(len(at), int), at, np.tile(joint, len(frames)), rows, BODY.n_joints, ("x", "y"))
    return x


def _check_layout(name: str) -> None:
    if name != BODY.name:
        raise DataError(f"its joints are those of {name}; the 29 points of {BODY.name} are needed: {cut(BODY.joints)}")


def _rate(facts: pd.Series, own: object, default: float | None) -> float:
    """Return the rate of a recording: of its file, of the table of labels, or the one that is given for all."""
    for given in (own, facts.get("rate") or None, default):
        if given is None:
            continue
        try:
            value = float(given)
        except (TypeError, ValueError):
            value = math.nan
        if not 1 <= value <= 1000:
            raise DataError(f"the rate must be 1 to 1000 frames a second, got {cut(given, 60)}")
        return value
    raise DataError("nothing says how many frames a second it has; give --rate, or a column rate in the labels")


def _windows(x: np.ndarray, rate: float) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the windows of a recording, and the share of each window's frames in which a joint was not seen."""
    if np.isinf(x).any():
        raise DataError("it holds infinite numbers")
    seen = ~np.isnan(x).any(axis=-1) & x.any(axis=-1)  # trackers write zeros, too, for what they do not see
    if absent := np.flatnonzero(~seen.any(axis=0)).tolist():
        raise DataError(
            f"it never shows {cut(', '.join(BODY.joints[v] for v in absent), 80)}; all 29 points are needed"
        )
    there = np.flatnonzero(seen.any(axis=1))
    x = np.where(seen[..., None], x, np.nan)[there[0] : there[-1] + 1]
    if len(x) < SECONDS * rate:
        raise DataError(
            f"the infant is seen for {len(x) / rate:.1f} s; a window takes {SECONDS:g} s: leave the recording "
            "out of the folder and of the labels"
        )
    if not (seen[:, ENDS[0]] & seen[:, ENDS[1]]).any():
        raise DataError("thorax and pelvis are never seen together; nothing says where the head is")
    found = infant_windows(head_up(x * [1, -1], *ENDS), rate, *ENDS)
    gone = np.isnan(resampled(x, rate, RATE)).any(axis=-1)
    return found, [part.mean(axis=0) for part in windows(gone, int(SECONDS * RATE), int(EVERY * RATE))]


def _splits(whose: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the windows of each split that the table of labels names."""
    if "split" not in whose:
        return {}
    return {split: np.flatnonzero(whose["split"] == split) for split in sorted(set(whose["split"])) if split}
