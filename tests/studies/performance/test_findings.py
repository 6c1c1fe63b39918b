"""What measurements of speed come down to, as numbers and in words."""

import pandas as pd
import pytest

from analysis_lib.studies.performance import words
from analysis_lib.studies.performance.findings import Growth, Peer, Speed, growth, speed

SPEED = pd.DataFrame(
    [
        (52, 60, "floor", 3.0, 0.6, 1.0),
        (52, 60, "ours", 5.0, 1.0, 0.6),
        (52, 60, "ours, by path", 6.0, 1.2, 0.5),
        (52, 60, "tslearn", 8.0, 1.6, 0.375),
        (16, 5120, "floor", 3.0, 0.75, 1.0),
        (16, 5120, "ours", 4.0, 1.0, 0.75),
        (16, 5120, "aeon", 300.0, 75.0, 0.01),
    ],
    columns=["frames", "features", "method", "seconds", "times", "of_floor"],
).assign(clips=10)
FOUND = Speed(10, (4.0, 5.0), (0.6, 0.75), Peer("tslearn", 52, 60, 1.6), Peer("aeon", 16, 5120, 75.0))
ALONE = Speed(10, (4.0, 5.0), (0.6, 0.75), None, None)
MACHINE = {"cpu": "Some CPU", "cores": 2, "blas": "openblas 1", "date": "2025-01-31", "code": "1.2 (abc)"}
RECORD = {"quick": False, "machine": MACHINE | {"versions": {"python": "3.11", "numba": "0.6"}}}


def test_peers_are_other_libraries():
    assert speed(SPEED) == FOUND
    assert speed(SPEED[~SPEED["method"].isin(["tslearn", "aeon"])]) == ALONE


def test_growth_is_that_of_the_nearest_and_of_the_matrix():
    rows = [(100, "knn", 1.0, 0.2), (100, "all", 2.0, 0.2), (400, "knn", 4.0, 0.05), (400, "all", 32.0, 0.05)]
    found = growth(pd.DataFrame(rows, columns=["clips", "method", "seconds", "share"]).assign(neighbours=5))
    assert found.exponents == pytest.approx({"knn": 1, "all": 2})
    assert (found.clips, found.share, found.neighbours) == ((100, 400), (0.2, 0.05), 5)


def test_words(said):
    said("with peers", words.answer(FOUND))
    said("alone", words.answer(ALONE))
    said("growth", words.growth(Growth((1000, 4000), {"knn": 1.5, "all": 2.0}, (0.2, 0.05), 5)))
    said("machine", words.machine(RECORD))
    said("a trial", words.machine(RECORD | {"quick": True}))
