"""Compiled loops of windowed DTW: packing of frames, and matching of clips tile by tile.

Clips come in blocks of a few lanes, and the frames of a block are stored (frame, lane): the
recurrence runs over a block against a block, a pair in each vector lane.

Costs are whole multiples of a small quantum, and the length of a path is kept in the low bits of
the same integer. One comparison is then the comparison of (cost, length), exactly: of equally cheap
paths the shortest is taken, on every machine.
"""

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from analysis_lib.compiled import compiled

LANES = 8  # clips of a block
PAIRS = LANES**2  # of a block with a block


@compiled()
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


@compiled(fastmath={"reassoc", "contract"})
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


@intrinsic
def _relax(_, products, corner, stride, row_shifts, row, column_shifts, column, top, bits, extra, work, above, here):
    """Accumulate the costs of a frame of a block and a frame of another: all pairs, in vectors.

    That is, for each clip a of the one and all clips of the other, in whole numbers,
    ``work[here + PAIRS] = min(work[above], work[above + PAIRS], work[here]) + local``, where
    ``local = (round(distance) << bits) + extra``, and the distance is cut to 0..top. Written out in
    vectors of `LANES`, as the compiler does not find them in loops as short as these.
    """

    def generate(context, builder, signature, arguments):
        given = dict(zip(_RELAX, arguments, strict=True))
        kinds = dict(zip(_RELAX, signature.args, strict=True))
        index = ir.IntType(64)
        real, whole = (ir.VectorType(context.get_value_type(kinds[name].dtype), LANES) for name in ("products", "work"))

        def pointer(name, offset, vector):
            first = context.make_array(kinds[name])(context, builder, given[name]).data
            return builder.bitcast(builder.gep(first, [offset]), vector.as_pointer())

        def load(name, start, step=0, vector=whole):
            at = pointer(name, builder.add(start, index(step)), vector)
            return builder.load(at, align=kinds[name].dtype.bitwidth // 8)

        def all_lanes(vector, value):
            one = builder.insert_element(vector(ir.Undefined), value, index(0))
            zeros = ir.VectorType(ir.IntType(32), LANES)([0] * LANES)
            return builder.shuffle_vector(one, vector(ir.Undefined), zeros)

        def lesser(a, b, compare):
            return builder.select(compare("<", a, b), a, b)

        zero, half = real([0.0] * LANES), real([0.5] * LANES)
        top, shifts = all_lanes(real, given["top"]), load("column_shifts", given["column"], 0, real)
        bits = all_lanes(whole, context.cast(builder, given["bits"], types.intp, kinds["work"].dtype))
        for a in range(LANES):
            at = builder.add(given["corner"], builder.mul(given["stride"], index(a)))
            place = builder.add(given["row"], index(a))
            shift = builder.load(pointer("row_shifts", place, real.element))
            distance = builder.fsub(builder.fadd(all_lanes(real, shift), shifts), load("products", at, 0, real))
            distance = builder.select(builder.fcmp_ordered(">", distance, zero), distance, zero)
            distance = lesser(distance, top, builder.fcmp_ordered)
            local = builder.fptosi(builder.fadd(distance, half), whole)
            local = builder.add(builder.shl(local, bits), load("extra", index(a * LANES)))
            diagonal = load("work", given["above"], a * LANES)
            cost = lesser(diagonal, load("work", given["above"], PAIRS + a * LANES), builder.icmp_signed)
            cost = lesser(cost, load("work", given["here"], a * LANES), builder.icmp_signed)
            place = builder.add(given["here"], index(PAIRS + a * LANES))
            builder.store(
                builder.add(cost, local), pointer("work", place, whole), align=kinds["work"].dtype.bitwidth // 8
            )
        return context.get_dummy_value()

    size = types.intp
    return types.none(
        products, size, size, row_shifts, size, column_shifts, size, products.dtype, size, extra, work, size, size
    ), generate


_RELAX = (
    "products",
    "corner",
    "stride",
    "row_shifts",
    "row",
    "column_shifts",
    "column",
    "top",
    "bits",
    "extra",
    "work",
    "above",
    "here",
)


@compiled()
def _warp(
    products,
    corner,
    stride,
    row_shifts,
    row,
    height,
    column_shifts,
    column,
    width,
    row_counts,
    column_counts,
    top,
    bits,
    band,
    extra,
    work,
    ends,
):
    """Leave in ``ends`` the accumulated cost of each clip of a block with each of another.

    The blocks have ``height`` and ``width`` frames, their shifts begin at ``row`` and ``column``,
    and their products, in a matrix whose rows are ``stride`` apart, at ``corner``. ``extra`` is
    added to each step of a pair.
    """
    far, side = np.iinfo(work.dtype).max, len(work) // 2
    above, here = 0, side  # costs of a row of frames, behind a column that no path comes from
    work[: (width + 1) * PAIRS] = far
    work[:PAIRS] = 0
    work[side : side + PAIRS] = far
    for t in range(height):
        for u in range(width):
            _relax(
                products,
                corner + t * LANES * stride + u * LANES,
                stride,
                row_shifts,
                row + t * LANES,
                column_shifts,
                column + u * LANES,
                top,
                bits,
                extra,
                work,
                above + u * PAIRS,
                here + u * PAIRS,
            )
            if 0 <= band < abs(t - u):  # a step there costs more than any path inside the band
                outside = (work.dtype.type(top) + 1 << bits) * (height + width)
                for a in range(len(row_counts)):
                    for b in range(len(column_counts)):
                        if abs(t - u) > abs(row_counts[a] - column_counts[b]):
                            pair = a * LANES + b
                            before = min(
                                work[above + u * PAIRS + pair],
                                work[above + (u + 1) * PAIRS + pair],
                                work[here + u * PAIRS + pair],
                            )
                            work[here + (u + 1) * PAIRS + pair] = before + outside
        for a in range(len(row_counts)):
            if row_counts[a] == t + 1:
                for b in range(len(column_counts)):
                    pair = a * LANES + b
                    ends[pair] = work[here + column_counts[b] * PAIRS + pair]
        work[:PAIRS] = far
        above, here = here, above


@compiled()
def _match(
    products,
    rows,
    row_shifts,
    row_counts,
    columns,
    column_shifts,
    column_counts,
    skip,
    top,
    bits,
    band,
    unit,
    mode,
    rounds,
    weight,
    work,
    total,
):
    """Add the weighted cost of one window of each clip against each, to ``total``.

    ``rows`` and ``columns`` say where each block begins, and the counts how many frames each clip
    has. Pairs of a block of rows with a block of columns more than ``skip`` before it are left out
    (below a diagonal). With ``rounds``, the cost is a lower bound of the mean along any path (see
    `_least_mean`).
    """
    stride, mask = columns[-1] - columns[0], (1 << bits) - 1
    extra, ends = np.zeros(PAIRS, work.dtype), np.empty(PAIRS, work.dtype)
    for block in range(len(rows) - 1):
        tall = row_counts[block * LANES : (block + 1) * LANES]
        for other in range(max(0, block - skip), len(columns) - 1):
            wide = column_counts[other * LANES : (other + 1) * LANES]
            height, width = rows[block + 1] - rows[block], columns[other + 1] - columns[other]
            sums = total[block * LANES :, other * LANES :]
            if height and width:
                corner = (rows[block] - rows[0]) * stride + columns[other] - columns[0]
                blocks = (
                    products,
                    corner,
                    stride,
                    row_shifts,
                    rows[block],
                    height // LANES,
                    column_shifts,
                    columns[other],
                    width // LANES,
                    tall,
                    wide,
                    top,
                    bits,
                    band,
                    extra,
                    work,
                    ends,
                )
                extra[:] = 1 if bits else 0
                _warp(*blocks)
                if rounds:
                    _least_mean(blocks, rounds, unit, weight, sums)
                    continue
            for a in range(len(tall)):
                for b in range(len(wide)):
                    steps = tall[a] + wide[b]
                    value = np.float64(steps)  # one or both empty
                    if tall[a] and wide[b]:
                        end = ends[a * LANES + b]
                        value = (end >> bits) * unit
                        if mode == 1:
                            steps = end & mask
                    if mode and steps:
                        value /= steps
                    sums[a, b] += weight * value


@compiled()
def _least_mean(blocks, rounds, unit, weight, total):
    r"""Add a lower bound of the mean cost along any path, from that of the cheapest path on.

    With :math:`s = \min_p \sum_p (d - \lambda)`, no path has a mean below
    :math:`\lambda + \min(s, 0) / \max(n_a, n_b)`; the next :math:`\lambda` is the mean of the
    path found (Dinkelbach).
    """
    _, _, _, _, _, _, _, _, _, tall, wide, _, bits, _, extra, _, ends = blocks
    means, bounds = np.zeros(PAIRS, np.int64), np.zeros(PAIRS)
    for turn in range(rounds + 1):
        for a in range(len(tall)):
            for b in range(len(wide)):
                if tall[a] and wide[b]:
                    pair = a * LANES + b
                    end = np.int64(ends[pair])
                    left, steps = end >> bits, end & ((1 << bits) - 1)
                    if turn:
                        least = means[pair] + min(left, 0) / max(tall[a], wide[b])
                        bounds[pair] = max(bounds[pair], least)
                    means[pair] += left // steps
        if turn < rounds:
            for pair in range(PAIRS):
                extra[pair] = 1 - (means[pair] << bits)
            _warp(*blocks)
    for a in range(len(tall)):
        for b in range(len(wide)):
            empty = 1.0 if tall[a] or wide[b] else 0.0  # 1: nothing there
            bound = bounds[a * LANES + b] * unit if tall[a] and wide[b] else empty
            total[a, b] += weight * bound


@compiled()
def match_tile(
    tile,
    symmetric,
    left,
    left_shifts,
    left_starts,
    left_counts,
    left_ids,
    left_first,
    right,
    right_shifts,
    right_starts,
    right_counts,
    right_ids,
    right_first,
    alpha,
    top,
    bits,
    band,
    unit,
    mode,
    ceiling,
    rounds,
    products,
    work,
    total,
    out,
):
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
        if n_rows and n_columns:
            np.dot(
                left[rows[0] : rows[-1]],
                right[columns[0] : columns[-1]].T,
                products[: n_rows * n_columns].reshape(n_rows, n_columns),
            )
        _match(
            products,
            rows,
            left_shifts,
            left_counts[w, a0:a1],
            columns,
            right_shifts,
            right_counts[w, b0:b1],
            skip,
            top,
            bits,
            band,
            unit,
            mode,
            rounds,
            alpha[w],
            work,
            total,
        )
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
