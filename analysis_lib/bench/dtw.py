"""Windowed DTW beside its peers and beside the machine's limit, shape by shape."""

import warnings
from collections.abc import Callable, Sequence

import numpy as np

from analysis_lib.bench.floor import least_work, product_unit, recurrence_unit
from analysis_lib.bench.peers import Peer, unit_windows
from analysis_lib.bench.rounds import in_turns, seconds_of
from analysis_lib.errors import DataError
from analysis_lib.warping.distances import windowed_dtw
from analysis_lib.warping.options import Warping

#: frames and features of the layers that are measured
SHAPES = ((52, 60), (16, 5120), (26, 2560), (64, 1280), (75, 6400))
OURS, BY_PATH = "windowed_dtw", "windowed_dtw, by path length"
UNITS = {"operations": product_unit, "cells": recurrence_unit}  # of the floor
FEWEST = 40  # clips that a peer is measured on at least
TOLERANCE = 1e-4  # of the largest distance, between any two methods


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

    Ours are measured on all clips. A peer that needs more than ``budget`` for them is measured on
    as many of the first clips as fit, and the record says on how many.

    Parameters
    ----------
    n_frames, n_features, n_clips, n_windows : int
        Random float32 clips, none negative, as after a ReLU.
    peers : sequence of Peer
        All installed.
    rounds : int
        Of measuring all methods in turn (see `in_turns`).
    budget : float
        Seconds of one run of a peer, about.

    Returns
    -------
    dict
        ``frames``, ``features``, ``clips``, ``windows``, ``operations``, ``cells``; ``floor``:
        for each of these two the ``work`` of one call and its ``seconds``; ``methods``: for each
        ``name``, ``how``, ``clips``, ``seconds``, and ``gap`` to ours, of the largest distance.

    Raises
    ------
    DataError
        If a peer's distances differ from ours by more than `TOLERANCE`.
    """
    clips = np.abs(np.random.default_rng(0).standard_normal((n_clips, n_frames, n_features), dtype=np.float32))
    own = {
        mode: lambda how=Warping(n_windows, normalise=mode): windowed_dtw(clips, how=how) for mode in ("none", "path")
    }
    ours, _ = own["none"](), own["path"]()  # compiles
    fitted = [_fit(peer, clips, n_windows, ours, budget) for peer in peers]
    units = {unit: make() for unit, make in UNITS.items()}
    for call, _ in units.values():
        call()

    runs = in_turns(
        {OURS: own["none"], BY_PATH: own["path"], **{u: call for u, (call, _) in units.items()}},
        {peer.how: call for peer, (call, _) in zip(peers, fitted, strict=True)},
        rounds,
    )
    methods = [
        {"name": OURS, "how": "normalise='none'", "seconds": runs[OURS]},
        {"name": BY_PATH, "how": "normalise='path'", "seconds": runs[BY_PATH]},
    ]
    methods = [{**method, "clips": n_clips, "gap": None} for method in methods]
    for peer, (_, facts) in zip(peers, fitted, strict=True):
        methods.append({"name": peer.name, "how": peer.how, "seconds": runs[peer.how], **facts})
    operations, cells = least_work(n_clips, n_frames, n_features, n_windows)
    return {
        "frames": n_frames,
        "features": n_features,
        "clips": n_clips,
        "windows": n_windows,
        "operations": operations,
        "cells": cells,
        "floor": {unit: {"work": work, "seconds": runs[unit]} for unit, (_, work) in units.items()},
        "methods": methods,
    }


def _fit(
    peer: Peer, clips: np.ndarray, n_windows: int, ours: np.ndarray, budget: float
) -> tuple[Callable[[], np.ndarray], dict]:
    """Return a checked call of a peer that fits the budget, its number of clips, and the gap."""
    weights = np.full(n_windows, 1 / n_windows)  # of clips that are all of one length
    n = min(FEWEST, len(clips))
    call = peer.prepared(unit_windows(clips[:n], n_windows), weights)
    with warnings.catch_warnings(action="ignore"):  # of their compilers
        gap = _gap(call(), ours[:n, :n])
    if not gap <= TOLERANCE:
        raise DataError(
            f"{peer.name} and windowed_dtw differ by {gap:.2g} of the largest distance; are the "
            "versions those of requirements-bench.lock?"
        )
    while n < len(clips) and 4 * seconds_of(call) < budget:  # twice the clips, four times the pairs
        n = min(2 * n, len(clips))
        call = peer.prepared(unit_windows(clips[:n], n_windows), weights)
    return call, {"clips": n, "gap": gap}


def _gap(theirs: np.ndarray, ours: np.ndarray) -> float:
    """Return the largest difference off the diagonal, relative to the largest distance."""
    pairs = np.triu_indices(len(ours), 1)
    return float(np.abs(theirs[pairs] - ours[pairs]).max() / ours[pairs].max())
