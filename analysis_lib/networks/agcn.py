"""2s-AGCN: graphs that are learnt, for all clips and for each of them.

References
----------
Shi, Zhang, Cheng & Lu (2019), Two-stream adaptive graph convolutional networks for skeleton-based
action recognition; one of its streams. With seven layers it is the baseline of ST-GDN.
"""

import torch
from torch import nn

from analysis_lib.errors import unknown_choice
from analysis_lib.networks.units import (
    SEVEN_LAYERS,
    TEN_LAYERS,
    AdaptiveGraphConv,
    GraphTimeBlock,
    SkeletonNet,
    fan_out,
    layer_sizes,
    temporal_conv,
)
from analysis_lib.skeletons.adjacency import partition
from analysis_lib.skeletons.skeleton import Skeleton

DEPTHS = {10: TEN_LAYERS, 7: SEVEN_LAYERS}


class AGCN(SkeletonNet):
    r"""Class scores of skeleton sequences: (N, C, T, V, M) -> (N, n_classes), before softmax.

    Each layer is a `GraphTimeBlock` of an `AdaptiveGraphConv` and a convolution over nine frames.

    Parameters
    ----------
    skeleton : Skeleton
    n_classes, in_channels : int
    width : float
        Multiplies the published widths 64, 128, 256.
    depth : {10, 7}
    bodies : int
        See `SkeletonNet`; 2 as published.

    Examples
    --------
    >>> from analysis_lib.skeletons.layouts import layout
    >>> model = AGCN(layout("ntu-25"), n_classes=60, bodies=2)
    >>> sum(p.numel() for p in model.parameters())
    3469510
    """

    def __init__(
        self,
        skeleton: Skeleton,
        n_classes: int,
        in_channels: int = 3,
        width: float = 1.0,
        depth: int = 10,
        bodies: int = 1,
    ):
        if depth not in DEPTHS:
            raise unknown_choice("depth", str(depth), map(str, DEPTHS))
        a = torch.tensor(partition(skeleton, "agcn"), dtype=torch.float32)
        sizes = layer_sizes(in_channels, width, DEPTHS[depth])
        layers = {
            f"l{i}": GraphTimeBlock(
                AdaptiveGraphConv(c_in, c_out, a),
                nn.Sequential(temporal_conv(c_out, c_out, stride), nn.BatchNorm2d(c_out)),
                c_in,
                c_out,
                stride,
                residual=i > 1,
            )
            for i, (c_in, c_out, stride) in enumerate(sizes, 1)
        }
        super().__init__(skeleton, n_classes, in_channels, layers, sizes[-1][1], bodies)
        self.apply(fan_out)
