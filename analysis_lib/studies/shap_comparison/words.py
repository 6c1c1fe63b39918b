"""Sentences of the chapter *shap_comparison*, from what was found alone."""

from collections.abc import Callable, Mapping
from math import isnan

import pandas as pd

from analysis_lib.explain.controls import STILL
from analysis_lib.networks.registry import TITLES
from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.studies.shap_comparison.findings import ALIKE, EXACT, GRADCAM, ONE_ORDER, SHAP, Findings, Lead
from analysis_lib.studies.shap_comparison.judging import OF_NETWORKS
from analysis_lib.words import (
    counted,
    duration,
    estimate,
    judged,
    listed,
    name_of,
    named,
    number,
    percent,
    plain,
    points,
    ratio,
    value_of,
)

#: methods that an answer names
NAMED = 3
#: a gap that is less is one of the last digits
ROUNDING = 1e-4
#: what the streams of a network with branches hold
STREAMS = {"J": "places J", "V": "movement V", "B": "bones B", "A": "acceleration A"}
#: how many times as long SHAP takes as GradCAM, of NTU RGB+D and of infants, as published
PUBLISHED = (54, 9.3)
#: of NTU RGB+D, as published: largest correlation of a branch with the last map, and that of the main temporal layer
PUBLISHED_TAU = (0.14, 0.24)
#: the question that each yardstick answers
QUESTIONS = {
    "truth": "Which joints make the action?",
    "deletion": "Which joints can the network not do without?",
    "insertion": "Which joints are enough for it?",
    "short windows": "Which joints, and when?",
    "edges, released": "Which edges does it lean on, changed a little?",
    "edges, removed": "Which edges does it lean on, taken away?",
    "edges, scaled": "Which edges does it lean on, made weaker?",
    "PGI": "Where does an error of the sensor count?",
    "PGU": "Where does it not count?",
    "infidelity": "How much would the score lose?",
    "sensitivity": "Does the map stay as it is where the clip hardly changes?",
    "stability": "Do the joints keep their order there?",
    "randomised": "Does it show what was learnt?",
    "other seed": "Would another training give the same map?",
}


def answer(found: Findings) -> str:
    """Return which method is to be trusted, in one plain sentence."""
    if len(found.methods) < 2:
        return f"With {named(found.methods)} alone there is nothing to compare."
    n, left = len(found.leads), len(found.leads) - _as_well(found)
    clips, of = _clips(found), "the one yardstick" if n == 1 else f"{n} yardsticks"
    if not left:
        by = "By the one yardstick" if n == 1 else f"By each of {n} yardsticks"
        return f"{by} on {clips} maps without a network do as well as the best explanation."
    most = list(found.first.items())
    if most[0][1] == n:
        by = "By the one yardstick" if n == 1 else f"By every one of {n} yardsticks"
        said = f"{by} on {clips}, {_together(found, most[0][0])} first"
    else:
        ties = any(lead.level and lead.leads for lead in found.leads.values())
        shown = len(most) if len(most) <= NAMED else NAMED - 1
        each = [
            f"{name_of(method)} {('leads or ties ' if ties else 'leads ') * (i == 0)}{times}"
            for i, (method, times) in enumerate(most[:shown])
        ]
        led = listed([*each, f"{len(most) - shown} others at most {most[shown][1]} each"] if most[shown:] else each)
        said = f"No explanation throughout: of {of} on {clips} {led}"
        if left < n:
            open_to = sum(name not in OF_NETWORKS for name in found.leads)
            said = (
                f"No explanation throughout: by {n - left} of the {open_to} yardsticks open to them maps without a "
                f"network do as well, on {clips}; of {counted(left, 'other')} {led}"
            )
    if "truth" in found.leads and not found.leads["truth"].naive:
        said += f"; {name_of(found.leads['truth'].method)} finds the joints that move by design best"
    return f"{said}."


def _clips(found: Findings) -> str:
    """Return how many clips the yardsticks rest on: some explain perturbed clips anew, and take fewer."""
    fewest, most = (end((lead.value.clips for lead in found.leads.values()), default=0) for end in (min, max))
    return counted(most, "clip") if fewest == most else f"{fewest} to {counted(most, 'clip')}"


def _as_well(found: Findings) -> int:
    """Return by how many yardsticks nobody leads, as a map without any network does as well."""
    return sum(bool(lead.naive) for lead in found.leads.values())


def _together(found: Findings, method: str) -> str:
    """Return a method that leads by every yardstick, and who is level with it throughout, with its verb."""
    always = [other for other, times in found.first.items() if times == len(found.leads) and other != method]
    return f"{named([method, *always])} {'come' if always else 'comes'}"


def verdicts(found: Findings) -> list[tuple[Verdict, str]]:
    """Return what the paper says, and what it could not ask."""
    cost = f"perturbed edges cost more than by lot, and more by {GRADCAM}'s order than by that of {SHAP}"
    said = [(found.favours_gradcam, cost), (found.differ, f"{GRADCAM} and {SHAP} rank the joints differently")]
    said.append((found.nearer, f"{SHAP} is nearer than {GRADCAM} to the joints that move by design"))
    return [*said, (found.agreed, "all yardsticks put the methods in one order")]


def numbers(found: Findings) -> str:
    """Return who leads by which yardstick, and by how many a map that asks no network does as well."""
    as_well = _as_well(found)
    naive = (
        f" By {counted(as_well, 'yardstick')} a map without any network does as well, so that nobody leads."
        if as_well
        else ""
    )
    if among := [name for name in found.leads if name in OF_NETWORKS]:
        naive += f" By {listed(among)} maps of networks alone are compared."
    head = (
        f"{counted(found.clips, 'clip')} {'is' if found.clips == 1 else 'are'} explained, of which the network names "
        f"{found.right} rightly.{naive} Best by each yardstick, and who cannot be told from it by these clips:"
    )
    return "\n".join([head, "", *(f"- {name}: {_lead(lead)}" for name, lead in found.leads.items())])


def _lead(lead: Lead) -> str:
    said = f"{named(lead.best)} {estimate(lead.value)} on {counted(lead.value.clips, 'clip')}"
    if lead.naive:
        are = "is" if len(lead.naive) == 1 else "are"
        said = f"nobody leads; {named(lead.naive)} {are} as good, without any network, as {said}"
    if lead.near:
        said += f", like {named(lead.near)}"
    return f"{said}."


def network(name: str, card: Mapping, n_layers: int) -> str:
    """Return which network is explained, as other chapters have another one."""
    known = card.get("architecture", "")
    right = (
        f", which names {percent(card['test_accuracy'])} of its test clips rightly" if "test_accuracy" in card else ""
    )
    of = TITLES.get(known, known) or "network"
    return f"Explained is the {name_of(of)} *{name_of(name)}* of {counted(n_layers, 'layer')}{right}."


def missing(found: Findings) -> str:
    """Return which methods could not explain the network, and why."""
    return " ".join(f"{name_of(method)} is not here: {name_of(why)}." for method, why in found.missing.items())


def truth(found: Findings) -> str:
    """Return how near each method is to the joints that move by design."""
    if not found.truth:
        return "Nobody knows which joints these actions move by design, so that no map can be held to the truth."
    ranked = sorted(found.truth.items(), key=lambda pair: -pair[1].value)
    areas = "; ".join(f"{name_of(method)} {estimate(area)}" for method, area in ranked)
    said = f"Area under the ranking curve, where lot has a half: {areas}."
    if found.truth_lead:
        said += f" {SHAP} over {GRADCAM}, clip by clip: {estimate(found.truth_lead)}; "
        said += f"that it is nearer {judged(found.nearer)}."
    return said


def edges(found: Findings) -> str:
    """Return what perturbed edges and masked joints say of GradCAM and SHAP."""
    if not found.edges:
        return "There are no two methods whose orders of edges could be compared."
    said = []
    for how, words in _CHANGED.items():
        if how in found.edges:
            costs = [
                f"{method} beyond lot {estimate(found.lot[how, method], points)}"
                for method in (GRADCAM, SHAP)
                if (how, method) in found.lot
            ]
            costs.append(_between(found.edges[how]))
            said.append(f"{words}, points of probability, mean over the numbers of joints: {'; '.join(costs)}.")
    if found.deletion:
        said.append(f"On the input, where joints are masked instead: {_between(found.deletion)}.")
    return " ".join(said)


_CHANGED = {
    "released": "With the published change",
    "remove": "With the edges taken away",
    "scale": "With the edges made weaker",
}


def _between(gain: Estimate) -> str:
    return f"{GRADCAM} over {SHAP} {estimate(gain, points)}, so that {GRADCAM}'s costs more {judged(gain.above(0))}"


def linter(found: Findings) -> str:
    """Return what DeepLIFT cannot do exactly here, and what it costs."""
    if found.faults:
        said = f"Before anything is explained, the linter names {counted(found.faults, 'operation')} without a rule."
    else:
        said = "The linter finds no operation without a rule: DeepLIFT is exact here."
    gaps = [
        f"{name_of(method)} at the {at} {percent(gap) if gap > ROUNDING else 'rounding alone'}"
        for (method, at), gap in found.gaps.items()
        if not isnan(gap)
    ]
    if gaps:
        said += f" How far a map is from adding up to the score, median of the clips: {'; '.join(gaps)}."
        large = [f"{method} at the {at}" for (method, at), gap in found.gaps.items() if gap > EXACT]
        said += f" Beyond {percent(EXACT)}: {named(large, 'nothing')}."
    return said


def stillness(found: Findings, table: pd.DataFrame) -> str:
    """Return what the network makes of nothing, and of which actions masking can tell nothing."""
    lines = [
        f"- {STILL.get(how, name_of(how))}: most often named *{name_of(of['named'].mode()[0])}*, "
        f"{percent((of['named'] == of['named'].mode()[0]).mean())} of clips; the explained class keeps a probability "
        f"of {number(of['probability'].mean())}."
        for how, of in table.groupby("baseline", sort=False)
    ]
    if found.untold:
        last = (
            f"Of {named(found.untold)} masking **cannot tell**: the network sees that in clips whose joints are all "
            f"masked. {counted(found.told, 'clip')} {'is' if found.told == 1 else 'are'} left for masking."
        )
    else:
        last = "No explained action is what the network makes of a clip whose joints are all masked."
    return "\n".join(["A network has an answer to nothing, too:", "", *lines, "", last])


def agreement(found: Findings) -> str:
    """Return whether GradCAM and SHAP rank the joints alike."""
    if not found.tau:
        return "There are no two rankings to compare."
    return (
        f"Kendall's correlation of the medians of {GRADCAM} and {SHAP} is {estimate(found.tau)}; "
        f"that they rank the joints differently, below {plain(ALIKE)}, {judged(found.differ)}."
    )


def spread(table: pd.DataFrame) -> str:
    """Return how far a joint's value differs from clip to clip, by method."""
    said = [f"{name_of(row.method)} {estimate(Estimate(row.spread, row.low, row.high))}" for row in table.itertuples()]
    return f"From clip to clip a joint's value spreads by, interquartile range and mean over joints: {'; '.join(said)}."


def ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Return RIS, ROS and RRS as people read them."""
    return table.set_index("method").map(number)


def orders(found: Findings) -> str:
    """Return whether the yardsticks agree."""
    if not found.one_order:
        return "There are no two yardsticks to compare."
    return (
        f"Over {counted(found.pairs, 'pair')} of yardsticks, their orders of the methods have a mean rank correlation "
        f"of {estimate(found.one_order)}; in {found.opposed or 'none'} they are opposed. That it is above "
        f"{plain(ONE_ORDER)} {judged(found.agreed)}. One number for the quality of an explanation hides that."
    )


def stages(table: pd.DataFrame | None) -> str:
    """Return how far maps before the end agree with the last one (the paper's Table 1)."""
    if table is None:
        return "This network has no branches, whose layers could be compared."
    branches = table[~table["stage"].str.startswith("main") & table["rho"].notna()]
    main = table[table["stage"] == "main TCN"].iloc[0]
    said = []
    if len(branches):
        most = branches.loc[branches["rho"].abs().idxmax()]
        lot = f"{number(most['none_low'])} to {number(most['none_high'])}"
        said.append(
            f"Of the branches, *{name_of(most['stage'])}* of {_stream(most['stream'])} is most like the last map, with "
            f"{estimate(_of(most))}; joints exchanged by lot give {lot}."
        )
    if not isnan(main["rho"]):
        said.append(f"The main temporal layer has {estimate(_of(main))}.")
    if not said:
        return "The last map is the same at all joints, so that nothing can be ranked like it."
    branch, main = map(plain, PUBLISHED_TAU)
    return f"{' '.join(said)} The paper has at most {branch} in absolute value, and {main}."


def _stream(stream: str) -> str:
    """Return what a stream holds, and its letter; another by its name.

    >>> _stream("V"), _stream("sum")
    ('movement V', 'the sum of all streams')
    """
    return {**STREAMS, "sum": "the sum of all streams"}.get(stream, name_of(stream))


def active(table: pd.DataFrame | None) -> str:
    """Return which share of the joints the last two maps have active; nothing without such layers."""
    if table is None:
        return ""
    return (
        f"Above half of the largest are {percent(table['TCN'].mean())} of the joints in the main temporal layer's map, "
        f"and {percent(table['attention'].mean())} in that of the attention after it."
    )


def _of(row: pd.Series) -> Estimate:
    return Estimate(float(row["rho"]), float(row["low"]), float(row["high"]))


def streams(table: pd.DataFrame | None) -> str:
    """Return which stream adds most to the explained score, by each method."""
    if table is None:
        return "It makes no streams of its clips."
    mean = table.groupby(["method", "stream"], sort=False)["value"].mean()
    shares = {
        method: listed(f"{_stream(stream)} {percent(share)}" for (_, stream), share in of.items())
        for method, of in mean.groupby(level=0, sort=False)
    }
    said = [f"{name_of(method)} {share}" for method, share in shares.items()]
    return f"Share of the explained score that each stream adds, of all absolute shares: {'; '.join(said)}."


def costs(found: Findings, table: pd.DataFrame) -> str:
    """Return how long the methods take, and what their time grows with."""
    median = table.groupby(["method", "what", "size"], sort=False)["seconds"].median()
    said = []
    if not isnan(found.ratio.value):
        times = (median.get((GRADCAM, "one", 1)), median.get((SHAP, "background", 20)))
        said.append(
            f"Timed alone, for one clip and one class, {GRADCAM} takes {duration(times[0])} and {SHAP}, with 20 "
            f"background clips, {duration(times[1])}: {ratio(found.ratio.value)} as long. Published are "
            f"{plain(PUBLISHED[0])} and {plain(PUBLISHED[1])} times; what lies between half of the first and double, "
            f"{plain(PUBLISHED[0] / 2)} and {plain(PUBLISHED[0] * 2)}, counts as the same."
        )
    for method, what in (("DeepLIFT-SHAP", "background"), ("joint Shapley", "players")):
        of = median.loc[median.index.get_level_values("method") == method]
        sizes = of[of.index.get_level_values("what") == what].droplevel(["method", "what"])
        if len(sizes) > 1:
            grows = f"{sizes.index[0]} to {sizes.index[-1]}"
            said.append(
                f"From {grows} {_GROWS[what]}, {name_of(method)} takes {ratio(sizes.iloc[-1] / sizes.iloc[0])} as long."
            )
    said.append("Shapley values come for all classes at once; the others begin anew for each.")
    return " ".join(said)


_GROWS = {"background": "background clips", "players": "players"}


def questions(found: Findings, seconds: Mapping[str, float]) -> pd.DataFrame:
    """Return which method answers which question best, as people read it.

    Parameters
    ----------
    seconds : mapping of str to float
        A clip, by method.
    """
    rows = [_row(QUESTIONS[name], name, lead) for name, lead in found.leads.items()]
    sums = {method: gap for (method, _), gap in found.gaps.items() if not isnan(gap)}
    rows += _best("Does it add up to the score?", "gap", sums, percent)
    looking = {method: seconds[method] for method in found.methods}
    rows += _best("How soon is it there?", "time a clip, on this page", looking, duration)
    return pd.DataFrame(rows).set_index("question")


def _row(question: str, yardstick: str, lead: Lead) -> dict[str, str]:
    best = f"{named(lead.best)}, {value_of(lead.value)}"
    row = {"question": question, "yardstick": yardstick, "best of those that ask the network": best}
    return row | {"as good without a network": named(lead.naive, "none"), "not told from it": named(lead.near, "none")}


def _best(question: str, yardstick: str, values: Mapping[str, float], written: Callable[[float], str]) -> list[dict]:
    if not values:
        return []
    best = min(values, key=values.get)
    row = {"question": question, "yardstick": yardstick}
    row["best of those that ask the network"] = f"{name_of(best)}, {written(values[best])}"
    return [row | {"as good without a network": "", "not told from it": ""}]
