"""How a matrix of windowed DTW distances is divided into tiles, and the tiles into parcels of work.

The grid of tiles depends on the shape of the clips alone, never on the memory, threads or machines
at hand: the same products are formed and the same numbers come out.
"""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import NamedTuple

import numpy as np
import scipy.linalg  # noqa: F401  (the compiled matrix product is its BLAS)
from joblib import cpu_count
from threadpoolctl import ThreadpoolController

from analysis_lib.errors import DataError
from analysis_lib.warping.kernels import LANES, PAIRS, match_tile, pack

GIB = 2**30  # bytes
NORMALISATIONS = ("none", "path", "sum")  # the position is the code that the kernel is given
#: bits of a local distance relative to its largest value, near the rounding error of the product
RESOLUTION = {("cosine", 4): 20, ("sqeuclidean", 4): 24, ("cosine", 8): 40, ("sqeuclidean", 8): 40}
COARSEST = 18  # fewer bits than that, and the costs are kept in 64-bit integers
LINE = 64  # bytes of a line of the cache
KEPT = 2**26  # bytes of workspaces at most that wait for the next call
TILE = (480, 480)  # frames of a tile: enough for a fast product that stays in the cache
GROUP, DIAGONAL = 960, 96  # frames of a triangle on the diagonal, and of the least part of it

_FREE: list[np.ndarray] = []
_LOCK = Lock()


@dataclass(frozen=True)
class Clips:
    """Frame features (n, T, D) with the first frame and the number of frames of each window."""

    name: str
    x: np.ndarray
    first: np.ndarray  # (n, m)
    counts: np.ndarray  # (n, m)
    order: np.ndarray | None = None  # by length, so that the clips of a block are alike

    def __post_init__(self) -> None:
        if self.order is None:
            order = np.argsort(self.counts.sum(axis=1), kind="stable")
            object.__setattr__(self, "order", order)

    @property
    def n_blocks(self) -> int:
        """Number of blocks of lanes."""
        return -(-len(self.order) // LANES)


@dataclass(frozen=True)
class Rule:
    """How two clips are compared, in the numbers that the kernels take."""

    alpha: np.ndarray
    metric: str
    normalise: str
    band: int | None
    dtype: np.dtype
    longest: int  # frames of the longest window
    n_frames: int  # frames of the longest clip
    n_features: int
    origin: np.ndarray = field(default_factory=lambda: np.empty(0))
    half_range: float = 1.0  # of a cosine distance, or half of a squared distance
    zero_axis: bool = False  # is there a frame of zeros?

    @property
    def bits(self) -> int:
        """Low bits of a cost that hold the length of its path."""
        return self._path_bits if self.normalise == "path" else 0

    @property
    def _path_bits(self) -> int:
        return (2 * self.longest - 1).bit_length()

    @property
    def work_dtype(self) -> type:
        """Integers of the accumulated costs: 32 bits where they suffice, as twice as many fit."""
        narrow = self.metric == "cosine" and self.band is None and self.dtype == np.float32
        return np.int32 if narrow and 31 - self._path_bits - self.bits >= COARSEST else np.int64

    @property
    def resolution(self) -> int:
        """Bits of a local distance."""
        room = 31 if self.work_dtype is np.int32 else 63
        sums = self._path_bits * (1 if self.band is None else 2)  # outside of a band: a penalty
        return min(RESOLUTION[self.metric, self.dtype.itemsize], room - sums - self.bits)

    @property
    def gain(self) -> float:
        """Factor of frame features that makes their products count in quanta."""
        return (2.0**self.resolution / self.half_range) ** 0.5

    @property
    def unit(self) -> float:
        """Distance of one quantum."""
        return (1 if self.metric == "cosine" else 2) * self.half_range / 2.0**self.resolution

    def blocks(self, frames: int) -> int:
        """Return how many blocks have about so many frames in a window, at least one."""
        return max(1, round(frames / (self.longest * LANES)))


class Crew(ThreadPoolExecutor):
    """Threads, one a core unless a number is given, each of which multiplies matrices alone: two pools would fight."""

    def __init__(self, size: int | None) -> None:
        size = cpu_count() if size in (None, 0, -1) else size
        super().__init__(size)
        self.size = size

    def __enter__(self) -> "Crew":
        self.limit = _libraries().limit(limits=1, user_api="blas")
        return super().__enter__()

    def __exit__(self, *exception) -> None:
        super().__exit__(*exception)
        self.limit.restore_original_limits()


@cache
def _libraries() -> ThreadpoolController:
    """Return the handle of the BLAS libraries, looked up once."""
    return ThreadpoolController()


class Panel(NamedTuple):
    """Some blocks of clips, packed: rows (window, block, frame, lane), and where each begins."""

    rows: np.ndarray
    shifts: np.ndarray
    starts: np.ndarray  # (m, blocks + 1)
    counts: np.ndarray  # (m, clips)
    ids: np.ndarray  # (clips,)
    first: int  # block of the clips with which it begins

    @classmethod
    def packed(cls, clips: Clips, rule: Rule, blocks: range, crew: Crew) -> "Panel":
        """Pack some blocks of the clips; raise DataError if one holds a NaN or infinity."""
        first, last = blocks.start, blocks.stop
        ids = clips.order[first * LANES : last * LANES]
        counts = np.ascontiguousarray(clips.counts[ids].T)
        frames = np.ascontiguousarray(clips.first[ids].T)
        heights = np.maximum.reduceat(counts, np.arange(0, len(ids), LANES), axis=1)
        ends = np.cumsum(heights.ravel() * LANES).reshape(heights.shape)
        starts = np.concatenate([ends[:, :1] - heights[:, :1] * LANES, ends], axis=1)
        shape = ends[-1, -1], rule.n_features + rule.zero_axis
        rows = aligned(int(np.prod(shape)), rule.dtype).reshape(shape)
        shifts = np.empty(len(rows), rule.dtype)
        edges = np.unique(np.linspace(0, last - first, 4 * crew.size + 1).astype(int))

        def part(a, b):
            return pack(clips.x, ids, frames, counts, starts, a, b, rule.origin, rule.gain, rows, shifts)

        for clip in crew.map(part, edges[:-1], edges[1:]):
            if clip >= 0:
                raise DataError(f"clip {clip} of {clips.name} holds a NaN or infinity among its valid frames")
        return cls(rows, shifts, starts, counts, ids, first)


class Tile(NamedTuple):
    """The blocks of rows ``top..bottom`` against the blocks of columns ``start..stop``."""

    top: int
    bottom: int
    start: int
    stop: int

    @property
    def blocks(self) -> int:
        """Number of pairs of blocks."""
        return (self.bottom - self.top) * (self.stop - self.start)


def tiles(rule: Rule, rows: range, columns: range, symmetric: bool) -> list[Tile]:
    """Return the tiles of some blocks of rows and of columns, the largest first.

    Of a symmetric matrix those above the diagonal are returned, and those on it.
    """
    found, group = [], rule.blocks(GROUP)
    for top in range(rows.start, rows.stop, group):
        bottom = min(top + group, rows.stop)
        for start in range(columns.start, columns.stop, group):
            stop = min(start + group, columns.stop)
            if not symmetric or start > top:
                found += _rectangle(rule, top, bottom, start, stop)
            elif start == top:
                found += _triangle(rule, top, bottom)
    return sorted(found, key=lambda tile: -tile.blocks)


def _rectangle(rule: Rule, top: int, bottom: int, start: int, stop: int) -> list[Tile]:
    height, width = map(rule.blocks, TILE)
    return [
        Tile(i, min(i + height, bottom), j, min(j + width, stop))
        for i in range(top, bottom, height)
        for j in range(start, stop, width)
    ]


def _triangle(rule: Rule, top: int, bottom: int) -> list[Tile]:
    """Halve a triangle on the diagonal until little below the diagonal is computed with it."""
    if bottom - top <= rule.blocks(DIAGONAL):
        return [Tile(top, bottom, top, bottom)]
    middle = (top + bottom + 1) // 2
    return [
        *_rectangle(rule, top, middle, middle, bottom),
        *_triangle(rule, top, middle),
        *_triangle(rule, middle, bottom),
    ]


def aligned(size: int, dtype) -> np.ndarray:
    """Return an empty array that begins with a line of the cache: its vectors then lie in one.

    Memory that was given back is taken again if it fits: the first touch of fresh memory is slow.
    """
    dtype = np.dtype(dtype)
    n_bytes = size * dtype.itemsize + LINE
    with _LOCK:
        fits = [i for i, memory in enumerate(_FREE) if n_bytes <= len(memory) <= 2 * n_bytes]
        memory = _FREE.pop(fits[0]) if fits else None
        if memory is None:
            _FREE.clear()
    memory = np.empty(n_bytes, np.uint8) if memory is None else memory
    first = -memory.ctypes.data % LINE
    return memory[first : first + size * dtype.itemsize].view(dtype)


def give_back(*arrays: np.ndarray) -> None:
    """Let memory from `aligned` be taken again; nobody may look at these arrays any more."""
    with _LOCK:
        for array in arrays:
            if sum(map(len, _FREE)) + len(array.base) <= KEPT:
                _FREE.append(array.base)


def match(
    left: Panel,
    right: Panel,
    rule: Rule,
    tiles: list[Tile],
    symmetric: bool,
    out: np.ndarray,
    crew: Crew,
    done=lambda tile: None,
    rounds: int = 0,
) -> None:
    """Write the distances of some tiles of two panels to ``out``.

    ``done`` is called with each tile that is finished. With ``rounds``, lower bounds of distances
    with ``normalise="path"`` are written, the closer the more rounds.
    """
    settings = (
        rule.alpha,
        rule.dtype.type(2.0**rule.resolution),
        rule.bits,
        -1 if rule.band is None else rule.band,
        rule.unit,
        NORMALISATIONS.index(rule.normalise),
        1.0 if rule.metric == "cosine" and rule.normalise != "none" else np.inf,
        rounds,
    )
    waiting, side = deque(tiles), rule.longest * LANES
    height = max((tile.bottom - tile.top for tile in tiles), default=0)
    width = max((tile.stop - tile.start for tile in tiles), default=0)

    def work(_):
        scratch = (
            aligned(height * width * side**2, rule.dtype),
            aligned(2 * (rule.longest + 1) * PAIRS, rule.work_dtype),
            np.empty((height * LANES, width * LANES)),
        )
        while waiting:
            try:
                tile = waiting.popleft()
            except IndexError:  # another thread was faster
                break
            match_tile(np.array(tile), symmetric, *left, *right, *settings, *scratch, out)
            done(tile)
        give_back(*scratch[:2])

    list(crew.map(work, range(crew.size)))
