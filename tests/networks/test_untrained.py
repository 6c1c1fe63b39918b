"""Networks without what they learned: other weights, statistics of the clips given, and nothing else changes."""

import numpy as np
import pytest
import torch

from analysis_lib.datasets.preparation.recipe import Preprocessing
from analysis_lib.networks.batch_statistics import recalibrate
from analysis_lib.networks.checkpoints import Checkpoint, is_trained, weights_digest
from analysis_lib.networks.hooks import captured, evaluating
from analysis_lib.networks.registry import build
from analysis_lib.networks.untrained import randomised, untrained, untrained_twin
from analysis_lib.skeletons.layouts import layout

SKELETON = layout("kinect-20")
CLASSES = ["wave", "kick", "throw", "sit down"]


def network(architecture="stgcn", **arguments):
    model = build(architecture, SKELETON, len(CLASSES), 3, **arguments).eval()
    card = {"architecture": architecture, "arguments": arguments, "in_channels": 3, "class_names": CLASSES}
    card |= {"skeleton": SKELETON.to_dict()}
    return Checkpoint(architecture, model, tuple(model.layer_names), Preprocessing(frames=52), card)


@pytest.fixture
def given():
    return network(width=0.125)


@pytest.fixture
def clips(rng):
    return (5 + 3 * rng.normal(size=(24, 3, 52, 20, 1))).astype(np.float32)


def changed(a, b):
    """Return the names of parameters that differ between two networks."""
    return {name for name, value in a.named_parameters() if not torch.equal(value, b.get_parameter(name))}


def test_a_twin_is_new_seeded_and_leaves_the_network_and_the_generator(given, clips):
    before = {k: v.clone() for k, v in given.model.state_dict().items()}
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, same, other = (untrained_twin(given, clips, seed) for seed in (0, 0, 1))
    assert torch.equal(torch.rand(1), expected)
    assert "fcn.weight" in changed(given.model, one.model)
    assert not changed(one.model, same.model)
    assert changed(one.model, other.model)
    assert not is_trained(one)
    assert (one.layers, one.preprocessing, one.axes) == (given.layers, given.preprocessing, given.axes)
    for key, value in given.model.state_dict().items():
        torch.testing.assert_close(value, before[key])


@pytest.mark.parametrize("architecture", ["stgcn", "st-gdn"])
def test_each_layer_of_a_twin_sees_centred_clips_as_its_statistics_are_theirs(clips, architecture):
    trained = network(architecture, width=0.125)
    twin = untrained_twin(trained, clips, batch_size=24)  # one batch: its statistics are those of all clips
    with torch.no_grad(), captured(twin.model, ["data_bn"]) as seen, evaluating(twin.model):
        twin.model(torch.from_numpy(clips))
    x = seen["data_bn"]
    torch.testing.assert_close(x.mean((0, 2)), torch.zeros(x.shape[1]), atol=1e-4, rtol=0)
    for module in twin.model.modules():
        for name, value in module.named_buffers(recurse=False):
            if name.startswith("running_"):
                assert not torch.equal(value, torch.zeros_like(value)), name
                assert not torch.equal(value, torch.eye(*value.shape) if value.ndim == 2 else torch.ones_like(value))


def test_a_network_without_a_card_forgets_module_by_module(given):
    own = Checkpoint("own", given.model, given.layers, given.preprocessing, {})
    assert "fcn.weight" in changed(untrained(own, 3), given.model)


def test_bare_parameters_are_shuffled_and_others_drawn_anew(given, rng):
    model, values = given.model, torch.tensor(rng.normal(size=(3, 20, 20)), dtype=torch.float32)
    model.edge_importance[2].data = values
    new = randomised(model, ["edge_importance", "data_bn"], seed=0)
    shuffled = new.edge_importance[2].detach()
    assert not torch.equal(shuffled, values)
    torch.testing.assert_close(shuffled.flatten().sort().values, values.flatten().sort().values)
    assert (new.data_bn.weight == 1).all()
    one, same, other = (randomised(model, ["fcn"], seed) for seed in (0, 0, 1))
    assert not changed(one, same)
    assert changed(one, other) == {"fcn.weight", "fcn.bias"}


def test_a_twin_meets_the_same_clips_once(given, clips, monkeypatch, tmp_path):
    alone = untrained_twin(given, clips)
    monkeypatch.setenv("STGBOOK_STORE", str(tmp_path))
    asked = []
    monkeypatch.setattr("analysis_lib.networks.untrained.recalibrate", lambda *of: asked.append(1) or recalibrate(*of))
    found = [untrained_twin(given, clips) for _ in range(2)]
    assert len(asked) == 1
    for twin in found:
        assert weights_digest(twin.model) == weights_digest(alone.model)
    untrained_twin(given, clips, seed=1)
    untrained_twin(given, clips[::-1].copy())
    untrained_twin(given, clips, batch_size=8)
    untrained_twin(network(width=0.25), clips)
    assert len(asked) == 5
