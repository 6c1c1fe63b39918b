"""The page of claims: its answer, its table for wide and narrow screens, where its numbers are from."""

from collections.abc import Sequence
from html import escape
from math import isnan

import pandas as pd
from IPython.display import HTML, Markdown

from analysis_lib.chapters.recorded import recorded_provenance
from analysis_lib.studies.claims.tables import FAILS, HOLDS, MISSING, UNTESTED, VERDICTS, Check, Claim, Claims

#: sign beside each verdict, so that it does not speak through colour alone
SIGNS = {HOLDS: "✓", FAILS: "✗", UNTESTED: "○", MISSING: "–"}
UNITS = {
    "number": lambda x: f"{x:z.2f}",
    "signed": lambda x: f"{x:+z.2f}",
    "count": lambda x: f"{x:.0f}",
    "percent": lambda x: f"{100 * x:z.1f} %",
    "points": lambda x: f"{100 * x:+z.1f} points",
}


def shown(value: float, unit: str) -> str:
    """Return a number for people, in one of `UNITS`.

    >>> shown(0.8062, "percent"), shown(-0.019, "points"), shown(25.0, "count")
    ('80.6 %', '−1.9 points', '25')
    """
    return UNITS[unit](value).replace("-", "−")


def wanted(check: Check) -> str:
    """Return the bounds of a check in words.

    >>> wanted(Check("joints", (), "cell", at_least=25, at_most=25, unit="count"))
    '25'
    >>> wanted(Check("share", (), "cell", at_least=0.75, unit="percent"))
    'at least 75.0 %'
    """
    low, high = (shown(bound, check.unit) for bound in (check.at_least, check.at_most))
    if check.at_most == float("inf"):
        return f"at least {low}"
    if check.at_least == -float("inf"):
        return f"at most {high}"
    return low if low == high else f"{low} to {high}"


def claims_answer(table: pd.DataFrame) -> Markdown:
    """Return the chapter's answer: by edition how many claims hold, and which do not.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.claims.tables.claims_table`.
    """
    verdicts = table.drop_duplicates(["id", "edition"])
    parts = []
    for edition, mine in verdicts.groupby("edition", sort=False):
        count = mine["verdict"].value_counts().reindex(VERDICTS, fill_value=0)
        fails = ", ".join(mine["id"][mine["verdict"] == FAILS])
        vague = int((~mine["clear"].astype(bool)).sum())
        text = (
            f"*{edition}*: hold {count[HOLDS]}; do not hold {count[FAILS]}"
            + (f" ({fails})" if fails else "")
            + f"; cannot be tested {count[UNTESTED]}"
        )
        text += f"; not recorded {count[MISSING]}" if count[MISSING] else ""
        text += f". For {vague} of them an interval crosses its bound" if vague else ""
        parts.append(f"{text}.")
    return Markdown(f"**Answer.** Of {verdicts['id'].nunique()} claims, on {' On '.join(parts)}")


def claims_html(claims: Claims, table: pd.DataFrame) -> HTML:
    """Return the table of claims: one row a claim, one column an edition; on narrow screens a list.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.claims.tables.claims_table` of the same claims.
    """
    editions = list(dict.fromkeys(table["edition"]))
    heads = "".join(f"<th scope='col'>{escape(h)}</th>" for h in ("Claim", "Paper", *editions))
    body = "".join(_html_row(c, table[table["id"] == c.id], editions) for c in claims.claims)
    return HTML(f"<table class='claims'><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>")


def _html_row(claim: Claim, rows: pd.DataFrame, editions: Sequence[str]) -> str:
    """Return a claim's row."""
    page, _, anchor = claim.figure.partition("#")
    bounds = "bounds: this book's own" if claim.ours else ""
    cells = [
        f"<th scope='row'><a href='{page}.html#{anchor}'>{escape(claim.id)}</a> "
        f"<span>{escape(claim.claim)}</span></th>",
        f"<td data-head='Paper'>{escape(claim.paper)}<small>{escape(claim.where)}</small><small>{bounds}</small></td>",
    ]
    for edition in editions:
        mine = rows[rows["edition"] == edition]
        cells.append(
            f"<td data-head='{escape(edition)}'>{_verdict(mine.iloc[0])}"
            f"{_values(claim.checks, mine)}{_command(mine.iloc[0])}</td>"
        )
    return f"<tr>{''.join(cells)}</tr>"


def _verdict(row: pd.Series) -> str:
    """Return a verdict, with its sign and what it lacks."""
    text = row["verdict"] + (f" without {row['without']}" if row["without"] else "")
    text += "" if row["clear"] else ", not clearly"
    note = f"<small>{escape(row['note'])}</small>" if row["note"] else ""
    kind = VERDICTS.index(row["verdict"])
    sign = SIGNS[row["verdict"]]
    return f"<span class='verdict verdict-{kind}'>{sign} {escape(text)}</span>{note}"


def _values(checks: Sequence[Check], rows: pd.DataFrame) -> str:
    """Return the values of a claim's checks with interval, number of clips, and bounds."""
    items = []
    for check, (_, row) in zip(checks, rows.iterrows(), strict=False):
        if isnan(row["value"]):
            continue
        value = f"<b>{shown(row['value'], check.unit)}</b>"
        if not isnan(row["low"]):
            value += f" [{shown(row['low'], check.unit)}, {shown(row['high'], check.unit)}]"
        more = [f"{row['clips']:,} clips"] if row["clips"] else []
        if row["verdict"] != UNTESTED:
            more.append(f"{'✓' if row['holds'] else '✗'} wanted {wanted(check)}")
        items.append(f"<li>{escape(check.name)}: {value}<small>{'; '.join(more)}</small></li>")
    return f"<ul>{''.join(items)}</ul>" if items else ""


def _command(row: pd.Series) -> str:
    """Return the command that would test a claim, folded."""
    if not row["command"]:
        return ""
    return f"<details><summary>command</summary><code>{escape(row['command'])}</code></details>"


def editions_answer(table: pd.DataFrame, chapters: Sequence[str]) -> Markdown:
    """Return where the numbers of each edition come from: data, date of the record, code.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.claims.tables.claims_table`.
    chapters : sequence of str
        Whose records were read.
    """
    lines = []
    for edition in dict.fromkeys(table["edition"]):
        found = [f for f in (recorded_provenance(edition, c) for c in chapters) if f]
        data = sorted({f["data"]["name"] for f in found if "data" in f})
        dates = sorted({f["date"] for f in found if "date" in f})
        codes = sorted({f["code"] for f in found if "code" in f})
        if not found:
            lines.append(f"- *{edition}*: no tables; `stgbook book --edition {edition}` makes them")
            continue
        when = f"recorded {' to '.join(dict.fromkeys((dates[0], dates[-1])))}" if dates else "this build"
        lines.append(
            f"- *{edition}*: {', '.join(data)}; {when}; {len(found)} of {len(chapters)} "
            f"chapters; code {', '.join(codes)}"
        )
    return Markdown("\n".join(lines))


def left_out_table(claims: Claims) -> pd.DataFrame:
    """Return what of the paper was left out of the table, and why."""
    rows = [{"statement": id, "why": why} for id, why in claims.left_out.items()]
    return pd.DataFrame(rows, columns=["statement", "why"]).set_index("statement")
