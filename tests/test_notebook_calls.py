"""Every notebook imports what exists, and calls it with arguments that it takes; nothing is run."""

import ast
import importlib
import inspect
import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "book").glob("*.ipynb"))


def parsed(path):
    """Return the syntax tree of all code of a notebook."""
    cells = [c for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "code"]
    return ast.parse("\n".join("".join(cell["source"]) for cell in cells))


def imported(tree):
    """Return what each imported name stands for."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module)
            for alias in node.names:
                if not hasattr(module, alias.name):
                    importlib.import_module(f"{node.module}.{alias.name}")  # a module of a package, or an error
                names[alias.asname or alias.name] = getattr(module, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = importlib.import_module(alias.name)
    return names


def named(node, names):
    """Return the object that an expression names, or None if it is no imported name."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute) and inspect.ismodule(parent := named(node.value, names)):
        return getattr(parent, node.attr)
    return None


def bound(call, names):
    """Bind a call's arguments to the signature of what is called, if that is known; return whether it is."""
    called = named(call.func, names)
    starred = any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords)
    if called is None:
        return False
    bind = inspect.signature(called).bind_partial if starred else inspect.signature(called).bind
    positional = [a for a in call.args if not isinstance(a, ast.Starred)]
    bind(*positional, **{k.arg: k.value for k in call.keywords if k.arg})
    return True


def check(tree):
    """Resolve what is imported and named, bind what is called, and return how many calls were bound."""
    names = imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            named(node, names)
    return sum(bound(node, names) for node in ast.walk(tree) if isinstance(node, ast.Call))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_what_a_notebook_imports_and_calls_is_there(path):
    assert check(parsed(path)) > 3


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("from analysis_lib.no_such_room import thing", ModuleNotFoundError),
        ("from analysis_lib.errors import no_such_name", ModuleNotFoundError),
        ("from analysis_lib import errors\nerrors.no_such_name()", AttributeError),
        ("from analysis_lib.errors import unknown_choice\nunknown_choice(kinds='x')", TypeError),
    ],
)
def test_a_broken_notebook_is_noticed(line, error):
    with pytest.raises(error):
        check(ast.parse(line))
