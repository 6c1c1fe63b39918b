"""Other libraries' dynamic time warping, each made to compute what `windowed_dtw` computes.

On frames of unit length the squared Euclidean distance is :math:`2 (1 - \\cos)`, so that half the
cost of a squared-Euclidean alignment is the cost of a cosine alignment; a clip's windows are
aligned one by one and their costs added with the weights of the windows. Bringing the frames to
unit length and into a library's layout is done beforehand, and not counted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise

import numpy as np
from joblib import cpu_count

from analysis_lib.warping.windows import window_bounds


@dataclass(frozen=True)
class Peer:
    """One way to compute the costs of a window with another library.

    Attributes
    ----------
    name : str
        What it is called in tables; ways of one name compete, and the fastest counts.
    how : str
        The settings.
    module : str
        What must be importable.
    layout : callable
        From float64 frames (n, T, D) to the array that the library is given.
    costs : callable
        From the library's module and that array to the squared-Euclidean costs, shape (n, n).
    """

    name: str
    how: str
    module: str
    layout: Callable[[np.ndarray], np.ndarray]
    costs: Callable[[object, np.ndarray], np.ndarray]

    def prepared(self, windows: list[np.ndarray], weights: np.ndarray) -> Callable[[], np.ndarray]:
        """Return a call that computes the matrix of all pairs of clips.

        Parameters
        ----------
        windows : list of float64 ndarray, each (n, T_w, D)
            From `unit_windows`.
        weights : ndarray, shape (m,)
        """
        library = import_module(self.module)
        laid_out = [self.layout(window) for window in windows]

        def matrix() -> np.ndarray:
            costs = (self.costs(library, window) for window in laid_out)
            return sum(w / 2 * cost for w, cost in zip(weights, costs, strict=True))

        return matrix


def unit_windows(clips: np.ndarray, n_windows: int) -> list[np.ndarray]:
    """Return the windows of clips of one length, with frames of unit length.

    Parameters
    ----------
    clips : ndarray, shape (n, T, D)
    n_windows : int

    Returns
    -------
    list of float64 ndarray, each (n, T_w, D), contiguous
    """
    unit = clips / np.linalg.norm(clips.astype(float), axis=2, keepdims=True)
    bounds = window_bounds(clips.shape[1], n_windows)
    return [np.ascontiguousarray(unit[:, a:b]) for a, b in pairwise(bounds)]


def features_first(window: np.ndarray) -> np.ndarray:
    """Return the frames as (n, D, T), contiguous: the layout that aeon documents."""
    return np.ascontiguousarray(window.transpose(0, 2, 1))


def features_first_view(window: np.ndarray) -> np.ndarray:
    """Return the frames as (n, D, T), a view in which the features of a frame stay together."""
    return window.transpose(0, 2, 1)


def as_it_is(window: np.ndarray) -> np.ndarray:
    return window


def dtw_peers() -> tuple[Peer, ...]:
    """Return the libraries that are compared, each in its best settings on this machine's cores."""
    cores = cpu_count()

    def tslearn(jobs: int) -> Peer:
        return Peer(
            "tslearn",
            f"cdist_dtw, n_jobs={jobs}",
            "tslearn.metrics",
            as_it_is,
            lambda library, window: library.cdist_dtw(window, n_jobs=jobs) ** 2,
        )

    def aeon(name: str, how: str, layout: Callable) -> Peer:
        return Peer(
            name,
            f"dtw_pairwise_distance, n_jobs={cores}, {how}",
            "aeon.distances",
            layout,
            lambda library, window: library.dtw_pairwise_distance(window, n_jobs=cores),
        )

    return (
        *(tslearn(jobs) for jobs in sorted({1, cores})),
        Peer(
            "dtaidistance",
            "distance_matrix_fast, parallel",
            "dtaidistance.dtw_ndim",
            as_it_is,
            lambda library, window: library.distance_matrix_fast(window, parallel=True) ** 2,
        ),
        aeon("aeon, documented", "contiguous (n, D, T)", features_first),
        aeon("aeon, best", "view of contiguous (n, T, D)", features_first_view),
    )


def why_missing(peers: tuple[Peer, ...]) -> dict[str, str]:
    """Return why a peer cannot be measured, for each that cannot."""
    reasons = {}
    for peer in peers:
        try:
            import_module(peer.module)
        except ImportError as error:
            reasons[peer.name] = f"{error}; pip install -e '.[bench]', or make bench"
    return reasons
