"""Poses on which the maps of the GradCAM chapter are drawn, and its controls; other tables are those of any method."""

from collections.abc import Sequence

import pandas as pd

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.sampling import front_clips, sample_per_class
from analysis_lib.datasets.upright import upright
from analysis_lib.explain.attributions import Attribution
from analysis_lib.explain.controls import learnt_strength, stillness_table, swapped_targets
from analysis_lib.networks.training.recipes import siblings
from analysis_lib.networks.untrained import untrained_twins


def pose_table(data: SkeletonDataset, classes: Sequence[str] = (), n_slices: int = 3) -> pd.DataFrame:
    """Return where the joints of one clip a class are in the middle of each time slice.

    The clip is the one of `analysis_lib.datasets.sampling.front_clips`.

    Returns
    -------
    DataFrame
        Columns class, clip, slice (from 1), joint, x, y (units of the data, y up).
    """
    tables, data = [], upright(data)
    for i in front_clips(data, classes):
        x, whose = data.sequences[i][0], {"class": data.class_names[data.labels[i]], "clip": data.clips[i]}
        for s in range(n_slices):
            pose = x[int((s + 0.5) * len(x) / n_slices)]
            places = {"joint": data.skeleton.joints, "x": pose[:, 0], "y": pose[:, 1]}
            tables.append(pd.DataFrame({**whose, "slice": s + 1, **places}))
    return pd.concat(tables, ignore_index=True)


def untrained_tables(
    found: Attribution, name: str, train: SkeletonDataset, n_draws: int, n_per_class: int, late: int, seed: int = 0
) -> dict[str, pd.DataFrame]:
    """Return how strong layers are beside untrained networks (`analysis_lib.explain.controls.learnt_strength`).

    Shipped networks that differ by the seed alone stand beside them.

    Parameters
    ----------
    name : str
        By which the network was loaded (`analysis_lib.networks.training.recipes.other_seeds`).
    train : SkeletonDataset
        Training clips that give the untrained networks their batch statistics.
    n_draws, n_per_class : int
        Untrained networks, and clips of each class that they explain.

    Returns
    -------
    dict
        The two tables as ``strength`` and ``early``; none without draws.
    """
    if n_draws < 1:
        return {}
    clips = sample_per_class(found.data.labels, n_per_class, seed)
    twins = untrained_twins(found.network, train, n_draws, seed)
    strength, early = learnt_strength(found, twins, clips, late, seed, siblings(name, found.data))
    return {"strength": strength, "early": early}


def target_table(found: Attribution, n_per_class: int, seed: int = 0) -> pd.DataFrame:
    """Return whether maps follow the clip or the class, in so many clips of each class (`swapped_targets`)."""
    return swapped_targets(found, sample_per_class(found.data.labels, n_per_class, seed), seed)


def still_table(found: Attribution, baseline: str, n_per_class: int, seed: int = 0) -> pd.DataFrame:
    """Return what the network makes of the clips of the masking test where nobody moves (`stillness_table`)."""
    return stillness_table(found, baseline, sample_per_class(found.data.labels, n_per_class, seed))
