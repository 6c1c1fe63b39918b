"""What claims on parts of networks come down to."""

import pandas as pd

from analysis_lib.errors import UserError
from analysis_lib.statistics.estimates import Estimate


def gain(parts: pd.DataFrame, part: str) -> Estimate:
    """Return how much more accurate a network is with a part, from ``part_table``."""
    rows = parts[parts["part"] == part]
    if rows.empty:
        raise UserError(f"no variants with and without {part} have been trained")
    return Estimate(*rows.iloc[0][["value", "low", "high"]].astype(float))
