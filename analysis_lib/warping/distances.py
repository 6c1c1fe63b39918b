"""Windowed dynamic time warping between clips, equation (3) of the STGCN-geometry paper.

Local distances are a matrix product of frame features, one tile at a time; the recurrence runs over
the tile while it is in the cache. Tiles go to threads, each with a single-threaded BLAS.
"""

import numpy as np

from analysis_lib.errors import UserError
from analysis_lib.progress import progress_bar
from analysis_lib.warping import local
from analysis_lib.warping.options import Warping, prepared
from analysis_lib.warping.tiles import GIB, Clips, Crew, Rule


def windowed_dtw(
    x: np.ndarray,
    lengths: np.ndarray | None = None,
    how: Warping = Warping(),
    *,
    progress: bool = False,
    n_jobs: int | None = None,
    max_memory: int = GIB,
    device: str = "cpu",
    scheduler=None,
) -> np.ndarray:
    r"""Return the windowed DTW distance of all pairs of clips (windows are temporal segments).

    .. math:: \mathrm{wDTW}(s_i, s_j) = \sum_w \alpha_w\, \mathrm{DTW}(s_i^w, s_j^w), \qquad
              D_{ab} = d_{ab} + \min(D_{a-1,b-1}, D_{a-1,b}, D_{a,b-1})

    A window that is empty in both clips is left out, and the remaining weights of that pair
    rescaled to sum 1. One that is empty in one clip puts each frame of the other at distance 1.

    Parameters
    ----------
    x : float ndarray or memmap, shape (n, T, D)
        Frame features, read panel by panel.
    lengths : int ndarray, shape (n,), optional
        Valid frames of each clip, 1..T; all T by default.
    how : Warping
    progress : bool
        Show a bar.
    n_jobs : int, optional
        Threads; all cores by default, or where it is -1.
    max_memory : int
        Bytes of working memory, above the clips and the result; those on ``device``, if any.
    device : str
        ``"cpu"`` for the compiled kernels, or a CUDA device (``"cuda"``, ``"cuda:1"``) for the same
        distances, to rounding, by PyTorch. Give it most of its memory as ``max_memory``.
    scheduler : str or distributed.Client, optional
        Compute on several machines: the address of a Dask scheduler (``"tcp://host:8786"``), a
        client of one, or ``"local"`` for a cluster of ``n_jobs`` processes here. The distances are
        those of this process bit for bit if processors, BLAS kernels and
        versions are the same; where they are not, a warning or an error says so.

    Returns
    -------
    ndarray, shape (n, n)
        Symmetric, zero diagonal; in [0, 1] for the cosine with ``"path"`` or ``"sum"``.

    Raises
    ------
    UserError, DataError
        If a shape or length is wrong, or a valid frame holds a NaN or an infinity; or for
        ``"sqeuclidean"`` where exactly one of two windows is empty, as it has no largest value; or
        if there is no such device; or if no scheduler answers, or it stays without workers.

    References
    ----------
    Das, Shekkizhar & Ortega (2023), equations (2) and (3). Alignment: Sakoe & Chiba (1978).

    Examples
    --------
    >>> east, north = [1.0, 0.0], [0.0, 1.0]
    >>> clips = np.array([[east, east, north], [east, north, north], [east, east, east]])
    >>> windowed_dtw(clips, how=Warping(n_windows=1, dtype="float64")).round(3).tolist()
    [[0.0, 0.0, 0.333], [0.0, 0.0, 0.667], [0.333, 0.667, 0.0]]
    """
    (clips,), rule = prepared(how, embeddings=(x, lengths))
    return _distances(clips, clips, rule, progress, n_jobs, max_memory, device, scheduler)


def windowed_dtw_between(
    queries: np.ndarray,
    references: np.ndarray,
    query_lengths: np.ndarray | None = None,
    reference_lengths: np.ndarray | None = None,
    how: Warping = Warping(),
    *,
    progress: bool = False,
    n_jobs: int | None = None,
    max_memory: int = GIB,
    device: str = "cpu",
    scheduler=None,
) -> np.ndarray:
    """Return the windowed DTW distance of each query to each reference (see `windowed_dtw`).

    The windows are weighted by the lengths of the references, so that the distance of a query does
    not depend on the other queries.

    Parameters
    ----------
    queries, references : float ndarray or memmap, shapes (q, T, D) and (r, T, D)
    query_lengths, reference_lengths : int ndarray, shapes (q,) and (r,), optional

    Returns
    -------
    ndarray, shape (q, r)

    Examples
    --------
    >>> clips = np.eye(3)[:, None]
    >>> windowed_dtw_between(clips[:1], clips, how=Warping(n_windows=1)).tolist()
    [[0.0, 1.0, 1.0]]
    """
    clips, rule = prepared(how, queries=(queries, query_lengths), references=(references, reference_lengths))
    return _distances(*clips, rule, progress, n_jobs, max_memory, device, scheduler)


def _distances(
    left: Clips, right: Clips, rule: Rule, progress: bool, n_jobs: int | None, max_memory: int, device: str, scheduler
) -> np.ndarray:
    """Return the distances from this machine, a cluster or a device; all pairs if both sides are the same."""
    if scheduler is not None and device != "cpu":
        raise UserError(f"the workers of a scheduler take no device, got '{device}'; drop one")
    fill, place = local.fill, {}
    if scheduler is not None:
        from analysis_lib.warping.cluster import fill  # here, as it takes a second

        place = {"scheduler": scheduler}
    elif device != "cpu":
        from analysis_lib.warping.cuda import fill  # here, as all else runs without PyTorch

        place = {"device": device}
    n, m = len(left.order), len(right.order)
    out, n_pairs = np.zeros((n, m), rule.dtype), n * (n - 1) // 2 if left is right else n * m
    bar = progress_bar(None, "DTW", progress, n_pairs, "pair")
    with bar, Crew(n_jobs) as crew:
        fill(out, left, right, rule, max_memory, crew, bar.update, **place)
    return out
