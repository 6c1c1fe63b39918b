"""Files and folders that are never half written, digests of contents, and where things live."""

import errno
import fcntl
import hashlib
import os
import shutil
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile, mkdtemp
from typing import BinaryIO

from analysis_lib.errors import UserError, shown

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
BUILD = ROOT / "_build"

_WORKING = ".writing-"  # start of the names of folders that are not in their place yet


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its place only if the block succeeds.

    The file is flushed to disk (fsync) and renamed, so a reader sees the old contents or the new,
    never a part; after an error (a full disk, Ctrl-C) the old file is untouched and the temporary
    one is gone.

    Raises
    ------
    UserError
        If the file cannot be written; the message names the path and the reason.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix, delete=False) as handle:
            temporary = Path(handle.name)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error
    try:
        yield temporary
        with open(temporary, "rb") as handle:
            os.fsync(handle.fileno())
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def open_plain(path: str | Path) -> BinaryIO:
    """Return a file, opened to be read; only a plain file is, as a pipe or a device may never end.

    Raises
    ------
    OSError
        If it is not there, may not be read, or is no plain file.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe is opened, and not waited for
    except ValueError as error:  # a name with a NUL
        raise OSError(errno.EINVAL, str(error), str(path)) from error
    kind = os.fstat(handle).st_mode
    if stat.S_ISREG(kind):
        return os.fdopen(handle, "rb")
    os.close(handle)
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(errno.EISDIR, "Is a directory", str(path))
    raise OSError(errno.EINVAL, "not a plain file, but a pipe or a device", str(path))


def is_there(path: str | Path) -> bool:
    """Return whether something has that path; nothing has one that no file could have."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def plain_name(name: str, what: str) -> str:
    """Return the name of a file to be written, or raise UserError if it leads to another folder.

    >>> plain_name("mine 2", "name of a network")
    'mine 2'
    """
    if not 0 < len(name) <= 100 or name.startswith(".") or not name.isprintable() or {"/", "\\"} & set(name):
        raise UserError(f"{what} {shown(name)} is no name: 1 to 100 characters, no slash, and no dot at its start")
    return name


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` to ``path`` in one step (see `atomic_path`)."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write ``content`` to ``path`` in one step (see `atomic_path`)."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def copy_file(source: str | Path, path: str | Path) -> None:
    """Copy a file to ``path`` in one step (see `atomic_path`)."""
    with atomic_path(path) as temporary:
        shutil.copyfile(source, temporary)


@contextmanager
def working_folder(parent: str | Path, cure: str = "") -> Iterator[Path]:
    """Yield a new folder in ``parent`` for what is being made; at the end it is gone, or was put in its place.

    Its name says whose it is: those that processes of this machine left when they were killed are
    removed, and another machine's after a day.

    Raises
    ------
    UserError
        If it cannot be made; the message ends with ``cure``.
    """
    parent = Path(parent)
    try:
        parent.mkdir(parents=True, exist_ok=True)
        work = Path(mkdtemp(dir=parent, prefix=f"{_WORKING}{socket.gethostname()}-{os.getpid()}-"))
        work.chmod(0o777 & ~_umask())
    except OSError as error:
        raise UserError(f"cannot write {parent}: {error.strerror}{cure}") from error
    for left in parent.glob(f"{_WORKING}*"):
        if _is_left(left):
            shutil.rmtree(left, ignore_errors=True)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def check_writable(folder: str | Path) -> None:
    """Raise UserError if no file can be written in a folder, which is made: now, and not after hours of work."""
    with working_folder(folder):
        pass


def put_in_place(made: Path, folder: Path) -> None:
    """Give a folder that was made the name of another, beside it, which goes.

    At every moment ``standing(folder)`` is the old folder or the new one, whole, also after a kill.
    """
    before = _before(folder)
    while True:
        try:
            made.rename(folder)
            break
        except OSError:
            if not folder.exists() or not made.exists():
                raise
            shutil.rmtree(before, ignore_errors=True)
            with suppress(OSError):  # another process was faster
                folder.rename(before)
    shutil.rmtree(before, ignore_errors=True)


def standing(folder: str | Path) -> Path:
    """Return a folder, or what has stood there until now if it is just being replaced (`put_in_place`)."""
    folder = Path(folder)
    return _before(folder) if not folder.exists() and _before(folder).exists() else folder


@contextmanager
def held(path: str | Path) -> Iterator[None]:
    """Hold a file that nobody else holds: another process or thread that wants it waits until the block is over.

    The file is made, and goes at the end; after a kill the next one has it at once. Where the disk cannot hold files
    nobody waits.
    """
    path = Path(path)
    with ExitStack() as at_end:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            while True:
                handle = at_end.enter_context(open(path, "a"))
                fcntl.flock(handle, fcntl.LOCK_EX)
                with suppress(FileNotFoundError):  # the one before has removed it: what is held is no file any more
                    if os.path.samestat(os.fstat(handle.fileno()), os.stat(path)):
                        at_end.callback(path.unlink, missing_ok=True)
                        break
        yield


def _before(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.before")


def _is_left(work: Path) -> bool:
    """Return whether nobody works in a working folder any more."""
    host, _, process = work.name.removeprefix(_WORKING).rpartition("-")[0].rpartition("-")
    with suppress(OSError):
        if host != socket.gethostname() or not process.isdigit():
            return work.stat().st_mtime < time.time() - 86400
        try:
            os.kill(int(process), 0)
        except ProcessLookupError:
            return True
    return False


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def digest(*parts: bytes | str) -> str:
    """Return the SHA-256 hex digest of the parts, each preceded by its length.

    >>> digest("ab", "c") == digest("a", "bc")
    False
    """
    state = hashlib.sha256()
    for part in parts:
        raw = os.fsencode(part) if isinstance(part, str) else part
        state.update(f"{len(raw)}:".encode())
        state.update(raw)
    return state.hexdigest()


def file_digest(path: str | Path) -> str:
    """Return the SHA-256 hex digest of a file, or of a folder's names and contents in order."""
    path = Path(path)
    if path.is_dir():
        return digest(*(f"{name}={known}" for name, known in file_digests(path).items()))
    with open_plain(path) as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def file_digests(folder: str | Path) -> dict[str, str]:
    """Return the digest of each file in a folder and below it, by its name from there, sorted."""
    paths = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in paths}


def data_root(given: str | Path | None = None) -> Path:
    """Return the folder of raw data: ``given``, else ``$STGBOOK_DATA``, else ``data/raw``."""
    return Path(given or os.environ.get("STGBOOK_DATA") or DATA / "raw").expanduser()
