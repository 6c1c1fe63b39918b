"""What claims on the spectrum of the skeleton come down to."""

import pandas as pd

from analysis_lib.statistics import Estimate


def eigenvalue_gap(table: pd.DataFrame) -> Estimate:
    r"""Return the smallest eigenvalue of :math:`2I - A`: two minus the largest of the adjacency.

    ``table`` is from `analysis_lib.studies.spectrum.tables.class_energy`.

    >>> eigenvalue_gap(pd.DataFrame({"eigenvalue": [-0.5, 1.5, 1.0]})).value
    0.5
    """
    return Estimate(float(2 - table["eigenvalue"].max()))
