"""The command ``stgbook cache``: a look at the results that the chapters share."""

import time

import click

from analysis_lib.errors import UserError


@click.group()
def cache() -> None:
    """Look after the results that the chapters share: embeddings, distances, graphs.

    They lie in _build/store; $STGBOOK_STORE names another folder, or is "off".
    """


@cache.command("list")
def list_results() -> None:
    """List what is kept: kind, size, age, time since its last use, and what it is.

    \b
    stgbook cache list
    """
    store = _store()
    entries = store.entries()
    if entries:
        click.echo(f"{'kind':<12}{'size':>10}{'age':>8}{'unused':>8}  what")
    now = time.time()
    for e in entries:
        ages = f"{_age(now - e.created):>8}{_age(now - e.used):>8}"
        click.echo(f"{e.kind:<12}{_size(e.size):>10}{ages}  {e.about}")
    click.echo(f"{_sum(entries)} in {store.folder}; the limit is {_size(store.limit)}")


@cache.command()
@click.option("--kind", metavar="KIND", help="Only this kind: embeddings, distances, graphs.")
@click.option(
    "--older-than",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="DAYS",
    help="Only what was not used for so long.",
)
def clear(kind, older_than) -> None:
    """Remove what is kept; it is computed again when it is needed.

    \b
    stgbook cache clear
    stgbook cache clear --kind embeddings --older-than 30
    """
    store = _store()
    click.echo(f"removed {_sum(store.clear(kind, older_than))} from {store.folder}")


def _store():
    """Return the store, or say that it is switched off."""
    from analysis_lib.results.store import VARIABLE, open_store

    store = open_store()
    if store is None:
        raise UserError(f"results are not kept: {VARIABLE} is off; unset it, or name a folder")
    return store


def _sum(entries) -> str:
    return f"{len(entries)} results, {_size(sum(entry.size for entry in entries))}"


def _size(n_bytes: int) -> str:
    """Return a size for people.

    >>> _size(512), _size(3 * 2**20), _size(5 * 2**30)
    ('512 B', '3.0 MiB', '5.0 GiB')
    """
    size, units = float(n_bytes), ["B", "KiB", "MiB", "GiB"]
    while size >= 1024 and len(units) > 1:
        size, units = size / 1024, units[1:]
    return f"{size:.0f} B" if units[0] == "B" else f"{size:.1f} {units[0]}"


def _age(seconds: float) -> str:
    """Return a time span for people.

    >>> _age(5), _age(7200), _age(200_000)
    ('0 min', '2 h', '2 d')
    """
    for unit, length in (("d", 86400), ("h", 3600)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 60:.0f} min"
