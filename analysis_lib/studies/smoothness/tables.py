"""Theorem 1 on a real network: operator norms of its layers beside what they do to the data."""

import copy

import numpy as np
import pandas as pd
import torch
from torch import nn

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import clip_tensors
from analysis_lib.errors import UserError
from analysis_lib.geometry.layerwise import LayerGraph, layer_embeddings
from analysis_lib.geometry.operator_norms import data_smoothness, operator_norm
from analysis_lib.geometry.smoothness import quadratic_form
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.hooks import evaluating

COLUMNS = ("layer", "name", "norm", "bound", "label_ratio", "data_ratio")


def theorem_table(network: Checkpoint, data: SkeletonDataset, layers: list[LayerGraph], seed: int = 0) -> pd.DataFrame:
    r"""Return, one row a layer from the second on, both sides of Theorem 1.

    Parameters
    ----------
    network : Checkpoint
        Its layers must have a method ``linear_factors`` (as the blocks of
        `analysis_lib.networks.stgcn` have): the affine maps between their ReLUs. Without it no bound
        can be stated, and the table is empty.
    data : SkeletonDataset
        The clips that are the nodes of ``layers``.
    layers : list of LayerGraph
        The input first.

    Returns
    -------
    DataFrame
        ``norm``: spectral norm of the layer with its ReLUs left out; ``bound``: square of its
        Lipschitz constant, at most :math:`(\|T\| \|G\| + \|R\|)^2` for graph part G, temporal part
        T and residual R; ``label_ratio``: :math:`Q_{out}/Q_{in}` of the total label variation;
        ``data_ratio``: the same for the data, both on the graph of the layer before; NaN where
        nothing varies before the layer.
    """
    modules = dict(network.model.named_modules())
    if not all(hasattr(modules[name], "linear_factors") for name in network.layers):
        return pd.DataFrame(columns=COLUMNS)
    features = layer_embeddings(network, data).features
    norms = _layer_norms(network, data, np.random.default_rng(seed))
    variation = [quadratic_form(x.graph, data.labels).sum() for x in layers]
    rows = []
    for i in range(2, len(layers)):
        before = layers[i - 1].graph
        rows.append(
            {
                "layer": i,
                "name": layers[i].name,
                **norms[layers[i].name],
                "label_ratio": _ratio(variation[i], variation[i - 1]),
                "data_ratio": _ratio(*(data_smoothness(before, x) for x in (features[i], features[i - 1]))),
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def _ratio(after: float, before: float) -> float:
    """Return how many times as large a variation is after a layer as before it."""
    return after / before if before else np.nan


def _layer_norms(network: Checkpoint, data: SkeletonDataset, rng) -> dict[str, dict]:
    """Return ``norm`` and ``bound`` of every layer, by name."""
    x, _ = clip_tensors(data.take([0]), network.preprocessing)
    calls = _arguments(network, torch.from_numpy(x[..., :1]))
    modules = dict(network.model.named_modules())
    found = {}
    for name, (first, *others) in calls.items():
        layer = modules[name]
        graph, temporal, residual = layer.linear_factors(*others)
        shape = (1, *first.shape[1:])
        middle = tuple(graph(first[:1]).shape)
        lipschitz = _norm(temporal, middle, rng) * _norm(graph, shape, rng)
        if residual is not None:
            lipschitz += _norm(residual, shape, rng)
        straight = _without_relu(layer)
        norm = _norm(lambda x, f=straight, a=others: f(x, *a), shape, rng)
        found[name] = {"norm": norm, "bound": lipschitz**2}
    return found


def _norm(affine, shape: tuple[int, ...], rng) -> float:
    """Return the spectral norm of the linear part of an affine map."""
    with torch.no_grad():
        offset = affine(torch.zeros(shape))
    return operator_norm(lambda x: affine(x) - offset, shape, rng, tol=1e-4)


def _without_relu(layer: nn.Module) -> nn.Module:
    """Return a copy of the layer in which every ReLU passes its input on."""
    twin = copy.deepcopy(layer)
    for parent in list(twin.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.ReLU):
                setattr(parent, name, nn.Identity())
    return twin


@torch.no_grad()
def _arguments(network: Checkpoint, x: torch.Tensor) -> dict[str, tuple]:
    """Return what each layer is called with when the network sees ``x``."""
    modules = dict(network.model.named_modules())
    calls: dict[str, tuple] = {}

    def keep(name):
        return lambda module, args: calls.__setitem__(name, args)

    handles = [modules[name].register_forward_pre_hook(keep(name)) for name in network.layers]
    try:
        with evaluating(network.model):
            network.model(x)
    finally:
        for handle in handles:
            handle.remove()
    if missing := set(network.layers) - set(calls):
        raise UserError(f"layer '{min(missing)}' is never called by {type(network.model).__name__}")
    return calls
