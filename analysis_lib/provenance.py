"""Where a figure comes from: the line beside it, and the table that is kept of it."""

import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from analysis_lib import __version__
from analysis_lib.chapters import load_chapter
from analysis_lib.errors import UserError
from analysis_lib.storage import ROOT, atomic_path, write_text

TABLES = "STGBOOK_TABLES"  # environment variable: the folder that tables are recorded in

_STARTED = time.monotonic()


def provenance(chapter: str, namespace: Mapping[str, object], dataset=None, checkpoint=None):
    """Return the line of parameters, code, data, model and run time, for display in a page.

    Where ``$STGBOOK_TABLES`` is set, the same facts (but the time) are written beside the tables.

    Parameters
    ----------
    chapter : str
    namespace : mapping
        ``globals()`` of the notebook.
    dataset : SkeletonDataset, optional
        Its name and the first 12 digits of its fingerprint are shown.
    checkpoint : Checkpoint, optional
        Its name and the first 12 digits of its weights' digest are shown.

    Returns
    -------
    IPython.display.Markdown
        The run time, since this module was imported, has a line of its own.
    """
    from IPython.display import Markdown

    facts = _facts(chapter, namespace, dataset, checkpoint)
    folder = _table_folder(chapter)
    if folder:
        write_text(folder / "provenance.json", json.dumps(facts, indent=2) + "\n")
    return Markdown(_line(facts) + f"\nRun time {_duration(time.monotonic() - _STARTED)}.</small>")


def record_table(frame, chapter: str, name: str = "table") -> None:
    """Write a tidy table as CSV, if ``$STGBOOK_TABLES`` names a folder to record in.

    Parameters
    ----------
    frame : pandas.DataFrame
        One observation a row; the index is not written. Numbers keep ten digits.
    chapter, name : str
        The file is ``$STGBOOK_TABLES/CHAPTER/NAME.csv``.
    """
    folder = _table_folder(chapter)
    if folder:
        with atomic_path(folder / f"{name}.csv") as temporary:
            frame.to_csv(temporary, index=False, float_format="%.10g", lineterminator="\n")


def code_version(root: str | Path = ROOT) -> str:
    """Return the package's version and the commit; "+changes" if library or book differ from it.

    Without git, or outside a repository of its own, the version alone.
    """
    commit = _git(root, "rev-parse", "--show-toplevel", "--short", "HEAD")
    if commit is None or Path(commit[0]).resolve() != Path(root).resolve():
        return __version__
    changes = _git(root, "status", "--porcelain", "--", "analysis_lib", "book")
    return f"{__version__} ({commit[-1]}{'+changes' if changes else ''})"


def _git(root: str | Path, *arguments: str) -> list[str] | None:
    """Return the lines that git prints, or None if there is no git, no repository or no commit."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.splitlines() if done.returncode == 0 else None


def _facts(chapter: str, namespace: Mapping, dataset, checkpoint) -> dict:
    """Return all that the line says, but the run time."""
    facts = {"chapter": chapter, "parameters": _parameters(chapter, namespace), "code": code_version()}
    if dataset is not None:
        facts["data"] = {"name": dataset.name, "fingerprint": dataset.fingerprint}
    if checkpoint is not None:
        weights = checkpoint.card.get("weights_sha256")
        facts["model"] = {"name": checkpoint.name, "weights": weights}
    return facts


def _parameters(chapter: str, namespace: Mapping) -> dict:
    """Return the chapter's parameters and their values in the notebook.

    A notebook that is not in the book has the names that it annotates. Where the data lie on one
    machine is no part of the result: ``data_root`` is left out.
    """
    try:
        names = [parameter.name for parameter in load_chapter(chapter).parameters]
    except UserError:
        names = list(namespace.get("__annotations__", {}))
    return {name: namespace[name] for name in names if name in namespace and name != "data_root"}


def _line(facts: dict) -> str:
    """Return the Markdown of everything but the run time; it is closed by the caller."""
    values = ", ".join(f"`{name} = {value!r}`" for name, value in facts["parameters"].items())
    parts = [f"Parameters {values or 'none'}", f"code {facts['code']}"]
    for kind, key in (("data", "fingerprint"), ("model", "weights")):
        if kind in facts:
            mark = f" `{facts[kind][key][:12]}`" if facts[kind][key] else ""
            parts.append(f"{kind} {facts[kind]['name']}{mark}")
    return '<small class="provenance">' + "; ".join(parts) + "."


def _duration(seconds: float) -> str:
    """Return a time for people.

    >>> _duration(3.21), _duration(75)
    ('3.2 s', '1 min 15 s')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def _table_folder(chapter: str) -> Path | None:
    return Path(os.environ[TABLES]) / chapter if os.environ.get(TABLES) else None
