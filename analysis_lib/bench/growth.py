"""How the cost of the k nearest under windowed DTW grows with the number of clips."""

import numpy as np

from analysis_lib.bench.clips import moving_clips
from analysis_lib.bench.rounds import in_turns
from analysis_lib.errors import DataError
from analysis_lib.warping.distances import windowed_dtw
from analysis_lib.warping.nearest import windowed_dtw_knn

SIZES = (500, 1000, 2000, 4000, 8000)
NEAREST, MATRIX = "windowed_dtw_knn", "windowed_dtw"
TOLERANCE = 1e-5  # of a distance in 0..1


def bench_size(
    n_clips: int, n_neighbors: int = 10, n_frames: int = 13, n_features: int = 1280, rounds: int = 1
) -> dict:
    """Return the seconds of the k nearest of generated clips, and of the whole matrix.

    Returns
    -------
    dict
        ``clips``, ``frames``, ``features``, ``neighbours``; ``pairs`` that there are, and those ``computed``;
        ``methods``: ``name`` and ``seconds`` of each.

    Raises
    ------
    DataError
        If the distances of the k nearest are not the k smallest of the matrix.
    """
    clips, _ = moving_clips(n_clips, n_frames, n_features)
    few = clips[: n_neighbors + 1]
    windowed_dtw(few), windowed_dtw_knn(few, n_neighbors)  # compiles
    found: dict[str, object] = {}
    nearest = {NEAREST: lambda: found.update(nearest=windowed_dtw_knn(clips, n_neighbors))}
    seconds = in_turns(nearest, {MATRIX: lambda: found.update(matrix=windowed_dtw(clips))}, rounds)
    distance, nearest = found["matrix"], found["nearest"]
    np.fill_diagonal(distance, np.inf)
    smallest = np.sort(np.partition(distance, n_neighbors - 1)[:, :n_neighbors])
    gap = float(np.abs(smallest - nearest.distances).max())
    if not gap <= TOLERANCE:
        raise DataError(f"of {n_clips} clips, the nearest and the matrix differ by {gap:.2g}")
    return {
        "clips": n_clips,
        "frames": n_frames,
        "features": n_features,
        "neighbours": n_neighbors,
        "pairs": int(nearest.n_pairs),
        "computed": int(nearest.n_computed),
        "methods": [{"name": name, "seconds": runs} for name, runs in seconds.items()],
    }
