"""Sentences of the noise chapter, built from its tables, and how far its curves climb.

A change is called clear if its 95 % interval leaves out zero. The input, layer 0, is drawn but not
judged: the paper speaks of layers.
"""

from collections.abc import Iterable

import pandas as pd
from IPython.display import Markdown

from analysis_lib.studies.noise.tables import ALL, CHOSEN
from analysis_lib.words import percent

#: Das, Shekkizhar & Ortega (2024), IV.C and IV.D: accuracy clean, and on the partially noisy set
PAPER_CLEAN, PAPER_NOISY = 0.821, 0.802

#: name of each kind of perturbation, and how a strength of it is written
KINDS = {
    "noise": ("Gaussian noise", "{:g} dB".format),
    "occlusion": ("Hidden joints", lambda share: f"{100 * share:g} % of the joints"),
    "frame drop": ("Lost frames", lambda share: f"{100 * share:g} % of the frames"),
    "jitter": ("Unsteady time stamps", "shifts of up to {:g} frames".format),
}


def points(share: float) -> str:
    """Return a difference of shares in points of a per cent, with its sign.

    >>> points(-0.0126)
    '-1.3'
    """
    return f"{100 * share:+.1f}"


def climb_table(smoothness: pd.DataFrame) -> pd.DataFrame:
    r"""Return how far each curve climbs at most, :math:`\max_{i \le j} q_j - q_i` over layers.

    0 is what the paper calls steady: a curve that never increases. The input is left out.

    Parameters
    ----------
    smoothness : DataFrame
        From `analysis_lib.studies.noise.tables.noise_smoothness`.

    Returns
    -------
    DataFrame
        Columns noisy, psnr, name, climb, and margin: half the mean width of the 95 % intervals of
        the curve's points, below which a climb says little.

    Examples
    --------
    >>> import numpy as np
    >>> curve = pd.DataFrame({"layer": range(6), "q": [9, 3, 1, 2, 1, 2.5], "low": 0, "high": 4})
    >>> climb_table(curve.assign(noisy="none", psnr=np.nan, name="hop"))[["climb", "margin"]]
       climb  margin
    0    1.5     2.0
    """
    rows = []
    curves = smoothness[smoothness["layer"] > 0].sort_values("layer", kind="stable")
    for key, part in curves.groupby(["noisy", "psnr", "name"], sort=False, dropna=False):
        climb = (part["q"] - part["q"].cummin()).max()
        rows.append((*key, climb, (part["high"] - part["low"]).mean() / 2))
    return pd.DataFrame(rows, columns=["noisy", "psnr", "name", "climb", "margin"])


def noise_answer(smoothness: pd.DataFrame, scores: pd.DataFrame) -> Markdown:
    """Return the chapter's answer: what the noisiest graph's level does to accuracy and labels.

    Parameters
    ----------
    smoothness : DataFrame
        From `analysis_lib.studies.noise.tables.noise_smoothness`.
    scores : DataFrame
        From `analysis_lib.studies.noise.tables.robustness_table`, that level among its strengths.
    """
    level = smoothness["psnr"].min()
    clean = scores.query("kind == 'none' and set == @CHOSEN").iloc[0]
    noisy = scores.query("kind == 'noise' and strength == @level and set == @CHOSEN").iloc[0]
    last = smoothness[smoothness["layer"] == smoothness["layer"].max()].query("psnr == @level")
    change = last.groupby("noisy")["change"].mean()
    verdict = (
        "noise on only a few actions marks them, and so hides part of the damage"
        if change["all"] > change["chosen"]
        else "that noise on only a few actions would mark them is not seen"
    )
    return Markdown(
        f"**Answer.** With white Gaussian noise at {level:g} dB on {_listed(last['name'].unique())} "
        f"the accuracy on these actions goes from {percent(clean['accuracy'])} to "
        f"{percent(noisy['accuracy'])} ({_change(noisy)}). At the last layer their label variation "
        f"changes by {change['chosen']:+.2f} on average if only they are noisy, and by "
        f"{change['all']:+.2f} if all actions are: {verdict}."
    )


def curves_report(smoothness: pd.DataFrame) -> Markdown:
    """Return, level by level, at how many points noise on the chosen actions changes the curves."""
    layers = smoothness[smoothness["layer"] > 0]
    n_actions, n_layers = layers["name"].nunique(), layers["layer"].nunique()
    lines = [
        f"Points are {n_actions} actions by {n_layers} layers; of {n_actions * n_layers} intervals, "
        f"{0.05 * n_actions * n_layers:.1f} leave out zero by chance."
    ]
    for level, part in layers[layers["noisy"] == "chosen"].groupby("psnr", sort=False):
        lower, higher = (part["change_high"] < 0).sum(), (part["change_low"] > 0).sum()
        most = part.loc[part["change"].abs().idxmax()]
        lines.append(
            f"At {level:g} dB label variation is clearly lower at {lower} of {len(part)} points and "
            f"clearly higher at {higher}; the largest change is {most['change']:+.2f} ({most['name']}, layer "
            f"{most['layer']})."
        )
    return Markdown(" ".join(lines))


def climb_report(climbs: pd.DataFrame) -> Markdown:
    """Return whether noise steadies the curve that climbs most.

    Parameters
    ----------
    climbs : DataFrame
        From `climb_table`.
    """
    clean = climbs[climbs["noisy"] == "none"].set_index("name")
    name = clean["climb"].idxmax()
    climb, margin = clean.loc[name, ["climb", "margin"]]
    noisy = climbs[(climbs["name"] == name) & (climbs["noisy"] == "chosen")]
    less = noisy["climb"] < climb
    verdict = {len(noisy): "goes the same way here", 0: "does not hold here"}.get(
        less.sum(), f"goes the same way only at {_levels(noisy.loc[less, 'psnr'])}"
    )
    values = _listed(f"{row['climb']:.2f} ({row['psnr']:g} dB)" for _, row in noisy.iterrows())
    weight = (
        f"less than the margin of one of its points (±{margin:.2f}), so that there is little to steady"
        if climb < margin
        else f"more than the margin of one of its points (±{margin:.2f})"
    )
    return Markdown(
        f"The clean curve that climbs most is that of {name}: by {climb:.2f}, {weight}. "
        f"With noise it climbs by {values}. The paper's remark, that noise steadies "
        f"such a curve, {verdict}."
    )


def mark_report(smoothness: pd.DataFrame, scores: pd.DataFrame) -> Markdown:
    """Return whether noise on the chosen actions alone acts as a label, and what that hides."""
    level = smoothness["psnr"].min()
    rows = smoothness[(smoothness["psnr"] == level) & (smoothness["layer"] > 0)]
    q = rows.pivot(index=["name", "layer"], columns="noisy", values="q")
    gap = q["all"] - q["chosen"]
    last = rows[(rows["noisy"] == "chosen") & (rows["layer"] == rows["layer"].max())]
    noisy = scores[(scores["kind"] == "noise") & (scores["strength"] == level)].set_index("set")
    parted = [
        f"{row['name']} ({row['change']:+.2f}; {points(noisy.loc[row['name'], 'change'])} points)"
        for _, row in last.iterrows()
        if row["change_high"] < 0 and noisy.loc[row["name"], "change_high"] < 0
    ]
    return Markdown(
        f"At {level:g} dB label variation is higher with noise on all actions than with noise on "
        f"the chosen ones at {(gap > 0).sum()} of {len(gap)} points, by {gap.mean():+.2f} on "
        "average. Actions whose labels become clearly smoother at the last layer while the network "
        f"names clearly fewer of their clips rightly: {_listed(parted) or 'none'}."
    )


def robustness_report(scores: pd.DataFrame) -> Markdown:
    """Return how much accuracy each perturbation costs on the chosen actions.

    For noise it is said too at which levels the mixed set loses what it lost in the paper.
    """
    chosen = scores[(scores["set"] == CHOSEN) & (scores["kind"] != "none")]
    lines = [_costs(kind, rows) for kind, rows in chosen.groupby("kind", sort=False)]
    return Markdown("\n".join([_paper_loss(scores), "", *lines]))


def _costs(kind: str, rows: pd.DataFrame) -> str:
    """Return the mildest strength that clearly costs accuracy, any that raises it, and the rest."""
    name, written = KINDS[kind]
    lost, raised = rows[rows["change_high"] < 0], rows[rows["change_low"] > 0]
    parts = [
        f"clearly costs accuracy at {written(row['strength'])} ({_change(row)})" for _, row in lost.iloc[:1].iterrows()
    ] or ["no clear loss at any strength"]
    parts += [f"clearly raises it at {written(row['strength'])} ({_change(row)})" for _, row in raised.iterrows()]
    worst = rows.iloc[-1]
    return (
        f"- *{name}*: {'; '.join(parts)}. At the strongest, {written(worst['strength'])}, "
        f"{percent(worst['accuracy'])} of the clips of these actions are named rightly."
    )


def _paper_loss(scores: pd.DataFrame) -> str:
    """Return at which levels the mixed set loses no more than it lost in the paper."""
    mixed = scores[(scores["set"] == ALL) & (scores["kind"] == "noise")]
    loss = PAPER_CLEAN - PAPER_NOISY
    changes = _listed(f"{points(r['change'])} ({r['strength']:g} dB)" for _, r in mixed.iterrows())
    small = mixed["change"] >= -loss
    return (
        f"On the mixed set of {mixed['clips'].iloc[0]} clips, accuracy changes by {changes} points. "
        f"The paper, which gives no level, reports {points(-loss)}. Here the loss is no larger than "
        f"that at {_levels(mixed.loc[small, 'strength'])}, and larger at "
        f"{_levels(mixed.loc[~small, 'strength'])}."
    )


def mistaken_report(predictions: pd.DataFrame) -> Markdown:
    """Return what clips with the strongest noise are taken for, and whether that flatters an action.

    Parameters
    ----------
    predictions : DataFrame
        From `analysis_lib.studies.noise.tables.disturbed_predictions`.
    """
    noise = predictions[predictions["kind"] == "noise"]
    level = noise["strength"].min()
    noise = noise[noise["strength"] == level]
    wrong = noise.loc[~noise["right"], "predicted"].value_counts()
    if wrong.empty:
        return Markdown(f"At {level:g} dB every clip is still named rightly.")
    name, share = wrong.index[0], wrong.iloc[0] / wrong.sum()
    text = f"At {level:g} dB, {percent(share)} of the clips that are named wrongly are taken for {name}."
    own = noise.loc[noise["action"] == name, "right"]
    if len(own):
        text += (
            f" That {percent(own.mean())} of the clips of {name} are named rightly there is then no "
            "sign that it withstands noise: the network says so of noise itself."
        )
    return Markdown(text)


def achieved_report(predictions: pd.DataFrame) -> Markdown:
    """Return by how much the noise of any clip misses the level that was asked for."""
    noise = predictions[predictions["kind"] == "noise"]
    worst = (noise["achieved"] - noise["strength"]).abs().max()
    return Markdown(f"Measured on {len(noise):,} noisy clips, the level is never more than {worst:.1g} dB off.")


def _change(row: pd.Series) -> str:
    low, high = points(row["change_low"]), points(row["change_high"])
    return f"{points(row['change'])} points, 95 % interval {low} to {high}"


def _levels(values: Iterable[float]) -> str:
    return f"{_listed(f'{value:g}' for value in values)} dB" if len(values) else "no level"


def _listed(names: Iterable) -> str:
    """Return names as people list them."""
    *most, last = [*map(str, names)] or [""]
    return f"{', '.join(most)} and {last}" if most else last
