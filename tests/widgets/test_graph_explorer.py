"""Controls of a graph: what they say is what is asked for, and a picture says in words what it shows."""

import base64

import matplotlib.pyplot as plt
import pytest

from analysis_lib.widgets import graph_explorer
from analysis_lib.widgets.graph_explorer import display_figure, graph_controls

GRAPHS = {"nnk": "NNK", "knn": "k-NN"}


def test_controls_ask_for_what_they_say():
    asked = []
    box = graph_controls(lambda **chosen: asked.append(chosen), ["input", "layer 1"], 15, 40, 2, "nnk", GRAPHS)
    layer, neighbours, windows, graph = box.children[0].children
    assert asked == [{"layer": 1, "n_neighbors": 14, "n_windows": 2, "graph": "nnk"}]
    assert not neighbours.continuous_update
    assert not windows.continuous_update
    layer.value = 0
    neighbours.value, graph.value, windows.value = 3, "knn", 4
    assert len(asked) == 5
    assert asked[-1] == {"layer": 0, "n_neighbors": 3, "n_windows": 4, "graph": "knn"}


@pytest.mark.parametrize(("asked", "most"), [(2, 8), (11, 11)])
def test_more_windows_than_usual_may_be_asked_for(asked, most):
    windows = graph_controls(lambda **chosen: None, ["input"], 99, 5, asked, "knn", GRAPHS).children[0].children[2]
    assert (windows.value, windows.max) == (asked, most)


def test_a_figure_is_displayed_with_its_words_and_closed(monkeypatch):
    shown = []
    monkeypatch.setattr(graph_explorer, "display", lambda data, **how: shown.append(data))
    display_figure(plt.figure(), "nothing at all")
    assert base64.b64decode(shown[0]["image/png"]).startswith(b"\x89PNG")
    assert shown[0]["text/plain"] == "nothing at all"
    assert plt.get_fignums() == []
