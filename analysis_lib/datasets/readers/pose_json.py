"""Folders of what OpenPose, AlphaPose and MediaPipe write.

A folder holds JSON files, at any depth:

- OpenPose, ``--write_json``: a file a frame, ``NAME_000000000012_keypoints.json``; a clip is NAME;
- AlphaPose: a file a clip, a list of detections with ``image_id`` and ``keypoints``;
- MediaPipe, which writes no files of its own: a file a clip, a list of its results, one a frame, each
  with ``pose_world_landmarks`` (preferred, in metres) or ``pose_landmarks`` (or ``hand_landmarks``); or
  ``{"frames": [...], "width": ..., "height": ...}``, which brings the latter to pixels.

Estimators say where people are, not who they are. Without AlphaPose's ``idx``, people of one frame are
matched to those seen last so that they move least (`tracked`). At most two people are kept, those of whom
most was seen.
"""

import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from analysis_lib.datasets.readers.keypoint_table import filled
from analysis_lib.datasets.readers.tracking import tracked
from analysis_lib.errors import DataError, cut
from analysis_lib.loading import read_json
from analysis_lib.skeletons.layouts import layout
from analysis_lib.skeletons.skeleton import Skeleton

log = logging.getLogger(__name__)

#: people of a clip that are kept when an estimator does not say who is who
KEEP = 2
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


class _Person(NamedTuple):
    """Who was seen in one frame."""

    joints: np.ndarray  #: shape (V, C), the score last
    layout: str
    unit: str
    who: str | None  #: None where the estimator does not say it


def clips_of_folder(path: Path) -> tuple[Skeleton, dict[str, np.ndarray], tuple[str, ...], str]:
    """Return layout, clips (M, T, V, C), channels and unit of a folder of JSON files.

    Raises
    ------
    DataError
        If a file is damaged or of no such form, no person is seen, or layouts are mixed.
    """
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
        name: [(t, [p for p in people if np.isfinite(p.joints[:, 0]).any()]) for t, people in frames]
        for name, frames in parsed.items()
    }
    shown = {name: frames for name, frames in parsed.items() if any(people for _, people in frames)}
    log.info("%s: %d clips read, %d without a person dropped", path, len(shown), len(parsed) - len(shown))
    if not shown:
        raise DataError(f"{path}: none of its {len(parsed)} clips shows a person")
    kinds = {(person.layout, person.unit) for frames in shown.values() for _, people in frames for person in people}
    if len(kinds) > 1:
        raise DataError(f"{path} mixes {' and '.join(sorted(' in '.join(kind) for kind in kinds))}; give one at a time")
    ((name, unit),) = kinds
    channels = ("x", "y", "z", "score") if unit == "m" else ("x", "y", "score")
    return layout(name), {clip: _people(clip, frames, channels) for clip, frames in shown.items()}, channels, unit


@contextmanager
def _expected(what: str, file: Path) -> Iterator[None]:
    """Raise DataError, which says what a file should hold, where what it holds is of another form."""
    try:
        yield
    except DataError:
        raise
    except (KeyError, TypeError, IndexError, AttributeError, ValueError, OverflowError) as error:
        raise DataError(f"{file}: expected {what}, got something else ({cut(repr(error))})") from error


def _person(file: Path, numbers, layouts: Mapping[int, Skeleton], unit: str, who=None) -> _Person:
    """Return one person, of numbers a joint after the other; a joint at the origin with score 0 was not seen."""
    width = 4 if unit == "m" else 3
    with _expected(f"{width} numbers a joint", file):
        x = np.array(numbers, float).reshape(-1, width)
    if len(x) not in layouts:
        known = ", ".join(f"{n} ({s.name})" for n, s in layouts.items())
        raise DataError(f"{file}: a person of {len(x)} joints; known are {known}")
    x[:, -1] = x[:, -1].clip(0, 1)
    x[~x.any(axis=1), :-1] = np.nan
    return _Person(x, layouts[len(x)].name, unit, who)


def _openpose(file: Path, content: object) -> list[_Person]:
    """Return the people of one frame of OpenPose."""
    with _expected("people with pose_keypoints_2d, as OpenPose writes", file):
        return [_person(file, person["pose_keypoints_2d"], _OPENPOSE, "px") for person in content["people"]]


def _frames_of_clip(file: Path, content: object) -> list[tuple[int, list[_Person]]]:
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


def _alphapose(file: Path, detections: list) -> list[tuple[int, list[_Person]]]:
    """Return (frame, people) of AlphaPose's list; the frame is the last number in ``image_id``."""
    frames: dict[int, list] = {}
    with _expected("image_id with a number, and keypoints", file):
        for found in detections:
            number = int(_FRAME_NUMBER.findall(str(found["image_id"]))[-1])
            who = found.get("idx")
            person = _person(file, found["keypoints"], _ALPHAPOSE, "px", str(who) if who is not None else None)
            frames.setdefault(number, []).append(person)
    return sorted(frames.items(), key=lambda frame: frame[0])


def _mediapipe(file: Path, results: object, size: tuple) -> list[tuple[int, list[_Person]]]:
    """Return (frame, people) of a list of MediaPipe's results, one a frame."""
    with _expected("a result of MediaPipe a frame, with pose_world_landmarks or pose_landmarks of x, y, z", file):
        return [(t, _landmarks(file, result or {}, size)) for t, result in enumerate(results)]


def _landmarks(file: Path, result: Mapping, size: tuple) -> list[_Person]:
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


def _people(clip: str, frames: list[tuple[int, list[_Person]]], channels: tuple[str, ...]) -> np.ndarray:
    """Return the people of whom most was seen, (M, T, V, C), of what was found in each frame."""
    who = tracked(
        [(t, [person.joints for person in people], [person.who for person in people]) for t, people in frames]
    )
    pairs = zip(frames, who, strict=True)
    rows = [(name, t, one.joints) for (t, people), names in pairs for name, one in zip(names, people, strict=True)]
    seen = Counter()
    for name, _, x in rows:
        seen[name] += int(np.isfinite(x[:, 0]).sum())
    kept = [name for name, _ in seen.most_common(KEEP)]
    rows = [(kept.index(name), t, x) for name, t, x in rows if name in kept]
    place, at, joints = (np.array(column) for column in zip(*rows, strict=True))
    n, v = joints.shape[:2]
    values = joints.reshape(n * v, -1)
    return filled(clip, place.repeat(v), at.repeat(v), np.tile(np.arange(v), n), values, v, channels)
