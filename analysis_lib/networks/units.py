"""What several networks of skeletons are made of. Inside a network tensors are (N M, C, T, V).

References
----------
Yan, Xiong & Lin (2018), ST-GCN; Shi et al. (2019), 2s-AGCN, Cheng et al. (2020), Shift-GCN, and Chen
et al. (2021), CTR-GCN, have the same ten layers with other graph convolutions.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from analysis_lib.errors import UserError

#: (output channels at width 1, temporal stride) of each layer
TEN_LAYERS = ((64, 1),) * 4 + ((128, 2),) + ((128, 1),) * 2 + ((256, 2),) + ((256, 1),) * 2


def layer_sizes(
    in_channels: int, width: float = 1.0, table: Sequence[tuple[int, int]] = TEN_LAYERS
) -> list[tuple[int, int, int]]:
    """Return (input channels, output channels, stride) of each layer.

    Parameters
    ----------
    in_channels : int
    width : float
        Multiplies the channels of the table.
    table : sequence of (output channels, stride)

    Raises
    ------
    UserError
        If a layer is left without a channel.

    Examples
    --------
    >>> layer_sizes(3, 0.5, ((64, 1), (128, 2)))
    [(3, 32, 1), (32, 64, 2)]
    """
    channels = [in_channels, *(round(c * width) for c, _ in table)]
    if min(channels) < 1:
        raise UserError(f"each layer needs a channel, got width={width} and in_channels={in_channels}")
    return list(zip(channels[:-1], channels[1:], [stride for _, stride in table], strict=True))


class GraphConv(nn.Module):
    r"""Graph convolution :math:`y_w = \sum_k \sum_v (A_k \odot E_k)_{vw}\, \mathbf{W}_k x_v`."""

    def __init__(self, c_in: int, c_out: int, n_subsets: int):
        super().__init__()
        self.n_subsets = n_subsets
        self.conv = nn.Conv2d(c_in, c_out * n_subsets, kernel_size=1)

    def forward(self, x: Tensor, a: Tensor) -> Tensor:  # x: (N, C, T, V); a: (K, V, V)
        n, _, t, v = x.shape
        x = self.conv(x).reshape(n, self.n_subsets, -1, v)  # (N, K, C' T, V)
        return torch.einsum("nkxv,kvw->nxw", x, a).reshape(n, -1, t, v)  # (N, C', T, V)


def temporal_unit(channels: int, stride: int = 1, dropout: float = 0.0, kernel: int = 9) -> nn.Sequential:
    """Return batch norm, ReLU, convolution over time, batch norm, dropout: T becomes ceil(T / stride)."""
    return nn.Sequential(
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.Conv2d(channels, channels, (kernel, 1), (stride, 1), (kernel // 2, 0)),
        nn.BatchNorm2d(channels),
        nn.Dropout(dropout),
    )


def shortcut(c_in: int, c_out: int, stride: int = 1) -> nn.Module:
    """Return the way past a layer: itself, or a convolution of one frame where the shape changes."""
    if c_in == c_out and stride == 1:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(c_in, c_out, kernel_size=1, stride=(stride, 1)), nn.BatchNorm2d(c_out))


def fold_bodies(x: Tensor, norm: nn.BatchNorm1d) -> Tensor:
    """Return clips (N, C, T, V, M) as (N M, C, T, V), each coordinate of each joint normalised.

    Bodies lie in the batch, so that they share all statistics; channel v C + c of ``norm`` is
    coordinate c of joint v.

    Raises
    ------
    UserError
        If the clips have another number of joints or coordinates.
    """
    n, c, t, v, m = x.shape
    if c * v != norm.num_features:
        raise UserError(
            f"this model takes {norm.num_features} coordinates a frame, got "
            f"{c} channels x {v} joints of shape (N, C, T, V, M) = {tuple(x.shape)}"
        )
    x = x.permute(0, 4, 3, 1, 2).reshape(n * m, v * c, t)
    return norm(x).view(n * m, v, c, t).permute(0, 2, 3, 1)


def pool(x: Tensor, n_bodies: int) -> Tensor:
    """Return the mean over frames, joints and bodies, (N M, C, T, V) -> (N, C)."""
    return x.mean(dim=(2, 3)).unflatten(0, (-1, n_bodies)).mean(dim=1)
