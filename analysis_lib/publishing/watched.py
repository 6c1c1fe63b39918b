"""A Papermill engine whose bar moves within a cell too: it shows how far the cell's own bars are."""

import os
import sys
from pathlib import Path
from threading import Event, Thread
from typing import TextIO

from papermill.engines import NBClientEngine, papermill_engines
from tqdm import tqdm

from analysis_lib.progress import TOLD

ENGINE = "watched"


class Watched(NBClientEngine):
    """Papermill's engine; meanwhile its bar is drawn anew each second, with what `TOLD` says."""

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, **given) -> None:
        """Execute the notebook; the kernel writes to the file that the environment names."""
        over = Event()
        watch = Thread(target=show, args=(nb_man.pbar, Path(os.environ[TOLD]), over), daemon=True)
        watch.start()
        try:
            super().execute_managed_notebook(nb_man, kernel_name, **given)
        finally:
            over.set()
            watch.join()


papermill_engines.register(ENGINE, Watched)


def show(bar: tqdm, told: Path, over: Event) -> None:
    """Show behind a bar what a file says, each second or as seldom as the bar is drawn (`look`), until it is over."""
    while not over.wait(1.0):
        bar.set_postfix_str(told.read_text(encoding="utf8"), refresh=False)
        bar.update(0)


def look(stream: TextIO | None = None) -> dict:
    """Return how the bar of cells is drawn: in place on a terminal, else as a line of its own each ten seconds.

    Parameters
    ----------
    stream : text file, optional
        stderr if none is given.
    """
    stream = stream or sys.stderr
    if stream.isatty():
        return {"file": stream, "miniters": 0, "dynamic_ncols": True}
    line = "{desc}: {n_fmt} of {total_fmt} cells, {elapsed}{postfix}"
    return {"file": _Lines(stream), "miniters": 0, "mininterval": 10, "bar_format": line}


class _Lines:
    """A stream on which each state of a bar is a line."""

    def __init__(self, stream: TextIO):
        self.stream = stream

    def write(self, text: str) -> None:
        if text.strip():
            self.stream.write(f"{text.strip()}\n")

    def flush(self) -> None:
        self.stream.flush()
