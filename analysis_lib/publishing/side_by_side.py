"""The chapters of a book, several side by side, each after those whose tables it reads."""

from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from math import inf
from os import environ
from pathlib import Path
from threading import Event
from types import MappingProxyType

import psutil
from joblib import cpu_count

from analysis_lib.chapters.chapter import Chapter
from analysis_lib.publishing.run_cache import CACHE, last_seconds
from analysis_lib.publishing.runs import Run, environment, named_in, read_from, run_chapter

ROOM = 3 * 2**30  # bytes of memory that a chapter takes

Step = tuple[Chapter, Mapping[str, object]]


def run_chapters(
    plan: Sequence[Step],
    out: str | Path,
    *,
    jobs: int = 0,
    seconds: Mapping[str, float] = MappingProxyType({}),
    data_root: str | Path = "",
    edition: str = "",
    cache: str | Path = CACHE,
    **how,
) -> list[Run]:
    """Run chapters and return their runs in the order of the plan.

    Each is a process of its own, with its share of the cores. Those whose tables others read begin before the
    others; among them, those that take long.

    Parameters
    ----------
    plan : sequence of (Chapter, mapping)
        Chapters and a value for every parameter of each.
    out : path
        Gets notebooks and tables.
    jobs : int
        How many run side by side; 0 for as many as `room` says.
    seconds : mapping of str to float
        How long chapters are known to take, where they have not run here yet.
    data_root, edition, cache, **how
        As of `analysis_lib.publishing.runs.run_chapter`.

    Raises
    ------
    UserError
        If a chapter fails. Those that run then are ended at once, as at Ctrl-C; those that were done stay done.
    """
    steps = {chapter.name: (chapter, parameters) for chapter, parameters in plan}
    reads = {name: [r for r in named_in("chapter", given) if r in steps] for name, (_, given) in steps.items()}
    awaited = {name for those in reads.values() for name in those}
    turn = lambda name: (name not in awaited, -(last_seconds(name, cache) or seconds.get(name, inf)))  # noqa: E731
    jobs = min(jobs or room(), max(len(steps), 1))
    order, stop = TopologicalSorter(reads), Event()
    order.prepare()
    how |= {"data_root": data_root, "edition": edition, "cache": cache, "stop": stop}
    waiting: list[str] = []
    begun: dict[Future, str] = {}
    runs: dict[str, Run] = {}
    with environment(**read_from(data_root, edition, out)), ThreadPoolExecutor(jobs) as pool:
        try:
            while order.is_active():
                waiting = sorted([*waiting, *order.get_ready()], key=turn)
                own = share(jobs, min(jobs, len(waiting) + len(begun)))
                while waiting and len(begun) < jobs:  # no sooner, as one that others wait for may come in between
                    name = waiting.pop(0)
                    begun[pool.submit(run_chapter, *steps[name], out, own=own, **how)] = name
                for future in wait(begun, return_when=FIRST_COMPLETED).done:
                    name = begun.pop(future)
                    runs[name] = future.result()
                    order.done(name)
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [runs[name] for name in steps]


def room() -> int:
    """Return how many chapters this machine has cores and memory for, at least one."""
    return max(1, min(cpu_count(), psutil.virtual_memory().available // ROOM))


def share(jobs: int, now: int) -> dict[str, str]:
    """Return the environment variables that give a chapter its share of the cores.

    Torch has a ``jobs``-th of them throughout, as gradients have other last digits with other numbers of threads;
    what the environment says of it is left. Distances and neighbours, which have not, have their part of what ``now``
    chapters share.

    >>> share(1, 1)
    {}
    """
    if jobs == 1:
        return {}
    threads, cores = (str(max(1, cpu_count() // chapters)) for chapters in (jobs, now))
    return {"LOKY_MAX_CPU_COUNT": cores, "OMP_NUM_THREADS": environ.get("OMP_NUM_THREADS", threads)}
