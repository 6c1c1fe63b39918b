"""The page of claims: its answer, its table for wide and narrow screens, where its numbers are from."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from math import inf, isnan
from urllib.parse import quote

from analysis_lib.chapters.editions import edition_title
from analysis_lib.chapters.shown import badge
from analysis_lib.statistics import Estimate
from analysis_lib.studies.claims.findings import FAILS, HOLDS, MISSING, UNDECIDED, UNTESTED, Edition, Finding, Findings
from analysis_lib.studies.claims.papers import Check, Claim
from analysis_lib.words import anchor_of, code_of, counted, listed, name_of, named, number, percent, points

#: sign beside each verdict, so that it does not speak through colour alone
SIGNS = {HOLDS: "✓", FAILS: "✗", UNTESTED: "○", MISSING: "–", UNDECIDED: "?"}
UNITS: Mapping[str, Callable[[float], str]] = {
    "number": lambda x: number(x, 2),
    "signed": lambda x: number(x, 2, signed=True),
    "count": lambda x: number(x, 0),
    "percent": lambda x: percent(x, 1),
    "points": lambda x: f"{points(x, 1)} points",
}


def answer(found: Findings) -> str:
    """Return the chapter's answer: how many claims hold, on the first two editions that can tell."""
    if not found.claims:
        return "Nothing can be said, as there is no claim."
    told = [one for one in found.editions if any(one.counts[verdict] for verdict in (HOLDS, FAILS, UNDECIDED))][:2]
    if not told:
        return f"Nothing can be said of {counted(len(found.claims), 'claim')}, as no table here can test them."
    rest = any(one.counts[UNTESTED] + one.counts[MISSING] for one in told)
    return (
        f"Of {counted(len(found.claims), 'claim')} of the papers, {', and '.join(map(_fared, told))}"
        f"{'; the rest is not tested here' if rest else ''}."
    )


def _fared(edition: Edition) -> str:
    """Return how many claims hold, fail and stay open in an edition."""
    kinds = {HOLDS: ("holds", "hold"), FAILS: ("does not hold", "do not hold")}
    kinds |= {UNDECIDED: ("is undecided", "are undecided")}
    counts = [f"{edition.counts[v]} {one if edition.counts[v] == 1 else many}" for v, (one, many) in kinds.items()]
    return f"on {name_of(edition_title(edition.name))} {listed(counts)}"


def numbers(found: Findings) -> str:
    """Return by edition how many claims have each verdict, and which do not hold."""
    return "\n".join(f"- *{name_of(edition_title(edition.name))}*: {_counts(edition)}" for edition in found.editions)


def _counts(edition: Edition) -> str:
    fails = f" ({', '.join(map(name_of, edition.fails))})" if edition.fails else ""
    said = {FAILS: fails}
    return "; ".join(f"{v} {n}{said.get(v, '')}" for v, n in edition.counts.items() if n) or "no claims"


def sources(found: Findings) -> str:
    """Return where the numbers of each edition come from: data, date of the record, code."""
    return "\n".join(f"- *{name_of(edition.name)}*: {_source(edition)}" for edition in found.editions)


def _source(edition: Edition) -> str:
    if not edition.chapters:
        return f"no tables; {code_of(f'stgbook book --edition {edition.name}')} makes them"
    when = f"recorded {' to '.join(edition.dates)}" if edition.dates else "this build"
    read = f"{edition.chapters} of {edition.wanted} chapters"
    code = f"; code {', '.join(edition.codes)}" if edition.codes else ""
    return f"{named(edition.data)}; {when}; {read}{code}"


def claims_html(found: Findings) -> str:
    """Return the table of claims in HTML: one row a claim, one column an edition; on narrow screens a list."""
    heads = ("Claim", "Paper", *(edition.name for edition in found.editions))
    head = "".join(f"<th scope='col'>{escape(h)}</th>" for h in heads)
    body = "".join(_row(claim, [f for f in found.found if f.claim is claim]) for claim in found.claims)
    return f"<table class='claims'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(claim: Claim, found: Sequence[Finding]) -> str:
    """Return a claim's row."""
    page, _, anchor = claim.figure.partition("#")
    link = f"<a href='{quote(page)}.html#{quote(anchor)}'>{escape(claim.id)}</a>"
    paper = (escape(claim.paper), _small(claim.where), _small("bounds: this book's own" if claim.ours else ""))
    cells = [f"<th scope='row'>{link} <span>{escape(claim.claim)}</span></th>"]
    cells.append(f"<td data-head='Paper'>{''.join(paper)}</td>")
    for one in found:
        cells.append(f"<td data-head='{escape(one.edition)}'>{_verdict(one)}{_values(one)}{_command(one)}</td>")
    return f"<tr id='{anchor_of(claim.id)}'>{''.join(cells)}</tr>"


def _small(text: str) -> str:
    return f"<small>{escape(text)}</small>" if text else ""


def _verdict(found: Finding) -> str:
    """Return a verdict, with its sign and what it lacks."""
    text = found.verdict + (f" without {found.without}" if found.without else "")
    text = f"{SIGNS[found.verdict]} {text}"
    return badge(found.verdict, text) + _small(found.note)


def _values(found: Finding) -> str:
    """Return the values of a claim's checks with interval, number of clips, and bounds."""
    pairs = zip(found.claim.checks, found.values, strict=True)
    items = [_value(check, value, found.verdict != UNTESTED) for check, value in pairs if value]
    return f"<ul>{''.join(items)}</ul>" if items else ""


def _value(check: Check, found: Estimate, judged: bool) -> str:
    """Return what a check found, and if it is judged, whether that is as wanted."""
    write = UNITS[check.unit]
    interval = "" if isnan(found.low) else f" [{write(found.low)}, {write(found.high)}]"
    more = [counted(found.clips, "clip")] if found.clips else []
    if judged:
        more.append(f"{SIGNS[HOLDS if check.holds(found.value) else FAILS]} wanted {wanted(check)}")
    return f"<li>{escape(check.name)}: <b>{write(found.value)}</b>{interval}{_small('; '.join(more))}</li>"


def wanted(check: Check) -> str:
    """Return the bounds of a check in words.

    >>> wanted(Check("joints", (), None, at_least=25, at_most=25, unit="count"))
    '25'
    >>> wanted(Check("drop", (), None, at_most=-0.5))
    'at most −0.50'
    """
    low, high = (UNITS[check.unit](bound) for bound in (check.at_least, check.at_most))
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
