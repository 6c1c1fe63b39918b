"""Figures of the noise chapter, drawn from its tidy tables alone."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis_lib.plots.beside import NOTHING, Tables, faint, keys, where
from analysis_lib.plots.style import COLOURS, DASHES, INK, MARKERS, WIDTH, layer_axis, use_style

#: by kind of perturbation: title, what the x axis counts, and how a strength is written
PANELS = {
    "noise": ("white Gaussian noise", "PSNR (dB)", "{:g}".format),
    "occlusion": ("hidden joints", "share of joints hidden", lambda share: f"{100 * share:g} %"),
    "frame drop": ("lost frames", "share of frames lost", lambda share: f"{100 * share:g} %"),
    "jitter": ("unsteady time stamps", "largest shift (frames)", "{:g}".format),
}


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
    curves = {
        (label, action): rows
        for label, part in {"": table, **beside}.items()
        for action, rows in part.groupby("name", sort=False)
    }
    styles = _condition_styles(pd.concat([table, *beside.values()]))
    figure, grid = plt.subplots(
        len(curves), 2, sharex=True, sharey="col", squeeze=False, figsize=(WIDTH, 0.6 + 1.75 * len(curves))
    )
    for (left, right), ((edition, action), rows) in zip(grid, curves.items(), strict=True):
        for (noisy, psnr), part in rows.groupby(["noisy", "psnr"], sort=False, dropna=False):
            label, style = styles[noisy, _key(psnr)]
            x = part["layer"] + 1
            left.plot(x, part["q"], label=label, markersize=3.8, lw=1.4, **style)
            if noisy == "none":
                left.fill_between(x, part["low"], part["high"], color=INK, alpha=0.12, lw=0)
                right.axhline(0, color=INK, lw=1)
                continue
            right.plot(x, part["change"], markersize=3.8, lw=1.4, **style)
            right.fill_between(x, part["change_low"], part["change_high"], color=style["color"], alpha=0.16, lw=0)
        left.set_title(": ".join(filter(None, (edition, action))))
        for axes, label in ((left, "label variation $q$"), (right, "change of $q$")):
            layer_axis(axes, ["in", *range(1, rows["layer"].nunique())], "layer" if left is grid[-1, 0] else "")
            axes.set_ylabel(label)
            axes.grid(axis="y")
        left.set_ylim(0, 1.03)
    grid[0, 1].set_title("change against clean")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), 4))
    return figure


def _key(psnr: float) -> float | None:
    return None if np.isnan(psnr) else psnr


def _condition_styles(table: pd.DataFrame) -> dict[tuple, tuple[str, dict]]:
    """Return the label and the style of each condition: the noisier, the darker the blue."""
    found = table[["noisy", "psnr"]].drop_duplicates()
    levels = sorted(found.loc[found["noisy"] == "chosen", "psnr"], reverse=True)
    blues = sns.light_palette(COLOURS[0], len(levels) + 1)[1:]
    styles = {("none", None): ("clean", {"color": INK, "marker": MARKERS[0]})}
    for i, (level, blue) in enumerate(zip(levels, blues, strict=True), 1):
        style = {"color": blue, "marker": MARKERS[i % 8], "linestyle": DASHES[1]}
        styles["chosen", level] = (f"{level:g} dB, these actions", style)
    style = {"color": COLOURS[1], "marker": MARKERS[5], "linestyle": DASHES[3]}
    for level in found.loc[found["noisy"] == "all", "psnr"]:
        styles["all", level] = (f"{level:g} dB, all actions", style)
    return styles


def plot_robustness(table: pd.DataFrame, sets: tuple[str, ...], beside: Tables = NOTHING) -> Figure:
    """Draw one panel a kind of perturbation: accuracy against strength, clean clips at the left.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.noise.tables.robustness_table`.
    sets : tuple of str
        Values of its column ``set``, one curve each.
    beside : mapping of str to DataFrame
        Recorded tables, drawn faintly where they have the same sets; their strengths are placed
        between those at hand, and left out beyond them.
    """
    use_style()
    kinds = [kind for kind in dict.fromkeys(table["kind"]) if kind != "none"]
    columns = min(2, len(kinds))
    rows = -(-len(kinds) // columns)
    figure, grid = plt.subplots(rows, columns, sharey=True, squeeze=False, figsize=(WIDTH, 0.4 + 2.3 * rows))
    for axes, kind in zip(grid.flat, kinds, strict=False):
        title, label, write = PANELS[kind]
        strengths = table.loc[table["kind"] == kind, "strength"].unique()
        for i, name in enumerate(sets):
            curve = table[(table["set"] == name) & table["kind"].isin(["none", kind])]
            _accuracy_curve(axes, curve, name, i)
            for other, thin in faint(where(beside, set=name, kind=["none", kind])):
                x = _places(other["strength"].to_numpy(), strengths)
                axes.plot(x, other["accuracy"], **{"color": COLOURS[i], "ls": DASHES[i]} | thin)
        axes.set_xticks(range(len(strengths) + 1), ["clean", *map(write, strengths)])
        axes.set(title=title, xlabel=label, ylim=(-0.03, 1.03))
        axes.grid(axis="y")
    for axes in list(grid.flat)[len(kinds) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel("accuracy")
    handles = [*grid[0, 0].get_legend_handles_labels()[0], *keys(where(beside, set=list(sets)))]
    figure.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 4))
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


def _accuracy_curve(axes: Axes, curve: pd.DataFrame, name: str, i: int) -> None:
    """Draw the mean of the seeds, Wilson's band, and a bar from the least seed to the greatest."""
    x, colour = np.arange(len(curve)), COLOURS[i]
    clips = int(curve["clips"].iloc[0])
    axes.plot(
        x,
        curve["accuracy"],
        color=colour,
        marker=MARKERS[i],
        ls=DASHES[i],
        markersize=4,
        label=f"{name} ({clips} clips)",
    )
    axes.fill_between(x, curve["low"], curve["high"], color=colour, alpha=0.15, lw=0)
    axes.vlines(x, curve["seeds_low"], curve["seeds_high"], color=colour, lw=1.4)
