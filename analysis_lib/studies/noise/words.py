"""Sentences of the noise chapter, and what kinds of faults are called."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan

from analysis_lib.statistics.estimates import Verdict
from analysis_lib.studies.noise.findings import Cost, Findings, Learnt, Score
from analysis_lib.words import (
    THIN,
    at_layers,
    counted,
    estimate,
    judged,
    layers_of,
    listed,
    marked,
    name_of,
    number,
    percent,
    plain,
    points,
)


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


#: what it means if labels suffer less where a few actions alone are noisy
MARKED = " Noise then tells these actions from the others, as a label would, and hides part of the damage."
#: words of the actions' names up to which an answer has them
SHORT = 6
#: share of the wrong names from which on one is what the network says of noise itself
MOST = 0.5


def answer(found: Findings | None) -> str:
    """Return the chapter's answer: what noise at the noisiest graph's level does to accuracy, and where to labels."""
    if not found:
        return "Nothing can be said, as no noise was put on any clip."
    names = marked(found.actions)
    where = names if len(names.split()) <= SHORT else counted(len(found.actions), "action")
    default = f", taking most wrong ones for {marked([found.mistaken])}" if found.mistaken_share > MOST else ""
    return (
        f"With noise at {plain(found.level)} dB on {where}, the network names {percent(found.noisy.accuracy)} of the "
        f"clips rightly and {percent(found.clean)} without{default}{_where(found.learnt)}."
    )


def _where(found: Learnt | None) -> str:
    """Return the layers at which labels suffer more than in untrained networks; nothing without those."""
    if found is None:
        return ""
    others = "the one untrained network" if found.draws == 1 else counted(found.draws, "untrained network")
    if not found.higher:
        return f"; at no layer do labels surely suffer more than in {others}"
    return f"; labels surely suffer more than in {others} at {layers_of(found.higher)}"


def verdicts(found: Findings | None) -> list[tuple[Verdict, str]]:
    """Return whether noise costs accuracy, and whether it acts as a label."""
    if not found:
        return []
    return [
        (found.costly, "the network does worse with noise"),
        (found.marks, "labels suffer less if these actions alone are noisy than if all are"),
        *_dearer(found),
    ]


def _dearer(found: Findings) -> list[tuple[Verdict, str]]:
    said = "with noise, label variation at the last layer rises more, or falls less, than in untrained networks"
    return [(found.learnt.dearer, said)] if found.learnt else []


def numbers(found: Findings | None) -> str:
    """Return by how much accuracy changes, and label variation with noise on the chosen actions and on all."""
    if not found:
        return ""
    alone, everyone = (number(x, signed=True) for x in (found.chosen_change, found.all_change))
    return (
        f"The noise is white and Gaussian, on {marked(found.actions)}. At {plain(found.level)} dB, the strongest level "
        f"at which graphs are built, it is {percent(10 ** (-found.level / 20))} of the range of the coordinates. "
        f"Accuracy there changes by {_change(found.noisy)}. At the last layer label variation there changes by {alone} "
        f"on average if nothing else is noisy, and by {everyone} if all actions are. That the first is lower for each "
        f"action {judged(found.marks)}.{MARKED if found.marks == Verdict.HOLDS else ''}"
    )


def curves(found: Findings | None) -> str:
    """Return, level by level, at how many points noise on the chosen actions changes the curves."""
    if not found:
        return ""
    n, shape = found.n_points, (counted(len(found.actions), "action"), counted(found.n_layers, "layer"))
    lines = [f"Points are {' by '.join(shape)}. Where nothing changes, 1 interval in 20 leaves out zero by chance."]
    for level in found.curves:
        text = (
            f"At {plain(level.level)} dB label variation is clearly lower at {level.lower} of {counted(n, 'point')} "
            f"and clearly higher at {level.higher}"
        )
        most = f"{number(level.largest, signed=True)} (*{name_of(level.action)}*, layer {level.layer})"
        lines.append(f"{text}; the largest change is {most}." if level.layer else f"{text}.")
    return " ".join(lines)


def climb(found: Findings | None) -> str:
    """Return whether noise steadies the curve that climbs most."""
    if not found or not found.climb:
        return ""
    curve = found.climb
    values = listed(f"{number(climb)} ({plain(psnr)} dB)" for psnr, climb in curve.noisy)
    margin = f"the margin of one of its points ({number(curve.margin)} to both sides)"
    weight = f"no more than {margin}, so that there is little to steady" if curve.weak else f"more than {margin}"
    with_noise = f" With noise it climbs by {values}." if curve.noisy else ""
    return (
        f"The clean curve that climbs most is that of *{name_of(curve.name)}*: by {number(curve.climb)}, {weight}."
        f"{with_noise} The paper's remark, that noise steadies such a curve, {judged(curve.verdict)}."
    )


def mark(found: Findings | None) -> str:
    """Return whether noise on the chosen actions alone acts as a label, and what that hides."""
    if not found:
        return ""
    parted = [
        f"*{name_of(name)}* ({number(q, signed=True)}; {points(share)} points)" for name, q, share in found.parted
    ]
    return (
        f"At {plain(found.level)} dB label variation is higher with noise on all actions than with noise on the "
        f"chosen ones at {found.higher} of {counted(found.n_points, 'point')}. The mean difference is "
        f"{number(found.gap, signed=True)}. Actions whose labels become clearly smoother at the last layer while the "
        f"network names clearly fewer of their clips rightly: {listed(parted)}."
    )


def learnt(found: Findings | None) -> str:
    """Return how noise changes label variation beside untrained networks; nothing without those."""
    if not found or not found.learnt:
        return ""
    it = found.learnt
    here, there = (number(x, signed=True) for x in (it.trained, it.untrained))
    than = "that of untrained networks"
    sure = at_layers({f"above {than}": it.higher, f"below {than}": it.lower})
    where = f"The change is surely {sure}" if sure else "At no layer does the change surely differ from theirs"
    grows = ""
    if not isnan(it.growth.value) and found.n_layers > 1:
        grows = (
            f" That the difference grows from the first layer to the last, {estimate(it.growth)}, "
            f"{judged(it.growth.above(0))}."
        )
    return (
        f"At {plain(it.level)} dB, noise on the chosen actions alone changes their label variation at the last layer "
        f"by {here} in the mean, and by {there} in {counted(it.draws, 'untrained network')}. Trained minus untrained "
        f"is {estimate(it.last)}. That with noise it rises more, or falls less, than untrained {judged(it.dearer)}."
        f"{grows} {where}, all layers at once. {_rests(it.draws)}"
    )


def _rests(draws: int) -> str:
    """Return what the intervals have of the chance of untrained draws."""
    if draws == 1:
        return "This rests on one untrained draw, and the intervals say nothing of further ones."
    return f"The intervals cover the chance of the {draws} untrained draws, too."


def costs(found: Findings | None) -> str:
    """Return what the mixed set loses beside the paper's, and what each fault costs on the chosen actions."""
    if not found:
        return ""
    changes = listed(f"{points(score.change.value)} ({plain(score.strength)} dB)" for score in found.mixed)
    kinds = {"clearly smaller": found.within, "clearly larger": found.beyond, "not clearly another": found.level_with}
    beside = listed(f"{words} at {_levels(levels)}" for words, levels in kinds.items() if levels)
    text = (
        f"On the mixed set of {counted(found.mixed_clips, 'clip')}, accuracy changes by {changes} points. The paper, "
        f"which gives no level, reports {points(found.reported)}. Beside that the loss here is {beside}."
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
        f"- *{kind.name}*: {'; '.join(parts)}. At the strongest ({written(cost.strongest)}) the network names "
        f"{percent(cost.strongest.accuracy)} of the clips of these actions rightly."
    )


def mistaken(found: Findings | None) -> str:
    """Return what noisy clips are taken for, and whether that flatters an action."""
    if not found:
        return ""
    level = f"{plain(found.level)} dB"
    if not found.mistaken:
        return f"At {level} every clip is still named rightly."
    name = marked([found.mistaken])
    text = f"At {level}, {percent(found.mistaken_share)} of the clips that are named wrongly are taken for {name}."
    if isnan(found.mistaken_own) or found.mistaken_share <= MOST:
        return text
    return (
        f"{text} That {percent(found.mistaken_own)} of the clips of {name} are named rightly there is then no sign "
        "that it withstands noise: the network says so of noise itself."
    )


def levels(found: Findings | None) -> str:
    """Return by how much the noise of any clip misses the level that was asked for."""
    if not found or isnan(found.worst_miss):
        return ""
    return (
        f"Measured on {counted(found.noisy_clips, 'noisy clip')}, the level is never more than "
        f"{plain(found.worst_miss)} dB off."
    )


def _change(score: Score) -> str:
    """Return a change of accuracy in points, and its interval if it has one."""
    change = score.change
    text = f"{points(change.value)} points"
    if not change.low <= change.high:
        return text
    return f"{text}, {percent(0.95)} interval {points(change.low)} to {points(change.high)}"


def _levels(values) -> str:
    return f"{listed(map(plain, values))} dB"
