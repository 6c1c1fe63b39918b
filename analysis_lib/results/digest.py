"""Digests of what a result is made from: arrays, options, code and the packages below it."""

import ast
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np

from analysis_lib import __version__
from analysis_lib.files import ROOT, digest, file_digest

LIBRARIES = ("numba", "numpy", "scipy", "torch")

_MODULE = re.compile(r"[A-Za-z_]\w*(\.[\w*]+)+(:\w+)?")  # package.module, package.*.module, package.module:name
_FILE = re.compile(r"[\w+~. */-]*[\w+~ -]")  # folder/file.pt, or folder/*.pt


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


def module_digest(*names: str, roots: Sequence[Path] = (ROOT,), folders: Sequence[Path] = ()) -> str:
    """Return a digest of modules and of all that they need, in depth.

    That is, below the roots: what they import, in functions too, with the packages around it; what
    their texts name, as registries do (``"package.module:thing"``, ``f"package.{name}.module"``); and
    the files that their texts name alone or joined (``HERE / "weights" / "best.pt"``).

    Parameters
    ----------
    *names : str
        Modules.
    roots : sequence of Path
        Where modules are looked for. Of a folder of installed packages only the packages named count.
    folders : sequence of Path
        Where files are looked for, besides a module's own folder.

    Examples
    --------
    >>> module_digest("analysis_lib.files") == module_digest("analysis_lib.errors")
    False
    """
    return digest(*(f"{place}={known}" for place, known in sorted(closure(names, roots, folders).items())))


def closure(names: Iterable[str], roots: Sequence[Path] = (ROOT,), folders: Sequence[Path] = ()) -> dict[str, str]:
    """Return the digest of each file that modules need, by its path from its root (`module_digest`)."""
    waiting, seen, found, index = set(names), set(), {}, {}
    own = {name.split(".")[0] for name in waiting}
    while waiting:
        seen.add(name := waiting.pop())
        top = name.split(".")[0]
        if top not in index:
            index[top] = _modules(top, roots, top in own)
        if "*" in name:
            pattern = re.compile(re.escape(name).replace(r"\*", r"\w+"))
            waiting |= {module for module in index[top] if pattern.fullmatch(module)} - seen
        elif name in index[top]:
            root, path = index[top][name]
            found[path.relative_to(root).as_posix()], needs, texts = _source(path, name, path.stat().st_mtime_ns)
            waiting |= needs - seen
            for file in _named_files(texts, [path.parent, *folders]) if folders or "__file__" in texts else ():
                place = file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name
                found[place] = file_digest(file)
        if (package := name.rpartition(".")[0]) not in seen and package:
            waiting.add(package)
    return found


def imported_modules(source: str | bytes, package: str = "") -> set[str]:
    """Return the modules that code imports or names; ``*`` stands for what is known only when it runs.

    Examples
    --------
    >>> code = "from .. import files; load(f'a.{name}.b'), load('a.c:make')"
    >>> sorted(imported_modules(code, "analysis_lib.results"))
    ['a.*.b', 'a.c', 'analysis_lib', 'analysis_lib.files']
    """
    return _read(source, package)[0]


def _read(source: str | bytes, package: str) -> tuple[set[str], set[str]]:
    """Return the modules that code imports or names, and its texts that may name files."""
    names, texts = set(), set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: 1 - node.level or None] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            names |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Constant | ast.JoinedStr):
            texts.add(_text(node, package))
        elif isinstance(node, ast.Name) and node.id == "__file__":
            texts.add(node.id)  # without it a module does not know its folder
    names |= {text.partition(":")[0] for text in texts if _MODULE.fullmatch(text)}
    return names, {text for text in texts if len(text) < 200 and ".." not in text and _FILE.fullmatch(text)}


def _text(node: ast.AST, package: str) -> str:
    """Return the text that a literal is, as far as it is known; empty for other nodes."""
    if isinstance(node, ast.FormattedValue):
        return package if ast.unparse(node.value) == "__package__" else "*"
    if isinstance(node, ast.JoinedStr):
        return re.sub(r"\*+", "*", "".join(_text(part, package) for part in node.values))
    return node.value if isinstance(node.value, str) else ""


@lru_cache(maxsize=4096)
def _source(path: Path, name: str, changed: int) -> tuple[str, set[str], set[str]]:
    """Return a source file's digest, and what it needs (`_read`)."""
    source = path.read_bytes()
    package = name if path.stem == "__init__" else name.rpartition(".")[0]
    return hashlib.sha256(source).hexdigest(), *_read(source, package)


def _modules(top: str, roots: Sequence[Path], own: bool) -> dict[str, tuple[Path, Path]]:
    """Return root and file of each module of a top package, or of the one module of that name.

    A folder without ``__init__.py`` is one only if it is named itself; else it may hold anything.
    """
    found = {}
    for root in roots if own else (root for root in roots if not root.name.endswith("-packages")):
        folder = root / top
        inside = folder.rglob("*.py") if own or (folder / "__init__.py").exists() else ()
        for path in (*inside, *root.glob(f"{top}.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found.setdefault(".".join(parts).removesuffix(".__init__"), (root, path))
    return found


def _named_files(texts: Iterable[str], folders: Sequence[Path]) -> Iterator[Path]:
    """Yield the files that texts name, alone or joined, from some folders."""
    folders = [folder.resolve() for folder in folders]
    for folder in folders:
        for text in texts:
            path = folder / os.path.expanduser(text)
            if path.is_dir() and path.is_relative_to(folder) and path not in folders:
                folders.append(path)
            for file in path.parent.glob(path.name) if "*" in text and path.suffix else [path]:
                if file.is_file() and file.suffix != ".py":
                    yield file


def loaded_digest(module: ModuleType) -> str:
    """Return the `module_digest` of anybody's module, of what it needs from its own top folder or the library.

    Files that it names are looked for beside it and in the working directory.
    """
    if not getattr(module, "__file__", None):
        return module.__name__
    path = Path(module.__file__).resolve()
    root = path.parents[module.__name__.count(".") + (path.name == "__init__.py")]
    return module_digest(module.__name__, roots=(root, ROOT), folders=(Path.cwd(),))


def class_digest(*things: object) -> str:
    """Return a digest of the code that defines the classes of some objects, such as a network's modules.

    Of the libraries in `library_versions` it is the version that counts, and of Python.
    """
    names = sorted({type(thing).__module__ for thing in things})
    return digest(*(loaded_digest(sys.modules[name]) for name in names if name.split(".")[0] not in LIBRARIES))


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
