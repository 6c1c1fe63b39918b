"""Digests of what a result is made from: arrays, options, code and the packages below it."""

import ast
import hashlib
import json
import platform
import subprocess
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from analysis_lib import __version__
from analysis_lib.files import ROOT, digest

LIBRARIES = ("numba", "numpy", "scipy", "torch")


def array_digest(array: np.ndarray) -> str:
    """Return the SHA-256 digest of the ``.npy`` file that an array makes.

    Examples
    --------
    >>> x = np.arange(6.0)
    >>> array_digest(x[::2]) == array_digest(np.array([0.0, 2.0, 4.0]))
    True
    >>> array_digest(x) == array_digest(x.reshape(2, 3))
    False
    """
    state = hashlib.sha256()
    file = SimpleNamespace(write=state.update)
    np.save(file, np.ascontiguousarray(array), allow_pickle=False)
    return state.hexdigest()


def canonical_json(value: object) -> str:
    """Return one text for equal values; arrays stand as their digests, dtypes by their names.

    Examples
    --------
    >>> canonical_json({"n": np.int64(4), "dtype": np.float32})
    '{"dtype": "<f4", "n": 4}'
    """
    return json.dumps(value, sort_keys=True, default=_plain)


def _plain(value: object) -> object:
    """Return what JSON has in place of a value."""
    if isinstance(value, np.ndarray):
        return array_digest(value)
    return value.item() if isinstance(value, np.generic) else np.dtype(value).str


def module_digest(name: str, root: Path = ROOT) -> str:
    """Return a digest of a module's source and of all below ``root`` that it imports, in depth.

    Examples
    --------
    >>> module_digest("analysis_lib.files") == module_digest("analysis_lib.errors")
    False
    """
    waiting, found = {name}, {}
    while waiting:
        module = waiting.pop()
        path = root / (module.replace(".", "/") + ".py")
        if module not in found and path.exists():
            found[module], imported = _source(path, path.stat().st_mtime_ns)
            waiting |= imported
    return digest(*(f"{module}={found[module]}" for module in sorted(found)))


@lru_cache(maxsize=512)
def _source(path: Path, changed: int) -> tuple[str, frozenset[str]]:
    """Return the digest of a source file and the names that it imports."""
    source, names = path.read_bytes(), set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return hashlib.sha256(source).hexdigest(), frozenset(names)


@lru_cache
def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that numbers come from."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


def code_version(root: str | Path = ROOT) -> str:
    """Return the package's version and the commit; "+changes" if library or book differ from it.

    Without git, or outside a repository of its own, the version alone.
    """
    commit = _git(root, "rev-parse", "--show-toplevel", "--short", "HEAD")
    if commit is None or Path(commit[0]).resolve() != Path(root).resolve():
        return __version__
    changes = _git(root, "status", "--porcelain", "--", "analysis_lib", "book")
    return f"{__version__} ({commit[-1]}{'+changes' if changes else ''})"


def _git(root: str | Path, *arguments: str) -> list[str] | None:
    """Return the lines that git prints, or None if there is no git, no repository or no commit."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.splitlines() if done.returncode == 0 else None
