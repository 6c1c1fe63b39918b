"""Sentences of the performance chapter."""

from collections.abc import Callable, Mapping
from math import isfinite

from analysis_lib.studies.performance.findings import Growth, Peer, Speed, Values
from analysis_lib.words import code_of, counted, duration, listed, name_of, number, percent, ratio


def machine(record: Mapping, part: str = "") -> str:
    """Return on what the record was made, or a part of it that was measured apart, in one sentence."""
    found = record.get("machines", {}).get(part, record["machine"])
    versions = ", ".join(f"{name} {name_of(version)}" for name, version in found["versions"].items())
    trial = " A trial with few clips (--quick), not a measurement." if record["quick"] else ""
    cores = counted(found["cores"], "core")
    made = f"{name_of(found['cpu'])}, {cores}, {name_of(found['blas'])}, {found['date']}, code {name_of(found['code'])}"
    return f"Measured on: {made}; {versions}.{trial}"


def answer(found: Speed | None) -> str:
    """Return how near to the floor we are, and how far the peers are."""
    if not found:
        return "Nothing can be said, as nothing was measured."
    text = f"Comparing all pairs of {counted(found.clips, 'clip')} takes {_range(found.seconds, duration)}"
    if isfinite(sum(found.of_floor)):
        text += f", of which this machine needs {_range(found.of_floor, percent)} whatever the code"
    if not found.fastest:
        return f"{text}; no other library was measured."
    times = _range((found.fastest.times, found.slowest.times), number)
    return f"{text}; other libraries take {times} times as long."


def numbers(found: Speed | None) -> str:
    """Return which of the other libraries come nearest and which stay farthest, and at which shape."""
    if not found or not found.fastest:
        return ""
    return (
        "Times depend on the shape of a clip, frames by features. "
        f"The other libraries' shortest time is {_peer(found.fastest)}, their longest {_peer(found.slowest)}."
    )


def _range(ends: tuple[float, float], written: Callable[[float], str]) -> str:
    """Return the smallest and the largest value, or the one that there is."""
    return " to ".join(dict.fromkeys(map(written, ends)))


def _peer(peer: Peer) -> str:
    return f"{ratio(peer.times)} ours, that of {name_of(peer.method)} at {peer.frames} × {peer.features}"


def growth(found: Growth | None) -> str:
    """Return how the cost of the k nearest grows, beside that of the whole matrix."""
    if not found:
        return "How the time grows cannot be told from one number of clips."
    clips, shares = (number(n, 0) for n in found.clips), _range(found.share, percent)
    grown = listed(f"n to the {number(slope)} ({code_of(method)})" for method, slope in found.exponents.items())
    return (
        f"From {' to '.join(clips)} clips the time grows as {grown}. Of all pairs, {shares} had to be "
        f"computed for the {found.neighbours} nearest."
    )


def values(found: Values) -> str:
    """Return how long other libraries take for Shapley values as sure as ours."""
    kinds = {"the explained class": found.one, f"all {counted(found.classes, 'class', 'classes')}": found.all}
    parts = [f"for {which} {_times(times)}" for which, times in kinds.items() if times]
    if not parts:
        return "No other library's Shapley values were measured."
    what = f"values of {counted(found.joints, 'joint')} of {counted(found.clips, 'clip')}"
    return f"For {what} that are as sure as ours, the others take, in multiples of our time, {'; '.join(parts)}."


def _times(times: Mapping[str, float]) -> str:
    return listed(f"{ratio(each)} ({name_of(method)})" for method, each in times.items())
