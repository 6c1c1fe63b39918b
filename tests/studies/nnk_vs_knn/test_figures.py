"""Figures of NNK and k-NN show what their tables say: curves, bars and intervals are read back."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from analysis_lib.plots.style import COLOURS, INK
from analysis_lib.studies.nnk_vs_knn import figures
from analysis_lib.studies.nnk_vs_knn.figures import FACTORS, GRAPHS, MEASURES

pytestmark = pytest.mark.usefixtures("drawn_whole")

COUNTS = (5, 20)
NO_GAP = pd.DataFrame({"layer": [], "n_neighbors": [], **{name: [] for name in FACTORS}, "raw": []})


@pytest.fixture
def table(rng):
    table = pd.DataFrame(product(range(4), COUNTS, GRAPHS), columns=["layer", "n_neighbors", "graph"])
    for measure in MEASURES:
        table[measure] = rng.uniform(0.2, 0.8, len(table))
        table[f"{measure}_low"] = table[measure] - 0.1
        table[f"{measure}_high"] = table[measure] + 0.05
    table["raw"] = rng.uniform(10, 1000, len(table))
    table["neighbours"] = rng.uniform(2, 4, len(table))
    return table.assign(chance=0.9)


def rows(table, **equal):
    for column, value in equal.items():
        table = table[table[column] == value]
    return table


def curve(axes, label):
    (line,) = [line for line in axes.lines if line.get_label() == label]
    return line


def check_curve(axes, table, graph, column, x="layer"):
    mine, (label, colour, *_) = rows(table, graph=graph), GRAPHS[graph]
    line = curve(axes, label)
    np.testing.assert_array_equal(line.get_xydata(), mine[[x, column]])
    assert line.get_color() == colour


def band(collection):
    (path,) = collection.get_paths()
    return path.vertices[:, 1].min(), path.vertices[:, 1].max()


def legends(figure):
    return [t.get_text() for legend in figure.legends for t in legend.get_texts()]


def test_both_forms_are_drawn_for_every_k(table):
    figure = figures.plot_forms(table)
    top, bottom = np.array(figure.axes).reshape(2, 2)
    for k, normalised, raw in zip(COUNTS, top, bottom, strict=True):
        mine = rows(table, n_neighbors=k)
        assert normalised.get_title("left") == f"𝑘 = {k}"
        for graph, drawn in zip(GRAPHS, normalised.collections, strict=True):
            check_curve(normalised, mine, graph, "q")
            one = rows(mine, graph=graph)
            assert band(drawn) == pytest.approx((one["q_low"].min(), one["q_high"].max()))
        for graph in ("nnk", "knn"):
            check_curve(raw, mine, graph, "raw")
        assert set(normalised.lines[-1].get_ydata()) == {0.9}
        assert normalised.get_ylim() == (0, 1)
        assert raw.get_yscale() == "log"
        assert [t.get_text() for t in raw.get_xticklabels()] == ["in", "1", "2", "3"]
    assert legends(figure) == [*(label for label, *_ in GRAPHS.values()), "random labels"]


def test_errors_are_drawn_for_every_k(table):
    figure = figures.plot_errors(table)
    for k, axes in zip(COUNTS, figure.axes, strict=True):
        for graph in GRAPHS:
            check_curve(axes, rows(table, n_neighbors=k), graph, "error")
        assert axes.get_ylim()[0] == 0 < rows(table, n_neighbors=k)["error"].max()
    assert legends(figure) == [label for label, *_ in GRAPHS.values()]


def test_tick_labels_in_per_cent_are_the_ticks(table):
    """A tick at 12.5 % must not read 12 %."""
    figure = figures.plot_errors(table.assign(error=table["error"] / 5, error_low=0.0, error_high=table["error"] / 5))
    figure.canvas.draw()
    axes = figure.axes[0]
    for place, text in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True):
        assert float(text.get_text().rstrip("%")) == pytest.approx(100 * place)


@pytest.mark.parametrize(("n_layers", "named"), [(1, ["in", "1"]), (19, ["in", "4", "8", "12", "16"]), (40, 6)])
def test_networks_of_one_to_forty_layers_fit_with_one_k(table, n_layers, named):
    one = rows(table, n_neighbors=5, layer=0)
    many = pd.concat([one.assign(layer=i) for i in range(n_layers + 1)])
    (axes,) = figures.plot_errors(many).axes
    texts = [t.get_text() for t in axes.get_xticklabels()]
    assert texts == named or len(texts) == named
    assert len(figures.plot_support(many).axes[0].get_legend().get_texts()) <= 13
    assert [len(figures.plot_forms(many).axes), len(figures.plot_gap(NO_GAP).axes)] == [2, 1]


def test_support_is_drawn_below_the_line_of_knn(table):
    support, last = figures.plot_support(table).axes
    for layer in range(4):
        mine = rows(table, graph="nnk", layer=layer)
        line = curve(support, str(layer or "in"))
        np.testing.assert_array_equal(line.get_xydata(), mine[["n_neighbors", "neighbours"]])
    np.testing.assert_array_equal(curve(support, "𝑘-NN").get_xydata(), [[5, 5], [20, 20]])
    for graph in GRAPHS:
        check_curve(last, rows(table, layer=3), graph, "q", x="n_neighbors")
    assert last.get_title("left") == "at the last layer (3)"


def test_differences_have_their_place_interval_and_zero(rng):
    table = pd.DataFrame(
        product(range(3), COUNTS, MEASURES, ("knn", "matched")), columns=["layer", "n_neighbors", "measure", "against"]
    )
    table["difference"] = rng.uniform(-0.3, 0.3, len(table))
    table["low"], table["high"] = table["difference"] - 0.1, table["difference"] + 0.2
    figure = figures.plot_differences(table)
    places = product(MEASURES, ("knn", "matched"))
    for axes, (measure, against) in zip(figure.axes, places, strict=True):
        for k, bars in zip(COUNTS, axes.collections, strict=True):
            mine = rows(table, measure=measure, against=against, n_neighbors=k)
            line = curve(axes, f"𝑘 = {k}")
            assert np.round(line.get_xdata()).tolist() == [0, 1, 2]
            np.testing.assert_array_equal(line.get_ydata(), mine["difference"])
            edge = bars.get_paths()[0].vertices
            for x, ends in zip(line.get_xdata(), mine[["low", "high"]].to_numpy(), strict=True):
                at = edge[edge[:, 0] == x, 1]
                np.testing.assert_allclose([at.min(), at.max()], ends)
        assert axes.lines[-1].get_ydata() == [0, 0]
        assert axes.lines[-1].get_color() == INK
    assert [a.get_title("left") for a in figure.axes[:2]] == ["NNK minus 𝑘-NN", "NNK minus 𝑘-NN, as sparse as NNK"]
    assert legends(figure) == ["𝑘 = 5", "𝑘 = 20"]


def test_the_bar_of_the_gap_is_as_long_as_its_factors_and_leaves_out_the_input():
    gap = pd.DataFrame(
        {
            "layer": [0, 1, 2, 1],
            "n_neighbors": [5, 5, 5, 20],
            "edges": [99, 2, 8, 3],
            "edge_weight": [99, 5, 5, 2],
            "share": [99, 0.5, 0.5, 1.5],
        }
    )
    gap["raw"] = gap["edges"] * gap["edge_weight"] * gap["share"]
    figure = figures.plot_gap(gap)
    (axes,) = figure.axes
    ends = [(b.get_x(), b.get_x() + b.get_width(), b.get_y() + b.get_height() / 2) for b in axes.patches]
    expected = [(1, 4, 0), (4, 20, 0), (1, 0.5, 0), (1, 3, 1), (3, 6, 1), (6, 9, 1)]
    assert np.array(ends) == pytest.approx(np.array(expected))
    texts = [t.get_text() for t in axes.texts]
    assert texts == ["10 = 4.00 × 5.00 × 0.50", "9 = 3.00 × 2.00 × 1.50"]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["𝑘 = 5", "𝑘 = 20"]
    assert legends(figure) == [label for label, *_ in FACTORS.values()]


def test_symmetrisations_are_all_inside_their_panel(rng):
    names = ["max", "mean", "author", "none"]
    table = pd.DataFrame(product(range(3), ("nnk", "knn"), names), columns=["layer", "graph", "symmetrise"])
    for measure in MEASURES:
        table[measure] = rng.uniform(0.1, 0.3, len(table)) + 0.4 * (table["graph"] == "knn")
    figure = figures.plot_symmetrisation(table)
    for axes, (measure, graph) in zip(figure.axes, product(MEASURES, ("nnk", "knn")), strict=True):
        for name, colour in zip(names, COLOURS, strict=False):
            line = curve(axes, name)
            mine = rows(table, graph=graph, symmetrise=name)
            np.testing.assert_array_equal(line.get_xydata(), mine[["layer", measure]])
            assert line.get_color() == colour
        low, high = axes.get_ylim()
        assert low == 0 < table[measure].max() < high
    assert legends(figure) == names


def test_gains_of_both_networks_and_their_difference_are_drawn(rng):
    table = pd.DataFrame(product(["q", "error", "neighbours"], range(3)), columns=["measure", "layer"])
    numbers = {name: rng.normal(size=len(table)) for name in ("trained", "untrained", "difference")}
    table = table.assign(against="knn", low=-1.0, high=1.0, all_low=-2.0, all_high=2.0, **numbers)
    table = table.assign(seeds_low=np.nan, seeds_high=np.nan)
    figure = figures.plot_gains(table, {"others": table})
    for top, bottom, measure in zip(*np.array(figure.axes).reshape(2, 3), table["measure"].unique(), strict=True):
        mine = rows(table, measure=measure)
        for network in ("trained", "untrained"):
            np.testing.assert_array_equal(curve(top, network).get_xydata(), mine[["layer", network]])
        assert any(np.array_equal(line.get_ydata(), mine["difference"]) for line in bottom.lines)
        assert [band(part) for part in bottom.collections] == [(-1, 1), (-2, 2)]
