"""Sentences of the performance chapter."""

from collections.abc import Mapping

from analysis_lib.studies.performance.findings import Growth, Peer, Speed
from analysis_lib.words import counted, duration, listed, name_of, number, percent, ratio


def machine(record: Mapping) -> str:
    """Return on what the record was made, in one sentence."""
    found = record["machine"]
    versions = ", ".join(f"{name} {name_of(version)}" for name, version in found["versions"].items())
    trial = " A trial with few clips (--quick), not a measurement." if record["quick"] else ""
    cores = counted(found["cores"], "core")
    made = f"{name_of(found['cpu'])}, {cores}, {name_of(found['blas'])}, {found['date']}, code {name_of(found['code'])}"
    return f"Measured on: {made}; {versions}.{trial}"


def answer(found: Speed) -> str:
    """Return how near to the floor we are, and how far the peers are."""
    seconds, shares = map(duration, found.seconds), map(number, found.of_floor)
    text = (
        f"**Answer.** All pairs of {counted(found.clips, 'clip')} take {' to '.join(seconds)}, depending on the shape; "
        f"the least that this machine could need is {' to '.join(shares)} of that."
    )
    if not found.fastest:
        return text
    fast, slow = found.fastest, found.slowest
    return (
        f"{text} The other libraries take {ratio(fast.times)} (the fastest, {_where(fast)}) to {ratio(slow.times)} "
        f"({_where(slow)}) as long."
    )


def _where(peer: Peer) -> str:
    return f"{peer.method} at {peer.frames} x {peer.features}"


def growth(found: Growth) -> str:
    """Return how the cost of the k nearest grows, beside that of the whole matrix."""
    clips, shares = (number(n, 0) for n in found.clips), map(percent, found.share)
    grown = listed(f"n^{number(slope)} ({method})" for method, slope in found.exponents.items())
    return (
        f"From {' to '.join(clips)} clips the time grows as {grown}; of all pairs, {' to '.join(shares)} had to be "
        f"computed for the {found.neighbours} nearest."
    )
