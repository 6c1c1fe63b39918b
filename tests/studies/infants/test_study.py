"""What the chapter *infants* measures, finds, says and draws."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sentences import check_all, check_answer
from sklearn.metrics import roc_auc_score

from analysis_lib.datasets.preparation.recipe import Preprocessing
from analysis_lib.datasets.synthetic.infants import infants
from analysis_lib.errors import DataError, UserError
from analysis_lib.explain.registry import TITLES
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.statistics.intervals import wilson_interval
from analysis_lib.studies.infants import tables, words
from analysis_lib.studies.infants.figures import plot_scores, plot_truth
from analysis_lib.studies.infants.findings import Findings, findings


class Speed(torch.nn.Module):
    """Scores that are the speed of one joint, and nothing."""

    def forward(self, x):
        speed = x[:, :, :, 5].diff(dim=2).abs().mean(dim=(1, 2, 3))
        return torch.stack([torch.zeros_like(speed), speed], dim=1)


@pytest.fixture(scope="module")
def data():
    return infants(n_infants=8, seconds=10.0)


@pytest.fixture
def network(data):
    prepare = Preprocessing(frames=150, fit="pad", steps=("first-bodies",))
    return Checkpoint("speed", Speed(), (), prepare, {})


def table(scores, fidgets):
    scores = np.asarray(scores, float)
    return pd.DataFrame(
        {"infant": range(len(scores)), "fidgets": fidgets, "windows": 2, "score": scores, "low": scores, "high": scores}
    )


def test_a_score_is_the_median_over_the_windows_of_an_infant(data, network):
    found = tables.infant_table(network, data)
    x = np.stack([clip[0, :, 5] for clip in data.sequences])
    speed = np.abs(np.diff(x, axis=1)).mean(axis=(1, 2))
    mine = 1 / (1 + np.exp(-speed[data.subjects == 3]))
    row = found.set_index("infant").loc[3]
    assert row["windows"] == len(mine) == 3
    assert row["score"] == pytest.approx(np.median(mine), abs=1e-6)
    assert (row["low"], row["high"]) == pytest.approx((mine.min(), mine.max()), abs=1e-6)
    assert row["fidgets"]


def test_windows_without_a_name_are_infants_of_their_own(data, network):
    nameless = replace(data, subjects=np.full(len(data), -1))
    assert len(tables.infant_table(network, nameless)) == len(data)


def test_more_classes_or_infants_of_both_are_refused(data, network):
    with pytest.raises(UserError, match="two classes, without and with; 'infants' has 3"):
        tables.infant_table(network, replace(data, class_names=("a", "b", "c"), groups=("a", "b", "c")))
    with pytest.raises(DataError, match="infant 0 of 'infants' have both classes"):
        tables.infant_table(network, replace(data, labels=np.arange(len(data)) % 2))


def test_the_curve_has_the_area_that_is_told():
    rows = table([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
    roc = tables.roc_table(rows)
    assert np.trapezoid(roc["found"], roc["false_alarms"]) == pytest.approx(0.75)
    assert findings(rows).area.value == roc_auc_score(rows["fidgets"], rows["score"]) == 0.75


def test_one_window_an_infant_is_taken_from_its_middle(data):
    index = tables.middle_windows(data, tables.FOUND, 2)
    assert [data.clips[i] for i in index] == ["infant 1, window 1", "infant 3, window 1"]
    with pytest.raises(UserError, match=r"there is no infant of .* to be explained, of 0 wanted"):
        tables.middle_windows(data, tables.FOUND, 0)
    with pytest.raises(UserError, match=r"there is no infant of .* to be explained, of 2 wanted"):
        tables.middle_windows(data.take(np.flatnonzero(data.labels != tables.FOUND)), tables.FOUND, 2)


def test_what_is_found_by_hand():
    truth = pd.DataFrame(
        [
            ("GradCAM", 1, "a", 5, 0.4, 0.3, 0.49),
            ("GradCAM", 2, "b", 5, 0.8, 0.7, 0.9),
            ("by lot", 1, "", 5, 0.9, 0.8, 1),
        ],
        columns=["method", "layer", "layer_name", "clips", "mean", "low", "high"],
    )
    found = findings(table([0.1, 0.2, 0.8, 0.9] * 5, [False, False, True, True] * 5), truth)
    assert (found.told, found.area.value, found.infants, found.fidgeting) == (Verdict.HOLDS, 1.0, 20, 10)
    some = findings(table([0.1, 0.5, 0.2, 0.8, 0.9], [False, False, True, True, True]))
    assert (some.specificity.value, some.sensitivity.value) == (1 / 2, 2 / 3)  # 0.5 counts as found
    assert some.sensitivity.low == pytest.approx(wilson_interval(2, 3)[0])
    assert found.finds == {"GradCAM": Verdict.HOLDS}  # its last layer; what knows no network is judged by nobody
    assert found.beats_motion is None
    alone = findings(table([0.1, 0.2], [True, True]))
    assert (alone.told, alone.specificity) == (Verdict.UNTESTED, None)


def test_better_than_motion_is_beyond_its_interval():
    ranked = {"GradCAM": GREAT, "joint Shapley": GOOD, "motion energy": Estimate(0.75, 0.7, 0.85)}
    found = Findings(40, 20, 280, AREA, Verdict.HOLDS, ranked)
    assert (found.finding, found.beats_motion) == (["GradCAM", "joint Shapley"], ["GradCAM"])


AREA = Estimate(0.85, 0.7, 0.95, 40)
RATES = {"sensitivity": Estimate(0.75, 0.53, 0.89, 20), "specificity": Estimate(0.8, 0.58, 0.92, 20)}
GREAT = Estimate(0.95, 0.92, 1.0, 10)
GOOD, BAD, OPEN = Estimate(0.8, 0.7, 0.9, 10), Estimate(0.3, 0.2, 0.4, 10), Estimate(0.55, 0.4, 0.7, 10)


def say(found):
    agreement = pd.DataFrame([("GradCAM", "joint Shapley", 9, 0.4, 0.1, 0.7)], columns=AGREEMENT)
    texts = [words.numbers(found), words.joints(found), words.agreement(found, agreement), words.plainly(found)]
    claims = (f"- {verdict}: {text}" for verdict, text in words.verdicts(found))
    return "\n\n".join(filter(None, ["\n".join([words.answer(found, "infants"), *claims]), *texts]))


AGREEMENT = ["one", "other", "clips", "tau", "low", "high"]


def test_the_answer(said):
    ranked = {"GradCAM": GOOD, "joint Shapley": GOOD, "by lot": OPEN}
    found = Findings(40, 20, 280, AREA, Verdict.HOLDS, ranked, **RATES)
    said("all find them", say(found))
    for name, area in (("some", Estimate(0.75, 0.7, 0.8)), ("none", Estimate(0.85, 0.8, 0.9)), ("all", BAD)):
        beside = {"GradCAM": Estimate(0.95, 0.9, 1.0, 10), "joint Shapley": GOOD, "motion energy": area}
        said(f"all find them, {name} better than motion", say(replace(found, ranked=beside)))
    said("one finds them", say(replace(found, ranked={"GradCAM": OPEN, "joint Shapley": GOOD})))
    said("none finds them", say(replace(found, told=Verdict.FAILS, ranked={"GradCAM": BAD})))
    said("truth unknown, undecided", say(replace(found, told=Verdict.UNDECIDED, ranked={})))
    alone = replace(found, told=Verdict.UNTESTED, area=Estimate(float("nan")), ranked={}, specificity=None)
    said("one kind", say(alone))


def test_an_answer_is_short_whatever_methods_find_the_joints():
    names = [name for name in TITLES.values() if name not in ("by lot", "motion energy")]
    for n in range(len(names) + 1):
        for m in range(n + 1):
            ranked = {name: GREAT if i < m else GOOD if i < n else BAD for i, name in enumerate(names)}
            found = Findings(
                40, 20, 280, AREA, Verdict.UNDECIDED, ranked | {"motion energy": Estimate(0.75, 0.7, 0.85)}
            )
            check_answer(words.answer(found, "infants"))
            assert ("only" in words.answer(found, "infants")) == (0 < m < n)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=9), st.floats(0, 1), st.booleans())
def test_sentences_are_whole_whatever_was_found(rows, area, known):
    scores, fidgets = zip(*rows, strict=True)
    columns = ["method", "layer", "layer_name", "clips", "mean", "low", "high"]
    truth = pd.DataFrame([("GradCAM", 1, "a", 3, area, area / 2, (1 + area) / 2)], columns=columns) if known else None
    found = findings(table(scores, list(fidgets)), truth)
    check_all(words.answer(found, "mine"), words.numbers(found), words.joints(found), words.plainly(found))


@pytest.mark.usefixtures("drawn_whole")
def test_figures_are_drawn_whole():
    rows = table([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
    _, curve = plot_scores(rows, tables.roc_table(rows)).axes
    assert curve.lines[0].get_ydata()[-1] == 1
    columns = ["method", "mean", "low", "high"]
    (axes,) = plot_truth(pd.DataFrame([("a", 0.4, 0.3, 0.5), ("b", 0.6, 0.5, 0.7)], columns=columns)).axes
    assert axes.lines[0].get_xdata().tolist() == [0.6, 0.4]
