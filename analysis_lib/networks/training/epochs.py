"""Gradient descent epoch by epoch: the recipe, one epoch, and what is kept between epochs."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.files import atomic_path
from analysis_lib.progress import progress_bar

SCHEDULES = ("cosine", "step")


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: SGD with Nesterov momentum; how long, how fast, on what.

    Attributes
    ----------
    epochs, batch_size : int
    lr : float
        Peak learning rate.
    warmup : int
        Epochs of linear warm-up.
    weight_decay, momentum : float
    holdout : float
        Share of the training split's clips that is held out to say when to stop; 0 holds out none,
        and the last epoch is taken. Whole (subject, class) cells leave, so that nobody's way of
        doing an action is on both sides.
    patience : int
        Epochs without a lower held-out loss (mean of `analysis_lib.networks.training.fit.SMOOTHING`
        epochs: a single one on few clips is mostly noise) after which training stops.
    mixed_precision : bool
        Matrix products in bfloat16.
    clip_norm : float
        Largest norm of the gradient; larger ones are scaled down.
    seed : int
    schedule : {"cosine", "step"}
        After the warm-up the rate falls to zero like half a cosine, or to a tenth at each of `steps`.
    steps : tuple of float
        Epochs, or shares of all epochs where below 1.
    repeats : int
        How often each clip is shown an epoch, each time changed anew.
    averaged : int
        The weights are the mean over the ends of so many last epochs, with batch statistics of their
        own; 0 takes those of the last epoch alone.
    holdout_people : bool
        Whole people are held out, in all classes: what a recipe is chosen by.
    """

    epochs: int = 60
    batch_size: int = 32
    lr: float = 0.1
    warmup: int = 5
    weight_decay: float = 4e-4
    momentum: float = 0.9
    holdout: float = 0.08
    patience: int = 30
    mixed_precision: bool = True
    clip_norm: float = 5.0
    seed: int = 0
    schedule: str = "cosine"
    steps: tuple[float, ...] = (0.77,)
    repeats: int = 1
    averaged: int = 0
    holdout_people: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self.steps))
        if self.schedule not in SCHEDULES:
            raise unknown_choice("schedule", self.schedule, SCHEDULES)
        if min(self.epochs, self.batch_size, self.repeats) < 1 or not 0 <= self.averaged <= self.epochs:
            raise UserError(
                "a recipe needs at least one epoch, clip a batch and repeat, and as many epochs as it averages; "
                f"got epochs={self.epochs}, batch_size={self.batch_size}, repeats={self.repeats}, "
                f"averaged={self.averaged}"
            )


def optimiser(parameters, recipe: Recipe) -> torch.optim.Optimizer:
    """Return the recipe's optimiser of parameters, or of groups with a ``scale`` of the rate."""
    return torch.optim.SGD(parameters, recipe.lr, recipe.momentum, nesterov=True, weight_decay=recipe.weight_decay)


def train_epoch(
    score: Callable[[Tensor], Tensor],
    steps: torch.optim.Optimizer,
    index: np.ndarray,
    batch: Callable,
    recipe: Recipe,
    epoch: int,
    progress: bool = False,
) -> dict:
    """Run one epoch; every draw depends on (seed, epoch) alone, so that a resumed run is equal.

    Parameters
    ----------
    score : callable
        From a batch to class scores; the network, in the mode that it is to be in.
    index : int ndarray, shape (n,)
        Clips to learn from.
    batch : callable
        From clip indices and a random generator to a batch and its labels.
    epoch : int
        From 0.

    Returns
    -------
    dict
        ``epoch`` (from 1), mean ``loss`` and ``accuracy`` of the batches as they were learnt.

    Raises
    ------
    UserError
        If the loss is not finite.
    """
    rng = np.random.default_rng([recipe.seed, epoch])
    torch.manual_seed(int(rng.integers(2**31)))
    order = rng.permutation(np.tile(index, recipe.repeats))
    n_batches = max(1, len(order) // recipe.batch_size)
    losses, hits = 0.0, 0
    bar = progress_bar(np.array_split(order, n_batches), f"epoch {epoch + 1}/{recipe.epochs}", progress)
    for i, chosen in enumerate(bar):
        x, labels = batch(chosen, rng)
        for group in steps.param_groups:
            group["lr"] = learning_rate(recipe, epoch + i / n_batches) * group.get("scale", 1)
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.mixed_precision):
            scores = score(x).float()
        loss = nn.functional.cross_entropy(scores, labels)
        if not torch.isfinite(loss):
            raise UserError(
                f"the loss became {loss.item()} in epoch {epoch + 1}; lower the learning rate (now {recipe.lr})"
            )
        steps.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([p for group in steps.param_groups for p in group["params"]], recipe.clip_norm)
        steps.step()
        losses += loss.item() * len(chosen)
        hits += (scores.argmax(1) == labels).sum().item()
        bar.set_postfix(loss=f"{loss.item():.3f}")
    return {"epoch": epoch + 1, "loss": losses / len(order), "accuracy": hits / len(order)}


def learning_rate(recipe: Recipe, epoch: float) -> float:
    """Return the rate at a fractional epoch: linear to the peak, then as the schedule has it.

    >>> [round(learning_rate(Recipe(epochs=10, warmup=2, lr=1.0), e), 2) for e in (0, 2, 6, 10)]
    [0.05, 1.0, 0.5, 0.0]
    >>> steps = Recipe(epochs=10, warmup=2, lr=1.0, schedule="step", steps=(0.5, 8))
    >>> [round(learning_rate(steps, e), 2) for e in (0, 2, 4.9, 5, 8)]
    [0.05, 1.0, 1.0, 0.1, 0.01]
    """
    if epoch < recipe.warmup:
        return recipe.lr * (epoch + 0.1) / (recipe.warmup + 0.1)
    if recipe.schedule == "step":
        return recipe.lr * 0.1 ** sum(epoch >= (at if at >= 1 else at * recipe.epochs) for at in recipe.steps)
    done = (epoch - recipe.warmup) / max(1e-9, recipe.epochs - recipe.warmup)
    return recipe.lr * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


@dataclass
class TrainingState:
    """All that is written between epochs.

    Attributes
    ----------
    model, optimiser
    mean : AveragedModel
        Mean of the weights at the ends of the epochs that the recipe averages.
    identity : dict
        What the run was started with; a state that was written for another is refused.
    path : Path or None
        None keeps nothing.
    history : list of dict
        One record an epoch.
    """

    model: nn.Module
    optimiser: torch.optim.Optimizer
    mean: AveragedModel
    identity: dict
    path: Path | None
    history: list[dict]

    @classmethod
    def open(cls, model, optimiser, identity: dict, path: str | Path | None) -> "TrainingState":
        """Return a fresh state, or the one that ``path`` holds, put into model and optimiser.

        Raises
        ------
        UserError
            If the file is no training state, or another run's.
        """
        state = cls(model, optimiser, AveragedModel(model), identity, None if path is None else Path(path), [])
        if state.path and state.path.exists():
            state._resume()
        return state

    @property
    def epoch(self) -> int:
        """Number of epochs that are done."""
        return self.history[-1]["epoch"] if self.history else 0

    def _resume(self) -> None:
        try:
            saved = torch.load(self.path, weights_only=True)
        except Exception as error:
            raise UserError(f"{self.path} is no training state ({type(error).__name__}); remove it") from error
        if saved["identity"] != self.identity:
            raise UserError(
                f"{self.path} was written for another recipe or other data; "
                "remove it to start afresh, or give another path"
            )
        self.model.load_state_dict(saved["model"])
        self.optimiser.load_state_dict(saved["optimiser"])
        if "mean" in saved:
            self.mean.load_state_dict(saved["mean"])
        self.history = saved["history"]

    def finish_epoch(self, record: dict, averaged: bool = False) -> None:
        """Append a record, take the weights into the mean if they are to be, and write the state."""
        self.history.append(record)
        if averaged:
            self.mean.update_parameters(self.model)
        if self.path is None:
            return
        parts = {"model": self.model, "optimiser": self.optimiser} | ({"mean": self.mean} if averaged else {})
        state = {"identity": self.identity, "history": self.history}
        with atomic_path(self.path) as temporary:
            torch.save(state | {name: part.state_dict() for name, part in parts.items()}, temporary)
