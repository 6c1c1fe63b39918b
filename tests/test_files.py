"""Files and folders take their place whole, whatever happens meanwhile; what dead processes left goes."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from analysis_lib.errors import UserError
from analysis_lib.files import file_digest, file_digests, held, put_in_place, standing, working_folder, write_text


def made(folder, text):
    """Fill a folder with three files of one text."""
    for name in ("a", "b", "c"):
        (folder / name).write_text(text)


def seen(folder):
    """Return the texts of a folder's files, in its place or where it stands in for a moment."""
    return {path.read_text() for path in standing(folder).iterdir()}


def test_a_folder_takes_the_place_of_another(tmp_path):
    for text in ("old", "new"):
        with working_folder(tmp_path) as work:
            made(work, text)
            put_in_place(work, tmp_path / "kept")
        assert seen(tmp_path / "kept") == {text}
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_what_was_not_finished_leaves_nothing(tmp_path):
    with pytest.raises(FileNotFoundError), working_folder(tmp_path) as work:
        made(work / "nowhere", "half")
    assert list(tmp_path.iterdir()) == []


REPLACE = """
import sys
from pathlib import Path
from analysis_lib.files import put_in_place, working_folder
for i in range(10**6):
    with working_folder(sys.argv[1]) as work:
        for name in ("a", "b", "c"):
            (work / name).write_text(str(i))
        put_in_place(work, Path(sys.argv[1]) / "kept")
    print(i, flush=True)
"""


def test_a_kill_at_any_moment_leaves_the_old_or_the_new_whole(tmp_path):
    left = 0
    for delay in range(25):
        writer = subprocess.Popen([sys.executable, "-c", REPLACE, tmp_path], stdout=subprocess.PIPE)
        writer.stdout.readline()
        time.sleep(delay * 2e-4)
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate()
        assert len(seen(tmp_path / "kept")) == 1
        assert len(list(standing(tmp_path / "kept").iterdir())) == 3
        left += any(path.name.startswith(".writing") for path in tmp_path.iterdir())
    assert left > 0  # some were killed at work
    with working_folder(tmp_path) as work:
        made(work, "last")
        put_in_place(work, tmp_path / "kept")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_replacement_that_was_cut_between_its_two_steps_is_mended(tmp_path):
    (tmp_path / ".kept.before").mkdir()
    made(tmp_path / ".kept.before", "old")
    assert seen(tmp_path / "kept") == {"old"}
    with working_folder(tmp_path) as work:
        made(work, "new")
        put_in_place(work, tmp_path / "kept")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize(
    ("host", "process", "age", "stays"),
    [
        (socket.gethostname(), os.getpid(), 2, True),
        (socket.gethostname(), 2**22 + 1, 0, False),
        ("another-machine", 2**22 + 1, 0, True),
        ("another-machine", 2**22 + 1, 2, False),
    ],
)
def test_leftovers_go_if_nobody_works_in_them(tmp_path, host, process, age, stays):
    left = tmp_path / f".writing-{host}-{process}-x_1"
    left.mkdir()
    os.utime(left, (time.time() - 86400 * age,) * 2)
    with working_folder(tmp_path):
        pass
    assert left.exists() == stays


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UserError, match=r"cannot write .*file/x: Not a directory; try z$"),
        working_folder(tmp_path / "file" / "x", "; try z"),
    ):
        pass


def test_a_file_that_fails_is_the_old_one(tmp_path, monkeypatch):
    write_text(tmp_path / "a", "old")
    monkeypatch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(UserError, match=r"cannot write .*a: No space left"):
        write_text(tmp_path / "a", "new")
    assert file_digests(tmp_path) == {"a": file_digest(tmp_path / "a")}
    assert (tmp_path / "a").read_text() == "old"


def test_a_folder_s_digest_has_names_and_contents(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a").write_text("1")
    before = file_digest(tmp_path)
    assert list(file_digests(tmp_path)) == ["below/a"]
    (tmp_path / "below" / "a").rename(tmp_path / "a")
    assert file_digest(tmp_path) != before


def test_one_holds_a_file_and_the_others_wait(tmp_path):
    path, inside, most = tmp_path / "new" / "x.made", [], []

    def work(_):
        with held(path):
            inside.append(1)
            time.sleep(0.02)
            most.append(len(inside))
            inside.pop()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(12)))
    assert most == [1] * 12
    assert not path.exists()


def test_where_no_file_can_be_held_nobody_waits(tmp_path):
    (tmp_path / "file").write_text("")
    with held(tmp_path / "file" / "x"), held(tmp_path / "file" / "x"):
        pass
    with pytest.raises(KeyError), held(tmp_path / "y"):
        raise KeyError
    assert not (tmp_path / "y").exists()
