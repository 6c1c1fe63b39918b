"""Whether label variation says more of a layer than a linear probe does, as numbers and a verdict."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from analysis_lib.networks.untrained import TRAINED, UNTRAINED
from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.studies.yardsticks.tables import PROBE, SAME, VARIATION


@dataclass(frozen=True)
class Change:
    """How far two yardsticks go from the first layer to the last: label variation, and the error of the probe."""

    variation: Estimate
    probe: Estimate


@dataclass(frozen=True)
class Findings:
    """What the tables say.

    ``agreement`` is the rank correlation over layers of label variation with each other yardstick, empty where there
    are fewer than three layers, NaN where one of the two is the same at too many; ``untrained`` is None where no
    untrained network was drawn. ``same_order`` judges that the probe ranks the layers as label variation does,
    ``opposed`` that without training one rises and the other falls, and ``own`` that label variation says something
    that the probe does not: either is enough.
    """

    layers: int
    agreement: Mapping[str, Estimate]
    trained: Change
    untrained: Change | None
    same_order: Verdict
    opposed: Verdict
    own: Verdict


@dataclass(frozen=True)
class Alignment:
    """How alike the layers of other networks are to the same layers of this one: mean CKA over those networks.

    At each layer but the input, at the first, at the last, and where it is ``least``.
    """

    by_layer: tuple[float, ...]
    first: float
    last: float
    least: float
    where: int


def alignment(table: pd.DataFrame) -> dict[str, Alignment]:
    """Return by kind of network (``"untrained"``, `SEED`) what ``alignment_table`` says of the others."""
    others = table[(table["with"] != "itself") & (table["layer"] > 0)]
    found = {}
    for what, rows in others.groupby("with", sort=False):
        cka = rows.groupby("layer")["cka"].mean()
        found[str(what)] = Alignment(tuple(cka), cka.iloc[0], cka.iloc[-1], cka.min(), int(cka.idxmin()))
    return found


def findings(agreement: pd.DataFrame, changes: pd.DataFrame) -> Findings:
    """Return what the tables of agreement and of changes say (`analysis_lib.studies.yardsticks.tables`)."""
    found = {row.yardstick: Estimate(row.rho, row.low, row.high) for row in agreement.itertuples()}
    layers = int(agreement["layers"].max()) if found else 0
    same_order = found[PROBE].above(SAME) if found else Verdict.UNTESTED
    trained, untrained = (_change(changes, network) for network in (TRAINED, UNTRAINED))
    opposed = _opposed(untrained) if untrained else Verdict.UNTESTED
    return Findings(layers, found, trained, untrained, same_order, opposed, _own(same_order, opposed))


def _change(changes: pd.DataFrame, network: str) -> Change | None:
    rows = changes[changes["network"] == network].set_index("yardstick")
    if rows.empty:
        return None
    return Change(*(Estimate(*rows.loc[name, ["change", "low", "high"]].astype(float)) for name in (VARIATION, PROBE)))


def _opposed(change: Change) -> Verdict:
    """Return whether one yardstick rises and the other falls; the same way, or one not at all, is no."""
    ways = {change.variation.above(0), change.probe.below(0)}, {change.variation.below(0), change.probe.above(0)}
    if {Verdict.HOLDS} in ways:
        return Verdict.HOLDS
    return Verdict.FAILS if all(Verdict.FAILS in way for way in ways) else Verdict.UNDECIDED


def _own(same_order: Verdict, opposed: Verdict) -> Verdict:
    """Return whether label variation says something of its own: another order of the layers, or another direction."""
    if same_order == Verdict.FAILS or opposed == Verdict.HOLDS:
        return Verdict.HOLDS
    return Verdict.FAILS if (same_order, opposed) == (Verdict.HOLDS, Verdict.FAILS) else Verdict.UNDECIDED
