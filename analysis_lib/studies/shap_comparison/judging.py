"""All yardsticks of all methods, and whether they put the methods in one order."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from analysis_lib.errors import UserError
from analysis_lib.explain.comparison import joint_values, truth_areas
from analysis_lib.explain.edges import gains
from analysis_lib.explain.masking import ranking
from analysis_lib.explain.method import Method
from analysis_lib.explain.yardsticks import infidelity, maximal_sensitivity, prediction_gaps, sparseness, stability
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.untrained import untrained
from analysis_lib.progress import progress_bar
from analysis_lib.statistics.intervals import mean_interval, percentile_interval, times_drawn
from analysis_lib.statistics.ranks import rank_correlation
from analysis_lib.studies.shap_comparison.comparing import Comparison
from analysis_lib.studies.shap_comparison.perturbing import masking_gains

#: yardsticks, and which way is better: 1 larger, -1 smaller, 0 neither
YARDSTICKS = {
    "truth": 1,
    "deletion": 1,
    "insertion": 1,
    "short windows": 1,
    "edges, released": 1,
    "edges, removed": 1,
    "edges, scaled": 1,
    "PGI": 1,
    "PGU": -1,
    "infidelity": -1,
    "sensitivity": -1,
    "stability": 1,
    "randomised": -1,
    "other seed": 1,
    "sparseness": 0,
}
#: those that hold the maps of one network to those of another: a map that asks no network is the same for both
OF_NETWORKS = ("randomised", "other seed")
_JUDGING = {name: sign for name, sign in YARDSTICKS.items() if sign}
HUMAN = (2, 5, 10)  # joints that are moved as a sensor errs
#: the sensor's error that explanations should not mind, as a share of the clip's size
ERROR = 0.02


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
    some, again, known = comparison.few(2 * n_few), comparison.few(n_few), {}
    for method, attribution in progress_bar(found.items(), "yardsticks", progress):
        values = joint_values(attribution)
        if truth is not None:
            add("truth", method, everyone, truth_areas(attribution, truth))
        add("sparseness", method, everyone, sparseness(values))
        for name, each in _human(comparison, some, values[some]).items():
            add(name, method, some, each)
        index = some[~comparison.own[some]]
        if len(index):
            of = [each[index] for each in (comparison.x, comparison.masked, comparison.targets, values)]
            add("infidelity", method, index, infidelity(comparison.network.model, *of, n_draws=16, known=known))
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


def trained_twins(others: Sequence[Checkpoint], network: Checkpoint) -> dict[str, Checkpoint]:
    """Return the first of some networks, as ``"other seed"``, or nothing: trained like another but for the seed.

    Raises
    ------
    UserError
        If it is shown clips in another way.
    """
    if not others:
        return {}
    twin = others[0]
    if twin.preprocessing != network.preprocessing or twin.layers != network.layers:
        raise UserError(
            f"'{twin.name}' has other layers than '{network.name}', or takes clips otherwise; name its like"
        )
    return {"other seed": twin}


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
