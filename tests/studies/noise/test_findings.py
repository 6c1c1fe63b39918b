"""Findings on noise as numbers: two actions at an input, which is not judged, and at two layers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentences import check, check_all, check_answer

from analysis_lib.statistics.estimates import Verdict
from analysis_lib.studies.noise import words
from analysis_lib.studies.noise.findings import findings
from analysis_lib.studies.noise.tables import ALL, CHOSEN, climb_table


def smoothness(chosen=(-0.2, -0.1), everyone=(0.1, 0.3), names=("hop", "fall")):
    """Return changes of each action at every layer; intervals reach 0.15 to both sides."""
    conditions = [("none", np.nan, (0, 0)), ("chosen", 30.0, (0, 0)), ("chosen", 20.0, chosen), ("all", 20.0, everyone)]
    rows = []
    for noisy, psnr, changes in conditions:
        for layer in (0, 1, 2):
            for name, change in zip(names, changes, strict=False):
                q = 0.5 + 0.1 * layer * (name == "hop")
                shift = -9 if layer == 0 else change
                rows.append((noisy, psnr, layer, name, q + shift, q - 0.1, q + 0.1, shift, shift - 0.15, shift + 0.15))
    columns = ["noisy", "psnr", "layer", "name", "q", "low", "high", "change", "change_low", "change_high"]
    return pd.DataFrame(rows, columns=columns)


def scores(noise=((30.0, -0.01), (20.0, -0.4)), jitter=((2, 0.0), (8, 0.3))):
    """Return changes from 60 % by kind and strength; those of more than 0.1 are clear."""
    rows = []
    for kind, changes in (("none", [(np.nan, 0.0)]), ("noise", noise), ("jitter", jitter)):
        for strength, change in changes:
            for name in (CHOSEN, ALL, "hop", "fall"):
                part = change / 10 if name == ALL else change
                rows.append((kind, strength, name, 80, 0.6 + part, part, part - 0.1, part + 0.1))
    columns = ["kind", "strength", "set", "clips", "accuracy", "change", "change_low", "change_high"]
    return pd.DataFrame(rows, columns=columns)


def predictions(*pairs):
    """Return noisy clips at 20 dB by action and answer, and others that must not count."""
    rows = [("noise", 20.0, 20.02, *pair) for pair in pairs]
    rows += [("noise", 30.0, 29.969, "a", "z"), ("noise", 30.0, 30.0, "a", "z"), ("jitter", 2.0, 0.0, "a", "z")]
    found = pd.DataFrame(rows, columns=["kind", "strength", "achieved", "action", "predicted"])
    return found.assign(right=found["action"] == found["predicted"])


def learnt(*differences, reach=0.1):
    difference = np.array([0.0, *differences])
    table = pd.DataFrame({"psnr": 20.0, "draws": 2, "layer": range(len(difference)), "untrained": 0.1})
    table = table.assign(trained=0.1 + difference, difference=difference, growth=difference - difference[1])
    for of, by in (("", 1), ("all_", 2)):
        table = table.assign(**{f"{of}low": difference - by * reach, f"{of}high": difference + by * reach})
    return table.assign(growth_low=table["growth"] - reach, growth_high=table["growth"] + reach)


def found(curves=None, accuracy=None, said=("aa",), reported=-0.019, added=None):
    curves = smoothness() if curves is None else curves
    accuracy = scores() if accuracy is None else accuracy
    return findings(curves, climb_table(curves), accuracy, predictions(*said), reported, added)


@pytest.mark.parametrize(
    ("differences", "dearer", "higher", "lower"),
    [
        ((-0.3, 0.15), Verdict.HOLDS, (), (1,)),
        ((0.4, -0.3), Verdict.FAILS, (1,), (2,)),
        ((0.0, 0.05), Verdict.UNDECIDED, (), ()),
    ],
)
def test_noise_beside_untrained_networks(differences, dearer, higher, lower):
    it = found(added=learnt(*differences)).learnt
    assert (it.level, it.draws, it.dearer, it.higher, it.lower) == (20, 2, dearer, higher, lower)
    assert (it.trained, it.untrained) == pytest.approx((0.1 + differences[1], 0.1))
    assert it.growth.value == pytest.approx(differences[1] - differences[0])


def test_without_untrained_networks_nothing_is_said_of_them():
    assert found().learnt is found(added=learnt(0.1)[:0]).learnt is found(added=learnt(0.1, np.nan)).learnt is None
    assert words.learnt(None) == words.learnt(found()) == ""
    assert len(words.verdicts(found())) == 2


@given(st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=5), st.one_of(st.floats(0, 0.6), st.just(np.nan)))
def test_sentences_on_untrained_networks_never_contradict_their_numbers(differences, reach):
    here = found(added=learnt(*differences, reach=reach))
    check(words.learnt(here))
    assert (here.learnt.dearer == Verdict.HOLDS) == bool(differences[-1] > 0 and differences[-1] - reach > 0)
    assert ("surely above" in words.learnt(here)) == any(x - 2 * reach > 0 for x in differences)


@pytest.mark.parametrize(
    ("everyone", "seen", "gap"),
    [((0.3, 0.4), Verdict.HOLDS, 0.5), ((0.05, 0.3), Verdict.UNDECIDED, 0.325), ((-0.6, -0.5), Verdict.FAILS, -0.4)],
)
def test_the_noisiest_graph_with_noise_on_some_and_on_all(everyone, seen, gap):
    here = found(smoothness(everyone=everyone))
    assert (here.level, here.actions, here.n_layers, here.n_points) == (20, ("hop", "fall"), 2, 4)
    assert (here.clean, here.costly) == (0.6, Verdict.HOLDS)
    noisy, change = here.noisy, here.noisy.change
    assert (noisy.strength, noisy.accuracy) == (20, pytest.approx(0.2))
    assert (change.value, change.low, change.high) == pytest.approx((-0.4, -0.5, -0.3))
    assert (here.chosen_change, here.all_change, here.gap) == pytest.approx((-0.15, sum(everyone) / 2, gap))
    assert (here.marks, here.higher) == (seen, 4 if gap > 0 else 0)


def test_smoother_and_yet_named_wrongly():
    assert found().parted == (("hop", pytest.approx(-0.2), -0.4),)  # fall is not clearly smoother
    assert found(accuracy=scores(noise=((30.0, 0.0), (20.0, -0.05)))).parted == ()


def test_points_that_change_clearly_are_counted_without_the_input():
    weak, strong = found(smoothness(chosen=(-0.2, 0.3))).curves
    assert (weak.level, weak.lower, weak.higher) == (30, 0, 0)
    assert (strong.level, strong.lower, strong.higher) == (20, 2, 2)
    assert (strong.largest, strong.action, strong.layer) == (pytest.approx(0.3), "fall", 1)


def climbs(strong, weak, clean=0.3):
    rows = [("none", np.nan, "drop", clean), ("none", np.nan, "hop", clean / 2)]
    rows += [("chosen", 30.0, "drop", weak), ("chosen", 20.0, "drop", strong), ("all", 20.0, "drop", 0.8)]
    return pd.DataFrame(rows, columns=["noisy", "psnr", "name", "climb"]).assign(margin=0.1)


@pytest.mark.parametrize(
    ("strong", "weak", "clean", "verdict"),
    [
        (0.1, 0.15, 0.3, Verdict.HOLDS),
        (0.5, 0.1, 0.3, Verdict.FAILS),
        (0.1, 0.25, 0.3, Verdict.UNDECIDED),  # by less than the margin
        (0.0, 0.5, 0.0, Verdict.UNTESTED),
    ],
)
def test_the_curve_that_climbs_most(strong, weak, clean, verdict):
    climb = findings(smoothness(), climbs(strong, weak, clean), scores(), predictions("aa"), -0.02).climb
    assert (climb.name, climb.climb, climb.margin, climb.weak) == ("drop", clean, 0.1, clean < 0.1)
    assert (climb.noisy, climb.verdict) == (((30, weak), (20, strong)), verdict)


def test_what_each_fault_costs():
    noise, jitter = found().costs
    assert (noise.kind, noise.lost.strength, noise.gained, noise.strongest) == ("noise", 20, (), noise.lost)
    assert (jitter.kind, jitter.lost, [s.strength for s in jitter.gained]) == ("jitter", None, [8])
    assert jitter.strongest.accuracy == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("worst", "within", "beyond", "level_with"),
    [(-2.4, (), (20,), (30,)), (-0.1, (), (), (30, 20)), (1.2, (20,), (), (30,))],
)
def test_the_loss_of_the_mixed_set_beside_the_reported_one(worst, within, beyond, level_with):
    mixed = found(accuracy=scores(noise=((30.0, -0.01), (20.0, worst))))
    assert (mixed.mixed_clips, [s.strength for s in mixed.mixed], mixed.reported) == (80, [30, 20], -0.019)
    assert (mixed.within, mixed.beyond, mixed.level_with) == (within, beyond, level_with)


def test_what_noise_is_taken_for():
    wrong = found(said=[*["ah"] * 2, "ab", "aa", *["hh"] * 3, "hb"])
    assert (wrong.mistaken, wrong.mistaken_share, wrong.mistaken_own) == ("h", 0.5, 0.75)
    assert (wrong.noisy_clips, wrong.worst_miss) == (10, pytest.approx(0.04))
    other = found(said=["ab", "ab", "aa"])
    assert (other.mistaken, other.mistaken_share) == ("b", 1)
    assert np.isnan(other.mistaken_own)
    assert found(said=["aa"]).mistaken == ""


def test_one_action_at_one_level_is_enough():
    curves = smoothness(names=("hop",)).query("psnr != 30")
    one = found(curves, scores(noise=((20.0, -0.4),), jitter=()))
    assert (one.actions, one.n_points, len(one.curves), len(one.mixed), len(one.costs)) == (("hop",), 2, 1, 1, 1)


def test_without_noise_nothing_is_found():
    assert found(accuracy=scores(noise=())) is found(accuracy=scores(noise=((30.0, -0.01),))) is None
    check_all(words.answer(None), words.numbers(None))
    assert not any(say(None) for say in (words.curves, words.climb, words.mark, words.costs, words.mistaken))


PAIRS = st.lists(st.tuples(*[st.one_of(st.floats(-0.5, 0.5), st.just(np.nan))] * 3), min_size=2, max_size=2)


@given(PAIRS, PAIRS, PAIRS)
def test_sentences_never_contradict_their_numbers(alone, everyone, accuracy):
    curves, named = smoothness(), scores()
    names = ("hop", "fall")
    for noisy, changes in (("chosen", alone), ("all", everyone)):
        for name, change in zip(names, changes, strict=True):
            rows = (curves["noisy"] == noisy) & (curves["name"] == name) & (curves["layer"] > 0)
            curves.loc[rows, ["change", "change_low", "change_high"]] = change
    for strength, change in zip((30.0, 20.0), accuracy, strict=True):
        rows = named["strength"] == strength
        named.loc[rows, ["change", "change_low", "change_high"]] = change
    here = found(curves, named)
    answer = words.answer(here)
    texts = (words.numbers(here), words.curves(here), words.climb(here), words.mark(here), words.costs(here))
    check_answer(answer)
    for text in texts:
        check(text)
    value, low, high = accuracy[1]
    (costly, _), (marks, _) = words.verdicts(here)
    assert (costly == Verdict.HOLDS) == (value < 0 and low <= high < 0)
    assert costly != Verdict.FAILS or value >= 0
    assert (words.MARKED in texts[0]) == (marks == Verdict.HOLDS)
    if marks == Verdict.HOLDS:
        assert all(one[2] < other[1] and one[0] < other[0] for one, other in zip(alone, everyone, strict=True))
    if marks == Verdict.FAILS:
        assert any(one[0] > other[0] for one, other in zip(alone, everyone, strict=True))
    lower = sum(q < 0 and low <= high < 0 for q, low, high in alone)
    assert f"At 20 dB label variation is clearly lower at {2 * lower} of 4 points" in texts[1]
