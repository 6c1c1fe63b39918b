"""Timing in turns, so that whatever else the machine does falls on all methods alike."""

import time
from collections.abc import Callable, Mapping

Calls = Mapping[str, Callable[[], object]]


def seconds_of(call: Callable[[], object]) -> float:
    """Return how long a call takes, in seconds of wall clock."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def in_turns(own: Calls, others: Calls, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each call: in every round ``own`` twice in turn, then ``others`` once.

    Each round begins with an untimed call of the first of ``own``: threads of the last of ``others`` may
    still be spinning, and the memory that ours works in may have been given back. A call that compiles is
    to be made once before. Calls so long that none of this matters are all ``others``, and take turns one by one.

    Examples
    --------
    >>> order = []
    >>> calls = {name: lambda name=name: order.append(name) for name in "abc"}
    >>> runs = in_turns({"a": calls["a"], "b": calls["b"]}, {"c": calls["c"]}, rounds=2)
    >>> "".join(order), [len(runs[name]) for name in "abc"]
    ('aababcaababc', [4, 4, 2])
    """
    seconds: dict[str, list[float]] = {name: [] for name in [*own, *others]}
    for _ in range(rounds):
        for call in [*own.values()][:1]:
            call()
        for name, call in [*own.items(), *own.items(), *others.items()]:
            seconds[name].append(seconds_of(call))
    return seconds
