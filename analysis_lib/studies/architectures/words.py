"""What the chapter on architectures says."""

from collections.abc import Iterable, Mapping
from math import isnan

import pandas as pd

from analysis_lib.networks.registry import TITLES
from analysis_lib.networks.titles import entry_titles
from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.studies.architectures.findings import STEPS, Board, Findings, Network, Roots
from analysis_lib.studies.architectures.tables import titles
from analysis_lib.words import (
    THIN,
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
)

HUGE = 1e6  # what is larger is only said to be so


def answer(found: Findings) -> str:
    """Return whether the networks fall at the same depth, in one plain sentence."""
    first = name_of(found.reference.name)
    others = counted(len(found.networks) - 1, "other network")
    if len(found.networks) == 1:
        return f"Nothing can be said of other networks, as {first} alone was trained on these data."
    earlier, later, apart = (len(found.told(v)) for v in (Verdict.HOLDS, Verdict.FAILS, Verdict.UNDECIDED))
    if not earlier + later:
        return f"These clips do not tell: of {others} none falls clearly earlier or later in the layers than {first}."
    return (
        f"Not all in the same way: beside {first}, label variation falls earlier in {earlier} and later in {later} of "
        f"{others}, and {apart} cannot be told from it."
    )


def numbers(found: Findings) -> str:
    """Return of each network how far it falls, how far its twin does, and which share of it is late; then who differs.

    A share is told only if its interval is no wider than the whole fall.
    """
    head = (
        f"Fall of label variation from the first layer to the last, with 95{THIN}% intervals, and which share of it "
        "comes early or late, where that is known to within the whole fall; a negative share is a rise:"
    )
    return "\n".join([head, "", *map(_line, found.networks), *(["", _apart(found)] if found.networks[1:] else [])])


def _apart(found: Findings) -> str:
    """Return by name which networks fall earlier and later than the first."""
    earlier, later = (named(one.name for one in found.told(v)) for v in (Verdict.HOLDS, Verdict.FAILS))
    return f"Earlier in the layers than {name_of(found.reference.name)}: {earlier}. Later: {later}."


def _line(network: Network) -> str:
    said = f"- {name_of(network.name)}: {estimate(network.fall)}"
    if not isnan(network.twin.value):
        said += f"; untrained, {estimate(network.twin)}; so learnt, {estimate(network.learnt)}"
    places = {"in the first half of the layers": network.first_half, "after four fifths of them": network.late}
    told = [f"{_share(one)} of it {where}" for where, one in places.items() if one.high - one.low <= 1]
    return f"{'; '.join([said, *told])}."


def _share(found: Estimate) -> str:
    return estimate(found, percent)


def contrast(found: Findings) -> str:
    """Return what is found of Fig. 10: ST-GCN late, Shift-GCN gradual."""
    late, gradual = found.of("stgcn"), found.of("shift-gcn")
    if missing := [name for name, one in (("ST-GCN", late), ("Shift-GCN", gradual)) if one is None]:
        return f"The paper's Fig. 10 cannot be told here, as no {' and no '.join(missing)} is trained on these data."
    if isnan(gradual.less_late.value):
        return "The paper's Fig. 10 cannot be told here, as one of the two networks does not fall beyond its interval."
    return (
        f"The paper's Fig. 10 has an ST-GCN fall late and a Shift-GCN gradually. Here the late share of "
        f"{name_of(gradual.name)} less that of {name_of(late.name)} is {estimate(-gradual.less_late, points)} "
        f"points: that it falls earlier {judged(gradual.less_late.above(0))}."
    )


def accuracy(found: Findings) -> str:
    """Return how accuracy goes with the fall over the networks."""
    n = counted(len(found.networks), "network")
    if isnan(found.correlation):
        return f"Whether networks that fall farther are more accurate cannot be told from {n}."
    return (
        f"Over {n}, accuracy and fall have a rank correlation of {number(found.correlation)}: a description of these, "
        "as so few say nothing of others."
    )


def iterations(found: Roots) -> str:
    """Return how far the inverse roots of ST-GDN can be had by its iteration."""
    by_eps = listed(f"{percent(error)} with ε = {plain(eps)}" for eps, error in found.scaled.items())
    printed = f"{ratio(found.printed)} the root's own size" if found.printed < HUGE else "more than a millionfold"
    grows = "grows" if found.printed > found.printed_first else "falls"
    needed = f"takes {found.needed} steps" if found.needed else f"is not reached in {found.most} steps"
    return (
        f"The joints' covariance has a condition number of {number(found.condition)}. Begun as printed, with the "
        f"covariance itself, the error {grows} to {printed} after {STEPS} steps. Scaled by its norm first, it is off "
        f"by {by_eps}. One per cent, with the least of these, {needed}."
    )


def ranks(found: Board) -> str:
    """Return where our best network stands among published ones, and how far these can be told apart."""
    ours = entry_titles([found.ours])[found.ours]
    apart = found.published.beyond(found.accuracy)
    versus = {Verdict.HOLDS: "below it, beyond both intervals", Verdict.FAILS: "above it, beyond both intervals"}.get(
        apart, "not told from it by these clips"
    )
    return (
        f"The best published is {name_of(found.best)} with {estimate(found.published, percent)}; ours is "
        f"{name_of(ours)} with {estimate(found.accuracy, percent)}, {versus}. One of "
        f"{counted(found.published.clips, 'clip')} is {points(found.clip, signed=False)} points. The interval of the "
        f"best published meets those of {found.met} of the {found.count} others: among these the order may be chance."
    )


def standings(found: Mapping[str, Board]) -> str:
    """Return what `ranks` says of each leaderboard, by its label."""
    return "\n\n".join(f"On {name_of(label)}: {ranks(board)}" for label, board in found.items())


def fusion(table: pd.DataFrame) -> str:
    """Return what adding streams up with equal weights gains over the best of them alone."""
    said = []
    for name, rows in table.groupby("architecture", sort=False):
        alone, equal = rows[rows["weights"] == "alone"], rows[rows["weights"] == "equal"].iloc[0]
        gain, streams = equal["accuracy"] - alone["accuracy"].max(), counted(len(alone), "stream")
        said.append(
            f"{name_of(TITLES.get(name, name))}: {streams} together, with equal weights, against the best alone, "
            f"{points(gain)} points."
        )
    return " ".join(said)


def untold(found: Findings) -> str:
    """Return which networks have no twin that falls less: what they show was not learnt."""
    told = [network for network in found.networks if not isnan(network.learnt.value)]
    none = [network.name for network in told if network.learnt.above(0) != Verdict.HOLDS]
    if not told:
        return "No untrained twins were drawn, so what was learnt cannot be told."
    if not none:
        return "Every network falls farther than its untrained twins, beyond its interval."
    return f"Not beyond their interval farther than untrained twins fall: {named(none)}."


_NOT_TOLD = "not told"


def overview(costs: pd.DataFrame) -> pd.DataFrame:
    """Return costs and accuracy as people read them, one row a network; what is told of none has no column."""
    named = titles(costs)
    rows = [
        {
            "network": named[row.network],
            "sees": row.stream,
            "layers": row.layers,
            "parameters": number(row.parameters, 0),
            "multiplications a clip": f"{number(row.multiplications / 1e6, 0)} million",
            "time a clip, measured": duration(row.seconds),
            "passes in training": number(row.passes, 0),
            "trained on": row.machine or _NOT_TOLD,
            "trained in": _NOT_TOLD if isnan(row.hours) else duration(3600 * row.hours),
            "accuracy": estimate(Estimate(row.accuracy, row.low, row.high), percent),
            "test clips": row.clips,
        }
        for row in costs.itertuples()
    ]
    table = pd.DataFrame(rows).set_index("network")
    return table.loc[:, (table != _NOT_TOLD).any()]


def accuracies(table: pd.DataFrame) -> pd.DataFrame:
    """Return a leaderboard, or fused streams, with accuracies as people read them."""
    shown = [estimate(Estimate(row.accuracy, row.low, row.high), percent) for row in table.itertuples()]
    names = {k: v for k, v in (("network", entry_titles), ("architecture", _kinds)) if k in table}
    called = {column: table[column].map(titled(table[column])) for column, titled in names.items()}
    return table.drop(columns=["low", "high"]).assign(accuracy=shown, **called)


def _kinds(names: Iterable[str]) -> dict[str, str]:
    return {name: TITLES.get(name, name) for name in names}
