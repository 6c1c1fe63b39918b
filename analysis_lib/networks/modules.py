"""What a network is made of, and which of its modules can serve as layers."""

from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd
import torch
from torch import nn

from analysis_lib.networks.axes import readings
from analysis_lib.networks.hooks import evaluating


def module_table(
    model: nn.Module, shape: Sequence[int], named: Mapping[str, str] | None = None, layers: Sequence[str] = ()
) -> pd.DataFrame:
    """Return one row a module, in the order in which they are called.

    Parameters
    ----------
    model : nn.Module
    shape : sequence of int
        (C, T, V, M) of its clips.
    named : mapping of str to str, optional
        Axes that are known (`analysis_lib.networks.axes`).
    layers : sequence of str
        Modules that count as layers now.

    Returns
    -------
    DataFrame
        Columns module, type, gives (shape for three clips), axes (every pattern that fits), parameters,
        and layer: ``layer``, ``can be``, ``if named`` (several patterns fit), or why it cannot be one.

    Examples
    --------
    >>> net = nn.Sequential(nn.Flatten(3), nn.Conv2d(3, 8, 1), nn.Flatten(), nn.Linear(400, 2))
    >>> module_table(net, (3, 10, 5, 1))[["module", "gives", "axes", "layer"]].to_dict("split")["data"][:3]
    [['0', '(3, 3, 10, 5)', 'n c t v', 'can be'],
     ['1', '(3, 8, 10, 5)', 'n c t v', 'can be'],
     ['2', '(3, 400)', '', 'no frames']]
    """
    calls, named = _calls(model, shape), named or {}
    found = readings(model, shape, [name for name, n in calls.items() if n == 1])
    modules, rows = dict(model.named_modules()), []
    for name in [*calls, *(name for name in modules if name and name not in calls)]:
        module = modules[name]
        gives, fits = found.get(name, ("", ()))
        fits = (named[name],) if name in named else fits
        able = {0: "no frames", 1: "can be"}.get(len(fits), "if named")
        able = able if calls[name] == 1 else f"called {calls[name]} times" if calls[name] else "not called"
        rows.append(
            {
                "module": name,
                "type": type(module).__name__,
                "gives": gives,
                "axes": " or ".join(fits[:3]) + (", ..." if len(fits) > 3 else ""),
                "parameters": sum(p.numel() for p in module.parameters()),
                "layer": "layer" if name in layers else able,
            }
        )
    return pd.DataFrame(rows, columns=["module", "type", "gives", "axes", "parameters", "layer"])


@torch.no_grad()
def _calls(model: nn.Module, shape: Sequence[int]) -> Counter[str]:
    """Return how often a pass calls each module, in the order in which they finish."""
    counts: Counter[str] = Counter()

    def count(name: str):
        return lambda module, args, output: counts.update([name])

    handles = [module.register_forward_hook(count(name)) for name, module in model.named_modules() if name]
    try:
        with evaluating(model):
            model(torch.zeros(1, *shape))
    finally:
        for handle in handles:
            handle.remove()
    return counts
