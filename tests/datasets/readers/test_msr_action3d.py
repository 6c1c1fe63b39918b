"""MSR-Action3D: hand-made files of the published format, odd ones too, and the real ones."""

import logging
import zipfile

import numpy as np
import pytest

from analysis_lib.datasets.readers.msr_action3d import ACTIONS, BAD_CLIPS, SUBSETS, read_msr_action3d, splits
from analysis_lib.errors import DataError
from analysis_lib.skeletons.layouts import KINECT_20

#: joints in the order of the files, written down apart from the map that the reader uses
FILE_ORDER = (
    "left shoulder",
    "right shoulder",
    "shoulder centre",
    "spine",
    "left hip",
    "right hip",
    "hip centre",
    "left elbow",
    "right elbow",
    "left wrist",
    "right wrist",
    "left hand",
    "right hand",
    "left knee",
    "right knee",
    "left ankle",
    "right ankle",
    "left foot",
    "right foot",
    "head",
)
NAME = "a03_s04_e02"


def text(frames):
    return "".join("{:.6f} {:.6f} {:.6f} 1.000000\n".format(*joint) for frame in frames for joint in frame)


def write(folder, **clips):
    folder.mkdir(exist_ok=True)
    for name, content in clips.items():
        content = content if isinstance(content, str) else text(content)
        (folder / f"{name}_skeleton3D.txt").write_text(content)
    return folder


def fails(folder, content, *words, name=NAME):
    with pytest.raises(DataError) as caught:
        read_msr_action3d(write(folder, **{name: content}))
    message = str(caught.value)
    assert message.startswith(f"{name}_skeleton3D.txt")
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "MSRAction3DSkeletonReal3D"


@pytest.fixture
def frames(rng):
    return rng.normal(size=(6, 20, 3)).round(6)


def test_joints_come_in_the_order_of_the_layout(folder, frames):
    (x,) = read_msr_action3d(write(folder, **{NAME: frames})).sequences
    assert x.shape == (1, 6, 20, 3)
    for file_row, joint in enumerate(FILE_ORDER):
        np.testing.assert_array_equal(x[0, :, KINECT_20.joint(joint)], frames[:, file_row].astype(np.float32))


def test_names_labels_and_subjects(folder, frames):
    write(folder, a20_s10_e01=frames, a03_s04_e02=frames, a01_s01_e03=frames)
    data = read_msr_action3d(folder)
    assert data.clips == ("a01_s01_e03", "a03_s04_e02", "a20_s10_e01")
    assert [data.class_names[i] for i in data.labels] == ["high arm wave", "hammer", "pick up and throw"]
    assert data.subjects.tolist() == [1, 4, 10]
    assert (data.views == -1).all()


def test_the_super_classes(folder, frames):
    data = read_msr_action3d(write(folder, **{NAME: frames}))
    groups = dict(zip(data.class_names, data.groups, strict=True))
    of = {g: [name for name in groups if groups[name] == g] for g in set(groups.values())}
    assert of["lower body"] == ["forward kick", "side kick", "jogging"]
    assert of["full body"] == ["bend", "pick up and throw"]
    assert len(of["upper body"]) == 15


def test_zip_and_folder_give_one_fingerprint(tmp_path, folder, frames):
    write(folder, a20_s10_e01=frames, a03_s04_e02=frames[:2])
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"top/{path.name}")
    assert read_msr_action3d(tmp_path / "z.zip").fingerprint == read_msr_action3d(folder).fingerprint


def test_windows_line_ends_and_blank_lines_make_no_difference(folder, frames):
    (plain,) = read_msr_action3d(write(folder, **{NAME: frames})).sequences
    other = text(frames).replace("\n", "\r\n") + "\r\n\r\n"
    (x,) = read_msr_action3d(write(folder, **{NAME: other})).sequences
    np.testing.assert_array_equal(x, plain)


def test_bad_clips_are_dropped_and_counted(folder, frames, caplog):
    write(folder, a02_s03_e02=frames, a20_s10_e03="not even numbers", a01_s01_e01=frames)
    with caplog.at_level(logging.INFO):
        data = read_msr_action3d(folder)
    assert data.clips == ("a01_s01_e01",)
    assert "1 clips read; dropped 2 known bad clips" in caplog.text


def test_bad_clips_are_read_if_wanted(folder, frames):
    write(folder, a02_s03_e02=frames, a01_s01_e01=frames)
    assert read_msr_action3d(folder, drop_bad=False).clips == ("a01_s01_e01", "a02_s03_e02")


def test_frames_of_zeros_are_dropped_and_counted(folder, frames, caplog):
    frames[[0, 3]] = 0
    frames[1, 5] = 0  # a joint alone stays
    with caplog.at_level(logging.INFO):
        (x,) = read_msr_action3d(write(folder, **{NAME: frames})).sequences
    assert x.shape[1] == 4
    np.testing.assert_array_equal(x[0, :, KINECT_20.joint("head")], frames[[1, 2, 4, 5], 19].astype(np.float32))
    assert "and 2 frames without one" in caplog.text


def test_clips_of_zeros_alone_are_dropped_and_counted(folder, frames, caplog):
    write(folder, a01_s01_e01=frames, a01_s01_e02=0 * frames)
    with caplog.at_level(logging.INFO):
        assert read_msr_action3d(folder).clips == ("a01_s01_e01",)
    assert "1 without any skeleton" in caplog.text


def test_nothing_but_zeros(folder, frames):
    with pytest.raises(DataError, match="none of its clips shows a skeleton"):
        read_msr_action3d(write(folder, **{NAME: 0 * frames}))


def test_splits_by_hand():
    actions, subjects = np.array([2, 1, 6, 6, 20]), np.array([1, 1, 2, 9, 10])
    found = {name: index.tolist() for name, index in splits(actions, subjects).items()}
    assert found == {
        "train": [0, 1, 3],
        "test": [2, 4],
        "as1_train": [0, 3],
        "as1_test": [2, 4],
        "as2_train": [1],
        "as2_test": [],
        "as3_train": [3],
        "as3_test": [2, 4],
    }


def test_the_subsets_cover_all_actions_in_eights():
    assert [len(set(subset)) for subset in SUBSETS.values()] == [8, 8, 8]
    assert set().union(*SUBSETS.values()) == set(range(1, len(ACTIONS) + 1))


def test_a_file_that_is_cut_off_between_lines(folder, frames):
    fails(folder, "".join(text(frames).splitlines(True)[:-1]), "119 lines", "cut off?")


def test_a_file_that_is_cut_off_inside_a_line(folder, frames):
    fails(folder, text(frames)[:-20], "lines of 4 numbers")


@pytest.mark.parametrize("content", ["<html>404</html>", "a b c d\n" * 20, "1 2 3 #\n" * 20])
def test_text_that_is_no_numbers(folder, content):
    fails(folder, content, "lines of 4 numbers")


def test_another_number_of_columns(folder):
    fails(folder, "1 2 3\n" * 20, "got 3 columns", "Real3D")


@pytest.mark.parametrize("content", ["", "\n\n", " \r\n"])
def test_zero_frames(folder, content):
    fails(folder, content, "zero frames")


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e300", "1e999"])
def test_a_value_that_is_not_finite(folder, frames, value):
    content = text(frames).replace(f"{frames[4, 2, 1]:.6f}", value)
    fails(folder, content, "NaN or infinite coordinate in frame 4")


@pytest.mark.parametrize("name", ["a21_s01_e01", "a00_s01_e01", "a01_s11_e01", "a01_s00_e01"])
def test_an_action_or_a_subject_that_does_not_exist(folder, frames, name):
    fails(folder, frames, "another dataset", name=name)


def test_the_files_in_image_space_are_not_taken(folder, frames):
    write(folder)
    (folder / "a01_s01_e01_skeleton.txt").write_text(text(frames))
    with pytest.raises(DataError, match="holds no file such as a01_s01_e01_skeleton3D"):
        read_msr_action3d(folder)


def test_the_real_data_are_as_published(real_source):
    data = read_msr_action3d(real_source("msr-action3d"))
    assert len(data) == 557
    assert not BAD_CLIPS & set(data.clips)
    # sizes of the subsets that the literature reports without the ten bad files
    sizes = [len(data.splits[f"{s}_train"]) + len(data.splits[f"{s}_test"]) for s in SUBSETS]
    assert sizes == [219, 228, 222]
    subjects = {half: set(data.split(half).subjects.tolist()) for half in ("train", "test")}
    assert subjects == {"train": {1, 3, 5, 7, 9}, "test": {2, 4, 6, 8, 10}}
    assert all(x.any(axis=(0, 2, 3)).all() for x in data.sequences)


def test_real_shins_feet_and_hands_keep_their_length(real_source):
    """The tracker holds them fixed; between joints taken for others, length would vary."""
    data = read_msr_action3d(real_source("msr-action3d"))
    ends = {v for v, name in enumerate(KINECT_20.joints) if name.endswith(("ankle", "foot", "hand"))}
    child, parent = np.array([edge for edge in KINECT_20.edges if edge[0] in ends]).T
    assert len(child) == 6
    change = []
    for x in data.sequences:
        length = np.linalg.norm(x[0][:, child] - x[0][:, parent], axis=-1)  # (frames, bones)
        change.append(np.ptp(length, axis=0) / length.mean(axis=0))
    assert (np.median(change, axis=0) < 0.001).all()


def test_real_one_handed_actions_are_done_with_the_right_hand(real_source):
    data = read_msr_action3d(real_source("msr-action3d"))
    left, right = (data.skeleton.joint(f"{side} hand") for side in ("left", "right"))
    for i in np.flatnonzero(data.labels < 9):
        travel = np.abs(np.diff(data.sequences[i][0], axis=0)).sum(axis=(0, 2))
        assert travel[right] > travel[left]
