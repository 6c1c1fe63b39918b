"""Where a figure comes from: this run, and what other editions recorded that is drawn beside it."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from analysis_lib.chapters.editions import edition_names, load_edition
from analysis_lib.chapters.recorded import recorded_editions, recorded_provenance, recorded_table
from analysis_lib.words import code_of, name_of

#: type of an output that is not shown: the lines of the records that its cell has taken tables from
SOURCES = "application/vnd.stgbook.sources+json"

_WHOSE = ("dataset", "model")  # parameters that tell one edition from another
_NOT_COMPARED = (*_WHOSE, "data_root", "beside")
_MISSING = object()


def other_editions(chapter: str, parameters: Mapping[str, object]) -> list[str]:
    """Return the editions whose record of a chapter is shown where it runs with ``parameters``.

    These are those of the parameter ``beside`` that are recorded, but for those of the very dataset and model.
    """
    beside = parameters.get("beside") or ()
    records = {edition: recorded_provenance(edition, chapter) for edition in recorded_editions() if edition in beside}
    return [
        edition
        for edition, facts in records.items()
        if facts and any(facts["parameters"].get(k) != parameters.get(k) for k in _WHOSE)
    ]


@dataclass(frozen=True)
class Beside:
    """Records of other editions: ``beside["table"]`` maps labels to their tables of that name.

    Attributes
    ----------
    chapter : str
    differing : mapping
        For each edition the recorded parameters that are not as here, but dataset and model.
    """

    chapter: str
    differing: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> dict[str, pd.DataFrame]:
        """Return the tables that editions recorded under ``name``; empty if none did.

        In a notebook the cell that asks gets an output that names them (`SOURCES`), so that the page
        can say of its figure where it comes from: ask where the figure is drawn.
        """
        tables = {edition: recorded_table(edition, self.chapter, name) for edition in self.differing}
        found = {edition: table for edition, table in tables.items() if table is not None}
        if found:
            _publish([self._line(edition) for edition in found])
        return {edition_label(edition): table for edition, table in found.items()}

    def below(self, table: pd.DataFrame, name: str) -> pd.DataFrame:
        """Return a table with those of other editions under it; the first index says whose it is.

        Parameters
        ----------
        table : DataFrame
            With the columns that name a row in its index.
        name : str
        """
        others = {label: rows.set_index(table.index.names) for label, rows in self[name].items()}
        return pd.concat({"here": table, **others}, names=["edition"]) if others else table

    def note(self):
        """Return the lines of where the records come from, as Markdown for display; None if there are none."""
        from IPython.display import Markdown

        lines = [self._line(edition) for edition in self.differing]
        return Markdown("\n\n".join(lines)) if lines else None

    def _line(self, edition: str) -> str:
        """Return dataset, model, code, date and differing parameters of one record."""
        facts = recorded_provenance(edition, self.chapter)
        parts = _origin(facts)
        parts += [f"run on {name_of(facts['date'])}"] if "date" in facts else []
        values = _values(self.differing[edition])
        parts.append(f"parameters as here{' but ' if values else ''}{values}")
        return f'<small class="provenance">*{name_of(edition_label(edition))}*: {"; ".join(parts)}.</small>'


def recorded_beside(chapter: str, parameters: Mapping[str, object]) -> Beside:
    """Return what other editions (`other_editions`) recorded of a chapter that runs with ``parameters``.

    Raises
    ------
    DataError
        If a record is damaged.

    Examples
    --------
    >>> beside = recorded_beside("no such chapter", {"dataset": "synthetic"})
    >>> beside["table"], beside.note()
    ({}, None)
    """
    differing = {}
    for edition in other_editions(chapter, parameters):
        recorded = recorded_provenance(edition, chapter)["parameters"]
        differing[edition] = {
            name: value
            for name, value in recorded.items()
            if name not in _NOT_COMPARED and parameters.get(name, _MISSING) != value
        }
    return Beside(chapter, differing)


def run_line(facts: Mapping) -> str:
    """Return the Markdown of a run's parameters, code, data and network; ``</small>`` is left to the caller.

    Examples
    --------
    >>> run_line({"parameters": {"n": 3}, "code": "0.1.0", "data": {"name": "x", "fingerprint": "abcd"}})
    '<small class="provenance">Parameters <code>n = 3</code>; data x <code>abcd</code>; code 0.1.0.'
    """
    parts = [f"Parameters {_values(facts['parameters']) or 'none'}", *_origin(facts)]
    return f'<small class="provenance">{"; ".join(parts)}.'


def edition_label(edition: str) -> str:
    """Return what a recorded edition is called in a legend.

    >>> edition_label("nw-ucla")
    'NW-UCLA, recorded'
    """
    title = load_edition(edition).title if edition in edition_names() else edition
    return f"{title}, recorded"


def _origin(facts: Mapping) -> list[str]:
    """Return what a record or a run says of its data, network and code."""
    parts = []
    for kind, key in (("data", "fingerprint"), ("model", "weights")):
        if kind in facts:
            mark = f" {code_of(facts[kind][key][:12])}" if facts[kind].get(key) else ""
            parts.append(f"{kind} {name_of(facts[kind]['name'])}{mark}")
    return [*parts, f"code {name_of(facts['code'])}"] if "code" in facts else parts


def _values(parameters: Mapping) -> str:
    return ", ".join(code_of(f"{name} = {value!r}") for name, value in parameters.items())


def _publish(lines: list[str]) -> None:
    """Give the cell that runs now, if this is a notebook, an output of the type `SOURCES`."""
    if ipython := sys.modules.get("IPython"):
        shell = ipython.get_ipython()
        if getattr(shell, "kernel", None):
            ipython.display.display({SOURCES: lines, "text/plain": ""}, raw=True)
