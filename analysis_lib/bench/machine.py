"""What a measurement was made on: processor, cores, versions, commit, date."""

import platform
import sys
from datetime import date
from importlib import metadata
from pathlib import Path

import numpy as np
from joblib import cpu_count
from threadpoolctl import threadpool_info

from analysis_lib.results.digest import code_version

PACKAGES = ("numpy", "scipy", "numba", "tslearn", "dtaidistance", "aeon")


def machine_facts() -> dict:
    """Return what a reader needs to judge a time: a mapping that JSON can hold.

    Examples
    --------
    >>> sorted(machine_facts())
    ['blas', 'code', 'cores', 'cpu', 'date', 'system', 'versions']
    """
    return {
        "date": str(date.today()),
        "code": code_version(),
        "cpu": _cpu(),
        "cores": cpu_count(),
        "system": platform.system(),
        "blas": _blas(),
        "versions": {"python": sys.version.split()[0], **_versions()},
    }


def _cpu() -> str:
    """Return the processor's name, as the kernel knows it where that is Linux."""
    listed = Path("/proc/cpuinfo")
    for line in listed.read_text().splitlines() if listed.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _blas() -> str:
    """Return name, version and kind of processor of the BLAS that numpy multiplies with."""
    np.dot(np.eye(2), np.eye(2))
    folder = Path(np.__file__).parent.parent
    loaded = [lib for lib in threadpool_info() if lib["user_api"] == "blas"]
    own = [lib for lib in loaded if Path(lib["filepath"]).is_relative_to(folder / "numpy.libs")]
    lib = next(iter(own or loaded), {})
    parts = (lib.get(key) for key in ("internal_api", "version", "architecture"))
    return " ".join(part for part in parts if part) or "unknown"


def _versions() -> dict[str, str]:
    """Return the versions of those of `PACKAGES` that are installed."""
    installed = {d.metadata["Name"].lower(): d.version for d in metadata.distributions()}
    return {name: installed[name] for name in PACKAGES if name in installed}
