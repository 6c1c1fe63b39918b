"""What a measurement was made on, and how much memory it took."""

import platform
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import TypeVar

import numpy as np
from joblib import cpu_count
from threadpoolctl import threadpool_info

from analysis_lib.results.digest import code_version

PACKAGES = ("numpy", "scipy", "numba", "torch", "tslearn", "dtaidistance", "aeon", "captum", "shap")
STATUS, PROCESSORS = Path("/proc/self/status"), Path("/proc/cpuinfo")  # where the system is Linux

Value = TypeVar("Value")


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
    lines = PROCESSORS.read_text().splitlines() if PROCESSORS.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _blas() -> str:
    """Return name, version and kind of processor of the BLAS that numpy multiplies with."""
    np.dot(np.eye(2), np.eye(2))
    folder = Path(np.__file__).parent.parent / "numpy.libs"
    loaded = [lib for lib in threadpool_info() if lib["user_api"] == "blas"]
    own = [lib for lib in loaded if Path(lib["filepath"]).is_relative_to(folder)]
    lib = next(iter(own or loaded), {})
    return " ".join(lib[key] for key in ("internal_api", "version", "architecture") if lib.get(key)) or "unknown"


def memory() -> int | None:
    """Return the bytes that this process holds, without pages of files; None where the system does not say."""
    lines = STATUS.read_text().splitlines() if STATUS.exists() else []
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon:")), None)


def peak_memory(call: Callable[[], Value], every: float = 0.05) -> tuple[Value, int | None]:
    """Return what a call returns, and the most of `memory` that was held meanwhile, looked at so many seconds apart."""
    with ThreadPoolExecutor(1) as pool:
        running, held = pool.submit(call), [memory()]
        while not wait([running], every).done:
            held.append(memory())
    return running.result(), None if None in held else max(held)
