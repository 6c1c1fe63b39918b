"""Sentences and the network's card of the chapter on data and network."""

from collections.abc import Mapping

from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.statistics import Verdict
from analysis_lib.studies.data.findings import Findings, Soundness
from analysis_lib.words import counted, listed, number, percent


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
        clip, same = found.twins[0]
        across = " One such pair is both learnt from and scored." if found.across else ""
        occur = "A clip occurs" if len(found.twins) == 1 else f"{len(found.twins)} clips occur"
        said.append(f"{occur} twice: `{clip}` is `{same}`, coordinate for coordinate.{across}")
    if found.missing:
        shares = listed(f"{joint} {percent(share)}" for joint, share in found.missing.items())
        said.append(f"Missing joints were filled in between the frames around them; share of frames: {shares}.")
    return " ".join(said)


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
