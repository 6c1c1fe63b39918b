"""Findings on label variation by hand; and for networks of any depth, sentences without a hole."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentences import check, check_all

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.geometry.curves import EVERY, Curves, shape_table, smoothness_table
from analysis_lib.geometry.embeddings import Embeddings
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.studies.smoothness import tables, words
from analysis_lib.studies.smoothness.findings import (
    Neighbours,
    curve_findings,
    learnt_findings,
    neighbour_findings,
    theorem_findings,
    vote_findings,
)
from analysis_lib.studies.smoothness.tables import learnt_shape, learnt_table
from analysis_lib.warping.options import Warping

FLAT_THEN_FALL = [0.9, *[0.8] * 8, 0.5, 0.2]
EARLY_FALL = [0.9, 0.8, 0.4, *[0.4] * 6, 0.4, 0.3]


def curves_of(q, replicates=None):
    """Return the curves (layers, classes) of five clips a class, each its own super-class, as `label_curves` does."""
    q = np.asarray(q, float)
    names = [f"class {c}" for c in range(q.shape[1])]
    layer = np.repeat(np.arange(len(q)), len(names))
    columns = {"group": names * len(q), "name": names * len(q), "normalised": q.ravel(), "clips": 5}
    classes = pd.DataFrame(columns | {"layer": layer, "layer_name": layer.astype(str)})
    classes = classes.assign(raw=1.0, per_clip=0.2, chance=0.5)
    again = np.repeat(q[:, None], 4, axis=1) if replicates is None else replicates
    return Curves(classes, names, q, again)


def found_of(*by_class, replicates=None, boundary=8):
    curves = curves_of(np.transpose(by_class), replicates)
    return curve_findings(smoothness_table(curves), shape_table(curves, boundary), boundary)


@pytest.mark.parametrize(
    ("curves", "flat", "sudden"),
    [
        ((FLAT_THEN_FALL, FLAT_THEN_FALL), True, True),
        ((EARLY_FALL, EARLY_FALL), False, False),
        ((EARLY_FALL, FLAT_THEN_FALL), False, False),  # mean: 0.2 up to layer 8, 0.35 after it
        (([0.5, *[0.2] * 8, 0.5, 0.6],), False, False),  # flat, and then it rises
        (([0.9, *[0.8] * 8, 0.5, 0.2], [0.5, *[0.5] * 8, 0.55, 0.6]), True, False),  # one never falls
    ],
)
def test_the_picture_follows_the_curves(curves, flat, sudden):
    picture = found_of(*curves).picture
    said = {True: Verdict.HOLDS, False: Verdict.FAILS}
    assert (picture.flat, picture.sudden) == (said[flat], said[sudden])


def test_numbers_are_those_of_the_curve():
    found = found_of(FLAT_THEN_FALL)
    assert (found.clips, found.depth, found.steady) == (5, 10, ())
    assert (found.first, found.last) == pytest.approx((0.8, 0.2))
    (drop,) = found.drops
    assert (drop.group, drop.size.value, drop.after) == ("class 0", pytest.approx(0.3), Estimate(8, 8, 8))
    assert (found.picture.early, found.picture.late) == pytest.approx((0, -0.6))


def test_a_layer_is_named_if_every_super_class_surely_falls_most_after_it():
    assert found_of(FLAT_THEN_FALL, FLAT_THEN_FALL).place == 8
    assert found_of(FLAT_THEN_FALL, EARLY_FALL).place is found_of(FLAT_THEN_FALL, [0.5] * 11).place is None
    again = np.repeat(np.array(FLAT_THEN_FALL)[:, None, None], 4, axis=1)
    again[3:, :2] = 0.1
    assert found_of(FLAT_THEN_FALL, replicates=again).place is None


def test_ends_are_means_of_super_classes_and_of_actions():
    table = smoothness_table(curves_of(np.transpose([[0.9, 0.8, 0.2], [0.9, 0.4, 0.2]])))
    three = pd.concat([table, table[(table["level"] == "class") & (table["name"] == "class 1")]])
    found = curve_findings(three, shape_table(curves_of(np.ones((2, 2))), 1), 1)
    assert (found.groups, found.first) == (2, pytest.approx(0.6))
    assert found.actions == pytest.approx((3, 1.6 / 3, 0.2))


def test_a_place_that_resampling_moves_is_undecided():
    again = np.repeat(np.array(FLAT_THEN_FALL)[:, None, None], 4, axis=1)
    again[3:, :2] = 0.1
    found = found_of(FLAT_THEN_FALL, replicates=again)
    assert found.picture.sudden == Verdict.UNDECIDED
    assert found.drops[0].after.low < 8


def test_a_network_without_a_layer_after_the_boundary_is_not_compared():
    assert found_of([0.9, 0.8, 0.1]).picture is None
    assert found_of([0.9, 0.8, 0.1], boundary=1).picture.boundary == 1


def test_a_curve_that_rises_has_no_drop():
    found = found_of([0.5, 0.1, 0.2, 0.2], [0.5, 0.4, 0.3, 0.2])
    assert [drop.group for drop in found.drops] == ["class 1"]
    assert found.steady == ("class 0",)


def test_a_flat_curve_is_not_the_picture():
    found = found_of([0.5] * 11)
    assert (found.drops, found.steady) == ((), ("class 0",))
    assert (found.picture.flat, np.isnan(found.picture.share.value)) == (Verdict.FAILS, True)


def learnt_of(trained, *untrained, boundary=8):
    tables = learnt_table(trained, untrained), learnt_shape(trained, untrained, boundary)
    return learnt_findings(*tables, len(untrained), boundary)


def test_what_training_adds_by_hand():
    twins = [curves_of(np.transpose([[0.9, *[level] * 10]])) for level in (0.7, 0.9)]
    found = learnt_of(curves_of(np.transpose([FLAT_THEN_FALL])), *twins)
    assert (found.draws, found.depth, found.lower, found.higher) == (2, 10, (9, 10), ())  # 0.8 is the draws' mean
    assert found.last.value == pytest.approx(-0.6)
    assert (found.early.value, found.late.value) == pytest.approx((0, -0.6))
    assert found.comes_late == Verdict.HOLDS
    shape = learnt_shape(curves_of(np.transpose([[0.9, *[0.5] * 2, 0.1]])), [curves_of(np.full((4, 1), 0.6))], 2)
    assert shape.set_index("statistic")["value"]["level"] == pytest.approx(-0.1)  # of layers 1 and 2


def test_what_the_untrained_network_does_as_well_was_not_learnt():
    same = curves_of(np.transpose([FLAT_THEN_FALL]))
    found = learnt_of(same, same)
    assert (found.lower, found.higher, found.comes_late) == ((), (), Verdict.FAILS)
    assert learnt_of(same) is None


def test_layers_are_sure_all_at_once():
    """Ten layers, each a little below: one alone would be sure, all at once are not."""
    rng = np.random.default_rng(0)
    q = np.full((11, 1), 0.5)
    again = q[:, None] + rng.normal(0, 0.1, (11, 4000, 1))
    trained, twin = curves_of(q, again), curves_of(q + 0.22, np.full(again.shape, 0.72))
    alone = learnt_table(trained, [twin])
    assert (alone["high"][1:] < 0).all()
    assert learnt_of(trained, twin).lower == ()


def test_ends_by_whose_neighbours_count():
    rows = [("all", "trained", 0, i, q) for i, q in enumerate((0.9, 0.5, 0.3))]
    rows += [("all", "untrained", draw, i, q) for draw in (0, 1) for i, q in enumerate((0.9, 0.6 + 0.2 * draw, 0.5))]
    rows += [("other people", "trained", 0, i, q) for i, q in enumerate((1, 0.8, 0.6))]
    table = pd.DataFrame(rows, columns=["edges", "network", "draw", "layer", "q"])
    everyone, others = neighbour_findings(table)
    assert everyone == Neighbours("all", (0.5, 0.3), (pytest.approx(0.7), 0.5))
    assert others == Neighbours("other people", (0.8, 0.6), None)
    check(words.neighbours((everyone, others)))
    check(words.neighbours((everyone,)))


def votes_of(*rows):
    return pd.DataFrame(rows, columns=["edges", "layer", "clips", "wrong", "low", "high"])


def test_how_often_neighbours_err_by_who_they_may_be():
    near, far, unsure = vote_findings(
        votes_of(
            *[("all", layer, 60, *of) for layer, of in ((0, (0.1, 0.05, 0.15)), (10, (0.02, 0.0, 0.05)))],
            *[("other people", layer, 60, *of) for layer, of in ((0, (0.6, 0.5, 0.7)), (10, (0.2, 0.1, 0.3)))],
            *[("other cameras", layer, 60, 0.3, np.nan, np.nan) for layer in (0, 10)],
        )
    )
    assert (far.edges, far.clips, far.first, far.last.value) == ("other people", 60, Estimate(0.6, 0.5, 0.7), 0.2)
    assert (far.harder(near), near.harder(far)) == (Verdict.HOLDS, Verdict.FAILS)
    assert unsure.harder(near) == Verdict.UNDECIDED


def test_votes_of_neighbours_by_hand():
    """Six clips on a line in space, at one angle each: the two of a class that are near are of one person."""
    angles = np.array([0.0, 0.02, 0.9, 0.92, 0.7, 0.2])
    labels, people = [0, 0, 1, 1, 0, 1], [0, 0, 1, 1, 2, 2]
    x = np.stack([np.cos(angles), np.sin(angles)], -1)[:, None].astype(np.float32)
    clips = [np.zeros((1, 1, 1, 3))] * 6
    data = SkeletonDataset("toy", Skeleton("dot", ("dot",), ()), clips, labels, subjects=people)
    embeddings = Embeddings(("input", "same"), (x, x), (np.ones(6, int),) * 2)
    table = tables.vote_table(embeddings, data, {"n_neighbors": 1, "how": Warping(n_windows=1)})
    wrong = table[table["layer"] == 0].set_index("edges")["wrong"]
    assert list(table["edges"].unique()) == ["all", "other people"]
    assert wrong["all"] == pytest.approx(2 / 6)  # the two that lie near another class
    assert wrong["other people"] > wrong["all"]
    assert ((table["low"] <= table["wrong"]) & (table["wrong"] <= table["high"])).all()


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, np.nan]), min_size=18, max_size=18), st.integers(0, 3))
def test_votes_are_told_without_a_hole(numbers, kinds):
    edges = ["all", "other people", "other cameras"][:kinds]
    rows = [(name, layer, 12) for name in edges for layer in (0, 10)]
    found = vote_findings(votes_of(*[(*row, *numbers[3 * i : 3 * i + 3]) for i, row in enumerate(rows)]))
    check(words.votes(found) or "Nothing.")


def theorem_of(**changes):
    columns = {
        "layer": [2, 3, 4],
        "norm": [1.0, 2.0, 4.0],
        "bound": [1.0, 4.0, 16.0],
        "label_ratio": [0.5, 1.0, 2.0],
        "data_ratio": [0.9, 3.0, 16.0],
    }
    return pd.DataFrame(columns | changes)


def test_the_theorem_by_hand():
    found = theorem_findings(theorem_of())
    assert (found.layers, found.constant, found.worst, found.kept) == (3, 0.5, 2, 3)
    assert found.correlation == 0.5  # changes 0.5, 0, 1 beside norms 1, 2, 4
    assert theorem_findings(theorem_of(data_ratio=[2.0, 3.0, 16.0])).kept == 2


def test_layers_without_a_ratio_count_for_nothing():
    found = theorem_findings(theorem_of(label_ratio=[np.nan, 1.0, 2.0]))
    assert (found.constant, found.worst, np.isnan(found.correlation)) == (0.25, 3, True)
    nothing = theorem_findings(theorem_of()[:0])
    assert (nothing.layers, np.isnan(nothing.constant)) == (0, True)


@st.composite
def networks(draw):
    """Return (layers, classes) of label variation and its replicates: any, flat in part, zero in part."""
    depth, n_groups = draw(st.integers(1, 40)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    digits = draw(st.integers(0, 3))  # few digits: layers that are equal, and zero
    q = np.round(rng.random((depth + 1, n_groups)), digits) * draw(st.sampled_from([0, 1]))
    again = np.clip(q[:, None] + rng.normal(size=(depth + 1, 7, n_groups)) * draw(st.sampled_from([0, 0.1])), 0, 1)
    return q, again


@given(networks(), st.integers(1, 12))
def test_sentences_never_contradict_their_numbers(network, boundary):
    curves = curves_of(*network)
    shape = shape_table(curves, boundary)
    found = curve_findings(smoothness_table(curves), shape, boundary)
    depth, groups = network[0].shape
    verdicts = [verdict for verdict, _ in words.verdicts(found)]
    check_all(words.answer(found), words.numbers(found))
    assert found.depth == depth - 1
    assert len(found.drops) + len(found.steady) == (groups if depth > 2 else 0)
    assert (found.picture is not None) == (depth - 1 > boundary)
    if depth > 2:
        assert (Verdict.UNTESTED in verdicts) == (found.picture is None)
    flat, sudden = verdicts or [Verdict.UNTESTED] * 2
    if flat == sudden == Verdict.HOLDS:
        low = shape[shape["group"] != EVERY].pivot(index="group", columns="statistic", values="low")
        assert found.picture.late < 0
        assert 2 * abs(found.picture.early) < -found.picture.late
        assert ((low["drop"] > 0) & (low["drop after"] >= boundary)).all()
    answer = words.answer(found)
    if depth > 2 and sudden != Verdict.HOLDS and found.place is None:
        assert answer.startswith("No one layer")
    if "or a later one" in answer:
        assert (sudden, found.boundary) == (Verdict.HOLDS, boundary)
    if Verdict.FAILS in verdicts:
        last = [drop.after.value for drop in found.drops]
        assert found.picture.share.value >= 0.5 or found.first <= found.last or found.steady or min(last) < boundary


@given(networks(), st.integers(1, 12), st.integers(0, 2))
def test_what_is_said_of_training_never_contradicts_its_numbers(network, boundary, draws):
    q, again = network
    twins = [curves_of(np.roll(q, draw + 1, axis=0), np.roll(again, draw + 1, axis=0)) for draw in range(draws)]
    found = learnt_of(curves_of(q, again), *twins, boundary=boundary)
    check(words.learnt(found))
    assert (found is None) == (draws == 0)
    if found:
        assert not set(found.lower) & set(found.higher)
        if found.comes_late == Verdict.HOLDS:
            assert -found.late.value > abs(found.early.value)


@given(networks())
def test_the_theorem_is_spoken_of_without_a_hole(network):
    depth = len(network[0])
    norms = np.linspace(1, 2, depth)[2:]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = network[0].sum(axis=1)[2:] / network[0].sum(axis=1)[1:-1]
    columns = {"layer": range(2, depth), "norm": norms, "bound": norms**2, "label_ratio": ratios, "data_ratio": ratios}
    found = theorem_findings(pd.DataFrame(columns))
    check(words.theorem(found))
    assert (found.checked, found.kept) == ((~np.isnan(ratios)).sum(), (ratios <= norms**2 * (1 + 1e-6)).sum())


def test_without_clips_or_neighbours_nothing_is_said():
    curves = curves_of(np.ones((4, 2)))
    table, shape = smoothness_table(curves), shape_table(curves, 2)
    assert curve_findings(table.assign(q=np.nan), shape, 2) is curve_findings(table[:0], shape[:0], 2) is None
    check_all(words.answer(None), words.numbers(None))


def test_no_more_candidates_than_other_people_have_clips():
    options, apart = {"n_neighbors": 7}, np.array([0, 0, 0, 1, 1, 2])
    assert tables._as_many_as_there_are(options, apart) == {"n_neighbors": 3}  # those who are not 0
    assert tables._as_many_as_there_are(options, None) == options
