"""What the chapter *shap_comparison* measures: several explanations of the same clips, and what becomes of them."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import softmax
from scipy.stats import rankdata

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import clip_tensors
from analysis_lib.datasets.sampling import sample_per_class
from analysis_lib.datasets.synthetic.design import designed_joints
from analysis_lib.errors import UserError
from analysis_lib.explain import controls
from analysis_lib.explain.attributions import Attribution, explain
from analysis_lib.explain.comparison import joint_values, truth_areas
from analysis_lib.explain.deeplift import DeepLiftShap
from analysis_lib.explain.edges import edge_curves, gains, perturbed_scores
from analysis_lib.explain.features import explained
from analysis_lib.explain.gradcam import GradCAM
from analysis_lib.explain.joint_shapley import JointShapley, players
from analysis_lib.explain.linter import inexact
from analysis_lib.explain.masking import masking_baseline, masking_curve, ranking
from analysis_lib.explain.method import Maps, Method
from analysis_lib.explain.registry import TITLES, named_method
from analysis_lib.explain.shapley import MOST_PLAYERS, exact_shapley
from analysis_lib.explain.yardsticks import infidelity, maximal_sensitivity, prediction_gaps, sparseness, stability
from analysis_lib.networks.checkpoints import Checkpoint, load_checkpoint
from analysis_lib.networks.training.fit import predict
from analysis_lib.networks.untrained import untrained
from analysis_lib.progress import progress_bar
from analysis_lib.results.digest import array_digest
from analysis_lib.statistics import mean_interval, percentile_interval, rank_correlation, times_drawn

LOT = "random"  # joints by lot, as rows of curves have it
#: yardsticks, and which way is better: 1 larger, -1 smaller, 0 neither
YARDSTICKS = {
    "truth": 1,
    "deletion": 1,
    "insertion": 1,
    "short windows": 1,
    "edges, released": 1,
    "edges, removed": 1,
    "PGI": 1,
    "PGU": -1,
    "infidelity": -1,
    "sensitivity": -1,
    "stability": 1,
    "randomised": -1,
    "other seed": 1,
    "sparseness": 0,
}
#: methods that are compared unless others are named
USUAL = ("gradcam", "deeplift", "expected-gradients", "shapley", "shapley-in-time", "motion-energy", "by-lot")
_JUDGING = {name: sign for name, sign in YARDSTICKS.items() if sign}
#: of the curves: numbers of joints; the paper's go up to 10
MASKED, EDGES, HUMAN = (1, 2, 4, 8, 14), (1, 2, 4, 7, 10), (2, 5, 10)
#: the sensor's error that explanations should not mind, as a share of the clip's size
ERROR = 0.02


class Once:
    """A method that explains the same clip of the same network once, however often it is asked, and each by itself."""

    def __init__(self, method: Method):
        self.method, self.known = method, {}

    def __call__(self, network: Checkpoint, x: np.ndarray, lengths: np.ndarray, target: str | np.ndarray) -> Maps:
        """Return the maps of a few clips (`analysis_lib.explain.method.Method`)."""
        targets = [target] * len(x) if isinstance(target, str) else [np.atleast_1d(c) for c in target]
        each = [self._one(network, x[i : i + 1], lengths[i : i + 1], c) for i, c in enumerate(targets)]
        maps, frames = (tuple(map(np.concatenate, zip(*(getattr(m, k) for m in each), strict=True))) for k in _BY_LAYER)
        scores, classes = (np.concatenate([getattr(m, k) for m in each]) for k in ("scores", "targets"))
        gaps = {name: np.concatenate([m.gaps[name] for m in each]) for name in each[0].gaps}
        return Maps(each[0].layers, maps, frames, scores, classes, gaps, each[0].mixed)

    def _one(self, network: Checkpoint, x: np.ndarray, lengths: np.ndarray, target: str | np.ndarray) -> Maps:
        key = id(network.model), array_digest(x), str(target)
        if key not in self.known:  # with the model, as one that is held keeps its id
            self.known[key] = network.model, self.method(network, x, lengths, target)
        return self.known[key][1]


_BY_LAYER = ("maps", "lengths")


def place_of(network: Checkpoint) -> str:
    """Return where DeepLIFT and gradients stop: at the streams, if the network makes some."""
    return "streams" if hasattr(network.model, "scores_from_streams") else "coordinates"


def chosen_methods(
    names: Sequence[str], network: Checkpoint, others: np.ndarray, n_draws: int = 4, seed: int = 0
) -> dict[str, Method]:
    """Return methods by their titles.

    Parameters
    ----------
    names : sequence of str
        Keys of `analysis_lib.explain.registry.METHODS`; `USUAL` where none is named.
    others : float32 ndarray, shape (B, C, T, V, M)
        The background.
    n_draws : int
        Pairs of permutations of the Shapley values.
    """
    at = place_of(network)
    shapley = Once(JointShapley(others, n_draws=n_draws, seed=seed))  # the hybrid asks it again
    options = {
        "deeplift": {"background": others, "at": at},
        "integrated-gradients": {"background": others, "at": at, "n_steps": 4},
        "expected-gradients": {"background": others, "at": at, "n_steps": 2, "seed": seed},
        "shapley-in-time": {"shapley": shapley},
        "by-lot": {"seed": seed},
    }
    made = {
        name: shapley if name == "shapley" else Once(named_method(name, **options.get(name, {})))
        for name in names or USUAL
    }
    return {TITLES[name]: method for name, method in made.items()}


@dataclass(frozen=True, eq=False)
class Comparison:
    """The clips that are explained, and what each method says of them.

    Attributes
    ----------
    network : Checkpoint
    found : dict of str to Attribution
        By title.
    x, lengths, targets : ndarray
        The clips as the network takes them, and the classes that are explained.
    masked : float32 ndarray, shape (N, C, T, V, M)
        The clips with every joint masked.
    own : bool ndarray, shape (n,)
        Clips whose class is what the network makes of the masked clip anyway: masking cannot tell.
    seconds : dict of str to float
        A clip.
    missing : dict of str to str
        Why a method could not explain.
    baseline : str
        How joints are masked.
    seed : int
    """

    network: Checkpoint
    found: dict[str, Attribution]
    x: np.ndarray
    lengths: np.ndarray
    targets: np.ndarray
    masked: np.ndarray
    own: np.ndarray
    seconds: dict[str, float]
    missing: dict[str, str]
    baseline: str = "average"
    seed: int = 0

    @property
    def data(self) -> SkeletonDataset:
        """The clips."""
        return next(iter(self.found.values())).data

    def few(self, n: int) -> np.ndarray:
        """Return so many clips, evenly apart."""
        return np.unique(np.linspace(0, len(self.x) - 1, min(n, len(self.x))).round().astype(int))


def compare(
    network: Checkpoint,
    data: SkeletonDataset,
    methods: Mapping[str, Method],
    target: str = "true",
    baseline: str = "average",
    n_slices: int = 4,
    seed: int = 0,
    progress: bool = False,
) -> Comparison:
    """Return what methods say of clips; one that cannot explain the network is told, not drawn.

    Raises
    ------
    UserError
        If no method can.
    """
    found, seconds, missing = {}, {}, {}
    for title, method in progress_bar(methods.items(), "methods", progress):
        start = time.perf_counter()
        try:
            found[title] = explain(network, data, target, method, n_slices)
        except UserError as error:
            missing[title] = str(error)
        seconds[title] = (time.perf_counter() - start) / len(data)
    if TITLES["shapley-in-time"] in seconds:  # the Shapley values that it takes were there already
        seconds[TITLES["shapley-in-time"]] += seconds.get(TITLES["shapley"], 0)
    if not found:
        raise UserError(f"no method can explain {network.name}: {next(iter(missing.values()))}")
    x, lengths = clip_tensors(data, network.preprocessing)
    targets = next(iter(found.values())).targets
    masked = masking_baseline(x, lengths, baseline, data.skeleton.centre)
    own = predict(network.model, masked).argmax(axis=1) == targets
    return Comparison(network, found, x, lengths, targets, masked, own, seconds, missing, baseline, seed)


def clip_table(comparison: Comparison) -> pd.DataFrame:
    """Return which clips are explained: clip, class, right (whether the network names it so)."""
    data = comparison.data
    right = predict(comparison.network.model, comparison.x).argmax(axis=1) == data.labels
    names = [data.class_names[c] for c in data.labels]
    return pd.DataFrame({"clip": range(len(data)), "class": names, "right": right})


def known_truth(data: SkeletonDataset) -> np.ndarray | None:
    """Return which joints move by design in each clip, bool (n, V), or None where nobody knows."""
    try:
        return designed_joints(data)
    except UserError:
        return None


# ---- what can be said before anything is explained, and what a method could not do


def linter_table(network: Checkpoint, x: np.ndarray) -> pd.DataFrame:
    """Return what makes DeepLIFT inexact (`analysis_lib.explain.linter.inexact`), by the place that it stops at.

    Returns
    -------
    DataFrame
        Columns at, module, operation, why, times (modules of one kind count together: digits in names are ``*``).
    """
    tables = []
    for at in dict.fromkeys([place_of(network), "coordinates"]):
        scores = explained(network.model, at)
        faults = inexact(scores, scores.of(x[:1]))
        module = faults["module"].str.removeprefix("model").str.removeprefix(".").replace("", "the network itself")
        tables.append(faults.assign(at=at, module=module.str.replace(r"(?<=\.)(\d+|[JVBA])(?=\.|$)", "*", regex=True)))
    columns = ["at", "module", "operation", "why"]
    return pd.concat(tables).groupby(columns, sort=False).size().rename("times").reset_index()


def gap_table(comparison: Comparison, others: np.ndarray, n_clips: int = 4) -> pd.DataFrame:
    """Return how far each clip's attributions are from adding up, relative to what they should add up to.

    Returns
    -------
    DataFrame
        Columns method, at, clip, gap. Of DeepLIFT also a few clips at the coordinates, if it stopped at streams.
    """
    place, rows = place_of(comparison.network), []
    for title, found in comparison.found.items():
        if "additivity" in found.gaps:
            at = "coordinates" if "draws" in found.gaps else place
            rows += [(title, at, i, gap) for i, gap in enumerate(found.gaps["additivity"])]
    if place != "coordinates" and TITLES["deeplift"] in comparison.found:
        some = comparison.few(n_clips)
        again = DeepLiftShap(others)(
            comparison.network, comparison.x[some], comparison.lengths[some], comparison.targets[some]
        )
        rows += [
            (TITLES["deeplift"], "coordinates", i, gap) for i, gap in zip(some, again.gaps["additivity"], strict=True)
        ]
    return pd.DataFrame(rows, columns=["method", "at", "clip", "gap"])


def stillness_table(comparison: Comparison, others: np.ndarray) -> pd.DataFrame:
    """Return what the network makes of clips without movement (`analysis_lib.explain.controls.stillness_table`)."""
    found = next(iter(comparison.found.values()))
    return controls.stillness_table(found, comparison.baseline, others=others)


# ---- perturbation: edges, joints, joints in short windows


def edge_table(
    comparison: Comparison, n_clips: int, how: str = "released", n_seeds: int = 10, counts: Sequence[int] = EDGES
) -> pd.DataFrame:
    """Return `edge_curves` of the methods; GradCAM's unimportant joints are those of its counterfactual."""
    some, plain = comparison.few(n_clips), TITLES["gradcam"]
    counts = [k for k in counts if k <= comparison.x.shape[3]]
    values = {title: joint_values(found)[some] for title, found in comparison.found.items()}
    against = f"{plain}, against"
    if plain in values:
        counter = explain(
            comparison.network, comparison.data.take(some), comparison.targets[some], GradCAM("paper", True)
        )
        values[against] = -joint_values(counter)
    curves = edge_curves(
        *(comparison.network.model, comparison.x[some], comparison.targets[some], values, counts, how),
        n_seeds=n_seeds,
        seed=comparison.seed,
    )
    wrong = ((curves["method"] == plain) & (curves["side"] == "unimportant")) | (
        (curves["method"] == against) & (curves["side"] == "important")
    )
    kept = curves[~wrong].replace({"method": {against: plain}})
    return kept.assign(clip=some[kept["clip"]], how=how)


def edge_summary(edges: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return what perturbed edges cost by each method's order beside joints by lot, and GradCAM's beside the others'.

    Parameters
    ----------
    edges : mapping of str to DataFrame
        Of `edge_table`.

    Returns
    -------
    DataFrame
        Columns how, side, of (probability, logit, right), method, against (``"random"``, or a method), clips, mean,
        low, high: the area between the curves of ``against`` and ``method``, positive where the method's cost more.
    """
    rows, plain = [], TITLES["gradcam"]
    for curves in edges.values():
        how = curves["how"].iloc[0]
        for of in ("probability", "logit", "right"):
            for side, gained in gains(curves, of).groupby("side", sort=False):
                wide = gained.pivot(index="clip", columns="method", values="gain")
                pairs = {(method, LOT): wide[method] for method in wide}
                others = [method for method in wide if plain in wide and method != plain]
                pairs |= {(plain, method): wide[plain] - wide[method] for method in others}
                for (method, against), gain in pairs.items():
                    row = {"how": how, "side": side, "of": of, "method": method, "against": against}
                    rows.append(row | {"clips": len(gain)} | mean_interval(gain.to_numpy()))
    return pd.DataFrame(rows)


def masking_table(comparison: Comparison, n_seeds: int = 2, counts: Sequence[int] = MASKED) -> pd.DataFrame:
    """Return the probability of each clip's class as joints are masked in a method's order, or given back.

    Returns
    -------
    DataFrame
        Columns method (``"random"`` among them), test (deletion, insertion), joints, clip, probability.
    """
    n_joints = comparison.x.shape[3]
    values = {title: joint_values(found) for title, found in comparison.found.items()}
    return _curves(comparison, values, [k for k in counts if k < n_joints], n_joints, n_seeds, lambda ranks: ranks)


def window_table(comparison: Comparison, n_seeds: int = 2, n_counts: int = 5) -> pd.DataFrame:
    """Return the same as joints are masked one by one in short windows: the slices of the maps.

    Of the clips with too few frames for the windows some windows are empty. ``joints`` counts joints in windows.
    """
    n_slices = next(iter(comparison.found.values())).importance.shape[2]
    frames = np.arange(comparison.x.shape[2])
    window = np.minimum(frames * n_slices // np.maximum(comparison.lengths, 1)[:, None], n_slices - 1)  # (N, T)
    n_joints = comparison.x.shape[3]
    most = n_slices * n_joints
    values = {title: found.importance[:, -1].reshape(len(window), -1) for title, found in comparison.found.items()}

    def by_frame(ranks):
        return np.take_along_axis(ranks.reshape(-1, n_slices, n_joints), window[..., None], axis=1)

    counts = np.unique(np.geomspace(2, most, n_counts).round().astype(int))[:-1]
    return _curves(comparison, values, list(counts), most, n_seeds, by_frame, ("deletion",))


def _curves(
    comparison: Comparison,
    values: Mapping[str, np.ndarray],
    counts: Sequence[int],
    most: int,
    n_seeds: int,
    placed,
    tests=("deletion", "insertion"),
) -> pd.DataFrame:
    """Return masking curves in the order of values, and of none."""
    rng = np.random.default_rng(comparison.seed)
    draws = {title: [value] for title, value in values.items()}
    draws[LOT] = [np.zeros_like(next(iter(values.values())))] * n_seeds
    of = comparison.network.model, comparison.x, comparison.masked, comparison.targets
    whole, gone = (
        softmax(predict(of[0], clips).astype(float), axis=1)[np.arange(len(clips)), of[3]] for clips in of[1:3]
    )
    tables = []
    for method, each in draws.items():
        for test in tests:
            insert = test == "insertion"
            curves = [masking_curve(*of, placed(ranking(value, rng)), counts, insert) for value in each]
            first, last = (gone, whole) if insert else (whole, gone)
            curve = np.column_stack([first, np.mean(curves, axis=0), last])
            wide = pd.DataFrame(curve, columns=[0, *counts, most]).rename_axis("clip").reset_index()
            tables.append(
                wide.melt("clip", var_name="joints", value_name="probability").assign(method=method, test=test)
            )
    found = pd.concat(tables, ignore_index=True)
    return found.assign(joints=found["joints"].astype(int))[["method", "test", "joints", "clip", "probability"]]


def masking_gains(curves: pd.DataFrame) -> pd.DataFrame:
    """Return by how much each method's order beats joints by lot, in area under each clip's curve.

    Returns
    -------
    DataFrame
        Columns method, test, clip, gain; positive: the score falls, or rises, sooner.
    """
    wide = curves.pivot(index=["method", "test", "clip"], columns="joints", values="probability")
    ks = wide.columns.to_numpy(float)
    area = pd.Series(np.trapezoid(wide.to_numpy(), ks, axis=1) / (ks[-1] - ks[0]), wide.index, name="gain")
    lot = area.loc[LOT].reindex(area.index.droplevel("method")).to_numpy()
    sign = np.where(area.index.get_level_values("test") == "insertion", 1, -1)
    return (sign * (area - lot)).drop(LOT, level="method").reset_index()


# ---- all yardsticks of all methods


def score_table(
    comparison: Comparison,
    methods: Mapping[str, Method],
    masking: pd.DataFrame,
    windows: pd.DataFrame,
    edges: Mapping[str, pd.DataFrame | None],
    truth: np.ndarray | None = None,
    n_few: int = 3,
    twins: Mapping[str, Checkpoint | None] = {},
    progress: bool = False,
) -> pd.DataFrame:
    """Return one row a yardstick, method and clip.

    Parameters
    ----------
    masking, windows, edges
        Curves of `masking_table`, `window_table`, and `edge_table` by the name of the yardstick, None if there is none.
    truth : bool ndarray, shape (n, V), optional
        Which joints count.
    n_few : int
        Clips of the yardsticks that explain perturbed clips anew.
    twins : mapping of str to Checkpoint
        Other networks whose maps are held to these, by the yardstick: ``"randomised"``, ``"other seed"``.

    Returns
    -------
    DataFrame
        Columns yardstick, method, clip, value. Where the explained class is what the network makes of masked clips
        anyway, the yardsticks of masking have no rows.
    """
    found, tables = comparison.found, []

    def add(yardstick: str, method: str, clips: Sequence[int], values: Sequence[float]) -> None:
        tables.append(pd.DataFrame({"yardstick": yardstick, "method": method, "clip": clips, "value": values}))

    everyone = np.arange(len(comparison.x))
    told = np.flatnonzero(~comparison.own)
    for curves, name in ((masking, "deletion"), (masking, "insertion"), (windows, "short windows")):
        of = masking_gains(curves)
        test = name if name != "short windows" else "deletion"
        for method, rows in of[(of["test"] == test) & of["clip"].isin(told)].groupby("method", sort=False):
            add(name, method, rows["clip"], rows["gain"])
    for name, curves in edges.items():
        if curves is not None:
            of = gains(curves)
            for method, rows in of[of["side"] == "important"].groupby("method", sort=False):
                add(name, method, rows["clip"], rows["gain"])
    some, again = comparison.few(2 * n_few), comparison.few(n_few)
    for method, attribution in progress_bar(found.items(), "yardsticks", progress):
        values = joint_values(attribution)
        if truth is not None:
            add("truth", method, everyone, truth_areas(attribution, truth))
        add("sparseness", method, everyone, sparseness(values))
        for name, each in _human(comparison, some, values[some]).items():
            add(name, method, some, each)
        index = some[~comparison.own[some]]
        if len(index):
            of = (comparison.x, comparison.masked, comparison.targets, values)
            add("infidelity", method, index, infidelity(comparison.network.model, *(a[index] for a in of), n_draws=16))
        for name, each in _anew(comparison, again, methods[method], values[again], twins).items():
            add(name, method, again, each)
    table = pd.concat(tables, ignore_index=True)
    place = {method: i for i, method in enumerate(found)}
    table = table.sort_values("method", key=lambda names: names.map(place), kind="stable")
    return table[np.isfinite(table["value"])].reset_index(drop=True)


def radius_of(x: np.ndarray, lengths: np.ndarray) -> float:
    """Return the sensor's error in the unit of the clips: a share of the root mean square distance from the middle."""
    valid = np.concatenate([clip[:, :n, :, 0].transpose(1, 2, 0) for clip, n in zip(x, lengths, strict=True)])
    return ERROR * float(np.sqrt(np.square(valid - valid.mean(axis=1, keepdims=True)).sum(axis=2).mean()))


def _human(comparison: Comparison, some: np.ndarray, values: np.ndarray) -> dict[str, np.ndarray]:
    """Return the areas of PGI and PGU, where joints err as a sensor's do, five times as far."""
    x, lengths = comparison.x[some], comparison.lengths[some]
    ranks = ranking(values, np.random.default_rng(comparison.seed))
    parents = comparison.data.skeleton.parents
    counts = [k for k in HUMAN if k <= x.shape[3]]
    radius = 5 * radius_of(x, lengths)
    of = (comparison.network.model, x, lengths, comparison.targets[some], ranks, counts, parents, radius)
    found = prediction_gaps(*of, n_draws=2, seed=comparison.seed)
    return {name: gaps.mean(axis=1) for name, gaps in found.items()}


def _anew(
    comparison: Comparison, some: np.ndarray, method: Method, values: np.ndarray, twins: Mapping[str, Checkpoint | None]
) -> dict[str, np.ndarray]:
    """Return the yardsticks for which clips, or other networks, are explained anew."""
    network, x, lengths = comparison.network, comparison.x[some], comparison.lengths[some]
    targets, radius = comparison.targets[some], radius_of(x, lengths)
    found = {"sensitivity": maximal_sensitivity(method, network, x, lengths, targets, radius, n_draws=2)}
    steady = stability(method, network, x, lengths, comparison.data.skeleton.parents, radius, n_draws=2)
    found["stability"] = steady["ranks"]
    found |= {name: steady[name] for name in ("RIS", "ROS", "RRS")}
    for name, twin in twins.items():
        if twin is not None:
            other = method(twin, x, lengths, targets).by_slice(1)[:, -1, 0].astype(float)
            rho = rank_correlation(values, other)
            found[name] = np.abs(rho) if name == "randomised" else rho
    return found


def trained_twin(name: str, network: Checkpoint, data: SkeletonDataset) -> Checkpoint:
    """Return a network trained like another with another seed, which is shown the clips in the same way.

    Raises
    ------
    UserError
        If it is shown them in another way, or there is no such network.
    """
    twin = load_checkpoint(name, data)
    if twin.preprocessing != network.preprocessing or twin.layers != network.layers:
        raise UserError(f"'{name}' has other layers than '{network.name}', or takes clips otherwise; name its like")
    return twin


def forgotten(network: Checkpoint, seed: int = 0) -> Checkpoint:
    """Return a network of the same architecture with weights by lot, batch statistics as they were built."""
    return replace(network, model=untrained(network, seed).eval())


def summary_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of each yardstick for each method with its 95 % interval over clips.

    Returns
    -------
    DataFrame
        Columns yardstick, method, clips, mean, low, high. RIS, ROS and RRS are no yardsticks here: see `ratio_table`.
    """
    rows = []
    for name in YARDSTICKS:
        for method, of in scores[scores["yardstick"] == name].groupby("method", sort=False):
            row = {"yardstick": name, "method": method, "clips": len(of)}
            rows.append(row | mean_interval(of["value"].to_numpy()))
    return pd.DataFrame(rows, columns=["yardstick", "method", "clips", "mean", "low", "high"])


def difference_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Return by how much one method is better than another by each yardstick, clip by clip.

    Returns
    -------
    DataFrame
        Columns yardstick, one, other, clips, mean, low, high; positive: the first is better.
    """
    rows = []
    for name, sign in _JUDGING.items():
        wide = scores[scores["yardstick"] == name].pivot(index="clip", columns="method", values="value")
        for one, other in combinations([m for m in dict.fromkeys(scores["method"]) if m in wide], 2):
            gain = (sign * (wide[one] - wide[other])).dropna().to_numpy()
            if len(gain):
                rows.append({"yardstick": name, "one": one, "other": other, "clips": len(gain)} | mean_interval(gain))
    return pd.DataFrame(rows, columns=["yardstick", "one", "other", "clips", "mean", "low", "high"])


def ratio_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the medians of RIS, ROS and RRS, which explode where an attribution is near zero, by method."""
    rows = scores[scores["yardstick"].isin(["RIS", "ROS", "RRS"])]
    wide = rows.pivot_table(index="method", columns="yardstick", values="value", aggfunc="median", sort=False)
    return wide.reset_index().rename_axis(columns=None)


def order_table(scores: pd.DataFrame, n_bootstrap: int = 300, seed: int = 0) -> pd.DataFrame:
    """Return how far each two yardsticks put the methods in the same order: Spearman's correlation of their means.

    Returns
    -------
    DataFrame
        Columns one, other, methods, rho, low, high (95 %; the clips drawn again are the same for all yardsticks). The
        last row is the mean over all pairs, of ``"all"`` with ``"all"``.
    """
    n = int(scores["clip"].max()) + 1
    rng = np.random.default_rng(seed)
    draws = np.vstack([np.ones((1, n), int), times_drawn(np.zeros(n, int), n_bootstrap, rng)])
    means, methods = {}, list(dict.fromkeys(scores["method"]))
    for name, sign in _JUDGING.items():
        wide = scores[scores["yardstick"] == name].pivot(index="method", columns="clip", values="value")
        if len(wide) == len(methods):
            weights = draws[:, wide.columns].astype(float)
            known = np.isfinite(wide.loc[methods].to_numpy())
            total = weights @ known.T
            with np.errstate(invalid="ignore"):
                means[name] = sign * (weights @ np.nan_to_num(wide.loc[methods].to_numpy()).T) / total
    found = {}
    for one, other in combinations(means, 2):
        pair = [means[name].round(12) for name in (one, other)]
        known = np.isfinite(pair[0] + pair[1]).all(axis=1)
        found[one, other] = np.where(known, rank_correlation(*map(np.nan_to_num, pair)), np.nan)
    if found:
        found["all", "all"] = np.mean(list(found.values()), axis=0)
    rows = [(*pair, len(methods), rho[0], *percentile_interval(rho[1:])) for pair, rho in found.items()]
    return pd.DataFrame(rows, columns=["one", "other", "methods", "rho", "low", "high"])


# ---- layers and streams


def stage_table(comparison: Comparison, n_slices: int = 24, n_draws: int = 200) -> pd.DataFrame | None:
    """Return how far GradCAM's maps before the end agree with that of the last attention (the paper's Table 1).

    Returns
    -------
    DataFrame or None
        None of a network without such stages. Columns stage, stream (``"sum"`` of the four), rho (of joints and
        moments, mean over clips), low, high, none_low, none_high (95 % of what joints exchanged by lot give),
        by_joint (rho of the means over time), active (share of joints above half of the clip's largest), clips.
    """
    network = comparison.network
    if not hasattr(network.model, "stages"):
        return None
    stages = network.model.stages
    layers = tuple(name for names in stages.values() for name in names)
    found = explain(replace(network, layers=layers), comparison.data, comparison.targets, GradCAM(), n_slices)
    maps = dict(zip(layers, found.importance.transpose(1, 0, 2, 3).astype(float), strict=True))
    reference = maps[stages["main attention"][0]]
    rows = []
    for stage, names in stages.items():
        streams = network.model.stream_names if len(names) > 1 else ("",)
        each = {stream: maps[name] for stream, name in zip(streams, names, strict=True)}
        each |= {"sum": sum(each.values())} if len(names) > 1 else {}
        for stream, values in each.items():
            row = {"stage": stage, "stream": stream} | _likeness(values, reference, n_draws, comparison.seed)
            rows.append(row | {"active": _active(values), "clips": len(values)})
    return pd.DataFrame(rows)


def _likeness(values: np.ndarray, reference: np.ndarray, n_draws: int, seed: int) -> dict[str, float]:
    """Return the rank correlation of maps (n, T, V), and what it is where joints are exchanged by lot."""
    kept = (np.ptp(values, axis=(1, 2)) > 0) & (np.ptp(reference, axis=(1, 2)) > 0)
    values, reference = values[kept], reference[kept]
    if not kept.any():
        return dict.fromkeys(("rho", "low", "high", "none_low", "none_high", "by_joint"), np.nan)
    one, other = (_unit_ranks(a) for a in (values, reference))
    rho, rng = (one * other).sum(axis=(1, 2)), np.random.default_rng(seed)
    lot = [rng.permutation(reference.shape[2]) for _ in range(n_draws)]
    none = np.array([(one * other[:, :, joints]).sum() / len(one) for joints in lot])
    found = mean_interval(rho)
    low, high = percentile_interval(none)
    joints = rank_correlation(values.mean(axis=1), reference.mean(axis=1)).mean()
    ends = {"none_low": float(low), "none_high": float(high), "by_joint": float(joints)}
    return {"rho": found["mean"], "low": found["low"], "high": found["high"]} | ends


def _unit_ranks(values: np.ndarray) -> np.ndarray:
    """Return the ranks of each map (n, T, V), centred and of length 1: their product is Spearman's correlation."""
    ranks = rankdata(values.reshape(len(values), -1), axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    return (ranks / np.linalg.norm(ranks, axis=1, keepdims=True)).reshape(values.shape)


def _active(values: np.ndarray) -> float:
    joints = values.mean(axis=1)
    return float((joints > joints.max(axis=1, keepdims=True) / 2).mean())


def active_table(comparison: Comparison) -> pd.DataFrame | None:
    """Return which share of the joints is active (above half of the largest) in the last two maps: TCN and attention.

    Returns
    -------
    DataFrame or None
        None of a network without such layers. Columns clip, TCN, attention.
    """
    network = comparison.network
    if not hasattr(network.model, "stages"):
        return None
    layers = tuple(network.model.stages[stage][0] for stage in ("main TCN", "main attention"))
    found = explain(replace(network, layers=layers), comparison.data, comparison.targets, GradCAM(), 1)
    joints = found.importance.mean(axis=2)
    share = (joints > joints.max(axis=2, keepdims=True) / 2).mean(axis=2)
    return pd.DataFrame({"clip": range(len(share)), "TCN": share[:, 0], "attention": share[:, 1]})


def stream_table(comparison: Comparison, others: np.ndarray, n_clips: int) -> pd.DataFrame | None:
    """Return what each stream adds to the explained score: exact Shapley values of streams, and DeepLIFT's sums.

    Returns
    -------
    DataFrame or None
        None of a network without streams. Columns method, stream, clip, value (of the sum of absolute values).
    """
    network, some = comparison.network, comparison.few(n_clips)
    if place_of(network) != "streams":
        return None
    streams, n_joints = network.model.stream_names, comparison.x.shape[3]
    whose = np.repeat(np.arange(len(streams))[:, None], n_joints, axis=1)
    exact = JointShapley(others, whose, at="streams", n_draws=0)
    found = exact.values(network, comparison.x[some], comparison.targets[some])
    each = {"exact Shapley": found.values[np.arange(len(some)), :, comparison.targets[some]]}
    for title, attribution in comparison.found.items():
        if attribution.layers[:-1] == tuple(streams):
            each[title] = attribution.importance[some][:, :-1].sum(axis=(2, 3))
    tables = []
    for title, values in each.items():
        share = values / np.maximum(np.abs(values).sum(axis=1, keepdims=True), 1e-12)
        wide = pd.DataFrame(share, columns=streams).assign(clip=some, method=title)
        tables.append(wide.melt(["clip", "method"], var_name="stream"))
    return pd.concat(tables, ignore_index=True)


# ---- what it costs, and what must be exact


def seconds_table(comparison: Comparison) -> pd.DataFrame:
    """Return the time of a clip by method, as this comparison took it: method, seconds."""
    kept = {title: comparison.seconds[title] for title in comparison.found}
    return pd.DataFrame({"method": kept.keys(), "seconds": kept.values()})


def cost_table(comparison: Comparison, others: np.ndarray, repeats: int = 2) -> pd.DataFrame:
    """Return the time of one clip, by method and by what it grows with.

    Parameters
    ----------
    others : float32 ndarray, shape (B, C, T, V, M)
        At least as many background clips as are timed; fewer are repeated.

    Returns
    -------
    DataFrame
        Columns method, what (``"one"``, or what grows: background, classes, players), size, repeat, seconds.
    """
    network = comparison.network
    last, place = replace(network, layers=network.layers[-1:]), place_of(network)
    x, lengths, target = comparison.x[:1], comparison.lengths[:1], comparison.targets[:1]
    background = np.resize(np.arange(len(others)), 20)
    parts = players(comparison.data.skeleton, "parts")
    single = np.arange(x.shape[3])[None]
    jobs: list[tuple[str, str, int, Callable]] = [("gradcam", "one", 1, partial(GradCAM(), last, x, lengths, target))]
    for n in (5, 10, 20):
        method = DeepLiftShap(others[background[:n]], place)
        jobs.append(("deeplift", "background", n, partial(method, network, x, lengths, target)))
    jobs.append(
        ("deeplift", "classes", 2, partial(_twice, DeepLiftShap(others[background[:5]], place), network, x, lengths))
    )
    for whose in (parts, single):
        method = JointShapley(others, whose, n_draws=2)
        jobs.append(("shapley", "players", int(whose.max()) + 1, partial(method, network, x, lengths, target)))
    rows = []
    for title, what, size, job in jobs:
        if TITLES[title] not in comparison.missing:
            for i in range(repeats):
                start = time.perf_counter()
                job()
                rows.append((TITLES[title], what, size, i, time.perf_counter() - start))
    return pd.DataFrame(rows, columns=["method", "what", "size", "repeat", "seconds"])


def _twice(method: Method, network: Checkpoint, x: np.ndarray, lengths: np.ndarray) -> None:
    for target in (0, 1):
        method(network, x, lengths, np.array([target]))


def exactness_table(comparison: Comparison, others: np.ndarray, gaps: pd.DataFrame) -> pd.DataFrame:
    """Return what can be checked to the digit: chunks of a background, sampling against all coalitions, sums.

    Returns
    -------
    DataFrame
        Columns what, value, low, high; rows that the network does not allow are left out.
    """
    network, x, lengths, target = comparison.network, comparison.x[:1], comparison.lengths[:1], comparison.targets[:1]
    rows = []
    if TITLES["deeplift"] in comparison.found:
        whole, *parts = (
            DeepLiftShap(some, place_of(network))(network, x, lengths, target).maps[-1]
            for some in (others, *np.array_split(others[: len(others) // 2 * 2], 2))
        )
        if len(others) % 2 == 0:
            off = np.abs(whole - np.mean(parts, axis=0)).max() / np.abs(whole).max()
            rows.append(("two halves of the background against the whole", float(off)))
    whose = players(comparison.data.skeleton, "parts")
    if whose.max() < MOST_PLAYERS:
        draws = (0, 2 * len(others))
        exact, sampled = (JointShapley(others, whose, n_draws=n).values(network, x, target) for n in draws)
        off = np.abs(exact.values - sampled.values)[0, :, target[0]]
        errors = np.maximum(sampled.errors[0, :, target[0]], 1e-12)
        rows.append(("largest error of sampling, in standard errors", float((off / errors).max())))
    asked = [_coalitions(n) for n in (4, 8)]
    rows.append(("coalitions of 8 players over those of 4", asked[1] / asked[0]))
    table = pd.DataFrame(rows, columns=["what", "value"]).assign(low=np.nan, high=np.nan)
    means = [
        {"what": f"gap of {method}, at {at}"} | mean_interval(of["gap"].to_numpy())
        for (method, at), of in gaps.groupby(["method", "at"], sort=False)
    ]
    return pd.concat([table, pd.DataFrame(means).rename(columns={"mean": "value"})], ignore_index=True)


def _coalitions(n_players: int) -> int:
    """Return how many coalitions exact Shapley values ask for."""
    asked = []

    def value(coalitions: np.ndarray) -> np.ndarray:
        asked.append(len(coalitions))
        return coalitions.sum(axis=1)

    exact_shapley(value, n_players)
    return sum(asked)


def threshold_table(comparison: Comparison, n_clips: int, amounts: Sequence[float] = (0.0035, 0.35)) -> pd.DataFrame:
    """Return by how much the explained probability moves as the edges of all joints change by a share of their range.

    Returns
    -------
    DataFrame
        Columns amount, clips, mean, low, high: of the absolute change.
    """
    some = comparison.few(n_clips)
    x, own = comparison.x[some], (np.arange(len(some)), comparison.targets[some])
    model, everyone = comparison.network.model, [range(comparison.x.shape[3])] * len(some)
    before = softmax(predict(model, x).astype(float), axis=1)[own]
    rows = []
    for amount in amounts:
        after = softmax(perturbed_scores(model, x, everyone, "released", amount), axis=1)[own]
        rows.append({"amount": amount, "clips": len(some)} | mean_interval(np.abs(after - before)))
    return pd.DataFrame(rows)


def sample(data: SkeletonDataset, network: Checkpoint, n_per_class: int, seed: int = 0) -> SkeletonDataset:
    """Return clips of each class that the network names rightly; of all clips, if it names fewer than two so."""
    x, _ = clip_tensors(data, network.preprocessing)
    right = np.flatnonzero(predict(network.model, x).argmax(axis=1) == data.labels)
    right = right if len(right) > 1 else np.arange(len(data))
    return data.take(right[sample_per_class(data.labels[right], n_per_class, seed)])
