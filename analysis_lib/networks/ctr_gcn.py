"""CTR-GCN: every channel refines the shared graphs for itself.

References
----------
Chen, Zhang, Yuan, Li, Deng & Hu (2021), Channel-wise topology refinement graph convolution for
skeleton-based action recognition.
"""

import torch
from torch import Tensor, nn

from analysis_lib.networks.units import GraphTimeBlock, SkeletonNet, fan_out, layer_sizes, temporal_conv
from analysis_lib.skeletons.adjacency import partition
from analysis_lib.skeletons.skeleton import Skeleton

#: embeddings have an eighth of the input's channels, and so many of the coordinates
REDUCTION, COORDINATE_EMBEDDING = 8, 8


class RefinedGraphConv(nn.Module):
    r"""Graph convolution whose graph each channel corrects by differences between joints.

    .. math::
        y^c_w = \sum_k \sum_v \big(A_k + \alpha\, \xi_k(\tanh(\psi_k \bar x_v - \varphi_k \bar x_w))\big)^c_{vw}
        (\mathbf{W}_k x_v)^c

    :math:`\bar x` is the mean over the frames; A is learnt, from the bones on, and
    :math:`\alpha` from zero on.

    Parameters
    ----------
    c_in, c_out : int
    a : Tensor, shape (K, V, V)
    embedding : int
        Channels of :math:`\psi` and :math:`\varphi`.
    """

    def __init__(self, c_in: int, c_out: int, a: Tensor, embedding: int):
        super().__init__()
        k = len(a)
        self.A = nn.Parameter(a.clone())
        self.alpha = nn.Parameter(torch.zeros(1))
        self.psi = nn.Conv2d(c_in, k * embedding, kernel_size=1)
        self.phi = nn.Conv2d(c_in, k * embedding, kernel_size=1)
        self.tanh = nn.Tanh()
        self.xi = nn.Conv2d(k * embedding, k * c_out, kernel_size=1, groups=k)
        self.conv = nn.Conv2d(c_in, k * c_out, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, T, V) -> (N, C', T, V)
        mean = x.mean(dim=2, keepdim=True)
        differences = self.psi(mean).transpose(2, 3) - self.phi(mean)  # (N, K Ce, V, V)
        refined = self.xi(self.tanh(differences)).unflatten(1, (len(self.A), -1))  # (N, K, C', V, V)
        graphs = self.A[:, None] + self.alpha * refined
        return torch.einsum("nkctv,nkcvw->nctw", self.conv(x).unflatten(1, (len(self.A), -1)), graphs)


class MultiScaleTime(nn.Module):
    """Four looks at time side by side: five frames, every other of nine, the largest of three, one.

    Each has a quarter of the channels; the last has what is left over.
    """

    def __init__(self, channels: int, stride: int):
        super().__init__()
        quarter = max(1, channels // 4)

        def reduced(*rest: nn.Module) -> nn.Sequential:
            narrow = nn.Conv2d(channels, quarter, kernel_size=1)
            return nn.Sequential(narrow, nn.BatchNorm2d(quarter), nn.ReLU(), *rest, nn.BatchNorm2d(quarter))

        left = channels - 3 * quarter
        self.branches = nn.ModuleList(
            [
                reduced(temporal_conv(quarter, quarter, stride, kernel=5)),
                reduced(temporal_conv(quarter, quarter, stride, kernel=5, dilation=2)),
                reduced(nn.MaxPool2d((3, 1), (stride, 1), (1, 0))),
                nn.Sequential(nn.Conv2d(channels, left, kernel_size=1, stride=(stride, 1)), nn.BatchNorm2d(left)),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:  # (N, C, T, V) -> (N, C, ceil(T / stride), V)
        return torch.cat([branch(x) for branch in self.branches], dim=1)


class CTRGCN(SkeletonNet):
    """Class scores of skeleton sequences: (N, C, T, V, M) -> (N, n_classes), before softmax.

    Each of the ten layers is a `GraphTimeBlock` of a `RefinedGraphConv` and a `MultiScaleTime`.

    Parameters
    ----------
    skeleton : Skeleton
    n_classes, in_channels : int
    width : float
        Multiplies the published widths 64, 128, 256; a layer needs four channels.
    bodies : int
        See `SkeletonNet`; 2 as published.

    Examples
    --------
    >>> from analysis_lib.skeletons.layouts import layout
    >>> model = CTRGCN(layout("ntu-25"), n_classes=120, bodies=2)
    >>> sum(p.numel() for p in model.parameters())
    1462092
    """

    def __init__(self, skeleton: Skeleton, n_classes: int, in_channels: int = 3, width: float = 1.0, bodies: int = 1):
        a = torch.tensor(partition(skeleton, "agcn"), dtype=torch.float32)
        sizes = layer_sizes(in_channels, width)
        layers = {
            f"l{i}": GraphTimeBlock(
                RefinedGraphConv(c_in, c_out, a, COORDINATE_EMBEDDING if i == 1 else max(1, c_in // REDUCTION)),
                MultiScaleTime(c_out, stride),
                c_in,
                c_out,
                stride,
                residual=i > 1,
            )
            for i, (c_in, c_out, stride) in enumerate(sizes, 1)
        }
        super().__init__(skeleton, n_classes, in_channels, layers, sizes[-1][1], bodies)
        self.apply(fan_out)
