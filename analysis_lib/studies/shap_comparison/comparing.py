"""Several explanations of the same clips by one network: what the other tables of the chapter start from."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import clip_tensors
from analysis_lib.datasets.sampling import sample_per_class
from analysis_lib.datasets.synthetic.design import designed_joints
from analysis_lib.errors import UserError
from analysis_lib.explain import controls
from analysis_lib.explain.attributions import Attribution, explain
from analysis_lib.explain.masking import masking_baseline
from analysis_lib.explain.method import Method
from analysis_lib.explain.registry import TITLES
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.training.fit import predict
from analysis_lib.progress import progress_bar


@dataclass(frozen=True, eq=False)
class Comparison:
    """The clips that are explained, and what each method says of them.

    Attributes
    ----------
    network : Checkpoint
    found : dict of str to Attribution
        By title.
    x, lengths, targets : ndarray
        The clips as the network takes them, and the classes that are explained.
    masked : float32 ndarray, shape (N, C, T, V, M)
        The clips with every joint masked.
    own : bool ndarray, shape (n,)
        Clips whose class is what the network makes of the masked clip anyway: masking cannot tell.
    seconds : dict of str to float
        A clip.
    missing : dict of str to str
        Why a method could not explain.
    baseline : str
        How joints are masked.
    seed : int
    """

    network: Checkpoint
    found: dict[str, Attribution]
    x: np.ndarray
    lengths: np.ndarray
    targets: np.ndarray
    masked: np.ndarray
    own: np.ndarray
    seconds: dict[str, float]
    missing: dict[str, str]
    baseline: str = "average"
    seed: int = 0

    @property
    def data(self) -> SkeletonDataset:
        """The clips."""
        return next(iter(self.found.values())).data

    def few(self, n: int) -> np.ndarray:
        """Return so many clips, one at least, evenly apart."""
        if n < 1:
            raise UserError(f"at least one clip is needed, got {n}")
        return np.unique(np.linspace(0, len(self.x) - 1, min(n, len(self.x))).round().astype(int))


def compare(
    network: Checkpoint,
    data: SkeletonDataset,
    methods: Mapping[str, Method],
    target: str = "true",
    baseline: str = "average",
    n_slices: int = 4,
    seed: int = 0,
    progress: bool = False,
) -> Comparison:
    """Return what methods say of clips; one that cannot explain the network is told, not drawn.

    Raises
    ------
    UserError
        If no method can.
    """
    found, seconds, missing = {}, {}, {}
    for title, method in progress_bar(methods.items(), "methods", progress):
        start = time.perf_counter()
        try:
            found[title] = explain(network, data, target, method, n_slices)
        except UserError as error:
            missing[title] = str(error)
        seconds[title] = (time.perf_counter() - start) / len(data)
    if TITLES["shapley-in-time"] in seconds:  # the Shapley values that it takes were there already
        seconds[TITLES["shapley-in-time"]] += seconds.get(TITLES["shapley"], 0)
    if not found:
        raise UserError(f"no method can explain {network.name}: {next(iter(missing.values()))}")
    x, lengths = clip_tensors(data, network.preprocessing)
    targets = next(iter(found.values())).targets
    masked = masking_baseline(x, lengths, baseline, data.skeleton.centre)
    own = predict(network.model, masked).argmax(axis=1) == targets
    return Comparison(network, found, x, lengths, targets, masked, own, seconds, missing, baseline, seed)


def sample(data: SkeletonDataset, network: Checkpoint, n_per_class: int, seed: int = 0) -> SkeletonDataset:
    """Return clips of each class that the network names rightly; of all clips, if it names fewer than two so."""
    x, _ = clip_tensors(data, network.preprocessing)
    right = np.flatnonzero(predict(network.model, x).argmax(axis=1) == data.labels)
    right = right if len(right) > 1 else np.arange(len(data))
    return data.take(right[sample_per_class(data.labels[right], n_per_class, seed)])


def clip_table(comparison: Comparison) -> pd.DataFrame:
    """Return which clips are explained: clip, class, right (whether the network names it so)."""
    data = comparison.data
    right = predict(comparison.network.model, comparison.x).argmax(axis=1) == data.labels
    names = [data.class_names[c] for c in data.labels]
    return pd.DataFrame({"clip": range(len(data)), "class": names, "right": right})


def known_truth(data: SkeletonDataset) -> np.ndarray | None:
    """Return which joints move by design in each clip, bool (n, V), or None where nobody knows."""
    try:
        return designed_joints(data)
    except UserError:
        return None


def stillness_table(comparison: Comparison, others: np.ndarray) -> pd.DataFrame:
    """Return what the network makes of clips without movement (`analysis_lib.explain.controls.stillness_table`)."""
    found = next(iter(comparison.found.values()))
    return controls.stillness_table(found, comparison.baseline, others=others)


def seconds_table(comparison: Comparison) -> pd.DataFrame:
    """Return the time of a clip by method, as this comparison took it: method, seconds."""
    kept = {title: comparison.seconds[title] for title in comparison.found}
    return pd.DataFrame({"method": kept.keys(), "seconds": kept.values()})
