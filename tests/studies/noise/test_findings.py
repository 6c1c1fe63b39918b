"""Findings on noise as numbers: two actions at an input, which is not judged, and at two layers."""

import numpy as np
import pandas as pd
import pytest

from analysis_lib.statistics import Verdict
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
    """Return noisy clips at 15 dB by action and answer, and others that must not count."""
    rows = [("noise", 15.0, 15.02, *pair) for pair in pairs]
    rows += [("noise", 30.0, 29.969, "a", "z"), ("noise", 30.0, 30.0, "a", "z"), ("jitter", 2.0, 0.0, "a", "z")]
    found = pd.DataFrame(rows, columns=["kind", "strength", "achieved", "action", "predicted"])
    return found.assign(right=found["action"] == found["predicted"])


def found(curves=None, accuracy=None, said=("aa",), reported=-0.019):
    curves = smoothness() if curves is None else curves
    accuracy = scores() if accuracy is None else accuracy
    return findings(curves, climb_table(curves), accuracy, predictions(*said), reported)


@pytest.mark.parametrize(("everyone", "seen", "gap"), [((0.1, 0.3), True, 0.35), ((-0.3, -0.2), False, -0.1)])
def test_the_noisiest_graph_with_noise_on_some_and_on_all(everyone, seen, gap):
    here = found(smoothness(everyone=everyone))
    assert (here.level, here.actions, here.n_layers, here.n_points) == (20, ("hop", "fall"), 2, 4)
    assert here.by_chance == pytest.approx(0.2)
    assert here.clean == 0.6
    noisy, change = here.noisy, here.noisy.change
    assert (noisy.strength, noisy.accuracy) == (20, pytest.approx(0.2))
    assert (change.value, change.low, change.high) == pytest.approx((-0.4, -0.5, -0.3))
    assert (here.chosen_change, here.all_change, here.gap) == pytest.approx((-0.15, sum(everyone) / 2, gap))
    assert (here.marks, here.higher) == (seen, 4 if seen else 0)


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
    ("strong", "weak", "clean", "steadied", "verdict"),
    [
        (0.1, 0.2, 0.3, (30, 20), Verdict.HOLDS),
        (0.4, 0.5, 0.3, (), Verdict.FAILS),
        (0.1, 0.5, 0.3, (20,), Verdict.UNDECIDED),
        (0.0, 0.5, 0.0, (), Verdict.UNTESTED),
    ],
)
def test_the_curve_that_climbs_most(strong, weak, clean, steadied, verdict):
    climb = findings(smoothness(), climbs(strong, weak, clean), scores(), predictions("aa"), -0.02).climb
    assert (climb.name, climb.climb, climb.margin, climb.weak) == ("drop", clean, 0.1, clean < 0.1)
    assert climb.noisy == ((30, weak), (20, strong))
    assert (climb.steadied, climb.verdict) == (steadied, verdict)


def test_what_each_fault_costs():
    noise, jitter = found().costs
    assert (noise.kind, noise.lost.strength, noise.gained, noise.strongest) == ("noise", 20, (), noise.lost)
    assert (jitter.kind, jitter.lost, [s.strength for s in jitter.gained]) == ("jitter", None, [8])
    assert jitter.strongest.accuracy == pytest.approx(0.9)


@pytest.mark.parametrize(("worst", "within", "beyond"), [(-0.4, (30,), (20,)), (-0.1, (30, 20), ())])
def test_the_loss_of_the_mixed_set_beside_the_reported_one(worst, within, beyond):
    mixed = found(accuracy=scores(noise=((30.0, -0.01), (20.0, worst))))
    assert (mixed.mixed_clips, [s.strength for s in mixed.mixed], mixed.reported) == (80, [30, 20], -0.019)
    assert (mixed.within, mixed.beyond) == (within, beyond)


def test_what_noise_is_taken_for():
    wrong = found(said=[*["ah"] * 2, "ab", "aa", *["hh"] * 3, "hb"])
    assert (wrong.strongest, wrong.mistaken, wrong.mistaken_share, wrong.mistaken_own) == (15, "h", 0.5, 0.75)
    assert (wrong.noisy_clips, wrong.worst_miss) == (10, pytest.approx(0.04))
    other = found(said=["ab", "ab", "aa"])
    assert (other.mistaken, other.mistaken_share) == ("b", 1)
    assert np.isnan(other.mistaken_own)
    assert found(said=["aa"]).mistaken == ""


def test_one_action_at_one_level_is_enough():
    curves = smoothness(names=("hop",)).query("psnr != 30")
    one = found(curves, scores(noise=((20.0, -0.4),), jitter=()))
    assert (one.actions, one.n_points, len(one.curves), len(one.mixed), len(one.costs)) == (("hop",), 2, 1, 1, 1)
