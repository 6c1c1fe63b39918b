"""Networks by name; a new one is a file beside this and a line here."""

from collections.abc import Callable, Mapping

from torch import nn

from analysis_lib.errors import unknown_choice
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


def build(architecture: str, skeleton: Skeleton, n_classes: int, in_channels: int, **arguments) -> nn.Module:
    """Return a new, untrained network of a known architecture.

    Raises
    ------
    UserError
        If there is none of that name (the choices are listed).
    """
    if architecture not in ARCHITECTURES:
        raise unknown_choice("architecture", architecture, ARCHITECTURES)
    return ARCHITECTURES[architecture](skeleton, n_classes, in_channels, **arguments)
