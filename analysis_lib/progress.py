"""What a person sees who waits: a bar, or a short notice."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Timer

from tqdm.auto import tqdm

#: what a notice begins with; pages leave such lines out
MARK = "one moment: "


@contextmanager
def note_if_slow(text: str, after: float = 1.0) -> Iterator[None]:
    """Write a line to stderr if the block takes longer than ``after`` seconds.

    Examples
    --------
    >>> with note_if_slow("compiling"):
    ...     pass
    """
    timer = Timer(after, lambda: print(MARK + text, file=sys.stderr, flush=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def progress_bar(
    items: Iterable | None, label: str, progress: bool = True, total: int | None = None, unit: str = "it"
) -> tqdm:
    """Return the items, with a bar that counts them as they are taken and goes at the end.

    Without items, ``with progress_bar(None, "DTW", True, n, "pair") as shown`` counts by ``shown.update(done)``.

    Parameters
    ----------
    progress : bool
        Whether there is a bar at all.
    unit : str
        What is counted; large numbers of anything but ``"it"`` are shortened (``12k``).

    Examples
    --------
    >>> list(progress_bar("ab", "letters", progress=False))
    ['a', 'b']
    """
    return tqdm(items, label, total, leave=False, disable=not progress, unit=unit, unit_scale=unit != "it")
