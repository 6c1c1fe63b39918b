"""The bring-your-own format: round trips, three ways to write it by hand, and what is refused."""

import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.readers.npz import read_npz
from analysis_lib.errors import DataError, UserError
from analysis_lib.skeletons.layouts import KINECT_20, NTU_25
from analysis_lib.skeletons.skeleton import Skeleton

ARM = Skeleton(
    "arm",
    ("shoulder", "elbow", "hand"),
    ((1, 0), (2, 1)),
    parts={"b": (2, 0), "a": (1,)},
    pairs=((0, 2),),
    source="by hand",
    variants={"short": ((1, 0),)},
)


def dataset(shapes, seed=0, skeleton=ARM, **given):
    rng = np.random.default_rng(seed)
    sequences = [rng.normal(size=(m, t, skeleton.n_joints, 2)) for m, t in shapes]
    labels = np.arange(len(shapes)) % 2
    return SkeletonDataset("mine", skeleton, sequences, labels, ("ä", "wave"), **given)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mine.npz"


@pytest.fixture
def clips(rng):
    return [rng.normal(size=(length, 3, 2)).astype(np.float32) for length in (4, 1, 6)]


@pytest.fixture
def hand(path, clips):
    """Return a function that writes a small file by hand, with changes, and reads it."""

    def write(without=(), **changes):
        arrays = {
            "x": np.concatenate(clips),
            "lengths": [4, 1, 6],
            "labels": [0, 1, 1],
            "edges": [(0, 1), (1, 2)],
        } | changes
        np.savez(path, **{key: value for key, value in arrays.items() if key not in without})
        return read_npz(path)

    return write


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 9)), min_size=1, max_size=6))
def test_what_is_written_is_read_unchanged(tmp_path_factory, shapes):
    path = tmp_path_factory.mktemp("npz") / "d.npz"
    data = dataset(shapes, splits={"train": [0], "test": range(1, len(shapes)), "none": []})
    data.save(path)
    again = read_npz(path)
    assert again.fingerprint == data.fingerprint
    assert again.skeleton == data.skeleton
    for x, y in zip(again.sequences, data.sequences, strict=True):
        np.testing.assert_array_equal(x, y)


def test_everything_beside_the_coordinates_comes_back(path):
    data = dataset(
        [(1, 2), (2, 3)],
        groups=("g", "h"),
        clips=("c 1", "c/2"),
        subjects=[3, 1],
        views=[0, 2],
        splits={"xsub/train": [1]},
        unit="px",
    )
    data.save(path)
    again = read_npz(path)
    for name in ("name", "class_names", "groups", "clips", "unit", "skeleton"):
        assert getattr(again, name) == getattr(data, name)
    assert (again.subjects.tolist(), again.views.tolist()) == ([3, 1], [0, 2])
    assert {k: v.tolist() for k, v in again.splits.items()} == {"xsub/train": [1]}


def test_a_published_layout_keeps_its_other_edge_lists(path):
    dataset([(1, 2), (1, 2)], skeleton=NTU_25).save(path)
    assert read_npz(path).skeleton == NTU_25
    assert read_npz(path).skeleton.with_edges("ntu-tips-on-hand").edges[-1] == (24, 11)


def test_a_file_is_written_the_same_twice(path, tmp_path):
    dataset([(1, 2), (1, 3)]).save(path)
    dataset([(1, 2), (1, 3)]).save(tmp_path / "again.npz")
    assert path.read_bytes() == (tmp_path / "again.npz").read_bytes()


def test_the_old_file_survives_a_write_that_fails(path, monkeypatch):
    path.write_text("old")

    def full(handle, **arrays):
        handle.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(UserError, match="No space left on device"):
        dataset([(1, 2)]).save(path)
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_clips_one_after_the_other(hand, clips):
    data = hand()
    assert (data.name, data.class_names, data.unit) == ("mine", ("class 0", "class 1"), "m")
    assert data.skeleton.edges == ((0, 1), (1, 2))
    for x, clip in zip(data.sequences, clips, strict=True):
        np.testing.assert_array_equal(x, clip[None])


def test_padded_clips_of_one_body_give_the_same(hand, clips):
    padded = np.full((3, 6, 3, 2), np.nan)
    for row, clip in zip(padded, clips, strict=True):
        row[: len(clip)] = clip
    assert hand(x=padded).fingerprint == hand().fingerprint
    assert hand(x=padded[:, None]).fingerprint == hand().fingerprint


def test_padded_clips_of_several_bodies(hand, rng):
    x = rng.normal(size=(3, 2, 6, 3, 2)).astype(np.float32)
    data = hand(x=x, bodies=[2, 1, 2])
    assert [s.shape[:2] for s in data.sequences] == [(2, 4), (1, 1), (2, 6)]
    np.testing.assert_array_equal(data.sequences[0], x[0, :, :4])
    assert [s.shape[:2] for s in hand(x=x, channels=["x", "y"]).sequences] == [(2, 4), (2, 1), (2, 6)]


def test_rows_of_several_bodies_are_body_after_body(hand, rng):
    x = rng.normal(size=(4 + 2 * 1 + 6, 3, 2)).astype(np.float32)
    data = hand(x=x, bodies=[1, 2, 1])
    np.testing.assert_array_equal(data.sequences[1], [x[4:5], x[5:6]])
    np.testing.assert_array_equal(data.sequences[2], [x[6:]])


def test_without_lengths_a_clip_ends_with_its_last_frame_that_is_not_all_nan(hand, clips):
    padded = np.full((3, 7, 3, 2), np.nan)
    for row, clip in zip(padded, clips, strict=True):
        row[: len(clip)] = clip
    assert hand(without=["lengths"], x=padded).fingerprint == hand().fingerprint


def test_text_labels_channels_and_missing_joints_come_back(hand, path, rng):
    x = rng.normal(size=(11, 3, 3))
    x[1, 2] = np.nan
    data = hand(x=x, labels=["wave", "nod", "nod"], channels=["x", "y", "score"])
    assert (data.class_names, data.labels.tolist()) == (("nod", "wave"), [1, 0, 0])
    data.save(path)
    again = read_npz(path)
    assert (again.fingerprint, again.channels) == (data.fingerprint, ("x", "y", "score"))
    assert again.missing.tolist() == data.missing.tolist() == [[0, 0, 0.25], [0, 0, 0], [0, 0, 0]]


def test_without_lengths_every_frame_of_a_padded_array_counts(hand, rng):
    assert hand(without=["lengths"], x=rng.normal(size=(3, 5, 3, 2))).lengths.tolist() == [5, 5, 5]


def test_a_published_layout_by_name(hand, rng):
    data = hand(without=["edges"], layout="kinect-20", x=rng.normal(size=(11, 20, 3)))
    assert data.skeleton is KINECT_20


def test_named_joints(hand):
    assert hand(joints=["hip", "knee", "foot"]).skeleton.joints == ("hip", "knee", "foot")


def test_splits_as_indices_or_bools(hand):
    data = hand(split_train=[2, 0], split_test=[False, True, False], split_none=[])
    assert {k: v.tolist() for k, v in data.splits.items()} == {"train": [0, 2], "test": [1], "none": []}


def rows(n, v=3):
    return np.ones((n, v, 2))


def but(**changes):
    """Return what differs from the file that `hand` writes."""
    return changes


REFUSED = {
    "no x": (but(without=["x"]), "has no 'x'; its keys are"),
    "no labels": (but(without=["labels"]), "has no 'labels'"),
    "no skeleton": (but(without=["edges"]), "exactly one of 'layout', 'edges' and 'skeleton'"),
    "two skeletons": (but(layout="kinect-20"), "exactly one of"),
    "no lengths": (but(without=["lengths"]), "'lengths' is needed"),
    "unknown key": (but(label=[1]), "unknown key 'label'; did you mean 'labels'?"),
    "unknown layout": (but(without=["edges"], layout="kinect20"), "did you mean 'kinect-20'?"),
    "objects": (but(x=np.array([rows(4), rows(1)], object)), "'x' holds Python objects; pad"),
    "names as objects": (but(clips=np.array(["a", "b", "c"], object)), "np.array(names, dtype"),
    "x of text": (but(x=np.full((11, 3, 2), "1")), "'x' must be numbers with 3 or 4 or 5 axes"),
    "complex x": (but(x=rows(11) * 1j), "'x' must be numbers"),
    "flat x": (but(x=np.ones((11, 6))), "'x' must be numbers with 3 or 4 or 5 axes, got float64"),
    "float labels": (but(labels=[0.0, 1, 1]), "'labels' must be whole numbers or text with 1 axes"),
    "labels one-hot": (but(labels=[[0, 1]] * 3), "'labels' must be whole numbers or text with 1 axes"),
    "negative label": (but(labels=[0, -1, 1]), "labels must lie in 0..1"),
    "no clips": (but(x=rows(0), labels=np.array([], int), lengths=np.array([], int)), "empty"),
    "lengths short": (but(lengths=[4, 7]), "'lengths' has 2 entries for 3 labels"),
    "labels short": (but(labels=[0, 1], lengths=[4, 7], subjects=[1]), "'subjects' has 1 entries"),
    "rows missing": (but(lengths=[4, 1, 5]), "'x' has 11 rows, but 'lengths' (times 'bodies')"),
    "zero length": (but(lengths=[5, 0, 6]), "'lengths' of clip 1 is 0, expected 1 to 11"),
    "negative length": (but(lengths=[6, -1, 6]), "'lengths' of clip 1 is -1"),
    "length beyond": (but(x=np.ones((3, 5, 3, 2))), "'lengths' of clip 2 is 6, expected 1 to 5"),
    "bodies beyond": (but(x=np.ones((3, 2, 6, 3, 2)), bodies=[1, 2, 3]), "'bodies' of clip 2"),
    "zero bodies": (but(bodies=[1, 0, 1]), "'bodies' of clip 1 is 0"),
    "padded short": (but(x=np.ones((2, 6, 3, 2))), "'x' holds 2 clips, 'labels' 3"),
    "NaN": (but(x=rows(11) * np.nan), "clip 0: every coordinate is NaN"),
    "beyond float32": (but(x=rows(11) * 1e300), "clip 0: infinite coordinate in frame 0"),
    "edge beyond": (but(edges=[(0, 3)]), "edges, pairs or centre name joint 3"),
    "edge of three": (but(edges=[(0, 1, 2)]), "'edges' must have shape (n, 2), got (1, 3)"),
    "edge loop": (but(edges=[(1, 1)]), "joins a joint to itself"),
    "joints short": (but(joints=["hip"]), "'joints' has 1 entries for 3 joints"),
    "joints as well": (but(without=["edges"], layout="kinect-20", joints=["a"]), "goes with"),
    "layout of others": (but(without=["edges"], layout="kinect-20"), "clip 0: 3 joints"),
    "bad JSON": (but(without=["edges"], skeleton="{"), "'skeleton' is not valid JSON"),
    "JSON of no body": (but(without=["edges"], skeleton="[3]"), "'skeleton' must be an object"),
    "JSON too short": (but(without=["edges"], skeleton='{"name": "a"}'), "'skeleton' lacks 'edges'"),
    "classes short": (but(class_names=["only"]), "labels must lie in 0..0"),
    "groups short": (but(groups=["only"]), "groups has 1 entries for 2 classes"),
    "split beyond": (but(split_test=[3]), "split 'test' names a clip outside 0..2"),
    "split twice": (but(split_test=[1, 1]), "'split_test' names a clip twice"),
    "split of floats": (but(split_test=[1.5]), "'split_test' must be whole numbers or bools"),
    "N C T V M": (but(x=np.ones((3, 2, 6, 3, 2))), "x.transpose(0, 4, 2, 3, 1) cures that"),
    "N 3 T V 1": (but(x=np.ones((3, 3, 6, 3, 1))), "looks like (N, C, T, V, M)"),
    "N C T V": (
        but(without=["edges"], layout="kinect-20", x=np.ones((3, 3, 6, 20))),
        "x.transpose(0, 2, 3, 1) cures that",
    ),
    "N C T V, joints unnamed": (but(x=np.ones((3, 3, 6, 3))), "x.transpose(0, 2, 3, 1) cures that"),
    "edges from 1": (but(edges=[(1, 2), (2, 3)]), "do the edges count from 1? subtract 1"),
    "labels from 1": (but(labels=[1, 2, 2]), "labels begin with 1"),
    "split too short": (but(split_test=[True]), "'split_test' has 1 bools for 3 clips"),
}


@pytest.mark.parametrize(("changes", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_as_described_is_refused_in_one_line(hand, path, changes, words):
    with pytest.raises(DataError) as caught:
        hand(**changes)
    assert words in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def refused(path, *words):
    with pytest.raises(DataError) as caught:
        read_npz(path)
    assert str(caught.value).startswith(str(path))
    for word in words:
        assert word in str(caught.value)


def test_a_path_that_is_not_there(path):
    refused(path, "No such file")


def test_a_folder(tmp_path):
    refused(tmp_path, "Is a directory")


class Trap:
    def __reduce__(self):
        return (exec, ("raise SystemExit('a pickle was run')",))


def test_a_pickle_is_not_run(path):
    path.write_bytes(pickle.dumps(Trap()))
    refused(path, "not a readable .npz", "without pickles")


def test_a_pickle_inside_is_not_run(hand):
    with pytest.raises(DataError, match="'clips' holds Python objects"):
        hand(clips=np.array([Trap()] * 3, object))


def test_a_single_array(path):
    with open(path, "wb") as handle:
        np.save(handle, np.ones(3))
    refused(path, "single array", "np.savez")


def test_an_empty_file(path):
    path.write_bytes(b"")
    refused(path, "not a readable .npz")


def test_a_zip_of_something_else(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a01_s01_e00_v01.json", "{}")
    refused(path, "'a01_s01_e00_v01.json' is no array")


def test_a_member_that_is_no_array(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", "1 2 3")
    refused(path, "'x' is no array of numpy")


@pytest.mark.parametrize("share", [0.2, 0.9])
def test_a_file_that_is_cut_off(path, share):
    dataset([(1, 50), (2, 50)]).save(path)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(share * len(raw))])
    refused(path, "not a readable .npz")


def test_a_flipped_byte(path):
    dataset([(1, 50), (2, 50)]).save(path)
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"x.npy") + 400] ^= 1
    path.write_bytes(raw)
    refused(path, "'x' is damaged")


def header(text, data=b""):
    """Return a ``.npy`` file with a header of one's own."""
    text = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 9)}"), "is damaged"),
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 3)}"), "is damaged"),
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", bytes(8)), "16 bytes, not the 8 there"),
        (header("{'descr': '<U0', 'fortran_order': False, 'shape': (9,)}"), "is damaged"),
        (
            header("{'descr': '<U1', 'fortran_order': False, 'shape': (1,)}", b"\xff" * 4),
            "characters that do not exist",
        ),
        (header("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"."), "holds Python objects"),
        (header("{'descr': '<f9', 'fortran_order': False, 'shape': ()}"), "is no array of numpy"),
        (header("(" * 60), "is no array of numpy"),
        (b"\x93NUMPY\x09\x00", "is no array of numpy"),
        (header("{'descr': '|u1', 'fortran_order': False, 'shape': (67108864, )}", bytes(2**26)), "would unpack to"),
    ],
)
def test_no_more_is_taken_than_is_there(path, member, words):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", member)
    refused(path, words)


@pytest.mark.parametrize("label", [2**40, -(2**40), 2**63])
def test_labels_that_no_list_of_classes_has(hand, label):
    with pytest.raises(DataError, match="label"):
        hand(labels=np.array([0, label], np.uint64 if label == 2**63 else np.int64))
