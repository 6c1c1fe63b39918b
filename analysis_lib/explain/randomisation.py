"""Networks that forget layer by layer, from the scores down: the sanity check of explanations.

An explanation that stays the same when the weights are drawn anew explains the input, not the
network.

References
----------
Adebayo, Gilmer, Muelly, Goodfellow, Hardt & Kim (2018), Sanity checks for saliency maps: cascading
randomisation.
"""

import copy
from collections.abc import Iterator, Sequence

import torch
from torch import nn


def randomised(model: nn.Module, modules: Sequence[str], seed: int) -> nn.Module:
    """Return a copy of a network in which the named modules have forgotten what they learned.

    A module that knows how (``reset_parameters``) draws new weights, batch statistics included.
    Parameters that belong to no such module, such as edge weights, are shuffled.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    >>> new = randomised(net, ["1"], seed=0)
    >>> torch.equal(new[0].weight, net[0].weight), torch.equal(new[1].weight, net[1].weight)
    (True, False)
    """
    model = copy.deepcopy(model)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for name in modules:
            module = model.get_submodule(name)
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
                continue
            for parameter in module.parameters(recurse=False):
                order = torch.randperm(parameter.numel())
                parameter.copy_(parameter.flatten()[order].view_as(parameter))
    return model


def cascade(model: nn.Module, steps: dict[str, tuple[str, ...]], seed: int) -> Iterator[tuple[str, nn.Module]]:
    """Yield (step, copy of the network that has forgotten this step and all before it)."""
    for step, modules in steps.items():
        model = randomised(model, modules, seed)
        yield step, model
