"""The measure of claims on NNK beside k-NN, by hand."""

import pandas as pd
import pytest
from scipy.stats import norm

from analysis_lib.errors import UserError
from analysis_lib.studies.nnk_vs_knn.measures import worst_layer

ROWS = [
    (0, "knn", "q", 9.0),
    (1, "knn", "q", -0.3),
    (2, "knn", "q", -0.1),
    (2, "knn", "error", 5.0),
    (2, "matched", "q", 7),
]


def test_the_worst_layer_with_the_interval_of_all_layers():
    table = pd.DataFrame(ROWS, columns=["layer", "against", "measure", "difference"])
    table["low"], table["high"] = table["difference"] - 0.1, table["difference"] + 0.05
    found = worst_layer(table, "knn", "q")
    wider = norm.ppf(0.025 / 2) / norm.ppf(0.025)
    assert (found.value, found.low, found.high) == pytest.approx((-0.1, -0.1 - 0.1 * wider, -0.1 + 0.05 * wider))
    assert worst_layer(table, "knn", "error").high == pytest.approx(5.05)  # one layer alone
    with pytest.raises(UserError, match="no difference to mst of q"):
        worst_layer(table, "mst", "q")
