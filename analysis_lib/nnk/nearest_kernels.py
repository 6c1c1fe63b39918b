"""Compiled loops over a whole similarity matrix: its check, and the nearest nodes of each node."""

import numba
import numpy as np

SOUND = 1e-5  # similarities may differ by it from their mirror image, and from 1 on the diagonal
TILE = 64  # rows and columns compared with their mirror image at a time

compiled = numba.njit(nogil=True, cache=True)


@compiled
def insert_nearest(start, stop, kernel, found):
    """Insert each node into a short sorted list; only a larger similarity moves ahead."""
    k = found.shape[1]
    best = np.empty(k)
    for i in range(start, stop):
        held = 0
        for j in range(len(kernel)):
            value = kernel[i, j]
            if j == i or (held == k and value <= best[k - 1]):
                continue
            place = min(held, k - 1)
            while place > 0 and best[place - 1] < value:
                best[place], found[i, place] = best[place - 1], found[i, place - 1]
                place -= 1
            best[place], found[i, place] = value, j
            held = min(held + 1, k)


@compiled
def first_unsound(start, stop, kernel):
    """Return the first pair, of a row in start..stop and a node up to it, that is no similarity."""
    for top in range(start, stop, TILE):
        for left in range(0, min(top + TILE, stop), TILE):
            for i in range(top, min(top + TILE, stop)):
                for j in range(left, min(left + TILE, i + 1)):
                    mirrored = kernel[j, i] if j < i else 1.0
                    if not abs(kernel[i, j] - mirrored) <= SOUND:
                        return i, j
    return -1, -1
