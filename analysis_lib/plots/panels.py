"""Figures of several panels: a grid of them, bars over seeds, and one key below for all."""

from collections.abc import Iterable

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis_lib.plots.style import INK, WIDTH
from analysis_lib.statistics.several_networks import SEEDS


def panels(count: int, columns: int, height: float, extra: float = 0.0, **options) -> tuple[Figure, list[Axes]]:
    """Return a figure as wide as the page and its panels, row by row; what is left of the last row stays empty.

    Parameters
    ----------
    count : int
    columns : int
        Most panels in a row.
    height, extra : float
        Of a row, and of what stands above and below all rows, in inches.
    **options
        Go to `matplotlib.pyplot.subplots`: ``sharey``, ...

    Examples
    --------
    >>> figure, axes = panels(5, columns=3, height=2.0, sharey=True)
    >>> len(axes), len(figure.axes), float(figure.get_figheight())
    (5, 6, 4.0)
    >>> plt.close(figure)
    """
    columns = min(columns, count)
    rows = -(-count // columns)
    figure, grid = plt.subplots(rows, columns, squeeze=False, figsize=(WIDTH, rows * height + extra), **options)
    for axes in grid.flat[count:]:
        axes.set_visible(False)
    return figure, list(grid.flat[:count])


def seed_bars(axes: Axes, x: np.ndarray, table: pd.DataFrame) -> None:
    """Draw a bar from the least to the most of networks of several seeds at each place; none where there is one.

    Parameters
    ----------
    table : DataFrame
        With the columns of `analysis_lib.statistics.several_networks.seed_range`.
    """
    if table["seeds_low"].notna().any():
        ends = (table[end].astype(float) for end in SEEDS)
        axes.vlines(x, *ends, color=INK, lw=1.6, zorder=3, label="least and most of several seeds")


def key_below(figure: Figure, axes: Iterable[Axes] = (), handles: Iterable[Artist] = (), most: int = 6) -> None:
    """Write one key of a whole figure below it: what panels have labelled, each label once, then ``handles``.

    Parameters
    ----------
    most : int
        Entries in a row.
    """
    labelled = [handle for one in axes for handle in one.get_legend_handles_labels()[0]]
    entries = {handle.get_label(): handle for handle in [*labelled, *handles]}
    if entries:
        figure.legend(entries.values(), entries, loc="outside lower left", ncols=min(most, len(entries)))
