"""Compiled loops of windowed DTW: frame features of a window, and the recurrence over a tile.

Costs are whole multiples of a small quantum, and the length of a path is kept in the low bits of
the same integer. One comparison is then the comparison of (cost, length), exactly: of equally cheap
paths the shortest is taken, on every machine.
"""

import numba
import numpy as np


@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def pack(x, start, stop, origin, rows, shifts):
    """Write the features of the frames start..stop of each clip, and their shifts.

    ``shift + shift - row . row`` is the cosine distance of two frames or, given an ``origin``, half
    of their squared distance. A zero frame becomes a unit vector along an axis of its own.
    """
    n_features, r = x.shape[2], 0
    for s in range(len(x)):
        for t in range(start[s], stop[s]):
            total = 0.0
            rows[r, n_features] = 0
            if len(origin):
                for d in range(n_features):
                    rows[r, d] = x[s, t, d] - origin[d]
                    total += np.float64(rows[r, d]) ** 2
                shifts[r] = total / 2
            else:
                for d in range(n_features):
                    total += np.float64(x[s, t, d]) ** 2
                inverse = 1 / np.sqrt(total) if total > 0 else 0.0
                for d in range(n_features):
                    rows[r, d] = x[s, t, d] * inverse
                rows[r, n_features] = 0 if total > 0 else 1
                shifts[r] = 0.5
            r += 1


@numba.njit(nogil=True, cache=True)
def match(products, row_shifts, column_shifts, row_offsets, column_offsets, row0, column0, strict,
          band, scale, largest, unit, bits, mode, weight, out):  # fmt: skip
    """Add the weighted DTW cost of the pairs in a tile, or those above the diagonal, to ``out``."""
    far = np.int64(1) << 62
    column = np.empty(len(column_shifts) + 1, np.int64)
    for a in range(len(row_offsets) - 1):
        first, n_a = row_offsets[a], row_offsets[a + 1] - row_offsets[a]
        for b in range(len(column_offsets) - 1):
            if strict and column0 + b <= row0 + a:
                continue
            left, n_b = column_offsets[b], column_offsets[b + 1] - column_offsets[b]
            cost, steps = np.float64(n_a + n_b), n_a + n_b  # of two windows, one or both empty
            if n_a and n_b:
                radius = max(band, abs(n_a - n_b))
                column[:n_b] = far
                for i in range(n_a):
                    low, high = max(0, i - radius), min(n_b, i + radius + 1)
                    diagonal = column[low - 1] if low else (far if i else 0)
                    above = far
                    for j in range(low, high):
                        distance = (row_shifts[first + i] + column_shifts[left + j]
                                    - products[first + i, left + j]) * scale  # fmt: skip
                        units = np.int64(min(max(distance, 0.0), largest) + 0.5)
                        best = min(diagonal, above, column[j])
                        diagonal = column[j]
                        above = best + (units << bits) + 1
                        column[j] = above
                cost, steps = (above >> bits) * unit, above & ((1 << bits) - 1)
            if mode == 1 and steps:
                cost /= steps
            elif mode == 2 and steps:
                cost /= n_a + n_b
            out[row0 + a, column0 + b] += weight * cost
