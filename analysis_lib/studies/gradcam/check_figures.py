"""Figures of the sanity checks of importance maps, drawn from their tidy tables alone.

``beside`` are the same tables as other editions recorded them (`analysis_lib.chapters.other_editions`).
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis_lib.plots.beside import NOTHING, Tables, faint, keys, where
from analysis_lib.plots.style import COLOURS, DASHES, INK, MARKERS, WIDTH, use_style

_ORDER_NAMES = {"importance": "by importance", "motion": "by motion", "random": "at random"}


def plot_randomisation(table: pd.DataFrame, layer_names: Sequence[str], beside: Tables = NOTHING) -> Figure:
    """Draw how much of each layer's map is left as the network forgets from the scores down.

    Of other editions only networks with the same layers are shown, and their last layer alone.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.explain.checks.randomisation_table`.
    layer_names : sequence of str
        The network's layers, whose steps are called by their number.
    """
    use_style()
    number = {name: f"layer {i}" for i, name in enumerate(layer_names, 1)}
    steps = list(dict.fromkeys(table["forgotten"]))
    rho = table.pivot(index="step", columns="layer", values="mean")
    side = 0.27
    figure, (cells, curve) = plt.subplots(
        1, 2, figsize=(WIDTH, 1.0 + side * len(steps)), width_ratios=(1.7, 1), sharey=True
    )
    mesh = cells.pcolormesh(rho.columns, rho.index, rho, cmap="RdBu_r", vmin=-1, vmax=1, rasterized=True)
    for step, layer in np.ndindex(rho.shape):
        value = rho.iloc[step, layer]
        cells.text(
            layer + 1,
            step + 1,
            f"{value:z.1f}".replace("-", "−"),
            ha="center",
            va="center",
            fontsize=6.5,
            color="white" if abs(value) > 0.6 else INK,
        )
    names = [number.get(step, step) for step in steps]
    cells.set_yticks(range(1, len(steps) + 1), ["… " * (i > 0) + n for i, n in enumerate(names)])
    cells.set(title="Maps of all layers", xlabel="map of layer", ylabel="forgotten, from the top")
    cells.set_xticks(rho.columns)
    cells.tick_params(length=0)
    cells.spines[:].set_visible(False)
    last = table[table["layer"] == table["layer"].max()]
    curve.plot(last["mean"], last["step"], color=COLOURS[0], marker="o", ms=4)
    curve.fill_betweenx(last["step"], last["low"], last["high"], color=COLOURS[0], alpha=0.2, lw=0)
    alike = {
        label: other[other["layer"] == table["layer"].max()]
        for label, other in beside.items()
        if list(dict.fromkeys(other["forgotten"])) == steps
    }
    for other, thin in faint(alike):
        curve.plot(other["mean"], other["step"], color=COLOURS[0], **thin)
    if alike:
        figure.legend(handles=keys(alike), loc="outside lower right")
    curve.axvline(0, color=INK, lw=0.8, ls=":")
    curve.set(title="Last layer", xlim=(-1, 1), xlabel="rank correlation\nwith the trained map")
    curve.grid(axis="y")
    cells.invert_yaxis()
    figure.colorbar(
        mesh, ax=cells, label="rank correlation with the trained map", location="bottom", aspect=35, shrink=0.8
    )
    return figure


def plot_masking(table: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw the deletion and insertion curves, with their intervals.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.explain.checks.masking_table`.
    """
    use_style()
    figure, grid = plt.subplots(1, 2, sharey=True, figsize=(WIDTH, 0.45 * WIDTH))
    titles = {"deletion": "Deletion: lower is better", "insertion": "Insertion: higher is better"}
    most = pd.concat([table, *beside.values()])["joints"].max()
    labels = {"deletion": "joints masked", "insertion": "joints given back"}
    for axes, (test, title) in zip(grid, titles.items(), strict=True):
        for i, (order, name) in enumerate(_ORDER_NAMES.items()):
            curve = table[(table["test"] == test) & (table["order"] == order)]
            colour = COLOURS[i] if order != "random" else "#777777"
            style = {"color": colour, "linestyle": DASHES[i]}
            axes.plot(curve["joints"], curve["mean"], label=name, ms=4, marker=MARKERS[i], **style)
            axes.fill_between(curve["joints"], curve["low"], curve["high"], color=colour, alpha=0.15, lw=0)
            for other, thin in faint(where(beside, test=test, order=order)):
                axes.plot(other["joints"], other["mean"], **style | thin)
        axes.set(title=title, xlabel=labels[test], ylim=(0, 1), xlim=(0, most))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(axis="y")
    grid[0].set_ylabel("probability of the action")
    grid[0].legend(handles=[*grid[0].get_legend_handles_labels()[0], *keys(beside)])
    return figure
