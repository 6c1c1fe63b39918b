"""What the chapter on yardsticks says."""

from analysis_lib.statistics import Verdict
from analysis_lib.studies.yardsticks.findings import SAME, Change, Findings
from analysis_lib.studies.yardsticks.tables import PROBE
from analysis_lib.words import estimate, judged, listed, moves, number, plain, points

ANSWERS = {
    Verdict.HOLDS: "Yes: label variation says something that a linear probe does not.",
    Verdict.FAILS: "No: a linear probe says the same.",
    Verdict.UNDECIDED: "These clips do not decide it.",
    Verdict.UNTESTED: "It cannot be told here.",
}


def answer(found: Findings) -> str:
    """Return whether label variation says more than the probe, and what that rests on."""
    said = [f"**Answer.** {ANSWERS[found.own]}"]
    if found.agreement:
        said.append(
            f"Over the {found.layers} layers of the trained network the two have a rank correlation of "
            f"{estimate(found.agreement[PROBE])}; that it is above {plain(SAME)} {judged(found.same_order)}."
        )
    said.append(f"From the first layer to the last, {_way(found.trained)}.")
    if found.untrained:
        said.append(
            f"In the same network without training, {_way(found.untrained)}: that they go opposite ways there "
            f"{judged(found.opposed)}."
        )
        if found.opposed == Verdict.HOLDS:
            said.append(
                "What a probe can read off a layer need not have come nearer to its like: layers drawn by lot spread "
                "clips over more directions, which helps a probe and not a neighbour."
            )
    return " ".join(said)


def _way(change: Change) -> str:
    variation, probe = change.variation, change.probe
    ends = [number(end, signed=True) for end in (variation.low, variation.high)]
    return (
        f"label variation {moves(variation.value)} ({' to '.join(ends)}) and the error of the probe "
        f"{moves(probe.value, points, unit=' points')} ({points(probe.low)} to {points(probe.high)})"
    )


def agreement(found: Findings) -> str:
    """Return how the other yardsticks rank the layers beside label variation."""
    if not found.agreement:
        return "The network has fewer than three layers: there is no order to compare."
    said = listed(f"{name} {estimate(rho)}" for name, rho in found.agreement.items() if name != PROBE)
    return f"Rank correlation with label variation over the layers, with 95 % intervals over people: {said}."
