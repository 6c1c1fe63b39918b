"""Sentences of the GradCAM chapter: they say what the tables say, and the opposite where it is so."""

import itertools

import numpy as np
import pandas as pd
import pytest

from analysis_lib.errors import UserError
from analysis_lib.studies.gradcam import words as report

PARTS = {"left arm": 0.2, "right arm": 0.2, "left leg": 0.2, "right leg": 0.2, "torso": 0.2}
GROUPS = {"throw": "upper body", "kick": "lower body", "sit": "full body"}


def layer_table(mean, mass, similarity, repeat=0.9, width=0.05):
    similarity = np.asarray(similarity)
    return pd.DataFrame(
        {
            "layer": range(1, len(mean) + 1),
            "mean": mean,
            "mass": mass,
            "similarity": similarity,
            "low": similarity - width,
            "high": similarity + width,
            "repeat": repeat,
        }
    )


def part_table(**tops):
    """Return shares at two layers: even at the first; at the last 0.6 on one part of each action."""
    rows = [
        {
            "class": c,
            "group": GROUPS[c],
            "layer": layer,
            "part": part,
            "joints": joints,
            "share": 0.2 if layer == 1 else 0.6 if part == top else 0.1,
        }
        for (c, top), layer, (part, joints) in itertools.product(tops.items(), (1, 2), PARTS.items())
    ]
    return pd.DataFrame(rows)


def gain_table(deletion=(0.2, 0.1, 0.3), insertion=(0.2, 0.1, 0.3), motion=(0.0, -0.1, 0.1)):
    rows = [
        {"test": test, "against": other, "clips": 7, "mean": v[0], "low": v[1], "high": v[2]}
        for test, random in (("deletion", deletion), ("insertion", insertion))
        for other, v in (("motion", motion), ("random", random))
    ]
    return pd.DataFrame(rows)


RISE = layer_table([1, 2, 8, 10], [1, 2, 8, 10], [0.1, 0.2, 0.3, 0.4])
WORSE = (-0.2, -0.3, -0.1)


@pytest.mark.parametrize(
    ("gain", "verdict"),
    [
        (gain_table(), "first does matter to"),
        (gain_table(insertion=WORSE), "first matters by one of two tests only to"),
        (gain_table(WORSE, WORSE), "first does not matter clearly to"),
    ],
)
def test_the_answer_quotes_steps_places_and_checks(gain, verdict):
    parts = part_table(throw="right arm", kick="left arm", sit="torso")
    text = report.gradcam_answer(RISE, parts, gain, list(GROUPS)).data
    assert "at the last layer is 10.0 times that at the first" in text
    assert "from layer 2 to 3 (4.0 times)" in text
    assert "*throw*: right arm (3.0); *kick*: left arm (3.0), not the legs (0.5); *sit*: torso (3.0)." in text
    assert verdict in text


def test_a_kick_on_the_leg_is_no_negative_result():
    text = report.gradcam_answer(RISE, part_table(kick="left leg"), gain_table(), ["kick"]).data
    assert "*kick*: left leg (3.0). What" in text
    blank = report.gradcam_answer(RISE, part_table(kick="left leg"), gain_table(), ["sit"]).data
    assert "*sit*: nowhere, its map is zero" in blank


def test_limbs_are_counted_by_super_class():
    text = report.limbs_answer(part_table(throw="right arm", kick="left arm", sit="torso")).data
    assert text == (
        "Of 1 actions of the upper body, the arms have more than their even share in 0 at the first "
        "layer and in 1 at the last; of 1 actions of the lower body, the legs have more than their "
        "even share in 0 at the first layer and in 0 at the last."
    )
    plain = part_table(sit="torso")
    assert "name no limbs" in report.limbs_answer(plain).data


@pytest.mark.parametrize(
    ("mean", "mass", "verdict"),
    [
        ([1, 10, 10, 10], [1, 10, 10, 10], "(less than half) holds."),
        ([1, 10, 10, 10], [9, 10, 10, 10], "(less than half) holds by one of the two only."),
        ([9, 10, 10, 10], [20, 10, 10, 10], "(less than half) does not hold."),
    ],
)
def test_early_layers_are_weak_or_not(mean, mass, verdict):
    text = report.early_answer(layer_table(mean, mass, [0.2] * 4)).data
    assert verdict in text
    assert f"layers 1 to 1 has {10 * mean[0]} % of" in text


@pytest.mark.parametrize(
    ("similarity", "repeat", "alike", "noise"),
    [
        ([0.1, 0, 0, 0.4], 0.8, "no common map early on", "even the first layer's maps tell"),
        (
            [0.9, 0, 0, 0.4],
            0.95,
            "0.40 [0.35, 0.45] at layer 4: so the maps do part",
            "is no higher than between actions, so the first",
        ),
        ([0.3, 0, 0, 0.3], 0.2, "no clear difference", "0.20, is no higher"),
    ],
)
def test_early_maps_are_common_specific_or_noise(similarity, repeat, alike, noise):
    text = report.early_answer(layer_table([1] * 4, [1] * 4, similarity, repeat)).data
    assert alike in text
    assert noise in text


def test_without_early_layers_there_is_nothing_to_say():
    assert "With 2 layers" in report.early_answer(layer_table([1, 2], [1, 2], [0, 0])).data


def importance_table(values):
    """Return the last layer's importance by class, slice and joint; layer 1 says otherwise."""
    rows = [
        {"class": c, "layer": layer, "slice": s + 1, "joint": joint, "importance": x if layer == 2 else 99}
        for c, array in values.items()
        for layer in (1, 2)
        for (s, j), x in np.ndenumerate(np.array(array))
        for joint in ["abc"[j]]
    ]
    return pd.DataFrame(rows)


def test_importance_by_time():
    table = importance_table({"kick": [[1, 0, 0], [1, 1, 0], [0, 1, 0]], "nod": np.zeros((3, 3))})
    text = report.time_answer(table, ["kick", "nod"]).data
    assert "*kick* 25 % (start), 50 % (middle), 25 % (end); *nod* none." in text


def test_what_speaks_for_and_against():
    plain = importance_table({"kick": [[5, 1, 1]], "nod": [[1, 1, 1]]})
    against = importance_table({"kick": [[0, 2, 3]], "nod": [[0, 0, 0]]})
    text = report.counterfactual_answer(plain, against, ["kick", "nod"]).data
    assert text == (
        "*kick*: a most for, c most against; against outweighs for at 2 of 3 joints; "
        "*nod*: a most for, no joint against; against outweighs for at 0 of 3 joints."
    )


def test_two_variants_are_compared_where_both_have_maps():
    def joints(**values):
        rows = [
            {"class": c, "joint": joint, "importance": x}
            for c, v in values.items()
            for joint, x in zip("abc", v, strict=True)
        ]
        return pd.DataFrame(rows)

    one = joints(kick=[3, 2, 1], nod=[1, 2, 3], sit=[3, 2, 1])
    text = report.released_answer(one, joints(kick=[9, 5, 1], nod=[3, 2, 1], sit=[0, 0, 0])).data
    assert "1 of 3 actions are empty. For the other 2" in text
    assert "0.00 in the mean (−1.00 to 1.00), and the first joint is the same for 1." in text
    nothing = joints(kick=[0] * 3, nod=[0] * 3, sit=[0] * 3)
    assert "all 3 actions are empty" in report.released_answer(one, nothing).data


@pytest.mark.parametrize(
    ("last", "verdict"),
    [
        ([0.1, -0.3], "by −0.30 [−0.40, −0.20]: the maps follow"),
        ([0.1, 0.45], "by 0.45 [0.35, 0.55]: part of the map is the input's"),
        ([-0.6, 0.1], "by −0.60 [−0.70, −0.50]: part of the map is the input's"),
    ],
)
def test_forgetting_passes_or_fails_by_the_last_layer(last, verdict):
    mean = np.array([0.9, last[0], 0.9, last[1]])
    table = pd.DataFrame(
        {
            "forgotten": ["head", "head", "b", "b"],
            "layer": [1, 2, 1, 2],
            "mean": mean,
            "low": mean - 0.1,
            "high": mean + 0.1,
        }
    )
    assert verdict in report.randomisation_answer(table).data


@pytest.mark.parametrize(
    ("motion", "verdict"),
    [
        ((0.2, 0.1, 0.3), "take the score down sooner than in the order of motion (0.20 [0.10, 0.30])"),
        (WORSE, "take the score down later than in the order of motion (−0.20 [−0.30, −0.10])"),
        ((0.0, -0.1, 0.1), "no sooner and no later, as far as one can tell, than in the order of motion"),
    ],
)
def test_masking_beats_the_other_orders_or_not(motion, verdict):
    text = report.masking_answer(gain_table(motion=motion)).data
    assert verdict in text
    assert "sooner than at random (0.20 [0.10, 0.30]). Given back in that order, they raise" in text
    assert "mean of 7 clips" in text


def test_three_different_actions_are_drawn():
    assert report.three(("a", "b", "c")) == ["a", "b", "c"]
    for wrong in (["a", "b"], ["a", "b", "b"]):
        with pytest.raises(UserError, match="three different actions, got"):
            report.three(wrong)
