"""Runs of fine-tuning: which are asked for; each is done once, kept, and taken up where it was broken off."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import clip_tensors
from analysis_lib.datasets.sampling import sample_per_class
from analysis_lib.errors import UserError
from analysis_lib.files import BUILD, digest, file_digest
from analysis_lib.networks.checkpoints import Checkpoint, weights_digest
from analysis_lib.networks.training import fine_tuning
from analysis_lib.networks.training.epochs import Recipe
from analysis_lib.networks.untrained import untrained
from analysis_lib.results.digest import array_digest, canonical_json, class_digest, module_digest
from analysis_lib.results.store import open_store

#: how every run learns, but for the number of epochs; layers that are not new learn more slowly, at
#: `analysis_lib.networks.training.fine_tuning.TRUNK_RATE` of the rate
RECIPE = Recipe(batch_size=16, lr=0.1, warmup=1, weight_decay=4e-4, holdout=0)
SCRATCH = "scratch"
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
    """New actions, as a network takes them: clips (N, C, T, V, M) to learn from and to test, and their labels."""

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


def usual_cuts(depth: int) -> list[int]:
    """Return the cuts that are tried where none are asked for: 0, 1, 3, half of the layers, and all.

    >>> usual_cuts(10), usual_cuts(4), usual_cuts(1)
    ([0, 1, 3, 5, 10], [0, 1, 2, 3, 4], [0, 1])
    """
    return sorted({cut for cut in (0, 1, 3, depth // 2, depth) if cut <= depth})


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
        if size > (fewest := np.unique(target.labels, return_counts=True)[1].min()):
            raise UserError(f"clips_per_class is {size}, but a class of the target has {fewest} clips")
    seeds = range(seed, seed + n_seeds)
    tuned = [Run(case_name(cut, depth), cut, size, s) for cut in cuts for size in clips_per_class for s in seeds]
    return tuned + [Run(SCRATCH, depth, max(clips_per_class), s) for s in seeds]


class Tuning:
    """What runs of one network on one target share.

    Parameters
    ----------
    network : Checkpoint
        Trained on other actions.
    target : Target
    runs : list of Run
        From `plan`.
    epochs : int
    """

    def __init__(self, network: Checkpoint, target: Target, runs: Sequence[Run], epochs: int):
        self.network, self.target, self.runs, self.epochs = network, target, runs, epochs
        self.drawn = np.unique(np.concatenate([self.clips(run) for run in runs]))  # that any run learns from
        self.given = {"weights": weights_digest(network.model), "test": array_digest(target.test_x)}
        self.given |= {"test labels": array_digest(target.test_labels), "network": digest(str(network.model))}
        code = module_digest(fine_tuning.__name__, untrained.__module__), class_digest(*network.model.modules())
        self.code = digest(file_digest(__file__), *code)

    @cached_property
    def _frozen(self) -> list[dict[int, torch.Tensor]]:
        """What the frozen part says of the clips that any run learns from, and of the test clips, by cut."""
        cuts = sorted({0, *(run.cut for run in self.runs)})
        sets = self.target.x[self.drawn], self.target.test_x
        return [fine_tuning.frozen_features(self.network.model, x, self.network.layers, cuts) for x in sets]

    def clips(self, run: Run) -> np.ndarray:
        """Return which clips of the target a run learns from."""
        return sample_per_class(self.target.labels, run.clips_per_class, run.seed)

    def result(self, run: Run, score_every: int, progress: bool = False) -> tuple[list[dict], np.ndarray]:
        """Return a run's history (`fine_tuning.fine_tune`) and predicted test labels, from the store if it was done."""
        index, target = self.clips(run), self.target
        recipe = replace(RECIPE, epochs=self.epochs, warmup=min(RECIPE.warmup, self.epochs - 1), seed=run.seed)
        inputs = self.given | {"clips": array_digest(target.x[index]), "labels": array_digest(target.labels[index])}
        options = {"run": asdict(run), "recipe": asdict(recipe), "score_every": score_every}
        options |= {"layers": self.network.layers, "n_classes": target.n_classes}
        store = open_store()
        if store is None:
            values = self._learn(run, recipe, score_every, None, progress)
        else:
            state = STATES / f"{digest(canonical_json([inputs, options, self.code]))}.pt"
            make = lambda folder: self._learn(run, recipe, score_every, state, progress)  # noqa: E731
            about = f"{run.case}, {run.clips_per_class} clips a class, seed {run.seed}"
            values = store.fetch("fine-tuning", inputs, options, self.code, make, about)
            state.unlink(missing_ok=True)
        return values["history"], np.asarray(values["predicted"])

    def _learn(self, run: Run, recipe: Recipe, score_every: int, state: Path | None, progress: bool) -> dict:
        """Fine-tune, and return what is kept of it."""
        model, trunk_rate = self.network.model, fine_tuning.TRUNK_RATE
        if run.case == SCRATCH:
            model, trunk_rate = untrained(self.network, run.seed), 1.0
        target, layers, index = self.target, self.network.layers, self.clips(run)
        model = fine_tuning.new_head(model, target.x[:1], layers, target.n_classes, run.seed)
        learner = fine_tuning.student(model, target.x[:1], layers, run.cut, trunk_rate)
        features, test_features = self._frozen
        train = features[run.cut][np.searchsorted(self.drawn, index)], torch.tensor(target.labels[index])
        test = test_features[run.cut], torch.tensor(target.test_labels)
        untouched = None if run.case == SCRATCH else test_features[0]
        history, found = fine_tuning.fine_tune(
            learner, train, test, recipe, score_every, state, progress, untouched=untouched
        )
        return {"history": history, "predicted": found.argmax(1).numpy()}
