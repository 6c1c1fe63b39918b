"""Sentences of the transfer chapter."""

from math import ceil, floor, isnan, nan

from analysis_lib.statistics import Estimate, Verdict
from analysis_lib.studies.transfer.findings import Findings, Forecast, Probe
from analysis_lib.words import counted, estimate, listed, name_of, number, percent, points, value_of


def answer(found: Findings | None) -> str:
    """Return the chapter's answer: whether more should learn than the least, and what old layers are worth."""
    if not found:
        return "Nothing can be said, as no network was tuned to new actions."
    alone = _alone(found.shallowest)
    lead = {
        Verdict.HOLDS: f"More should learn than {alone}: given",
        Verdict.FAILS: f"No more should learn than {alone}: given",
        Verdict.UNDECIDED: f"Whether more should learn than {alone} stays open: given",
    }.get(found.deeper, "Given")
    others = {"with more layers at best": found.deep, "training from scratch": found.scratch}
    rest = [f"{name} {value_of(one, percent)}" for name, one in others.items() if not isnan(one.value)]
    return (
        f"{lead} {counted(found.size, 'clip')} of each new action, {alone if lead == 'Given' else 'that'} names "
        f"{value_of(found.shallow, percent)} of {counted(found.clips, 'test clip')} rightly"
        f"{''.join(f', {one}' for one in rest)}."
    )


def verdicts(found: Findings | None) -> list[tuple[Verdict, str]]:
    """Return whether old layers are worth keeping, and whether more of them should learn."""
    if not found:
        return []
    return [(found.ahead, "old layers beat training from scratch"), (found.deeper, "it helps if more layers learn")]


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
    return f"Of {counted(found.clips, 'test clip')} of the new actions these name rightly: {said}."


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
    return _case(case) + ("" if case == "all" else " alone")


def curves(found: Findings | None) -> str:
    """Return where label variation of new and of own actions falls, and how far."""
    if not found:
        return ""
    text = (
        f"From layer 1 on, mean label variation of the new actions spans {number(found.new_span)}, that of the "
        f"network's own {number(found.own_span)}."
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
        f"After {counted(found.epochs, 'epoch')}, training from scratch names {percent(found.goal)} rightly. "
        f"At the epochs that were read, fine-tuning passes that: {when}."
    )


def probe(found: Probe | None) -> str:
    """Return what a logistic regression reads off the untouched last layer: the head alone, done learning."""
    if not found:
        return ""
    beside = "" if isnan(found.head) else f"; the new head alone, tuned for the same clips, {percent(found.head)}"
    return (
        f"Read by a logistic regression instead, the untouched last layer names {percent(found.probe)} rightly, given "
        f"{counted(found.size, 'clip')} of each action{beside}. That is a head that has done learning."
    )


def choices(found: Findings | None) -> str:
    """Return what the forecasts were good for, against always taking the same cut."""
    if not found or not found.best_cuts:
        return ""
    clear = listed(f"{lost} of {others} with {size}" for size, lost, others in found.clear)
    text = f"The best cut turned out to be {_cuts(found.best_cuts)}."
    if found.clear:
        text += f" Of the other cuts, {clear} clips a class are clearly worse: their loss has an interval above zero."
    lines = [_forecast(forecast, found.n_fixed) for forecast in found.forecasts]
    if found.fixed:
        lines.append(f"- *{name_of(found.fixed)}* is the best fixed rule: it loses {_lost(found.fixed_lost)}.")
    return "\n".join([text, "", *lines])


def _forecast(forecast: Forecast, n_fixed: int) -> str:
    """Return one forecast's choices, loss and rank."""
    better = f"{forecast.better} of {counted(n_fixed, 'fixed rule')} {'does' if forecast.better == 1 else 'do'} better"
    rho = dict.fromkeys(number(rho, signed=True) for rho in forecast.rho or ())
    order = f"; its order of the cuts agrees with accuracy by {' to '.join(rho)} (rank correlation)" if rho else ""
    return (
        f"- *{name_of(forecast.rule)}* takes cut {_cuts(forecast.taken)}, and loses {_lost(forecast.lost)} on average "
        f"against the best cut; {better if forecast.better else 'no fixed rule does better'}{order}."
    )


def _cuts(found: tuple[tuple[int, int], ...]) -> str:
    return f"{listed(f'{cut} with {size}' for size, cut in found)} clips a class"


def _lost(share: float) -> str:
    return f"{points(share, signed=False)} points"
