"""Blocks of pairs of clips: a lower bound for each, and the distances of those that are wanted."""

from collections.abc import Iterator
from dataclasses import replace

import numba
import numpy as np

from analysis_lib.warping.kernels import LANES
from analysis_lib.warping.local import room_for, warm_up
from analysis_lib.warping.subspace import projected, similar_together
from analysis_lib.warping.tiles import DIAGONAL, GROUP, TILE, Clips, Crew, Panel, Rule, Tile, match, tiles

ROUNDS = 2  # of the lower bound: each costs another pass over the projected frames
SLACK = 16  # quanta by which rounding may lift a bound above its distance
SHARE = 16  # one dimension of the subspace for so many features, and at least
LEAST = 16  # these
STRIP = 32  # blocks of rows whose distances are held at a time


def lower_bounds(clips: Clips, rule: Rule, max_memory: int, crew: Crew) -> tuple[Clips, np.ndarray]:
    """Return clips in an order that puts like together, and bounds (place, block) of distances.

    A bound is of the least distance of the clip at a place to those of a block.
    """
    n, n_blocks = len(clips.x), clips.n_blocks
    bounds = np.zeros((n_blocks * LANES, n_blocks), np.float32)
    lengths = (clips.first + clips.counts).max(axis=1)
    centre = rule.origin if rule.metric == "sqeuclidean" else None
    n_dims = min(max(LEAST, rule.n_features // SHARE), max_memory // (16 * n * clips.x.shape[1]) - 1)
    y = projected(clips.x, lengths, min(n_dims, rule.n_features - 1), centre)
    frames = np.arange(y.shape[1])
    means = []
    for first, count in zip(clips.first.T, clips.counts.T, strict=True):
        inside = (frames >= first[:, None]) & (frames < (first + count)[:, None])
        means.append(np.einsum("nt,ntd->nd", inside.astype("f"), y) / np.maximum(count, 1)[:, None])
    order = similar_together(np.concatenate(means, axis=1), LANES)
    clips = replace(clips, order=order)
    if 2 * n_dims > rule.n_features:  # a bound would cost as much as the distance
        return clips, bounds
    rule = replace(
        rule, dtype=np.dtype(np.float32), n_features=y.shape[2], origin=np.zeros(0 if centre is None else y.shape[2])
    )
    small = Clips(clips.name, y, clips.first, clips.counts, order)
    warm_up(small, rule, crew)
    panel = Panel.packed(small, rule, range(n_blocks), crew)._replace(ids=np.arange(n))
    for top in range(0, n_blocks, rule.blocks(GROUP)):
        rows = range(top, min(top + rule.blocks(GROUP), n_blocks))
        least = np.full((len(rows) * LANES, n_blocks * LANES), np.inf, np.float32)
        part = panel._replace(ids=panel.ids - top * LANES)
        match(
            part,
            panel,
            rule,
            tiles(rule, rows, range(top, n_blocks), False),
            False,
            least,
            crew,
            rounds=ROUNDS if rule.normalise == "path" else 0,
        )
        place = slice(top * LANES, (top + len(rows)) * LANES)
        least = least.reshape(len(rows), LANES, n_blocks, LANES)[:, :, top:]
        bounds[place, top:] = least.min(axis=3).reshape(-1, n_blocks - top)
        bounds[top * LANES :, top : top + len(rows)] = least.min(axis=1).reshape(len(rows), -1).T
    return clips, bounds - SLACK * rule.unit


def computed(
    clips: Clips, rule: Rule, wanted: np.ndarray, max_memory: int, crew: Crew
) -> Iterator[tuple[np.ndarray, np.ndarray, int, int]]:
    """Yield (tiles, distances, first place of the rows, of the columns) until all wanted are done.

    ``wanted`` is a bool matrix of blocks, of which the upper triangle is read. Distances are valid
    in the tiles only.
    """
    warm_up(clips, rule, crew)
    room = room_for(rule, max_memory, crew.size) // 2
    if clips.n_blocks <= 2 * room:
        room = clips.n_blocks
    cut = [range(i, min(clips.n_blocks, i + room)) for i in range(0, clips.n_blocks, room)]
    for rows in cut:
        left = None
        for columns in (c for c in cut if c.start >= rows.start):
            if not wanted[rows.start : rows.stop, columns.start : columns.stop].any():
                continue
            left = left or Panel.packed(clips, rule, rows, crew)
            right = left if columns is rows else Panel.packed(clips, rule, columns, crew)
            for top in range(rows.start, rows.stop, STRIP):
                some = _runs(rule, wanted, range(top, min(top + STRIP, rows.stop)), columns)
                if not some:
                    continue
                shape = STRIP * LANES, len(columns) * LANES
                found = np.empty(shape, rule.dtype)
                strip = left._replace(ids=np.arange(len(left.ids)) + (rows.start - top) * LANES)
                panel = right._replace(ids=np.arange(len(right.ids)))
                match(strip, panel, rule, some, False, found, crew)
                yield np.array(some), found, top * LANES, columns.start * LANES


def _runs(rule: Rule, wanted: np.ndarray, rows: range, columns: range) -> list[Tile]:
    """Return tiles of a few rows of blocks by the blocks side by side that some of them want.

    A few, as the product of a short matrix is slow.
    """
    found, height, width = [], rule.blocks(DIAGONAL), rule.blocks(TILE[0])
    for top in range(rows.start, rows.stop, height):
        bottom, start = min(top + height, rows.stop), max(top, columns.start)
        some = wanted[top:bottom, start : columns.stop].any(axis=0)
        steps = np.diff(some.astype(np.int8), prepend=0, append=0)
        for a, b in zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True):
            found += [Tile(top, bottom, start + c, start + min(c + width, b)) for c in range(a, b, width)]
    return found


@numba.njit(nogil=True, cache=True)
def insert(tiles, block, top, left, order, distances, indices):
    """Insert the distances of some tiles into the sorted lists of both clips; return how many."""
    n, count = len(order), 0
    for rows, below, columns, right in tiles:
        for a in range(rows * LANES, min(below * LANES, n)):
            for b in range(max(columns * LANES, a + 1), min(right * LANES, n)):
                value = block[a - top, b - left]
                count += 1
                for one, other in ((order[a], order[b]), (order[b], order[a])):
                    row, who = distances[one], indices[one]
                    if (value, other) < (row[-1], who[-1]) and not (who == other).any():
                        place = len(row) - 1
                        while place and (value, other) < (row[place - 1], who[place - 1]):
                            row[place], who[place] = row[place - 1], who[place - 1]
                            place -= 1
                        row[place], who[place] = value, other
    return count
