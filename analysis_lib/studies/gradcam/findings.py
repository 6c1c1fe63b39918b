"""What the tables of the GradCAM chapter come down to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan, nan

import numpy as np
import pandas as pd

from analysis_lib.errors import UserError
from analysis_lib.explain.controls import untold
from analysis_lib.geometry.learnt import sure_layers
from analysis_lib.statistics.estimates import Estimate, Verdict, together
from analysis_lib.statistics.ranks import rank_correlation

#: what is less is weak, and what is less alike is forgotten; sentences call it a half
HALF = 0.5
#: word in the names of the parts of the body that move in a super-class
LIMBS = {"upper body": "arm", "lower body": "leg"}


@dataclass(frozen=True)
class Growth:
    """Which share of the importance that a place has in all layers together lies at the first and at the last.

    ``rise`` has the shares before and after the largest rise from a layer, ``after``, to the next; None if none rises.
    From layer ``mostly`` on, the last for which it is so, lies more than half: ``most`` of all.
    """

    first: float
    last: float
    rise: tuple[float, float] | None
    after: int
    mostly: int
    most: float


@dataclass(frozen=True)
class Place:
    """Where an action's importance lies at the last layer, as multiples of an even map's.

    Without ``part`` the map is zero; ``limb`` names the limbs that move in the action where the
    importance lies elsewhere.
    """

    action: str
    part: str = ""
    ratio: float = 0.0
    limb: str = ""
    limb_ratio: float = 0.0


@dataclass(frozen=True)
class Limbs:
    """In how many of a super-class's actions the limbs that move have more than an even map's share."""

    group: str
    limb: str
    actions: int
    first: int
    last: int


@dataclass(frozen=True)
class Early:
    """Early layers against late ones.

    Attributes
    ----------
    layers, late : int
        Early layers, and late ones.
    mean, mass : float
        Importance of a place, and of all, in early layers over late ones.
    weak : tuple of bool
        Whether each of the two is less than half; the two are NaN if late layers have none.
    first, last : Estimate
        Correlation of the maps of different actions at the first layer and at the last.
    least, at : Estimate, int
        The lowest such correlation, and its layer.
    repeat : float
        Correlation between two halves of the clips of one action, at the first layer.
    specific : Verdict
        Whether that is more than between actions; undecided within the interval, or if it is NaN.
    """

    layers: int
    late: int
    mean: float
    mass: float
    weak: tuple[bool, bool]
    first: Estimate
    last: Estimate
    least: Estimate
    at: int
    repeat: float
    specific: Verdict

    @property
    def part(self) -> bool:
        """Whether maps of different actions are surely less alike at some layer than at the first."""
        return self.first.beyond(self.least) == Verdict.HOLDS

    @property
    def join(self) -> bool:
        """Whether they are surely more alike at the last layer than at some layer before."""
        return self.last.beyond(self.least) == Verdict.HOLDS


@dataclass(frozen=True)
class Learnt:
    """How strong layers are beside those of untrained networks of the same clips.

    ``ends`` are the shares of the first layer and the last in untrained networks; ``stronger`` and ``weaker`` the
    layers that surely have more or less than those, at all layers at once. ``early`` is what a place in early layers
    has over one in late ones, ``untrained`` the same of untrained networks, ``less`` the difference, ``seeds`` the
    least and the most of networks of several seeds; they are None where all layers are late, or there is one seed.
    """

    clips: int
    ends: tuple[float, float]
    stronger: tuple[int, ...]
    weaker: tuple[int, ...]
    early: Estimate | None = None
    untrained: float = nan
    less: Estimate | None = None
    seeds: tuple[float, float] | None = None

    @property
    def weak(self) -> Verdict:
        """Whether early layers are weaker, beside late ones, than those of untrained networks."""
        return self.less.below(0) if self.less else Verdict.UNTESTED


@dataclass(frozen=True)
class Alike:
    """Rank correlation of a layer's maps where the clip is the same, where the class is, and their difference."""

    layer: int
    clip: float
    target: float
    difference: Estimate


@dataclass(frozen=True)
class Targets:
    """Do maps follow the clip or the class? ``clip`` and ``target`` are the layers that surely do one or the other."""

    pairs: int
    first: Alike
    last: Alike
    clip: tuple[int, ...]
    target: tuple[int, ...]

    @property
    def general(self) -> Verdict:
        """Whether the first layer's maps follow the clip rather than the class that they explain."""
        return self.first.difference.above(0)


@dataclass(frozen=True)
class Still:
    """What the network makes of a person who does not move: what most clips are named, and of which share of them.

    ``untold`` are the explained actions that it names there.
    """

    baseline: str
    clips: int
    named: str
    share: float
    untold: tuple[str, ...]


@dataclass(frozen=True)
class Balance:
    """Which joint speaks most for an action and which against it, and at how many of all joints against outweighs.

    ``share`` is how much speaks against at the one over what speaks for at the other, where there are both.
    """

    action: str
    most: str
    least: str
    outweighed: int
    joints: int
    share: float = nan


@dataclass(frozen=True)
class Agreement:
    """How far two variants of the map order the joints alike, where both have maps."""

    empty: int
    actions: int
    mean: float
    least: float
    largest: float
    same_first: int


@dataclass(frozen=True)
class Forgetting:
    """How much of the last layer's map is left after the first of some steps, and at the most."""

    step: str
    steps: int
    first: Estimate
    most: Estimate
    passed: Verdict


@dataclass(frozen=True)
class Gain:
    """By how much the order of the map beats another order in one test, and whether it does.

    ``own`` clips are left out: their class is what the network makes of the clip with every joint masked.
    """

    test: str
    against: str
    clips: int
    gain: Estimate
    better: Verdict
    own: int = 0


@dataclass(frozen=True)
class Findings:
    """All that the chapter says.

    ``growth`` is None for one layer, or where all maps are zero; ``early`` where all layers are late;
    ``forgetting``, ``learnt``, ``targets`` and ``still`` where that could not be tried. Where the last layer has no
    joints there are no places, limbs, balances, gains, and no agreement. ``times`` has the share of each time slice by
    action, none for an empty map.
    """

    layers: int
    growth: Growth | None
    places: tuple[Place, ...]
    limbs: tuple[Limbs, ...]
    early: Early | None
    times: dict[str, tuple[float, ...]]
    balances: tuple[Balance, ...]
    agreement: Agreement | None
    forgetting: Forgetting | None
    gains: tuple[Gain, ...]
    learnt: Learnt | None = None
    targets: Targets | None = None
    still: Still | None = None

    @property
    def matters(self) -> Verdict:
        """Return whether what the maps put first beats joints drawn by lot in every test."""
        return self._beats("random")

    @property
    def beyond_motion(self) -> Verdict:
        """Return whether it beats the joints that move most in every test."""
        return self._beats("motion")

    def _beats(self, order: str) -> Verdict:
        verdicts = [gain.better for gain in self.gains if gain.against == order]
        return together(verdicts) if verdicts else Verdict.UNTESTED


def findings(
    tables: Mapping[str, pd.DataFrame], actions: Sequence[str], late: int = 3, limbs: Mapping[str, str] = LIMBS
) -> Findings:
    """Return what the chapter's tables come down to.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        As the chapter records them: ``table``, ``layers``, ``parts``, ``counterfactual`` and, where the last
        layer has joints, ``joints`` and ``released`` from `analysis_lib.explain.attributions`;
        ``randomisation`` and ``masking_gain``, if there are any, from `analysis_lib.explain.checks`, and ``strength``,
        ``early``, ``targets`` and ``stillness`` from `analysis_lib.explain.controls`.
    actions : sequence of str
        Those that are drawn.
    late : int
        How many of the last layers show the action, as the paper has it.
    limbs : mapping of str to str
        Word in the names of the parts of the body that move, by super-class.
    """
    if late < 1:
        raise UserError(f"late is the number of last layers, at least 1, got {late}")
    layers, parts = tables["layers"], tables["parts"]
    last, randomised = _last(tables["table"]), tables.get("randomisation")
    where, deepest = actions if "joints" in tables else (), tables["table"]["layer"].max()
    return Findings(
        layers=len(layers),
        growth=_growth(layers),
        places=tuple(_place(parts[parts["layer"] == deepest], action, limbs) for action in where),
        limbs=tuple(_limbs(parts, limbs, deepest)) if where else (),
        early=_early(layers, late) if len(layers) > late else None,
        times={action: _times(last[last["class"] == action]) for action in actions},
        balances=tuple(_balances(last, _last(tables["counterfactual"]), where)),
        agreement=_agreement(tables["joints"], tables["released"]) if where else None,
        forgetting=None if randomised is None else _forgetting(_last(randomised)),
        gains=tuple(_gain(row) for _, row in tables["masking_gain"].iterrows()) if "masking_gain" in tables else (),
        learnt=_learnt(tables["strength"], tables["early"]) if "strength" in tables else None,
        targets=_targets(tables["targets"]) if "targets" in tables else None,
        still=_still(tables["stillness"]) if "stillness" in tables else None,
    )


def _last(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["layer"] == table["layer"].max()]


def _estimate(row: pd.Series, column: str = "mean") -> Estimate:
    return Estimate(row[column], row["low"], row["high"])


def _growth(layers: pd.DataFrame) -> Growth | None:
    means = layers["mean"].to_numpy()
    if len(means) < 2 or not means.any() or not np.isfinite(means).all():
        return None
    shares = means / means.sum()
    rises = np.diff(shares)
    most = int(rises.argmax())
    rise = (float(shares[most]), float(shares[most + 1])) if rises[most] > 0 else None
    rest = means[::-1].cumsum()[::-1]  # from each layer on; a share would be rounded where it is just a half
    mostly = int(np.flatnonzero(rest > HALF * rest[0])[-1])
    ends, after = (float(shares[0]), float(shares[-1])), int(layers["layer"].iloc[most])
    return Growth(*ends, rise, after, int(layers["layer"].iloc[mostly]), float(rest[mostly] / rest[0]))


def _place(parts: pd.DataFrame, action: str, limbs: Mapping[str, str]) -> Place:
    mine = parts[(parts["class"] == action) & parts["share"].notna()].set_index("part")
    if mine.empty:
        return Place(action)
    ratio = mine["share"] / mine["joints"]
    top, word = ratio.idxmax(), limbs.get(mine["group"].iloc[0], "")
    moving = mine[mine.index.str.contains(word, regex=False)] if word else mine.iloc[:0]
    if moving.empty or word in top:
        return Place(action, top, ratio[top])
    return Place(action, top, ratio[top], word, moving["share"].sum() / moving["joints"].sum())


def _limbs(parts: pd.DataFrame, limbs: Mapping[str, str], deepest: int):
    for group, word in limbs.items():
        mine = parts[(parts["group"] == group) & parts["part"].str.contains(word, regex=False)]
        if len(mine):
            shares = mine.groupby(["layer", "class"])[["share", "joints"]].sum()
            more = (shares["share"] > shares["joints"]).groupby("layer").sum()
            first, last = (int(more.get(end, 0)) for end in (parts["layer"].min(), deepest))
            yield Limbs(group, word, mine["class"].nunique(), first, last)


def _early(layers: pd.DataFrame, n_late: int) -> Early:
    early, late = layers.iloc[:-n_late], layers.iloc[-n_late:]
    mean, mass = (_ratio(early[c].mean(), late[c].mean()) for c in ("mean", "mass"))
    first, last = (_estimate(layers.iloc[i], "similarity") for i in (0, -1))
    repeat = float(layers["repeat"].iloc[0])
    weak = (bool(mean < HALF), bool(mass < HALF))
    known = layers["similarity"].fillna(np.inf)
    lowest = int(known.argmin())
    least, at = _estimate(layers.iloc[lowest], "similarity"), int(layers["layer"].iloc[lowest])
    return Early(len(early), n_late, mean, mass, weak, first, last, least, at, repeat, first.below(repeat))


def _ratio(one: float, other: float) -> float:
    """Return a ratio, NaN of a map that is zero."""
    return float(one / other) if other else nan


def _times(mine: pd.DataFrame) -> tuple[float, ...]:
    sums = mine.groupby("slice")["importance"].sum()
    return tuple(sums / sums.sum()) if sums.any() else ()


def _balances(plain: pd.DataFrame, against: pd.DataFrame, actions: Sequence[str]):
    sums = (t.groupby(["class", "joint"])["importance"].sum() for t in (plain, against))
    signed = next(sums) - next(sums)
    for action in actions:
        mine = signed.loc[action]
        most, least = (mine.idxmax() if mine.max() > 0 else ""), (mine.idxmin() if mine.min() < 0 else "")
        share = float(-mine.min() / mine.max()) if most and least else nan
        yield Balance(action, most, least, int((mine < 0).sum()), len(mine), share)


def _agreement(joints: pd.DataFrame, released: pd.DataFrame) -> Agreement:
    one, other = (t.pivot(index="class", columns="joint", values="importance") for t in (joints, released))
    empty = (other == 0).all(axis=1)
    one, other = one[~empty], other[~empty]
    rho = rank_correlation(one.to_numpy(), other.to_numpy()) if len(one) else np.zeros(1)
    same = int((one.idxmax(axis=1) == other.idxmax(axis=1)).sum()) if len(one) else 0
    return Agreement(int(empty.sum()), len(empty), rho.mean(), rho.min(), rho.max(), same)


def _forgetting(last: pd.DataFrame) -> Forgetting | None:
    known = last[last["mean"].notna() & (last["blank"] < 1)]  # a map without any order says nothing
    if known.empty:
        return None
    steps = [_estimate(row) for _, row in known.iterrows()]
    passed = together(verdict for step in steps for verdict in (step.below(HALF), step.above(-HALF)))
    most = max(steps, key=lambda step: abs(step.value))
    return Forgetting(known["forgotten"].iloc[0], len(known), steps[0], most, passed)


def _gain(row: pd.Series) -> Gain:
    gain = _estimate(row)
    verdict = gain.beyond(Estimate(0.0, 0.0, 0.0))
    return Gain(row["test"], row["against"], int(row["clips"]), gain, verdict, int(row["own"]))


def _learnt(strength: pd.DataFrame, early: pd.DataFrame) -> Learnt | None:
    ends = tuple(map(float, strength["untrained"].iloc[[0, -1]]))
    if not np.isfinite([*ends, *strength["trained"]]).all():
        return None
    weaker, stronger = sure_layers(strength)
    found = Learnt(int(strength["clips"].iloc[0]), ends, stronger, weaker)
    if early.empty:
        return found
    row = early.set_index("of").loc["mean"]
    trained = Estimate(*map(float, row[["trained", "trained_low", "trained_high"]]))
    seeds = None if isnan(row["seeds_low"]) else (float(row["seeds_low"]), float(row["seeds_high"]))
    less = _estimate(row, "difference")
    return replace(found, early=trained, untrained=float(row["untrained"]), less=less, seeds=seeds)


def _targets(table: pd.DataFrame) -> Targets | None:
    if table["difference"].iloc[[0, -1]].isna().any():
        return None
    first, last = (
        Alike(int(row["layer"]), row["clip"], row["target"], _estimate(row, "difference"))
        for _, row in table.iloc[[0, -1]].iterrows()
    )
    target, clip = sure_layers(table)
    return Targets(int(table["pairs"].max()), first, last, clip, target)


def _still(table: pd.DataFrame) -> Still:
    rows = table[table["used"]]
    named = rows["named"].mode()[0]
    share = float((rows["named"] == named).mean())
    return Still(rows["baseline"].iloc[0], len(rows), named, share, untold(table)[0])
