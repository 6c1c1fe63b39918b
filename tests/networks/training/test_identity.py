"""Every option of every network tells it from another, but for what makes the same network."""

import inspect

import pytest
import torch
from torch import nn

from analysis_lib.networks.registry import ARCHITECTURES
from analysis_lib.networks.training.identity import structure_digest
from analysis_lib.skeletons.layouts import layout

BODY = layout("kinect-20")
#: another value of each option; options that may be on or off are turned
OTHER = {
    **{"width": 0.25, "dropout": 0.1, "depth": 7, "bodies": 2, "in_channels": 2, "strategy": "spatial", "eps": 1e-3},
    **{"kinds": ("union", "union", "union", "node", "node", "frame", "element"), "iterations": 4, "frames": 40},
    **{"focal": 9, "heads": 2, "first": 5, "form": "infant", "reference": 3},
}
OPTIONS = [
    (name, option) for name, make in ARCHITECTURES.items() for option in list(inspect.signature(make).parameters)[2:]
]


def made(name, **options):
    torch.manual_seed(0)
    return ARCHITECTURES[name](BODY, 3, **{"width": 0.125} | options)


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_each_option_of_a_network_is_part_of_it(name, option):
    default = inspect.signature(ARCHITECTURES[name]).parameters[option].default
    other = made(name, **{option: not default if isinstance(default, bool) else OTHER[option]})
    assert structure_digest(made(name)) != structure_digest(other)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_weights_and_mode_are_none(name):
    model = made(name)
    before = structure_digest(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)
    assert structure_digest(model.eval()) == before == structure_digest(made(name))


class Scaled(nn.Module):
    """One factor a channel, which its ``repr`` does not tell."""

    def __init__(self, n):
        super().__init__()
        self.factors = nn.Parameter(torch.ones(n))


class Shifted(Scaled):
    """Another class that looks the same."""

    _get_name = lambda self: "Scaled"  # noqa: E731


@pytest.mark.parametrize("other", [Scaled(3), Shifted(2)])
def test_modules_that_look_alike_differ_by_class_and_shapes(other):
    assert repr(Scaled(2)) == repr(other)
    assert structure_digest(Scaled(2)) != structure_digest(other)
