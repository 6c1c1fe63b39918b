"""Poses on which the maps of the GradCAM chapter are drawn; its other tables are those of any method."""

from collections.abc import Sequence

import pandas as pd

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.sampling import front_clips
from analysis_lib.datasets.upright import upright


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
