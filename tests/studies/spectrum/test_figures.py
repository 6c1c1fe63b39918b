"""Figures of the spectrum show what their tables say."""

import io

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgba

from analysis_lib.plots.poses import rest_pose
from analysis_lib.plots.style import NEGATIVE, POSITIVE, WIDTH, ZERO, group_styles
from analysis_lib.skeletons.layouts import LAYOUTS
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.skeletons.spectrum import graph_spectrum, with_edge_list
from analysis_lib.studies.spectrum.figures import eigenbasis_figure, energy_figure, filter_figure
from analysis_lib.studies.spectrum.tables import class_energy, filter_table
from analysis_lib.words import percent

pytestmark = pytest.mark.usefixtures("drawn_whole")

ARM = Skeleton("arm", ("left hand", "hub", "right hand"), ((0, 1), (2, 1)), 1, pairs=((0, 2),))


def drawn(figure):
    """Return the PNG of a figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=50)
    return buffer.getvalue()


def texts(figure):
    return [t.get_text() for t in figure.findobj(mpl.text.Text) if t.get_text()]


def energy_table(n_classes, rng, n_joints=6):
    energies, labels = rng.dirichlet(np.arange(1, n_joints + 1), size=3 * n_classes), np.arange(3 * n_classes)
    names = [f"class {i}" for i in range(n_classes)]
    groups = [["lower body", "mine"][i % 2] for i in range(n_classes)]
    return class_energy(energies, labels % n_classes, names, groups, np.linspace(-0.5, 1.5, n_joints), 20)


def test_the_energy_figure_shows_its_table(rng):
    table = energy_table(4, rng)
    fig = energy_figure(table, 2)
    upper, lower = fig.axes[:2]
    curves = {line.get_label(): line for line in upper.get_lines()}
    for group, part in table[table["level"] == "group"].groupby("group"):
        line = curves[f"{group} (2 classes, 6 clips)"]
        assert line.get_ydata() == pytest.approx(part["energy"].to_numpy())
        assert line.get_color() == group_styles(["lower body", "mine"])[group]["color"]
    rows = [t.get_text() for t in lower.get_yticklabels()]
    assert rows == ["class 0", "class 2", "class 1", "class 3"]
    shown = lower.collections[0].get_array().reshape(4, 6)
    wanted = table[table["level"] == "class"].pivot(index="class", columns="k", values="energy")
    assert np.allclose(shown, wanted.loc[rows])
    assert {"share of energy", "eigenvalue λ", "largest 2", "−0.50", "1.50"} <= {t.strip() for t in texts(fig)}
    assert fig.get_size_inches()[0] == WIDTH


@pytest.mark.parametrize(("classes", "joints"), [(1, 2), (2, 25), (120, 25)])
def test_the_energy_figure_holds_few_and_many_classes(rng, classes, joints):
    fig = energy_figure(energy_table(classes, rng, joints))
    assert len(fig.axes[1].get_yticks()) <= 45
    assert drawn(fig)


def test_the_eigenbasis_shows_signs_as_shapes():
    spectrum = graph_spectrum(ARM)
    fig = eigenbasis_figure(ARM, spectrum, 3)
    assert [ax.get_title() for ax in fig.axes] == ["k = 3, λ = 1.781", "k = 2, λ = 1.000", "k = 1, λ = −0.281"]
    marks = {to_rgba(c): [] for c in (POSITIVE, NEGATIVE, ZERO)}
    for dots in fig.axes[1].findobj(PathCollection)[1:]:
        marks[tuple(dots.get_facecolor()[0])] += dots.get_offsets().tolist()
    pose = rest_pose(ARM).tolist()
    assert list(marks.values()) == [[pose[0]], [pose[2]], [pose[1]]]
    assert not any("share λ" in t for t in texts(fig))


@pytest.mark.parametrize("skeleton", LAYOUTS.values(), ids=lambda s: s.name)
def test_the_eigenbasis_of_every_layout_marks_shared_eigenvalues(skeleton):
    spectrum = graph_spectrum(with_edge_list(skeleton))
    titles = [t for t in texts(eigenbasis_figure(skeleton, spectrum, 9)) if t.startswith("k = ")]
    space = spectrum.eigenspaces
    for title, k in zip(titles, range(skeleton.n_joints - 1, -1, -1), strict=False):
        assert title.endswith("*") == ((space == space[k]).sum() > 1)
    assert len(titles) == 9


def test_the_filter_figure_shows_its_table():
    table = filter_table(np.array([-1.0, 0.8, 1, 2]), np.array([0.1, 0.2, 0.3, 0.4]), [1, 2, 3])
    fig = filter_figure(table)
    upper, lower, side = fig.axes
    assert upper.get_lines()[1].get_ydata().tolist() == pytest.approx([0.25, 0.16, 0.25, 1])
    assert [b.get_height() for b in lower.patches] == [0.1, 0.2, 0.3, 0.4]
    assert [b.get_width() for b in side.patches] == pytest.approx([0.4, 0.4, 0.4])
    assert [t.get_text() for t in side.get_yticklabels()] == ["1", "2", "3"]
    assert percent(0.4, 1) in texts(fig)


def test_tables_that_were_written_and_read_give_the_same_picture(rng, tmp_path):
    """A figure needs nothing but its table: the same bytes come from the recorded CSV."""
    table = energy_table(4, rng)
    table.to_csv(tmp_path / "table.csv", index=False, float_format="%.10g")
    again = pd.read_csv(tmp_path / "table.csv", keep_default_na=False)
    assert drawn(energy_figure(again, 2)) == drawn(energy_figure(table, 2))
