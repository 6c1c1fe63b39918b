"""An executed notebook as a page of the book: parameters folded, nothing that differs by chance.

Two runs of a chapter with the same inputs give the same bytes, but for the line of the run time.
"""

import copy
import json
import re

from analysis_lib.files import ROOT
from analysis_lib.progress import MARK
from analysis_lib.publishing.widget_state import number_widgets

_PROMPT = {f"code_prompt_{verb}": "Parameters of this run" for verb in ("show", "hide")}

# a progress bar of tqdm: " 40%|████      | 4/10 [00:01<00:02,  2.9it/s]" or "12it [00:00, 3it/s]"
_BAR = re.compile(r"\d+%\||\d+(\.\d+)?\S* \[\d+:\d\d[^\]]*\]|\b\d+it \[")

_CHANCE = (
    (re.compile(r"\S*[/\\]ipykernel_\d+[/\\]\d+\.py"), "cell"),  # a file name with a process id
    (re.compile(r" at 0x[0-9a-fA-F]{6,}"), ""),  # an object's address
    (re.compile(re.escape(f"{ROOT}/")), ""),  # where this machine keeps the project
)


def tidy_notebook(notebook: dict) -> dict:
    """Return a copy of an executed notebook that is ready for the book.

    - The cell of defaults is dropped where Papermill injected the parameters of the run, and the
      injected one is folded under "Parameters of this run".
    - Progress bars, notices to who waits, Papermill's own notes, time stamps, process ids and object addresses go.
    - Cells and widgets, whose ids are random, are numbered.

    Parameters
    ----------
    notebook : dict
        JSON of a version 4 notebook; not changed.

    Returns
    -------
    dict
        Tidying it again changes nothing.
    """
    notebook = copy.deepcopy(notebook)
    cells = notebook["cells"]
    if any("injected-parameters" in _tags(cell) for cell in cells):
        cells = [cell for cell in cells if "parameters" not in _tags(cell)]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number:02d}"
        for note in ("papermill", "execution"):
            cell["metadata"].pop(note, None)
        if not _tags(cell):
            cell["metadata"].pop("tags", None)
        if "injected-parameters" in _tags(cell):
            _fold(cell)
        if cell["cell_type"] == "code":
            cell["outputs"] = _tidy_outputs(cell["outputs"])
    notebook["cells"] = _number_styles(cells)
    notebook["metadata"].pop("papermill", None)
    return number_widgets(notebook)


def write_form(notebook: dict) -> str:
    """Return the notebook as the text of an ``.ipynb`` file, keys in order."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def annotate_figures(notebook: dict) -> dict:
    """Return a copy in which each figure is followed by the page's line of provenance, folded.

    The line is the one that `analysis_lib.chapters.provenance.provenance` displays at the end; a notebook
    without one stays as it is.
    """
    notebook = copy.deepcopy(notebook)
    line = next(filter(None, map(_provenance_line, notebook["cells"])), None)
    cells = []
    for cell in notebook["cells"]:
        cells.append(cell)
        if line and "figure" in cell["metadata"].get("mystnb", {}):
            cells.append(
                {
                    "cell_type": "markdown",
                    "id": f"{cell['id']}-made",
                    "metadata": {},
                    "source": f":::{{dropdown}} How this figure was made\n{line}\n:::",
                }
            )
    notebook["cells"] = cells
    return notebook


def _provenance_line(cell: dict) -> str | None:
    """Return the Markdown of the provenance that a cell displays, if it displays one."""
    shown = [_text(output.get("data", {}).get("text/markdown", "")) for output in cell.get("outputs", ())]
    return next((text for text in shown if 'class="provenance"' in text), None)


def _tags(cell: dict) -> list[str]:
    return cell["metadata"].get("tags", [])


def _fold(cell: dict) -> None:
    """Hide the injected cell's code behind a heading that can be opened."""
    cell["source"] = _text(cell["source"]).removeprefix("# Parameters\n")
    cell["metadata"]["tags"] = sorted({*_tags(cell), "hide-input"})
    cell["metadata"]["mystnb"] = {**cell["metadata"].get("mystnb", {}), **_PROMPT}


def _tidy_outputs(outputs: list[dict]) -> list[dict]:
    """Return a cell's outputs without progress bars; streams of one name in a row are one."""
    kept: list[dict] = []
    for output in outputs:
        if output["output_type"] == "stream":
            text = _steady(_without_bars(_text(output["text"]), output["name"]))
            before = kept[-1] if kept else {}
            if text and before.get("name") == output["name"]:
                before["text"] += text
            elif text:
                kept.append({**output, "text": text})
        elif "data" not in output:
            kept.append({key: _steady_value(value) for key, value in output.items()})
        elif not _BAR.search(_text(output["data"].get("text/plain", ""))):
            data = {kind: _steady_data(kind, value) for kind, value in output["data"].items()}
            kept.append({**output, "data": data})
    return kept


def _without_bars(text: str, stream: str) -> str:
    """Return what was written to a stream, less progress bars and notices on stderr."""
    if stream != "stderr":
        return text
    lines = re.split(r"[\r\n]+|\x1b\[A", text)
    return "".join(
        f"{line}\n" for line in lines if line.strip() and not _BAR.search(line) and not line.startswith(MARK)
    )


def _steady_data(kind: str, value: object) -> object:
    """Return one representation of an output; only text is touched."""
    return _steady_value(value) if kind.startswith("text/") else value


def _steady_value(value: object) -> object:
    if isinstance(value, list):
        return [_steady(line) if isinstance(line, str) else line for line in value]
    return _steady(value) if isinstance(value, str) else value


def _steady(text: str) -> str:
    """Return ``text`` without what differs from run to run or from machine to machine."""
    for pattern, replacement in _CHANCE:
        text = pattern.sub(replacement, text)
    return text


def _number_styles(cells: list[dict]) -> list[dict]:
    """Return the cells with the random names of pandas' styled tables numbered."""
    text = json.dumps(cells)
    names = dict.fromkeys(re.findall(r'id=\\"T_([0-9a-f]{5})\\"', text))
    number = {name: f"T_{place:05d}" for place, name in enumerate(names)}
    styled = re.compile(rf"\bT_({'|'.join(number)})(?=[_\W])")
    return json.loads(styled.sub(lambda match: number[match[1]], text)) if number else cells


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)
