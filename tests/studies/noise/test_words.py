"""Sentences on noise: they say what the tables say, whichever way it went."""

import numpy as np
import pandas as pd
import pytest

from analysis_lib.studies.noise.tables import ALL, CHOSEN
from analysis_lib.studies.noise.words import (
    achieved_report,
    climb_report,
    climb_table,
    curves_report,
    mark_report,
    mistaken_report,
    noise_answer,
    robustness_report,
)


def smoothness(chosen=(-0.2, -0.1), everyone=(0.1, 0.3)):
    """Return two actions at the input and two layers; changes are those of (hop, fall) at each."""
    rows = []
    for noisy, psnr, changes in (
        ("none", np.nan, (0, 0)),
        ("chosen", 30.0, (0, 0)),
        ("chosen", 20.0, chosen),
        ("all", 20.0, everyone),
    ):
        for layer in (0, 1, 2):
            for name, change in zip(("hop", "fall"), changes, strict=True):
                shift = -9 if layer == 0 else change  # the input must not be judged
                rows.append((noisy, psnr, layer, name, 0.5 + shift, 0.4, 0.6, shift, shift - 0.15, shift + 0.15))
    return pd.DataFrame(
        rows, columns=["noisy", "psnr", "layer", "name", "q", "low", "high", "change", "change_low", "change_high"]
    )


def scores(noise=((30.0, -0.01), (20.0, -0.4)), jitter=((2, 0.0), (8, 0.3))):
    """Return changes from 90 % by kind and strength; those of at least 0.1 are clear."""
    rows = []
    for kind, changes in (("none", [(np.nan, 0.0)]), ("noise", noise), ("jitter", jitter)):
        for strength, change in changes:
            for name in (CHOSEN, ALL, "hop", "fall"):
                part = change / 10 if name == ALL else change
                rows.append((kind, strength, name, 80, 0.6 + part, part, part - 0.1, part + 0.1))
    return pd.DataFrame(
        rows, columns=["kind", "strength", "set", "clips", "accuracy", "change", "change_low", "change_high"]
    )


@pytest.mark.parametrize(
    ("everyone", "verdict"),
    [
        (
            (0.1, 0.3),
            "by +0.20 if all actions are: noise on only a few actions marks them, and so hides part of the damage.",
        ),
        ((-0.3, -0.2), "by -0.25 if all actions are: that noise on only a few actions would mark them is not seen."),
    ],
)
def test_the_answer(everyone, verdict):
    text = noise_answer(smoothness(everyone=everyone), scores()).data
    assert text.startswith("**Answer.** With white Gaussian noise at 20 dB on hop and fall the ")
    assert "from 60.0 % to 20.0 % (-40.0 points, 95 % interval -50.0 to -30.0)." in text
    assert "changes by -0.15 on average if only they are noisy" in text
    assert text.endswith(verdict)


def test_points_that_change_clearly_are_counted_without_the_input():
    text = curves_report(smoothness(chosen=(-0.2, 0.3))).data
    assert "Points are 2 actions by 2 layers; of 4 intervals, 0.2 leave out zero by chance." in text
    assert "At 30 dB label variation is clearly lower at 0 of 4 points and clearly higher at 0;" in text
    assert (
        "At 20 dB label variation is clearly lower at 2 of 4 points and clearly higher at 2; the "
        "largest change is +0.30 (fall, layer 1)." in text
    )


def curve(noisy, psnr, name, q, width=0.1):
    return pd.DataFrame(
        {
            "noisy": noisy,
            "psnr": psnr,
            "name": name,
            "layer": range(len(q)),
            "q": q,
            "low": np.subtract(q, width),
            "high": np.add(q, width),
        }
    )


def climbs(strong, weak, width=0.1):
    curves = [
        curve("none", np.nan, "drop", [9, 0.5, 0.4, 0.7, 0.1, 0.3], width),
        curve("none", np.nan, "hop", [0, 0.9, 0.8, 0.85, 0.2, 0.1]),
        curve("chosen", 30.0, "drop", [0, 0.5, 0.5 + weak]),
        curve("chosen", 20.0, "drop", [0, 0.5, 0.5 + strong]),
        curve("all", 20.0, "drop", [0, 0.1, 0.9]),
    ]
    return climb_table(pd.concat(curves))


def test_a_climb_is_the_largest_rise_after_the_input():
    table = climbs(0.1, 0.2)
    assert table["climb"].tolist() == pytest.approx([0.3, 0.05, 0.2, 0.1, 0.8])
    assert table["margin"].tolist() == pytest.approx([0.1] * 5)
    assert table["name"].tolist() == ["drop", "hop", "drop", "drop", "drop"]


@pytest.mark.parametrize(
    ("strong", "weak", "verdict"),
    [
        (0.1, 0.2, "goes the same way here."),
        (0.4, 0.5, "does not hold here."),
        (0.1, 0.5, "goes the same way only at 20 dB."),
    ],
)
def test_the_paper_on_the_curve_that_climbs(strong, weak, verdict):
    text = climb_report(climbs(strong, weak)).data
    assert "that of drop: by 0.30, more than the margin of one of its points (±0.10)." in text
    assert f"climbs by {weak:.2f} (30 dB) and {strong:.2f} (20 dB)." in text
    assert text.endswith(f"that noise steadies such a curve, {verdict}")


def test_a_climb_within_the_margin_says_little():
    text = climb_report(climbs(0.1, 0.2, width=0.4)).data
    assert "less than the margin of one of its points (±0.40), so that there is little to steady" in text


def test_smoother_and_yet_named_wrongly():
    text = mark_report(smoothness(), scores()).data
    assert "at 4 of 4 points, by +0.35 on average." in text
    assert text.endswith("fewer of their clips rightly: hop (-0.20; -40.0 points).")
    milder = mark_report(smoothness(), scores(noise=((30.0, 0.0), (20.0, -0.05)))).data
    assert milder.endswith("rightly: none.")


def test_what_each_fault_costs():
    text = robustness_report(scores()).data
    assert (
        "- *Gaussian noise*: clearly costs accuracy at 20 dB (-40.0 points, 95 % interval -50.0 to "
        "-30.0). At the strongest, 20 dB, 20.0 % of the clips of these actions are named rightly." in text
    )
    assert (
        "- *Unsteady time stamps*: no clear loss at any strength; clearly raises it at shifts of up "
        "to 8 frames (+30.0 points, 95 % interval +20.0 to +40.0)." in text
    )


@pytest.mark.parametrize(
    ("worst", "sentence"),
    [
        (-0.4, "no larger than that at 30 dB, and larger at 20 dB."),
        (-0.1, "no larger than that at 30 and 20 dB, and larger at no level."),
    ],
)
def test_the_loss_of_the_mixed_set_beside_the_papers(worst, sentence):
    text = robustness_report(scores(noise=((30.0, -0.01), (20.0, worst)))).data
    assert "On the mixed set of 80 clips, accuracy changes by -0.1 (30 dB) and " in text
    assert "The paper, which gives no level, reports -1.9. Here the loss is " + sentence in text


def test_the_worst_miss_of_a_level():
    found = pd.DataFrame(
        {"kind": ["none", "noise", "noise", "jitter"], "strength": [0, 20, 30, 2], "achieved": [9, 20.01, 29.97, 0]}
    )
    text = achieved_report(found).data
    assert text == "Measured on 2 noisy clips, the level is never more than 0.03 dB off."


def predictions(*pairs):
    """Return noisy clips at 15 dB by (action, predicted), and others that must not count."""
    rows = [("noise", 15.0, *pair) for pair in pairs]
    rows += [("noise", 30.0, "a", "z"), ("noise", 30.0, "a", "z"), ("jitter", 2.0, "a", "z")]
    found = pd.DataFrame(rows, columns=["kind", "strength", "action", "predicted"])
    return found.assign(right=found["action"] == found["predicted"])


def test_an_action_that_noise_is_taken_for_is_not_called_robust():
    text = mistaken_report(predictions(*["ah"] * 2, "ab", "aa", *["hh"] * 3, "hb")).data
    assert "At 15 dB, 50.0 % of the clips that are named wrongly are taken for h." in text
    assert "That 75.0 % of the clips of h are named rightly there is then no sign" in text


def test_noise_that_is_taken_for_another_action_flatters_none():
    text = mistaken_report(predictions("ab", "ab", "aa")).data
    assert text == "At 15 dB, 100.0 % of the clips that are named wrongly are taken for b."
    assert mistaken_report(predictions("aa")).data == ("At 15 dB every clip is still named rightly.")
