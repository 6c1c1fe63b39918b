"""Transfer runs: what is planned, kept and resumed; their accuracies and their forecast."""

import importlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import Preprocessing
from analysis_lib.datasets.sampling import sample_per_class
from analysis_lib.errors import UserError
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.hooks import HEAD, captured, cascade_steps
from analysis_lib.networks.stgcn import STGCN
from analysis_lib.networks.training import fine_tuning
from analysis_lib.skeletons.layouts import layout
from analysis_lib.statistics.intervals import mean_interval
from analysis_lib.studies.transfer import runs
from analysis_lib.studies.transfer.runs import Target, Tuning, as_target, plan
from analysis_lib.studies.transfer.tables import (
    choice_table,
    final_table,
    forecast_table,
    probe_table,
    size_curves,
    transfer_table,
)

SKELETON = layout("kinect-20")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    model = STGCN(SKELETON, 2, width=0.0625, dropout=0.0).eval()
    card = {"architecture": "stgcn", "arguments": {"width": 0.0625, "dropout": 0.0}, "skeleton": SKELETON.to_dict()}
    card |= {"class_names": ["a", "b"], "in_channels": 3}
    return Checkpoint("small", model, model.layer_names, Preprocessing(frames=16, centre=1), card)


@pytest.fixture(scope="module")
def clips():
    rng, labels = np.random.default_rng(0), np.repeat(np.arange(3), 6)
    x = [rng.normal(size=(1, 12, 20, 3)) + label for label in labels]
    return SkeletonDataset("new", SKELETON, tuple(x), labels, ("x", "y", "z"))


@pytest.fixture(scope="module")
def target(network, clips):
    return as_target(network, clips, clips.take(range(0, 18, 2)))


def table_of(network, target, **options):
    return transfer_table(network, target, [1, 3], [0, 2], n_seeds=2, epochs=2, score_every=1, **options)


def test_every_case_is_run_at_every_size_and_seed(network, target):
    table, predictions = table_of(network, target)
    done = predictions.groupby(["case", "cut", "clips_per_class", "seed"]).size()
    cases = [("head", 0, 1), ("head", 0, 3), ("last 2 + head", 2, 1), ("last 2 + head", 2, 3), ("scratch", 10, 3)]
    assert set(done.index) == {(*case, seed) for case in cases for seed in (0, 1)}
    assert set(done) == {len(target.test_labels)}
    last = table[table["epoch"] == 2].set_index(["case", "clips_per_class", "seed"])["accuracy"]
    for key, part in predictions.groupby(["case", "clips_per_class", "seed"]):
        assert last[key] == pytest.approx((part["label"] == part["predicted"]).mean())
    small = table[(table["clips_per_class"] == 1) & (table["epoch"] == 1)]
    assert small["accuracy"].isna().all()  # read at the largest size only
    assert table.loc[table["clips_per_class"] == 3, "accuracy"].notna().all()


def test_the_old_head_reads_new_numbers_as_old_ones(network, target):
    table, _ = transfer_table(network, target, [1], [0], n_seeds=1, epochs=1)
    old = table[table["case"] == "old head"].iloc[0]
    with torch.no_grad():
        named = network.model(torch.from_numpy(target.test_x)).argmax(1).numpy()
    assert old["accuracy"] == (named == target.test_labels).mean()
    assert np.isnan(old["loss"])  # two classes cannot name three
    fewer = Target(target.x, target.labels % 2, target.test_x, target.test_labels % 2, 2)
    table, _ = transfer_table(network, fewer, [1], [0], n_seeds=1, epochs=1)
    assert table.loc[table["case"] == "old head", "loss"].notna().all()


def test_an_interrupted_table_goes_on_from_the_last_epoch_and_is_kept(network, target, tmp_path, monkeypatch):
    whole = table_of(network, target)
    monkeypatch.setenv("STGBOOK_STORE", str(tmp_path / "store"))
    monkeypatch.setattr(runs, "STATES", tmp_path / "states")
    real, calls = fine_tuning.train_epoch, []

    def counted(*args, **options):
        calls.append(args)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*args, **options)

    monkeypatch.setattr(fine_tuning, "train_epoch", counted)
    with pytest.raises(KeyboardInterrupt):
        table_of(network, target)
    assert len(list((tmp_path / "states").glob("*.pt"))) == 1
    resumed = table_of(network, target)
    assert len(calls) == 1 + 2 * 10  # two epochs of ten runs; one was broken off and done again
    assert list((tmp_path / "states").glob("*")) == []
    monkeypatch.setattr(fine_tuning, "fine_tune", None)  # nothing may run
    for expected, *found in zip(whole, resumed, table_of(network, target), strict=True):
        for frame in found:
            pd.testing.assert_frame_equal(expected, frame)


def test_a_network_of_your_own_learns_anew_when_its_code_changes(network, target, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_net.py").write_text(
        "from analysis_lib.networks.stgcn import STGCN\nimport own_parts\nclass Own(STGCN): parts = own_parts\n"
    )
    (tmp_path / "own_parts.py").write_text("FACTOR = 1\n")
    own = importlib.import_module("own_net").Own(SKELETON, 2, width=0.0625)
    checkpoint = Checkpoint("own_net:Own", own, own.layer_names, network.preprocessing, {})
    asked = plan(checkpoint, target, [1], [0], 1, 1)
    before = Tuning(checkpoint, target, asked, 1).code
    assert Tuning(checkpoint, target, asked, 1).code == before
    (tmp_path / "own_parts.py").write_text("FACTOR = 2\n")
    assert Tuning(checkpoint, target, asked, 1).code != before


@pytest.mark.parametrize(
    ("sizes", "cuts", "seeds", "epochs", "text"),
    [
        ([2], [11], 1, 1, "cut 11: the network has 10 layers"),
        ([0], [0], 1, 1, "clips_per_class must be at least 1"),
        ([7], [0], 1, 1, "has 6 clips"),
        ([], [0], 1, 1, "at least one set size"),
        ([2], [0], 0, 1, "one seed"),
        ([2], [0], 1, 0, "one epoch"),
    ],
)
def test_plans_that_cannot_be_run(network, target, sizes, cuts, seeds, epochs, text):
    with pytest.raises(UserError, match=text):
        plan(network, target, sizes, cuts, seeds, epochs)


def predictions_of(right):
    """Return predictions of four clips: right[case, cut, size][seed] says which are right."""
    rows = [
        {"case": case, "cut": cut, "clips_per_class": size, "seed": seed, "clip": i, "label": 0, "predicted": 1 - r}
        for (case, cut, size), seeds in right.items()
        for seed, clips in enumerate(seeds)
        for i, r in enumerate(clips)
    ]
    return pd.DataFrame(rows)


RIGHT = {
    ("head", 0, 2): [[1, 1, 0, 0], [1, 0, 0, 0]],
    ("all", 2, 2): [[1, 1, 1, 1], [1, 1, 1, 0]],
    ("scratch", 2, 2): [[0, 0, 0, 0], [1, 0, 0, 0]],
}


def test_final_accuracy_is_the_mean_of_the_seeds():
    final = final_table(predictions_of(RIGHT)).set_index("case")
    assert final.loc["head", ["accuracy", "seeds_low", "seeds_high"]].tolist() == [0.375, 0.25, 0.5]
    assert final.loc["all", "accuracy"] == 0.875
    assert (final["low"] <= final["accuracy"]).all()
    assert (final["accuracy"] <= final["high"]).all()


def test_intervals_by_people_are_those_of_who_is_seen_in_the_clips():
    right = predictions_of({("head", 0, 2): [[1, 1, 0, 0, 1, 1]], ("all", 2, 2): [[1, 1, 1, 1, 0, 0]]})
    forecasts = forecast_table(curve([0.8, 0.6, 0.5]), curve([0.9, 0.4, 0.1]), [0, 2])
    people = np.array([0, 0, 1, 1, 2, 2])
    final = final_table(right, people=people).set_index("case")
    wanted = mean_interval(np.array([1.0, 1, 0, 0, 1, 1]), n_bootstrap=1000, people=people)
    assert final.loc["head", ["accuracy", "low", "high"]].tolist() == [wanted[k] for k in ("mean", "low", "high")]
    assert (
        final.loc["head", "low"] < final_table(right).set_index("case").loc["head", "low"]
    )  # people differ, not clips
    by_people, by_clips = (choice_table(forecasts, right, people=who).set_index("rule") for who in (people, None))
    assert by_people.loc["always cut 2", "high"] > by_clips.loc["always cut 2", "high"]


def curve(values, size=2):
    return pd.DataFrame({"clips_per_class": size, "seed": 0, "layer": range(len(values)), "q": values})


def test_forecasts_by_hand():
    table = forecast_table(curve([0.8, 0.6, 0.5]), curve([0.9, 0.4, 0.1]), [0, 1, 2])
    values = table.pivot(index="cut", columns="forecast", values="value")
    assert values["target's curve"].tolist() == [0.5, 0.6, 0.8]
    np.testing.assert_allclose(values["target's against source's"], [0.5, 0.6 * 0.1 / 0.4, 0.8 * 0.1 / 0.9])
    with pytest.raises(UserError, match="cut 3: the network has 2 layers"):
        forecast_table(curve([0.8, 0.6, 0.5]), curve([0.9, 0.4, 0.1]), [3])


def test_choices_are_held_against_the_best_cut():
    forecasts = forecast_table(curve([0.8, 0.6, 0.5]), curve([0.9, 0.4, 0.1]), [0, 2])
    choices = choice_table(forecasts, predictions_of(RIGHT)).set_index("rule")
    assert choices["best_cut"].unique().tolist() == [2]
    assert choices.loc["always cut 2", ["lost", "low", "high"]].tolist() == [0, 0, 0]
    assert choices.loc["target's curve", "cut"] == 0
    assert choices.loc["target's curve", "lost"] == 0.5
    assert choices.loc["target's against source's", "cut"] == 2
    assert choices["rho"].isna().all()  # two cuts have no order to speak of


def test_agreement_is_spearmans():
    right = {("c", cut, 2): [row] for cut, row in enumerate([[1, 0, 0, 0], [1, 1, 1, 0], [1, 1, 0, 0]])}
    forecasts = forecast_table(curve([0.8, 0.6, 0.5]), curve([0.9, 0.9, 0.9]), [0, 1, 2])
    choices = choice_table(forecasts, predictions_of(right)).set_index("rule")
    expected = spearmanr([-0.5, -0.6, -0.8], [0.25, 0.75, 0.5]).statistic
    assert choices.loc["target's curve", "rho"] == pytest.approx(expected)


def test_curves_of_small_sets_have_a_point_a_layer(network, clips):
    curves = size_curves(network, clips, [1, 4], n_neighbors=10, n_seeds=2)
    assert len(curves) == 2 * 2 * 11
    assert curves["q"].between(0, 1).all()
    alone = curves[curves["clips_per_class"] == 1]
    assert (alone["q"] == 1).all()  # with one clip a class all edges leave their class


def test_a_probe_reads_what_the_head_is_given(network, target):
    """By another route: the last layer's output, averaged as the network does, and a probe fitted to it anew."""
    scaled = lambda x, labels: x * (1 + 2 * labels[:, None, None, None, None]).astype(np.float32)  # noqa: E731
    target = replace(
        target, x=scaled(target.x, target.labels), test_x=scaled(target.test_x, target.test_labels)
    )  # actions that differ in size
    table = probe_table(network, target, [1, 3], n_seeds=2, seed=5)
    assert table[["clips_per_class", "seed"]].to_numpy().tolist() == [[1, 5], [1, 6], [3, 5], [3, 6]]

    def pooled(x):
        with captured(network.model, network.layers[-1:]) as outputs, torch.no_grad():
            network.model(torch.from_numpy(x))
        return outputs[network.layers[-1]].mean((2, 3)).unflatten(0, (len(x), -1)).mean(1).numpy()

    chosen = sample_per_class(target.labels, 3, 6)
    x, given = pooled(target.test_x), pooled(target.x[chosen])
    probe = LogisticRegression(max_iter=2000).fit((given - given.mean(0)) / given.std(0), target.labels[chosen])
    expected = probe.score((x - given.mean(0)) / given.std(0), target.test_labels)
    assert table["accuracy"].iloc[-1] == pytest.approx(expected)
    assert expected > 0.8
    assert set(table["n_test"]) == {len(target.test_labels)}
    head = network.model.get_submodule(cascade_steps(network.model, target.x[:1], network.layers)[HEAD][-1])
    assert not head._forward_pre_hooks
