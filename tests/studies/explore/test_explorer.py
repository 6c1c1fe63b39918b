"""The explorer shows the layer that its controls name; its bars are its table."""

import numpy as np
import pytest

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.geometry.embeddings import Embeddings
from analysis_lib.geometry.layerwise import layer_graph
from analysis_lib.geometry.smoothness import label_smoothness
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.studies.explore import explorer
from analysis_lib.studies.explore.figures import plot_class_variation
from analysis_lib.studies.explore.tables import class_table
from analysis_lib.warping.options import Warping

STICK = Skeleton("stick", ("foot", "knee", "hip"), ((0, 1), (1, 2)), centre=2)
GROUPS = {"kick": "lower", "jump": "lower", "nod": "upper", "wave": "upper"}


@pytest.fixture
def data():
    clips = [np.ones((1, 8, 3, 3))] * 15
    return SkeletonDataset("toy", STICK, clips, np.repeat([0, 1, 3], 5), tuple(GROUPS), tuple(GROUPS.values()))


@pytest.fixture
def embeddings(rng, data):
    """Return a layer that mixes the classes, and one that keeps them nearly apart."""
    mixed = rng.uniform(0.4, 0.6, size=(15, 8, 5)).astype(np.float32)
    apart = (np.eye(5)[data.labels][:, None] + 0.3 * mixed).astype(np.float32)
    return Embeddings(("input", "deep"), (mixed, apart), (np.full(15, 8),) * 2)


def test_the_class_table_reads_the_graph(embeddings, data):
    layer = layer_graph(embeddings, 1, 4)
    table = class_table(layer, data)
    q = dict(zip(("kick", "jump", "wave"), label_smoothness(layer.graph, data.labels), strict=True))
    assert dict(zip(table["class"], table["q"], strict=True)) == pytest.approx(q)
    assert table["q"].is_monotonic_decreasing
    assert table["group"].tolist() == [GROUPS[name] for name in table["class"]]


@pytest.mark.usefixtures("drawn_whole")
def test_bars_are_as_long_as_the_label_variation(embeddings, data):
    table = class_table(layer_graph(embeddings, 0, 4), data)
    (axes,) = plot_class_variation(table).axes
    bars = {round(b.get_y() + b.get_height() / 2): b.get_width() for b in axes.patches}
    assert [bars[i] for i in range(3)] == pytest.approx(table["q"])
    assert [t.get_text() for t in axes.get_yticklabels()] == table["class"].tolist()
    assert axes.lines[0].get_xdata() == pytest.approx([2 / 3] * 3)


@pytest.mark.usefixtures("drawn_whole")
def test_the_layer_that_is_named_is_shown(embeddings, data, monkeypatch):
    said = []
    monkeypatch.setattr(explorer, "display_figure", lambda figure, text: said.append(text))
    box = explorer.layer_explorer(embeddings, data, n_neighbors=40, how=Warping(2))
    layer, neighbours, windows, graph = box.children[0].children

    def expected(*args, how):
        q = class_table(layer_graph(embeddings, *args, how=how), data)["q"].mean()
        return f"variation of 3 classes {q:.2f}"

    assert said[-2].startswith("Dataset graph of layer 1: 15 clips")
    assert expected(1, 14, how=Warping(2)) in said[-1]
    layer.value = 0
    assert said[-1].startswith("Label variation by class at the input: from ")
    neighbours.value, graph.value, windows.value = 3, "knn", 4
    assert expected(0, 3, "knn", how=Warping(4)) in said[-2]
    assert len(said) == 2 * 5
