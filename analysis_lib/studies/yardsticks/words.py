"""What the chapter on yardsticks says."""

from collections.abc import Mapping
from math import isnan

from analysis_lib.networks.untrained import SEED, UNTRAINED
from analysis_lib.statistics.estimates import Verdict
from analysis_lib.studies.yardsticks.findings import Alignment, Change, Findings
from analysis_lib.studies.yardsticks.tables import PROBE, SAME
from analysis_lib.words import counted, estimate, judged, moved, number, plain, points


def answer(found: Findings) -> str:
    """Return whether label variation says more of a layer than a linear probe does."""
    if found.own == Verdict.FAILS:
        return "No: a linear probe puts the layers in the same order, and goes the same way where nothing was learnt."
    if found.opposed == Verdict.HOLDS:
        return (
            "Yes: from layer to layer of a network without training, label variation and the error of a linear probe "
            "go opposite ways, so that they do not measure one thing."
        )
    if found.own == Verdict.HOLDS:
        return "Yes: label variation puts the layers in another order than the error of a linear probe does."
    return "These clips do not tell whether label variation says more of a layer than a linear probe does."


def verdicts(found: Findings) -> list[tuple[Verdict, str]]:
    """Return what the answer rests on."""
    return [
        (found.same_order, "both put the layers in the same order"),
        (found.opposed, "they go opposite ways in a network without training"),
    ]


def numbers(found: Findings) -> str:
    """Return what the answer rests on."""
    said = []
    if found.agreement:
        over = f"Over {counted(found.layers, 'layer')} of the trained network, "
        said.append(
            f"{over}label variation or the error of the probe is the same too often to put them in an order."
            if isnan(found.agreement[PROBE].value)
            else f"{over}label variation and the error of the probe have a rank correlation of "
            f"{estimate(found.agreement[PROBE])}. That it is above {plain(SAME)} {judged(found.same_order)}."
        )
    said.append(f"From the first layer to the last, {_way(found.trained)}.")
    if found.untrained:
        said.append(f"In the same network without training, {_way(found.untrained)}.")
    if found.opposed == Verdict.HOLDS:
        said.append(
            "What a probe can read off a layer need not have come nearer to its like. Layers drawn by lot spread clips "
            "over more directions, which helps a probe and not a neighbour."
        )
    return " ".join(said)


def _way(change: Change) -> str:
    probe = moved(change.probe, points, unit=" points")
    return f"label variation {moved(change.variation)} and the error of the probe {probe}"


def alignment(found: Mapping[str, Alignment]) -> str:
    """Return how alike the layers of other networks are to those of this one; empty if there are no others."""
    said = []
    for what, one in found.items():
        ends = one.where in (1, len(one.by_layer))
        said.append(
            f"The same layer of {_NAMED[what]} has a mean CKA of {number(one.first)} at layer 1 and "
            f"{number(one.last)} at the last{'' if ends else f', and least at layer {one.where}, {number(one.least)}'}."
        )
    if {SEED, UNTRAINED} <= set(found):
        seeds, random = found[SEED].by_layer, found[UNTRAINED].by_layer
        above = sum(mine > other for mine, other in zip(seeds, random, strict=True))
        said.append(
            f"At {above} of {counted(len(seeds), 'layer')} a training is more alike to one with another seed than to "
            f"weights drawn by lot."
        )
    return " ".join(said)


_NAMED = {UNTRAINED: "untrained networks", SEED: "networks trained with another seed"}


def agreement(found: Findings) -> str:
    """Return how the other yardsticks rank the layers beside label variation."""
    if not found.agreement:
        return "The network has fewer than three layers: there is no order to compare."
    said = "; ".join(f"{name} {estimate(rho)}" for name, rho in found.agreement.items() if name != PROBE)
    return f"Rank correlation with label variation over the layers, and its interval: {said}."
