"""Fine-tuning: a trained network's head and its last layers, or all of it, learn new classes.

A *cut* says how much learns: with cut n the last n layers and a new head do, and what comes before
stays as it was, batch statistics included. Cut 0 is the new head alone; the cut at full depth is
the whole network. References: Das, Shekkizhar & Ortega (2023), section IV.E, which has cuts 0, 3
and 10.
"""

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from analysis_lib.errors import UserError
from analysis_lib.files import digest
from analysis_lib.networks.checkpoints import weights_digest
from analysis_lib.networks.hooks import HEAD, captured, cascade_steps, evaluating
from analysis_lib.networks.training.epochs import STRUCTURE, Recipe, TrainingState, optimiser, train_epoch
from analysis_lib.networks.training.identity import structure_digest

#: learning rate of what was trained before, as a share of the new head's
TRUNK_RATE = 0.1


@dataclass(frozen=True)
class Student:
    """A network of which some modules learn.

    Attributes
    ----------
    model : nn.Module
    layers : tuple of str
    cut : int
        How many of the last layers learn with the head.
    modules : tuple of str
        Names of the modules that learn; ``""``, the whole network, at full depth.
    groups : tuple of dict
        What learns, for the optimiser: the head, and the rest at a share of its rate.
    """

    model: nn.Module
    layers: tuple[str, ...]
    cut: int
    modules: tuple[str, ...]
    groups: tuple[dict, ...]


def new_head(model: nn.Module, x: np.ndarray, layers: Sequence[str], n_classes: int, seed: int) -> nn.Module:
    """Return a copy of a network whose last module is replaced by a fresh one for other classes.

    Parameters
    ----------
    x : float32 ndarray, shape (N, C, T, V, M)
        Any clips: one pass shows which module comes last.

    Raises
    ------
    UserError
        If no linear or convolutional module follows the last layer.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 3))
    >>> new_head(net, np.zeros((1, 2), np.float32), ["0"], n_classes=7, seed=0)[1]
    Linear(in_features=4, out_features=7, bias=True)
    """
    model = copy.deepcopy(model)
    name = _head(model, x, layers)[-1]
    head = model.get_submodule(name)
    sizes = {"out_features": n_classes} if isinstance(head, nn.Linear) else {"out_channels": n_classes}
    if not hasattr(head, next(iter(sizes))):
        raise UserError(
            f"the network ends in '{name}', a {type(head).__name__}; fine-tuning needs "
            "a linear or convolutional module at the end"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        setattr(head, *next(iter(sizes.items())))
        head.weight = nn.Parameter(head.weight.new_empty(n_classes, *head.weight.shape[1:]))
        if head.bias is not None:
            head.bias = nn.Parameter(head.bias.new_empty(n_classes))
        head.reset_parameters()
    return model


def _head(model: nn.Module, x: np.ndarray, layers: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the modules with parameters that follow the last layer."""
    names = cascade_steps(model, x[:1], layers).get(HEAD, ())
    if not names:
        raise UserError(
            f"nothing with weights follows '{layers[-1]}', the last layer of "
            f"{type(model).__name__}: there is no head to exchange"
        )
    return names


def student(
    model: nn.Module, x: np.ndarray, layers: Sequence[str], cut: int, trunk_rate: float = TRUNK_RATE
) -> Student:
    """Return which parameters of a network learn with a cut; the others are frozen in place.

    Parameters
    ----------
    x : float32 ndarray, shape (N, C, T, V, M)
        Any clips.
    cut : int
        0..len(layers).
    trunk_rate : float
        Share of the head's learning rate at which the layers learn.

    Raises
    ------
    UserError
        If there are not as many layers.
    """
    check_cut(cut, len(layers))
    heads = _head(model, x, layers)
    late = tuple(layers[len(layers) - cut :])
    modules = ("",) if cut == len(layers) else (*late, *heads)
    extra = {name for layer in late for name in getattr(model, "layer_parameters", {}).get(layer, ())}
    learning: dict[float, list[nn.Parameter]] = {1.0: [], trunk_rate: []}
    for name, parameter in model.named_parameters():
        learns = modules == ("",) or _within(name, modules) or _within(name, extra)
        parameter.requires_grad_(learns)
        if learns:
            learning[1.0 if _within(name, heads) else trunk_rate].append(parameter)
    groups = tuple({"params": p, "scale": scale} for scale, p in learning.items() if p)
    return Student(model, tuple(layers), cut, modules, groups)


def check_cut(cut: int, depth: int) -> None:
    """Raise UserError unless a network of ``depth`` layers has such a cut."""
    if not 0 <= cut <= depth:
        raise UserError(
            f"cut {cut}: the network has {depth} layers; 0 (the head alone) to {depth} (all) of them can learn"
        )


def _within(name: str, modules: Sequence[str]) -> bool:
    return any(f"{name}.".startswith(f"{module}.") for module in modules)


@torch.no_grad()
def frozen_features(
    model: nn.Module, x: np.ndarray, layers: Sequence[str], cuts: Sequence[int], batch_size: int = 8
) -> dict[int, Tensor]:
    """Return what the frozen part says of each clip, by cut, so that clips need pass it but once for all of them.

    A network that can go on from a layer's output, by a method ``scores_from(output, layer,
    n_bodies)`` as `analysis_lib.networks.stgcn.STGCN` has it, is spared its frozen layers. For any
    other, and where nothing is frozen, the clips themselves are returned.

    Returns
    -------
    dict of int to Tensor, shape (N, M, C_l, T_l, V_l) or (N, C, T, V, M)
    """
    clips = torch.from_numpy(x)
    last = {cut: layers[n - 1] for cut in cuts if (n := _n_passed(model, layers, cut))}
    parts: dict[int, list[Tensor]] = {cut: [] for cut in last}
    if last:
        with evaluating(model), captured(model, [*last.values()]) as outputs:
            for batch in clips.split(batch_size):
                model(batch)
                for cut, layer in last.items():
                    parts[cut].append(outputs[layer].unflatten(0, (len(batch), -1)))
    return {cut: torch.cat(parts[cut]) if cut in parts else clips for cut in cuts}


def scores(learner: Student, features: Tensor) -> Tensor:
    """Return class scores (n, n_classes) of a batch of `frozen_features`."""
    passed = _n_passed(learner.model, learner.layers, learner.cut)
    if passed == 0:
        return learner.model(features)
    return learner.model.scores_from(features.flatten(0, 1), passed, features.shape[1])


def _n_passed(model: nn.Module, layers: Sequence[str], cut: int) -> int:
    """Return how many layers `frozen_features` has passed."""
    return len(layers) - cut if hasattr(model, "scores_from") else 0


def fine_tune(
    learner: Student,
    train: tuple[Tensor, Tensor],
    test: tuple[Tensor, Tensor],
    recipe: Recipe,
    score_every: int = 1,
    state_path: str | Path | None = None,
    progress: bool = False,
    untouched: Tensor | None = None,
) -> tuple[list[dict], Tensor]:
    """Let a network learn, in place, and return its history, and what it says of the test clips in the end.

    What is frozen is in evaluation mode throughout, its batch statistics too. There is no early
    stopping and no choice among epochs, so that test clips have no say: the weights are those of
    the last epoch.

    Parameters
    ----------
    train, test : tuple of (Tensor from `frozen_features`, int64 Tensor of labels)
    recipe : Recipe
        ``holdout`` and ``patience`` are not used.
    score_every : int
        Epochs between two readings of the test clips, from before the first; the last one is always read.
        With as many as the recipe has, nothing is read before.
    state_path : path, optional
        Written after each epoch and read at the start, as by `analysis_lib.networks.training.fit.fit`; that of
        another network, or of the same with other weights, is refused.

    Returns
    -------
    history : list of dict
        ``epoch`` (0 is before), ``loss``, ``accuracy`` (of the training batches; not at 0), and
        ``test_loss`` (mean cross-entropy, nats), ``test_accuracy`` where read. Readings have the
        recipe's precision, as the batches do.
    scores : Tensor, shape (n, n_classes)
        Of the test clips, at the last reading.
    """
    features, labels = train
    steps = optimiser(list(learner.groups), recipe)
    network = digest(structure_digest(learner.model), weights_digest(learner.model))
    identity = {"recipe": asdict(recipe), "cut": learner.cut, "clips": len(labels), STRUCTURE: network}
    state = TrainingState.open(learner.model, steps, identity, state_path)
    read = lambda: evaluated(learner, test[0], mixed_precision=recipe.mixed_precision)  # noqa: E731
    found = None
    if not state.history:
        first = {}
        if score_every < recipe.epochs:
            head = replace(learner, cut=0)
            first = read() if untouched is None else evaluated(head, untouched, mixed_precision=recipe.mixed_precision)
            first = _reading(first, test[1])
        state.finish_epoch({"epoch": 0} | first)
    learner.model.eval()
    for name in learner.modules:
        learner.model.get_submodule(name).train()
    for epoch in range(state.epoch, recipe.epochs):
        record = train_epoch(
            lambda x: scores(learner, x),
            steps,
            np.arange(len(labels)),
            lambda index, rng: (features[index], labels[index]),
            recipe,
            epoch,
            progress,
        )
        if (epoch + 1) % score_every == 0 or epoch + 1 == recipe.epochs:
            found = read()
            record |= _reading(found, test[1])
        state.finish_epoch(record)
    learner.model.eval()
    return state.history, read() if found is None else found


def _reading(found: Tensor, labels: Tensor) -> dict:
    """Return loss and accuracy of scores of test clips."""
    return {
        "test_loss": nn.functional.cross_entropy(found, labels).item(),
        "test_accuracy": (found.argmax(1) == labels).double().mean().item(),
    }


@torch.no_grad()
def evaluated(learner: Student, features: Tensor, batch_size: int = 8, mixed_precision: bool = False) -> Tensor:
    """Return class scores (N, n_classes) of `frozen_features`, in evaluation mode."""
    with evaluating(learner.model), torch.autocast(features.device.type, torch.bfloat16, enabled=mixed_precision):
        return torch.cat([scores(learner, batch).float() for batch in features.split(batch_size)])
