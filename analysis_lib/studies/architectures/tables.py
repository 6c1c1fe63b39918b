"""Networks that were trained on one dataset, put through the same clips, each beside its untrained twins."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypedDict

import numpy as np
import pandas as pd
import torch

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import clip_tensors
from analysis_lib.errors import UserError
from analysis_lib.files import DATA
from analysis_lib.geometry.curves import label_curves
from analysis_lib.geometry.embeddings import Embeddings
from analysis_lib.geometry.layerwise import dataset_graphs, layer_embeddings
from analysis_lib.geometry.node_separation import node_separation
from analysis_lib.geometry.smoothness import group_means
from analysis_lib.loading import Within, checked, read_json
from analysis_lib.networks.checkpoints import Checkpoint, load_checkpoint
from analysis_lib.networks.cost import multiplications, seconds_a_clip
from analysis_lib.networks.fusion import PUBLISHED, fused
from analysis_lib.networks.st_gdn import inverse_root
from analysis_lib.networks.titles import network_titles
from analysis_lib.networks.training.fit import evaluate
from analysis_lib.networks.untrained import untrained_twin
from analysis_lib.results.digest import canonical_json
from analysis_lib.statistics.intervals import percentile_interval, wilson_interval
from analysis_lib.statistics.several_networks import mean_of_draws

#: share of the layers after which a fall is late: layer 8 of 10, as the paper has it
LATE = 0.8
#: the network that the others are held to, if there is one
REFERENCE = "stgcn"
TIMED = 16  # clips


@dataclass(frozen=True, eq=False)
class Curve:
    """Mean label variation of the super-classes over the layers of one network, and how far its nodes are apart.

    Attributes
    ----------
    network : Checkpoint
        The trained one, of the twin too.
    draw : int
        0: trained; 1, 2, ...: draws of its untrained twin.
    q : ndarray, shape (L + 1,)
        The input first.
    replicates : ndarray, shape (n_replicates, L + 1)
        The same clips drawn again for all networks.
    separation : ndarray, shape (L + 1,)
        See `analysis_lib.geometry.node_separation`, mean over the classes; NaN where nodes are no joints.
    """

    network: Checkpoint
    draw: int
    q: np.ndarray
    replicates: np.ndarray
    separation: np.ndarray

    @property
    def place(self) -> dict:
        """Its columns in every table."""
        return {"network": self.network.name, "architecture": architecture(self.network), "draw": self.draw}


def architecture(network: Checkpoint) -> str:
    """Return what kind of network it is."""
    return network.card.get("architecture") or type(network.model).__name__


def titles(table: pd.DataFrame) -> dict[str, str]:
    """Return what the networks of a table are called (`analysis_lib.networks.titles.network_titles`).

    >>> titles(pd.DataFrame({"network": ["a", "b", "c"], "architecture": ["agcn", "stgcn", "agcn"]}))
    {'a': '2s-AGCN, a', 'b': 'ST-GCN', 'c': '2s-AGCN, c'}
    """
    return network_titles(table.drop_duplicates("network").set_index("network")["architecture"].to_dict())


def load_networks(names: Sequence[str], data: SkeletonDataset) -> list[Checkpoint]:
    """Return networks by their names (`analysis_lib.networks.checkpoints.load_checkpoint`), the reference first.

    Raises
    ------
    UserError
        If there is none.
    """
    if not names:
        raise UserError(f"no network is trained on {data.name}; stgbook train --dataset {data.name} trains one")
    found = [load_checkpoint(name, data) for name in dict.fromkeys(names)]
    return sorted(found, key=lambda network: architecture(network) != REFERENCE)


def same_stream(networks: Sequence[Checkpoint]) -> list[Checkpoint]:
    """Return the networks that see the same of a clip as the first one: joints, bones, or how either moves."""
    return [network for network in networks if network.preprocessing.stream == networks[0].preprocessing.stream]


def measure(
    networks: Sequence[Checkpoint],
    data: SkeletonDataset,
    train: SkeletonDataset,
    n_draws: int = 2,
    n_neighbors: int = 10,
    n_bootstrap: int = 500,
    seed: int = 0,
    people: np.ndarray | None = None,
) -> list[Curve]:
    """Return the curve of every network, and of each draw of its untrained twin.

    Parameters
    ----------
    networks : sequence of Checkpoint
    data : SkeletonDataset
        The clips that become nodes.
    train : SkeletonDataset
        The clips whose batch statistics the twins take.
    n_draws : int
        Draws of each twin.
    n_neighbors, n_bootstrap, seed, people
        As for `analysis_lib.geometry.layerwise.dataset_graphs` and `analysis_lib.geometry.curves.label_curves`.
    """
    found = []
    for network in networks:
        for draw, model in enumerate(_with_twins(network, train, n_draws)):
            embeddings = layer_embeddings(model, data, keep=False)
            curves = label_curves(dataset_graphs(embeddings, n_neighbors), data, n_bootstrap, seed, people)
            q, drawn = (group_means(values, curves.groups)[1].mean(axis=-1) for values in (curves.q, curves.replicates))
            found.append(Curve(network, draw, q, drawn.T, _separation(network, embeddings, data)))
    return found


def _with_twins(network: Checkpoint, train: SkeletonDataset, n_draws: int) -> Iterator[Checkpoint]:
    yield network
    x, _ = clip_tensors(train, network.preprocessing)
    yield from (untrained_twin(network, x, draw) for draw in range(n_draws))


def _separation(network: Checkpoint, embeddings: Embeddings, data: SkeletonDataset) -> np.ndarray:
    """Return how far joints are apart at the input and each layer, NaN where its nodes are no joints."""
    n_joints, other = data.skeleton.n_joints, getattr(network.model, "layer_nodes", None) or {}
    members = [np.flatnonzero(data.labels == c) for c in np.unique(data.labels)]
    values = []
    for name, x, lengths in zip(embeddings.layers, embeddings.features, embeddings.lengths, strict=True):
        joints = name not in other and "v" in network.axes.get(name, "v")
        values.append(
            np.mean([node_separation(x[mine], lengths[mine], n_joints) for mine in members]) if joints else np.nan
        )
    return np.array(values)


def curve_table(curves: Sequence[Curve]) -> pd.DataFrame:
    """Return label variation and separation of nodes by network, draw and layer.

    Returns
    -------
    DataFrame
        Columns network, architecture, draw (0: trained), layer (0: input), depth (layer over layers), q, low, high
        (95 % interval over clips drawn again), separation.
    """
    rows = []
    for curve in curves:
        low, high = percentile_interval(curve.replicates)
        for layer, values in enumerate(zip(curve.q, low, high, curve.separation, strict=True)):
            named = dict(zip(("q", "low", "high", "separation"), map(float, values), strict=True))
            rows.append(curve.place | {"layer": layer, "depth": layer / (len(curve.q) - 1)} | named)
    return pd.DataFrame(rows)


def shapes(q: np.ndarray) -> dict[str, np.ndarray]:
    r"""Return how far curves of layers 1..L fall, and when.

    Parameters
    ----------
    q : ndarray, shape (..., L)

    Returns
    -------
    dict of str to ndarray, shape (...)
        ``fall``: :math:`q_1 - q_L`; ``first half``: share of it up to the middle layer; ``late``: share of it
        after four fifths of the layers. Shares of no fall are NaN.

    Examples
    --------
    >>> {name: value.item() for name, value in shapes(np.array([1.0, 1.0, 0.75, 0.75, 0.0])).items()}
    {'fall': 1.0, 'first half': 0.25, 'late': 0.75}
    """
    depth = q.shape[-1]
    first, last, middle = q[..., 0], q[..., -1], q[..., (depth - 1) // 2]
    boundary = q[..., min(round(LATE * depth), max(depth - 1, 1)) - 1]
    fall = first - last
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = {"first half": (first - middle) / fall, "late": (boundary - last) / fall}
    return {"fall": fall} | {name: np.where(fall > 0, share, np.nan) for name, share in shares.items()}


def shape_table(curves: Sequence[Curve]) -> pd.DataFrame:
    """Return how far and when the trained networks' curves fall, with 95 % intervals over clips drawn again.

    Returns
    -------
    DataFrame
        Columns network, architecture, statistic, value, low, high. Beside those of `shapes`: ``twin's fall``,
        the mean of the draws; ``learnt``, the fall less that; ``less late``, how much less of its fall is late
        than of the first network's. Differences are paired: all curves are of the same clips. There are no shares
        (NaN) of a fall whose interval reaches zero.
    """
    trained = [curve for curve in curves if curve.draw == 0]
    rows, reference = [], _clear_shapes(trained[0])
    for curve in trained:
        found = _clear_shapes(curve)
        if twins := [_shapes(twin)["fall"] for twin in curves if twin.network is curve.network and twin.draw]:
            falls = np.stack(twins)
            mean, again = mean_of_draws(falls[:, 0], falls[:, 1:])
            found["twin's fall"] = np.array([mean, *again])
            found["learnt"] = found["fall"] - found["twin's fall"]
        if curve is not trained[0]:
            found["less late"] = reference["late"] - found["late"]
        for name, (value, *drawn) in found.items():
            low, high = percentile_interval(np.array(drawn))
            numbers = {"value": float(value), "low": float(low), "high": float(high)}
            rows.append(curve.place | {"statistic": name} | numbers)
    return pd.DataFrame(rows).drop(columns="draw")


def _shapes(curve: Curve) -> dict[str, np.ndarray]:
    """Return the `shapes` of a curve without the input, and behind each value its replicates."""
    return shapes(np.vstack([curve.q, curve.replicates])[:, 1:])


def _clear_shapes(curve: Curve) -> dict[str, np.ndarray]:
    """Return the same, with no shares of a fall whose interval reaches zero."""
    found = _shapes(curve)
    if percentile_interval(found["fall"][1:])[0] > 0:
        return found
    return {name: values if name == "fall" else np.full_like(values, np.nan) for name, values in found.items()}


def cost_table(networks: Sequence[Checkpoint], test: SkeletonDataset) -> pd.DataFrame:
    """Return one row a network: what it is, what it costs, how many test clips it names rightly.

    Returns
    -------
    DataFrame
        Columns network, architecture, stream, width, layers, frames, parameters, multiplications (of a clip),
        seconds (of a clip, on this machine, on one thread), passes (of a clip in training), machine and hours (of the
        training; NaN where the card does not tell), clips, accuracy, low, high (Wilson).
        Accuracy is its card's; of a network without a card it is taken on ``test``.
    """
    rows = []
    for network in networks:
        card = network.card or _scored(network, test)
        x, _ = clip_tensors(test.take(range(min(TIMED, len(test)))), network.preprocessing)
        rows.append(
            {
                "network": network.name,
                "architecture": architecture(network),
                "stream": network.preprocessing.stream,
                "width": card.get("arguments", {}).get("width", np.nan),
                "layers": len(network.layers),
                "frames": x.shape[2],
                "parameters": sum(p.numel() for p in network.model.parameters()),
                "multiplications": multiplications(network.model, x.shape[1:]),
                "seconds": _on_one_thread(network, x),
                "passes": card.get("epochs_run", 0) * card.get("recipe", {}).get("repeats", 1),
                "machine": card.get("machine", ""),
                "hours": _hours(card.get("history", [])),
                **_proportion(card["test_accuracy"] * card["n_test"], card["n_test"]),
            }
        )
    return pd.DataFrame(rows)


def _hours(history: Sequence[Mapping]) -> float:
    """Return how long a training took, from what its epochs took; NaN if one does not tell."""
    return sum((record.get("seconds", np.nan) for record in history), 0.0) / 3600 if history else np.nan


def _scored(network: Checkpoint, test: SkeletonDataset) -> dict:
    """Return what a card says of accuracy."""
    found = evaluate(network.model, test, network.preprocessing)
    return {"test_accuracy": found["accuracy"], "n_test": found["n"]}


def _on_one_thread(network: Checkpoint, x: np.ndarray) -> float:
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        return seconds_a_clip(network.model, x)
    finally:
        torch.set_num_threads(threads)


def fusion_table(networks: Sequence[Checkpoint], test: SkeletonDataset) -> pd.DataFrame:
    """Return the accuracy of networks that are alike but for the streams that they were trained on, alone and fused.

    Of several networks on one stream the first counts. Scores are taken on ``test``.

    Returns
    -------
    DataFrame
        Columns architecture, streams, weights (``"alone"``, ``"equal"``, or the published ones), clips, accuracy,
        low, high (Wilson).

    Raises
    ------
    UserError
        If no architecture has several streams.
    """
    rows, families = [], {}
    for network in networks:
        alike = architecture(network), canonical_json(network.card.get("arguments", {}))
        families.setdefault(alike, {}).setdefault(network.preprocessing.stream, network)
    several = {alike: streams for alike, streams in families.items() if len(streams) > 1}
    if not several:
        raise UserError("no kind of network is trained on several streams of these data")
    for (name, _), streams in several.items():
        scores = {
            stream: evaluate(one.model, test, one.preprocessing)["scores"] for stream, one in sorted(streams.items())
        }
        alone = [("alone", {stream: x}, None) for stream, x in scores.items()]
        published = " ".join(f"{weight:g}" for weight in map(PUBLISHED.get, scores))
        for weights, of, how in (*alone, ("equal", scores, None), (f"published, {published}", scores, PUBLISHED)):
            place = {"architecture": name, "streams": ", ".join(of), "weights": weights}
            hits = int((fused(of, how).argmax(axis=1) == test.labels).sum())
            rows.append(place | _proportion(hits, len(test)))
    return pd.DataFrame(rows, columns=["architecture", "streams", "weights", "clips", "accuracy", "low", "high"])


def _proportion(hits: float, n: int) -> dict:
    low, high = wilson_interval(hits, n)
    return {"clips": n, "accuracy": hits / n, "low": low, "high": high}


class Entry(TypedDict):
    """One published accuracy."""

    network: str
    accuracy: Annotated[float, Within(0, 1)]


class Board(TypedDict):
    """Published accuracies on one test split of so many clips."""

    clips: Annotated[int, Within(1, 10_000_000)]
    source: str
    published: list[Entry]


def leaderboard(dataset: str, costs: pd.DataFrame, fusions: pd.DataFrame | None) -> pd.DataFrame:
    """Return our networks beside published ones, the most accurate first, each with Wilson's interval.

    Parameters
    ----------
    dataset : str
        Whose published accuracies stand in ``data/leaderboards/DATASET.json``.
    costs, fusions : DataFrame
        From `cost_table` and `fusion_table`, if there is one.

    Returns
    -------
    DataFrame
        Columns network, whose (``"ours"`` or the source), clips, accuracy, low, high.

    Raises
    ------
    UserError
        If there are none for this dataset.
    """
    path = DATA / "leaderboards" / f"{dataset}.json"
    if not path.exists():
        raise UserError("no published accuracies on these data are kept")
    board = checked(read_json(path), Board, path)
    n = board["clips"]
    rows = [
        {"network": one["network"], "whose": board["source"]} | _proportion(one["accuracy"] * n, n)
        for one in board["published"]
    ]
    ours = [costs]
    if fusions is not None:
        streams = fusions["streams"].str.split(", ").str.len().astype(str) + " streams"
        names = fusions["architecture"] + ", " + streams + ", " + fusions["weights"].str.split(",").str[0] + " weights"
        ours.append(fusions.assign(network=names)[fusions["weights"] != "alone"])
    columns = ["network", "whose", "clips", "accuracy", "low", "high"]
    whole = pd.concat([pd.DataFrame(rows), *(one.assign(whose="ours") for one in ours)])[columns]
    return whole.sort_values("accuracy", ascending=False, kind="stable", ignore_index=True)


def root_table(
    x: np.ndarray, eps: Sequence[float] = (1e-5, 1e-3, 1e-1), iterations: Sequence[int] = range(1, 21)
) -> pd.DataFrame:
    r"""Return how close Newton-Schulz iterations come to the inverse root by which ST-GDN makes joints unlike.

    .. math:: e = \|Z - (C + \epsilon I)^{-1/2}\|_F \,/\, \|(C + \epsilon I)^{-1/2}\|_F

    C is the covariance of the joints over clips, frames and coordinates, each scaled to variance 1 as the first
    layer gets them; the truth is by eigenvalues.

    Parameters
    ----------
    x : ndarray, shape (N, C, T, V, M)
        Clips.
    eps : sequence of float
        Added to the variances.
    iterations : sequence of int

    Returns
    -------
    DataFrame
        Columns start (``"scaled"``, or ``"as printed"``: with C itself), eps, condition, iterations, error; infinite
        where numbers have outgrown themselves.
    """
    joints = np.moveaxis(x[..., 0], 3, 0).reshape(x.shape[3], -1)  # (V, N C T)
    joints = joints - joints.mean(axis=1, keepdims=True)
    spread = joints.std(axis=1, keepdims=True)
    covariance = np.cov(joints / np.where(spread > 0, spread, 1), bias=True).astype(float)
    rows = []
    for small in eps:
        c = covariance + small * np.eye(len(covariance))
        values, vectors = np.linalg.eigh(c)
        truth = vectors @ np.diag(values**-0.5) @ vectors.T
        for scaled in (True, False):
            for k in iterations:
                found = inverse_root(torch.from_numpy(c), k, scaled).numpy()
                with np.errstate(over="ignore", invalid="ignore"):
                    error = np.linalg.norm(found - truth) / np.linalg.norm(truth)
                row = {"start": "scaled" if scaled else "as printed", "eps": small, "condition": values[-1] / values[0]}
                rows.append(row | {"iterations": k, "error": error if np.isfinite(error) else np.inf})
    return pd.DataFrame(rows)
