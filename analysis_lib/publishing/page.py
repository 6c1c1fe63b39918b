"""An executed notebook as a page of the book: parameters folded, nothing that differs by chance.

Two runs of a chapter with the same inputs give the same bytes, but for the line of the run time.
"""

import copy
import json
import re

from analysis_lib.chapters.other_editions import SOURCES
from analysis_lib.files import ROOT
from analysis_lib.progress import MARK

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"

_OURS = ("_esm", "_css")  # of a widget's state
_RUN = '<small class="provenance">Parameters '  # how the line of a run begins
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
    return _number_widgets(notebook)


def write_form(notebook: dict) -> str:
    """Return the notebook as the text of an ``.ipynb`` file, keys in order."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def annotate_figures(notebook: dict) -> dict:
    """Return a copy in which each figure is followed by where it comes from, folded.

    That is the line of this run (`analysis_lib.chapters.session.Session.record`), and those of the
    records that the figure's cell has taken tables from (`analysis_lib.chapters.other_editions`). A
    notebook without a line of its run stays as it is.
    """
    notebook = copy.deepcopy(notebook)
    shown = [o["data"] for cell in notebook["cells"] for o in cell.get("outputs", ()) if "data" in o]
    run = [text for data in shown if _RUN in (text := _text(data.get("text/markdown", "")))]
    cells = []
    for cell in notebook["cells"]:
        outputs = cell.get("outputs", [])
        records = [line for o in outputs for line in o.get("data", {}).get(SOURCES, ())]
        if records:
            cell["outputs"] = [o for o in outputs if SOURCES not in o.get("data", {})]
        cells.append(cell)
        if run and "figure" in cell["metadata"].get("mystnb", {}):
            lines = "\n\n".join(dict.fromkeys([run[-1], *records]))
            source = f":::{{dropdown}} How this figure was made\n{lines}\n:::"
            cells.append({"cell_type": "markdown", "id": f"{cell['id']}-made", "metadata": {}, "source": source})
    notebook["cells"] = cells
    return notebook


def shield_widgets(notebook: dict) -> dict:
    """Return a copy in which no name that a widget holds can end the ``<script>`` that a page keeps it in.

    Each "<" becomes the letter U+E03C; ``widget_host.js`` reads it as what it was. Scripts and styles,
    which are the book's own, stay as they are.
    """
    notebook = copy.deepcopy(notebook)
    for model in notebook["metadata"].get("widgets", {}).get(STATE, {}).get("state", {}).values():
        state = model.get("state", {})
        model["state"] = {key: value if key in _OURS else _shielded(value) for key, value in state.items()}
    return notebook


def _shielded(value: object) -> object:
    """Return a JSON value without "<"."""
    return json.loads(json.dumps(value).replace("<", r"\ue03c"))


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
            kept.append({key: _steady(value) for key, value in output.items()})
        elif not _BAR.search(_text(output["data"].get("text/plain", ""))):
            data = output["data"].items()
            kept.append({**output, "data": {k: _steady(v) if k.startswith("text/") else v for k, v in data}})
    return kept


def _without_bars(text: str, stream: str) -> str:
    """Return what was written to a stream, less progress bars and notices on stderr."""
    if stream != "stderr":
        return text
    lines = re.split(r"[\r\n]+|\x1b\[A", text)
    return "".join(f"{line}\n" for line in lines if line.strip() and not _BAR.search(line) and MARK not in line)


def _steady(value: object) -> object:
    """Return a text, or a list of texts, without what differs from run to run or from machine to machine."""
    if isinstance(value, list):
        return [_steady(line) for line in value]
    for pattern, replacement in _CHANCE if isinstance(value, str) else ():
        value = pattern.sub(replacement, value)
    return value


def _number_styles(cells: list[dict]) -> list[dict]:
    """Return the cells with the random names of pandas' styled tables numbered."""
    text = json.dumps(cells)
    return json.loads(_numbered(text, "T_", dict.fromkeys(re.findall(r'id=\\"T_([0-9a-f]{5})\\"', text)), 5))


def _number_widgets(notebook: dict) -> dict:
    """Return the notebook with widget ids 0...0, 0...1 in the order that outputs show them.

    Models that no output shows follow if they refer to one that is (a link between two widgets); the
    rest, such as finished progress bars, are dropped.
    """
    models = notebook["metadata"].get("widgets", {}).get(STATE, {}).get("state", {})
    needs = {m: re.findall(r"IPY_MODEL_(\w+)", json.dumps(models[m]["state"], sort_keys=True)) for m in models}
    shown = [
        o["data"][VIEW]["model_id"]
        for cell in notebook["cells"]
        for o in cell.get("outputs", ())
        if VIEW in o.get("data", {})
    ]
    order = list(dict.fromkeys(model for model in shown if model in models))
    for model in order:  # it grows on the way
        order += [m for m in dict.fromkeys(needs[model]) if m in models and m not in order]
    links = [m for m in models if m not in order and set(needs[m]) & set(order)]
    order += sorted(links, key=lambda m: _numbered(json.dumps(models[m], sort_keys=True), "", order, 32))
    if not order:
        notebook["metadata"].pop("widgets", None)
        return notebook
    notebook["metadata"]["widgets"][STATE]["state"] = {model: models[model] for model in order}
    return json.loads(_numbered(json.dumps(notebook), "", order, 32))


def _numbered(text: str, prefix: str, names, width: int) -> str:
    """Return a text with each random hexadecimal name replaced by its place among them, all in one pass."""
    number = {f"{prefix}{name}": f"{prefix}{place:0{width}x}" for place, name in enumerate(names)}
    pattern = rf"{prefix}[0-9a-f]{{{width}}}(?![0-9a-f])"
    return re.sub(pattern, lambda match: number.get(match[0], match[0]), text)


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)
