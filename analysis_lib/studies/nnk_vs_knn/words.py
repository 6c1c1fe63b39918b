"""Sentences of the chapter on NNK and k-NN, built from its tables.

The input, layer 0, is drawn but not judged: the paper speaks of layers.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from IPython.display import Markdown

from analysis_lib.words import percent

NAMES = {"nnk": "NNK", "knn": "k-NN", "matched": "k-NN as sparse as NNK"}
#: growth of the support, as a share of k-NN's on a log scale, below which it counts as saturated
SATURATED = 0.1
#: share of 95 % intervals that miss zero although there is no difference
CHANCE = 0.05


def comparison_answer(differences: pd.DataFrame, n_clips: int) -> Markdown:
    """Return the chapter's answer: for which k label variation is lower on NNK graphs, and why.

    Parameters
    ----------
    differences : DataFrame
        From `analysis_lib.studies.nnk_vs_knn.tables.difference_table`.
    n_clips : int
        Nodes of the graphs.
    """
    knn, matched = (_differences(differences, "q", against) for against in ("knn", "matched"))
    everywhere = knn.groupby("n_neighbors")["difference"].max() < 0
    lower, higher = (found > CHANCE * len(matched) for found in _clear(matched))
    verdict = {
        (True, False): "which neighbours NNK keeps, and how it weighs them, helps beyond their number",
        (False, True): "what NNK gains in q, it gains by keeping few neighbours, not by which ones",
        (True, True): "which is better depends on layer and k",
        (False, False): "nothing clear is left of the difference once the numbers are the same",
    }[lower, higher]
    return Markdown(
        f"**Answer.** On {n_clips} clips the label variation of NNK graphs is below that of k-NN "
        f"graphs on the same kernel in {(knn['difference'] < 0).sum()} of {len(knn)} pairs of layer "
        f"and k ({_clearly(knn)}). That it is below at every layer, as the paper has it, "
        f"{_verdict(everywhere, 'for k =')}. Against k-NN with as many neighbours as NNK kept, NNK is "
        f"{_clearly(matched)}: {verdict}."
    )


def error_answer(table: pd.DataFrame, differences: pd.DataFrame) -> Markdown:
    """Return how often a clip's neighbours name its class wrongly, by graph and k.

    Parameters
    ----------
    table, differences : DataFrame
        From `analysis_lib.studies.nnk_vs_knn.tables`.
    """
    mean = _layers(table).pivot_table(index="n_neighbors", columns="graph", values="error")
    first, last = mean.iloc[0], mean.iloc[-1]
    rates = "; ".join(f"{name} {percent(first[graph])} and {percent(last[graph])}" for graph, name in NAMES.items())
    knn, matched = (_differences(differences, "error", against) for against in ("knn", "matched"))
    q_lower, q_higher = _clear(_differences(differences, "q", "matched"))
    lower, higher = _clear(matched)
    clash = (q_lower - q_higher) * (lower - higher) < 0
    return Markdown(
        f"Share of clips that their neighbours name wrongly at k = {mean.index[0]} and "
        f"{mean.index[-1]}, mean of the layers: {rates}. NNK against k-NN: {_clearly(knn)}, of "
        f"{len(knn)} pairs; against k-NN as sparse as NNK: {_clearly(matched)}."
        + (
            " There the error and the label variation disagree on which graph is better: a graph "
            "can send more weight out of a class and still have the majority right."
            if clash
            else ""
        )
    )


def gap_answer(gap: pd.DataFrame) -> Markdown:
    """Return how much of the raw form's gap is the number and weight of edges.

    Parameters
    ----------
    gap : DataFrame
        From `analysis_lib.studies.nnk_vs_knn.tables.gap_table`.
    """
    judged = _layers(gap)
    logs = np.log(judged.set_index("n_neighbors").drop(columns="layer"))
    logs = logs.groupby(level=0).mean()
    logs = logs[logs["raw"] > 0]
    if logs.empty:
        return Markdown("The raw form of k-NN is not above that of NNK at any k: there is no gap.")
    factors = np.exp(logs)
    explained = (logs["edges"] + logs["edge_weight"]) / logs["raw"]
    count = logs["edges"] / logs["raw"]
    lines = "; ".join(
        f"{f['raw']:.3g} times at k = {k} ({f['edges']:.2f} by more edges, {f['edge_weight']:.2f} "
        f"by heavier ones, {f['share']:.2f} by labels)"
        for k, f in factors.iloc[[0, -1] if len(factors) > 1 else [0]].iterrows()
    )
    return Markdown(
        f"In the raw form NNK is below k-NN in {(judged['raw'] > 1).sum()} of {len(judged)} pairs of "
        f"layer and k. The value of k-NN is {lines} that of NNK: geometric means of the layers, whose "
        f"factors multiply. On a log scale, {_range(explained)} of the gap is edge "
        f"weight, which says nothing about labels ({_range(count)} the number of edges alone)."
    )


def support_answer(table: pd.DataFrame) -> Markdown:
    """Return how the number of neighbours grows with k, and what k-NN must join at large k.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.nnk_vs_knn.tables.comparison_table`.
    """
    nnk = _layers(table).query("graph == 'nnk'").groupby("n_neighbors")
    kept = nnk["neighbours"].mean()
    counts = kept.index
    text = (
        f"Of {_listed(counts)} candidates NNK keeps "
        f"{_listed(f'{number:.1f}' for number in kept)} (mean of the layers), k-NN all."
    )
    if len(kept) > 1:
        slope = np.diff(np.log(kept)) / np.diff(np.log(counts))
        word = (
            "it saturates"
            if slope[-1] < SATURATED
            else "it slows, but has not saturated"
            if slope[-1] < slope[0]
            else "it shows no sign of saturating"
        )
        text += (
            f" From k = {counts[-2]} to {counts[-1]} NNK's number grows by "
            f"{percent(kept.iloc[-1] / kept.iloc[-2] - 1)}, k-NN's by "
            f"{percent(counts[-1] / counts[-2] - 1)}: {word}."
        )
    ridge = nnk["ridge"].mean().iloc[-1] / table["clips"].iloc[0]
    others = table["smallest_class"].iloc[0] - 1
    crowded = counts[counts > others]
    return Markdown(
        text + f" At k = {counts[-1]}, {percent(ridge)} of the candidate sets have a kernel that is not "
        "positive definite, and get the ridge of the NNK solver."
        + (
            f" A clip has {others} others of its class: at k = {_listed(crowded)}, k-NN must take at "
            f"least {_listed(percent(1 - others / k) for k in crowded)} of its neighbours from other "
            "classes, whatever the network learned."
            if len(crowded)
            else ""
        )
    )


def symmetrisation_answer(table: pd.DataFrame) -> Markdown:
    """Return what the choice of symmetrisation does to both graphs, and to their order.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.nnk_vs_knn.tables.symmetrisation_table`.
    """
    judged = _layers(table)
    mean = judged.pivot_table(index="symmetrise", columns="graph", values="q", sort=False)
    lower = mean["nnk"] < mean["knn"]
    values = "; ".join(f"`{name}` {row['nnk']:.3f} and {row['knn']:.3f}" for name, row in mean.iterrows())
    return Markdown(
        f"Label variation of NNK and k-NN, mean of the layers: {values}. That NNK is lower "
        f"{_verdict(lower, 'by')}. `author` leaves up to {judged['isolated'].max()} clips of a "
        "graph without an edge; those have no say in q, and their class is guessed at random."
    )


def _layers(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["layer"] > 0]


def _differences(table: pd.DataFrame, measure: str, against: str) -> pd.DataFrame:
    return _layers(table).query("measure == @measure and against == @against")


def _clear(differences: pd.DataFrame) -> tuple[int, int]:
    """Return how many intervals lie below zero, and how many above."""
    return int((differences["high"] < 0).sum()), int((differences["low"] > 0).sum())


def _clearly(differences: pd.DataFrame) -> str:
    lower, higher = _clear(differences)
    return f"clearly lower in {lower}, clearly higher in {higher}"


def _verdict(holds: pd.Series, of: str) -> str:
    """Return for which entries of the index something holds, and for which not."""
    said = ((holds.index[holds], "holds"), (holds.index[~holds], "does not hold"))
    return ", and ".join(f"{words} {of} {_listed(which)}" for which, words in said if len(which))


def _listed(values: Iterable) -> str:
    """Return values as people list them.

    >>> _listed([5, 10, 20])
    '5, 10 and 20'
    """
    *most, last = map(str, values)
    return f"{', '.join(most)} and {last}" if most else last


def _range(shares: pd.Series) -> str:
    """Return the smallest and the largest share, or the one that there is."""
    return " to ".join(dict.fromkeys((percent(shares.min()), percent(shares.max()))))
