"""NNK beside k-NN on one kernel: label variation, leave-one-out error, edges, layer by layer.

Distances come by layer: a mapping from the layer's name to its windowed DTW distances, shape (n, n), the input first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.errors import UserError
from analysis_lib.geometry.embeddings import Embeddings
from analysis_lib.geometry.graphs import SYMMETRISATIONS, TOLERANCE, knn_graph, similarity_kernel
from analysis_lib.geometry.layerwise import GRAPHS, distances_at, layer_embeddings
from analysis_lib.geometry.learnt import LEARNT, learnt_rows
from analysis_lib.geometry.neighbour_votes import class_means, vote_errors
from analysis_lib.geometry.smoothness import (
    class_smoothness,
    directed_smoothness,
    label_smoothness,
    resampled_smoothness,
    smoothness_interval,
)
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.progress import progress_bar
from analysis_lib.statistics.intervals import jackknife_draws, left_out, resampled_means
from analysis_lib.statistics.several_networks import SEEDS, seed_range
from analysis_lib.warping.options import Warping

#: what is read off each graph, class by class
MEASURES = ("q", "error")
SPARSITY = "neighbours"
#: graphs that NNK is set against; ``matched`` is k-NN with as many neighbours as NNK kept
RIVALS = ("knn", "matched")


@dataclass(frozen=True, eq=False)
class GraphReading:
    """What is read off one graph.

    ``place`` has ``layer`` (0 is the input), ``layer_name`` and ``n_neighbors``, candidates k; the graph "matched" has
    this k too, though it takes fewer neighbours. ``values`` are by class, (n_classes,): ``"q"``, share of edge weight
    that leaves it, ``"error"``, share of its clips that their neighbours name wrongly, and ``"neighbours"``, how many
    its clips keep; ``replicates`` the same for other clips or people, (n_bootstrap, n_classes). ``counts`` is what
    `comparison_table` has of the whole graph.
    """

    place: dict
    graph: str
    values: Mapping[str, np.ndarray]
    replicates: Mapping[str, np.ndarray]
    counts: dict


def most_candidates(distances: Mapping[str, np.ndarray]) -> int:
    """Return how many others have any similarity to each clip at every layer; at least 1."""
    least = min(_similar(similarity_kernel(distance)).min() for distance in distances.values())
    return max(1, int(least))


def _similar(kernel: np.ndarray) -> np.ndarray:
    """Return the number of others with any similarity, (n,)."""
    return (kernel >= TOLERANCE).sum(axis=1) - 1


def check_candidates(n_clips: int, n_neighbors: Sequence[int]) -> None:
    """Raise unless every number of neighbours lies from 1 to one less than there are clips."""
    if not n_neighbors or min(n_neighbors) < 1:
        raise UserError(f"need numbers of neighbours from 1, got n_neighbors = {list(n_neighbors)}")
    if max(n_neighbors) >= n_clips:
        raise UserError(
            f"n_neighbors asks for {max(n_neighbors)} neighbours, but a clip has only {n_clips - 1} others; take "
            "smaller values, or more clips a class"
        )


def layer_distances(embeddings: Embeddings, how: Warping = Warping(), progress: bool = False) -> dict[str, np.ndarray]:
    """Return the windowed DTW distances of every layer, by its name, the input first."""
    layers = progress_bar(embeddings.layers, "distances", progress)
    return {name: distances_at(embeddings, layer, how) for layer, name in enumerate(layers)}


def network_distances(
    networks: Sequence[Checkpoint], data: SkeletonDataset, reduce: str, how: Warping = Warping()
) -> list[dict[str, np.ndarray]]:
    """Return the same of the embeddings of several networks, of the same clips."""
    return [layer_distances(layer_embeddings(network, data, reduce=reduce), how) for network in networks]


def read_graphs(
    distances: Mapping[str, np.ndarray],
    labels: np.ndarray,
    n_neighbors: Sequence[int],
    symmetrise: str = "max",
    n_bootstrap: int = 500,
    seed: int = 0,
    people: np.ndarray | None = None,
    progress: bool = False,
) -> list[GraphReading]:
    """Return what NNK, k-NN and k-NN as sparse as NNK say, at every layer and for every k.

    All graphs of a layer share its kernel, so that only the choice and the weights of neighbours differ. The error is
    that of the clip's own, directed neighbourhood, which a new clip would have too; everything else is read off the
    symmetric graph.

    Parameters
    ----------
    distances : mapping of str to ndarray, shape (n, n)
    labels : int ndarray, shape (n,)
    n_neighbors : sequence of int
        Values of k.
    symmetrise : {"max", "mean", "author"}
    n_bootstrap, seed : int
        Draws of each graph, the same clips or people on all.
    people : ndarray, shape (n,), optional
        Who is left out in turn, each graph built anew, from `analysis_lib.geometry.curves.drawn_again`; without it,
        clips are drawn again within their class, on the graph as it is.

    Raises
    ------
    UserError
        If there is no k, or one that some clip has not enough similar clips for.
    """
    kernels = _kernels(distances, n_neighbors)
    readings = []
    for layer, (name, kernel) in enumerate(progress_bar(kernels.items(), "graphs", progress)):
        for k in n_neighbors:
            place = {"layer": layer, "layer_name": name, "n_neighbors": k}
            read = partial(_read, place, kernel, labels, symmetrise, (n_bootstrap, seed), people)
            nnk = read("nnk", k)
            fewer = max(1, round(nnk.counts["neighbours"]))
            readings += [nnk, read("knn", k), read("matched", fewer)]
    return readings


def _read(
    place: dict,
    kernel: np.ndarray,
    labels: np.ndarray,
    symmetrise: str,
    draws: tuple[int, int],
    people: np.ndarray | None,
    name: str,
    width: int,
) -> GraphReading:
    """Return what one graph says; ``width`` is how many candidates it is offered, ``draws`` number and seed."""
    graph, found, own = _built(kernel, name, width, symmetrise)
    classes = class_smoothness(graph, labels)
    values = {"q": label_smoothness(graph, labels)} | _class_means(own, labels)
    if people is None:
        clips_again = resampled_means(_of_clips(own, labels), labels, np.random.default_rng(draws[1]), draws[0])
        again = (resampled_smoothness(graph, labels, *draws)[1], *np.moveaxis(clips_again, -1, 0))
    else:

        def measured(kept: np.ndarray) -> np.ndarray:
            fewer = min(width, len(kept) - 1)
            graph, _, own = _built(kernel[np.ix_(kept, kept)], name, fewer, symmetrise)
            return np.stack([label_smoothness(graph, labels[kept]), *_class_means(own, labels[kept]).values()])

        all_at_once = np.stack([*values.values()])
        drawn = jackknife_draws(all_at_once, left_out(people, measured), draws[0], np.random.default_rng(draws[1]))
        again = np.moveaxis(drawn, 1, 0)
    clips = classes["clips"].to_numpy()
    counts = {"raw": classes["raw"].mean(), "weight": graph.sum() / 2, "edges": found.n_edges}
    counts |= {"neighbours": found.mean_neighbours, "isolated": found.n_isolated, "ridge": found.n_ridge}
    counts |= {"clips": clips.sum(), "smallest_class": clips.min(), "chance": (1 - clips / clips.sum()).mean()}
    return GraphReading(place, name, values, dict(zip(values, again, strict=True)), counts)


def _built(kernel: np.ndarray, name: str, width: int, symmetrise: str) -> tuple:
    """Return a graph, its diagnostics, and the directed neighbourhoods behind it."""
    build = GRAPHS.get(name, knn_graph)
    return *build(kernel, width, symmetrise), build(kernel, width, "none")[0]


def _of_clips(own: csr_array, labels: np.ndarray) -> np.ndarray:
    """Return whether each clip's neighbours name it wrongly, and how many it has, (n, 2)."""
    return np.stack([vote_errors(own, labels), (own > 0).sum(axis=1)], axis=-1)


def _class_means(own: csr_array, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Return the means of `_of_clips` by class, (n_classes,) each."""
    return {m: class_means(of, labels) for m, of in zip(("error", SPARSITY), _of_clips(own, labels).T, strict=True)}


def _kernels(distances: Mapping[str, np.ndarray], n_neighbors: Sequence[int]) -> dict[str, np.ndarray]:
    """Return the similarities of every layer, once every clip has k similar others for every k."""
    if not distances:
        raise UserError("need the distances of a layer, got none")
    check_candidates(len(next(iter(distances.values()))), n_neighbors)
    kernels = {name: similarity_kernel(distance) for name, distance in distances.items()}
    for layer, (name, kernel) in enumerate(kernels.items()):
        others = _similar(kernel)
        if max(n_neighbors) > others.min():
            raise UserError(
                f"n_neighbors asks for {max(n_neighbors)} candidates, but clip {others.argmin()} has only "
                f"{others.min()} others with any similarity at layer {layer} ({name}), of {len(others)} clips in all; "
                "take smaller values, or more clips a class"
            )
    return kernels


def comparison_table(readings: Sequence[GraphReading]) -> pd.DataFrame:
    """Return one row a layer, number of candidates and graph, means of the classes.

    Returns
    -------
    DataFrame
        Columns layer, layer_name, n_neighbors, graph; q with q_low and q_high, error with error_low and error_high
        (95 % intervals); raw (mean quadratic form of a class), weight and edges of the whole
        graph; neighbours of a clip before symmetrisation; isolated clips, ridge (clips whose candidate kernel was not
        positive definite); clips, those of the smallest_class, and chance (q of random labels).
    """
    rows = []
    for reading in readings:
        row = reading.place | {"graph": reading.graph}
        for measure in MEASURES:
            low, high = _interval(reading.replicates[measure])
            row |= {measure: reading.values[measure].mean(), f"{measure}_low": low, f"{measure}_high": high}
        rows.append(row | reading.counts)
    return pd.DataFrame(rows)


def difference_table(readings: Sequence[GraphReading]) -> pd.DataFrame:
    """Return NNK minus each of the other two graphs, with paired intervals.

    The same clips or people are drawn for both graphs, so that what varies with them in both alike drops out of the
    difference.

    Returns
    -------
    DataFrame
        Columns layer, layer_name, n_neighbors, against (``"knn"`` or ``"matched"``), measure (``"q"`` or
        ``"error"``), difference (negative where NNK is lower), low, high (95 %).
    """
    found = {(*reading.place.values(), reading.graph): reading for reading in readings}
    rows = []
    for nnk in (reading for reading in readings if reading.graph == "nnk"):
        for against, measure in product(RIVALS, MEASURES):
            rival = found[*nnk.place.values(), against]
            low, high = _interval(nnk.replicates[measure] - rival.replicates[measure])
            difference = (nnk.values[measure] - rival.values[measure]).mean()
            row = nnk.place | {"against": against, "measure": measure}
            rows.append(row | {"difference": difference, "low": low, "high": high})
    return pd.DataFrame(rows)


def gain_table(
    readings: Sequence[GraphReading],
    untrained: Sequence[Mapping[str, np.ndarray]],
    labels: np.ndarray,
    shown: int,
    symmetrise: str = "max",
    n_bootstrap: int = 500,
    seed: int = 0,
    people: np.ndarray | None = None,
    seeds: Sequence[Mapping[str, np.ndarray]] = (),
) -> pd.DataFrame:
    """Return NNK minus k-NN for a network, and for untrained draws of the same architecture.

    What an untrained network shows of the same clips is what the two kinds of graph make of any features.

    Parameters
    ----------
    readings : sequence of GraphReading
        Of the trained network.
    untrained : sequence of mapping of str to ndarray, shape (n, n)
        Distances of each untrained draw by layer.
    labels : int ndarray, shape (n,)
    shown : int
        Candidates: of those that were read and that every draw has clips for, the number next to this is taken.
    symmetrise, n_bootstrap, seed, people
        As they were for ``readings``: the same clips or people are drawn for all.
    seeds : sequence of mapping of str to ndarray, shape (n, n)
        Distances of networks that were trained with other seeds.

    Returns
    -------
    DataFrame
        Columns against, measure, layer, layer_name, n_neighbors, those of
        `analysis_lib.geometry.learnt.learnt_rows`, and seeds_low and seeds_high, the least and the most of the network
        and those of other seeds. The measures are ``"q"``, ``"error"`` and, against k-NN,
        ``"neighbours"``. No rows without draws.
    """
    columns = ["against", "measure", "layer", "layer_name", "n_neighbors"]
    if not untrained:
        return pd.DataFrame(columns=[*columns, *LEARNT, *SEEDS])
    most = min(map(most_candidates, [*untrained, *seeds]))
    known = sorted({reading.place["n_neighbors"] for reading in readings})
    k = min([n for n in known if n <= most] or known[:1], key=lambda n: abs(n - shown))
    draws, trained = (
        [read_graphs(distances, labels, [k], symmetrise, n_bootstrap, seed, people) for distances in networks]
        for networks in (untrained, seeds)
    )
    frames = []
    for against, measure in [*product(RIVALS, MEASURES), ("knn", SPARSITY)]:
        mine, others, alike = ([_gains(r, k, against, measure) for r in of] for of in ([readings], draws, trained))
        places = pd.DataFrame([r.place for r in readings if (r.graph, r.place["n_neighbors"]) == ("nnk", k)])
        rows = pd.concat([places, learnt_rows(*mine, others)], axis=1)
        ends = seed_range([value for value, _ in (*mine, *alike)])
        frames.append(rows.assign(against=against, measure=measure, **ends))
    return pd.concat(frames, ignore_index=True)[[*columns, *LEARNT, *SEEDS]]


def _gains(readings: Sequence[GraphReading], k: int, against: str, measure: str) -> tuple[np.ndarray, np.ndarray]:
    """Return NNK minus a rival by layer, mean of the classes, (L,), and its replicates, (n_bootstrap, L)."""
    at_k = [r for r in readings if r.place["n_neighbors"] == k]
    pairs = [*zip(*([r for r in at_k if r.graph == graph] for graph in ("nnk", against)), strict=True)]
    value = [(nnk.values[measure] - rival.values[measure]).mean() for nnk, rival in pairs]
    again = [(nnk.replicates[measure] - rival.replicates[measure]).mean(axis=1) for nnk, rival in pairs]
    return np.array(value), np.stack(again, axis=1)


def _interval(replicates: np.ndarray) -> tuple[float, float]:
    """Return the 95 % percentile interval of the unweighted mean of the classes."""
    return smoothness_interval(replicates.mean(axis=1))


def gap_table(table: pd.DataFrame) -> pd.DataFrame:
    r"""Return how many times NNK's the raw form of k-NN is, and the factors that make it up.

    .. math:: \frac{\sum_c Q_c^{kNN}}{\sum_c Q_c^{NNK}} =
              \underbrace{\frac{E^{kNN}}{E^{NNK}}}_{\text{edges}} \cdot
              \underbrace{\frac{\bar w^{kNN}}{\bar w^{NNK}}}_{\text{weight of one}} \cdot
              \underbrace{\frac{s^{kNN}}{s^{NNK}}}_{\text{share that leaves}}

    The share s is that of the whole graph's weight that joins different classes. Only the last factor is about
    labels.

    Parameters
    ----------
    table : DataFrame
        From `comparison_table`.

    Returns
    -------
    DataFrame
        Columns layer, n_neighbors, raw, edges, edge_weight, share: ratios, k-NN over NNK. Left out are the graphs in
        which no edge leaves its class, for their ratio is not defined.
    """
    wide = table[table["graph"].isin(GRAPHS)].set_index(["layer", "n_neighbors", "graph"])
    wide = wide[["raw", "weight", "edges"]].unstack("graph")
    wide = wide[(wide["raw"] > 0).all(axis=1)]
    ratio = pd.DataFrame({c: wide[c, "knn"] / wide[c, "nnk"] for c in ("raw", "weight", "edges")})
    ratio["edge_weight"] = ratio["weight"] / ratio["edges"]
    ratio["share"] = ratio["raw"] / ratio["weight"]
    return ratio[["raw", "edges", "edge_weight", "share"]].reset_index()


def gap_means(gap: pd.DataFrame) -> pd.DataFrame:
    """Return the geometric means of the layers without the input by k; their factors multiply, too."""
    logs = np.log(gap[gap["layer"] > 0].drop(columns="layer").set_index("n_neighbors"))
    return np.exp(logs.groupby(level=0, sort=False).mean())


def symmetrisation_table(distances: Mapping[str, np.ndarray], labels: np.ndarray, n_neighbors: int) -> pd.DataFrame:
    """Return label variation and error of both graphs for each way to make edges symmetric.

    Returns
    -------
    DataFrame
        Columns layer, graph, symmetrise, q, error (mean of the classes), edges, isolated. For ``"none"``, q is the
        mean share of a clip's own weight that leaves its class. The error is that of the graph itself, whose edges
        may come from either end.
    """
    rows = []
    for layer, kernel in enumerate(_kernels(distances, [n_neighbors]).values()):
        for name, symmetrise in product(GRAPHS, SYMMETRISATIONS):
            graph, found = GRAPHS[name](kernel, n_neighbors, symmetrise)
            q = (directed_smoothness if symmetrise == "none" else label_smoothness)(graph, labels)
            error = class_means(vote_errors(graph, labels), labels)
            row = {"layer": layer, "graph": name, "symmetrise": symmetrise, "q": q.mean(), "error": error.mean()}
            rows.append(row | {"edges": found.n_edges, "isolated": found.n_isolated})
    return pd.DataFrame(rows)
