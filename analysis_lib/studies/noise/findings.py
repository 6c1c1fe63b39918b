"""What noise and other faults do to label variation and to accuracy, read off the chapter's tables.

A change is clear if its 95 % interval leaves out zero. A point is an action at a layer: the input,
layer 0, is drawn but not judged.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis_lib.statistics import Estimate, Verdict
from analysis_lib.studies.noise.tables import ALL, CHOSEN


@dataclass(frozen=True)
class Curves:
    """At how many points noise of one level clearly changes q, and where most."""

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
    weak: bool  # it climbs by less than the margin
    noisy: tuple[tuple[float, float], ...]  # level, climb
    steadied: tuple[float, ...]  # levels at which it climbs less
    verdict: Verdict  # undecided if only some levels steady it, untested if it does not climb


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
class Findings:
    """All that the chapter says; levels are PSNR in decibels."""

    level: float  # the noisiest at which graphs are built
    actions: tuple[str, ...]  # those that are disturbed
    n_layers: int
    n_points: int
    by_chance: float  # points whose intervals leave out zero by chance
    clean: float  # accuracy on the chosen actions
    noisy: Score  # the same at `level`
    chosen_change: float  # of q at the last layer, mean of the chosen actions: noise on them alone
    all_change: float  # the same noise on all actions
    marks: bool  # the first is smaller: noise acts as a label
    higher: int  # points at which q is higher with noise on all
    gap: float  # mean of that difference
    parted: tuple[tuple[str, float, float], ...]  # clearly smoother at the last layer and clearly less accurate
    curves: tuple[Curves, ...]
    climb: Climb
    mixed_clips: int
    mixed: tuple[Score, ...]  # of the mixed set, by level
    reported: float  # change of accuracy on the paper's mixed set
    within: tuple[float, ...]  # levels at which the mixed set loses no more than that
    beyond: tuple[float, ...]
    costs: tuple[Cost, ...]
    strongest: float  # level at which accuracy is taken
    mistaken: str  # what most clips that are named wrongly there are taken for; empty if there are none
    mistaken_share: float  # of the clips that are named wrongly
    mistaken_own: float  # accuracy on that action's own noisy clips, NaN if there are none
    noisy_clips: int
    worst_miss: float  # of a clip's level, dB, rounded up to one digit


def findings(
    smoothness: pd.DataFrame, climbs: pd.DataFrame, scores: pd.DataFrame, predictions: pd.DataFrame, reported: float
) -> Findings:
    """Return what the tables say.

    Parameters
    ----------
    smoothness, climbs, scores, predictions : DataFrame
        From `noise_smoothness`, `climb_table`, `robustness_table` and `disturbed_predictions` of
        `analysis_lib.studies.noise.tables`; the levels of the first are among those of the others.
    reported : float
        Change of accuracy on a mixed set that the paper reports.
    """
    level = smoothness["psnr"].min()
    layers = smoothness[smoothness["layer"] > 0]
    actions, n_layers = tuple(layers["name"].unique()), layers["layer"].nunique()
    chosen = dict(list(scores[scores["set"] == CHOSEN].groupby("kind", sort=False)))
    mixed = scores[(scores["set"] == ALL) & (scores["kind"] == "noise")]
    small = mixed["change"] >= reported
    noise = predictions[predictions["kind"] == "noise"]
    return Findings(
        level=level,
        actions=actions,
        n_layers=n_layers,
        n_points=len(actions) * n_layers,
        by_chance=0.05 * len(actions) * n_layers,
        clean=chosen["none"]["accuracy"].iloc[0],
        noisy=next(score for score in _scores(chosen["noise"]) if score.strength == level),
        **_marks(layers[layers["psnr"] == level], scores),
        curves=tuple(_curves(p, rows) for p, rows in layers[layers["noisy"] == "chosen"].groupby("psnr", sort=False)),
        climb=_climb(climbs),
        mixed_clips=int(mixed["clips"].iloc[0]),
        mixed=_scores(mixed),
        reported=reported,
        within=tuple(mixed.loc[small, "strength"]),
        beyond=tuple(mixed.loc[~small, "strength"]),
        costs=tuple(_cost(kind, _scores(rows)) for kind, rows in chosen.items() if kind != "none"),
        **_mistaken(noise[noise["strength"] == noise["strength"].min()]),
        noisy_clips=len(noise),
        worst_miss=_rounded_up((noise["achieved"] - noise["strength"]).abs().max()),
    )


def _scores(rows: pd.DataFrame) -> tuple[Score, ...]:
    change = [Estimate(*values) for values in rows[["change", "change_low", "change_high"]].to_numpy(float)]
    return tuple(map(Score, rows["strength"], rows["accuracy"], change))


def _marks(rows: pd.DataFrame, scores: pd.DataFrame) -> dict:
    q = rows.pivot(index=["name", "layer"], columns="noisy", values="q")
    gap = q["all"] - q["chosen"]
    last = rows[rows["layer"] == rows["layer"].max()]
    change = last.groupby("noisy")["change"].mean()
    noisy = scores[(scores["kind"] == "noise") & (scores["strength"] == rows["psnr"].iloc[0])].set_index("set")
    smoother = last[(last["noisy"] == "chosen") & (last["change_high"] < 0)].set_index("name")["change"]
    parted = [name for name in smoother.index if noisy.loc[name, "change_high"] < 0]
    return {
        "chosen_change": change["chosen"],
        "all_change": change["all"],
        "marks": bool(change["chosen"] < change["all"]),
        "higher": int((gap > 0).sum()),
        "gap": gap.mean(),
        "parted": tuple((name, smoother[name], noisy.loc[name, "change"]) for name in parted),
    }


def _curves(level: float, rows: pd.DataFrame) -> Curves:
    most = rows.loc[rows["change"].abs().idxmax()]
    lower, higher = int((rows["change_high"] < 0).sum()), int((rows["change_low"] > 0).sum())
    return Curves(level, lower, higher, most["change"], most["name"], int(most["layer"]))


def _climb(climbs: pd.DataFrame) -> Climb:
    clean = climbs[climbs["noisy"] == "none"].set_index("name")
    name = clean["climb"].idxmax()
    climb, margin = clean.loc[name, ["climb", "margin"]]
    rows = climbs[(climbs["name"] == name) & (climbs["noisy"] == "chosen")]
    noisy = tuple(zip(rows["psnr"], rows["climb"], strict=True))
    steadied = tuple(psnr for psnr, found in noisy if found < climb)
    verdict = {len(noisy): Verdict.HOLDS, 0: Verdict.FAILS}.get(len(steadied), Verdict.UNDECIDED)
    return Climb(name, climb, margin, climb < margin, noisy, steadied, verdict if climb > 0 else Verdict.UNTESTED)


def _cost(kind: str, scores: tuple[Score, ...]) -> Cost:
    lost = next((score for score in scores if score.change.high < 0), None)
    return Cost(kind, lost, tuple(score for score in scores if score.change.low > 0), scores[-1])


def _mistaken(noise: pd.DataFrame) -> dict:
    wrong = noise.loc[noise["predicted"] != noise["action"], "predicted"]
    name = wrong.value_counts().index[0] if len(wrong) else ""
    own = noise.loc[noise["action"] == name, "right"].mean()
    shares = {"mistaken_share": (wrong == name).mean(), "mistaken_own": own}
    return {"strongest": noise["strength"].iloc[0], "mistaken": name, **shares}


def _rounded_up(value: float) -> float:
    """Return the next number of one digit that is no smaller.

    >>> _rounded_up(0.031), _rounded_up(0.0)
    (0.04, 0.0)
    """
    step = 10.0 ** np.floor(np.log10(value)) if value > 0 else 1.0
    return float(np.ceil(value / step) * step)
