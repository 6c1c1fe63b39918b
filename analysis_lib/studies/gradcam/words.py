"""Sentences of the GradCAM chapter, from what was found alone."""

from collections.abc import Sequence
from functools import partial
from math import isnan

from analysis_lib.explain.controls import STILL
from analysis_lib.statistics.estimates import Verdict
from analysis_lib.studies.gradcam.findings import Alike, Balance, Early, Findings, Gain, Place, Still
from analysis_lib.words import at_layers, counted, estimate, judged, listed, marked, name_of, number, percent, points


def slice_names(n_slices: int) -> list[str]:
    """Return what the time slices are called: start, middle and end where there are three."""
    return ["start", "middle", "end"] if n_slices == 3 else [f"slice {s}" for s in range(1, n_slices + 1)]


def shown(actions: Sequence[str], still: Still | None = None) -> str:
    """Return which actions a picture shows, as the beginning of its caption; nothing if it shows none.

    >>> shown(["kick"]), shown([])
    ('*kick*.', '')
    >>> print(shown(["kick"], Still("average", 9, "kick", 1.0, ("kick",))))
    *kick*. The network says *kick* of a person who does not move, too.
    """
    own = marked(action for action in actions if still and action in still.untold)
    said = f" The network says {own} of a person who does not move, too." if own else ""
    return f"{marked(actions)}.{said}" if actions else ""


def answer(found: Findings) -> str:
    """Return the chapter's answer: from which layer on maps are strong, and whether the limbs that move lead there."""
    if not found.places:
        return f"{_growth(found)}; the last layer has no axis of joints, so that its maps say when, and not where."
    if not found.growth or not found.limbs:
        return f"{_growth(found)}."
    speak = listed(
        f"the {name_of(one.limb)}s {'speak ' * (i == 0)}for {one.last} of "
        f"{one.actions if i else counted(one.actions, 'action')} of the {name_of(one.group)}"
        for i, one in enumerate(found.limbs)
    )
    where = "there" if found.growth.mostly == found.layers else "at the last"
    return f"{_growth(found)}: {where} {speak}, at the first for {listed(one.first for one in found.limbs)}."


def verdicts(found: Findings) -> list[tuple[Verdict, str]]:
    """Return whether the maps are right about the network, if they have joints, and what early maps are."""
    said = []
    if found.places:
        said += [(found.matters, "what the maps put first matters more to the network than joints by lot")]
        said += [(found.beyond_motion, "what they put first matters more than joints that move most")]
    if found.learnt and found.learnt.less:
        said.append((found.learnt.weak, "early layers are weaker, beside late ones, than untrained"))
    if found.targets:
        said.append((found.targets.general, "the first layer's maps follow the clip, not the class asked for"))
    return said


def _growth(found: Findings) -> str:
    if found.layers == 1:
        return "The network has one layer, so that its maps cannot grow from layer to layer"
    if (grown := found.growth) is None:
        return "How the maps grow from layer to layer cannot be told, as all of them are zero"
    if grown.mostly == 1:
        return f"Mostly at layer 1 already, with {percent(grown.first)} of a joint's importance"
    where = f"from layer {grown.mostly} on" if grown.mostly < found.layers else f"at layer {grown.mostly} alone"
    return f"Mostly {where}, with {percent(grown.most)} of a joint's importance"


def numbers(found: Findings) -> str:
    """Return where the maps grow most, and where the last layer's importance lies."""
    said = []
    if (grown := found.growth) is not None:
        even = f"Were all layers alike, each would have {percent(1 / found.layers)}."
        said.append(
            f"Of the importance that a joint at a moment has in all {found.layers} layers, {percent(grown.first)} is "
            f"at the first and {percent(grown.last)} at the last."
        )
        if grown.rise is None:
            said.append(f"From no layer to the next does that share rise. {even}")
        else:
            before, then = map(percent, grown.rise)
            said.append(
                f"The largest rise is from layer {grown.after} to {grown.after + 1}, {before} to {then}. {even}"
            )
    if found.places:
        places = "; ".join(map(_place, found.places))
        said.append(f"At the last layer it lies, as a multiple of what an even map would give, on: {places}.")
    return " ".join(said)


def _place(place: Place) -> str:
    if not place.part:
        return f"*{name_of(place.action)}*: nowhere, its map is zero"
    beside = f", not the {name_of(place.limb)}s ({number(place.limb_ratio)})" if place.limb else ""
    return f"*{name_of(place.action)}*: {name_of(place.part)} ({number(place.ratio)}){beside}"


def limbs(found: Findings) -> str:
    """Return for how many actions the limbs have more than an even map's share; nothing without joints."""
    if not found.places:
        return ""
    text = "; ".join(
        f"of {counted(one.actions, 'action')} of the {name_of(one.group)}, the {name_of(one.limb)}s do so in "
        f"{one.first} at the first layer and in {one.last} at the last"
        for one in found.limbs
    )
    return (
        f"A limb speaks for an action where it has more than its share of an even map: {text}."
        if text
        else "The super-classes of this dataset name no limbs to compare with."
    )


def early(found: Findings) -> str:
    """Return whether early layers are weak, and whether their maps are the same for all actions."""
    if found.early is None:
        return f"With {counted(found.layers, 'layer')} there are no early ones to compare."
    it = found.early
    return (
        f"A place in {'layer 1' if it.layers == 1 else f'layers 1 to {it.layers}'} has {percent(it.mean)} of the "
        f"importance of one in the last {it.late}; summed over the frames, of which early layers have more, it is "
        f"{percent(it.mass)}. {_weak(it)} {_parting(it, found.layers)} {_specific(it)}"
    )


def _parting(it: Early, last: int) -> str:
    """Return how alike the maps of different actions are, from the first layer over the lowest to the last."""
    if isnan(it.first.value) or isnan(it.last.value):
        return "Whether the maps part with depth takes two actions or more with maps."
    alike = f"{estimate(it.first)} at layer 1 and by {estimate(it.last)} at layer {last}"
    if it.at not in (1, last):
        alike += f", least at layer {it.at}, by {estimate(it.least)}"
    course = {
        (True, False): "they part into actions with depth",
        (False, True): "no common map early on parts into actions later, for it is the late maps that share more",
        (True, True): f"they part up to layer {it.at}, and share more again after it",
        (False, False): "no clear difference",
    }[it.part, it.join]
    return f"Between actions the maps correlate by {alike}: {course}."


def _weak(it: Early) -> str:
    """Return by how many of two measures early layers are weak."""
    if isnan(it.mean) or isnan(it.mass):
        return "With maps that are zero the two cannot be compared."
    many = ("Neither is", "One of the two is", "Both are")[sum(it.weak)]
    return f"{many} less than half, as of layers that are weak."


def _specific(it: Early) -> str:
    """Return whether the first layer's maps tell of the action."""
    if isnan(it.repeat):
        return "Whether the first layer's maps tell of the action takes two clips or more of each."
    told = {
        Verdict.HOLDS: "higher than between actions, be it for how people move or for the class that is asked for",
        Verdict.FAILS: "no higher than between actions, so the first layer's maps tell nothing of the action",
        Verdict.UNDECIDED: "not clearly another than between actions",
    }
    return f"Between two halves of the clips of one action it is {number(it.repeat)} at layer 1, {told[it.specific]}."


def learnt(found: Findings) -> str:
    """Return whether early layers are weak because of what was learnt; nothing if that was not tried."""
    it = found.learnt
    if not it:
        return ""
    at = at_layers({"more": it.stronger, "less": it.weaker})
    beside = f"A layer's share is surely {at}" if at else "No layer's share is surely another"
    beside = f"{beside} than there, all layers at once."
    if not it.less:
        return f"Untrained networks saw the same {counted(it.clips, 'clip')}. {beside}"
    gives, size = ("adds", it.less) if it.less.value > 0 else ("takes away", -it.less)
    less = estimate(size, partial(points, signed=False))
    seeds = f", {percent(it.seeds[0])} to {percent(it.seeds[1])} over networks of several seeds" if it.seeds else ""
    return (
        f"In {counted(it.clips, 'clip')}, a place in the early layers has {estimate(it.early, percent)} of the "
        f"importance of one in the late ones{seeds}. In untrained networks that see the same clips it has "
        f"{percent(it.untrained)}: what was learnt {gives} {less} points. That early layers are weaker than untrained "
        f"ones {judged(it.weak)}. {beside}"
    )


def targets(found: Findings) -> str:
    """Return whether the maps follow the clip or the class, first layer and last; nothing if that was not tried."""
    it = found.targets
    if not it:
        return ""
    sure = at_layers({"the clip": it.clip, "the class": it.target})
    follow = f"they surely follow {sure}" if sure else "it is sure at none which of the two they follow"
    return (
        f"In {counted(it.pairs, 'pair')} of clips, {_alike(it.first)}; {_alike(it.last)}. With all layers "
        f"taken at once, {follow}. That the first layer's maps follow the clip rather than the "
        f"class {judged(it.general)}."
    )


def _alike(it: Alike) -> str:
    return (
        f"the maps of layer {it.layer} correlate by {number(it.clip)} where the clip is the same and by "
        f"{number(it.target)} where the class is, difference {estimate(it.difference)}"
    )


def still(found: Findings) -> str:
    """Return what the network makes of a person who does not move; nothing if that was not tried."""
    it = found.still
    if not it:
        return ""
    said = (
        f"Shown a person who does not move, {STILL[it.baseline]}, the network, which must name one of its "
        f"actions, says *{name_of(it.named)}* of "
        f"{percent(it.share)} of {counted(it.clips, 'clip')}."
    )
    if not it.untold:
        return f"{said} No clip here is explained for that, so that masking can tell."
    return f"{said} Of {marked(it.untold)} masking **cannot tell** what speaks for it."


def times(found: Findings) -> str:
    """Return which share of the last layer's importance lies in each time slice."""
    said = []
    for action, shares in found.times.items():
        parts = zip(shares, slice_names(len(shares)), strict=True)
        said.append(f"*{name_of(action)}* " + (", ".join(f"{percent(x)} ({name})" for x, name in parts) or "none"))
    return f"Of the importance at the last layer, by time: {'; '.join(said)}."


def counterfactual(found: Findings) -> str:
    """Return which joint speaks most for each action, and which against it; nothing without joints."""
    if not found.balances:
        return ""
    said = [
        f"*{name_of(it.action)}*: {f'{name_of(it.most)} most' if it.most else 'no joint'} for, "
        f"{f'{name_of(it.least)} most' if it.least else 'no joint'} against{_of_that(it)}; against outweighs for at "
        f"{it.outweighed} of {counted(it.joints, 'joint')}"
        for it in found.balances
    ]
    return f"{'; '.join(said)}."


def _of_that(it: Balance) -> str:
    return "" if isnan(it.share) else f", {percent(it.share)} of that"


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
    return (
        f"After the first step, {name_of(it.step)} forgotten, the last layer's maps correlate with those before by "
        f"{estimate(it.first)}; over {counted(it.steps, 'step')} the largest correlation is {estimate(it.most)}. "
        f"That it stays below a half throughout, as in maps that follow what was learnt, {judged(it.passed)}; that "
        "threshold is this book's own."
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
        if any(gain.test == test for gain in found.gains)
    ]
    own = found.gains[0].own
    left_out = (
        f" Masking cannot tell in {counted(own, 'further clip')}: the network names the class even with every joint "
        "masked."
    )
    return (
        f"{' '.join(said)} The numbers are the gain in area under the curve, mean of "
        f"{counted(found.gains[0].clips, 'clip')} and {percent(0.95)} interval; positive is better."
        f"{left_out if own else ''}"
    )


def _gain(gain: Gain) -> str:
    sooner = {
        Verdict.HOLDS: "sooner than",
        Verdict.FAILS: "later than",
        Verdict.UNDECIDED: "no sooner and no later, as far as one can tell, than",
    }
    order = {"random": "at random", "motion": "in the order of motion"}[gain.against]
    return f"{sooner[gain.better]} {order}, {estimate(gain.gain)}"
