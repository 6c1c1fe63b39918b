"""What training adds to label variation, whose neighbours count, and Theorem 1 on a real network."""

import copy
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch import nn

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import clip_tensors
from analysis_lib.datasets.sampling import left_out_groups
from analysis_lib.errors import UserError
from analysis_lib.geometry.curves import Curves, label_curves
from analysis_lib.geometry.embeddings import Embeddings
from analysis_lib.geometry.layerwise import EDGES, LayerGraph, dataset_graphs, kept_apart, layer_embeddings, layer_graph
from analysis_lib.geometry.learnt import LEARNT, beside_untrained, learnt_rows
from analysis_lib.geometry.neighbour_votes import vote_errors
from analysis_lib.geometry.operator_norms import data_smoothness, operator_norm
from analysis_lib.geometry.smoothness import group_means, quadratic_form
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.hooks import evaluating
from analysis_lib.networks.training.recipes import siblings
from analysis_lib.networks.untrained import SEED, TRAINED, UNTRAINED, untrained_twins
from analysis_lib.statistics.intervals import N_DRAWS, jackknife_draws, left_out, percentile_interval

COLUMNS = ("layer", "name", "norm", "bound", "label_ratio", "data_ratio")


def compared_networks(
    network: Checkpoint, name: str, train: SkeletonDataset, n_draws: int, seed: int
) -> dict[str, list[Checkpoint]]:
    """Return a network, those that differ from it by the seed alone, and untrained ones of the same architecture.

    Parameters
    ----------
    name : str
        By which the network was loaded (`analysis_lib.networks.training.recipes.siblings`).
    train : SkeletonDataset
        Clips that give untrained networks their batch statistics.
    """
    return {TRAINED: [network], SEED: siblings(name, train), UNTRAINED: untrained_twins(network, train, n_draws, seed)}


def embed_all(
    networks: Mapping[str, Sequence[Checkpoint]], nodes: SkeletonDataset, reduce: str
) -> dict[str, list[Embeddings]]:
    """Return what the layers of several networks say of the same clips; no other chapter asks those of another seed."""
    return {
        kind: [layer_embeddings(net, nodes, keep=kind != SEED, reduce=reduce, progress=True) for net in found]
        for kind, found in networks.items()
    }


def curves_of(
    embedded: Mapping[str, Sequence[Embeddings]],
    nodes: SkeletonDataset,
    graphs: Mapping,
    edges: str,
    n_bootstrap: int,
    seed: int,
    people: np.ndarray | None,
) -> tuple[list[LayerGraph], dict[str, list[Curves]]]:
    """Return the graphs of the trained network, and the curves of label variation of it and of untrained ones.

    Parameters
    ----------
    graphs : mapping
        Options of `analysis_lib.geometry.layerwise.dataset_graphs`.
    edges : str
        Whom a clip may be joined to (`analysis_lib.geometry.layerwise.EDGES`).
    n_bootstrap, seed, people
        As for `analysis_lib.geometry.curves.redrawn_smoothness`.
    """
    apart = kept_apart(nodes, edges)
    graphs = _as_many_as_there_are(graphs, apart)
    layers = {
        kind: [dataset_graphs(e, apart=apart, progress=True, **graphs) for e in embedded[kind]]
        for kind in (TRAINED, UNTRAINED)
    }
    curves = {
        kind: [label_curves(g, nodes, n_bootstrap, seed, people) for g in found] for kind, found in layers.items()
    }
    return layers[TRAINED][0], curves


def _as_many_as_there_are(graphs: Mapping, apart: np.ndarray | None) -> dict:
    """Return options with no more candidates than the clip with the fewest to be joined to has."""
    if apart is None:
        return dict(graphs)
    fewest = len(apart) - int(np.unique(apart, return_counts=True)[1].max())
    return {**graphs, "n_neighbors": min(graphs["n_neighbors"], fewest)}


def learnt_table(trained: Curves, untrained: Sequence[Curves]) -> pd.DataFrame:
    """Return label variation of a network beside that of its untrained draws, mean of the super-classes.

    Returns
    -------
    DataFrame
        Columns layer, layer_name, and those of `analysis_lib.geometry.learnt.learnt_rows`. No rows without draws.
    """
    if not untrained:
        return pd.DataFrame(columns=["layer", "layer_name", *LEARNT])
    names = trained.classes.groupby("layer")["layer_name"].first().reset_index()
    return pd.concat([names, learnt_rows(_mean_curve(trained), [_mean_curve(one) for one in untrained])], axis=1)


def _mean_curve(curves: Curves) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean over super-classes by layer, (L,), and its replicates, (n, L)."""
    q = group_means(curves.q, curves.groups)[1].mean(axis=-1)
    return q, group_means(np.moveaxis(curves.replicates, 1, 0), curves.groups)[1].mean(axis=-1)


def learnt_shape(trained: Curves, untrained: Sequence[Curves], boundary: int) -> pd.DataFrame:
    r"""Return how what training adds, :math:`\delta_l = q_l - \bar q_l`, goes up to a boundary b and after it.

    Returns
    -------
    DataFrame
        Columns statistic, value, low, high: ``level``, the mean of :math:`\delta_1` to :math:`\delta_b`; ``early``,
        :math:`\delta_b - \delta_1`; ``late``,
        :math:`\delta_L - \delta_b`; ``late fall``, how much farther it falls after b,
        :math:`(\delta_b - \delta_L) - |\delta_b - \delta_1|`. No rows without draws, or without a layer after b.
    """
    depth = len(trained.q) - 1
    if not untrained or depth <= boundary:
        return pd.DataFrame(columns=["statistic", "value", "low", "high"])
    both = beside_untrained(_mean_curve(trained), [_mean_curve(one) for one in untrained])
    found, again = (_halves(delta, boundary) for *_, delta in both)
    rows = [(name, float(value), *percentile_interval(again[name])) for name, value in found.items()]
    return pd.DataFrame(rows, columns=["statistic", "value", "low", "high"])


def _halves(delta: np.ndarray, boundary: int) -> dict[str, np.ndarray]:
    early, late = delta[..., boundary] - delta[..., 1], delta[..., -1] - delta[..., boundary]
    level = delta[..., 1 : boundary + 1].mean(axis=-1)
    return {"level": level, "early": early, "late": late, "late fall": -late - np.abs(early)}


def neighbour_table(
    networks: Mapping[str, Sequence[Embeddings]], data: SkeletonDataset, graphs: Mapping
) -> pd.DataFrame:
    """Return label variation where a clip may be joined to all, to other people only, or to other cameras only.

    Parameters
    ----------
    networks : mapping of str to sequence of Embeddings
        `TRAINED`, `UNTRAINED`, `SEED`.
    data : SkeletonDataset
        The clips that are the nodes.
    graphs : mapping
        Options of `analysis_lib.geometry.layerwise.dataset_graphs`.

    Returns
    -------
    DataFrame
        Columns edges, network, draw, layer, q (mean of the super-classes). What the data do not know is left out.
    """
    rows = []
    for edges, options in _by_edges(data, graphs):
        for network, found in networks.items():
            for draw, embeddings in enumerate(found):
                layers = dataset_graphs(embeddings, **options)
                curves = label_curves(layers, data, n_bootstrap=1)
                q = _mean_curve(curves)[0]
                rows += [(edges, network, draw, layer, float(value)) for layer, value in enumerate(q)]
    return pd.DataFrame(rows, columns=["edges", "network", "draw", "layer", "q"])


def _by_edges(data: SkeletonDataset, graphs: Mapping) -> Iterator[tuple[str, dict]]:
    """Yield whom clips may be joined to, as far as the data know it, and the options of such graphs."""
    for edges in EDGES:
        try:
            apart = kept_apart(data, edges)
        except UserError:
            continue
        yield edges, {**_as_many_as_there_are(graphs, apart), "apart": apart}


def vote_table(embeddings: Embeddings, data: SkeletonDataset, graphs: Mapping, seed: int = 0) -> pd.DataFrame:
    """Return how many clips their neighbours name wrongly before the first layer and after the last.

    A clip is named by the class that has most weight among its neighbours
    (`analysis_lib.geometry.neighbour_votes.vote_errors`). At the input no network has been asked yet.

    Parameters
    ----------
    embeddings : Embeddings
        Of the trained network.
    data : SkeletonDataset
        The clips that are the nodes.
    graphs : mapping
        Options of `analysis_lib.geometry.layerwise.dataset_graphs`.
    seed : int
        Of the draws behind the intervals.

    Returns
    -------
    DataFrame
        Columns edges (as in `neighbour_table`), layer (0 and the last), clips, wrong (share of them), low, high (95 %:
        one person after another is left out, or one part of the clips, and graphs are built anew; NaN where nothing
        can be left out).
    """
    rows = []
    for edges, options in _by_edges(data, graphs):
        for layer in (0, len(embeddings.layers) - 1):
            found = layer_graph(embeddings, layer, **options)
            wrong = vote_errors(found.graph, data.labels).mean()
            rows.append((edges, layer, len(data), wrong, *_vote_interval(found, data, wrong, seed)))
    return pd.DataFrame(rows, columns=["edges", "layer", "clips", "wrong", "low", "high"])


def _vote_interval(layer: LayerGraph, data: SkeletonDataset, wrong: float, seed: int) -> tuple[float, float]:
    """Return between what the share of clips that neighbours name wrongly would lie for other people."""
    try:
        ask = lambda kept: vote_errors(layer.among(kept), data.labels[kept]).mean()  # noqa: E731
        without = left_out(left_out_groups(data)[0], ask)
    except UserError:
        return np.nan, np.nan
    low, high = percentile_interval(jackknife_draws(wrong, without, N_DRAWS, np.random.default_rng(seed)))
    return max(0.0, float(low)), min(1.0, float(high))


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
