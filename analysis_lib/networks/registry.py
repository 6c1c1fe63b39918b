"""Networks by name; a new one is a file beside this and a line here."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from analysis_lib.errors import UserError, cut, unknown_choice
from analysis_lib.loading import checked_arguments
from analysis_lib.networks.agcn import AGCN
from analysis_lib.networks.ctr_gcn import CTRGCN
from analysis_lib.networks.fg_stformer import FGSTFormer
from analysis_lib.networks.multi_branch import MultiBranchGCN
from analysis_lib.networks.shift_gcn import ShiftGCN
from analysis_lib.networks.st_gdn import STGDN
from analysis_lib.networks.stgcn import STGCN
from analysis_lib.skeletons.skeleton import Skeleton

#: (skeleton, n_classes, in_channels, **arguments) -> module, by name
ARCHITECTURES: Mapping[str, Callable[..., nn.Module]] = {
    "stgcn": STGCN,
    "agcn": AGCN,
    "shift-gcn": ShiftGCN,
    "ctr-gcn": CTRGCN,
    "st-gdn": STGDN,
    "fg-stformer": FGSTFormer,
    "multi-branch": MultiBranchGCN,
}

#: what papers call them, by name
TITLES: Mapping[str, str] = {
    "stgcn": "ST-GCN",
    "agcn": "2s-AGCN",
    "shift-gcn": "Shift-GCN",
    "ctr-gcn": "CTR-GCN",
    "st-gdn": "ST-GDN",
    "fg-stformer": "FG-STFormer",
    "multi-branch": "Multi-branch GCN",
}

_DRAWING = (Tensor.normal_, Tensor.uniform_, nn.init.normal_, nn.init.uniform_)


class _Undrawn(TorchFunctionMode):
    """Weights without memory are not drawn either: torch would load its compiler for that, which takes a second."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func in _DRAWING:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


#: numbers that a network may have, its buffers among them: 400 MB
LARGEST = 10**8


def build(architecture: str, skeleton: Skeleton, n_classes: int, in_channels: int, **arguments) -> nn.Module:
    """Return a new, untrained network of a known architecture.

    It is built without memory first, so that no card asks for more than there is.

    Raises
    ------
    UserError
        If there is none of that name (the choices are listed), an argument is unknown or unfit, or it would have
        more than `LARGEST` numbers.
    """
    if architecture not in ARCHITECTURES:
        raise unknown_choice("architecture", architecture, ARCHITECTURES)
    make = ARCHITECTURES[architecture]
    given = checked_arguments(make, arguments, f"arguments of {architecture}", own=3)
    try:
        with torch.device("meta"), _Undrawn():
            size = sum(
                tensor.numel() for tensor in make(skeleton, n_classes, in_channels, **given).state_dict().values()
            )
    except UserError:
        raise
    except Exception as error:  # torch refuses sizes in many ways
        raise UserError(f"there is no {architecture} of {cut(given)}: {cut(error)}") from error
    if size > LARGEST:
        raise UserError(f"{architecture} of {cut(given)} would have {size} parameters, more than {LARGEST}")
    return make(skeleton, n_classes, in_channels, **given)
