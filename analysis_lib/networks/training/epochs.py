"""Gradient descent epoch by epoch: the recipe, one epoch, and what is kept between epochs."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from analysis_lib.errors import UserError
from analysis_lib.files import atomic_path


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: SGD with Nesterov momentum, linear warm-up, cosine decay to zero.

    Attributes
    ----------
    epochs, batch_size : int
    lr : float
        Peak learning rate.
    warmup : int
        Epochs of linear warm-up.
    weight_decay, momentum : float
    holdout : float
        Share of the training split's clips that is held out to say when to stop; whole (subject,
        class) cells leave, so that nobody's way of doing an action is on both sides.
    patience : int
        Epochs without a lower held-out loss (mean of `SMOOTHING` epochs: a single one on few clips
        is mostly noise) after which training stops.
    mixed_precision : bool
        Matrix products in bfloat16.
    clip_norm : float
        Largest norm of the gradient; larger ones are scaled down.
    seed : int
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
    order = rng.permutation(index)
    n_batches = max(1, len(order) // recipe.batch_size)
    losses, hits = 0.0, 0
    bar = tqdm(
        np.array_split(order, n_batches), f"epoch {epoch + 1}/{recipe.epochs}", disable=not progress, leave=False
    )
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
    """Return the rate at a fractional epoch: linear to the peak, then half a cosine to zero.

    >>> [round(learning_rate(Recipe(epochs=10, warmup=2, lr=1.0), e), 2) for e in (0, 2, 6, 10)]
    [0.05, 1.0, 0.5, 0.0]
    """
    if epoch < recipe.warmup:
        return recipe.lr * (epoch + 0.1) / (recipe.warmup + 0.1)
    done = (epoch - recipe.warmup) / max(1e-9, recipe.epochs - recipe.warmup)
    return recipe.lr * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


@dataclass
class TrainingState:
    """All that is written between epochs.

    Attributes
    ----------
    model, optimiser
    identity : dict
        What the run was started with; a state that was written for another is refused.
    path : Path or None
        None keeps nothing.
    history : list of dict
        One record an epoch.
    """

    model: nn.Module
    optimiser: torch.optim.Optimizer
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
        state = cls(model, optimiser, identity, None if path is None else Path(path), [])
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
        self.history = saved["history"]

    def finish_epoch(self, record: dict) -> None:
        """Append a record and write the state."""
        self.history.append(record)
        if self.path is None:
            return
        state = {
            "identity": self.identity,
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "history": self.history,
        }
        with atomic_path(self.path) as temporary:
            torch.save(state, temporary)
