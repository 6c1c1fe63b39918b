"""Sentences of the GradCAM chapter, built from its tables: they say the opposite where it is so."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from IPython.display import Markdown

from analysis_lib.errors import UserError
from analysis_lib.statistics import rank_correlation
from analysis_lib.studies.gradcam.figures import slice_names

#: word in the names of the parts that move in a super-class
LIMBS = {"upper body": "arm", "lower body": "leg"}
#: how many of the last layers show the action, as the paper has it
LATE = 3


def three(actions: Sequence[str]) -> list[str]:
    """Return the three actions that the chapter draws, or say how many there are.

    Raises
    ------
    UserError
        If there are more or fewer, or one comes twice.
    """
    if len(actions) != 3 or len(set(actions)) != 3:
        raise UserError(f"this chapter draws three different actions, got {list(actions)}")
    return list(actions)


def gradcam_answer(layers: pd.DataFrame, parts: pd.DataFrame, gain: pd.DataFrame, actions: Sequence[str]) -> Markdown:
    """Return the chapter's answer: when the maps become strong, where they lie, whether they count.

    Parameters
    ----------
    layers, parts : DataFrame
        From `analysis_lib.explain.attributions.layer_table` and `part_table`.
    gain : DataFrame
        From `analysis_lib.explain.checks.masking_gain`.
    """
    places = "; ".join(_place(parts, action) for action in actions)
    random = gain[gain["against"] == "random"]
    better = int((random["low"] > 0).sum())
    follows = {2: "does matter", 1: "matters by one of two tests only", 0: "does not matter clearly"}
    return Markdown(
        f"**Answer.** {_step(layers)} At the last layer the importance lies, as a multiple of what "
        f"an even map would give, on: {places}. What the maps put first {follows[better]} to the "
        "network more than joints drawn by lot (deletion and insertion, below)."
    )


def _step(layers: pd.DataFrame) -> str:
    """Return by how much the maps grow from the first layer to the last, and where most."""
    ratio = layers["mean"].to_numpy()
    if len(ratio) < 2:
        return "The network has one layer."
    steps = ratio[1:] / ratio[:-1]
    at = int(np.argmax(steps))
    a, b = layers["layer"].iloc[[at, at + 1]]
    return (
        f"The mean importance at the last layer is {ratio[-1] / ratio[0]:.1f} times that at the "
        f"first; the largest step is from layer {a} to {b} ({steps[at]:.1f} times)."
    )


def _place(parts: pd.DataFrame, action: str) -> str:
    """Return where an action's importance lies at the last layer, and how much its limbs have."""
    mine = parts[(parts["class"] == action) & (parts["layer"] == parts["layer"].max())]
    if mine.empty:
        return f"*{action}*: nowhere, its map is zero"
    ratio = mine["share"] / mine["joints"]
    top = ratio.idxmax()
    text = f"*{action}*: {mine.loc[top, 'part']} ({ratio[top]:.1f})"
    word = LIMBS.get(mine["group"].iloc[0], "")
    limbs = mine[mine["part"].str.contains(word)] if word else mine.iloc[:0]
    if limbs.empty or word in mine.loc[top, "part"]:
        return text
    return text + f", not the {word}s ({limbs['share'].sum() / limbs['joints'].sum():.1f})"


def limbs_answer(parts: pd.DataFrame) -> Markdown:
    """Return for how many actions of a super-class its limbs have more than an even map's share.

    Parameters
    ----------
    parts : DataFrame
        From `analysis_lib.explain.attributions.part_table`, of all actions.
    """
    found = []
    for group, word in LIMBS.items():
        mine = parts[(parts["group"] == group) & parts["part"].str.contains(word)]
        shares = mine.groupby(["layer", "class"])[["share", "joints"]].sum()
        if shares.empty:
            continue
        more = (shares["share"] > shares["joints"]).groupby("layer").sum()
        n = mine["class"].nunique()
        found.append(
            f"of {n} actions of the {group}, the {word}s have more than their even share "
            f"in {more.iloc[0]} at the first layer and in {more.iloc[-1]} at the last"
        )
    if not found:
        return Markdown("The super-classes of this dataset name no limbs to compare with.")
    text = "; ".join(found)
    return Markdown(f"{text[0].upper()}{text[1:]}.")


def early_answer(layers: pd.DataFrame) -> Markdown:
    """Return whether early layers are weak, and whether their maps are the same for all actions.

    Parameters
    ----------
    layers : DataFrame
        From `analysis_lib.explain.attributions.layer_table`.
    """
    if len(layers) <= LATE:
        return Markdown(f"With {len(layers)} layers there are no early ones to compare.")
    early, late = layers.iloc[:-LATE], layers.iloc[-LATE:]
    mean, mass = (early[c].mean() / late[c].mean() for c in ("mean", "mass"))
    weak = {2: "holds", 1: "holds by one of the two only", 0: "does not hold"}[int(mean < 0.5) + int(mass < 0.5)]
    first, last = layers.iloc[0], layers.iloc[-1]
    alike = (
        "so there is no common map early on that parts into actions later; it is the late maps that share more"
        if first["high"] < last["low"]
        else "so the maps do part into actions with depth"
        if first["low"] > last["high"]
        else "no clear difference"
    )
    noise = (
        "is higher than between actions, so even the first layer's maps tell of the action"
        if first["repeat"] > first["high"]
        else "is no higher than between actions, so the first layer's maps tell nothing of the action"
    )
    return Markdown(
        f"A place in layers 1 to {len(early)} has {_percent(mean)} of the importance of one in the last "
        f"{LATE}; summed over the frames, of which early layers have more, {_percent(mass)}. That early "
        f"layers are weak (less than half) {weak}. Between actions the maps correlate by "
        f"{_interval(first, 'similarity')} at layer 1 and {_interval(last, 'similarity')} at layer "
        f"{len(layers)}: {alike}. Between two halves of the clips of one action the correlation at "
        f"layer 1, {_signed(first['repeat'])}, {noise}."
    )


def _interval(row: pd.Series, column: str = "mean") -> str:
    return f"{_signed(row[column])} [{_signed(row['low'])}, {_signed(row['high'])}]"


def _signed(value: float) -> str:
    """Return a number with two digits and a real minus sign, but no minus zero."""
    return f"{value:z.2f}".replace("-", "−")


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def time_answer(table: pd.DataFrame, actions: Sequence[str]) -> Markdown:
    """Return which share of the last layer's importance lies in each time slice.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.explain.attributions.importance_table`.
    """
    last = table[table["layer"] == table["layer"].max()]
    sums = last.groupby(["class", "slice"])["importance"].sum().unstack()
    shares = sums.div(sums.sum(axis=1), axis=0)
    names = slice_names(shares.shape[1])
    found = []
    for action in actions:
        if not sums.loc[action].any():
            found.append(f"*{action}* none")
            continue
        found.append(
            f"*{action}* "
            + ", ".join(f"{_percent(share)} ({name})" for share, name in zip(shares.loc[action], names, strict=True))
        )
    return Markdown("Of the importance at the last layer, by time: " + "; ".join(found) + ".")


def counterfactual_answer(table: pd.DataFrame, counter: pd.DataFrame, actions: Sequence[str]) -> Markdown:
    """Return which joint speaks most for each action at the last layer, and which against it.

    Parameters
    ----------
    table, counter : DataFrame
        From `analysis_lib.explain.attributions.importance_table`, the second of counterfactual maps.
    """
    plain, against = (
        t[t["layer"] == t["layer"].max()].groupby(["class", "joint"])["importance"].sum() for t in (table, counter)
    )
    signed, found = plain - against, []
    for action in actions:
        mine = signed.loc[action]
        most = f"{mine.idxmax()} most for" if mine.max() > 0 else "no joint for"
        least = f"{mine.idxmin()} most against" if mine.min() < 0 else "no joint against"
        found.append(f"*{action}*: {most}, {least}; against outweighs for at {(mine < 0).sum()} of {len(mine)} joints")
    return Markdown("; ".join(found) + ".")


def released_answer(table: pd.DataFrame, released: pd.DataFrame) -> Markdown:
    """Return how far two variants of the map agree about the joints of each action.

    Parameters
    ----------
    table, released : DataFrame
        From `analysis_lib.explain.attributions.joint_table`.
    """
    one, other = (t.pivot(index="class", columns="joint", values="importance") for t in (table, released))
    empty = (other == 0).all(axis=1)
    if empty.all():
        return Markdown(f"By it the maps of all {len(empty)} actions are empty.")
    one, other = one[~empty], other[~empty]
    rho = rank_correlation(one.to_numpy(), other.to_numpy())
    same = int((one.idxmax(axis=1) == other.idxmax(axis=1)).sum())
    return Markdown(
        f"By it the maps of {empty.sum()} of {len(empty)} actions are empty. For the other "
        f"{len(rho)} the two orders of joints correlate by {_signed(rho.mean())} in the mean "
        f"({_signed(rho.min())} to {_signed(rho.max())}), and the first joint is the same for {same}."
    )


def randomisation_answer(table: pd.DataFrame) -> Markdown:
    """Return whether the last layer's maps change as the network forgets.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.explain.checks.randomisation_table`.
    """
    last = table[table["layer"] == table["layer"].max()]
    first, worst = last.iloc[0], last.loc[last["mean"].abs().idxmax()]
    passed = (last["high"] < 0.5).all() and (last["low"] > -0.5).all()
    verdict = (
        "the maps follow what the network has learnt"
        if passed
        else "part of the map is the input's or the architecture's, not the network's knowledge"
    )
    return Markdown(
        f"After the first step ({first['forgotten']} forgotten) the last layer's maps correlate "
        f"with the trained ones by {_interval(first)}, at the most, over all {len(last)} steps, by "
        f"{_interval(worst)}: {verdict} (less than a half throughout would be a pass; that "
        "threshold is this book's own)."
    )


def masking_answer(gain: pd.DataFrame) -> Markdown:
    """Return whether the map's order of joints beats the others, test by test.

    Parameters
    ----------
    gain : DataFrame
        From `analysis_lib.explain.checks.masking_gain`.
    """
    does = {
        "deletion": "Masked in the order of the map, joints take the score down",
        "insertion": "Given back in that order, they raise it",
    }
    orders = {"random": "at random", "motion": "in the order of motion"}
    found = []
    for test, text in does.items():
        rows = gain[gain["test"] == test]
        parts = [f"{_verdict(r)} {orders[r['against']]} ({_interval(r)})" for _, r in rows.iterrows()]
        found.append(f"{text} {' and '.join(parts)}.")
    return Markdown(
        " ".join(found) + f" In brackets: the gain in area under the curve, mean of "
        f"{gain['clips'].iloc[0]} clips and 95 % interval; positive is better."
    )


def _verdict(row: pd.Series) -> str:
    if row["low"] > 0:
        return "sooner than"
    return "later than" if row["high"] < 0 else "no sooner and no later, as far as one can tell, than"
