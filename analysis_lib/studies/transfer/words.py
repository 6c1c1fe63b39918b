"""Sentences of the transfer chapter, built from its tables."""

import numpy as np
import pandas as pd
from IPython.display import Markdown

from analysis_lib.geometry.curves import EVERY
from analysis_lib.words import percent


def transfer_answer(table: pd.DataFrame, final: pd.DataFrame) -> Markdown:
    """Return the chapter's answer: what the source's layers are worth for the new actions.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.transfer.tables.transfer_table`.
    final : DataFrame
        From `analysis_lib.studies.transfer.accuracy.final_table`.
    """
    size = final["clips_per_class"].max()
    last = final[final["clips_per_class"] == size]
    tuned, scratch = last[last["case"] != "scratch"], last[last["case"] == "scratch"].iloc[0]
    head, best = tuned.loc[tuned["cut"].idxmin()], tuned.loc[tuned["accuracy"].idxmax()]
    old = table.loc[table["case"] == "old head", "accuracy"].iloc[0]
    deeper = (
        f"letting layers learn too gives at best {_share(best)}, with {best['case']}"
        if best["cut"] > head["cut"]
        else "letting layers learn too gives no more"
    )
    return Markdown(
        f"**Answer.** Read through its old head, the network names {percent(old)} of the new actions' "
        f"{head['clips']} test clips rightly. Given {size} clips of each to learn from, with "
        f"{_named(head['case'])} alone it names {_share(head)}, and {deeper}; the same network from "
        f"scratch reaches {_share(scratch)}."
    )


def _share(row: pd.Series) -> str:
    return f"{percent(row['accuracy'])} ({percent(row['low'])} to {percent(row['high'])})"


def _named(case: str) -> str:
    return {"head": "a new head", "all": "everything learning"}.get(case, f"{case} learning")


def curves_report(new: pd.DataFrame, own: pd.DataFrame, shape: pd.DataFrame) -> Markdown:
    """Return where label variation of new and of own actions falls, and how far.

    Parameters
    ----------
    new, own : DataFrame
        From `analysis_lib.geometry.curves.smoothness_table`.
    shape : DataFrame
        Of the new actions, from `analysis_lib.geometry.curves.shape_table`.
    """
    curves = {
        name: table[table["level"] == "class"].groupby("layer")["q"].mean().loc[1:]
        for name, table in (("new", new), ("own", own))
    }
    spans = {name: np.ptp(curve) for name, curve in curves.items()}
    rises = int((np.diff(curves["new"]) > 0).sum())
    drop = shape[(shape["group"] == EVERY) & (shape["statistic"] == "drop after")].iloc[0]
    return Markdown(
        f"From layer 1 on, mean label variation of the new actions spans {spans['new']:.2f}, that of "
        f"the network's own {spans['own']:.2f}. In every super-class of new actions the largest drop "
        f"lies after layer {drop['value']:.0f} or later (95 % interval of the earliest: "
        f"{drop['low']:.0f} to {drop['high']:.0f}). The paper's curve is non-increasing, drops after "
        "layer 8 and has a much smaller range than that of its own actions; here the mean curve "
        + (f"rises at {rises} of {len(curves['new']) - 1} steps." if rises else "never rises.")
    )


def learning_report(table: pd.DataFrame) -> Markdown:
    """Return how soon each case passes what training from scratch reaches in the end."""
    read = table[(table["clips_per_class"] == table["clips_per_class"].max()) & table["accuracy"].notna()]
    means = read.groupby(["case", "epoch"], sort=False)["accuracy"].mean()
    goal, epochs = means["scratch"].iloc[-1], read["epoch"].max()
    passed = {}
    for case in (c for c in dict.fromkeys(read["case"]) if c != "scratch"):
        above = means[case].index[means[case] > goal]
        passed.setdefault(f"by epoch {above.min()}" if len(above) else "never", []).append(case)
    when = "; ".join(f"{epoch} with {', '.join(cases)}" for epoch, cases in passed.items())
    return Markdown(
        f"After {epochs} epochs, training from scratch names {percent(goal)} rightly. Fine-tuning "
        f"passes that, at the epochs that were read, {when}."
    )


def choice_report(choices: pd.DataFrame) -> Markdown:
    """Return what the forecasts were good for, against always taking the same cut."""
    mean = choices.groupby(["rule", "is_forecast"], sort=False)["lost"].mean().reset_index()
    fixed = mean[~mean["is_forecast"]].sort_values("lost")
    lines = []
    for _, row in mean[mean["is_forecast"]].iterrows():
        part = choices[choices["rule"] == row["rule"]]
        rho = part["rho"].dropna()
        beaten = (fixed["lost"] < row["lost"] - 1e-12).sum()
        taken = ", ".join(f"{cut} at {size}" for cut, size in zip(part["cut"], part["clips_per_class"], strict=True))
        order = (
            f"; its order of the cuts agrees with accuracy by {rho.min():+.2f} to {rho.max():+.2f} (Spearman)"
            if len(rho)
            else ""
        )
        lines.append(
            f"- *{row['rule']}* takes cut {taken} clips a class, and loses {100 * row['lost']:.1f} "
            f"points on average against the best cut; {_rank(beaten, len(fixed))}{order}."
        )
    best = fixed.iloc[0]
    lines.append(f"- *{best['rule']}* is the best fixed rule: it loses {100 * best['lost']:.1f} points.")
    found = ", ".join(
        f"{cut} at {size}" for size, cut in choices.groupby("clips_per_class")["best_cut"].first().items()
    )
    fixed = choices[~choices["is_forecast"] & (choices["cut"] != choices["best_cut"])]
    clear = "; ".join(
        f"{(part['low'] > 0).sum()} of {len(part)} at {size}" for size, part in fixed.groupby("clips_per_class")
    )
    return Markdown(
        f"The best cut turned out to be {found} clips a class. Of the other cuts, those that lose "
        f"clearly against it (interval above zero) are {clear} clips a class.\n\n" + "\n".join(lines)
    )


def _rank(beaten: int, n: int) -> str:
    """Return how many fixed rules do better."""
    if beaten == 0:
        return "no fixed rule does better"
    return f"{beaten} of {n} fixed rules {'does' if beaten == 1 else 'do'} better"
