"""Kinetics reader: the published JSON, people sorted by score, damage named."""

import json
import logging
import zipfile

import numpy as np
import pytest

from analysis_lib.datasets.readers.kinetics import parse_clip, read_kinetics
from analysis_lib.errors import DataError, UserError


def person(rng, score=None):
    """Return a person as the files hold one, with three decimals."""
    scores = rng.uniform(0.1, 0.9, 18) if score is None else np.full(18, score)
    return {"pose": rng.uniform(0, 1, 36).round(3).tolist(), "score": scores.round(3).tolist()}


def clip_json(frames, label=3, first=0):
    """Return a clip; a frame is a list of people."""
    data = [{"frame_index": t, "skeleton": people} for t, people in enumerate(frames, first)]
    return json.dumps({"data": data, "label": "x", "label_index": label})


def literal(clip, n_frames, people=5, keep=2):
    """Return what the published feeder makes of a clip, by loops: (keep, T, 18, 3)."""
    x = np.zeros((3, n_frames, 18, people))
    for frame in json.loads(clip)["data"]:
        for m, one in enumerate(frame["skeleton"]):
            if m < people:
                x[0, frame["frame_index"], :, m] = one["pose"][0::2]
                x[1, frame["frame_index"], :, m] = one["pose"][1::2]
                x[2, frame["frame_index"], :, m] = one["score"]
    x[0:2] -= 0.5
    x[0][x[2] == 0] = 0
    x[1][x[2] == 0] = 0
    for t in range(n_frames):
        order = sorted(range(people), key=lambda m: -x[2, t, :, m].sum())
        x[:, t] = x[:, t][:, :, order]
    return x[..., :keep].transpose(3, 1, 2, 0)


def test_the_array_is_that_of_the_published_feeder(rng):
    frames = [[person(rng) for _ in range(n)] for n in (1, 3, 0, 6, 2)]
    frames[1][0]["score"][4] = 0.0
    clip = clip_json(frames)
    x = parse_clip(clip)
    assert x.dtype == np.float32
    np.testing.assert_allclose(x, literal(clip, 5), atol=1e-6)
    np.testing.assert_allclose(parse_clip(clip, people=3, keep=3), literal(clip, 5, 3, 3), atol=1e-6)


def test_a_joint_with_score_zero_was_not_seen(rng):
    one = person(rng)
    one["score"][7] = 0.0
    x = parse_clip(clip_json([[one]]))[0, 0]
    assert not x[7].any()
    np.testing.assert_allclose(x[8], [*np.array(one["pose"][16:18]) - 0.5, one["score"][8]], 1e-5)


def test_pixels_are_refused_in_one_line(rng):
    one = person(rng)
    one["pose"][4] = 320
    with pytest.raises(DataError, match=r"^clip: pose must be divided by the size of the image .* got 320; .* pixels"):
        parse_clip(clip_json([[one]]))


def test_people_are_sorted_in_every_frame_for_itself(rng):
    low, high = person(rng, 0.2), person(rng, 0.7)
    x = parse_clip(clip_json([[low, high], [high, low]]))
    assert x[:, :, 0, 2].round(6).tolist() == pytest.approx(np.array([[0.7] * 2, [0.2] * 2]))
    np.testing.assert_array_equal(x[0, 0], x[0, 1])


def test_equal_scores_keep_the_order_of_the_file(rng):
    people = [person(rng, 0.5) for _ in range(5)]
    x = parse_clip(clip_json([people]), keep=5)
    np.testing.assert_allclose(x[:, 0, 0, 0] + 0.5, [p["pose"][0] for p in people], atol=1e-6)


def test_only_the_first_people_of_a_frame_are_looked_at(rng):
    people = [person(rng, 0.1) for _ in range(5)] + [person(rng, 0.9)]
    assert parse_clip(clip_json([people]))[..., 2].max() == pytest.approx(0.1)


def test_there_are_no_more_bodies_than_people(rng):
    assert parse_clip(clip_json([[person(rng)], []])).shape == (1, 2, 18, 3)
    assert parse_clip(clip_json([[], [], []])).shape == (1, 3, 18, 3)
    assert parse_clip(clip_json([])).shape == (1, 0, 18, 3)


def test_frames_stand_at_their_index(rng):
    x = parse_clip(clip_json([[person(rng)]], first=4))
    assert x.any(axis=(0, 2, 3)).tolist() == [False] * 4 + [True]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"data": None},
        {"data": [{"skeleton": []}]},
        {"data": [{"frame_index": -1, "skeleton": []}]},
        {"data": [{"frame_index": 1.5, "skeleton": []}]},
        {"data": [{"frame_index": 10**9, "skeleton": []}]},
        {"data": [{"frame_index": 0, "skeleton": {"pose": []}}]},
        {"data": [{"frame_index": 0, "skeleton": [{"pose": [0.5] * 36}]}]},
        {"data": [{"frame_index": 0, "skeleton": [{"pose": [0.5] * 34, "score": [1] * 17}]}]},
        {"data": [{"frame_index": 0, "skeleton": [{"pose": [0.5] * 72, "score": [1] * 36}]}]},
        {"data": [{"frame_index": 0, "skeleton": [{"pose": [None] * 36, "score": [{}] * 18}]}]},
        {"data": [{"frame_index": 0, "skeleton": [{"pose": "x" * 36, "score": [1] * 18}]}]},
    ],
)
def test_another_structure_is_refused(data):
    with pytest.raises(DataError, match=r"^a\.json: expected frames with frame_index and skeleton"):
        parse_clip(json.dumps(data), "a.json")


@pytest.mark.parametrize("cut", [1, 40, 300, -1])
def test_a_file_that_is_cut_off_is_named(rng, cut):
    with pytest.raises(DataError, match=r"^a\.json is not valid JSON: .*; is the file cut off\?$"):
        parse_clip(clip_json([[person(rng)]])[:cut], "a.json")


def test_json_that_is_no_object_is_refused():
    with pytest.raises(DataError, match=r"^a\.json: expected a JSON object, got list"):
        parse_clip(b"[1]", "a.json")


# --- the archive ----------------------------------------------------------------------------------


def write_split(root, rng, word, clips):
    """Write one split; ``clips`` maps a name to (label, action, has_skeleton)."""
    folder = root / f"kinetics_{word}"
    folder.mkdir(parents=True)
    table = {}
    for name, (label, action, seen) in clips.items():
        table[name] = {"has_skeleton": seen, "label": action, "label_index": label}
        content = clip_json([[person(rng)] for _ in range(3)], label) if seen else "not read"
        (folder / f"{name}.json").write_text(content)
    (root / f"kinetics_{word}_label.json").write_text(json.dumps(table))


@pytest.fixture
def archive(tmp_path, rng):
    root = tmp_path / "kinetics-skeleton"
    write_split(
        root, rng, "train", {"--A": (2, "archery", True), "b": (0, "abseiling", True), "c": (0, "abseiling", False)}
    )
    write_split(root, rng, "val", {"d": (2, "archery", True)})
    return root


def test_both_splits_are_read(archive, caplog):
    with caplog.at_level(logging.INFO):
        found = read_kinetics(archive, progress=False)
    assert found.clips == ("--A", "b", "d")
    assert found.labels.tolist() == [2, 0, 2]
    assert found.class_names == ("abseiling", "class 1", "archery")
    assert {k: v.tolist() for k, v in found.splits.items()} == {"train": [0, 1], "test": [2]}
    assert (found.skeleton.name, found.unit) == ("openpose-18", "image size")
    assert "kinetics train: 2 clips read, 1 without a skeleton dropped" in caplog.text


def test_one_split_needs_only_its_own_files(archive):
    (archive / "kinetics_train_label.json").unlink()
    found = read_kinetics(archive, splits=("test",), progress=False)
    assert found.clips == ("d",)
    with pytest.raises(DataError, match=r"holds no file such as kinetics_train_label\.json"):
        read_kinetics(archive, progress=False)


def test_a_zip_reads_the_same(archive, tmp_path):
    with zipfile.ZipFile(tmp_path / "k.zip", "w") as z:
        for path in archive.rglob("*.json"):
            z.write(path, path.relative_to(tmp_path))
    zipped = read_kinetics(tmp_path / "k.zip", progress=False)
    assert zipped.fingerprint == read_kinetics(archive, progress=False).fingerprint


def test_a_clip_that_shows_nobody_in_fact_is_dropped(archive):
    (archive / "kinetics_train" / "b.json").write_text(clip_json([[], []], 0))
    assert read_kinetics(archive, progress=False).clips == ("--A", "d")


def test_a_damaged_clip_is_named(archive):
    path = archive / "kinetics_val" / "d.json"
    path.write_text(path.read_text()[:200])
    with pytest.raises(DataError, match=r"^d\.json is not valid JSON"):
        read_kinetics(archive, progress=False)


def test_a_clip_that_is_not_there_is_named(archive):
    (archive / "kinetics_train" / "b.json").unlink()
    with pytest.raises(DataError, match=r"1 labelled clips of train are not there, first b; is the"):
        read_kinetics(archive, progress=False)


def test_there_is_one_label_file(archive):
    (archive / "old_val_label.json").write_text("{}")
    with pytest.raises(DataError, match=r"holds the label files \['kinetics_val_label\.json', 'ol"):
        read_kinetics(archive, splits=("test",), progress=False)


def test_labels_must_agree(archive, rng):
    (archive / "kinetics_train" / "b.json").write_text(clip_json([[person(rng)]], label=5))
    with pytest.raises(DataError, match=r"^b\.json has label 5, its label file 0"):
        read_kinetics(archive, progress=False)


def test_a_class_has_one_name(archive, rng):
    (archive / "kinetics_val_label.json").write_text(
        json.dumps({"d": {"has_skeleton": True, "label": "juggling", "label_index": 2}})
    )
    with pytest.raises(DataError, match=r"^label 2 is 'archery', but 'juggling' of d$"):
        read_kinetics(archive, progress=False)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ([], "clip d lacks has_skeleton, label or label_index"),
        ({"label": "x", "label_index": 1}, "clip d lacks has_skeleton, label or label_index"),
        ({"label": "x", "label_index": "1", "has_skeleton": True}, "clip d lacks"),
        ({"label": "x", "label_index": -1, "has_skeleton": True}, "clip d has label_index -1"),
        ({"label": "x", "label_index": 10**9, "has_skeleton": True}, "clip d has label_index 1000"),
    ],
)
def test_a_damaged_label_file_is_named(archive, entry, message):
    (archive / "kinetics_val_label.json").write_text(json.dumps({"d": entry}))
    with pytest.raises(DataError, match=rf"^kinetics_val_label\.json: {message}"):
        read_kinetics(archive, progress=False)


def test_choices_are_checked(archive):
    with pytest.raises(UserError, match=r"unknown Kinetics split 'val'; choices: test, train"):
        read_kinetics(archive, splits=("val",))
    with pytest.raises(UserError, match="1 <= keep <= people is needed, got keep=3 and people=2"):
        read_kinetics(archive, people=2, keep=3)
