"""The figure of the claims chapter, drawn from its tidy table alone."""

from itertools import pairwise
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis_lib.chapters.editions import edition_title
from analysis_lib.plots.style import INK, NEGATIVE, POSITIVE, WIDTH, use_style
from analysis_lib.studies.claims.findings import FAILS, HOLDS, UNDECIDED, UNTESTED
from analysis_lib.studies.claims.papers import Claims

#: marker and colour of each verdict
SIGNS = {HOLDS: ("o", POSITIVE), FAILS: ("X", NEGATIVE), UNDECIDED: ("o", "#9A9A9A")}
SIGNS |= {UNTESTED: ("d", "#9A9A9A")}
LABEL = 66  # letters of a line of a claim


def plot_verdicts(claims: Claims, table: pd.DataFrame) -> Figure:
    """Draw one line a claim and one column an edition; hollow where it is undecided, empty where nothing is recorded.

    Parameters
    ----------
    claims : Claims
    table : DataFrame
        From `analysis_lib.studies.claims.tables.claims_table` of the same claims.
    """
    use_style()
    cells = table.drop_duplicates(["id", "edition"])
    editions = list(dict.fromkeys(cells["edition"]))
    texts = [fill(f"{claim.id}  {claim.claim}", LABEL) for claim in claims.claims]
    lines = [text.count("\n") + 1 for text in texts]
    middles = np.cumsum([0.5 * (a + b) + 0.6 for a, b in pairwise([0, *lines])])
    place = {claim.id: y for claim, y in zip(claims.claims, middles, strict=True)}
    end = max(place.values()) + 0.5 * lines[-1] + 0.3
    figure, axes = plt.subplots(figsize=(WIDTH, 0.9 + 0.13 * end))
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
    axes.set_yticks([*place.values()], texts, fontsize=7.5, color=INK)
    axes.set_xticks(range(len(editions)), [fill(edition_title(edition), 14) for edition in editions])
    axes.xaxis.tick_top()
    axes.set(xlim=(-0.5, len(editions) - 0.5), ylim=(end, 0))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.grid(axis="y")
    figure.legend(loc="outside lower right", ncols=4, columnspacing=1.0, handletextpad=0.2)
    return figure
