"""Figures of the chapter on infants, drawn from its tables alone."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis_lib.plots.panels import key_below
from analysis_lib.plots.style import COLOURS, INK, WIDTH, use_style

LOOKS = {True: (COLOURS[0], "o", "fidget"), False: (COLOURS[1], "s", "do not fidget")}


def plot_scores(infants: pd.DataFrame, roc: pd.DataFrame) -> Figure:
    """Draw the score of each infant with the range of its windows, in order, and the ROC curve."""
    use_style()
    figure, (scores, curve) = plt.subplots(1, 2, figsize=(WIDTH, 0.44 * WIDTH), width_ratios=[1.5, 1])
    rows = infants.sort_values("score", ignore_index=True)
    for fidgets, (colour, marker, label) in LOOKS.items():
        mine = rows[rows["fidgets"] == fidgets]
        scores.vlines(mine.index + 1, mine["low"], mine["high"], color=colour, alpha=0.35, lw=2)
        scores.plot(mine.index + 1, mine["score"], marker, color=colour, markersize=4, label=label)
    scores.set(ylim=(-0.02, 1.02), xlabel="infants, in order of their score", ylabel="score")
    scores.grid(axis="y")
    curve.plot(roc["false_alarms"], roc["found"], color=INK, lw=1.5)
    curve.plot([0, 1], [0, 1], color=INK, lw=0.8, ls=":")
    curve.annotate("by lot", (0.62, 0.55), rotation=45, ha="center", va="center", fontsize=8)
    curve.set(xlabel="false alarms, share", ylabel="found of those who fidget, share")
    curve.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal", xticks=np.linspace(0, 1, 5))
    key_below(figure, [scores])
    return figure


def plot_truth(truth: pd.DataFrame) -> Figure:
    """Draw, a row a method, how far it ranks the joints that fidget above the others, with its interval."""
    use_style()
    rows = truth.drop_duplicates("method", keep="last").iloc[::-1]
    figure, axes = plt.subplots(figsize=(0.7 * WIDTH, 0.6 + 0.32 * len(rows)))
    y = np.arange(len(rows))
    axes.hlines(y, rows["low"], rows["high"], color=COLOURS[0], lw=2)
    axes.plot(rows["mean"], y, "o", color=COLOURS[0], markersize=5)
    axes.axvline(0.5, color=INK, lw=0.8, ls=":")
    axes.set_yticks(y, rows["method"])
    axes.set(xlim=(min(0.4, rows["low"].min() - 0.02), 1.01), xlabel="pairs of joints in the right order (0.5: by lot)")
    axes.grid(axis="x")
    return figure
