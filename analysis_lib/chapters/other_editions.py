"""What other editions recorded of a chapter, to be drawn beside this run's, and where each of it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from analysis_lib.chapters.editions import edition_title
from analysis_lib.chapters.notes import SOURCES, publish
from analysis_lib.chapters.recorded import recorded_editions, recorded_provenance, recorded_table
from analysis_lib.words import says_nothing

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
            publish(SOURCES, [self._source(edition) for edition in found])
        return {edition_label(edition): table for edition, table in found.items()}

    def answers(self) -> dict[str, tuple[str, list[tuple[str, str]]]]:
        """Return what editions answered, by their label: a sentence, and (verdict, text) of each claim behind it.

        Editions that could say nothing are left out.
        """
        found = {}
        for edition in self.differing:
            rows = recorded_table(edition, self.chapter, "answer")
            if rows is None or not (rows["kind"] == "answer").any():
                continue
            claims = rows[rows["kind"] == "claim"]
            sentence = rows.loc[rows["kind"] == "answer", "text"].iloc[0]
            if says_nothing(sentence):
                continue
            found[edition_label(edition)] = sentence, list(zip(claims["verdict"], claims["text"], strict=True))
        return found

    def below(self, table: pd.DataFrame, name: str) -> pd.DataFrame:
        """Return a table with those of other editions under it; the first index says whose it is.

        Parameters
        ----------
        table : DataFrame
            With the columns that name a row in its index.
        name : str
        """
        others = {label: rows.set_index(table.index.names) for label, rows in self[name].items()}
        return pd.concat({"this run": table, **others}, names=["edition"]) if others else table

    def origins(self) -> dict[str, str]:
        """Return dataset, model, code, date and differing parameters of each record, by its label."""
        return {edition_label(edition): self._origin(edition) for edition in self.differing}

    def _origin(self, edition: str) -> str:
        facts = recorded_provenance(edition, self.chapter)
        parts = origin(facts)
        parts += [f"run on {facts['date']}"] if "date" in facts else []
        values = listed_values(self.differing[edition])
        return "; ".join([*parts, f"parameters as here{' but ' if values else ''}{values}"])

    def _source(self, edition: str) -> str:
        """Return the label of a record and its date."""
        facts = recorded_provenance(edition, self.chapter)
        return " ".join([edition_label(edition), *filter(None, [facts.get("date")])])


def recorded_beside(chapter: str, parameters: Mapping[str, object]) -> Beside:
    """Return what other editions (`other_editions`) recorded of a chapter that runs with ``parameters``.

    Raises
    ------
    DataError
        If a record is damaged.

    Examples
    --------
    >>> beside = recorded_beside("no such chapter", {"dataset": "synthetic"})
    >>> beside["table"], beside.origins()
    ({}, {})
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


def edition_label(edition: str) -> str:
    """Return what a recorded edition is called in a legend.

    >>> edition_label("nw-ucla")
    'NW-UCLA, recorded'
    """
    return f"{edition_title(edition)}, recorded"


def origin(facts: Mapping) -> list[str]:
    """Return what a record or a run says of its data, network and code.

    >>> origin({"code": "0.1.0", "data": {"name": "x", "fingerprint": "abcd"}})
    ['data x abcd', 'code 0.1.0']
    """
    parts = []
    for kind, key in (("data", "fingerprint"), ("model", "weights")):
        if kind in facts:
            parts.append(" ".join([kind, facts[kind]["name"], (facts[kind].get(key) or "")[:12]]).strip())
    return [*parts, f"code {facts['code']}"] if "code" in facts else parts


def listed_values(parameters: Mapping) -> str:
    """Return names and values of parameters, as they are typed."""
    return ", ".join(f"{name} = {value!r}" for name, value in parameters.items())
