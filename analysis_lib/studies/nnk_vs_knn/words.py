"""Sentences of the chapter on NNK and k-NN."""

from collections.abc import Iterable, Mapping

from analysis_lib.statistics.estimates import Verdict
from analysis_lib.studies.nnk_vs_knn.findings import Against, Comparison, Errors, Gains, Gap, Support, Symmetrisation
from analysis_lib.words import counted, estimate, judged, layers_of, listed, moves, name_of, number, percent, surely

NAMES = {"nnk": "NNK", "knn": "k-NN", "matched": "k-NN as sparse as NNK"}
GAINS = {"q": "Label variation", "error": "Share of clips named wrongly", "neighbours": "Neighbours of a clip"}
NOTHING = "Nothing can be said, as no layer has graphs of both kinds to compare."
SLOWS = {
    "saturated": "it saturates",
    "slower": "it slows, but has not saturated",
    "not": "it shows no sign of saturating",
    "unknown": "one step does not tell whether it slows",
}


def answer(found: Comparison) -> str:
    """Return how often label variation is lower on NNK graphs than on k-NN graphs, and on equally sparse ones."""
    if not found.knn.pairs + found.matched.pairs + found.error.pairs:
        return NOTHING
    return (
        f"On {counted(found.clips, 'clip')} labels look smoother on NNK graphs in {found.knn.below} of "
        f"{counted(found.knn.pairs, 'comparison')} with k-NN graphs, and in {found.matched.below} of "
        f"{found.matched.pairs} with k-NN graphs of equally few neighbours."
    )


def verdicts(found: Comparison, gained: Gains | None = None) -> list[tuple[Verdict, str]]:
    """Return whether NNK is clearly lower, beside k-NN graphs as sparse as well; and whether training adds to it."""
    if not found.knn.pairs + found.matched.pairs + found.error.pairs:
        return []
    learnt = [(p.verdict, "NNK gains more on a trained network") for p in gained.profiles[:1]] if gained else []
    return [
        (found.knn.verdict, "clearly smoother on NNK graphs in most comparisons with k-NN graphs"),
        (found.matched.verdict, "clearly smoother in most comparisons with equally few neighbours"),
        (found.error.verdict, "fewer clips named wrongly with equally few neighbours"),
        *learnt,
    ]


def numbers(found: Comparison) -> str:
    """Return how often NNK is lower, and for which k at every layer."""
    kinds = {verdict: [k for k, one in found.everywhere.items() if one == verdict] for verdict in Verdict}
    every = "; ".join(f"{judged(verdict)} for k = {listed(ks)}" for verdict, ks in kinds.items() if ks)
    lines = _against(found)
    return " ".join([*lines, *([f"That label variation is below k-NN's at every layer: {every}."] if every else [])])


def elsewhere(found: Mapping[str, Comparison]) -> str:
    """Return the same of each edition that is drawn beside, by its label: thin lines say it in no number."""
    return "\n".join(f"- *{name_of(label)}*: {' '.join(_against(one))}" for label, one in found.items())


def _against(found: Comparison) -> list[str]:
    """Return a sentence for each rival: how often NNK is below it, and where above."""
    rivals = {
        "Label variation of NNK against k-NN on the same kernel": found.knn,
        "Label variation against k-NN with as many neighbours as NNK kept": found.matched,
        "Share of clips named wrongly against that k-NN": found.error,
    }
    return [f"{what}: {_clearly(against)}." for what, against in rivals.items()]


def gains(found: Gains | None) -> str:
    """Return what NNK gains over k-NN on the network and on untrained ones, and at which layers training changes it."""
    if not found:
        return "Nothing says what of this was learnt: there is no untrained network beside it."
    head = (
        f"NNK minus k-NN at k = {found.n_neighbors}, from the first layer to the last, beside "
        f"{counted(found.draws, 'draw')} of the same network without training:\n"
    )
    lines = []
    for it in found.profiles:
        ends = [" to ".join(number(end, signed=True) for end in pair) for pair in (it.trained, it.untrained)]
        lines.append(
            f"- {GAINS[it.measure]}: {ends[0]} trained, {ends[1]} untrained; the difference is "
            f"{estimate(it.last)} at layer {found.depth}, and {surely(it.lower, it.higher)}."
        )
    verdict = judged(found.profiles[0].verdict)
    return "\n".join([head, *lines, f"\nThat NNK lowers label variation more on the trained network {verdict}."])


def errors(found: Errors) -> str:
    """Return how often a clip's neighbours name its class wrongly, by graph and k."""
    if not found.candidates:
        return "There is no layer whose neighbours could name a class."
    rates = "; ".join(f"{name} {listed(map(percent, found.rates[graph]))}" for graph, name in NAMES.items())
    text = (
        f"Share of clips that their neighbours name wrongly at k = {listed(found.candidates)}, mean of the layers: "
        f"{rates}. NNK against k-NN: {_clearly(found.knn)}. Against k-NN as sparse as NNK: {_clearly(found.matched)}."
    )
    clash = (
        " There the error and the label variation disagree on which graph is better: a graph can send more weight out "
        "of a class and still have the majority right."
    )
    return text + (clash if found.disagree else "")


def gap(found: Gap) -> str:
    """Return how much of the raw form's gap is the number and weight of edges."""
    if not found.factors:
        if not found.pairs:
            return "Where no edge leaves its class the raw forms of NNK and k-NN cannot be compared."
        return "In the mean of the layers the raw form of k-NN is not above that of NNK at any k, so there is no gap."
    lines = "; ".join(
        f"{number(f['raw'])} times at k = {k} ({number(f['edges'])} by the number of edges, "
        f"{number(f['edge_weight'])} by their weight, {number(f['share'])} by labels)"
        for k, f in found.factors.items()
    )
    against = " Where that is more than all of it, labels go the other way." if max(found.weight) > 1 else ""
    return (
        f"In the raw form NNK is below k-NN in {found.below} of {counted(found.pairs, 'pair')} of layer and k. The "
        f"value of k-NN is {lines} that of NNK. These are geometric means of the layers, whose factors multiply. "
        f"On a log scale, {_range(found.weight)} of the gap is edge weight, which says nothing about labels "
        f"({_range(found.edges)} the number of edges alone).{against}"
    )


def support(found: Support) -> str:
    """Return how the number of neighbours grows with k, and what k-NN must join at large k."""
    *most, last = found.kept
    kept = listed(number(n, 1) for n in found.kept.values())
    text = f"Of {listed(found.kept)} candidates NNK keeps {kept} (mean of the layers), k-NN all."
    if found.growth:
        own, knn = moves(found.growth[0], percent, "grows"), percent(found.growth[1])
        grown = f"NNK's number {own}, k-NN's grows by {knn}: {SLOWS[found.slows]}"
        text += f" From k = {most[-1]} to {last} {grown}."
    text += (
        f" At k = {last}, {percent(found.ridge)} of the candidate sets have a kernel that is not positive definite, "
        "and get the ridge of the NNK solver."
    )
    foreign = f"k-NN must take at least {listed(map(percent, found.crowded.values()))} of its neighbours"
    crowded = (
        f" A clip of the smallest class has {counted(found.others, 'other')} of its own. At k = "
        f"{listed(found.crowded)}, {foreign} from other classes, whatever the network learned."
    )
    return text + (crowded if found.crowded else "")


def symmetrisation(found: Symmetrisation) -> str:
    """Return what the choice of symmetrisation does to both graphs, and to their order."""
    values = "; ".join(f"`{name}` {number(nnk, 3)} and {number(knn, 3)}" for name, (nnk, knn) in found.q.items())
    order = ((found.lower.holds, "lower"), (found.lower.fails, "not lower"))
    said = ", and ".join(f"{words} by {listed(which)}" for which, words in order if which)
    text = f"Label variation of NNK and k-NN, mean of the layers: {values or 'none'}."
    if said:
        text += f" On these clips NNK is {said}."
    if found.isolated:
        text += (
            f" Up to {counted(found.isolated, 'clip')} of a graph have no edge; those have no say in q, and their "
            "class is guessed at random."
        )
    return text


def _clearly(found: Against) -> str:
    """Return in how many pairs of layer and k NNK is below a rival, in how many clearly, and at which it is above."""
    if not found.pairs:
        return "no pair of layer and k to compare"
    text = (
        f"below in {found.below} of {counted(found.pairs, 'pair')} of layer and k, clearly in {found.lower}, and "
        f"clearly above in {found.higher}"
    )
    layers = sorted({layer for some in found.above.values() for layer in some})
    return f"{text}; above somewhere at {layers_of(layers)}, with k = {listed(found.above)}" if layers else text


def _range(shares: Iterable[float]) -> str:
    """Return the smallest and the largest share, or the one that there is."""
    return " to ".join(dict.fromkeys(map(percent, shares)))
