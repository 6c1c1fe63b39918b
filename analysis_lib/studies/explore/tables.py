"""Label variation of each class on one dataset graph."""

import numpy as np
import pandas as pd

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.geometry.layerwise import LayerGraph
from analysis_lib.geometry.smoothness import class_smoothness


def class_table(layer: LayerGraph, data: SkeletonDataset) -> pd.DataFrame:
    """Return the label variation of each class on one graph, the highest first.

    Returns
    -------
    DataFrame
        Columns class, group, clips, q, chance.
    """
    present = np.unique(data.labels)
    table = class_smoothness(layer.graph, data.labels, [data.groups[c] for c in present])
    table["class"] = [data.class_names[c] for c in present]
    table = table.rename(columns={"normalised": "q"})[["class", "group", "clips", "q", "chance"]]
    return table.sort_values("q", ascending=False, kind="stable", ignore_index=True)
