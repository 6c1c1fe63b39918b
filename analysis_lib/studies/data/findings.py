"""What is in a dataset, and whether the network beats the baseline, as numbers."""

from dataclasses import dataclass

import pandas as pd

from analysis_lib.statistics import Estimate, Verdict


@dataclass(frozen=True)
class Findings:
    """What the chapter found.

    Frames of a clip; people, 0 if it is not known who acted; the accuracy of the network and of the baseline; ``gap``,
    network minus baseline; and whether it is ``better``, by intervals that do not meet.
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


def findings(clips: pd.DataFrame, scores: pd.DataFrame) -> Findings:
    """Return what the tables of clips and of accuracy say (`analysis_lib.studies.data.tables`)."""
    rows = scores[["accuracy", "low", "high", "clips"]].itertuples(index=False, name=None)
    network, baseline = (Estimate(*row) for row in rows)
    gap = network.value - baseline.value
    better = Verdict.UNDECIDED if gap > 0 else Verdict.FAILS
    if network.low > baseline.high:
        better = Verdict.HOLDS
    people = clips["subject"][clips["subject"] >= 0].nunique()
    frames = clips["frames"].agg(["min", "median", "max"])
    return Findings(len(clips), clips["label"].nunique(), people, *frames, network, baseline, gap, better)
