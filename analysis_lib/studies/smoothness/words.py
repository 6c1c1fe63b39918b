"""What the smoothness chapter says."""

from math import ceil, floor, isfinite, isnan

from analysis_lib.statistics import Estimate, Verdict
from analysis_lib.studies.smoothness.findings import CurveFindings, Picture, TheoremFindings
from analysis_lib.words import counted, estimate, judged, moves, name_of, named, number, percent


def answer(found: CurveFindings | None) -> str:
    """Return how much of the neighbourhoods lies in other actions, at the first layer and at the last."""
    if not found:
        return "Nothing can be said, as no action has a neighbour at the first layer, or none at the last."
    weight = f"Of the weight that joins {counted(found.clips, 'clip')} to their neighbours"
    if found.depth == 1:
        return f"{weight}, {percent(found.last)} leads to other actions at the only layer."
    return (
        f"{weight}, {percent(found.first)} leads to other actions at layer 1, and {percent(found.last)} at layer "
        f"{found.depth}."
    )


def verdicts(found: CurveFindings | None) -> list[tuple[Verdict, str]]:
    """Return what is found of each half of the paper's picture, of no layer after the boundary that it cannot be."""
    if not found or found.depth == 1:
        return []
    both = (found.picture.flat, found.picture.sudden) if found.picture else [Verdict.UNTESTED] * 2
    said = (f"nearly flat up to layer {found.boundary}", "every super-class falls most after it")
    return list(zip(both, said, strict=True))


def numbers(found: CurveFindings | None) -> str:
    """Return where label variation falls most, and what that is of the paper's picture."""
    if not found or found.depth == 1:
        return ""
    said = []
    if found.drops:
        places = "; ".join(f"{name_of(d.group)} {estimate(d.size)} after layer {_layer(d.after)}" for d in found.drops)
        said.append(f"Largest single drops, with {percent(0.95)} intervals of size and place: {places}.")
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
