"""What is in a dataset, and whether the network beats the baseline, as numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan, nan

import pandas as pd

from analysis_lib.statistics.estimates import Estimate, Verdict


@dataclass(frozen=True)
class Findings:
    """What the chapter found.

    Frames of a clip; people, 0 if it is not known who acted; the accuracy of the network, None without one, and of the
    baseline; ``gap``, network minus baseline; and whether the network is ``better``, undecided where the intervals meet.
    """

    clips: int
    actions: int
    people: int
    shortest: float
    median: float
    longest: float
    network: Estimate | None
    baseline: Estimate
    gap: float
    better: Verdict


@dataclass(frozen=True)
class Soundness:
    """What may mislead about the data.

    ``known`` is whether it is known who acted; ``shared`` people are in both splits, of ``tested`` in the test split;
    ``apart`` is whether the splits have no view in common. ``twins`` are pairs of names of clips with one content, and
    ``across`` whether one pair is learnt from and scored. ``missing`` are joints and the share of frames without them.
    """

    known: bool
    shared: int
    tested: int
    apart: bool
    twins: tuple[tuple[str, str], ...]
    across: bool
    missing: Mapping[str, float]


def soundness(train: pd.DataFrame, test: pd.DataFrame, twins: pd.DataFrame, missing: pd.DataFrame) -> Soundness:
    """Return what is to be kept in mind of two splits, from their tables of clips and those of `tables`."""
    learnt, tested = (set(clips["subject"]) for clips in (train, test))
    views = set(train["view"]), set(test["view"])
    sides = ((train, test), (test, train))
    across = [twins["clip"].isin(one["clip"]) & twins["same_as"].isin(other["clip"]) for one, other in sides]
    rows = missing[missing["missing"] > 0]
    return Soundness(
        known=-1 not in learnt | tested,
        shared=len(learnt & tested),
        tested=len(tested),
        apart=-1 not in views[0] | views[1] and not views[0] & views[1],
        twins=tuple(twins.itertuples(index=False, name=None)),
        across=bool((across[0] | across[1]).any()),
        missing=dict(rows.itertuples(index=False, name=None)),
    )


def findings(clips: pd.DataFrame, scores: pd.DataFrame) -> Findings | None:
    """Return what the tables of clips and of accuracy say (`analysis_lib.studies.data.tables`).

    None if there is no clip, or an accuracy is not known. The last row is the baseline's.
    """
    rows = scores[["accuracy", "low", "high", "clips"]].itertuples(index=False, name=None)
    *networks, baseline = [Estimate(*row) for row in rows]
    if clips.empty or any(isnan(one.value) for one in (*networks, baseline)):
        return None
    people = clips["subject"][clips["subject"] >= 0].nunique()
    frames = clips["frames"].agg(["min", "median", "max"])
    network, gap, better = None, nan, Verdict.UNDECIDED
    for network in networks:
        gap, better = network.value - baseline.value, network.beyond(baseline)
    return Findings(len(clips), clips["label"].nunique(), people, *frames, network, baseline, gap, better)
