"""What the opening says."""

import pandas as pd

from analysis_lib.chapters.editions import told_of
from analysis_lib.chapters.shown import badge
from analysis_lib.statistics.estimates import Verdict
from analysis_lib.words import counted, name_of

_TESTED = [*map(str, (Verdict.HOLDS, Verdict.FAILS, Verdict.UNDECIDED))]


def answer(verdicts: pd.DataFrame) -> str:
    """Return how many of the papers' claims hold, fail and stay open on the first data, and on those that tell of half
    as many at least; facts apart.

    Parameters
    ----------
    verdicts : DataFrame
        Columns id, kind, seen, edition, verdict (`analysis_lib.studies.opening.tables.verdict_table`).
    """
    tested, on_data = verdicts[verdicts["verdict"].isin(_TESTED)], _on_data(verdicts)
    said = [_fared(name_of(edition), rows["verdict"]) for edition, rows in on_data.items()]
    facts = tested[tested["kind"] == "fact"].drop_duplicates("id")["verdict"]
    if not said and facts.empty:
        return "Nothing can be said yet, as no claim of a paper has been tested."
    claims = [f"of the claims that can be tested, {' and '.join(said)}"] if said else []
    checked = [f"of {counted(len(facts), 'fact')} checked, {_holding(facts)}"] if len(facts) else []
    text = "; ".join([*claims, *checked])
    return f"{text[0].upper()}{text[1:]}."


def _on_data(verdicts: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the claims that were tested, by the data that the page tells of."""
    tested = verdicts[verdicts["verdict"].isin(_TESTED) & (verdicts["kind"] == "claim")]
    known = {str(edition): rows for edition, rows in tested.groupby("edition", sort=False)}
    return {edition: known[edition] for edition in told_of({name: len(rows) for name, rows in known.items()})}


def seen(verdicts: pd.DataFrame) -> str:
    """Return of how many claims that hold the bounds were set when this book's curves had been seen; empty of none.

    Parameters
    ----------
    verdicts : DataFrame
        As `answer` takes it.
    """
    said = []
    for edition, rows in _on_data(verdicts).items():
        holding = rows[rows["verdict"] == str(Verdict.HOLDS)]
        if n := int(holding["seen"].sum()):
            said.append(f"{n} of the {len(holding)} that hold on {name_of(edition)}")
    if not said:
        return ""
    return (
        f"Bounds that no paper gives were set when this book's curves had been seen for {' and '.join(said)}: what "
        "was seen may have had a say in these."
    )


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
    """Return what chapters answered, with the verdicts behind it, and what other data say, as a list that leads to the
    chapters.

    Parameters
    ----------
    answers : DataFrame
        From `analysis_lib.studies.opening.tables.answer_table`.
    """
    lines = []
    for chapter, rows in answers.groupby("chapter", sort=False):
        sentences, claims = (rows[rows["kind"] == kind] for kind in ("answer", "claim"))
        for row in sentences.itertuples():
            own = f"1. **[{row.title}]({chapter})** *{row.question}* "
            lines.append(f"{own if not row.edition else f'   - *{name_of(row.edition)}*: '}{row.text}")
        for text, verdicts in claims.groupby("text", sort=False):
            lines.append(f"   - {' '.join(_by_data(verdicts))} {text}")
    return "\n".join(lines) or "No chapter has been run yet."


def _by_data(verdicts: pd.DataFrame) -> list[str]:
    """Return the badge of each of the data, that of other data with their name."""
    return [badge(row.verdict, f"{row.edition}: {row.verdict}" if row.edition else "") for row in verdicts.itertuples()]
