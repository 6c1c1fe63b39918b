"""What the spectrum chapter says."""

from analysis_lib.studies.spectrum.findings import Findings
from analysis_lib.words import counted, percent


def answer(found: Findings, dataset: str, signal: str) -> str:
    """Return how much of the energy of a signal the smoothest frequencies hold."""
    energy = found.energy
    (least, low), (most, high) = energy.least, energy.most
    still = f" ({counted(energy.still, 'other has', 'others have')} no energy)" if energy.still else ""
    return (
        f"**Answer.** In {counted(energy.clips, 'clip')} of {dataset}{still}, the {energy.top} smoothest of the "
        f"{energy.frequencies} frequencies hold {percent(energy.share)} of the energy of the {signal} signal. By "
        f"class it is {percent(low)} ({least}) to {percent(high)} ({most}); a signal without any structure would "
        f"have {percent(energy.flat)} there."
    )


def variants(found: Findings) -> str:
    """Return what is left of the answer under the least favourable of the choices that the paper leaves open."""
    return (
        f"The smallest share of all is {percent(found.weakest.share)}, that of the {found.weakest.signal} signal "
        f"(degree: {found.weakest.degree}). The smoothest frequency alone has {percent(found.energy.smoothest)} of "
        "the energy in the figure."
    )


def filters(found: Findings) -> str:
    """Return how much of the energy the first and the last power of the adjacency cover."""
    (first, wide), (last, narrow) = found.powers
    return (
        f"Power {first} covers {percent(wide)} of the energy, power {last} {percent(narrow)}. The share cannot grow "
        "with the power, as a power of a number below one only falls: a high power keeps just what lies in the few "
        "smoothest frequencies. Depth adds reach over the body, not bandwidth."
    )


def distances(found: Findings) -> str:
    """Return how many hops apart the joints of the paper's skeleton are, beside what the paper gives."""
    far = ", ".join(f"{one.hops} ({one.edges}: {one.between})" for one in found.distances)
    join = "join" if found.reach else "do not join"
    return (
        f"The paper gives {found.paper} for the NTU skeleton. The longest distance is {far}; {found.limbs} is the "
        f"distance from a hand to a foot, without the tips of the fingers. {found.paper} hops {join} every pair of "
        "joints of that skeleton."
    )
