"""What the chapter on architectures finds: when each network's label variation falls, and what of it was learnt."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan

import numpy as np
import pandas as pd

from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.statistics.ranks import rank_correlation
from analysis_lib.studies.architectures.tables import titles

FEWEST = 4  # networks over which a rank correlation is stated
STEPS = 5  # Newton-Schulz iterations, as published


@dataclass(frozen=True)
class Network:
    """One trained network: how far label variation falls, and which shares of it fall early and late.

    ``less_late`` is how much less of its fall is late than of the first network's; not told of that itself.
    """

    name: str
    architecture: str
    fall: Estimate
    twin: Estimate
    learnt: Estimate
    first_half: Estimate
    late: Estimate
    less_late: Estimate
    accuracy: Estimate


@dataclass(frozen=True)
class Findings:
    """The networks, the reference first; rank correlation of accuracy with the fall over them, NaN of too few."""

    networks: tuple[Network, ...]
    correlation: float

    @property
    def reference(self) -> Network:
        """The network that the others are held to."""
        return self.networks[0]

    def told(self, verdict: Verdict) -> tuple[Network, ...]:
        """Return the others of which a verdict is that less of their fall is late."""
        return tuple(network for network in self.networks[1:] if network.less_late.above(0) == verdict)

    def of(self, architecture: str) -> Network | None:
        """Return the first network of an architecture, if there is one."""
        return next((network for network in self.networks if network.architecture == architecture), None)


@dataclass(frozen=True)
class Roots:
    """Relative errors of inverse roots after `STEPS` iterations.

    ``scaled`` by the eps that is added; ``printed``, with the least eps, and after one iteration; ``needed`` iterations
    that come within 1 % with the least eps, 0 if none does, of ``most`` that were tried.
    """

    condition: float
    scaled: Mapping[float, float]
    printed: float
    printed_first: float
    needed: int
    most: int


@dataclass(frozen=True)
class Board:
    """A leaderboard: our best, the best published, how many of the published the latter's interval meets, of how many.

    ``clip`` is what one clip is of the accuracy.
    """

    ours: str
    accuracy: Estimate
    best: str
    published: Estimate
    met: int
    count: int
    clip: float


def board(table: pd.DataFrame) -> Board:
    """Return what `analysis_lib.studies.architectures.tables.leaderboard` says."""
    mine, others = table[table["whose"] == "ours"], table[table["whose"] != "ours"]
    (ours, accuracy), (best, published) = (_first(part) for part in (mine, others))
    met = int((others["high"] >= published.low).sum()) - 1
    return Board(ours, accuracy, best, published, met, len(others) - 1, 1 / published.clips)


def boards(ours: pd.DataFrame | None, recorded: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the leaderboards that there are by a label: that of this page, and what other editions recorded."""
    return ({"these data": ours} if ours is not None else {}) | dict(recorded)


def standings(found: Mapping[str, pd.DataFrame]) -> dict[str, Board]:
    """Return what each leaderboard says."""
    return {label: board(table) for label, table in found.items()}


def _first(table: pd.DataFrame) -> tuple[str, Estimate]:
    row = table.iloc[0]
    return row["network"], Estimate(*row[["accuracy", "low", "high"]].astype(float), clips=int(row["clips"]))


def findings(shape: pd.DataFrame, costs: pd.DataFrame) -> Findings:
    """Return what ``shape_table`` and ``cost_table`` of the chapter say of the networks that are in both."""
    alike = costs[costs["network"].isin(shape["network"])]
    networks, named = [], titles(alike)
    for row in alike.itertuples():
        of = {
            r.statistic: Estimate(r.value, r.low, r.high) for r in shape[shape["network"] == row.network].itertuples()
        }
        names = ("fall", "twin's fall", "learnt", "first half", "late", "less late")
        accuracy = Estimate(row.accuracy, row.low, row.high, row.clips)
        networks.append(
            Network(named[row.network], row.architecture, *(of.get(k, Estimate(nan)) for k in names), accuracy)
        )
    pairs = np.array([(network.accuracy.value, network.fall.value) for network in networks]).T
    told = len(networks) >= FEWEST
    return Findings(tuple(networks), float(rank_correlation(*pairs[:, None])[0]) if told else nan)


def roots(table: pd.DataFrame) -> Roots:
    """Return what `analysis_lib.studies.architectures.tables.root_table` says."""
    least = table[table["eps"] == table["eps"].min()]
    scaled, printed = (least[least["start"] == start].set_index("iterations")["error"] for start in _STARTS)
    after = table[(table["start"] == _STARTS[0]) & (table["iterations"] == STEPS)]
    near = scaled.index[scaled < 0.01]
    return Roots(
        float(least["condition"].iloc[0]),
        dict(zip(after["eps"], after["error"], strict=True)),
        float(printed[STEPS]),
        float(printed[1]),
        int(near.min()) if len(near) else 0,
        int(scaled.index.max()),
    )


_STARTS = ("scaled", "as printed")
