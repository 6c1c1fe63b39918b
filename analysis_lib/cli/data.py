"""The command ``stgbook data``: a look at the raw data."""

import click

from analysis_lib.cli.options import data_root, say
from analysis_lib.errors import DataError, UserError


@click.group()
def data() -> None:
    """Look after the raw data."""


@data.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@data_root
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
            say(f"not there: {', '.join(absent)} (check one by name to see where to get it)")
    failed = 0
    for name in names:
        try:
            click.echo(catalogue.check(name, root))
        except DataError as error:
            failed += say(f"error: {error}", 1)
    if failed:
        raise UserError(f"{failed} of {len(names)} datasets are missing or damaged")
