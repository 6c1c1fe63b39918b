"""Figures of the skeleton graph's spectrum: energy (Fig. 2), eigenbasis (8), filters (9).

``beside`` are the same tables as other editions recorded them (`analysis_lib.chapters.other_editions`). Where their
skeleton has another number of joints, frequencies are counted from the smoothest.
"""

from collections.abc import Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis_lib.plots.beside import GREY, NOTHING, Tables, faint, keys, where
from analysis_lib.plots.panels import panels
from analysis_lib.plots.poses import rest_pose
from analysis_lib.plots.skeleton import draw_skeleton
from analysis_lib.plots.style import (
    FAINT,
    INK,
    NEGATIVE,
    POSITIVE,
    SEQUENTIAL,
    WIDTH,
    ZERO,
    Powers,
    group_styles,
    percent_axis,
    use_style,
)
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.skeletons.spectrum import Spectrum
from analysis_lib.words import number, percent

#: A component of a basis vector counts as zero below this share of the largest (Fig. 8).
ZERO_SHARE = 1e-2


def energy_figure(table: pd.DataFrame, top: int = 0, beside: Tables = NOTHING) -> Figure:
    """Return Fig. 2: the energy at each graph frequency, of super-classes and of classes.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.spectrum.tables.class_energy`; its interval is drawn as a band. Scales
        are logarithmic and end at the decade below the smallest energy of a super-class.
    top : int
        How many of the largest eigenvalues are set apart by a rule and a bracket; none for 0.
    """
    use_style()
    groups, classes = (table[table["level"] == level] for level in ("group", "class"))
    names = [(g, c) for g in groups["group"].unique() for c in classes.loc[classes["group"] == g, "class"].unique()]
    rows = np.clip(0.17 * len(names), 1.2, 7.5)
    fig, (upper, lower) = plt.subplots(2, 1, figsize=(WIDTH, 3.1 + rows), sharex=True, height_ratios=(2.5, rows))
    n = int(table["k"].max())
    floor = 10 ** np.floor(np.log10(np.clip(groups["energy"].min(), 1e-6, 1e-2)))
    _group_curves(upper, groups, names, floor, where(beside, level="group"))
    _class_map(fig, lower, classes, names, floor)
    _eigenvalue_axis(upper, groups.drop_duplicates("k").sort_values("k")["eigenvalue"].to_numpy())
    if top:
        for ax in (upper, lower):
            ax.axvline(n - top + 0.5, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
        beside_rule = {"xytext": (4, 0), "textcoords": "offset points", "fontsize": 8}
        upper.annotate(f"largest {top} ", (n - top + 0.5, 0.06), xycoords=("data", "axes fraction"), **beside_rule)
    return fig


def _group_curves(ax, groups: pd.DataFrame, names: Sequence, floor: float, beside: Tables) -> None:
    """Draw the mean of each super-class with its interval, on a logarithmic scale."""
    n = int(groups["k"].max())
    styles = group_styles(pd.concat([groups, *beside.values()])["group"])
    for name, part in groups.groupby("group", sort=False):
        style, count = styles[name], sum(g == name for g, _ in names)
        label = f"{name} ({count} class{'es' * (count != 1)}, {part['clips'].iloc[0]} clips)"
        ax.plot(part["k"], part["energy"].clip(floor), markersize=4, label=label, **style)
        band = (part["low"].clip(floor), part["high"].clip(floor))
        ax.fill_between(part["k"], *band, color=style["color"], alpha=0.2, linewidth=0)
    for other, thin in faint(beside):
        for name, part in other.groupby("group"):
            label = None if name in set(groups["group"]) else name
            x = _from_smoothest(other, n)[part.index]
            ax.plot(x, part["energy"].clip(floor), label=label, **styles[name] | thin)
    ax.set(yscale="log", ylabel="share of energy", ylim=(floor, 1))
    ax.grid(axis="y")
    ax.legend(handles=[*ax.get_legend_handles_labels()[0], *keys(beside)], loc="upper left")


def _from_smoothest(table: pd.DataFrame, n: int) -> pd.Series:
    """Return where the frequencies of a table lie on an axis of which the n-th is the smoothest."""
    return table["k"] + n - table["k"].max()


def _class_map(fig, ax, classes: pd.DataFrame, names: Sequence, floor: float) -> None:
    """Draw one row a class, in the order of the super-classes, with the groups' colours beside."""
    shares = classes.pivot(index=["group", "class"], columns="k", values="energy").loc[list(names)]
    n = shares.shape[1]
    mesh = ax.pcolormesh(
        np.arange(n + 1) + 0.5,
        np.arange(len(names) + 1),
        shares.clip(floor),
        norm=LogNorm(floor, 1),
        cmap=SEQUENTIAL,
        rasterized=True,
    )
    fig.colorbar(mesh, ax=ax, label="share of energy", format=Powers(), pad=0.015, aspect=18)
    styles = group_styles(g for g, _ in names)
    step = -(-len(names) // 45)
    ticks = np.arange(0, len(names), step)
    ax.set_yticks(ticks + 0.5, [names[i][1] for i in ticks], fontsize=8 if len(names) < 20 else 7.5)
    for label, i in zip(ax.get_yticklabels(), ticks, strict=True):
        label.set_color(styles[names[i][0]]["color"])
    for i in range(1, len(names)):
        if names[i][0] != names[i - 1][0]:
            ax.axhline(i, color="white", linewidth=2.5)
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    ax.set(xlabel="graph frequency k (the largest eigenvalue, so the smoothest, is last)", xlim=(0.5, n + 0.5))
    ax.set_xticks(_some(n))


def _some(n: int, count: int = 12) -> np.ndarray:
    """Return about ``count`` frequencies in 1..n, evenly apart, the last among them."""
    return np.arange(n, 0, -max(1, round(n / count)))[::-1]


def _eigenvalue_axis(ax, eigenvalues: np.ndarray, count: int = 12) -> None:
    """Write eigenvalues above the axes, at some of the frequencies."""
    above = ax.secondary_xaxis("top")
    ticks = _some(len(eigenvalues), count)
    above.set_xticks(ticks, [number(eigenvalues[k - 1], 2) for k in ticks])
    above.tick_params(length=2, labelsize=7.5)
    above.set_xlabel("eigenvalue λ")


def eigenbasis_figure(skeleton: Skeleton, spectrum: Spectrum, top: int = 9) -> Figure:
    """Return Fig. 8: the basis vectors of the ``top`` largest eigenvalues, drawn on the body.

    Green triangles up are positive, red triangles down negative, small blue dots (almost) zero,
    as in the paper; area is magnitude. Panels that share an eigenvalue are marked: their vectors
    are one choice of many.
    """
    use_style()
    pose, n, space = rest_pose(skeleton), skeleton.n_joints, spectrum.eigenspaces
    shown = range(n - 1, max(n - 1 - top, -1), -1)
    columns = min(max(-(-len(shown) // 2), 3), 5)
    fig, axes = panels(len(shown), columns, 1.62, 0.45)
    for ax, k in zip(axes, shown, strict=True):
        ax.set_axis_off()
        _draw_vector(ax, skeleton, pose, spectrum.eigenvectors[:, k])
        shared = (space == space[k]).sum() > 1
        title = f"k = {k + 1}, λ = {number(spectrum.eigenvalues[k], 3)}{'*' if shared else ''}"
        ax.set_title(title, loc="center", fontsize=8)
    handles = _sign_legend()
    if (np.bincount(space)[space[list(shown)]] > 1).any():
        handles.append(Line2D([], [], linestyle="", label="* several k share λ: basis not unique"))
    fig.legend(handles=handles, loc="outside lower center", ncols=4, handletextpad=0.2, columnspacing=1.2)
    return fig


def _draw_vector(ax, skeleton: Skeleton, pose: np.ndarray, vector: np.ndarray) -> None:
    """Draw one basis vector: sign as shape and colour, magnitude as area."""
    share = vector / np.abs(vector).max()
    draw_skeleton(ax, skeleton, pose, sizes=0, tint=False, bone_width=1.2)
    for mask, marker, colour in (
        (share > ZERO_SHARE, "^", POSITIVE),
        (share < -ZERO_SHARE, "v", NEGATIVE),
        (np.abs(share) <= ZERO_SHARE, "o", ZERO),
    ):
        area = np.where(marker == "o", 9, 12 + 75 * np.abs(share[mask]))
        ax.scatter(*pose[mask].T, s=area, marker=marker, color=colour, edgecolors="white", linewidths=0.5, zorder=3)
    ax.margins(0.08)


def _sign_legend() -> list[Line2D]:
    """Return the key to the marks of an eigenbasis."""
    zero = f"zero (< {percent(ZERO_SHARE, 0)} of the largest)"
    marks = (("^", POSITIVE, 8, "positive"), ("v", NEGATIVE, 8, "negative"), ("o", ZERO, 4, zero))
    return [Line2D([], [], linestyle="", marker=m, color=c, markersize=s, mec="white", label=t) for m, c, s, t in marks]


def filter_figure(table: pd.DataFrame, threshold: float = 0.5, beside: Tables = NOTHING) -> Figure:
    """Return Fig. 9: powers of the adjacency as filters, above the energy that they meet.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.spectrum.tables.filter_table`.
    threshold : float
        The response above which a frequency counts as covered.
    """
    use_style()
    powers = sorted(table["power"].unique())
    fig = plt.figure(figsize=(WIDTH, 4.6))
    grid = fig.add_gridspec(2, 2, width_ratios=(3, 1.25), height_ratios=(1.6, 1))
    upper = fig.add_subplot(grid[0, 0])
    lower = fig.add_subplot(grid[1, 0], sharex=upper)
    side = fig.add_subplot(grid[:, 1])
    shades = mpl.colormaps[SEQUENTIAL](np.linspace(0.15, 0.95, len(powers)))
    for power, shade in zip(powers, shades, strict=True):
        part = table[table["power"] == power]
        upper.plot(part["k"], part["response"], color=shade, marker=".", markersize=4, linewidth=1.2)
    upper.axhline(threshold, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    upper.set_ylabel("response (λₖ / λₘₐₓ)ᵖ")
    upper.tick_params(labelbottom=False)
    one = table[table["power"] == powers[0]].sort_values("k")
    _eigenvalue_axis(upper, one["eigenvalue"].to_numpy(), 8)
    lower.bar(one["k"], one["energy"], color=FAINT, edgecolor=INK, linewidth=0.5, width=0.75)
    for other, thin in faint(where(beside, power=powers[0])):
        lower.plot(_from_smoothest(other, len(one)), other["energy"], color=GREY, **thin)
    lower.set(xlabel="graph frequency k", ylabel="share of energy", xlim=(0.4, len(one) + 0.6))
    lower.set_xticks(_some(len(one)))
    share = table.groupby("power")["share"].first()
    side.barh(range(len(powers)), share.loc[powers], color=shades, edgecolor=INK, linewidth=0.5, height=0.6)
    for i, value in enumerate(share.loc[powers]):
        inside = value > 0.35
        ink = "white" if inside and i > len(powers) / 3 else INK
        place = {"va": "center", "ha": "right" if inside else "left", "fontsize": 7.5, "color": ink}
        side.text(value + (-0.03 if inside else 0.03), i, percent(value, 1), **place)
    for i, other in enumerate(where(beside, power=powers).values()):
        recorded = other.groupby("power")["share"].first()
        places = [powers.index(p) + 0.38 + 0.14 * i for p in recorded.index]
        side.barh(places, recorded, color=GREY, alpha=0.55, height=0.1)
    if beside:
        fig.legend(handles=keys(beside), loc="outside lower center")
    side.set_yticks(range(len(powers)), powers)
    side.invert_yaxis()
    below = f"share of energy where\nthe response exceeds {threshold:g}"
    percent_axis(side.xaxis)
    percent_axis(lower.yaxis)
    side.set_xticks([0, 0.5, 1])
    side.set(xlim=(0, 1), ylabel="power p (colour of the curves)", xlabel=below)
    return fig
