"""What claims on the spectrum of the skeleton come down to.

Energies are those of `analysis_lib.studies.spectrum.tables.class_energy`: means of the actions, with intervals that
take every frequency at its worst.
"""

import numpy as np
import pandas as pd

from analysis_lib.statistics.estimates import Estimate
from analysis_lib.studies.spectrum.tables import top_frequencies


def eigenvalue_gap(table: pd.DataFrame) -> Estimate:
    r"""Return the smallest eigenvalue of :math:`2I - A`: two minus the largest of the adjacency.

    >>> eigenvalue_gap(pd.DataFrame({"eigenvalue": [-0.5, 1.5, 1.0]})).value
    0.5
    """
    return Estimate(float(2 - table["eigenvalue"].max()))


def unturned_pairs(table: pd.DataFrame) -> Estimate:
    r"""Return how many neighbours among the eigenvalues of :math:`A` have the same order in :math:`2I - A`.

    >>> unturned_pairs(pd.DataFrame({"eigenvalue": [-0.5, 1.5, 1.0]})).value
    0.0
    """
    known = np.sort(table["eigenvalue"].unique())
    return Estimate(float((np.diff(2 - known) >= 0).sum()))


def top_energy(table: pd.DataFrame) -> Estimate:
    """Return the share of energy in the largest eigenvalues, nine of 25 or as many of another skeleton."""
    joints = int(table["k"].max())
    return _share(table, np.arange(1, joints + 1) > joints - top_frequencies(joints))


def passed_energy(table: pd.DataFrame, filters: pd.DataFrame, power: int) -> Estimate:
    """Return the share of energy at the frequencies of which a power of the adjacency passes more than half.

    ``filters`` is from `analysis_lib.studies.spectrum.tables.filter_table`.
    """
    response = filters[filters["power"] == power].sort_values("k")["response"].to_numpy()
    return _share(table, response > 0.5)


def _share(table: pd.DataFrame, inside: np.ndarray) -> Estimate:
    """Return the share of energy at some frequencies, (V,) of bool."""
    actions = table[table["level"] == "class"]
    mean = actions.groupby("k")[["energy", "low", "high"]].mean()
    within, beyond = mean[inside].sum(), mean[~inside].sum()
    low, high = max(within["low"], 1 - beyond["high"]), min(within["high"], 1 - beyond["low"])
    clips = int(actions.drop_duplicates("class")["clips"].sum())
    return Estimate(float(within["energy"]), float(low), float(high), clips)
