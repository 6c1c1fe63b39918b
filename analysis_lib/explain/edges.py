"""Edge importance perturbed joint by joint, for each clip by its own ranking: does the score follow?

References
----------
Tempel, Ihlen, Adde & Strümke (2024), SHAP and GradCAM on skeletons, and its released code.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.explain.masking import ranking
from analysis_lib.explain.once import answered
from analysis_lib.networks.hooks import evaluating
from analysis_lib.progress import progress_bar
from analysis_lib.statistics.intervals import mean_interval


def _released(edge: Tensor, joints: Sequence[int], amount: float) -> Tensor:
    """Move E_jj of the first subset away from zero, by a share of the range of that subset."""
    first = edge[0]
    step = amount * (first.max() - first.min())
    own = first[joints, joints]
    changed = edge.clone()
    changed[0, joints, joints] = torch.where(own > 0, own + step, own - step)
    return changed


def _scaled(edge: Tensor, joints: Sequence[int], amount: float) -> Tensor:
    """Multiply all edges of the joints by a factor."""
    factor = torch.ones_like(edge)
    factor[:, joints] = amount
    factor[:, :, joints] = amount
    return edge * factor


#: how the edge importance E, (K, V, V), changes at some joints, by name: E, joints, amount -> E
CHANGES: Mapping[str, Callable[[Tensor, Sequence[int], float], Tensor]] = {
    "released": _released,
    "remove": lambda edge, joints, amount: _scaled(edge, joints, 0.0),
    "scale": _scaled,
}
#: what the published comparison perturbs by; its print says 0.35 %, its code takes the share
AMOUNT = 0.35


def edge_names(model: nn.Module, n_joints: int) -> tuple[str, ...]:
    """Return the names of the parameters that weigh edges: ``edge`` or ``edge_importance``, (K, V, V).

    Raises
    ------
    UserError
        If there are none.

    Examples
    --------
    >>> from analysis_lib.networks.stgcn import STGCN
    >>> from analysis_lib.skeletons.layouts import layout
    >>> edge_names(STGCN(layout("ntu-25"), 5), 25)[:2]
    ('edge_importance.0', 'edge_importance.1')
    """
    names = tuple(
        name
        for name, p in model.named_parameters()
        if {"edge", "edge_importance"} & set(name.split(".")) and p.ndim == 3 and p.shape[1:] == (n_joints, n_joints)
    )
    if not names:
        raise UserError(
            f"{type(model).__name__} weighs no edges (no parameter 'edge' or 'edge_importance' of shape "
            f"(subsets, {n_joints}, {n_joints})): its edges cannot be perturbed; mask joints instead"
        )
    return names


def perturbed_scores(
    model: nn.Module, x: np.ndarray, joints: Sequence[Sequence[int]], how: str = "released", amount: float = AMOUNT
) -> np.ndarray:
    r"""Return class scores where the edges of some joints are changed in all layers, for each clip its own.

    ============  ======================================================================================
    how           what changes
    ============  ======================================================================================
    ``released``  the diagonal of the first subset alone: :math:`E_{0jj} \pm amount \cdot
                  (\max E_0 - \min E_0)`, away from zero. Where E is one throughout, nothing.
    ``remove``    all edges from and to the joint are zero
    ``scale``     all edges from and to the joint are multiplied by ``amount``
    ============  ======================================================================================

    Parameters
    ----------
    model : nn.Module
        Its own weights stay as they are.
    x : float32 ndarray, shape (N, C, T, V, M)
    joints : sequence of N sequences of int

    Returns
    -------
    float64 ndarray, shape (N, n_classes)
    """
    if how not in CHANGES:
        raise unknown_choice("change of edge importance", how, CHANGES)
    parameters = dict(model.named_parameters())
    edges = {name: parameters[name].detach() for name in edge_names(model, x.shape[3])}
    own = {name: edge.clone() for name, edge in edges.items()}
    scores = []
    with torch.no_grad(), evaluating(model):
        try:  # in place and back again: to hand each pass parameters of its own takes as long as a fifth of the pass
            for clip, chosen in zip(torch.from_numpy(np.ascontiguousarray(x)).split(1), joints, strict=True):
                index = [int(j) for j in chosen]
                for name, edge in edges.items():
                    edge.copy_(CHANGES[how](own[name], index, amount))
                scores.append(model(clip))
        finally:
            for name, edge in edges.items():
                edge.copy_(own[name])
    return torch.cat(scores).double().numpy()


def edge_curves(
    model: nn.Module,
    x: np.ndarray,
    targets: np.ndarray,
    importance: Mapping[str, np.ndarray],
    counts: Sequence[int] = tuple(range(1, 11)),
    how: str = "released",
    amount: float = AMOUNT,
    n_seeds: int = 10,
    seed: int = 0,
    progress: bool = False,
) -> pd.DataFrame:
    """Return what is left of each clip's score as the edges of more and more joints are changed.

    ``important`` joints are the first k of those with a positive value, ``unimportant`` the last k of those
    with a negative one; a clip with fewer has fewer changed, as published.

    Parameters
    ----------
    targets : int ndarray, shape (N,)
        Whose score is looked at.
    importance : mapping of str to ndarray of shape (N, V)
        By method: the mean over time of each clip's map.
    counts : sequence of int
        Numbers k of joints; 0 is added.
    n_seeds : int
        Random choices of k joints for each clip.

    Returns
    -------
    DataFrame
        Columns method (``"random"`` among them), side (``"important"``, ``"unimportant"``; random: both),
        joints (k), seed, clip, changed (joints that were), logit, probability, right.

    Raises
    ------
    UserError
        If a number of joints lies outside 0..V, or the network has no edges.
    """
    n_joints = x.shape[3]
    if wrong := [k for k in counts if not 0 <= k <= n_joints]:
        raise UserError(f"counts must lie in 0..{n_joints}, the number of joints, got {wrong[0]}")
    rng = np.random.default_rng(seed)
    joints = np.tile(np.arange(n_joints), (len(x), 1))
    orders = [("random", "important", s, rng.permuted(joints, axis=1), None) for s in range(n_seeds)]
    for name, values in importance.items():
        for side, sign in (("important", 1), ("unimportant", -1)):
            order = ranking(sign * values, rng).argsort(axis=1)
            orders.append((name, side, 0, order, (sign * values > 0).sum(axis=1)))
    tables, known = [], {}
    for method, side, s, order, most in progress_bar(orders, "edges", progress):
        for k in sorted({0, *counts}):
            n = np.minimum(k, n_joints if most is None else most) * np.ones(len(x), int)
            chosen = [row[:m] for row, m in zip(order, n, strict=True)]

            def ask(new: list[int], chosen: Sequence[np.ndarray] = chosen) -> np.ndarray:
                return perturbed_scores(model, x[new], [chosen[clip] for clip in new], how, amount)

            scores = answered([(clip, frozenset(row.tolist())) for clip, row in enumerate(chosen)], ask, known)
            tables.append(_rows(np.stack(scores), targets, n).assign(method=method, side=side, joints=k, seed=s))
    found = pd.concat(tables, ignore_index=True)
    other = found[found.method == "random"].assign(side="unimportant")
    columns = ["method", "side", "joints", "seed", "clip", "changed", "logit", "probability", "right"]
    return pd.concat([found, other], ignore_index=True)[columns]


def _rows(scores: np.ndarray, targets: np.ndarray, changed: np.ndarray) -> pd.DataFrame:
    logits = torch.from_numpy(scores)
    own = np.arange(len(targets)), targets
    return pd.DataFrame(
        {
            "clip": range(len(targets)),
            "changed": changed,
            "logit": scores[own],
            "probability": logits.softmax(dim=1).numpy()[own],
            "right": scores.argmax(axis=1) == targets,
        }
    )


def gains(curves: pd.DataFrame, of: str = "probability") -> pd.DataFrame:
    r"""Return the area between the curve of each clip and that of random joints.

    .. math:: \frac{1}{k_{max}} \int_0^{k_{max}} \big(y_{random}(k) - y(k)\big)\, dk

    Positive: the method's joints cost the clip more than joints by lot, which are the mean over their seeds.

    Parameters
    ----------
    curves : DataFrame
        From `edge_curves`, or any table with its columns.
    of : {"probability", "logit", "right"}

    Returns
    -------
    DataFrame
        Columns method, side, clip, gain.
    """
    mean = (
        curves.groupby(["method", "side", "clip", "joints"], sort=False)[of].mean().unstack("joints").sort_index(axis=1)
    )
    ks = mean.columns.to_numpy(float)
    areas = pd.Series(np.trapezoid(mean.to_numpy(float), ks, axis=1) / (ks[-1] - ks[0]), index=mean.index, name="gain")
    lot = areas.loc["random"]
    gained = lot.reindex(areas.index.droplevel("method")).to_numpy() - areas
    return gained.drop("random", level="method").reset_index()


def drops(curves: pd.DataFrame, of: str = "probability") -> pd.DataFrame:
    """Return the mean gain of each method over joints by lot (`gains`), with an interval over clips.

    Returns
    -------
    DataFrame
        Columns method, side, clips, mean, low, high.
    """
    rows = [
        {"method": method, "side": side, "clips": len(own)} | mean_interval(own["gain"].to_numpy())
        for (method, side), own in gains(curves, of).groupby(["method", "side"], sort=False)
    ]
    return pd.DataFrame(rows)
