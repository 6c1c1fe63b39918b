"""What NNK gains over k-NN, as numbers; the input, layer 0, is drawn but not judged: papers speak of layers."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis_lib.studies.nnk_vs_knn.tables import gap_means

#: growth of the support, as a share of k-NN's on a log scale, below which it counts as saturated
SATURATED = 0.1
#: share of 95 % intervals that miss zero although there is no difference
CHANCE = 0.05


@dataclass(frozen=True)
class Against:
    """NNK minus a rival in all pairs of layer and k: how often below, and with all of its interval below or above 0."""

    pairs: int
    below: int
    lower: int
    higher: int


@dataclass(frozen=True)
class Split:
    """For what something holds, and for what it does not."""

    holds: tuple
    fails: tuple


@dataclass(frozen=True)
class Comparison:
    """Label variation: against k-NN and as sparse a k-NN; for which k it is below at every layer.

    ``lower`` and ``higher`` say whether the intervals against the sparse one miss 0 more often than chance has it.
    """

    clips: int
    knn: Against
    matched: Against
    everywhere: Split
    lower: bool
    higher: bool


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

    ``growth`` is that of NNK's and of k-NN's number from the last k but one; ``slows`` is "saturated", "slower" or
    "not". ``crowded`` has, where k is larger than there are ``others`` of a class, the share that must be foreign.
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


def comparison(table: pd.DataFrame, differences: pd.DataFrame) -> Comparison:
    """Return what the tables of graphs and of differences say of label variation."""
    knn, matched = (_against(differences, "q", rival) for rival in ("knn", "matched"))
    judged = _layers(differences).query("measure == 'q' and against == 'knn'")
    everywhere = _split(judged.groupby("n_neighbors")["difference"].max() < 0)
    lower, higher = (found > CHANCE * matched.pairs for found in (matched.lower, matched.higher))
    return Comparison(int(table["clips"].iloc[0]), knn, matched, everywhere, lower, higher)


def errors(table: pd.DataFrame, differences: pd.DataFrame) -> Errors:
    """Return how often a clip's neighbours name its class wrongly."""
    mean = _layers(table).pivot_table(index="n_neighbors", columns="graph", values="error")
    ends = mean.iloc[_ends(mean)]
    knn, matched = (_against(differences, "error", rival) for rival in ("knn", "matched"))
    q = _against(differences, "q", "matched")
    disagree = (q.lower - q.higher) * (matched.lower - matched.higher) < 0
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
        slows = "saturated" if slope[-1] < SATURATED else "slower" if slope[-1] < slope[0] else "not"
    others = int(table["smallest_class"].iloc[0] - 1)
    crowded = {k: 1 - others / k for k in kept.index if k > others}
    ridge = nnk["ridge"].mean().iloc[-1] / table["clips"].iloc[0]
    return Support(kept.to_dict(), growth, slows, ridge, others, crowded)


def symmetrisation(table: pd.DataFrame) -> Symmetrisation:
    """Return what the choice of symmetrisation does to both graphs, and to their order."""
    judged = _layers(table)
    mean = judged.pivot_table(index="symmetrise", columns="graph", values="q", sort=False)
    pairs = {name: (row["nnk"], row["knn"]) for name, row in mean.iterrows()}
    return Symmetrisation(pairs, _split(mean["nnk"] < mean["knn"]), int(judged["isolated"].max()))


def _layers(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["layer"] > 0]


def _ends(table: pd.DataFrame) -> list[int]:
    """Return the places of the first row and the last, if they are two."""
    return [0, -1] if len(table) > 1 else [*range(len(table))]


def _split(holds: pd.Series) -> Split:
    return Split(tuple(holds.index[holds]), tuple(holds.index[~holds]))


def _against(table: pd.DataFrame, measure: str, against: str) -> Against:
    rows = _layers(table).query("measure == @measure and against == @against")
    below, lower, higher = (int(found.sum()) for found in (rows["difference"] < 0, rows["high"] < 0, rows["low"] > 0))
    return Against(len(rows), below, lower, higher)
