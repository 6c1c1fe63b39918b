"""Listening to a network while it works: outputs of its modules, the order in which they are called."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from analysis_lib.errors import UserError, unknown_choice

#: names of the steps that are no layer: what follows the last one, and what belongs to none
HEAD, REST = "head", "rest"


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put every module of a network into evaluation mode, and each back into its own afterwards.

    Examples
    --------
    >>> net = nn.Sequential(nn.BatchNorm1d(2).eval(), nn.Dropout())
    >>> with evaluating(net):
    ...     net.training
    False
    >>> net.training, net[0].training
    (True, False)
    """
    learning = [module for module in model.modules() if module.training]
    if learning:
        model.eval()
    try:
        yield
    finally:
        for module in learning:
            module.training = True


@contextmanager
def captured(model: nn.Module, layers: Sequence[str], once: bool = True) -> Iterator[dict[str, Tensor]]:
    """Yield a dict that each forward pass fills with the outputs of the named modules.

    Of a module that gives a tuple the first is taken, as of a block that gives (x, A) or a GRU; of one that
    gives a dict of one tensor, that one. Each module hands on a copy, so that a later one that works in
    place (``nn.ReLU(inplace=True)``) does not reach back into what was taken. The hooks are removed when the
    block ends, after an exception too.

    Raises
    ------
    UserError
        If a layer does not exist (the model's modules are listed); or, unless ``once`` is False, is called
        more than once in a pass.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    >>> with captured(net, ["0"]) as outputs:
    ...     _ = net(torch.zeros(1, 2))
    >>> outputs["0"].shape
    torch.Size([1, 3])
    """
    modules = dict(model.named_modules())
    if missing := [name for name in layers if name not in modules]:
        raise unknown_choice(f"layer of {type(model).__name__}", missing[0], filter(None, modules))
    outputs: dict[str, Tensor] = {}
    seen: set[str] | None = None  # in this pass of the whole network, while there is one

    def begin(module, args):
        nonlocal seen
        outputs.clear()
        seen = set()

    def end(module, args, output):
        nonlocal seen
        seen = None

    def keep(name):
        def hook(module, args, output):
            if once and seen is not None and name in seen:
                raise UserError(
                    f"layer '{name}' is called more than once in a pass; choose a module that is called once, "
                    "or give each call a module of its own"
                )
            if seen is not None:
                seen.add(name)
            key = _place(output)
            if key is None:
                outputs[name] = output
                return None
            tensor = output if key is ... else output[key]
            outputs[name] = tensor.view_as(tensor)  # its own, where the module hands on what it was given
            return _with(output, key, outputs[name].clone())

        return hook

    handles = [model.register_forward_pre_hook(begin), model.register_forward_hook(end)]
    handles += [modules[name].register_forward_hook(keep(name)) for name in layers]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def _place(output: object) -> object:
    """Return where in a module's output its tensor is: ``...`` if it is one, None if there is none."""
    if isinstance(output, Tensor):
        return ...
    if isinstance(output, tuple | list) and not isinstance(output, PackedSequence):
        return 0 if output and isinstance(output[0], Tensor) else None
    tensors = [key for key, value in output.items() if isinstance(value, Tensor)] if isinstance(output, Mapping) else []
    return tensors[0] if len(tensors) == 1 else None


def _with(output: object, key: object, value: Tensor) -> object:
    """Return an output of the same kind with another tensor at `_place`."""
    if key is ...:
        return value
    if isinstance(output, Mapping):
        other = copy.copy(output)
        other[key] = value
        return other
    fields = (value, *output[1:])
    return type(output)(*fields) if hasattr(output, "_fields") else type(output)(fields)


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
    with evaluating(model), captured(model, list(dict.fromkeys(names)), once=False) as outputs:
        model(torch.from_numpy(x))
    return list(outputs)
