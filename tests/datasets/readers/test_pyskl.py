"""PYSKL reader: arrays of every pickle protocol come in, code of any kind stays out."""

import logging
import os
import pickle

import numpy as np
import pytest

from analysis_lib.datasets.readers.pyskl import Inert, load_inert, read_pyskl
from analysis_lib.errors import DataError
from analysis_lib.skeletons.layouts import layout
from analysis_lib.skeletons.skeleton import Skeleton

COCO = Skeleton("coco-17", tuple("abcdefghijklmnopq"), tuple((i, 0) for i in range(1, 17)))


def annotation(rng, clip, label, shape=(2, 6, 25, 3), **more):
    keypoint = rng.normal(size=shape).astype(np.float16)
    return {"frame_dir": clip, "label": label, "total_frames": shape[1], "keypoint": keypoint} | more


def contents(rng):
    return {
        "split": {"xsub_train": ["S001C001P001R001A003", "S001C002P008R001A060"], "xsub_val": ["S001C003P003R002A001"]},
        "annotations": [
            annotation(rng, "S001C001P001R001A003", 2),
            annotation(rng, "S001C003P003R002A001", 0, (1, 9, 25, 3)),
            annotation(rng, "S001C002P008R001A060", 59),
        ],
    }


def write(path, value, protocol=pickle.HIGHEST_PROTOCOL):
    path.write_bytes(pickle.dumps(value, protocol))
    return path


def plain(splits):
    return {name: index.tolist() for name, index in splits.items()}


# --- contents -------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_reads_the_same(tmp_path, rng, protocol):
    value = contents(rng)
    found = read_pyskl(write(tmp_path / "ntu60_3d.pkl", value, protocol))
    for x, entry in zip(found.sequences, value["annotations"], strict=True):
        assert x.dtype == np.float32
        np.testing.assert_array_equal(x, entry["keypoint"].astype(np.float32))
    assert found.name == "ntu60_3d"
    assert found.clips == tuple(a["frame_dir"] for a in value["annotations"])
    assert plain(found.splits) == {"xsub_train": [0, 2], "xsub_val": [1]}


@pytest.mark.parametrize("core", [b"numpy.core", b"numpy._core"])
def test_names_of_numpy_1_and_2_are_read(tmp_path, rng, core):
    # protocol 2 has no lengths before its names, so they can be exchanged in place
    content = pickle.dumps(contents(rng), 2).replace(b"numpy._core", core)
    assert core + b".multiarray" in content
    (tmp_path / "a.pkl").write_bytes(content)
    assert len(read_pyskl(tmp_path / "a.pkl")) == 3


def test_ntu_names_tell_actions_subjects_and_cameras(tmp_path, rng):
    found = read_pyskl(write(tmp_path / "a.pkl", contents(rng)))
    assert (found.skeleton, found.unit) == (layout("ntu-25"), "m")
    assert len(found.class_names) == 60
    names = [found.class_names[i] for i in found.labels]
    assert names == ["brush teeth", "drink water", "walking apart"]
    assert found.groups[59] == "lower body"
    assert found.subjects.tolist() == [1, 3, 8]
    assert found.views.tolist() == [1, 3, 2]


def test_other_names_tell_nothing(tmp_path, rng):
    one = annotation(rng, "v_1", np.int64(1))
    value = {"split": {"train": ["v_1"], "test": []}, "annotations": [one]}
    found = read_pyskl(write(tmp_path / "a.pkl", value))
    assert found.class_names == ("class 0", "class 1")
    assert found.groups == ("all", "all")
    assert found.subjects.tolist() == [-1]
    named = read_pyskl(tmp_path / "a.pkl", class_names=("walk", "run"))
    assert named.class_names == ("walk", "run")


def test_ntu_names_with_other_labels_keep_their_labels(tmp_path, rng):
    value = contents(rng)
    value["annotations"][0]["label"] = 7
    assert read_pyskl(write(tmp_path / "a.pkl", value)).class_names[7] == "class 7"


def test_the_score_of_2d_clips_is_the_third_channel(tmp_path, rng):
    score = rng.uniform(size=(2, 6, 17)).astype(np.float16)
    one = annotation(rng, "v_1", 0, (2, 6, 17, 2), keypoint_score=score, img_shape=(1080, 1920))
    value = {"split": {"train": ["v_1"]}, "annotations": [one]}
    found = read_pyskl(write(tmp_path / "a.pkl", value), COCO)
    x = found.sequences[0]
    np.testing.assert_array_equal(x[..., :2], one["keypoint"].astype(np.float32))
    np.testing.assert_array_equal(x[..., 2], score.astype(np.float32))
    assert (found.skeleton, found.unit) == (COCO, "px")


def test_2d_clips_without_score_have_two_channels(tmp_path, rng):
    value = {"split": {}, "annotations": [annotation(rng, "v_1", 0, (1, 4, 17, 2))]}
    assert read_pyskl(write(tmp_path / "a.pkl", value), COCO).sequences[0].shape == (1, 4, 17, 2)


def test_clips_without_a_body_are_dropped_from_the_splits_too(tmp_path, rng, caplog):
    value = contents(rng)
    value["annotations"][0] = annotation(rng, "S001C001P001R001A003", 2, (0, 6, 25, 3))
    value["annotations"][1]["keypoint"][:] = 0
    with caplog.at_level(logging.INFO):
        found = read_pyskl(write(tmp_path / "a.pkl", value))
    assert found.clips == ("S001C002P008R001A060",)
    assert plain(found.splits) == {"xsub_train": [0], "xsub_val": []}
    assert "1 clips read, 2 without a body dropped" in caplog.text


# --- hostile pickles ------------------------------------------------------------------------------


class Call:
    """Something whose unpickling calls a function."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("function", "args", "refused"),
    [
        (os.system, ("touch owned",), f"{os.name}.system"),
        (eval, ("open('owned', 'w')",), "builtins.eval"),
        (getattr, ("", "join"), "builtins.getattr"),
        (np.load, ("owned.npy", None, True), "numpy.load"),
        (np.frompyfunc, (print, 1, 1), "numpy.frompyfunc"),
    ],
)
def test_code_is_refused_by_name_and_not_run(tmp_path, monkeypatch, rng, function, args, refused):
    monkeypatch.chdir(tmp_path)
    value = contents(rng)
    value["annotations"][1]["keypoint"] = Call(function, *args)
    path = write(tmp_path / "bad.pkl", value)
    module, name = refused.rsplit(".", 1)
    pattern = rf"bad\.pkl: the pickle asks for '{module}[\w.]*\.{name}', which could run code"
    with pytest.raises(DataError, match=pattern):
        read_pyskl(path)
    assert not (tmp_path / "owned").exists()


def test_the_payload_would_have_run(tmp_path, monkeypatch):
    # the same pickle, loaded as pickles usually are: what the restriction is for
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "bad.pkl", Call(os.system, "echo > owned"))
    with pytest.raises(DataError):
        load_inert(path)
    assert not (tmp_path / "owned").exists()
    pickle.loads(path.read_bytes())
    assert (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"cnumpy\ndtype.__class__\n.",  # no attribute of an allowed name
        b"c__main__\n__builtins__\n.",
        b"cbuiltins\nexec\n(S'1'\ntR.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.",  # STACK_GLOBAL
        b"(S'true'\nios\nsystem\n.",  # INST
    ],
)
def test_names_in_any_opcode_are_refused(tmp_path, content):
    (tmp_path / "bad.pkl").write_bytes(content)
    with pytest.raises(DataError, match=r"^.*bad\.pkl: the pickle asks for '.*', which could run"):
        load_inert(tmp_path / "bad.pkl")


def test_persistent_ids_and_odd_encodings_are_refused(tmp_path):
    for content in (b"Pid\n.", b"c_codecs\nencode\n(Vx\nVrot13\ntR."):
        (tmp_path / "bad.pkl").write_bytes(content)
        with pytest.raises(DataError, match=r"is not a readable pickle"):
            load_inert(tmp_path / "bad.pkl")


def test_nothing_of_numpy_is_made_while_a_pickle_is_read(tmp_path, rng):
    value = load_inert(write(tmp_path / "a.pkl", contents(rng)))
    assert isinstance(value["annotations"][0]["keypoint"], Inert)


def bomb(tail):
    """Return a pickle of tuples of one tuple twice, 200 deep: writing, hashing or comparing it never ends."""
    return b"()" + b"2\x86" * 200 + tail


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x04" + bomb(b"."),
        b"\x80\x04}" + bomb(b"Ns."),
        b"\x80\x04](}(\x8c\x09frame_dir" + bomb(b"\x8c\x05labelK\x00\x8c\x08keypointNue."),
        b"\x80\x04](}(\x8c\x09frame_dir\x8c\x01a\x8c\x05label" + bomb(b"\x8c\x08keypointNue."),
        b"\x80\x04Nr\xff\xff\xff\x7f.",  # remembered as number 2^31
        b"\x80\x04\x8e" + (2**40).to_bytes(8, "little") + b".",  # 2^40 bytes promised
        b"(" * 100_000 + b"t" * 100_000 + b".",
    ],
)
def test_bombs_end_at_once(tmp_path, content):
    (tmp_path / "bomb.pkl").write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_pyskl(tmp_path / "bomb.pkl")
    assert len(str(caught.value)) < 500


def test_a_list_of_annotations_has_no_splits(tmp_path, rng):
    found = read_pyskl(write(tmp_path / "a.pkl", contents(rng)["annotations"]))
    assert (len(found), found.splits) == (3, {})


def test_object_arrays_are_no_numbers(tmp_path, rng):
    value = contents(rng)
    value["annotations"][1]["keypoint"] = np.full((1, 9, 25, 3), None)
    with pytest.raises(DataError, match=r"A001: expected keypoint as an array of 4 axes of numb"):
        read_pyskl(write(tmp_path / "a.pkl", value))


def test_object_arrays_do_not_hide_code(tmp_path):
    hidden = np.array([None, 1], object)
    hidden[0] = Call(os.system, "true")
    with pytest.raises(DataError, match=r"asks for '\w+\.system'"):
        load_inert(write(tmp_path / "a.pkl", hidden))


# --- damage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9, 0.999])
def test_a_file_that_is_cut_off_is_named(tmp_path, rng, share):
    content = pickle.dumps(contents(rng))
    (tmp_path / "cut.pkl").write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match=r"cut\.pkl is not a readable pickle .*is the file cut off"):
        read_pyskl(tmp_path / "cut.pkl")


def test_bytes_of_another_format_are_refused(tmp_path):
    (tmp_path / "a.pkl").write_bytes(b"PK\x03\x04" + bytes(range(256)))
    with pytest.raises(DataError, match=r"a\.pkl is not a readable pickle"):
        read_pyskl(tmp_path / "a.pkl")
    with pytest.raises(DataError, match=r"cannot read .*gone\.pkl: No such file"):
        read_pyskl(tmp_path / "gone.pkl")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (3, "expected a dict or a list, got int"),
        ([1], "annotation 0 lacks one of"),
        ({"split": {"a": 3}, "annotations": []}, "expected 'split' .* and 'annotations'"),
        ({"split": {}, "annotations": {}}, ".* got {'annotations': 'dict', 'split': 'dict'}"),
        ({"split": {}, "annotations": [1]}, "annotation 0 lacks one of frame_dir, label, keypoint"),
        ({"split": {}, "annotations": [{"frame_dir": "a", "label": 0}]}, "annotation 0 lacks one"),
        ({"split": {}, "annotations": []}, "none of its 0 annotations shows a body"),
    ],
)
def test_another_structure_is_refused(tmp_path, value, message):
    with pytest.raises(DataError, match=rf"a\.pkl: {message}"):
        read_pyskl(write(tmp_path / "a.pkl", value))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"total_frames": 5}, "total_frames is 5, but keypoint has 6"),
        ({"label": -1}, r"expected a label in 0\.\.9999, got -1"),
        ({"label": 10**12}, r"expected a label in 0\.\.9999, got 1000"),
        ({"keypoint": [[0.0]]}, "expected keypoint as an array of 4 axes of numbers, got list"),
        ({"keypoint": np.zeros((6, 25, 3))}, r"array of 4 axes of numbers, got float64 \(6, 25, 3"),
        ({"keypoint": np.zeros((2, 6, 25, 4))}, r"shape \(2, 6, 25, 4\), expected \(M, T, V, 2 or"),
        ({"keypoint": np.zeros((2, 6, 25, 3), complex)}, "4 axes of numbers, got one of another type"),
        (
            {"keypoint": np.ones((2, 6, 25, 2)), "keypoint_score": np.ones((2, 5, 25))},
            r"keypoint_score \(2, 5, 25\) does not fit \(2, 6, 25, 2\)",
        ),
        (
            {"keypoint": np.ones((2, 6, 25, 2)), "keypoint_score": np.ones((6, 25))},
            "expected keypoint_score as an array of 3 axes of numbers, got float64",
        ),
    ],
)
def test_a_damaged_clip_is_named(tmp_path, rng, change, message):
    value = contents(rng)
    value["annotations"][0] |= change
    with pytest.raises(DataError, match=rf"a\.pkl: clip S001C001P001R001A003: .*{message}"):
        read_pyskl(write(tmp_path / "a.pkl", value))


def test_the_number_of_joints_chooses_the_layout(tmp_path, rng):
    def file(n_joints):
        value = {"split": {}, "annotations": [annotation(rng, "v_1", 0, (1, 4, n_joints, 2))]}
        return write(tmp_path / f"{n_joints}.pkl", value)

    assert [read_pyskl(file(n)).skeleton.name for n in (17, 25)] == ["coco-17", "ntu-25"]
    with pytest.raises(DataError, match=r"clips of 18 joints; pass the Skeleton that they follow"):
        read_pyskl(file(18))
    with pytest.raises(DataError, match="v_1: 17 joints, but its skeleton has 25"):
        read_pyskl(tmp_path / "17.pkl", layout("ntu-25"))


def test_splits_must_name_annotations(tmp_path, rng):
    value = contents(rng)
    value["split"]["xsub_val"].append("S009C001P001R001A003")
    with pytest.raises(DataError, match="split 'xsub_val' names 1 clips without annotation"):
        read_pyskl(write(tmp_path / "a.pkl", value))


def test_a_clip_that_is_there_twice_is_refused(tmp_path, rng):
    value = contents(rng)
    value["annotations"].append(value["annotations"][0])
    with pytest.raises(DataError, match="two annotations have one frame_dir"):
        read_pyskl(write(tmp_path / "a.pkl", value))
