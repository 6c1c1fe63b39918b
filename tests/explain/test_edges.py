"""Perturbed edge importance: what each change does, rankings of a clip's own, areas between curves."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from analysis_lib.errors import UserError
from analysis_lib.explain import edges
from analysis_lib.explain.edges import CHANGES, drops, edge_curves, edge_names, perturbed_scores
from analysis_lib.networks.registry import build
from analysis_lib.networks.units import fan_out
from analysis_lib.skeletons.skeleton import Skeleton

BODY = Skeleton("chain", tuple("abcde"), [(v, v - 1) for v in range(1, 5)])


def network(name="multi-branch"):
    torch.manual_seed(0)
    model = build(name, BODY, 3, 3, width=0.125).apply(fan_out).eval()
    for key, parameter in model.named_parameters():
        if "edge" in key:
            nn.init.uniform_(parameter, -0.5, 1.5)
        elif "fc" in key:
            nn.init.normal_(parameter)
    return model


def clips(n=3):
    return np.random.default_rng(0).normal(size=(n, 3, 10, 5, 1)).astype(np.float32)


def test_what_each_change_does():
    edge = torch.tensor([[[1.0, 2.0], [3.0, -4.0]], [[5.0, 6.0], [7.0, 8.0]]])
    released = CHANGES["released"](edge, [0, 1], 0.5)  # the range of the first subset is 7
    assert released.tolist() == [[[4.5, 2], [3, -7.5]], [[5, 6], [7, 8]]]
    assert CHANGES["remove"](edge, [0], 0.5).tolist() == [[[0, 0], [0, -4]], [[0, 0], [0, 8]]]
    assert CHANGES["scale"](edge, [1], 0.5).tolist() == [[[1, 1], [1.5, -2]], [[5, 3], [3.5, 4]]]
    assert (CHANGES["released"](torch.ones(2, 3, 3), [0], 0.35) == 1).all()  # edges that never learnt


@pytest.mark.parametrize(("name", "count"), [("multi-branch", 10), ("stgcn", 10)])
def test_networks_that_weigh_edges(name, count):
    assert len(edge_names(network(name), 5)) == count


def test_networks_that_do_not():
    with pytest.raises(UserError, match=r"AGCN weighs no edges .*\(subsets, 5, 5\)\): .* mask joints instead"):
        perturbed_scores(build("agcn", BODY, 3, 3, width=0.125), clips(), [()] * 3)


@pytest.mark.parametrize("how", sorted(CHANGES))
def test_each_clip_has_weights_of_its_own(how):
    model, x = network(), clips()
    before = copy.deepcopy(model.state_dict())
    found = perturbed_scores(model, x, [[0], [1, 4], []], how, 0.7)
    for i, joints in enumerate([[0], [1, 4], []]):
        other = copy.deepcopy(model)
        with torch.no_grad():
            for name in edge_names(other, 5):
                edge = other.get_parameter(name)
                edge.copy_(CHANGES[how](edge, joints, 0.7))
            expected = other(torch.from_numpy(x[i : i + 1]))[0]
            torch.testing.assert_close(torch.from_numpy(found[i]).float(), expected, rtol=1e-4, atol=1e-4)
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert not np.allclose(found[0], perturbed_scores(model, x[:1], [[]])[0], atol=1e-3)


def test_joints_of_either_side_and_by_lot():
    model, x = network(), clips()
    values = np.array([[3.0, 2.0, -1.0, -2.0, 0.0], [1.0, -1.0, -2.0, -3.0, -4.0], [5.0, 4.0, 3.0, 2.0, 1.0]])
    found = edge_curves(model, x, np.array([0, 1, 2]), {"method": values}, (1, 2), "remove", n_seeds=4)
    own = found[found.method == "method"].set_index(["side", "joints", "clip"])
    assert own.changed.unstack("clip").loc["important"].values.tolist() == [[0, 0, 0], [1, 1, 1], [2, 1, 2]]
    assert own.changed.unstack("clip").loc["unimportant"].values.tolist() == [[0, 0, 0], [1, 1, 0], [2, 2, 0]]
    expected = perturbed_scores(model, x, [[0, 1], [0], [0, 1]], "remove")[[0, 1, 2], [0, 1, 2]]
    np.testing.assert_allclose(own.logit["important", 2], expected)
    least = perturbed_scores(model, x, [[3, 2], [4, 3], []], "remove")[[0, 1, 2], [0, 1, 2]]
    np.testing.assert_allclose(own.logit["unimportant", 2], least)
    lot = found[(found.method == "random") & (found.joints == 2)]
    assert lot.groupby("side").seed.nunique().tolist() == [4, 4]
    assert lot.groupby(["side", "clip"]).logit.nunique().min() > 1
    with pytest.raises(UserError, match=r"counts must lie in 0\.\.5, the number of joints, got 6"):
        edge_curves(model, x, np.zeros(3, int), {}, (6,))


def test_the_same_joints_of_a_clip_are_asked_once(monkeypatch):
    model, x, asked = network(), clips(), []
    monkeypatch.setattr(edges, "perturbed_scores", lambda *of: asked.append(of[2]) or perturbed_scores(*of))
    values = np.array([[3.0, 2, 1, -1, -2]] * 3)
    curves = edge_curves(model, x, np.arange(3), {"one": values, "twice as much": 2 * values}, (1, 2), n_seeds=0)
    one, other = (curves[curves.method == name].drop(columns="method") for name in ("one", "twice as much"))
    np.testing.assert_array_equal(one, other)
    assert sum(map(len, asked)) == 3 * (1 + 2 * 2)  # no joint, and one or two of either side


def test_areas_between_curves():
    rows = []
    for clip, start in ((0, 1.0), (1, 0.8)):
        for k, loss in ((0, 0.0), (1, 0.4), (3, 0.6)):
            rows.append(("method", "important", clip, k, 0, start - loss))
            rows += [("random", "important", clip, k, s, start - loss * share) for s, share in ((0, 0.0), (1, 0.5))]
    curves = pd.DataFrame(rows, columns=["method", "side", "clip", "joints", "seed", "probability"])
    (row,) = drops(curves).itertuples()
    assert (row.method, row.side, row.clips) == ("method", "important", 2)
    np.testing.assert_allclose(row.mean, 0.75 * (0.4 / 2 + (0.4 + 0.6) / 2 * 2) / 3)
