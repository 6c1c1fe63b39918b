"""Gradient descent epoch by epoch: the recipe, one epoch, and what is kept between epochs."""

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NotRequired, TypedDict, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from analysis_lib.errors import DataError, UserError, cut, unknown_choice
from analysis_lib.files import write_bytes
from analysis_lib.loading import Within, check_finite, checked, read_bytes
from analysis_lib.networks.own import load_state
from analysis_lib.progress import progress_bar

Schedule = Literal["cosine", "step"]
#: entry of the identity of a training that states of older versions lack; they are gone on with all the same
STRUCTURE = "structure"

_Share, _Count = Annotated[float, Within(0, 1)], Annotated[int, Within(0, 100_000)]
_Positive, _Rate = Annotated[int, Within(1, 100_000)], Annotated[float, Within(0, 1e30)]  # of 32 bits


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

    epochs: _Positive = 60
    batch_size: _Positive = 32
    lr: _Rate = 0.1
    warmup: _Count = 5
    weight_decay: _Share = 4e-4
    momentum: _Share = 0.9
    holdout: _Share = 0.08
    patience: _Count = 30
    mixed_precision: bool = True
    clip_norm: Annotated[float, Within(1e-6, 1e30)] = 5.0
    seed: Annotated[int, Within(0)] = 0
    schedule: Schedule = "cosine"
    steps: tuple[Annotated[float, Within(0, 100_000)], ...] = (0.77,)
    repeats: _Positive = 1
    averaged: _Count = 0
    holdout_people: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self.steps))
        if self.schedule not in get_args(Schedule):
            raise unknown_choice("schedule", self.schedule, get_args(Schedule))
        if min(self.epochs, self.batch_size, self.repeats) < 1 or not 0 <= self.averaged <= self.epochs:
            raise UserError(
                "a recipe needs at least one epoch, clip a batch and repeat, and as many epochs as it averages; "
                f"got epochs={self.epochs}, batch_size={self.batch_size}, repeats={self.repeats}, "
                f"averaged={self.averaged}"
            )


def optimiser(parameters, recipe: Recipe) -> torch.optim.Optimizer:
    """Return the recipe's optimiser of parameters, or of groups with a ``scale`` of the rate."""
    nesterov = recipe.momentum > 0
    return torch.optim.SGD(parameters, recipe.lr, recipe.momentum, nesterov=nesterov, weight_decay=recipe.weight_decay)


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
        From clip indices and a random generator to a batch and its labels, where the network is.
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
        with torch.autocast(x.device.type, torch.bfloat16, enabled=recipe.mixed_precision):
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


class _Record(TypedDict):
    """What is kept of an epoch, at least."""

    epoch: _Count
    loss: NotRequired[float]  # not before the first epoch
    accuracy: NotRequired[_Share]


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
        raw = read_bytes(self.path)
        try:
            saved = torch.load(io.BytesIO(raw), weights_only=True, map_location="cpu")
            told = saved["identity"]
            is_mine = {**self.identity, **told} == self.identity and self.identity.keys() - told.keys() <= {STRUCTURE}
        except Exception as error:  # damaged files raise many things
            raise DataError(f"{self.path} is no training state ({type(error).__name__}); remove it") from error
        if not is_mine:
            raise UserError(
                f"{self.path} was written for another network, another recipe or other data; "
                "remove it to start afresh, or give another path"
            )
        try:
            self._take(saved)
        except Exception as error:
            raise DataError(f"{self.path} is damaged ({cut(error)}); remove it to start afresh") from error

    def _take(self, saved: Mapping) -> None:
        """Go on from what was written, or raise whatever it is that hinders."""
        self.history = checked(saved["history"], list[_Record], "its history")
        epochs = [record["epoch"] for record in self.history]
        if epochs not in (list(range(len(epochs))), list(range(1, len(epochs) + 1))):  # 0 is before the first
            raise DataError("its history has not the epochs 1, 2, ...")
        parts = {"model": self.model} | ({"mean": self.mean} if "mean" in saved else {})
        for name, part in parts.items():
            check_finite(saved[name], f"its {name}")
            load_state(part, saved[name], f"its {name}")
        settings = _settings(self.optimiser)
        self.optimiser.load_state_dict(saved["optimiser"])
        if _settings(self.optimiser) != settings:
            raise DataError("its optimiser has other settings")
        for parameter, kept in self.optimiser.state.items():
            if any(value.shape != parameter.shape for value in kept.values()):
                raise DataError("its optimiser belongs to other weights")
            check_finite(kept, "its optimiser")

    def finish_epoch(self, record: dict, averaged: bool = False) -> None:
        """Append a record, take the weights into the mean if they are to be, and write the state, which is finite."""
        check_finite(self.model.state_dict(), f"after epoch {record['epoch']} (a lower learning rate may help)")
        self.history.append(record)
        if averaged:
            self.mean.update_parameters(self.model)
        if self.path is None:
            return
        parts = {"model": self.model, "optimiser": self.optimiser} | ({"mean": self.mean} if averaged else {})
        state = {"identity": self.identity, "history": self.history}
        whole = io.BytesIO()
        torch.save(state | {name: part.state_dict() for name, part in parts.items()}, whole)
        write_bytes(self.path, whole.getvalue())


def _settings(optimiser: torch.optim.Optimizer) -> list[dict]:
    """Return what an optimiser was made with; the rate changes with the time."""
    return [{key: v for key, v in group.items() if key not in ("params", "lr")} for group in optimiser.param_groups]
