"""A Papermill engine whose bar moves within a cell too, and which can be stopped from outside."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event, Thread
from typing import TextIO

from jupyter_core.utils import ensure_event_loop
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from tqdm import tqdm

from analysis_lib.progress import TOLD

ENGINE = "watched"


class Watched(NBClientEngine):
    """Papermill's engine, with an environment of the kernel's own: several can run in one process.

    Meanwhile the bar is drawn anew each second, with what the file `TOLD` of that environment says.
    """

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man,
        kernel_name: str,
        *,
        surroundings: Mapping[str, str],
        stop: Event,
        start_timeout: float = 60,
        **given,
    ) -> None:
        """Execute the notebook in a kernel that has these environment variables and is killed when ``stop`` is set."""
        how = {"extra_arguments": given["extra_arguments"], "startup_timeout": start_timeout, "timeout": None}
        client = PapermillNotebookClient(nb_man, kernel_name=kernel_name, **how)
        over = Event()
        end = lambda: stop.is_set() and kill(client)  # noqa: E731
        watch = Thread(target=show, args=(nb_man.pbar, Path(surroundings[TOLD]), over, end), daemon=True)
        watch.start()
        try:
            client.execute(env=dict(surroundings))
        finally:
            over.set()
            watch.join()
            ensure_event_loop().close()  # this thread's, which nobody else closes


papermill_engines.register(ENGINE, Watched)


def kill(client: PapermillNotebookClient) -> None:
    """End a client's kernel at once, if it has one; the client raises DeadKernelError."""
    process = getattr(getattr(client.km, "provisioner", None), "process", None)
    if process is not None:
        process.kill()


def show(bar: tqdm, told: Path, over: Event, each_time: Callable[[], object] = lambda: None) -> None:
    """Show behind a bar what a file says, each second or as seldom as the bar is drawn (`look`), until it is over."""
    while not over.wait(1.0):
        each_time()
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
