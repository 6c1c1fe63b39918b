"""What importance maps are held against: untrained networks, another class, a person who does not move."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy.special import softmax

from analysis_lib.datasets.preparation.recipe import clip_tensors
from analysis_lib.datasets.sampling import left_out_groups
from analysis_lib.errors import UserError
from analysis_lib.explain.attributions import Attribution, explain
from analysis_lib.explain.masking import BASELINES, masking_baseline
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.training.fit import predict
from analysis_lib.statistics.intervals import N_DRAWS, jackknife_draws, left_out, percentile_interval, simultaneous_band
from analysis_lib.statistics.ranks import rank_correlation
from analysis_lib.statistics.several_networks import SEEDS, mean_of_draws, seed_range

#: what is seen instead of a clip, by what stands for not moving (`stillness_table`)
STILL = {
    "average": "all joints at their mean place over all clips",
    "still": "each joint at its mean place in the clip",
    "centre": "all joints on the path of the centre",
    "zeros": "all zeros",
    "background": "other clips, drawn from the training split",
}
BAND = ("low", "high", "all_low", "all_high")


def learnt_strength(
    found: Attribution,
    twins: Sequence[Checkpoint],
    clips: np.ndarray,
    late: int,
    seed: int = 0,
    siblings: Sequence[Checkpoint] = (),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    r"""Return how strong the maps of each layer are beside those of untrained networks of the same clips.

    With :math:`m_l` the mean importance of a place at layer l, its share is :math:`m_l / \sum_k m_k`: an even map of
    all layers has one over their number.

    Parameters
    ----------
    found : Attribution
    twins : sequence of Checkpoint
        Untrained networks of the same architecture (`analysis_lib.networks.untrained.untrained_twins`).
    clips : int ndarray
        Positions of the clips that the twins explain, too.
    late : int
        Number of last layers that early ones are compared with.
    seed : int
        Of the draws behind the intervals: of other people, or parts of the clips where people are not known
        (`analysis_lib.datasets.sampling.left_out_groups`); NaN where that cannot be had.
    siblings : sequence of Checkpoint
        Networks that were trained alike but for the seed.

    Returns
    -------
    layers : DataFrame
        Columns layer, layer_name, clips, trained and untrained (shares, the second the mean of the draws), difference,
        low, high, all_low, all_high (95 % of the difference at a layer, and at all layers at once), seeds_low and
        seeds_high (the least and the most of the trained network and its siblings; NaN without any).
    early : DataFrame
        Columns of (``"mean"``: of a place; ``"mass"``: summed over places), clips, trained with trained_low and
        trained_high, untrained, difference, low, high, seeds_low, seeds_high: what early layers have over what late
        ones have. No rows where all layers are late.
    """
    some = found.take(clips)
    every = [some, *(some.again(other) for other in (*twins, *siblings))]
    means = np.stack([np.abs(one.importance).mean(axis=(2, 3), dtype=np.float64) for one in every])  # (1 + draws, n, L)
    masses = means * np.stack([one.lengths for one in every]) * some.importance.shape[-1]
    places, n_against = np.arange(1, means.shape[2] + 1), 1 + len(twins)

    def shares(strengths: np.ndarray) -> np.ndarray:
        strength = strengths.mean(axis=1)
        return _ratio(strength, strength.sum(axis=1, keepdims=True))

    def early_over_late(strengths: np.ndarray) -> np.ndarray:
        strength = strengths.mean(axis=1)
        return _ratio(strength[:, :-late].mean(axis=1), strength[:, -late:].mean(axis=1))

    def beside(measure: Callable[[np.ndarray], np.ndarray], strengths: np.ndarray) -> tuple[np.ndarray, ...]:
        bounds = _for_others(found, clips, lambda kept: measure(strengths[:n_against, kept]), seed, _against)
        return *bounds, *seed_range(measure(np.delete(strengths, range(1, n_against), axis=0))).values()

    value, low, high, all_low, all_high, *of_seeds = beside(shares, means)
    columns = {"layer": places, "layer_name": found.layers, "clips": len(clips)}
    columns |= dict(zip(("trained", "untrained", "difference"), value, strict=True))
    columns |= dict(zip((*BAND, *SEEDS), (low[2], high[2], all_low[2], all_high[2], *of_seeds), strict=True))
    rows = []
    for of, strengths in (("mean", means), ("mass", masses)) if len(places) > late else ():
        value, low, high, _, _, *of_seeds = beside(early_over_late, strengths)
        rows.append((of, len(clips), value[0], low[0], high[0], *value[1:], low[2], high[2], *map(float, of_seeds)))
    of_early = ["of", "clips", "trained", "trained_low", "trained_high", "untrained", "difference", "low", "high"]
    return pd.DataFrame(columns), pd.DataFrame(rows, columns=[*of_early, *SEEDS])


def _ratio(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return a ratio, NaN to nothing."""
    return np.divide(one, other, out=np.full(np.shape(one), np.nan), where=other > 0)


def _against(values: np.ndarray, again: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first network's value, the mean of the others and the difference, (3, ...), and replicates of them.

    ``values`` are (1 + draws, ...), ``again`` (R, 1 + draws, ...).
    """
    one, one_again = values[0], again[:, 0]
    mean, mean_again = np.full_like(one, np.nan), np.full_like(one_again, np.nan)
    if len(values) > 1:
        mean, mean_again = mean_of_draws(values[1:], np.moveaxis(again[:, 1:], 1, 0))
    return np.stack([one, mean, one - mean]), np.stack([one_again, mean_again, one_again - mean_again], axis=1)


def _for_others(
    found: Attribution,
    clips: np.ndarray,
    measure: Callable[[np.ndarray], np.ndarray],
    seed: int,
    compared: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]] = lambda value, again: (value, again),
) -> tuple[np.ndarray, ...]:
    """Return what is measured of some clips, and its 95 % bounds for other people: low, high, and those of all at once.

    ``measure`` takes positions among ``clips``; ``compared`` makes of its value and replicates those that are returned.
    """
    value = measure(np.arange(len(clips)))
    try:
        groups = left_out_groups(found.data)[0][clips]
        again = jackknife_draws(value, left_out(groups, measure), N_DRAWS, np.random.default_rng(seed))
    except UserError:
        value, _ = compared(value, np.empty((0, *value.shape)))
        return (value, *[np.full(value.shape, np.nan)] * 4)
    value, again = compared(value, again)
    return (value, *percentile_interval(again), *simultaneous_band(value, again))


def swapped_targets(found: Attribution, clips: np.ndarray, seed: int = 0) -> pd.DataFrame:
    r"""Return whether the maps of each layer follow the clip or the class that they explain.

    Clips i and j of the classes a and b are explained for both classes each: :math:`H_{ia}, H_{ib}, H_{ja}, H_{jb}`.
    Maps that show what speaks for a class are alike where the class is the same,
    :math:`\rho(H_{ia}, H_{ja})`, whoever moves; maps that show how somebody moves where the clip is,
    :math:`\rho(H_{ia}, H_{ib})`, whatever is asked.

    Parameters
    ----------
    found : Attribution
    clips : int ndarray
        Positions of the clips that are paired, both of one person where people are known: each is in one pair at
        most, the classes by lot.
    seed : int
        Of the lot, and of the draws of other people behind the intervals (as `learnt_strength`).

    Returns
    -------
    DataFrame
        One row a layer: layer, layer_name, pairs (of which all four maps have some order), clip (mean rank correlation
        where the clip is the same and the class another), target (where the class is the same and the clip another),
        neither, and difference (clip minus target) with low, high, all_low, all_high.

    Raises
    ------
    UserError
        If all clips are explained for one class.
    """
    one, other = pairs(found.targets[clips], _people(found)[clips], seed)
    if not len(one):
        raise UserError("all clips are explained for the same class: there is no other one to explain them for")
    both, swapped = np.concatenate([one, other]), np.concatenate([other, one])
    some = found.take(clips)
    again = explain(
        found.network, some.data.take(both), some.targets[swapped], found.method, some.importance.shape[2], found.body
    )
    own, asked = _profiles(some.importance[both]), _profiles(again.importance)  # (L, 2 P, d)
    n = len(one)
    alike = [_alike(own, asked), _alike(own, np.roll(asked, n, axis=1)), _alike(own, np.roll(own, n, axis=1))]
    rho = np.stack(alike).reshape(3, len(own), 2, n).mean(axis=2)  # (3, L, P)
    blank = (np.ptp(own, axis=2) == 0) | (np.ptp(asked, axis=2) == 0)
    known = ~blank.reshape(len(own), 2, n).any(axis=1)  # (L, P)

    def means(kept: np.ndarray) -> np.ndarray:
        counted = known & (np.isin(one, kept) & np.isin(other, kept))
        clip, target, neither = _ratio((rho * counted).sum(axis=2), np.broadcast_to(counted.sum(axis=1), rho.shape[:2]))
        return np.stack([clip, target, neither, clip - target])

    value, *bounds = _for_others(found, clips, means, seed)
    columns = {"layer": range(1, len(own) + 1), "layer_name": found.layers, "pairs": known.sum(axis=1)}
    columns |= dict(zip(("clip", "target", "neither", "difference"), value, strict=True))
    return pd.DataFrame(columns | {name: bound[3] for name, bound in zip(BAND, bounds, strict=True)})


def _people(found: Attribution) -> np.ndarray:
    """Return who is seen in each clip; one and the same where people are not known."""
    try:
        groups, what = left_out_groups(found.data)
    except UserError:
        groups, what = np.zeros(len(found.data), int), ""
    return groups if what == "people" else np.zeros_like(groups)


def pairs(classes: np.ndarray, people: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return positions of pairs of one person that differ in class, each position once at most, (n_pairs,) each.

    Where nobody has clips of two classes, pairs are of two people.

    Examples
    --------
    >>> one, other = pairs(np.array([3, 3, 5, 5, 5]), np.array([0, 0, 0, 0, 1]))
    >>> sorted(zip(*(np.array([3, 3, 5, 5, 5])[side].tolist() for side in (one, other)))), 4 in [*one, *other]
    ([(3, 5), (3, 5)], False)
    """
    rng = np.random.default_rng(seed)
    found = [_pairs(classes, np.flatnonzero(people == who), rng) for who in np.unique(people)]
    if not any(len(one) for one, _ in found):
        found = [_pairs(classes, np.arange(len(classes)), rng)]
    return tuple(np.concatenate(side) for side in zip(*found, strict=True))


def _pairs(classes: np.ndarray, some: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs among some positions: sorted by class, those that are half of them apart."""
    classes = classes[some]
    by_lot = {c: place for place, c in enumerate(rng.permutation(np.unique(classes)).tolist())}
    order = np.lexsort((rng.random(len(some)), [by_lot[c] for c in classes.tolist()]))
    half = len(order) // 2
    one, other = order[:half], order[len(order) - half :]
    different = classes[one] != classes[other]
    return some[one[different]], some[other[different]]


def _profiles(importance: np.ndarray) -> np.ndarray:
    """Return the maps of each layer, (n, L, n_slices, V) -> (L, n, n_slices * V)."""
    return importance.reshape(*importance.shape[:2], -1).swapaxes(0, 1)


def _alike(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the rank correlation of each map with another, (L, n, d) -> (L, n)."""
    return np.stack([rank_correlation(a, b) for a, b in zip(one, other, strict=True)])


def stillness_table(
    found: Attribution, used: str, clips: np.ndarray | None = None, others: np.ndarray | None = None
) -> pd.DataFrame:
    """Return what the network makes of clips with all joints masked, by how they are masked.

    A network has an answer to a person who does not move, too: what masking says of that class is worth nothing.

    Parameters
    ----------
    found : Attribution
    used : str
        How joints are masked in the tests (`analysis_lib.explain.masking.BASELINES`).
    clips : int ndarray, optional
        Positions of the clips that are masked; all by default.
    others : float32 ndarray, shape (B, C, T, V, M), optional
        Background clips, whose scores are asked, too.

    Returns
    -------
    DataFrame
        Columns baseline (of masking, ``"zeros"``, ``"background"``), used, clip (position in ``found.data``),
        explained, named (class that the network gives it), probability (of the explained).
    """
    clips = np.arange(len(found.data)) if clips is None else clips
    x, lengths = clip_tensors(found.data, found.network.preprocessing)
    names, targets = found.data.class_names, found.targets[clips]
    shown = {how: masking_baseline(x, lengths, how, found.data.skeleton.centre)[clips] for how in BASELINES}
    shown |= {"zeros": np.zeros_like(x[:1])} | ({} if others is None else {"background": others})
    tables = []
    for how, masked in shown.items():
        share = softmax(_scores(found.network, masked).astype(float), axis=1)
        if how not in BASELINES:
            share = np.tile(share.mean(axis=0), (len(clips), 1))
        of = {"baseline": how, "used": how == used, "clip": clips, "explained": [names[c] for c in targets]}
        of |= {"named": [names[c] for c in share.argmax(axis=1)], "probability": share[np.arange(len(clips)), targets]}
        tables.append(pd.DataFrame(of))
    return pd.concat(tables, ignore_index=True)


def _scores(network: Checkpoint, x: np.ndarray) -> np.ndarray:
    """Return the scores of clips, of which many may be the same."""
    _, first, which = np.unique(x.reshape(len(x), -1), axis=0, return_index=True, return_inverse=True)
    return predict(network.model, x[first])[which.ravel()]


def untold(stillness: pd.DataFrame) -> tuple[tuple[str, ...], int]:
    """Return the actions that a network sees in clips without movement, and how many of the clips are left.

    Parameters
    ----------
    stillness : DataFrame
        From `stillness_table`.
    """
    rows = stillness[stillness["used"]]
    own = rows["explained"] == rows["named"]
    return tuple(dict.fromkeys(rows.loc[own, "explained"])), int((~own).sum())
