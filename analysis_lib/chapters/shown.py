"""What every page has: the answer with its verdicts, and what this run was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from numbers import Integral
from types import MappingProxyType

import pandas as pd

from analysis_lib.chapters.notes import RUN
from analysis_lib.chapters.other_editions import origin
from analysis_lib.statistics.estimates import Verdict
from analysis_lib.words import duration, name_of, number

#: characters of a cell that stands on one line
_SHORT = 40
#: a verdict, and what it is about in a few words
Claim = tuple[Verdict | str, str]


#: an answer: its sentence, and the verdicts behind it
Answer = tuple[str, Sequence[Claim]]


def answer_html(
    sentence: str, claims: Sequence[Claim] = (), beside: Mapping[str, Answer] = MappingProxyType({}), here: str = "here"
) -> str:
    """Return the answer of a page as Markdown, framed, with a badge before each claim.

    Parameters
    ----------
    sentence : str
    claims : sequence of (verdict, text)
    beside : mapping of str to (sentence, claims)
        What other data answer, by their name: sentences follow, and verdicts stand in a table, a column each.
    here : str
        Name of this page's data in that table.

    Examples
    --------
    >>> print(answer_html("Mostly at the end.", [(Verdict.HOLDS, "the fall is late")]))
    <div class="answer">
    <BLANKLINE>
    Mostly at the end.
    <BLANKLINE>
    - <span class="verdict verdict-holds">holds</span> the fall is late
    <BLANKLINE>
    </div>
    """
    others = [f"*{name_of(label)}*: {said}" for label, (said, _) in beside.items()]
    listed = "\n".join(f"- {badge(verdict)} {text}" for verdict, text in claims)
    verdicts = _verdict_table({here: claims} | {label: of for label, (_, of) in beside.items()}) if beside else listed
    return "\n\n".join(filter(None, ['<div class="answer">', sentence, *others, verdicts, "</div>"]))


def _verdict_table(claims: Mapping[str, Sequence[Claim]]) -> str:
    """Return verdicts as a table in Markdown: a row for each claim, a column for each of the data; nothing of no claim.

    >>> print(_verdict_table({"here": [("holds", "late")], "NW-UCLA": [("holds", "steep")]}))
    | claim | here | NW-UCLA |
    |---|---|---|
    | late | <span class="verdict verdict-holds">holds</span> | – |
    | steep | – | <span class="verdict verdict-holds">holds</span> |
    """
    found = {label: {text: verdict for verdict, text in of} for label, of in claims.items()}
    texts = dict.fromkeys(text for of in found.values() for text in of)
    rows = []
    for text in texts:
        verdicts = (badge(of[text]) if text in of else "–" for of in found.values())
        rows.append([text.replace("|", r"\|"), *verdicts])
    lines = [f"| {' | '.join(line)} |" for line in (["claim", *map(name_of, found)], *rows)]
    return "\n".join([lines[0], "|---" * (1 + len(found)) + "|", *lines[1:]]) if rows else ""


def badge(verdict: Verdict | str, text: str = "") -> str:
    """Return a verdict as a badge, in HTML; it says the verdict, or another text.

    >>> badge("cannot be tested here")
    '<span class="verdict verdict-cannot-be-tested-here">cannot be tested here</span>'
    """
    name = str(verdict)
    return f'<span class="verdict verdict-{name.replace(" ", "-")}">{escape(text or name)}</span>'


@dataclass(frozen=True)
class Listed:
    """A table for display: its index as first columns, in which a name that repeats the row above is left out.

    Whole numbers are written with their thousands. No text is cut; where one is long, cells may break lines.
    """

    table: pd.DataFrame

    def _repr_html_(self) -> str:
        names = len(self.table.index.names) if any(self.table.index.names) else 0
        rows = (self.table.reset_index() if names else self.table).astype(object)
        same = (rows.iloc[:, :names] == rows.iloc[:, :names].shift()).cummin(axis=1)
        rows.iloc[:, :names] = rows.iloc[:, :names].mask(same, "")
        rows = rows.map(lambda value: number(value, 0) if isinstance(value, Integral) else value)
        wordy = rows.map(lambda value: len(str(value))).to_numpy(int).max(initial=0) > _SHORT
        with pd.option_context("display.max_colwidth", None):
            return rows.to_html(index=False, border=0, classes=["wordy"] if wordy else None)


@dataclass(frozen=True)
class ThisRun:
    """What this run was, for display; ``data`` is the name of what it worked on."""

    html: str
    data: str

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {"text/html": self.html, "text/plain": "this run", RUN: self.data}


def run_html(facts: Mapping, seconds: float, beside: Mapping[str, str] | None = None) -> str:
    """Return parameters, data, network, code and time of a run as a fold.

    Parameters
    ----------
    facts : mapping
        `analysis_lib.chapters.session.Session.facts`.
    seconds : float
    beside : mapping of str to str
        Where the records come from that are drawn beside it, by label.
    """
    values = "".join(
        f"<tr><th scope='row'><code>{escape(name)}</code></th><td><code>{escape(repr(value))}</code></td></tr>"
        for name, value in facts["parameters"].items()
    )
    lines = [escape("; ".join(origin(facts))), f"run time {duration(seconds)}"]
    lines += [f"<em>{escape(label)}</em>: {escape(text)}" for label, text in (beside or {}).items()]
    said = "".join(f"<p>{line}</p>\n" for line in lines)
    table = f"<table><caption>Parameters</caption>{values}</table>" if values else "<p>no parameters</p>"
    return f"<details class='this-run' id='this-run'><summary>This run</summary>\n{said}{table}\n</details>"
