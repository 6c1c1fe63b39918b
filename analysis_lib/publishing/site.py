"""The site: every chapter of an edition is run, then the pages are built with execution off.

``_build/html`` is the default edition's site, ``_build/EDITION/html`` another one's. The pages
come from ``_build/EDITION/source``, which is put together afresh: executed notebooks, texts,
bibliography, assets, and MathJax out of an installed package. A site is always built clean, with
warnings as errors; it is left alone if it was built from the very same source.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pandas as pd

from analysis_lib.chapters.chapter import load_chapter, table_of_contents
from analysis_lib.chapters.editions import DEFAULT, Edition, edition_title
from analysis_lib.chapters.recorded import FACTS, write_facts
from analysis_lib.errors import UserError
from analysis_lib.files import BUILD, ROOT, copy_file, digest, file_digest, put_in_place, working_folder, write_text
from analysis_lib.publishing.page import add_verdicts, annotate_figures, shield_widgets, write_form
from analysis_lib.publishing.runs import Run
from analysis_lib.publishing.side_by_side import run_chapters
from analysis_lib.statistics.estimates import Verdict

WIDGET_HOST = ROOT / "analysis_lib" / "widgets" / "assets" / "widget_host.js"

CLAIMS = "claims"  # the chapter that judges what papers say

_STAMP = ".source.sha256"  # in a site: the digest of all that it was built from
_MATHJAX = "sphinx-mathjax-offline"
_MATHJAX_PARTS = ("tex-mml-chtml.js", "output/chtml/fonts/woff-v2", "input/tex/extensions")


def build_book(
    edition: Edition,
    *,
    root: str | Path = ROOT,
    build: str | Path = BUILD,
    data_root: str | Path = "",
    record: bool = False,
    force: bool = False,
    jobs: int = 0,
    report: Callable[[str], None] = lambda line: None,
) -> Path:
    """Run what has changed of an edition's chapters, build its site, and return the site's folder.

    Parameters
    ----------
    root, build : path
        Where the book's sources are, and where everything is written.
    data_root : path, optional
        Folder of raw data.
    record : bool
        Also copy tables and provenance to ``data/published/EDITION/CHAPTER`` (`record_run`).
    force : bool
        Run every chapter and build the site even if nothing has changed.
    jobs : int
        How many chapters run side by side (`analysis_lib.publishing.side_by_side.run_chapters`).
    report : callable
        Called with one line at a time about the progress.

    Raises
    ------
    UserError
        If a chapter fails, a page is missing, or Sphinx has a warning; then the site that was
        there before is left as it was, and chapters that were done stay done.
    """
    root, build = Path(root), Path(build)
    work = build / edition.name
    chapters = [load_chapter(Path(page).name, root) for page in _notebooks(root)]
    plan = [(chapter, edition.parameters(chapter)) for chapter in chapters]  # fails before any runs
    shutil.rmtree(work / "runs" / "tables", ignore_errors=True)  # then only this build's are there
    how = {"data_root": data_root, "edition": edition.name, "force": force, "cache": build / "cache", "report": report}
    runs = run_chapters(plan, work / "runs", jobs=jobs, seconds=edition.seconds, **how)
    if record:
        for run in runs:
            report(f"recorded {record_run(run, edition, root)}")
    assemble(edition, runs, root, work / "source")
    site = build / "html" if edition.name == DEFAULT else work / "html"
    stamp = digest(file_digest(work / "source"), file_digest(__file__), *_versions())
    built = (site / _STAMP).read_text() if (site / "index.html").exists() and (site / _STAMP).exists() else ""
    if built == stamp and not force:
        report("site: unchanged, not built")
        return site
    report("site: building")
    build_site(work / "source", site, work / "build.log", stamp)
    return site


def assemble(edition: Edition, runs: list[Run], root: Path, source: Path) -> None:
    """Put together the folder that the site is built from.

    The title of an edition other than the default is added to the book's.
    """
    import yaml

    shutil.rmtree(source, ignore_errors=True)
    ignored = shutil.ignore_patterns("*.ipynb", ".ipynb_checkpoints")
    try:
        shutil.copytree(root / "book", source / "book", ignore=ignored)
        shutil.copyfile(root / "_toc.yml", source / "_toc.yml")
        claims = _claims(runs)
        for run in runs:
            page = add_verdicts(json.loads(run.notebook.read_text(encoding="utf8")), claims.get(run.notebook.stem, ()))
            page = shield_widgets(annotate_figures(page))
            write_text(source / "book" / run.notebook.name, write_form(page))
        vendor = source / "book" / "_assets" / "vendor"
        copy_mathjax(vendor / "mathjax")
        shutil.copyfile(WIDGET_HOST, vendor / WIDGET_HOST.name)
        config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf8"))
    except OSError as error:
        raise UserError(f"cannot put together {source}: {error}") from error
    if edition.name != DEFAULT:
        config["title"] += f" · {edition.title}".replace("<", "&lt;")  # the theme takes a title for HTML
    write_text(source / "_config.yml", yaml.safe_dump(config, allow_unicode=True))


def _claims(runs: list[Run]) -> dict[str, list[tuple[str, str, str, str]]]:
    """Return edition, id, verdict and text of the claims that this build could judge, by the page of their figure."""
    for run in runs:
        table = run.tables / "table.csv"
        if run.chapter == CLAIMS and table.exists():
            rows = pd.read_csv(table, keep_default_na=False).drop_duplicates(["id", "edition"])
            rows["edition"] = rows["edition"].map(edition_title)
            judged = rows[rows["verdict"].isin([*map(str, Verdict)]) & (rows["page"] != CLAIMS)]
            of_page = judged.groupby("page")[["edition", "id", "verdict", "claim"]]
            return {page: list(one.itertuples(index=False, name=None)) for page, one in of_page}
    return {}


def copy_mathjax(folder: Path) -> None:
    """Copy the parts of MathJax 3 that the pages load out of the installed package (Apache-2.0).

    Raises
    ------
    UserError
        If the package is not installed.
    """
    for part, path in mathjax_files().items():
        if part.startswith(_MATHJAX_PARTS):
            (folder / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / part)
    write_text(folder / "NOTICE.txt", f"MathJax 3, Apache-2.0, from {_MATHJAX} {metadata.version(_MATHJAX)}\n")


def mathjax_files() -> dict[str, Path]:
    """Return where the parts of MathJax are, by their names in it.

    Raises
    ------
    UserError
        If the package is not installed.
    """
    try:
        files = metadata.distribution(_MATHJAX).files or ()
    except metadata.PackageNotFoundError:
        raise UserError(f"formulas need MathJax: pip install {_MATHJAX}") from None
    parts = ((file, file.as_posix().partition("/static/mathjax/")) for file in files)
    return {part: Path(file.locate()) for file, (_, found, part) in parts if found}


def build_site(source: Path, site: Path, log: Path, stamp: str) -> None:
    """Build ``source`` with Jupyter Book, warnings as errors; ``site`` is replaced if all is well.

    Raises
    ------
    UserError
        With the first warning, their number, and the path of Sphinx's log.
    """
    program = "from jupyter_book.cli.main import main; main()"
    with working_folder(source.parent) as work:
        command = [sys.executable, "-c", program, "build", source, "--path-output", work, "-W", "--keep-going"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        output = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)  # Sphinx colours files, too
        write_text(log, output)
        if done.returncode:
            raise _sphinx_failure(output, source, log)
        new = work / "_build" / "html"
        write_text(new / _STAMP, stamp)
        site.parent.mkdir(parents=True, exist_ok=True)
        put_in_place(new, site)


def record_run(run: Run, edition: Edition, root: str | Path = ROOT) -> Path:
    """Make a run's tables the record ``data/published/EDITION/CHAPTER``, in one step.

    ``provenance.json`` has parameters, code version, data fingerprint, seed, the run's date and
    inputs, and the digest of each table. A reader sees the old record or the new one, whole.
    """
    folder = Path(root) / "data" / "published" / edition.name / run.chapter
    facts, noted = run.facts, run.tables / FACTS
    parameters = {k: v for k, v in facts["inputs"]["parameters"].items() if k != "data_root"}
    inputs = {k: v for k, v in facts["inputs"].items() if k != "parameters"}
    record = {
        "edition": edition.name,
        "chapter": run.chapter,
        "date": facts["date"],
        "seed": parameters.get("seed"),
        "parameters": parameters,
        **(json.loads(noted.read_text()) if noted.exists() else {}),
        "inputs": inputs,
    }
    with working_folder(folder.parent) as work:
        for table in run.tables.glob("*.csv"):
            copy_file(table, work / table.name)
        write_facts(work, record)
        put_in_place(work, folder)
    return folder


def _notebooks(root: Path) -> list[str]:
    """Return the table of contents' notebooks; every page must be there, as notebook or text."""
    pages = table_of_contents(root)
    if not pages:
        raise UserError(f"{root / '_toc.yml'} names no page")
    for page in pages:
        if not any((root / f"{page}{suffix}").exists() for suffix in (".ipynb", ".md")):
            raise UserError(f"_toc.yml names '{page}', but there is no {page}.ipynb or {page}.md")
    return [page for page in pages if (root / f"{page}.ipynb").exists()]


def _sphinx_failure(output: str, source: Path, log: Path) -> UserError:
    """Return the error for a build that failed: Sphinx's first complaint, and their number."""
    lines = output.replace(f"{source.resolve()}/", "").splitlines()
    found = [line.strip() for line in lines if "WARNING:" in line or "ERROR:" in line]
    first = found[0] if found else lines[-1] if lines else "no output"
    return UserError(f"the site was not built: {first} ({len(found)} warnings, see {log})")


def _versions() -> list[str]:
    """Return the versions of the packages that turn sources into pages."""
    names = ("jupyter-book", "Sphinx", "myst-nb", "sphinx-book-theme", _MATHJAX)
    return [f"{name} {metadata.version(name)}" for name in names]
