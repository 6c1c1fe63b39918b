"""Executing a chapter, and not executing it again while nothing that it depends on has changed.

A run's key covers the chapter's source, its parameters, the code that it imports, in depth, the
contents of its data, its checkpoint and the records that it reads, the locked requirements and the
Python version. What ran is kept under ``_build/cache/CHAPTER/KEY``: the tidied notebook, its tables,
and ``run.json``, which has the digest of each.
"""

import json
import logging
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from itertools import product
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Event
from types import MappingProxyType
from typing import NotRequired, TypedDict

from analysis_lib import errors
from analysis_lib.chapters.chapter import Chapter
from analysis_lib.chapters.other_editions import edition_label, other_editions
from analysis_lib.chapters.recorded import BUILT, recorded_provenance
from analysis_lib.chapters.session import TABLES
from analysis_lib.errors import UserError
from analysis_lib.files import (
    ROOT,
    copy_file,
    digest,
    file_digest,
    file_digests,
    put_in_place,
    working_folder,
    write_text,
)
from analysis_lib.loading import checked, read_json
from analysis_lib.progress import TOLD
from analysis_lib.publishing.page import tidy_notebook, write_form
from analysis_lib.publishing.run_cache import CACHE, FACTS, forget_old_runs, is_whole
from analysis_lib.results.digest import canonical_json, imported_modules, module_digest

LOCK = ROOT / "requirements.lock"
KERNEL = "python3"


class _Inputs(TypedDict):
    parameters: Mapping[str, object]


class _Facts(TypedDict):
    """What ``run.json`` has at least."""

    inputs: _Inputs
    date: str
    files: NotRequired[Mapping[str, str]]


@dataclass(frozen=True)
class Run:
    """A finished run of a chapter: its place in the cache, and whether anything had to be executed."""

    chapter: str
    folder: Path
    fresh: bool

    @property
    def notebook(self) -> Path:
        return self.folder / f"{self.chapter}.ipynb"

    @property
    def tables(self) -> Path:
        """The folder of the tables that the chapter recorded; absent if it recorded none."""
        return self.folder / "tables" / self.chapter

    @property
    def facts(self) -> dict:
        """The run's ``inputs`` (see `run_inputs`), its ``date``, its ``seconds``, and the digests of its ``files``."""
        return checked(read_json(self.folder / FACTS), _Facts, self.folder / FACTS)

    def copy_to(self, out: Path) -> None:
        """Copy notebook and tables to a folder."""
        with working_folder(out / "tables") as work:
            tables = work / self.chapter
            if self.tables.exists():
                shutil.copytree(self.tables, tables)
                put_in_place(tables, out / "tables" / self.chapter)
        copy_file(self.notebook, out / self.notebook.name)
        (out / f"{self.chapter}.failed.ipynb").unlink(missing_ok=True)


def run_chapter(
    chapter: Chapter,
    parameters: Mapping[str, object],
    out: str | Path,
    *,
    data_root: str | Path = "",
    edition: str = "",
    force: bool = False,
    cache: str | Path = CACHE,
    report: Callable[[str], None] = lambda line: None,
    own: Mapping[str, str] = MappingProxyType({}),
    stop: Event | None = None,
) -> Run:
    """Execute a chapter from its source, unless the cache has this very run; copy it to ``out``.

    Parameters
    ----------
    chapter : Chapter
    parameters : mapping
        A value for every parameter (`Chapter.resolve`).
    out : path
        Gets ``NAME.ipynb`` and ``tables/NAME/*.csv``; after a failure ``NAME.failed.ipynb``.
    data_root : path, optional
        Folder of raw data, handed on as ``$STGBOOK_DATA``, so that it is no part of the page.
    edition : str, optional
        Edition that is being built: the tables that ``out`` has are those of its other chapters,
        and a chapter that reads that edition's tables gets them before the published ones.
    force : bool
        Execute even if the cache has the run.
    report : callable
        Called with one line at a time about the progress.
    own : mapping of str to str
        Environment variables of this chapter alone.
    stop : Event, optional
        Ends the run at once when it is set.

    Raises
    ------
    UserError
        If a cell fails: the message has the cell's number, the exception and the path of the
        notebook as far as it got. For a `UserError` of the chapter's own it is that message alone.
    """
    out = Path(out)
    with environment(**read_from(data_root, edition, out)):
        inputs = run_inputs(chapter, parameters)
        entry = Path(cache) / chapter.name / digest(canonical_json(inputs))[:20]
        fresh = force or not is_whole(entry)
        if fresh:
            report(f"{chapter.name}: running")
            started = time.monotonic()
            _execute(chapter, parameters, inputs, entry, out, own, stop or Event())
            report(f"{chapter.name}: done in {time.monotonic() - started:.0f} s")
        else:
            report(f"{chapter.name}: unchanged, not run")
            os.utime(entry)
    run = Run(chapter.name, entry, fresh)
    run.copy_to(out)
    return run


def read_from(data_root: str | Path, edition: str, out: str | Path) -> dict[str, str | None]:
    """Return the environment variables that say where raw data are, and the tables of the edition that is built."""
    built = f"{edition}={Path(out).absolute() / 'tables'}" if edition else None
    return {"STGBOOK_DATA": str(Path(data_root).absolute()) if data_root else None, BUILT: built}


def run_inputs(chapter: Chapter, parameters: Mapping[str, object]) -> dict:
    """Return the digest of everything that a run's result depends on, by kind.

    Parameters called ``dataset`` or ``*_dataset`` name data, ``model`` or ``*_model`` checkpoints
    (plurals hold lists), ``record`` a file below the project's folder; ``edition`` or ``*_edition``
    together with ``chapters`` or ``*_chapters`` other chapters' recorded tables: their contents
    count, not their names alone. So does what other editions recorded of this chapter. Of the code
    counts what the chapter imports, in depth (`analysis_lib.results.digest.module_digest`).
    """
    from analysis_lib.datasets.catalogue import source_digest
    from analysis_lib.networks.checkpoints import checkpoint_digest

    root = str(parameters.get("data_root") or "")
    cells = [[c["cell_type"], "".join(c["source"]), c["metadata"]] for c in chapter.cells]
    return {
        "chapter": digest(canonical_json(cells)),
        "parameters": dict(parameters),
        "code": _code_digest(chapter),
        "data": {name: source_digest(name, root) for name in named_in("dataset", parameters)},
        "models": {name: checkpoint_digest(name) for name in named_in("model", parameters)},
        "records": _record_digests(chapter.name, parameters),
        "requirements": file_digest(LOCK) if LOCK.exists() else "none",
        "python": sys.version.split()[0],
    }


def _code_digest(chapter: Chapter) -> str:
    """Return the digest of what a chapter's cells import, in depth, and of what makes a page of it."""
    needed = {"analysis_lib.publishing.page"}
    for cell in chapter.cells:
        lines = "".join(cell["source"]).splitlines() if cell["cell_type"] == "code" else []
        with suppress(SyntaxError):  # its run will say so
            needed |= imported_modules("\n".join(line for line in lines if not line.startswith(("%", "!"))))
    return module_digest(*needed, roots=(ROOT, Path.cwd()))


def _record_digests(chapter: str, parameters: Mapping[str, object]) -> dict[str, str]:
    """Return the digests of the recorded files and tables that a run may read."""
    paths = {name: ROOT / name for name in named_in("record", parameters)}
    found = {name: file_digest(path) for name, path in paths.items() if path.exists()}
    read = {(edition, chapter) for edition in other_editions(chapter, parameters)}
    editions = *named_in("edition", parameters), *(parameters.get("beside") or ())
    read.update(product(editions, named_in("chapter", parameters)))
    for edition, name in sorted(read):
        if facts := recorded_provenance(edition, name):  # these have the digests of the tables
            found[f"{edition}/{name}"] = digest(edition_label(edition), canonical_json(facts))
    return found


def named_in(kind: str, parameters: Mapping[str, object]) -> list[str]:
    """Return the datasets, models, chapters, ... that parameters of that kind name.

    >>> named_in("chapter", {"chapters": ["noise"], "other_chapters": ["data"], "edition": "synthetic"})
    ['data', 'noise']
    """
    names: list[str] = []
    for parameter, value in parameters.items():
        singular = parameter.removesuffix("s")
        if value and (singular == kind or singular.endswith(f"_{kind}")):
            names.extend([value] if isinstance(value, str) else value)
    return sorted(set(names))


def _execute(
    chapter: Chapter, parameters: Mapping, inputs: dict, entry: Path, out: Path, own: Mapping[str, str], stop: Event
) -> None:
    """Run the chapter in a temporary folder, which becomes the cache entry if all goes well."""
    with working_folder(entry.parent) as work:
        notebook = work / f"{chapter.name}.ipynb"
        steady = {"PYTHONHASHSEED": "0", "PYDEVD_DISABLE_FILE_VALIDATION": "1", TABLES: str(work / "tables")}
        started = time.monotonic()
        _papermill(chapter, parameters, notebook, out / f"{chapter.name}.failed.ipynb", {**own, **steady}, stop)
        page = write_form(tidy_notebook(json.loads(notebook.read_text(encoding="utf8"))))
        write_text(notebook, page)
        seconds = round(time.monotonic() - started, 1)
        facts = {"inputs": inputs, "date": str(date.today()), "seconds": seconds, "files": file_digests(work)}
        write_text(work / FACTS, json.dumps(facts, indent=2) + "\n")
        put_in_place(work, entry)
    forget_old_runs(entry.parent)


def _papermill(
    chapter: Chapter, parameters: Mapping, output: Path, partial: Path, own: Mapping[str, str], stop: Event
) -> None:
    """Execute the chapter's source into ``output``, with environment variables of its ``own``; progress to stderr."""
    import papermill
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
    from nbclient.exceptions import DeadKernelError

    from analysis_lib.publishing.watched import ENGINE, look

    logging.getLogger("papermill").setLevel(logging.ERROR)  # its inspector misses unions' names
    # Papermill formats path names, so braces are doubled
    source, target = (re.sub(r"([{}])", r"\1\1", str(path)) for path in (chapter.path, output))
    bar = {**look(), "desc": chapter.name}
    how = {"engine_name": ENGINE, "progress_bar": bar, "extra_arguments": ["--log-level=CRITICAL"], "stop": stop}
    try:
        with NamedTemporaryFile() as told:
            how["surroundings"] = {**os.environ, **own, TOLD: told.name}
            papermill.execute_notebook(source, target, dict(parameters), kernel_name=KERNEL, **how)
    except papermill.PapermillExecutionError as error:
        copy_file(output, partial)
        raise _failure(chapter, error, partial) from None
    except NoSuchKernel:
        raise UserError(f"there is no Jupyter kernel '{KERNEL}'; install ipykernel into this environment") from None
    except FileNotFoundError as error:
        spec = KernelSpecManager().get_kernel_spec(KERNEL)
        if error.filename != spec.argv[0]:
            raise
        where = Path(spec.resource_dir) / "kernel.json"
        raise UserError(
            f"the Jupyter kernel '{KERNEL}' of {where} starts {spec.argv[0]}, which is gone; remove {where.parent}"
        ) from None
    except DeadKernelError as error:
        raise UserError(f"chapter '{chapter.name}': its kernel died ({error}); was there enough memory?") from None


def _failure(chapter: Chapter, error, partial: Path) -> UserError:
    """Return the one line that says which cell failed and why."""
    if issubclass(getattr(errors, error.ename, Exception), UserError):
        return UserError(error.evalue)
    tags = [cell["metadata"].get("tags", []) for cell in chapter.cells]
    declared = next(i for i, tag in enumerate(tags) if "parameters" in tag)
    # counted from 1 in the source, which lacks the cell that Papermill adds after the parameters
    number = error.cell_index + (error.cell_index <= declared)
    reason = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", f"{error.ename}: {error.evalue}").split())
    return UserError(
        f"chapter '{chapter.name}' failed in cell {number} of {len(tags)}: {reason}; "
        f"the notebook as far as it got: {partial}"
    )


@contextmanager
def environment(**variables: str | None):
    """Set environment variables (None: leave as it is) and restore them at the end."""
    before = {name: os.environ.get(name) for name, value in variables.items() if value is not None}
    os.environ.update({name: variables[name] for name in before})
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
