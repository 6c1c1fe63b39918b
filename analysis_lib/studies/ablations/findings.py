"""What the chapter *ablations* finds: parts that help, joints that are focal, actions that gain, joints apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis_lib.statistics.estimates import Estimate, Verdict, together

OFTEN, SELDOM = 0.9, 0.1  # shares of frames
TYPICAL = 3  # joints that are named of an action


@dataclass(frozen=True)
class Part:
    """What one part gives, in its paper and here, in shares."""

    architecture: str
    place: str
    name: str
    gain: Estimate
    published: float


@dataclass(frozen=True)
class Findings:
    """The parts in the order of the papers; the fewest trainings of a variant; how far trainings lie apart."""

    parts: tuple[Part, ...]
    seeds: int
    sd: Mapping[str, float]

    def told(self, verdict: Verdict) -> tuple[Part, ...]:
        """Return the parts of which a verdict is that they make the network more accurate."""
        return tuple(part for part in self.parts if part.gain.above(0) == verdict)

    def places(self) -> dict[tuple[str, str], Verdict]:
        """Return by architecture and table of its paper whether all of its parts help."""
        keys = dict.fromkeys((part.architecture, part.place) for part in self.parts)
        return {
            key: together(part.gain.above(0) for part in self.parts if (part.architecture, part.place) == key)
            for key in keys
        }


def findings(variants: pd.DataFrame, parts: pd.DataFrame) -> Findings | None:
    """Return what ``variant_table`` and ``part_table`` of the chapter say; None if nothing was trained to compare."""
    if parts.empty:
        return None
    found = [
        Part(row.architecture, row.place, row.part, Estimate(row.value, row.low, row.high), row.published)
        for row in parts.itertuples()
    ]
    return Findings(tuple(found), int(variants["seeds"].min()), parts.groupby("architecture", sort=False)["sd"].first())


@dataclass(frozen=True)
class Focus:
    """Of how many joints how many are focal; those that nearly always are, and never; those typical of some actions.

    Nearly always, or hardly ever: in each action, in more than `OFTEN`, or less than `SELDOM`, of its frames. Typical
    of an action are the joints whose share is most above their mean over the actions.
    """

    joints: int
    focal: int
    always: tuple[str, ...]
    never: tuple[str, ...]
    typical: Mapping[str, tuple[str, ...]]


def focus(table: pd.DataFrame, actions: Sequence[str]) -> Focus:
    """Return what ``focal_table`` says of all actions, and of these."""
    shares = table.pivot(index="joint", columns="class", values="share")
    above = shares.sub(shares.mean(axis=1), axis=0)
    return Focus(
        len(shares),
        round(float(shares.sum().mean())),
        tuple(shares.index[(shares > OFTEN).all(axis=1)]),
        tuple(shares.index[(shares < SELDOM).all(axis=1)]),
        {action: tuple(above[action].nlargest(TYPICAL).index) for action in actions},
    )


@dataclass(frozen=True)
class Actions:
    """Mean accuracies of two networks over the actions, and the actions of which the first knows more, and fewer."""

    one: float
    other: float
    more: tuple[str, ...]
    fewer: tuple[str, ...]
    count: int


def actions(table: pd.DataFrame) -> Actions:
    """Return what ``class_accuracy_table`` says."""
    gains = {row[0]: Estimate(*row[1:]) for row in table[["class", "value", "low", "high"]].itertuples(index=False)}
    more = tuple(name for name, gain in gains.items() if gain.above(0) == Verdict.HOLDS)
    fewer = tuple(name for name, gain in gains.items() if gain.below(0) == Verdict.HOLDS)
    whole = (float((table[k] * table["clips"]).sum() / table["clips"].sum()) for k in ("one", "other"))
    return Actions(*whole, more, fewer, len(gains))


def apart(table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Return by network how far ``node_table`` has joints apart: between over within, and silhouette."""
    first = table.groupby("network", sort=False)[["separation", "silhouette"]].first()
    return {name: (float(row["separation"]), float(row["silhouette"])) for name, row in first.iterrows()}
