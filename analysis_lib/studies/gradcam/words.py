"""Sentences of the GradCAM chapter, from what was found alone."""

from collections.abc import Sequence

from analysis_lib.statistics import Verdict
from analysis_lib.studies.gradcam.findings import Early, Findings, Gain, Place
from analysis_lib.words import counted, estimate, name_of, named, number, percent


def slice_names(n_slices: int) -> list[str]:
    """Return what the time slices are called: start, middle and end where there are three."""
    return ["start", "middle", "end"] if n_slices == 3 else [f"slice {s}" for s in range(1, n_slices + 1)]


def shown(actions: Sequence[str]) -> str:
    """Return which actions a picture shows, as the beginning of its caption; nothing if it shows none.

    >>> shown(["kick"]), shown([])
    ('*kick*.', '')
    """
    return f"*{named(actions)}*." if actions else ""


def answer(found: Findings) -> str:
    """Return the chapter's answer: when the maps become strong, where they lie, whether they count."""
    better = sum(gain.better is Verdict.HOLDS for gain in found.gains if gain.against == "random")
    follows = {2: "does matter", 1: "matters by one of two tests only", 0: "does not matter clearly"}
    if not found.places:
        return f"**Answer.** {_growth(found)} The last layer has no axis of joints: its maps say when, and not where."
    return (
        f"**Answer.** {_growth(found)} At the last layer the importance lies, as a multiple of what "
        f"an even map would give, on: {'; '.join(map(_place, found.places))}. What the maps put first "
        f"{follows[better]} to the network more than joints drawn by lot (deletion and insertion, below)."
    )


def _growth(found: Findings) -> str:
    grown = found.growth
    if grown is None:
        return "The network has one layer." if found.layers == 1 else "The maps of a layer are zero throughout."
    return (
        f"The mean importance at the last layer is {number(grown.whole, 1)} times that at the first; the largest "
        f"step is from layer {grown.after} to {grown.after + 1} ({number(grown.step, 1)} times)."
    )


def _place(place: Place) -> str:
    if not place.part:
        return f"*{name_of(place.action)}*: nowhere, its map is zero"
    beside = f", not the {name_of(place.limb)}s ({number(place.limb_ratio, 1)})" if place.limb else ""
    return f"*{name_of(place.action)}*: {name_of(place.part)} ({number(place.ratio, 1)}){beside}"


def limbs(found: Findings) -> str:
    """Return for how many actions the limbs have more than an even map's share; nothing without joints."""
    if not found.places:
        return ""
    text = "; ".join(
        f"of {counted(one.actions, 'action')} of the {name_of(one.group)}, the {name_of(one.limb)}s have more than "
        f"their even share in {one.first} at the first layer and in {one.last} at the last"
        for one in found.limbs
    )
    return (
        f"{text[0].upper()}{text[1:]}." if text else "The super-classes of this dataset name no limbs to compare with."
    )


def early(found: Findings) -> str:
    """Return whether early layers are weak, and whether their maps are the same for all actions."""
    if found.early is None:
        return f"With {counted(found.layers, 'layer')} there are no early ones to compare."
    it = found.early
    weak = {2: "holds", 1: "holds by one of the two only", 0: "does not hold"}[sum(it.weak)]
    return (
        f"A place in layers 1 to {it.layers} has {percent(it.mean, 0)} of the importance of one in the last "
        f"{it.late}; summed over the frames, of which early layers have more, {percent(it.mass, 0)}. That early "
        f"layers are weak (less than half) {weak}. Between actions the maps correlate by {estimate(it.first)} at "
        f"layer 1 and {estimate(it.last)} at layer {found.layers}: {_PARTING[it.parting]}. Between two halves of the "
        f"clips of one action the correlation at layer 1, {number(it.repeat)}, {_specific(it)}."
    )


_PARTING = {
    Verdict.HOLDS: "so the maps do part into actions with depth",
    Verdict.FAILS: (
        "so there is no common map early on that parts into actions later; it is the late maps that share more"
    ),
    Verdict.UNDECIDED: "no clear difference",
}


def _specific(it: Early) -> str:
    if it.specific:
        return "is higher than between actions, so even the first layer's maps tell of the action"
    return "is no higher than between actions, so the first layer's maps tell nothing of the action"


def times(found: Findings) -> str:
    """Return which share of the last layer's importance lies in each time slice."""
    said = []
    for action, shares in found.times.items():
        parts = zip(shares, slice_names(len(shares)), strict=True)
        said.append(f"*{name_of(action)}* " + (", ".join(f"{percent(x, 0)} ({name})" for x, name in parts) or "none"))
    return f"Of the importance at the last layer, by time: {'; '.join(said)}."


def counterfactual(found: Findings) -> str:
    """Return which joint speaks most for each action, and which against it; nothing without joints."""
    if not found.balances:
        return ""
    said = [
        f"*{name_of(it.action)}*: {f'{name_of(it.most)} most' if it.most else 'no joint'} for, "
        f"{f'{name_of(it.least)} most' if it.least else 'no joint'} against; against outweighs for at {it.outweighed} "
        f"of {counted(it.joints, 'joint')}"
        for it in found.balances
    ]
    return f"{'; '.join(said)}."


def released(found: Findings) -> str:
    """Return how far two variants of the map agree about the joints of each action; nothing without joints."""
    it = found.agreement
    if not it:
        return ""
    rest = it.actions - it.empty
    if not rest:
        return f"By it the maps of all {counted(it.actions, 'action')} are empty."
    return (
        f"By it the maps of {it.empty} of {counted(it.actions, 'action')} are empty. For the other {rest} the two "
        f"orders of joints correlate by {number(it.mean)} in the mean ({number(it.least)} to {number(it.largest)}), "
        f"and the first joint is the same for {it.same_first}."
    )


def randomisation(found: Findings) -> str:
    """Return whether the last layer's maps change as the network forgets; nothing if that was not tried."""
    it = found.forgetting
    if not it:
        return ""
    verdict = (
        "the maps follow what the network has learnt"
        if it.passed
        else "part of the map is the input's or the architecture's, not the network's knowledge"
    )
    return (
        f"After the first step ({name_of(it.step)} forgotten) the last layer's maps correlate with the trained ones by "
        f"{estimate(it.first)}, at the most, over all {counted(it.steps, 'step')}, by {estimate(it.most)}: {verdict} "
        "(less than a half throughout would be a pass; that threshold is this book's own)."
    )


def masking(found: Findings) -> str:
    """Return whether the map's order of joints beats the others, test by test; nothing if that was not tried."""
    if not found.gains:
        return ""
    does = {
        "deletion": "Masked in the order of the map, joints take the score down",
        "insertion": "Given back in that order, they raise it",
    }
    said = [
        f"{text} {', and '.join(_gain(gain) for gain in found.gains if gain.test == test)}."
        for test, text in does.items()
    ]
    return (
        f"{' '.join(said)} The numbers are the gain in area under the curve, mean of "
        f"{counted(found.gains[0].clips, 'clip')} and 95 % interval; positive is better."
    )


def _gain(gain: Gain) -> str:
    sooner = {
        Verdict.HOLDS: "sooner than",
        Verdict.FAILS: "later than",
        Verdict.UNDECIDED: "no sooner and no later, as far as one can tell, than",
    }
    order = {"random": "at random", "motion": "in the order of motion"}[gain.against]
    return f"{sooner[gain.better]} {order}, {estimate(gain.gain)}"
