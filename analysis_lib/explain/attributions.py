"""Layerwise GradCAM of a dataset as tidy tables: by layer, time slice, joint and class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import clip_tensors
from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.explain.gradcam import SliceMaps, gradcam_slices
from analysis_lib.explain.maps import scaled
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.statistics import rank_correlation

#: column of `importance_table` that holds each normalisation
NORM_COLUMNS = {"none": "importance", "layer": "layer_scaled", "global": "global_scaled"}

#: random halvings of the clips of a class behind ``repeat`` of `layer_table`
N_HALVINGS = 20


@dataclass(frozen=True)
class Attributions:
    """A network's importance maps of the clips of a dataset.

    Attributes
    ----------
    network : Checkpoint
    data : SkeletonDataset
        The clips that have maps.
    maps : SliceMaps
        One row a clip of ``data``.
    options : mapping
        How the maps were made: ``variant``, ``n_slices``, ...
    """

    network: Checkpoint
    data: SkeletonDataset
    maps: SliceMaps
    options: Mapping[str, object]

    @property
    def correct(self) -> np.ndarray:
        """Whether the network names each clip rightly, bool of shape (n,)."""
        return self.maps.scores.argmax(axis=1) == self.data.labels


def attributions(
    network: Checkpoint, data: SkeletonDataset, target: str = "true", correct_only: bool = False, **options
) -> Attributions:
    """Return the importance maps of all clips at all layers.

    Parameters
    ----------
    network : Checkpoint
    data : SkeletonDataset
        The clips to explain: a split, or a sample of it.
    target : str
        Class whose score is explained: ``"true"``, ``"predicted"``, or the name of one class.
    correct_only : bool
        Keep only the clips that the network names rightly.
    **options
        ``counterfactual``, ``variant``, ``n_slices``, ``body``, ``batch_size`` and ``progress`` of
        `analysis_lib.explain.gradcam.gradcam_slices`.

    Raises
    ------
    UserError
        If there is no such class, or no clip is named rightly.
    """
    if target not in ("true", "predicted", *data.class_names):
        raise unknown_choice("target", target, ("true", "predicted", *data.class_names))
    explained = data.class_names.index(target) if target in data.class_names else target
    x, lengths = clip_tensors(data, network.preprocessing)
    maps = gradcam_slices(network.model, x, lengths, network.layers, data.labels, target=explained, **options)
    result = Attributions(network, data, maps, options)
    if not correct_only:
        return result
    kept = np.flatnonzero(result.correct)
    if not len(kept):
        raise UserError(
            f"network '{network.name}' names none of the {len(data)} clips rightly; set correct_only to False"
        )
    return replace(result, data=data.take(kept), maps=maps.take(kept))


def class_indices(data: SkeletonDataset, names: Sequence[str]) -> list[int]:
    """Return the numbers of some classes; without names, of all that have clips.

    Raises
    ------
    UserError
        If a class does not exist, or has no clip (those that have are listed).
    """
    present = [data.class_names[c] for c in np.unique(data.labels)]
    for name in names:
        if name not in data.class_names:
            raise unknown_choice(f"class of '{data.name}'", name, data.class_names)
        if name not in present:
            raise UserError(
                f"class '{name}' has no clip among the {len(data)} that are explained; "
                f"classes with clips: {', '.join(present)}"
            )
    return [data.class_names.index(name) for name in names or present]


def clips_of(data: SkeletonDataset, names: Sequence[str]) -> np.ndarray:
    """Return the positions of the clips of some classes."""
    return np.flatnonzero(np.isin(data.labels, class_indices(data, names)))


def class_maps(found: Attributions, c: int) -> np.ndarray:
    """Return the mean importance over the clips of class c, shape (L, n_slices, V)."""
    return found.maps.importance[found.data.labels == c].mean(axis=0, dtype=np.float64)


def importance_table(found: Attributions, classes: Sequence[str] = ()) -> pd.DataFrame:
    """Return the mean importance of every joint by class, layer and time slice.

    Parameters
    ----------
    found : Attributions
    classes : sequence of str
        All that have clips where none is named.

    Returns
    -------
    DataFrame
        Columns class, group, clips, layer (from 1), layer_name, slice (from 1), joint, importance
        (in units of the score), and the same scaled to 0..1 (`analysis_lib.explain.maps.scaled`)
        within the class's layer, ``layer_scaled``, and within the class, ``global_scaled``.
    """
    data, tables = found.data, []
    for c in class_indices(data, classes):
        maps = class_maps(found, c)
        axes = (found.maps.layers, range(1, maps.shape[1] + 1), data.skeleton.joints)
        table = pd.MultiIndex.from_product(axes, names=["layer_name", "slice", "joint"]).to_frame()
        columns = {column: scaled(maps, norm).ravel() for norm, column in NORM_COLUMNS.items()}
        layer = np.repeat(range(1, len(maps) + 1), maps[0].size)
        tables.append(table.assign(**_class_columns(data, c), layer=layer, **columns))
    first = ["class", "group", "clips", "layer", "layer_name", "slice", "joint"]
    return pd.concat(tables, ignore_index=True)[[*first, *NORM_COLUMNS.values()]]


def _class_columns(data: SkeletonDataset, c: int) -> dict:
    return {"class": data.class_names[c], "group": data.groups[c], "clips": int((data.labels == c).sum())}


def joint_table(found: Attributions, classes: Sequence[str] = (), layer: int = -1) -> pd.DataFrame:
    """Return the importance of every joint for every class at one layer, the last by default.

    Returns
    -------
    DataFrame
        Columns class, group, clips, joint, importance (mean over time and clips) and scaled (0..1
        within the class).
    """
    tables = []
    for c in class_indices(found.data, classes):
        mean = class_maps(found, c)[layer].mean(axis=0)
        tables.append(
            pd.DataFrame(
                {
                    **_class_columns(found.data, c),
                    "joint": found.data.skeleton.joints,
                    "importance": mean,
                    "scaled": scaled(mean[None], "global")[0],
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def part_table(found: Attributions, classes: Sequence[str] = ()) -> pd.DataFrame:
    """Return which share of the importance lies on each body part, by class and layer.

    Returns
    -------
    DataFrame
        Columns class, group, clips, layer, part, share (of the importance), joints (the part's
        share of the joints, which is what an even map would give it). Maps that are zero
        throughout have no shares and are left out.
    """
    data, rows = found.data, []
    for c in class_indices(data, classes):
        for layer, maps in enumerate(class_maps(found, c), 1):
            joints = maps.sum(axis=0)
            rows += [
                {
                    **_class_columns(data, c),
                    "layer": layer,
                    "part": part,
                    "share": joints[list(index)].sum() / joints.sum(),
                    "joints": len(index) / len(joints),
                }
                for part, index in data.skeleton.parts.items()
                if joints.any()
            ]
    columns = ["class", "group", "clips", "layer", "part", "share", "joints"]
    return pd.DataFrame(rows, columns=columns)


def layer_table(found: Attributions, n_bootstrap: int = 200, seed: int = 0) -> pd.DataFrame:
    r"""Return how strong the maps of each layer are, and how much alike those of the classes.

    The mean falls with the number of places that share a score: early layers, which have more
    frames, look weaker than they are. The mass does not:

    .. math:: \text{mass}_l = \sum_{t < n_l} \sum_v H^l_{t,v} = n_l V \, \overline{H^l}

    Parameters
    ----------
    n_bootstrap, seed : int
        Replicates behind the 95 % intervals: clips drawn again within each class. Fewer distinct
        clips make noisier maps, so replicates are less alike throughout; the interval takes their
        spread, and its place from the sample.

    Returns
    -------
    DataFrame
        Columns layer, layer_name, mean, mass (both in units of the score, mean over clips),
        similarity (mean over pairs of classes of Spearman's correlation of their maps) with low
        and high, and repeat (that of two random halves of the clips of one class, mean over
        classes): noise repeats no more than it is alike.

    Raises
    ------
    UserError
        If there is only one class, or none with two clips.
    """
    labels, maps = found.data.labels, found.maps
    classes = class_indices(found.data, ())
    if len(classes) < 2:
        raise UserError("comparing the maps of classes needs clips of at least two classes")
    flat = maps.importance.reshape(*maps.importance.shape[:2], -1).astype(np.float64)
    rng, n_joints = np.random.default_rng(seed), maps.importance.shape[3]
    clips = [np.flatnonzero(labels == c) for c in classes]
    draws = [clips] + [[rng.choice(i, len(i)) for i in clips] for _ in range(n_bootstrap)]
    by_draw = np.array([_similarity(np.stack([flat[i].mean(axis=0) for i in draw])) for draw in draws])
    low, median, high = np.quantile(by_draw[1:], [0.025, 0.5, 0.975], axis=0)
    shift = by_draw[0] - median
    means = flat.mean(axis=2)
    repeat = np.mean([_repeat(flat, clips, rng) for _ in range(N_HALVINGS)], axis=0)
    return pd.DataFrame(
        {
            "layer": range(1, len(maps.layers) + 1),
            "layer_name": maps.layers,
            "mean": means.mean(axis=0),
            "mass": (means * maps.lengths * n_joints).mean(axis=0),
            "similarity": by_draw[0],
            "low": low + shift,
            "high": high + shift,
            "repeat": repeat,
        }
    )


def _repeat(flat: np.ndarray, clips: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Return the mean rank correlation of two random halves of each class, shape (L,)."""
    halves = [np.array_split(rng.permutation(i), 2) for i in clips if len(i) > 1]
    if not halves:
        raise UserError("how far a map repeats needs a class with at least two clips")
    one, other = (np.stack([flat[h[side]].mean(axis=0) for h in halves]) for side in (0, 1))
    return np.mean([rank_correlation(a, b) for a, b in zip(one, other, strict=True)], axis=0)


def _similarity(profiles: np.ndarray) -> np.ndarray:
    """Return the mean rank correlation of all pairs of classes, (classes, L, d) -> (L,)."""
    first, second = np.triu_indices(len(profiles), 1)
    return np.array([rank_correlation(p[first], p[second]).mean() for p in profiles.transpose(1, 0, 2)])


def front_clips(data: SkeletonDataset, classes: Sequence[str] = ()) -> list[int]:
    """Return for each class the position of the clip that is seen most from the front.

    Left and right are furthest apart in the picture there, in the mean of all pairs and frames.

    Parameters
    ----------
    classes : sequence of str
        All that have clips where none is named.
    """
    pairs = np.array(data.skeleton.pairs or [(0, 0)]).T

    def width(i):
        return np.abs(np.diff(data.sequences[i][0][:, pairs, 0], axis=1)).mean()

    return [int(max(np.flatnonzero(data.labels == c), key=width)) for c in class_indices(data, classes)]


def pose_table(data: SkeletonDataset, classes: Sequence[str] = (), n_slices: int = 3) -> pd.DataFrame:
    """Return where the joints of one clip a class are in the middle of each time slice.

    The clip is the one of `front_clips`.

    Returns
    -------
    DataFrame
        Columns class, clip, slice (from 1), joint, x, y (units of the data).
    """
    tables = []
    for i in front_clips(data, classes):
        x = data.sequences[i][0]
        for s in range(n_slices):
            pose = x[int((s + 0.5) * len(x) / n_slices)]
            tables.append(
                pd.DataFrame(
                    {
                        "class": data.class_names[data.labels[i]],
                        "clip": data.clips[i],
                        "slice": s + 1,
                        "joint": data.skeleton.joints,
                        "x": pose[:, 0],
                        "y": pose[:, 1],
                    }
                )
            )
    return pd.concat(tables, ignore_index=True)
