"""What is in a dataset, and whether the network beats the baseline, as numbers."""

from dataclasses import dataclass
from math import isnan

import pandas as pd

from analysis_lib.statistics import Estimate, Verdict


@dataclass(frozen=True)
class Findings:
    """What the chapter found.

    Frames of a clip; people, 0 if it is not known who acted; the accuracy of the network and of the baseline; ``gap``,
    network minus baseline; and whether the network is ``better``, undecided where the intervals meet.
    """

    clips: int
    actions: int
    people: int
    shortest: float
    median: float
    longest: float
    network: Estimate
    baseline: Estimate
    gap: float
    better: Verdict


def findings(clips: pd.DataFrame, scores: pd.DataFrame) -> Findings | None:
    """Return what the tables of clips and of accuracy say (`analysis_lib.studies.data.tables`).

    None if there is no clip, or one of the two has no accuracy.
    """
    rows = scores[["accuracy", "low", "high", "clips"]].itertuples(index=False, name=None)
    scored = [Estimate(*row) for row in rows if not isnan(row[0])]
    if clips.empty or len(scored) < 2:
        return None
    network, baseline = scored
    people = clips["subject"][clips["subject"] >= 0].nunique()
    frames = clips["frames"].agg(["min", "median", "max"])
    gap, better = network.value - baseline.value, network.beyond(baseline)
    return Findings(len(clips), clips["label"].nunique(), people, *frames, network, baseline, gap, better)
