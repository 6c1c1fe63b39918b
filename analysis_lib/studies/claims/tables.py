"""Tidy tables of the claims chapter."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from analysis_lib.datasets.readers.ntu_tables import BENCHMARKS, GROUPS
from analysis_lib.errors import unknown_choice
from analysis_lib.studies.claims.findings import Findings

VERDICT = ["verdict", "held", "settings", "without", "note", "command"]
PLACE = ["id", "paper", "claim", "page", "kind", "seen", "edition"]
COLUMNS = [*PLACE, "check", "value", "low", "high", "clips", "holds", *VERDICT]


def claims_table(findings: Findings) -> pd.DataFrame:
    """Return every claim's checks by edition, one a row, with the verdict on the claim.

    Returns
    -------
    DataFrame
        Columns id, paper, claim, page (of the figure behind it), kind (`analysis_lib.studies.claims.papers.Claim`),
        seen (1: its bounds were set when curves had been seen, else 0), edition, check, value, low, high, clips (NaN
        and 0 where there is none), holds (of the check: 1, 0, or NaN), and verdict, held, settings, without, note,
        command of the claim (`analysis_lib.studies.claims.findings.Finding`). A claim without a check has one row.
    """
    rows = []
    for found in findings.found:
        verdict = {name: getattr(found, name) for name in VERDICT}
        claim, page = found.claim, found.claim.figure.partition("#")[0]
        place = {"id": claim.id, "paper": claim.source, "claim": claim.claim, "page": page}
        place |= {"kind": claim.kind, "seen": int(bool(claim.bounds and claim.bounds.seen)), "edition": found.edition}
        for check, value in zip(found.claim.checks, found.values, strict=True):
            numbers = vars(value) if value else {"clips": 0}
            if value and check.judges:
                numbers = numbers | {"holds": float(check.holds(value.value))}
            rows.append(place | {"check": check.name} | numbers | verdict)
        if not found.values:
            rows.append(place | {"check": "", "clips": 0} | verdict)
    return pd.DataFrame(rows, columns=COLUMNS).astype({"clips": int})


def group_table(benchmarks: Sequence[str]) -> pd.DataFrame:
    """Return how many actions of benchmarks of NTU RGB+D are in each super-class.

    Returns
    -------
    DataFrame
        Columns benchmark, group, actions.

    Raises
    ------
    UserError
        If there is no such benchmark.
    """
    rows = []
    for benchmark in benchmarks:
        if benchmark not in BENCHMARKS:
            raise unknown_choice("list of actions", benchmark, BENCHMARKS)
        first, last = BENCHMARKS[benchmark]
        groups = Counter(GROUPS[first - 1 : last])
        rows += [{"benchmark": benchmark, "group": group, "actions": n} for group, n in groups.items()]
    return pd.DataFrame(rows, columns=["benchmark", "group", "actions"])
