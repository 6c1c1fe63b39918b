"""A new chapter, written from ``template/``: a notebook in the form of all, a study that runs, its test, its line.

The template mirrors the project; in its texts and paths NAME stands for the chapter's name, and in the
notebook TITLE and QUESTION for what its page begins with.
"""

import json
import keyword
import re
from pathlib import Path

from analysis_lib.chapters.chapter import table_of_contents
from analysis_lib.errors import UserError, shown
from analysis_lib.files import ROOT, write_text

TEMPLATE = Path(__file__).parent / "template"

_SUFFIX = ".txt"  # of every file of the template, which is no code until it has a name


def write_chapter(name: str, title: str = "", question: str = "", root: str | Path = ROOT) -> list[Path]:
    """Write a chapter and list it in ``_toc.yml``; return the files that are new.

    Parameters
    ----------
    name : str
        Of the notebook and of its study: a Python name in small letters.
    title : str
        At most four words, as it stands in the sidebar. Default: the name.
    question : str
        What the chapter asks.
    root : path
        Of the project.

    Raises
    ------
    UserError
        If the name is ill-formed or taken, a title has more than four words, or a text more than one line; then
        nothing is written.
    """
    root = Path(root)
    title, question = title or name.replace("_", " ").capitalize(), question or "What is asked here?"
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name) or keyword.iskeyword(name):
        raise UserError(
            f"a chapter's name has small letters, digits and _, and begins with a letter; got {shown(name)}"
        )
    if not title.isprintable() or len(title.split()) > 4:
        raise UserError(f"a title has at most four words, on one line, got {shown(title)}")
    if not question.isprintable():
        raise UserError(f"a question is one line, got {shown(question)}")
    texts = {root / path.replace("NAME", name): text.replace("NAME", name) for path, text in _template().items()}
    taken = [*(path for path in texts if path.exists()), *(root / "book").glob(f"{name}.*")]
    taken += [folder for folder in {path.parent for path in texts} if folder.name == name and folder.exists()]
    if taken or f"book/{name}" in table_of_contents(root):
        raise UserError(f"chapter '{name}' is there already: {taken[0] if taken else root / '_toc.yml'}")
    contents = _listed(root, name, title)
    for path, text in texts.items():
        if path.suffix == ".ipynb":
            text = text.replace("TITLE", json.dumps(title)[1:-1]).replace("QUESTION", json.dumps(question)[1:-1])
        write_text(path, text)
    write_text(root / "_toc.yml", contents)
    return list(texts)


def _template() -> dict[str, str]:
    """Return the texts of the template by the path, in the project, that each is for."""
    paths = sorted(TEMPLATE.rglob(f"*{_SUFFIX}"))
    return {
        path.relative_to(TEMPLATE).as_posix().removesuffix(_SUFFIX): path.read_text(encoding="utf8") for path in paths
    }


def _listed(root: Path, name: str, title: str) -> str:
    """Return the table of contents with a page after the last notebook."""
    lines = (root / "_toc.yml").read_text(encoding="utf8").splitlines(keepends=True)
    entries = {i: found for i, line in enumerate(lines) if (found := re.match(r"(\s*)- file: (\S+)", line))}
    notebooks = [i for i, entry in entries.items() if (root / f"{entry[2]}.ipynb").exists()]
    if not notebooks:
        raise UserError(f"{root / '_toc.yml'} lists no notebook that a new one could follow")
    place = min((i for i in entries if i > notebooks[-1]), default=len(lines))
    indent = entries[notebooks[-1]][1]
    entry = f"{indent}- file: book/{name}\n{indent}  title: {json.dumps(title, ensure_ascii=False)}\n"
    return "".join([*lines[:place], entry, *lines[place:]])
