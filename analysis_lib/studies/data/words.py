"""Sentences and the network's card of the chapter on data and network."""

from collections.abc import Mapping
from contextlib import suppress

import pandas as pd

from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.studies.data.findings import Findings, Soundness
from analysis_lib.words import (
    code_of,
    counted,
    estimate,
    listed,
    name_of,
    named,
    number,
    percent,
    plain,
    points,
    value_of,
)


NOTHING = "Nothing can be said, as there are no clips, or none that both the network and the baseline were tried on."


def answer(found: Findings | None) -> str:
    """Return the chapter's answer: how well the network does, and how well looking up does."""
    if not found:
        return NOTHING
    if not found.network:
        return (
            f"Looking up the nearest training clip names {value_of(found.baseline, percent)} of "
            f"{counted(found.baseline.clips, 'test clip')} rightly; there is no network to compare it with."
        )
    own, other = (value_of(one, percent) for one in (found.network, found.baseline))
    return (
        f"The network names {own} of {counted(found.network.clips, 'test clip')} rightly; looking up the nearest "
        f"training clip names {other}."
    )


def verdicts(found: Findings | None) -> list[tuple[Verdict, str]]:
    """Return whether the network does better than looking up, if there is one."""
    return [(found.better, "the network does better than looking up")] if found and found.network else []


def numbers(found: Findings | None) -> str:
    """Return what is in the data, and how far apart network and baseline are."""
    if not found:
        return ""
    people = f" by {counted(found.people, 'person', 'people')}" if found.people else ""
    ends = sorted({number(found.shortest, 0), number(found.longest, 0)}, key=len)
    lengths = f"{number(found.shortest, 0)} to {number(found.longest, 0)} frames" if len(ends) > 1 else f"{ends[0]} frames"
    data = (
        f"{counted(found.clips, 'clip')} of {counted(found.actions, 'action')}{people} {'is' if found.clips == 1 else 'are'} {lengths} long, "
        f"{number(found.median, 0)} in the median."
    )
    if not found.network:
        return data
    side = {True: "above", False: "below"}[found.gap > 0]
    gap = f"{points(abs(found.gap), signed=False)} points {side}" if points(found.gap) != "0" else "level with"
    return (
        f"{data} The network's {estimate(found.network, percent)} is {gap} the nearest-neighbour baseline's "
        f"{estimate(found.baseline, percent)}."
    )


def counts(beside: Mapping[str, pd.DataFrame]) -> str:
    """Return how many clips other editions have, from their tables of classes by label; empty without any."""
    return " ".join(
        f"{name_of(label)}: {counted(int(table['clips'].sum()), 'clip')} of {counted(len(table), 'action')}."
        for label, table in beside.items()
    )


def scores(table: pd.DataFrame) -> pd.DataFrame:
    """Return the accuracies of network and baseline as people read them."""
    shown = [estimate(Estimate(row.accuracy, row.low, row.high), percent) for row in table.itertuples()]
    names = table.index.to_frame().replace(r"^network '.*'$", "the network", regex=True)
    columns = {"named rightly": shown, "test clips": table["clips"].to_numpy()}
    return pd.DataFrame(columns, pd.MultiIndex.from_frame(names))


def soundness(found: Soundness) -> str:
    """Return what to keep in mind: people in both splits, clips that occur twice, joints that were missing."""
    said = []
    if not found.known:
        said.append("Who performed the clips is not known, so one person's clips may be both learnt from and scored.")
    elif found.shared:
        views = ", seen from other views" if found.apart else ""
        tested = counted(found.tested, "person", "people")
        are = "is" if found.shared == 1 else "are"
        said.append(f"{found.shared} of {tested} in the test split {are} in the training split too{views}.")
    if found.twins:
        clip, same = map(name_of, found.twins[0])
        across = " One such pair is both learnt from and scored." if found.across else ""
        occur = "A clip occurs" if len(found.twins) == 1 else f"{len(found.twins)} clips occur"
        said.append(f"{occur} twice: `{clip}` is `{same}`, coordinate for coordinate.{across}")
    if found.missing:
        shares = listed(f"{name_of(joint)} {percent(share)}" for joint, share in found.missing.items())
        said.append(f"Missing joints were filled in between the frames around them; share of frames: {shares}.")
    return " ".join(said)


def model_card(network: Checkpoint) -> str:
    """Return the network's card as a table; what a network of the user's own shows is its size."""
    card, size = network.card, sum(p.numel() for p in network.model.parameters())
    facts: dict[str, object] = {
        "network": f"{type(network.model).__name__} {code_of(network.name)}",
        "layers": len(network.layers),
        "parameters": number(size, 0),
        "input": _input_sentence(network),
    }
    facts |= _training_facts(card) if card else {}
    facts |= {"note": name_of(card["note"])} if "note" in card else {}
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts.items())])


def _input_sentence(network: Checkpoint) -> str:
    p = network.preprocessing
    fit = "resampled to" if p.fit == "resample" else "padded to"
    return f"{', '.join(p.steps)}; {fit} {counted(p.frames, 'frame')}, {counted(p.bodies, 'body', 'bodies')}"


def _training_facts(card: Mapping) -> dict[str, object]:
    """Return how a network was trained, and how well it does, as far as its card has it."""
    facts = {
        "trained on": lambda: (
            f"{name_of(card['dataset'])}, split {code_of(card['train_split'])}, {counted(card['n_train'], 'clip')}"
        ),
        "recipe": lambda: _recipe_sentence(card["recipe"], card["epochs_run"]),
        "augmentation": lambda: named(card["preprocessing"]["augment"]),
        "stopped by": lambda: _end_sentence(card["recipe"]),
        "seed": lambda: name_of(card["recipe"]["seed"]),
        "test accuracy": lambda: (
            f"{percent(card['test_accuracy'])} of {counted(card['n_test'], 'clip')}, split {code_of(card['test_split'])}"
        ),
        "code": lambda: name_of(card["code"]),
    }
    known = {}
    for name, fact in facts.items():
        with suppress(KeyError):
            known[name] = fact()
    return known


def _recipe_sentence(recipe: Mapping, epochs: int) -> str:
    rate, decay, batch = (plain(recipe[name]) for name in ("lr", "weight_decay", "batch_size"))
    schedule = recipe.get("schedule", "cosine")
    steps = f"SGD, peak rate {rate}, weight decay {decay}, batch {batch}"
    return f"{steps}, {counted(epochs, 'epoch')}, {name_of(schedule)} decay"


def _end_sentence(recipe: Mapping) -> str:
    if not recipe["holdout"]:
        return "the end of the schedule"
    held = f"{percent(recipe['holdout'])} of the training clips, held out by whole (subject, class) cells"
    return f"the end of the schedule, or the loss on {held}"
