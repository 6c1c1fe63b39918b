"""Layer by layer: embeddings, distances, dataset graphs and label smoothness, as one tidy table.

Embeddings, distances and graphs are computed once and shared by all chapters (`analysis_lib.results.store`).
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from inspect import signature

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, issparse

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import clip_tensors
from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.files import digest
from analysis_lib.geometry.embeddings import Embeddings, embed
from analysis_lib.geometry.graphs import GraphDiagnostics, knn_graph, nnk_graph, similarity_kernel
from analysis_lib.networks.checkpoints import Checkpoint, weights_digest
from analysis_lib.progress import progress_bar
from analysis_lib.results.digest import array_digest, module_digest
from analysis_lib.results.store import Store, open_store
from analysis_lib.warping.distances import windowed_dtw, windowed_dtw_between
from analysis_lib.warping.nearest import windowed_dtw_among, windowed_dtw_knn
from analysis_lib.warping.options import Warping
from analysis_lib.warping.windows import layer_lengths

GRAPHS = {"nnk": nnk_graph, "knn": knn_graph}
#: whom a clip may be joined to, and the numbers of a dataset that must differ for that
EDGES = {"all": None, "other people": "subjects", "other cameras": "views"}
#: the module that computes each kind of result
MODULES = {
    "embeddings": "analysis_lib.geometry.embeddings",
    "distances": "analysis_lib.warping.distances",
    "neighbours": "analysis_lib.warping.nearest",
    "graphs": "analysis_lib.geometry.graphs",
}
LOADED = {kind: module_digest(module) for kind, module in MODULES.items()}
#: options of `embed` that change how features are computed, but not what they are
MEANS = {"batch_size", "folder", "max_memory", "progress"}
#: environment variables: a Dask scheduler that computes the distances, or a CUDA device
SCHEDULER, DEVICE = "STGBOOK_SCHEDULER", "STGBOOK_DEVICE"
DENSE_LIMIT = 4000  # clips of which the distances of all pairs are computed, at most
MEMORY = 2**31  # bytes in which the nearest of more clips are sought


@dataclass(frozen=True)
class LayerGraph:
    """The dataset graph of one layer.

    Attributes
    ----------
    layer : int
        0 is the input.
    name : str
        Module name, or ``"input"``.
    known : ndarray or csr_array, shape (n, n)
        Windowed DTW distances in [0, 1]; of more than `DENSE_LIMIT` clips only those of each clip
        to its candidates, and of these to each other.
    graph : csr_array, shape (n, n)
        Symmetric weights, no self loops.
    diagnostics : GraphDiagnostics
    share : float
        Of all pairs, those whose distance was computed to find the candidates.
    build : callable
        From a kernel, a number of candidates and what may not be joined to the graph.
    n_neighbors : int
        Candidates of each node.
    apart : ndarray, shape (n,), optional
        Clips that share this number may not be joined.
    """

    layer: int
    name: str
    known: np.ndarray | csr_array
    graph: csr_array
    diagnostics: GraphDiagnostics
    share: float = 1.0
    build: Callable[..., tuple[csr_array, GraphDiagnostics]] = nnk_graph
    n_neighbors: int = 10
    apart: np.ndarray | None = None

    @property
    def distance(self) -> np.ndarray:
        """The distances of all pairs, shape (n, n); a UserError if the clips are too many for that."""
        if issparse(self.known):
            raise _too_many(self.known.shape[0])
        return self.known

    def among(self, kept: np.ndarray) -> csr_array:
        """Return the graph of some clips, built anew on their distances; with fewer candidates if they are few."""
        apart = None if self.apart is None else self.apart[kept]
        alike = 1 if apart is None else np.unique(apart, return_counts=True)[1].max()
        n_neighbors = min(self.n_neighbors, len(kept) - int(alike))
        return self.build(similarity_kernel(self.distance[np.ix_(kept, kept)]), n_neighbors, apart=apart)[0]


def layer_embeddings(network: Checkpoint, data: SkeletonDataset, keep: bool = True, **options) -> Embeddings:
    """Return the features of all clips at the input and at every layer of a network.

    Kept features are found again by the clips, the weights, and what the network says about the
    first clip: that changes with whatever else the network depends on, its code above all.

    Parameters
    ----------
    network : Checkpoint
    data : SkeletonDataset
    keep : bool
        Whether they go into the store: they are large, and what is asked for once would only drive others out.
    **options
        Go to `analysis_lib.geometry.embeddings.embed`, all but ``folder``: the store has its own.
    """
    options = {"axes": network.axes} | options
    x, lengths = clip_tensors(data, network.preprocessing)
    store = _open_store("embeddings") if keep else None
    if store is None:
        return embed(network.model, x, lengths, network.layers, **options)
    decisive = _deciding(embed, options)
    first = embed(network.model, x[:1], lengths[:1], network.layers, **decisive)
    inputs = {
        "clips": array_digest(x),
        "weights": weights_digest(network.model),
        "first": digest(*map(array_digest, first.features)),
    }
    names = [f"layer{i}" for i in range(len(first.layers))]  # as `embed` calls its files

    def make(folder):
        into_files = {"max_memory": 0, "folder": folder}
        found = embed(network.model, x, lengths, network.layers, **into_files | options)
        return dict(zip(names, found.features, strict=True))

    about = f"{network.name} on {len(data)} clips of {data.name}"
    values = store.fetch(
        "embeddings", inputs, {"layers": network.layers, **decisive}, LOADED["embeddings"], make, about
    )
    features = tuple(values[name] for name in names)
    valid = tuple(layer_lengths(lengths, x.shape[2], f.shape[1]) for f in features)
    return Embeddings(first.layers, features, valid)


def dataset_graphs(
    embeddings: Embeddings,
    n_neighbors: int,
    graph: str = "nnk",
    symmetrise: str = "max",
    how: Warping = Warping(),
    *,
    apart: np.ndarray | None = None,
    progress: bool = False,
) -> list[LayerGraph]:
    """Return the dataset graph of every layer, the input first.

    The kernel is :math:`K = 1 - \\mathrm{wDTW}`, the windowed mean cosine along the warping path.
    A layer that is done is kept: interrupted and called again, this goes on with the next one.

    Of more than `DENSE_LIMIT` clips the candidates are sought, here, without the matrix of all
    pairs. The graph is the same but where distances differ by less than 1e-5: products of tiles
    that are cut differently are rounded differently.

    Parameters
    ----------
    embeddings : Embeddings
    n_neighbors : int
        Candidates of each node.
    graph : {"nnk", "knn"}
    symmetrise : {"max", "mean", "author"}
    how : Warping
    apart : ndarray, shape (n,), optional
        Clips that share this number are never joined (`kept_apart`).
    progress : bool
        Show a bar.
    """
    layers = range(len(embeddings.layers))
    return [
        layer_graph(embeddings, layer, n_neighbors, graph, symmetrise, how, apart=apart, progress=progress)
        for layer in progress_bar(layers, "layers", progress)
    ]


def layer_graph(
    embeddings: Embeddings,
    layer: int,
    n_neighbors: int,
    graph: str = "nnk",
    symmetrise: str = "max",
    how: Warping = Warping(),
    *,
    apart: np.ndarray | None = None,
    progress: bool = False,
) -> LayerGraph:
    """Return the dataset graph of one layer.

    Parameters
    ----------
    layer : int
        0 is the input.
    n_neighbors, graph, symmetrise, how, apart, progress
        As for `dataset_graphs`.

    Raises
    ------
    UserError
        If there is no such layer, or no such kind of graph.
    """
    if graph not in GRAPHS:
        raise unknown_choice("graph", graph, GRAPHS)
    if not 0 <= layer < len(embeddings.layers):
        raise UserError(f"layers are 0 (the input) to {len(embeddings.layers) - 1}, got {layer}")
    name, share = embeddings.layers[layer], 1.0
    if len(embeddings.features[layer]) <= DENSE_LIMIT:
        known = distances_at(embeddings, layer, how)
    else:
        known, share = _nearest_distances(embeddings, layer, n_neighbors, how, progress)
    weights, diagnostics = _layer_graph(known, graph, n_neighbors, symmetrise, apart)
    build = partial(GRAPHS[graph], symmetrise=symmetrise)
    return LayerGraph(layer, name, known, weights, diagnostics, share, build, n_neighbors, apart)


def distances_at(embeddings: Embeddings, layer: int, how: Warping = Warping()) -> np.ndarray:
    """Return the windowed DTW distances of all pairs of clips at one layer (`stored_distances`)."""
    x, lengths, name = embeddings.features[layer], embeddings.lengths[layer], embeddings.layers[layer]
    return stored_distances(x, lengths, how=how, about=name, known={"features": embeddings.digests[layer]})


def kept_apart(data: SkeletonDataset, edges: str) -> np.ndarray | None:
    """Return the numbers that clips must not share to be joined, shape (n,); None where all may be.

    Parameters
    ----------
    data : SkeletonDataset
        The clips that are the nodes.
    edges : {"all", "other people", "other cameras"}
        Whom a clip may be joined to.

    Raises
    ------
    UserError
        If who or which camera is not known of every clip, or there is only one.
    """
    if edges not in EDGES:
        raise unknown_choice("kind of edges", edges, EDGES)
    if EDGES[edges] is None:
        return None
    numbers = getattr(data, EDGES[edges])
    if (numbers < 0).any() or len(np.unique(numbers)) < 2:
        raise UserError(
            f"edges to {edges} need {EDGES[edges]} that are known of all clips, two or more; "
            f"of these {len(data)} they are {', '.join(map(str, np.unique(numbers)))}"
        )
    return numbers


def stored_distances(
    x: np.ndarray,
    lengths: np.ndarray,
    references: np.ndarray | None = None,
    reference_lengths: np.ndarray | None = None,
    how: Warping = Warping(),
    *,
    about: str = "",
    known: Mapping[str, str] = {},
    progress: bool = False,
) -> np.ndarray:
    """Return windowed DTW distances, those that were computed before from the store.

    They are computed where ``stgbook`` was told to: by the machines of the Dask scheduler
    ``$STGBOOK_SCHEDULER``, on the device ``$STGBOOK_DEVICE`` (``cuda``, ``cuda:1``), or here.

    Parameters
    ----------
    x : float ndarray or memmap, shape (n, T, D)
    lengths : int ndarray, shape (n,)
    references : float ndarray or memmap, shape (r, T, D), optional
        What the clips are compared with; with each other by default.
    reference_lengths : int ndarray, shape (r,), optional
    how : Warping
    about : str
        What they are distances of, in a few words, for ``stgbook cache``.
    known : mapping of str to str
        Digests that need not be taken: of ``"features"`` and ``"references"``.
    progress : bool
        Show a bar.

    Returns
    -------
    ndarray, shape (n, n) or (n, r)
        As from `analysis_lib.warping.distances.windowed_dtw` or ``windowed_dtw_between``.

    Raises
    ------
    UserError
        If all pairs of more than `DENSE_LIMIT` clips are asked for; or as `windowed_dtw`.
    """
    if references is None and len(x) > DENSE_LIMIT:
        raise _too_many(len(x))
    given = {"features": x, "lengths": lengths}
    device = os.environ.get(DEVICE) or "cpu"
    place = {"scheduler": os.environ.get(SCHEDULER) or None, "device": device, "progress": progress}
    if references is None:
        compute = partial(windowed_dtw, x, lengths, how, **place)
    else:
        given |= {"references": references, "reference_lengths": reference_lengths}
        compute = partial(windowed_dtw_between, x, references, lengths, reference_lengths, how, **place)
    inputs = {name: known.get(name) or array_digest(value) for name, value in given.items()}
    options = asdict(how) | {"device": device}
    return _kept("distances", inputs, options, lambda folder: {"distance": compute()}, about)["distance"]


def _too_many(n: int) -> UserError:
    return UserError(
        f"the distances of all pairs are computed of at most {DENSE_LIMIT:,} clips, and these are {n:,}; "
        "take fewer clips a class"
    )


def _nearest_distances(
    embeddings: Embeddings, layer: int, k: int, how: Warping, progress: bool
) -> tuple[csr_array, float]:
    """Return the distances of each clip to its k nearest, and of these to each other; the share of pairs computed."""
    x, lengths = embeddings.features[layer], embeddings.lengths[layer]

    def make(folder):
        found = windowed_dtw_knn(x, k, lengths, how, progress=progress, max_memory=MEMORY)
        known = windowed_dtw_among(x, found.indices, lengths, how, max_memory=MEMORY)
        return {"known": known, "share": found.n_computed / found.n_pairs}

    inputs = {"features": embeddings.digests[layer], "lengths": array_digest(lengths)}
    about = f"{k} nearest, {embeddings.layers[layer]}"
    values = _kept("neighbours", inputs, asdict(how) | {"k": k}, make, about)
    return values["known"], values["share"]


def _layer_graph(
    known: np.ndarray | csr_array, graph: str, n_neighbors: int, symmetrise: str, apart: np.ndarray | None
) -> tuple[csr_array, GraphDiagnostics]:
    """Return the graph on given distances, and how it came out."""

    def make(folder):
        weights, diagnostics = GRAPHS[graph](similarity_kernel(known), n_neighbors, symmetrise, apart)
        return {"weights": weights, "diagnostics": asdict(diagnostics)}

    options = {"graph": graph, "n_neighbors": n_neighbors, "symmetrise": symmetrise}
    about = f"{graph}, {n_neighbors} neighbours, {symmetrise}"
    parts = (known.data, known.indices, known.indptr) if issparse(known) else (known,)
    inputs = {"distance": digest(*map(array_digest, parts))}
    inputs |= {} if apart is None else {"apart": array_digest(apart)}
    values = _kept("graphs", inputs, options, make, about)
    return values["weights"], GraphDiagnostics(**values["diagnostics"])


def _kept(kind: str, inputs: Mapping, options: Mapping, make: Callable, about: str) -> dict:
    """Return what ``make`` makes, from the store if there is one."""
    if store := _open_store(kind):
        return store.fetch(kind, inputs, options, LOADED[kind], make, about)
    return make(None)


def _open_store(kind: str) -> Store | None:
    """Return the store, unless the code of this kind was edited after it had been loaded."""
    return open_store() if module_digest(MODULES[kind]) == LOADED[kind] else None


def _deciding(function: Callable, given: Mapping) -> dict:
    """Return the options of a call, defaults included, that decide its result."""
    parameters = signature(function).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    return {name: value for name, value in (defaults | dict(given)).items() if name not in MEANS}


def graph_table(layers: list[LayerGraph]) -> pd.DataFrame:
    """Return one row a layer: mean distance (where all are known), edges, and what the solver counted."""
    rows = []
    for layer in layers:
        dense = not issparse(layer.known)
        mean = layer.distance[np.triu_indices_from(layer.distance, 1)].mean() if dense else None
        rows.append({"layer": layer.layer, "name": layer.name, "mean_distance": mean} | vars(layer.diagnostics))
    return pd.DataFrame(rows)
