"""Figures of the noise chapter, drawn from its tidy tables alone."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from analysis_lib.plots.beside import NOTHING, Tables, faint, keys, where
from analysis_lib.plots.panels import key_below, panels, seed_bars
from analysis_lib.plots.style import COLOURS, DASHES, INK, MARKERS, Y_LABEL, layer_axis, percent_axis, use_style
from analysis_lib.studies.noise.words import KINDS
from analysis_lib.words import counted, plain


def plot_noise_smoothness(table: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw one row an action: label variation by layer, and its change against the clean graph.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.noise.tables.noise_smoothness`.
    beside : mapping of str to DataFrame
        Recorded tables; their actions, which are others, follow in rows of their own.
    """
    use_style()
    tables = {"": table, **beside}
    curves = [(title, *part) for title, rows in tables.items() for part in rows.groupby("name", sort=False)]
    styles = _condition_styles(pd.concat(tables.values()))
    figure, grid = panels(2 * len(curves), 2, 1.75, 0.6, sharex=True, sharey="col")
    for left, right, (edition, action, rows) in zip(grid[::2], grid[1::2], curves, strict=True):
        right.axhline(0, color=INK, lw=1)
        for (noisy, psnr), part in rows.groupby(["noisy", "psnr"], sort=False, dropna=False):
            label, style = styles[noisy, None if np.isnan(psnr) else psnr]
            x, style = part["layer"] + 1, style | {"markersize": 3.8, "lw": 1.4}
            left.plot(x, part["q"], label=label, **style)
            if noisy == "none":
                left.fill_between(x, part["low"], part["high"], color=INK, alpha=0.12, lw=0)
            else:
                right.plot(x, part["change"], **style)
                right.fill_between(x, part["change_low"], part["change_high"], color=style["color"], alpha=0.16, lw=0)
        left.set_title(": ".join(filter(None, (edition, action))))
        for axes, label in ((left, Y_LABEL), (right, "change of 𝑞")):
            layer_axis(axes, ["in", *range(1, rows["layer"].nunique())], "layer" if left is grid[-2] else "")
            axes.set_ylabel(label)
            axes.grid(axis="y")
        left.set_ylim(0, 1.03)
    grid[1].set_title("change against clean")
    key_below(figure, grid[::2], most=4)
    return figure


def plot_learnt(table: pd.DataFrame, beside: Tables = NOTHING) -> Figure:
    """Draw how noise changes label variation in the network and in untrained ones, mean of the chosen actions.

    The band is 95 % of their difference at all layers at once, about the trained curve.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.noise.tables.learnt_noise`.
    """
    use_style()
    figure, (axes,) = panels(1, 1, 2.4, 0.4)
    for i, (column, name) in enumerate((("trained", "trained"), ("untrained", "untrained networks"))):
        own = {"marker": MARKERS[i], "ms": 4, "label": name}
        for other, look in ((table, own), *faint(beside)):
            axes.plot(other["layer"] + 1, other[column], **{"color": COLOURS[i], "ls": DASHES[i]} | look)
    low, high = (table["untrained"] + table[end] for end in ("all_low", "all_high"))
    axes.fill_between(table["layer"] + 1, low, high, color=COLOURS[0], alpha=0.18, lw=0)
    seed_bars(axes, table["layer"] + 1, table)
    axes.axhline(0, color=INK, lw=1)
    axes.set_ylabel("change of 𝑞")
    layer_axis(axes, ["in", *range(1, table["layer"].nunique())])
    axes.grid(axis="y")
    key_below(figure, [axes], keys(beside), most=4)
    return figure


def _condition_styles(table: pd.DataFrame) -> dict[tuple, tuple[str, dict]]:
    """Return the label and the style of each condition: the noisier, the darker the blue."""
    levels = {noisy: sorted(part["psnr"].unique(), reverse=True) for noisy, part in table.groupby("noisy")}
    blues = sns.light_palette(COLOURS[0], len(levels["chosen"]) + 1)[1:]
    styles = {("none", None): ("clean", {"color": INK, "marker": MARKERS[0]})}
    for i, (level, blue) in enumerate(zip(levels["chosen"], blues, strict=True), 1):
        style = {"color": blue, "marker": MARKERS[i % len(MARKERS)], "ls": DASHES[1]}
        styles["chosen", level] = f"{plain(level)} dB, these actions", style
    for level in levels["all"]:
        style = {"color": COLOURS[1], "marker": MARKERS[5], "ls": DASHES[3]}
        styles["all", level] = f"{plain(level)} dB, all actions", style
    return styles


#: colours of sets of clips and of actions: none of a super-class
_SETS = COLOURS[3:]


def plot_robustness(table: pd.DataFrame, sets: Sequence[str], beside: Tables = NOTHING) -> Figure:
    """Draw one panel a kind of fault: accuracy against strength, clean clips at the left.

    Lines are means of the seeds, bands Wilson's intervals, bars go from the least seed to the greatest.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.noise.tables.robustness_table`.
    sets : sequence of str
        Which sets of clips are drawn.
    beside : mapping of str to DataFrame
        Recorded tables, drawn faintly where they have the same sets; their strengths are placed
        between those at hand, and left out beyond them.
    """
    use_style()
    kinds = [kind for kind in dict.fromkeys(table["kind"]) if kind != "none"]
    figure, grid = panels(len(kinds), 2, 2.3, 0.4, sharey=True)
    for axes, kind in zip(grid, kinds, strict=True):
        strengths = table.loc[table["kind"] == kind, "strength"].unique()
        for i, name in enumerate(sets):
            curve = table[(table["set"] == name) & table["kind"].isin(["none", kind])]
            x, style = np.arange(len(curve)), {"color": _SETS[i % len(_SETS)], "ls": DASHES[i % len(DASHES)]}
            label = f"{name} ({counted(int(curve['clips'].iloc[0]), 'clip')})"
            axes.plot(x, curve["accuracy"], marker=MARKERS[i % len(MARKERS)], markersize=4, label=label, **style)
            axes.fill_between(x, curve["low"], curve["high"], color=style["color"], alpha=0.15, lw=0)
            axes.vlines(x, curve["seeds_low"], curve["seeds_high"], color=style["color"], lw=1.4)
            for other, thin in faint(where(beside, set=name, kind=["none", kind])):
                axes.plot(_places(other["strength"].to_numpy(), strengths), other["accuracy"], **style | thin)
        axes.set_xticks(range(len(strengths) + 1), ["clean", *map(KINDS[kind].tick, strengths)])
        axes.set(title=KINDS[kind].name, xlabel=KINDS[kind].axis, ylim=(-0.03, 1.03))
        axes.grid(axis="y")
    for axes in grid[::2]:
        axes.set_ylabel("accuracy")
        percent_axis(axes.yaxis)
    key_below(figure, grid, keys(where(beside, set=list(sets))), most=4)
    return figure


def _places(found: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """Return where strengths lie on an axis on which others are at 1, 2, ...; nan beyond them.

    Clean clips, whose strength is nan, are at 0.

    >>> _places(np.array([np.nan, 40, 35, 30, 5]), np.array([40, 30, 20])).tolist()
    [0.0, 1.0, 1.5, 2.0, nan]
    """
    order = np.argsort(strengths)
    place = np.interp(found, strengths[order], order + 1.0, left=np.nan, right=np.nan)
    return np.where(np.isnan(found), 0.0, place)
