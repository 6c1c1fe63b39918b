"""Windowed DTW beside other libraries and beside the machine's limit, shape by shape.

On frames of unit length the squared Euclidean distance is :math:`2 (1 - \\cos)`, so that half the cost of a
squared-Euclidean alignment is the cost of a cosine alignment; a clip's windows are aligned one by one and
their costs added with the weights of the windows. Bringing the frames to unit length and into a library's
layout is done beforehand, and not counted.
"""

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from joblib import cpu_count

from analysis_lib.bench.floor import UNITS, least_work
from analysis_lib.bench.rounds import in_turns, seconds_of
from analysis_lib.errors import DataError
from analysis_lib.warping.distances import windowed_dtw
from analysis_lib.warping.options import Warping
from analysis_lib.warping.windows import window_bounds

#: frames and features of the layers that are measured
SHAPES = ((52, 60), (16, 5120), (26, 2560), (64, 1280), (75, 6400))
OURS = {"none": "windowed_dtw", "path": "windowed_dtw, by path length"}  # by normalisation
CORES = cpu_count()
FEWEST = 40  # clips that a peer is measured on at least
TOLERANCE = 1e-4  # of the largest distance, between any two methods


class Peer(NamedTuple):
    """One way to compute the costs of a window with another library.

    Of the ways of one ``name`` the fastest counts. ``layout`` brings float64 frames (n, T, D) into what the
    library is given, and ``costs``, from the importable ``module`` and that, are squared-Euclidean, (n, n).
    """

    name: str
    how: str
    module: str
    costs: Callable[[object, np.ndarray], np.ndarray]
    layout: Callable[[np.ndarray], np.ndarray] = lambda frames: frames

    def prepared(self, clips: np.ndarray, weights: np.ndarray) -> Callable[[], np.ndarray]:
        """Return a call that computes the matrix of all pairs of clips (n, T, D) in ``len(weights)`` windows."""
        library = import_module(self.module)
        laid_out = [self.layout(window) for window in unit_windows(clips, len(weights))]
        return lambda: sum(w / 2 * self.costs(library, x) for w, x in zip(weights, laid_out, strict=True))


def unit_windows(clips: np.ndarray, n_windows: int) -> list[np.ndarray]:
    """Return the windows of clips of one length as contiguous float64 (n, T_w, D), with frames of unit length."""
    unit = clips / np.linalg.norm(clips.astype(float), axis=2, keepdims=True)
    bounds = window_bounds(clips.shape[1], n_windows)
    return [np.ascontiguousarray(unit[:, a:b]) for a, b in pairwise(bounds)]


def features_first(window: np.ndarray) -> np.ndarray:
    """Return frames (n, T, D) as (n, D, T): a view, in which the features of a frame stay together."""
    return window.transpose(0, 2, 1)


def contiguous_features_first(window: np.ndarray) -> np.ndarray:
    """Return frames (n, T, D) as (n, D, T), contiguous: the layout that aeon documents."""
    return np.ascontiguousarray(window.transpose(0, 2, 1))


_AEON = {"module": "aeon.distances", "costs": lambda aeon, x: aeon.dtw_pairwise_distance(x, n_jobs=CORES)}
_AEON_HOW = f"dtw_pairwise_distance, n_jobs={CORES}, "
_FAST = "distance_matrix_fast, parallel"
#: the libraries that are compared, each in its best settings on this machine's cores
PEERS = (
    Peer("tslearn", "cdist_dtw, n_jobs=1", "tslearn.metrics", lambda ts, x: ts.cdist_dtw(x, n_jobs=1) ** 2),
    Peer("tslearn", f"cdist_dtw, n_jobs={CORES}", "tslearn.metrics", lambda ts, x: ts.cdist_dtw(x, n_jobs=CORES) ** 2),
    Peer("dtaidistance", _FAST, "dtaidistance.dtw_ndim", lambda d, x: d.distance_matrix_fast(x, parallel=True) ** 2),
    Peer("aeon, documented", _AEON_HOW + "contiguous (n, D, T)", layout=contiguous_features_first, **_AEON),
    Peer("aeon, best", _AEON_HOW + "view of contiguous (n, T, D)", layout=features_first, **_AEON),
)


def why_missing(peers: Sequence[Peer]) -> dict[str, str]:
    """Return why a peer cannot be measured, for each that cannot."""
    reasons = {}
    for peer in peers:
        try:
            import_module(peer.module)
        except ImportError as error:
            reasons[peer.name] = f"{error}; pip install -e '.[bench]', or make bench"
    return reasons


def bench_shape(
    n_frames: int,
    n_features: int,
    peers: Sequence[Peer],
    n_clips: int = 200,
    n_windows: int = 4,
    rounds: int = 3,
    budget: float = 2.5,
) -> dict:
    """Return the seconds that each method takes for all pairs of clips of one shape.

    Clips are random, float32, and none negative, as after a ReLU. Ours are measured on all of them. A peer
    that needs more than ``budget`` seconds is measured on as many of the first clips as fit, and the record
    says on how many.

    Returns
    -------
    dict
        ``frames``, ``features``, ``clips``, ``windows``, ``operations``, ``cells``; ``floor``: for each of
        these two the ``work`` of one call and its ``seconds``; ``methods``: for each ``name``, ``how``,
        ``clips``, ``seconds``, and ``gap`` to ours, of the largest distance.

    Raises
    ------
    DataError
        If a peer's distances differ from ours by more than `TOLERANCE`.
    """
    shape = n_clips, n_frames, n_features
    clips = np.abs(np.random.default_rng(0).standard_normal(shape, dtype=np.float32))
    own = {mode: partial(windowed_dtw, clips, how=Warping(n_windows, normalise=mode)) for mode in OURS}
    ours, _ = [call() for call in own.values()]  # compiles
    fitted = [_fit(peer, clips, n_windows, ours, budget) for peer in peers]
    units = {unit: make() for unit, make in UNITS.items()}
    measured = own | {unit: call for unit, (call, _) in units.items()}
    for call, _ in units.values():
        call()

    theirs = {peer.how: call for peer, (call, *_) in zip(peers, fitted, strict=True)}
    runs = in_turns(measured, theirs, rounds)
    methods = [(name, f"normalise='{mode}'", runs[mode], n_clips, None) for mode, name in OURS.items()]
    methods += [(p.name, p.how, runs[p.how], n, gap) for p, (_, n, gap) in zip(peers, fitted, strict=True)]
    return {
        **dict(zip(("clips", "frames", "features", "windows"), (*shape, n_windows), strict=True)),
        **dict(zip(UNITS, least_work(*shape, n_windows), strict=True)),
        "floor": {unit: {"work": work, "seconds": runs[unit]} for unit, (_, work) in units.items()},
        "methods": [dict(zip(("name", "how", "seconds", "clips", "gap"), m, strict=True)) for m in methods],
    }


def _fit(peer: Peer, clips: np.ndarray, n_windows: int, ours: np.ndarray, budget: float) -> tuple[Callable, int, float]:
    """Return a checked call of a peer that fits the budget, its number of clips, and the gap."""
    weights = np.full(n_windows, 1 / n_windows)  # of clips that are all of one length
    n = min(FEWEST, len(clips))
    call = peer.prepared(clips[:n], weights)
    with warnings.catch_warnings(action="ignore"):  # of their compilers
        pairs = np.triu_indices(n, 1)
        gap = float(np.abs(call() - ours[:n, :n])[pairs].max() / ours[:n, :n][pairs].max())
    if not gap <= TOLERANCE:
        raise DataError(
            f"{peer.name} and windowed_dtw differ by {gap:.2g} of the largest distance; are the "
            "versions those of requirements-bench.lock?"
        )
    while n < len(clips) and 4 * seconds_of(call) < budget:  # twice the clips, four times the pairs
        n = min(2 * n, len(clips))
        call = peer.prepared(clips[:n], weights)
    return call, n, gap
