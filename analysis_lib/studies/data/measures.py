"""What claims on data and networks come down to."""

import pandas as pd

from analysis_lib.statistics.estimates import Estimate


def network_accuracy(table: pd.DataFrame) -> Estimate:
    """Return the network's accuracy on its test split, from `analysis_lib.studies.data.tables.accuracy_table`."""
    own = table[table["method"].str.startswith("network")].iloc[0]
    return Estimate(*own[["accuracy", "low", "high"]].astype(float), clips=int(own["clips"]))


def total_clips(table: pd.DataFrame) -> Estimate:
    """Return the number of clips of all classes, from `analysis_lib.studies.data.tables.class_table`."""
    return Estimate(float(table["clips"].sum()))
