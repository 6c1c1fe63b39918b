"""What the opening says."""

import pandas as pd

from analysis_lib.statistics import Verdict
from analysis_lib.words import listed, name_of

_TESTED = [*map(str, (Verdict.HOLDS, Verdict.FAILS, Verdict.UNDECIDED))]


def answer(verdicts: pd.DataFrame) -> str:
    """Return how many of the papers' claims hold, by edition.

    Parameters
    ----------
    verdicts : DataFrame
        Columns id, edition, verdict (`analysis_lib.studies.opening.tables.verdict_table`).
    """
    said = []
    for edition, rows in verdicts[verdicts["verdict"].isin(_TESTED)].groupby("edition", sort=False):
        holds = int((rows["verdict"] == str(Verdict.HOLDS)).sum())
        said.append(f"{holds} of {len(rows)} hold on {name_of(edition)}")
    if not said:
        return "Nothing can be said yet, as the chapter on claims has not been run."
    return f"Of what the papers claim and can be tested here, {listed(said)}."


def findings(answers: pd.DataFrame) -> str:
    """Return what the chapters answered, as a list in Markdown, each with the way to its chapter."""
    lines = [f"1. **[{row.title}]({row.chapter})**: {row.answer}" for row in answers.itertuples()]
    return "\n".join(lines) or "No chapter has been run yet."
