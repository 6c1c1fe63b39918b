"""What measurements of speed come down to, as numbers and in words."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentences import check, check_all

from analysis_lib.studies.performance import words
from analysis_lib.studies.performance.findings import Growth, Peer, Speed, Values, growth, speed, values

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


APART = {**RECORD["machine"], "date": "2025-03-01"}


def test_peers_are_other_libraries():
    assert speed(SPEED) == FOUND
    assert speed(SPEED[~SPEED["method"].isin(["tslearn", "aeon"])]) == ALONE


def test_growth_is_that_of_the_nearest_and_of_the_matrix():
    rows = [(100, "knn", 1.0, 0.2), (100, "all", 2.0, 0.2), (400, "knn", 4.0, 0.05), (400, "all", 32.0, 0.05)]
    found = growth(pd.DataFrame(rows, columns=["clips", "method", "seconds", "share"]).assign(neighbours=5))
    assert found.exponents == pytest.approx({"knn": 1, "all": 2})
    assert (found.clips, found.share, found.neighbours) == ((100, 400), (0.2, 0.05), 5)


VALUES = pd.DataFrame(
    [
        ("one class", "ours", 1.0),
        ("one class", "captum", 4.5),
        ("one class", "shap", 0.9),
        ("all classes", "ours", 1.0),
        ("all classes", "captum", 2.0),
        ("all classes", "shap", 1.1),
    ],
    columns=["explained", "method", "times"],
).assign(joints=25, clips=4, classes=20)


def test_values_are_compared_for_one_class_and_for_all():
    assert values(VALUES) == Values(25, 4, 20, {"captum": 4.5, "shap": 0.9}, {"captum": 2.0, "shap": 1.1})
    assert values(VALUES[VALUES["method"] == "ours"]) == Values(25, 4, 20, {}, {})


def test_words(said):
    said("with peers", f"{words.answer(FOUND)}\n{words.numbers(FOUND)}")
    said("alone", words.answer(ALONE))
    said("growth", words.growth(Growth((1000, 4000), {"knn": 1.5, "all": 2.0}, (0.2, 0.05), 5)))
    said("values", words.values(values(VALUES)))
    said("values without peers", words.values(values(VALUES[VALUES["method"] == "ours"])))
    said("a part measured apart", words.machine(RECORD | {"machines": {"shapley": APART}}, "shapley"))
    said("machine", words.machine(RECORD))
    said("a trial", words.machine(RECORD | {"quick": True}))


TIMES = st.one_of(st.floats(1e-3, 1e5), st.just(float("nan")))


@given(st.lists(st.tuples(st.floats(1e-3, 1e4), st.floats(0.01, 1)), max_size=4), st.lists(TIMES, max_size=4))
def test_sentences_never_contradict_their_numbers(shapes, times):
    floors = [(5, i, "floor", 1.0, 1.0, 1.0) for i in range(len(shapes))]
    ours = [(5, i, "ours", seconds, 1.0, share) for i, (seconds, share) in enumerate(shapes)]
    peers = [(5, i, f"peer {i}", 1.0, x, 0.1) for i, x in enumerate(times) if shapes]
    table = pd.DataFrame([*floors, *ours, *peers], columns=SPEED.columns[:-1]).assign(clips=3)
    found = speed(table)
    answer, known = words.answer(found), [x for x in times if x == x]
    check_all(answer, words.numbers(found))
    assert ("Nothing can be said" in answer) == (not shapes)
    assert ("no other library" in answer) == bool(shapes and not known)
    if shapes and known:
        assert (found.fastest.times, found.slowest.times) == (min(known), max(known))


def test_one_number_of_clips_has_no_growth():
    table = pd.DataFrame({"clips": [9], "method": ["knn"], "seconds": [1.0], "share": [0.2], "neighbours": [5]})
    assert growth(table) is None
    check(words.growth(None))
