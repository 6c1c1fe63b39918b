"""What other editions recorded is drawn behind a figure's own curves, faintly, and named."""

from itertools import product

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh

from analysis_lib.chapters.recorded import recorded_editions, recorded_table
from analysis_lib.plots.beside import GREY, NOTHING, faint, keys, where
from analysis_lib.plots.style import GROUP_COLOURS
from analysis_lib.skeletons.layouts import layout
from analysis_lib.studies.data import figures as dataset
from analysis_lib.studies.gradcam import figures as gradcam
from analysis_lib.studies.nnk_vs_knn import figures as nnk_vs_knn
from analysis_lib.studies.smoothness import figures as smoothness
from analysis_lib.studies.spectrum import figures as spectrum

pytestmark = pytest.mark.usefixtures("drawn_whole")

LABEL = "Elsewhere, recorded"
CLASSES = {"kick": "lower body", "wave": "upper body", "clap": "upper body"}
INTERVAL = ("low", "high")


def made(seed, measures, **levels):
    """Return a table with a row for each combination of levels, and random measures in 0..1."""
    table = pd.DataFrame(product(*levels.values()), columns=list(levels))
    rng = np.random.default_rng(seed)
    return table.assign(**{name: rng.random(len(table)) for name in measures})


def by_class(seed, measures, **levels):
    """Return such a table with rows for super-classes and for classes."""
    names = [("group", g, "", g) for g in dict.fromkeys(CLASSES.values())]
    names += [("class", group, name, name) for name, group in CLASSES.items()]
    table = made(seed, measures, row=range(len(names)), **levels)
    columns = pd.DataFrame([names[i] for i in table["row"]], columns=["level", "group", "class", "name"])
    return table.drop(columns="row").join(columns).assign(clips=5, chance=0.9)


def measured(*names):
    return [*names, *(f"{name}_{end}" for name in names for end in INTERVAL)]


RANGE = ["mean", *INTERVAL]
ACTIONS = ("kick", "wave")
GRAPHS = {"n_neighbors": (5, 20), "graph": ("nnk", "knn", "matched")}
AGAINST = {"n_neighbors": (5, 20), "measure": ("q", "error"), "against": ("knn", "matched")}
SIDES = {"n_neighbors": (5, 20), "graph": ("nnk", "knn"), "symmetrise": ("max", "mean")}
MASKING = {"test": ("deletion", "insertion"), "order": ("importance", "motion", "random")}


def forgetting(seed):
    table = made(seed, RANGE, step=(1, 2, 3), layer=(1, 2))
    return table.assign(forgotten="s" + table["step"].astype(str))


#: a table of each kind, by seed
TABLES = {
    "smoothness/table": lambda s: by_class(s, ["q", *INTERVAL], layer=range(4)),
    "smoothness/theorem": lambda s: made(s, ["norm", "bound", "label_ratio", "data_ratio"], layer=(2, 3, 4)),
    "spectrum/table": lambda s: by_class(s, ["energy", *INTERVAL], k=range(1, 7)).assign(eigenvalue=lambda t: t["k"]),
    "nnk_vs_knn/table": lambda s: made(
        s, [*measured("q", "error"), "raw", "neighbours", "chance"], layer=range(3), **GRAPHS
    ),
    "nnk_vs_knn/differences": lambda s: made(s, ["difference", *INTERVAL], layer=range(3), **AGAINST),
    "nnk_vs_knn/symmetrisation": lambda s: made(s, ["q", "error"], layer=range(3), **SIDES),
    "gradcam/layers": lambda s: made(s, ["mean", "mass", "similarity", *INTERVAL, "repeat"], layer=(1, 2, 3)),
    "gradcam/parts": lambda s: made(s, ["share", "joints"], layer=(1, 2), part=("arm", "leg"), **{"class": ACTIONS}),
    "gradcam/masking": lambda s: made(s, RANGE, joints=(0, 2, 5), **MASKING),
    "gradcam/randomisation": forgetting,
}


def energy(table, beside=NOTHING):
    return spectrum.energy_figure(table, 3, beside)


def randomisation(table, beside=NOTHING):
    return gradcam.plot_randomisation(table, ["s1", "s2"], beside)


def parts(table, beside=NOTHING):
    return gradcam.plot_parts(table, list(dict.fromkeys(table["class"]))[:2], beside)


#: figures of curves alone
CURVES = [
    (smoothness.plot_groups, "smoothness/table"),
    (smoothness.plot_theorem, "smoothness/theorem"),
    (energy, "spectrum/table"),
    (nnk_vs_knn.plot_forms, "nnk_vs_knn/table"),
    (nnk_vs_knn.plot_errors, "nnk_vs_knn/table"),
    (nnk_vs_knn.plot_differences, "nnk_vs_knn/differences"),
    (nnk_vs_knn.plot_symmetrisation, "nnk_vs_knn/symmetrisation"),
    (gradcam.plot_strength, "gradcam/layers"),
    (parts, "gradcam/parts"),
    (gradcam.plot_masking, "gradcam/masking"),
    (randomisation, "gradcam/randomisation"),
]
OTHERS = [
    (smoothness.plot_classes, "smoothness/table"),
    (nnk_vs_knn.plot_support, "nnk_vs_knn/table"),
    (nnk_vs_knn.plot_gap, "nnk_vs_knn/gap"),
    (dataset.plot_classes, "data/classes"),
    (lambda t, b: spectrum.filter_figure(t, beside=b), "spectrum/filters"),
    (lambda t, b: gradcam.plot_joints(t, layout("ntu-25"), beside=b), "gradcam/joints"),
    (dataset.plot_confusion, "data/confusion"),
]


def curves(axes, keep):
    """Return the points, colours and dashes of the lines of an axes that ``keep`` wants, sorted."""
    return sorted(
        (line.get_xydata().round(9).tolist(), line.get_color(), line.get_linestyle())
        for line in axes.lines
        if keep(line)
    )


def is_faint(line):
    return line.get_zorder() == 1.5


def is_own(line):
    return not is_faint(line)


def texts(figure):
    return [t.get_text() for t in figure.findobj(mpl.text.Text) if t.get_text()]


@pytest.mark.parametrize(("draw", "kind"), CURVES, ids=lambda x: getattr(x, "__name__", x))
def test_a_faint_curve_is_the_curve_that_its_own_edition_shows(draw, kind):
    """Same place, colour and dash; and the figure's own curves are as they are without it."""
    own, other = TABLES[kind](1), TABLES[kind](2)
    both, alone, there = draw(own, {LABEL: other}), draw(own), draw(other)
    assert any(curves(axes, is_faint) for axes in both.axes)
    for axes, without, wanted in zip(both.axes, alone.axes, there.axes, strict=True):
        assert curves(axes, is_own) == curves(without, is_own)
        assert curves(without, is_faint) == []
        marked = curves(wanted, lambda line: line.get_marker() not in ("None", ""))
        assert curves(axes, is_faint) == marked
    assert LABEL in texts(both)
    assert LABEL not in texts(alone)


@pytest.mark.parametrize(
    ("draw", "kind", "edition"),
    [
        (draw, kind, edition)
        for (draw, kind), edition in product([*CURVES, *OTHERS], recorded_editions())
        if recorded_table(edition, *kind.split("/")) is not None
    ],
    ids=str,
)
def test_the_published_records_fit_the_figures(draw, kind, edition):
    table = recorded_table(edition, *kind.split("/"))
    shown = " ".join(texts(draw(table, {LABEL: table})))
    assert LABEL in shown


def test_editions_differ_in_marks_and_an_empty_one_has_no_key():
    tables = {"one": pd.DataFrame({"k": [5]}), "two": pd.DataFrame({"k": [5, 7]})}
    styles = [style for _, style in faint(tables)]
    assert styles[0]["marker"] == "" != styles[1]["marker"]
    (key,) = keys(where(tables, k=7))
    assert (key.get_label(), key.get_marker(), key.get_color()) == ("two", styles[1]["marker"], GREY)


def test_super_classes_that_are_only_elsewhere_are_named():
    other = TABLES["smoothness/table"](2)
    own = other.replace({"upper body": "jumps", "lower body": "jumps"})
    own = own[own["level"] == "group"].drop_duplicates("layer")
    (axes,) = smoothness.plot_groups(own, {LABEL: other}).axes
    named = [t.get_text() for t in axes.get_legend().get_texts()]
    assert sorted(named) == sorted(["jumps", "upper body", "lower body", LABEL])


def test_the_layers_of_a_deeper_network_are_inside_the_figure():
    deep = TABLES["smoothness/table"](1)
    short = deep[deep["layer"] < 2]
    (axes,) = smoothness.plot_groups(short, {LABEL: deep}).axes
    assert [t.get_text() for t in axes.get_xticklabels()] == ["in", "1", "2", "3"]
    assert axes.get_xlim()[1] > 4


def test_classes_of_other_editions_have_panels_of_their_own():
    own, other = TABLES["smoothness/table"](1), TABLES["smoothness/table"](2)
    other = other.replace({"wave": "nod"})
    figure = smoothness.plot_classes(own, {LABEL: other})
    panels = [axes for axes in figure.axes if axes.get_visible()]
    titles = [axes.get_title("left") or axes.get_title() for axes in panels]
    assert titles == ["kick", "wave", "clap", "kick", "nod", "clap"]
    _, curve = panels[titles.index("nod")].lines[:2]
    assert curve.get_ydata().tolist() == other[other["name"] == "nod"]["q"].tolist()
    assert f"grey titles: {LABEL}" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_frequencies_of_a_smaller_skeleton_are_counted_from_the_smoothest():
    own, other = TABLES["spectrum/table"](1), TABLES["spectrum/table"](2)
    upper = energy(own, {LABEL: other[other["k"] <= 4]}).axes[0]
    for points, *_ in curves(upper, is_faint):
        assert [x for x, _ in points] == [3, 4, 5, 6]


def test_filters_elsewhere_are_a_line_behind_the_bars_and_bars_beside_them():
    table = made(1, ["response"], power=(1, 2), k=(1, 2, 3)).assign(
        eigenvalue=lambda t: t["k"] / 3, energy=[0.1, 0.2, 0.7] * 2, share=[0.9] * 3 + [0.7] * 3
    )
    other = table.assign(energy=[0.3, 0.3, 0.4] * 2, share=[0.4] * 3 + [0.3] * 3)
    _, lower, side = spectrum.filter_figure(table, beside={LABEL: other}).axes
    assert lower.lines[0].get_xydata().tolist() == [[1, 0.3], [2, 0.3], [3, 0.4]]
    assert [bar.get_width() for bar in side.patches] == [0.9, 0.7, 0.4, 0.3]
    bottoms = [bar.get_y() for bar in side.patches]
    assert bottoms[0] < bottoms[2] < bottoms[1] < bottoms[3]


def test_neighbours_elsewhere_are_a_band_from_least_to_most():
    own, other = TABLES["nnk_vs_knn/table"](1), TABLES["nnk_vs_knn/table"](2)
    support, last = nnk_vs_knn.plot_support(own, {LABEL: other}).axes
    kept = other[other["graph"] == "nnk"].groupby("n_neighbors")["neighbours"]
    edges = [[y for _, y in points] for points, *_ in curves(support, is_faint)]
    wanted = sorted([kept.min().tolist(), kept.max().tolist()])
    assert np.array(sorted(edges)) == pytest.approx(np.array(wanted), abs=1e-8)
    deepest = other[other["layer"] == 2]
    drawn = [[y for _, y in points] for points, *_ in curves(last, is_faint)]
    wanted = sorted(q.tolist() for _, q in deepest.groupby("graph")["q"])
    assert np.array(sorted(drawn)) == pytest.approx(np.array(wanted), abs=1e-8)


def test_a_k_that_was_not_recorded_has_no_bar_and_no_curve_elsewhere():
    columns = ["layer", "n_neighbors", "edges", "edge_weight", "share", "raw"]
    gap = pd.DataFrame([[1, 5, 2, 4, 1.5, 12], [1, 20, 3, 5, 0.5, 7.5]], columns=columns)
    other = gap.assign(n_neighbors=[5, 7], edges=3)
    (axes,) = nnk_vs_knn.plot_gap(gap, {LABEL: other}).axes
    rows = [t.get_text() for t in axes.texts]
    assert rows == ["12 = 2.00 × 4.00 × 1.50", "12 = 3.00 × 4.00 × 1.50", "7.5 = 3.00 × 5.00 × 0.50"]
    pale = [bar for bar in axes.patches if bar.get_alpha()]
    assert [bar.get_width() for bar in pale] == pytest.approx([2, 9, 6])
    table = TABLES["nnk_vs_knn/table"](1)
    figure = nnk_vs_knn.plot_errors(table, {LABEL: table.assign(n_neighbors=7)})
    assert LABEL not in texts(figure)


def test_a_network_that_forgets_in_other_steps_is_not_laid_over():
    table = TABLES["gradcam/randomisation"](1)
    other = table.assign(forgotten="t" + table["step"].astype(str))
    assert LABEL not in texts(randomisation(table, {LABEL: other}))


def test_importance_elsewhere_is_a_heat_map_with_its_own_joints_and_actions():
    own_joints, joints = layout("ntu-25").joints, layout("kinect-20").joints
    own = made(1, ["scaled"], **{"class": CLASSES, "joint": own_joints})
    other = made(2, ["scaled"], **{"class": ["walk", "wave"], "joint": joints})
    own, other = (t.assign(group=t["class"].map(CLASSES | {"walk": "full body"})) for t in (own, other))
    figure = gradcam.plot_joints(own, layout("ntu-25"), ["kick"], {LABEL: other})
    (axes,) = (panel for panel in figure.axes if panel.get_title("left") == LABEL)
    (mesh,) = [c for c in axes.collections if isinstance(c, QuadMesh)]
    columns = [t.get_text() for t in axes.get_xticklabels()]
    rows = [t.get_text() for t in axes.get_yticklabels()]
    wanted = other.pivot(index="joint", columns="class", values="scaled").loc[rows, columns]
    np.testing.assert_array_equal(mesh.get_array().reshape(wanted.shape), wanted)
    colours = {t.get_text(): t.get_color() for t in axes.get_xticklabels()}
    assert colours["walk"] == GROUP_COLOURS["full body"]


def test_classes_and_confusion_elsewhere_stand_below():
    own = pd.DataFrame(
        {"group": "upper body", "label": ["wave", "clap"], "clips": [3, 4], "shortest": 1, "median": 2, "longest": 3}
    )
    other = own[:1].assign(label="nod", clips=9)
    counts, _ = dataset.plot_classes(own, {LABEL: other}).axes
    assert [t.get_text() for t in counts.get_yticklabels()] == ["wave", "clap", LABEL, "nod"]
    assert [(b.get_y() + b.get_height() / 2, b.get_width(), b.get_alpha() < 1) for b in counts.patches] == [
        (0, 3, False),
        (1, 4, False),
        (3, 9, True),
    ]
    labels = ["wave", "clap"]
    confusion = pd.DataFrame(product(labels, labels), columns=["label", "predicted"])
    first, second, _ = dataset.plot_confusion(
        confusion.assign(share=[0.9, 0.1, 0, 1]), {LABEL: confusion.assign(share=[0.3, 0.7, 0, 1])}
    ).axes
    assert second.get_title("left") == LABEL
    assert first.images[0].get_array().tolist() == [[0.9, 0.1], [0, 1]]
    assert second.images[0].get_array().tolist() == [[0.3, 0.7], [0, 1]]
