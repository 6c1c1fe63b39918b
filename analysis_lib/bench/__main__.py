"""``python -m analysis_lib.bench``, or ``make bench``: measure, print ratios, keep the raw runs."""

import json
import time
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path

import click
from tqdm.auto import tqdm

from analysis_lib.bench import dtw, growth, layer, nnk, shapley
from analysis_lib.bench.machine import machine_facts
from analysis_lib.errors import UserError
from analysis_lib.files import BUILD, write_text
from analysis_lib.studies.performance.overviews import growth_overview, nnk_overview, speed_overview, values_overview
from analysis_lib.studies.performance.tables import (
    FORMAT,
    growth_table,
    load_bench,
    nnk_table,
    speed_table,
    values_table,
)
from analysis_lib.studies.performance.words import machine

#: by part: what is printed, the tidy table of medians and ratios, and that table for people
PARTS = {
    "dtw": ("All pairs of clips (x: as long as ours; *: on fewer clips, scaled by pairs)", speed_table, speed_overview),
    "nnk": ("NNK weights of all nodes (x: as long as ours; excess of the objective)", nnk_table, nnk_overview),
    "growth": ("The k nearest, and the whole matrix", growth_table, growth_overview),
    "layer": ("Smoothness of a layer (matrix: scaled from some clips)", layer.layer_table, layer.layer_overview),
    "shapley": (
        "Shapley values of joints to the same standard error (x: as long as ours)",
        values_table,
        values_overview,
    ),
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="Few clips and one round: a trial of the bench itself, no measurement.")
@click.option(
    "--only",
    type=click.Choice(list(PARTS)),
    multiple=True,
    metavar="PART",
    help="dtw, nnk, growth, layer or shapley; give it again for another. Default: all.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    default=BUILD / "bench.json",
    help="Default: _build/bench.json.",
)
@click.option("--keep", is_flag=True, help="Keep what FILE holds of the other parts, and what they were measured on.")
def main(quick: bool, only: tuple[str, ...], output: Path, keep: bool) -> None:
    """Measure windowed DTW, NNK and Shapley values beside other libraries, and print times and ratios.

    \b
    dtw     all pairs of 200 clips at five shapes: ours, peers, the machine's limit
    nnk     the weights of all nodes: ours, scipy.optimize.nnls, the iterative method
    growth  the k nearest of 500 to 8,000 clips, and how many pairs they cost
    layer   the smoothness of a layer of 16,487 clips: time, memory, and how many pairs
    shapley Shapley values of joints to the same standard error: ours, captum, shap

    Leave the machine alone meanwhile. The seconds of every run go to a JSON file, with medians
    and ratios; the book's page on performance is drawn from data/published/bench.json.
    """
    if keep and quick:
        raise click.UsageError("a trial (--quick) does not belong into a record of measurements (--keep)")
    started = time.monotonic()
    record = {"format": FORMAT, "quick": quick, "machine": machine_facts(), "missing": {}}
    try:
        before = load_bench(output) if keep else {}
        todo = [(part, *case) for part in only or PARTS for case in cases(part, quick, record["missing"]).items()]
        with tqdm(todo, unit="case", dynamic_ncols=True) as bar:
            for part, words, measure in bar:
                bar.set_description(f"{part} {words}")
                found = measure()
                record[part] = record.get(part, []) + (found if isinstance(found, list) else [found])
    except UserError as error:
        raise click.ClickException(str(error)) from error
    record["seconds"], record["tables"], shown = round(time.monotonic() - started, 1), {}, [machine(record)]
    for part in (part for part in only or PARTS if part in record):
        title, table, overview = PARTS[part]
        record["tables"][part] = json.loads(table(record).to_json(orient="records"))
        shown.append(f"{title}\n{overview(table(record)).to_string()}")
    write_text(output, json.dumps(joined(before, record) if keep else record, indent=1) + "\n")
    missing = [f"not measured: {name} ({why})" for name, why in record["missing"].items()]
    click.echo("\n\n".join([*shown, *missing]))
    click.echo(f"{record['seconds']:.0f} s in all; every run: {output}")


def joined(before: dict, record: dict) -> dict:
    """Return an earlier record with the parts of another one in place of its own, and what these were measured on."""
    parts = [part for part in PARTS if part in record]
    added = {key: before.get(key, {}) | record[key] for key in ("missing", "tables")}
    machines = before.get("machines", {}) | dict.fromkeys(parts, record["machine"])
    return before | added | {"machines": machines, **{part: record[part] for part in parts}}


def cases(part: str, quick: bool, missing: dict[str, str]) -> dict[str, Callable[[], dict | list[dict]]]:
    """Return what is measured for a part, by name; peers that are not installed are noted in ``missing``."""
    few = {"n_clips": 12, "rounds": 1, "budget": 0.1} if quick else {}
    small = {"n_clips": 200, "n_frames": 8, "n_features": 64} if quick else {}
    if part == "dtw":
        missing |= dtw.why_missing(dtw.PEERS)
        peers = [peer for peer in dtw.PEERS if peer.name not in missing]
        shapes = dtw.SHAPES[:2] if quick else dtw.SHAPES
        return {f"{t} x {d}": partial(dtw.bench_shape, t, d, peers, **few) for t, d in shapes}
    if part == "nnk":
        sizes = product(nnk.KERNELS, (60,) if quick else nnk.SIZES)
        return {f"{name} {n}": partial(nnk.bench_kernel, name, n, 1 if quick else 5) for name, n in sizes}
    if part == "growth":
        return {f"of {n}": partial(growth.bench_size, n) for n in ((60, 120) if quick else growth.SIZES)}
    if part == "shapley":
        absent = shapley.why_missing()
        missing |= absent
        few = {"n_clips": 1, "pairs": 2, "rounds": 2} if quick else {}
        return {} if shapley.OURS in absent else {"of joints": partial(shapley.bench_values, absent, **few)}
    return {kind: partial(layer.bench_layer, kind, **small) for kind in layer.KINDS}


if __name__ == "__main__":
    main(prog_name="python -m analysis_lib.bench")
