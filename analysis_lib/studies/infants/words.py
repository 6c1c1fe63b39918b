"""What the chapter on infants says."""

import pandas as pd

from analysis_lib.explain.registry import CONTROLS, TITLES
from analysis_lib.statistics import Estimate, Verdict
from analysis_lib.studies.infants.findings import CHANCE, Findings
from analysis_lib.words import counted, estimate, judged, listed, named, number


def answer(found: Findings) -> str:
    """Return whether infants are told apart, and whether explanations find the joints."""
    told = {
        Verdict.HOLDS: "The network tells infants who fidget from those who do not better than chance",
        Verdict.FAILS: "The network does not tell infants who fidget from those who do not",
        Verdict.UNDECIDED: "These infants do not say whether the network tells who fidgets",
        Verdict.UNTESTED: "Only one kind of infants is here, so that nothing can be told apart",
    }[found.told]
    if not found.finds:
        return f"{told}."
    finding = [method for method, verdict in found.finds.items() if verdict == Verdict.HOLDS]
    if len(finding) == len(found.finds):
        return f"{told}, and every explanation ranks the joints that fidget above the others."
    if finding:
        does = "rank" if len(finding) > 1 else "ranks"
        return f"{told}; of the explanations, {listed(finding)} {does} the joints that fidget above the others."
    return f"{told}; no explanation is seen to rank the joints that fidget above the others."


def verdicts(found: Findings) -> list[tuple[Verdict, str]]:
    """Return what the answer rests on."""
    return [
        (found.told, "infants are told apart better than chance"),
        *((verdict, f"{method} finds the joints that fidget") for method, verdict in found.finds.items()),
    ]


def numbers(found: Findings) -> str:
    """Return what the answer rests on, in numbers."""
    said = [f"{counted(found.infants, 'infant')} in {counted(found.windows, 'window')}; {found.fidgeting} fidget."]
    if found.told != Verdict.UNTESTED:
        said.append(
            f"An infant who fidgets has a higher score than one who does not in {estimate(found.area)} of all pairs, "
            f"the area under the ROC curve. That it is above {number(CHANCE, 1)} {judged(found.told)}."
        )
    return " ".join(said)


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
        said += f"\n\n*{control}* asks no network. Surely better than it: {named(better)}."
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
    return f"Kendall's correlation of the joints' median values, from −1 to 1: {pairs}."
