"""What NNK gains over k-NN, as numbers; the input, layer 0, is drawn but not judged: papers speak of layers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis_lib.geometry.learnt import sure_layers
from analysis_lib.networks.untrained import TRAINED, UNTRAINED
from analysis_lib.statistics.estimates import Estimate, Verdict, together
from analysis_lib.studies.nnk_vs_knn.tables import gap_means

#: growth of the support, as a share of k-NN's on a log scale, below which it counts as saturated
SATURATED = 0.1
#: share of 95 % intervals that miss zero although there is no difference
CHANCE = 0.05


@dataclass(frozen=True)
class Against:
    """NNK minus a rival in all pairs of layer and k: how often below, and with all of its interval below or above 0.

    ``above`` has, by k, the layers at which NNK lies above the rival, clearly or not.
    """

    pairs: int
    below: int
    lower: int
    higher: int
    above: Mapping[int, tuple[int, ...]] = field(default_factory=dict, compare=False)

    @property
    def verdict(self) -> Verdict:
        """Return whether NNK is lower: clearly so in most pairs, and clearly higher in no more than chance has it."""
        if not self.pairs:
            return Verdict.UNTESTED
        for verdict, most, few in ((Verdict.HOLDS, self.lower, self.higher), (Verdict.FAILS, self.higher, self.lower)):
            if 2 * most > self.pairs and few <= CHANCE * self.pairs:
                return verdict
        return Verdict.UNDECIDED


@dataclass(frozen=True)
class Split:
    """For what something holds, and for what it does not."""

    holds: tuple
    fails: tuple


@dataclass(frozen=True)
class Comparison:
    """Label variation against k-NN and as sparse a k-NN; by k, whether it is below k-NN's at every layer.

    ``error`` is that of the clips that neighbours name wrongly, against as sparse a k-NN.
    """

    clips: int
    knn: Against
    matched: Against
    error: Against
    everywhere: Mapping[int, Verdict]


@dataclass(frozen=True)
class Errors:
    """Leave-one-out error: mean of the layers by graph, at the smallest and the largest k; and who is lower.

    They ``disagree`` if error and label variation call another graph better, NNK or as sparse a k-NN.
    """

    candidates: tuple[int, ...]
    rates: Mapping[str, tuple[float, ...]]
    knn: Against
    matched: Against
    disagree: bool


@dataclass(frozen=True)
class Gap:
    """The raw form of k-NN over NNK's, and its factors edges, edge_weight and share, at the smallest and largest k.

    ``weight`` and ``edges`` are the least and the most of the gap, on a log scale, that edge weight and the number of
    edges make up; ``factors`` is empty if there is no gap at any k.
    """

    pairs: int
    below: int
    factors: Mapping[int, Mapping[str, float]]
    weight: tuple[float, float]
    edges: tuple[float, float]


@dataclass(frozen=True)
class Support:
    """Neighbours that NNK keeps by number of candidates, mean of the layers, and what comes of a large k.

    ``growth`` is that of NNK's and of k-NN's number from the last k but one; ``slows`` is "saturated", "slower",
    "not", or "unknown" from one step. ``crowded`` has, where k is larger than there are ``others`` of a class, the
    share that must be foreign.
    """

    kept: Mapping[int, float]
    growth: tuple[float, float] | None
    slows: str
    ridge: float
    others: int
    crowded: Mapping[int, float]


@dataclass(frozen=True)
class Symmetrisation:
    """Label variation of NNK and k-NN by way to symmetrise, the ways by which NNK is lower, most isolated clips."""

    q: Mapping[str, tuple[float, float]]
    lower: Split
    isolated: int


@dataclass(frozen=True)
class Profile:
    """NNK minus k-NN of one measure at the first layer and at the last, of the network and of its untrained draws.

    ``last`` is trained minus untrained at the last layer, ``lower`` and ``higher`` the layers at which that is surely
    below or above zero, all layers at once.
    """

    measure: str
    trained: tuple[float, float]
    untrained: tuple[float, float]
    last: Estimate
    lower: tuple[int, ...]
    higher: tuple[int, ...]
    layers: int

    @property
    def verdict(self) -> Verdict:
        """Return whether it is lower for the trained network: surely so at most layers, and surely higher at none."""
        for verdict, most, few in ((Verdict.HOLDS, self.lower, self.higher), (Verdict.FAILS, self.higher, self.lower)):
            if 2 * len(most) > self.layers and not few:
                return verdict
        return Verdict.UNDECIDED


@dataclass(frozen=True)
class Gains:
    """What NNK gains over k-NN at one k on a network, beside so many untrained draws of its architecture."""

    draws: int
    n_neighbors: int
    depth: int
    profiles: tuple[Profile, ...]


def gains(table: pd.DataFrame | None, draws: int) -> Gains | None:
    """Return what `tables.gain_table` says of NNK against k-NN; None without it, without draws or without layers."""
    rows = None if table is None else _layers(table[table["against"] == "knn"])
    if rows is None or rows.empty:
        return None
    profiles = []
    for measure, of in rows.groupby("measure", sort=False):
        ends = {name: tuple(of[name].iloc[[0, -1]].astype(float)) for name in (TRAINED, UNTRAINED)}
        last = Estimate(*of.iloc[-1][["difference", "low", "high"]].astype(float))
        profiles.append(Profile(measure, ends[TRAINED], ends[UNTRAINED], last, *sure_layers(of), len(of)))
    return Gains(draws, int(rows["n_neighbors"].iloc[0]), int(rows["layer"].max()), tuple(profiles))


def comparison(table: pd.DataFrame, differences: pd.DataFrame) -> Comparison:
    """Return what the tables of graphs and of differences say of label variation."""
    found = [_against(differences, *of) for of in (("q", "knn"), ("q", "matched"), ("error", "matched"))]
    by_k = _layers(differences).query("measure == 'q' and against == 'knn'").groupby("n_neighbors")
    everywhere = {int(k): together(one.below(0) for one in _estimates(rows)) for k, rows in by_k}
    return Comparison(int(table["clips"].max()) if len(table) else 0, *found, everywhere)


def comparisons(tables: Mapping[str, pd.DataFrame], differences: Mapping[str, pd.DataFrame]) -> dict[str, Comparison]:
    """Return the same of what other editions recorded, by their labels."""
    return {label: comparison(tables[label], found) for label, found in differences.items() if label in tables}


def errors(table: pd.DataFrame, differences: pd.DataFrame) -> Errors:
    """Return how often a clip's neighbours name its class wrongly."""
    mean = _layers(table).pivot_table(index="n_neighbors", columns="graph", values="error")
    ends = mean.iloc[_ends(mean)]
    knn, matched = (_against(differences, "error", rival) for rival in ("knn", "matched"))
    disagree = {_against(differences, "q", "matched").verdict, matched.verdict} == {Verdict.HOLDS, Verdict.FAILS}
    return Errors(tuple(ends.index), {graph: tuple(ends[graph]) for graph in ends}, knn, matched, disagree)


def gap(table: pd.DataFrame) -> Gap:
    """Return how much of the raw form's gap is the number and the weight of edges (`gap_table`)."""
    above = _layers(table)["raw"] > 1
    means = gap_means(table).sort_index()
    means = means[means["raw"] > 1]
    logs = np.log(means)
    weight, edges = (logs["edges"] + logs["edge_weight"]) / logs["raw"], logs["edges"] / logs["raw"]
    ranges = ((share.min(), share.max()) for share in (weight, edges))
    return Gap(len(above), int(above.sum()), means.iloc[_ends(means)].to_dict("index"), *ranges)


def support(table: pd.DataFrame) -> Support:
    """Return how the number of neighbours grows with k."""
    nnk = _layers(table).query("graph == 'nnk'").groupby("n_neighbors")
    kept = nnk["neighbours"].mean()
    slope = np.diff(np.log(kept)) / np.diff(np.log(kept.index))
    growth, slows = None, ""
    if len(slope):
        growth = (kept.iloc[-1] / kept.iloc[-2] - 1, kept.index[-1] / kept.index[-2] - 1)
        slows = "slower" if slope[-1] < slope[0] else "not" if len(slope) > 1 else "unknown"
        slows = "saturated" if slope[-1] < SATURATED else slows
    others = int(table["smallest_class"].iloc[0] - 1)
    crowded = {k: 1 - others / k for k in kept.index if k > others}
    ridge = nnk["ridge"].mean().iloc[-1] / table["clips"].iloc[0]
    return Support(kept.to_dict(), growth, slows, ridge, others, crowded)


def symmetrisation(table: pd.DataFrame) -> Symmetrisation:
    """Return what the choice of symmetrisation does to both graphs, and to their order."""
    judged = _layers(table)
    mean = judged.groupby(["symmetrise", "graph"], sort=False)["q"].mean().unstack()
    pairs = {name: (row["nnk"], row["knn"]) for name, row in mean.iterrows()}
    known = mean.dropna()
    return Symmetrisation(pairs, _split(known["nnk"] < known["knn"]), int(judged["isolated"].max()))


def _layers(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["layer"] > 0]


def _ends(table: pd.DataFrame) -> list[int]:
    """Return the places of the first row and the last, if they are two."""
    return [0, -1] if len(table) > 1 else [*range(len(table))]


def _split(holds: pd.Series) -> Split:
    return Split(tuple(holds.index[holds]), tuple(holds.index[~holds]))


def _against(table: pd.DataFrame, measure: str, against: str) -> Against:
    rows = _layers(table).query("measure == @measure and against == @against")
    found = _estimates(rows)
    below = sum(one.value < 0 for one in found)
    lower = sum(one.below(0) == Verdict.HOLDS for one in found)
    higher = sum(one.above(0) == Verdict.HOLDS for one in found)
    worse = rows[rows["difference"] > 0].sort_values("layer").groupby("n_neighbors")["layer"]
    above = {int(k): tuple(map(int, layers)) for k, layers in worse}
    return Against(len(found), below, lower, higher, above)


def _estimates(rows: pd.DataFrame) -> list[Estimate]:
    return [Estimate(*row) for row in rows[["difference", "low", "high"]].itertuples(index=False, name=None)]
