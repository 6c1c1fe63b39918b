"""Shapley values beside other libraries: all play one game, and times are put to one standard error."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from analysis_lib.bench import shapley


class Pairwise(torch.nn.Module):
    """Scores that joints make together, two classes."""

    def forward(self, x):
        one = x.mean(dim=(1, 2, 4))
        together = (one[:, :-1] * one[:, 1:]).sum(dim=1)
        return torch.stack([together, one.sum(dim=1)], dim=1)


def test_all_methods_play_the_same_game(rng):
    x, other = (rng.normal(size=(n, 3, 2, 5, 1)).astype(np.float32) for n in (2, 1))
    network = SimpleNamespace(model=Pairwise())
    absent = shapley.why_missing()
    targets = np.array([0, 0])
    made = [m for m in shapley._methods(network, x, other, targets, 40) if m[0] not in absent]
    assert [name for name, *_ in made][:2] == [shapley.OURS, "captum, sampling"]
    wanted = made[0][2](0)
    for _, _, call in made[1:]:
        np.testing.assert_allclose(call(1)[..., 0], wanted[..., 0], atol=0.15 * np.abs(wanted[..., 0]).max())


def test_times_are_those_to_our_error_and_for_all_classes():
    runs = [("JointShapley", 2.0, 1.0, 1), ("captum, sampling", 2.0, 2.0, 20)]
    methods = [{"name": n, "how": "", "seconds": [s], "error": e, "passes": p} for n, s, e, p in runs]
    sizes = {"clips": 2, "joints": 25, "classes": 20, "evaluations": 200}
    table = shapley.values_table({"shapley": [{"explained": "all classes", **sizes, "methods": methods}]})
    assert table["times"].tolist() == pytest.approx([1, 80])
    assert shapley.values_overview(table)["captum, sampling"].tolist() == ["80.0×"]
