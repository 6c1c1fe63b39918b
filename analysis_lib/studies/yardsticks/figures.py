"""Figures of the chapter on yardsticks, drawn from its tidy tables alone."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis_lib.networks.untrained import SEED, TRAINED, UNTRAINED
from analysis_lib.plots.beside import NOTHING, Tables, faint, keys, where
from analysis_lib.plots.panels import key_below, panels
from analysis_lib.plots.style import COLOURS, INK, SEQUENTIAL, WIDTH, group_styles, layer_axis, use_style
from analysis_lib.studies.yardsticks.tables import PROBE, VARIATION, YARDSTICKS

LOOKS = {
    TRAINED: {"color": COLOURS[0], "marker": "o", "linestyle": "-"},
    UNTRAINED: {"color": COLOURS[1], "marker": "s", "linestyle": "--"},
}


def plot_yardsticks(table: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw a panel a yardstick: the trained network with its band, each untrained draw, the control task dotted."""
    use_style()
    figure, grid = panels(len(YARDSTICKS), 3, 2.1, 0.4, sharex=True)
    for axes, yardstick in zip(grid, YARDSTICKS, strict=True):
        rows, others = table[table["yardstick"] == yardstick], where(beside, yardstick=yardstick)
        for (network, draw), curve in rows.groupby(["network", "draw"], sort=False):
            x, label = curve["layer"] + 1, network if draw == 0 else None
            axes.plot(x, curve["value"], markersize=3, lw=1.3, label=label, **LOOKS[network])
            if network == TRAINED:
                axes.fill_between(x, curve["low"], curve["high"], color=LOOKS[network]["color"], alpha=0.15, lw=0)
                if curve["control"].notna().any():
                    axes.plot(x, curve["control"], color=INK, lw=0.9, ls=":", label="trained, shuffled labels")
        for other, thin in faint(others):
            for (network, _), curve in other.groupby(["network", "draw"]):
                axes.plot(curve["layer"] + 1, curve["value"], **LOOKS[network] | thin)
        axes.set_title(yardstick)
        axes.set_ylim(0, None)
        axes.grid(axis="y")
        n_layers = max(part["layer"].max() for part in (table, *beside.values()))
        layer_axis(axes, ["in", *range(1, n_layers + 1)], most=6)
    key_below(figure, grid, keys(beside))
    return figure


def plot_alignment(table: pd.DataFrame) -> Figure:
    """Draw the CKA of the trained network's layers with each other, and with other networks layer by layer."""
    use_style()
    figure, (square, lines) = plt.subplots(1, 2, figsize=(WIDTH, 0.46 * WIDTH))
    own = table[table["with"] == "itself"].pivot(index="layer", columns="other", values="cka")
    names = ["in", *range(1, len(own))]
    shown = square.imshow(own, vmin=0, vmax=1, cmap=SEQUENTIAL)
    square.set(title="trained, layer against layer", xlabel="layer", ylabel="layer")
    ticks = np.arange(0, len(own), -(-len(own) // 12))
    square.set_xticks(ticks, [names[i] for i in ticks])
    square.set_yticks(ticks, [names[i] for i in ticks])
    figure.colorbar(shown, ax=square, label="CKA", shrink=0.8)
    looks = {UNTRAINED: LOOKS[UNTRAINED], SEED: LOOKS[TRAINED]}
    for (what, draw), curve in table[table["with"] != "itself"].groupby(["with", "draw"], sort=False):
        label = f"with {what}" if draw == 0 else None
        lines.plot(curve["layer"] + 1, curve["cka"], markersize=4, label=label, **looks[what])
    lines.set(title="layer by layer, with another network", ylabel="CKA", ylim=(min(0, table["cka"].min()), 1.02))
    layer_axis(lines, names, most=12)
    lines.grid(axis="y")
    if lines.lines:
        lines.legend()
    return figure


def plot_classes(table: pd.DataFrame) -> Figure:
    """Draw label variation against the error of the probe, a sign a class, at the first layer and the last."""
    use_style()
    figure, grid = plt.subplots(1, 2, sharex=True, sharey=True, figsize=(WIDTH, 0.5 * WIDTH))
    styles = group_styles(table["group"])
    for axes, layer in zip(grid, (1, table["layer"].max()), strict=True):
        for group, rows in table[table["layer"] == layer].groupby("group", sort=False):
            look = styles[group] | {"linestyle": ""}
            axes.plot(rows[PROBE], rows[VARIATION], markersize=5, alpha=0.8, label=group, **look)
        axes.axline((0, 0), slope=1, color=INK, lw=0.8, ls=":", label="both the same")
        axes.set(title=f"layer {layer}", xlabel=PROBE)
        axes.grid()
    grid[0].set(ylabel=VARIATION, xlim=(-0.04, 1.04), ylim=(-0.04, 1.04))
    key_below(figure, grid)
    return figure
