"""NW-UCLA: hand-made files of the published format, odd ones too, and the real ones."""

import json
import zipfile
from collections import Counter

import numpy as np
import pytest

from analysis_lib.datasets.readers.nw_ucla import ACTIONS, read_nw_ucla
from analysis_lib.errors import DataError
from analysis_lib.skeletons.layouts import KINECT_20

NAME = "a08_s02_e01_v03"


def clip(frames, label, name=NAME):
    return {"file_name": name, "skeletons": np.asarray(frames).tolist(), "label": label}


def write(folder, **clips):
    folder.mkdir(exist_ok=True)
    for name, content in clips.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{name}.json").write_text(text)
    return folder


def fails(folder, content, *words, name=NAME):
    with pytest.raises(DataError) as caught:
        read_nw_ucla(write(folder, **{name: content}))
    message = str(caught.value)
    assert message.startswith(name)
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "all_sqe"


@pytest.fixture
def frames(rng):
    return rng.normal(size=(6, 20, 3)).round(6)


def test_names_labels_and_coordinates(folder, frames):
    write(
        folder,
        a12_s10_e00_v01=clip(frames[:1], 10),
        a08_s02_e01_v03=clip(frames, 7),
        a01_s01_e00_v02=clip(frames[2:], 1),
    )
    data = read_nw_ucla(folder)
    assert data.clips == ("a01_s01_e00_v02", "a08_s02_e01_v03", "a12_s10_e00_v01")
    assert [data.class_names[label] for label in data.labels] == ["pick up with one hand", "donning", "carry"]
    assert data.subjects.tolist() == [1, 2, 10]
    assert data.views.tolist() == [2, 3, 1]
    assert {k: v.tolist() for k, v in data.splits.items()} == {"train": [0, 2], "test": [1]}
    assert data.skeleton is KINECT_20
    assert data.lengths.tolist() == [4, 6, 1]
    np.testing.assert_array_equal(data.sequences[1], frames[None].astype(np.float32))


def test_zip_and_folder_give_one_fingerprint(tmp_path, folder, frames):
    write(folder, a12_s10_e00_v01=clip(frames[:1], 10), a08_s02_e01_v03=clip(frames, 7))
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        for path in sorted(folder.iterdir(), reverse=True):
            archive.write(path, f"deep/er/{path.name}")
    assert read_nw_ucla(tmp_path / "z.zip").fingerprint == read_nw_ucla(folder).fingerprint


def test_the_codes_are_those_of_the_release():
    assert [int(code) for code, _, _ in ACTIONS] == [1, 2, 3, 4, 5, 6, 8, 9, 11, 12]


def test_the_super_classes():
    groups = {name: group.split()[0] for _, name, group in ACTIONS}
    assert Counter(groups.values()) == {"upper": 5, "full": 4, "lower": 1}
    assert groups["walk around"] == "lower"
    assert [name for name in groups if groups[name] == "full"] == [
        "pick up with one hand",
        "pick up with two hands",
        "sit down",
        "stand up",
    ]


def test_json_that_is_cut_off(folder, frames):
    fails(folder, json.dumps(clip(frames, 7))[:500], "not valid JSON", "cut off?")


def test_bytes_that_are_no_text(folder, frames):
    write(folder)
    (folder / f"{NAME}.json").write_bytes(b"\xff\xfe\xfa{}")
    with pytest.raises(DataError, match=f"^{NAME}.json is not valid JSON"):
        read_nw_ucla(folder)


@pytest.mark.parametrize("content", [[1, 2], {"skeletons": []}, {"label": 7}, "3"])
def test_json_of_another_form(folder, content):
    fails(folder, content, "expected an object with 'skeletons' and 'label'")


def test_a_wrong_number_of_joints(folder, frames):
    fails(folder, clip(frames[:, :19], 7), "(frames, 20 joints, 3)", "(6, 19, 3)")


def test_a_frame_that_lacks_a_joint(folder, frames):
    content = clip(frames, 7)
    content["skeletons"][3].pop()
    fails(folder, content, "20 joints of x, y, z")


@pytest.mark.parametrize("skeletons", [None, "text", {}, 3, [None], [[]]])
def test_frames_that_are_none(folder, skeletons):
    fails(folder, {"skeletons": skeletons, "label": 7}, "20 joints")


def test_zero_frames(folder):
    fails(folder, {"skeletons": [], "label": 7}, "zero frames")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "1e300", "null"])
def test_a_value_that_is_not_finite(folder, frames, value):
    text = json.dumps(clip(frames, 7)).replace(str(frames[4, 2, 1]), value)
    fails(folder, text, "NaN or infinite coordinate in frame 4")


def test_a_whole_number_beyond_any_float(folder, frames):
    text = json.dumps(clip(frames, 7)).replace(str(frames[4, 2, 1]), "1" + "0" * 400)
    fails(folder, text)


@pytest.mark.parametrize("label", [8, 0, "7", None])
def test_a_label_that_contradicts_the_name(folder, frames, label):
    fails(folder, clip(frames, label), "expected label 7 for action a08", repr(label))


@pytest.mark.parametrize("name", ["a07_s01_e00_v01", "a13_s01_e00_v01", "a01_s01_e00_v04"])
def test_an_action_or_a_view_that_does_not_exist(folder, frames, name):
    fails(folder, clip(frames, 1), "another dataset", name=name)


def test_a_folder_of_something_else(folder):
    write(folder, notes={})
    with pytest.raises(DataError, match="holds no file such as a01_s01"):
        read_nw_ucla(folder)


def test_the_real_data_are_as_published(real_source):
    data = read_nw_ucla(real_source("nw-ucla"))
    train, test = data.split("train"), data.split("test")
    assert (len(data), len(train), len(test)) == (1484, 1020, 464)
    assert Counter(data.views.tolist()) == {1: 516, 2: 504, 3: 464}
    assert (data.lengths.min(), np.median(data.lengths), data.lengths.max()) == (1, 31, 201)
    assert [data.clips[i] for i in np.flatnonzero(data.lengths == 1)] == ["a02_s09_e04_v02", "a02_s09_e04_v03"]
    assert ((data.lengths < 13).sum(), (data.lengths > 52).sum()) == (45, 308)
    assert set(data.subjects.tolist()) == set(range(1, 11))
    assert (test.subjects == 5).sum() == 10
    # people stand upright: the head (joint 3) is above both feet in nearly every frame
    heights = np.concatenate([x[0, :, [3, 15, 19], 1].T for x in data.sequences])
    assert (heights[:, :1] > heights[:, 1:]).all(axis=1).mean() > 0.99
