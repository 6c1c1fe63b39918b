"""Figures of the chapter *shap_comparison*, each drawn from a table alone."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from analysis_lib.plots.style import WIDTH, group_styles, use_style


def plot_classes(classes: pd.DataFrame) -> Figure:
    """Draw the clips of each action, a bar each (`analysis_lib.studies.shap_comparison.tables.class_table`)."""
    use_style()
    styles = group_styles(classes["group"])
    figure, axes = plt.subplots(figsize=(WIDTH, 0.9 + 0.21 * len(classes)))
    axes.barh(classes["action"], classes["clips"], color=[styles[group]["color"] for group in classes["group"]])
    axes.invert_yaxis()
    axes.set_xlabel("clips")
    handles = [plt.Line2D([], [], color=style["color"], lw=6, label=group) for group, style in styles.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure
