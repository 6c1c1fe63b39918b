"""Running windowed DTW on this machine: panels that fit in memory, tiles on all cores."""

import numpy as np
from tqdm.auto import tqdm

from analysis_lib.errors import UserError
from analysis_lib.progress import note_if_slow
from analysis_lib.warping.kernels import LANES
from analysis_lib.warping.tiles import GROUP, TILE, Clips, Crew, Panel, Rule, Tile, give_back, match, tiles

COMPILING = "compiling the warping kernels, once on this machine (about half a minute)"


def distances(left: Clips, right: Clips | None, rule: Rule, max_memory: int, n_jobs: int, progress: bool) -> np.ndarray:
    """Return the distances of all pairs of ``left``, or of each of it to each of ``right``.

    What is held besides the clips and the result takes at most ``max_memory`` bytes.
    """
    symmetric, right = right is None, left if right is None else right
    shape = len(left.order), len(right.order)
    out = np.zeros(shape, rule.dtype)
    n_pairs = shape[0] * (shape[0] - 1) // 2 if symmetric else out.size
    parcels = panels(left.n_blocks, right.n_blocks, rule, symmetric, max_memory, n_jobs)
    bar = tqdm(total=n_pairs, desc="DTW", unit="pair", unit_scale=True, disable=not progress, leave=False)
    with bar, Crew(n_jobs) as crew:
        warm_up(left, rule, crew)
        warm_up(right, rule, crew)
        held = {}
        for rows, columns in parcels:
            sides = [("left", rows), ("left" if symmetric else "right", columns)]
            give_back(*(held.pop(key).rows for key in {*held} - {*sides}))
            for key in sides:
                if key not in held:
                    clips = left if key[0] == "left" else right
                    held[key] = Panel.packed(clips, rule, key[1], crew)
            match(
                held[sides[0]],
                held[sides[1]],
                rule,
                tiles(rule, rows, columns, symmetric),
                symmetric,
                out,
                crew,
                lambda tile: bar.update(n_in(tile, shape, symmetric)),
            )
        give_back(*(panel.rows for panel in held.values()))
    return out


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
