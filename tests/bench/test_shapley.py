"""Shapley values beside other libraries: all find those of the same game, and times are put to one standard error."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from analysis_lib.bench import shapley
from analysis_lib.bench.shapley import METHODS, OURS, Game, apart, compared, why_missing
from analysis_lib.errors import DataError
from analysis_lib.explain.shapley import exact_shapley


class Together(torch.nn.Module):
    """Three scores that joints make alone, in threes, and by how far they go."""

    def forward(self, x):  # (N, C, T, V, M)
        one = x[:, 0].mean(dim=(1, 3)) + x[:, 2, 0, :, 0]
        threes = (one[:, :-2] * one[:, 1:-1] * one[:, 2:]).sum(dim=1)
        return torch.stack([threes + one[:, 0], one.sum(dim=1), one.amax(dim=1)], dim=1)


@pytest.fixture
def game():
    """Seven players, two clips."""
    rng = np.random.default_rng(3)
    x, other = (rng.normal(size=(n, 3, 4, 7, 1)).astype(np.float32) for n in (2, 1))
    return Game(SimpleNamespace(model=Together()), x, other, 3)


def exactly(game):
    """Return the values (N, V, classes), by an own sum over all coalitions."""

    def worth(clip, coalitions):
        mixed = np.where(coalitions[:, None, None, :, None], clip, game.other)
        return Together()(torch.from_numpy(mixed)).double().numpy()

    return np.stack([exact_shapley(lambda some, clip=clip: worth(clip, some), game.n_joints) for clip in game.x])


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_method_finds_the_exact_values_within_its_errors(method, game):
    if reason := why_missing([method]):
        pytest.skip(reason[method.name])
    exact = exactly(game)
    runs = np.stack([method.values(game, seed) for seed in range(40)])
    assert runs.shape == (40, *exact.shape)
    error = runs.std(axis=0, ddof=1) / np.sqrt(len(runs))
    assert error[..., 0].max() > 1e-3  # another seed gives other values
    # 42 values; the weighted least squares lean to one side a little when they are given few coalitions
    assert (np.abs(runs.mean(axis=0) - exact) <= 4 * error + 0.02 * np.abs(exact).max()).all()
    np.testing.assert_allclose(runs[:, :, :, 1], np.broadcast_to(exact[..., 1], runs.shape[:-1]), atol=1e-5)  # a sum
    np.testing.assert_allclose(runs.sum(axis=2), np.broadcast_to(exact.sum(axis=1), (40, 2, 3)), atol=1e-4)


def counted(monkeypatch):
    """Return a list that is filled with the number of clips of each pass of the network."""
    passed, forward = [], Together.forward
    monkeypatch.setattr(Together, "forward", lambda self, x: passed.append(len(x)) or forward(self, x))
    return passed


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_all_get_as_many_evaluations_in_small_batches(method, game, monkeypatch):
    if reason := why_missing([method]):
        pytest.skip(reason[method.name])
    passed = counted(monkeypatch)
    method.values(game, 0)
    evaluations = len(game.x) * 2 * game.pairs * game.n_joints
    assert 0.8 * evaluations <= sum(passed) <= 1.15 * evaluations
    assert max(passed) <= 8


def by_truth(noise):
    """Return a method that finds the exact values and adds noise."""

    def values(game, seed):
        return exactly(game) + noise * np.random.default_rng(seed).normal(size=(len(game.x), game.n_joints, 3))

    return values


def test_errors_are_the_spread_over_seeds_for_the_explained_class_and_for_all(game):
    noisy = shapley.Method("noisy", "{pairs} of {evaluations}", "math", by_truth(np.array([1.0, 2.0, 3.0])))
    game.x[:] = 0.5  # the sum is the largest score
    one, everything = compared(game, [METHODS[0], noisy], rounds=60)
    assert (one["explained"], everything["explained"]) == ("one class", "all classes")
    assert (one["clips"], one["frames"], one["joints"], one["classes"], one["evaluations"]) == (2, 4, 7, 3, 42)
    assert [m["name"] for m in one["methods"]] == [OURS, "noisy"]
    assert one["methods"][1]["how"] == "3 of 42"
    assert one["methods"][1]["error"] == pytest.approx(2, rel=0.1)
    assert everything["methods"][1]["error"] == pytest.approx(np.sqrt(14 / 3), rel=0.1)
    assert [len(m["seconds"]) for m in one["methods"]] == [60, 60]
    assert one["methods"][0]["error"] < 1e-5  # ours of a sum
    assert everything["methods"][0]["error"] > 1e-2


def test_who_finds_something_else_is_refused(game):
    wrong = shapley.Method("wrong", "", "math", lambda game, seed: METHODS[0].values(game, seed) + 5)
    with pytest.raises(DataError, match=r"^the values of wrong and JointShapley differ by \d+\.\d standard errors"):
        compared(game, [METHODS[0], wrong], rounds=4)
    same = [np.ones(3)] * 2
    assert apart(same, same) == 0
    assert apart(same, [2 * np.ones(3)] * 2) > 1e9


def test_what_is_not_installed_is_named_with_the_cure():
    absent = METHODS[1]._replace(module="no_such_library")
    assert why_missing([METHODS[0], absent]) == {
        "captum, sampling": "No module named 'no_such_library'; pip install -e '.[bench]', or make bench"
    }
