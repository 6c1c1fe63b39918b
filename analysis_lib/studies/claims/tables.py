"""The claims of a paper beside what the chapters' tables say: values and verdicts, never typed.

The claims stand in ``data/claims/PAPER.json``: each has *checks*, a number that a measure reads off
recorded tables and the bounds within which the claim holds. Where the paper gives no number the
bounds are this book's own (``"ours": true``).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isnan
from pathlib import Path

import pandas as pd

from analysis_lib.chapters.recorded import recorded_editions, recorded_provenance, recorded_table
from analysis_lib.datasets.readers import ntu_tables
from analysis_lib.errors import DataError, UserError, unknown_choice
from analysis_lib.files import ROOT
from analysis_lib.studies.claims import measures as claim_measures
from analysis_lib.studies.claims import trials as claim_trials
from analysis_lib.studies.claims.measures import Measured, UnmeasuredError

MEASURES = {m.__name__: m for m in (*claim_measures.MEASURES, *claim_trials.MEASURES)}
HOLDS, FAILS, UNTESTED, MISSING = "holds", "does not hold", "cannot be tested", "not recorded"
VERDICTS = (HOLDS, FAILS, UNTESTED, MISSING)
#: what would be needed where an edition's own data or network cannot say it
FULL_DATA = "NTU"


@dataclass(frozen=True)
class Check:
    """A number, and the bounds within which the claim holds.

    Attributes
    ----------
    name : str
    tables : tuple of str
        ``"CHAPTER/TABLE"``, handed to the measure in this order.
    measure : str
        A key of `MEASURES`.
    arguments : mapping
        Further arguments of the measure.
    at_least, at_most : float
    unit : str
        How people read it: number, signed, count, percent, points.
    """

    name: str
    tables: tuple[str, ...]
    measure: str
    arguments: Mapping = field(default_factory=dict)
    at_least: float = -inf
    at_most: float = inf
    unit: str = "number"

    def holds(self, value: float) -> bool:
        """Return whether a value lies within the bounds."""
        return self.at_least <= value <= self.at_most

    def is_clear(self, found: Measured) -> bool:
        """Return whether the whole interval is on the value's side of the bounds, if there is one."""
        if isnan(found.low) or isnan(found.high):
            return True
        inside = self.holds(found.low) and self.holds(found.high)
        outside = found.high < self.at_least or found.low > self.at_most
        return inside if self.holds(found.value) else outside


@dataclass(frozen=True)
class Need:
    """What an edition must have so that a claim can be tested, and the command that then does.

    ``{chapter}`` in the command stands for the chapter that the claim is read from.
    """

    name: str
    datasets: tuple[str, ...]
    command: str


@dataclass(frozen=True)
class Claim:
    """What a paper says.

    Attributes
    ----------
    id, claim, where, paper : str
        Number, statement in our words, section and figure, and the paper's value.
    figure : str
        ``PAGE#ANCHOR`` in this book.
    checks : tuple of Check
        All of them must hold.
    ours : bool
        Whether the bounds are this book's own.
    need : Need or None
        None if any data will do.
    command : str
        In place of the need's.
    """

    id: str
    claim: str
    where: str
    paper: str
    figure: str
    checks: tuple[Check, ...]
    ours: bool = False
    need: Need | None = None
    command: str = ""


@dataclass(frozen=True)
class Claims:
    """All claims of a paper, what is needed for those that need more, and what was left out."""

    claims: tuple[Claim, ...]
    needs: Mapping[str, Need]
    left_out: Mapping[str, str]


def load_claims(path: str | Path) -> Claims:
    """Return the claims in a JSON file, given by its path from here or from the project's folder.

    Raises
    ------
    DataError
        If the file is missing or not as this module says.
    UserError
        If a check names an unknown measure; the choices are listed.
    """
    path = Path(path) if Path(path).exists() else ROOT / path
    try:
        given = json.loads(path.read_text(encoding="utf8"))
        needs = {name: Need(name, **need) for name, need in given["needs"].items()}
        claims = tuple(_claim(one, needs) for one in given["claims"])
        return Claims(claims, needs, given["left_out"])
    except OSError as error:
        raise DataError(f"cannot read claims from {path}: {error.strerror}") from error
    except UserError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is no list of claims: {error}") from error


def _claim(given: dict, needs: Mapping[str, Need]) -> Claim:
    """Return the claim that one object of the file describes."""
    checks = []
    for check in given["checks"]:
        if check["measure"] not in MEASURES:
            raise unknown_choice(f"measure of claim {given['id']}", check["measure"], MEASURES)
        checks.append(Check(**{**check, "tables": tuple(check["tables"])}))
    need = needs[given["needs"]] if "needs" in given else None
    rest = {key: value for key, value in given.items() if key not in ("checks", "needs")}
    return Claim(**rest, checks=tuple(checks), need=need)


def group_table() -> pd.DataFrame:
    """Return how many actions of NTU RGB+D are in each super-class (Tables 1 and 2 of the paper).

    Returns
    -------
    DataFrame
        Columns benchmark, group, actions.
    """
    rows = []
    for benchmark in ("ntu-60", "ntu-61-120"):
        first, last = ntu_tables.BENCHMARKS[benchmark]
        groups = pd.Series(ntu_tables.GROUPS[first - 1 : last]).value_counts(sort=False)
        rows += [{"benchmark": benchmark, "group": g, "actions": n} for g, n in groups.items()]
    return pd.DataFrame(rows)


def claims_table(
    claims: Claims, editions: Sequence[str], chapters: Sequence[str], given: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Return every claim's checks by edition, measured on recorded tables, with the verdict.

    Parameters
    ----------
    claims : Claims
    editions : sequence of str
        The first is the one that is being built; of the others, published tables are read.
    chapters : sequence of str
        Whose tables are read.
    given : mapping of str to DataFrame
        Tables that are the same in every edition, by ``"CHAPTER/TABLE"``.

    Returns
    -------
    DataFrame
        Columns id, edition, check, value, low, high, clips (NaN and 0 where there is none), holds
        (of the check: 1, 0, or NaN), verdict (of the claim, one of `VERDICTS`), clear (False if an
        interval crosses a bound), without (what is needed to test it), note, command.

    Raises
    ------
    UserError
        If an edition but the first has no record; those that have are listed.
    """
    editions = list(dict.fromkeys(editions))
    for edition in editions[1:]:
        if edition not in recorded_editions():
            raise unknown_choice("recorded edition", edition, recorded_editions())
    rows = []
    for claim in claims.claims:
        for edition in editions:
            found = [_measured(check, edition, chapters, given) for check in claim.checks]
            verdict = _verdict(claim, claims.needs[FULL_DATA], edition, editions[0], found)
            rows += [
                {"id": claim.id, "edition": edition, **row, **verdict} for row in map(_row, claim.checks, found)
            ] or [{"id": claim.id, "edition": edition, "check": "", "clips": 0, **verdict}]
    columns = [
        "id",
        "edition",
        "check",
        "value",
        "low",
        "high",
        "clips",
        "holds",
        "verdict",
        "clear",
        "without",
        "note",
        "command",
    ]
    return pd.DataFrame(rows, columns=columns).astype({"clips": int})


def _measured(
    check: Check, edition: str, chapters: Sequence[str], given: Mapping[str, pd.DataFrame]
) -> Measured | str | None:
    """Return what a check finds; a text says why it finds nothing, None that a table is missing."""
    frames = []
    for place in check.tables:
        chapter, _, name = place.partition("/")
        known = chapter in chapters
        frames.append(given.get(place, recorded_table(edition, chapter, name) if known else None))
    if any(frame is None for frame in frames):
        return None
    try:
        return MEASURES[check.measure](*frames, **check.arguments)
    except UnmeasuredError as error:
        return str(error)


def _row(check: Check, found: Measured | str | None) -> dict:
    """Return the columns of one check."""
    if not isinstance(found, Measured):
        return {"check": check.name, "clips": 0}
    return {
        "check": check.name,
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "clips": found.clips,
        "holds": float(check.holds(found.value)),
    }


def _verdict(claim: Claim, full: Need, edition: str, built: str, found: Sequence[Measured | str | None]) -> dict:
    """Return what is to be said of a claim in an edition."""
    if claim.need and _dataset(claim, edition) not in claim.need.datasets:
        return _untested(claim, claim.need)
    if any(one is None for one in found):
        record = "" if edition == built else " --record"
        command = f"stgbook book --edition {edition}{record}"
        return {"verdict": MISSING, "clear": True, "without": "", "note": "", "command": command}
    if reasons := [one for one in found if isinstance(one, str)]:
        return _untested(claim, claim.need or full, reasons[0])
    right = [check.holds(one.value) for check, one in zip(claim.checks, found, strict=True)]
    clear = [check.is_clear(one) for check, one in zip(claim.checks, found, strict=True)]
    decisive = [c for c, r in zip(clear, right, strict=True) if r == all(right)]
    return {
        "verdict": HOLDS if all(right) else FAILS,
        "without": "",
        "note": "",
        "command": "",
        "clear": all(decisive) if all(right) else any(decisive),
    }


def _untested(claim: Claim, need: Need, note: str = "") -> dict:
    """Return that a claim cannot be tested, what is needed for it, and the command."""
    command = claim.command or need.command.format(chapter=_chapter(claim))
    return {"verdict": UNTESTED, "clear": True, "without": need.name, "note": note, "command": command}


def _chapter(claim: Claim) -> str:
    """Return the chapter that a claim is read from; that of its figure, if it has no check."""
    source = claim.checks[0].tables[0] if claim.checks else claim.figure
    return re.split("[/#]", source)[0]


def _dataset(claim: Claim, edition: str) -> str:
    """Return the name of the data behind an edition's tables, empty if there is no record."""
    facts = recorded_provenance(edition, _chapter(claim)) or {}
    return (facts.get("data") or {}).get("name", "")
