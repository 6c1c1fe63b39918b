"""One `fit` and one `evaluate` for every network: seeded, resumable, never looking at test clips."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.errors import DataError, UserError
from analysis_lib.preprocess import Preprocessing, clip_tensor, clip_tensors
from analysis_lib.storage import atomic_path

#: epochs over which the held-out loss is averaged
SMOOTHING = 5


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


def hold_out(data: SkeletonDataset, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (kept, held out) clip indices; whole (subject, class) cells are held out.

    At least one cell stays of every class. With unknown subjects the cells are single clips.
    """
    rng = np.random.default_rng(seed)
    subjects = np.where(data.subjects < 0, -1 - np.arange(len(data)), data.subjects)
    cells = np.stack([data.labels, subjects], axis=1)
    unique, cell_of = np.unique(cells, axis=0, return_inverse=True)
    cell_of = cell_of.ravel()
    held = np.zeros(len(data), bool)
    left = np.bincount(unique[:, 0])
    for cell in rng.permutation(len(unique)):
        if held.mean() >= share:
            break
        if left[unique[cell, 0]] > 1:
            left[unique[cell, 0]] -= 1
            held |= cell_of == cell
    return np.flatnonzero(~held), np.flatnonzero(held)


@torch.no_grad()
def predict(model: nn.Module, x: np.ndarray | Tensor, batch_size: int = 8,
            progress: bool = False) -> np.ndarray:  # fmt: skip
    """Return the class scores (N, n_classes) of (N, C, T, V, M) clips, in evaluation mode."""
    was_training = model.training
    model.eval()
    batches = torch.as_tensor(x).split(batch_size)
    scores = [model(batch) for batch in tqdm(batches, "scores", disable=not progress, leave=False)]
    model.train(was_training)
    return torch.cat(scores).float().numpy()


def evaluate(model: nn.Module, data: SkeletonDataset, recipe: Preprocessing,
             batch_size: int = 8, progress: bool = False) -> dict:  # fmt: skip
    """Return top-1 accuracy, mean cross-entropy (nats), clip count and scores of ``data``.

    Returns
    -------
    dict
        ``accuracy``, ``loss``, ``n``, ``predicted`` (N,), ``scores`` (N, n_classes).
    """
    x, _ = clip_tensors(data, recipe)
    scores = predict(model, x, batch_size, progress)
    labels = torch.tensor(data.labels)
    predicted = scores.argmax(axis=1)
    return {
        "accuracy": float((predicted == data.labels).mean()),
        "loss": nn.functional.cross_entropy(torch.from_numpy(scores), labels).item(),
        "n": len(data),
        "predicted": predicted,
        "scores": scores,
    }


def fit(model: nn.Module, train: SkeletonDataset, preprocessing: Preprocessing, recipe: Recipe,
        state_path: str | Path | None = None, progress: bool = True,
        on_epoch: Callable[[dict], None] | None = None) -> list[dict]:  # fmt: skip
    """Train ``model`` in place and return its history, one dict an epoch.

    The weights left in the model are those of the last epoch, at which the learning rate has
    decayed to zero, unless the loss on clips held out of ``train`` stops falling before (see
    `Recipe.patience`). No test split has a say.

    Parameters
    ----------
    train : SkeletonDataset
        The training split alone.
    state_path : path, optional
        After each epoch everything needed to go on is written here in one step; if the file
        exists, training resumes from it and ends with the same weights as if never stopped.
    on_epoch : callable, optional
        Called with each epoch's record.

    Raises
    ------
    DataError
        If the split has fewer than two classes.
    UserError
        If the loss is not finite, or ``state_path`` belongs to another recipe.
    """
    if len(np.unique(train.labels)) < 2:
        raise DataError("training needs clips of at least two classes; this split has one")
    kept, held = hold_out(train, recipe.holdout, recipe.seed)
    run = _Run.start(model, recipe, preprocessing, train, state_path)
    held_x = held_labels = None
    if len(held):
        held_x, _ = clip_tensors(train.take(held), preprocessing)
        held_labels = torch.tensor(train.labels[held])
    for epoch in range(run.epoch, recipe.epochs):
        if _is_stale(run.history, recipe.patience):
            break
        record = {"epoch": epoch + 1} | _train_epoch(run, train, kept, epoch, progress)
        if held_x is not None:
            record |= _held_out_score(model, held_x, held_labels)
        run.finish_epoch(record)
        if on_epoch:
            on_epoch(record)
    model.eval()
    return run.history


def _held_out_score(model: nn.Module, x: np.ndarray, labels: Tensor) -> dict:
    scores = torch.from_numpy(predict(model, x))
    return {
        "held_accuracy": (scores.argmax(1) == labels).double().mean().item(),
        "held_loss": nn.functional.cross_entropy(scores, labels).item(),
    }


def _train_epoch(run: "_Run", train: SkeletonDataset, kept: np.ndarray, epoch: int,
                 progress: bool) -> dict:  # fmt: skip
    """Run one epoch; every draw depends on (seed, epoch) alone, so that a resumed run is equal."""
    model, recipe = run.model, run.recipe
    model.train()
    rng = np.random.default_rng([recipe.seed, epoch])
    torch.manual_seed(int(rng.integers(2**31)))
    order = rng.permutation(kept)
    n_batches = max(1, len(order) // recipe.batch_size)
    losses, hits = [], 0
    bar = tqdm(np.array_split(order, n_batches), f"epoch {epoch + 1}/{recipe.epochs}",
               disable=not progress, leave=False)  # fmt: skip
    for i, index in enumerate(bar):
        clips = [clip_tensor(train.sequences[j], train.skeleton, run.preprocessing, rng)[0]
                 for j in index]  # fmt: skip
        x, labels = torch.from_numpy(np.stack(clips)), torch.tensor(train.labels[index])
        for group in run.optimiser.param_groups:
            group["lr"] = _learning_rate(recipe, epoch + i / n_batches)
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.mixed_precision):
            scores = model(x).float()
        loss = nn.functional.cross_entropy(scores, labels)
        if not torch.isfinite(loss):
            raise UserError(f"the loss became {loss.item()} in epoch {epoch + 1}; lower the "
                            f"learning rate (now {recipe.lr})")  # fmt: skip
        run.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_norm)
        run.optimiser.step()
        losses.append(loss.item() * len(index))
        hits += (scores.argmax(1) == labels).sum().item()
        bar.set_postfix(loss=f"{loss.item():.3f}")
    return {"loss": sum(losses) / len(order), "accuracy": hits / len(order)}


def _learning_rate(recipe: Recipe, epoch: float) -> float:
    """Return the rate at a fractional epoch: linear to the peak, then half a cosine to zero."""
    if epoch < recipe.warmup:
        return recipe.lr * (epoch + 0.1) / (recipe.warmup + 0.1)
    done = (epoch - recipe.warmup) / max(1e-9, recipe.epochs - recipe.warmup)
    return recipe.lr * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


@dataclass
class _Run:
    """The state of one training run: all that is written between epochs."""

    model: nn.Module
    optimiser: torch.optim.Optimizer
    recipe: Recipe
    preprocessing: Preprocessing
    identity: dict
    state_path: Path | None
    history: list[dict]
    epoch: int = 0

    @classmethod
    def start(cls, model, recipe, preprocessing, train, state_path) -> "_Run":
        """Return a fresh run, or the one that ``state_path`` holds."""
        optimiser = torch.optim.SGD(model.parameters(), recipe.lr, recipe.momentum, nesterov=True,
                                    weight_decay=recipe.weight_decay)  # fmt: skip
        identity = {"recipe": asdict(recipe), "preprocessing": preprocessing.to_dict(),
                    "data": train.fingerprint}  # fmt: skip
        run = cls(model, optimiser, recipe, preprocessing, identity,
                  None if state_path is None else Path(state_path), [])  # fmt: skip
        if run.state_path and run.state_path.exists():
            run._resume()
        return run

    def _resume(self) -> None:
        try:
            saved = torch.load(self.state_path, weights_only=True)
        except Exception as error:
            raise UserError(
                f"{self.state_path} is no training state ({type(error).__name__}); remove it"
            ) from error
        if saved["identity"] != self.identity:
            raise UserError(
                f"{self.state_path} was written for another recipe or other data; "
                "remove it to start afresh, or give another path"
            )
        self.model.load_state_dict(saved["model"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.history, self.epoch = saved["history"], saved["epoch"]

    def finish_epoch(self, record: dict) -> None:
        """Append a record and write the state."""
        self.history.append(record)
        self.epoch = record["epoch"]
        if self.state_path is None:
            return
        state = {"identity": self.identity, "model": self.model.state_dict(),
                 "optimiser": self.optimiser.state_dict(), "history": self.history,
                 "epoch": self.epoch}  # fmt: skip
        with atomic_path(self.state_path) as temporary:
            torch.save(state, temporary)


def _is_stale(history: list[dict], patience: int) -> bool:
    """Return whether the smoothed held-out loss was lowest more than ``patience`` epochs ago."""
    losses = [record["held_loss"] for record in history if "held_loss" in record]
    if len(losses) < SMOOTHING:
        return False
    smooth = np.convolve(losses, np.full(SMOOTHING, 1 / SMOOTHING), mode="valid")
    return len(smooth) - 1 - int(smooth.argmin()) > patience
