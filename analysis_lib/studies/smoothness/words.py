"""What the smoothness chapter says."""

from collections.abc import Sequence
from math import ceil, floor, isfinite, isnan

from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.studies.smoothness.findings import CurveFindings, Learnt, Neighbours, Picture, TheoremFindings, Votes
from analysis_lib.words import counted, estimate, judged, listed, moves, name_of, named, number, percent, surely

#: whom a clip may be joined to, as pages say it
JOINED = {
    "all": "Joined to any clip",
    "other people": "Joined to clips of other people only",
    "other cameras": "Joined to clips of other cameras only",
}
#: what clips then do not share
SHARED = {"other people": "person", "other cameras": "camera"}


def answer(found: CurveFindings | None) -> str:
    """Return how much of the neighbourhoods lies in other actions, at the first layer and at the last."""
    if not found:
        return "Nothing can be said, as no action has a neighbour at the first layer, or none at the last."
    mean = counted(found.groups, "", "super-classes") if found.groups > 1 else counted(found.actions[0], "action")
    of = f"in the mean of {mean},"
    weight = "of the edge weight of their clips leads to other actions"
    if found.depth == 1:
        return f"{of.capitalize()} {percent(found.last)} {weight} at the only layer."
    return (
        f"{_where(found)}: {of} {percent(found.first)} {weight} at layer 1, and {percent(found.last)} at layer "
        f"{found.depth}."
    )


def _where(found: CurveFindings) -> str:
    """Return at which layer clips of one action become neighbours, as far as the verdicts name one."""
    if found.place is not None:
        return f"Most after layer {found.place}"
    if found.picture and found.picture.sudden == Verdict.HOLDS:
        return f"Most after layer {found.boundary} or a later one"
    return "No one layer can be named"


def verdicts(found: CurveFindings | None, learnt: Learnt | None = None) -> list[tuple[Verdict, str]]:
    """Return what is found of each half of the paper's picture, of no layer after the boundary that it cannot be."""
    if not found or found.depth == 1:
        return []
    both = (found.picture.flat, found.picture.sudden) if found.picture else [Verdict.UNTESTED] * 2
    said = (f"nearly flat up to layer {found.boundary}", f"every super-class falls most after layer {found.boundary}")
    added = f"what training adds grows more after layer {found.boundary} than up to it"
    trained = [(learnt.comes_late, added)] if learnt else []
    return [*zip(both, said, strict=True), *trained]


def numbers(found: CurveFindings | None) -> str:
    """Return where label variation falls most, and what that is of the paper's picture."""
    if not found or found.depth == 1:
        return ""
    n, *ends = found.actions
    said = [
        f"There are {counted(found.clips, 'clip')} of {counted(n, 'action')}. From layer 1 to {found.depth} label "
        f"variation goes from {number(found.first)} to {number(found.last)} in the mean of the super-classes, and from "
        f"{number(ends[0])} to {number(ends[1])} in that of the actions."
    ]
    if found.drops:
        places = "; ".join(f"{name_of(d.group)} {estimate(d.size)} after layer {_layer(d.after)}" for d in found.drops)
        said.append(f"Largest drops from a layer to the next, from layer 1 on, {percent(0.95)} intervals: {places}.")
    if found.steady:
        said.append(f"It never falls from one layer to the next: {named(found.steady)}.")
    return " ".join([*said, *([_of_the_picture(found.picture)] if found.picture else [])])


def _layer(found: Estimate) -> str:
    """Return a layer, and the whole layers between which its interval lies."""
    if not found.low < found.high:
        return number(found.value, 0)
    return f"{number(found.value, 0)} ({floor(found.low)} to {ceil(found.high)})"


def _of_the_picture(it: Picture) -> str:
    """Return how the mean curve goes before and after the boundary, and each half of the paper's picture."""
    share = f" The first change is {estimate(it.share)} times the second." if isfinite(it.share.value) else ""
    return (
        f"The mean of the super-classes {moves(it.early)} up to layer {it.boundary}, and {moves(it.late)} after it."
        f"{share} That it falls, and changes less than half as much up to layer {it.boundary} as after it, "
        f"{judged(it.flat)}. That the largest drop of every super-class lies after layer {it.boundary} "
        f"{judged(it.sudden)}."
    )


def learnt(found: Learnt | None) -> str:
    """Return at which layers training has changed label variation, and whether that comes late."""
    if not found:
        return "Nothing says what of this was learnt: there is no untrained network beside it."
    told = len(found.lower) + len(found.higher)
    said = [
        f"Beside {counted(found.draws, 'draw')} of the same network without training, label variation is "
        + surely(found.lower, found.higher)
        + ("; at the other layers the intervals do not tell." if 0 < told < found.depth else "."),
        f"Trained minus untrained is {estimate(found.last)} at layer {found.depth}.",
    ]
    if found.early and found.late:
        said.append(
            f"The difference {moves(found.early.value)} up to layer {found.boundary}, and {moves(found.late.value)} "
            f"after it. That it falls farther after that layer than it moves before {judged(found.comes_late)}."
        )
    return " ".join(said)


def neighbours(found: Sequence[Neighbours]) -> str:
    """Return how label variation is where clips may be joined to some others only."""
    said = []
    for it in found:
        beside = ""
        if it.untrained:
            beside = f", without training from {number(it.untrained[0])} to {number(it.untrained[1])}"
        said.append(
            f"- {JOINED[it.edges]}: from {number(it.trained[0])} at the first layer to {number(it.trained[1])} at the "
            f"last{beside}."
        )
    if missing := [edges for edges in JOINED if edges not in {it.edges for it in found}]:
        said.append(
            f"\n{listed(missing).capitalize()} cannot be asked for: among these clips they are not known, or there is "
            "only one. The parameter `nodes` takes clips of another split, where there is one."
        )
    return "\n".join(said)


def votes(found: Sequence[Votes]) -> str:
    """Return how many clips neighbours name wrongly before any layer and after the last, by who they may be."""
    if not found:
        return ""
    everyone, *others = found
    said = [
        f"Each of {counted(everyone.clips, 'clip')} is named by the action that has most weight among its "
        "neighbours. Shares that are named wrongly at the input, before any layer, and at the last layer:\n"
    ]
    said += [
        f"- {JOINED[it.edges].lower()} {estimate(it.first, percent)}, and {estimate(it.last, percent)};" for it in found
    ]
    said[-1] = f"{said[-1].removesuffix(';')}."
    for it in others:
        harder = it.harder(everyone)
        said.append(f"\nThat more are wrong at the input where only {it.edges} may be neighbours {judged(harder)}.")
        if harder == Verdict.HOLDS:
            said[-1] += f" Some find their class there by clips of the same {SHARED[it.edges]}, not by a network."
    return "\n".join(said)


def theorem(found: TheoremFindings) -> str:
    """Return what the check of Theorem 1 found."""
    if not found.layers:
        return (
            "Theorem 1 is not checked for this network. That takes two layers or more, with a method "
            "`linear_factors` that names the affine maps between their ReLUs."
        )
    constant = "No layer shows what constant the inequality needs, as labels do not vary before any."
    if not isnan(found.constant):
        constant = f"The inequality needs a constant of at least c = {number(found.constant, 3)} (layer {found.worst})."
    must = "as it must" if found.kept == found.checked else "though it must at each"
    said = [constant]
    if found.checked:
        said.append(f"The provable part holds at {found.kept} of {counted(found.checked, 'layer')}, {must}.")
    if not isnan(found.correlation):
        said.append(
            "The paper remarks that a layer with a large norm changes label variation more. The rank correlation of "
            f"the norm with the size of the change is {number(found.correlation)} over "
            f"{counted(found.compared, 'layer')}."
        )
    return " ".join(said)
