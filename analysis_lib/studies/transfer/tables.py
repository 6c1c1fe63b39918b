"""Transfer to new actions as tidy tables: fine-tuning, and a forecast of the cut that is best.

A cut is how many of the last layers learn with a new head (`analysis_lib.networks.training.fine_tuning`).
Before anything is trained, the target's training clips go through the untouched network, and label
variation q is read layer by layer. With cut n the first L - n layers stay, so their output is all that
the learning layers are given. Two forecasts, low for good:

``"target's curve"``
    :math:`q_t(L - n)`: keep the layers up to where the target's labels vary least.
``"target's against source's"``
    :math:`q_t(L - n)\\, q_s(L) / q_s(L - n)`: layers that learn lower the target's variation by the
    same factor by which they lower the source's own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
import torch
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.sampling import sample_per_class
from analysis_lib.geometry.layerwise import dataset_graphs, layer_embeddings
from analysis_lib.geometry.smoothness import label_smoothness
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.hooks import HEAD, cascade_steps
from analysis_lib.networks.training.fine_tuning import check_cut
from analysis_lib.networks.training.fit import predict
from analysis_lib.progress import progress_bar
from analysis_lib.statistics.intervals import mean_interval
from analysis_lib.studies.transfer.runs import SCRATCH, Run, Target, Tuning, plan
from analysis_lib.warping.options import Warping

OLD_HEAD = "old head"
PROBE_STEPS = 2000  # of the solver, at most
#: forecasts by name: (target's curve, source's curve, layers that stay) -> low for good; where the source's
#: labels do not vary, no factor can be told, and layers that learn are taken to lower nothing
FORECASTS = {
    "target's curve": lambda target, source, kept: target[kept],
    "target's against source's": lambda target, source, kept: (
        target[kept] * source[-1] / source[kept] if source[kept] else target[kept]
    ),
}
_RUN = [*Run.__dataclass_fields__]


def transfer_table(
    network: Checkpoint,
    target: Target,
    clips_per_class: Sequence[int],
    cuts: Sequence[int],
    n_seeds: int = 2,
    epochs: int = 10,
    score_every: int = 3,
    seed: int = 0,
    progress: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return how fine-tuning went, epoch by epoch, and what each network says in the end.

    Parameters
    ----------
    network : Checkpoint
        Trained on other actions.
    target : Target
    clips_per_class : sequence of int
        Sizes of the training set; the clips are drawn anew for each seed.
    cuts : sequence of int
        How many of the last layers learn with the new head.
    n_seeds : int
        Seeds of the clips, the head and the order of the batches.
    epochs, score_every : int
        Epochs of each run, and between two readings of the test clips at the largest set size; at
        the others they are read at the end.

    Returns
    -------
    table : DataFrame
        Columns case, cut, clips_per_class, seed, epoch (0: before), train_loss, accuracy and loss
        (nats) on the test clips where read, n_test. ``"old head"`` is the untouched network, whose
        class c is taken for the target's class c; its loss is not defined where the target has
        more classes.
    predictions : DataFrame
        Columns case, cut, clips_per_class, seed, clip, label, predicted: at the end.
    """
    tuning = Tuning(network, target, plan(network, target, clips_per_class, cuts, n_seeds, epochs, seed), epochs)
    tables, said = [_old_head(network, target)], []
    for run in progress_bar(tuning.runs, "fine-tuning", progress):
        every = score_every if run.clips_per_class == max(clips_per_class) else epochs
        history, predicted = tuning.result(run, every, progress)
        answers = {"clip": range(len(predicted)), "label": target.test_labels, "predicted": predicted}
        tables.append(pd.DataFrame(history).assign(**asdict(run)))
        said.append(pd.DataFrame(answers).assign(**asdict(run)))
    table = pd.concat(tables, ignore_index=True).assign(n_test=len(target.test_labels))
    table = table[[*_RUN, "epoch", "loss", "test_accuracy", "test_loss", "n_test"]]
    names = {"loss": "train_loss", "test_accuracy": "accuracy", "test_loss": "loss"}
    return table.rename(columns=names), pd.concat(said, ignore_index=True)[[*_RUN, "clip", "label", "predicted"]]


def _old_head(network: Checkpoint, target: Target) -> pd.DataFrame:
    """Return what the untouched network makes of the target's numbering of its classes."""
    scores = torch.from_numpy(predict(network.model, target.test_x))
    labels = torch.tensor(target.test_labels)
    known = target.n_classes <= scores.shape[1]
    loss = nn.functional.cross_entropy(scores, labels).item() if known else np.nan
    right = (scores.argmax(1) == labels).double().mean().item()
    row = {"epoch": 0, "loss": np.nan, "test_loss": loss, "test_accuracy": right}
    return pd.DataFrame([row | asdict(Run(OLD_HEAD, 0, 0, 0))])


def probe_table(
    network: Checkpoint, target: Target, clips_per_class: Sequence[int], n_seeds: int = 2, seed: int = 0
) -> pd.DataFrame:
    """Return how well a logistic regression names the new actions from what the untouched network's head is given.

    It is the head alone, done learning: where fine-tuning ends early, the two differ. Features are standardised, and
    the strength of the ridge is scikit-learn's own; nothing is chosen.

    Parameters
    ----------
    network : Checkpoint
    target : Target
    clips_per_class : sequence of int
    n_seeds, seed : int
        The clips are those that `transfer_table` draws.

    Returns
    -------
    DataFrame
        Columns clips_per_class, seed, accuracy (on the test clips), n_test.
    """
    jobs = [(size, s) for size in clips_per_class for s in range(seed, seed + n_seeds)]
    drawn = {job: sample_per_class(target.labels, *job) for job in jobs}
    needed = np.unique(np.concatenate([*drawn.values()]))
    x, test_x = (_head_input(network, clips) for clips in (target.x[needed], target.test_x))
    rows = []
    for job, index in drawn.items():
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=PROBE_STEPS))
        probe.fit(x[np.searchsorted(needed, index)], target.labels[index])
        rows.append((*job, probe.score(test_x, target.test_labels), len(target.test_labels)))
    return pd.DataFrame(rows, columns=["clips_per_class", "seed", "accuracy", "n_test"])


def _head_input(network: Checkpoint, x: np.ndarray) -> np.ndarray:
    """Return what the network's last module is given of each clip, (N, d)."""
    model, given = network.model, []
    head = model.get_submodule(cascade_steps(model, x[:1], network.layers)[HEAD][-1])
    handle = head.register_forward_pre_hook(lambda module, args: given.append(args[0].flatten().numpy()))
    try:
        predict(model, x)
    finally:
        handle.remove()
    return np.concatenate(given).reshape(len(x), -1)


def final_table(
    predictions: pd.DataFrame, n_bootstrap: int = 1000, seed: int = 0, people: np.ndarray | None = None
) -> pd.DataFrame:
    """Return the accuracy that each case ends with: mean of the seeds, its interval, their range.

    Parameters
    ----------
    predictions : DataFrame
        From `transfer_table`.
    n_bootstrap : int
        Test clips drawn anew, the same for all cases, behind the 95 % percentile interval of the
        mean over seeds.
    people : ndarray, optional
        Who is seen in each test clip, as `analysis_lib.statistics.intervals.mean_interval` takes it.

    Returns
    -------
    DataFrame
        Columns case, cut, clips_per_class, seeds, clips, accuracy, low, high, seeds_low, seeds_high.
    """
    rows = []
    for keys, right in _right(predictions):
        seeds, found = right.mean(axis=1), mean_interval(right.mean().to_numpy(), seed, n_bootstrap, people)
        row = keys | {"seeds": len(right), "clips": right.shape[1], "accuracy": found["mean"], "low": found["low"]}
        rows.append(row | {"high": found["high"], "seeds_low": seeds.min(), "seeds_high": seeds.max()})
    return pd.DataFrame(rows)


def _right(predictions: pd.DataFrame) -> Iterator[tuple[dict, pd.DataFrame]]:
    """Yield each case, and whether its networks name clips rightly: 0 or 1, (seeds, clips)."""
    right = predictions.assign(right=(predictions["label"] == predictions["predicted"]).astype(float))
    names = ["case", "cut", "clips_per_class"]
    for keys, part in right.groupby(names, sort=False):
        yield dict(zip(names, keys, strict=True)), part.pivot(index="seed", columns="clip", values="right")


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

    The clips are those that `transfer_table` draws from the same data.

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
    for size, s in progress_bar(jobs, "label variation", progress):
        clips = data.take(sample_per_class(data.labels, size, s))
        embeddings = layer_embeddings(network, clips, keep=False)
        layers = dataset_graphs(embeddings, min(n_neighbors, len(clips) - 1), how=how)
        rows += [(size, s, layer.layer, label_smoothness(layer.graph, clips.labels).mean()) for layer in layers]
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
    targets, sources = (t.groupby(["clips_per_class", "layer"])["q"].mean().unstack() for t in (target, source))
    depth = targets.shape[1] - 1
    for cut in cuts:
        check_cut(cut, depth)
    rows = [
        (size, cut, name, forecast(targets.loc[size].to_numpy(), sources.loc[size].to_numpy(), depth - cut))
        for size in targets.index
        for name, forecast in FORECASTS.items()
        for cut in cuts
    ]
    return pd.DataFrame(rows, columns=["clips_per_class", "cut", "forecast", "value"])


def choice_table(
    forecasts: pd.DataFrame,
    predictions: pd.DataFrame,
    n_bootstrap: int = 1000,
    seed: int = 0,
    people: np.ndarray | None = None,
) -> pd.DataFrame:
    """Return what each way to choose a cut would have cost, against the cut that came out best.

    Fixed rules (always the same cut) stand beside the forecasts. The best cut is the one of highest
    accuracy on the test clips: nobody could have chosen it beforehand.

    Parameters
    ----------
    forecasts : DataFrame
        From `forecast_table`.
    predictions : DataFrame
        From `transfer_table`.
    n_bootstrap : int
        Test clips drawn anew, the same for both cuts, behind the interval of the loss.
    people : ndarray, optional
        As for `final_table`.

    Returns
    -------
    DataFrame
        Columns clips_per_class, rule, is_forecast, cut (chosen), accuracy, best_cut, best_accuracy,
        lost (of accuracy, against the best cut) with low and high, rho (Spearman's correlation over
        the cuts of the forecast's order with that of accuracy; for forecasts of three cuts or more).
    """
    tuned = [(keys, right) for keys, right in _right(predictions) if keys["case"] != SCRATCH]
    found = {(keys["clips_per_class"], keys["cut"]): right.mean().to_numpy() for keys, right in tuned}
    rows = []
    for size, part in forecasts.groupby("clips_per_class", sort=True):
        values = part.pivot(index="cut", columns="forecast", values="value")[list(dict.fromkeys(part["forecast"]))]
        accuracy = pd.Series({cut: found[size, cut].mean() for cut in values.index})
        best = accuracy.idxmax()
        ways = [(f"always cut {cut}", False, cut, np.nan) for cut in values.index]
        ways += [(name, True, q.idxmin(), _agreement(-q, accuracy)) for name, q in values.items()]
        for rule, is_forecast, cut, rho in ways:
            lost = mean_interval(found[size, best] - found[size, cut], seed, n_bootstrap, people)
            row = {"clips_per_class": size, "rule": rule, "is_forecast": is_forecast, "cut": cut}
            row |= {"accuracy": accuracy[cut], "best_cut": best, "best_accuracy": accuracy[best]}
            rows.append(row | {"lost": lost["mean"], "low": lost["low"], "high": lost["high"], "rho": rho})
    return pd.DataFrame(rows)


def _agreement(a: pd.Series, b: pd.Series) -> float:
    """Return Spearman's correlation over the cuts; nan for fewer than three, or if one is flat."""
    return float(spearmanr(a, b).statistic) if len(a) > 2 and np.ptp(a) > 0 and np.ptp(b) > 0 else np.nan
