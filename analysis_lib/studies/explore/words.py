"""What is said of one dataset graph."""

from math import isnan

from analysis_lib.studies.explore.findings import Findings
from analysis_lib.words import counted, name_of, number


def answer(found: Findings | None) -> str:
    """Return between which classes label variation lies at the last layer."""
    if not found:
        return "Nothing can be said, as no action has an edge in the graph of the last layer."
    (least, low), (most, high) = found.lowest, found.highest
    chance = "" if isnan(found.chance) else f", where random labels would have {number(found.chance)}"
    where = f"At the last layer the label variation of {counted(found.clips, 'clip')}"
    if low == high:
        return f"{where} is {number(low)} for {counted(found.classes, 'action')}{chance}."
    return f"{where} goes from {number(low)} for {name_of(least)} to {number(high)} for {name_of(most)}{chance}."
