"""Whether importance maps of any method mean anything: weights drawn anew, joints masked; as tidy tables."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis_lib.datasets.preparation.recipe import clip_tensors
from analysis_lib.datasets.sampling import sample_per_class
from analysis_lib.errors import UserError
from analysis_lib.explain.attributions import Attribution
from analysis_lib.explain.masking import joint_motion, masking_baseline, masking_curve, ranking
from analysis_lib.explain.randomisation import cascade
from analysis_lib.networks.hooks import cascade_steps
from analysis_lib.networks.training.fit import predict
from analysis_lib.progress import progress_bar
from analysis_lib.statistics.intervals import mean_interval
from analysis_lib.statistics.ranks import rank_correlation

#: orders in which joints are masked: by the map, by how much they move, and by lot
ORDERS = ("importance", "motion", "random")


def randomisation_table(
    found: Attribution, n_per_class: int = 2, n_seeds: int = 2, seed: int = 0, progress: bool = False
) -> pd.DataFrame:
    """Return how much of each layer's map survives as the network forgets, from the scores down.

    Measured by Spearman's correlation of a clip's map (joints and slices) with that of the trained
    network, after every step of `analysis_lib.networks.hooks.cascade_steps`. The class that is
    explained stays the one of the trained network. A map without any order counts 0; clips whose
    trained map has none are left out.

    Parameters
    ----------
    found : Attribution
    n_per_class : int
        Clips of each class; 0 takes as many as the smallest class has.
    n_seeds : int
        Random networks; a clip's value is its mean over them.

    Returns
    -------
    DataFrame
        Columns step (from 1), forgotten (what the step randomised), layer, layer_name, clips, mean
        with low and high, blank (share of maps without any order).
    """
    found = found.take(sample_per_class(found.data.labels, n_per_class, seed))
    before = _profiles(found)
    ordered = np.ptp(before, axis=2) > 0  # (n, L)
    network = found.network
    x, _ = clip_tensors(found.data.take([0]), network.preprocessing)
    steps = cascade_steps(network.model, x, network.layers)
    rho = np.zeros((n_seeds, len(steps), *ordered.shape))
    blank = np.zeros(rho.shape, bool)
    jobs = ((s, i, net) for s in range(n_seeds) for i, (_, net) in enumerate(cascade(network.model, steps, seed + s)))
    for s, i, net in progress_bar(jobs, "randomised", progress, n_seeds * len(steps)):
        after = _profiles(found.again(replace(network, model=net)))
        rho[s, i][ordered] = rank_correlation(before[ordered], after[ordered])
        blank[s, i] = np.ptp(after, axis=2) == 0
    rows = []
    for i, step in enumerate(steps):
        for k, name in enumerate(found.layers):
            kept = ordered[:, k]
            if not kept.any():
                raise UserError(f"no clip's map at layer '{name}' has any order to lose")
            row = {"step": i + 1, "forgotten": step, "layer": k + 1, "layer_name": name, "clips": int(kept.sum())}
            row |= mean_interval(rho[:, i, kept, k].mean(axis=0))
            rows.append(row | {"blank": blank[:, i, kept, k].mean()})
    return pd.DataFrame(rows)


def _profiles(found: Attribution) -> np.ndarray:
    return found.importance.reshape(*found.importance.shape[:2], -1)


def masking_curves(
    found: Attribution,
    layer: int = -1,
    baseline: str = "average",
    n_per_class: int = 4,
    counts: Sequence[int] = (),
    n_seeds: int = 3,
    seed: int = 0,
    progress: bool = False,
) -> pd.DataFrame:
    """Return the probability of each clip's target class as joints are masked, or given back.

    Joints go in the order of their importance in the clip's own map at one layer, in the order of
    how much they move in the clip, which needs no network, and by lot.

    Parameters
    ----------
    found : Attribution
    layer : int
        Position among the layers of the maps; -1 is the last.
    baseline : str
        What a masked joint does instead (`analysis_lib.explain.masking.masking_baseline`).
    n_per_class : int
        Clips of each class; 0 takes as many as the smallest class has.
    counts : sequence of int
        Numbers of joints, to which none and all are added; by default 1, 2, 3, 5, 8, 12, 18, ...:
        denser where few are masked, as those are the ones that the map puts first.
    n_seeds : int
        Random orders; a clip's value is its mean over them.

    Returns
    -------
    DataFrame
        Columns test (``"deletion"`` or ``"insertion"``), order (`ORDERS`), joints, clip (position
        in ``found.data``), probability, own (whether the clip's class is what the network makes of the clip with
        every joint masked: then masking cannot tell what speaks for it).

    Raises
    ------
    UserError
        If the layer has no axis of joints, or its maps put none before another in any of the clips.
    """
    found.check_joints(layer)
    index = sample_per_class(found.data.labels, n_per_class, seed)
    x, lengths = clip_tensors(found.data, found.network.preprocessing)
    masked = masking_baseline(x, lengths, baseline, found.data.skeleton.centre)[index]
    x, lengths, targets = x[index], lengths[index], found.targets[index]
    ks = sorted({0, *(counts or _default_counts(x.shape[3])), x.shape[3]})
    importance = found.importance[index, layer].mean(axis=1)
    if not np.ptp(importance, axis=1).any():
        raise UserError(f"no clip's map at layer '{found.layers[layer]}' puts one joint before another")
    rng = np.random.default_rng(seed)
    draws = {"importance": [importance], "motion": [joint_motion(x[:, : found.data.n_coordinates], lengths)]}
    draws["random"] = [np.zeros_like(importance)] * n_seeds
    jobs = [(test, order) for test in ("deletion", "insertion") for order in ORDERS]

    known = {}

    def curves(values, ks, insert):
        return masking_curve(found.network.model, x, masked, targets, ranking(values, rng), ks, insert, known=known)

    ends = curves(importance, [0, x.shape[3]], insert=False)  # the same in every order
    own = dict(zip(index, predict(found.network.model, masked).argmax(axis=1) == targets, strict=True))
    tables = []
    for test, order in progress_bar(jobs, "masking", progress):
        insert = test == "insertion"
        inner = np.mean([curves(values, ks[1:-1], insert) for values in draws[order]], axis=0)
        first, last = (ends[:, ::-1] if insert else ends).T
        curve = np.column_stack([first, inner, last])
        table = pd.DataFrame(curve, index=pd.Index(index, name="clip"), columns=ks)
        long = table.melt(var_name="joints", value_name="probability", ignore_index=False)
        tables.append(long.reset_index().assign(test=test, order=order))
    whole = pd.concat(tables, ignore_index=True)[["test", "order", "joints", "clip", "probability"]]
    return whole.assign(own=whole["clip"].map(own))


def _default_counts(n_joints: int) -> list[int]:
    counts = [0, 1, 2, 3]
    while counts[-1] < n_joints:
        counts.append(min(n_joints, int(counts[-1] * 1.5 + 0.5)))
    return counts


def masking_table(curves: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Return the mean curves, with 95 % intervals over clips: test, order, joints, clips, mean, ...

    Parameters
    ----------
    curves : DataFrame
        From `masking_curves`.
    """
    rows = []
    for (test, order, k), part in curves.groupby(["test", "order", "joints"], sort=False):
        row = {"test": test, "order": order, "joints": k, "clips": len(part)}
        rows.append(row | mean_interval(part["probability"].to_numpy(), seed))
    return pd.DataFrame(rows)


def masking_gain(curves: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Return by how much masking in the order of importance beats the other orders, clip by clip.

    The area under a clip's curve (mean probability over 0..V joints) is compared with that of the
    same clip under another order; the sign is such that positive means: importance is the better
    order, as it lowers the score sooner in deletion, and raises it sooner in insertion. Clips whose class is the
    masked clip's own are left out.

    Parameters
    ----------
    curves : DataFrame
        From `masking_curves`.

    Returns
    -------
    DataFrame
        Columns test, against (the other order), area (under the curve by importance), clips, own (how many were left
        out), mean (of the paired gain) with low and high.

    Raises
    ------
    UserError
        If no clip is left.
    """
    left_out = int(curves.groupby("clip")["own"].first().sum())
    curves = curves[~curves["own"]]
    if curves.empty:
        raise UserError("of every clip the network makes the same class with all joints masked: masking cannot tell")
    wide = curves.pivot(index=["test", "order", "clip"], columns="joints", values="probability")
    ks = wide.columns.to_numpy(float)
    areas = pd.Series(np.trapezoid(wide, ks, axis=1) / (ks[-1] - ks[0]), index=wide.index)
    rows = []
    for test, sign in (("deletion", -1), ("insertion", 1)):
        own = areas[test, "importance"]
        for other in ORDERS[1:]:
            gain = sign * (own - areas[test, other])
            row = {"test": test, "against": other, "area": own.mean(), "clips": len(gain), "own": left_out}
            rows.append(row | mean_interval(gain.to_numpy(), seed))
    return pd.DataFrame(rows)
