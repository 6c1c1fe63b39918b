"""The least time that windowed DTW can take on a machine: its products, and its recurrence.

Both rates are measured on all cores, by one thread a core: the product of two large float32 matrices, and a
bare recurrence on local distances that lie in the cache.
"""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numba
import numpy as np
from joblib import cpu_count
from threadpoolctl import ThreadpoolController

from analysis_lib.warping.tiles import aligned
from analysis_lib.warping.windows import window_bounds

LANES = 256  # pairs side by side in the bare recurrence: the fastest of 64, 128, 192 and 256


def least_work(n_clips: int, n_frames: int, n_features: int, n_windows: int) -> tuple[int, int]:
    r"""Return the operations and the cells that no exact method without bounds can avoid.

    .. math:: \binom{n}{2} \sum_w T_w^2 \cdot 2 D, \qquad \binom{n}{2} \sum_w T_w^2

    That is, multiplications and additions of the local distances of all pairs of n clips with D features, and
    cells of the recurrence, in windows of :math:`T_w` frames.

    Examples
    --------
    >>> least_work(n_clips=3, n_frames=4, n_features=10, n_windows=2)
    (480, 24)
    """
    cells = math.comb(n_clips, 2) * int((np.diff(window_bounds(n_frames, n_windows)) ** 2).sum())
    return 2 * n_features * cells, cells


def product_unit(size: int = 1024, repeats: int = 4) -> tuple[Callable[[], None], int]:
    """Return a call that multiplies square float32 matrices on all cores, and its operations."""
    threads = cpu_count()
    a, b = np.random.default_rng(0).random((2, threads, size, size), dtype=np.float32)
    out = np.empty_like(a)

    def multiply(thread: int) -> None:
        for _ in range(repeats):
            np.matmul(a[thread], b[thread].T, out=out[thread])

    return _on_all_cores(multiply), 2 * size**3 * repeats * threads


def recurrence_unit(n_frames: int = 13, repeats: int = 10_000) -> tuple[Callable[[], None], int]:
    """Return a call that runs the bare recurrence on all cores, `LANES` pairs at once, and its cells."""
    shape = cpu_count(), n_frames, n_frames, LANES
    distances = aligned(math.prod(shape), np.float32).reshape(shape)
    np.random.default_rng(0).random(out=distances, dtype=np.float32)
    rows = aligned(shape[0] * 2 * n_frames * LANES, np.float32).reshape(-1, 2, n_frames, LANES)
    call = _on_all_cores(lambda thread: recurrence(distances[thread], rows[thread], repeats))
    return call, distances.size * repeats


#: by what `least_work` counts: what measures how fast this machine does it
UNITS = {"operations": product_unit, "cells": recurrence_unit}


@numba.njit(nogil=True)
def recurrence(distances, rows, repeats):
    """Return which of two rows has the last costs: ``rows[which, T - 1]``, one a lane.

    ``distances`` is (T, T, `LANES`), and ``rows``, (2, T, `LANES`), is overwritten.
    """
    n_frames, left = distances.shape[0], np.empty(LANES, distances.dtype)
    for _ in range(repeats):
        for c in range(LANES):
            rows[0, 0, c] = distances[0, 0, c]
        for j in range(1, n_frames):
            for c in range(LANES):
                rows[0, j, c] = rows[0, j - 1, c] + distances[0, j, c]
        for i in range(1, n_frames):
            before, now = rows[(i - 1) % 2], rows[i % 2]
            for c in range(LANES):
                left[c] = before[0, c] + distances[i, 0, c]
                now[0, c] = left[c]
            for j in range(1, n_frames):
                diagonal, above = before[j - 1], before[j]
                local, here = distances[i, j], now[j]
                for c in range(LANES):
                    left[c] = min(min(diagonal[c], above[c]), left[c]) + local[c]
                    here[c] = left[c]
    return (n_frames - 1) % 2


def _on_all_cores(work: Callable[[int], None]) -> Callable[[], None]:
    """Return a call of ``work(thread)`` in one thread a core, each with a BLAS of one thread."""

    def call() -> None:
        with _controller().limit(limits=1, user_api="blas"), ThreadPoolExecutor(cpu_count()) as pool:
            list(pool.map(work, range(cpu_count())))

    return call


_controller = cache(ThreadpoolController)  # looking for the thread pools anew takes milliseconds
