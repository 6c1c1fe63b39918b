"""What the opening says."""

import pandas as pd

from analysis_lib.chapters.shown import badge
from analysis_lib.statistics.estimates import Verdict
from analysis_lib.words import counted, name_of

_TESTED = [*map(str, (Verdict.HOLDS, Verdict.FAILS, Verdict.UNDECIDED))]


def answer(verdicts: pd.DataFrame) -> str:
    """Return how many of the papers' claims hold, fail and stay open on the first two data; facts apart.

    Parameters
    ----------
    verdicts : DataFrame
        Columns id, fact, edition, verdict (`analysis_lib.studies.opening.tables.verdict_table`).
    """
    tested = verdicts[verdicts["verdict"].isin(_TESTED)]
    on_data = tested[tested["fact"] == 0].groupby("edition", sort=False)
    said = [_fared(name_of(edition), rows["verdict"]) for edition, rows in on_data][:2]
    facts = tested[tested["fact"] == 1].drop_duplicates("id")["verdict"]
    if not said and facts.empty:
        return "Nothing can be said yet, as the chapter on claims has not been run."
    claims = [f"of the claims that can be tested, {' and '.join(said)}"] if said else []
    checked = [f"of {counted(len(facts), 'fact')} checked, {_holding(facts)}"] if len(facts) else []
    text = "; ".join([*claims, *checked])
    return f"{text[0].upper()}{text[1:]}."


def _fared(edition: str, verdicts: pd.Series) -> str:
    fails, open_ = (int((verdicts == str(verdict)).sum()) for verdict in (Verdict.FAILS, Verdict.UNDECIDED))
    return (
        f"on {edition} {_holding(verdicts, f' of {len(verdicts)}')}, {fails} {'does' if fails == 1 else 'do'} not and "
        f"{open_} {'is' if open_ == 1 else 'are'} undecided"
    )


def _holding(verdicts: pd.Series, of: str = "") -> str:
    holds = int((verdicts == str(Verdict.HOLDS)).sum())
    return f"{holds}{of} hold{'s' if holds == 1 else ''}"


def findings(answers: pd.DataFrame) -> str:
    """Return what chapters answered, with verdicts, and what other data did, as a list that leads to the chapters."""
    lines = []
    for row in answers.itertuples():
        if row.kind == "answer":
            lines.append(f"1. **[{row.title}]({row.chapter})**: {row.text}")
        elif row.kind == "claim":
            lines.append(f"   - {badge(row.verdict)} {row.text}")
        else:
            lines.append(f"   - *{name_of(row.kind)}*: {row.text}")
    return "\n".join(lines) or "No chapter has been run yet."
