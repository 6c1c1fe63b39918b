"""Networks trained one after the other from a list: stopped at any moment, it goes on from there.

A queue is a JSON file with a list of jobs, each with the entries of `Job`. Below the output folder
lie the checkpoints, the state of the run that is under way, one line a job in ``queue.jsonl``, and
the lock of the process that works there. Where networks are trained to be compared and not to be kept,
their `Result` is what stays.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Annotated, Literal, TypedDict

from analysis_lib.errors import DataError, UserError
from analysis_lib.files import digest, plain_name, write_text
from analysis_lib.loading import Name, Within, checked, parse_json, read_bytes, read_json
from analysis_lib.networks.training.recipes import Plan, Recipe, read_recipe, train_checkpoint, usual_recipe
from analysis_lib.results.digest import canonical_json


class _Trained(TypedDict):
    """A card, as far as it tells how the network was trained."""

    arguments: Mapping[str, object]
    recipe: Recipe
    epochs_run: Annotated[int, Within(1)]
    test_accuracy: Annotated[float, Within(0, 1)]


class _Measured(_Trained):
    """A card, as far as a `Result` tells of it."""

    dataset: Name
    dataset_fingerprint: str
    architecture: Name
    parameters: Annotated[int, Within(1)]
    n_test: Annotated[int, Within(1)]
    code: str
    machine: str


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

    dataset: Annotated[str, Within(1, 4096)]
    name: Annotated[str, Within(0, 100)] = ""
    recipe: Annotated[str, Within(0, 4096)] = ""
    overrides: Mapping[str, object] = field(default_factory=dict)
    seed: Annotated[int, Within(0)] = 0
    out: Annotated[str, Within(0, 200)] = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", plain_name(self.name or Path(self.dataset).stem, "name of a job"))
        for part in Path(self.out).parts:
            plain_name(part, "folder of a job")

    def plan(self) -> Plan:
        """Return the recipe that the job comes down to."""
        plan = read_recipe(self.recipe or usual_recipe(self.dataset), self.overrides)
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
        card, plan = checked(read_json(path), _Trained, path), self.plan()
        if (card["arguments"], card["recipe"]) != (plan.arguments, plan.recipe):
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

    name: Name
    state: Literal["waiting", "training", "stopped", "done", "failed"] = "waiting"
    epoch: Annotated[int, Within(0)] = 0
    epochs: Annotated[int, Within(0)] = 0
    accuracy: Annotated[float, Within(0, 1)] | None = None
    seconds: Annotated[float, Within(0)] | None = None
    error: str = ""

    @property
    def seconds_left(self) -> float | None:
        """Time that the job still takes, if that can be said."""
        going_on = self.state in ("training", "stopped") and self.seconds is not None
        return self.seconds * (self.epochs - self.epoch) if going_on else None


@dataclass(frozen=True)
class Result:
    """What is known of a trained network without its weights.

    Attributes
    ----------
    name, dataset, fingerprint, architecture : str
    arguments : mapping
        Of the architecture.
    seed, epochs, parameters, clips : int
        ``clips`` of the test split.
    accuracy : float
        On these.
    recipe : str
        Digest of all that the training was told, the seed included.
    code, machine : str
    """

    name: Name
    dataset: Name
    fingerprint: str
    architecture: Name
    arguments: Mapping[str, object]
    seed: Annotated[int, Within(0)]
    epochs: Annotated[int, Within(1)]
    parameters: Annotated[int, Within(1)]
    clips: Annotated[int, Within(1)]
    accuracy: Annotated[float, Within(0, 1)]
    recipe: str
    code: str
    machine: str


def read_queue(path: str | Path) -> list[Job]:
    """Return the jobs of a queue file.

    Raises
    ------
    UserError
        If it is no JSON list of jobs, an entry is unknown or unfit, or two jobs have one name.
    """
    given = read_json(path, "queue")
    if not isinstance(given, list) or not all(isinstance(job, dict) and "dataset" in job for job in given):
        raise UserError(f'{path} is no queue: expected a list of jobs, such as [{{"dataset": "synthetic"}}]')
    jobs = checked(given, list[Job], path)
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
    device: str = "auto",
) -> list[Status]:
    """Train what is not trained yet, in order, and return how far each job came.

    A job whose card is there is passed over. One that fails is reported, and the next one goes on.

    Parameters
    ----------
    out : path
        Folder of the checkpoints and of all that the queue notes.
    data_root, progress, report, device
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
                    recipe=job.recipe or usual_recipe(job.dataset),
                    overrides=job.overrides,
                    seed=job.seed,
                    data_root=data_root,
                    progress=progress,
                    report=lambda line, name=job.name: report(f"{name}: {line}"),
                    on_epoch=run.epoch,
                    device=device,
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


def results(jobs: Sequence[Job], out: str | Path, known: Sequence[Result] = ()) -> list[Result]:
    """Return what came of the jobs that are done.

    Parameters
    ----------
    known : sequence of Result
        What came of jobs elsewhere: it stands where `out` has no card and the job still says the same.

    Raises
    ------
    UserError
        If a network there was trained in another way than its job says.
    """
    found, known = [], {(one.name, one.recipe): one for one in known}
    for job in jobs:
        recipe = digest(canonical_json(asdict(job.plan())))
        if card := job.card(out):
            card = checked(card, _Measured, job.name)
            found.append(
                Result(
                    job.name,
                    card["dataset"],
                    card["dataset_fingerprint"],
                    card["architecture"],
                    card["arguments"],
                    job.seed,
                    card["epochs_run"],
                    card["parameters"],
                    card["n_test"],
                    card["test_accuracy"],
                    recipe,
                    card["code"],
                    card["machine"],
                )
            )
        elif (job.name, recipe) in known:
            found.append(known[job.name, recipe])
    return found


def write_results(path: str | Path, found: Sequence[Result]) -> None:
    """Write results as a JSON list, one a line."""
    write_text(path, "[\n" + ",\n".join(f"  {json.dumps(asdict(one))}" for one in found) + "\n]\n")


def read_results(path: str | Path) -> list[Result]:
    """Return what `write_results` wrote.

    Raises
    ------
    UserError
        If it is no such file.
    """
    return checked(read_json(path, "results of a queue"), list[Result], path)


def _noted(jobs: Sequence[Job], out: str | Path) -> list[Status]:
    """Return what was noted of each job; whether it is done is for its card to say."""
    path = Path(out) / "queue.jsonl"
    try:
        lines = [checked(parse_json(line, path), Status, path) for line in read_bytes(path).splitlines()]
    except DataError:  # nothing yet, or nothing that can be read: cards and states tell
        lines = []
    noted = {status.name: status for status in lines}
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
