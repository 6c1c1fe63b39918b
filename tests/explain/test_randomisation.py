"""Networks that forget: in the right order, one step more each time, and nothing else changes."""

import numpy as np
import pytest
import torch
from torch import nn

from analysis_lib.explain.randomisation import cascade
from analysis_lib.networks.hooks import cascade_steps
from analysis_lib.networks.stgcn import STGCN
from analysis_lib.skeletons.layouts import layout


@pytest.fixture
def model():
    torch.manual_seed(0)
    return STGCN(layout("kinect-20"), 4, width=0.125).eval()


@pytest.fixture
def steps(model):
    return cascade_steps(model, np.zeros((1, 3, 8, 20, 1), np.float32), model.layer_names)


def changed(a, b):
    """Return the names of parameters that differ between two networks."""
    return {name for name, value in a.named_parameters() if not torch.equal(value, b.get_parameter(name))}


def test_steps_go_from_the_scores_down_and_leave_nothing_out(model, steps):
    assert list(steps) == ["head", *reversed(model.layer_names), "rest"]
    assert steps["head"] == ("fcn",)
    assert steps["rest"] == ("data_bn", "edge_importance")
    owners = {name.rpartition(".")[0] for name, _ in model.named_parameters()}
    named = [name for names in steps.values() for name in names]
    assert sorted(named) == sorted(owners)


def test_the_order_is_that_of_the_calls_not_of_the_registration():
    class Backwards(nn.Module):
        def __init__(self):
            super().__init__()
            self.head, self.second, self.first = nn.Linear(3, 2), nn.Linear(3, 3), nn.Linear(2, 3)

        def forward(self, x):
            return self.head(self.second(self.first(x)))

    steps = cascade_steps(Backwards(), np.zeros((1, 2), np.float32), ["first", "second"])
    assert steps == {"head": ("head",), "second": ("second",), "first": ("first",)}


def test_each_step_forgets_more_and_the_original_stays(model, steps):
    before = {k: v.clone() for k, v in model.state_dict().items()}
    forgotten = set()
    for step, network in cascade(model, steps, seed=1):
        now = changed(model, network)
        assert forgotten < now
        assert {n for n in now - forgotten if not any(n.startswith(f"{m}.") for m in steps[step])} == set()
        forgotten = now
    for key, value in model.state_dict().items():
        torch.testing.assert_close(value, before[key])
