"""Figures of the chapter *shap_comparison*, drawn from its tidy tables alone."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from analysis_lib.explain.registry import TITLES
from analysis_lib.plots.panels import key_below, panels
from analysis_lib.plots.style import COLOURS, DASHES, INK, MARKERS, WIDTH, use_style
from analysis_lib.studies.shap_comparison.findings import GRADCAM, NAIVE, SHAP, SHAPLEY, Lead
from analysis_lib.studies.shap_comparison.judging import OF_NETWORKS, YARDSTICKS
from analysis_lib.studies.shap_comparison.perturbing import LOT

_GREY = "#777777"
_BETTER = {1: "larger is better", -1: "smaller is better", 0: "neither is better"}


def _looks(methods: Sequence[str]) -> dict[str, dict]:
    """Return colour, marker and dash of each method; the same in every figure, grey of those without a network."""
    known = [*TITLES.values(), *(m for m in methods if m not in TITLES.values())]
    return {
        method: {
            "color": _GREY if method in (*NAIVE, LOT) else COLOURS[i % len(COLOURS)],
            "marker": MARKERS[i % len(MARKERS)],
            "linestyle": DASHES[i % len(DASHES)],
        }
        for i, method in enumerate(known)
    }


def plot_yardsticks(table: pd.DataFrame, leads: Mapping[str, Lead]) -> Figure:
    """Draw a panel a yardstick: the mean of each method with its interval, those filled that lead.

    Yardsticks that compare networks (`analysis_lib.studies.shap_comparison.judging.OF_NETWORKS`) have none of the maps
    that ask no network.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.shap_comparison.judging.summary_table`.
    leads : mapping of str to Lead
        By yardstick.
    """
    use_style()
    methods = list(dict.fromkeys(table["method"]))
    looks, names = _looks(methods), [name for name in YARDSTICKS if name in set(table["yardstick"])]
    figure, grid = panels(len(names), 4, 0.62 + 0.17 * len(methods), 0.2, sharey=True)
    for i, (axes, name) in enumerate(zip(grid, names, strict=True)):
        rows, sign = table[table["yardstick"] == name], YARDSTICKS[name]
        rows = rows[~rows["method"].isin(NAIVE)] if name in OF_NETWORKS else rows
        best = leads[name].leads if name in leads else ()
        for row in rows.itertuples():
            y, look = methods.index(row.method), looks[row.method]
            axes.plot([row.low, row.high], [y, y], color=look["color"], lw=1.4)
            face = look["color"] if row.method in best else "white"
            axes.plot(row.mean, y, marker=look["marker"], ms=5.5, mfc=face, mec=look["color"], mew=1.3)
        if name == "truth":
            axes.axvline(0.5, color=INK, lw=0.8, ls=":")
        elif (rows["low"] < 0).any():
            axes.axvline(0, color=INK, lw=0.8, ls=":")
        axes.set_title(name)
        axes.set_xlabel(_BETTER[sign], fontsize=7.5)
        axes.locator_params(axis="x", nbins=3)
        axes.grid(axis="x")
        if i % 4 == 0:
            axes.set_yticks(range(len(methods)), methods)
        axes.set_ylim(len(methods) - 0.4, -0.6)
    return figure


def plot_curves(
    masking: pd.DataFrame, edges: Mapping[str, pd.DataFrame], methods: Sequence[str] = (GRADCAM, SHAP, SHAPLEY)
) -> Figure:
    """Draw what is left of the explained probability: edges changed on top, important and unimportant; joints below.

    Parameters
    ----------
    masking : DataFrame
        From `analysis_lib.studies.shap_comparison.perturbing.masking_table`.
    edges : mapping of str to DataFrame
        From ``edge_table``, by what is changed how.
    """
    use_style()
    drawn = [
        (name, side, of[of["side"] == side]) for name, of in edges.items() for side in ("important", "unimportant")
    ]
    sides = {"deletion": "masked, most important first", "insertion": "given back, most important first"}
    drawn += [("joints", sides[test], of) for test, of in masking.groupby("test", sort=False)]
    looks = _looks([*methods, LOT])
    figure, grid = panels(len(drawn), 2, 2.0, 0.4, sharey=True)
    for i, (axes, (what, side, of)) in enumerate(zip(grid, drawn, strict=True)):
        for method in (LOT, *methods):
            wide = of[of["method"] == method].groupby(["joints", "clip"])["probability"].mean().unstack("clip")
            if wide.empty:
                continue
            look = looks[method] | {"ms": 4, "label": "by lot" if method == LOT else method}
            axes.plot(wide.index, wide.mean(axis=1), **look)
            lot = of[of["method"] == LOT].groupby(["joints", "clip"])["probability"].mean().unstack("clip")
            if method != LOT:  # the band is of the difference, clip by clip
                half = 1.96 * (wide - lot).std(axis=1) / np.sqrt(wide.shape[1])
                middle = wide.mean(axis=1)
                axes.fill_between(wide.index, middle - half, middle + half, color=look["color"], alpha=0.13, lw=0)
        axes.set_title(f"{what}: {side}")
        axes.set(ylim=(0, 1.02), xlabel="joints")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(axis="y")
        if i % 2 == 0:
            axes.set_ylabel("probability of the action")
    key_below(figure, grid)
    return figure


def plot_truth(table: pd.DataFrame) -> Figure:
    """Draw how near every layer of every method's maps is to the joints that move by design.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.explain.comparison.truth_table`.
    """
    use_style()
    looks = _looks(list(table["method"]))
    figure, axes = plt.subplots(figsize=(WIDTH, 0.9 + 0.19 * len(table)))
    names = []
    for y, row in enumerate(table.itertuples()):
        own = table.loc[table["method"] == row.method, "layer"].max() == row.layer
        look = looks[row.method]
        axes.plot([row.low, row.high], [y, y], color=look["color"], lw=1.4)
        face = look["color"] if own else "white"
        axes.plot(row.mean, y, marker=look["marker"], ms=5.5, mfc=face, mec=look["color"], mew=1.2)
        alone = (table["method"] == row.method).sum() == 1
        part = "all streams" if own and row.method != GRADCAM else row.layer_name
        names.append(row.method if alone else f"{row.method}: {part}")
    axes.axvline(0.5, color=INK, lw=0.8, ls=":")
    axes.set_yticks(range(len(names)), names)
    axes.set(xlim=(min(0.3, table["low"].min() - 0.02), 1.0), ylim=(len(names) - 0.4, -0.6))
    axes.set_xlabel("area under the ranking curve against the joints that move by design; by lot 0.5")
    axes.grid(axis="x")
    return figure


def plot_rankings(
    values: pd.DataFrame, agreement: pd.DataFrame, methods: Sequence[str] = (SHAP, GRADCAM, SHAPLEY)
) -> Figure:
    """Draw each joint's values over the clips by method, sorted by the first, and how far all methods rank alike.

    Parameters
    ----------
    values : DataFrame
        From `analysis_lib.explain.comparison.value_table`.
    agreement : DataFrame
        From `analysis_lib.explain.comparison.agreement_table`.
    """
    use_style()
    methods = [m for m in methods if m in set(values["method"])]
    wide = {m: values[values["method"] == m].pivot(index="clip", columns="joint", values="value") for m in methods}
    order = wide[methods[0]].median().sort_values(ascending=False, kind="stable").index
    looks = _looks(methods)
    figure = plt.figure(figsize=(WIDTH, 1.2 + 0.165 * len(order)))
    grid = figure.subplots(1, len(methods) + 1, width_ratios=[1] * len(methods) + [1.25])
    for i, (axes, method) in enumerate(zip(grid[:-1], methods, strict=True)):
        colour = looks[method]["color"]
        look = {k: {"color": colour, "linewidth": 0.9} for k in ("boxprops", "whiskerprops", "capprops")}
        look |= {
            "medianprops": {"color": INK, "linewidth": 1.4},
            "flierprops": {"markersize": 2, "markeredgecolor": colour},
        }
        axes.boxplot([wide[method][joint] for joint in order], orientation="horizontal", widths=0.6, **look)
        axes.set_yticks(range(1, len(order) + 1), order if i == 0 else [""] * len(order))
        axes.set(title=method, ylim=(len(order) + 0.6, 0.4))
        axes.axvline(0, color=INK, lw=0.6, ls=":")
        axes.grid(axis="x")
    grid[len(methods) // 2].set_xlabel("value of a joint over the largest of its clip")
    _square(grid[-1], agreement, "tau", "Kendall's τ\nof the medians")
    grid[-1].set_anchor("N")
    return figure


def plot_orders(table: pd.DataFrame) -> Figure:
    """Draw how far each two yardsticks put the methods in the same order.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.shap_comparison.judging.order_table`.
    """
    use_style()
    figure, axes = plt.subplots(figsize=(0.86 * WIDTH, 0.62 * WIDTH))
    _square(axes, table[table["one"] != "all"], "rho", "rank correlation of the methods' order")
    return figure


def _square(axes: Axes, pairs: pd.DataFrame, value: str, title: str) -> None:
    """Draw the lower half of a symmetric table of correlations, each with its number."""
    names = list(dict.fromkeys([*pairs["one"], *pairs["other"]]))
    if len(names) < 2:
        axes.set_axis_off()
        return
    cells = np.full((len(names), len(names)), np.nan)
    for row in pairs.itertuples():
        cells[names.index(row.other), names.index(row.one)] = getattr(row, value)
    cells = cells[1:, :-1]
    axes.imshow(cells, vmin=-1, vmax=1, cmap="RdBu_r", aspect="equal")
    for (i, j), found in np.ndenumerate(cells):
        if np.isfinite(found):
            look = {"ha": "center", "va": "center", "fontsize": 6.5, "color": "white" if abs(found) > 0.6 else INK}
            axes.text(j, i, f"{found:z.1f}".replace("-", "−"), **look)
    axes.set_yticks(range(len(cells)), names[1:])
    axes.set_xticks(range(len(cells)), names[:-1], rotation=45, ha="right", rotation_mode="anchor")
    axes.set_title(title, fontsize=8.5)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def plot_stages(table: pd.DataFrame) -> Figure:
    """Draw how far maps before the end agree with that of the last attention, beside joints exchanged by lot.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.shap_comparison.staging.stage_table`.
    """
    use_style()
    rows = table[(table["stage"] != "main attention")].reset_index(drop=True)
    figure, axes = plt.subplots(figsize=(WIDTH, 2.9))
    names = [f"{row.stage} {row.stream}".strip() for row in rows.itertuples()]
    for x, row in enumerate(rows.itertuples()):
        axes.add_patch(plt.Rectangle((x - 0.32, row.none_low), 0.64, row.none_high - row.none_low, color="#DDDDDD"))
        axes.plot([x, x], [row.low, row.high], color=COLOURS[0], lw=1.4)
        axes.plot(x, row.rho, "o", color=COLOURS[0], ms=5)
        axes.plot(x + 0.18, row.by_joint, "D", mfc="white", mec=COLOURS[1], ms=4.5)
    axes.axhline(0, color=INK, lw=0.8, ls=":")
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_ylabel("rank correlation with\nthe last attention's map")
    axes.set_ylim(min(-0.3, rows[["low", "none_low", "by_joint"]].min().min() - 0.05), 1.08)
    axes.grid(axis="y")
    handles = [
        Line2D([], [], marker="o", color=COLOURS[0], label="joints and moments"),
        Line2D([], [], marker="D", mfc="white", mec=COLOURS[1], ls="", label="joints, mean over time"),
        plt.Rectangle((0, 0), 1, 1, color="#DDDDDD", label="joints exchanged by lot"),
    ]
    key_below(figure, handles=handles)
    return figure


def plot_costs(seconds: pd.DataFrame, costs: pd.DataFrame) -> Figure:
    """Draw the time of a clip by method, and what it grows with.

    Parameters
    ----------
    seconds : DataFrame
        Columns method, seconds: a clip, as this page explained it.
    costs : DataFrame
        From `analysis_lib.studies.shap_comparison.checking.cost_table`.
    """
    use_style()
    looks = _looks(list(seconds["method"]))
    figure, (bars, lines) = plt.subplots(1, 2, figsize=(WIDTH, 2.5))
    for y, row in enumerate(seconds.itertuples()):
        bars.plot([1e-3, row.seconds], [y, y], color=looks[row.method]["color"], lw=1)
        bars.plot(row.seconds, y, marker=looks[row.method]["marker"], color=looks[row.method]["color"], ms=6)
    bars.set_yticks(range(len(seconds)), seconds["method"])
    bars.set(xscale="log", xlabel="seconds a clip, as on this page", ylim=(len(seconds) - 0.5, -0.5))
    bars.set_xlim(seconds["seconds"].min() / 2, seconds["seconds"].max() * 2)
    bars.grid(axis="x")
    median = costs.groupby(["method", "what", "size"], sort=False)["seconds"].median()
    for method, what, label in ((SHAP, "background", "background clips"), (SHAPLEY, "players", "players")):
        if (method, what) in set(zip(costs["method"], costs["what"], strict=True)):
            of = median.loc[method, what]
            lines.plot(of.index, of, label=f"{method}, by {label}", ms=5, **looks[method])
    lines.set(xlabel="background clips, or players", ylabel="seconds a clip", ylim=(0, None), xlim=(0, None))
    lines.grid(axis="y")
    if lines.lines:
        lines.set_ylim(0, 1.4 * max(line.get_ydata().max() for line in lines.lines))
        lines.legend(fontsize=7.5, loc="upper left")
    return figure
