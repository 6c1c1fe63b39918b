"""Sentences and the network's card of the chapter on data and network."""

from collections.abc import Mapping

import pandas as pd
from IPython.display import Markdown

from analysis_lib.geometry.curves import EVERY
from analysis_lib.geometry.operator_norms import change_norm_correlation
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.statistics import Verdict
from analysis_lib.studies.data.findings import Findings
from analysis_lib.words import counted, number, percent


def answer(found: Findings) -> str:
    """Return the chapter's answer: what is recognised, how well, and whether looking up does as well."""
    people = f" by {counted(found.people, 'person', 'people')}" if found.people else ""
    lengths = f"({number(found.shortest, 0)} to {number(found.longest, 0)})"
    better = {
        Verdict.HOLDS: f"{number(100 * found.gap, 1)} points more than",
        Verdict.UNDECIDED: "not clearly more than",
        Verdict.FAILS: "no more than",
    }[found.better]
    own = found.network
    return (
        f"**Answer.** {counted(found.clips, 'clip')} of {counted(found.actions, 'action')}{people}, "
        f"{number(found.median, 0)} frames long in the median {lengths}. The network names {percent(own.value)} of "
        f"{counted(own.clips, 'test clip')} rightly ({percent(own.low)} to {percent(own.high)}), {better} the "
        f"nearest-neighbour baseline's {percent(found.baseline.value)}."
    )


def model_card(network: Checkpoint) -> str:
    """Return the network's card as a table; what a network of the user's own shows is its size."""
    card, size = network.card, sum(p.numel() for p in network.model.parameters())
    facts: dict[str, object] = {
        "network": f"{type(network.model).__name__} `{network.name}`",
        "layers": len(network.layers),
        "parameters": number(size, 0),
        "input": _input_sentence(network),
    }
    facts |= _training_facts(card) if card else {}
    facts |= {"note": card["note"]} if "note" in card else {}
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts.items())])


def _input_sentence(network: Checkpoint) -> str:
    p = network.preprocessing
    fit = "resampled to" if p.fit == "resample" else "padded to"
    return f"{', '.join(p.steps)}; {fit} {counted(p.frames, 'frame')}, {counted(p.bodies, 'body', 'bodies')}"


def _training_facts(card: Mapping) -> dict[str, object]:
    """Return how a network was trained, and how well it does, as its card has it."""
    recipe = card["recipe"]
    clips, tested = counted(card["n_train"], "clip"), counted(card["n_test"], "clip")
    steps = f"SGD, peak rate {recipe['lr']:g}, weight decay {recipe['weight_decay']:g}, batch {recipe['batch_size']}"
    held = f"the loss on {percent(recipe['holdout'])} of the training clips, held out by whole (subject, class) cells"
    return {
        "trained on": f"{card['dataset']}, split `{card['train_split']}`, {clips}",
        "recipe": f"{steps}, {counted(card['epochs_run'], 'epoch')}, cosine decay",
        "augmentation": ", ".join(card["preprocessing"]["augment"]) or "none",
        "stopped by": f"the end of the schedule, or {held}",
        "seed": recipe["seed"],
        "test accuracy": f"{percent(card['test_accuracy'])} of {tested}, split `{card['test_split']}`",
        "code": card["code"],
    }


def smoothness_answer(table: pd.DataFrame, shape: pd.DataFrame) -> Markdown:
    """Return the smoothness chapter's answer: how far q falls, and where it falls most.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.geometry.layerwise.smoothness_table`.
    shape : DataFrame
        From `analysis_lib.geometry.curve_shapes.shape_table`.
    """
    groups = table[(table["level"] == "group") & (table["layer"] > 0)]
    mean = groups.groupby("layer")["q"].mean()
    last, boundary = mean.index[-1], shape["boundary"].iloc[0]
    read = shape.set_index(["statistic", "group"])
    names = [name for name in dict.fromkeys(shape["group"]) if name != EVERY]
    places = "; ".join(
        f"{name}: {_interval(read.loc['drop', name], '.2f')} after layer "
        f"{_interval(read.loc['drop after', name], '.0f')}"
        for name in names
    )
    text = (
        f"**Answer.** On {shape['clips'].iloc[0]} clips the label variation goes from {mean.iloc[0]:.2f} at "
        f"layer 1 to {mean.iloc[-1]:.2f} at layer {last} (mean of the super-classes). Largest single "
        f"drops, with 95 % intervals of size and place: {places}."
    )
    if boundary < 8:
        return Markdown(text)
    early, late = read.loc["early change", EVERY], read.loc["drop after", EVERY]
    flat = "holds" if early["value"] < 0.5 else "does not hold"
    return Markdown(
        f"{text} It changes by {mean[8] - mean.iloc[0]:+.2f} up to layer 8 and by "
        f"{mean.iloc[-1] - mean[8]:+.2f} after it. Of the paper's picture, that the curve is flat up "
        f"to layer 8 (a change of less than half of that after it; here {_interval(early, '.2f')} of "
        f"it) {flat}; that the largest drop of every super-class lies after layer 8 {_late(late)}."
    )


def _interval(row: pd.Series, form: str) -> str:
    """Return a value and its interval: "0.31 (0.20 to 0.42)"."""
    return f"{row['value']:{form}} ({row['low']:{form}} to {row['high']:{form}})"


def _late(drop: pd.Series, boundary: int = 8) -> str:
    """Return whether the earliest of the largest drops lies after a layer, and how surely."""
    verdict = "holds" if drop["value"] >= boundary else "does not hold"
    sure = (drop["low"] >= boundary) == (drop["high"] >= boundary)
    return verdict if sure else f"{verdict} on these clips, but not on all resamples of them"


def theorem_answer(table: pd.DataFrame) -> Markdown:
    """Return what the check of Theorem 1 found, in words."""
    if table.empty:
        return Markdown(
            "Theorem 1 is not checked for this network: its layers have no method `linear_factors` "
            "that names the affine maps between their ReLUs."
        )
    constant = table["label_ratio"] / table["norm"] ** 2
    worst = table.loc[constant.idxmax(), "layer"]
    kept = int((table["data_ratio"] <= table["bound"] * (1 + 1e-6)).sum())
    correlation = change_norm_correlation(table.rename(columns={"label_ratio": "r", "norm": "s"}))
    return Markdown(
        f"The inequality needs a constant of at least c = {constant.max():.3g} (layer {worst}). "
        f"The provable part holds at {kept} of {len(table)} layers, as it must. The paper's "
        "remark that a layer with a large norm changes label variation more: Spearman correlation "
        f"of the norm with |1 - ratio| is {correlation:.2f} over {len(table)} layers."
    )
