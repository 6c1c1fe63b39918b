"""Tables and JSON of pose estimators: what is written is read, what is wrong is one line."""

import json
import os
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis_lib.datasets.catalogue import load_dataset, source_digest
from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.readers.keypoints import read_keypoints
from analysis_lib.datasets.readers.tracking import tracked
from analysis_lib.errors import DataError
from analysis_lib.skeletons.layouts import LAYOUTS, layout


def rows_of(data):
    """Return a dataset as a table of keypoints."""
    split = {i: name for name, index in data.splits.items() for i in index.tolist()}
    return pd.DataFrame(
        {
            "clip": data.clips[i],
            "frame": t,
            "person": f"p{m}",
            "joint": joint.replace(" ", "_").upper(),
            **dict(zip(data.channels, x[m, t, v].tolist(), strict=True)),
            "label": data.class_names[data.labels[i]],
            "subject": data.subjects[i],
            "split": split[i],
        }
        for i, x in enumerate(data.sequences)
        for m, t in np.ndindex(x.shape[:2])
        for v, joint in enumerate(data.skeleton.joints)
    )


def made(rng, skeleton, channels, bodies=(1, 2)):
    return SkeletonDataset(
        "made",
        skeleton,
        [rng.random((m, 3 + m, skeleton.n_joints, len(channels))) for m in bodies],
        [1, 0],
        ("sit", "wave"),
        clips=("b", "a"),
        subjects=[7, 9],
        splits={"train": [0], "test": [1]},
        unit="m" if "z" in channels else "px",
        channels=channels,
    )


@pytest.mark.parametrize("skeleton", LAYOUTS.values(), ids=lambda s: s.name)
@pytest.mark.parametrize("channels", [("x", "y", "score"), ("x", "y", "z")], ids="-".join)
def test_a_table_that_was_written_is_read_whatever_the_order_of_its_rows(rng, tmp_path, skeleton, channels):
    data = made(rng, skeleton, channels)
    table = rows_of(data)
    shuffled = table.sample(frac=1, random_state=1)
    shuffled = shuffled.sort_values("clip", key=lambda clip: clip == "a", kind="stable")  # clips in the order of rows
    shuffled.to_csv(tmp_path / "made.csv", index=False)
    assert load_dataset(tmp_path / "made.csv").fingerprint == data.fingerprint


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.replace(",", ";").encode(),
        lambda text: text.replace("clip,frame", " video , frame_idx").encode(),
    ],
    ids=["BOM, CRLF", "CR", "semicolons", "other names"],
)
def test_tables_of_other_machines_and_tools(rng, tmp_path, change):
    data = made(rng, layout("hand-21"), ("x", "y"))
    (tmp_path / "made.csv").write_bytes(change(rows_of(data).to_csv(index=False)))
    assert read_keypoints(tmp_path / "made.csv").fingerprint == data.fingerprint


def test_a_file_name_that_is_not_utf8(rng, tmp_path):
    path = tmp_path / b"caf\xe9.csv".decode("utf-8", "surrogateescape")
    rows_of(made(rng, layout("hand-21"), ("x", "y"))).to_csv(path, index=False)
    assert len(load_dataset(path)) == 2
    assert len(source_digest(path)) == 64


@pytest.fixture
def table(rng):
    return rows_of(made(rng, layout("coco-17"), ("x", "y", "score"), (1, 1)))


def read(table, tmp_path):
    table.to_csv(tmp_path / "t.csv", index=False)
    return read_keypoints(tmp_path / "t.csv")


def test_gaps_are_missing_joints(table, tmp_path):
    wrist, empty = table.joint == "LEFT_WRIST", table.index[:1]
    table = table.astype({"x": object})
    table.loc[empty, "x"] = ""
    gone = (table["clip"] == "a") & (table.frame == 1)
    data = read(table[~gone & ~(wrist & (table.frame == 2) & (table["clip"] == "b"))], tmp_path)
    b, a = data.missing
    assert a == pytest.approx(np.full(17, 1 / 4))
    assert b == pytest.approx(np.where(np.isin(np.arange(17), [0, 9]), 1 / 4, 0))
    assert data.sequences[0][0, 2, 9, 2] == 0  # the score of what was not seen
    assert data.sequences[1][0, 1] == pytest.approx(  # half-way, but for the score
        data.sequences[1][0, [0, 2]].mean(0) * (1, 1, 0)
    )


def test_a_person_is_zero_before_they_come_and_after_they_leave(table, tmp_path):
    second = table[(table["clip"] == "a") & table.frame.isin([1, 2])].assign(person="q", x=5)
    x = read(pd.concat([second, table]), tmp_path).sequences[0]
    assert x.shape == (2, 4, 17, 3)
    assert x[1].any(axis=(1, 2)).tolist() == [False, True, True, False]


HOSTILE = {
    "no joint": (lambda t: t.drop(columns="joint"), "has no column 'joint'; expected clip, frame, joint, x, y, label"),
    "no label": (lambda t: t.drop(columns="label"), "has no column 'label'"),
    "no rows": (lambda t: t[:0], "has no rows"),
    "a row twice": (lambda t: t.iloc[[0, 1, 1]], "row 4: clip 'b', frame 0, person 'p0' has joint 'left eye' twice"),
    "a wrong joint": (lambda t: t.replace("NOSE", "tail"), "joints 'tail' are of no layout (openpose-18, the nearest"),
    "text": (lambda t: t.astype({"x": object}).replace({"x": {t.x[0]: "12px"}}), "row 2: x is '12px', expected a num"),
    "infinity": (lambda t: t.replace({"y": {t.y[3]: np.inf}}), "row 5: y is 'inf'"),
    "a score of 2": (lambda t: t.replace({"score": {t.score[0]: 2}}), "row 2: score is '2.0', expected 0 to 1"),
    "half a frame": (lambda t: t.assign(frame=t.frame + 0.5), "row 2: frame must be a whole number from 0 on"),
    "a time": (lambda t: t.assign(frame=t.frame * 10**6), "frames 0 to 3000000 of 1 person; is 'frame' a time"),
    "a crowd": (
        lambda t: t.assign(person=[*map(str, range(len(t)))], frame=[50_000, *[0] * (len(t) - 1)]),
        "frames 0 to 50000 of 68 people; is 'frame' a time, or 'person' another in each frame?",
    ),
    "two labels": (lambda t: t.assign(label=[*"ab", *t.label[2:]]), "clip 'b' has several values of label: 'a', 'b'"),
    "an empty label": (lambda t: t.assign(label=""), "clip 'b' has no label"),
    "a frame too far": (lambda t: t.assign(frame="1e30"), "row 2: frame must be a whole number from 0 on, got '1e30'"),
    "beyond 32 bits": (lambda t: t.assign(x=1e39), "infinite coordinate in frame 0"),
    "two units": (lambda t: t.assign(unit=["m", *["px"] * (len(t) - 1)]), "the column unit must be the same"),
}


@pytest.mark.parametrize(("change", "message"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_wrong_is_one_line(table, tmp_path, change, message):
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        read(change(table), tmp_path)
    assert "\n" not in str(caught.value)
    assert "t.csv" in str(caught.value)


@pytest.mark.parametrize("names", [("²", "1"), ("9" * 30, "10")], ids=["superscript", "30 digits"])
def test_people_who_are_no_numbers_are_counted(table, tmp_path, names):
    table["subject"] = [names[c == "a"] for c in table["clip"]]
    assert set(read(table, tmp_path).subjects.tolist()) == {0, 1}


@pytest.mark.parametrize("encoding", ["latin1", "utf-16"])
def test_text_that_is_not_utf8_is_refused(table, tmp_path, encoding):
    """Two classes whose names differ in one such letter would be one."""
    table["label"] = [f"g{'äå'[c == 'a']}" for c in table["clip"]]
    table.to_csv(tmp_path / "t.csv", index=False, encoding=encoding)
    with pytest.raises(DataError, match=r"t\.csv is not text in UTF-8"):
        read_keypoints(tmp_path / "t.csv")


def test_a_parquet_table_is_the_same_dataset(rng, tmp_path, monkeypatch):
    """The library hands on columns of numbers, with gaps, and of categories; pyarrow itself is not in the lock."""
    data = made(rng, layout("hand-21"), ("x", "y", "score"))
    stored = rows_of(data).astype({"label": "category", "subject": "Int64", "x": "Float64"})
    stored.loc[stored["clip"] == "a", "subject"] = pd.NA
    monkeypatch.setattr(pd, "read_parquet", lambda path, **how: stored.convert_dtypes())
    found = load_dataset(tmp_path / "made.parquet")
    assert found.subjects.tolist() == [7, -1]
    assert replace(found, subjects=data.subjects).fingerprint == data.fingerprint


def test_parquet_needs_pyarrow(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"Parquet needs the package pyarrow|is not a table"):
        read_keypoints(tmp_path / "t.parquet")


# ---- JSON


def openpose(*people, joints=25):
    return {"version": 1.3, "people": [{"pose_keypoints_2d": np.ravel(p).tolist()} for p in people]}


def pose(rng, joints, at=0.0):
    return np.column_stack([rng.random((joints, 2)) * 10 + 100 + at, rng.uniform(0.1, 1, joints)])


def write(root, files):
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return root


def test_openpose_a_file_a_frame_and_two_people_who_change_places(rng, tmp_path):
    ann, bob = pose(rng, 25), pose(rng, 25, at=500)
    bob[3] = 0
    frames = [openpose(ann, bob), openpose(bob, ann), openpose(), openpose(ann)]
    files = {f"wave/one_{t + 8:012d}_keypoints.json": frame for t, frame in enumerate(frames)}
    files["sit/two_000000000000_keypoints.json"] = openpose(ann)
    data = load_dataset(write(tmp_path / "mine", files))
    assert (data.name, data.skeleton.name, data.unit, data.clips) == (
        "mine",
        "openpose-25",
        "px",
        ("sit/two", "wave/one"),
    )
    assert [data.class_names[label] for label in data.labels] == ["sit", "wave"]
    x = data.sequences[1]
    assert x.shape == (2, 4, 25, 3)
    assert x[0, [0, 1, 3]] == pytest.approx(np.stack([ann] * 3), rel=1e-6)
    assert x[1, :2, 4:] == pytest.approx(np.stack([bob[4:]] * 2), rel=1e-6)
    assert not x[1, 2:].any()
    assert not x[1, :, 3].any()  # never seen in this clip
    assert len(source_digest(tmp_path / "mine")) == 64


def test_alphapose_sorts_by_number_and_keeps_its_identities(rng, tmp_path):
    ann, bob = pose(rng, 17), pose(rng, 17)
    ann[:, 2] *= 6  # scores may exceed 1
    found = [
        {"image_id": f"{t}.jpg", "category_id": 1, "keypoints": p.ravel().tolist(), "score": 2.9, "idx": who}
        for t, who, p in [(10, 2, bob), (10, 1, ann), (9, 1, ann), (11, 1, ann)]
    ]
    labels = "clip,label,subject,split\nclips/c,jump,anna,train\nother,sit,bob,test\n"
    data = read_keypoints(write(tmp_path, {"clips/c.json": found, "labels.csv": labels}))
    assert (data.skeleton.name, data.class_names, data.clips) == ("coco-17", ("jump",), ("clips/c",))
    assert data.sequences[0][0, :, :, :2] == pytest.approx(np.stack([ann[:, :2]] * 3), rel=1e-6)
    assert data.sequences[0][0, ..., 2].max() == 1
    assert data.sequences[0][1].any(axis=(1, 2)).tolist() == [False, True, False]


def marks(p):
    return [{"x": x, "y": y, "z": 0.5, "visibility": s} for x, y, s in p.tolist()]


@pytest.mark.parametrize(
    ("clip", "expected"),
    [
        (lambda m: [{"pose_landmarks": m}, None], ("mediapipe-33", "image size", 3)),
        (lambda m: [{"pose_landmarks": [m]}, {"pose_landmarks": []}], ("mediapipe-33", "image size", 3)),
        (
            lambda m: {"frames": [{"pose_landmarks": {"landmark": m}}], "width": 640, "height": 480},
            ("mediapipe-33", "px", 3),
        ),
        (lambda m: [{"pose_landmarks": [m], "pose_world_landmarks": [m]}], ("mediapipe-33", "m", 4)),
        (lambda m: [{"hand_landmarks": [m[:21]]}], ("hand-21", "image size", 3)),
    ],
    ids=["legacy", "tasks", "with its size", "metres", "hand"],
)
def test_mediapipe_in_each_of_its_forms(rng, tmp_path, clip, expected):
    p = pose(rng, 33)
    data = read_keypoints(write(tmp_path, {"wave/a.json": clip(marks(p))}))
    x = data.sequences[0]
    assert (data.skeleton.name, data.unit, x.shape[-1]) == expected
    scale = (640, 480) if data.unit == "px" else (1, 1)
    assert x[0, 0, :, :2] == pytest.approx(p[: x.shape[2], :2] * scale, rel=1e-6)
    assert x[0, 0, :, -1] == pytest.approx(p[: x.shape[2], 2], rel=1e-6)


FOLDERS = {
    "nothing": ({"a.txt": ""}, "holds no .json file"),
    "cut off": ({"w/a.json": '[{"image_id"'}, "a.json is not valid JSON"),
    "another form": ({"w/a.json": {"joints": []}}, "a.json is of no known form"),
    "nobody": ({"w/a.json": [None]}, "none of its 1 clips shows a person"),
    "joints": ({"w/a_000000000001_keypoints.json": openpose(np.ones((7, 3)))}, "a person of 7 joints; known are 18"),
    "numbers": ({"w/a_000000000001_keypoints.json": openpose(np.ones(7))}, "expected 3 numbers a joint"),
    "no keypoints": ({"w/a.json": [{"image_id": "1.jpg"}]}, "expected image_id with a number, and keypoints"),
    "no number": ({"w/a.json": [{"image_id": "a.jpg", "keypoints": []}]}, "expected image_id with a number"),
    "a huge number": ({"w/a_000000000001_keypoints.json": openpose([10**400] * 75)}, "expected 3 numbers a joint"),
    "a huge frame": (
        {"w/a.json": [{"image_id": "9" * 30, "keypoints": [1.0] * 51}]},
        "expected image_id with a number",
    ),
    "landmarks": ({"w/a.json": [{"face": []}]}, "expected a result of MediaPipe a frame"),
    "no label": ({"a_000000000001_keypoints.json": openpose(np.ones((25, 3)))}, "clip 'a' is in no folder that names"),
    "no such clip": (
        {"w/a_000000000001_keypoints.json": openpose(np.ones((25, 3))), "labels.csv": "clip,label\nb,w\n"},
        "clip 'w/a' has no label",
    ),
    "a mixture": (
        {f"w/{n}_000000000001_keypoints.json": openpose(np.ones((n, 3))) for n in (18, 25)},
        "mixes openpose-18 in px and openpose-25 in px",
    ),
}


@pytest.mark.parametrize(("files", "message"), FOLDERS.values(), ids=FOLDERS)
def test_a_folder_that_cannot_be_read_is_one_line(tmp_path, files, message):
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        read_keypoints(write(tmp_path / "mine", files))
    assert "\n" not in str(caught.value)


def test_a_pipe_among_the_files_is_not_waited_for(tmp_path):
    (tmp_path / "mine" / "w").mkdir(parents=True)
    os.mkfifo(tmp_path / "mine" / "w" / "a.json")
    os.mkfifo(tmp_path / "t.csv")
    for path in ("mine", "t.csv"):
        with pytest.raises(DataError, match="not a plain file"):
            read_keypoints(tmp_path / path)


def test_who_is_too_far_away_is_somebody_else(rng):
    ann = pose(rng, 17)
    far = ann + (500, 0, 0)
    assert tracked([(0, [ann], [None]), (1, [far], [None]), (2, [ann], [None])]) == [
        ["person 0"],
        ["person 1"],
        ["person 0"],
    ]
