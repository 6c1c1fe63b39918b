"""What a person sees who waits: a bar, or a short notice."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer

from tqdm.auto import tqdm
from tqdm.std import tqdm as plain_bar

#: what a notice begins with; pages leave such lines out
MARK = "one moment: "

#: environment variable: the file in which a chapter that runs tells how far its bars are
TOLD = "STGBOOK_PROGRESS"


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
) -> plain_bar:
    """Return the items, with a bar that counts them as they are taken and goes at the end.

    Without items, ``with progress_bar(None, "DTW", True, n, "pair") as shown`` counts by ``shown.update(done)``.
    Where `TOLD` names a file, nothing is drawn here: whoever runs the chapter reads there how far it is.

    Parameters
    ----------
    progress : bool
        Whether a bar is drawn. Told, where `TOLD` names a file, is every one.
    unit : str
        What is counted; large numbers of anything but ``"it"`` are shortened (``12k``).

    Examples
    --------
    >>> list(progress_bar("ab", "letters", progress=False))
    ['a', 'b']
    """
    told = bool(os.environ.get(TOLD))
    kind = _ToldBar if told else tqdm
    return kind(items, label, total, leave=False, disable=not (progress or told), unit=unit, unit_scale=unit != "it")


class _ToldBar(plain_bar):
    """A bar that is not drawn: each time, all bars that are open are told, the outermost first."""

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        bars = sorted((bar for bar in self._instances if not bar.disable), key=lambda bar: abs(bar.pos))
        with suppress(OSError):
            Path(os.environ[TOLD]).write_text(", ".join(map(_how_far, bars)), encoding="utf8")


def _how_far(bar: plain_bar) -> str:
    """Return the label of a bar and how much is done: ``"DTW 40 %"``."""
    label = bar.desc.removesuffix(": ")
    return f"{label} {100 * bar.n // bar.total} %" if bar.total else f"{label} {bar.n}"
