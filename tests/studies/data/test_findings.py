"""What the data chapter finds, as numbers."""

import pandas as pd
import pytest

from analysis_lib.statistics import Estimate, Verdict
from analysis_lib.studies.data.findings import findings

CLIPS = pd.DataFrame({"label": ["a", "b", "a"], "subject": [1, -1, 1], "frames": [9, 4, 7]})


@pytest.mark.parametrize(
    ("network", "baseline", "better"),
    [
        ((0.9, 0.88, 0.92, 100), (0.6, 0.55, 0.65, 100), Verdict.HOLDS),
        ((0.66, 0.6, 0.7, 100), (0.6, 0.55, 0.65, 100), Verdict.UNDECIDED),
        ((0.5, 0.4, 0.6, 100), (0.6, 0.55, 0.65, 100), Verdict.FAILS),
    ],
)
def test_the_network_is_better_if_intervals_do_not_meet(network, baseline, better):
    scores = pd.DataFrame([network, baseline], columns=["accuracy", "low", "high", "clips"])
    found = findings(CLIPS, scores)
    assert (found.network, found.baseline, found.better) == (Estimate(*network), Estimate(*baseline), better)
    assert found.gap == pytest.approx(network[0] - baseline[0])
    assert (found.clips, found.actions, found.people) == (3, 2, 1)
    assert (found.shortest, found.median, found.longest) == (4, 7, 9)
