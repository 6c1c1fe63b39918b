"""What papers claim, as ``data/claims/PAPER.json`` has it.

A claim has *checks*: a number that a measure reads off recorded tables, and the bounds within which the claim holds.
Where the paper gives no number the bounds are this book's own (``"ours": true``). Beside its ``claims`` a file may
have

- ``needs``: by name, what some claims need, the datasets that have it and the command that would test them;
- ``otherwise``: the need that is named where a claim needs nothing, and yet an edition's tables cannot tell;
- ``grid``: choices that the paper leaves open, and the values of each (`analysis_lib.studies.claims.choices`);
- ``left_out``: statements of the paper that are no claims, and why;
- ``lists``: benchmarks whose actions are counted by super-class.

- ``settings``: how the paper trained its ``architecture``, entry by entry, and where a card of ours has the same.

A claim that no data decide, a count in a list, a graph or arithmetic, is marked ``"kind": "fact"``; what no paper
says and this book asks so as to understand a claim, ``"kind": "control"``. Both are counted apart. A claim says when
its bounds were set and whether the curves had been seen, ``"bounds": {"date": "2026-11-26", "seen": true}``; bounds
that it had before stay in its ``history``, with the reason why they were changed.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from inspect import signature
from math import inf
from pathlib import Path
from typing import Annotated, Literal, NotRequired, TypedDict

from analysis_lib.errors import DataError, unknown_choice
from analysis_lib.files import ROOT
from analysis_lib.loading import Name, Within, checked, read_json
from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.studies.claims.measures import measures_of

Tables = Annotated[tuple[Name, ...], Within(1, 10)]
_SOME, _Count = Within(1, 20), Annotated[int, Within(1, 1000)]


@dataclass(frozen=True)
class Check:
    """A number, and the bounds within which the claim holds.

    Attributes
    ----------
    name : str
    tables : tuple of str
        ``"CHAPTER/TABLE"``, handed to the measure in this order.
    measure : callable
        Named in the file; of `analysis_lib.studies.claims.measures.measures_of` the first table's chapter.
    arguments : mapping
        Further arguments of the measure.
    at_least, at_most : float
    unit : str
        How people read it: number, signed, count, percent, points.
    exact : bool
        Whether it is no matter of the clips, so that it needs no interval.
    over : mapping of str to value
        Columns that hold choices which the paper leaves open, and what this book chose. The measure is given the rows
        of one combination of choices at a time, and those that have no choice in such a column.
    """

    name: Name
    tables: Tables
    measure: Callable[..., Estimate]
    arguments: Mapping[str, object] = field(default_factory=dict)
    at_least: float = -inf
    at_most: float = inf
    unit: str = "number"
    exact: bool = False
    over: Mapping[str, object] = field(default_factory=dict)

    @property
    def judges(self) -> bool:
        """Whether there are bounds; a number without any is shown beside the others."""
        return -inf < self.at_least or self.at_most < inf

    def holds(self, value: float) -> bool:
        """Return whether a value lies within the bounds."""
        return self.at_least <= value <= self.at_most

    def judge(self, found: Estimate) -> Verdict:
        """Return whether the whole interval lies within the bounds, or all outside; a number without one is exact or
        decides nothing.
        """
        low, high = (found.value, found.value) if self.exact else (found.low, found.high)
        if self.holds(found.value):
            return Verdict.HOLDS if low <= high and self.holds(low) and self.holds(high) else Verdict.UNDECIDED
        below, above = found.value < self.at_least, found.value > self.at_most
        apart = (below and low <= high < self.at_least) or (above and self.at_most < low <= high)
        return Verdict.FAILS if apart else Verdict.UNDECIDED


@dataclass(frozen=True)
class Need:
    """What an edition must have so that a claim can be tested, and the command that then does.

    ``{chapter}`` in the command stands for the chapter that the claim is read from.
    """

    name: str
    datasets: tuple[str, ...]
    command: str


@dataclass(frozen=True)
class Bounds:
    """When bounds were set, ``YYYY-MM-DD``, and whether the curves that they judge had been seen then."""

    date: Annotated[str, Within(10, 10)]
    seen: bool

    def __post_init__(self) -> None:
        try:
            date.fromisoformat(self.date)
        except ValueError:
            raise DataError(f"bounds are of a day such as 2026-11-26, got '{self.date}'") from None


@dataclass(frozen=True)
class Former:
    """What was wanted of a claim before, in words; until when, and why it was changed."""

    until: Annotated[str, Within(10, 10)]
    wanted: str
    why: str


@dataclass(frozen=True)
class Claim:
    """What a paper says.

    Attributes
    ----------
    id, claim, where, paper : str
        Number, statement in our words, section and figure, and the paper's value.
    figure : str
        ``PAGE#ANCHOR`` in this book.
    checks : tuple of Check
        All of them must hold.
    ours : bool
        Whether the bounds are this book's own.
    kind : {"claim", "fact", "control"}
        A fact is a count in a list, a graph or arithmetic, which no recording and no network decide; a control is this
        book's own question, beside a claim.
    need, otherwise : Need or None
        Without ``need``, any data will do; ``otherwise`` says what would, if an edition's cannot tell.
    command : str
        In place of the need's.
    bounds : Bounds or None
    history : tuple of Former
    source : str
        The paper's short name, or its key in the bibliography.
    """

    id: str
    claim: str
    where: str
    paper: str
    figure: str
    checks: tuple[Check, ...]
    ours: bool = False
    kind: Literal["claim", "fact", "control"] = "claim"
    need: Need | None = None
    otherwise: Need | None = None
    command: str = ""
    bounds: Bounds | None = None
    history: tuple[Former, ...] = ()
    source: str = ""

    @property
    def chapter(self) -> str:
        """The chapter that the claim is read from; that of its figure, if it has no check."""
        return re.split("[/#]", self.checks[0].tables[0] if self.checks else self.figure)[0]


@dataclass(frozen=True)
class Setting:
    """How a paper did something, in words, and ``where`` it says so; empty if it does not.

    ``card`` is the entry of a network's card that says how we did it, such as ``"recipe.batch_size"``, and ``same``
    what stands there if we did it as the paper.
    """

    name: Name
    card: Name
    paper: str = ""
    where: str = ""
    same: object = None


@dataclass(frozen=True)
class Training:
    """How a paper trained networks of an architecture."""

    source: str
    architecture: str
    settings: tuple[Setting, ...]


@dataclass(frozen=True)
class Claims:
    """The claims of one paper or several, what was left out and why, the lists to be counted, the choices, and how
    each paper trained its network.
    """

    claims: tuple[Claim, ...]
    left_out: Mapping[str, str]
    lists: tuple[str, ...]
    grid: Mapping[str, tuple] = field(default_factory=dict)
    trainings: tuple[Training, ...] = ()


class _Check(TypedDict):
    """A check as a file has it; the rest is that of `Check`."""

    tables: Tables
    measure: Name


class _Claim(TypedDict):
    """A claim as a file has it; the rest is that of `Claim`."""

    id: Name
    checks: list[_Check]
    needs: NotRequired[Name]
    otherwise: NotRequired[Name]


class _Grid(TypedDict):
    """The choices, and the values of each: the entries of `analysis_lib.studies.claims.choices.OPTIONS`."""

    split: Annotated[tuple[Literal["test", "train"], ...], _SOME]
    n_windows: Annotated[tuple[_Count, ...], _SOME]
    reduce: Annotated[tuple[Literal["flatten", "joint", "channel"], ...], _SOME]
    n_neighbors: Annotated[tuple[_Count, ...], _SOME]
    graph: Annotated[tuple[Literal["nnk", "knn"], ...], _SOME]


class _File(TypedDict):
    paper: NotRequired[Name]
    name: NotRequired[Name]
    architecture: NotRequired[Name]
    settings: NotRequired[tuple[Setting, ...]]
    grid: NotRequired[_Grid]
    claims: list[_Claim]
    needs: NotRequired[Mapping[str, Mapping[str, object]]]
    otherwise: NotRequired[Name]
    left_out: NotRequired[Mapping[str, str]]
    lists: NotRequired[tuple[Name, ...]]


def load_claims(paths: Sequence[str | Path]) -> Claims:
    """Return the claims in JSON files, given by their paths from here or from the project's folder.

    Raises
    ------
    DataError
        If a file is missing or not as this module says, or two claims have one number.
    UserError
        If a check names an unknown measure; the choices are listed.
    """
    files = [_read(Path(path) if Path(path).exists() else ROOT / path) for path in paths]
    claims = tuple(claim for file in files for claim in file.claims)
    names = [claim.id for claim in claims]
    grids = [file.grid for file in files if file.grid] or [{}]
    if any(grid != grids[0] for grid in grids):
        raise DataError("two files of claims declare different grids; one at a time can be read")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"two claims are called {twice[0]}; number those of one paper apart from another's")
    left_out = {name: why for file in files for name, why in file.left_out.items()}
    lists = tuple(dict.fromkeys(name for file in files for name in file.lists))
    return Claims(claims, left_out, lists, grids[0], tuple(one for file in files for one in file.trainings))


def _read(path: Path) -> Claims:
    """Return the claims of one file."""
    given = checked(read_json(path, "claims from"), _File, path)
    named = given.get("needs", {})
    needs = {name: checked({**need, "name": name}, Need, path, f"needs.{name}") for name, need in named.items()}
    otherwise = _need(path, needs, given.get("otherwise"))
    source = given.get("name") or given.get("paper", "")
    claims = tuple(_claim(path, one | {"source": source}, needs, otherwise) for one in given["claims"])
    training = Training(source, given.get("architecture", ""), given.get("settings", ()))
    trainings = (training,) if training.settings else ()
    return Claims(claims, given.get("left_out", {}), given.get("lists", ()), given.get("grid", {}), trainings)


def _need(path: Path, needs: Mapping[str, Need], name: str | None) -> Need | None:
    if name is not None and name not in needs:
        raise unknown_choice(f"need in {path}", name, needs)
    return needs.get(name)


def _claim(path: Path, given: _Claim, needs: Mapping[str, Need], otherwise: Need | None) -> Claim:
    """Return the claim that one object of the file describes."""
    at, need = f"claim {given['id']}", _need(path, needs, given.get("needs"))
    otherwise = _need(path, needs, given.get("otherwise")) or otherwise
    checks = tuple(_check(path, at, check) for check in given["checks"])
    rest = {key: value for key, value in given.items() if key not in ("needs", "otherwise")}
    if given.get("ours") and "bounds" not in given:
        raise DataError(f"{path}: {at}: bounds of this book's own say when they were set, and if curves had been seen")
    return checked({**rest, "checks": checks, "need": need, "otherwise": need or otherwise}, Claim, path, at)


def _check(path: Path, at: str, given: _Check) -> Check:
    """Return one check of a claim, whose measure takes its tables and arguments."""
    table = given["tables"][0]
    choices = measures_of(table.partition("/")[0])
    if given["measure"] not in choices:
        raise unknown_choice(f"measure for the table '{table}' of {at}", given["measure"], choices)
    check = checked({**given, "measure": choices[given["measure"]]}, Check, path, at)
    if not all(isinstance(value, str | int | float) for value in check.over.values()):
        raise DataError(f"{path}: {at}: 'over' must name what was chosen, a text or a number for each column")
    try:
        signature(check.measure).bind(*check.tables, **check.arguments)
    except TypeError as error:
        raise DataError(f"{path}: {at}: measure '{given['measure']}': {error}") from error
    return check
