"""One run of one chapter as one HTML file, which opens anywhere and asks nobody for anything.

Pictures, widgets and formulas travel in the file, and its policy forbids it to load or to call. The
text is read in the dialect of the book (MyST); references to other pages are left as text.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

from analysis_lib.files import ROOT, write_text
from analysis_lib.publishing.page import STATE, VIEW, annotate_figures
from analysis_lib.publishing.runs import Run
from analysis_lib.publishing.site import WIDGET_HOST, mathjax_files

REFERENCES = ROOT / "book" / "references.bib"

_MOST = 100  # letters of a folder's name, before the key
_STYLE = Path(__file__).parent / "assets" / "run_page.css"
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline' blob:"
_EXTENSIONS = {"amsmath", "colon_fence", "deflist", "dollarmath"}
_MATHJAX = {
    "tex": {"inlineMath": [["\\(", "\\)"]], "displayMath": [["\\[", "\\]"]]},
    "options": {"ignoreHtmlClass": "page", "processHtmlClass": "math", "enableMenu": False},
}


def write_run_page(run: Run, changed: Mapping[str, object], out: Path) -> Path:
    """Write the page of a run, ``out/NAME/index.html``, and return its path.

    NAME has the chapter, the dataset, the model, the parameters that were ``changed``, and the first
    digits of the run's key: two runs share a folder only if nothing differs that they depend on.
    """
    parameters = run.facts["inputs"]["parameters"]
    whose = [Path(str(parameters[name])).stem for name in ("dataset", "model") if parameters.get(name)]
    values = [f"{name}-{value}" for name, value in changed.items() if name not in ("dataset", "model", "data_root")]
    name = "_".join(map(_safe, [run.chapter, *whose, *values]))[:_MOST]
    path = out / f"{name}_{run.folder.name[:10]}" / "index.html"
    write_text(path, page_html(json.loads(run.notebook.read_text(encoding="utf8"))))
    return path


def _safe(name: str) -> str:
    """Return a name as part of the name of a folder: letters, digits, dots and hyphens.

    >>> _safe("../<my set>"), _safe("n_windows-[0.5, 2]")
    ('my-set', 'n_windows-0.5-2')
    """
    return re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.")


def page_html(notebook: dict) -> str:
    """Return an executed notebook as an HTML page that holds all that it needs."""
    notebook, reader = annotate_figures(notebook), _reader()
    body = "\n".join(_cell(cell, reader) for cell in notebook["cells"])
    title = re.search(r"^# (.+)$", "\n".join(map(_source, notebook["cells"])), re.MULTILINE)
    state = notebook["metadata"].get("widgets", {}).get(STATE)
    if state:
        body += _script(json.dumps(state).replace("<", r"\u003c"), STATE) + _script(WIDGET_HOST.read_text())
    if 'class="math' in body:
        body += _script(f"window.MathJax = {json.dumps(_MATHJAX)};") + _script(_mathjax())
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title[1] if title else 'A run')}</title>\n<style>\n{_STYLE.read_text()}</style>\n</head>\n"
        f'<body class="page">\n{body}\n</body>\n</html>\n'
    )


def _script(text: str, kind: str = "text/javascript") -> str:
    closed = re.sub("</(?=script)", r"<\\/", text, flags=re.IGNORECASE)
    return f'<script type="{kind}">{closed}</script>\n'


@cache
def _mathjax() -> str:
    """Return MathJax with its letters in one script."""
    return mathjax_files()["tex-svg.js"].read_text(encoding="utf8")


def _source(cell: Mapping) -> str:
    return "".join(cell["source"]) if cell["cell_type"] == "markdown" else ""


def _cell(cell: Mapping, reader: MarkdownIt) -> str:
    """Return a cell: text, or folded code and what it gave."""
    tags = cell["metadata"].get("tags", [])
    if cell["cell_type"] != "code":
        return reader.render(_source(cell)) if cell["cell_type"] == "markdown" else ""
    about = cell["metadata"].get("mystnb", {})
    shown = "\n".join(_output(output, about, reader) for output in cell["outputs"])
    if "hide-output" in tags:
        shown = _folded("more", shown)
    if {"remove-input", "remove-cell"} & set(tags):
        return shown
    name = "parameters of this run" if "injected-parameters" in tags else "code"
    return _folded(name, f"<pre>{escape(''.join(cell['source']))}</pre>") + shown


def _folded(name: str, text: str) -> str:
    return f"<details><summary>{escape(name)}</summary>{text}</details>\n" if text else ""


def _output(output: Mapping, about: Mapping, reader: MarkdownIt) -> str:
    """Return what a cell displayed, in the richest form that a page can show."""
    data = {k: v if isinstance(v, Mapping) else "".join(v) for k, v in output.get("data", {}).items()}
    if VIEW in data:
        return _script(json.dumps(data[VIEW]).replace("<", r"\u003c"), VIEW)
    if "text/html" in data:
        return f'<div class="table">{data["text/html"]}</div>'
    if "text/markdown" in data:
        return reader.render(data["text/markdown"])
    if "image/png" in data:
        return _figure(data, output, about, reader)
    text = data.get("text/plain") or "".join(output.get("text", "")) or "\n".join(output.get("traceback", []))
    return f"<pre>{escape(text)}</pre>" if text else ""


def _figure(data: Mapping, output: Mapping, about: Mapping, reader: MarkdownIt) -> str:
    """Return a picture with its caption and what it says in words."""
    alt = about.get("image", {}).get("alt", data.get("text/plain", ""))
    width = output["metadata"].get("image/png", {}).get("width")
    size = f' width="{int(width)}"' if width else ""
    image = f'<img alt="{escape(alt)}"{size} src="data:image/png;base64,{escape(data["image/png"].strip())}">'
    figure = about.get("figure", {})
    caption = f"<figcaption>{reader.renderInline(figure['caption'])}</figcaption>" if "caption" in figure else ""
    return f'<figure id="{escape(figure.get("name", ""))}">{image}{caption}</figure>'


def _reader() -> MarkdownIt:
    """Return a reader of the book's dialect that writes HTML."""
    reader = create_md_parser(MdParserConfig(enable_extensions=_EXTENSIONS), RendererHTML)
    for rule in (myst_role, colon_fence, link_open, math_inline, math_block):
        reader.add_render_rule(rule.__name__, rule)
    reader.add_render_rule("amsmath", math_block)
    return reader


def myst_role(self, tokens, i, options, env) -> str:
    """Write a role: a formula, a citation, or else its text."""
    name, text = tokens[i].meta["name"], tokens[i].content
    if name == "math":
        return _formula(text)
    if name.startswith("cite"):
        return escape(_cited(text, name))
    return escape(text)


def colon_fence(self, tokens, i, options, env) -> str:
    """Write a directive as a fold, a part of a page with its class, or a note, with its text."""
    name, _, title = tokens[i].info.strip().partition(" ")
    text = _reader().render(tokens[i].content)
    if name == "{dropdown}":
        return _folded(title, text)
    kind, title = (title, "") if name == "{div}" else ("note", title)
    return f'<div class="{escape(kind)}">{escape(title)}{text}</div>\n'


def link_open(self, tokens, i, options, env) -> str:
    """Write the start of a link; other pages of the book are not there."""
    if not re.match(r"https?:|#", tokens[i].attrs.get("href", "")):
        tokens[i].attrs.pop("href", None)
    return self.renderToken(tokens, i, options, env)


def math_inline(self, tokens, i, options, env) -> str:
    """Write a formula in a line."""
    return _formula(tokens[i].content)


def math_block(self, tokens, i, options, env) -> str:
    """Write a formula on a line of its own."""
    return f'<p class="math">\\[{escape(tokens[i].content)}\\]</p>\n'


def _formula(text: str) -> str:
    return f'<span class="math">\\({escape(text)}\\)</span>'


@cache
def _bibliography():
    from pybtex.database import parse_file

    return parse_file(str(REFERENCES)).entries


def _cited(keys: str, role: str) -> str:
    """Return authors and years of what is cited."""
    said = []
    for key in map(str.strip, keys.split(",")):
        entry = _bibliography().get(key)
        names = [" ".join(person.last_names) for person in entry.persons["author"]] if entry else [key]
        who = names[0] if len(names) == 1 else f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
        year = entry.fields.get("year", "") if entry else ""
        said.append(f"{who} ({year})" if role == "cite:t" else f"{who}, {year}")
    return "; ".join(said) if role == "cite:t" else f"({'; '.join(said)})"
