"""An executed notebook as a page of the book: code folded, nothing that differs by chance.

Two runs of a chapter with the same inputs give the same bytes, but for the line of the run time.
"""

import copy
import json
import re
from collections.abc import Sequence
from html import escape

from analysis_lib.chapters.notes import ANSWER, CAPTION, ELSEWHERE, RUN, SOURCES
from analysis_lib.files import ROOT
from analysis_lib.progress import MARK
from analysis_lib.words import THIN, anchor_of, name_of

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"

#: where a caption names the records that its figure draws beside this run
BESIDE = "{beside}"
_OURS = ("_esm", "_css")  # of a widget's state
#: tag of a cell that is shown at the end of its page: imports, and the parameters of the run
SET_UP = "set-up"

# a progress bar of tqdm: " 40%|████      | 4/10 [00:01<00:02,  2.9it/s]" or "12it [00:00, 3it/s]"
_BAR = re.compile(r"\d+%\||\d+(\.\d+)?\S* \[\d+:\d\d[^\]]*\]|\b\d+it \[")

_CHANCE = (
    (re.compile(r"\S*[/\\]ipykernel_\d+[/\\]\d+\.py"), "cell"),  # a file name with a process id
    (re.compile(r" at 0x[0-9a-fA-F]{6,}"), ""),  # an object's address
    (re.compile(re.escape(f"{ROOT}/")), ""),  # where this machine keeps the project
)


def tidy_notebook(notebook: dict) -> dict:
    """Return a copy of an executed notebook that is ready for the book.

    - The cell of defaults is dropped where Papermill injected the parameters of the run. Cells of
      parameters and imports are tagged `SET_UP`, code that is not left out is tagged ``hide-input``.
    - Progress bars, notices to who waits, Papermill's own notes, time stamps, process ids and object addresses go.
    - Cells and widgets, whose ids are random, are numbered; per cent signs stand as in computed sentences.

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
        if cell["cell_type"] == "markdown":
            cell["source"] = _percent(_text(cell["source"]))
        if cell["cell_type"] == "code":
            _fold(cell)
            cell["outputs"] = _tidy_outputs(cell["outputs"])
    notebook["cells"] = _number_styles(cells)
    notebook["metadata"].pop("papermill", None)
    return _number_widgets(notebook)


def write_form(notebook: dict) -> str:
    """Return the notebook as the text of an ``.ipynb`` file, keys in order."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def annotate_figures(notebook: dict) -> dict:
    """Return a copy in which each figure has its sentence, and is followed by a line of what it is drawn from.

    A caption that says ``{beside}`` names the records that are drawn there; where none are, that sentence is left out.
    The line names the run's data, unless the figure shows records alone, and the records that the figure's cell has
    taken tables from: notes that cells have left (`analysis_lib.chapters.notes`). Without a note of the run, no figure
    has a line.
    """
    notebook = copy.deepcopy(notebook)
    run = [note for cell in notebook["cells"] for note in _taken(cell, RUN)]
    cells = []
    for cell in notebook["cells"]:
        cells.append(cell)
        records = [record for note in _taken(cell, SOURCES) for record in note]
        captions, records_alone = _taken(cell, CAPTION), any(_taken(cell, ELSEWHERE))
        figure = cell["metadata"].get("mystnb", {}).get("figure")
        if not figure:
            continue
        caption = _with_records(figure.get("caption", ""), records)
        figure["caption"] = _percent(" ".join([*captions, caption]).strip())
        if run:
            here = f'{name_of(run[-1]) if run[-1] else "what was computed"}, <a href="#this-run">this run</a>'
            line = "; ".join([*([] if records_alone else [here]), *dict.fromkeys(map(name_of, records))])
            source = f":::{{div}} source\nDrawn from {line}.\n:::"
            cells.append({"cell_type": "markdown", "id": f"{cell['id']}-made", "metadata": {}, "source": source})
    notebook["cells"] = cells
    return notebook


def _with_records(caption: str, records: Sequence[str]) -> str:
    """Return a caption that names the records where it says `BESIDE`; without any, that sentence goes.

    >>> _with_records("The fall. Thin lines: {beside}. Late.", ["NW-UCLA, recorded"]), _with_records("A. {beside}.", [])
    ('The fall. Thin lines: NW-UCLA, recorded. Late.', 'A.')
    """
    names = "; ".join(dict.fromkeys(map(name_of, records)))
    said = re.split(r"(?<=\.) ", caption)
    return " ".join(one.replace(BESIDE, names) for one in said if names or BESIDE not in one)


def add_verdicts(notebook: dict, claims: Sequence[tuple[str, str, str, str]]) -> dict:
    """Return a copy that shows what became of the papers' claims, below the first figure after the answer.

    Parameters
    ----------
    notebook : dict
    claims : sequence of (edition, id, verdict, text)
    """
    notebook, found = copy.deepcopy(notebook), {}
    for edition, name, verdict, text in claims:
        found.setdefault((name, text), []).append((edition, verdict))
    cells = notebook["cells"]
    answers = [i for i, cell in enumerate(cells) if _taken(cell, ANSWER)]
    if not found or not answers:
        return notebook
    figures = [i for i in range(answers[0], len(cells)) if "figure" in cells[i]["metadata"].get("mystnb", {})]
    rows = "".join(_claim(name, text, verdicts) for (name, text), verdicts in found.items())
    html = f"<div class='verdicts'><p>Claims behind this page, as tested here:</p><ul>{rows}</ul></div>"
    cells.insert(
        (figures or answers)[0] + 1, {"cell_type": "markdown", "id": "verdicts", "metadata": {}, "source": html}
    )
    return notebook


def _claim(name: str, text: str, verdicts: Sequence[tuple[str, str]]) -> str:
    """Return a claim, which leads to its row, and its badge from each edition."""
    badges = "; ".join(
        f"{escape(edition)} <span class='verdict verdict-{verdict.replace(' ', '-')}'>{escape(verdict)}</span>"
        for edition, verdict in verdicts
    )
    return f"<li><a href='claims.html#{anchor_of(name)}'>{escape(name)}</a> {escape(text)} <small>{badges}</small></li>"


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


def _taken(cell: dict, kind: str) -> list:
    """Return a cell's notes of one type, and take them out of its outputs."""
    outputs = cell.get("outputs", [])
    notes = [output["data"].pop(kind) for output in outputs if kind in output.get("data", {})]
    if notes:
        cell["outputs"] = [o for o in outputs if "data" not in o or any(o["data"].values())]
    return notes


def _tags(cell: dict) -> list[str]:
    return cell["metadata"].get("tags", [])


def _fold(cell: dict) -> None:
    """Tag a cell of code: its input is folded, and what sets up the run goes to the end of the page."""
    tags = set(_tags(cell))
    if tags & {"injected-parameters", "parameters", "imports"}:
        tags.add(SET_UP)
        cell["source"] = _text(cell["source"]).removeprefix("# Parameters\n")
    if "remove-input" not in tags:
        tags.add("hide-input")
    cell["metadata"]["tags"] = sorted(tags)


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


def _percent(text: str) -> str:
    """Return a text in which no line ends before a per cent sign."""
    return re.sub(r"(?<=\d) %", f"{THIN}%", text)


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)
