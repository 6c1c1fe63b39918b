"""The page of claims: its answer, its table for wide and narrow screens, where its numbers are from."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from math import inf, isclose, isfinite, isnan
from urllib.parse import quote

import pandas as pd

from analysis_lib.chapters.editions import edition_title, told_of
from analysis_lib.chapters.other_editions import edition_label
from analysis_lib.chapters.shown import badge
from analysis_lib.statistics.estimates import Estimate
from analysis_lib.studies.claims.deviations import OPEN, OTHER, SAME
from analysis_lib.studies.claims.findings import (
    DECIDED,
    FAILS,
    HOLDS,
    MISSING,
    UNDECIDED,
    UNTESTED,
    VERDICTS,
    Edition,
    Finding,
    Findings,
)
from analysis_lib.studies.claims.papers import Check, Claim, Claims
from analysis_lib.words import anchor_of, code_of, counted, listed, name_of, named, number, percent, points

#: sign beside each verdict, so that it does not speak through colour alone
SIGNS = {HOLDS: "✓", FAILS: "✗", UNDECIDED: "?", UNTESTED: "○", MISSING: "–"}
#: editions that have a column of their own, and the head of the others'
ALONE, OTHERS = 2, "Other data"
#: what claims are called that no data decide, and what no paper says
FACTS = "facts"
KINDS = {"claim": "", "fact": "a fact", "control": "a control of this book's own, which no paper has"}
#: how a check's numbers are written, with so many digits more than usual
UNITS: Mapping[str, Callable[[float, int], str]] = {
    "number": lambda x, more: number(x, 2 + more),
    "signed": lambda x, more: number(x, 2 + more, signed=True),
    "count": lambda x, more: number(x, more),
    "percent": lambda x, more: percent(x, 1 + more),
    "points": lambda x, more: f"{points(x, 1 + more)} points",
}
MOST_DIGITS = 4  # more than usual
NEAR = 0.002  # share of an interval by which two numbers may differ and be written alike


def answer(found: Findings) -> str:
    """Return the chapter's answer: how many claims hold, on the editions that can tell (`told_of`)."""
    if not found.claims:
        return "Nothing can be said, as there is no claim."
    told_names = told_of({one.name: sum(one.counts[verdict] for verdict in DECIDED) for one in found.editions})
    told = [one for one in found.editions if one.name in told_names]
    if not told and not _facts(found):
        return f"Nothing can be said of {counted(len(found.claims), 'claim')}, as no table here can test them."
    said = "; ".join(filter(None, [_on_data(found, told), _facts(found)]))
    return f"{said[0].upper()}{said[1:]}."


def _on_data(found: Findings, told: Sequence[Edition]) -> str:
    """Return how the claims that data decide fared in the editions that can tell."""
    if not told:
        return ""
    rest = any(one.counts[UNTESTED] + one.counts[MISSING] for one in told)
    return (
        f"of {counted(len(found.on_data), 'claim')} that data decide, {', '.join(map(_fared, told))}"
        f"{', the rest being untested' if rest else ''}"
    )


def _fared(edition: Edition) -> str:
    """Return how many of the claims that were tested hold, fail and stay open in an edition."""
    kinds = {HOLDS: ("holds", "hold"), FAILS: ("does not", "do not")}
    kinds |= {UNDECIDED: ("is undecided", "are undecided")}
    counts = [f"{edition.counts[v]} {one if edition.counts[v] == 1 else many}" for v, (one, many) in kinds.items()]
    return f"on {name_of(edition_title(edition.name))} {listed(counts)}"


def _facts(found: Findings) -> str:
    """Return how many of the facts that were checked hold, the start of a sentence or its end; empty of none."""
    checked = [verdict for verdict in found.facts().values() if verdict in DECIDED]
    holds = checked.count(HOLDS)
    return f"of {counted(len(checked), 'fact')} checked {holds} hold{'s' if holds == 1 else ''}" if checked else ""


def numbers(found: Findings) -> str:
    """Return by edition how many claims that data decide have each verdict, and which do not hold; then the facts.

    Of those that hold it is said how many have bounds that were set when curves had been seen.
    """
    said = {edition_title(one.name): _counts(one.counts, one.fails) + _seen(one) for one in found.editions}
    if facts := found.facts():
        counts = {verdict: [*facts.values()].count(verdict) for verdict in VERDICTS}
        said[FACTS] = _counts(counts, [name for name, verdict in facts.items() if verdict == FAILS])
    return "\n".join(f"- *{name_of(name)}*: {counts}" for name, counts in said.items())


def _seen(edition: Edition) -> str:
    """Return of how many claims that hold the bounds were set when curves had been seen."""
    holds = edition.counts[HOLDS]
    return f"; bounds set when curves had been seen: {edition.seen} of the {holds} that hold" if edition.seen else ""


def _counts(counts: Mapping[str, int], failing: Sequence[str]) -> str:
    fails = f" ({', '.join(map(name_of, failing))})" if failing else ""
    said = {FAILS: fails}
    return "; ".join(f"{v} {n}{said.get(v, '')}" for v, n in counts.items() if n) or "no claims"


def records(found: Findings) -> list[str]:
    """Return the records that verdicts are read off, with first and last day, for the line under a figure."""
    return [f"{edition_label(one.name)} {' to '.join(one.dates)}" for one in found.editions if one.dates]


def sources(found: Findings) -> str:
    """Return where the numbers of each edition come from: data, date of the record, code."""
    return "\n".join(f"- *{name_of(edition_title(edition.name))}*: {_source(edition)}" for edition in found.editions)


def _source(edition: Edition) -> str:
    if not edition.chapters:
        return f"no tables; {code_of(f'stgbook book --edition {edition.name}')} makes them"
    when = f"recorded {' to '.join(edition.dates)}" if edition.dates else "this build"
    read = f"{edition.chapters} of {edition.wanted} chapters"
    code = f"; code {', '.join(edition.codes)}" if edition.codes else ""
    return f"{named(edition.data)}; {when}; {read}{code}"


def claims_html(found: Findings) -> str:
    """Return the table of claims in HTML: one row a claim, one column an edition; on narrow screens a list.

    Editions after the first two share a column. ``book/_assets/tables.js`` sorts and filters the table by what cells
    say of themselves in ``data-`` attributes.
    """
    heads = ("Claim", "Paper", *(edition_title(edition.name) for edition in found.editions[:ALONE]))
    heads += (OTHERS,) if found.editions[ALONE:] else ()
    head = "".join(f"<th scope='col'>{escape(h)}</th>" for h in heads)
    body = "".join(_row(claim, [f for f in found.found if f.claim is claim]) for claim in found.claims)
    return f"<table class='claims filtered'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(claim: Claim, found: Sequence[Finding]) -> str:
    """Return a claim's row."""
    page, _, anchor = claim.figure.partition("#")
    link = f"<a href='{quote(page)}.html#{quote(anchor)}'>{escape(claim.id)}</a>"
    where = ", ".join(filter(None, [claim.source, claim.where]))
    paper = (escape(claim.paper), _small(where), _bounds(claim), _small(KINDS[claim.kind]))
    cells = [f"<th scope='row'>{link} <span>{escape(claim.claim)}</span></th>"]
    cells.append(f"<td data-head='Paper' data-paper='{escape(claim.source)}'>{''.join(paper)}</td>")
    for one in found[:ALONE]:
        title = escape(edition_title(one.edition))
        cells.append(f"<td data-head='{title}' data-verdict='{one.verdict}'>{_finding(one)}</td>")
    if others := found[ALONE:]:
        first = min(others, key=lambda one: list(SIGNS).index(one.verdict))
        tested = [_elsewhere(one) for one in others if one.verdict not in (UNTESTED, MISSING)]
        told = "".join(tested) or _finding(first)
        cells.append(f"<td data-head='{OTHERS}' data-verdict='{first.verdict}'>{told}</td>")
    return f"<tr id='{anchor_of(claim.id)}'>{''.join(cells)}</tr>"


def _finding(one: Finding) -> str:
    return _verdict(one) + _values(one) + _command(one)


def _elsewhere(one: Finding) -> str:
    """Return what an edition without a column of its own has found."""
    return f"<div data-verdict='{one.verdict}'>{_small(edition_title(one.edition))}{_finding(one)}</div>"


def _bounds(claim: Claim) -> str:
    """Return whose the bounds are, when they were set, whether curves had been seen, and what they were before."""
    if not claim.ours and not claim.history:
        return ""
    when = f" of {claim.bounds.date}, curves {'' if claim.bounds.seen else 'not '}seen" if claim.bounds else ""
    said = _small(f"bounds: this book's own{when}") if claim.ours else ""
    items = "".join(
        f"<li>until {one.until}: {escape(one.wanted)}<small>{escape(one.why)}</small></li>" for one in claim.history
    )
    return f"{said}<details><summary>before</summary><ul>{items}</ul></details>" if items else said


def summary_html(found: Findings) -> str:
    """Return on one page what holds, paper by paper: each claim once, by what all editions together say of it.

    Controls and facts come last; of facts it does not matter which edition says so.
    """
    papers = dict.fromkeys(claim.source for claim in found.claims)
    parts = {str(paper): [c for c in found.on_data if c.source == paper] for paper in papers}
    parts["Controls of this book's own, which no paper has"] = found.of_kind("control")
    parts["Facts, which no data decide"] = found.of_kind("fact")
    return "".join(_paper(heading, claims, found) for heading, claims in parts.items() if claims)


#: what the editions together say, and what is said of it; the first two are told in full
OVERALL = {HOLDS: "Holds", FAILS: "Does not hold", "differs": "Holds on one of the data, not on another"}
OVERALL |= {UNDECIDED: "Undecided", UNTESTED: "Cannot be tested here"}


def overall(verdicts: Iterable[str]) -> str:
    """Return the key of `OVERALL` for the verdicts of all editions: what any of them decides.

    >>> overall([UNTESTED, HOLDS]), overall([HOLDS, FAILS]), overall([UNDECIDED, UNTESTED]), overall([MISSING])
    ('holds', 'differs', 'undecided', 'cannot be tested')
    """
    given = set(verdicts)
    if {HOLDS, FAILS} <= given:
        return "differs"
    return next((verdict for verdict in (HOLDS, FAILS, UNDECIDED) if verdict in given), UNTESTED)


def _paper(paper: str, claims: Sequence[Claim], found: Findings) -> str:
    """Return what holds of one paper."""
    said = {claim.id: {f.edition: f for f in found.found if f.claim is claim} for claim in claims}
    kinds = {claim.id: overall(one.verdict for one in said[claim.id].values()) for claim in claims}
    parts = []
    for kind, heading in OVERALL.items():
        mine = [claim for claim in claims if kinds[claim.id] == kind]
        if not mine:
            continue
        if kind in (UNDECIDED, UNTESTED):
            body = f"<p>{', '.join(map(_to_row, mine))}</p>"
        else:
            lines = [f"{_to_row(c)} {escape(c.claim)}{'' if c.kind == 'fact' else _where(said[c.id])}" for c in mine]
            body = f"<ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>"
        parts.append(f"<h4>{badge(kind, heading)} {len(mine)} of {len(claims)}</h4>{body}")
    return f"<section class='what-holds'><h3>{escape(paper)}</h3>{''.join(parts)}</section>"


def _to_row(claim: Claim) -> str:
    return f"<a href='#{anchor_of(claim.id)}'>{escape(claim.id)}</a>"


def _where(found: Mapping[str, Finding]) -> str:
    """Return the editions that decide a claim, and how; and in how many combinations of open choices it holds."""
    told = [
        f"{edition_title(edition)}: {one.verdict}{f', {_settings(one)}' if one.settings else ''}"
        for edition, one in found.items()
        if one.verdict in DECIDED
    ]
    return _small("; ".join(told))


def _settings(found: Finding) -> str:
    """Return in how many combinations of open choices the numbers are as wanted.

    >>> from types import SimpleNamespace
    >>> _settings(SimpleNamespace(held=2, settings=72))
    'as wanted in 2 of 72 combinations of choices'
    """
    return f"as wanted in {found.held} of {counted(found.settings, 'combination')} of choices"


def deviations_html(table: pd.DataFrame) -> str:
    """Return the settings of each paper beside those of the networks here, in HTML: a table a paper."""
    return "".join(_deviations(str(paper), rows) for paper, rows in table.groupby("source", sort=False))


def _deviations(paper: str, table: pd.DataFrame) -> str:
    networks = list(dict.fromkeys(table["network"]))
    head = "".join(f"<th scope='col'>{escape(h)}</th>" for h in ("Setting", "Paper", *networks))
    body = ""
    for name, rows in table.groupby("setting", sort=False):
        first, of = rows.iloc[0], rows.set_index("network")
        cells = [f"<th scope='row'>{escape(str(name))}</th>"]
        cells.append(f"<td data-head='Paper'>{escape(first['paper'] or 'not given')}{_small(first['where'])}</td>")
        for network in networks:
            ours, verdict = of.loc[network, ["ours", "verdict"]]
            mark = f" <b>{verdict}</b>" if verdict == OTHER else ""
            cells.append(f"<td data-head='{escape(network)}'>{escape(ours)}{mark}</td>")
        body += f"<tr>{''.join(cells)}</tr>"
    caption = f"<caption>{escape(paper)}</caption>"
    return f"<table class='claims'>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def deviations(table: pd.DataFrame) -> str:
    """Return in how many lines what papers give is what ours have, network by network."""
    given = table[table["verdict"] != OPEN]
    lines = []
    for (paper, network), rows in given.groupby(["source", "network"], sort=False):
        same = int((rows["verdict"] == SAME).sum())
        lines.append(f"- *{name_of(network)}*, of {name_of(paper)}: as given in {same} of {counted(len(rows), 'line')}")
    return "\n".join(lines) or "No network here has the architecture of one of the papers."


def left_out(claims: Claims) -> str:
    """Return what of the papers is no claim, and why."""
    return "\n".join(f"- {name_of(name)}: {name_of(why)}" for name, why in claims.left_out.items())


def _small(text: str) -> str:
    return f" <small>{escape(text)}</small>" if text else ""


def _verdict(found: Finding) -> str:
    """Return a verdict, with its sign and what it lacks."""
    if found.verdict == MISSING:
        return _small(f"{SIGNS[MISSING]} {MISSING}")
    lacks = f" without {found.without}" if found.without and not found.note else ""
    said = [_settings(found) if found.settings else "", found.note]
    said += [f"other data may do: {found.without}"] if found.note and found.without else []
    return badge(found.verdict, f"{SIGNS[found.verdict]} {found.verdict}{lacks}") + "".join(map(_small, said))


def _values(found: Finding) -> str:
    """Return the values of a claim's checks with interval, number of clips, and bounds."""
    pairs = zip(found.claim.checks, found.values, strict=True)
    items = [_value(check, value, found.verdict != UNTESTED and check.judges) for check, value in pairs if value]
    return f"<details class='values' open><summary>values</summary><ul>{''.join(items)}</ul></details>" if items else ""


def _value(check: Check, found: Estimate, judged: bool) -> str:
    """Return what a check found, and if it is judged, whether that is as wanted."""
    more = _digits_apart(check, found)
    value, low, high = (UNITS[check.unit](x, more) for x in (found.value, found.low, found.high))
    interval = "" if isnan(found.low) else f" [{low}, {high}]"
    notes = [counted(found.clips, "clip")] if found.clips else []
    if judged:
        notes.append(f"{SIGNS[HOLDS if check.holds(found.value) else FAILS]} wanted {wanted(check, more)}")
    return f"<li>{escape(check.name)}: <b>{value}</b>{interval}{_small('; '.join(notes))}</li>"


def _digits_apart(check: Check, found: Estimate) -> int:
    """Return how many digits more than usual tell a value and the ends of its interval from the bounds."""
    write, bounds = UNITS[check.unit], [x for x in (check.at_least, check.at_most) if isfinite(x)]
    near = 0 if isnan(found.low) else NEAR * (found.high - found.low)
    pairs = [
        (x, bound)
        for x in (found.value, found.low, found.high)
        for bound in bounds
        if not isclose(x, bound, abs_tol=near)
    ]
    alike = (more for more in range(MOST_DIGITS) if all(write(x, more) != write(b, more) for x, b in pairs))
    return next(alike, MOST_DIGITS)


def wanted(check: Check, more: int = 0) -> str:
    """Return the bounds of a check in words, with so many digits more than usual.

    >>> wanted(Check("joints", (), None, at_least=25, at_most=25, unit="count"))
    '25'
    >>> wanted(Check("drop", (), None, at_most=-0.5))
    'at most −0.50'
    """
    low, high = (UNITS[check.unit](bound, more) for bound in (check.at_least, check.at_most))
    if check.at_most == inf:
        return f"at least {low}"
    if check.at_least == -inf:
        return f"at most {high}"
    return low if low == high else f"{low} to {high}"


def _command(found: Finding) -> str:
    """Return the command that would test a claim, folded."""
    if not found.command:
        return ""
    return f"<details><summary>command</summary><code>{escape(found.command)}</code></details>"
