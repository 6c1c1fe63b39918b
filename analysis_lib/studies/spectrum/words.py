"""What the spectrum chapter says."""

import pandas as pd

from analysis_lib.studies.spectrum.findings import Distance, Findings
from analysis_lib.words import counted, name_of, number, percent

#: ways to count the degree of a joint, in words
LOOPS = {"no_self": "without self loops", "with_self": "with self loops"}
#: signals, as an answer has them, and as they are told apart
SIGNALS = {
    "centred": ("joint positions", "positions, centred on one joint in the first frame"),
    "raw": ("joint positions", "positions in the room, not centred"),
    "velocity": ("joint velocities", "velocities, from frame to frame"),
}


def answer(found: Findings) -> str:
    """Return how much of the energy of positions and of velocities the smoothest frequencies hold."""
    energy = found.energy
    if not energy:
        return "Nothing can be said, as no clip has any energy."
    beside = ""
    if found.beside:
        beside = f" and {percent(found.beside.share)} of that of {SIGNALS[found.beside.signal][0]}"
    top = "smoothest" if energy.top == 1 else f"{energy.top} smoothest"
    return (
        f"The {top} of {counted(energy.frequencies, 'frequency', 'frequencies')} of the skeleton "
        f"{'holds' if energy.top == 1 else 'hold'} {percent(energy.share)} of the energy of "
        f"{SIGNALS[found.signal][0]}{beside} in "
        f"{counted(energy.clips, 'clip')}, where a signal without any structure would have {percent(energy.flat)}."
    )


def numbers(found: Findings, dataset: str) -> str:
    """Return what the answer is of, and how it differs between classes."""
    energy = found.energy
    if not energy:
        return ""
    (least, low), (most, high) = energy.least, energy.most
    text = f"The clips are those of {name_of(dataset)}; the energy is that of the joints' {SIGNALS[found.signal][1]}."
    if energy.still:
        text += f" {counted(energy.still, 'further clip has', 'further clips have')} no energy."
    if least != most:
        text += (
            f" By class the share goes from {percent(low)} for {name_of(least)} to {percent(high)} for {name_of(most)}."
        )
    return text


def choices(table: pd.DataFrame) -> pd.DataFrame:
    """Return the shares of energy under each choice as people read them, with the bounds of `top_share`."""
    shown = (
        table[["share", "low", "high"]].map(percent, digits=1).rename(columns={"low": "at least", "high": "at most"})
    )
    return shown.rename(index=LOOPS)


def variants(found: Findings) -> str:
    """Return what is left of the answer under the least favourable of the choices that the paper leaves open."""
    text = ""
    if found.weakest:
        text = (
            f"The smallest share of all is {percent(found.weakest.share)}, that of the {found.weakest.signal} signal "
            f"with the degree counted {LOOPS.get(found.weakest.degree, found.weakest.degree)}. "
        )
    if found.energy:
        text += f"The smoothest frequency alone has {percent(found.energy.smoothest)} of the energy in the figure."
    return text.strip()


def filters(found: Findings) -> str:
    """Return how much of the energy the first and the last power of the adjacency cover."""
    if not found.powers:
        return "No power of the adjacency has a share of the energy."
    text = ", ".join(
        f"{'Power' if i == 0 else 'power'} {power} covers {percent(share)} of the energy"
        for i, (power, share) in enumerate(found.powers)
    )
    if len(found.powers) < 2 or not found.falling:
        return f"{text}."
    return (
        f"{text}. The share cannot grow with the power, as a power of a number below one only falls. A high power "
        "keeps just what lies in the few smoothest frequencies: depth adds reach over the body, not bandwidth."
    )


def distances(found: Findings) -> str:
    """Return how many hops apart the joints of the paper's skeleton are, beside what the paper gives."""
    given = f"The paper gives {counted(found.paper, 'hop')} for the NTU skeleton."
    if not found.distances:
        return f"{given} There is no such skeleton here to compare with."
    return " ".join([given, *(_distance(one, found.paper) for one in found.distances)])


def _distance(one: Distance, paper: int) -> str:
    """Return the longest distance under one edge list, and whether the paper's number of hops goes as far."""
    joins = "join" if one.hops <= paper else "do not join"
    return (
        f"By the edge list {name_of(one.edges)} the longest distance is {counted(one.hops, 'hop')}, "
        f"{name_of(one.between)}, and a hand is {number(one.limbs, 0)} from a foot. "
        f"There {counted(paper, 'hop')} {joins} every pair of joints."
    )
