"""The command line, ``stgbook``: thin commands over the library, imported only when they are used.

Exit codes: 0 done; 1 a mistake or a damaged input, told in one line; 2 wrong usage; 130 Ctrl-C.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from analysis_lib import __version__
from analysis_lib.cli.cache import cache
from analysis_lib.cli.train import train
from analysis_lib.errors import DataError, UserError

_FOLDER = click.Path(file_okay=False, path_type=Path)

_edition = click.option(
    "--edition",
    "-e",
    default="synthetic",
    show_default=True,
    metavar="NAME|FILE.json",
    help="Choice of dataset and model: a shipped edition, or a JSON file of yours.",
)
_data_root = click.option(
    "--data-root", type=_FOLDER, metavar="DIR", help="Folder of raw data. Default: $STGBOOK_DATA, else data/raw."
)


def _hand_on(context: click.Context, option: click.Option, scheduler: str | None) -> None:
    """Check that a scheduler answers, and tell the chapters of it, which run in other processes."""
    if scheduler:
        from analysis_lib.warping.cluster import check_scheduler

        check_scheduler(scheduler)
        os.environ[option.envvar] = scheduler


_scheduler = click.option(
    "--scheduler",
    metavar="ADDRESS",
    envvar="STGBOOK_SCHEDULER",
    expose_value=False,
    callback=_hand_on,
    help="Compute distances on several machines: address of a Dask scheduler, tcp://HOST:8786, or "
    '"local" for processes here. Default: $STGBOOK_SCHEDULER, else threads of the chapter.',
)
_record = click.option("--record", is_flag=True, help="Also copy the tables to data/published/EDITION.")
_force = click.option("--force", is_flag=True, help="Run even if nothing has changed.")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code; a user's mistake is one line on stderr."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # a model of the user's own: package.module:factory
    try:
        code = cli.main(args=arguments, prog_name="stgbook", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        code = _say("interrupted; what was finished is kept", 130)
    except UserError as error:
        code = _say(f"error: {error}", 1)
    except BrokenPipeError:  # the reader of our output has closed it, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except OSError as error:
        code = _say(f"error: {error}", 1)
    sys.exit(code if isinstance(code, int) else 0)


def _say(line: str, code: int = 0) -> int:
    """Write one line to stderr, below a progress bar that may still stand there."""
    click.echo(f"stgbook: {' '.join(line.split())}", err=True)
    return code


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stgbook")
def cli() -> None:
    """Run the chapters of the book, build its site, train its networks, check its data.

    \b
    stgbook chapters                               what there is, with every parameter
    stgbook run smoothness -p n_neighbors 20       one chapter with another parameter
    stgbook book                                   the site, in _build/html
    stgbook book --edition nw-ucla                 the same book on other data
    """


@cli.command()
@click.argument("names", nargs=-1, metavar="[CHAPTER]...")
def chapters(names: tuple[str, ...]) -> None:
    """List the chapters and their parameters: name, type, default, meaning.

    \b
    stgbook chapters
    stgbook chapters smoothness
    """
    from analysis_lib.chapters.chapter import chapter_names, load_chapter

    for chapter in map(load_chapter, names or chapter_names()):
        click.echo(f"{chapter.name}: {chapter.title}")
        for p in chapter.parameters:
            click.echo(f"    {p.name}: {p.type} = {p.default!r}  # {p.help}")


@cli.command()
@click.argument("chapter")
@click.option(
    "-p",
    "--parameter",
    "given",
    nargs=2,
    multiple=True,
    metavar="NAME VALUE",
    help="Set a parameter; give it again for another. Lists: 1,2,3.",
)
@_edition
@_data_root
@click.option("--out", type=_FOLDER, metavar="DIR", help="Where notebook and tables go. Default: _build/EDITION/runs.")
@_record
@_scheduler
@_force
def run(chapter, given, edition, data_root, out, record, force) -> None:
    """Run one CHAPTER and print the path of the executed notebook.

    A run that was made before, with the same code, data, model and parameters, is not made again.

    \b
    stgbook run smoothness
    stgbook run smoothness -p n_neighbors 20 -p graph knn
    stgbook run smoothness --edition nw-ucla --data-root ~/data
    stgbook run data -p dataset mine.npz -p model nets.small:make --out mine
    stgbook run transfer --edition nw-ucla-known --record
    """
    from analysis_lib.chapters.chapter import load_chapter
    from analysis_lib.chapters.editions import load_edition
    from analysis_lib.files import BUILD
    from analysis_lib.publishing.runs import run_chapter
    from analysis_lib.publishing.site import record_run

    chosen, notebook = load_edition(edition), load_chapter(chapter)
    out = out or BUILD / chosen.name / "runs"
    done = run_chapter(
        notebook, chosen.parameters(notebook, _pairs(given)), out, data_root=data_root or "", force=force, report=_say
    )
    if record:
        _say(f"recorded {record_run(done, chosen)}")
    click.echo(out / f"{chapter}.ipynb")


def _pairs(given: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the ``-p`` options as a mapping; a name that comes twice is a mistake."""
    names = [name for name, _ in given]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"parameter '{name}' is given {names.count(name)} times")
    return dict(given)


@cli.command()
@_edition
@_data_root
@_record
@_scheduler
@_force
def book(edition, data_root, record, force) -> None:
    """Run what has changed, build the site, and print the path of its first page.

    The default edition's site is _build/html, another one's _build/EDITION/html.

    \b
    stgbook book
    stgbook book --edition nw-ucla --data-root ~/data --record
    stgbook book --edition my/edition.json
    stgbook book --scheduler tcp://192.168.0.7:8786
    """
    from analysis_lib.chapters.editions import load_edition
    from analysis_lib.publishing.site import build_book

    site = build_book(load_edition(edition), data_root=data_root or "", record=record, force=force, report=_say)
    click.echo(site / "index.html")


@cli.group()
def data() -> None:
    """Look after the raw data."""


@data.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@_data_root
def check(names, data_root) -> None:
    """Check that datasets are what their manifests promise (default: all that are there).

    \b
    stgbook data check
    stgbook data check nw-ucla --data-root ~/data
    """
    from analysis_lib.datasets import catalogue

    root = str(data_root or "")
    if not names:
        names = catalogue.available(root)
        absent = [name for name in catalogue.dataset_names() if name not in names]
        if absent:
            _say(f"not there: {', '.join(absent)} (check one by name to see where to get it)")
    failed = 0
    for name in names:
        try:
            click.echo(catalogue.check(name, root))
        except DataError as error:
            failed += _say(f"error: {error}", 1)
    if failed:
        raise UserError(f"{failed} of {len(names)} datasets are missing or damaged")


cli.add_command(cache)
cli.add_command(train)
