"""How maps at layers before the end, and at streams, agree with the last one's."""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from analysis_lib.explain.attributions import explain
from analysis_lib.explain.gradcam import GradCAM
from analysis_lib.explain.stream_shapley import stream_shapley
from analysis_lib.statistics.intervals import mean_interval, percentile_interval
from analysis_lib.statistics.ranks import rank_correlation
from analysis_lib.studies.shap_comparison.comparing import Comparison


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
        None of a network without branches for its streams. Columns method, stream, clip, value (of the sum of absolute
        values).
    """
    network, some = comparison.network, comparison.few(n_clips)
    if not hasattr(network.model, "scores_from_branches"):
        return None
    streams = network.model.stream_names
    found = stream_shapley(network, others, comparison.x[some])
    each = {"exact Shapley": found[np.arange(len(some)), :, comparison.targets[some]]}
    for title, attribution in comparison.found.items():
        if attribution.layers[:-1] == tuple(streams):
            each[title] = attribution.importance[some][:, :-1].sum(axis=(2, 3))
    tables = []
    for title, values in each.items():
        share = values / np.maximum(np.abs(values).sum(axis=1, keepdims=True), 1e-12)
        wide = pd.DataFrame(share, columns=streams).assign(clip=some, method=title)
        tables.append(wide.melt(["clip", "method"], var_name="stream"))
    return pd.concat(tables, ignore_index=True)
