"""Other yardsticks of a layer beside label variation, for a trained network and its untrained draws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.sampling import left_out_groups
from analysis_lib.geometry.embeddings import clip_means
from analysis_lib.geometry.graphs import knn_graph, similarity_kernel
from analysis_lib.geometry.intrinsic_dimension import two_nn_dimension
from analysis_lib.geometry.kernel_alignment import kernel_alignment
from analysis_lib.geometry.layerwise import LayerGraph, dataset_graphs, layer_embeddings
from analysis_lib.geometry.neighbour_votes import class_means, label_overlap, vote_errors
from analysis_lib.geometry.neural_collapse import within_class_collapse
from analysis_lib.geometry.probes import probe_errors
from analysis_lib.geometry.smoothness import label_smoothness
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.untrained import TRAINED, UNTRAINED
from analysis_lib.progress import progress_bar
from analysis_lib.statistics.intervals import N_DRAWS, jackknife_draws, left_out, percentile_interval
from analysis_lib.statistics.ranks import rank_correlation
from analysis_lib.warping.options import Warping

#: what is measured of a layer, in this order; all but the last two go up or down with label variation
VARIATION, PROBE = "label variation", "error of a linear probe"
YARDSTICKS = (VARIATION, "label overlap", "error of k-NN", PROBE, "collapse (NC1)", "intrinsic dimension")
CONTROLLED = ("error of k-NN", PROBE)
#: rank correlation over layers from which on two yardsticks count as one; set before any curve had been drawn
SAME = 0.9


@dataclass(frozen=True, eq=False)
class Readings:
    """What the yardsticks say of one network.

    Attributes
    ----------
    layers : tuple of str
        The input first.
    values : ndarray, shape (L, len(YARDSTICKS))
    without : ndarray, shape (G, L, len(YARDSTICKS))
        With one person after another left out; an empty first axis where that was not asked for.
    controls : mapping of str to ndarray, shape (L,)
        Of `CONTROLLED`, with the labels shuffled over each person's clips.
    by_class : mapping of str to ndarray, shape (L, n_classes)
        Label variation and error of the probe.
    kernels : ndarray, shape (L, n, n)
        Linear kernel of the clips' mean frames.
    """

    layers: tuple[str, ...]
    values: np.ndarray
    without: np.ndarray
    controls: Mapping[str, np.ndarray]
    by_class: Mapping[str, np.ndarray]
    kernels: np.ndarray


def readings(
    network: Checkpoint,
    data: SkeletonDataset,
    n_neighbors: int = 10,
    how: Warping = Warping(),
    seed: int = 0,
    *,
    progress: bool = False,
) -> Readings:
    """Return what the yardsticks say of every layer of a network.

    Label variation, label overlap, the error of k-NN and the intrinsic dimension are of the windowed DTW distances.
    The probe, collapse and the kernels take the mean of each clip's valid frames.

    Parameters
    ----------
    network : Checkpoint
    data : SkeletonDataset
        The clips that are asked about.
    n_neighbors : int
        Candidates of NNK, and neighbours of k-NN.
    how : Warping
    seed : int
        Of the shuffled labels.
    progress : bool
        Show a bar.
    """
    embeddings = layer_embeddings(network, data, progress=progress)
    layers = dataset_graphs(embeddings, n_neighbors, how=how, progress=progress)
    groups, _ = left_out_groups(data)
    shuffled = _shuffled(data.labels, groups, np.random.default_rng(seed))
    everyone, read = np.arange(len(data)), []
    for layer in progress_bar(layers, "yardsticks", progress):
        x = clip_means(embeddings.features[layer.layer], embeddings.lengths[layer.layer])
        wrong = probe_errors(x, data.labels, groups)
        control = {
            "error of k-NN": _knn_errors(layer, everyone, shuffled).mean(),
            PROBE: probe_errors(x, shuffled, groups).mean(),
        }
        each = {VARIATION: label_smoothness(layer.graph, data.labels), PROBE: class_means(wrong, data.labels)}
        ask = lambda kept, layer=layer, x=x, wrong=wrong: _ask(layer, x, wrong, data.labels, kept)  # noqa: E731
        read.append((ask(everyone), left_out(groups, ask), control, each, x @ x.T))
    values, without, controls, by_class, kernels = zip(*read, strict=True)
    return Readings(
        embeddings.layers,
        np.stack(values),
        np.stack(without, axis=1),
        {name: np.array([control[name] for control in controls]) for name in CONTROLLED},
        {name: np.stack([each[name] for each in by_class]) for name in (VARIATION, PROBE)},
        np.stack(kernels),
    )


def _shuffled(labels: np.ndarray, groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return labels shuffled within each group: what is left out then has the classes of what is fitted to."""
    shuffled = labels.copy()
    for group in np.unique(groups):
        shuffled[groups == group] = rng.permutation(labels[groups == group])
    return shuffled


def _ask(layer: LayerGraph, x: np.ndarray, wrong: np.ndarray, labels: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return the yardsticks of one layer on some clips alone, in the order of `YARDSTICKS`."""
    mine, knn = labels[kept], _neighbours(layer, kept)
    return np.array(
        [
            label_smoothness(layer.among(kept), mine).mean(),
            label_overlap(knn, mine).mean(),
            vote_errors(knn, mine).mean(),
            wrong[kept].mean(),
            within_class_collapse(x[kept], mine),
            two_nn_dimension(np.sqrt(layer.distance[np.ix_(kept, kept)])),
        ]
    )


def _neighbours(layer: LayerGraph, kept: np.ndarray):
    """Return the k nearest of some clips among these."""
    kernel = similarity_kernel(layer.distance[np.ix_(kept, kept)])
    return knn_graph(kernel, min(layer.n_neighbors, len(kept) - 1), "none")[0]


def _knn_errors(layer: LayerGraph, kept: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return vote_errors(_neighbours(layer, kept), labels)


def yardstick_table(trained: Readings, untrained: Sequence[Readings], seed: int = 0) -> pd.DataFrame:
    """Return one row a network, layer and yardstick.

    Returns
    -------
    DataFrame
        Columns network (``"trained"``, ``"untrained"``), draw, layer, layer_name, yardstick, value, low, high (95 %,
        by the jackknife over people), control (with shuffled labels; NaN where there is none).
    """
    rows = []
    for network, draw, read in [(TRAINED, 0, trained), *((UNTRAINED, i, read) for i, read in enumerate(untrained))]:
        low, high = percentile_interval(_draws(read.values, read.without, seed))
        for layer, name in enumerate(read.layers):
            for i, yardstick in enumerate(YARDSTICKS):
                control = read.controls[yardstick][layer] if yardstick in CONTROLLED else np.nan
                at = (layer, i)
                rows.append((network, draw, layer, name, yardstick, read.values[at], low[at], high[at], control))
    columns = ["network", "draw", "layer", "layer_name", "yardstick", "value", "low", "high", "control"]
    return pd.DataFrame(rows, columns=columns)


def agreement_table(read: Readings, seed: int = 0) -> pd.DataFrame:
    """Return how each yardstick ranks the layers beside label variation, without the input.

    Returns
    -------
    DataFrame
        Columns yardstick, rho (Spearman's over the layers), low, high (95 %, by the jackknife over people), layers.
        No rows if there are fewer than three layers. NaN where one of the two is the same at so many layers that
        the correlation could not come to `SAME` whatever their order.
    """
    rows = []
    if len(read.layers) > 3:
        in_order = np.vstack([read.values[:1], np.sort(read.values[1:], axis=0)])
        for i, yardstick in enumerate(YARDSTICKS[1:], start=1):
            rho, without = (_over_layers(values, i) for values in (read.values[None], read.without))
            low, high = np.clip(percentile_interval(_draws(rho[0], without, seed)), -1, 1)
            found = (rho[0], low, high) if _over_layers(in_order[None], i) >= SAME else (np.nan,) * 3
            rows.append((yardstick, *found, len(read.layers) - 1))
    return pd.DataFrame(rows, columns=["yardstick", "rho", "low", "high", "layers"])


def change_table(trained: Readings, untrained: Sequence[Readings], seed: int = 0) -> pd.DataFrame:
    """Return how far each yardstick goes from the first layer to the last.

    Returns
    -------
    DataFrame
        Columns network, draws, yardstick, first, last, change, low, high (95 % of the change, by the jackknife over
        people; of the mean over draws where there are several).
    """
    rows = []
    for network, reads in ((TRAINED, [trained]), (UNTRAINED, untrained)):
        if reads:
            values, without = (np.mean([getattr(r, which) for r in reads], axis=0) for which in ("values", "without"))
            change = values[-1] - values[1]
            low, high = percentile_interval(_draws(change, without[:, -1] - without[:, 1], seed))
            rows += zip(
                *([name] * len(YARDSTICKS) for name in (network, len(reads))),
                *(YARDSTICKS, values[1], values[-1], change, low, high),
                strict=True,
            )
    return pd.DataFrame(rows, columns=["network", "draws", "yardstick", "first", "last", "change", "low", "high"])


def _over_layers(values: np.ndarray, i: int) -> np.ndarray:
    """Return the rank correlation over layers of label variation and yardstick i, of values (..., L, yardsticks)."""
    return rank_correlation(values[:, 1:, 0], values[:, 1:, i])


def class_table(read: Readings, data: SkeletonDataset) -> pd.DataFrame:
    """Return label variation and the error of the probe of each class at each layer: layer, name, group, these two."""
    present, depth = np.unique(data.labels), len(read.layers)
    layer = np.repeat(np.arange(depth), len(present))
    names, groups = ([of[c] for c in present] * depth for of in (data.class_names, data.groups))
    columns = {name: values.ravel() for name, values in read.by_class.items()}
    return pd.DataFrame({"layer": layer, "name": names, "group": groups, **columns})


def alignment_table(trained: Readings, others: Mapping[str, Sequence[Readings]]) -> pd.DataFrame:
    """Return the linear CKA of the trained network's layers with each other, and with those of other networks.

    Parameters
    ----------
    trained : Readings
    others : mapping of str to sequence of Readings
        On the same clips: ``"untrained"`` draws, networks of other ``"seed"``.

    Returns
    -------
    DataFrame
        Columns with (``"itself"``: all pairs of layers; else layer by layer), draw, layer, other, cka.
    """
    rows = [
        ("itself", 0, i, j, kernel_alignment(one, two))
        for i, one in enumerate(trained.kernels)
        for j, two in enumerate(trained.kernels)
    ]
    for what, networks in others.items():
        for draw, read in enumerate(networks):
            pairs = zip(trained.kernels, read.kernels, strict=True)
            rows += [(what, draw, i, i, kernel_alignment(one, two)) for i, (one, two) in enumerate(pairs)]
    return pd.DataFrame(rows, columns=["with", "draw", "layer", "other", "cka"])


def _draws(value: np.ndarray, without: np.ndarray, seed: int) -> np.ndarray:
    return jackknife_draws(value, without, N_DRAWS, np.random.default_rng(seed))
