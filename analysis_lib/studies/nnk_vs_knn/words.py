"""Sentences of the chapter on NNK and k-NN."""

from collections.abc import Iterable

from analysis_lib.studies.nnk_vs_knn.findings import Against, Comparison, Errors, Gap, Split, Support, Symmetrisation
from analysis_lib.words import counted, listed, number, percent

NAMES = {"nnk": "NNK", "knn": "k-NN", "matched": "k-NN as sparse as NNK"}
#: by whether NNK is lower, and whether it is higher, than as sparse a k-NN
REASONS = {
    (True, False): "which neighbours NNK keeps, and how it weighs them, helps beyond their number",
    (False, True): "what NNK gains in q, it gains by keeping few neighbours, not by which ones",
    (True, True): "which is better depends on layer and k",
    (False, False): "nothing clear is left of the difference once the numbers are the same",
}
SLOWS = {
    "saturated": "it saturates",
    "slower": "it slows, but has not saturated",
    "not": "it shows no sign of saturating",
}


def answer(found: Comparison) -> str:
    """Return for which k label variation is lower on NNK graphs, and why."""
    return (
        f"**Answer.** On {counted(found.clips, 'clip')} the label variation of NNK graphs is below that of k-NN graphs "
        f"on the same kernel in {found.knn.below} of {found.knn.pairs} pairs of layer and k ({_clearly(found.knn)}). "
        f"That it is below at every layer, as the paper has it, {_verdict(found.everywhere, 'for k =')}. Against k-NN "
        f"with as many neighbours as NNK kept, NNK is {_clearly(found.matched)}: {REASONS[found.lower, found.higher]}."
    )


def errors(found: Errors) -> str:
    """Return how often a clip's neighbours name its class wrongly, by graph and k."""
    rates = "; ".join(f"{name} {listed(map(percent, found.rates[graph]))}" for graph, name in NAMES.items())
    text = (
        f"Share of clips that their neighbours name wrongly at k = {listed(found.candidates)}, mean of the layers: "
        f"{rates}. NNK against k-NN: {_clearly(found.knn)}, of {found.knn.pairs} pairs; against k-NN as sparse as NNK: "
        f"{_clearly(found.matched)}."
    )
    clash = (
        " There the error and the label variation disagree on which graph is better: a graph can send more weight out "
        "of a class and still have the majority right."
    )
    return text + (clash if found.disagree else "")


def gap(found: Gap) -> str:
    """Return how much of the raw form's gap is the number and weight of edges."""
    if not found.factors:
        return "The raw form of k-NN is not above that of NNK at any k: there is no gap."
    lines = "; ".join(
        f"{number(f['raw'])} times at k = {k} ({number(f['edges'])} by more edges, {number(f['edge_weight'])} by "
        f"heavier ones, {number(f['share'])} by labels)"
        for k, f in found.factors.items()
    )
    return (
        f"In the raw form NNK is below k-NN in {found.below} of {found.pairs} pairs of layer and k. The value of k-NN "
        f"is {lines} that of NNK: geometric means of the layers, whose factors multiply. On a log scale, "
        f"{_range(found.weight)} of the gap is edge weight, which says nothing about labels ({_range(found.edges)} the "
        "number of edges alone)."
    )


def support(found: Support) -> str:
    """Return how the number of neighbours grows with k, and what k-NN must join at large k."""
    *most, last = found.kept
    kept = listed(number(n, 1) for n in found.kept.values())
    text = f"Of {listed(found.kept)} candidates NNK keeps {kept} (mean of the layers), k-NN all."
    if found.growth:
        own, knn = map(percent, found.growth)
        grown = f"NNK's number grows by {own}, k-NN's by {knn}: {SLOWS[found.slows]}"
        text += f" From k = {most[-1]} to {last} {grown}."
    text += (
        f" At k = {last}, {percent(found.ridge)} of the candidate sets have a kernel that is not positive definite, "
        "and get the ridge of the NNK solver."
    )
    foreign = f"k-NN must take at least {listed(map(percent, found.crowded.values()))} of its neighbours"
    crowded = (
        f" A clip has {counted(found.others, 'other')} of its class: at k = {listed(found.crowded)}, {foreign} from "
        "other classes, whatever the network learned."
    )
    return text + (crowded if found.crowded else "")


def symmetrisation(found: Symmetrisation) -> str:
    """Return what the choice of symmetrisation does to both graphs, and to their order."""
    values = "; ".join(f"`{name}` {number(nnk, 3)} and {number(knn, 3)}" for name, (nnk, knn) in found.q.items())
    return (
        f"Label variation of NNK and k-NN, mean of the layers: {values}. That NNK is lower "
        f"{_verdict(found.lower, 'by')}. `author` leaves up to {counted(found.isolated, 'clip')} of a graph without an "
        "edge; those have no say in q, and their class is guessed at random."
    )


def _clearly(found: Against) -> str:
    return f"clearly lower in {found.lower}, clearly higher in {found.higher}"


def _verdict(found: Split, of: str) -> str:
    """Return for what something holds, and for what not."""
    said = ((found.holds, "holds"), (found.fails, "does not hold"))
    return ", and ".join(f"{words} {of} {listed(which)}" for which, words in said if which)


def _range(shares: Iterable[float]) -> str:
    """Return the smallest and the largest share, or the one that there is."""
    return " to ".join(dict.fromkeys(map(percent, shares)))
