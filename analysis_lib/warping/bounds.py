"""Blocks of pairs of clips: a lower bound for each, and the distances of those that are wanted.

The bound is the same distance between frames in a few dimensions, which are never farther apart than
the frames themselves.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from analysis_lib.compiled import compiled
from analysis_lib.warping.kernels import LANES
from analysis_lib.warping.local import room_for, warm_up
from analysis_lib.warping.tiles import DIAGONAL, GROUP, TILE, Clips, Crew, Panel, Rule, Tile, match, tiles

ROUNDS = 2  # of the lower bound: each costs another pass over the projected frames
SLACK = 16  # quanta by which rounding may lift a bound above its distance
SHARE = 16  # one dimension of the subspace for so many features, and at least
LEAST = 16  # these
SAMPLE = 768  # frames from which the subspace is found
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


@compiled()
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


def frame_subspace(frames: np.ndarray, n_dims: int) -> np.ndarray:
    """Return an orthonormal basis (D, n_dims) near the leading singular vectors of frames (f, D).

    From the Gram matrix of the frames, as they are fewer than their features.
    """
    leading = np.linalg.eigh(frames @ frames.T)[1][:, ::-1][:, :n_dims]
    return np.linalg.qr(frames.T @ leading)[0]


def projected(
    x: np.ndarray, lengths: np.ndarray, n_dims: int, origin: np.ndarray | None = None, seed: int = 0, chunk: int = 64
) -> np.ndarray:
    r"""Return the frames of clips in a subspace, with the length of what lies outside of it.

    .. math:: a \mapsto (P^\top a,\ \|a - P P^\top a\|), \qquad
              \|P^\top (a - b)\|^2 + (\|a_\perp\| - \|b_\perp\|)^2 \le \|a - b\|^2

    Parameters
    ----------
    x : float ndarray or memmap, shape (n, T, D)
    lengths : int ndarray, shape (n,)
        Valid frames; the others become 0.
    n_dims : int
        Dimensions of the subspace, fewer than D.
    origin : ndarray, shape (D,), optional
        Subtracted first. Without it frames are scaled to length 1, so that the cosine distance
        :math:`\|a - b\|^2 / 2` is bounded.
    seed : int
        Of the sample of frames whose leading directions span the subspace.
    chunk : int
        Clips at a time.

    Returns
    -------
    float32 ndarray, shape (n, T, n_dims + 1)

    Examples
    --------
    >>> x = np.random.default_rng(0).random((2, 3, 9))
    >>> y = projected(x, np.array([3, 3]), 4)
    >>> np.linalg.norm(y, axis=2).round(3).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    n, n_frames, _ = x.shape
    rng = np.random.default_rng(seed)
    clips = rng.integers(0, n, SAMPLE)
    drawn = np.stack([x[i, rng.integers(0, lengths[i])] for i in clips])
    basis = frame_subspace(_brought_in(drawn, origin), n_dims).astype(np.float32)
    found = np.zeros((n, n_frames, n_dims + 1), np.float32)
    for start in range(0, n, chunk):
        valid = np.arange(n_frames) < lengths[start : start + chunk, None]
        frames = _brought_in(x[start : start + chunk][valid], origin)
        inside = frames @ basis
        outside = np.square(frames).sum(axis=1) - np.square(inside).sum(axis=1)
        parts = [inside, np.sqrt(np.maximum(outside, 0))[:, None]]
        found[start : start + chunk][valid] = np.concatenate(parts, axis=1)
    return found


def _brought_in(frames: np.ndarray, origin: np.ndarray | None) -> np.ndarray:
    """Return frames relative to an origin, or scaled to length 1."""
    if origin is not None:
        return frames - origin
    norms = np.linalg.norm(frames, axis=1, keepdims=True)
    return np.divide(frames, norms, out=np.zeros_like(frames), where=norms > 0)


def similar_together(points: np.ndarray, leaf: int) -> np.ndarray:
    """Return an order of points, shape (n, d), in which runs of ``leaf`` are near each other.

    The points are halved along their widest direction, and each half again.
    """
    order, waiting = [], [np.arange(len(points))]
    while waiting:
        part = waiting.pop()
        if len(part) <= leaf:
            order.append(part)
            continue
        centred = points[part] - points[part].mean(axis=0)
        direction = centred[np.square(centred).sum(axis=1).argmax()].copy()
        for _ in range(5):  # power iteration
            direction = (centred @ direction) @ centred
            direction /= np.linalg.norm(direction) or 1.0
        part = part[np.argsort(centred @ direction, kind="stable")]
        half = -(-len(part) // (2 * leaf)) * leaf
        waiting += [part[half:], part[:half]]
    return np.concatenate(order)
