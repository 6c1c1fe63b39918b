"""Results that are computed once and shared, kept under a digest of all that they are made from.

An entry is a folder ``_build/store/KIND/KEY``: arrays as ``.npy``, sparse matrices as ``.npz``,
numbers as ``.json``, and ``entry.json``, which says what it is and has the digest of each file.
The key covers the contents of the inputs, the options, the code, and the libraries below it. An
entry appears whole, and is read only if its files are what was written; a damaged one is computed
anew. Where two processes want the same entry, one makes it and the other waits.

``$STGBOOK_STORE`` names another folder, or is ``off``.
"""

import hashlib
import io
import json
import logging
import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
from scipy import sparse

from analysis_lib.errors import DataError, unknown_choice
from analysis_lib.files import BUILD, digest, file_digests, held, put_in_place, working_folder
from analysis_lib.loading import checked, read_json
from analysis_lib.results.digest import canonical_json, library_versions

log = logging.getLogger(__name__)

VARIABLE = "STGBOOK_STORE"
LIMIT = 5 * 2**30  # bytes; the least recently used entries beyond it are removed

_SIDECAR = "entry.json"
_READERS = {".npz": lambda raw: sparse.load_npz(io.BytesIO(raw)), ".json": json.loads}


class _Facts(TypedDict, total=False):
    """The sidecar, as far as it is used."""

    inputs: Mapping[str, str]
    files: Mapping[str, str]
    about: str
    seconds: float
    created: float


@dataclass(frozen=True)
class Entry:
    """What is known of a result that is kept."""

    folder: Path
    kind: str
    about: str  #: for people: what it is, after what it was made from
    size: int  #: bytes
    seconds: float  #: what it took to compute
    created: float  #: seconds since the epoch
    used: float  #: when it was last made or read


@dataclass(frozen=True)
class Store:
    """A folder of results.

    Parameters
    ----------
    folder : Path
    limit : int
        Bytes above which a new entry makes the least recently used ones go, all but those of less
        than a thousandth of that: they are cheap to keep, and not always cheap to make.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> place = TemporaryDirectory()
    >>> store, calls = Store(Path(place.name)), []
    >>> def square(folder):
    ...     calls.append(folder)
    ...     return {"square": np.arange(3) ** 2}
    >>> for _ in range(2):
    ...     values = store.fetch("squares", {"n": "3"}, {}, "code", square)
    >>> values["square"].tolist(), len(calls)
    ([0, 1, 4], 1)
    >>> place.cleanup()
    """

    folder: Path
    limit: int = LIMIT

    def fetch(
        self,
        kind: str,
        inputs: Mapping[str, str],
        options: Mapping[str, object],
        code: str,
        make: Callable[[Path], dict],
        about: str = "",
    ) -> dict:
        """Return what ``make`` makes, from the store if it has been made before.

        Parameters
        ----------
        kind : str
            Name of the folder that entries of this kind share.
        inputs : mapping of str to str
            Digests of everything that ``make`` starts from (`analysis_lib.results.digest`).
        options : mapping
            All options that decide the result: numbers, texts, lists, arrays, dtypes.
        code : str
            Digest of the code that computes it (`analysis_lib.results.digest.module_digest`).
        make : callable
            Given a folder, returns arrays, sparse arrays and JSON values by name. An array that
            outgrows memory may be a memory map of ``NAME.npy`` in that folder.
        about : str
            What it is, in a few words.

        Returns
        -------
        dict
            As from ``make``. Arrays are memory-mapped; what is written to one stays in memory.
        """
        facts = {"kind": kind, "inputs": inputs, "options": options, "code": code, "libraries": library_versions()}
        key = canonical_json(facts)
        entry = self.folder / kind / digest(key)
        values = _load(entry)
        if values is None:
            with held(entry.with_name(f".{entry.name}.made")):
                values = _load(entry)  # another process may have made it meanwhile
                if values is None:
                    return self._make(entry, json.loads(key), make, about)
        with suppress(OSError):  # another process has removed it just now
            os.utime(entry)
        return values

    def _make(self, entry: Path, facts: dict, make: Callable, about: str) -> dict:
        """Compute, keep and return; if the disk will not have it, return it all the same."""
        with working_folder(entry.parent, f"; {VARIABLE}=off does without it") as work:
            started = time.monotonic()
            values = make(work)
            facts |= {"about": about, "seconds": round(time.monotonic() - started, 3)}
            try:
                _write(work, values, facts)
                if _load(entry) is None:  # else another process was first
                    put_in_place(work, entry)
            except OSError as error:
                log.warning("%s: %s; a result is used without being kept", entry.parent, error)
                return values
        self._trim(entry)
        return _load(entry, verify=False) or values

    def entries(self) -> list[Entry]:
        """Return what is kept, the oldest first; what each was made from is looked up by digest."""
        found, origins = [], {}
        for folder in self.folder.glob("*/*"):
            if re.fullmatch("[0-9a-f]{64}", folder.name):
                found.append((folder, _facts(folder)))
        entries = []
        for folder, facts in sorted(found, key=lambda pair: pair[1].get("created", 0)):
            sources = [origins[d] for d in facts.get("inputs", {}).values() if d in origins]
            about = ", ".join([*sources, facts.get("about", "damaged")])
            origins |= dict.fromkeys(facts.get("files", {}).values(), about)
            try:
                size = _size(folder)
                used = folder.stat().st_mtime
            except FileNotFoundError:  # another process has removed it just now
                continue
            seconds, created = facts.get("seconds", 0.0), facts.get("created", used)
            entries.append(Entry(folder, folder.parent.name, about, size, seconds, created, used))
        return entries

    def clear(self, kind: str | None = None, older_than: float = 0.0) -> list[Entry]:
        """Remove entries, of one kind or all, and return them.

        Parameters
        ----------
        kind : str, optional
        older_than : float
            Days since they were last used.

        Raises
        ------
        UserError
            If there are entries, but none of that kind; the kinds are listed.
        """
        entries = self.entries()
        kinds = sorted({entry.kind for entry in entries})
        if entries and kind is not None and kind not in kinds:
            raise unknown_choice("kind of result", kind, kinds)
        before = time.time() - 86400 * older_than
        gone = [e for e in entries if kind in (None, e.kind) and e.used <= before]
        for entry in gone:
            _remove(entry.folder)
        return gone

    def _trim(self, new: Path) -> None:
        """Remove the least recently used entries beyond the limit; of a small one more there is nothing to look for."""
        total = 0
        if 1000 * _size(new) <= self.limit:
            return
        for entry in sorted(self.entries(), key=lambda e: (e.folder == new, e.used), reverse=True):
            total += entry.size
            if total > self.limit and entry.folder != new and 1000 * entry.size > self.limit:
                _remove(entry.folder)


def open_store() -> Store | None:
    """Return the store that ``$STGBOOK_STORE`` names, ``_build/store`` by default; None for off."""
    given = os.environ.get(VARIABLE) or BUILD / "store"
    return None if given == "off" else Store(Path(given).expanduser())


def _write(folder: Path, values: Mapping, facts: dict) -> None:
    """Write the values, and beside them what they are."""
    for name, value in values.items():
        if isinstance(value, np.ndarray):
            if not (folder / f"{name}.npy").exists():  # else it was streamed there
                np.save(folder / f"{name}.npy", value, allow_pickle=False)
        elif sparse.issparse(value):
            sparse.save_npz(folder / f"{name}.npz", value, compressed=False)
        else:
            (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    facts = facts | {"created": time.time(), "files": file_digests(folder)}
    (folder / _SIDECAR).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def _remove(entry: Path) -> None:
    """Remove a folder; nobody ever sees it in part."""
    with working_folder(entry.parent) as grave, suppress(FileNotFoundError):  # another process was faster
        entry.rename(grave)


def _load(entry: Path, verify: bool = True) -> dict | None:
    """Return the values of an entry if each file is there and is what was written; they are read once."""
    values = {}
    try:
        files = _facts(entry).get("files", {})
        if {path.name for path in entry.iterdir()} != {*files, _SIDECAR}:
            return None
        for name, known in files.items():
            place = entry / name
            array = np.load(place, mmap_mode="c", allow_pickle=False) if place.suffix == ".npy" else None
            raw = place.read_bytes() if array is None else array.base  # the map of the whole file
            if verify and hashlib.sha256(raw).hexdigest() != known:
                return None
            values[place.stem] = np.asarray(array) if array is not None else _READERS[place.suffix](raw)
    except Exception:  # whatever a damaged entry raises, it is computed anew
        return None
    return values or None


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _facts(entry: Path) -> dict:
    """Return what an entry's sidecar says; nothing if it is not there or cannot be read."""
    try:
        return checked(read_json(entry / _SIDECAR), _Facts, entry)
    except DataError:
        return {}
