"""Records: tables that chapters made, ``EDITION/CHAPTER/NAME.csv``, and ``provenance.json`` beside them.

It says what they were made from, and has the digest of each, so that a record is read as it was
written or not at all. While a book is being built, ``$STGBOOK_BUILT`` is ``EDITION=FOLDER``: of that
edition the records that this very build has made (``FOLDER/CHAPTER``) go before those in
``data/published``.
"""

import hashlib
import io
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Required, TypedDict

import pandas as pd

from analysis_lib.errors import DataError, cut
from analysis_lib.files import DATA, atomic_path, file_digests, standing, write_text
from analysis_lib.loading import checked, read_json

BUILT = "STGBOOK_BUILT"  # environment variable: EDITION=FOLDER of the tables of this build
PUBLISHED = DATA / "published"
FACTS = "provenance.json"

_FORMULA = re.compile(r"['=+\-@\t\n](?!\d*\.?\d+$)")  # start of a text that is no number


class _Origin(TypedDict, total=False):
    """A dataset or a network, by its name and a digest of its contents."""

    name: Required[str]
    fingerprint: str | None
    weights: str | None


class _Facts(TypedDict, total=False):
    """The entries of ``provenance.json`` that are read."""

    parameters: Mapping[str, object]
    data: _Origin
    model: _Origin
    code: str
    date: str
    files: Mapping[str, str]


def write_record(folder: Path, facts: Mapping, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write tables and what they are made from to a folder.

    Parameters
    ----------
    folder : Path
    facts : mapping
        What becomes of ``provenance.json``; the digests of the tables are added as ``files``.
    tables : mapping of str to DataFrame
        One observation a row; the index is not written, numbers keep ten digits. A text that a
        spreadsheet would take for a formula has an apostrophe before it, which is none of it.
    """
    for name, frame in tables.items():
        frame = frame.map(lambda cell: _harmless(cell) if isinstance(cell, str) else cell)
        with atomic_path(folder / f"{name}.csv") as temporary:
            frame.to_csv(temporary, index=False, float_format="%.10g", lineterminator="\n")
    write_facts(folder, facts)


def _harmless(cell: str) -> str:
    """Return a text as it is recorded: no formula, and no carriage return, which would end a row."""
    text = cell.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if _FORMULA.match(text) else text


def write_facts(folder: Path, facts: Mapping) -> None:
    """Write ``provenance.json`` beside the tables of a folder: the facts, and the tables' digests."""
    files = {name: known for name, known in file_digests(folder).items() if name.endswith(".csv")}
    write_text(folder / FACTS, json.dumps({**facts, "files": files}, indent=2) + "\n")


def recorded_editions() -> list[str]:
    """Return the names of the editions of which some chapter's tables are published, sorted."""
    return sorted({facts.parent.parent.name for facts in PUBLISHED.glob(f"*/*/{FACTS}")})


def recorded_table(edition: str, chapter: str, name: str = "table") -> pd.DataFrame | None:
    """Return a table that a chapter recorded, or None if that edition has no such record.

    A column with any text is a column of text, and an empty field in it is ``""``; in a column of
    numbers an empty field is NaN. Words such as "None" or "NA" stay words.

    Parameters
    ----------
    edition, chapter : str
    name : str
        As given to `analysis_lib.chapters.session.Session.record`.

    Returns
    -------
    DataFrame or None

    Raises
    ------
    DataError
        If the file is not what was recorded, or is gone.
    """
    for _ in range(3):  # the record may be replaced between the two readings
        path = _folder(edition, chapter)[0] / f"{name}.csv"
        known = (recorded_provenance(edition, chapter) or {}).get("files", {}).get(path.name)
        raw = path.read_bytes() if path.exists() else None
        if known is None and raw is None:
            return None
        if raw is not None and hashlib.sha256(raw).hexdigest() == known:
            try:
                frame = pd.read_csv(io.BytesIO(raw), keep_default_na=False, na_values=[""])
            except ValueError as error:
                raise _damaged(path, edition, error) from error
            text = frame.columns[[pd.api.types.is_string_dtype(kind) for kind in frame.dtypes]]
            return frame.assign(**{name: frame[name].fillna("").map(_unescaped) for name in text})
    raise _damaged(path, edition, "it is gone" if raw is None else "it is not what was recorded")


def _unescaped(cell: object) -> object:
    """Return a cell as it was given to be recorded; what is no text, such as the truth values of a column, stays."""
    return cell.removeprefix("'") if isinstance(cell, str) else cell


def recorded_provenance(edition: str, chapter: str) -> dict | None:
    """Return where a chapter's recorded tables come from, or None if there is no record.

    Returns
    -------
    dict or None
        ``parameters``, ``data``, ``model`` and ``files``; if published, also ``code``, ``date``,
        ``seed`` and ``inputs`` (`analysis_lib.publishing.site.record_run`). A record of this build
        was made by this code, whatever commit was checked out when its chapter ran.

    Raises
    ------
    DataError
        If the file is damaged.
    """
    folder, is_built = _folder(edition, chapter)
    path = folder / FACTS
    if not path.exists():
        return None
    try:
        facts = {"parameters": {}, **checked(read_json(path), _Facts, path.name)}
    except DataError as error:
        raise _damaged(path, edition, error) from error
    return {key: value for key, value in facts.items() if key != "code"} if is_built else facts


def _folder(edition: str, chapter: str) -> tuple[Path, bool]:
    """Return the folder of a chapter's record, and whether this build has made it."""
    name, _, folder = os.environ.get(BUILT, "").partition("=")
    built = Path(folder) / chapter
    is_built = name == edition and built.is_dir()
    return (built if is_built else standing(PUBLISHED / edition / chapter)), is_built


def _damaged(path: Path, edition: str, reason: object) -> DataError:
    """Return the error for a record that cannot be used."""
    return DataError(f"{path} is damaged ({cut(reason)}); write it anew: stgbook book --edition {edition} --record")
