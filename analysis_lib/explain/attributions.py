"""What an attribution method says of a dataset, as tidy tables: by layer, time slice, joint and class."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pandas as pd

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import clip_tensors
from analysis_lib.datasets.sampling import class_indices
from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.explain.gradcam import GradCAM, in_one_pass
from analysis_lib.explain.method import Maps, Method
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.training.fit import check_classes
from analysis_lib.progress import progress_bar
from analysis_lib.statistics.intervals import percentile_interval
from analysis_lib.statistics.ranks import rank_correlation

#: column of `importance_table` that holds each normalisation
NORM_COLUMNS = {"none": "importance", "layer": "layer_scaled", "global": "global_scaled"}

#: random halvings of the clips of a class behind ``repeat`` of `layer_table`
N_HALVINGS = 20


@dataclass(frozen=True)
class Attribution:
    """Importance of every joint in a few time slices, at every layer, for the clips of a dataset.

    Attributes
    ----------
    network : Checkpoint
    data : SkeletonDataset
        The n clips that are explained.
    method : Method
    layers : tuple of str
        Those of `analysis_lib.explain.method.Maps`, as are ``scores``, ``targets``, ``gaps`` and ``mixed``.
    importance : float32 ndarray, shape (n, L, n_slices, V)
    lengths : int ndarray, shape (n, L)
        Valid frames at each layer.
    scores : float32 ndarray, shape (n, n_classes)
    targets : int ndarray, shape (n,)
    gaps : dict of str to ndarray, each of shape (n,)
    body : int
        Whose maps these are.
    """

    network: Checkpoint
    data: SkeletonDataset
    method: Method
    layers: tuple[str, ...]
    importance: np.ndarray
    lengths: np.ndarray
    scores: np.ndarray
    targets: np.ndarray
    gaps: dict[str, np.ndarray] = field(default_factory=dict)
    body: int = 0
    mixed: tuple[str, ...] = ()

    @property
    def correct(self) -> np.ndarray:
        """Whether the network names each clip rightly, bool of shape (n,)."""
        return self.scores.argmax(axis=1) == self.data.labels

    def check_joints(self, layer: int) -> None:
        """Raise UserError if a layer, by its position, says nothing of joints."""
        if self.layers[layer] in self.mixed:
            raise UserError(f"layer '{self.layers[layer]}' has no axis of joints: its maps say when, not where")

    def take(self, index: np.ndarray) -> "Attribution":
        """Return what is said of the clips at ``index``."""
        kept = {k: getattr(self, k)[index] for k in ("importance", "lengths", "scores", "targets")}
        gaps = {name: gap[index] for name, gap in self.gaps.items()}
        return replace(self, data=self.data.take(index), gaps=gaps, **kept)

    def again(self, network: Checkpoint) -> "Attribution":
        """Return what the method says of the same clips and classes where the network is another."""
        return explain(network, self.data, self.targets, self.method, self.importance.shape[2], self.body)


def explain(
    network: Checkpoint,
    data: SkeletonDataset,
    target: str | np.ndarray,
    method: Method,
    n_slices: int = 3,
    body: int = 0,
    correct_only: bool = False,
    batch_size: int = 8,
    progress: bool = False,
) -> Attribution:
    """Return what a method says of all clips, batch by batch.

    Parameters
    ----------
    network : Checkpoint
    data : SkeletonDataset
        The clips to explain: a split, or a sample of it.
    target : str or int ndarray of shape (n,)
        Class whose score is explained: ``"true"``, ``"predicted"``, the name of one class, or the
        number of one for each clip.
    method : Method
        For example `analysis_lib.explain.gradcam.GradCAM`.
    n_slices : int
        Parts of a clip's time.
    body : int
        Whose maps are kept; the one map where a layer has fused the bodies.
    correct_only : bool
        Keep only the clips that the network names rightly.

    Raises
    ------
    UserError
        If there is no such class or body, no clip is named rightly, or the method cannot explain
        the network.
    """
    ask = lambda *given: [method(*given)]  # noqa: E731
    how = (n_slices, body, correct_only, batch_size, progress)
    return _explained(network, data, target, [method], ask, *how)[0]


def explain_variants(
    network: Checkpoint,
    data: SkeletonDataset,
    target: str | np.ndarray,
    methods: Sequence[GradCAM],
    n_slices: int = 3,
    body: int = 0,
    correct_only: bool = False,
    batch_size: int = 8,
    progress: bool = False,
) -> list[Attribution]:
    """Return what several variants of GradCAM say of all clips, in the time of one.

    Parameters
    ----------
    methods : sequence of GradCAM
    network, data, target, n_slices, body, correct_only
        As for `explain`, which would say the same of each.

    Returns
    -------
    list of Attribution
        One a variant.

    Raises
    ------
    UserError
        As `explain`.
    """
    ask, how = partial(in_one_pass, methods), (n_slices, body, correct_only, batch_size, progress)
    return _explained(network, data, target, methods, ask, *how)


def _explained(
    network: Checkpoint,
    data: SkeletonDataset,
    target: str | np.ndarray,
    methods: Sequence[Method],
    ask: Callable[..., list[Maps]],
    n_slices: int,
    body: int,
    correct_only: bool,
    batch_size: int,
    progress: bool,
) -> list[Attribution]:
    """Return what methods say of all clips; ``ask`` gives the maps of a batch, those of one method after another."""
    x, lengths, wanted = _prepared(network, data, target)
    if not 0 <= body < x.shape[4]:
        raise UserError(f"body {body} does not exist; the clips have {x.shape[4]}")
    batches, importance = [], []
    for start in progress_bar(range(0, len(x), batch_size), type(methods[0]).__name__, progress):
        some = slice(start, start + batch_size)
        maps = ask(network, x[some], lengths[some], wanted if isinstance(wanted, str) else wanted[some])
        importance.append([of.by_slice(n_slices, body) for of in maps])
        batches.append([replace(of, maps=()) for of in maps])  # maps at every frame are large
    found = []
    for method, parts, whole in zip(methods, zip(*batches, strict=True), zip(*importance, strict=True), strict=True):
        frames, scores, targets = (
            np.concatenate(of)
            for of in zip(*((np.stack(p.lengths, 1), p.scores, p.targets) for p in parts), strict=True)
        )
        check_classes(scores.shape[1], data)
        gaps = {name: np.concatenate([p.gaps[name] for p in parts]) for name in parts[0].gaps}
        of = (parts[0].layers, np.concatenate(whole), frames, scores, targets, gaps, body, parts[0].mixed)
        found.append(Attribution(network, data, method, *of))
    correct = found[0].correct
    if correct_only and not correct.any():
        raise UserError(
            f"network '{network.name}' names none of the {len(data)} clips rightly; set correct_only to False"
        )
    return [one.take(np.flatnonzero(correct)) for one in found] if correct_only else found


def clip_maps(network: Checkpoint, data: SkeletonDataset, target: str, method: Method) -> Maps:
    """Return what a method says of a few clips at every frame; see `explain` for the parameters."""
    found = method(network, *_prepared(network, data, target))
    check_classes(found.scores.shape[1], data)
    return found


def _prepared(network: Checkpoint, data: SkeletonDataset, target: str | np.ndarray) -> tuple:
    """Return a network's input, the valid frames of its clips, and the classes that are explained."""
    x, lengths = clip_tensors(data, network.preprocessing)
    if not isinstance(target, str) or target == "predicted":
        return x, lengths, target
    if target == "true":
        return x, lengths, data.labels
    if target not in data.class_names:
        raise unknown_choice("target", target, ("true", "predicted", *data.class_names))
    return x, lengths, np.full(len(data), data.class_names.index(target))


def class_maps(found: Attribution, c: int) -> np.ndarray:
    """Return the mean importance over the clips of class c, shape (L, n_slices, V)."""
    return found.importance[found.data.labels == c].mean(axis=0, dtype=np.float64)


def scaled(importance: np.ndarray, norm: str) -> np.ndarray:
    """Return importance between 0 and 1 by its minimum and maximum, or as it is.

    Parameters
    ----------
    importance : ndarray, shape (L, ...)
    norm : {"layer", "global", "none"}
        ``"layer"`` scales each layer by itself and shows where; ``"global"`` all layers by one
        range and shows how much; ``"none"`` changes nothing. Without a range all is 0.

    Examples
    --------
    >>> scaled(np.array([[0.0, 1.0], [2.0, 4.0]]), "layer").tolist()
    [[0.0, 1.0], [0.0, 1.0]]
    >>> scaled(np.array([[0.0, 1.0], [2.0, 4.0]]), "global").tolist()
    [[0.0, 0.25], [0.5, 1.0]]
    """
    if norm not in NORM_COLUMNS:
        raise unknown_choice("norm", norm, NORM_COLUMNS)
    if norm == "none":
        return importance
    axes = tuple(range(norm == "layer", importance.ndim))
    low = importance.min(axis=axes, keepdims=True)
    span = importance.max(axis=axes, keepdims=True) - low
    return np.where(span > 0, (importance - low) / np.where(span > 0, span, 1), 0.0)


def importance_table(found: Attribution, classes: Sequence[str] = ()) -> pd.DataFrame:
    """Return the mean importance of every joint by class, layer and time slice.

    Parameters
    ----------
    found : Attribution
    classes : sequence of str
        All that have clips where none is named.

    Returns
    -------
    DataFrame
        Columns class, group, clips, layer (from 1), layer_name, slice (from 1), joint, importance
        (in units of the score), and the same scaled to 0..1 (`scaled`) within the class's layer,
        ``layer_scaled``, and within the class, ``global_scaled``.
    """
    data, tables = found.data, []
    for c in class_indices(data, classes):
        maps = class_maps(found, c)
        axes = (found.layers, range(1, maps.shape[1] + 1), data.skeleton.joints)
        table = pd.MultiIndex.from_product(axes, names=["layer_name", "slice", "joint"]).to_frame()
        columns = {column: scaled(maps, norm).ravel() for norm, column in NORM_COLUMNS.items()}
        layer = np.repeat(range(1, len(maps) + 1), maps[0].size)
        tables.append(table.assign(**_of_class(data, c), layer=layer, **columns))
    first = ["class", "group", "clips", "layer", "layer_name", "slice", "joint"]
    return pd.concat(tables, ignore_index=True)[[*first, *NORM_COLUMNS.values()]]


def _of_class(data: SkeletonDataset, c: int) -> dict:
    return {"class": data.class_names[c], "group": data.groups[c], "clips": int((data.labels == c).sum())}


def joint_table(found: Attribution, classes: Sequence[str] = (), layer: int = -1) -> pd.DataFrame:
    """Return the importance of every joint for every class at one layer, the last by default.

    Returns
    -------
    DataFrame
        Columns class, group, clips, joint, importance (mean over time and clips) and scaled (0..1
        within the class).
    """
    found.check_joints(layer)
    tables = []
    for c in class_indices(found.data, classes):
        mean = class_maps(found, c)[layer].mean(axis=0)
        columns = {"joint": found.data.skeleton.joints, "importance": mean, "scaled": scaled(mean, "global")}
        tables.append(pd.DataFrame({**_of_class(found.data, c), **columns}))
    return pd.concat(tables, ignore_index=True)


def part_table(found: Attribution, classes: Sequence[str] = ()) -> pd.DataFrame:
    """Return which share of the importance lies on each body part, by class and layer.

    Returns
    -------
    DataFrame
        Columns class, group, clips, layer, part, share (of the importance, of either sign), joints
        (the part's share of the joints, which is what an even map would give it). Where a skeleton
        names no parts, each joint is one. Maps that are zero throughout have no shares and are left out.
    """
    data, rows = found.data, []
    parts = data.skeleton.parts
    if len(parts) == 1:
        parts = {joint: (v,) for v, joint in enumerate(data.skeleton.joints)}
    for c in class_indices(data, classes):
        for layer, maps in enumerate(class_maps(found, c), 1):
            joints = np.abs(maps).sum(axis=0) * (found.layers[layer - 1] not in found.mixed)
            for part, index in parts.items() if joints.any() else ():
                share = joints[list(index)].sum() / joints.sum()
                row = {"layer": layer, "part": part, "share": share, "joints": len(index) / len(joints)}
                rows.append(_of_class(data, c) | row)
    return pd.DataFrame(rows, columns=["class", "group", "clips", "layer", "part", "share", "joints"])


def layer_table(found: Attribution, n_bootstrap: int = 200, seed: int = 0) -> pd.DataFrame:
    r"""Return how strong the maps of each layer are, and how much alike those of the classes.

    The mean falls with the number of places that share a score: early layers, which have more
    frames, look weaker than they are. The mass does not:

    .. math:: \text{mass}_l = \sum_{t < n_l} \sum_v |H^l_{t,v}| = n_l V \, \overline{|H^l|}

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
        classes; NaN where none has two clips): noise repeats no more than it is alike.

    Raises
    ------
    UserError
        If there is only one class.
    """
    classes = class_indices(found.data, ())
    if len(classes) < 2:
        raise UserError("comparing the maps of classes needs clips of at least two classes")
    n, n_layers, _, n_joints = found.importance.shape
    flat = found.importance.reshape(n, n_layers, -1).astype(np.float64)
    rng = np.random.default_rng(seed)
    clips = [np.flatnonzero(found.data.labels == c) for c in classes]
    draws = [clips] + [[rng.choice(i, len(i)) for i in clips] for _ in range(n_bootstrap)]
    by_draw = np.array([_similarity(np.stack([flat[i].mean(axis=0) for i in draw])) for draw in draws])
    low, high = percentile_interval(by_draw[1:])
    shift = by_draw[0] - np.median(by_draw[1:], axis=0)
    means = np.abs(flat).mean(axis=2)
    columns = {"layer": range(1, n_layers + 1), "layer_name": found.layers}
    columns |= {"mean": means.mean(axis=0), "mass": (means * found.lengths * n_joints).mean(axis=0)}
    columns |= {"similarity": by_draw[0], "low": low + shift, "high": high + shift}
    repeat = np.mean([_repeat(flat, clips, rng) for _ in range(N_HALVINGS)], axis=0)
    return pd.DataFrame(columns | {"repeat": repeat})


def _repeat(flat: np.ndarray, clips: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Return the mean rank correlation of two random halves of each class, shape (L,)."""
    halves = [np.array_split(rng.permutation(i), 2) for i in clips if len(i) > 1]
    if not halves:
        return np.full(flat.shape[1], np.nan)
    one, other = (np.stack([flat[h[side]].mean(axis=0) for h in halves]) for side in (0, 1))
    return np.mean([rank_correlation(a, b) for a, b in zip(one, other, strict=True)], axis=0)


def _similarity(profiles: np.ndarray) -> np.ndarray:
    """Return the mean rank correlation of all pairs of classes, (classes, L, d) -> (L,)."""
    first, second = np.triu_indices(len(profiles), 1)
    return np.array([rank_correlation(p[first], p[second]).mean() for p in profiles.transpose(1, 0, 2)])
