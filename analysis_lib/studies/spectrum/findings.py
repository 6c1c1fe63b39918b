"""What the spectrum chapter finds: how smooth motion is on the skeleton, and how far apart its joints are."""

from dataclasses import dataclass

import pandas as pd

from analysis_lib.studies.spectrum.tables import mean_energy

#: What the paper gives for the longest distance between two leaves of NTU's skeleton, in hops.
PAPER_DIAMETER = 10
PAPER_SKELETON = "ntu-25"


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
    """Longest distance in hops under one edge list, and the joints that far apart."""

    edges: str
    hops: int
    between: str


@dataclass(frozen=True)
class Findings:
    """What the chapter finds.

    ``powers`` are the first and the last power of the adjacency, each with the share of energy that it
    covers. ``distances`` are those of the paper's skeleton, from a hand to a foot ``limbs``;
    ``reach`` says whether the paper's number of hops joins every pair of joints under each edge list.
    """

    energy: Concentration
    weakest: Variant
    powers: tuple[tuple[int, float], tuple[int, float]]
    distances: tuple[Distance, ...]
    limbs: int
    paper: int
    reach: bool


def findings(
    table: pd.DataFrame, variants: pd.DataFrame, filters: pd.DataFrame, distances: pd.DataFrame, top: int, clips: int
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
    """
    weakest = variants.loc[variants["share"].idxmin()]
    shares = filters.groupby("power")["share"].first()
    ends = tuple((int(shares.index[i]), float(shares.iloc[i])) for i in (0, -1))
    own = distances[distances["skeleton"] == PAPER_SKELETON]
    far = tuple(Distance(*row) for row in own[["edges", "diameter", "between"]].itertuples(index=False))
    return Findings(
        energy=_concentration(table, top, clips),
        weakest=Variant(weakest["signal"], weakest["degree"], float(weakest["share"])),
        powers=ends,
        distances=far,
        limbs=int(own["hand to foot"].iloc[0]),
        paper=PAPER_DIAMETER,
        reach=bool((own["diameter"] <= PAPER_DIAMETER).all()),
    )


def _concentration(table: pd.DataFrame, top: int, clips: int) -> Concentration:
    mean, classes = mean_energy(table), table[table["level"] == "class"]
    last = classes[classes["k"] > len(mean) - top]
    shares = last.groupby("class")["energy"].sum().sort_values(kind="stable")
    (least, *_), (*_, most) = shares.items(), shares.items()
    used = int(classes.loc[classes["k"] == 1, "clips"].sum())
    share = float(mean[len(mean) - top :].sum())
    return Concentration(used, clips - used, top, len(mean), share, least, most, float(mean[-1]))
