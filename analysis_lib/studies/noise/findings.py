"""What noise and other faults do to label variation and to accuracy, read off the chapter's tables.

A change is clear if its interval leaves out zero. A point is an action at a layer: the input,
layer 0, is drawn but not judged.
"""

from dataclasses import dataclass
from math import nan

import numpy as np
import pandas as pd

from analysis_lib.geometry.learnt import sure_layers
from analysis_lib.statistics.estimates import Estimate, Verdict, together
from analysis_lib.studies.noise.tables import ALL, CHOSEN


@dataclass(frozen=True)
class Curves:
    """At how many points noise of one level clearly changes q, and where most; no action if nothing is known."""

    level: float
    lower: int
    higher: int
    largest: float
    action: str
    layer: int


@dataclass(frozen=True)
class Climb:
    """The clean curve that climbs most (`analysis_lib.studies.noise.tables.climb_table`): does noise steady it?"""

    name: str
    climb: float
    margin: float
    weak: bool  # it climbs by no more than the margin
    noisy: tuple[tuple[float, float], ...]  # level, climb
    verdict: Verdict  # noise steadies it at every level; untested if there is nothing to steady


@dataclass(frozen=True)
class Score:
    """Accuracy at one strength, and its change against the same clips undisturbed."""

    strength: float
    accuracy: float
    change: Estimate


@dataclass(frozen=True)
class Cost:
    """What one kind of fault costs on the chosen actions."""

    kind: str
    lost: Score | None  # the mildest clear loss
    gained: tuple[Score, ...]  # clear gains
    strongest: Score


@dataclass(frozen=True)
class Learnt:
    """How noise on the chosen actions alone changes label variation beside untrained networks, mean of the actions.

    ``trained``, ``untrained`` and ``last`` (their difference) are of the last layer, ``growth`` how much larger that
    difference is than at the first. ``higher`` and ``lower`` are the layers where the change is surely above or below
    that of untrained networks, at all layers at once.
    """

    level: float
    draws: int
    trained: float
    untrained: float
    last: Estimate
    growth: Estimate
    higher: tuple[int, ...]
    lower: tuple[int, ...]

    @property
    def dearer(self) -> Verdict:
        """Whether noise raises label variation at the last layer more than in untrained networks."""
        return self.last.above(0)


@dataclass(frozen=True)
class Findings:
    """All that the chapter says; levels are PSNR in decibels."""

    level: float  # the noisiest at which graphs are built
    actions: tuple[str, ...]  # those that are disturbed
    n_layers: int
    n_points: int
    clean: float  # accuracy on the chosen actions
    noisy: Score  # the same at `level`
    chosen_change: float  # of q at the last layer, mean of the chosen actions: noise on them alone
    all_change: float  # the same noise on all actions
    costly: Verdict  # accuracy is lower with noise at `level`
    marks: Verdict  # each action's change is smaller where it alone is noisy: noise acts as a label
    higher: int  # points at which q is higher with noise on all
    gap: float  # mean of that difference
    parted: tuple[tuple[str, float, float], ...]  # clearly smoother at the last layer and clearly less accurate
    curves: tuple[Curves, ...]
    climb: Climb | None  # None if no curve is known
    mixed_clips: int
    mixed: tuple[Score, ...]  # of the mixed set, by level
    reported: float  # change of accuracy on the paper's mixed set
    within: tuple[float, ...]  # levels at which the mixed set clearly loses less than that
    beyond: tuple[float, ...]  # clearly more
    level_with: tuple[float, ...]  # neither
    costs: tuple[Cost, ...]
    mistaken: str  # what most clips that are named wrongly at `level` are taken for; empty if there are none
    mistaken_share: float  # of the clips that are named wrongly
    mistaken_own: float  # accuracy on that action's own noisy clips, NaN if there are none
    noisy_clips: int
    worst_miss: float  # of a clip's level, dB, rounded up to one digit
    learnt: Learnt | None = None  # None without untrained networks


def findings(
    smoothness: pd.DataFrame,
    climbs: pd.DataFrame,
    scores: pd.DataFrame,
    predictions: pd.DataFrame,
    reported: float,
    learnt: pd.DataFrame | None = None,
) -> Findings | None:
    """Return what the tables say; None if no noise was tried, or no graph was built with it.

    Parameters
    ----------
    smoothness, climbs, scores, predictions : DataFrame
        From `noise_smoothness`, `climb_table`, `robustness_table` and `disturbed_predictions` of
        `analysis_lib.studies.noise.tables`; the levels of the first are among those of the others.
    reported : float
        Change of accuracy on a mixed set that the paper reports.
    learnt : DataFrame, optional
        From `analysis_lib.studies.noise.tables.learnt_noise`.
    """
    level = smoothness["psnr"].min()
    layers = smoothness[smoothness["layer"] > 0]
    actions, n_layers = tuple(layers["name"].unique()), layers["layer"].nunique()
    chosen = dict(list(scores[scores["set"] == CHOSEN].groupby("kind", sort=False)))
    mixed = scores[(scores["set"] == ALL) & (scores["kind"] == "noise")]
    lost = {score.strength: score.change.beyond(Estimate(*[reported] * 3)) for score in _scores(mixed)}
    noise = predictions[predictions["kind"] == "noise"]
    at_level = [score for score in _scores(chosen["noise"]) if score.strength == level] if "noise" in chosen else []
    if not at_level:
        return None
    within, beyond, level_with = (
        tuple(strength for strength, one in lost.items() if one == verdict)
        for verdict in (Verdict.HOLDS, Verdict.FAILS, Verdict.UNDECIDED)
    )
    return Findings(
        level=level,
        actions=actions,
        n_layers=n_layers,
        n_points=len(actions) * n_layers,
        clean=chosen["none"]["accuracy"].iloc[0],
        noisy=at_level[0],
        costly=at_level[0].change.below(0),
        **_marks(layers[layers["psnr"] == level], scores),
        curves=tuple(_curves(p, rows) for p, rows in layers[layers["noisy"] == "chosen"].groupby("psnr", sort=False)),
        climb=_climb(climbs),
        mixed_clips=int(mixed["clips"].iloc[0]),
        mixed=_scores(mixed),
        reported=reported,
        within=within,
        beyond=beyond,
        level_with=level_with,
        costs=tuple(_cost(kind, _scores(rows)) for kind, rows in chosen.items() if kind != "none"),
        **_mistaken(noise[noise["strength"] == level]),
        noisy_clips=len(noise),
        worst_miss=_rounded_up((noise["achieved"] - noise["strength"]).abs().max()),
        learnt=None if learnt is None else _learnt(learnt[learnt["layer"] > 0]),
    )


def _learnt(rows: pd.DataFrame) -> Learnt | None:
    if rows.empty or not np.isfinite(rows["difference"].iloc[-1]):
        return None
    last = rows.iloc[-1]
    difference, growth = (
        Estimate(*map(float, last[columns]))
        for columns in (["difference", "low", "high"], ["growth", "growth_low", "growth_high"])
    )
    lower, higher = sure_layers(rows)
    ends = (float(last["trained"]), float(last["untrained"]))
    return Learnt(float(last["psnr"]), int(last["draws"]), *ends, difference, growth, higher, lower)


def _scores(rows: pd.DataFrame) -> tuple[Score, ...]:
    return tuple(map(Score, rows["strength"], rows["accuracy"], _changes(rows)))


def _changes(rows: pd.DataFrame) -> list[Estimate]:
    return [Estimate(*values) for values in rows[["change", "change_low", "change_high"]].to_numpy(float)]


def _marks(rows: pd.DataFrame, scores: pd.DataFrame) -> dict:
    q = rows.pivot(index=["name", "layer"], columns="noisy", values="q")
    gap = q["all"] - q["chosen"]
    last = rows[rows["layer"] == rows["layer"].max()].set_index("name")
    means = last.groupby("noisy")["change"].mean()
    parts = (last[last["noisy"] == noisy] for noisy in ("chosen", "all"))
    alone, everyone = (dict(zip(part.index, _changes(part), strict=True)) for part in parts)
    noisy = scores[(scores["kind"] == "noise") & (scores["strength"] == rows["psnr"].iloc[0])].set_index("set")
    named = dict(zip(noisy.index, _changes(noisy), strict=True))
    both = [(name, one, named[name]) for name, one in alone.items() if name in named]
    return {
        "chosen_change": means["chosen"],
        "all_change": means["all"],
        "marks": together(everyone[name].beyond(one) for name, one in alone.items() if name in everyone),
        "higher": int((gap > 0).sum()),
        "gap": gap.mean(),
        "parted": tuple(
            (name, q.value, share.value) for name, q, share in both if q.below(0) == share.below(0) == Verdict.HOLDS
        ),
    }


def _curves(level: float, rows: pd.DataFrame) -> Curves:
    changes = _changes(rows)
    lower = sum(change.below(0) == Verdict.HOLDS for change in changes)
    higher = sum(change.above(0) == Verdict.HOLDS for change in changes)
    known = rows[rows["change"].notna()]
    if known.empty:
        return Curves(level, lower, higher, nan, "", 0)
    most = known.loc[known["change"].abs().idxmax()]
    return Curves(level, lower, higher, most["change"], most["name"], int(most["layer"]))


def _climb(climbs: pd.DataFrame) -> Climb | None:
    clean = climbs[(climbs["noisy"] == "none") & climbs["climb"].notna()].set_index("name")
    if clean.empty:
        return None
    name = clean["climb"].idxmax()
    climb, margin = map(float, clean.loc[name, ["climb", "margin"]])
    rows = climbs[(climbs["name"] == name) & (climbs["noisy"] == "chosen")]
    noisy = tuple(zip(rows["psnr"], rows["climb"], strict=True))
    verdict = together(Estimate(found, found - margin, found + margin).below(climb) for _, found in noisy)
    weak = not climb > margin
    return Climb(name, climb, margin, weak, noisy, Verdict.UNTESTED if weak else verdict)


def _cost(kind: str, scores: tuple[Score, ...]) -> Cost:
    lost = next((score for score in scores if score.change.below(0) == Verdict.HOLDS), None)
    gained = tuple(score for score in scores if score.change.above(0) == Verdict.HOLDS)
    return Cost(kind, lost, gained, scores[-1])


def _mistaken(noise: pd.DataFrame) -> dict:
    wrong = noise.loc[noise["predicted"] != noise["action"], "predicted"]
    name = wrong.value_counts().index[0] if len(wrong) else ""
    own = noise.loc[noise["action"] == name, "right"].mean()
    shares = {"mistaken_share": (wrong == name).mean(), "mistaken_own": own}
    return {"mistaken": name, **shares}


def _rounded_up(value: float) -> float:
    """Return the next number of one digit that is no smaller.

    >>> _rounded_up(0.031), _rounded_up(0.0)
    (0.04, 0.0)
    """
    step = 10.0 ** np.floor(np.log10(value)) if value > 0 else 1.0
    return float(np.ceil(value / step) * step)
