"""Options that several commands share, and the line that they say."""

import os
import sys
from pathlib import Path

import click
from tqdm import tqdm

from analysis_lib.errors import one_line

FOLDER = click.Path(file_okay=False, path_type=Path)

edition = click.option(
    "--edition",
    "-e",
    default="synthetic",
    show_default=True,
    metavar="NAME|FILE.json",
    help="Choice of dataset and model: a shipped edition, or a JSON file of yours.",
)
data_root = click.option(
    "--data-root", type=FOLDER, metavar="DIR", help="Folder of raw data. Default: $STGBOOK_DATA, else data/raw."
)


def _hand_on(context: click.Context, option: click.Option, place: str | None) -> None:
    """Check that distances can be computed there, and tell the chapters of it, which run in other processes."""
    if not place:
        return
    if option.name == "scheduler":
        from analysis_lib.warping.cluster import check_scheduler as check
    else:
        from analysis_lib.warping.cuda import checked_device as check
    check(place)
    os.environ[option.envvar] = place


_place = {"expose_value": False, "callback": _hand_on}
scheduler = click.option(
    "--scheduler",
    metavar="ADDRESS",
    envvar="STGBOOK_SCHEDULER",
    help="Compute distances on several machines: address of a Dask scheduler, tcp://HOST:8786, or "
    '"local" for processes here. Default: $STGBOOK_SCHEDULER, else threads of the chapter.',
    **_place,
)
device = click.option(
    "--device",
    metavar="NAME",
    envvar="STGBOOK_DEVICE",
    help='Compute distances on a graphics card, "cuda" or "cuda:1". Default: $STGBOOK_DEVICE, else the processor.',
    **_place,
)
record = click.option("--record", is_flag=True, help="Also copy the tables to data/published/EDITION.")
force = click.option("--force", is_flag=True, help="Run even if nothing has changed.")


def say(line: str, code: int = 0) -> int:
    """Write one line to stderr, above progress bars that may stand there."""
    with tqdm.external_write_mode(file=sys.stderr):
        click.echo(f"stgbook: {one_line(line)}", err=True)
    return code
