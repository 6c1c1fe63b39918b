"""``python -m analysis_lib.bench``, or ``make bench``: measure, print ratios, keep the raw runs."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from tqdm.auto import tqdm

from analysis_lib.bench.machine import machine_facts
from analysis_lib.errors import UserError
from analysis_lib.files import BUILD, write_text
from analysis_lib.studies.performance.overviews import growth_overview, nnk_overview, speed_overview
from analysis_lib.studies.performance.tables import FORMAT, growth_table, nnk_table, speed_table
from analysis_lib.studies.performance.words import machine

#: by part: what is printed, the tidy table of medians and ratios, and that table for people
SHOWN = {
    "dtw": (
        "Windowed DTW of all pairs (x: as long as ours; *: on fewer clips, scaled by pairs)",
        speed_table,
        speed_overview,
    ),
    "nnk": ("NNK weights of all nodes (x: as long as ours; excess of the objective)", nnk_table, nnk_overview),
    "growth": ("The k nearest, and the whole matrix", growth_table, growth_overview),
}

Case = tuple[str, Callable[[], list[dict]]]  # what is measured, in words; the measurement


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="Few clips and one round: a trial of the bench itself, no measurement.")
@click.option(
    "--only",
    type=click.Choice(["dtw", "nnk", "growth"]),
    multiple=True,
    metavar="PART",
    help="dtw, nnk or growth; give it again for another. Default: all.",
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

    Leave the machine alone meanwhile. The seconds of every run go to a JSON file, with medians
    and ratios; the book's page on performance is drawn from data/published/bench.json.
    """
    started = time.monotonic()
    record = {"format": FORMAT, "quick": quick, "machine": machine_facts(), "missing": {}}
    try:
        cases = [(part, *case) for part in only or PARTS for case in PARTS[part](quick, record["missing"])]
        with tqdm(cases, unit="case", dynamic_ncols=True) as bar:
            for part, words, measure in bar:
                bar.set_description(words)
                record[part] = record.get(part, []) + measure()
        record["seconds"] = round(time.monotonic() - started, 1)
        record["tables"] = {
            part: json.loads(table(record).to_json(orient="records"))
            for part, (_, table, _) in SHOWN.items()
            if part in record
        }
        write_text(output, json.dumps(record, indent=1) + "\n")
    except UserError as error:
        raise click.ClickException(str(error)) from error
    click.echo(report(record))
    click.echo(f"{record['seconds']:.0f} s in all; every run: {output}")


def report(record: dict) -> str:
    """Return what was measured as text: a table a part, and what is missing."""
    blocks = [machine(record)]
    for part, (title, table, overview) in SHOWN.items():
        if part in record:
            blocks.append(f"{title}\n{overview(table(record)).to_string()}")
    blocks += [f"not measured: {name} ({why})" for name, why in record["missing"].items()]
    return "\n\n".join(blocks)


def dtw_cases(quick: bool, missing: dict[str, str]) -> Iterator[Case]:
    """Yield the shapes; peers that are not installed are noted in ``missing``."""
    from analysis_lib.bench import dtw
    from analysis_lib.bench.peers import dtw_peers, why_missing

    missing |= why_missing(dtw_peers())
    peers = [peer for peer in dtw_peers() if peer.name not in missing]
    sizes = {"n_clips": 12, "rounds": 1, "budget": 0.1} if quick else {}
    for t, d in dtw.SHAPES[:2] if quick else dtw.SHAPES:
        yield f"DTW {t} x {d}", lambda t=t, d=d: [dtw.bench_shape(t, d, peers, **sizes)]


def nnk_cases(quick: bool, missing: dict[str, str]) -> Iterator[Case]:
    """Yield kernels and sizes."""
    from analysis_lib.bench import nnk

    rounds = {"rounds": 1} if quick else {}
    for name in nnk.KERNELS:
        for n in (60,) if quick else nnk.SIZES:
            yield f"NNK {name} {n}", lambda name=name, n=n: nnk.bench_kernel(name, n, **rounds)


def growth_cases(quick: bool, missing: dict[str, str]) -> Iterator[Case]:
    """Yield the numbers of clips."""
    from analysis_lib.bench import growth

    rounds = {"rounds": 1} if quick else {}
    for n in (60, 120) if quick else growth.SIZES:
        yield f"nearest of {n}", lambda n=n: [growth.bench_size(n, **rounds)]


PARTS = {"dtw": dtw_cases, "nnk": nnk_cases, "growth": growth_cases}

if __name__ == "__main__":
    main(prog_name="python -m analysis_lib.bench")
