"""What the chapter on infants says."""

from collections.abc import Sequence

import pandas as pd

from analysis_lib.chapters.editions import edition_title
from analysis_lib.explain.registry import CONTROLS, TITLES
from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.studies.infants.findings import CHANCE, LINE, Findings
from analysis_lib.words import counted, estimate, judged, listed, marked, name_of, named, number, percent, plain


def answer(found: Findings, data: str) -> str:
    """Return whether infants are told apart, and whether explanations find the joints.

    Parameters
    ----------
    data : str
        Name of the dataset.
    """
    whose = f"On {name_of(edition_title(data))},"
    told = {
        Verdict.HOLDS: f"{whose} the network tells those who fidget from those who do not better than chance",
        Verdict.FAILS: f"{whose} the network does not tell those who fidget from those who do not",
        Verdict.UNDECIDED: f"{whose} it stays open whether the network tells those who fidget from those who do not",
        Verdict.UNTESTED: f"{whose} nothing can be told apart, as only one kind of infants is there",
    }[found.told]
    if not found.finds:
        return f"{told}."
    if not found.finding:
        return f"{told}; no explanation is seen to rank the joints that fidget above the others."
    who = _some(found.finding, len(found.finds))
    does = "ranks" if len(found.finding) == 1 else "rank"
    return f"{told}; {who} {does} the joints that fidget above the others{_beside_motion(found)}."


def _some(methods: Sequence[str], of: int) -> str:
    """Return methods by name, or how many where a list would be long."""
    return listed(methods) if len(methods) <= 2 else f"{len(methods)} of {of} explanations"


def _beside_motion(found: Findings) -> str:
    """Return whether methods that find the joints do so better than what asks no network."""
    if found.beats_motion is None:
        return ""
    better = "surely better than motion energy does without a network"
    if found.beats_motion == found.finding:
        return f", {better}"
    if not found.beats_motion:
        return f", though {'not' if len(found.finding) == 1 else 'none'} {better}"
    return f", but only {_some(found.beats_motion, len(found.finds))} {better}"


def verdicts(found: Findings) -> list[tuple[Verdict, str]]:
    """Return what the answer rests on."""
    return [
        (found.told, "infants are told apart better than chance"),
        *(
            (verdict, f"{method} ranks the joints that fidget above the others")
            for method, verdict in found.finds.items()
        ),
    ]


def numbers(found: Findings) -> str:
    """Return what the answer rests on, in numbers."""
    said = [f"{counted(found.infants, 'infant')} in {counted(found.windows, 'window')}; {found.fidgeting} fidget."]
    if found.told != Verdict.UNTESTED:
        said.append(
            f"An infant who fidgets has a higher score than one who does not in {estimate(found.area)} of all pairs, "
            f"the area under the ROC curve. That it is above {number(CHANCE, 1)} {judged(found.told)}."
        )
    said += [
        f"Of {counted(rate.clips, 'infant')} who {who}, {round(rate.value * rate.clips)} {what} {plain(LINE)}, "
        f"{name} {estimate(rate, percent)}."
        for rate, who, what, name in (
            (found.sensitivity, "fidget", "have a score of at least", "a sensitivity of"),
            (found.specificity, "do not", "have one below", "a specificity of"),
        )
        if rate
    ]
    return " ".join(said)


def pair(names: Sequence[str]) -> str:
    """Return which class stands above and which below, as the beginning of a caption.

    >>> pair(["with", "without"])
    'Above *with*, below *without*.'
    """
    return f"Above {marked(names[:1])}, below {marked(names[1:])}."


def plainly(found: Findings) -> str:
    """Return in plain words what the page comes down to; nothing where it is not known which joints fidget."""
    if not found.finds:
        return ""
    said = "In plain words: "
    if found.sensitivity and found.specificity:
        hit, miss = (round(rate.value * rate.clips) for rate in (found.sensitivity, found.specificity))
        said += (
            f"the network finds {hit} of the {counted(found.sensitivity.clips, 'infant')} who fidget, and takes "
            f"{found.specificity.clips - miss} of the {found.specificity.clips} others for such. "
        )
    if not found.finding:
        return f"{said}Which joints fidget, no explanation is seen to tell."
    if found.beats_motion is None:
        return f"{said}Which joints fidget, one can learn from {listed(found.finding)}."
    if not found.beats_motion:
        return f"{said}Which joints fidget, no explanation is seen to tell better than how far each joint moves."
    rest = [method for method in found.finds if method not in found.beats_motion]
    beside = f"; of {listed(rest)} that cannot be said" if rest else ""
    return (
        f"{said}Which joints fidget, one learns better from {listed(found.beats_motion)} than from how far each joint "
        f"moves{beside}."
    )


def joints(found: Findings) -> str:
    """Return how near each explanation comes to the joints that fidget."""
    if not found.ranked:
        return "Which joints fidget is not known here: nothing says which explanation is right."
    controls = [TITLES[name] for name in CONTROLS if TITLES[name] in found.ranked]
    areas = "\n".join(f"- {method}: {estimate(area)}" for method, area in found.ranked.items())
    said = (
        "The share of pairs of a joint that fidgets and one that does not which an explanation puts in the right "
        f"order, mean over {counted(max(area.clips for area in found.ranked.values()), 'infant')}:\n\n{areas}"
    )
    for control in controls:
        better = [name for name in found.finds if found.ranked[name].beyond(found.ranked[control]) == Verdict.HOLDS]
        said += f"\n\nSurely better than *{control}*, which asks no network: {named(better)}."
    return said


def agreement(found: Findings, agreement: pd.DataFrame) -> str:
    """Return how far the explanations agree (`analysis_lib.explain.comparison.agreement_table`), controls left out."""
    rows = (
        agreement[agreement["one"].isin(found.finds) & agreement["other"].isin(found.finds)]
        if found.finds
        else agreement
    )
    if rows.empty:
        return ""
    pairs = "; ".join(
        f"{row.one} and {row.other} {estimate(Estimate(row.tau, row.low, row.high))}"
        for row in rows.itertuples(index=False)
    )
    return (
        "How alike two explanations order the joints by their median values, 1 for the same order, 0 for none in "
        f"common, −1 for the reverse (Kendall's correlation): {pairs}."
    )
