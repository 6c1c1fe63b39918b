"""What a chapter is: a notebook in ``book/`` with one cell of typed, documented parameters.

The cell is tagged ``parameters`` and holds one annotated assignment a line, with its help in a
trailing comment, so that Papermill's own inspector reads it too::

    n_neighbors: int = 10  # neighbours that each sequence may choose from

A chapter that takes a ``model`` also takes what a network of one's own may need (`OF_MODELS`); there is no
line for it in the cell, as the networks of the book need none.
"""

import ast
import io
import json
import re
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from analysis_lib.chapters.parameters import TYPES, Parameter
from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.files import ROOT

#: parameters of every chapter that has a parameter ``model`` (`analysis_lib.networks.checkpoints.load_checkpoint`)
OF_MODELS = (
    Parameter("layers", "list[str]", [], "modules of the network that count as layers; empty for its own choice"),
    Parameter("layer_axes", "list[str]", [], 'what the axes of layers mean: "n t v c", or one a layer, "gru: n t c"'),
    Parameter("architecture", "str", "", "network whose weights a .pt file holds"),
)


@dataclass(frozen=True)
class Chapter:
    """A notebook of the book."""

    name: str  #: stem of the file: ``"smoothness"``
    title: str  #: first heading
    path: Path
    parameters: tuple[Parameter, ...]  #: in the order of the cell, then those `OF_MODELS`

    @property
    def question(self) -> str:
        """What the chapter asks, from the line under its title; empty without one."""
        texts = ("".join(cell["source"]) for cell in self.cells if cell["cell_type"] == "markdown")
        found = (re.search(r"^:::\{div\} question\n(.*?)\n:::", text, re.DOTALL | re.MULTILINE) for text in texts)
        return next((" ".join(one[1].split()) for one in found if one), "")

    @property
    def cells(self) -> list[dict]:
        """The notebook's cells as they are stored."""
        return _read_notebook(self.path)["cells"]

    def resolve(self, given: Mapping[str, object]) -> dict[str, object]:
        """Return every parameter's value: the defaults, replaced by what is given; those `OF_MODELS` only if given.

        Given are values of the declared type, or text (from a command line) that stands for one.

        Raises
        ------
        UserError
            If a name is unknown (every name and type is listed) or a value is of another type.
        """
        known = {p.name: p for p in self.parameters}
        for name in given:
            if name not in known:
                choices = [f"{p.name} ({p.type})" for p in self.parameters]
                raise unknown_choice(f"parameter of chapter '{self.name}'", name, choices)
        named = [p for p in self.parameters if p.name in given or p not in OF_MODELS]
        return {p.name: p.convert(given[p.name], self.name) if p.name in given else p.default for p in named}


def chapter_names(root: str | Path = ROOT) -> list[str]:
    """Return the names of the book's notebooks: in the order of ``_toc.yml``, then the others."""
    root = Path(root)
    found = {path.stem for path in (root / "book").glob("*.ipynb")}
    listed = [Path(page).name for page in table_of_contents(root)]
    return [name for name in listed if name in found] + sorted(found - set(listed))


def table_of_contents(root: str | Path = ROOT) -> list[str]:
    """Return the pages that ``_toc.yml`` names, in order, the root first (``"book/intro"``)."""
    import yaml

    path = Path(root) / "_toc.yml"
    if not path.exists():
        return []
    try:
        return list(_pages(yaml.safe_load(path.read_text(encoding="utf8"))))
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error


def _pages(entry):
    """Yield the file of a table-of-contents entry and of everything below it."""
    if isinstance(entry, list):
        for one in entry:
            yield from _pages(one)
    elif isinstance(entry, dict):
        yield from (entry[key] for key in ("root", "file") if key in entry)
        for key in ("parts", "chapters", "sections"):
            yield from _pages(entry.get(key))


def load_chapter(name: str, root: str | Path = ROOT) -> Chapter:
    """Return the chapter of that name.

    Raises
    ------
    UserError
        If there is no such chapter (the choices are listed), its file is not a notebook, or its
        parameters cell breaks the rules; the message names the line.
    """
    path = Path(root) / "book" / f"{name}.ipynb"
    if name not in chapter_names(root):
        raise unknown_choice("chapter", name, chapter_names(root))
    cells = _read_notebook(path)["cells"]
    tagged = [c for c in cells if "parameters" in c.get("metadata", {}).get("tags", [])]
    if len(tagged) != 1:
        raise UserError(f"{path.name}: one cell tagged 'parameters' is needed, got {len(tagged)}")
    try:
        parameters = parse_parameters("".join(tagged[0]["source"]))
    except UserError as error:
        raise UserError(f"{path.name}, parameters cell: {error}") from error
    named = {p.name for p in parameters}
    more = tuple(p for p in OF_MODELS if p.name not in named) if "model" in named else ()
    return Chapter(name, _title(cells) or name, path, parameters + more)


def parse_parameters(source: str) -> tuple[Parameter, ...]:
    """Return the parameters that a cell declares.

    Raises
    ------
    UserError
        If a statement is not one annotated assignment on one line with a known type, a default of
        that type and a help comment.

    Examples
    --------
    >>> parse_parameters("k: int | None = None  # neighbours, None for all")
    (Parameter(name='k', type='int | None', default=None, help='neighbours, None for all'),)
    """
    try:
        statements = ast.parse(source).body
        comments = {
            token.start[0]: token.string.lstrip("# ").rstrip()
            for token in tokenize.generate_tokens(io.StringIO(source).readline)
            if token.type == tokenize.COMMENT
        }
    except (SyntaxError, tokenize.TokenError) as error:
        raise UserError(f"not valid Python: {error}") from error
    parameters = tuple(_declaration(s, comments.get(s.lineno, "")) for s in statements)
    names = [p.name for p in parameters]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"'{name}' is declared {names.count(name)} times")
    return parameters


def _declaration(statement: ast.stmt, comment: str) -> Parameter:
    """Return the parameter that one statement of the cell declares."""
    where = f"line {statement.lineno}"
    simple = isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    if not simple or statement.value is None or statement.end_lineno != statement.lineno:
        raise UserError(f"{where}: expected `name: type = value  # help` on one line")
    name, kind = statement.target.id, ast.unparse(statement.annotation)
    if kind not in TYPES:
        raise unknown_choice(f"type of parameter '{name}' ({where})", kind, TYPES)
    if not comment or "=" in comment:
        raise UserError(f"{where}: '{name}' needs a help comment, without '=' (a Papermill rule)")
    try:
        default = ast.literal_eval(statement.value)
    except ValueError:
        raise UserError(f"{where}: the default of '{name}' must be a literal value") from None
    parameter = Parameter(name, kind, default, comment)
    if not parameter.accepts(default):
        raise UserError(f"{where}: '{name}' is {kind}, but its default is {default!r}")
    return parameter


def _read_notebook(path: Path) -> dict:
    """Return the notebook's JSON, or raise UserError with the reason."""
    try:
        notebook = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as a notebook: {error}") from error
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4:
        raise UserError(f"{path} is not a version 4 notebook")
    return notebook


def _title(cells: list[dict]) -> str:
    """Return the first markdown heading, or an empty string."""
    for cell in cells:
        for line in "".join(cell["source"]).splitlines() if cell["cell_type"] == "markdown" else ():
            if line.startswith("#"):
                return line.lstrip("# ").strip()
    return ""
