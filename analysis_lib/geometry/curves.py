"""Label smoothness over layers: the curve of each class and super-class, its intervals, its shape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.sampling import left_out_groups
from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.geometry.layerwise import LayerGraph
from analysis_lib.geometry.smoothness import (
    class_smoothness,
    group_means,
    label_smoothness,
    resampled_smoothness,
    smoothness_interval,
)
from analysis_lib.statistics.intervals import jackknife_draws, left_out, percentile_interval

#: name of the rows that speak of all super-classes at once
EVERY = "every super-class"
COLUMNS = ("layer", "layer_name", "level", "group", "name", "clips", "q", "low", "high", "raw", "per_clip", "chance")


@dataclass(frozen=True, eq=False)
class Curves:
    """Label smoothness of every class at every layer, and what it might be for other clips or people.

    Attributes
    ----------
    classes : DataFrame
        One row a layer and class, as `class_smoothness` has them, with layer, layer_name and name.
    groups : list of str
        Super-class of each class that has clips.
    q : ndarray, shape (L, n_classes)
    replicates : ndarray, shape (L, n_replicates, n_classes)
        The same clips or people at every layer, so that an interval over layers is that of a paired difference.
    """

    classes: pd.DataFrame
    groups: Sequence[str]
    q: np.ndarray
    replicates: np.ndarray


def label_curves(
    layers: Sequence[LayerGraph],
    data: SkeletonDataset,
    n_bootstrap: int = 500,
    seed: int = 0,
    people: np.ndarray | None = None,
) -> Curves:
    """Return label smoothness at every layer.

    Parameters
    ----------
    layers : sequence of LayerGraph
        From `analysis_lib.geometry.layerwise.dataset_graphs`, the input first.
    data : SkeletonDataset
        The clips that are the nodes.
    n_bootstrap, seed, people
        As for `redrawn_smoothness`.
    """
    present = np.unique(data.labels)
    groups, names = ([of[c] for c in present] for of in (data.groups, data.class_names))
    classes, read = [], []
    for layer in layers:
        table = class_smoothness(layer.graph, data.labels, groups)
        classes.append(table.assign(name=names, layer=layer.layer, layer_name=layer.name))
        read.append(redrawn_smoothness(layer, data.labels, n_bootstrap, seed, people))
    q, replicates = map(np.stack, zip(*read, strict=True))
    return Curves(pd.concat(classes, ignore_index=True), groups, q, replicates)


def redrawn_smoothness(
    layer: LayerGraph, labels: np.ndarray, n: int = 500, seed: int = 0, people: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return label smoothness of a graph, (C,), and what it might be for other clips or people, (n, C).

    Clips of one person are alike, and neighbours of each other: what is found of some people is less sure than the
    number of their clips says.

    Parameters
    ----------
    layer : LayerGraph
    labels : int ndarray, shape (m,)
    n, seed : int
        Draws, and what they come from: equal ones are of the same clips or people on every graph of these clips.
    people : ndarray, shape (m,), optional
        Who is seen in each clip, from `drawn_again`. One after another is left out, the graph of the others' clips
        built anew (`LayerGraph.among`), and `analysis_lib.statistics.intervals.jackknife_draws` draws from that.
        Without it, clips are drawn again within their class, on the graph as it is
        (`analysis_lib.geometry.smoothness.resampled_smoothness`).
    """
    if people is None:
        return resampled_smoothness(layer.graph, labels, n, seed)
    q = label_smoothness(layer.graph, labels)
    without = left_out(people, lambda kept: label_smoothness(layer.among(kept), labels[kept]))
    return q, jackknife_draws(q, without, n, np.random.default_rng(seed))


def drawn_again(data: SkeletonDataset, wanted: str) -> tuple[np.ndarray | None, str]:
    """Return who is left out in turn for intervals, (n,), None if clips are drawn, and a sentence that says so.

    People are left out where `analysis_lib.datasets.sampling.left_out_groups` finds some; where it does not, clips are
    drawn.

    Parameters
    ----------
    data : SkeletonDataset
    wanted : {"people", "clips"}

    Raises
    ------
    UserError
        If something else is wanted.

    Examples
    --------
    >>> from analysis_lib.datasets.catalogue import load_dataset
    >>> drawn_again(load_dataset("synthetic"), "clips")
    (None, 'Intervals: bootstrap over the clips of each action.')
    """
    if wanted not in ("people", "clips"):
        raise unknown_choice("resampling", wanted, ("people", "clips"))
    try:
        groups, what = left_out_groups(data)
    except UserError:
        groups, what = data.subjects, "clips"
    if wanted == "people" == what:
        return groups, f"Intervals: jackknife, one of {len(np.unique(groups))} people left out after another."
    why = (
        "" if wanted == "clips" else "; people are not known, are fewer than three, or one is the only one of an action"
    )
    return None, f"Intervals: bootstrap over the clips of each action{why}."


def smoothness_table(curves: Curves) -> pd.DataFrame:
    """Return the label smoothness of every class and super-class at every layer.

    Returns
    -------
    DataFrame
        Columns layer, layer_name, level (``"class"`` or ``"group"``), group, name, clips, q (share
        of edge weight that leaves the class), low, high (95 % interval), raw (quadratic form),
        per_clip, chance (q of random labels). A super-class is the unweighted mean of its classes.
    """
    by_replicate = np.moveaxis(curves.replicates, 1, 0)
    classes = curves.classes.rename(columns={"normalised": "q"}).assign(level="class")
    measures = {"clips": "sum"} | dict.fromkeys(("q", "raw", "per_clip", "chance"), "mean")
    groups = classes.groupby(["layer", "layer_name", "group"], as_index=False).agg(measures)
    groups = groups.assign(name=groups["group"], level="group")
    for table, replicates in ((classes, by_replicate), (groups, group_means(by_replicate, curves.groups)[1])):
        bounds = map(np.ravel, smoothness_interval(replicates))
        table["low"], table["high"] = (np.clip(bound, 0, 1) for bound in bounds)  # as shares are
    both = pd.concat([groups, classes], ignore_index=True)
    return both.sort_values("layer", kind="stable", ignore_index=True)[list(COLUMNS)]


def shapes(curves: np.ndarray, boundary: int) -> dict[str, np.ndarray]:
    r"""Return what is said of curves of label smoothness, of layers 1..L.

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
        b; ``fall``: :math:`1 - q(L) / q(1)`. A ratio to zero is infinite, of zero to zero NaN.

    Examples
    --------
    >>> {k: v.item() for k, v in shapes(np.array([0.8, 0.8, 0.7, 0.2]), 3).items()}
    {'drop after': 3.0, 'drop': 0.5, 'early change': 0.2, 'fall': 0.75}
    """
    falls = -np.diff(curves, axis=-1)
    first, last, middle = curves[..., 0], curves[..., -1], curves[..., boundary - 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = {
            "drop after": falls.argmax(axis=-1) + 1.0,
            "drop": falls.max(axis=-1),
            "early change": np.abs(middle - first) / np.abs(last - middle),
            "fall": 1 - last / first,
        }
    return {name: np.round(value, 12) for name, value in found.items()}


def shape_table(curves: Curves, boundary: int) -> pd.DataFrame:
    """Return the shape of the curve of each super-class, and of all of them, with intervals.

    The input, layer 0, is left out.

    Parameters
    ----------
    curves : Curves
    boundary : int
        Layer that parts early from late; the last but one, if the network is not as deep.

    Returns
    -------
    DataFrame
        Columns group, statistic (keys of `shapes`), value, low, high (95 % percentile interval of
        the replicates that are finite), clips, boundary. For ``"every super-class"`` the drop is
        the earliest, with the smallest size, and the rest is of the mean curve. One layer has no
        shape: there are no rows.
    """
    columns = ["group", "statistic", "value", "low", "high", "clips", "boundary"]
    names, means = group_means(curves.q[1:], curves.groups)
    depth = len(means)
    if depth < 2:
        return pd.DataFrame(columns=columns)
    boundary = min(boundary, depth - 1)
    drawn = group_means(np.moveaxis(curves.replicates[1:], 1, 0), curves.groups)[1]
    found, again = (_with_all(np.moveaxis(q, -2, -1), names, boundary) for q in (means, drawn))
    clips = int(curves.classes["clips"].sum()) // len(curves.q)
    rows = [(*key, float(value), *percentile_interval(again[key]), clips, boundary) for key, value in found.items()]
    return pd.DataFrame(rows, columns=columns)


def _with_all(curves: np.ndarray, names: tuple[str, ...], boundary: int) -> Mapping[tuple[str, str], np.ndarray]:
    """Return the shapes of (..., groups, L) curves by group and statistic, and of all together."""
    each = shapes(curves, boundary)
    found = {(group, statistic): values[..., i] for i, group in enumerate(names) for statistic, values in each.items()}
    together = shapes(curves.mean(axis=-2), boundary)
    together |= {name: each[name].min(axis=-1) for name in ("drop after", "drop")}
    return found | {(EVERY, statistic): values for statistic, values in together.items()}
