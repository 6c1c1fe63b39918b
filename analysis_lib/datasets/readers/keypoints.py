"""What pose estimators write: a table of keypoints, or a folder of their JSON files.

**A table** (``.csv``; ``.parquet`` where pyarrow is installed) has one row a joint that was seen:

=================  ================================================================================
column             value
=================  ================================================================================
``clip``           text: name of the sequence
``frame``          whole number; frames that no row names are gaps
``person``         text: the same throughout a clip (may be left out: one person)
``joint``          text: name of the joint in one of the published layouts; ``left_wrist``,
                   ``Left Wrist`` and ``left wrist`` are one
``x``, ``y``       numbers; empty or NaN where the joint was not seen
``z``              number (may be left out: 2-D)
``score``          number in 0..1 (may be left out); empty counts as 1
``label``          text: class of the clip, the same in all its rows
``subject``,       text, one a clip (may be left out)
``view``
``split``          text, one a clip: ``train``, ``test``, ... (may be left out)
``unit``           text, the same in all rows (default: ``px`` in 2-D, ``m`` in 3-D)
=================  ================================================================================

Other columns are not used; those of `SYNONYMS` are known by these names too. The layout is the
smallest published one that has all the joints.

**A folder** holds JSON files, at any depth:

- OpenPose, ``--write_json``: a file a frame, ``NAME_000000000012_keypoints.json``; a clip is NAME;
- AlphaPose: a file a clip, a list of detections with ``image_id`` and ``keypoints``;
- MediaPipe, which writes no files of its own: a file a clip, a list of its results, one a frame, each
  with ``pose_world_landmarks`` (preferred, in metres) or ``pose_landmarks`` (or ``hand_landmarks``); or
  ``{"frames": [...], "width": ..., "height": ...}``, which brings the latter to pixels.

The label of a clip is in ``labels.csv`` in the folder, with the columns ``clip`` (path in the folder
without its ending), ``label`` and, if you like, ``subject``, ``view``, ``split``. Without that file it is
the name of the first folder on the way to the clip: ``wave/ann-01.json`` shows a wave.

Estimators say where people are, not who they are. Without AlphaPose's ``idx``, people of one frame are
matched to those seen last so that they move least (`tracked`). At most two people are kept, those of whom
most was seen.
"""

import io
import logging
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.readers.archive import decoded
from analysis_lib.errors import DataError, cut
from analysis_lib.loading import TEXT_LIMIT, read_bytes, read_json
from analysis_lib.skeletons.layouts import LAYOUTS, layout
from analysis_lib.skeletons.skeleton import Skeleton

log = logging.getLogger(__name__)

#: columns by the names that other tools give them
SYNONYMS = {
    "clip": ("frame_dir", "video", "filename"),
    "frame": ("frame_idx", "frame_id"),
    "person": ("track", "individuals", "idx", "track_id"),
    "joint": ("node", "bodyparts", "keypoint", "landmark"),
    "score": ("likelihood", "visibility", "confidence", "keypoint_score", "point_scores"),
}
NEEDED = ("clip", "frame", "joint", "x", "y")
OF_A_CLIP = ("label", "subject", "view", "split")
#: people of a clip that are kept when an estimator does not say who is who
KEEP = 2
#: frame numbers further apart are taken for damage
MAX_FRAMES = 100_000

_OPENPOSE_FILE = re.compile(r"(.+)_(\d{12})_keypoints")
_FRAME_NUMBER = re.compile(r"(?<!\d)\d{1,15}(?!\d)")
_OPENPOSE = {s.n_joints: s for s in map(layout, ("openpose-18", "openpose-25"))}
_ALPHAPOSE = {s.n_joints: s for s in map(layout, ("coco-17", "halpe-26", "wholebody-133"))}
_MEDIAPIPE = {s.n_joints: s for s in map(layout, ("mediapipe-33", "hand-21"))}
#: keys of MediaPipe's results, the preferred first, and whether they are metres
_LANDMARKS = {
    "pose_world_landmarks": True,
    "worldLandmarks": True,
    "multi_hand_world_landmarks": True,
    "hand_world_landmarks": True,
    "pose_landmarks": False,
    "landmarks": False,
    "multi_hand_landmarks": False,
    "hand_landmarks": False,
}


def read_keypoints(path: str | Path) -> SkeletonDataset:
    """Return the clips of a table of keypoints, or of a folder of OpenPose's, AlphaPose's or MediaPipe's files.

    Joints that were not seen are NaN to `SkeletonDataset`, which fills them in; a person is zero before
    they come and after they leave.

    Parameters
    ----------
    path : str or Path
        See the first lines of this module.

    Returns
    -------
    SkeletonDataset
        Sequences (M, T_i, V, C) of x, y, z where there is one, and score where there is one. Classes are
        in the order of their names (of their numbers, if all are numbers).

    Raises
    ------
    DataError
        If a column is missing, a joint is of no layout, a row is there twice or holds no number, a clip has
        no label or several, or a file is damaged; the message names the row, the clip or the file.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> rows = "".join(f"{clip},{t},{joint},1,2,{clip}\\n" for clip in ("nod", "wave") for t in (0, 1)
    ...                for joint in layout("hand-21").joints)
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "hands.csv"
    ...     _ = path.write_text("clip,frame,joint,x,y,label\\n" + rows)
    ...     read_keypoints(path)
    SkeletonDataset('hands', 2 clips, 2 classes, hand-21, splits {})
    """
    path = Path(path).expanduser()
    if path.is_dir():
        skeleton, clips, channels, unit = _from_folder(path)
        return _dataset(path.name, skeleton, clips, channels, unit, _labels_of_folder(path, clips))
    table = _table(path)
    if absent := [c for c in (*NEEDED, "label") if c not in table]:
        raise DataError(
            f"{path} has no column '{absent[0]}'; expected {', '.join((*NEEDED, 'label'))}, got {cut(', '.join(table))}"
        )
    if table.empty:
        raise DataError(f"{path} has no rows below its header")
    try:
        return _dataset(path.stem, *_from_table(table), _facts_of_clips(table))
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


# ---- tables


def _table(path: Path) -> pd.DataFrame:
    """Return a table as text, its columns under their own names."""
    try:
        if path.suffix.lower() == ".parquet":
            table = pd.read_parquet(path, dtype_backend="numpy_nullable")  # whole numbers stay such beside gaps
            table = table.astype(object).where(table.notna(), "").map(str)
        else:
            text = decoded(read_bytes(path, most=4 * TEXT_LIMIT))
            if "\ufffd" in text:
                raise DataError(f"{path} is not text in UTF-8; save it as such")
            separator = max(",;\t", key=text.partition("\n")[0].count)
            table = pd.read_csv(
                io.StringIO(text), sep=separator, dtype=str, keep_default_na=False, skipinitialspace=True
            )
    except ImportError as error:
        raise DataError(f"{path}: Parquet needs the package pyarrow; install it, or write a CSV") from error
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, pd.errors.ParserError) as error:
        raise DataError(f"{path} is not a table with one row a joint: {' '.join(str(error).split())}") from error
    table.columns = [str(column).strip().lower() for column in table.columns]
    ours = {other: ours for ours, others in SYNONYMS.items() if ours not in table for other in others}
    table = table.rename(columns=ours)
    if twice := [column for column in table if list(table).count(column) > 1]:
        raise DataError(f"{path} has the column '{twice[0]}' twice")
    return table.apply(lambda column: column.str.strip())


def _from_table(table: pd.DataFrame) -> tuple[Skeleton, dict[str, np.ndarray], tuple[str, ...], str]:
    """Return layout, clips (M, T, V, C) with NaN for gaps, channels and unit of a table."""
    channels = tuple(c for c in ("x", "y", "z", "score") if c in table)
    units = table["unit"].unique() if "unit" in table else ["m" if "z" in channels else "px"]
    if len(units) > 1:
        raise DataError(f"the column unit must be the same in all rows, got {cut(', '.join(map(repr, units[:3])))}")
    frame = _numbers(table, "frame")
    if bad := np.flatnonzero((frame % 1 != 0) | (frame < 0) | (frame >= 2**53)).tolist():
        raise DataError(
            f"row {bad[0] + 2}: frame must be a whole number from 0 on, got '{cut(table['frame'].iloc[bad[0]], 60)}'"
        )
    values = np.column_stack([_numbers(table, channel) for channel in channels])
    skeleton, joint = _joints(table["joint"])
    person = table["person"] if "person" in table else pd.Series("0", table.index)
    keys = pd.DataFrame({"clip": table["clip"], "frame": frame.astype(int), "person": person, "joint": joint})
    if (twice := keys.duplicated().to_numpy()).any():
        at = int(twice.argmax())
        row = keys.iloc[at]
        raise DataError(
            f"row {at + 2}: clip '{row['clip']}', frame {row['frame']}, person '{row['person']}' has joint "
            f"'{skeleton.joints[row['joint']]}' twice"
        )
    clips = {}
    of_clip = keys.groupby("clip").indices
    for clip in keys["clip"].unique():
        rows = of_clip[clip]
        people = {name: m for m, name in enumerate(_in_order(person.iloc[rows]))}
        place = person.iloc[rows].map(people).to_numpy(int)
        t = keys["frame"].to_numpy()[rows]
        clips[clip] = _filled(clip, place, t, joint[rows], values[rows], skeleton.n_joints, channels)
    return skeleton, clips, channels, str(units[0])


def _filled(clip, place, frames, joint, values, n_joints: int, channels: tuple[str, ...]) -> np.ndarray:
    """Return one clip (M, T, V, C) of its rows: NaN in gaps, zero where a person is not there yet, or no more."""
    n_frames = frames.max() - frames.min() + 1
    if n_frames > MAX_FRAMES:
        raise DataError(f"clip '{clip}' has frames {frames.min()} to {frames.max()}; is 'frame' a time?")
    x = np.full((place.max() + 1, n_frames, n_joints, len(channels)), np.nan)
    x[place, frames - frames.min(), joint] = values
    coordinates = x[..., : len(channels) - channels.count("score")]
    gone = np.isnan(coordinates).any(axis=-1)
    coordinates[gone] = np.nan
    if "score" in channels:
        x[..., -1] = np.where(gone, 0, np.nan_to_num(x[..., -1], nan=1))
    for body, seen in zip(x, ~gone.all(axis=2), strict=True):
        there = np.flatnonzero(seen) if seen.any() else [0, n_frames]
        body[: there[0]] = body[there[-1] + 1 :] = 0
    return x


def _numbers(table: pd.DataFrame, column: str) -> np.ndarray:
    """Return a column as numbers, NaN where it is empty; scores must lie in 0..1."""
    given = table[column]
    values = pd.to_numeric(given, errors="coerce").to_numpy(float)
    wrong = np.isinf(values) | (np.isnan(values) & ~given.str.lower().isin(["", "nan", "na", "none", "null"]))
    if column == "score":
        wrong |= (values < 0) | (values > 1)
    if wrong.any():
        at = int(wrong.argmax())
        hint = ", expected 0 to 1" if column == "score" else ", expected a number"
        raise DataError(f"row {at + 2}: {column} is '{cut(given.iloc[at], 60)}'{hint}")
    return values


def _joints(names: pd.Series) -> tuple[Skeleton, np.ndarray]:
    """Return the smallest layout that has all the joints, and the index of each row's joint."""
    plain = {name: re.sub(r"[\s_.-]+", " ", name).strip().lower() for name in names.unique()}
    given = set(plain.values())
    fitting = [s for s in LAYOUTS.values() if given <= set(s.joints)]
    if not fitting:
        nearest = max(LAYOUTS.values(), key=lambda s: len(given & set(s.joints)))
        others = sorted(given - set(nearest.joints))
        raise DataError(
            f"joints {cut(', '.join(map(repr, others[:3])))} are of no layout ({nearest.name}, the nearest, has "
            f"{', '.join(nearest.joints[:3])}, ...); rename them, or write an .npz with bones of your own"
        )
    skeleton = min(fitting, key=lambda s: s.n_joints)
    index = {name: skeleton.joints.index(joint) for name, joint in plain.items()}
    return skeleton, names.map(index).to_numpy(int)


def _facts_of_clips(table: pd.DataFrame) -> pd.DataFrame:
    """Return label, subject, view and split by clip, which must be the same in all its rows."""
    facts = table[["clip", *(c for c in OF_A_CLIP if c in table)]].drop_duplicates().set_index("clip")
    if (twice := facts.index.duplicated()).any():
        clip = facts.index[twice][0]
        column = next(c for c in facts if facts.loc[clip, c].nunique() > 1)
        values = ", ".join(f"'{cut(value, 60)}'" for value in facts.loc[clip, column].unique()[:3])
        raise DataError(f"clip '{clip}' has several values of {column}: {values}")
    return facts


# ---- the dataset


def _dataset(
    name: str, skeleton: Skeleton, clips: Mapping, channels, unit: str, facts: pd.DataFrame
) -> SkeletonDataset:
    """Return the dataset of clips and what is known of each."""
    if absent := [clip for clip in clips if clip not in facts.index or not facts.loc[clip, "label"]]:
        raise DataError(f"clip '{absent[0]}' has no label")
    facts = facts.loc[list(clips)]
    classes = _in_order(facts["label"])
    splits = {}
    if "split" in facts:
        splits = {split: np.flatnonzero(facts["split"] == split) for split in _in_order(facts["split"]) if split}
    return SkeletonDataset(
        name=name,
        skeleton=skeleton,
        sequences=tuple(clips.values()),
        labels=facts["label"].map(classes.index).to_numpy(int),
        class_names=tuple(classes),
        clips=tuple(clips),
        subjects=_whole(facts, "subject"),
        views=_whole(facts, "view"),
        splits=splits,
        unit=unit,
        channels=channels,
    )


def _in_order(names: Iterable[str]) -> list[str]:
    """Return distinct names in order, numbers by their value."""
    return sorted(set(names), key=lambda name: (not _is_number(name), int(name) if _is_number(name) else 0, name))


def _is_number(name: str) -> bool:
    return name.isdecimal() and len(name) < 19  # of 64 bits


def _whole(facts: pd.DataFrame, column: str) -> np.ndarray | None:
    """Return a column of a clip's facts as whole numbers: as they are, or counted in order; -1 where empty."""
    if column not in facts:
        return None
    known = [name for name in _in_order(facts[column]) if name]
    number = {name: int(name) if all(map(_is_number, known)) else i for i, name in enumerate(known)}
    return facts[column].map({"": -1} | number).to_numpy(int)


# ---- folders of JSON


def _from_folder(path: Path) -> tuple[Skeleton, dict[str, np.ndarray], tuple[str, ...], str]:
    """Return layout, clips (M, T, V, C), channels and unit of a folder of JSON files."""
    files = [f for f in sorted(path.rglob("*.json")) if not any(p.startswith(".") for p in f.relative_to(path).parts)]
    if not files:
        raise DataError(f"{path} holds no .json file; expected those of OpenPose, AlphaPose or MediaPipe")
    parsed: dict[str, list] = {}
    for file in files:
        name = file.relative_to(path).with_suffix("").as_posix()
        one_frame = _OPENPOSE_FILE.fullmatch(name)
        content = read_json(file)
        if one_frame:
            parsed.setdefault(one_frame[1], []).append((int(one_frame[2]), _openpose(file, content)))
        elif name in parsed:
            raise DataError(f"{path}: clip '{name}' is there twice")
        else:
            parsed[name] = _frames_of_clip(file, content)
    parsed = {
        name: [(t, [p for p in people if np.isfinite(p[0][:, 0]).any()]) for t, people in frames]
        for name, frames in parsed.items()
    }
    shown = {name: frames for name, frames in parsed.items() if any(people for _, people in frames)}
    log.info("%s: %d clips read, %d without a person dropped", path, len(shown), len(parsed) - len(shown))
    if not shown:
        raise DataError(f"{path}: none of its {len(parsed)} clips shows a person")
    kinds = {person[1:3] for frames in shown.values() for _, people in frames for person in people}
    if len(kinds) > 1:
        raise DataError(f"{path} mixes {' and '.join(sorted(' in '.join(kind) for kind in kinds))}; give one at a time")
    ((name, unit),) = kinds
    channels = ("x", "y", "z", "score") if unit == "m" else ("x", "y", "score")
    return layout(name), {clip: _people(clip, frames, channels) for clip, frames in shown.items()}, channels, unit


def _person(file: Path, numbers, layouts: Mapping[int, Skeleton], unit: str, who=None) -> tuple:
    """Return the joints (V, C) of one person, their layout's name, their unit and who they are, if that is known.

    The last channel is the score; a joint at the origin with score 0 was not seen.
    """
    width = 4 if unit == "m" else 3
    try:
        x = np.array(numbers, float).reshape(-1, width)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{file}: expected {width} numbers a joint, got something else ({error})") from error
    if len(x) not in layouts:
        known = ", ".join(f"{n} ({s.name})" for n, s in layouts.items())
        raise DataError(f"{file}: a person of {len(x)} joints; known are {known}")
    x[:, -1] = x[:, -1].clip(0, 1)
    x[~x.any(axis=1), :-1] = np.nan
    return x, layouts[len(x)].name, unit, who


def _openpose(file: Path, content: object) -> list[tuple]:
    """Return the people of one frame of OpenPose."""
    try:
        return [_person(file, person["pose_keypoints_2d"], _OPENPOSE, "px") for person in content["people"]]
    except (KeyError, TypeError) as error:
        raise DataError(f"{file}: expected people with pose_keypoints_2d, as OpenPose writes ({error!r})") from error


def _frames_of_clip(file: Path, content: object) -> list[tuple[int, list]]:
    """Return (frame, people) of a clip in one file, of AlphaPose or MediaPipe."""
    if isinstance(content, list) and content and isinstance(content[0], dict) and "image_id" in content[0]:
        return _alphapose(file, content)
    if isinstance(content, dict) and "frames" in content:
        return _mediapipe(file, content["frames"], (content.get("width"), content.get("height")))
    if isinstance(content, list):
        return _mediapipe(file, content, (None, None))
    raise DataError(
        f"{file} is of no known form: expected OpenPose's NAME_000000000012_keypoints.json, AlphaPose's list with "
        "image_id and keypoints, or a list of MediaPipe's results"
    )


def _alphapose(file: Path, detections: list) -> list[tuple[int, list]]:
    """Return (frame, people) of AlphaPose's list; the frame is the last number in ``image_id``."""
    frames: dict[int, list] = {}
    try:
        for found in detections:
            number = int(_FRAME_NUMBER.findall(str(found["image_id"]))[-1])
            who = found.get("idx")
            person = _person(file, found["keypoints"], _ALPHAPOSE, "px", str(who) if who is not None else None)
            frames.setdefault(number, []).append(person)
    except DataError:
        raise
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        raise DataError(f"{file}: expected image_id with a number, and keypoints ({error!r})") from error
    return sorted(frames.items(), key=lambda frame: frame[0])


def _mediapipe(file: Path, results: object, size: tuple) -> list[tuple[int, list]]:
    """Return (frame, people) of a list of MediaPipe's results, one a frame."""
    try:
        return [(t, _landmarks(file, result or {}, size)) for t, result in enumerate(results)]
    except DataError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise DataError(
            f"{file}: expected a result of MediaPipe a frame, with pose_world_landmarks or pose_landmarks of x, y, z "
            f"({error!r})"
        ) from error


def _landmarks(file: Path, result: Mapping, size: tuple) -> list[tuple]:
    """Return the people of one of MediaPipe's results, in metres if it has those."""
    key = next((key for key in _LANDMARKS if result.get(key)), None)
    if key is None:
        if result and not set(result) & set(_LANDMARKS):
            raise KeyError("pose_landmarks")
        return []
    people = result[key]
    if isinstance(people, dict):
        people = people["landmark"]
    people = people if isinstance(people[0], list) else [people]
    if _LANDMARKS[key]:
        axes, unit = {"x": 1.0, "y": 1.0, "z": 1.0}, "m"
    elif all(size):
        axes, unit = {"x": float(size[0]), "y": float(size[1])}, "px"
    else:
        axes, unit = {"x": 1.0, "y": 1.0}, "image size"
    numbers = [
        [[*(mark[a] * scale for a, scale in axes.items()), mark.get("visibility", 1)] for mark in one] for one in people
    ]
    return [_person(file, one, _MEDIAPIPE, unit) for one in numbers]


def _people(clip: str, frames: list[tuple[int, list]], channels: tuple[str, ...]) -> np.ndarray:
    """Return the people of whom most was seen, (M, T, V, C), of what was found in each frame."""
    who = tracked([(t, [person[0] for person in people], [person[3] for person in people]) for t, people in frames])
    pairs = zip(frames, who, strict=True)
    rows = [(name, t, x) for (t, people), names in pairs for name, (x, *_) in zip(names, people, strict=True)]
    seen = Counter()
    for name, _, x in rows:
        seen[name] += int(np.isfinite(x[:, 0]).sum())
    kept = [name for name, _ in seen.most_common(KEEP)]
    rows = [(kept.index(name), t, x) for name, t, x in rows if name in kept]
    place, at, joints = (np.array(column) for column in zip(*rows, strict=True))
    n, v = joints.shape[:2]
    values = joints.reshape(n * v, -1)
    return _filled(clip, place.repeat(v), at.repeat(v), np.tile(np.arange(v), n), values, v, channels)


def tracked(frames: list[tuple[int, list[np.ndarray], list]]) -> list[list[str]]:
    """Return who the people of each frame are.

    A person whose identity is not given is one of those seen before, in the assignment that moves all
    people least (mean distance of the joints in common), unless that is further than the size of the body.

    Parameters
    ----------
    frames : list of (frame, people, identities)
        People are arrays (V, C) of coordinates and score; an identity is text, or None.

    Returns
    -------
    list of list of str

    Examples
    --------
    >>> ann, bob = np.array([[0, 0, 1.0], [0, 2, 1]]), np.array([[9, 0, 1.0], [9, 2, 1]])
    >>> tracked([(0, [ann, bob], [None, None]), (1, [bob + 0.1, ann], [None, None])])
    [['person 0', 'person 1'], ['person 1', 'person 0']]
    """
    last: dict[str, np.ndarray] = {}
    named = []
    for _, people, identities in frames:
        names = list(identities)
        unknown = [i for i, name in enumerate(names) if name is None]
        free = [name for name in last if name not in names]
        far = np.array([[_distance(people[i], last[name]) for name in free] for i in unknown]).reshape(
            len(unknown), len(free)
        )
        for i, j in zip(*linear_sum_assignment(far), strict=True):
            if far[i, j] <= 1:
                names[unknown[i]] = free[j]
        for i in unknown:
            names[i] = names[i] or f"person {len(last)}"
            last[names[i]] = people[i]
        last |= dict(zip(names, people, strict=True))
        named.append(names)
    return named


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    """Return the mean distance of the joints that both poses have, in sizes of the body; 1e9 if there are none."""
    apart = np.linalg.norm(one[:, :-1] - other[:, :-1], axis=1)
    size = np.linalg.norm(np.nanmax(other[:, :-1], axis=0) - np.nanmin(other[:, :-1], axis=0))
    seen = np.isfinite(apart)
    return float(apart[seen].mean() / max(size, 1e-9)) if seen.any() else 1e9


def _labels_of_folder(path: Path, clips: Iterable[str]) -> pd.DataFrame:
    """Return label, subject, view and split by clip, of ``labels.csv`` or of the names of the folders."""
    sidecar = path / "labels.csv"
    if sidecar.is_file():
        table = _table(sidecar)
        if absent := [column for column in ("clip", "label") if column not in table]:
            raise DataError(f"{sidecar} has no column '{absent[0]}'; expected clip, label, got {cut(', '.join(table))}")
        try:
            return _facts_of_clips(table)
        except DataError as error:
            raise DataError(f"{sidecar}: {error}") from error
    labels = {clip: clip.partition("/")[0] for clip in clips}
    if loose := [clip for clip in labels if "/" not in clip]:
        raise DataError(f"clip '{loose[0]}' is in no folder that names its label, and {sidecar} is not there")
    return pd.DataFrame({"label": labels})
