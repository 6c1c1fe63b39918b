"""What a score loses as edges, joints, or joints in short windows are perturbed in the order of a map."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import softmax

from analysis_lib.errors import unknown_choice
from analysis_lib.explain.attributions import explain
from analysis_lib.explain.comparison import joint_values
from analysis_lib.explain.edges import edge_curves, gains, perturbed_scores
from analysis_lib.explain.gradcam import GradCAM
from analysis_lib.explain.masking import masking_curve, ranking
from analysis_lib.explain.registry import TITLES
from analysis_lib.networks.training.fit import predict
from analysis_lib.statistics.intervals import mean_interval
from analysis_lib.studies.shap_comparison.comparing import Comparison

LOT = "random"  # joints by lot, as rows of curves have it
#: of the curves: numbers of joints; the paper's go up to 10
MASKED, EDGES = (1, 2, 4, 8, 14), (1, 2, 4, 7, 10)


#: the yardstick that each change of edges makes (`analysis_lib.explain.edges.CHANGES`)
EDGE_YARDSTICKS = {"released": "edges, released", "remove": "edges, removed", "scale": "edges, scaled"}


def edge_tables(
    comparison: Comparison, n_clips: int, changes: Sequence[str] = ("released", "remove"), n_seeds: int = 10
) -> dict[str, pd.DataFrame]:
    """Return `edge_table` by the name of the yardstick, for each change of edges.

    Raises
    ------
    UserError
        If there is no such change, or the network has no edges to change.
    """
    changes = known_changes(changes)
    return {EDGE_YARDSTICKS[how]: edge_table(comparison, n_clips, how, n_seeds) for how in changes}


def known_changes(changes: Sequence[str]) -> list[str]:
    """Return what is done to edges, each once, or raise UserError if something is unknown."""
    for how in changes:
        if how not in EDGE_YARDSTICKS:
            raise unknown_choice("change of edges", how, EDGE_YARDSTICKS)
    return list(dict.fromkeys(changes))


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
    tables, known = [], {}
    for method, each in draws.items():
        for test in tests:
            insert = test == "insertion"
            curves = [masking_curve(*of, placed(ranking(value, rng)), counts, insert, known=known) for value in each]
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
