"""What fine-tuning found, and what the forecasts of a cut were good for, read off the chapter's tables."""

from dataclasses import dataclass
from math import isnan, nan

import numpy as np
import pandas as pd

from analysis_lib.geometry.curves import EVERY
from analysis_lib.statistics.estimates import Estimate, Verdict, together
from analysis_lib.statistics.ranks import rank_interval
from analysis_lib.studies.transfer.measures import still_learns
from analysis_lib.studies.transfer.runs import SCRATCH, case_name
from analysis_lib.studies.transfer.tables import OLD_HEAD


@dataclass(frozen=True)
class Forecast:
    """What one forecast of the best cut was good for."""

    rule: str
    taken: tuple[tuple[int, int], ...]  # clips a class, cut
    lost: float  # of accuracy, against the best cut; mean over set sizes
    better: int  # fixed rules that lose less
    worst: tuple[float, int]  # most of accuracy that it loses, and with how many clips a class
    rho: tuple[float, float] | None  # least and greatest agreement of its order with that of accuracy
    agrees: Verdict  # that this is above zero at every set size


@dataclass(frozen=True)
class Findings:
    """All that the chapter says; accuracies are those in the end, at the largest set size."""

    old: float  # untouched, read through its old head; NaN if that was not tried
    clips: int  # of test
    size: int  # clips a class to learn from
    shallowest: str  # case of the smallest cut
    shallow: Estimate
    best: str | None  # case of the best of the deeper cuts, if there are any
    deep: Estimate
    scratch: Estimate
    chance: float  # accuracy of guesses at random: one in so many new actions
    deeper: Verdict  # the best deeper cut beats the smallest
    ahead: Verdict  # the smallest cut beats training from scratch
    new_span: float  # of label variation over the layers, of the new actions, mean of the super-classes
    own_span: float
    drop_after: Estimate | None  # layer; the earliest of all super-classes of new actions, if each of them falls
    rises: int  # of that mean curve
    steps: int
    epochs: int
    goal: float  # mean of the seeds from scratch, NaN if that was not tried
    passed: tuple[tuple[int | None, tuple[str, ...]], ...]  # epoch at which the goal is passed, None for never; cases
    best_cuts: tuple[tuple[int, int], ...]  # clips a class, cut
    clear: tuple[tuple[int, int, int], ...]  # clips a class, other cuts that lose clearly, other cuts
    forecasts: tuple[Forecast, ...]
    n_fixed: int  # rules that always take the same cut
    fixed: str  # the best of them, empty if there are none
    fixed_lost: float

    @property
    def at_chance(self) -> bool:
        """Whether training from scratch is not told from guesses at random."""
        return self.scratch.low <= self.chance <= self.scratch.high


def findings(
    table: pd.DataFrame,
    final: pd.DataFrame,
    new: pd.DataFrame,
    own: pd.DataFrame,
    shape: pd.DataFrame,
    choices: pd.DataFrame,
) -> Findings | None:
    """Return what the tables say; None if nothing was tuned.

    Parameters
    ----------
    table, final, choices : DataFrame
        From `transfer_table`, `final_table` and `choice_table` of `analysis_lib.studies.transfer.tables`.
    new, own : DataFrame
        Label variation of new actions and of the source's own.
    shape : DataFrame
        Of the new actions, from `analysis_lib.geometry.curves.shape_table`.
    """
    if final.empty or (final["case"] == SCRATCH).all():
        return None
    chance = 1 / new.loc[new["level"] == "class", "name"].nunique()
    accuracies = _accuracies(table, final) | {"chance": chance}
    return Findings(**accuracies, **_curves(new, own, shape), **_learning(table), **_choices(choices))


@dataclass(frozen=True)
class Probe:
    """Mean accuracy over the seeds of a logistic probe of the untouched last layer, beside the head's after tuning.

    At the largest set size; ``head`` is NaN if it was not tuned alone, ``learns`` whether it still did when tuning
    ended (`analysis_lib.studies.transfer.measures.still_learns`).
    """

    size: int
    probe: float
    head: float
    learns: bool


def probe_findings(probes: pd.DataFrame, final: pd.DataFrame, table: pd.DataFrame) -> Probe | None:
    """Return what `tables.probe_table` says beside `final_table` and `transfer_table`; None without rows."""
    if probes.empty:
        return None
    size, case = int(probes["clips_per_class"].max()), case_name(0, 1)
    head = final.loc[(final["case"] == case) & (final["clips_per_class"] == size), "accuracy"]
    mean = probes.loc[probes["clips_per_class"] == size, "accuracy"].mean()
    return Probe(size, float(mean), float(head.iloc[0]) if len(head) else nan, still_learns(table, case))


def _accuracies(table: pd.DataFrame, final: pd.DataFrame) -> dict:
    last = final[final["clips_per_class"] == final["clips_per_class"].max()]
    tuned, scratch = last[last["case"] != SCRATCH], last[last["case"] == SCRATCH]
    first = tuned.loc[tuned["cut"].idxmin()]
    others = tuned[(tuned["cut"] > first["cut"]) & tuned["accuracy"].notna()]
    best = others.loc[others["accuracy"].idxmax()] if len(others) else None
    shallow, deep = _estimate(first), Estimate(nan) if best is None else _estimate(best)
    afresh = _estimate(scratch.iloc[0]) if len(scratch) else Estimate(nan)
    old = table.loc[table["case"] == OLD_HEAD, "accuracy"]
    return {
        "old": float(old.iloc[0]) if len(old) else nan,
        "clips": int(first["clips"]),
        "size": int(first["clips_per_class"]),
        "shallowest": first["case"],
        "shallow": shallow,
        "best": None if best is None else best["case"],
        "deep": deep,
        "scratch": afresh,
        "deeper": Verdict.UNTESTED if best is None else deep.beyond(shallow),
        "ahead": shallow.beyond(afresh) if len(scratch) else Verdict.UNTESTED,
    }


def _estimate(row: pd.Series, column: str = "accuracy") -> Estimate:
    return Estimate(*map(float, row[[column, "low", "high"]]))


def _curves(new: pd.DataFrame, own: pd.DataFrame, shape: pd.DataFrame) -> dict:
    curves = [t[(t["level"] == "group") & (t["layer"] > 0)].groupby("layer")["q"].mean() for t in (new, own)]
    every = shape[shape["group"] == EVERY].set_index("statistic")
    (new_span, own_span), steps = map(np.ptp, curves), np.diff(curves[0])
    steps = steps[np.isfinite(steps)]
    falls = "drop" in every.index and every.loc["drop", "value"] > 0
    drop_after = _estimate(every.loc["drop after"], "value") if falls else None
    spans = {"new_span": new_span, "own_span": own_span, "drop_after": drop_after}
    return spans | {"rises": int((steps > 0).sum()), "steps": len(steps)}


def _learning(table: pd.DataFrame) -> dict:
    read = table[(table["clips_per_class"] == table["clips_per_class"].max()) & table["accuracy"].notna()]
    seeds = read.groupby(["case", "epoch"], sort=False)["accuracy"]
    means, least = seeds.mean(), seeds.min()
    goal, passed = (float(means[SCRATCH].iloc[-1]) if SCRATCH in means else nan), {}
    for case in (c for c in dict.fromkeys(read["case"]) if c != SCRATCH and not isnan(goal)):
        above = [epoch for epoch, accuracy in least[case].items() if epoch > 0 and accuracy > goal]
        passed.setdefault(int(min(above)) if above else None, []).append(case)
    cases = tuple((epoch, tuple(names)) for epoch, names in passed.items())
    return {"epochs": int(read["epoch"].max()), "goal": goal, "passed": cases}


def _choices(choices: pd.DataFrame) -> dict:
    forecast = choices["is_forecast"].astype(bool)
    fixed = choices[~forecast].groupby("rule", sort=False)["lost"].mean()
    others = choices[~forecast & (choices["cut"] != choices["best_cut"])].groupby("clips_per_class")["low"]
    return {
        "best_cuts": tuple(choices.groupby("clips_per_class")["best_cut"].first().items()),
        "clear": tuple((size, int((low > 0).sum()), len(low)) for size, low in others),
        "forecasts": tuple(_forecast(rows, fixed) for _, rows in choices[forecast].groupby("rule", sort=False)),
        "n_fixed": len(fixed),
        "fixed": fixed.idxmin() if fixed.notna().any() else "",
        "fixed_lost": fixed.min(),
    }


def _forecast(rows: pd.DataFrame, fixed: pd.Series) -> Forecast:
    lost, rho = rows["lost"].mean(), rows["rho"].dropna()
    taken, better = tuple(zip(rows["clips_per_class"], rows["cut"], strict=True)), int((fixed < lost - 1e-12).sum())
    most = rows.loc[rows["lost"].idxmax()] if rows["lost"].notna().any() else rows.iloc[0]
    worst = float(most["lost"]), int(most["clips_per_class"])
    agrees = together(rank_interval(one, len(fixed)).above(0) for one in rho)
    ends = (float(rho.min()), float(rho.max())) if len(rho) else None
    return Forecast(rows["rule"].iloc[0], taken, lost, better, worst, ends, agrees)
