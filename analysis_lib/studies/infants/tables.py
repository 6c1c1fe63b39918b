"""A score for each infant, and what explanations of its windows say of the joints that fidget."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.metrics import roc_curve

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import clip_tensors
from analysis_lib.errors import DataError, UserError
from analysis_lib.explain.attributions import Attribution, explain
from analysis_lib.explain.method import Method
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.training.fit import check_classes, predict
from analysis_lib.statistics.ranks import by_person

#: the class that is looked for, as both classes are in order
FOUND = 1


def infant_table(network: Checkpoint, data: SkeletonDataset) -> pd.DataFrame:
    r"""Return the score of each infant: the median over its windows of the probability of the second class.

    .. math:: s = \operatorname{med}_w \operatorname{softmax}(f(x_w))_1

    Returns
    -------
    DataFrame
        Columns infant, fidgets (bool), windows, score, low, high (of its windows).

    Raises
    ------
    UserError, DataError
        If there are not two classes, or the windows of one infant have both.

    References
    ----------
    Groos et al. (2022): one score a video, the median over its windows.
    """
    if len(data.class_names) != 2:
        raise UserError(
            f"a score of infants needs two classes, without and with; '{data.name}' has {len(data.class_names)}"
        )
    scores = predict(network.model, clip_tensors(data, network.preprocessing)[0], progress=True)
    check_classes(scores.shape[1], data)
    seen = softmax(scores.astype(float), axis=1)[:, FOUND]
    who = infants_of(data)
    windows = pd.DataFrame({"infant": who, "fidgets": data.labels == FOUND, "seen": seen})
    of = windows.groupby("infant")
    if (mixed := of["fidgets"].nunique() > 1).any():
        raise DataError(f"the windows of infant {mixed.idxmax()} of '{data.name}' have both classes; give it one")
    table = of.agg(fidgets=("fidgets", "first"), windows=("seen", "size"), low=("seen", "min"), high=("seen", "max"))
    table = table.assign(score=by_person(seen, who)).reset_index()
    return table[["infant", "fidgets", "windows", "score", "low", "high"]]


def infants_of(data: SkeletonDataset) -> np.ndarray:
    """Return whose each window is; where that is not known, each is an infant of its own."""
    return np.where(data.subjects < 0, -1 - np.arange(len(data)), data.subjects)


def roc_table(infants: pd.DataFrame) -> pd.DataFrame:
    """Return the ROC curve: threshold of the score, and the share of either class at it or above.

    Returns
    -------
    DataFrame
        Columns threshold, false_alarms, found.
    """
    false_alarms, found, threshold = roc_curve(infants["fidgets"], infants["score"], drop_intermediate=False)
    return pd.DataFrame({"threshold": threshold, "false_alarms": false_alarms, "found": found})


def middle_windows(data: SkeletonDataset, label: int, n: int) -> np.ndarray:
    """Return the window in the middle of each of the first n infants of a class, as indices.

    Raises
    ------
    UserError
        If none is wanted, or there are none.
    """
    who = infants_of(data)
    mine = list(dict.fromkeys(who[data.labels == label]))[: max(n, 0)]
    if not mine:
        raise UserError(f"there is no infant of '{data.class_names[label]}' to be explained, of {n} wanted")
    windows = [np.flatnonzero(who == infant) for infant in mine]
    return np.array([of[len(of) // 2] for of in windows], int)


def explanations(
    network: Checkpoint, windows: SkeletonDataset, methods: Mapping[str, Method]
) -> dict[str, Attribution]:
    """Return what each method says of the own class of some windows, by the method's title.

    Parameters
    ----------
    methods : mapping of str to Method
        By title (`analysis_lib.explain.registry.chosen_methods`).
    """
    return {
        title: explain(network, windows, "true", method, n_slices=1, progress=True) for title, method in methods.items()
    }
