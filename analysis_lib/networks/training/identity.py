"""What a network is before it learns, in one digest: only the network that began a training may go on with it."""

import numpy as np
from torch import nn

from analysis_lib.files import digest
from analysis_lib.results.digest import canonical_json

_PLAIN = bool | int | float | str | tuple | list | dict | None
_DECIMALS = 5  # processors disagree about the last digits


def structure_digest(model: nn.Module) -> str:
    """Return a digest of all that makes a network, but for the weights that it learns.

    That is the class and the plain attributes of each module, the shape of each tensor of its state, and what each
    buffer holds, such as the adjacency of its graph. The ``repr`` of a network has not all of that: an option that a
    module keeps for its forward pass is no part of it.

    Parameters
    ----------
    model : nn.Module
        Before training: running statistics are buffers, too.

    Examples
    --------
    >>> from analysis_lib.networks.stgcn import STGCN
    >>> from analysis_lib.skeletons.layouts import layout
    >>> one, other = (STGCN(layout("kinect-20"), 2, strategy=name) for name in ("spatial", "spatial_legacy"))
    >>> repr(one) == repr(other), structure_digest(one) == structure_digest(other)
    (True, False)
    """
    modules = {name: (_class(part), _settings(part)) for name, part in model.named_modules()}
    shapes = {name: list(tensor.shape) for name, tensor in model.state_dict().items()}
    held = {name: np.round(tensor.double().cpu().numpy(), _DECIMALS) + 0.0 for name, tensor in model.named_buffers()}
    return digest(canonical_json([modules, shapes, held]))


def _class(part: nn.Module) -> str:
    return f"{type(part).__module__}.{type(part).__qualname__}"


def _settings(part: nn.Module) -> dict[str, str]:
    """Return the plain public attributes of a module; whether it is training now is none of its own."""
    known = {name: value for name, value in vars(part).items() if name[0] != "_" and name != "training"}
    return {name: repr(value) for name, value in known.items() if isinstance(value, _PLAIN)}
