"""Between which classes label variation lies on one graph, as numbers."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Findings:
    """Numbers of classes and clips, the class of the lowest and of the highest label variation, and random labels'."""

    classes: int
    clips: int
    lowest: tuple[str, float]
    highest: tuple[str, float]
    chance: float


def findings(table: pd.DataFrame) -> Findings | None:
    """Return what `analysis_lib.studies.explore.tables.class_table` says; None if no class has a value."""
    table = table[table["q"].notna()]
    if table.empty:
        return None
    ends = table.loc[[table["q"].idxmin(), table["q"].idxmax()], ["class", "q"]]
    low, high = ends.itertuples(index=False, name=None)
    return Findings(len(table), int(table["clips"].sum()), low, high, float(table["chance"].mean()))
