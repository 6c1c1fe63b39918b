"""Bars of label variation by class, drawn from their table alone."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis_lib.plots.panels import key_below
from analysis_lib.plots.style import INK, WIDTH, Y_LABEL, group_styles, use_style


def plot_class_variation(table: pd.DataFrame) -> Figure:
    """Draw the label variation of each class as bars, with that of random labels.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.explore.tables.class_table`.
    """
    use_style()
    figure, axes = plt.subplots(figsize=(WIDTH, 0.9 + 0.19 * len(table)))
    rows = np.arange(len(table))
    for group, style in group_styles(table["group"]).items():
        mine = (table["group"] == group).to_numpy()
        axes.barh(rows[mine], table["q"][mine], color=style["color"], height=0.7, label=group)
    axes.plot(table["chance"], rows, color=INK, lw=0.8, ls=":", label="random labels")
    for row, q in zip(rows, table["q"], strict=True):
        axes.text(q, row, f" {q:.2f}", va="center", fontsize=7.5)
    axes.set_yticks(rows, table["class"])
    axes.set(xlabel=Y_LABEL, xlim=(0, 1.02))
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    key_below(figure, [axes])
    return figure
