"""Which layers to fine-tune, forecast from label variation alone, and what fine-tuning found.

Before anything is trained, the target's training clips go through the untouched network, and label
variation q is read layer by layer (`analysis_lib.geometry.layerwise`). With cut n the first L - n layers
stay, so their output is all that the learning layers are given. Two forecasts, low for good:

``"target's curve"``
    :math:`q_t(L - n)`: keep the layers up to where the target's labels vary least.
``"target's against source's"``
    :math:`q_t(L - n)\\, q_s(L) / q_s(L - n)`: layers that learn lower the target's variation by the
    same factor by which they lower the source's own.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from tqdm.auto import tqdm

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.sampling import sample_per_class
from analysis_lib.errors import UserError
from analysis_lib.geometry.layerwise import dataset_graphs, layer_embeddings
from analysis_lib.geometry.smoothness import class_smoothness
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.statistics import mean_interval
from analysis_lib.studies.transfer.accuracy import right_by_clip
from analysis_lib.warping.options import Warping

#: forecasts by name: (target's curve, source's curve, layers that stay) -> low for good
FORECASTS = {
    "target's curve": lambda target, source, kept: target[kept],
    "target's against source's": lambda target, source, kept: target[kept] * source[-1] / source[kept],
}


def size_curves(
    network: Checkpoint,
    data: SkeletonDataset,
    clips_per_class: Sequence[int],
    n_neighbors: int = 10,
    n_seeds: int = 2,
    seed: int = 0,
    how: Warping = Warping(),
    progress: bool = False,
) -> pd.DataFrame:
    """Return mean label variation of the classes by layer, on small sets of clips.

    The clips are those that `analysis_lib.studies.transfer.tables.transfer_table` draws from the same data.

    Parameters
    ----------
    clips_per_class : sequence of int
    n_neighbors : int
        Candidates of each node; on a smaller set, all other clips.
    how : Warping

    Returns
    -------
    DataFrame
        Columns clips_per_class, seed, layer, q.
    """
    rows = []
    jobs = [(size, s) for size in clips_per_class for s in range(seed, seed + n_seeds)]
    for size, s in tqdm(jobs, "label variation", disable=not progress):
        clips = data.take(sample_per_class(data.labels, size, s))
        embeddings = layer_embeddings(network, clips)
        for layer in dataset_graphs(embeddings, min(n_neighbors, len(clips) - 1), how=how):
            classes = class_smoothness(layer.graph, clips.labels)
            rows.append((size, s, layer.layer, classes["normalised"].mean()))
    return pd.DataFrame(rows, columns=["clips_per_class", "seed", "layer", "q"])


def forecast_table(target: pd.DataFrame, source: pd.DataFrame, cuts: Sequence[int]) -> pd.DataFrame:
    """Return each forecast of every cut at every set size, from means over seeds.

    Parameters
    ----------
    target, source : DataFrame
        From `size_curves`.
    cuts : sequence of int

    Returns
    -------
    DataFrame
        Columns clips_per_class, cut, forecast, value (low for good).
    """
    curves = [t.groupby(["clips_per_class", "layer"])["q"].mean().unstack() for t in (target, source)]
    rows = []
    for size in curves[0].index:
        q_target, q_source = (curve.loc[size].to_numpy() for curve in curves)
        depth = len(q_target) - 1
        if bad := [cut for cut in cuts if not 0 <= cut <= depth]:
            raise UserError(f"cut {bad[0]}: the curve has {depth} layers")
        for name, forecast in FORECASTS.items():
            rows += [(size, cut, name, forecast(q_target, q_source, depth - cut)) for cut in cuts]
    return pd.DataFrame(rows, columns=["clips_per_class", "cut", "forecast", "value"])


def choice_table(
    forecasts: pd.DataFrame, predictions: pd.DataFrame, n_bootstrap: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Return what each way to choose a cut would have cost, against the cut that came out best.

    Fixed rules (always the same cut) stand beside the forecasts. The best cut is the one of highest
    accuracy on the test clips: nobody could have chosen it beforehand.

    Parameters
    ----------
    forecasts : DataFrame
        From `forecast_table`.
    predictions : DataFrame
        From `analysis_lib.studies.transfer.tables.transfer_table`.
    n_bootstrap : int
        Test clips drawn anew, the same for both cuts, behind the interval of the loss.

    Returns
    -------
    DataFrame
        Columns clips_per_class, rule, is_forecast, cut (chosen), accuracy, best_cut, best_accuracy,
        lost (of accuracy, against the best cut) with low and high, rho (Spearman's correlation over
        the cuts of the forecast's order with that of accuracy; for forecasts of three cuts or more).
    """
    found = {
        (keys["clips_per_class"], keys["cut"]): right
        for keys, right in right_by_clip(predictions)
        if keys["case"] != "scratch"
    }
    rows = []
    for size, part in forecasts.groupby("clips_per_class", sort=True):
        cuts = sorted(part["cut"].unique())
        accuracy = {cut: found[size, cut].mean() for cut in cuts}
        best = max(cuts, key=accuracy.get)
        ways = {f"always cut {cut}": (cut, None) for cut in cuts}
        for name, values in part.groupby("forecast", sort=False):
            values = values.set_index("cut")["value"]
            ways[name] = (values.idxmin(), _agreement(-values, accuracy))
        for rule, (cut, rho) in ways.items():
            lost = mean_interval(found[size, best] - found[size, cut], seed, n_bootstrap)
            rows.append(
                {
                    "clips_per_class": size,
                    "rule": rule,
                    "is_forecast": rho is not None,
                    "cut": cut,
                    "accuracy": accuracy[cut],
                    "best_cut": best,
                    "best_accuracy": accuracy[best],
                    "lost": lost["mean"],
                    "low": lost["low"],
                    "high": lost["high"],
                    "rho": rho,
                }
            )
    return pd.DataFrame(rows).astype({"rho": float})


def _agreement(values: pd.Series, accuracy: dict[int, float]) -> float:
    """Return Spearman's correlation over the cuts; nan for fewer than three, or if one is flat."""
    pairs = np.array([(values[cut], accuracy[cut]) for cut in values.index])
    if len(pairs) < 3 or (np.ptp(pairs, axis=0) == 0).any():
        return float("nan")
    return float(spearmanr(*pairs.T).statistic)
