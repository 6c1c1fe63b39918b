"""What the smoothness chapter finds: where label variation falls, and whether Theorem 1 says so."""

from dataclasses import dataclass
from math import inf, isnan, nan, nextafter

import numpy as np
import pandas as pd

from analysis_lib.errors import UserError
from analysis_lib.geometry.curves import EVERY
from analysis_lib.geometry.learnt import sure_layers
from analysis_lib.geometry.operator_norms import change_norm_correlation
from analysis_lib.networks.untrained import TRAINED, UNTRAINED
from analysis_lib.statistics.estimates import Estimate, Verdict, together

#: a curve counts as flat up to a layer where it changes there by less than this share of its change after it
FLAT = 0.5
ROUNDING = 1e-6  # relative, of two sums over edges


@dataclass(frozen=True)
class Drop:
    """Largest fall of one super-class from a layer to the next, and the layer before it."""

    group: str
    size: Estimate
    after: Estimate


@dataclass(frozen=True)
class Picture:
    """The paper's picture: flat up to a layer, then a sudden fall.

    ``early`` and ``late`` are the changes of the mean curve up to the boundary and after it, and ``share`` what the
    size of the one is of the other's: infinite or NaN if nothing changes after it. It is ``flat`` if that is small
    and the curve falls; the fall is ``sudden`` if every super-class falls most after the boundary.
    """

    boundary: int
    early: float
    late: float
    share: Estimate
    flat: Verdict
    sudden: Verdict


@dataclass(frozen=True)
class CurveFindings:
    """Label variation at the first layer and at the last, mean of the super-classes, and its largest falls.

    ``groups`` counts super-classes; ``actions`` counts actions, and has the two ends of the mean over these. ``steady``
    names super-classes that never fall. There is no ``picture`` without a layer after the ``boundary``.
    """

    clips: int
    groups: int
    actions: tuple[int, float, float]
    depth: int
    first: float
    last: float
    drops: tuple[Drop, ...]
    steady: tuple[str, ...]
    boundary: int
    picture: Picture | None

    @property
    def place(self) -> int | None:
        """Return the layer after which every super-class surely falls most, if there is just one; else None."""
        sure = all(drop.size.above(0) == Verdict.HOLDS for drop in self.drops) and not self.steady
        places = {place for drop in self.drops for place in (drop.after.value, drop.after.low, drop.after.high)}
        return int(*places) if sure and len(places) == 1 else None


@dataclass(frozen=True)
class Learnt:
    """What training adds to label variation, as trained minus untrained of the same clips.

    ``lower`` and ``higher`` are the layers at which the trained network's is surely below or above that of its
    untrained draws, at all layers at once. ``early`` and ``late`` are how the difference goes up to the boundary and
    after it, None without a layer after it; ``comes_late`` judges that it falls farther after it than it moves before.
    """

    draws: int
    depth: int
    last: Estimate
    lower: tuple[int, ...]
    higher: tuple[int, ...]
    boundary: int
    early: Estimate | None = None
    late: Estimate | None = None
    comes_late: Verdict = Verdict.UNTESTED


@dataclass(frozen=True)
class Neighbours:
    """Label variation at the first layer and at the last where clips join whom ``edges`` says: trained, untrained."""

    edges: str
    trained: tuple[float, float]
    untrained: tuple[float, float] | None


@dataclass(frozen=True)
class Votes:
    """Share of so many clips that their neighbours name wrongly, at the input and at the last layer, by ``edges``."""

    edges: str
    clips: int
    first: Estimate
    last: Estimate

    def harder(self, other: "Votes") -> Verdict:
        """Return whether clips find their class less often at the input here than where others may be joined."""
        return self.first.beyond(other.first)


@dataclass(frozen=True)
class TheoremFindings:
    """Theorem 1 over so many layers.

    ``constant`` is the least with which the inequality holds, ``worst`` the layer that needs it (NaN
    and 0: no layer has a ratio); the provable bound holds at ``kept`` of ``checked`` layers. ``correlation`` is
    that of norms with changes over ``compared`` layers, NaN where there is none.
    """

    layers: int
    constant: float
    worst: int
    kept: int
    checked: int
    correlation: float
    compared: int


def curve_findings(table: pd.DataFrame, shape: pd.DataFrame, boundary: int) -> CurveFindings | None:
    """Return how far label variation falls, and where it falls most; None if the first or last layer has none.

    Parameters
    ----------
    table, shape : DataFrame
        From `analysis_lib.geometry.curves`: `smoothness_table`, `shape_table`.
    boundary : int
        Layer after which the paper sees the fall.
    """
    rows = table[(table["level"] == "group") & (table["layer"] > 0)]
    mean = rows.groupby("layer")["q"].mean()
    if mean.empty or not np.isfinite(mean.iloc[[0, -1]]).all():
        return None
    of_first = rows[rows["layer"] == mean.index[0]]
    actions = table[(table["level"] == "class") & (table["layer"] > 0)].groupby("layer")["q"].agg(["size", "mean"])
    of_actions = int(actions["size"].iloc[0]), *map(float, actions["mean"].iloc[[0, -1]])
    read = {(row.group, row.statistic): Estimate(row.value, row.low, row.high) for row in shape.itertuples()}
    fell = {name: read[name, "drop"] for name in dict.fromkeys(rows["name"]) if (name, "drop") in read}
    drops = tuple(Drop(name, drop, read[name, "drop after"]) for name, drop in fell.items() if drop.value > 0)
    steady = tuple(name for name, drop in fell.items() if drop.value <= 0)
    picture = _picture(mean, read, boundary) if (shape["boundary"] == boundary).any() else None
    ends = float(mean.iloc[0]), float(mean.iloc[-1])
    counts = int(of_first["clips"].sum()), len(of_first), of_actions
    return CurveFindings(*counts, int(mean.index[-1]), *ends, drops, steady, boundary, picture)


def _picture(mean: pd.Series, read: dict[tuple[str, str], Estimate], boundary: int) -> Picture:
    """Return what the mean curve and the earliest and smallest of the largest drops say of the paper's picture.

    Where the change after the boundary is the larger one, the curve falls after it just if it falls as a whole.
    """
    share, fall, earliest, smallest = (read[EVERY, name] for name in ("early change", "fall", "drop after", "drop"))
    flat = together([share.below(FLAT), fall.above(0)])
    sudden = together([earliest.above(nextafter(boundary, -inf)), smallest.above(0)])
    sudden = Verdict.UNDECIDED if isnan(smallest.value) else sudden  # the place of no drop says nothing
    early, late = mean[boundary] - mean.iloc[0], mean.iloc[-1] - mean[boundary]
    return Picture(boundary, float(early), float(late), share, flat, sudden)


def learnt_findings(table: pd.DataFrame, shape: pd.DataFrame, draws: int, boundary: int) -> Learnt | None:
    """Return what training adds, from `analysis_lib.studies.smoothness.tables.learnt_table` and `learnt_shape`.

    None without untrained draws, or if the last layer has no label variation.
    """
    rows = table[table["layer"] > 0]
    if rows.empty or not np.isfinite(rows["difference"].iloc[-1]):
        return None
    last = Estimate(*rows.iloc[-1][["difference", "low", "high"]].astype(float))
    halves = {row.statistic: Estimate(row.value, row.low, row.high) for row in shape.itertuples()}
    known = halves and all(np.isfinite(half.value) for half in halves.values())
    judged = (halves["early"], halves["late"], halves["late fall"].above(0)) if known else ()
    return Learnt(draws, int(rows["layer"].iloc[-1]), last, *sure_layers(rows), boundary, *judged)


def neighbour_findings(table: pd.DataFrame) -> tuple[Neighbours, ...]:
    """Return both ends of the curves by whose neighbours count, from `tables.neighbour_table`."""
    found = []
    for edges, rows in table[table["layer"] > 0].groupby("edges", sort=False):
        ends = {
            network: tuple(curve.groupby("layer")["q"].mean().iloc[[0, -1]])
            for network, curve in rows.groupby("network")
        }
        found.append(Neighbours(edges, ends[TRAINED], ends.get(UNTRAINED)))
    return tuple(found)


def vote_findings(table: pd.DataFrame) -> tuple[Votes, ...]:
    """Return how often neighbours name a clip wrongly, from `tables.vote_table`."""
    found = []
    for edges, rows in table.groupby("edges", sort=False):
        first, last = (Estimate(*map(float, row)) for row in rows[["wrong", "low", "high"]].iloc[[0, -1]].to_numpy())
        found.append(Votes(edges, int(rows["clips"].iloc[0]), first, last))
    return tuple(found)


def theorem_findings(table: pd.DataFrame) -> TheoremFindings:
    """Return what the check of Theorem 1 found, from `analysis_lib.studies.smoothness.tables.theorem_table`."""
    table = table.astype(dict.fromkeys(("norm", "bound", "label_ratio", "data_ratio"), float))
    constants = (table["label_ratio"] / table["norm"] ** 2).where(np.isfinite)
    stated = constants.notna().any()
    worst = int(table.loc[constants.idxmax(), "layer"]) if stated else 0
    checked = table.dropna(subset=["data_ratio", "bound"])
    kept = int((checked["data_ratio"] <= checked["bound"] * (1 + ROUNDING)).sum())
    known = table[np.isfinite(table["label_ratio"])]
    try:
        correlation = change_norm_correlation(known["label_ratio"], known["norm"])
    except UserError:  # too few layers, or all alike
        correlation = nan
    constant = float(constants.max()) if stated else nan
    return TheoremFindings(len(table), constant, worst, kept, len(checked), correlation, len(known))
