"""The figure of the claims chapter, drawn from its tidy table alone."""

from textwrap import shorten

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from analysis_lib.plots.style import INK, NEGATIVE, POSITIVE, WIDTH, use_style
from analysis_lib.studies.claims.findings import FAILS, HOLDS, MISSING, UNDECIDED, UNTESTED
from analysis_lib.studies.claims.papers import Claims

#: marker and colour of each verdict
SIGNS = {HOLDS: ("o", POSITIVE), FAILS: ("X", NEGATIVE), UNDECIDED: ("o", "#9A9A9A")}
SIGNS |= {UNTESTED: ("d", "#9A9A9A"), MISSING: ("$–$", "#9A9A9A")}
LABEL = 78  # letters of a claim


def plot_verdicts(claims: Claims, table: pd.DataFrame) -> Figure:
    """Draw one line a claim and one column an edition; hollow where it is undecided.

    Parameters
    ----------
    claims : Claims
    table : DataFrame
        From `analysis_lib.studies.claims.tables.claims_table` of the same claims.
    """
    use_style()
    cells = table.drop_duplicates(["id", "edition"])
    editions = list(dict.fromkeys(cells["edition"]))
    place = {claim.id: i for i, claim in enumerate(claims.claims)}
    figure, axes = plt.subplots(figsize=(WIDTH, 0.9 + 0.21 * len(place)))
    for verdict, (marker, colour) in SIGNS.items():
        mine, face = cells[cells["verdict"] == verdict], "white" if verdict == UNDECIDED else colour
        axes.scatter(
            [editions.index(e) for e in mine["edition"]],
            mine["id"].map(place),
            marker=marker,
            s=42,
            facecolor=face,
            edgecolor=colour,
            linewidth=1.4,
            zorder=3,
            label=verdict,
        )
    texts = [f"{c.id}  {shorten(c.claim, LABEL - len(c.id), placeholder=' …')}" for c in claims.claims]
    axes.set_yticks(range(len(place)), texts, fontsize=7.5, color=INK)
    axes.set_xticks(range(len(editions)), editions)
    axes.xaxis.tick_top()
    axes.set(xlim=(-0.5, len(editions) - 0.5), ylim=(len(place) - 0.5, -0.5))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.grid(axis="y")
    figure.legend(loc="outside lower right", ncols=5, columnspacing=1.0, handletextpad=0.2)
    return figure
