"""Zip and folder read alike; what cannot be read is named in one line."""

import io
import os
import re
import zipfile

import pytest

from analysis_lib.datasets.readers.archive import read_members
from analysis_lib.errors import DataError

FILES = {"b2.txt": b"two", "a1.txt": b"one", "c3.txt": b"three"}


def read(path):
    return [(m.string, content) for m, content in read_members(path, r"[a-z]\d\.txt", "a1.txt")]


def fails(path, *words):
    with pytest.raises(DataError) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message
    for word in (str(path), *words):
        assert word in message


def write_zip(path, files, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_folder(path, files):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


@pytest.fixture(params=[write_zip, write_folder], ids=["zip", "folder"])
def write(request, tmp_path):
    return lambda files: request.param(tmp_path / "data", files)


def test_files_come_in_the_order_of_their_names(write):
    assert read(write(FILES)) == sorted(FILES.items())


def test_folders_around_the_files_make_no_difference(write):
    files = {f"top/{9 - int(name[1])}/{name}": content for name, content in FILES.items()}
    assert read(write(files)) == sorted(FILES.items())


def test_a_zip_of_windows_has_backslashes(tmp_path):
    path = write_zip(
        tmp_path / "data.zip", {"top/": b"", **{f"top#{name}": content for name, content in FILES.items()}}
    )
    path.write_bytes(path.read_bytes().replace(b"top#", b"top\\"))
    assert read(path) == sorted(FILES.items())


def test_hidden_and_macos_files_and_others_are_passed_over(write):
    others = dict.fromkeys(
        [
            "__MACOSX/top/._a1.txt",
            "__MACOSX/a1.txt",
            ".DS_Store",
            ".cache/d4.txt",
            "readme.txt",
            "xa1.txt",
            "a1.txt.bak",
        ],
        b"",
    )
    files = {f"top/{name}": content for name, content in FILES.items()}
    assert read(write(files | others)) == sorted(FILES.items())


def test_no_file_that_fits(write, tmp_path):
    fails(write({"notes.md": b"", "other.md": b""}), "no file such as a1.txt among its 2 files")


def test_two_files_of_one_name(write, tmp_path):
    fails(write({"copy 1/a1.txt": b"", "copy 2/a1.txt": b""}), "holds a1.txt twice")


def test_a_wrong_path(tmp_path):
    fails(tmp_path / "absent.zip", "does not exist", "files such as a1.txt")


def test_a_file_that_is_no_zip(tmp_path):
    path = tmp_path / "page.zip"
    path.write_text("<html>404</html>")
    fails(path, "not a readable zip", "files such as a1.txt")


def test_a_zip_that_is_cut_off(tmp_path):
    path = write_zip(tmp_path / "half.zip", FILES)
    path.write_bytes(path.read_bytes()[:100])
    fails(path, "not a readable zip", "is the download complete?")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_damaged_member_is_named(tmp_path, method):
    path = write_zip(tmp_path / "bad.zip", {"a1.txt": bytes(range(256)) * 9}, compression=method)
    raw = bytearray(path.read_bytes())
    raw[60:90] = bytes(30)
    path.write_bytes(raw)
    fails(path, "a1.txt is damaged")


def patched(path, offset_local, offset_central, value):
    """Overwrite two bytes of the local and of the central header of a zip's only member."""
    raw = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", offset_local), (b"PK\x01\x02", offset_central)):
        start = raw.index(signature) + offset
        raw[start : start + 2] = value.to_bytes(2, "little")
    path.write_bytes(raw)
    return path


def test_an_encrypted_zip(tmp_path):
    path = patched(write_zip(tmp_path / "locked.zip", {"a1.txt": b"one"}), 6, 8, 1)
    fails(path, "encrypted", "unpack it")


def test_a_compression_that_python_has_not(tmp_path):
    path = patched(write_zip(tmp_path / "odd.zip", {"a1.txt": b"one"}), 8, 10, 97)
    fails(path, "compression", "unpack the zip")


@pytest.mark.parametrize("name", ["../a1.txt", "top/../../a1.txt", "/etc/a1.txt", "C:/a1.txt", "..\\a1.txt"])
def test_a_member_outside_the_zip_is_refused(tmp_path, name):
    path = write_zip(tmp_path / "evil.zip", {"b2.txt": b"", name: b""})
    fails(path, "outside itself", "a1.txt")


def _promising(path, size):
    """Write a zip of a few bytes whose directory promises a member of another size."""
    raw = write_zip(path, {"a1.txt": b"one"}).read_bytes()
    at = raw.index(b"PK\x01\x02")
    path.write_bytes(raw[: at + 24] + size.to_bytes(4, "little") + raw[at + 28 :])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: write_zip(path, {"a1.txt": bytes(2**26)}, compression=zipfile.ZIP_DEFLATED), "would unpack to"),
        (lambda path: write_zip(path, {"a1.txt": bytes(2**26)}, compression=zipfile.ZIP_BZIP2), "would unpack to"),
        (lambda path: _promising(path, 2**32 - 2), "would unpack to 4294967294 bytes"),
        (lambda path: os.mkfifo(path), "does not exist"),
        (lambda path: (path.mkdir(), os.mkfifo(path / "a1.txt")), "holds no file"),
    ],
    ids=["deflated", "bzip2", "promised", "a pipe", "a pipe in a folder"],
)
def test_what_promises_more_than_it_has_is_refused_at_once(tmp_path, make, words):
    make(tmp_path / "data")
    fails(tmp_path / "data", words)


def test_two_dots_inside_a_name_are_harmless(write):
    assert read(write({"v1..2/a1.txt": b"one"})) == [("a1.txt", b"one")]


def test_nothing_is_written(tmp_path):
    path = write_zip(tmp_path / "data.zip", FILES)
    read(path)
    assert list(tmp_path.iterdir()) == [path]


def test_groups_of_the_pattern_are_at_hand(tmp_path):
    path = write_zip(tmp_path / "data.zip", FILES)
    members = read_members(path, r"([a-z])(\d)\.txt", "a1.txt")
    assert [match.groups() for match, _ in members] == [("a", "1"), ("b", "2"), ("c", "3")]


def test_a_zip_in_a_folder_is_not_searched(tmp_path):
    buffer = io.BytesIO()
    write_zip(buffer, FILES)
    folder = write_folder(tmp_path / "data", {"all.zip": buffer.getvalue()})
    with pytest.raises(DataError, match=re.escape(f"{folder} holds no file such as a1.txt")):
        read(folder)
