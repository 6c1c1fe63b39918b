"""The figure of the claims chapter, drawn from its tidy table alone."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis_lib.chapters.editions import edition_title
from analysis_lib.plots.style import FAINT, INK, NEGATIVE, POSITIVE, WIDTH, use_style
from analysis_lib.studies.claims.findings import FAILS, HOLDS, UNDECIDED, UNTESTED

#: fill, edge and hatching of each verdict, in the order of a bar
LOOKS = {HOLDS: ("#66C5AC", POSITIVE, ""), FAILS: ("#E99E66", NEGATIVE, "////")}
LOOKS |= {UNDECIDED: ("white", INK, ""), UNTESTED: ("#E6E6E6", FAINT, "")}
ALL, CONTROLS, FACTS, ANY = "all papers", "this book's own controls", "facts", "any data"
MOST = 40  # letters of a name
#: share of the longest bar that a part has at least for its number to stand in it, apart from its neighbours'
ROOM = 1 / 40


def plot_verdicts(table: pd.DataFrame) -> Figure:
    """Draw, paper by paper, one bar an edition: how many claims have each verdict; what is not recorded has no place.

    Facts and controls have bars of their own. It is so narrow that a phone shows all of it.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.claims.tables.claims_table`.
    """
    use_style()
    counts = verdict_counts(table)
    ticks: list[tuple[float, str]] = []
    heads: list[tuple[float, str]] = []
    figure, axes = plt.subplots(figsize=(0.66 * WIDTH, 1.0 + 0.19 * (len(counts) + 1.4 * counts["paper"].nunique())))
    y, least = 0.0, ROOM * counts[[*LOOKS]].sum(axis=1).max()
    for paper, editions in counts.groupby("paper", sort=False):
        heads.append((y, str(paper)))
        for row in editions.to_dict("records"):
            y += 1
            ticks.append((y, edition_title(row["edition"])[:MOST]))
            _bar(axes, y, row, least)
        y += 1.4
    axes.set_yticks(*zip(*ticks, strict=True) if ticks else ([], []))
    for at, paper in heads:
        axes.text(0, at, paper[: 2 * MOST], fontsize=9, fontweight="bold", va="center", color=INK)
    axes.set(xlabel="claims", ylim=(max(y, 1) - 0.6, -0.6), xlim=(0, None))
    axes.tick_params(axis="y", length=0)
    axes.spines[["left"]].set_visible(False)
    shown = [Patch(facecolor=face, edgecolor=edge, hatch=hatch) for face, edge, hatch in LOOKS.values()]
    figure.legend(shown, LOOKS, loc="outside upper left", ncols=2, columnspacing=1.4, handletextpad=0.5)
    return figure


def verdict_counts(table: pd.DataFrame) -> pd.DataFrame:
    """Return how many claims of each paper have each verdict in an edition; first all papers', if there are two.

    Controls, which no paper has, stand apart, and last the facts, which are the same in all editions: each by what the
    first edition to decide it says.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.claims.tables.claims_table`.

    Returns
    -------
    DataFrame
        Columns paper, edition and a column for each of `LOOKS`; rows where nothing is recorded are left out.

    Examples
    --------
    >>> rows = [("A1", "A", "claim", "x", HOLDS), ("A1", "A", "claim", "x", HOLDS), ("B1", "B", "claim", "y", HOLDS)]
    >>> rows += [("B2", "B", "fact", "x", UNTESTED), ("B2", "B", "fact", "y", HOLDS)]
    >>> rows += [("B3", "B", "control", "x", HOLDS)]
    >>> table = pd.DataFrame(rows, columns=["id", "paper", "kind", "edition", "verdict"])
    >>> verdict_counts(table)[["paper", "edition", HOLDS]]
                          paper   edition  holds
    0                all papers         x      1
    1                all papers         y      1
    2                         A         x      1
    3                         B         y      1
    4  this book's own controls         x      1
    5                     facts  any data      1
    """
    cells = table.drop_duplicates(["id", "edition"])
    cells = cells[cells["verdict"].isin([*LOOKS])]
    of = {kind: cells[cells["kind"] == kind] for kind in ("claim", "control", "fact")}
    facts = of["fact"].sort_values("verdict", key=lambda v: v == UNTESTED, kind="stable").drop_duplicates("id")
    cells = of["claim"]
    if cells["paper"].nunique() > 1:
        cells = pd.concat([cells.assign(paper=ALL), cells])
    cells = pd.concat([cells, of["control"].assign(paper=CONTROLS), facts.assign(paper=FACTS, edition=ANY)])
    counts = cells.groupby(["paper", "edition"], sort=False)["verdict"].value_counts().unstack(fill_value=0)
    return counts.reindex(columns=[*LOOKS], fill_value=0).reset_index().rename_axis(columns=None)


def _bar(axes: Axes, y: float, counts: dict, least: float) -> None:
    """Draw one bar, with a number in each of its parts that has room for one."""
    left = 0
    for verdict, (face, edge, hatch) in LOOKS.items():
        if n := counts[verdict]:
            axes.barh(y, n, left=left, height=0.78, facecolor=face, edgecolor=edge, hatch=hatch, linewidth=0.8)
            box = {"facecolor": face, "edgecolor": "none", "pad": 0.6} if hatch else None
            if n >= least:
                axes.text(left + n / 2, y, str(n), ha="center", va="center_baseline", fontsize=7.5, color=INK, bbox=box)
            left += n
