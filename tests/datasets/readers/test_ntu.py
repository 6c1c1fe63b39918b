"""NTU reader: files written in the published format, odd ones included, come back as they were."""

import logging
import re
import zipfile

import numpy as np
import pytest

from analysis_lib.datasets.readers.ntu import parse_skeleton, read_ntu
from analysis_lib.errors import DataError, UserError

ANNA, BERT, CARL = "72057594037928631", "72057594037928630", "72057594037944738"


def skeleton_text(frames):
    """Return a ``.skeleton`` file; a frame is a list of (body id, joints of shape (25, 3))."""
    lines = [f"{len(frames)}"]
    for bodies in frames:
        lines.append(f"{len(bodies)}")
        for body_id, joints in bodies:
            lines += [f"{body_id} 0 1 1 1 1 0 -0.02281289 -0.2745281 2", "25"]
            for x, y, z in joints:
                lines.append(f"{x:.7g} {y:.7g} {z:.7g} 259.3 189.7 965.0 499.9 0.16 0 0.97 -0.1 2")
    return "\n".join(lines) + "\n"


def body(rng):
    return rng.normal(size=(25, 3)).astype(np.float32)


def simple_text(rng, n_frames=2):
    return skeleton_text([[(ANNA, body(rng))] for _ in range(n_frames)])


def write_clips(folder, rng, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / f"{name}.skeleton").write_text(simple_text(rng))
    return folder


# --- one file -------------------------------------------------------------------------------------


def test_joints_come_back_as_float32(rng):
    joints = [body(rng) for _ in range(3)]
    x = parse_skeleton(skeleton_text([[(ANNA, j)] for j in joints]))
    assert x.shape == (1, 3, 25, 3)
    assert x.dtype == np.float32
    np.testing.assert_allclose(x[0], joints, rtol=1e-6)


def test_a_frame_without_bodies_is_zeros(rng):
    x = parse_skeleton(skeleton_text([[], [(ANNA, body(rng))], []]))
    assert x.any(axis=(0, 2, 3)).tolist() == [False, True, False]


@pytest.mark.parametrize("frames", [[], [[], [], []]])
def test_a_file_without_any_body_has_none(frames):
    assert parse_skeleton(skeleton_text(frames)).shape == (0, len(frames), 25, 3)


def test_three_bodies_are_all_kept(rng):
    a, b, c = (body(rng) for _ in range(3))
    x = parse_skeleton(skeleton_text([[(ANNA, a), (BERT, b), (CARL, c)], [(ANNA, a)]]))
    np.testing.assert_allclose(x[:, 0], [a, b, c], rtol=1e-6)
    assert not x[1:, 1].any()


def test_a_body_that_vanishes_and_returns(rng):
    a, b = body(rng), body(rng)
    frames = [[(ANNA, a), (BERT, b)], [(BERT, b)], [(BERT, b), (ANNA, a)]]
    nobody = np.zeros_like(a)
    by_id = parse_skeleton(skeleton_text(frames), order="id")
    np.testing.assert_allclose(by_id[0], [a, nobody, a], rtol=1e-6)
    np.testing.assert_allclose(by_id[1], [b, b, b], rtol=1e-6)
    by_place = parse_skeleton(skeleton_text(frames), order="file")
    np.testing.assert_allclose(by_place[0], [a, b, b], rtol=1e-6)
    np.testing.assert_allclose(by_place[1], [b, nobody, a], rtol=1e-6)


def test_ids_that_one_float_would_merge_stay_apart(rng):
    assert float(ANNA) == float(BERT)
    a, b = body(rng), body(rng)
    x = parse_skeleton(skeleton_text([[(ANNA, a)], [(BERT, b)]]), order="id")
    assert x.any(axis=(2, 3)).tolist() == [[True, False], [False, True]]


def test_an_id_listed_twice_in_a_frame_is_refused_by_id_only(rng):
    text = skeleton_text([[], [(ANNA, body(rng)), (ANNA, body(rng))]])
    assert parse_skeleton(text).shape == (2, 2, 25, 3)
    with pytest.raises(DataError, match=rf"^clip: frame 1 lists body {ANNA} twice; read it with"):
        parse_skeleton(text, order="id")


@pytest.mark.parametrize(("old", "new"), [("\n", " \r\n"), ("965.0 499.9", "nan nan")])
def test_line_ends_and_fields_that_are_not_read_do_not_matter(rng, old, new):
    text = simple_text(rng)
    found = parse_skeleton(text.replace(old, new) + "\n")
    np.testing.assert_array_equal(found, parse_skeleton(text))


# --- damage ---------------------------------------------------------------------------------------


def damaged(text, line, new):
    """Return the text with line ``line`` (1-based) replaced, or cut off before it (None)."""
    lines = text.splitlines()
    return "\n".join(lines[: line - 1] + ([] if new is None else [new, *lines[line:]]))


@pytest.mark.parametrize(
    ("line", "new", "expected"),
    [
        (1, None, "expected the number of frames, got the end of the file"),
        (1, "two", "expected the number of frames, got 'two'"),
        (1, "-2", "expected the number of frames, got '-2'"),
        (2, "1.0", "expected the number of bodies, got '1.0'"),
        (3, f"{ANNA} 0 1", f"expected a body of 10 fields, got '{ANNA} 0 1'"),
        (3, None, "expected a body of 10 fields, got the end of the file"),
        (4, "20", "expected 25 joints, got '20'"),
        (9, "0.1 0.2", "expected a joint of 12 numbers, got '0.1 0.2'"),
        (9, "1 2 3 4 5 6 7 8 9 10 11 x", "expected a joint of 12 numbers"),
        (9, "1 2 3 4 5 6 7 8 9 10 11 12 13", "expected a joint of 12 numbers, got '1 2 3"),
        (9, "1 nan 3 4 5 6 7 8 9 10 11 12", "expected a joint of 12 numbers, got '1 nan 3"),
        (9, "1 2 3 4 5 6 7 8 9 10 11 12 # x", "expected a joint of 12 numbers"),
        (9, "", "expected a joint of 12 numbers, got ''"),
        (9, "# 2 3 4 5 6 7 8 9 10 11 12", "expected a joint of 12 numbers, got '# 2 3"),
        (57, None, "expected a joint, got the end of the file"),
        (40, None, "expected a joint, got the end of the file"),
        (30, None, "expected the number of bodies, got the end of the file"),
    ],
)
def test_damage_is_located(rng, line, new, expected):
    text = simple_text(rng)
    assert len(text.splitlines()) == 57
    message = rf"^kick, line {line}: {re.escape(expected)}.*leave the clip out with a missing list$"
    with pytest.raises(DataError, match=message):
        parse_skeleton(damaged(text, line, new), "kick")


def test_text_after_the_last_frame_is_damage(rng):
    with pytest.raises(DataError, match=r"line 58: expected the end after 2 frames, got '1'"):
        parse_skeleton(simple_text(rng) + "1\n")


def test_a_last_line_cut_in_the_middle_is_damage(rng):
    with pytest.raises(DataError, match=r"line 57: expected a joint of 12 numbers"):
        parse_skeleton(simple_text(rng)[:-8])


# --- a folder -------------------------------------------------------------------------------------

CLIPS_60 = ("S001C001P001R001A001", "S001C002P003R001A060", "S001C003P001R002A012")
CLIPS_120 = ("S018C001P008R001A061", "S019C002P106R001A120", "S020C003P045R001A100")


def test_names_carry_labels_subjects_views_and_splits(tmp_path, rng):
    found = read_ntu(write_clips(tmp_path, rng, *CLIPS_60, *CLIPS_120), progress=False)
    assert found.clips == CLIPS_60
    assert found.labels.tolist() == [0, 59, 11]
    assert found.subjects.tolist() == [1, 3, 1]
    assert found.views.tolist() == [1, 2, 3]
    assert {name: found.splits[name].tolist() for name in sorted(found.splits)} == {
        "xsub_test": [1],
        "xsub_train": [0, 2],
        "xview_test": [0],
        "xview_train": [1, 2],
    }
    assert found.skeleton.name == "ntu-25"
    assert (len(found.class_names), found.class_names[59]) == (60, "walking apart")


def test_ntu_120_adds_setups_and_the_transfer_task(tmp_path, rng):
    folder = write_clips(tmp_path, rng, *CLIPS_60, *CLIPS_120)
    found = read_ntu(folder, "ntu-120", progress=False)
    assert found.labels.tolist() == [0, 59, 11, 60, 119, 99]
    assert {k: v.tolist() for k, v in found.splits.items()} == {
        "xsub_train": [0, 2, 3, 5],
        "xsub_test": [1, 4],
        "xset_train": [3, 5],
        "xset_test": [0, 1, 2, 4],
        "transfer_train": [3, 5],
        "transfer_test": [4],
    }


def test_the_second_half_alone_counts_its_classes_from_zero(tmp_path, rng):
    folder = write_clips(tmp_path, rng, *CLIPS_60, *CLIPS_120)
    found = read_ntu(folder, "ntu-61-120", progress=False)
    assert found.labels.tolist() == [0, 59, 39]
    names = [found.class_names[i] for i in found.labels]
    assert names == ["put on headphone", "rock-paper-scissors", "butt kicks"]
    assert found.groups[39] == "lower body"


def test_missing_names_are_left_out(tmp_path, rng):
    folder = write_clips(tmp_path / "clips", rng, *CLIPS_60)
    (tmp_path / "missing.txt").write_text(f"{CLIPS_60[1]}\nS009C009P009R009A009.skeleton\n")
    found = read_ntu(folder, missing=tmp_path / "missing.txt", progress=False)
    assert found.clips == (CLIPS_60[0], CLIPS_60[2])


def test_clips_without_a_body_are_dropped_and_counted(tmp_path, rng, caplog):
    folder = write_clips(tmp_path, rng, *CLIPS_60)
    (folder / f"{CLIPS_60[0]}.skeleton").write_text(skeleton_text([[], []]))
    with caplog.at_level(logging.INFO):
        found = read_ntu(folder, progress=False)
    assert found.clips == CLIPS_60[1:]
    assert "ntu-60: 2 clips read, 1 without any body dropped" in caplog.text


def test_subfolders_and_zips_read_the_same(tmp_path, rng):
    folder = write_clips(tmp_path / "a" / "nturgb+d_skeletons", rng, *CLIPS_60)
    archive = tmp_path / "b" / "skeletons.zip"
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w") as z:
        for name in CLIPS_60:
            z.write(folder / f"{name}.skeleton", f"nturgb+d_skeletons/{name}.skeleton")
            z.writestr(f"__MACOSX/nturgb+d_skeletons/._{name}.skeleton", b"\x00\x05")
    plain, zipped, beside = (read_ntu(path, progress=False) for path in (tmp_path / "a", archive, archive.parent))
    assert plain.fingerprint == zipped.fingerprint == beside.fingerprint


def test_the_order_of_bodies_is_passed_on(tmp_path, rng):
    a, b = body(rng), body(rng)
    path = tmp_path / f"{CLIPS_60[0]}.skeleton"
    path.write_text(skeleton_text([[(ANNA, a)], [(BERT, b)]]))
    assert read_ntu(tmp_path, progress=False).sequences[0].shape[0] == 1
    assert read_ntu(tmp_path, progress=False, order="id").sequences[0].shape[0] == 2


def test_the_progress_bar_is_optional(tmp_path, rng, capsys):
    write_clips(tmp_path, rng, *CLIPS_60)
    read_ntu(tmp_path, progress=False)
    assert capsys.readouterr().err == ""
    read_ntu(tmp_path)
    assert "reading ntu-60" in capsys.readouterr().err


# --- errors ---------------------------------------------------------------------------------------


def test_a_damaged_file_is_named(tmp_path, rng):
    write_clips(tmp_path, rng, *CLIPS_60)
    path = tmp_path / f"{CLIPS_60[2]}.skeleton"
    path.write_text(path.read_text()[:2000])
    with pytest.raises(DataError, match=rf"^{CLIPS_60[2]}, line \d+: expected"):
        read_ntu(tmp_path, progress=False)


def test_choices_are_listed(tmp_path):
    with pytest.raises(UserError, match=r"did you mean 'ntu-60'\? choices: ntu-120, ntu-60, ntu-6"):
        read_ntu(tmp_path, "ntu60")
    with pytest.raises(UserError, match=r"unknown order of bodies 'ids'; did you mean 'id'\?"):
        read_ntu(tmp_path, order="ids")


def test_places_without_clips_are_refused(tmp_path, rng):
    with pytest.raises(DataError, match=r"does not exist; expected a zip or a folder"):
        read_ntu(tmp_path / "nothing", progress=False)
    write_clips(tmp_path, rng, "walking")
    with pytest.raises(DataError, match=r"holds no file such as S001C002P005R002A008\.skeleton"):
        read_ntu(tmp_path, progress=False)
    write_clips(tmp_path, rng, *CLIPS_120)
    with pytest.raises(DataError, match="none of its 0 clips of ntu-60 shows a body; is it the fo"):
        read_ntu(tmp_path, progress=False)


def test_a_clip_in_two_zips_is_refused(tmp_path, rng):
    for archive in ("s001_to_s017.zip", "s018_to_s032.zip"):
        with zipfile.ZipFile(tmp_path / archive, "w") as z:
            z.writestr(f"{CLIPS_60[0]}.skeleton", simple_text(rng))
    with pytest.raises(DataError, match=rf"holds {CLIPS_60[0]} twice; leave one copy"):
        read_ntu(tmp_path, progress=False)


def test_nobody_in_any_clip_is_refused(tmp_path):
    (tmp_path / f"{CLIPS_60[0]}.skeleton").write_text("1\n0\n")
    with pytest.raises(DataError, match="none of its 1 clips of ntu-60 shows a body"):
        read_ntu(tmp_path, progress=False)


def test_a_missing_list_must_be_one(tmp_path, rng):
    write_clips(tmp_path, rng, *CLIPS_60)
    (tmp_path / "empty.txt").write_text("nothing\n")
    with pytest.raises(DataError, match=r"names no clip such as"):
        read_ntu(tmp_path, missing=tmp_path / "empty.txt")
    with pytest.raises(DataError, match=r"cannot read the missing list .*No such file"):
        read_ntu(tmp_path, missing=tmp_path / "gone.txt")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("999999999\n", "expected the number of bodies"),
        ("9" * 5000 + "\n", "expected the number of frames"),
        ("1\n999999999\n", "expected a body"),
        (f"1\n1\n{ANNA} 0 1 1 1 1 0 0 0 2\n999999999\n", "expected 25 joints"),
    ],
)
def test_counts_that_promise_more_than_there_is(text, words):
    with pytest.raises(DataError, match=words):
        parse_skeleton(text)


def test_few_lines_do_not_ask_for_gigabytes(rng):
    crowd = [(str(i), body(rng)) for i in range(40)]
    with pytest.raises(DataError, match=r"100001 frames of 40 bodies in .* characters; is it damaged\?"):
        parse_skeleton(skeleton_text([crowd, *[[]] * 100_000]))
