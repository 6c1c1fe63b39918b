"""What the spectrum chapter finds: how smooth poses and movements are on the skeleton, and how far its joints reach."""

from dataclasses import dataclass

import pandas as pd

from analysis_lib.studies.spectrum.tables import mean_energy

#: What the paper gives for the longest distance between two leaves of NTU's skeleton, in hops.
PAPER_DIAMETER = 10
PAPER_SKELETON = "ntu-25"
ROUNDING = 1e-9
VELOCITY = "velocity"
#: the signal that stands beside another, if that is not velocity
BESIDE = {VELOCITY: "centred"}


@dataclass(frozen=True)
class Concentration:
    """Share of energy of the smoothest ``top`` of so many frequencies.

    ``least`` and ``most`` are the classes with the smallest and the largest share, ``smoothest`` the
    share of the last frequency alone; ``still`` counts clips without energy.
    """

    clips: int
    still: int
    top: int
    frequencies: int
    share: float
    least: tuple[str, float]
    most: tuple[str, float]
    smoothest: float

    @property
    def flat(self) -> float:
        """Share that a signal without any structure would have there."""
        return self.top / self.frequencies


@dataclass(frozen=True)
class Variant:
    """One choice of what the paper leaves open, and the share of energy under it."""

    signal: str
    degree: str
    share: float


@dataclass(frozen=True)
class Distance:
    """Longest distance in hops under one edge list, the joints that far apart, and the hops from a hand to a foot."""

    edges: str
    hops: int
    between: str
    limbs: int


@dataclass(frozen=True)
class Findings:
    """What the chapter finds.

    ``energy`` is None if no clip has any, and is that of ``signal``; ``beside`` is the share of velocities under the
    same degree, of positions if the signal is velocities: None if there is none. ``weakest`` is None if no choice has
    a share. ``powers`` are the first and the last
    power of the adjacency, or the only one, each with the share of energy that it covers; ``falling`` says whether
    that share never grows with the power. ``distances`` are those of the paper's skeleton, ``paper`` what it gives.
    """

    energy: Concentration | None
    signal: str
    beside: Variant | None
    weakest: Variant | None
    powers: tuple[tuple[int, float], ...]
    falling: bool
    distances: tuple[Distance, ...]
    paper: int


def findings(
    table: pd.DataFrame,
    variants: pd.DataFrame,
    filters: pd.DataFrame,
    distances: pd.DataFrame,
    top: int,
    clips: int,
    signal: str = "centred",
    degree: str = "no_self",
) -> Findings:
    """Return what the tables of `analysis_lib.studies.spectrum.tables` say.

    Parameters
    ----------
    table, variants, filters, distances : DataFrame
        From `class_energy`, `variant_table`, `filter_table` and `distance_table`.
    top : int
        How many of the largest eigenvalues the share is of.
    clips : int
        Number of clips, those without energy included.
    signal, degree : str
        Of which ``table`` is.
    """
    known = variants[variants["share"].notna()]
    least = known.loc[known["share"].idxmin()] if len(known) else None
    shares = filters.groupby("power")["share"].first().dropna()
    ends = tuple((int(power), float(share)) for power, share in shares.iloc[[0, -1][: len(shares)]].items())
    other = known[(known["signal"] == BESIDE.get(signal, VELOCITY)) & (known["degree"] == degree)]
    own = distances[distances["skeleton"] == PAPER_SKELETON]
    columns = ["edges", "diameter", "between", "hand to foot"]
    return Findings(
        energy=_concentration(table, top, clips),
        signal=signal,
        beside=_variant(other.iloc[0]) if len(other) else None,
        weakest=None if least is None else _variant(least),
        powers=ends,
        falling=not (shares.diff() > ROUNDING).any(),
        distances=tuple(Distance(*row) for row in own[columns].itertuples(index=False)),
        paper=PAPER_DIAMETER,
    )


def _variant(row: pd.Series) -> Variant:
    return Variant(row["signal"], row["degree"], float(row["share"]))


def _concentration(table: pd.DataFrame, top: int, clips: int) -> Concentration | None:
    classes = table[(table["level"] == "class") & table["energy"].notna()]
    if classes.empty:
        return None
    mean = mean_energy(classes)
    last = classes[classes["k"] > len(mean) - top]
    shares = last.groupby("class")["energy"].sum().sort_values(kind="stable")
    (least, *_), (*_, most) = shares.items(), shares.items()
    used = int(classes.loc[classes["k"] == 1, "clips"].sum())
    share = float(mean[len(mean) - top :].sum())
    return Concentration(used, clips - used, top, len(mean), share, least, most, float(mean[-1]))
