"""Networks trained one after the other from a list: stopped at any moment, it goes on from there.

A queue is a JSON file with a list of jobs, each with the entries of `Job`. Below the output folder
lie the checkpoints, the state of the run that is under way, one line a job in ``queue.jsonl``, and
the lock of the process that works there.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.files import write_text
from analysis_lib.networks.training.recipes import Plan, Recipe, read_recipe, train_checkpoint


@dataclass(frozen=True)
class Job:
    """One network to train; see `analysis_lib.networks.training.recipes.train_checkpoint`.

    Attributes
    ----------
    dataset : str
    name : str
        Of the checkpoint; the dataset's by default. Each job of a queue has its own.
    recipe : str
        The dataset's by default.
    overrides : mapping
        What differs from the recipe: ``arguments`` of the network, ``preprocessing``, ``recipe``, ...
    seed : int
    out : str
        Folder of the checkpoint, below the queue's.
    """

    dataset: str
    name: str
    recipe: str = ""
    overrides: Mapping = field(default_factory=dict)
    seed: int = 0
    out: str = ""

    def plan(self) -> Plan:
        """Return the recipe that the job comes down to."""
        plan = read_recipe(self.recipe or self.dataset, self.overrides)
        return replace(plan, recipe=replace(plan.recipe, seed=self.seed))

    def card(self, out: str | Path) -> dict | None:
        """Return the card of the trained network, or None if it is not trained yet.

        Raises
        ------
        UserError
            If the network there was trained in another way.
        """
        path = Path(out) / self.out / f"{self.name}.json"
        if not path.exists():
            return None
        card, plan = json.loads(path.read_text(encoding="utf-8")), self.plan()
        if (card["arguments"], Recipe(**card["recipe"])) != (dict(plan.arguments), plan.recipe):
            raise UserError(f"{path} was trained in another way than the job says; move it, or rename the job")
        return card


@dataclass(frozen=True)
class Status:
    """How far a job is.

    Attributes
    ----------
    name : str
    state : {"waiting", "training", "stopped", "done", "failed"}
    epoch, epochs : int
        Done, and to do in all.
    accuracy : float or None
        On the test split once the job is done; before, on clips held out, or else on those learnt.
    seconds : float or None
        An epoch, on average since the job was last started.
    error : str
    """

    name: str
    state: str = "waiting"
    epoch: int = 0
    epochs: int = 0
    accuracy: float | None = None
    seconds: float | None = None
    error: str = ""

    @property
    def seconds_left(self) -> float | None:
        """Time that the job still takes, if that can be said."""
        going_on = self.state in ("training", "stopped") and self.seconds is not None
        return self.seconds * (self.epochs - self.epoch) if going_on else None


def read_queue(path: str | Path) -> list[Job]:
    """Return the jobs of a queue file.

    Raises
    ------
    UserError
        If it is no JSON list of jobs, an entry is unknown, or two jobs have one name.
    """
    try:
        given = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is no queue: {error}") from error
    if not isinstance(given, list) or not all(isinstance(job, dict) and "dataset" in job for job in given):
        raise UserError(f'{path} is no queue: expected a list of jobs, such as [{{"dataset": "synthetic"}}]')
    known = [entry.name for entry in fields(Job)]
    if unknown := [key for job in given for key in job if key not in known]:
        raise unknown_choice(f"entry of a job in {path}", unknown[0], known)
    jobs = [Job(**{"name": Path(job["dataset"]).stem, **job}) for job in given]
    names = [job.name for job in jobs]
    if double := {name for name in names if names.count(name) > 1}:
        raise UserError(f"{path}: several jobs are named '{min(double)}'; give each a name of its own")
    return jobs


def run_queue(
    jobs: Sequence[Job],
    out: str | Path,
    data_root: str = "",
    progress: bool = False,
    report: Callable[[str], None] = lambda line: None,
) -> list[Status]:
    """Train what is not trained yet, in order, and return how far each job came.

    A job whose card is there is passed over. One that fails is reported, and the next one goes on.

    Parameters
    ----------
    out : path
        Folder of the checkpoints and of all that the queue notes.
    data_root, progress, report
        As in `analysis_lib.networks.training.recipes.train_checkpoint`.

    Raises
    ------
    UserError
        If another process works on a queue in the same folder.
    """
    with _lock(Path(out)) as mine:
        if not mine:
            raise UserError(f"another queue is at work in {out}; wait for it, or give another folder")
        found = {status.name: status for status in _noted(jobs, out)}

        def note(status: Status) -> None:
            found[status.name] = status
            lines = [json.dumps(asdict(status)) + "\n" for status in found.values()]
            write_text(Path(out) / "queue.jsonl", "".join(lines))

        for job in jobs:
            if found[job.name].state == "done":
                continue
            run = _Run(found[job.name], note)
            try:
                job.card(out)
                run.on(state="training", epochs=job.plan().recipe.epochs, error="")
                train_checkpoint(
                    job.dataset,
                    Path(out) / job.out,
                    name=job.name,
                    recipe=job.recipe or None,
                    overrides=job.overrides,
                    seed=job.seed,
                    data_root=data_root,
                    progress=progress,
                    report=lambda line, name=job.name: report(f"{name}: {line}"),
                    on_epoch=run.epoch,
                )
                note(_done(run.status, job.card(out)))
            except Exception as error:  # whatever it is, the other networks are still to be trained
                message = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
                report(f"{job.name} failed: {message}")
                run.on(state="failed", error=message)
        return list(found.values())


@dataclass
class _Run:
    """A job at work: its status, noted whenever it changes."""

    status: Status
    note: Callable[[Status], None]
    began: float = field(default_factory=time.monotonic)
    epochs: int = 0

    def on(self, **changes) -> None:
        self.status = replace(self.status, **changes)
        self.note(self.status)

    def epoch(self, record: Mapping) -> None:
        self.epochs += 1
        seconds = round((time.monotonic() - self.began) / self.epochs, 2)
        self.on(epoch=record["epoch"], accuracy=record.get("held_accuracy", record["accuracy"]), seconds=seconds)


def queue_status(jobs: Sequence[Job], out: str | Path) -> list[Status]:
    """Return how far each job is; one whose process is gone is "stopped"."""
    found = _noted(jobs, out)
    if not Path(out).exists():
        return found
    with _lock(Path(out)) as idle:
        return [replace(s, state="stopped") if idle and s.state == "training" else s for s in found]


def _noted(jobs: Sequence[Job], out: str | Path) -> list[Status]:
    """Return what was noted of each job; whether it is done is for its card to say."""
    try:
        lines = (Path(out) / "queue.jsonl").read_text(encoding="utf-8").splitlines()
        noted = {status.name: status for status in (Status(**json.loads(line)) for line in lines)}
    except (OSError, ValueError, TypeError):  # nothing yet, or nothing that can be read: cards and states tell
        noted = {}
    found = []
    for job in jobs:
        status = noted.get(job.name, Status(job.name))
        try:
            card = job.card(out)
        except UserError as error:
            found.append(replace(status, state="failed", error=str(error)))
            continue
        if card:
            status = _done(status, card)
        elif status.state == "done":  # its card was removed
            status = Status(job.name)
        found.append(status)
    return found


def _done(status: Status, card: Mapping) -> Status:
    epochs = card["epochs_run"]
    return replace(status, state="done", epoch=epochs, epochs=epochs, accuracy=card["test_accuracy"], error="")


@contextmanager
def _lock(out: Path) -> Iterator[bool]:
    """Yield whether this process alone works in a folder; the lock falls when the process ends."""
    out.mkdir(parents=True, exist_ok=True)
    with open(out / ".queue.lock", "w") as handle:
        try:
            flock(handle, LOCK_EX | LOCK_NB)
            mine = True
        except BlockingIOError:
            mine = False
        yield mine
