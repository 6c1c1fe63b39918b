"""One `fit` and one `evaluate` for every network: seeded, resumable, never looking at test clips."""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import Preprocessing, clip_tensor, clip_tensors
from analysis_lib.errors import DataError, UserError, cut
from analysis_lib.loading import check_finite
from analysis_lib.networks.batch_statistics import recalibrate
from analysis_lib.networks.hooks import evaluating
from analysis_lib.networks.training.epochs import STRUCTURE, Recipe, TrainingState, optimiser, train_epoch
from analysis_lib.networks.training.identity import structure_digest
from analysis_lib.progress import progress_bar

#: epochs over which the held-out loss is averaged
SMOOTHING = 5


def hold_out(data: SkeletonDataset, share: float, seed: int, people: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return (kept, held out) clip indices; whole (subject, class) cells are held out, or whole people.

    At least one cell stays of every class. With unknown subjects the cells are single clips.
    """
    rng = np.random.default_rng(seed)
    subjects = np.where(data.subjects < 0, -1 - np.arange(len(data)), data.subjects)
    cells = np.stack([np.zeros_like(data.labels) if people else data.labels, subjects], axis=1)
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
def predict(model: nn.Module, x: np.ndarray | Tensor, batch_size: int = 8, progress: bool = False) -> np.ndarray:
    """Return the class scores (N, n_classes) of (N, C, T, V, M) clips, in evaluation mode, where the model is.

    Raises
    ------
    DataError
        If a score is not finite.
    """
    batches = torch.as_tensor(x).split(batch_size)
    device = _device_of(model)
    with evaluating(model):
        scores = [model(batch.to(device)).cpu() for batch in progress_bar(batches, "scores", progress)]
    found = torch.cat(scores).float()
    check_finite({"scores": found}, type(model).__name__)
    return found.numpy()


def evaluate(
    model: nn.Module, data: SkeletonDataset, recipe: Preprocessing, batch_size: int = 8, progress: bool = False
) -> dict:
    """Return top-1 accuracy, mean cross-entropy (nats), clip count and scores of ``data``.

    Returns
    -------
    dict
        ``accuracy``, ``loss``, ``n``, ``predicted`` (N,), ``scores`` (N, n_classes).
    """
    x, _ = clip_tensors(data, recipe)
    scores = predict(model, x, batch_size, progress)
    check_classes(scores.shape[1], data)
    labels = torch.tensor(data.labels)
    predicted = scores.argmax(axis=1)
    loss = nn.functional.cross_entropy(torch.from_numpy(scores), labels)
    check_finite({"loss": loss}, type(model).__name__)
    return {
        "accuracy": float((predicted == data.labels).mean()),
        "loss": loss.item(),
        "n": len(data),
        "predicted": predicted,
        "scores": scores,
    }


def check_classes(n: int, data: SkeletonDataset) -> None:
    """Raise UserError unless a network that gives so many scores can name the classes of a dataset."""
    if n != len(data.class_names):
        raise UserError(
            f"the network tells {n} classes apart, and dataset '{data.name}' has {len(data.class_names)}: its scores "
            "do not belong to these names; give the dataset that it was made for, or exchange its head (see transfer)"
        )


def training_device(name: str = "auto") -> torch.device:
    """Return the device of that name; of ``"auto"`` a CUDA one if there is one, else the processor.

    Raises
    ------
    UserError
        If this machine has no such device.

    Examples
    --------
    >>> training_device("cpu")
    device(type='cpu')
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UserError(
            f"this machine has no device '{cut(name)}'; give cpu, or auto for a GPU where there is one"
        ) from error
    return device


def _device_of(model: nn.Module) -> torch.device:
    return next((p.device for p in model.parameters()), torch.device("cpu"))


def fit(
    model: nn.Module,
    train: SkeletonDataset,
    preprocessing: Preprocessing,
    recipe: Recipe,
    state_path: str | Path | None = None,
    progress: bool = True,
    on_epoch: Callable[[dict], None] | None = None,
    device: str = "cpu",
) -> list[dict]:
    """Train ``model`` in place and return its history, one dict an epoch, with the ``seconds`` that it took.

    The weights left in the model are those of the last epoch (or their mean over the last ones, see
    `Recipe.averaged`), unless the loss on clips held out of ``train`` stops falling before (see
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
    device : str
        See `training_device`; the model comes back to the processor. A run may go on elsewhere than it began,
        with the same PyTorch.

    Raises
    ------
    DataError
        If the split has fewer than two classes.
    UserError
        If the loss is not finite, or ``state_path`` belongs to another network, another recipe or other data.
    """
    if len(np.unique(train.labels)) < 2:
        raise DataError("training needs clips of at least two classes; this split has one")
    kept, held = hold_out(train, recipe.holdout, recipe.seed, recipe.holdout_people)
    identity = {
        "recipe": asdict(recipe),
        "preprocessing": preprocessing.to_dict(),
        "data": train.fingerprint,
        "network": repr(model),
        STRUCTURE: structure_digest(model),
    }
    where = training_device(device)
    model.to(where)
    state = TrainingState.open(model, optimiser(model.parameters(), recipe), identity, state_path)

    def batch(index, rng):
        clips = [
            clip_tensor(train.sequences[j], train.skeleton, preprocessing, rng, train.n_coordinates)[0] for j in index
        ]
        return torch.from_numpy(np.stack(clips)).to(where), torch.tensor(train.labels[index], device=where)

    held_x = held_labels = None
    if len(held):
        held_x, _ = clip_tensors(train.take(held), preprocessing)
        held_labels = torch.tensor(train.labels[held])
    model.train()
    for epoch in range(state.epoch, recipe.epochs):
        if _is_stale(state.history, recipe.patience):
            break
        start = time.perf_counter()
        record = train_epoch(model, state.optimiser, kept, batch, recipe, epoch, progress)
        record["seconds"] = round(time.perf_counter() - start, 2)
        if held_x is not None:
            record |= _held_out_score(model, held_x, held_labels)
        state.finish_epoch(record, averaged=epoch >= recipe.epochs - recipe.averaged)
        if on_epoch:
            on_epoch(record)
    if state.epoch == recipe.epochs and recipe.averaged:
        _take_mean(state, kept, batch, recipe)
        if held_x is not None:
            state.history[-1] |= {f"mean_{k}": v for k, v in _held_out_score(model, held_x, held_labels).items()}
    model.eval().cpu()
    return state.history


def _take_mean(state: TrainingState, kept: np.ndarray, batch: Callable, recipe: Recipe) -> None:
    """Put the mean weights into the model, and the statistics of one pass through the training clips."""
    state.model.load_state_dict(state.mean.module.state_dict())
    rng = np.random.default_rng([recipe.seed, recipe.epochs])
    order = rng.permutation(kept)
    parts = np.array_split(order, max(1, len(order) // recipe.batch_size))
    recalibrate(state.model, (batch(part, rng)[0] for part in parts))


def _held_out_score(model: nn.Module, x: np.ndarray, labels: Tensor) -> dict:
    scores = torch.from_numpy(predict(model, x))
    return {
        "held_accuracy": (scores.argmax(1) == labels).double().mean().item(),
        "held_loss": nn.functional.cross_entropy(scores, labels).item(),
    }


def _is_stale(history: list[dict], patience: int) -> bool:
    """Return whether the smoothed held-out loss was lowest more than ``patience`` epochs ago."""
    losses = [record["held_loss"] for record in history if "held_loss" in record]
    if len(losses) < SMOOTHING:
        return False
    smooth = np.convolve(losses, np.full(SMOOTHING, 1 / SMOOTHING), mode="valid")
    return len(smooth) - 1 - int(smooth.argmin()) > patience
