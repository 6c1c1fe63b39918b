"""What is in a dataset, and whether the network beats the baseline, as numbers."""

from dataclasses import dataclass

import pandas as pd

from analysis_lib.statistics import Estimate, Verdict


@dataclass(frozen=True)
class Findings:
    """What the chapter found.

    Attributes
    ----------
    clips, actions, people : int
        People are 0 if it is not known who acted.
    shortest, median, longest : float
        Frames of a clip.
    network, baseline : Estimate
        Accuracy.
    gap : float
        Network minus baseline.
    better : Verdict
        Whether the network is above the baseline, by intervals that do not meet.
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
    unsure = Verdict.UNDECIDED if gap > 0 else Verdict.FAILS
    return Findings(
        clips=len(clips),
        actions=clips["label"].nunique(),
        people=clips["subject"][clips["subject"] >= 0].nunique(),
        shortest=clips["frames"].min(),
        median=clips["frames"].median(),
        longest=clips["frames"].max(),
        network=network,
        baseline=baseline,
        gap=gap,
        better=Verdict.HOLDS if network.low > baseline.high else unsure,
    )
