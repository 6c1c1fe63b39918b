"""How near to the floor the book's kernels are, how far other libraries, and how the cost grows, as numbers."""

from dataclasses import dataclass

import pandas as pd

from analysis_lib.studies.performance.tables import growth_exponents


@dataclass(frozen=True)
class Peer:
    """A method of another library at one shape, and how many times as long as ours it takes."""

    method: str
    frames: int
    features: int
    times: float


@dataclass(frozen=True)
class Speed:
    """All pairs of so many clips: seconds and share of the floor, smallest and largest over the shapes; the peers."""

    clips: int
    seconds: tuple[float, float]
    of_floor: tuple[float, float]
    fastest: Peer | None
    slowest: Peer | None


@dataclass(frozen=True)
class Growth:
    """From so many clips to so many: exponents by method, and the largest and smallest share of pairs computed."""

    clips: tuple[int, int]
    exponents: dict[str, float]
    share: tuple[float, float]
    neighbours: int


@dataclass(frozen=True)
class Values:
    """Shapley values of so many joints and clips: how many times as long as ours each method takes to our error.

    ``one`` and ``all`` are for the explained class and for all ``classes``, by method; empty without peers.
    """

    joints: int
    clips: int
    classes: int
    one: dict[str, float]
    all: dict[str, float]


def speed(table: pd.DataFrame) -> Speed | None:
    """Return what `analysis_lib.studies.performance.tables.speed_table` says; None if we were not measured."""
    methods = table["method"].unique()
    if len(methods) < 2:
        return None
    ours = table[table["method"] == methods[1]]
    seconds, floor = (tuple(map(float, ours[column].agg(["min", "max"]))) for column in ("seconds", "of_floor"))
    others = table[~table["method"].str.startswith(("floor", methods[1]))]
    peers = others.dropna(subset=["times"]).sort_values("times", kind="stable")
    ends = peers[["method", "frames", "features", "times"]].iloc[[0, -1] if len(peers) else []]
    fastest, slowest = [Peer(*row) for row in ends.itertuples(index=False)] or (None, None)
    return Speed(int(ours["clips"].max()), seconds, floor, fastest, slowest)


def values(table: pd.DataFrame) -> Values:
    """Return what `analysis_lib.studies.performance.tables.values_table` says."""
    ours = table["method"].iloc[0]
    peers = table[table["method"] != ours].set_index("method").groupby("explained")["times"]
    times = {explained: part.to_dict() for explained, part in peers}
    sizes = table[["joints", "clips", "classes"]].iloc[0].astype(int)
    return Values(*map(int, sizes), times.get("one class", {}), times.get("all classes", {}))


def growth(table: pd.DataFrame) -> Growth | None:
    """Return what `analysis_lib.studies.performance.tables.growth_table` says; None of fewer than two sizes."""
    if table["clips"].nunique() < 2:
        return None
    slopes = growth_exponents(table)
    ours = table[table["method"] == slopes.index[0]]
    clips, share = tuple(ours["clips"].agg(["min", "max"])), tuple(ours["share"].agg(["max", "min"]))
    return Growth(clips, slopes.to_dict(), share, ours["neighbours"].iloc[0])
