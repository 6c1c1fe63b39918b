"""What became of every claim in every edition, read off the tables that chapters recorded: never typed."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import isnan

import pandas as pd

from analysis_lib.chapters.recorded import recorded_editions, recorded_provenance, recorded_table
from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.statistics.estimates import Estimate, Verdict, together
from analysis_lib.studies.claims.papers import Check, Claim, Claims, Need

HOLDS, FAILS, UNDECIDED = map(str, (Verdict.HOLDS, Verdict.FAILS, Verdict.UNDECIDED))
AGREEING = 0.9  # of the combinations of open choices must say what a verdict says
CHOICES = "claims/choices"  # table of what the curves are under every combination of open choices
UNTESTED, MISSING = "cannot be tested", "not recorded"
VERDICTS = (HOLDS, FAILS, UNTESTED, MISSING, UNDECIDED)
DECIDED = (HOLDS, FAILS, UNDECIDED)  # verdicts of what was tested


@dataclass(frozen=True)
class Finding:
    """What became of one claim in one edition.

    What each check found; one of `VERDICTS`, undecided if an interval crosses a bound or is missing, or if the open
    choices decide; what it cannot be tested ``without``, why these tables cannot tell, and the command that would test
    it. Of ``settings`` combinations of open choices the numbers are as wanted in ``held``; none for a claim that has
    no such choices.
    """

    claim: Claim
    edition: str
    values: tuple[Estimate | None, ...]
    verdict: str
    without: str = ""
    note: str = ""
    command: str = ""
    held: int = 0
    settings: int = 0


@dataclass(frozen=True)
class Measured:
    """What a check found with this book's choices, or why it found nothing, and with each combination of choices."""

    value: Estimate | None = None
    why: str = ""
    settings: Mapping[tuple, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Edition:
    """How the claims fared in one edition, and where its tables are from.

    Claims that data decide, by verdict, and those of them that fail; names of the data, first and last day of the
    record (none if it is this build), versions of the code; chapters recorded, of those that are read; claims that hold
    by bounds which were set when curves had been seen.
    """

    name: str
    counts: Mapping[str, int]
    fails: tuple[str, ...]
    data: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    chapters: int = 0
    wanted: int = 0
    seen: int = 0


@dataclass(frozen=True)
class Findings:
    """Every claim in every edition, claim by claim, and how many there are of each."""

    claims: Sequence[Claim]
    editions: Sequence[Edition]
    found: Sequence[Finding]

    @property
    def on_data(self) -> Sequence[Claim]:
        """The claims of papers that data decide."""
        return self.of_kind("claim")

    def of_kind(self, kind: str) -> Sequence[Claim]:
        """Return the claims of a kind (`analysis_lib.studies.claims.papers.Claim`)."""
        return [claim for claim in self.claims if claim.kind == kind]

    def facts(self) -> dict[str, str]:
        """Return by number the verdict on each fact: that of the first edition which has one."""
        told: dict[str, str] = {}
        for one in self.found:
            if one.claim.kind == "fact" and told.get(one.claim.id) not in DECIDED:
                told[one.claim.id] = one.verdict
        return told


def findings(
    claims: Claims,
    editions: Sequence[str],
    chapters: Sequence[str],
    given: Mapping[str, pd.DataFrame],
    choices: pd.DataFrame | None = None,
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
    choices : DataFrame, optional
        The first edition's `CHOICES`; those of the others are recorded.

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
            own = {CHOICES: choices if edition == editions[0] else recorded_table(edition, *CHOICES.split("/"))}
            values = [_measured(check, edition, chapters, {**given, **own}) for check in claim.checks]
            record = "" if edition == editions[0] else " --record"
            found.append(_judged(claim, edition, values, f"stgbook book --edition {edition}{record}"))
    summaries = [_summary(edition, [f for f in found if f.edition == edition], chapters) for edition in editions]
    return Findings(claims.claims, summaries, found)


def _measured(
    check: Check, edition: str, chapters: Sequence[str], given: Mapping[str, pd.DataFrame | None]
) -> Measured:
    """Return what a check finds; nothing, without a reason, if a table is missing."""
    frames = []
    for place in check.tables:
        chapter, _, name = place.partition("/")
        known = chapter in chapters
        frames.append(given.get(place, recorded_table(edition, chapter, name) if known else None))
    if any(frame is None for frame in frames):
        return Measured()
    parts, own = _parts(frames, [*check.over]), tuple(check.over.values())
    settings = {}
    for setting, chosen in parts.items():
        with suppress(UserError):  # that is no setting of these tables
            value = check.measure(*chosen, **check.arguments).value
            settings |= {} if isnan(value) else {setting: value}
    try:
        if own not in parts:
            raise UserError("nothing was measured with this book's choices")
        value = check.measure(*parts[own], **check.arguments)
    except UserError as error:
        return Measured(why=str(error), settings=settings)
    why = "the number is not defined for this network" if isnan(value.value) else ""
    return Measured(None if why else value, why, settings if check.over else {})


def _parts(frames: Sequence[pd.DataFrame], columns: list[str]) -> Mapping[tuple, list[pd.DataFrame]]:
    """Return the tables by combination of choices; rows without a choice, and tables without the columns, go to all."""
    if not columns:
        return {(): list(frames)}
    found: dict[tuple, list] = {}
    where = [i for i, frame in enumerate(frames) if set(columns) <= set(frame)]
    for i in where:
        open_to_all = frames[i][frames[i][columns].isna().any(axis=1)]
        for setting, rows in frames[i].groupby(columns, sort=False):
            found.setdefault(setting, list(frames))[i] = pd.concat([open_to_all, rows]) if len(open_to_all) else rows
    return found


def _judged(claim: Claim, edition: str, found: Sequence[Measured], record: str) -> Finding:
    """Return what is to be said of a claim; ``record`` is the command that makes missing tables."""
    values = tuple(one.value for one in found)
    if claim.need and _dataset(claim, edition) not in claim.need.datasets:
        return _untested(claim, edition, values, claim.need)
    if any(one.value is None and not one.why for one in found):
        return Finding(claim, edition, values, MISSING, command=record)
    if reasons := [one.why for one in found if one.why]:
        return _untested(claim, edition, values, None if claim.need else claim.otherwise, reasons[0])
    judging = [(check, one) for check, one in zip(claim.checks, found, strict=True) if check.judges]
    if not judging:
        return _untested(claim, edition, values, claim.otherwise)
    verdict = together(check.judge(one.value) for check, one in judging)
    within = [{key: check.holds(value) for key, value in one.settings.items()} for check, one in judging if check.over]
    keys = set.intersection(*map(set, within)) if within else set()
    held = sum(all(one[key] for one in within) for key in keys)
    return Finding(claim, edition, values, str(over_choices(verdict, held, len(keys))), held=held, settings=len(keys))


def over_choices(verdict: Verdict, held: int, settings: int) -> Verdict:
    """Return a verdict, if at least `AGREEING` of the combinations of open choices bear it out; else undecided.

    >>> over_choices(Verdict.HOLDS, 35, 36), over_choices(Verdict.HOLDS, 30, 36), over_choices(Verdict.FAILS, 1, 36)
    (<Verdict.HOLDS: 'holds'>, <Verdict.UNDECIDED: 'undecided'>, <Verdict.FAILS: 'does not hold'>)
    """
    agreeing = {Verdict.HOLDS: held, Verdict.FAILS: settings - held}
    return Verdict.UNDECIDED if agreeing.get(verdict, settings) < AGREEING * settings else verdict


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
    found = [f for f in found if f.claim.kind == "claim"]
    verdicts = [f.verdict for f in found]
    fails = tuple(f.claim.id for f in found if f.verdict == FAILS)
    seen = sum(f.verdict == HOLDS and bool(f.claim.bounds and f.claim.bounds.seen) for f in found)
    counts = {verdict: verdicts.count(verdict) for verdict in VERDICTS}
    facts = [f for f in (recorded_provenance(edition, chapter) for chapter in chapters) if f]
    data = tuple(sorted({f["data"]["name"] for f in facts if "data" in f}))
    dates, codes = (sorted({f[key] for f in facts if key in f}) for key in ("date", "code"))
    days = tuple(dict.fromkeys(dates[:1] + dates[-1:]))
    return Edition(edition, counts, fails, data, days, tuple(codes), len(facts), len(chapters), seen)
