"""One way to read the files of a dataset, whether they lie in a zip or in a folder."""

import re
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

from analysis_lib.errors import DataError, cut
from analysis_lib.loading import TEXT_LIMIT, is_bomb, read_bytes

Member = tuple[re.Match, bytes]


def decoded(content: bytes) -> str:
    """Return text whichever machine wrote it: UTF-8 with or without a byte order mark, lines that end in ``\\n``.

    Bytes that are not UTF-8 become the replacement character.

    Examples
    --------
    >>> decoded(b"\\xef\\xbb\\xbfa\\r\\nb\\rc")
    'a\\nb\\nc'
    """
    return content.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")


def read_members(path: str | Path, pattern: str, expected: str) -> Iterator[Member]:
    """Yield the match of the name and the content of every file whose name fits ``pattern``.

    The name is the last part of a path, so folders around the files make no difference; files
    come in the order of their names, from a zip as from a folder. Hidden files and the resource
    files that macOS puts beside each file are passed over. Nothing is unpacked to disk.

    Parameters
    ----------
    path : str or Path
        A zip or a folder.
    pattern : str
        Regular expression of the whole file name.
    expected : str
        What a reader of the error should look for, such as ``"a01_s01_e00_v01.json"``.

    Raises
    ------
    DataError
        If ``path`` is neither a folder nor a readable zip, a zip is encrypted or damaged or names
        files outside itself, no file fits, or two files have one name.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "a07.txt").write_text("1 2 3")
    ...     [(m[1], content) for m, content in read_members(folder, r"a(..)\\.txt", "a01.txt")]
    [('07', b'1 2 3')]
    """
    path = Path(path).expanduser()
    if path.is_dir():
        yield from _from_folder(path, pattern, expected)
    elif path.is_file():
        yield from _from_zip(path, pattern, expected)
    else:
        raise DataError(f"{path} does not exist; expected a zip or a folder with files such as {expected}")


def _from_folder(path: Path, pattern: str, expected: str) -> Iterator[Member]:
    """Yield the matching files of a folder, at any depth."""
    files = {p.relative_to(path).as_posix(): p for p in path.rglob("*") if p.is_file()}
    for match, file in _chosen(path, list(files), pattern, expected):
        yield match, read_bytes(files[file], most=TEXT_LIMIT * 4)


def _from_zip(path: Path, pattern: str, expected: str) -> Iterator[Member]:
    """Yield the matching members of a zip."""
    try:
        archive = ZipFile(path)
    except (BadZipFile, OSError, NotImplementedError) as error:
        raise DataError(
            f"{path} is not a readable zip ({error}); expected a zip or a folder with files such "
            f"as {expected}: is the download complete?"
        ) from error
    with archive:
        infos = [info for info in archive.infolist() if not info.filename.endswith(("/", "\\"))]
        members = {info.filename.replace("\\", "/"): info for info in infos}  # some zips of Windows have backslashes
        for match, name in _chosen(path, list(members), pattern, expected):
            yield match, _content(path, archive, members[name])


def _content(path: Path, archive: ZipFile, info: ZipInfo, most: int = TEXT_LIMIT * 4) -> bytes:
    """Return the content of one member, its checksum verified."""
    if info.flag_bits & 1:
        raise DataError(f"{path} is encrypted; unpack it with its password and give the folder")
    if info.file_size > most or is_bomb(info.file_size, path.stat().st_size):
        raise DataError(f"{path}: {cut(info.filename)} would unpack to {info.file_size} bytes; it is not read")
    try:
        return archive.read(info)
    except NotImplementedError as error:
        raise DataError(f"{path}: {error}; unpack the zip and give the folder") from error
    except (BadZipFile, OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: {info.filename} is damaged ({error}); is the download complete?") from error


def _chosen(path: Path, files: list[str], pattern: str, expected: str) -> list[tuple[re.Match, str]]:
    """Return (match of the name, path) of the files that fit, in the order of their names."""
    if outside := [file for file in files if _leads_out(file)]:
        raise DataError(
            f"{path} names the file {outside[0]!r} outside itself and is not read; get the "
            "archive from its official source"
        )
    matches = [(re.fullmatch(pattern, PurePosixPath(f).name), f) for f in files if _is_plain(f)]
    chosen = sorted(((m, f) for m, f in matches if m), key=lambda found: found[0].string)
    if not chosen:
        raise DataError(
            f"{path} holds no file such as {expected} among its {len(files)} files; is it the right zip or folder?"
        )
    names = [match.string for match, _ in chosen]
    if twice := [name for name, following in pairwise(names) if name == following]:
        raise DataError(f"{path} holds {twice[0]} twice; leave one copy of the dataset in it")
    return chosen


def _leads_out(file: str) -> bool:
    """Return whether a member's name is absolute or climbs out of its archive."""
    parts = file.replace("\\", "/").split("/")
    return ".." in parts or parts[0] == "" or parts[0].endswith(":")


def _is_plain(file: str) -> bool:
    """Return whether no part of a path is hidden or a resource file of macOS."""
    return not any(p.startswith(".") or p == "__MACOSX" for p in PurePosixPath(file).parts)
