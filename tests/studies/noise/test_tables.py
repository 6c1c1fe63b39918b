"""Noise tables: what is disturbed and what stays, on a small network; accuracies by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import t

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.faults import gaussian_noise
from analysis_lib.datasets.preparation.recipe import Preprocessing, clip_tensors
from analysis_lib.errors import UserError
from analysis_lib.geometry.embeddings import embed
from analysis_lib.geometry.graphs import nnk_graph
from analysis_lib.geometry.layerwise import dataset_graphs, layer_embeddings
from analysis_lib.geometry.smoothness import label_smoothness
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.stgcn import STGCN
from analysis_lib.networks.untrained import untrained_twins
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.statistics.intervals import wilson_interval
from analysis_lib.statistics.several_networks import mean_of_draws
from analysis_lib.studies.noise.tables import (
    ALL,
    CHOSEN,
    choose_actions,
    climb_table,
    disturbed,
    disturbed_predictions,
    learnt_noise,
    noise_smoothness,
    noisy_curves,
    of_actions,
    other_curves,
    robustness_table,
)
from analysis_lib.warping.options import Warping

STICK = Skeleton("stick", ("foot", "knee", "hip"), ((0, 1), (1, 2)), centre=2)
NAMES = ("kick", "jump", "wave", "absent")


@pytest.fixture
def data(rng):
    labels = np.repeat([0, 1, 2], 5)
    clips = [rng.normal(size=(1, 6 + i % 4, 3, 3)) + [2 * c, 1, -c] for i, c in enumerate(labels)]
    return SkeletonDataset("toy", STICK, clips, labels, NAMES, ("lower", "lower", "upper", "upper"))


@pytest.fixture
def network():
    torch.manual_seed(0)
    model = STGCN(STICK, 4, width=0.0625).eval()
    prepare = Preprocessing(frames=8, fit="pad", steps=("first-bodies", "centre-clip"), centre=2)
    return Checkpoint("toy", model, model.layer_names[:2], prepare, {})


def test_without_a_wish_the_first_action_of_each_super_class_is_chosen(data):
    assert choose_actions(data) == ("kick", "wave")
    assert choose_actions(data, ["wave", "jump", "wave"]) == ("wave", "jump")
    assert of_actions(data, ["kick", "wave"]).tolist() == [True] * 5 + [False] * 5 + [True] * 5


def test_an_action_without_clips_is_refused(data):
    with pytest.raises(
        UserError,
        match=r"unknown action with clips in 'toy' 'absent'; choices: "
        r"jump, kick, wave$",
    ):
        choose_actions(data, ["kick", "absent"])


def test_noise_on_one_action_alone_is_refused(data):
    with pytest.raises(UserError, match="noise needs clips of at least two actions, and dataset 'toy' has one here"):
        choose_actions(data.take(np.flatnonzero(data.labels == data.labels[0])))


def test_disturbed_clips_reach_the_network_as_they_were_made(data, network):
    x, lengths = clip_tensors(data, network.preprocessing)
    noisy, achieved = gaussian_noise(x, lengths, 20, np.random.default_rng(3))
    bare, clips, got = disturbed(network, data, "noise", 20, seed=3)
    given, valid = clip_tensors(clips, bare.preprocessing)
    np.testing.assert_array_equal(given, noisy)
    np.testing.assert_array_equal(valid, lengths)
    np.testing.assert_array_equal(got, achieved)
    assert bare.model is network.model


def test_an_unknown_perturbation_is_refused(data, network):
    with pytest.raises(UserError, match="unknown perturbation 'nois'; did you mean 'noise'"):
        disturbed(network, data, "nois", 20)


def smoothness(network, data, levels=(30.0, 10.0), actions=("kick", "wave"), **options):
    clean = layer_embeddings(network, data)
    given = {"n_neighbors": 4, "n_seeds": 2, "n_bootstrap": 40} | options
    return noise_smoothness(noisy_curves(network, data, actions, levels, clean, **given))


def expected_q(network, data, where, level, seeds, how):
    """Return q by layer and class from whole tensors and whole distance matrices."""
    x, lengths = clip_tensors(data, network.preprocessing)
    found = []
    for seed in seeds:
        noisy, _ = gaussian_noise(x, lengths, level, np.random.default_rng(seed))
        mixed = np.where(where[:, None, None, None, None], noisy, x)
        graphs = dataset_graphs(embed(network.model, mixed, lengths, network.layers), 4, how=how)
        found.append([label_smoothness(g.graph, data.labels) for g in graphs])
    return np.mean(found, axis=0)


@pytest.mark.parametrize("n_windows", [4, 1])
@pytest.mark.parametrize(
    ("noisy", "level", "seeds"), [("chosen", 30.0, (0, 1)), ("chosen", 10.0, (0, 1)), ("all", 10.0, (0,))]
)
def test_the_graph_is_that_of_the_mixed_set(data, network, noisy, level, seeds, n_windows):
    table = smoothness(network, data, how=Warping(n_windows))
    where = np.ones(15, bool) if noisy == "all" else of_actions(data, ["kick", "wave"])
    q = expected_q(network, data, where, level, seeds, Warping(n_windows))
    rows = table[(table["noisy"] == noisy) & (table["psnr"] == level)]
    assert (rows["draws"] == len(seeds)).all()
    for name, c in (("kick", 0), ("wave", 2)):
        assert rows.loc[rows["name"] == name, "q"].to_numpy() == pytest.approx(q[:, c], abs=1e-4)


def test_by_people_the_mixed_graph_is_built_anew_without_one_of_them(data, network):
    people, where = np.tile(range(5), 3), of_actions(data, ["kick", "wave"])
    clean, given = layer_embeddings(network, data), {"n_seeds": 1, "n_bootstrap": 20_000, "people": people}
    curves = noisy_curves(network, data, ("kick", "wave"), [10.0], clean, 4, **given)
    x, lengths = clip_tensors(data, network.preprocessing)
    noisy, _ = gaussian_noise(x, lengths, 10.0, np.random.default_rng(0))
    mixed = np.where(where[:, None, None, None, None], noisy, x)
    for i, layer in enumerate(dataset_graphs(embed(network.model, mixed, lengths, network.layers), 4)):
        without = []
        for who in range(5):
            kept = np.flatnonzero(people != who)
            graph, _ = nnk_graph(1 - layer.distance[np.ix_(kept, kept)], 4)
            without.append(label_smoothness(graph, data.labels[kept])[[0, 2]])
        error = np.sqrt(4 / 5 * ((without - np.mean(without, axis=0)) ** 2).sum(axis=0))
        low, high = np.quantile(curves.found["chosen", 10.0][2][:, i], [0.025, 0.975], axis=0)
        np.testing.assert_allclose((high - low) / 2, t.ppf(0.975, 4) * error, rtol=0.08, atol=1e-4)


def test_distances_come_from_the_store_or_the_scheduler(data, network, tmp_path, monkeypatch):
    monkeypatch.setenv("STGBOOK_STORE", str(tmp_path))
    first = smoothness(network, data)
    monkeypatch.setenv("STGBOOK_SCHEDULER", "nobody")
    pd.testing.assert_frame_equal(smoothness(network, data), first)
    with pytest.raises(UserError, match="no Dask scheduler answers at 'nobody'"):
        smoothness(network, data, [11.0])


def test_one_layer_is_enough(data, network):
    shallow = replace(network, layers=network.layers[:1])
    table = smoothness(shallow, data, [20.0], ["kick"])
    assert table["layer"].unique().tolist() == [0, 1]
    assert climb_table(table)["climb"].tolist() == [0, 0, 0]


def test_clean_rows_and_changes_belong_together(data, network):
    table = smoothness(network, data)
    conditions = dict.fromkeys(zip(table["noisy"], table["psnr"].fillna(0), strict=True))
    assert list(conditions) == [("none", 0), ("chosen", 30), ("chosen", 10), ("all", 10)]
    assert table["layer_name"].unique().tolist() == ["input", *network.layers]
    assert dict(zip(table["name"], table["group"], strict=True)) == {"kick": "lower", "wave": "upper"}
    clean = table[table["noisy"] == "none"].set_index(["layer", "name"])
    assert not clean[["change", "change_low", "change_high"]].to_numpy().any()
    for _, row in table.iterrows():
        before = clean.loc[(row["layer"], row["name"]), "q"]
        assert row["change"] == pytest.approx(row["q"] - before)
        assert row["low"] <= row["high"]


def test_noise_too_weak_to_matter_changes_nothing_and_has_a_narrow_interval(data, network):
    """The same clips are drawn in both graphs: unpaired intervals would be as wide as those of q."""
    table = smoothness(network, data, [90.0]).query("noisy == 'chosen'")
    assert table["change"].abs().max() < 0.01
    assert (table["change_high"] - table["change_low"]).max() < 0.02
    assert (table["high"] - table["low"]).max() > 0.1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"levels": ()}, "noise needs at least one PSNR level, such as 20 dB"),
        ({"levels": (np.nan,)}, "the PSNR must be a finite number of decibels, got nan"),
        ({"n_seeds": 0}, "n_seeds must be at least 1, got 0"),
        ({"n_neighbors": 15}, r"neighbours must lie in 1\.\.14 for 15 nodes, got 15"),
    ],
)
def test_what_cannot_be_measured_is_refused(data, network, options, message):
    with pytest.raises(UserError, match=message) as error:
        smoothness(network, data, **options)
    assert "\n" not in str(error.value)


def test_predictions_are_those_of_the_disturbed_tensor(data, network):
    found = disturbed_predictions(network, data, ["jump"], {"noise": [30.0, 10.0], "jitter": [2]}, n_seeds=2, seed=5)
    counts = found.groupby(["kind", "strength", "seed"], sort=False, dropna=False).size()
    assert counts.index[0][0] == "none"
    assert counts.tolist() == [15] + [5] * 6
    x, lengths = clip_tensors(data.of_classes(["jump"]), network.preprocessing)
    noisy, achieved = gaussian_noise(x, lengths, 10.0, np.random.default_rng(6))
    rows = found.query("kind == 'noise' and strength == 10 and seed == 6")
    with torch.no_grad():
        said = network.model(torch.from_numpy(noisy)).argmax(1)
    assert rows["predicted"].tolist() == [NAMES[i] for i in said]
    assert rows["clip"].tolist() == list(range(5, 10))
    assert set(rows["action"]) == {"jump"}
    np.testing.assert_allclose(rows["achieved"], achieved)
    assert (found["right"] == (found["predicted"] == found["action"])).all()


def test_options_reach_the_perturbation(data, network):
    with pytest.raises(UserError, match="unknown place of a hidden joint 'nowhere'"):
        disturbed_predictions(network, data, ["jump"], {"occlusion": [0.3]}, 1, 0, {"occlusion": {"place": "nowhere"}})


def by_hand():
    """Return four clips of a (two disturbed draws) and four of b, three of each right when clean."""
    clips = {"clip": range(8), "action": list("aaaabbbb"), "right": [1, 1, 1, 0] * 2}
    clean = pd.DataFrame({"kind": "none", "strength": np.nan, "seed": 0} | clips)
    draws = [
        pd.DataFrame({"kind": "noise", "strength": 20.0, "seed": seed, "clip": range(4), "action": "a", "right": right})
        for seed, right in enumerate(([1, 0, 0, 0], [1, 1, 0, 0]))
    ]
    return pd.concat([clean, *draws], ignore_index=True)


def test_accuracies_by_hand():
    table = robustness_table(by_hand(), ["a"]).set_index(["kind", "set"])
    noisy = table.loc["noise"]
    assert noisy["accuracy"].to_dict() == {CHOSEN: 0.375, ALL: (1.5 + 3) / 8, "a": 0.375}
    assert noisy["change"].to_dict() == {CHOSEN: -0.375, ALL: -1.5 / 8, "a": -0.375}
    assert noisy.loc["a", ["seeds_low", "seeds_high"]].tolist() == [0.25, 0.5]
    assert noisy["clips"].to_dict() == {CHOSEN: 4, ALL: 8, "a": 4}
    assert noisy.loc["a", ["low", "high"]].tolist() == pytest.approx(wilson_interval(1.5, 4))
    assert table.loc["none", "accuracy"].tolist() == [0.75] * 3
    assert not table.loc["none", ["change", "change_low", "change_high"]].to_numpy().any()


def test_the_interval_of_a_change_is_that_of_pairs():
    """Clips of a lose 0, 0.5, 1 and 0: their mean over all resamplings, by exhaustion."""
    row = robustness_table(by_hand(), ["a"], n_bootstrap=20_000).query("kind == 'noise'").iloc[0]
    losses = np.array([0, -0.5, -1, 0])
    means = losses[np.stack(np.meshgrid(*[range(4)] * 4), -1).reshape(-1, 4)].mean(axis=1)
    expected = np.quantile(means, [0.025, 0.975])
    assert row[["change_low", "change_high"]].tolist() == pytest.approx(expected, abs=0.13)


def test_clips_that_never_change_leave_room_for_others():
    same = by_hand().assign(right=1)
    row = robustness_table(same, ["a"]).query("kind == 'noise' and set == 'a'").iloc[0]
    assert row["change"] == 0
    assert row["change_high"] == -row["change_low"] == pytest.approx(1 - 0.05 ** (1 / 4))  # of 4 clips, each may still


def test_what_was_learnt_is_the_change_beyond_that_of_untrained_networks(data, network):
    clean = layer_embeddings(network, data)
    given = {"seed": 3, "n_bootstrap": 40, "how": Warping(2)}
    trained = noisy_curves(network, data, ("kick", "wave"), [30.0, 10.0], clean, 4, n_seeds=2, **given)
    untrained = other_curves(untrained_twins(network, data, 2, seed=3), trained, 4, **given)
    table = learnt_noise(trained, untrained)
    assert [sorted(str(key[0]) for key in curves.found) for curves in untrained] == [["chosen", "none"]] * 2
    own = [smoothness(network, data, (10.0,), n_neighbors=4, **given)]
    for twin in untrained_twins(network, data, 2, seed=3):
        own.append(smoothness(twin, data, (10.0,), n_neighbors=4, **given | {"n_seeds": 1}))
    changes = [rows[rows["noisy"] == "chosen"].groupby("layer")["change"].mean().to_numpy() for rows in own]
    np.testing.assert_allclose(table["trained"], changes[0])
    np.testing.assert_allclose(table["untrained"], np.mean(changes[1:], axis=0))
    np.testing.assert_allclose(table["difference"], table["trained"] - table["untrained"])
    after = table[table["layer"] > 0]
    np.testing.assert_allclose(after["growth"], after["difference"] - after["difference"].iloc[0])
    assert (table["psnr"].unique(), table["draws"].unique()) == (10, 2)
    assert table.loc[0, ["all_low", "growth"]].isna().all()
    again = [(c.found["chosen", 10.0][2] - c.clean[1]).mean(axis=2) for c in (trained, *untrained)]
    twins = mean_of_draws(np.stack(changes[1:]), np.stack(again[1:]))[1]
    bounds = np.nanquantile(again[0] - twins, [0.025, 0.975], axis=0)
    np.testing.assert_allclose(table[["low", "high"]].T, bounds)
    assert after.eval("all_high - all_low >= 0").all()


def test_networks_of_other_seeds_give_a_range_and_change_nothing_else(data, network):
    given = {"n_bootstrap": 20, "control": False}
    curves = [
        noisy_curves(one, data, ("kick",), [10.0], layer_embeddings(one, data), 4, 1, **given)
        for one in (network, *untrained_twins(network, data, 3, seed=3))
    ]
    table, alone = learnt_noise(curves[0], curves[1:2], curves[2:]), learnt_noise(*curves[:1], curves[1:2])
    changes = np.stack([one.mean_change("chosen", 10.0)[0] for one in (curves[0], *curves[2:])])
    np.testing.assert_allclose(table["seeds_low"], changes.min(axis=0))
    np.testing.assert_allclose(table["seeds_high"], changes.max(axis=0))
    assert alone[["seeds_low", "seeds_high"]].isna().all(axis=None)
    pd.testing.assert_frame_equal(table.filter(regex="^(?!seeds)"), alone.filter(regex="^(?!seeds)"))


def test_the_same_network_has_learnt_nothing(data, network):
    curves = noisy_curves(network, data, ("kick",), [10.0], layer_embeddings(network, data), 4, 1, n_bootstrap=20)
    alone = noisy_curves(
        network, data, ("kick",), [10.0], layer_embeddings(network, data), 4, 1, n_bootstrap=20, control=False
    )
    table = learnt_noise(curves, [alone])
    assert not table[["difference", "low", "high"]].any(axis=None)  # the same clips are drawn for both
    assert learnt_noise(curves, []).empty
    assert other_curves([], curves, 4) == []
