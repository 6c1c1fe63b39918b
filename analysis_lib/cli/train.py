"""The command ``stgbook train``: one network, or a queue of them."""

import sys
from pathlib import Path

import click

from analysis_lib.cli.options import FOLDER, data_root, say
from analysis_lib.errors import UserError

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--dataset", metavar="NAME|FILE.npz", help="What to train on.")
@click.option("--queue", type=_FILE, metavar="FILE.json", help="Train a list of networks, one after the other.")
@click.option("--status", is_flag=True, help="Only print how far the queue is.")
@click.option(
    "--results", type=_FILE, metavar="FILE.json", help="Of a queue: add to this file how well its networks do."
)
@click.option("--out", type=FOLDER, required=True, metavar="DIR", help="Where the files go.")
@click.option("--name", metavar="NAME", help="Name of the checkpoint. Default: the dataset's.")
@click.option("--recipe", metavar="NAME|FILE.json", help="Default: the dataset's, if it has one.")
@click.option("--epochs", type=click.IntRange(min=1), help="Default: the recipe's.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), help="Processor threads. Default: all.")
@click.option(
    "--device", default="auto", metavar="auto|cpu|cuda", help="Where to train. Default: a GPU if there is one."
)
@data_root
def train(dataset, queue, status, results, out, name, recipe, epochs, seed, threads, device, data_root) -> None:
    """Train a network on a dataset's training split and print the path of its card.

    Stopped at any time and started again, it goes on from the last whole epoch. A queue is a JSON
    list of jobs: {"dataset", "name", "recipe", "overrides", "seed", "out"}; those that are done are
    passed over, and one that fails does not stop the others.

    \b
    stgbook train --dataset synthetic --out checkpoints
    stgbook train --dataset nw-ucla --data-root ~/data --out checkpoints --epochs 65
    nice stgbook train --queue data/queue.json --out _build/queue --threads 1 &
    stgbook train --queue data/queue.json --out _build/queue --status
    stgbook train --queue data/ablations.json --out _build/ablations --results data/published/ablations.json
    """
    if bool(dataset) == bool(queue) or ((status or results) and not queue):
        raise click.UsageError(
            "give --dataset to train one network, or --queue for several (with --status and --results)"
        )
    if threads:
        import torch

        torch.set_num_threads(threads)
    settings = {"data_root": str(data_root or ""), "progress": sys.stderr.isatty(), "report": say, "device": device}
    if queue:
        _train_all(queue, out, status, results, settings)
        return
    from analysis_lib.networks.training.recipes import train_checkpoint

    click.echo(train_checkpoint(dataset, out, name=name, recipe=recipe, epochs=epochs, seed=seed, **settings))


def _train_all(path: Path, out: Path, only_status: bool, kept: Path | None, settings: dict) -> None:
    from analysis_lib.networks.training import queue

    jobs, known = queue.read_queue(path), queue.read_results(kept) if kept and kept.exists() else ()
    found = queue.queue_status(jobs, out) if only_status else queue.run_queue(jobs, out, **settings)
    _table(found)
    if kept:
        queue.write_results(kept, queue.results(jobs, out, known))
    if failed := [status.name for status in found if status.state == "failed" and not only_status]:
        raise UserError(f"{len(failed)} of {len(found)} jobs failed: {', '.join(failed)}")


def _table(found) -> None:
    """Print one line a job: how far it is, how well it does, how long it still takes."""
    width = max([4, *(len(status.name) for status in found)])
    click.echo(f"{'job':<{width}}  {'state':<8}  {'epochs':>9}  {'accuracy':>8}  {'left':>8}")
    for s in found:
        accuracy = "" if s.accuracy is None else f"{s.accuracy:.1%}"
        left = "" if s.seconds_left is None else f"{s.seconds_left / 60:.0f} min"
        line = f"{s.name:<{width}}  {s.state:<8}  {f'{s.epoch}/{s.epochs}':>9}  {accuracy:>8}  {left:>8}  {s.error}"
        click.echo(line.rstrip())
