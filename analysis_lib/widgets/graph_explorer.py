"""Controls of a dataset graph: layer, neighbours, windows and kind of graph, and what they show."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO

import ipywidgets
import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.figure import Figure
from PIL import Image

from analysis_lib.plots.style import WIDTH

_MOST = {"neighbours": 50, "windows": 8}


def graph_controls(
    show: Callable[[int, int, int, str], None],
    layers: Sequence[str],
    n_clips: int,
    n_neighbors: int,
    n_windows: int,
    graph: str,
    graphs: Mapping[str, str],
) -> ipywidgets.VBox:
    """Return controls, and below them what is shown for what they say.

    In a live kernel every change shows anew. A static page shows the picture of the first choice.

    Parameters
    ----------
    show : callable
        Is called with ``layer``, ``n_neighbors``, ``n_windows`` and ``graph``, and displays a picture
        (`display_figure`).
    layers : sequence of str
        Their names in the menu; the last is shown first.
    n_clips : int
        Nodes of the graph: no node has more neighbours than there are others.
    n_neighbors, n_windows, graph
        What is shown first.
    graphs : mapping of str to str
        What each kind of graph is called on its button.
    """
    wide = {"style": {"description_width": "5.5em"}, "continuous_update": False}
    neighbours, windows = min(_MOST["neighbours"], n_clips - 1), max(n_windows, _MOST["windows"])
    menu = {"options": [(name, i) for i, name in enumerate(layers)], "value": len(layers) - 1}
    kinds = {"options": [(name, kind) for kind, name in graphs.items()], "value": graph}
    controls = {
        "layer": ipywidgets.Dropdown(**menu, description="Layer", style=wide["style"]),
        "n_neighbors": ipywidgets.IntSlider(
            min(n_neighbors, neighbours), 1, neighbours, description="Neighbours", **wide
        ),
        "n_windows": ipywidgets.IntSlider(n_windows, 1, windows, description="Windows", **wide),
        "graph": ipywidgets.ToggleButtons(**kinds, description="Graph", style={**wide["style"], "button_width": "5em"}),
    }
    shown = ipywidgets.interactive_output(show, controls)
    fitting = {"grid_template_columns": "repeat(auto-fit, minmax(19em, 1fr))", "width": "100%"}
    return ipywidgets.VBox([ipywidgets.GridBox(list(controls.values()), layout=fitting), shown])


def display_figure(figure: Figure, text: str) -> None:
    """Display a figure as a picture that says in words what it shows, and close it.

    The picture has at most 256 colours: it travels with the page, and is a third as large.
    """
    drawn, picture = BytesIO(), BytesIO()
    figure.savefig(drawn, format="png", dpi=160)
    plt.close(figure)
    Image.open(drawn).convert("RGB").quantize().save(picture, "PNG", optimize=True)
    shown = {"image/png": b64encode(picture.getvalue()).decode(), "text/plain": text}
    display(shown, raw=True, metadata={"image/png": {"width": 100 * WIDTH}})
