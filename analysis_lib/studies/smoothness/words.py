"""What the smoothness chapter says."""

from math import isfinite, isnan

from analysis_lib.statistics import Verdict
from analysis_lib.studies.smoothness.findings import CurveFindings, Picture, Statement, TheoremFindings
from analysis_lib.words import counted, estimate, name_of, named, number


def answer(found: CurveFindings) -> str:
    """Return how far label variation falls, where it falls most, and what that is of the paper's picture."""
    said = [f"**Answer.** On {counted(found.clips, 'clip')} the label variation"]
    if found.depth == 1:
        return f"{said[0]} is {number(found.last)} at the only layer (mean of the super-classes)."
    said[0] += (
        f" goes from {number(found.first)} at layer 1 to {number(found.last)} at layer {found.depth} "
        "(mean of the super-classes)."
    )
    if found.drops:
        places = [
            f"{name_of(drop.group)}: {estimate(drop.size)} after layer {estimate(drop.after, _layer)}"
            for drop in found.drops
        ]
        said.append(f"Largest single drops, with 95 % intervals of size and place: {'; '.join(places)}.")
    if found.steady:
        said.append(f"It never falls from one layer to the next: {named(found.steady)}.")
    return " ".join([*said, *([_of_the_picture(found.picture)] if found.picture else [])])


def _layer(value: float, _: int | None = None) -> str:
    return number(value, 0)


def _of_the_picture(picture: Picture) -> str:
    layer = picture.boundary
    here = f"here {estimate(picture.share)} of it" if isfinite(picture.share.value) else "here there is none"
    return (
        f"It changes by {number(picture.early, signed=True)} up to layer {layer} and by "
        f"{number(picture.late, signed=True)} after it. Of the paper's picture, that the curve is flat up to "
        f"layer {layer} (a change of less than half of that after it; {here}) {_said(picture.flat)}; that the "
        f"largest drop of every super-class lies after layer {layer} {_said(picture.sudden)}."
    )


def _said(statement: Statement) -> str:
    if statement.verdict != Verdict.UNDECIDED:
        return str(statement.verdict)
    if statement.here:
        return "holds on these clips, but not on all resamples of them"
    return "does not hold on these clips, but does on some resamples of them"


def theorem(found: TheoremFindings) -> str:
    """Return what the check of Theorem 1 found."""
    if not found.layers:
        return (
            "Theorem 1 is not checked for this network: that takes two layers or more, with a method "
            "`linear_factors` that names the affine maps between their ReLUs."
        )
    constant = "No layer shows what constant the inequality needs, as labels do not vary before any."
    if not isnan(found.constant):
        constant = f"The inequality needs a constant of at least c = {number(found.constant, 3)} (layer {found.worst})."
    must = "as it must" if found.kept == found.layers else "though it must at each"
    said = [constant, f"The provable part holds at {found.kept} of {counted(found.layers, 'layer')}, {must}."]
    if not isnan(found.correlation):
        said.append(
            "The paper's remark that a layer with a large norm changes label variation more: Spearman correlation "
            f"of the norm with |1 − ratio| is {number(found.correlation)} over {found.layers} layers."
        )
    return " ".join(said)
