"""What the chapter on parts of networks says."""

from collections.abc import Mapping
from math import isnan

import pandas as pd

from analysis_lib.networks.registry import TITLES
from analysis_lib.networks.titles import entry_titles
from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.studies.ablations.findings import OFTEN, SELDOM, Actions, Findings, Focus, Part
from analysis_lib.words import counted, estimate, judged, name_of, named, number, percent, points

#: what each table of a paper holds, by architecture and place
CLAIMS = {
    ("fg-stformer", "Table 1"): "focal joints, parts of the body and attention between them each help FG-STFormer",
    ("fg-stformer", "Table 2"): "15 focal joints are better than fewer and than more",
    ("fg-stformer", "Table 3"): "both convolution and attention over time help FG-STFormer",
    ("fg-stformer", "Table 4"): "six layers among all joints are better than fewer and than more",
    ("st-gdn", "Section III.C"): "all kinds of whitening help ST-GDN, that of frames more than that of joints",
}


def answer(found: Findings | None) -> str:
    """Return how many parts help, in one plain sentence."""
    if not found:
        return "Nothing can be said of parts, as no variants of the networks have been trained."
    helps, harms, untold = (len(found.told(v)) for v in (Verdict.HOLDS, Verdict.FAILS, Verdict.UNDECIDED))
    trainings = f"the scatter of {counted(found.seeds, 'training')} each"
    if not helps and not harms:
        return (
            f"Of {counted(untold, 'choice')} that the papers make, none can be told to help or harm, given {trainings}."
        )
    return (
        f"Of {counted(len(found.parts), 'choice')} that the papers make, networks are more accurate with {helps}, less "
        f"accurate with {harms}, and with {untold} no difference can be told from {trainings}."
    )


def verdicts(found: Findings | None) -> list[tuple[Verdict, str]]:
    """Return what became of what each table of the papers holds."""
    return [(verdict, CLAIMS[place]) for place, verdict in found.places().items()] if found else []


def numbers(found: Findings | None) -> str:
    """Return which parts help and harm, and how far one training lies from another."""
    if not found:
        return ""
    said = [f"{head}: {'; '.join(map(_gain, found.told(v)))}." for v, head in _HEADS.items() if found.told(v)]
    spread = " and ".join(f"{points(sd, signed=False)} points in {TITLES[name]}" for name, sd in found.sd.items())
    return "\n\n".join([*said, f"Two trainings of one variant differ by chance: their standard deviation is {spread}."])


_HEADS = {Verdict.HOLDS: "More accurate with it, in points", Verdict.FAILS: "Less accurate with it, in points"}


def _gain(part: Part) -> str:
    published = "" if isnan(part.published) else f", published {points(part.published)}"
    return f"{part.name} in {TITLES[part.architecture]} {_points(part.gain)}{published}"


def _points(found: Estimate) -> str:
    return estimate(found, points)


def overview(parts: pd.DataFrame) -> pd.DataFrame:
    """Return the gains as people read them, one row a part."""
    gains = [Estimate(row.value, row.low, row.high) for row in parts.itertuples()]
    shown = {
        "network": parts["architecture"].map(TITLES),
        "in its paper": parts["place"],
        "part": parts["part"],
        "gain here, points": [_points(gain) for gain in gains],
        "published": ["not known" if isnan(value) else points(value) for value in parts["published"]],
        "that it helps": [judged(gain.above(0)) for gain in gains],
    }
    return pd.DataFrame(shown).set_index("network")


def variants(table: pd.DataFrame) -> pd.DataFrame:
    """Return accuracies of the variants as people read them."""
    rows = [
        {
            "network": TITLES.get(row.architecture, row.architecture),
            "variant": row.variant,
            "parameters": number(row.parameters, 0),
            "trainings": row.seeds,
            "accuracy, mean": estimate(Estimate(row.accuracy, row.low, row.high), percent),
            "least and most": f"{percent(row.least)} to {percent(row.most)}",
        }
        for row in table.itertuples()
    ]
    return pd.DataFrame(rows).set_index("network")


def focus(found: Focus) -> str:
    """Return which joints are focal whatever the action, and which are typical of some."""
    typical = "; ".join(f"*{name_of(action)}*: {named(joints)}" for action, joints in found.typical.items())
    return (
        f"Of {counted(found.joints, 'joint')} {found.focal} are focal in each frame. Focal in more than "
        f"{percent(OFTEN)} of the frames of every action: {named(found.always)}; in less than {percent(SELDOM)}: "
        f"{named(found.never)}. What stands out most from the mean of the actions: {typical}."
    )


def actions(found: Actions, one: str, other: str) -> str:
    """Return which actions one network knows better than another."""
    first, second = map(name_of, entry_titles([one, other]).values())
    return (
        f"{first} names {percent(found.one)} of the clips rightly, {second} {percent(found.other)}. Of "
        f"{counted(found.count, 'action')}, the first is better beyond chance at {named(found.more)}, and worse at "
        f"{named(found.fewer)}."
    )


def shown(action: str) -> str:
    """Return of which action joints are drawn, as the beginning of a caption."""
    return f"*{name_of(action)}*."


def apart(found: Mapping[str, tuple[float, float]]) -> str:
    """Return how far joints lie apart in each network."""
    called = entry_titles(found)
    said = [f"{name_of(called[name])} {number(s)} and silhouette {number(h)}" for name, (s, h) in found.items()]
    return f"Variance between joints over variance within, at the last layer: {'; '.join(said)}."
