"""From a dataset's name to a checkpoint: the recipes in ``data/recipes``, and what they give.

A recipe is a JSON file with an architecture and its arguments, a `Preprocessing`, the names of the
training and test splits, and a `Recipe` of the optimiser. ``default.json`` serves every dataset
that has none of its own name.
"""

import math
import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from analysis_lib.datasets.catalogue import load_dataset
from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import Preprocessing
from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.files import DATA, check_writable, is_there, plain_name
from analysis_lib.loading import Name, checked, read_json
from analysis_lib.networks.checkpoints import (
    Checkpoint,
    load_checkpoint,
    save_checkpoint,
    shipped_cards,
    stored_precision,
)
from analysis_lib.networks.registry import build
from analysis_lib.networks.training.fit import Recipe, evaluate, fit, training_device
from analysis_lib.results.digest import code_version

RECIPES = DATA / "recipes"
#: an epoch has at least so many batches: a few clips are shown again within it
LEAST_BATCHES = 5


@dataclass(frozen=True)
class Plan:
    """All that a training run is told beside its data: what the files in ``data/recipes`` hold.

    Attributes
    ----------
    architecture : str
    arguments : mapping
        Of the architecture: width, dropout, ...
    preprocessing : Preprocessing
    train_split, test_split : str
    recipe : Recipe
    """

    architecture: Name
    arguments: Mapping[str, object]
    preprocessing: Preprocessing
    train_split: Name
    test_split: Name
    recipe: Recipe


def usual_recipe(dataset: str) -> str:
    """Return the name of a dataset's own recipe, or ``"default"``.

    >>> usual_recipe("nw-ucla"), usual_recipe("no such dataset")
    ('nw-ucla', 'default')
    """
    return dataset if dataset in _names() else "default"


def _names() -> list[str]:
    return [path.stem for path in RECIPES.glob("*.json")]


def read_recipe(name: str, overrides: Mapping | None = None) -> Plan:
    """Return a shipped recipe, or the one in a JSON file of yours.

    Parameters
    ----------
    name : str
        Of a file in ``data/recipes``, or a path that ends in ``.json``.
    overrides : mapping, optional
        Entries that replace the file's; a mapping replaces single entries of the one it is for:
        ``{"arguments": {"width": 1.0}, "recipe": {"epochs": 10}}``.

    Raises
    ------
    UserError
        If there is no such recipe, or something in it or in ``overrides`` is missing, unknown, or out of range.
    """
    if not name.endswith(".json") and name not in _names():
        raise unknown_choice("recipe", name, [*_names(), "path/to/your.json"])
    path = Path(name) if name.endswith(".json") else RECIPES / f"{name}.json"
    if not is_there(path):
        raise UserError(f"no recipe at {path}")
    given = checked(read_json(path, "recipe"), Mapping[str, object], path)
    for key, value in (overrides or {}).items():
        before = given.get(key)
        given[key] = {**before, **value} if isinstance(before, Mapping) and isinstance(value, Mapping) else value
    return checked(given, Plan, path)


def other_seeds(name: str, given: str = "") -> list[str]:
    """Return the names of the shipped networks that differ from this shipped one by the seed alone.

    A network that is ``given`` is returned instead.

    >>> other_seeds("synthetic")
    ['synthetic-seed-1', 'synthetic-seed-2']
    >>> other_seeds("of.my.own:network"), other_seeds("of.my.own:network", "mine/of-seed-1.json")
    ([], ['mine/of-seed-1.json'])
    """
    if given:
        return [given]
    ways = {name: _way(card) for name, card in shipped_cards().items()}
    mine = ways.pop(name, None)
    return [] if mine is None else [other for other, way in ways.items() if way == mine]


def siblings(name: str, data: SkeletonDataset, given: str = "") -> list[Checkpoint]:
    """Return the networks that differ from a shipped one by the seed alone, or the one given (`other_seeds`).

    >>> [network.name for network in siblings("synthetic", load_dataset("synthetic"))]
    ['synthetic-seed-1', 'synthetic-seed-2']
    """
    return [load_checkpoint(other, data) for other in other_seeds(name, given)]


def one_of_seeds(names: Iterable[str]) -> list[str]:
    """Return names of networks without the shipped ones that differ from an earlier one by the seed alone.

    >>> one_of_seeds(["synthetic", "of.my.own:network", "synthetic-seed-1", "synthetic-agcn"])
    ['synthetic', 'of.my.own:network', 'synthetic-agcn']
    """
    cards, kept = shipped_cards(), {}
    for name in names:
        way = _way(cards[name]) if name in cards else None
        if way is None or way not in kept.values():
            kept[name] = way
    return list(kept)


def _way(card: Mapping) -> tuple:
    """Return all that decides how a network was trained, but for the seed."""
    recipe = checked({**card.get("recipe", {}), "seed": 0}, Recipe, card["name"])
    return recipe, *(card.get(key) for key in ("architecture", "arguments", "preprocessing", "dataset_fingerprint"))


def train_checkpoint(
    dataset: str,
    out: str | Path,
    *,
    name: str | None = None,
    recipe: str | None = None,
    overrides: Mapping | None = None,
    epochs: int | None = None,
    seed: int = 0,
    data_root: str = "",
    progress: bool = True,
    report: Callable[[str], None] = lambda line: None,
    on_epoch: Callable[[dict], None] = lambda record: None,
    device: str = "auto",
) -> Path:
    """Train on a dataset's training split, score its test split once, and write the checkpoint.

    Killed at any time and started again, it goes on from the last whole epoch
    (``OUT/NAME.state.pt``, removed at the end) and ends with the same weights.

    Parameters
    ----------
    dataset : str
        Name or file (`analysis_lib.datasets.catalogue.load_dataset`).
    out : path
        Folder of the checkpoint.
    name : str, optional
        Of the checkpoint; the dataset's own by default.
    recipe : str, optional
        Name in ``data/recipes`` or a JSON file; the dataset's own by default.
    overrides : mapping, optional
        See `read_recipe`.
    epochs, seed : int
        ``epochs`` replaces the recipe's.
    on_epoch : callable
        Called with the record of each epoch.
    device : str
        See `analysis_lib.networks.training.fit.training_device`.

    Returns
    -------
    Path
        Of the card.
    """
    plain_name(name or "-", "name of a network")
    check_writable(out)
    data = load_dataset(dataset, data_root or None)
    plan = read_recipe(recipe or usual_recipe(data.name), overrides)
    schedule = replace(plan.recipe, seed=seed)
    if epochs is not None:
        few = {
            name: min(getattr(schedule, name), most) for name, most in (("warmup", epochs - 1), ("averaged", epochs))
        }
        schedule = replace(schedule, epochs=epochs, **few)
    train, test = data.split(plan.train_split), data.split(plan.test_split)
    again = math.ceil(LEAST_BATCHES * schedule.batch_size / len(train))
    asked, schedule = schedule, replace(schedule, repeats=max(schedule.repeats, again))
    name = name or data.name
    in_channels = data.sequences[0].shape[-1]
    torch.manual_seed(seed)
    model = build(plan.architecture, data.skeleton, len(data.class_names), in_channels, **plan.arguments)
    state = Path(out) / f"{name}.state.pt"

    def told(record):
        report(_epoch_line(record, schedule.epochs))
        on_epoch(record)

    where = training_device(device)
    history = fit(model, train, plan.preprocessing, schedule, state, progress, told, str(where))
    score = evaluate(stored_precision(model), test, plan.preprocessing, progress=progress)
    last = history[-1]
    card = {
        "name": name,
        "architecture": plan.architecture,
        "arguments": plan.arguments,
        "in_channels": in_channels,
        "parameters": sum(p.numel() for p in model.parameters()),
        "dataset": data.name,
        "dataset_fingerprint": data.fingerprint,
        "class_names": list(data.class_names),
        "skeleton": data.skeleton.to_dict(),
        "train_split": plan.train_split,
        "n_train": len(train),
        "test_split": plan.test_split,
        "n_test": score["n"],
        "test_accuracy": score["accuracy"],
        "test_loss": score["loss"],
        "held_accuracy": last.get("mean_held_accuracy", last.get("held_accuracy")),
        "epochs_run": len(history),
        "recipe": asdict(asked),
        "repeats": schedule.repeats,
        "preprocessing": plan.preprocessing.to_dict(),
        "history": history,
        "code": code_version(),
        "torch": torch.__version__,
        "machine": platform.machine() if where.type == "cpu" else torch.cuda.get_device_name(where),
    }
    path = save_checkpoint(out, model, card)
    state.unlink(missing_ok=True)
    report(f"test accuracy {score['accuracy']:.1%} on {score['n']} clips")
    return path


def _epoch_line(record: dict, epochs: int) -> str:
    """Return one epoch's record for people."""
    held = f", held out {record['held_accuracy']:.1%}" if "held_accuracy" in record else ""
    return f"epoch {record['epoch']}/{epochs}: loss {record['loss']:.3f}, accuracy {record['accuracy']:.1%}{held}"
