"""Networks without what they learned: some modules anew, all of them, and the twin that a trained one is held to.

What an untrained network of the same architecture shows of the same clips was not learnt.
"""

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import clip_tensors
from analysis_lib.datasets.sampling import sample_per_class
from analysis_lib.files import digest
from analysis_lib.networks import batch_statistics
from analysis_lib.networks.batch_statistics import recalibrate
from analysis_lib.networks.checkpoints import Checkpoint, weights_digest
from analysis_lib.networks.registry import build
from analysis_lib.results.digest import array_digest, class_digest, module_digest
from analysis_lib.results.store import open_store
from analysis_lib.skeletons.skeleton import Skeleton

#: what tables call a network that was trained, draws of the same architecture that were not, and trainings with other
#: seeds
TRAINED, UNTRAINED, SEED = "trained", "untrained", "another seed"
CALIBRATING = 100  # clips: 100 of 100 frames and 20 joints are 200,000 samples a channel


def untrained_twin(network: Checkpoint, x: np.ndarray, seed: int = 0, batch_size: int = 32) -> Checkpoint:
    """Return an `untrained` network of the same architecture whose batch statistics are those of some clips.

    With the statistics that it was built with, means of 0 and variances of 1, an untrained network would
    hardly change its input from layer to layer, or make it vanish.

    Parameters
    ----------
    network : Checkpoint
        Left as it is.
    x : float32 ndarray, shape (N, C, T, V, M)
        Training clips, as `analysis_lib.datasets.preparation.recipe.clip_tensors` makes them.
    seed : int
        Of the weights, and of the order in which the clips pass; several seeds show the spread over draws.
    batch_size : int

    Examples
    --------
    >>> from analysis_lib.datasets.catalogue import load_dataset
    >>> from analysis_lib.datasets.preparation.recipe import clip_tensors
    >>> from analysis_lib.networks.checkpoints import is_trained, load_checkpoint
    >>> network = load_checkpoint("synthetic")
    >>> x, _ = clip_tensors(load_dataset("synthetic").take(range(4)), network.preprocessing)
    >>> twin = untrained_twin(network, x)
    >>> twin.name, twin.layers == network.layers, is_trained(twin)
    ('synthetic, untrained (draw 0)', True, False)
    """
    model = untrained(network, seed)
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(x)))
    _meet(model, x, order.tensor_split(max(1, len(x) // batch_size)), f"{network.name}, untrained (draw {seed})")
    return replace(network, name=f"{network.name}, untrained (draw {seed})", model=model.eval(), card={}, drawn=True)


def _meet(model: nn.Module, x: np.ndarray, parts: Sequence[torch.Tensor], about: str) -> None:
    """Give a network, in place, the batch statistics of clips in parts; from the store if it has met them before."""

    def meet(folder: Path | None) -> dict[str, np.ndarray]:
        recalibrate(model, (torch.from_numpy(x)[part] for part in parts))
        return {"buffers": torch.cat([buffer.flatten().double() for buffer in model.buffers()]).numpy()}

    store, buffers = open_store(), [*model.buffers()]
    if not buffers:
        return
    if store is None:
        meet(None)
        return
    inputs = {"clips": array_digest(x), "weights": weights_digest(model), "network": digest(str(model))}
    options = {"parts": [part.numpy() for part in parts]}
    code = digest(module_digest(batch_statistics.__name__), class_digest(*model.modules()))
    known = torch.from_numpy(store.fetch("statistics", inputs, options, code, meet, about)["buffers"])
    for buffer, values in zip(buffers, known.split([buffer.numel() for buffer in buffers]), strict=True):
        buffer.copy_(values.view_as(buffer))


def untrained_twins(network: Checkpoint, train: SkeletonDataset, n_draws: int, seed: int = 0) -> list[Checkpoint]:
    """Return several twins (`untrained_twin`) whose batch statistics are those of some training clips of each class.

    Parameters
    ----------
    network : Checkpoint
    train : SkeletonDataset
        Training clips; about `CALIBRATING` of them are taken.
    n_draws, seed : int
        The draws have the seeds from ``seed`` on; the clips are the same.
    """
    per_class = max(1, CALIBRATING // len(np.unique(train.labels)))
    x, _ = clip_tensors(train.take(sample_per_class(train.labels, per_class, seed)), network.preprocessing)
    return [untrained_twin(network, x, seed + draw) for draw in range(n_draws)]


def untrained(network: Checkpoint, seed: int) -> nn.Module:
    """Return a network of the same architecture with fresh weights.

    One of the book's architectures is built anew; in a network of your own each module forgets, as `randomised`.
    """
    if card := network.card:
        skeleton, n_classes = Skeleton.from_dict(card["skeleton"]), len(card["class_names"])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return build(card["architecture"], skeleton, n_classes, card["in_channels"], **card["arguments"])
    owners = [name for name, module in network.model.named_modules() if any(True for _ in module.parameters(False))]
    return randomised(network.model, owners, seed)


def randomised(model: nn.Module, modules: Sequence[str], seed: int) -> nn.Module:
    """Return a copy of a network in which the named modules have forgotten what they learned.

    A module that knows how (``reset_parameters``) draws new weights, batch statistics included.
    Parameters that belong to no such module, such as edge weights, are shuffled.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    >>> new = randomised(net, ["1"], seed=0)
    >>> torch.equal(new[0].weight, net[0].weight), torch.equal(new[1].weight, net[1].weight)
    (True, False)
    """
    model = copy.deepcopy(model)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for name in modules:
            module = model.get_submodule(name)
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
                continue
            for parameter in module.parameters(recurse=False):
                order = torch.randperm(parameter.numel())
                parameter.copy_(parameter.flatten()[order].view_as(parameter))
    return model
