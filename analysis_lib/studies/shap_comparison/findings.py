"""What the tables of the chapter *shap_comparison* come down to: who leads by which yardstick, and who agrees."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import nan

import numpy as np
import pandas as pd

from analysis_lib.explain.controls import untold
from analysis_lib.explain.registry import CONTROLS, TITLES
from analysis_lib.statistics.estimates import Estimate, Verdict, together
from analysis_lib.studies.shap_comparison.judging import OF_NETWORKS, YARDSTICKS
from analysis_lib.studies.shap_comparison.perturbing import LOT

GRADCAM, SHAP, SHAPLEY = TITLES["gradcam"], TITLES["deeplift"], TITLES["shapley"]
NAIVE = tuple(TITLES[name] for name in CONTROLS)
#: rank correlation from which on yardsticks put the methods in one order, and Kendall's tau from which on methods rank
#: the joints alike; set on 26 November 2026, before a table of a trained network had been seen
ONE_ORDER, ALIKE = 0.7, 0.5
#: a gap that is larger is no rounding: what adds up adds up within this share
EXACT = 0.01


@dataclass(frozen=True)
class Lead:
    """The best method by one yardstick.

    ``level`` are the others with the same value on every clip, ``near`` those that clips cannot tell from it, ``naive``
    those that know nothing of the network and are as good, as far as the clips tell: where there are any, nobody leads.
    By yardsticks that compare networks (`OF_NETWORKS`) they are nothing to be held to.
    """

    yardstick: str
    method: str
    value: Estimate
    near: tuple[str, ...]
    naive: tuple[str, ...]
    level: tuple[str, ...] = ()

    @property
    def best(self) -> tuple[str, ...]:
        """The method, and those that are level with it."""
        return (self.method, *self.level)

    @property
    def leads(self) -> tuple[str, ...]:
        """Those who lead: the best, unless a map without any network is as good."""
        return () if self.naive else self.best

    @property
    def alone(self) -> bool:
        """Whether it is better than all others, beyond the intervals."""
        return not (self.near or self.level)


@dataclass(frozen=True)
class Findings:
    """What was found of several methods on the same clips.

    Attributes
    ----------
    clips, right : int
        Those that are explained, and those of them that the network names rightly.
    methods : tuple of str
        Those that look at the network.
    missing : mapping of str to str
        Why others could not.
    leads : mapping of str to Lead
        By yardstick.
    truth : mapping of str to Estimate
        Area under the ranking curve by method, empty where nobody knows what is true.
    truth_lead : Estimate or None
        By how much the joints of SHAP are nearer to it than those of GradCAM.
    edges : mapping of str to Estimate
        By the change of edges: what GradCAM's order costs beyond that of SHAP.
    lot : mapping of (str, str) to Estimate
        By the change and the method (GradCAM, SHAP): what its order costs beyond lot.
    deletion : Estimate or None
        By how much masking in GradCAM's order beats that of SHAP.
    tau : Estimate or None
        Kendall's correlation of the two rankings.
    one_order : Estimate or None
        Mean rank correlation of the yardsticks' orders.
    opposed, pairs : int
        Pairs of yardsticks whose orders are opposed, of how many.
    gaps : mapping of (str, str) to float
        Median additivity gap by method and place.
    faults : int
        Operations that the linter names where DeepLIFT stops.
    ratio : Estimate
        Time of SHAP over that of GradCAM, for one class and 20 background clips.
    untold : tuple of str
        Actions that the network sees in masked clips too: masking cannot tell.
    told : int
        Clips left.
    """

    clips: int
    right: int
    methods: tuple[str, ...]
    missing: Mapping[str, str]
    leads: Mapping[str, Lead]
    truth: Mapping[str, Estimate]
    truth_lead: Estimate | None
    edges: Mapping[str, Estimate]
    lot: Mapping[tuple[str, str], Estimate]
    deletion: Estimate | None
    tau: Estimate | None
    one_order: Estimate | None
    opposed: int
    pairs: int
    gaps: Mapping[tuple[str, str], float]
    faults: int
    ratio: Estimate
    untold: tuple[str, ...]
    told: int

    @property
    def first(self) -> dict[str, int]:
        """How many yardsticks each method leads, alone or level with others, the most first."""
        return dict(Counter(method for lead in self.leads.values() for method in lead.leads).most_common())

    @property
    def favours_gradcam(self) -> Verdict:
        """Whether released edges cost more than by lot, in both orders, and more in GradCAM's than in that of SHAP."""
        if "released" not in self.edges:
            return Verdict.UNTESTED
        lot = [cost for (how, _), cost in self.lot.items() if how == "released"]
        return together(cost.above(0) for cost in [*lot, self.edges["released"]])

    @property
    def differ(self) -> Verdict:
        """Whether the two rank the joints differently."""
        return self.tau.below(ALIKE) if self.tau else Verdict.UNTESTED

    @property
    def agreed(self) -> Verdict:
        """Whether the yardsticks put the methods in one order."""
        return self.one_order.above(ONE_ORDER) if self.one_order else Verdict.UNTESTED

    @property
    def nearer(self) -> Verdict:
        """Whether the joints of SHAP are nearer to the truth than those of GradCAM."""
        return self.truth_lead.above(0) if self.truth_lead else Verdict.UNTESTED


def findings(tables: Mapping[str, pd.DataFrame], missing: Mapping[str, str] = {}) -> Findings:
    """Return what the tables say.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        As the chapter records them: ``table``, ``differences``, ``orders``, ``agreement``, ``gaps``, ``linter``,
        ``costs``, ``stillness``, ``clips``; ``edges`` if the network has any.
    """
    table, differences = tables["table"], tables["differences"]
    methods = tuple(m for m in dict.fromkeys(table["method"]) if m not in NAIVE)
    truth = table[table["yardstick"] == "truth"]
    edges = tables.get("edges")
    seen, told = untold(tables["stillness"])
    orders = tables["orders"]
    pairs = orders[orders["one"] != "all"]
    return Findings(
        clips=len(tables["clips"]),
        right=int(tables["clips"]["right"].sum()),
        methods=methods,
        missing=missing,
        leads={name: _lead(of, differences) for name, of in table.groupby("yardstick", sort=False) if _judges(name)},
        truth={row.method: _estimate(row) for row in truth.itertuples()},
        truth_lead=paired(differences, "truth", SHAP, GRADCAM),
        edges={} if edges is None else _edges(edges, GRADCAM, SHAP),
        lot={} if edges is None else {(k, m): v for m in (GRADCAM, SHAP) for k, v in _edges(edges, m, LOT).items()},
        deletion=paired(differences, "deletion", GRADCAM, SHAP),
        tau=_tau(tables["agreement"]),
        one_order=_one_order(orders),
        opposed=int((pairs["rho"] < 0).sum()),
        pairs=len(pairs),
        gaps={
            (m, at): float(of["gap"].median()) for (m, at), of in tables["gaps"].groupby(["method", "at"], sort=False)
        },
        faults=_faults(tables["linter"]),
        ratio=time_ratio(tables["costs"]),
        untold=seen,
        told=told,
    )


def _judges(yardstick: str) -> bool:
    return YARDSTICKS.get(yardstick, 0) != 0


def _estimate(row) -> Estimate:
    return Estimate(float(row.mean), float(row.low), float(row.high), int(row.clips))


def paired(differences: pd.DataFrame, yardstick: str, one: str, other: str) -> Estimate | None:
    """Return by how much one method is better than another, None where they were not compared."""
    rows = differences[differences["yardstick"] == yardstick]
    for first, second, sign in ((one, other, 1), (other, one, -1)):
        for row in rows[(rows["one"] == first) & (rows["other"] == second)].itertuples():
            low, high = sorted((sign * row.low, sign * row.high))
            return Estimate(sign * row.mean, low, high, row.clips)
    return None


def _lead(of: pd.DataFrame, differences: pd.DataFrame) -> Lead:
    """Return the best method that looks at the network, and those that cannot be told from it."""
    name = of["yardstick"].iloc[0]
    known = of[~of["method"].isin(NAIVE)].set_index("method")
    wins = {
        m: sum((paired(differences, name, m, o) or Estimate(0)).value > 0 for o in known.index if o != m)
        for m in known.index
    }
    best = max(wins, key=wins.get)
    near, naive, level = [], [], []
    for method in known.index if name in OF_NETWORKS else of["method"]:
        ahead = paired(differences, name, best, method)
        if method != best and not (ahead and ahead.above(0) == Verdict.HOLDS):
            same = ahead and ahead.value == ahead.low == ahead.high == 0
            (naive if method in NAIVE else level if same else near).append(method)
    row = known.loc[best]
    value = Estimate(float(row["mean"]), float(row["low"]), float(row["high"]), int(row["clips"]))
    return Lead(name, best, value, tuple(near), tuple(naive), tuple(level))


def _edges(edges: pd.DataFrame, method: str, against: str) -> dict[str, Estimate]:
    rows = edges[(edges["method"] == method) & (edges["against"] == against)]
    rows = rows[(rows["side"] == "important") & (rows["of"] == "probability")]
    return {row.how: _estimate(row) for row in rows.itertuples()}


def _tau(agreement: pd.DataFrame) -> Estimate | None:
    for row in agreement.itertuples():
        if {row.one, row.other} == {GRADCAM, SHAP}:
            return Estimate(float(row.tau), float(row.low), float(row.high), int(row.clips))
    return None


def _one_order(orders: pd.DataFrame) -> Estimate | None:
    for row in orders[orders["one"] == "all"].itertuples():
        return Estimate(float(row.rho), float(row.low), float(row.high))
    return None


def _faults(linter: pd.DataFrame) -> int:
    return int(linter.loc[linter["at"] == linter["at"].iloc[0], "times"].sum()) if len(linter) else 0


def time_ratio(costs: pd.DataFrame, n_background: int = 20) -> Estimate:
    """Return how many times as long SHAP takes as GradCAM for one clip and class, with the range over repeats."""
    one = costs[(costs["method"] == GRADCAM) & (costs["what"] == "one")]["seconds"].to_numpy()
    many = costs[(costs["method"] == SHAP) & (costs["what"] == "background") & (costs["size"] == n_background)]
    if not len(one) or many.empty:
        return Estimate(nan)
    every = many["seconds"].to_numpy()[:, None] / one
    return Estimate(float(np.median(many["seconds"]) / np.median(one)), float(every.min()), float(every.max()))
