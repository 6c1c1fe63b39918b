"""The accuracy that claims on a network come down to."""

import pandas as pd

from analysis_lib.statistics.estimates import Estimate
from analysis_lib.studies.data.measures import network_accuracy


def test_the_network_is_found_among_the_methods():
    rows = [("nearest", 0.5, 0.4, 0.6, 7), ("network 'a'", 0.9, 0.8, 0.95, 7)]
    table = pd.DataFrame(rows, columns=["method", "accuracy", "low", "high", "clips"])
    assert network_accuracy(table) == Estimate(0.9, 0.8, 0.95, 7)
