"""The run cache, ``_build/cache/CHAPTER/KEY``: which runs are whole, how long they took, how many are kept."""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from analysis_lib.errors import DataError
from analysis_lib.files import BUILD, file_digests
from analysis_lib.loading import checked, read_json

CACHE = BUILD / "cache"
FACTS = "run.json"

_KEPT = 20  # runs of one chapter


def is_whole(entry: Path) -> bool:
    """Return whether a cache entry is there, and each of its files is the one that was written."""
    try:
        files = _facts(entry).get("files")
        return files == {name: known for name, known in file_digests(entry).items() if name != FACTS}
    except (OSError, DataError):
        return False


def last_seconds(chapter: str, cache: str | Path = CACHE) -> float | None:
    """Return how long a chapter's run on this machine took that was used last; None if there is none."""
    for entry in _by_age(Path(cache) / chapter):
        with suppress(OSError, DataError):
            seconds = _facts(entry).get("seconds")
            if isinstance(seconds, int | float):
                return float(seconds)
    return None


def forget_old_runs(folder: Path) -> None:
    """Remove the least recently used runs of one chapter beyond the number that is kept."""
    for path in _by_age(folder)[_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)


def _by_age(folder: Path) -> list[Path]:
    """Return a chapter's runs, the most recently used first."""
    runs = [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.exists() else []
    return sorted(runs, key=lambda path: path.stat().st_mtime, reverse=True)


def _facts(entry: Path) -> Mapping[str, object]:
    return checked(read_json(entry / FACTS), Mapping[str, object], entry)
