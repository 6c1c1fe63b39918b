"""``python -m analysis_lib.bench``, or ``make bench``: measure, print ratios, keep the raw runs."""

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import click
import pandas as pd
from tqdm.auto import tqdm

from analysis_lib.bench import dtw, growth, layer, nnk
from analysis_lib.bench.machine import machine_facts
from analysis_lib.errors import UserError
from analysis_lib.files import BUILD, write_text
from analysis_lib.studies.performance.tables import FORMAT, growth_table, nnk_table, speed_table
from analysis_lib.studies.performance.words import growth_overview, machine_sentence, nnk_overview, speed_overview


class Part(NamedTuple):
    """A part of the bench: what is measured, and how it is shown."""

    title: str
    cases: Callable[[bool, dict[str, str]], dict[str, Callable[[], list[dict]]]]
    table: Callable[[dict], pd.DataFrame]  # tidy, from the record
    overview: Callable[[pd.DataFrame], pd.DataFrame]  # for people


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="Few clips and one round: a trial of the bench itself, no measurement.")
@click.option(
    "--only",
    type=click.Choice(["dtw", "nnk", "growth", "layer"]),
    multiple=True,
    metavar="PART",
    help="dtw, nnk, growth or layer; give it again for another. Default: all.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    default=BUILD / "bench.json",
    help="Default: _build/bench.json.",
)
def main(quick: bool, only: tuple[str, ...], output: Path) -> None:
    """Measure windowed DTW and NNK beside other libraries, and print times and ratios.

    \b
    dtw     all pairs of 200 clips at five shapes: ours, peers, the machine's limit
    nnk     the weights of all nodes: ours, scipy.optimize.nnls, the iterative method
    growth  the k nearest of 500 to 8,000 clips, and how many pairs they cost
    layer   the smoothness of a layer of 16,487 clips: time, memory, and how many pairs

    Leave the machine alone meanwhile. The seconds of every run go to a JSON file, with medians
    and ratios; the book's page on performance is drawn from data/published/bench.json.
    """
    started = time.monotonic()
    record = {"format": FORMAT, "quick": quick, "machine": machine_facts(), "missing": {}}
    chosen = {name: PARTS[name] for name in only or PARTS}
    try:
        cases = [(name, *case) for name in chosen for case in chosen[name].cases(quick, record["missing"]).items()]
        with tqdm(cases, unit="case", dynamic_ncols=True) as bar:
            for name, words, measure in bar:
                bar.set_description(f"{name} {words}")
                record[name] = record.get(name, []) + measure()
    except UserError as error:
        raise click.ClickException(str(error)) from error
    record["seconds"] = round(time.monotonic() - started, 1)
    tables = {name: part.table(record) for name, part in chosen.items()}
    record["tables"] = {name: json.loads(table.to_json(orient="records")) for name, table in tables.items()}
    write_text(output, json.dumps(record, indent=1) + "\n")
    shown = [f"{PARTS[name].title}\n{PARTS[name].overview(table).to_string()}" for name, table in tables.items()]
    missing = [f"not measured: {name} ({why})" for name, why in record["missing"].items()]
    click.echo("\n\n".join([machine_sentence(record), *shown, *missing]))
    click.echo(f"{record['seconds']:.0f} s in all; every run: {output}")


def dtw_cases(quick: bool, missing: dict[str, str]) -> dict:
    """Return the shapes; peers that are not installed are noted in ``missing``."""
    missing |= dtw.why_missing(dtw.PEERS)
    peers = [peer for peer in dtw.PEERS if peer.name not in missing]
    less = {"n_clips": 12, "rounds": 1, "budget": 0.1} if quick else {}
    shapes = dtw.SHAPES[:2] if quick else dtw.SHAPES
    return {f"{t} x {d}": lambda t=t, d=d: [dtw.bench_shape(t, d, peers, **less)] for t, d in shapes}


def nnk_cases(quick: bool, missing: dict[str, str]) -> dict:
    """Return kernels and sizes."""
    less = {"rounds": 1} if quick else {}
    sizes = [(name, n) for name in nnk.KERNELS for n in ((60,) if quick else nnk.SIZES)]
    return {f"{name} {n}": partial(nnk.bench_kernel, name, n, **less) for name, n in sizes}


def growth_cases(quick: bool, missing: dict[str, str]) -> dict:
    """Return the numbers of clips."""
    return {f"of {n}": lambda n=n: [growth.bench_size(n)] for n in ((60, 120) if quick else growth.SIZES)}


def layer_cases(quick: bool, missing: dict[str, str]) -> dict:
    """Return the kinds of layers."""
    less = {"n_clips": 200, "n_frames": 8, "n_features": 64} if quick else {}
    return {kind: lambda kind=kind: [layer.bench_layer(kind, **less)] for kind in layer.KINDS}


PARTS = {
    "dtw": Part(
        "Windowed DTW of all pairs (x: as long as ours; *: on fewer clips, scaled by pairs)",
        dtw_cases,
        speed_table,
        speed_overview,
    ),
    "nnk": Part(
        "NNK weights of all nodes (x: as long as ours; excess of the objective)", nnk_cases, nnk_table, nnk_overview
    ),
    "growth": Part("The k nearest, and the whole matrix", growth_cases, growth_table, growth_overview),
    "layer": Part(
        "Smoothness of a layer (matrix: that of some clips, scaled by pairs)",
        layer_cases,
        layer.layer_table,
        layer.layer_overview,
    ),
}

if __name__ == "__main__":
    main(prog_name="python -m analysis_lib.bench")
