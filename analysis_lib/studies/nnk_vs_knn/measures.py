"""What claims on NNK beside k-NN come down to, read off `analysis_lib.studies.nnk_vs_knn.tables.difference_table`."""

import pandas as pd

from analysis_lib.errors import UserError
from analysis_lib.statistics.estimates import Estimate, greatest


def worst_layer(table: pd.DataFrame, against: str, of: str) -> Estimate:
    """Return NNK minus another graph at the layer where it is most, with the interval of all layers at once.

    ``of`` is ``"q"`` or ``"error"``; the input, layer 0, is left out.
    """
    rows = table[(table["layer"] > 0) & (table["against"] == against) & (table["measure"] == of)]
    if rows.empty:
        raise UserError(f"no difference to {against} of {of}")
    return greatest([Estimate(*row) for row in rows[["difference", "low", "high"]].to_numpy(float).tolist()])
