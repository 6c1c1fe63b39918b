"""Transfer to new actions as tidy tables: fine-tuning at several cuts and set sizes, and its forecast.

Each run of fine-tuning is kept (`analysis_lib.results.store`); a run that is interrupted goes on from its
last whole epoch.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from tqdm.auto import tqdm

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import clip_tensors
from analysis_lib.datasets.sampling import sample_per_class
from analysis_lib.errors import UserError
from analysis_lib.explain.randomisation import randomised
from analysis_lib.files import BUILD, digest, file_digest
from analysis_lib.networks.checkpoints import Checkpoint, weights_digest
from analysis_lib.networks.registry import build
from analysis_lib.networks.training import fine_tuning
from analysis_lib.networks.training.epochs import Recipe
from analysis_lib.networks.training.fit import predict
from analysis_lib.results.digest import array_digest, canonical_json, module_digest
from analysis_lib.results.store import open_store
from analysis_lib.skeletons.skeleton import Skeleton

#: how every run learns, but for the number of epochs; layers that are not new learn more slowly, at
#: `analysis_lib.networks.training.fine_tuning.TRUNK_RATE` of the rate
RECIPE = Recipe(batch_size=16, lr=0.1, warmup=1, weight_decay=4e-4, holdout=0)
OLD_HEAD, SCRATCH = "old head", "scratch"
STATES = BUILD / "fine-tuning"


@dataclass(frozen=True)
class Run:
    """One fine-tuning: what learns, from how many clips a class, with which draw of them."""

    case: str
    cut: int
    clips_per_class: int
    seed: int


@dataclass(frozen=True)
class Target:
    """New actions, as a network takes them.

    Attributes
    ----------
    x, test_x : float32 ndarray, shape (N, C, T, V, M)
    labels, test_labels : int64 ndarray, shape (N,)
    n_classes : int
    """

    x: np.ndarray
    labels: np.ndarray
    test_x: np.ndarray
    test_labels: np.ndarray
    n_classes: int


def as_target(network: Checkpoint, train: SkeletonDataset, test: SkeletonDataset) -> Target:
    """Return training and test clips of new actions, prepared as the network was taught."""
    if train.skeleton.joints != test.skeleton.joints:
        raise UserError("training and test clips have different skeletons")
    x, test_x = (clip_tensors(data, network.preprocessing)[0] for data in (train, test))
    return Target(x, train.labels, test_x, test.labels, len(train.class_names))


def case_name(cut: int, depth: int) -> str:
    """Return what learns with a cut, in words.

    >>> [case_name(cut, 10) for cut in (0, 3, 10)]
    ['head', 'last 3 + head', 'all']
    """
    return {0: "head", depth: "all"}.get(cut, f"last {cut} + head")


def plan(
    network: Checkpoint,
    target: Target,
    clips_per_class: Sequence[int],
    cuts: Sequence[int],
    n_seeds: int,
    epochs: int,
    seed: int = 0,
) -> list[Run]:
    """Return all runs: every cut at every set size, and training from scratch at the largest.

    Raises
    ------
    UserError
        If a cut is deeper than the network, a class has too few clips, or nothing is asked for.
    """
    depth = len(network.layers)
    if not (len(clips_per_class) and len(cuts) and n_seeds > 0 and epochs > 0):
        raise UserError("fine-tuning needs at least one set size, one cut, one seed and one epoch")
    for cut in cuts:
        fine_tuning.check_cut(cut, depth)
    for size in clips_per_class:
        if size < 1:
            raise UserError(f"clips_per_class must be at least 1, got {size}")
        sample_per_class(target.labels, size, seed)
    seeds = range(seed, seed + n_seeds)
    tuned = [Run(case_name(cut, depth), cut, size, s) for cut in cuts for size in clips_per_class for s in seeds]
    return tuned + [Run(SCRATCH, depth, max(clips_per_class), s) for s in seeds]


def transfer_table(
    network: Checkpoint,
    target: Target,
    clips_per_class: Sequence[int],
    cuts: Sequence[int],
    n_seeds: int = 2,
    epochs: int = 10,
    score_every: int = 2,
    seed: int = 0,
    progress: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return how fine-tuning went, epoch by epoch, and what each network says in the end.

    Parameters
    ----------
    network : Checkpoint
        Trained on other actions.
    target : Target
    clips_per_class : sequence of int
        Sizes of the training set; the clips are drawn anew for each seed.
    cuts : sequence of int
        How many of the last layers learn with the new head.
    n_seeds : int
        Seeds of the clips, the head and the order of the batches.
    epochs, score_every : int
        Epochs of each run, and between two readings of the test clips at the largest set size; at
        the others they are read before and after.

    Returns
    -------
    table : DataFrame
        Columns case, cut, clips_per_class, seed, epoch (0: before), train_loss, accuracy and loss
        (nats) on the test clips where read, n_test. ``"old head"`` is the untouched network, whose
        class c is taken for the target's class c; its loss is not defined where the target has
        more classes.
    predictions : DataFrame
        Columns case, cut, clips_per_class, seed, clip, label, predicted: at the end.
    """
    runs = plan(network, target, clips_per_class, cuts, n_seeds, epochs, seed)
    recipe = replace(RECIPE, epochs=epochs, warmup=min(RECIPE.warmup, epochs - 1))
    drawn = [sample_per_class(target.labels, run.clips_per_class, run.seed) for run in runs]
    work = _Work(network, target, recipe, np.unique(np.concatenate(drawn)))
    tables, said = [_old_head(network, target)], []
    bar = tqdm(zip(runs, drawn, strict=True), "fine-tuning", len(runs), disable=not progress)
    for run, index in bar:
        every = score_every if run.clips_per_class == max(clips_per_class) else epochs
        history, predicted = work.result(run, index, every, progress)
        tables.append(pd.DataFrame(history).assign(**asdict(run)))
        said.append(
            pd.DataFrame(
                {"clip": np.arange(len(predicted)), "label": target.test_labels, "predicted": predicted}
            ).assign(**asdict(run))
        )
    table = pd.concat(tables, ignore_index=True).rename(columns={"loss": "train_loss"})
    table = table.rename(columns={"test_loss": "loss"}).assign(n_test=len(target.test_labels))
    keys = [*Run.__dataclass_fields__]
    return (
        table[[*keys, "epoch", "train_loss", "test_accuracy", "loss", "n_test"]].rename(
            columns={"test_accuracy": "accuracy"}
        ),
        pd.concat(said, ignore_index=True)[[*keys, "clip", "label", "predicted"]],
    )


def _old_head(network: Checkpoint, target: Target) -> pd.DataFrame:
    """Return what the untouched network makes of the target's numbering of its classes."""
    scores = torch.from_numpy(predict(network.model, target.test_x))
    labels = torch.tensor(target.test_labels)
    known = target.n_classes <= scores.shape[1]
    loss = nn.functional.cross_entropy(scores, labels).item() if known else np.nan
    right = (scores.argmax(1) == labels).double().mean().item()
    row = {"epoch": 0, "loss": np.nan, "test_loss": loss, "test_accuracy": right}
    return pd.DataFrame([row | asdict(Run(OLD_HEAD, 0, 0, 0))])


@dataclass
class _Work:
    """Fine-tuning runs of one network on one target; frozen features are passed once a cut."""

    network: Checkpoint
    target: Target
    recipe: Recipe
    drawn: np.ndarray  # all clips that any run learns from
    _passed: tuple = ()

    def result(self, run: Run, index: np.ndarray, every: int, progress: bool) -> tuple[list[dict], np.ndarray]:
        """Return history and predicted test labels of a run, from the store if it was done."""
        recipe = replace(self.recipe, seed=run.seed)
        inputs = {
            "weights": weights_digest(self.network.model),
            "clips": array_digest(self.target.x[index]),
            "labels": array_digest(self.target.labels[index]),
            "test": array_digest(self.target.test_x),
            "test labels": array_digest(self.target.test_labels),
        }
        options = {
            "run": asdict(run),
            "recipe": asdict(recipe),
            "score_every": every,
            "layers": self.network.layers,
            "n_classes": self.target.n_classes,
        }
        learning = (fine_tuning.__name__, type(self.network.model).__module__)
        code = digest(file_digest(__file__), *map(module_digest, learning))
        store = open_store()
        state = STATES / f"{digest(canonical_json([inputs, options, code]))}.pt" if store else None

        def make(folder):
            return self._learn(run, index, recipe, every, state, progress)

        values = (
            make(None)
            if store is None
            else store.fetch(
                "fine-tuning",
                inputs,
                options,
                code,
                make,
                f"{run.case}, {run.clips_per_class} clips a class, seed {run.seed}",
            )
        )
        if state is not None:
            state.unlink(missing_ok=True)
        return values["history"], np.asarray(values["predicted"])

    def _learn(
        self, run: Run, index: np.ndarray, recipe: Recipe, every: int, state: Path | None, progress: bool
    ) -> dict:
        """Fine-tune, and return what is kept of it."""
        model, trunk_rate = self.network.model, fine_tuning.TRUNK_RATE
        if run.case == SCRATCH:
            model, trunk_rate = untrained(self.network, run.seed), 1.0
        layers, x = self.network.layers, self.target.x[:1]
        model = fine_tuning.new_head(model, x, layers, self.target.n_classes, run.seed)
        learner = fine_tuning.student(model, x, layers, run.cut, trunk_rate)
        features, test_features = self._features(learner)
        train = (features[np.searchsorted(self.drawn, index)], torch.tensor(self.target.labels[index]))
        test = test_features, torch.tensor(self.target.test_labels)
        history = fine_tuning.fine_tune(learner, train, test, recipe, every, state, progress)
        predicted = fine_tuning.evaluated(learner, test_features).argmax(1)
        return {"history": history, "predicted": predicted.numpy()}

    def _features(self, learner: fine_tuning.Student) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the frozen features of training and test clips; the last cut's are remembered."""
        if not self._passed or self._passed[0] != learner.cut:
            sets = self.target.x[self.drawn], self.target.test_x
            self._passed = (learner.cut, *(fine_tuning.frozen_features(learner, x) for x in sets))
        return self._passed[1:]


def untrained(network: Checkpoint, seed: int) -> nn.Module:
    """Return a network of the same architecture with fresh weights.

    One of the book's architectures is built anew; in a network of your own each module forgets as
    in `analysis_lib.explain.randomisation.randomised`.
    """
    card = network.card
    if card:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return build(
                card["architecture"],
                Skeleton.from_dict(card["skeleton"]),
                len(card["class_names"]),
                card["in_channels"],
                **card["arguments"],
            )
    owners = [
        name for name, module in network.model.named_modules() if any(True for _ in module.parameters(recurse=False))
    ]
    return randomised(network.model, owners, seed)
