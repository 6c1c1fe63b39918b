"""What networks are called where people read of them: by architecture, and by what tells two of one kind apart."""

from collections.abc import Iterable, Mapping
from inspect import signature

from analysis_lib.datasets.preparation.recipe import Preprocessing
from analysis_lib.networks.checkpoints import shipped_cards
from analysis_lib.networks.registry import ARCHITECTURES, TITLES
from analysis_lib.words import listed, plain

_WIDTHS = {1: "full width", 0.5: "half width", 0.25: "quarter width"}
_FITS = {"pad": "padded clips", "resample": "resampled clips"}


def network_titles(kinds: Mapping[str, str]) -> dict[str, str]:
    """Return what each network is called; those of one architecture by depth, width, clips and stream that differ.

    Those that differ in none of these, or are not shipped, have their name besides.

    Parameters
    ----------
    kinds : mapping of str to str
        Architectures by the names of the networks.

    Examples
    --------
    >>> network_titles({"synthetic": "stgcn", "synthetic-agcn-7": "agcn", "synthetic-agcn": "agcn"})
    {'synthetic': 'ST-GCN', 'synthetic-agcn-7': '2s-AGCN with 7 layers', 'synthetic-agcn': '2s-AGCN with 10 layers'}
    >>> network_titles({"nw-ucla": "stgcn", "mine": "stgcn", "of/mine": "Sequential"})
    {'nw-ucla': 'ST-GCN, nw-ucla', 'mine': 'ST-GCN, mine', 'of/mine': 'Sequential'}
    """
    cards, found = shipped_cards(), {}
    for kind in dict.fromkeys(kinds.values()):
        alike = [name for name, other in kinds.items() if other == kind]
        features = {name: _features(cards[name]) if name in cards else {} for name in alike}
        ways = {name: _differing(features, name) for name in alike}
        for name, way in ways.items():
            title = f"{TITLES.get(kind, kind)}{f' with {listed(way)}' if way else ''}"
            own = len(alike) == 1 or list(ways.values()).count(way) == 1
            found[name] = title if own else f"{title}, {name}"
    return {name: found[name] for name in kinds}


def entry_titles(entries: Iterable[str]) -> dict[str, str]:
    """Return what networks of a list are called, and sums of streams; names that are not of this book stay.

    A network that would be called like another entry is said to be ours.

    >>> entry_titles(["synthetic-agcn", "stgcn, 2 streams, equal weights", "AGC-LSTM"])
    {'synthetic-agcn': '2s-AGCN', 'stgcn, 2 streams, equal weights': 'ST-GCN, 2 streams, equal weights', \
'AGC-LSTM': 'AGC-LSTM'}
    """
    names, cards = [*entries], shipped_cards()
    known = network_titles({name: cards[name]["architecture"] for name in names if name in cards})
    parts = {name: name.partition(", ") for name in names}
    ours = {name: f"{title}, ours" if title in names else title for name, title in known.items()}
    return {n: ours.get(n, "".join([TITLES.get(kind, kind), *rest])) for n, (kind, *rest) in parts.items()}


def _features(card: Mapping) -> dict[str, str]:
    """Return what tells a network from others of its architecture, in words."""
    given, preparation = card["arguments"], Preprocessing(**card["preprocessing"])
    known = signature(ARCHITECTURES[card["architecture"]]).parameters
    depth = given.get("depth", known["depth"].default if "depth" in known else 0)
    width = given.get("width", known["width"].default if "width" in known else 0)
    return {
        "depth": f"{depth} layers" if depth else "",
        "width": _WIDTHS.get(width, f"{plain(width)} of the width"),
        "clips": _FITS.get(preparation.fit, preparation.fit),
        "stream": f"the {preparation.stream} stream",
    }


def _differing(features: Mapping[str, Mapping[str, str]], name: str) -> list[str]:
    """Return a network's features that not all of these networks share; none where one is not known."""
    if not all(features.values()):
        return []
    return [value for key, value in features[name].items() if len({of[key] for of in features.values()}) > 1]
