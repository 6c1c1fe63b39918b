"""What the opening says."""

import pandas as pd

from analysis_lib.chapters.shown import badge
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
    """Return what the chapters answered, with their verdicts, as a list in Markdown that leads to the chapters."""
    lines = []
    for row in answers.itertuples():
        if row.kind == "answer":
            lines.append(f"1. **[{row.title}]({row.chapter})**: {row.text}")
        else:
            lines.append(f"   - {badge(row.verdict)} {row.text}")
    return "\n".join(lines) or "No chapter has been run yet."
