"""What a measurement was made on, and how much memory it took."""

import platform
import sys
import threading
from contextlib import contextmanager
from datetime import date
from importlib import metadata
from pathlib import Path

import numpy as np
from joblib import cpu_count
from threadpoolctl import threadpool_info

from analysis_lib.results.digest import code_version

PACKAGES = ("numpy", "scipy", "numba", "tslearn", "dtaidistance", "aeon")
STATUS = Path("/proc/self/status")  # of this process, where the system is Linux


def machine_facts() -> dict:
    """Return what a reader needs to judge a time: a mapping that JSON can hold.

    Examples
    --------
    >>> sorted(machine_facts())
    ['blas', 'code', 'cores', 'cpu', 'date', 'system', 'versions']
    """
    installed = {d.metadata["Name"].lower(): d.version for d in metadata.distributions()}
    versions = {name: installed[name] for name in PACKAGES if name in installed}
    return {
        "date": str(date.today()),
        "code": code_version(),
        "cpu": _cpu(),
        "cores": cpu_count(),
        "system": platform.system(),
        "blas": _blas(),
        "versions": {"python": sys.version.split()[0], **versions},
    }


def _cpu() -> str:
    """Return the processor's name, as the kernel knows it where that is Linux."""
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text().splitlines() if listed.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def _blas() -> str:
    """Return name, version and kind of processor of the BLAS that numpy multiplies with."""
    np.dot(np.eye(2), np.eye(2))
    folder = Path(np.__file__).parent.parent / "numpy.libs"
    loaded = [lib for lib in threadpool_info() if lib["user_api"] == "blas"]
    lib = next((lib for lib in loaded if Path(lib["filepath"]).is_relative_to(folder)), {**loaded[0]} if loaded else {})
    return " ".join(lib[key] for key in ("internal_api", "version", "architecture") if lib.get(key)) or "unknown"


def memory() -> int | None:
    """Return the bytes that this process holds, without pages of files; None where nobody says."""
    lines = STATUS.read_text().splitlines() if STATUS.exists() else []
    held = [int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:")]
    return held[0] if held else None


@contextmanager
def peak_memory(every: float = 0.05):
    """Collect the peak of `memory` while the block runs: yields a list, whose only element it is at the end."""
    peak, ended = [memory()], threading.Event()

    def watch():
        while peak[0] is not None and not ended.wait(every):
            peak[0] = max(peak[0], memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()
