"""Windowed DTW where not all pairs are wanted: the k nearest of each clip, and these among themselves.

Clips that are alike are put together in blocks, and blocks of pairs are computed whole, as products
of matrices. Which blocks, a lower bound decides: the same distance, between frames projected into a
few dimensions.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import reverse_cuthill_mckee

from analysis_lib.errors import UserError
from analysis_lib.progress import progress_bar
from analysis_lib.warping.bounds import computed, insert, lower_bounds
from analysis_lib.warping.kernels import LANES
from analysis_lib.warping.options import Warping, prepared
from analysis_lib.warping.tiles import GIB, Crew

PART, BATCH = 0.25, 4  # of the promising blocks computed next, unless they are few a row


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest clips of each clip.

    Attributes
    ----------
    indices : int64 ndarray, shape (n, k)
        Nearest first; of equal distances the lower index.
    distances : ndarray, shape (n, k)
    n_computed : int
        Pairs of clips whose distance was computed.
    n_pairs : int
        All pairs, n (n - 1) / 2.
    """

    indices: np.ndarray
    distances: np.ndarray
    n_computed: int
    n_pairs: int


def windowed_dtw_knn(
    x: np.ndarray,
    k: int,
    lengths: np.ndarray | None = None,
    how: Warping = Warping(),
    *,
    progress: bool = False,
    n_jobs: int | None = None,
    max_memory: int = GIB,
) -> Neighbours:
    r"""Return the k nearest clips of each clip, exactly, without all distances.

    With frames :math:`a' = (P^\top a, \|a_\perp\|)` of a few dimensions, every local distance is at
    most the true one, and so is the least mean along any path:

    .. math:: \min_p \frac1{|p|} \sum_{p} d'_{ab} \;\le\; \mathrm{DTW}(s_i, s_j)

    A pair whose bound exceeds the k-th distance found so far, at both ends, is never computed.

    Parameters
    ----------
    x : float ndarray or memmap, shape (n, T, D)
    k : int
        1..n - 1.
    lengths, how, progress, n_jobs
        As in `analysis_lib.warping.distances.windowed_dtw`.
    max_memory : int
        Bytes of working memory above the clips, besides one bound for each clip and each block
        of eight clips (:math:`n^2 / 2` bytes).

    Returns
    -------
    Neighbours

    Raises
    ------
    UserError, DataError
        As in `windowed_dtw`, or if there are not k other clips.

    References
    ----------
    Least mean along a path: Dinkelbach (1967), On nonlinear fractional programming.

    Examples
    --------
    >>> clips = np.array([0.0, 0.1, 1.0])[:, None, None] * [[[1.0, 0.0]]] + [0.0, 1.0]
    >>> found = windowed_dtw_knn(clips, 1, how=Warping(n_windows=1))
    >>> found.indices.tolist()
    [[1], [0], [1]]
    """
    (clips,), rule = prepared(how, embeddings=(x, lengths))
    n = len(clips.x)
    if not 1 <= k < n:
        raise UserError(f"the number of neighbours must lie in 1..{n - 1} for {n} clips, got {k}")
    distances, indices = np.full((n, k), np.inf, rule.dtype), np.full((n, k), -1)
    with Crew(n_jobs) as crew:
        clips, bounds = lower_bounds(clips, rule, max_memory, crew)
        done = np.zeros(bounds.shape[1:] * 2, bool)
        wanted = _least(_of_blocks(bounds), -(-k // (LANES - 1)) + 1)
        n_computed = 0
        with progress_bar(None, "nearest", progress, done.size, "block") as bar:
            while wanted.any():
                for part in computed(clips, rule, wanted, max_memory, crew):
                    n_computed += insert(*part, clips.order, distances, indices)
                    for top, bottom, start, stop in part[0]:
                        done[top:bottom, start:stop] = True
                        done[start:stop, top:bottom] = True
                bar.update(int(done.sum()) - bar.n)
                wanted = _promising(bounds, distances[clips.order, -1], done)
    return Neighbours(indices, distances, n_computed, n * (n - 1) // 2)


def windowed_dtw_among(
    x: np.ndarray,
    candidates: np.ndarray,
    lengths: np.ndarray | None = None,
    how: Warping = Warping(),
    *,
    n_jobs: int | None = None,
    max_memory: int = GIB,
) -> sparse.csr_array:
    """Return the windowed DTW distances of each clip to its candidates, and of these to each other.

    That is all that NNK reads. Clips that are often asked for together are put into one block
    (reverse Cuthill-McKee order), so that these pairs cost little more than themselves.

    Parameters
    ----------
    x : float ndarray or memmap, shape (n, T, D)
    candidates : int ndarray, shape (n, k)
        As `Neighbours.indices`.
    lengths, how, n_jobs, max_memory
        As in `analysis_lib.warping.distances.windowed_dtw`.

    Returns
    -------
    csr_array, shape (n, n)
        Symmetric, without a diagonal; a distance of 0 is stored, what is not stored is not known.

    Examples
    --------
    >>> windowed_dtw_among(np.eye(3)[:, None], np.array([[1], [0], [0]]), how=Warping(n_windows=1)).toarray().tolist()
    [[0.0, 1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    """
    (clips,), rule = prepared(how, embeddings=(x, lengths))
    n, k = candidates.shape
    members = np.concatenate([np.arange(n)[:, None], candidates], axis=1)
    ones = np.ones(members.size, np.float32)
    sets = sparse.csr_array((ones, members.ravel(), np.arange(0, n * (k + 1) + 1, k + 1)), shape=(n, n))
    together = sets.T @ sets
    clips = replace(clips, order=reverse_cuthill_mckee(sparse.csr_matrix(together), symmetric_mode=True))
    upper = sparse.triu(together[clips.order][:, clips.order], 1, format="csr")  # in that order
    upper.sort_indices()
    (first, second), found = upper.nonzero(), np.full(upper.nnz, np.nan, rule.dtype)
    wanted = np.zeros((clips.n_blocks,) * 2, bool)
    wanted[first // LANES, second // LANES] = True
    with Crew(n_jobs) as crew:
        for _, block, top, left in computed(clips, rule, wanted, max_memory, crew):
            some = np.arange(*upper.indptr[[top, min(top + len(block), n)]])
            some = some[(second[some] >= left) & (second[some] < left + block.shape[1])]
            found[some] = block[first[some] - top, second[some] - left]
    rows, columns = (np.concatenate([clips.order[a], clips.order[b]]) for a, b in ((first, second), (second, first)))
    return sparse.csr_array((np.tile(found, 2), (rows, columns)), shape=(n, n))


def _of_blocks(bounds: np.ndarray) -> np.ndarray:
    """Return the least bound of each pair of blocks."""
    return bounds.reshape(-1, LANES, bounds.shape[1]).min(axis=1)


def _least(bounds: np.ndarray, count: int) -> np.ndarray:
    """Return which pairs of blocks are among the ``count`` least of one of them, or its own."""
    bounds = bounds.copy()
    np.fill_diagonal(bounds, -np.inf)
    chosen = np.zeros(bounds.shape, bool)
    count = min(count, len(bounds))
    np.put_along_axis(chosen, np.argpartition(bounds, count - 1)[:, :count], True, axis=1)
    return chosen | chosen.T


def _promising(bounds: np.ndarray, farthest: np.ndarray, done: np.ndarray) -> np.ndarray:
    """Return the better part of the pairs of blocks that may hold a nearer clip than is known.

    ``farthest`` is the distance of the k-th clip known at each place.
    """
    n_blocks = len(done)
    farthest = np.pad(farthest, (0, n_blocks * LANES - len(farthest)), constant_values=-np.inf)
    of_block = farthest.reshape(n_blocks, LANES).max(axis=1)
    may = np.empty_like(done)
    for i in range(n_blocks):
        place = slice(i * LANES, (i + 1) * LANES)
        reach = np.maximum(farthest[place, None], of_block)
        may[i] = (bounds[place] <= reach).any(axis=0)
    may &= may.T & ~done
    if may.sum() > BATCH * n_blocks:
        least = _of_blocks(bounds)
        may &= least <= np.quantile(least[may], PART)
        may |= may.T
    return may
