"""What the tables of the GradCAM chapter come down to, on tables small enough to do by hand."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentences import check, check_all, check_answer

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.errors import UserError
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.studies.gradcam import words
from analysis_lib.studies.gradcam.findings import Alike, Balance, Gain, Limbs, Place, Still, findings
from analysis_lib.studies.gradcam.tables import pose_table
from analysis_lib.words import percent

PARTS = {"left arm": 0.2, "right arm": 0.2, "left leg": 0.2, "right leg": 0.2, "torso": 0.2}
GROUPS = {"throw": "upper body", "kick": "lower body", "sit": "full body"}


def layers(mean=(1, 2, 8, 10), mass=(1, 2, 8, 10), similarity=(0.1, 0.2, 0.3, 0.4), repeat=0.9):
    similarity = np.asarray(similarity)
    columns = {"mean": mean, "mass": mass, "similarity": similarity, "low": similarity - 0.05}
    return pd.DataFrame({"layer": range(1, len(mean) + 1), **columns, "high": similarity + 0.05, "repeat": repeat})


def parts(**tops):
    """Return shares at two layers: even at the first; at the last 0.6 on one part of each action."""
    rows = []
    for (c, top), layer, (part, joints) in itertools.product(tops.items(), (1, 2), PARTS.items()):
        share = 0.2 if layer == 1 else 0.6 if part == top else 0.1
        rows.append((c, GROUPS[c], layer, part, joints, share))
    return pd.DataFrame(rows, columns=["class", "group", "layer", "part", "joints", "share"])


def importance(**values):
    """Return the last layer's importance by class, slice and joint; layer 1 says otherwise."""
    rows = [
        (c, layer, s + 1, "abc"[j], x if layer == 2 else 99)
        for c, array in values.items()
        for layer in (1, 2)
        for (s, j), x in np.ndenumerate(np.array(array))
    ]
    return pd.DataFrame(rows, columns=["class", "layer", "slice", "joint", "importance"])


def joints(**values):
    rows = [(c, joint, x) for c, v in values.items() for joint, x in zip("abc", v, strict=True)]
    return pd.DataFrame(rows, columns=["class", "joint", "importance"])


def forgetting(*last):
    """Return the means of the last of two layers after each step, the first layer's being large."""
    rows = [(step, k, m) for step, x in zip("hba", last, strict=False) for k, m in ((1, 0.9), (2, x))]
    table = pd.DataFrame(rows, columns=["forgotten", "layer", "mean"])
    return table.assign(low=table["mean"] - 0.1, high=table["mean"] + 0.1, blank=0.0)


def gains(deletion=(0.2, 0.1, 0.3)):
    rows = [("deletion", "motion", 7, 2, *deletion), ("insertion", "random", 7, 2, 0.2, 0.1, 0.3)]
    return pd.DataFrame(rows, columns=["test", "against", "clips", "own", "mean", "low", "high"])


def strength(trained=(0.1, 0.2, 0.7), untrained=(0.3, 0.3, 0.4), reach=0.15):
    trained, untrained = np.array(trained), np.array(untrained)
    table = pd.DataFrame({"layer": range(1, len(trained) + 1), "clips": 40, "trained": trained, "untrained": untrained})
    difference = trained - untrained
    return table.assign(difference=difference, all_low=difference - reach, all_high=difference + reach)


def early(less=-0.3, reach=0.1, seeds=(np.nan, np.nan)):
    columns = ["of", "clips", "trained", "trained_low", "trained_high", "untrained", "difference", "low", "high"]
    rows = [("mean", 40, 0.2, 0.1, 0.3, 0.2 - less, less, less - reach, less + reach), ("mass", 40, *[9.0] * 7)]
    return pd.DataFrame(rows, columns=columns).assign(seeds_low=seeds[0], seeds_high=seeds[1])


def targets(first=0.3, last=-0.4, reach=0.1):
    clip, target = np.array([0.5, 0.3, 0.2]), np.array([0.5 - first, 0.3, 0.2 - last])
    columns = {"layer": [1, 2, 3], "pairs": [9, 7, 9], "clip": clip, "target": target, "difference": clip - target}
    table = pd.DataFrame(columns)
    ends = {end: table["difference"] + by * reach for end, by in (("low", -1), ("high", 1))}
    return table.assign(**ends, all_low=table["difference"] - 2 * reach, all_high=table["difference"] + 2 * reach)


def stillness(named=("kick", "kick", "nod", "kick")):
    table = pd.DataFrame({"clip": range(4), "explained": ["kick", "nod", "nod", "sit"]})
    shown = (table.assign(baseline="average", used=False, named="sit"), table.assign(baseline="still", used=True))
    return pd.concat([shown[0], shown[1].assign(named=list(named))])


def found(actions=("throw", "kick", "sit"), late=3, **other):
    """Return the findings of a plain set of tables, some of them others."""
    flat = importance(throw=[[1, 1, 1]], kick=[[1, 1, 1]], sit=[[1, 1, 1]])
    tables = {"layers": layers(), "parts": parts(throw="right arm", kick="left arm", sit="torso"), "table": flat}
    tables |= {"counterfactual": flat, "joints": joints(sit=[1, 2, 3]), "released": joints(sit=[1, 2, 3])}
    tables |= {"randomisation": forgetting(0.1), "masking_gain": gains()}
    return findings(tables | other, actions, late)


def test_growth_is_shares_of_all_layers_and_the_largest_rise():
    growth = found().growth
    assert (growth.first, growth.last, *growth.rise) == pytest.approx((1 / 21, 10 / 21, 2 / 21, 8 / 21))
    assert growth.after == 2
    assert (growth.mostly, growth.most) == (3, pytest.approx(18 / 21))
    assert found(layers=layers([3], [3], [0.1])).growth is None
    assert found(layers=layers([0, 0], [0, 0], [0, 0])).growth is None
    up, down = (found(layers=layers(mean, mean, [0, 0])).growth for mean in ([0, 2], [2, 0]))
    assert (up.first, up.last, up.rise) == (0, 1, (0, 1))
    assert (down.first, down.last, down.rise) == (1, 0, None)


@pytest.mark.parametrize(
    ("less", "weak"), [(-0.3, Verdict.HOLDS), (0.3, Verdict.FAILS), (-0.05, Verdict.UNDECIDED), (np.nan, None)]
)
def test_early_layers_beside_untrained_ones(less, weak):
    learnt = found(strength=strength(), early=early(less)).learnt
    assert (learnt.clips, learnt.ends) == (40, (0.3, 0.4))
    assert (learnt.stronger, learnt.weaker) == ((3,), (1,))
    assert learnt.weak == (weak or Verdict.UNDECIDED)
    assert learnt.early == Estimate(0.2, 0.1, 0.3)
    assert np.isnan(less) or learnt.untrained == pytest.approx(0.2 - less)
    assert learnt.seeds is None
    told = found(strength=strength(), early=early(less, seeds=(0.1, 0.25)))
    assert told.learnt.seeds == (0.1, 0.25)
    assert f"{percent(0.1)} to {percent(0.25)} over networks of several seeds" in words.learnt(told)


def test_untrained_networks_may_be_missing_or_their_maps_zero():
    assert found().learnt is found().targets is found().still is None
    assert found(strength=strength(untrained=(np.nan,) * 3), early=early()).learnt is None
    late = found(strength=strength(), early=early()[:0]).learnt
    assert (late.less, late.weak) == (None, Verdict.UNTESTED)


@pytest.mark.parametrize(("first", "general"), [(0.3, Verdict.HOLDS), (-0.3, Verdict.FAILS), (0.05, Verdict.UNDECIDED)])
def test_first_maps_follow_the_clip_or_the_class(first, general):
    it = found(targets=targets(first)).targets
    assert (it.pairs, it.general) == (9, general)
    assert (it.clip, it.target) == ((1,) * (first > 0.2), (1, 3) if first < -0.2 else (3,))
    assert it.last == Alike(3, 0.2, pytest.approx(0.6), it.last.difference)
    assert it.last.difference.value == pytest.approx(-0.4)
    assert found(targets=targets(np.nan)).targets is None


def test_what_is_said_of_a_person_who_does_not_move():
    assert found(stillness=stillness()).still == Still("still", 4, "kick", 0.75, ("kick", "nod"))
    assert found(stillness=stillness(["hop"] * 4)).still == Still("still", 4, "hop", 1, ())


def test_places_name_the_limbs_that_should_have_moved():
    throw, kick, sit = found().places
    assert (throw.part, throw.limb, sit.part, sit.limb) == ("right arm", "", "torso", "")
    assert throw.ratio == pytest.approx(3)
    assert (kick.part, kick.limb) == ("left arm", "leg")
    assert kick.limb_ratio == pytest.approx(0.5)
    blank = found(["throw", "sit"], parts=parts(throw="left leg")).places
    assert (blank[0].limb, blank[1]) == ("arm", Place("sit"))
    assert found(["kick"], parts=parts(kick="left leg")).places[0].limb == ""
    early = parts(kick="left leg").query("layer == 1")  # as at the last layer its map is zero
    assert found(["kick"], parts=early).places == (Place("kick"),)
    assert found(["kick"], parts=early).limbs == (Limbs("lower body", "leg", 1, 0, 0),)


def test_limbs_are_counted_by_super_class():
    assert found().limbs == (Limbs("upper body", "arm", 1, 0, 1), Limbs("lower body", "leg", 1, 0, 0))
    assert found(["sit"], parts=parts(sit="torso")).limbs == ()


@pytest.mark.parametrize(
    ("mean", "mass", "weak"),
    [
        ((1, 10, 10, 10), (1, 10, 10, 10), (True, True)),
        ((1, 10, 10, 10), (9, 10, 10, 10), (True, False)),
        ((9, 10, 10, 10), (20, 10, 10, 10), (False, False)),
    ],
)
def test_early_layers_are_weak_or_not(mean, mass, weak):
    early = found(layers=layers(mean, mass)).early
    assert (early.layers, early.late, early.weak) == (1, 3, weak)
    assert early.mean == pytest.approx(mean[0] / 10)


def test_early_and_late_are_a_choice_and_may_be_missing():
    assert found(late=2).early.mean == pytest.approx(1.5 / 9)
    assert found(late=4).early is None
    with pytest.raises(UserError, match="late is the number of last layers, at least 1, got 0"):
        found(late=0)


@pytest.mark.parametrize(
    ("similarity", "repeat", "course", "specific"),
    [
        ((0.1, 0.1, 0.2, 0.4), 0.8, (1, False, True), Verdict.HOLDS),
        ((0.9, 0.8, 0.6, 0.4), 0.95, (4, True, False), Verdict.UNDECIDED),
        ((0.3, 0.3, 0.28, 0.3), 0.2, (3, False, False), Verdict.FAILS),
        ((0.3, 0.2, 0, 0.3), 0.2, (3, True, True), Verdict.FAILS),
        ((0.3, 0.2, np.nan, 0.28), 0.2, (2, False, False), Verdict.FAILS),
    ],
)
def test_early_maps_are_common_specific_or_noise(similarity, repeat, course, specific):
    early = found(layers=layers(similarity=similarity, repeat=repeat)).early
    assert (early.at, early.part, early.join) == course
    assert (early.specific, early.repeat) == (specific, repeat)
    assert early.last == Estimate(similarity[3], similarity[3] - 0.05, similarity[3] + 0.05)


def test_shares_of_time():
    table = importance(kick=[[1, 0, 0], [1, 1, 0], [0, 1, 0]], sit=np.zeros((3, 3)))
    assert found(["kick", "sit"], table=table, counterfactual=table).times == {"kick": (0.25, 0.5, 0.25), "sit": ()}


def test_what_speaks_for_and_against():
    table, against = importance(kick=[[5, 1, 1]], sit=[[1, 1, 1]]), importance(kick=[[0, 2, 3]], sit=[[0, 0, 0]])
    balances = found(["kick", "sit"], table=table, counterfactual=against).balances
    assert balances == (Balance("kick", "a", "c", 2, 3, 2 / 5), balances[1])
    assert (balances[1].least, balances[1].outweighed) == ("", 0)
    assert np.isnan(balances[1].share)


def test_two_variants_are_compared_where_both_have_maps():
    one = joints(kick=[3, 2, 1], nod=[1, 2, 3], sit=[3, 2, 1])
    other = joints(kick=[9, 5, 1], nod=[3, 2, 1], sit=[0, 0, 0])
    it = found(joints=one, released=other).agreement
    assert (it.empty, it.actions, it.same_first) == (1, 3, 1)
    assert (it.mean, it.least, it.largest) == pytest.approx((0, -1, 1))
    nothing = found(joints=one, released=one.assign(importance=0)).agreement
    assert (nothing.empty, nothing.actions) == (3, 3)


@pytest.mark.parametrize(
    ("last", "most", "passed"),
    [((0.1, -0.3), -0.3, Verdict.HOLDS), ((0.1, 0.45), 0.45, Verdict.UNDECIDED), ((-0.7, 0.1), -0.7, Verdict.FAILS)],
)
def test_forgetting_passes_or_fails_by_the_last_layer(last, most, passed):
    it = found(randomisation=forgetting(*last)).forgetting
    assert (it.step, it.steps, it.first.value, it.passed) == ("h", 2, last[0], passed)
    assert it.most == Estimate(most, most - 0.1, most + 0.1)


def test_maps_that_are_left_without_any_order_are_not_called_forgotten():
    half = forgetting(0.0, 0.1).assign(blank=[0, 1, 0, 0.5])
    assert (found(randomisation=half).forgetting.step, found(randomisation=half).forgetting.steps) == ("b", 1)
    assert found(randomisation=half.assign(blank=1)).forgetting is None


@pytest.mark.parametrize(
    ("gain", "better"),
    [
        ((0.2, 0.1, 0.3), Verdict.HOLDS),
        ((-0.2, -0.3, -0.1), Verdict.FAILS),
        ((0.0, -0.1, 0.1), Verdict.UNDECIDED),
        ((0.0, 0.0, 0.0), Verdict.UNDECIDED),
    ],
)
def test_an_order_beats_another_or_not(gain, better):
    first, second = found(masking_gain=gains(gain)).gains
    assert first == Gain("deletion", "motion", 7, Estimate(*gain), better, own=2)
    assert (second.test, second.against, second.better) == ("insertion", "random", Verdict.HOLDS)


def test_what_could_not_be_tried_is_not_spoken_of():
    without = found(randomisation=None)
    assert without.forgetting is None
    assert words.randomisation(without) == ""


def test_the_pose_is_that_of_the_clip_seen_from_the_front():
    stick = Skeleton("stick", ("left foot", "right foot", "hip"), ((0, 2), (1, 2)), pairs=((0, 1),))
    turned, front = (np.tile([[-w, 0, 0], [w, 0, 0], [0, 1, 0]], (1, 9, 1, 1)) for w in (0.1, 0.5))
    front[0, :, 2, 1] = np.arange(9)
    table = pose_table(SkeletonDataset("toy", stick, [turned, front], np.zeros(2, int), ("kick",)))
    assert set(table["clip"]) == {"clip 1"}
    places = table.set_index(["slice", "joint"])
    assert places.loc[(slice(None), "hip"), "y"].tolist() == [1, 4, 7]  # middles of the thirds
    assert places.loc[(1, "left foot"), ["x", "y"]].tolist() == [-0.5, 0]


NUMBERS = st.one_of(st.sampled_from([0.0, np.nan]), st.floats(-1, 1))


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.5, 3.0]), NUMBERS, NUMBERS), min_size=1, max_size=40),
    st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=2, max_size=2),
    st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), max_size=4),
)
def test_sentences_never_contradict_their_numbers(rows, by_lot, steps):
    mean, similarity, repeat = map(np.array, zip(*rows, strict=True))
    table = layers(mean, mean, similarity, repeat)
    tests = [(test, "random", 7, 0, *one) for test, one in zip(("deletion", "insertion"), by_lot, strict=True)]
    gain = pd.DataFrame(tests, columns=["test", "against", "clips", "own", "mean", "low", "high"])
    forgotten = pd.DataFrame([("h", 2, *one) for one in steps], columns=["forgotten", "layer", "mean", "low", "high"])
    forgotten["blank"] = 0.0
    seen = found(layers=table, masking_gain=gain, randomisation=forgotten)
    answer, early, random = words.answer(seen), words.early(seen), words.randomisation(seen)
    check_all(answer, words.numbers(seen), words.masking(seen))
    check(early)
    check(random)
    (matters, _), (beyond_motion, _) = words.verdicts(seen)
    assert beyond_motion == Verdict.UNTESTED
    assert (matters == Verdict.HOLDS) == all(value > 0 and 0 < low <= high for value, low, high in by_lot)
    assert matters != Verdict.FAILS or any(value < 0 for value, *_ in by_lot)
    assert ("tell of the action." not in early) or np.isnan(repeat[0]) or repeat[0] > similarity[0] + 0.05
    assert ("tell nothing" not in early) or repeat[0] <= similarity[0]
    lowest = np.nanmin(similarity) if not np.isnan(similarity).all() else 0
    assert ("they part" not in early) or similarity[0] > lowest
    assert ("part into actions with depth" not in early) or similarity[-1] <= lowest + 0.1 + 1e-9
    assert ("share more" not in early) or similarity[-1] > lowest
    if seen.growth:
        rest = mean[seen.growth.mostly - 1 :].sum() / mean.sum()
        assert rest == pytest.approx(seen.growth.most)
        assert rest > 0.5 >= mean[seen.growth.mostly :].sum() / mean.sum() - 1e-9
    assert ("learnt, holds" not in random) or all(np.isnan(one[0]) or abs(one[0]) < 0.5 for one in steps)


@given(
    st.lists(st.tuples(NUMBERS, NUMBERS, st.floats(0, 0.6)), min_size=1, max_size=12),
    st.tuples(NUMBERS, NUMBERS, st.one_of(st.floats(0, 0.6), st.just(np.nan))),
    st.lists(st.sampled_from(["kick", "nod", "hop"]), min_size=4, max_size=4),
)
def test_sentences_of_the_controls_never_contradict_their_numbers(by_layer, ends, named):
    first, second, reach = map(np.array, zip(*by_layer, strict=True))
    made = targets(reach=reach[0]).iloc[[0] * len(first)].assign(layer=range(1, len(first) + 1), difference=first)
    made = made.assign(all_low=first - reach, all_high=first + reach, low=first - reach / 2, high=first + reach / 2)
    controls = {"strength": strength(np.abs(first), np.abs(second), reach), "early": early(ends[0], ends[2])}
    seen = found(targets=made, stillness=stillness(named), **controls)
    check_answer(words.answer(seen))
    for text in (words.learnt(seen), words.targets(seen), words.still(seen), words.shown(["kick"], seen.still)):
        check(text or "-")
    verdicts = {text: verdict for verdict, text in words.verdicts(seen)}
    for text, verdict in verdicts.items():
        if "weaker" in text:
            assert (verdict == Verdict.HOLDS) == bool(ends[0] < 0 and ends[0] + ends[2] < 0)
        if "follow the clip" in text:
            assert (verdict == Verdict.HOLDS) == bool(first[0] - reach[0] / 2 > 0)
    assert ("cannot tell" in words.still(seen)) == (named[0] == "kick" or "nod" in named[1:3] or named[3] == "sit")


def test_maps_that_are_zero_are_not_compared():
    dead = found(layers=layers([0, 0, 0, 0], [0, 0, 0, 0], repeat=np.nan))
    assert dead.growth is None
    assert np.isnan(dead.early.mean)
    assert "cannot be compared" in words.early(dead)
