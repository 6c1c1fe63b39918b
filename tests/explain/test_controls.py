"""Controls of importance maps: each tells maps that know something from maps that do not."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import spearmanr
from scipy.stats import t as student
from torch import nn

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import Preprocessing
from analysis_lib.errors import UserError
from analysis_lib.explain import controls
from analysis_lib.explain.attributions import explain
from analysis_lib.explain.controls import learnt_strength, pairs, stillness_table, swapped_targets, untold
from analysis_lib.explain.method import Maps
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.skeletons.skeleton import Skeleton

JOINTS, FRAMES = 5, 6
CHAIN = Skeleton("chain", tuple("abcde"), tuple((i, i + 1) for i in range(JOINTS - 1)))
PREPARE = Preprocessing(frames=FRAMES, fit="pad", steps=("first-bodies",))
LAYERS = ("one", "two", "three")


class Motion(nn.Module):
    """The score of class c is the energy of joint c; of the third class it is 1, whoever moves."""

    def __init__(self):
        super().__init__()
        self.asked = 0

    def forward(self, x):
        self.asked += len(x)
        energy = (x - x.mean(dim=2, keepdim=True)).square().mean(dim=(1, 2, 4))
        return torch.cat([20 * energy[:, :2], torch.ones(len(x), 1)], dim=1)


@dataclass(frozen=True)
class Known:
    """Maps that are made of the clip, the class and the name of the network: so much of each by layer."""

    clip: tuple = (1.0, 0.0, 0.5)
    target: tuple = (0.0, 1.0, 0.5)

    def __call__(self, network, x, lengths, target):
        of_clip = np.abs(x).mean(axis=(1, 4))  # (N, T, V)
        of_class = np.stack([np.random.default_rng(c).random((FRAMES, JOINTS)) for c in target])
        sizes = {"trained": (1, 2, 5), "drawn 1": (1, 1, 2), "drawn 2": (3, 3, 6)}[network.name]
        maps = [
            (size * (a * of_clip + b * of_class)).astype(np.float32)[:, None]
            for size, a, b in zip(sizes, self.clip, self.target, strict=True)
        ]
        scores = np.zeros((len(x), 3), np.float32)
        return Maps(LAYERS, tuple(maps), (np.asarray(lengths),) * 3, scores, np.asarray(target))


@pytest.fixture
def data(rng):
    """Return clips of three classes by four people, whose joints stray by lot."""
    labels, people = np.tile([0, 1, 2], 8), np.repeat([3, 5, 7, 8], 6)
    clips = rng.normal(size=(24, 1, FRAMES, JOINTS, 3)) * rng.uniform(0.2, 2, size=(24, 1, 1, JOINTS, 1))
    return SkeletonDataset("toy", CHAIN, clips, labels, ("first", "second", "still"), subjects=people)


def network(name="trained"):
    return Checkpoint(name, Motion(), LAYERS, PREPARE, {})


@pytest.fixture
def found(data):
    return explain(network(), data, "true", Known(), n_slices=2)


def test_maps_follow_the_clip_or_the_class(found):
    table = swapped_targets(found, np.arange(24)).set_index("layer_name")
    assert (table["pairs"] == 12).all()
    assert table.loc["one", "clip"] == table.loc["two", "target"] == pytest.approx(1)
    assert table.loc["one", "target"] < 0.6 > table.loc["two", "clip"]
    assert table.loc["one", "low"] > 0 > table.loc["two", "high"]
    assert table.loc["one", "all_low"] > 0 > table.loc["two", "all_high"]
    assert table.loc["three", "clip"] < 1 > table.loc["three", "target"]
    np.testing.assert_allclose(table["difference"], table["clip"] - table["target"])


def test_the_same_by_plain_loops(found):
    clips = np.array([0, 1, 2, 9, 10, 11, 13, 14])
    table = swapped_targets(found, clips, seed=4)
    labels, people = found.data.labels[clips], found.data.subjects[clips]
    rows = []
    for i, j in zip(*pairs(labels, people, 4), strict=True):
        assert people[i] == people[j]
        assert labels[i] != labels[j]
        of = {}
        for clip in (i, j):
            for c in (labels[i], labels[j]):
                one = explain(found.network, found.data.take([clips[clip]]), np.array([c]), Known(), n_slices=2)
                of[clip, c] = one.importance[0].reshape(3, -1)
        a, b = labels[i], labels[j]
        for k in range(3):
            rho = lambda one, other, k=k, of=of: spearmanr(of[one][k], of[other][k]).statistic  # noqa: E731
            same_clip = (rho((i, a), (i, b)) + rho((j, a), (j, b))) / 2
            same_class = (rho((i, a), (j, a)) + rho((i, b), (j, b))) / 2
            rows.append((k, same_clip, same_class, rho((i, a), (j, b))))
    means = np.array([np.mean([row[1:] for row in rows if row[0] == k], axis=0) for k in range(3)])
    np.testing.assert_allclose(table[["clip", "target", "neither"]], means, atol=1e-6)


def test_pairs_without_order_are_not_counted(found):
    blank = replace(found, importance=found.importance * (np.arange(24) > 0)[:, None, None, None])
    table = swapped_targets(blank, np.arange(24))
    assert (table["pairs"] == 11).all()
    assert table["clip"].iloc[0] == pytest.approx(1)
    nothing = swapped_targets(replace(found, importance=np.zeros_like(found.importance)), np.arange(24))
    assert nothing[["clip", "difference", "all_low"]].isna().all(axis=None)


def test_one_class_has_no_other(found):
    same = replace(found, targets=np.zeros(24, int))
    with pytest.raises(UserError, match=r"^all clips are explained for the same class"):
        swapped_targets(same, np.arange(24))


@pytest.mark.parametrize("n", [2, 7, 30])
def test_pairs_differ_in_class_and_share_a_person(rng, n):
    classes, people = rng.integers(0, 3, n), rng.integers(0, 4, n)
    one, other = pairs(classes, people)
    assert (classes[one] != classes[other]).all()
    assert len(set(one) | set(other)) == 2 * len(one)
    apart = pairs(np.array([0, 1]), np.array([3, 4]))  # nobody has two classes
    assert sorted([*apart[0], *apart[1]]) == [0, 1]


def test_shares_of_layers_beside_untrained_networks(found):
    twins = [network("drawn 1"), network("drawn 2")]
    plain = replace(found, method=Known((1, 1, 1), (0, 0, 0)))
    plain = plain.again(found.network)
    layers, early = learnt_strength(plain, twins, np.arange(24), late=1)
    np.testing.assert_allclose(layers["trained"], [1 / 8, 2 / 8, 5 / 8])
    np.testing.assert_allclose(layers["untrained"], [1 / 4, 1 / 4, 1 / 2])
    np.testing.assert_allclose(layers["difference"], layers["trained"] - layers["untrained"])
    mean, mass = early.set_index("of").loc["mean"], early.set_index("of").loc["mass"]
    assert (mean["trained"], mean["untrained"], mean["difference"]) == pytest.approx((0.3, 0.5, -0.2))
    assert mass["trained"] == pytest.approx(0.3)  # all layers have as many frames
    assert learnt_strength(plain, twins, np.arange(24), late=3)[1].empty
    assert early[["seeds_low", "seeds_high"]].isna().all(axis=None)


def test_the_spread_over_seeds_is_from_the_least_to_the_most_and_changes_nothing_else(found):
    plain = replace(found, method=Known((1, 1, 1), (0, 0, 0))).again(found.network)
    alone = learnt_strength(plain, [network("drawn 1")], np.arange(24), late=1)
    tables = learnt_strength(plain, [network("drawn 1")], np.arange(24), late=1, siblings=[network("drawn 2")] * 2)
    np.testing.assert_allclose(tables[0]["seeds_low"], [1 / 8, 1 / 4, 1 / 2])
    np.testing.assert_allclose(tables[0]["seeds_high"], [1 / 4, 1 / 4, 5 / 8])
    mean = tables[1].set_index("of").loc["mean"]
    assert (mean["seeds_low"], mean["seeds_high"]) == pytest.approx((0.3, 0.5))
    for table, before in zip(tables, alone, strict=True):
        pd.testing.assert_frame_equal(table.filter(regex="^(?!seeds)"), before.filter(regex="^(?!seeds)"))


def test_the_interval_of_a_share_is_the_jackknife_of_people(found):
    clips = np.arange(1, 24)
    layers, early = learnt_strength(found, [network("drawn 1")], clips, late=2)

    def ratio(kept):
        some = [explain(network(name), found.data.take(kept), "true", Known(), 2) for name in ("trained", "drawn 1")]
        means = [one.importance.mean(axis=(0, 2, 3)) for one in some]
        return means[0][0] / means[0][1:].mean() - means[1][0] / means[1][1:].mean()

    without = [ratio(clips[found.data.subjects[clips] != who]) for who in (3, 5, 7, 8)]
    error = np.sqrt(3 / 4 * np.sum((without - np.mean(without)) ** 2))
    row = early.set_index("of").loc["mean"]
    assert row["difference"] == pytest.approx(ratio(clips))
    half = student.ppf(0.975, 3) * error
    assert (row["high"] - row["low"]) / 2 == pytest.approx(half, rel=0.1)
    assert (layers.eval("all_high - all_low") > 0.99 * layers.eval("high - low")).all()


def test_what_cannot_be_drawn_again_has_no_interval(data):
    alone = explain(network(), data.take([0, 1, 2]), "true", Known(), 2)  # one clip of each class
    layers, early = learnt_strength(alone, [network("drawn 1")], np.arange(3), late=1)
    table = swapped_targets(alone, np.arange(3))
    for made in (layers, early, table):
        assert made["difference"].notna().all()
        assert made[["low", "high"]].isna().all(axis=None)


def test_what_is_said_of_nobody_who_moves(found, monkeypatch):
    table = stillness_table(found, "still", np.arange(4, 16))
    assert table["baseline"].unique().tolist() == ["average", "still", "centre", "zeros"]
    assert set(table.loc[table["used"], "baseline"]) == {"still"}
    quiet = table[table["baseline"].isin(["average", "still", "zeros"])]
    assert (quiet["named"] == "still").all()
    assert quiet["probability"].to_numpy() == pytest.approx(
        np.where(quiet["explained"] == "still", np.e, 1) / (np.e + 2), abs=1e-6
    )
    assert untold(table) == (("still",), 8)
    assert untold(table[table["explained"] != "still"]) == ((), 8)
    known = stillness_table(found, "average", others=np.ones((2, 3, FRAMES, JOINTS, 1), np.float32))
    assert known["baseline"].iloc[-1] == "background"


def test_clips_that_are_the_same_are_asked_once(found):
    found.network.model.asked = 0
    controls._scores(found.network, np.zeros((9, 3, FRAMES, JOINTS, 1), np.float32))
    assert found.network.model.asked == 1
