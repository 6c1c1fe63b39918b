"""Disturbed clips in a clean data set: label smoothness and accuracy, as tidy tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.faults import OF_PLACES, PERTURBATIONS, noise_levels
from analysis_lib.datasets.preparation.recipe import Preprocessing, clip_tensors
from analysis_lib.datasets.sampling import usual_actions
from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.files import digest
from analysis_lib.geometry.curves import redrawn_smoothness
from analysis_lib.geometry.embeddings import Embeddings
from analysis_lib.geometry.graphs import similarity_kernel
from analysis_lib.geometry.layerwise import LayerGraph, dataset_graphs, layer_embeddings, layer_graph, stored_distances
from analysis_lib.geometry.learnt import LEARNT, beside_untrained, learnt_rows
from analysis_lib.geometry.smoothness import smoothness_interval
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.training.fit import evaluate
from analysis_lib.progress import progress_bar
from analysis_lib.results.digest import array_digest
from analysis_lib.statistics.intervals import mean_interval, percentile_interval, unseen_share, wilson_interval
from analysis_lib.statistics.several_networks import SEEDS, seed_range
from analysis_lib.warping.options import Warping

#: sets of clips that accuracy is given for, beside the single actions
CHOSEN, ALL = "chosen actions", "all clips"


def choose_actions(data: SkeletonDataset, actions: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the actions that are disturbed: those given, else `usual_actions`; some stay clean.

    Raises
    ------
    UserError
        If an action has no clip in ``data`` (those that have are listed), or there is only one.
    """
    present = [data.class_names[c] for c in np.unique(data.labels)]
    if len(present) < 2:
        raise UserError(f"noise needs clips of at least two actions, and dataset '{data.name}' has one here")
    for name in actions:
        if name not in present:
            raise unknown_choice(f"action with clips in '{data.name}'", name, present)
    return tuple(dict.fromkeys(actions) or usual_actions(data, max(1, len(present) - 1)))


def of_actions(data: SkeletonDataset, actions: Sequence[str]) -> np.ndarray:
    """Return which clips show one of the actions, bool of shape (n,)."""
    return np.isin(data.labels, [data.class_names.index(name) for name in actions])


def disturbed(
    network: Checkpoint, data: SkeletonDataset, kind: str, strength: float, seed: int = 0, **options
) -> tuple[Checkpoint, SkeletonDataset, np.ndarray]:
    """Return the network without preparations, clips as it is given them, disturbed, and the strength of each.

    Parameters
    ----------
    kind : str
        Key of `analysis_lib.datasets.faults.PERTURBATIONS`; that is given ``strength`` and ``**options``.
    """
    if kind not in PERTURBATIONS:
        raise unknown_choice("perturbation", kind, PERTURBATIONS)
    x, lengths = clip_tensors(data, network.preprocessing)
    n = data.n_coordinates if kind in OF_PLACES else x.shape[1]
    places, achieved = PERTURBATIONS[kind](x[:, :n], lengths, strength, np.random.default_rng(seed), **options)
    x = np.concatenate([places, x[:, n:]], axis=1)
    sequences = [clip[:, :n].transpose(3, 1, 2, 0) for clip, n in zip(x, lengths, strict=True)]
    as_it_is = Preprocessing(frames=x.shape[2], fit="pad", steps=(), bodies=x.shape[4])
    return replace(network, preprocessing=as_it_is), replace(data, sequences=tuple(sequences)), achieved


@dataclass(frozen=True, eq=False)
class NoisyCurves:
    """Label variation of some actions, clean and with noise, and what it might be for other clips or people.

    Attributes
    ----------
    data : SkeletonDataset
        The clips that are the nodes.
    actions : tuple of str
        The A actions whose clips are disturbed.
    layers : tuple of str
        The L layers, the input first.
    found : dict of (str, float) to (int, ndarray, ndarray)
        By what is noisy (``"none"``, ``"chosen"`` or ``"all"``) and PSNR (NaN without noise): number of draws, q of
        shape (L, A), and its replicates, (R, L, A), of the same draws under all conditions and in all networks.
    """

    data: SkeletonDataset
    actions: tuple[str, ...]
    layers: tuple[str, ...]
    found: Mapping[tuple[str, float], tuple[int, np.ndarray, np.ndarray]]

    @property
    def clean(self) -> tuple[np.ndarray, np.ndarray]:
        """Label variation without noise, (L, A), and its replicates."""
        return next(found[1:] for (noisy, _), found in self.found.items() if noisy == "none")

    def mean_change(self, noisy: str, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Return how noise changes label variation, mean of the actions, (L,), and its replicates, (R, L)."""
        _, q, replicates = self.found[noisy, level]
        return (q - self.clean[0]).mean(axis=-1), (replicates - self.clean[1]).mean(axis=-1)


def noisy_curves(
    network: Checkpoint,
    data: SkeletonDataset,
    actions: Sequence[str],
    levels: Sequence[float],
    clean: Embeddings,
    n_neighbors: int,
    n_seeds: int = 3,
    seed: int = 0,
    n_bootstrap: int = 500,
    how: Warping = Warping(),
    control: bool = True,
    people: np.ndarray | None = None,
    progress: bool = False,
) -> NoisyCurves:
    """Return the label variation of some actions by layer, clean and with Gaussian noise.

    The NNK graph is built anew on the mixed set: noisy clips of the chosen actions, clean clips of
    all others. There the noise itself tells the actions apart. As a control, the noisiest level is
    put on all clips too; its draw is the first of those on the chosen actions.

    Parameters
    ----------
    network : Checkpoint
    data : SkeletonDataset
        The clips that are the nodes.
    actions : sequence of str
        From `choose_actions`.
    levels : sequence of float
        PSNR in decibels.
    clean : Embeddings
        Of ``data``; only noisy clips go through the network again.
    n_neighbors : int
        Candidates of each node.
    n_seeds, seed : int
        Draws of the noise on the chosen actions, from the generators ``seed``, ``seed + 1``, ...
    how : Warping
    control : bool
        Whether noise is put on all clips too.
    n_bootstrap, people
        As for `analysis_lib.geometry.curves.redrawn_smoothness`. The same clips or people are drawn on all graphs, so
        that the interval of a change is that of a paired difference.

    Raises
    ------
    UserError
        If there is no level or no draw, or a level is not finite.
    """
    levels, seeds = noise_levels(levels), _seeds(n_seeds, seed)
    where = {"chosen": of_actions(data, actions), "all": np.ones(len(data), bool)}
    jobs = [("chosen", level, draw) for level in levels for draw in seeds] + [("all", min(levels), seed)] * control
    graphs = dataset_graphs(clean, n_neighbors, how=how)
    read = partial(redrawn_smoothness, labels=data.labels, n=n_bootstrap, seed=seed, people=people)
    found = {("none", np.nan): [[read(graph) for graph in graphs]]}
    for noisy, level, draw in progress_bar(jobs, "graphs", progress):
        bare, clips, _ = disturbed(network, data, "noise", level, draw)
        features = layer_embeddings(bare, clips.take(np.flatnonzero(where[noisy])), keep=False)
        mixed = (_mixed_graph(clean, graph, features, where[noisy], how) for graph in graphs)
        found.setdefault((noisy, level), []).append([read(graph) for graph in mixed])
    places = np.searchsorted(np.unique(data.labels), [data.class_names.index(name) for name in actions])
    means = {condition: (len(draws), *_draw_mean(draws, places)) for condition, draws in found.items()}
    return NoisyCurves(data, tuple(actions), tuple(clean.layers), means)


def noise_smoothness(curves: NoisyCurves) -> pd.DataFrame:
    """Return the label variation of some actions by layer, clean and with Gaussian noise.

    Returns
    -------
    DataFrame
        Columns noisy (``"none"``, ``"chosen"`` or ``"all"``), psnr (NaN without noise), draws,
        layer, layer_name, group, name, q (mean over draws), low, high, and change (to the clean
        graph) with change_low and change_high.
    """
    n_layers, n_actions = len(curves.layers), len(curves.actions)
    groups = [curves.data.groups[curves.data.class_names.index(name)] for name in curves.actions]
    before, tables = curves.clean, []
    for (noisy, psnr), (draws, q, replicates) in curves.found.items():
        (low, high), (change_low, change_high) = map(smoothness_interval, (replicates, replicates - before[1]))
        columns = {"q": q, "low": low, "high": high, "change": q - before[0]}
        columns |= {"change_low": change_low, "change_high": change_high}
        index = {"noisy": noisy, "psnr": psnr, "draws": draws, "layer": np.repeat(range(n_layers), n_actions)}
        index |= {"layer_name": np.repeat(curves.layers, n_actions)}
        index |= {"group": groups * n_layers, "name": [*curves.actions] * n_layers}
        tables.append(pd.DataFrame(index | {name: values.ravel() for name, values in columns.items()}))
    return pd.concat(tables, ignore_index=True)


def other_curves(networks: Sequence[Checkpoint], curves: NoisyCurves, n_neighbors: int, **options) -> list[NoisyCurves]:
    """Return the same curves of other networks, noise of the strongest level on the chosen actions alone.

    Parameters
    ----------
    networks : sequence of Checkpoint
        Each sees one draw of the noise.
    curves : NoisyCurves
        Of the network that these stand beside.
    n_neighbors, **options
        As for `noisy_curves`: ``seed``, ``n_bootstrap``, ``how``, ``people``.
    """
    level = min(psnr for noisy, psnr in curves.found if noisy == "chosen")
    given = {"n_seeds": 1, "control": False} | options
    found = ((network, layer_embeddings(network, curves.data)) for network in networks)
    return [noisy_curves(net, curves.data, curves.actions, [level], of, n_neighbors, **given) for net, of in found]


def learnt_noise(
    trained: NoisyCurves, untrained: Sequence[NoisyCurves], seeds: Sequence[NoisyCurves] = ()
) -> pd.DataFrame:
    r"""Return how noise changes label variation in a network and in untrained ones, mean of the chosen actions.

    Noise is on these actions alone, at the strongest level: it marks them in any network, so that what was learnt is
    the difference, :math:`\delta_l`.

    Returns
    -------
    DataFrame
        Columns psnr, draws (untrained networks), layer, layer_name, those of
        `analysis_lib.geometry.learnt.learnt_rows`, seeds_low and seeds_high (the least and the most of the network and
        of ``seeds``, which were trained with others), growth, growth_low and growth_high: :math:`\delta_l - \delta_1`,
        NaN at the input. No rows without untrained networks.
    """
    if not untrained:
        return pd.DataFrame(columns=_LEARNT)
    ((noisy, level),) = (key for key in untrained[0].found if key[0] == "chosen")
    both = trained.mean_change(noisy, level), [curves.mean_change(noisy, level) for curves in untrained]
    (*_, difference), (*_, again) = beside_untrained(*both)
    growth = np.full((3, len(difference)), np.nan)
    growth[0, 1:] = difference[1:] - difference[1]
    growth[1:, 1:] = percentile_interval(again[:, 1:] - again[:, 1:2])
    places = {"psnr": level, "draws": len(untrained), "layer": np.arange(len(difference)), "layer_name": trained.layers}
    places |= seed_range([curves.mean_change(noisy, level)[0] for curves in (trained, *seeds)])
    return learnt_rows(*both).assign(**places, **dict(zip(_GROWTH, growth, strict=True)))[[*_LEARNT]]


_GROWTH = ("growth", "growth_low", "growth_high")
_LEARNT = ("psnr", "draws", "layer", "layer_name", *LEARNT, *SEEDS, *_GROWTH)


def _draw_mean(draws: list[list[tuple]], places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return q (layers, actions) and its replicates (replicates, layers, actions), means of the draws."""
    q, replicates = (np.mean([[layer[i] for layer in draw] for draw in draws], axis=0) for i in (0, 1))
    return q[:, places], np.moveaxis(replicates, 1, 0)[..., places]


def _seeds(n_seeds: int, seed: int) -> range:
    if n_seeds < 1:
        raise UserError(f"n_seeds must be at least 1, got {n_seeds}")
    return range(seed, seed + n_seeds)


def _mixed_graph(
    clean: Embeddings, graph: LayerGraph, noisy: Embeddings, where: np.ndarray, how: Warping
) -> LayerGraph:
    """Return the NNK graph of one layer with some clips replaced; other distances are kept."""
    if where.all():
        return layer_graph(noisy, graph.layer, graph.n_neighbors, how=how)
    features, lengths = np.array(clean.features[graph.layer]), clean.lengths[graph.layer]
    features[where] = noisy.features[graph.layer]
    known = {"references": digest(clean.digests[graph.layer], noisy.digests[graph.layer], array_digest(where))}
    about = f"noise, {graph.name}"
    rows = stored_distances(features[where], lengths[where], features, lengths, how, about=about, known=known)
    rows[:, where] = (rows[:, where] + rows[:, where].T) / 2  # equal but for rounding
    distance = graph.distance.copy()
    distance[where], distance[:, where] = rows, rows.T
    np.fill_diagonal(distance, 0)
    return replace(graph, known=distance, graph=graph.build(similarity_kernel(distance), graph.n_neighbors)[0])


def climb_table(smoothness: pd.DataFrame) -> pd.DataFrame:
    r"""Return how far each curve climbs at most, :math:`\max_{i \le j} q_j - q_i` over layers.

    0 is what the paper calls steady: a curve that never increases. The input is left out.

    Parameters
    ----------
    smoothness : DataFrame
        From `noise_smoothness`.

    Returns
    -------
    DataFrame
        Columns noisy, psnr, name, climb, and margin: half the mean width of the 95 % intervals of
        the curve's points, below which a climb says little.

    Examples
    --------
    >>> curve = pd.DataFrame({"layer": range(6), "q": [9, 3, 1, 2, 1, 2.5], "low": 0, "high": 4})
    >>> climb_table(curve.assign(noisy="none", psnr=np.nan, name="hop"))[["climb", "margin"]]
       climb  margin
    0    1.5     2.0
    """
    rows = []
    curves = smoothness[smoothness["layer"] > 0].sort_values("layer", kind="stable")
    for key, part in curves.groupby(["noisy", "psnr", "name"], sort=False, dropna=False):
        climb = (part["q"] - part["q"].cummin()).max()
        rows.append((*key, climb, (part["high"] - part["low"]).mean() / 2))
    return pd.DataFrame(rows, columns=["noisy", "psnr", "name", "climb", "margin"])


def disturbed_predictions(
    network: Checkpoint,
    data: SkeletonDataset,
    actions: Sequence[str],
    levels: Mapping[str, Sequence[float]],
    n_seeds: int = 3,
    seed: int = 0,
    options: Mapping[str, Mapping] | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Return what the network says of all clean clips, and of the chosen actions' disturbed ones.

    Parameters
    ----------
    network, data, actions, n_seeds, seed
        As for `noisy_curves`.
    levels : mapping of str to sequence of float
        Strengths by kind of perturbation (keys of `analysis_lib.datasets.faults.PERTURBATIONS`),
        the mildest first.
    options : mapping of str to mapping, optional
        Further arguments by kind.

    Returns
    -------
    DataFrame
        One row a clip and condition: kind (``"none"`` for clean clips), strength (NaN for those),
        achieved (the strength that this clip got), seed, clip (position in ``data``), action,
        predicted, right.
    """
    draws = _seeds(n_seeds, seed)
    jobs = [(kind, s, draw) for kind, strengths in levels.items() for s in dict.fromkeys(strengths) for draw in draws]
    clips = np.flatnonzero(of_actions(data, actions))
    chosen, names = data.take(clips), np.array(data.class_names)

    def said(network: Checkpoint, data: SkeletonDataset, **condition) -> pd.DataFrame:
        predicted = evaluate(network.model, data, network.preprocessing)["predicted"]
        answers = {"action": names[data.labels], "predicted": names[predicted], "right": predicted == data.labels}
        return pd.DataFrame(condition | answers)

    clean = {"kind": "none", "strength": np.nan, "achieved": np.nan, "seed": seed, "clip": range(len(data))}
    tables = [said(network, data, **clean)]
    for kind, strength, draw in progress_bar(jobs, "perturbations", progress):
        bare, faulty, achieved = disturbed(network, chosen, kind, strength, draw, **(options or {}).get(kind, {}))
        tables.append(said(bare, faulty, kind=kind, strength=strength, achieved=achieved, seed=draw, clip=clips))
    return pd.concat(tables, ignore_index=True)


def robustness_table(
    predictions: pd.DataFrame, actions: Sequence[str], n_bootstrap: int = 500, seed: int = 0
) -> pd.DataFrame:
    """Return accuracy by kind and strength of perturbation, and how it changed.

    Parameters
    ----------
    predictions : DataFrame
        From `disturbed_predictions`.
    actions : sequence of str
        Those that were disturbed.
    n_bootstrap, seed : int
        Clips drawn again behind the interval of a change.

    Returns
    -------
    DataFrame
        Columns kind, strength, set (`CHOSEN`, `ALL`: the mixed set, or an action), clips, accuracy
        (mean over seeds), low, high (Wilson's 95 % interval for that many clips: seeds are not
        counted as further clips), seeds_low, seeds_high (least and greatest of the seeds), and
        change (to the same clips undisturbed) with change_low and change_high; where no clip changed, these
        are what so few clips may have missed (`analysis_lib.statistics.intervals.unseen_share`).
    """
    clean = predictions[predictions["kind"] == "none"].set_index("clip")
    members = {CHOSEN: actions, ALL: clean["action"].unique()} | {name: [name] for name in actions}
    rows = []
    for (kind, strength), part in predictions.groupby(["kind", "strength"], sort=False, dropna=False):
        drawn = part.pivot(index="seed", columns="clip", values="right").astype(float)
        for name, shown in members.items():
            known = clean.loc[clean["action"].isin(shown), "right"].astype(float)
            right = drawn.reindex(columns=known.index).fillna(known)  # (seeds, clips)
            seeds, n = right.mean(axis=1), len(known)
            low, high = wilson_interval(seeds.mean() * n, n)
            row = {"kind": kind, "strength": strength, "set": name, "clips": n, "accuracy": seeds.mean()}
            row |= {"low": low, "high": high, "seeds_low": seeds.min(), "seeds_high": seeds.max()}
            changes = (right.mean() - known).to_numpy()
            change = mean_interval(changes, seed, n_bootstrap)
            if kind != "none" and not changes.any():
                change |= {"low": -unseen_share(n), "high": unseen_share(n)}
            rows.append(row | {"change": change["mean"], "change_low": change["low"], "change_high": change["high"]})
    return pd.DataFrame(rows)
