"""Sentences and small tables of the chapters, built from what was computed."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from IPython.display import Markdown

from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.statistics import wilson_interval
from analysis_lib.studies.data.tables import nearest_neighbour_predictions
from analysis_lib.networks.training.fit import evaluate


def percent(share: float) -> str:
    """Return a share in per cent, with one digit.

    >>> percent(0.9353)
    '93.5 %'
    """
    return f"{100 * share:.1f} %"


def accuracy_table(
    network: Checkpoint, train: SkeletonDataset, test: SkeletonDataset, progress: bool = False
) -> pd.DataFrame:
    """Return the test accuracy of the network and of the baseline, with 95 % intervals.

    Returns
    -------
    DataFrame
        Columns method, accuracy, low, high, clips; ``attrs["predicted"]`` holds the network's
        predicted classes, shape (n_test,).
    """
    predicted = evaluate(network.model, test, network.preprocessing, progress=progress)["predicted"]
    nearest = nearest_neighbour_predictions(train, test, network.preprocessing, progress)
    rows = []
    for method, found in ((f"network '{network.name}'", predicted), ("nearest neighbour, DTW on raw joints", nearest)):
        hits = int((found == test.labels).sum())
        low, high = wilson_interval(hits, len(test))
        rows.append({"method": method, "accuracy": hits / len(test), "low": low, "high": high, "clips": len(test)})
    table = pd.DataFrame(rows)
    table.attrs["predicted"] = predicted
    return table


def data_answer(data: SkeletonDataset, scores: pd.DataFrame) -> Markdown:
    """Return the data chapter's answer in one sentence."""
    network, baseline = scores.to_dict("records")
    people = len(np.unique(data.subjects[data.subjects >= 0]))
    gap = network["accuracy"] - baseline["accuracy"]
    verdict = (
        f"{100 * gap:.1f} points more than"
        if network["low"] > baseline["high"]
        else "not clearly more than"
        if gap > 0
        else "no more than"
    )
    return Markdown(
        f"**Answer.** {len(data):,} clips of {len(data.class_names)} actions"
        + (f" by {people} people" if people else "")
        + f", {np.median(data.lengths):.0f} frames long in the median "
        f"({data.lengths.min()} to {data.lengths.max()}). The network names "
        f"{percent(network['accuracy'])} of {network['clips']} test clips rightly "
        f"({percent(network['low'])} to {percent(network['high'])}), {verdict} the nearest-neighbour "
        f"baseline's {percent(baseline['accuracy'])}."
    )


def model_card(network: Checkpoint) -> Markdown:
    """Return the network's card as a table; what a network of the user's own shows is its size."""
    size = sum(p.numel() for p in network.model.parameters())
    facts: dict[str, object] = {
        "network": f"{type(network.model).__name__} `{network.name}`",
        "layers": len(network.layers),
        "parameters": f"{size:,}",
        "input": _input_sentence(network),
    }
    if network.card:
        facts |= _training_facts(network.card)
    if "note" in network.card:
        facts["note"] = network.card["note"]
    lines = [f"| {name} | {value} |" for name, value in facts.items()]
    return Markdown("\n".join(["| | |", "|---|---|", *lines]))


def _input_sentence(network: Checkpoint) -> str:
    p = network.preprocessing
    fit = "resampled to" if p.fit == "resample" else "padded to"
    return f"{', '.join(p.steps)}; {fit} {p.frames} frames, {p.bodies} body" + "s" * (p.bodies > 1)


def _training_facts(card: Mapping) -> dict[str, object]:
    recipe = card["recipe"]
    return {
        "trained on": f"{card['dataset']}, split `{card['train_split']}`, {card['n_train']:,} clips",
        "recipe": f"SGD, peak rate {recipe['lr']:g}, weight decay {recipe['weight_decay']:g}, "
        f"batch {recipe['batch_size']}, {card['epochs_run']} epochs, cosine decay",
        "augmentation": ", ".join(card["preprocessing"]["augment"]) or "none",
        "stopped by": f"the end of the schedule, or the loss on {percent(recipe['holdout'])} of the "
        "training clips, held out by whole (subject, class) cells",
        "seed": recipe["seed"],
        "test accuracy": f"{percent(card['test_accuracy'])} of {card['n_test']} clips, split `{card['test_split']}`",
        "code": card["code"],
    }
