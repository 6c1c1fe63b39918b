"""Tidy tables of the skeleton graph's spectrum: energy by class, filters, distances in hops."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from analysis_lib.errors import UserError
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.skeletons.spectrum import (
    DEGREES,
    SIGNALS,
    Spectrum,
    clip_energies,
    graph_spectrum,
    polynomial_response,
)
from analysis_lib.statistics.intervals import percentile_interval, resampled_means

#: The paper names frequencies 17..25 of 25.
PAPER_TOP = 9 / 25


def class_energy(
    energies: np.ndarray,
    labels: np.ndarray,
    class_names: Sequence[str],
    groups: Sequence[str],
    eigenvalues: np.ndarray,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the mean energy spectrum of each class and each super-class, with intervals.

    A class is the mean of its clips' normalised spectra, so long clips do not dominate; a
    super-class is the unweighted mean of its classes. Intervals (95 %) are of clips drawn again
    within each class (`analysis_lib.statistics.intervals.resampled_means`); a class of one clip shows none.

    Parameters
    ----------
    energies : ndarray, shape (n, V)
        From `analysis_lib.skeletons.spectrum.clip_energies`.
    labels : int ndarray, shape (n,)
    class_names, groups : sequences of str, one a class
    eigenvalues : ndarray, shape (V,)
    n_bootstrap, seed : int

    Returns
    -------
    DataFrame
        Columns level (``"class"`` or ``"group"``), group, class (empty in group rows), clips, k,
        eigenvalue, energy, low, high. Clips without energy (zero rows) and classes without clips
        are left out; ``clips`` counts the others.

    Raises
    ------
    UserError
        If shapes disagree, or there is no resampling.
    """
    if energies.shape != (len(labels), len(eigenvalues)):
        raise UserError(
            f"energies must be (clips, frequencies) = {(len(labels), len(eigenvalues))}, got {energies.shape}"
        )
    clips, live = _by_class(energies, labels), energies.any(axis=1)
    again = resampled_means(energies[live], labels[live], np.random.default_rng(seed), n_bootstrap)
    draws = dict(zip(clips, np.moveaxis(again, 1, 0), strict=True))
    present = dict.fromkeys(groups[c] for c in clips)
    sets = [("group", [c for c in clips if groups[c] == name]) for name in present]
    sets += [("class", [c]) for c in clips]
    frames = []
    for kind, members in sets:
        low, high = percentile_interval(np.mean([draws[c] for c in members], axis=0))
        columns = {
            "level": kind,
            "group": groups[members[0]],
            "class": class_names[members[0]] if kind == "class" else "",
            "clips": sum(len(clips[c]) for c in members),
            "k": np.arange(1, len(eigenvalues) + 1),
            "eigenvalue": eigenvalues,
            "energy": np.mean([clips[c].mean(axis=0) for c in members], axis=0),
            "low": low,
            "high": high,
        }
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def _by_class(energies: np.ndarray, labels: np.ndarray) -> dict[int, np.ndarray]:
    """Return the rows of each class, without the clips that have no energy."""
    live = energies.any(axis=1)
    return {c: energies[live & (labels == c)] for c in np.unique(labels[live]).tolist()}


def mean_energy(table: pd.DataFrame) -> np.ndarray:
    """Return the unweighted mean over classes of a `class_energy` table, shape (V,)."""
    return table[table["level"] == "class"].groupby("k")["energy"].mean().to_numpy()


def top_frequencies(n_joints: int) -> int:
    """Return how many frequencies stand for the paper's nine of 25 on another skeleton.

    >>> top_frequencies(25), top_frequencies(20)
    (9, 7)
    """
    return max(1, round(PAPER_TOP * n_joints))


def top_share(energy: np.ndarray, spectrum: Spectrum, top: int) -> tuple[float, float, float]:
    """Return the share of energy in the ``top`` largest eigenvalues, and its lower and upper bound.

    Where the cut passes through a multiple eigenvalue, how much falls above it depends on the
    choice of basis: the bounds leave that eigenspace out, and take it in, as a whole.

    Parameters
    ----------
    energy : ndarray, shape (V,)
    spectrum : Spectrum
    top : int

    Returns
    -------
    share, low, high : float

    Examples
    --------
    >>> flat = Spectrum(np.array([0.0, 1.0, 1.0, 2.0]), np.eye(4))
    >>> top_share(np.full(4, 0.25), flat, 2)
    (0.5, 0.25, 0.75)
    """
    if not 1 <= top <= len(energy):
        raise UserError(f"top must lie in 1..{len(energy)}, got {top}")
    space, cut = spectrum.eigenspaces, len(energy) - top
    whole = cut == 0 or space[cut - 1] != space[cut]
    above = energy[space > space[cut]].sum() if not whole else energy[cut:].sum()
    within = energy[space >= space[cut]].sum()
    return float(energy[cut:].sum()), float(above), float(within)


def variant_table(sequences: Sequence[np.ndarray], labels: np.ndarray, skeleton: Skeleton, top: int) -> pd.DataFrame:
    """Return the share of the ``top`` frequencies under every degree and every signal.

    Does the conclusion hang on choices that the paper leaves open?

    Returns
    -------
    DataFrame
        Columns degree, signal, share, low, high (see `top_share`), of the mean over classes.
    """
    rows = []
    for degree in DEGREES:
        spectrum = graph_spectrum(skeleton, degree)
        for signal in SIGNALS:
            energies = clip_energies(sequences, spectrum.eigenvectors, signal)
            classes = _by_class(energies, labels).values()
            mean = np.mean([rows.mean(axis=0) for rows in classes], axis=0)
            rows.append((degree, signal, *top_share(mean, spectrum, top)))
    return pd.DataFrame(rows, columns=["degree", "signal", "share", "low", "high"])


def filter_table(
    eigenvalues: np.ndarray, energy: np.ndarray, powers: Iterable[int], threshold: float = 0.5
) -> pd.DataFrame:
    """Return the response of each power of the adjacency, and the energy that it passes.

    Parameters
    ----------
    eigenvalues, energy : ndarray, shape (V,)
    powers : iterable of int
    threshold : float
        A frequency counts as covered where the response exceeds it.

    Returns
    -------
    DataFrame
        Columns power, k, eigenvalue, energy, response, and share: the energy of all frequencies
        that the power covers (the same in all rows of a power).

    Examples
    --------
    >>> table = filter_table(np.array([0.5, 0.9, 1.0]), np.array([0.1, 0.3, 0.6]), [1, 10])
    >>> table.groupby("power")["share"].first().round(6).tolist()
    [0.9, 0.6]
    """
    powers = list(powers)
    response = polynomial_response(eigenvalues, powers)
    n = len(eigenvalues)
    share = np.where(response > threshold, energy, 0).sum(axis=1)
    columns = {
        "power": np.repeat(powers, n),
        "k": np.tile(np.arange(1, n + 1), len(powers)),
        "eigenvalue": np.tile(eigenvalues, len(powers)),
        "energy": np.tile(energy, len(powers)),
        "response": response.ravel(),
        "share": np.repeat(share, n),
    }
    return pd.DataFrame(columns)


def distance_table(*skeletons: Skeleton) -> pd.DataFrame:
    """Return the longest distances in hops, one row for each edge list of each skeleton.

    Returns
    -------
    DataFrame
        Columns skeleton, edges (variant, or ``"own"``), joints, bones, diameter, between (one pair
        of joints that far apart), and hand to foot: the largest distance of a joint that is called
        a hand to one that is called a foot (missing where there are none).

    Examples
    --------
    >>> from analysis_lib.skeletons.layouts import layout
    >>> distance_table(layout("ntu-25"))[["edges", "diameter", "hand to foot"]].values.tolist()
    [['ntu-stgcn', 12, 10], ['ntu-tips-on-hand', 11, 10]]
    """
    rows = []
    for skeleton in dict.fromkeys(s.name for s in skeletons):
        one = next(s for s in skeletons if s.name == skeleton)
        lists = {name: one.with_edges(name) for name in one.variants} or {"own": one}
        rows += [_distance_row(name, form) for name, form in lists.items()]
    return pd.DataFrame(rows)


def _distance_row(edges: str, skeleton: Skeleton) -> dict:
    """Return one row of `distance_table`."""
    hops = skeleton.hop_distance
    hops = np.where(np.isfinite(hops), hops, -1).astype(int)
    a, b = np.unravel_index(hops.argmax(), hops.shape)
    hands = [v for v, name in enumerate(skeleton.joints) if name.split()[-1] == "hand"]
    feet = [v for v, name in enumerate(skeleton.joints) if name.split()[-1] == "foot"]
    far = hops[np.ix_(hands, feet)]
    return {
        "skeleton": skeleton.name,
        "edges": edges,
        "joints": skeleton.n_joints,
        "bones": int((hops == 1).sum() // 2),
        "diameter": int(hops.max()),
        "between": f"{skeleton.joints[a]} to {skeleton.joints[b]}",
        "hand to foot": int(far.max()) if far.size else pd.NA,
    }
