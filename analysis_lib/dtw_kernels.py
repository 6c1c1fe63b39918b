"""Compiled loops of windowed DTW: packing of frames, and matching of clips tile by tile.

Clips come in blocks of a few lanes, and the frames of a block are stored (frame, lane): the
recurrence runs over one clip against a whole block, a pair in each vector lane. It is split into a
pass over what the row above knows and a pass along the row, so that both vectorise.

Costs are whole multiples of a small quantum, and the length of a path is kept in the low bits of
the same integer. One comparison is then the comparison of (cost, length), exactly: of equally cheap
paths the shortest is taken, on every machine.
"""

import numba
import numpy as np

LANES = 8  # clips of a block


@numba.njit(nogil=True, cache=True)
def any_zero_frame(x, lengths):
    """Return whether all features of some valid frame are zero."""
    for s in range(len(x)):
        for t in range(lengths[s]):
            d = 0
            while d < x.shape[2] and x[s, t, d] == 0:
                d += 1
            if d == x.shape[2]:
                return True
    return False


@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def pack(x, ids, first_frames, counts, starts, first, last, origin, gain, rows, shifts):
    """Write the frames of the blocks first..last as rows in the order (window, block, frame, lane).

    ``shift + shift - row . row`` is, in quanta, the cosine distance of two frames or, given an
    ``origin``, half of their squared distance. Where rows have an axis more than frames, a zero
    frame becomes a unit vector along it. Lanes without a frame are zero. Returns a clip that holds
    a NaN or an infinity, or -1.
    """
    n_features, centred = x.shape[2], len(origin) > 0
    for w in range(len(starts)):
        for block in range(first, last):
            for r in range(starts[w, block], starts[w, block + 1]):
                row = rows[r]
                t, lane = divmod(r - starts[w, block], LANES)
                place = block * LANES + lane
                if place >= len(ids) or t >= counts[w, place]:
                    row[:] = 0
                    shifts[r] = 0
                    continue
                frame = x[ids[place], first_frames[w, place] + t]
                total, factor = 0.0, gain
                if centred:
                    for d in range(n_features):
                        total += np.float64(frame[d] - origin[d]) ** 2
                else:
                    for d in range(n_features):
                        total += np.float64(frame[d]) ** 2
                    factor = gain / np.sqrt(total) if total > 0 else 0.0
                if not np.isfinite(total):
                    return ids[place]
                factor = shifts.dtype.type(factor)
                if centred:
                    for d in range(n_features):
                        row[d] = (frame[d] - origin[d]) * factor
                else:
                    for d in range(n_features):
                        row[d] = frame[d] * factor
                shifts[r] = (total if centred else 1.0) * gain * gain / 2
                for d in range(n_features, rows.shape[1]):
                    row[d] = 0 if total > 0 else gain
    return -1


@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def _warp(products, row, row_shift, row_shifts, column, width, column_shift, column_shifts, n_a,
          counts, place, top, bits, band, discounted, work):  # fmt: skip
    """Leave in ``work[0]`` the accumulated costs of all frames of a clip against those of a block.

    The clip's first frame is row ``row`` of the products, with the shift ``row_shift``; the block's
    first is column ``column``. Each step is cheaper by ``work[3]`` if ``discounted``.
    """
    cost, above, local = work[0], work[1], work[2]
    half, zero, kind = products.dtype.type(0.5), products.dtype.type(0), cost.dtype.type
    step, shifts = 1 if bits else 0, column_shifts[column_shift : column_shift + width]
    width = len(shifts) // LANES * LANES
    for t in range(n_a):
        shift = row_shifts[row_shift + t * LANES]
        product = products[row + t * LANES, column : column + width]
        for c in range(width):
            distance = shift + shifts[c] - product[c]
            local[c] = (kind(min(max(distance, zero), top) + half) << bits) + step
        if discounted:
            for c in range(width):
                local[c] -= work[3, c]
        if band >= 0:  # more than any path inside the band
            outside = (kind(top) + 1 << bits) * kind(n_a + width // LANES)
            for c in range(width):
                if abs(t - c // LANES) > max(band, abs(n_a - counts[place + c % LANES])):
                    local[c] = outside
        if t == 0:
            for c in range(LANES):
                cost[c] = local[c]
            for c in range(LANES, width):
                cost[c] = cost[c - LANES] + local[c]
            continue
        for c in range(LANES):
            above[c] = cost[c]
        for c in range(LANES, width):
            above[c] = min(cost[c], cost[c - LANES])
        for c in range(LANES):
            cost[c] = above[c] + local[c]
        for c in range(LANES, width):
            cost[c] = min(above[c], cost[c - LANES]) + local[c]


@numba.njit(nogil=True, cache=True)
def _match(products, rows, row_shifts, row_counts, row_place, n_rows, columns, column_shifts,
           column_counts, column_place, n_columns, skip, top, bits, band, unit, mode, rounds, weight,
           work, total):  # fmt: skip
    """Add the weighted cost of one window of each clip against each, to ``total``.

    ``rows`` and ``columns`` say where each block begins; the clips are ``n_rows`` from
    ``row_place`` on, and ``n_columns`` from ``column_place`` on. Pairs of a block of rows with a
    block of columns more than ``skip`` before it are left out (below a diagonal). With ``rounds``,
    the cost is a lower bound of the mean along any path (see `_least_mean`).
    """
    cost, mask = work[0], (1 << bits) - 1
    for a in range(n_rows):
        block, lane = a // LANES, a % LANES
        n_a, row = row_counts[row_place + a], rows[block] + lane
        for b in range(max(0, block - skip), len(columns) - 1):
            width, place = columns[b + 1] - columns[b], column_place + b * LANES
            n_lanes = min(LANES, n_columns - b * LANES)
            if n_a and width:
                clips = (products, row - rows[0], row, row_shifts, columns[b] - columns[0], width,
                         columns[b], column_shifts, n_a, column_counts, place, top, bits, band)  # fmt: skip
                _warp(*clips, False, work)
                if rounds:
                    _least_mean(clips, n_lanes, rounds, unit, weight, work, total[a, b * LANES :])
                    continue
            for c in range(n_lanes):
                n_b = column_counts[place + c]
                value, steps = np.float64(n_a + n_b), n_a + n_b  # one or both empty
                if n_a and n_b:
                    end = cost[(n_b - 1) * LANES + c]
                    value = (end >> bits) * unit
                    if mode == 1:
                        steps = end & mask
                if mode and steps:
                    value /= steps
                total[a, b * LANES + c] += weight * value


@numba.njit(nogil=True, cache=True)
def _least_mean(clips, n_lanes, rounds, unit, weight, work, total):
    r"""Add a lower bound of the mean cost along any path, from that of the cheapest path on.

    With :math:`s = \min_p \sum_p (d - \lambda)`, no path has a mean below
    :math:`\lambda + \min(s, 0) / \max(n_a, n_b)`; the next :math:`\lambda` is the mean of the
    path found (Dinkelbach).
    """
    _, _, _, _, _, width, _, _, n_a, counts, place, _, bits, _ = clips
    means = np.zeros(LANES, np.int64)
    bounds = np.zeros(LANES)
    for turn in range(rounds + 1):
        for c in range(n_lanes):
            n_b = counts[place + c]
            if n_b:
                end = np.int64(work[0, (n_b - 1) * LANES + c])
                left, steps = end >> bits, end & ((1 << bits) - 1)
                if turn:
                    bounds[c] = max(bounds[c], means[c] + min(left, 0) / max(n_a, n_b))
                means[c] += left // steps
        if turn < rounds:
            for c in range(width):
                work[3, c] = means[c % LANES] << bits
            _warp(*clips, True, work)
    for c in range(n_lanes):
        total[c] += weight * (bounds[c] * unit if counts[place + c] else 1.0)  # 1: nothing there


@numba.njit(nogil=True, cache=True)
def match_tile(tile, symmetric,
               left, left_shifts, left_starts, left_counts, left_ids, left_first,
               right, right_shifts, right_starts, right_counts, right_ids, right_first,
               alpha, top, bits, band, unit, mode, ceiling, rounds, products, work, total,
               out):  # fmt: skip
    """Write the distances of the clips of a tile, and of a symmetric case their mirror images.

    The tile is the blocks tile[0]..tile[1] against the blocks tile[2]..tile[3]; the left panel
    begins with block ``left_first``, the right one with ``right_first``. With ``rounds``, lower
    bounds of means along the path are written instead (see `_least_mean`).
    """
    skip = tile[2] - tile[0] if symmetric else len(left_ids)
    above, below = tile[0] - left_first, tile[1] - left_first
    start, stop = tile[2] - right_first, tile[3] - right_first
    a0, a1 = above * LANES, min(below * LANES, len(left_ids))
    b0, b1 = start * LANES, min(stop * LANES, len(right_ids))
    total[: a1 - a0, : b1 - b0] = 0
    for w in range(len(alpha)):
        if alpha[w] == 0:
            continue
        rows, columns = left_starts[w, above : below + 1], right_starts[w, start : stop + 1]
        n_rows, n_columns = rows[-1] - rows[0], columns[-1] - columns[0]
        product = products[: n_rows * n_columns].reshape(n_rows, n_columns)
        if n_rows and n_columns:
            np.dot(left[rows[0] : rows[-1]], right[columns[0] : columns[-1]].T, product)
        _match(product, rows, left_shifts, left_counts[w], a0, a1 - a0,
               columns, right_shifts, right_counts[w], b0, b1 - b0, skip,
               top, bits, band, unit, mode, rounds, alpha[w], work, total)  # fmt: skip
    for a in range(a0, a1):
        for b in range(a + 1 if skip == 0 else b0, b1):
            used = 0.0  # weight of the windows that are not empty in both
            for w in range(len(alpha)):
                if left_counts[w, a] or right_counts[w, b]:
                    used += alpha[w]
            value = min(total[a - a0, b - b0] / used, ceiling)
            out[left_ids[a], right_ids[b]] = value
            if symmetric:
                out[right_ids[b], left_ids[a]] = value
