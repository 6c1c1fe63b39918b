"""Whether the network tells infants apart, and which explanations find the joints that fidget."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis_lib.explain.registry import CONTROLS, TITLES
from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.statistics.intervals import wilson_interval
from analysis_lib.statistics.ranks import area_interval

CHANCE = 0.5
#: score from which on an infant counts as found: where the network thinks both classes equally likely
LINE = 0.5
#: what says which joints move, and asks no network
MOTION = TITLES["motion-energy"]


@dataclass(frozen=True)
class Findings:
    """What the tables say.

    ``area`` is that under the ROC curve of the infants' scores, ``told`` whether it is above chance. ``sensitivity``
    is the share of the infants who fidget whose score is `LINE` or more, ``specificity`` that of the others whose
    score is less; None without such infants. ``ranked`` is, by method, the area under the curve of its ranking of the
    joints, where it is known which fidget; ``finds`` judges each against chance, without those of
    `analysis_lib.explain.registry.CONTROLS`, and ``beats_motion`` each that finds them against motion energy.
    """

    infants: int
    fidgeting: int
    windows: int
    area: Estimate
    told: Verdict
    ranked: Mapping[str, Estimate] = field(default_factory=dict)
    sensitivity: Estimate | None = None
    specificity: Estimate | None = None

    @property
    def finds(self) -> dict[str, Verdict]:
        controls = {TITLES[name] for name in CONTROLS}
        return {method: area.above(CHANCE) for method, area in self.ranked.items() if method not in controls}

    @property
    def finding(self) -> list[str]:
        """Methods that surely rank the joints that fidget above the others."""
        return [method for method, verdict in self.finds.items() if verdict == Verdict.HOLDS]

    @property
    def beats_motion(self) -> list[str] | None:
        """Those of them that surely do so better than motion energy; None where that was not asked."""
        if MOTION not in self.ranked:
            return None
        rival = self.ranked[MOTION]
        return [method for method in self.finding if self.ranked[method].beyond(rival) == Verdict.HOLDS]


def findings(infants: pd.DataFrame, truth: pd.DataFrame | None = None, seed: int = 0) -> Findings:
    """Return what the scores say, and the areas of explanations (`analysis_lib.explain.comparison.truth_table`)."""
    fidgets = infants["fidgets"].to_numpy(bool)
    area, told = Estimate(float("nan")), Verdict.UNTESTED
    if 0 < fidgets.sum() < len(fidgets):
        found = area_interval(infants["score"].to_numpy(), fidgets, seed)
        area = Estimate(found["mean"], found["low"], found["high"], len(fidgets))
        told = area.above(CHANCE)
    ranked = {}
    if truth is not None:
        last = truth.drop_duplicates("method", keep="last")
        ranked = {row.method: Estimate(row.mean, row.low, row.high, row.clips) for row in last.itertuples(index=False)}
    beyond = infants["score"].to_numpy() >= LINE
    right = (_share(beyond[fidgets]), _share(~beyond[~fidgets]))
    return Findings(len(fidgets), int(fidgets.sum()), int(infants["windows"].sum()), area, told, ranked, *right)


def _share(right: np.ndarray) -> Estimate | None:
    """Return the share of infants that are named rightly, None without any."""
    return Estimate(right.mean(), *wilson_interval(right.sum(), len(right)), len(right)) if len(right) else None
