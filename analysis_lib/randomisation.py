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

import numpy as np
import torch
from scipy.stats import rankdata
from torch import nn

from analysis_lib.embeddings import captured
from analysis_lib.errors import UserError

#: names of the steps that are no layer: what follows the last one, and what belongs to none
HEAD, REST = "head", "rest"


def cascade_steps(model: nn.Module, x: np.ndarray, layers: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return which modules lose their weights at each step, from the scores down.

    First the modules that a pass calls after the last layer (``"head"``), then the layers from
    last to first, then all that is left (``"rest"``: input normalisation, edge weights, ...).

    Parameters
    ----------
    x : float32 ndarray, shape (N, C, T, V, M)
        Any clips: one pass shows the order of the calls.

    Returns
    -------
    dict of str to tuple of str
        Names of modules that own parameters, by step; steps without any are left out.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 3))
    >>> cascade_steps(net, np.zeros((1, 2), np.float32), ["1"])
    {'head': ('2',), '1': ('1',), 'rest': ('0',)}
    """
    owners = [name for name, module in model.named_modules() if any(True for _ in module.parameters(recurse=False))]
    calls = _call_order(model, x, [*owners, *layers])
    end = max(calls.index(name) for name in layers)
    steps = {HEAD: tuple(name for name in owners if name in calls[end + 1 :])}
    for layer in reversed(layers):
        taken = {name for names in steps.values() for name in names}
        steps[layer] = tuple(name for name in owners if name not in taken and f"{name}.".startswith(f"{layer}."))
    taken = {name for names in steps.values() for name in names}
    steps[REST] = tuple(name for name in owners if name not in taken)
    return {step: names for step, names in steps.items() if names}


@torch.no_grad()
def _call_order(model: nn.Module, x: np.ndarray, names: Sequence[str]) -> list[str]:
    """Return the modules that a pass calls, in the order in which they finish."""
    with captured(model, list(dict.fromkeys(names))) as outputs:
        model(torch.from_numpy(x))
    return list(outputs)


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


def rank_correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    r"""Return Spearman's correlation of each row of ``a`` with the same row of ``b``.

    Ties share their mean rank. A row without any order (all equal) agrees with nothing: 0.

    Parameters
    ----------
    a, b : ndarray, shape (n, d)

    Returns
    -------
    float64 ndarray, shape (n,)

    Raises
    ------
    UserError
        If the shapes differ.

    Examples
    --------
    >>> rank_correlation(np.array([[1, 2, 3]] * 3), np.array([[2, 4, 9], [3, 2, 1], [5, 5, 5]]))
    array([ 1., -1.,  0.])
    """
    if a.shape != b.shape or a.ndim != 2:
        raise UserError(f"two (n, d) arrays of one shape are needed, got {a.shape} and {b.shape}")
    ranks = [rankdata(x, axis=1) for x in (a, b)]
    centred = [r - r.mean(axis=1, keepdims=True) for r in ranks]
    sizes = [np.sqrt((c * c).sum(axis=1)) for c in centred]
    product = (centred[0] * centred[1]).sum(axis=1)
    size = sizes[0] * sizes[1]
    return np.divide(product, size, out=np.zeros(len(a)), where=size > 0)
