"""Short notices to a person who waits."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

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
