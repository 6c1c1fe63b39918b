"""Sentences of the noise chapter, and what kinds of faults are called."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan

from analysis_lib.statistics import Verdict
from analysis_lib.studies.noise.findings import Cost, Findings, Score
from analysis_lib.words import THIN, counted, listed, name_of, named, number, percent, plain, points


def _share(value: float) -> str:
    return f"{plain(100 * value)}{THIN}%"


@dataclass(frozen=True)
class Kind:
    """What a kind of fault is called, what its strength counts, and how one is written."""

    name: str
    axis: str
    tick: Callable[[float], str]
    strength: str  # in a sentence


KINDS = {
    "noise": Kind("white Gaussian noise", "PSNR (dB)", plain, "{} dB"),
    "occlusion": Kind("hidden joints", "share of joints hidden", _share, "{} of the joints"),
    "frame drop": Kind("lost frames", "share of frames lost", _share, "{} of the frames"),
    "jitter": Kind("unsteady time stamps", "largest shift (frames)", plain, "shifts of up to {} frames"),
}


def answer(found: Findings) -> str:
    """Return the chapter's answer: what noise at the noisiest graph's level does to accuracy and labels."""
    verdict = (
        "noise on only a few actions marks them, and so hides part of the damage"
        if found.marks
        else "that noise on only a few actions would mark them is not seen"
    )
    return (
        f"**Answer.** With white Gaussian noise at {plain(found.level)} dB on {named(found.actions)} the accuracy "
        f"there goes from {percent(found.clean)} to {percent(found.noisy.accuracy)} ({_change(found.noisy)}). At the "
        f"last layer label variation there changes by {number(found.chosen_change, signed=True)} on average if "
        f"nothing else is noisy, and by {number(found.all_change, signed=True)} if all actions are: {verdict}."
    )


def curves(found: Findings) -> str:
    """Return, level by level, at how many points noise on the chosen actions changes the curves."""
    n, shape = found.n_points, (counted(len(found.actions), "action"), counted(found.n_layers, "layer"))
    lines = [
        f"Points are {' by '.join(shape)}; of {counted(n, 'interval')}, {number(found.by_chance, 1)} leave out zero "
        "by chance."
    ]
    lines += [
        f"At {plain(level.level)} dB label variation is clearly lower at {level.lower} of {n} points and clearly "
        f"higher at {level.higher}; the largest change is {number(level.largest, signed=True)} ("
        f"{name_of(level.action)}, layer {level.layer})."
        for level in found.curves
    ]
    return " ".join(lines)


def climb(found: Findings) -> str:
    """Return whether noise steadies the curve that climbs most."""
    curve = found.climb
    values = listed(f"{number(climb)} ({plain(psnr)} dB)" for psnr, climb in curve.noisy)
    margin = f"the margin of one of its points (±{number(curve.margin)})"
    weight = f"less than {margin}, so that there is little to steady" if curve.weak else f"more than {margin}"
    verdict = {
        Verdict.HOLDS: "goes the same way here",
        Verdict.FAILS: "does not hold here",
        Verdict.UNDECIDED: f"goes the same way only at {_levels(curve.steadied)}",
        Verdict.UNTESTED: "cannot be tested here",
    }
    return (
        f"The clean curve that climbs most is that of {name_of(curve.name)}: by {number(curve.climb)}, {weight}. "
        f"With noise it climbs by {values}. The paper's remark, that noise steadies such a curve, "
        f"{verdict[curve.verdict]}."
    )


def mark(found: Findings) -> str:
    """Return whether noise on the chosen actions alone acts as a label, and what that hides."""
    parted = [f"{name_of(name)} ({number(q, signed=True)}; {points(share)} points)" for name, q, share in found.parted]
    return (
        f"At {plain(found.level)} dB label variation is higher with noise on all actions than with noise on the "
        f"chosen ones at {found.higher} of {found.n_points} points, by {number(found.gap, signed=True)} on average. "
        "Actions whose labels become clearly smoother at the last layer while the network names clearly fewer of "
        f"their clips rightly: {listed(parted)}."
    )


def costs(found: Findings) -> str:
    """Return what the mixed set loses beside the paper's, and what each fault costs on the chosen actions."""
    changes = listed(f"{points(score.change.value)} ({plain(score.strength)} dB)" for score in found.mixed)
    text = (
        f"On the mixed set of {counted(found.mixed_clips, 'clip')}, accuracy changes by {changes} points. The paper, "
        f"which gives no level, reports {points(found.reported)}. Here the loss is no larger than that at "
        f"{_levels(found.within)}, and larger at {_levels(found.beyond)}."
    )
    return "\n".join([text, "", *map(_cost, found.costs)])


def _cost(cost: Cost) -> str:
    """Return the mildest strength that clearly costs accuracy, any that raises it, and the rest."""
    kind = KINDS[cost.kind]
    written = lambda score: kind.strength.format(kind.tick(score.strength))  # noqa: E731
    lost = cost.lost
    parts = [
        f"clearly costs accuracy at {written(lost)} ({_change(lost)})" if lost else "no clear loss at any strength"
    ]
    parts += [f"clearly raises it at {written(score)} ({_change(score)})" for score in cost.gained]
    return (
        f"- *{kind.name}*: {'; '.join(parts)}. At the strongest, {written(cost.strongest)}, "
        f"{percent(cost.strongest.accuracy)} of the clips of these actions are named rightly."
    )


def mistaken(found: Findings) -> str:
    """Return what clips with the strongest noise are taken for, and whether that flatters an action."""
    level = f"{plain(found.strongest)} dB"
    if not found.mistaken:
        return f"At {level} every clip is still named rightly."
    name = name_of(found.mistaken)
    text = f"At {level}, {percent(found.mistaken_share)} of the clips that are named wrongly are taken for {name}."
    if isnan(found.mistaken_own):
        return text
    return (
        f"{text} That {percent(found.mistaken_own)} of the clips of {name} are named rightly there is then no sign "
        "that it withstands noise: the network says so of noise itself."
    )


def levels(found: Findings) -> str:
    """Return by how much the noise of any clip misses the level that was asked for."""
    return (
        f"Measured on {counted(found.noisy_clips, 'noisy clip')}, the level is never more than "
        f"{plain(found.worst_miss)} dB off."
    )


def _change(score: Score) -> str:
    change = score.change
    return f"{points(change.value)} points, 95{THIN}% interval {points(change.low)} to {points(change.high)}"


def _levels(values) -> str:
    return f"{listed(map(plain, values))} dB" if values else "no level"
