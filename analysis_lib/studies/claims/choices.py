"""Label variation under every choice that a paper leaves open, as one tidy table.

A file of claims declares the choices, ``"grid": {"split": ["test", "train"], "n_neighbors": [10, 20], ...}``, the
book's own first. All combinations are read off the same distances, of which there are only as many as splits,
numbers of windows and reductions.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd

from analysis_lib.chapters.editions import edition_names, load_edition
from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import clip_tensors
from analysis_lib.datasets.sampling import left_out_groups, sample_per_class
from analysis_lib.errors import UserError
from analysis_lib.geometry.embeddings import Embeddings, reduced
from analysis_lib.geometry.graphs import similarity_kernel
from analysis_lib.geometry.layerwise import GRAPHS, distances_at, layer_embeddings
from analysis_lib.geometry.smoothness import label_smoothness
from analysis_lib.networks.axes import layer_axes, node_count
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.progress import progress_bar
from analysis_lib.statistics.intervals import left_out
from analysis_lib.warping.options import Warping

#: what may be chosen
OPTIONS = ("split", "n_windows", "reduce", "n_neighbors", "graph")
RECHECKED = (1, 8, 9, 10)  # layers whose distances are recorded, so that others can follow the claim on them
COLUMNS = [*OPTIONS, "without", "layer", "group", "name", "clips", "q"]


def check_edition(edition: str, dataset: str) -> None:
    """Raise UserError if a shipped edition, whose tables are read, is of another dataset.

    >>> check_edition("nw-ucla", "nw-ucla"), check_edition("mine", "mine.npz")
    (None, None)
    """
    if edition in edition_names() and (own := load_edition(edition).dataset) != dataset:
        raise UserError(
            f"the tables of edition '{edition}' are of '{own}', and these clips of '{dataset}'; name the edition"
        )


def choice_table(
    network: Checkpoint,
    data: SkeletonDataset,
    grid: Mapping[str, Sequence],
    splits: Mapping[str, str],
    n_per_class: int,
    seed: int = 0,
    progress: bool = False,
) -> pd.DataFrame:
    """Return label variation by layer and class under every combination of choices.

    Parameters
    ----------
    network : Checkpoint
    data : SkeletonDataset
    grid : mapping of str to sequence
        Values of each of `OPTIONS`, the book's own first.
    splits : mapping of str to str
        What the data call each split of the grid.
    n_per_class, seed : int
        As for `analysis_lib.datasets.sampling.sample_per_class`.

    Returns
    -------
    DataFrame
        Columns `OPTIONS`, without, layer (from 1), group, name and clips of the class, q. What cannot be chosen here
        (joints of a layer without them, more neighbours than clips) has no rows.
        Where all is the book's own but perhaps the graph, there are further rows: with one person after another left
        out (``without`` is their number, else -1) and graphs built anew.

    Raises
    ------
    UserError
        If no choices are declared.
    """
    if not grid:
        raise UserError("these claims declare no open choices")
    frames = [pd.DataFrame(columns=COLUMNS)]
    for given, nodes, distances in _compared(network, data, grid, splits, n_per_class, seed, progress):
        for k, graph in product([k for k in grid["n_neighbors"] if k < len(nodes)], grid["graph"]):
            chosen = given | {"n_neighbors": k, "graph": graph}
            own = all(chosen[name] == grid[name][0] for name in OPTIONS if name != "graph")
            found = {-1: _variation(distances, nodes.labels, graph, k)}
            found |= _without_people(distances, nodes, graph, k) if own else {}
            frames += [_rows(nodes, q).assign(**chosen, without=who) for who, q in found.items()]
    return pd.concat(frames[1:] or frames, ignore_index=True)[COLUMNS]


def distance_tables(
    network: Checkpoint,
    data: SkeletonDataset,
    grid: Mapping[str, Sequence],
    splits: Mapping[str, str],
    n_per_class: int,
    seed: int = 0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the distances behind the book's own choices at the layers `RECHECKED`, and what their clips show.

    Parameters
    ----------
    network, data, grid, splits, n_per_class, seed
        As for `choice_table`.

    Returns
    -------
    distances : DataFrame
        One row a pair of clips: one, other, and a column a layer, ``layer_8`` say; five digits are kept.
    clips : DataFrame
        One row a clip, in the order of its number: name (of the class), group, person.
    """
    own = {name: values[:1] for name, values in grid.items()}
    ((_, nodes, layers),) = _compared(network, data, own, splits, n_per_class, seed)
    one, other = np.triu_indices(len(nodes), 1)
    kept = {layer: layers[layer - 1] for layer in RECHECKED if layer <= len(layers)}
    distances = {"one": one, "other": other}
    distances |= {f"layer_{layer}": found[one, other].astype(float).round(5) for layer, found in kept.items()}
    names, groups = ([of[c] for c in nodes.labels] for of in (nodes.class_names, nodes.groups))
    return pd.DataFrame(distances), pd.DataFrame({"name": names, "group": groups, "person": nodes.subjects})


def _compared(
    network: Checkpoint,
    data: SkeletonDataset,
    grid: Mapping[str, Sequence],
    splits: Mapping[str, str],
    n_per_class: int,
    seed: int,
    progress: bool = False,
) -> Iterator[tuple[dict, SkeletonDataset, list[np.ndarray]]]:
    """Yield split, windows and reduction, the clips that are compared, and their distances at each layer.

    A reduction that is one of several is passed over where a layer has no joints.
    """
    for split in grid["split"]:
        nodes = data.split(splits[split])
        nodes = nodes.take(sample_per_class(nodes.labels, n_per_class, seed))
        embeddings, counts = layer_embeddings(network, nodes, progress=progress), _node_counts(network, nodes)
        jobs = [*product(grid["n_windows"], grid["reduce"])]
        for n_windows, reduce in progress_bar(jobs, f"choices, {split}", progress):
            if reduce == "joint" and 1 in counts and len(grid["reduce"]) > 1:
                continue
            given = {"split": split, "n_windows": n_windows, "reduce": reduce}
            yield given, nodes, _distances(reduced(embeddings, counts, reduce), Warping(n_windows=n_windows))


def _node_counts(network: Checkpoint, data: SkeletonDataset) -> list[int]:
    """Return how many joints, or other nodes, the input and each layer have; 1 where there is no axis of them."""
    shape = clip_tensors(data.take([0]), network.preprocessing)[0].shape[1:]
    axes, joints = layer_axes(network.model, shape, network.layers, network.axes), shape[2]
    return [joints, *(node_count(network.model, k, joints) if "v" in axes[k] else 1 for k in network.layers)]


def _distances(embeddings: Embeddings, how: Warping) -> list[np.ndarray]:
    """Return the distances of all pairs of clips at each layer, without the input."""
    return [distances_at(embeddings, layer, how) for layer in range(1, len(embeddings.layers))]


def _variation(distances: Sequence[np.ndarray], labels: np.ndarray, graph: str, k: int) -> np.ndarray:
    """Return label variation by layer and class, (L, n_classes)."""
    k = min(k, len(labels) - 1)
    return np.stack([label_smoothness(GRAPHS[graph](similarity_kernel(d), k)[0], labels) for d in distances])


def _without_people(
    distances: Sequence[np.ndarray], data: SkeletonDataset, graph: str, k: int
) -> Mapping[int, np.ndarray]:
    """Return label variation with one person after another left out; nothing where too few are seen."""

    def among(kept: np.ndarray) -> np.ndarray:
        return _variation([d[np.ix_(kept, kept)] for d in distances], data.labels[kept], graph, k)

    try:
        groups = left_out_groups(data)[0]
        return dict(zip(np.unique(groups).tolist(), left_out(groups, among), strict=True))
    except UserError:
        return {}


def _rows(data: SkeletonDataset, q: np.ndarray) -> pd.DataFrame:
    """Return label variation (L, n_classes), one a row; six digits are kept."""
    classes, clips = np.unique(data.labels, return_counts=True)
    layers = range(1, len(q) + 1)
    of_classes = {"group": [data.groups[c] for c in classes], "name": [data.class_names[c] for c in classes]}
    columns = {"layer": np.repeat(layers, len(classes))}
    columns |= {name: [*values] * len(q) for name, values in {**of_classes, "clips": clips}.items()}
    return pd.DataFrame(columns | {"q": q.ravel().round(6)})
