"""The commands ``stgbook chapters``, ``new-chapter``, ``run`` and ``book``."""

from collections.abc import Sequence

import click

from analysis_lib.cli.options import FOLDER, data_root, device, edition, force, record, say, scheduler
from analysis_lib.errors import UserError


@click.command()
@click.argument("names", nargs=-1, metavar="[CHAPTER]...")
def chapters(names: tuple[str, ...]) -> None:
    """List the chapters, how long each took when it last ran here (before: about), and its parameters.

    \b
    stgbook chapters
    stgbook chapters smoothness
    """
    from analysis_lib.chapters.chapter import chapter_names, load_chapter
    from analysis_lib.chapters.editions import DEFAULT, load_edition
    from analysis_lib.publishing.run_cache import last_seconds

    usual = load_edition(DEFAULT).seconds
    for chapter in map(load_chapter, names or chapter_names()):
        seconds = last_seconds(chapter.name)
        about = f", about {usual[chapter.name]:.0f} s on two cores" if chapter.name in usual else ""
        took = f"not run here yet{about}" if seconds is None else f"{seconds:.0f} s when it last ran here"
        click.echo(f"{chapter.name}: {chapter.title} ({took})")
        for p in chapter.parameters:
            click.echo(f"    {p.name}: {p.type} = {p.default!r}  # {p.help}")


@click.command()
@click.argument("name")
@click.option("--title", default="", help="As it stands in the sidebar: four words at most. Default: the name.")
@click.option("--question", default="", help="What the chapter asks.")
def new_chapter(name: str, title: str, question: str) -> None:
    """Begin a chapter called NAME: a notebook in the form of all, a study and a test that run as they are.

    Nothing is overwritten. CONTRIBUTING.md tells how a chapter is written.

    \b
    stgbook new-chapter speed --title "Speed of joints" --question "Which joints move fastest?"
    """
    from analysis_lib.chapters.new_chapter import write_chapter

    for path in write_chapter(name, title, question):
        click.echo(path)
    say(f"listed in _toc.yml; try it: stgbook run {name}")


@click.command()
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
@edition
@data_root
@click.option(
    "--out", type=FOLDER, metavar="DIR", help="Where notebook, tables and page go. Default: _build/EDITION/runs."
)
@click.option(
    "--html/--no-html",
    default=True,
    show_default=True,
    help="Also write the run as one HTML file that opens offline, DIR/pages/NAME/index.html. NAME tells the "
    "dataset, the model and the changed parameters; no other run has it.",
)
@record
@scheduler
@device
@force
def run(chapter, given, edition, data_root, out, html, record, force) -> None:
    """Run one CHAPTER and print the paths of the executed notebook and of its page.

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
    from analysis_lib.files import BUILD, check_writable
    from analysis_lib.publishing.runs import run_chapter
    from analysis_lib.publishing.site import record_run

    chosen, notebook = load_edition(edition), load_chapter(chapter)
    out = out or BUILD / chosen.name / "runs"
    check_writable(out)
    done = run_chapter(
        notebook, chosen.parameters(notebook, _pairs(given)), out, data_root=data_root or "", force=force, report=say
    )
    if record:
        say(f"recorded {record_run(done, chosen)}")
    click.echo(out / f"{chapter}.ipynb")
    if html:
        from analysis_lib.publishing.run_page import write_run_page

        click.echo(write_run_page(done, _pairs(given), out / "pages"))


def _pairs(given: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the ``-p`` options as a mapping; a name that comes twice is a mistake."""
    names = [name for name, _ in given]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"parameter '{name}' is given {names.count(name)} times")
    return dict(given)


@click.command()
@edition
@data_root
@record
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Run so many chapters side by side. Default: as many as there are cores and memory for.",
)
@scheduler
@device
@force
def book(edition, data_root, record, jobs, force) -> None:
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

    how = {"data_root": data_root or "", "record": record, "force": force, "jobs": jobs, "report": say}
    site = build_book(load_edition(edition), **how)
    click.echo(site / "index.html")
