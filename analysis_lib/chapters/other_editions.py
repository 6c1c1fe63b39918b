"""What other editions recorded of a chapter, to be shown beside what the chapter computes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from analysis_lib.chapters.editions import edition_names, load_edition
from analysis_lib.chapters.recorded import recorded_editions, recorded_provenance, recorded_table

_WHOSE = ("dataset", "model")  # parameters that tell one edition from another
_MISSING = object()


def other_editions(chapter: str, parameters: Mapping[str, object]) -> list[str]:
    """Return the editions whose record of a chapter is shown where it runs with ``parameters``.

    These are all that are recorded, but for those of the very dataset and model.

    Parameters
    ----------
    chapter : str
    parameters : mapping
        May hold more than parameters: a notebook's ``globals()``.
    """
    records = {edition: recorded_provenance(edition, chapter) for edition in recorded_editions()}
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
        """Return the tables that editions recorded under ``name``; empty if none did."""
        tables = {_label(e): recorded_table(e, self.chapter, name) for e in self.differing}
        return {label: table for label, table in tables.items() if table is not None}

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
        """Return the lines of where the records come from, for display; None if there are none.

        Returns
        -------
        IPython.display.Markdown or None
        """
        from IPython.display import Markdown

        lines = [self._line(edition) for edition in self.differing]
        return Markdown("\n\n".join(lines)) if lines else None

    def _line(self, edition: str) -> str:
        """Return dataset, model, code, date and differing parameters of one record."""
        facts = recorded_provenance(edition, self.chapter)
        parts = [
            f"{kind} {facts[kind]['name']} `{(facts[kind].get(key) or 'no digest')[:12]}`"
            for kind, key in (("data", "fingerprint"), ("model", "weights"))
            if kind in facts
        ]
        parts += [f"code {facts['code']}"] if "code" in facts else []
        parts += [f"run on {facts['date']}"] if "date" in facts else []
        values = ", ".join(f"`{name} = {value!r}`" for name, value in self.differing[edition].items())
        parts.append(f"parameters as here{' but ' if values else ''}{values}")
        return f'<small class="provenance">*{_label(edition)}*: {"; ".join(parts)}.</small>'


def recorded_beside(chapter: str, namespace: Mapping[str, object]) -> Beside:
    """Return what other editions recorded of a chapter (`other_editions`).

    Parameters
    ----------
    chapter : str
    namespace : mapping
        ``globals()`` of the notebook, before a parameter is given another value.

    Returns
    -------
    Beside
        Without any record in the edition that was recorded itself.

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
    for edition in other_editions(chapter, namespace):
        recorded = recorded_provenance(edition, chapter)["parameters"]
        differing[edition] = {
            name: value
            for name, value in recorded.items()
            if name not in (*_WHOSE, "data_root") and namespace.get(name, _MISSING) != value
        }
    return Beside(chapter, differing)


def _label(edition: str) -> str:
    """Return what a recorded edition is called in a legend.

    >>> _label("nw-ucla")
    'NW-UCLA, recorded'
    """
    title = load_edition(edition).title if edition in edition_names() else edition
    return f"{title}, recorded"
