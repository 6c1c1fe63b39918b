"""Running windowed DTW on this machine: panels that fit in memory, tiles on all cores."""

from collections.abc import Callable

import numpy as np

from analysis_lib.errors import UserError
from analysis_lib.progress import note_if_slow
from analysis_lib.warping.kernels import LANES
from analysis_lib.warping.tiles import GROUP, TILE, Clips, Crew, Panel, Rule, Tile, give_back, match, tiles

COMPILING = "compiling the warping kernels, once on this machine (about half a minute)"


def fill(
    out: np.ndarray, left: Clips, right: Clips, rule: Rule, max_memory: int, crew: Crew, done: Callable[[int], None]
) -> None:
    """Write the distances of each clip of ``left`` to each of ``right``, or of all pairs if they are the same.

    What is held besides the clips and the result takes at most ``max_memory`` bytes. ``done`` is
    called with numbers of pairs.
    """
    symmetric, held = left is right, {}
    count = lambda tile: done(n_in(tile, out.shape, symmetric))  # noqa: E731
    warm_up(left, rule, crew)
    warm_up(right, rule, crew)
    for rows, columns in panels(left.n_blocks, right.n_blocks, rule, symmetric, max_memory, crew.size):
        sides = [(id(left), rows), (id(right), columns)]
        give_back(*(held.pop(key).rows for key in {*held} - {*sides}))
        for (_, blocks), clips in zip(sides, (left, right), strict=True):
            if (id(clips), blocks) not in held:
                held[id(clips), blocks] = Panel.packed(clips, rule, blocks, crew)
        some = tiles(rule, rows, columns, symmetric)
        match(*(held[key] for key in sides), rule, some, symmetric, out, crew, count)
    give_back(*(panel.rows for panel in held.values()))


def panels(
    n_left: int, n_right: int, rule: Rule, symmetric: bool, max_memory: int, n_jobs: int
) -> list[tuple[range, range]]:
    """Return the pairs of panels, as ranges of blocks, whose frames fit in memory together."""
    room = room_for(rule, max_memory, n_jobs)
    if n_left + (0 if symmetric else n_right) <= room:
        return [(range(n_left), range(n_right))]
    group = rule.blocks(GROUP)
    size = max(group, room // 2 // group * group)
    cut = lambda n: [range(i, min(n, i + size)) for i in range(0, n, size)]  # noqa: E731
    return [
        (rows, columns)
        for rows in cut(n_left)
        for columns in cut(n_right)
        if not symmetric or columns.start >= rows.start
    ]


def room_for(rule: Rule, max_memory: int, n_jobs: int) -> int:
    """Return how many blocks of frames fit in memory; raise UserError if not two groups do."""
    height, width = map(rule.blocks, TILE)
    block = rule.dtype.itemsize * (rule.n_features + 3) * LANES * rule.n_frames
    tile = height * width * (rule.dtype.itemsize * rule.longest**2 + 8)
    costs = 2 * (rule.longest + 1) * np.dtype(rule.work_dtype).itemsize
    scratch = n_jobs * LANES**2 * (tile + costs)
    room = (max_memory - scratch) // block
    if room < 2 * rule.blocks(GROUP):
        needed = -(-(scratch + 2 * rule.blocks(GROUP) * block) // 2**20)
        raise UserError(
            f"max_memory of {max_memory / 2**20:.0f} MiB is too little for clips of "
            f"{rule.n_frames} frames with {rule.n_features} features; {needed} MiB suffice"
        )
    return room


def n_in(tile: Tile, shape: tuple[int, int], symmetric: bool) -> int:
    """Return how many pairs of clips a tile holds."""
    n_rows = min(tile.bottom * LANES, shape[0]) - tile.top * LANES
    n_columns = min(tile.stop * LANES, shape[1]) - tile.start * LANES
    on_diagonal = symmetric and tile.top == tile.start
    return n_rows * (n_rows - 1) // 2 if on_diagonal else n_rows * n_columns


def warm_up(clips: Clips, rule: Rule, crew: Crew) -> None:
    """Compile the kernels, or load them, on the first block; say so if it takes a while."""
    kind = (clips.x.dtype, clips.x.flags.writeable, clips.x.flags.c_contiguous, rule.dtype, rule.work_dtype)
    if kind in _WARM:
        return
    with note_if_slow(COMPILING):
        panel = Panel.packed(clips, rule, range(1), crew)
        panel = panel._replace(ids=np.arange(len(panel.ids)))
        out = np.empty((LANES, LANES), rule.dtype)
        match(panel, panel, rule, [Tile(0, 1, 0, 1)], True, out, crew)
    _WARM.add(kind)


_WARM: set[tuple] = set()
