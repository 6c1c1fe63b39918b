"""Label variation on six clips: a picture and a sentence that a reader follows by hand."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from analysis_lib.geometry.smoothness import label_smoothness
from analysis_lib.plots.style import COLOURS, INK, use_style
from analysis_lib.words import listed, number

LABELS = np.array([0, 0, 0, 1, 1, 1])
CLASSES = ("A", "B")
#: weight of each edge, between two clips
EDGES = {(0, 1): 0.5, (1, 2): 0.5, (0, 2): 0.5, (3, 4): 0.5, (4, 5): 0.5, (1, 3): 0.25, (2, 3): 0.5}
_PLACES = np.array([(0, 0.5), (1, 1), (1, 0), (2.6, 0.5), (3.6, 1), (3.6, 0)])


def weights() -> np.ndarray:
    """Return the symmetric matrix of the weights, shape (6, 6)."""
    graph = np.zeros((6, 6))
    for (i, j), weight in EDGES.items():
        graph[i, j] = graph[j, i] = weight
    return graph


def sentence(graph: np.ndarray) -> str:
    """Return how the label variation of each class comes about.

    >>> "0.75 of it (0.25 and 0.5) ends at another action, so that q = 0.75 / 3.75 = 0.20" in sentence(weights())
    True
    """
    said = []
    for c, q in enumerate(label_smoothness(graph, LABELS)):
        own = graph[c == LABELS]
        out = own[:, c != LABELS]
        leaving = listed(f"{w:g}" for w in out[out > 0])
        said.append(
            f"The edges of the {CLASSES[c]} clips have weights that add up to {own.sum():g}, counted at each "
            f"{CLASSES[c]} clip; {out.sum():g} of it ({leaving}) ends at another action, so that q = {out.sum():g} / "
            f"{own.sum():g} = {number(q)}."
        )
    return " ".join(said)


def picture(graph: np.ndarray) -> Figure:
    """Draw the six clips and their edges, those between the actions dashed."""
    use_style()
    figure, axes = plt.subplots(figsize=(5.2, 1.9))
    for i, j in zip(*np.nonzero(np.triu(graph)), strict=True):
        ends, apart = _PLACES[[i, j]], LABELS[i] != LABELS[j]
        axes.plot(*ends.T, color=INK, lw=4 * graph[i, j], ls="--" if apart else "-", zorder=1)
        axes.annotate(f"{graph[i, j]:g}", ends.mean(0), ha="center", va="center", fontsize=9, color=INK).set_bbox(
            {"facecolor": "white", "edgecolor": "none", "pad": 1}
        )
    for (x, y), label in zip(_PLACES, LABELS, strict=True):
        axes.plot(x, y, "os"[label], markersize=21, color=COLOURS[(3, 4)[label]], zorder=2)
        axes.annotate(CLASSES[label], (x, y), ha="center", va="center", color="white", fontsize=11, zorder=3)
    axes.set(xlim=(-0.4, 4), ylim=(-0.35, 1.35))
    axes.axis("off")
    return figure
