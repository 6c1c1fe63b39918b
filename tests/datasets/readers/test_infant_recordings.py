"""Recordings of infants, through the command, to windows that the chapter takes; the generator is the other route."""

import numpy as np
import pandas as pd
import pytest

from analysis_lib.cli import main as cli
from analysis_lib.datasets.catalogue import load_dataset
from analysis_lib.datasets.gaps import fill_gaps
from analysis_lib.datasets.readers.infant_recordings import read_infants
from analysis_lib.datasets.synthetic.infants import fidgety_joints, infants, recording
from analysis_lib.errors import DataError, UserError
from analysis_lib.networks.checkpoints import load_network
from analysis_lib.skeletons.layouts import layout
from analysis_lib.studies.infants.tables import infant_table

JOINTS = layout("infant-29").joints


def by_frame(x):
    """Return a table with a row a frame, as trackers write it, with gaps as empty fields."""
    columns = [f"{joint.replace(' ', '_')}_{axis}" for joint in JOINTS for axis in "xy"]
    return pd.DataFrame(x.reshape(len(x), -1), columns=columns)


def by_joint(x):
    """Return a table with a row a joint; rows that were not seen are left out."""
    index = pd.MultiIndex.from_product([range(len(x)), JOINTS], names=["frame", "joint"])
    return pd.DataFrame(x.reshape(-1, 2), index, ["x", "y"]).dropna().reset_index()


@pytest.fixture
def filmed():
    """Two recordings of 8 s in pixels, y downwards: of an infant that doesn't fidget, and of one that does."""
    found = {}
    for infant in (0, 1):
        x, rate = recording(0, infant, 8.0)
        x = x * [1, -1] + [0, 1000]
        x[20:40, 3] = np.nan
        found[infant] = x, rate
    return found


@pytest.fixture
def folder(tmp_path, filmed):
    """A folder of a table, of arrays, and of labels."""
    (still, rate), (lively, own) = filmed.values()
    place = tmp_path / "infants"
    place.mkdir()
    by_frame(still).to_csv(place / "anna.csv", index=False)
    np.savez(place / "ben.npz", x=lively, rate=own)
    (place / "labels.csv").write_text(f"clip,label,rate,split\nanna,0,{rate},test\nben,1,,test\n")
    return place


@pytest.fixture
def stgbook(capsys):
    """Return a function that runs the command line: (code, stdout, stderr)."""

    def call(*arguments):
        with pytest.raises(SystemExit) as done:
            cli.main([str(argument) for argument in arguments])
        return done.value.code, *capsys.readouterr()

    return call


def test_the_command_writes_what_the_chapter_takes(stgbook, folder, tmp_path):
    code, said, _ = stgbook("data", "infants", folder, "-o", tmp_path / "mine.npz")
    assert code == 0
    assert "6 clips, 2 classes" in said
    assert "left ear" in said.partition("missing: ")[2]
    data = load_dataset(tmp_path / "mine.npz")
    assert data.splits["test"].tolist() == list(range(6))
    scores = infant_table(load_network("infants", data), data)
    assert scores["fidgets"].tolist() == [False, True]
    assert scores["windows"].tolist() == [3, 3]
    with pytest.raises(UserError, match="is not known"):
        fidgety_joints(data)  # though the folder is called infants


def apart(x):
    """Return the distance of each joint from each other, which no turn changes, (T, 29, 29)."""
    return np.linalg.norm(x[:, :, None] - x[:, None], axis=-1)


def test_windows_are_those_of_the_generator_with_the_head_up(folder):
    data, made = read_infants(folder), infants(n_infants=8, seconds=8.0)
    for infant, seen in ((0, data.sequences[:3]), (1, data.sequences[3:])):
        wanted = [made.sequences[k] for k in np.flatnonzero(made.subjects == infant)]
        for (found,), (other,) in zip(seen, wanted, strict=True):
            known = [v for v in range(29) if v != 3]
            np.testing.assert_allclose(
                apart(found[:, known]), apart(other[:, known]), atol=2e-2
            )  # the median is taken by axis, and the axes differ
        trunk = np.concatenate([x[0, :, 8] - x[0, :, 12] for x in seen])
        assert np.abs(np.median(trunk[:, 0])) < 0.08
        assert np.median(trunk[:, 1]) > 0.4
        left, right = (np.median(np.concatenate([x[0, :, v, 0] for x in seen])) for v in (9, 5))
        assert left > right  # not mirrored
    gone = data.missing[0, 3] * 150
    assert 18 <= gone <= 30  # 20 frames at 25 to 50 Hz, as frames of 30 Hz


@pytest.mark.parametrize("turned", [1, 2, 3])
def test_how_the_camera_was_held_does_not_matter(folder, filmed, turned):
    straight = read_infants(folder)
    x, rate = filmed[1]
    quarter = np.linalg.matrix_power(np.array([[0, 1], [-1, 0]]), turned)
    np.savez(folder / "ben.npz", x=x @ quarter, rate=rate)
    for one, other in zip(straight.sequences, read_infants(folder).sequences, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3)


def test_tables_by_frame_and_by_joint_are_one(folder, filmed):
    before = read_infants(folder)
    by_joint(filmed[0][0]).to_csv(folder / "anna.csv", index=False)
    assert read_infants(folder).fingerprint == before.fingerprint


def test_columns_say_which_is_across_whatever_their_order(folder):
    before = read_infants(folder)
    table = pd.read_csv(folder / "anna.csv")
    table[table.columns[::-1]].to_csv(folder / "anna.csv", index=False)
    assert read_infants(folder).fingerprint == before.fingerprint
    swapped = table.rename(columns=lambda name: name[:-1] + {"x": "y", "y": "x"}[name[-1]])
    swapped.to_csv(folder / "anna.csv", index=False)
    right, left = (
        np.median([x[0, :, 9, 0] - x[0, :, 5, 0] for x in d.sequences[:3]]) for d in (before, read_infants(folder))
    )
    assert right > 0.1  # the left shoulder lies at the right of the picture
    assert left < -0.1  # and a table that swaps the axes shows a mirrored infant


def test_what_was_not_seen_is_counted_window_by_window_and_cut_at_the_ends(folder):
    x, rate = recording(0, 1, 10.0)
    x = fill_gaps(x[None] * [1, -1] + [0, 1000], 2)[0][0]
    first, second = int(1.0 * rate), int(9.0 * rate)
    x[:first] = np.nan
    x[second:] = 0  # which trackers write, too
    hidden = slice(first + int(3.0 * rate), first + int(4.0 * rate))
    x[hidden, 20] = 0
    np.savez(folder / "ben.npz", x=x, rate=rate)
    data = read_infants(folder)
    of_ben = [i for i, clip in enumerate(data.clips) if clip.startswith("ben")]
    assert len(of_ben) == 3  # of the 8 s in which the infant is seen: from 0, 2.5 and 3 s on
    gone = data.missing[of_ben]
    assert gone[:, 20] == pytest.approx([0.2, 0.2, 0.2], abs=0.02)
    assert not np.delete(gone, 20, axis=1).any()


def test_a_recording_takes_as_long_as_a_window(folder, filmed):
    x, rate = filmed[1]
    needed = int(np.ceil(5 * rate))
    np.savez(folder / "ben.npz", x=x[:needed], rate=rate)
    assert sum(clip.startswith("ben") for clip in read_infants(folder).clips) == 1
    np.savez(folder / "ben.npz", x=x[: needed - 2], rate=rate)
    with pytest.raises(DataError, match=r"is seen for [45]\.[09] s; a window takes 5 s: leave the recording out"):
        read_infants(folder)


def test_all_recordings_that_are_wrong_are_named_in_one_line(folder):
    (folder / "anna.csv").write_text("")
    np.savez(folder / "ben.npz", x=np.zeros(3))
    with pytest.raises(DataError, match=r"anna.csv is not a table: .* \(nor can ben.npz be taken\)$"):
        read_infants(folder)


def rewritten(name, change):
    def spoil(folder):
        (folder / name).write_text(change((folder / name).read_text()))

    return spoil


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: (f / "labels.csv").unlink(), "cannot read .*labels.csv"),
        (rewritten("labels.csv", lambda t: t.replace("ben,1", "ben,yes")), "label of 'ben' must be 1 .* got 'yes'"),
        (rewritten("labels.csv", lambda t: t.replace("ben", "bert")), "no row for the recording 'ben'"),
        (rewritten("labels.csv", lambda t: t + "carl,1,30,test\n"), "names the recording 'carl', which is not"),
        (rewritten("labels.csv", lambda t: "clip,rate\nanna,25\n"), "no column 'label'"),
        (rewritten("labels.csv", lambda t: "clip,label\nanna,0\nben,1\n"), "anna.csv: nothing says how many frames"),
        (rewritten("anna.csv", lambda t: t.replace("thorax", "chest")), "anna.csv: joints 'chest' are of no layout"),
        (rewritten("anna.csv", lambda t: t.replace("_x", "_u")), "anna.csv: it has no column 'nose_x'"),
        (rewritten("anna.csv", lambda t: t.replace("thorax_y", "thorax_z")), "anna.csv: it has no column 'thorax_y'"),
        (rewritten("anna.csv", lambda t: "\n".join(t.split("\n")[:60])), "a window takes 5 s"),
        (rewritten("anna.csv", lambda t: t + "x" + "," * 57 + "\n"), r"anna.csv: row \d+: head_top_x is 'x'"),
        (lambda f: np.savez(f / "ben.npz", x=np.zeros((9, 17, 2))), r"ben.npz needs an array x .* \(9, 17, 2\)"),
        (lambda f: np.savez(f / "ben.npz", x=np.zeros((900, 29, 2)), rate=30), "ben.npz: it never shows head top"),
        (lambda f: np.savez(f / "anna.npz", x=np.zeros(2)), "has the recording 'anna' twice"),
        (lambda f: [p.unlink() for p in f.glob("*n*.*") if p.stem != "labels"], "has no recording"),
    ],
)
def test_what_is_wrong_is_one_line(folder, spoil, words):
    spoil(folder)
    with pytest.raises(DataError, match=words) as caught:
        read_infants(folder)
    assert "\n" not in str(caught.value)


def test_mistakes_of_the_command_are_one_line(stgbook, folder, tmp_path):
    for arguments in ([tmp_path / "nowhere", "-o", "a.npz"], [folder, "-o", tmp_path / "a.csv"]):
        code, _, error = stgbook("data", "infants", *arguments)
        assert code
        assert error.startswith("stgbook: ")
        assert error.count("\n") == 1
