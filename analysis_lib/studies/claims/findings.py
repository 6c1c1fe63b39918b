"""What became of every claim in every edition, read off the tables that chapters recorded: never typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan

import pandas as pd

from analysis_lib.chapters.recorded import recorded_editions, recorded_provenance, recorded_table
from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.statistics import Estimate, Verdict, together
from analysis_lib.studies.claims.papers import Check, Claim, Claims, Need

HOLDS, FAILS, UNDECIDED = map(str, (Verdict.HOLDS, Verdict.FAILS, Verdict.UNDECIDED))
UNTESTED, MISSING = "cannot be tested", "not recorded"
VERDICTS = (HOLDS, FAILS, UNTESTED, MISSING, UNDECIDED)


@dataclass(frozen=True)
class Finding:
    """What became of one claim in one edition.

    What each check found; one of `VERDICTS`, undecided if an interval crosses a bound or is missing; what it cannot
    be tested ``without``, why these tables cannot tell, and the command that would test it.
    """

    claim: Claim
    edition: str
    values: tuple[Estimate | None, ...]
    verdict: str
    without: str = ""
    note: str = ""
    command: str = ""


@dataclass(frozen=True)
class Edition:
    """How the claims fared in one edition, and where its tables are from.

    Claims by verdict, and those that fail; names of the data, first and last day of the record (none if it is this
    build), versions of the code; chapters recorded, of those that are read.
    """

    name: str
    counts: Mapping[str, int]
    fails: tuple[str, ...]
    data: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    chapters: int = 0
    wanted: int = 0


@dataclass(frozen=True)
class Findings:
    """Every claim in every edition, claim by claim, and how many there are of each."""

    claims: Sequence[Claim]
    editions: Sequence[Edition]
    found: Sequence[Finding]


def findings(
    claims: Claims, editions: Sequence[str], chapters: Sequence[str], given: Mapping[str, pd.DataFrame]
) -> Findings:
    """Return what the tables say of each claim.

    Parameters
    ----------
    claims : Claims
    editions : sequence of str
        The first is the one that is being built; of the others, published tables are read.
    chapters : sequence of str
        Whose tables are read.
    given : mapping of str to DataFrame
        Tables that are the same in every edition, by ``"CHAPTER/TABLE"``.

    Raises
    ------
    UserError
        If an edition but the first has no record; those that have are listed.
    """
    editions = list(dict.fromkeys(editions))
    for edition in editions[1:]:
        if edition not in recorded_editions():
            raise unknown_choice("recorded edition", edition, recorded_editions())
    found = []
    for claim in claims.claims:
        for edition in editions:
            values = [_measured(check, edition, chapters, given) for check in claim.checks]
            record = "" if edition == editions[0] else " --record"
            found.append(_judged(claim, edition, values, f"stgbook book --edition {edition}{record}"))
    summaries = [_summary(edition, [f for f in found if f.edition == edition], chapters) for edition in editions]
    return Findings(claims.claims, summaries, found)


def _measured(
    check: Check, edition: str, chapters: Sequence[str], given: Mapping[str, pd.DataFrame]
) -> Estimate | str | None:
    """Return what a check finds; a text says why it finds nothing, None that a table is missing."""
    frames = []
    for place in check.tables:
        chapter, _, name = place.partition("/")
        known = chapter in chapters
        frames.append(given.get(place, recorded_table(edition, chapter, name) if known else None))
    if any(frame is None for frame in frames):
        return None
    try:
        value = check.measure(*frames, **check.arguments)
    except UserError as error:
        return str(error)
    return "the number is not defined for this network" if isnan(value.value) else value


def _judged(claim: Claim, edition: str, found: Sequence[Estimate | str | None], record: str) -> Finding:
    """Return what is to be said of a claim; ``record`` is the command that makes missing tables."""
    values = tuple(one if isinstance(one, Estimate) else None for one in found)
    if claim.need and _dataset(claim, edition) not in claim.need.datasets:
        return _untested(claim, edition, values, claim.need)
    if any(one is None for one in found):
        return Finding(claim, edition, values, MISSING, command=record)
    if reasons := [one for one in found if isinstance(one, str)]:
        return _untested(claim, edition, values, claim.otherwise, reasons[0])
    verdicts = [check.judge(one) for check, one in zip(claim.checks, values, strict=True)]
    if not verdicts:
        return _untested(claim, edition, values, claim.otherwise)
    return Finding(claim, edition, values, str(together(verdicts)))


def _untested(claim: Claim, edition: str, values: tuple, need: Need | None, note: str = "") -> Finding:
    """Return that a claim cannot be tested, what is needed for it, and the command."""
    command = claim.command or (need.command.format(chapter=claim.chapter) if need else "")
    return Finding(claim, edition, values, UNTESTED, need.name if need else "", note, command)


def _dataset(claim: Claim, edition: str) -> str:
    """Return the name of the data behind an edition's tables, empty if there is no record."""
    facts = recorded_provenance(edition, claim.chapter) or {}
    return (facts.get("data") or {}).get("name", "")


def _summary(edition: str, found: Sequence[Finding], chapters: Sequence[str]) -> Edition:
    """Return how the claims fared in one edition, and where its tables are from."""
    verdicts = [f.verdict for f in found]
    fails = tuple(f.claim.id for f in found if f.verdict == FAILS)
    counts = {verdict: verdicts.count(verdict) for verdict in VERDICTS}
    facts = [f for f in (recorded_provenance(edition, chapter) for chapter in chapters) if f]
    data = tuple(sorted({f["data"]["name"] for f in facts if "data" in f}))
    dates, codes = (sorted({f[key] for f in facts if key in f}) for key in ("date", "code"))
    days = tuple(dict.fromkeys(dates[:1] + dates[-1:]))
    return Edition(edition, counts, fails, data, days, tuple(codes), len(facts), len(chapters))
