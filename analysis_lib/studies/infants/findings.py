"""Whether the network tells infants apart, and which explanations find the joints that fidget."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from analysis_lib.explain.registry import CONTROLS, TITLES
from analysis_lib.statistics import Estimate, Verdict, area_interval

CHANCE = 0.5


@dataclass(frozen=True)
class Findings:
    """What the tables say.

    ``area`` is that under the ROC curve of the infants' scores, ``told`` whether it is above chance. ``ranked`` is, by
    method, the area under the curve of its ranking of the joints, where it is known which fidget; ``finds`` judges
    each against chance, without those of `analysis_lib.explain.registry.CONTROLS`.
    """

    infants: int
    fidgeting: int
    windows: int
    area: Estimate
    told: Verdict
    ranked: Mapping[str, Estimate] = field(default_factory=dict)

    @property
    def finds(self) -> dict[str, Verdict]:
        controls = {TITLES[name] for name in CONTROLS}
        return {method: area.above(CHANCE) for method, area in self.ranked.items() if method not in controls}


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
    return Findings(len(fidgets), int(fidgets.sum()), int(infants["windows"].sum()), area, told, ranked)
