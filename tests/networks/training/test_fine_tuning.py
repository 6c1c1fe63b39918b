"""Fine-tuning: what is frozen stays as it was, features passed once give the same, runs resume."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from analysis_lib.errors import UserError
from analysis_lib.networks.stgcn import STGCN
from analysis_lib.networks.training import fine_tuning
from analysis_lib.networks.training.epochs import Recipe
from analysis_lib.networks.training.fine_tuning import evaluated, fine_tune, frozen_features, new_head, student
from analysis_lib.skeletons.layouts import layout

RECIPE = Recipe(epochs=3, batch_size=4, lr=0.05, warmup=1, holdout=0, mixed_precision=False)
N_OLD, N_NEW = 5, 3


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    model = STGCN(layout("kinect-20"), N_OLD, width=0.0625, dropout=0.0)
    with torch.no_grad():  # batch statistics and edge weights of a network that has learnt
        model(torch.randn(4, 3, 24, 20, 2))
        for weights in model.edge_importance:
            weights.add_(0.1 * torch.randn_like(weights))
    return model.eval()


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    labels = np.arange(12) % N_NEW
    x = rng.normal(size=(12, 3, 24, 20, 2)).astype(np.float32)
    x[:, 1] += labels[:, None, None, None]  # something to learn
    return x, torch.from_numpy(labels)


def learner_of(network, x, cut, seed=0):
    model = new_head(network, x, network.layer_names, N_NEW, seed)
    return student(model, x, network.layer_names, cut)


def passed(learner, x, **options):
    """Return what the frozen part of a learner says of clips."""
    return frozen_features(learner.model, x, learner.layers, [learner.cut], **options)[learner.cut]


def learn(network, clips, cut, recipe=RECIPE, **options):
    learner = learner_of(network, clips[0], cut)
    features = passed(learner, clips[0])
    history, _ = fine_tune(learner, (features, clips[1]), (features, clips[1]), recipe, **options)
    return learner, history


def changed(before, after):
    """Return the parameters and buffers that differ."""
    old, new = before.state_dict(), after.state_dict()
    return {n for n in new if n not in old or old[n].shape != new[n].shape or not torch.equal(old[n], new[n])}


@pytest.mark.parametrize("cut", [0, 3, 10])
def test_only_the_last_layers_and_the_head_change(network, clips, cut):
    learner, _ = learn(network, clips, cut)
    late = {f"st_gcn_networks.{i}" for i in range(10 - cut, 10)}
    edges = {f"edge_importance.{i}" for i in range(10 - cut, 10)}
    found = changed(network, learner.model)
    allowed = {
        n
        for n in learner.model.state_dict()
        if n.startswith("fcn") or n in edges or any(n.startswith(f"{layer}.") for layer in late)
    }
    allowed |= {n for n in learner.model.state_dict() if n.startswith("data_bn") and cut == 10}
    assert found <= allowed
    assert edges <= found
    assert {"fcn.weight", "fcn.bias"} <= found
    for layer in late:  # weights and batch statistics
        assert {f"{layer}.gcn.conv.weight", f"{layer}.tcn.0.running_mean"} <= found


@pytest.mark.parametrize("cut", [0, 1, 5, 10])
def test_features_passed_once_give_the_scores_of_the_whole_network(network, clips, cut):
    learner = learner_of(network, clips[0], cut)
    features = passed(learner, clips[0], batch_size=5)
    with torch.no_grad():
        whole = learner.model(torch.from_numpy(clips[0]))
    torch.testing.assert_close(evaluated(learner, features), whole)
    assert (features.shape[1:] == clips[0].shape[1:]) == (cut == 10)


def test_several_cuts_share_one_pass(network, clips, monkeypatch):
    cuts = [0, 3, 10]
    alone = {cut: frozen_features(network, clips[0], network.layer_names, [cut])[cut] for cut in cuts}
    batches, forward = [], STGCN.forward
    monkeypatch.setattr(STGCN, "forward", lambda self, x: [batches.append(len(x)), forward(self, x)][1])
    together = frozen_features(network, clips[0], network.layer_names, cuts, batch_size=5)
    assert batches == [5, 5, 2]
    for cut in cuts:
        torch.testing.assert_close(together[cut], alone[cut])


@pytest.mark.parametrize("cut", [0, 3, 10])
def test_the_first_reading_is_that_of_the_new_head_alone(network, clips, cut):
    untouched = frozen_features(network, clips[0], network.layer_names, [0])[0]
    _, whole = learn(network, clips, cut, recipe=replace(RECIPE, mixed_precision=False))
    _, alone = learn(network, clips, cut, recipe=replace(RECIPE, mixed_precision=False), untouched=untouched)
    assert alone == [whole[0] | {"test_loss": pytest.approx(whole[0]["test_loss"], rel=1e-5)}, *whole[1:]]


def test_a_reading_leaves_every_module_in_its_mode(network, clips):
    learner = learner_of(network, clips[0], 3)
    learner.model.train()
    learner.model.st_gcn_networks[0].eval()  # frozen batch norm
    modes = [module.training for module in learner.model.modules()]
    evaluated(learner, passed(learner, clips[0]))
    assert [module.training for module in learner.model.modules()] == modes


def test_learning_from_passed_features_is_learning_with_the_whole_network(network, clips, monkeypatch):
    quick, _ = learn(network, clips, 3)
    monkeypatch.delattr(STGCN, "scores_from")
    monkeypatch.setattr(STGCN, "forward", whole_forward)
    slow, _ = learn(network, clips, 3)
    for (name, a), b in zip(quick.model.state_dict().items(), slow.model.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, msg=name)


def whole_forward(model, x):
    """Return the scores of an ST-GCN, written out once more."""
    n, c, t, v, m = x.shape
    x = model.data_bn(x.permute(0, 4, 3, 1, 2).reshape(n * m, v * c, t))
    x = x.view(n * m, v, c, t).permute(0, 2, 3, 1)
    for block, weights in zip(model.st_gcn_networks, model.edge_importance, strict=True):
        x = block(x, model.A * weights)
    return model.fcn(x.mean((2, 3)).view(n, m, -1).mean(1)[:, :, None, None]).flatten(1)


def test_an_interrupted_run_ends_with_the_same_weights(network, clips, tmp_path, monkeypatch):
    whole, expected = learn(network, clips, 3)
    real = fine_tuning.train_epoch

    def broken(*args, **options):
        if args[5] == 2:
            raise KeyboardInterrupt
        return real(*args, **options)

    monkeypatch.setattr(fine_tuning, "train_epoch", broken)
    with pytest.raises(KeyboardInterrupt):
        learn(network, clips, 3, state_path=tmp_path / "state.pt")
    monkeypatch.setattr(fine_tuning, "train_epoch", lambda *a, **k: real(*a, **k))
    resumed, history = learn(network, clips, 3, state_path=tmp_path / "state.pt")
    assert history == expected
    assert not changed(whole.model, resumed.model)


def test_a_state_of_other_weights_is_refused(network, clips, tmp_path):
    """What is frozen would be another's than what the features came from."""
    learn(network, clips, 0, state_path=tmp_path / "state.pt")
    other = copy.deepcopy(network)
    other.data_bn.running_mean.add_(1)
    with pytest.raises(UserError, match="was written for another network"):
        learn(other, clips, 0, state_path=tmp_path / "state.pt")


def test_a_new_head_leaves_the_old_network_alone(network, clips):
    before = copy.deepcopy(network.state_dict())
    model = new_head(network, clips[0], network.layer_names, N_NEW, seed=1)
    assert (model.fcn.out_channels, network.fcn.out_channels) == (N_NEW, N_OLD)
    assert all(torch.equal(before[n], v) for n, v in network.state_dict().items())
    again = new_head(network, clips[0], network.layer_names, N_NEW, seed=1)
    assert torch.equal(model.fcn.weight, again.fcn.weight)
    other = new_head(network, clips[0], network.layer_names, N_NEW, seed=2)
    assert not torch.equal(model.fcn.weight, other.fcn.weight)


class Foreign(nn.Module):
    """A network of somebody else: no way to go on from a layer, a head of two modules."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1)
        self.hidden, self.last = nn.Linear(4, 4), nn.Linear(4, N_OLD)

    def forward(self, x):
        x = self.second(self.first(x[..., 0]).relu()).relu()
        return self.last(self.hidden(x.mean((2, 3))).relu())


def test_a_network_of_ones_own_can_be_fine_tuned(clips):
    torch.manual_seed(0)
    own, layers = Foreign(), ("first", "second")
    model = new_head(own, clips[0], layers, N_NEW, 0)
    learner = student(model, clips[0], layers, 1)
    features = passed(learner, clips[0])
    assert features.shape == clips[0].shape
    fine_tune(learner, (features, clips[1]), (features, clips[1]), RECIPE)
    found = {name.split(".")[0] for name in changed(own, model)}
    assert found == {"second", "hidden", "last"}


def test_a_network_learns_and_says_how(clips):
    torch.manual_seed(0)
    layers = ("first", "second")
    model = new_head(Foreign(), clips[0], layers, N_NEW, 0)
    learner = student(model, clips[0], layers, 2, trunk_rate=1.0)
    data = torch.from_numpy(clips[0]), clips[1]
    history, found = fine_tune(learner, data, data, replace(RECIPE, epochs=61), score_every=20)
    assert [record["epoch"] for record in history] == [*range(62)]
    read = [record["epoch"] for record in history if "test_loss" in record]
    assert read == [0, 20, 40, 60, 61]
    assert "loss" not in history[0]
    assert history[-1]["test_loss"] < 0.5 * history[0]["test_loss"]
    assert history[-1]["test_accuracy"] > 0.75
    torch.testing.assert_close(found, evaluated(learner, data[0]))


def test_a_run_that_is_only_read_at_the_end_is_not_read_before(network, clips):
    _, history = learn(network, clips, 0, score_every=RECIPE.epochs)
    assert [record["epoch"] for record in history if "test_loss" in record] == [RECIPE.epochs]


def test_the_head_learns_faster_than_the_layers(network, clips):
    learner = learner_of(network, clips[0], 3)
    head, trunk = learner.groups
    assert (head["scale"], trunk["scale"]) == (1, fine_tuning.TRUNK_RATE)
    assert {p.shape for p in head["params"]} == {learner.model.fcn.weight.shape, (N_NEW,)}


def test_errors_say_what_came(network, clips):
    with pytest.raises(UserError, match=r"cut 11: the network has 10 layers; 0 .* to 10 \(all\)"):
        student(network, clips[0], network.layer_names, 11)
    with pytest.raises(UserError, match="cut -1"):
        student(network, clips[0], network.layer_names, -1)
    headless = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 2, 1))
    with pytest.raises(UserError, match=r"nothing with weights follows '2'.*no head to exchange"):
        new_head(headless, np.zeros((1, 3, 4, 4), np.float32), ["0", "2"], 2, 0)
    odd = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
    with pytest.raises(UserError, match="ends in '1', a BatchNorm2d"):
        new_head(odd.eval(), np.zeros((1, 3, 4, 4), np.float32), ["0"], 2, 0)
