"""The shape of label variation over layers: how far it falls, where most, and how surely."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.errors import UserError
from analysis_lib.geometry.layerwise import LayerGraph
from analysis_lib.geometry.smoothness import class_smoothness, group_means
from analysis_lib.geometry.smoothness_bootstrap import bootstrap_smoothness

#: name of the rows that speak of all super-classes at once
EVERY = "every super-class"


def shapes(curves: np.ndarray, boundary: int) -> dict[str, np.ndarray]:
    r"""Return what is said of curves of label variation, of layers 1..L.

    Parameters
    ----------
    curves : ndarray, shape (..., L)
    boundary : int
        A layer from 1 to L - 1.

    Returns
    -------
    dict of str to ndarray, shape (...)
        ``drop after``: the layer l with the largest :math:`q(l) - q(l + 1)`, the first of equals;
        ``drop``: its size; ``early change``: :math:`|q(b) - q(1)| / |q(L) - q(b)|` for the boundary
        b; ``fall``: :math:`1 - q(L) / q(1)`.

    Examples
    --------
    >>> {k: v.item() for k, v in shapes(np.array([0.8, 0.8, 0.7, 0.2]), 3).items()}
    {'drop after': 3.0, 'drop': 0.5, 'early change': 0.2, 'fall': 0.75}
    """
    falls = -np.diff(curves, axis=-1)
    first, last, middle = curves[..., 0], curves[..., -1], curves[..., boundary - 1]
    early, late = np.abs(middle - first), np.abs(last - middle)
    found = {
        "drop after": falls.argmax(axis=-1) + 1.0,
        "drop": falls.max(axis=-1),
        "early change": np.divide(early, late, out=np.full(early.shape, np.inf), where=late > 0),
        "fall": 1 - last / first,
    }
    return {name: np.round(value, 12) for name, value in found.items()}


def shape_table(
    layers: list[LayerGraph], data: SkeletonDataset, n_bootstrap: int = 500, seed: int = 0, boundary: int = 8
) -> pd.DataFrame:
    """Return the shape of the curve of each super-class, and of all of them, with intervals.

    Layers are read on the same clips drawn again, so that an interval is that of a paired
    difference. The input, layer 0, is left out.

    Parameters
    ----------
    layers : list of LayerGraph
        From `analysis_lib.geometry.layerwise.dataset_graphs`, the input first.
    data : SkeletonDataset
        The clips that are the nodes.
    n_bootstrap, seed : int
        As for `analysis_lib.geometry.layerwise.smoothness_table`.
    boundary : int
        Layer that parts early from late; the last but one, if the network is not as deep.

    Returns
    -------
    DataFrame
        Columns group, statistic (keys of `shapes`), value, low, high (95 % percentile interval),
        clips, boundary. For ``"every super-class"`` the drop is the earliest, with the smallest
        size, and the rest is of the mean curve.

    Raises
    ------
    UserError
        If there are fewer than two layers besides the input.
    """
    if len(layers) < 3:
        raise UserError(f"the shape of a curve needs two layers, got {len(layers) - 1}")
    boundary = min(boundary, len(layers) - 2)
    groups = [data.groups[c] for c in np.unique(data.labels)]
    curves, drawn = [], []
    for layer in layers[1:]:
        classes = class_smoothness(layer.graph, data.labels)["normalised"].to_numpy()
        names, means = group_means(classes, groups)
        replicates = bootstrap_smoothness(layer.graph, data.labels, np.random.default_rng(seed), n_bootstrap)
        curves.append(means)
        drawn.append(group_means(replicates, groups)[1])
    found, again = (_with_all(np.moveaxis(np.array(q), 0, -1), names, boundary) for q in (curves, drawn))
    rows = []
    for (group, statistic), value in found.items():
        values = again[group, statistic]
        low, high = np.quantile(values[np.isfinite(values)], [0.025, 0.975])
        rows.append((group, statistic, float(value), low, high, len(data), boundary))
    columns = ["group", "statistic", "value", "low", "high", "clips", "boundary"]
    return pd.DataFrame(rows, columns=columns)


def _with_all(curves: np.ndarray, names: tuple[str, ...], boundary: int) -> Mapping[tuple[str, str], np.ndarray]:
    """Return the shapes of (..., groups, L) curves by group and statistic, and of all together."""
    each = shapes(curves, boundary)
    found = {(group, statistic): values[..., i] for i, group in enumerate(names) for statistic, values in each.items()}
    together = shapes(curves.mean(axis=-2), boundary) | {
        name: each[name].min(axis=-1) for name in ("drop after", "drop")
    }
    return found | {(EVERY, statistic): values for statistic, values in together.items()}
