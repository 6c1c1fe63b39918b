"""NNK beside k-NN on one kernel: label variation, leave-one-out error, edges, layer by layer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from analysis_lib.errors import UserError
from analysis_lib.geometry.graphs import SYMMETRISATIONS, TOLERANCE, GraphDiagnostics, knn_graph, similarity_kernel
from analysis_lib.geometry.layerwise import GRAPHS, LayerGraph
from analysis_lib.geometry.neighbour_votes import class_means, vote_errors
from analysis_lib.geometry.smoothness import (
    class_smoothness,
    directed_smoothness,
    label_smoothness,
    resampled_smoothness,
    smoothness_interval,
)
from analysis_lib.statistics import resampled_means

#: what is read off each graph, class by class
MEASURES = ("q", "error")
#: graphs that NNK is set against; ``matched`` is k-NN with as many neighbours as NNK kept
RIVALS = ("knn", "matched")


@dataclass(frozen=True, eq=False)
class GraphReading:
    """What is read off one graph.

    Attributes
    ----------
    layer : int
        0 is the input.
    name : str
        Module name, or ``"input"``.
    n_neighbors : int
        Candidates k. The graph ``"matched"`` has this k too, though it takes fewer neighbours.
    graph : {"nnk", "knn", "matched"}
    values : mapping of str to ndarray, shape (n_classes,)
        ``"q"``, share of edge weight that leaves the class; ``"error"``, share of its clips that
        their neighbours name wrongly.
    replicates : mapping of str to ndarray, shape (n_bootstrap, n_classes)
        The same over resampled clips, the same ones for every graph.
    raw : float
        Laplacian quadratic form, mean of the classes.
    weight : float
        Sum of all edge weights, each edge once.
    clips : int ndarray, shape (n_classes,)
        Clips of each class.
    diagnostics : GraphDiagnostics
    """

    layer: int
    name: str
    n_neighbors: int
    graph: str
    values: Mapping[str, np.ndarray]
    replicates: Mapping[str, np.ndarray]
    raw: float
    weight: float
    clips: np.ndarray
    diagnostics: GraphDiagnostics


def read_graphs(
    layers: Sequence[LayerGraph],
    labels: np.ndarray,
    n_neighbors: Sequence[int],
    symmetrise: str = "max",
    n_bootstrap: int = 500,
    seed: int = 0,
    progress: bool = False,
) -> list[GraphReading]:
    """Return what NNK, k-NN and k-NN as sparse as NNK say, at every layer and for every k.

    All graphs of a layer share its kernel, so that only the choice and the weights of neighbours
    differ. The error is that of the clip's own, directed neighbourhood, which a new clip would have
    too; everything else is read off the symmetric graph.

    Parameters
    ----------
    layers : sequence of LayerGraph
        Their distances are taken; their graphs are not used.
    labels : int ndarray, shape (n,)
    n_neighbors : sequence of int
        Values of k.
    symmetrise : {"max", "mean", "author"}
    n_bootstrap, seed : int
        Every graph is resampled with the same clips.

    Raises
    ------
    UserError
        If there is no k, or one that some clip has not enough similar clips for.
    """
    _check_candidates(layers, n_neighbors)
    options = {"symmetrise": symmetrise, "n_bootstrap": n_bootstrap, "seed": seed}
    readings = []
    for layer in tqdm(layers, "layers", disable=not progress):
        read = partial(_read, layer, similarity_kernel(layer.distance), labels, **options)
        for k in n_neighbors:
            nnk = read("nnk", k, k)
            fewer = max(1, round(nnk.diagnostics.mean_neighbours))
            readings += [nnk, read("knn", k, k), read("matched", k, fewer)]
    return readings


def _read(
    layer: LayerGraph,
    kernel: np.ndarray,
    labels: np.ndarray,
    name: str,
    k: int,
    width: int,
    *,
    symmetrise: str,
    n_bootstrap: int,
    seed: int,
) -> GraphReading:
    """Return what one graph says; ``width`` is the number of candidates that it is offered."""
    build = GRAPHS.get(name, knn_graph)
    graph, diagnostics = build(kernel, width, symmetrise)
    wrong = vote_errors(build(kernel, width, "none")[0], labels)
    classes = class_smoothness(graph, labels)
    q, q_again = resampled_smoothness(graph, labels, n_bootstrap, seed)
    errors_again = resampled_means(wrong, labels, np.random.default_rng(seed), n_bootstrap)
    values = {"q": q, "error": class_means(wrong, labels)}
    replicates = {"q": q_again, "error": errors_again}
    return GraphReading(
        layer.layer,
        layer.name,
        k,
        name,
        values,
        replicates,
        classes["raw"].mean(),
        graph.sum() / 2,
        classes["clips"].to_numpy(),
        diagnostics,
    )


def _check_candidates(layers: Sequence[LayerGraph], n_neighbors: Sequence[int]) -> None:
    """Raise unless every clip has k similar others at every layer, for every k."""
    if not layers or not n_neighbors or min(n_neighbors) < 1:
        raise UserError(
            f"need a layer and numbers of neighbours from 1, got {len(layers)} layers and "
            f"n_neighbors = {list(n_neighbors)}"
        )
    largest = max(n_neighbors)
    for layer in layers:
        others = (similarity_kernel(layer.distance) >= TOLERANCE).sum(axis=1) - 1
        if largest > others.min():
            raise UserError(
                f"n_neighbors asks for {largest} candidates, but clip {others.argmin()} has only "
                f"{others.min()} others with any similarity at layer {layer.layer} ({layer.name}), "
                f"of {len(others)} clips in all; take smaller values, or more clips a class"
            )


def comparison_table(readings: Sequence[GraphReading]) -> pd.DataFrame:
    """Return one row a layer, number of candidates and graph, means of the classes.

    Returns
    -------
    DataFrame
        Columns layer, layer_name, n_neighbors, graph; q with q_low and q_high, error with
        error_low and error_high (95 % intervals over resampled clips); raw (mean quadratic form of
        a class), weight and edges of the whole graph; neighbours of a clip before symmetrisation;
        isolated clips, ridge (clips whose candidate kernel was not positive definite); clips, those
        of the smallest_class, and chance (q of random labels).
    """
    rows = []
    for reading in readings:
        row = _place(reading) | {"graph": reading.graph}
        for measure in MEASURES:
            low, high = _interval(reading.replicates[measure])
            row |= {measure: reading.values[measure].mean(), f"{measure}_low": low, f"{measure}_high": high}
        d = reading.diagnostics
        rows.append(
            row
            | {
                "raw": reading.raw,
                "weight": reading.weight,
                "edges": d.n_edges,
                "neighbours": d.mean_neighbours,
                "isolated": d.n_isolated,
                "ridge": d.n_ridge,
                "clips": reading.clips.sum(),
                "smallest_class": reading.clips.min(),
                "chance": (1 - reading.clips / reading.clips.sum()).mean(),
            }
        )
    return pd.DataFrame(rows)


def difference_table(readings: Sequence[GraphReading]) -> pd.DataFrame:
    """Return NNK minus each of the other two graphs, with paired bootstrap intervals.

    Both graphs are resampled with the same clips, so that what varies with the clips in both alike
    drops out of the difference.

    Returns
    -------
    DataFrame
        Columns layer, layer_name, n_neighbors, against (``"knn"`` or ``"matched"``), measure
        (``"q"`` or ``"error"``), difference (negative where NNK is lower), low, high (95 %).
    """
    found = {(r.layer, r.n_neighbors, r.graph): r for r in readings}
    rows = []
    for nnk in (r for r in readings if r.graph == "nnk"):
        for against in RIVALS:
            rival = found[nnk.layer, nnk.n_neighbors, against]
            for measure in MEASURES:
                low, high = _interval(nnk.replicates[measure] - rival.replicates[measure])
                difference = (nnk.values[measure] - rival.values[measure]).mean()
                rows.append(
                    _place(nnk)
                    | {"against": against, "measure": measure, "difference": difference, "low": low, "high": high}
                )
    return pd.DataFrame(rows)


def _place(reading: GraphReading) -> dict:
    return {"layer": reading.layer, "layer_name": reading.name, "n_neighbors": reading.n_neighbors}


def _interval(replicates: np.ndarray) -> tuple[float, float]:
    """Return the 95 % percentile interval of the unweighted mean of the classes."""
    return smoothness_interval(replicates.mean(axis=1))


def gap_table(table: pd.DataFrame) -> pd.DataFrame:
    r"""Return how many times NNK's the raw form of k-NN is, and the factors that make it up.

    .. math:: \frac{\sum_c Q_c^{kNN}}{\sum_c Q_c^{NNK}} =
              \underbrace{\frac{E^{kNN}}{E^{NNK}}}_{\text{edges}} \cdot
              \underbrace{\frac{\bar w^{kNN}}{\bar w^{NNK}}}_{\text{weight of one}} \cdot
              \underbrace{\frac{s^{kNN}}{s^{NNK}}}_{\text{share that leaves}}

    The share s is that of the whole graph's weight that joins different classes. Only the last
    factor is about labels.

    Parameters
    ----------
    table : DataFrame
        From `comparison_table`.

    Returns
    -------
    DataFrame
        Columns layer, n_neighbors, raw, edges, edge_weight, share: ratios, k-NN over NNK. Left out
        are the graphs in which no edge leaves its class, for their ratio is not defined.
    """
    wide = table[table["graph"].isin(GRAPHS)].set_index(["layer", "n_neighbors", "graph"])
    wide = wide[["raw", "weight", "edges"]].unstack("graph")
    wide = wide[(wide["raw"] > 0).all(axis=1)]
    ratio = pd.DataFrame({c: wide[c, "knn"] / wide[c, "nnk"] for c in ("raw", "weight", "edges")})
    ratio["edge_weight"] = ratio["weight"] / ratio["edges"]
    ratio["share"] = ratio["raw"] / ratio["weight"]
    return ratio[["raw", "edges", "edge_weight", "share"]].reset_index()


def symmetrisation_table(layers: Sequence[LayerGraph], labels: np.ndarray, n_neighbors: int) -> pd.DataFrame:
    """Return label variation and error of both graphs for each way to make edges symmetric.

    Returns
    -------
    DataFrame
        Columns layer, graph, symmetrise, q, error (mean of the classes), edges, isolated. For
        ``"none"``, q is the mean share of a clip's own weight that leaves its class. The error is
        that of the graph itself, whose edges may come from either end.
    """
    _check_candidates(layers, [n_neighbors])
    rows = []
    for layer in layers:
        kernel = similarity_kernel(layer.distance)
        for name, symmetrise in product(GRAPHS, SYMMETRISATIONS):
            graph, diagnostics = GRAPHS[name](kernel, n_neighbors, symmetrise)
            q = (directed_smoothness if symmetrise == "none" else label_smoothness)(graph, labels)
            error = class_means(vote_errors(graph, labels), labels)
            rows.append(
                {
                    "layer": layer.layer,
                    "graph": name,
                    "symmetrise": symmetrise,
                    "q": q.mean(),
                    "error": error.mean(),
                    "edges": diagnostics.n_edges,
                    "isolated": diagnostics.n_isolated,
                }
            )
    return pd.DataFrame(rows)
