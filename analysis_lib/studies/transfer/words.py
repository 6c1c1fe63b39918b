"""Sentences of the transfer chapter."""

from math import ceil, floor, isnan, nan

from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.studies.transfer.findings import Findings, Forecast, Probe
from analysis_lib.words import counted, estimate, judged, listed, name_of, number, percent, points, value_of

#: words of a name that an answer has
SHORT = 4
#: whether it helps that more layers learn, as an answer has it
DEEPER = {
    Verdict.HOLDS: "more layers name more, at best {}",
    Verdict.FAILS: "more layers name fewer, at best {}",
    Verdict.UNDECIDED: "more layers at best name {}, no clear difference",
}


def answer(found: Findings | None, new: str = "") -> str:
    """Return the chapter's answer: what the least comes to, whether more should learn, and what from scratch.

    Parameters
    ----------
    found : Findings, optional
    new : str
        What the data of the new actions are called; a long name is left out.
    """
    if not found:
        return "Nothing can be said, as no network was tuned to new actions."
    of = f" of *{name_of(new)}*" if 0 < len(new.split()) <= SHORT else ""
    tuned = (
        f"Tuning {_alone(found.shallowest)} on {counted(found.size, 'clip')} of each new action{of} names "
        f"{value_of(found.shallow, percent)} of test clips rightly"
    )
    beside = [DEEPER[found.deeper].format(value_of(found.deep, percent))] if found.best else []
    beside += [] if isnan(found.scratch.value) else [_from_scratch(found)]
    return f"{'; '.join(filter(None, [tuned, ', and '.join(beside)]))}."


def _from_scratch(found: Findings) -> str:
    """Return what training from scratch comes to, or that after so many epochs it is no better than guessing."""
    if found.at_chance:
        return f"training from scratch is still at chance after {counted(found.epochs, 'epoch')}"
    return f"training from scratch names {value_of(found.scratch, percent)}"


def verdicts(found: Findings | None) -> list[tuple[Verdict, str]]:
    """Return whether old layers are worth keeping, and whether more of them should learn."""
    if not found:
        return []
    ahead = f"after {counted(found.epochs, 'epoch')} old layers beat training from scratch on as many clips"
    return [(found.ahead, ahead), (found.deeper, "it helps if more layers learn")]


def numbers(found: Findings | None) -> str:
    """Return the accuracies behind the answer, with their intervals."""
    if not found:
        return ""
    rows = {
        "the old head, untouched": Estimate(found.old),
        _alone(found.shallowest): found.shallow,
        f"at best, with more layers, {_case(found.best)}": found.deep if found.best else Estimate(nan),
        "the same network from scratch": found.scratch,
    }
    said = "; ".join(f"{name} {estimate(one, percent)}" for name, one in rows.items() if not isnan(one.value))
    text = f"Of {counted(found.clips, 'test clip')} of the new actions these name rightly: {said}."
    if found.at_chance:
        text += (
            f" The interval of training from scratch holds chance, {percent(found.chance)}: after "
            f"{counted(found.epochs, 'epoch')} it cannot be told from guesses, so that to be ahead of it "
            "says little."
        )
    return text


def _case(case: str | None) -> str:
    """Return what learns in a case.

    >>> _case("head"), _case("last 1 + head"), _case("last 3 + head")
    ('a new head', 'the last layer with a new head', 'the last 3 layers with a new head')
    """
    if case in ("head", "all"):
        return {"head": "a new head", "all": "the whole network"}[case]
    name = name_of(str(case).removesuffix(" + head"))
    layers = "last layer" if name == "last 1" else f"{name} layers"
    return f"the {layers} with a new head"


def _alone(case: str) -> str:
    return _case(case) + (" alone" if case == "head" else "")


def curves(found: Findings | None) -> str:
    """Return where label variation of new and of own actions falls, and how far."""
    if not found:
        return ""
    text = (
        f"From layer 1 on, the label variation of the new actions, mean of the super-classes, spans "
        f"{number(found.new_span)}, that of the network's own {number(found.own_span)}."
    )
    if (drop := found.drop_after) is not None:
        ends = f" ({floor(drop.low)} to {ceil(drop.high)})" if drop.low < drop.high else ""
        text += (
            f" Each super-class of new actions has one largest drop: the earliest lies after layer "
            f"{number(drop.value, 0)}{ends}."
        )
    if found.steps:
        rises = f"rises at {found.rises} of {counted(found.steps, 'step')}" if found.rises else "never rises"
        text += f" The mean curve {rises}."
    return text


def learning(found: Findings | None) -> str:
    """Return how soon each case passes what training from scratch reaches in the end."""
    if not found or not found.passed:
        return ""
    when = "; ".join(
        f"{'never' if epoch is None else f'by epoch {epoch}'} with {listed(map(_case, cases))}"
        for epoch, cases in found.passed
    )
    return (
        f"After {counted(found.epochs, 'epoch')}, training from scratch names {percent(found.goal)} of the test clips "
        f"rightly{', which is chance' if found.at_chance else ''}. "
        f"At the epochs that were read, fine-tuning passes that: {when}."
    )


def probe(found: Probe | None) -> str:
    """Return what a logistic regression reads off the untouched last layer, and whether the head still learnt."""
    if not found:
        return ""
    beside, ended = "", "."
    if not isnan(found.head):
        beside = f"; the new head alone, tuned for the same clips, {percent(found.head)}"
        ended = f"; the head {'was still learning' if found.learns else 'no longer learnt'} when tuning ended."
    return (
        f"Read by a logistic regression instead, the untouched last layer names {percent(found.probe)} of the test "
        "clips rightly, given "
        f"{counted(found.size, 'clip')} of each action{beside}. The regression is fitted to the end{ended}"
    )


def choices(found: Findings | None) -> str:
    """Return what the forecasts were good for, against always taking the same cut."""
    if not found or not found.best_cuts:
        return ""
    clear = listed(f"{lost} of {others} with {counted(size, 'clip')} a class" for size, lost, others in found.clear)
    text = (
        "A cut is how many of the last layers learn with a new head; what a rule loses is in percentage points of "
        f"accuracy. The best cut turned out to be {_cuts(found.best_cuts)}."
    )
    if found.clear:
        text += f" Of the other cuts, {clear} are clearly worse: their loss has an interval above zero."
    lines = [_forecast(forecast, found.n_fixed) for forecast in found.forecasts]
    if found.fixed:
        lines.append(f"- *{name_of(found.fixed)}* is the best fixed rule: it loses {_lost(found.fixed_lost)}.")
    return "\n".join([text, "", *lines])


def _forecast(forecast: Forecast, n_fixed: int) -> str:
    """Return one forecast's choices, loss and rank."""
    better = f"{forecast.better} of {counted(n_fixed, 'fixed rule')} {'does' if forecast.better == 1 else 'do'} better"
    order = ""
    if rho := dict.fromkeys(number(rho, signed=True) for rho in forecast.rho or ()):
        order = (
            f" That its order of {counted(n_fixed, 'cut')} agrees with that of accuracy {judged(forecast.agrees)}: "
            f"rank correlation {' to '.join(rho)}."
        )
    lost, size = forecast.worst
    most = f", {_lost(lost)} at most with {counted(size, 'clip')} a class" if len(forecast.taken) > 1 else ""
    return (
        f"- *{name_of(forecast.rule)}* takes cut {_cuts(forecast.taken)}, and loses {_lost(forecast.lost)} on average "
        f"against the best cut{most}; {better if forecast.better else 'no fixed rule does better'}.{order}"
    )


def _cuts(found: tuple[tuple[int, int], ...]) -> str:
    """Return cuts by the clips a class that they go with; just the cut if it is the same with all."""
    if len({cut for _, cut in found}) == 1 < len(found):
        return f"{found[0][1]} with {listed(size for size, _ in found)} clips a class"
    return listed(f"{cut} with {counted(size, 'clip')} a class" for size, cut in found)


def _lost(share: float) -> str:
    return f"{points(share, signed=False)} points"
