"""Tidy tables of recorded measurements of speed; what measures is `analysis_lib.bench`.

Of several settings of one method the fastest counts. In each record the first method is ours, and
the others are compared with it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NotRequired, TypedDict

import numpy as np
import pandas as pd

from analysis_lib.errors import DataError, shown
from analysis_lib.files import ROOT, is_there
from analysis_lib.loading import Name, Within, checked, read_json

FORMAT = 1  # of the JSON file
PARTS = ("dtw", "nnk", "growth", "shapley")

_Count = Annotated[int, Within(1)]
_Seconds = Annotated[list[Annotated[float, Within(1e-9)]], Within(1, 10_000)]


class _Rate(TypedDict):
    work: _Count
    seconds: _Seconds


class _Floor(TypedDict):
    operations: _Rate
    cells: _Rate


class _Method(TypedDict):
    """What all methods have; further entries are those of the tables."""

    name: Name
    seconds: _Seconds


class _Aligner(_Method):
    how: str
    clips: Annotated[int, Within(2)]
    gap: NotRequired[float | None]


class _Solver(_Method):
    above: float
    below: float


class _Shape(TypedDict):
    frames: _Count
    features: _Count
    clips: Annotated[int, Within(2)]
    operations: _Count
    cells: _Count
    floor: _Floor
    methods: Annotated[list[_Aligner], Within(1, 100)]


class _Kernel(TypedDict):
    kernel: str
    nodes: _Count
    candidates: _Count
    ridged: int
    duplicates: int
    violation: float
    methods: Annotated[list[_Solver], Within(1, 100)]


class _Size(TypedDict):
    clips: _Count
    frames: _Count
    features: _Count
    neighbours: _Count
    pairs: _Count
    computed: int
    methods: Annotated[list[_Method], Within(1, 100)]


class _Sampler(_Method):
    how: str
    error: Annotated[float, Within(1e-12, 1e12)]


class _Values(TypedDict):
    explained: Name
    clips: _Count
    frames: _Count
    joints: _Count
    classes: _Count
    evaluations: _Count
    methods: Annotated[list[_Sampler], Within(1, 100)]


class _Record(TypedDict):
    format: int
    quick: NotRequired[bool]
    machine: NotRequired[Mapping[str, object]]
    machines: NotRequired[Mapping[str, Mapping[str, object]]]
    missing: NotRequired[Mapping[str, str]]
    dtw: NotRequired[list[_Shape]]
    nnk: NotRequired[list[_Kernel]]
    growth: NotRequired[list[_Size]]
    shapley: NotRequired[list[_Values]]


def load_bench(path: str | Path) -> dict:
    """Return what ``make bench`` recorded: ``machine``, ``missing``, and a list for each of `PARTS` that was measured.

    A path that does not exist is looked for below the project's folder.

    Raises
    ------
    DataError
        If there is no such file, or it is no such record.
    """
    path = Path(path)
    found = path if is_there(path) else ROOT / path
    if not is_there(found):
        raise DataError(f"cannot read {found}: No such file; make bench writes one")
    record = read_json(found)
    given = record.get("format") if isinstance(record, dict) else None
    if given != FORMAT:
        raise DataError(
            f"{found}: expected a bench record of format {FORMAT}, got {shown(given)}; make bench writes one"
        )
    return checked(record, _Record, found)


def speed_table(record: dict) -> pd.DataFrame:
    r"""Return the seconds of windowed DTW by shape and method, one row each, and of the floor.

    .. math:: \mathrm{floor} = \frac{\mathrm{operations}}{\mathrm{rate\ of\ products}} +
              \frac{\mathrm{cells}}{\mathrm{rate\ of\ the\ bare\ recurrence}}

    A method that was measured on :math:`m` of the :math:`n` clips has its time multiplied by
    :math:`n (n - 1) / m (m - 1)`.

    Parameters
    ----------
    record : dict
        From `load_bench`.

    Returns
    -------
    DataFrame
        Columns frames, features, clips, method, how, ``measured`` (clips), runs, seconds (median),
        ``times`` (seconds over ours), ``of_floor`` (floor over seconds), ``gap`` (largest
        difference to our distances, of the largest distance).
    """
    rows = []
    for case in _part(record, "dtw"):
        pairs = case["clips"] * (case["clips"] - 1)
        methods = [{**m, "factor": pairs / (m["clips"] * (m["clips"] - 1))} for m in case["methods"]]
        seconds = sum(case[unit] * np.median(rate["seconds"]) / rate["work"] for unit, rate in case["floor"].items())
        floor = {"name": "floor", "how": "the limit of this machine", "clips": case["clips"], "median": seconds}
        best = _best(methods)
        ours = best[methods[0]["name"]]["median"]
        for m in (floor | {"seconds": case["floor"]["cells"]["seconds"]}, *best.values()):
            row = {key: case[key] for key in ("frames", "features", "clips")} | {"method": m["name"], "how": m["how"]}
            row |= {"measured": m["clips"], "runs": len(m["seconds"]), "seconds": m["median"]}
            rows.append(row | {"times": m["median"] / ours, "of_floor": seconds / m["median"], "gap": m.get("gap")})
    return pd.DataFrame(rows).astype({"gap": float})


def nnk_table(record: dict) -> pd.DataFrame:
    """Return the seconds of NNK by kernel, size, candidates and method, one row each.

    Returns
    -------
    DataFrame
        Columns kernel, nodes, candidates, method, runs, seconds (median), ``times`` (over ours),
        ``above`` and ``below`` (of the objective, to ours), and of the kernel ``ridged``,
        ``duplicates`` (nodes) and ``violation`` (of the optimality conditions, by ours).
    """
    shared = ("kernel", "nodes", "candidates", "ridged", "duplicates", "violation")
    return _compared(_part(record, "nnk"), shared, ("above", "below"))


def growth_table(record: dict) -> pd.DataFrame:
    """Return the seconds of the k nearest and of the whole matrix by number of clips.

    Returns
    -------
    DataFrame
        Columns clips, frames, features, neighbours, method, runs, seconds (median), ``times``,
        pairs, computed, and ``share``: of the pairs, those that were computed for the k nearest.
    """
    shared = ("clips", "frames", "features", "neighbours", "pairs", "computed")
    table = _compared(_part(record, "growth"), shared, ())
    return table.assign(share=table["computed"] / table["pairs"])


def values_table(record: dict) -> pd.DataFrame:
    r"""Return the seconds of joints' Shapley values to our standard error, by classes explained and method.

    The variance of a mean falls as one over the evaluations, so a method's median time t is multiplied by the share
    of its variance to ours:

    .. math:: t' = t\, \frac{s^2}{s_{ours}^2}

    Returns
    -------
    DataFrame
        Columns explained, clips, frames, joints, classes, evaluations (of a clip), method, runs, ``seconds`` (t'),
        ``times`` (over ours), how, and ``error`` (s, of a value over runs).
    """
    cases = []
    for case in _part(record, "shapley"):
        ours = case["methods"][0]["error"]
        cases.append(case | {"methods": [{**m, "factor": (m["error"] / ours) ** 2} for m in case["methods"]]})
    shared = ("explained", "clips", "frames", "joints", "classes", "evaluations")
    return _compared(cases, shared, ("how", "error"))


def growth_exponents(table: pd.DataFrame) -> pd.Series:
    r"""Return by method the slope :math:`b` of least squares :math:`\log t = a + b \log n`.

    Parameters
    ----------
    table : DataFrame
        From `growth_table`, with two sizes at least.

    Examples
    --------
    >>> table = pd.DataFrame({"clips": [1, 2, 4], "seconds": [3.0, 12, 48], "method": "all pairs"})
    >>> growth_exponents(table).round(6).to_dict()
    {'all pairs': 2.0}
    """
    if table["clips"].nunique() < 2:
        raise DataError("growth needs at least two numbers of clips, got one")
    methods = table.groupby("method", sort=False)
    slope = {m: np.polyfit(*np.log(part[["clips", "seconds"]].T.to_numpy()), 1)[0] for m, part in methods}
    return pd.Series(slope)


def _part(record: dict, part: str) -> list[dict]:
    """Return the cases of a part of the record."""
    if not record.get(part):
        held = ", ".join(p for p in PARTS if p in record) or "none"
        raise DataError(f"the record has no part '{part}', only {held}; make bench measures all")
    return record[part]


def _compared(cases: list[dict], shared: tuple[str, ...], own: tuple[str, ...]) -> pd.DataFrame:
    """Return a row for each case and method: the median, and its ratio to the first method's."""
    rows = []
    for case in cases:
        best = _best(case["methods"])
        ours = best[case["methods"][0]["name"]]["median"]
        for name, m in best.items():
            row = {key: case[key] for key in shared} | {"method": name, "runs": len(m["seconds"])}
            row |= {"seconds": m["median"], "times": m["median"] / ours}
            rows.append(row | {key: m[key] for key in own})
    return pd.DataFrame(rows)


def _best(methods: list[dict]) -> dict[str, dict]:
    """Return by name the method with the smallest median, times its ``factor`` (1 by default)."""
    best: dict[str, dict] = {}
    for method in methods:
        median = float(np.median(method["seconds"])) * method.get("factor", 1)
        if method["name"] not in best or median < best[method["name"]]["median"]:
            best[method["name"]] = {**method, "median": median}
    return best
