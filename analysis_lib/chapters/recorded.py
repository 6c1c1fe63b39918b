"""Tables that chapters recorded: ``data/published/EDITION/CHAPTER/NAME.csv``, read back.

While a book is being built, ``$STGBOOK_BUILT`` is ``EDITION=FOLDER``: of that edition the tables that
this very build has made (``FOLDER/CHAPTER/NAME.csv``) go before the published ones.
"""

import json
import os
from pathlib import Path

import pandas as pd

from analysis_lib.errors import DataError
from analysis_lib.files import DATA

BUILT = "STGBOOK_BUILT"  # environment variable: EDITION=FOLDER of the tables of this build
PUBLISHED = DATA / "published"

_FACTS = "provenance.json"


def recorded_editions() -> list[str]:
    """Return the names of the editions of which some chapter's tables are published, sorted."""
    return sorted({facts.parent.parent.name for facts in PUBLISHED.glob(f"*/*/{_FACTS}")})


def table_folder(edition: str, chapter: str) -> Path:
    """Return the folder of a chapter's tables: of this build if it has made them, else published.

    It need not exist.
    """
    name, _, folder = os.environ.get(BUILT, "").partition("=")
    built = Path(folder) / chapter
    return built if name == edition and built.is_dir() else PUBLISHED / edition / chapter


def recorded_table(edition: str, chapter: str, name: str = "table") -> pd.DataFrame | None:
    """Return a table that a chapter recorded, or None if that edition has no such record.

    A column with any text is a column of text, and an empty field in it is ``""``; in a column of
    numbers an empty field is NaN. Words such as "None" or "NA" stay words.

    Parameters
    ----------
    edition, chapter : str
    name : str
        As given to `analysis_lib.chapters.provenance.record_table`.

    Returns
    -------
    DataFrame or None

    Raises
    ------
    DataError
        If the file cannot be read, is no table, or was cut off.
    """
    path = table_folder(edition, chapter) / f"{name}.csv"
    if not path.exists():
        return None
    try:
        frame = pd.read_csv(path, keep_default_na=False, na_values=[""])
        whole = path.read_bytes().endswith(b"\n") and isinstance(frame.index, pd.RangeIndex)
    except (OSError, ValueError) as error:  # pandas' own errors of parsing are ValueErrors
        raise _damaged(path, edition, error) from error
    if not whole:
        raise _damaged(path, edition, "it does not end after a whole row, or a row is too long")
    text = frame.columns[[pd.api.types.is_string_dtype(kind) for kind in frame.dtypes]]
    return frame.fillna(dict.fromkeys(text, ""))


def recorded_provenance(edition: str, chapter: str) -> dict | None:
    """Return where a chapter's recorded tables come from, or None if there is no record.

    Returns
    -------
    dict or None
        ``parameters``, ``code``, ``data`` and ``model`` as the page's line has them; if published,
        also ``date``, ``seed`` and ``inputs`` (`analysis_lib.publishing.site.record_run`).

    Raises
    ------
    DataError
        If the file is damaged.
    """
    path = table_folder(edition, chapter) / _FACTS
    if not path.exists():
        return None
    try:
        facts = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError) as error:
        raise _damaged(path, edition, error) from error
    if not isinstance(facts, dict):
        raise _damaged(path, edition, f"expected one JSON object, got {type(facts).__name__}")
    return facts


def _damaged(path: Path, edition: str, reason: object) -> DataError:
    """Return the error for a record that cannot be used."""
    why = " ".join(str(reason).split())
    return DataError(f"{path} is damaged ({why}); write it anew: stgbook book --edition {edition} --record")
