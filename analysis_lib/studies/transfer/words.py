"""Sentences of the transfer chapter."""

from analysis_lib.studies.transfer.findings import Findings, Forecast
from analysis_lib.words import THIN, counted, estimate, listed, number, percent, points


def answer(found: Findings) -> str:
    """Return the chapter's answer: what the source's layers are worth for the new actions."""
    learning = {"head": "a new head", "all": "everything learning"}
    case = learning.get(found.shallowest, f"{found.shallowest} learning")
    deeper = f"at best {estimate(found.deep, percent)}, with {found.best}" if found.best else "no more"
    return (
        f"**Answer.** Read through its old head, the network names {percent(found.old)} of the new actions' "
        f"{counted(found.clips, 'test clip')} rightly. Given {counted(found.size, 'clip')} of each to learn from, with "
        f"{case} alone it names {estimate(found.shallow, percent)}, and letting layers learn too gives {deeper}; the "
        f"same network from scratch reaches {estimate(found.scratch, percent)}."
    )


def curves(found: Findings) -> str:
    """Return where label variation of new and of own actions falls, and how far."""
    text = (
        f"From layer 1 on, mean label variation of the new actions spans {number(found.new_span)}, that of the "
        f"network's own {number(found.own_span)}."
    )
    if (drop := found.drop_after) is None:
        return text
    layer, low, high = (number(value, 0) for value in (drop.value, drop.low, drop.high))
    rises = f"rises at {found.rises} of {counted(found.steps, 'step')}" if found.rises else "never rises"
    return (
        f"{text} In every super-class of new actions the largest drop lies after layer {layer} or later "
        f"(95{THIN}% interval of the earliest: {low} to {high}). The mean curve {rises}."
    )


def learning(found: Findings) -> str:
    """Return how soon each case passes what training from scratch reaches in the end."""
    when = "; ".join(
        f"{'never' if epoch is None else f'by epoch {epoch}'} with {', '.join(cases)}" for epoch, cases in found.passed
    )
    return (
        f"After {counted(found.epochs, 'epoch')}, training from scratch names {percent(found.goal)} rightly. "
        f"Fine-tuning passes that, at the epochs that were read, {when}."
    )


def choices(found: Findings) -> str:
    """Return what the forecasts were good for, against always taking the same cut."""
    clear = "; ".join(f"{lost} of {others} at {size}" for size, lost, others in found.clear)
    text = f"The best cut turned out to be {_cuts(found.best_cuts)}."
    if clear:
        text += (
            f" Of the other cuts, those that lose clearly against it (interval above zero) are {clear} clips a class."
        )
    lines = [_forecast(forecast, found.n_fixed) for forecast in found.forecasts]
    lines.append(f"- *{found.fixed}* is the best fixed rule: it loses {_lost(found.fixed_lost)}.")
    return "\n".join([text, "", *lines])


def _forecast(forecast: Forecast, n_fixed: int) -> str:
    """Return one forecast's choices, loss and rank."""
    better = f"{forecast.better} of {counted(n_fixed, 'fixed rule')} {'does' if forecast.better == 1 else 'do'} better"
    rho = [number(rho, signed=True) for rho in forecast.rho or ()]
    order = f"; its order of the cuts agrees with accuracy by {' to '.join(rho)} (Spearman)" if rho else ""
    return (
        f"- *{forecast.rule}* takes cut {_cuts(forecast.taken)}, and loses {_lost(forecast.lost)} on average against "
        f"the best cut; {better if forecast.better else 'no fixed rule does better'}{order}."
    )


def _cuts(found: tuple[tuple[int, int], ...]) -> str:
    return f"{listed(f'{cut} at {size}' for size, cut in found)} clips a class"


def _lost(share: float) -> str:
    return f"{points(share, signed=False)} points"
