"""Attention among nodes and over time, as the layers of FG-STFormer have it.

References
----------
Gao, Wang, Lv, Jiang, Liu, Wang, Xu & Li (2022), Focal and global spatial-temporal transformer for
skeleton-based action recognition. What it leaves open follows DSTA-Net (Shi et al. 2020), which it
builds on: heads with queries and keys of a quarter of the channels and values as they are, two
residual steps with batch norm, positions told to queries and keys alone.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from analysis_lib.networks.units import shortcut, temporal_conv

SLOPE = 0.1


def sinusoids(n: int, channels: int) -> Tensor:
    """Return sines and cosines that tell n positions apart, shape (channels, n) (Vaswani et al. 2017)."""
    rates = 1e4 ** (-torch.arange(0, channels, 2) / channels)
    angles = rates[:, None] * torch.arange(n)
    return torch.stack([angles.sin(), angles.cos()], dim=1).flatten(0, 1)[:channels]


class SpatialAttention(nn.Module):
    r"""Nodes of each frame take from nodes of the same frame what they attend to.

    .. math::
        z = \mathrm{concat}_h\Big(\big(\alpha_h\, \mathrm{softmax}\frac{Q_h K_h^\top}{\sqrt d} + G_h\big) X\Big)

    with a map G that all clips share, then twice
    :math:`\mathrm{LReLU}(\mathrm{res}(x) + \mathrm{BN}(\text{linear}))`: of z, and of what comes out.

    Parameters
    ----------
    c_in, c_out : int
    n_queries, n_keys : int
        How many nodes there are to choose from.
    heads : int
    shared_time : bool
        One map for all frames of a clip, by the mean of their products, instead of one a frame.
    """

    def __init__(self, c_in: int, c_out: int, n_queries: int, n_keys: int, heads: int = 3, shared_time: bool = False):
        super().__init__()
        self.heads, self.shared_time = heads, shared_time
        width = heads * max(1, c_out // 4)
        self.query = nn.Conv2d(c_in, width, kernel_size=1)
        self.key = nn.Conv2d(c_in, width, kernel_size=1)
        self.softmax = nn.Softmax(dim=-1)
        self.dynamic = nn.Parameter(torch.ones(heads, 1, 1, 1))
        self.shared = nn.Parameter(torch.full((1, heads, 1, n_queries, n_keys), 1 / n_keys))
        self.register_buffer("query_place", sinusoids(n_queries, c_in)[None, :, None], persistent=False)
        self.register_buffer("key_place", sinusoids(n_keys, c_in)[None, :, None], persistent=False)
        self.join = nn.Sequential(nn.Conv2d(heads * c_in, c_out, kernel_size=1), nn.BatchNorm2d(c_out))
        self.past_join = shortcut(c_in, c_out)
        self.act_join = nn.LeakyReLU(SLOPE)
        self.feed = nn.Sequential(nn.Conv2d(c_out, c_out, kernel_size=1), nn.BatchNorm2d(c_out))
        self.past_feed = shortcut(c_in, c_out)
        self.act_feed = nn.LeakyReLU(SLOPE)

    def forward(
        self, x: Tensor, keys: Tensor | None = None, chosen: Tensor | None = None, chosen_keys: Tensor | None = None
    ) -> Tensor:
        """Return what the nodes x make of the keys (by default themselves), (N, C, T, Q) -> (N, C', T, Q).

        Parameters
        ----------
        chosen, chosen_keys : int Tensor of shape (N, T, Q), (N, T, K)
            Which of the nodes these are; None: all.
        """
        keys = x if keys is None else keys
        q = self._split(self.query(x + _taken(self.query_place, chosen, 3)))
        k = self._split(self.key(keys + _taken(self.key_place, chosen_keys, 3)))  # (N, H, T, d, K)
        scores = q.transpose(-1, -2) @ k / q.shape[3] ** 0.5
        if self.shared_time:
            scores = scores.mean(dim=2, keepdim=True)
        shared = _taken(_taken(self.shared, chosen, 3), chosen_keys, 4)
        a = self.dynamic * self.softmax(scores) + shared  # (N, H, T, Q, K)
        values = keys.transpose(1, 2)[:, None]  # (N, 1, T, C, K)
        z = (values @ a.transpose(-1, -2).to(values.dtype)).transpose(2, 3).flatten(1, 2)  # (N, H C, T, Q)
        y = self.act_join(self.join(z) + self.past_join(x))
        return self.act_feed(self.feed(y) + self.past_feed(x))

    def _split(self, x: Tensor) -> Tensor:  # (N, H d, T, K) -> (N, H, T, d, K)
        return x.unflatten(1, (self.heads, -1)).transpose(2, 3)


def _taken(table: Tensor, index: Tensor | None, dim: int) -> Tensor:
    """Return a table (1, C, 1, V) or (1, H, 1, Q, K), or what it holds of the nodes (N, T, k) chosen along ``dim``."""
    if index is None:
        return table
    index = index[:, None]
    return torch.take_along_dim(table, index if table.ndim == 4 else index.unsqueeze(7 - dim), dim)


class TemporalAttention(nn.Module):
    r"""Each node takes from its own other frames; what it takes has first been convolved over time.

    .. math::
        V_h = \mathrm{conv}_{7, h}(x), \qquad
        z_h = \Big(\mathrm{softmax}\frac{Q_h K_h^\top}{\sqrt d}\, V_h\Big) W_h + V_h, \qquad
        y = \mathrm{LReLU}\big(\mathrm{res}(x) + \mathrm{BN}(\mathrm{concat}_h(z_h)\, W_O)\big)

    Convolution h is dilated by h = 1, 2. With a stride there are queries, keys and values of ceil(T / stride) frames.

    Parameters
    ----------
    channels, stride, heads, kernel : int
    attend : bool
        Without attention z is the convolution alone.
    convolve : bool
        Without convolution V is linear, and z what attention makes of it.
    """

    def __init__(
        self,
        channels: int,
        stride: int = 1,
        heads: int = 2,
        kernel: int = 7,
        attend: bool = True,
        convolve: bool = True,
    ):
        super().__init__()
        self.heads, self.attend, self.convolve = heads, attend, convolve
        width = max(1, channels // heads)
        kernel = kernel if convolve else 1
        if attend:
            self.query = nn.Conv2d(channels, heads * width, kernel_size=1, stride=(stride, 1))
            self.key = nn.Conv2d(channels, heads * width, kernel_size=1, stride=(stride, 1))
        self.values = nn.ModuleList(temporal_conv(channels, width, stride, kernel, h + 1) for h in range(heads))
        if attend:
            self.softmax = nn.Softmax(dim=-1)
            self.mix = nn.Conv2d(heads * width, heads * width, kernel_size=1, groups=heads)
        self.join = nn.Sequential(nn.Conv2d(heads * width, channels, kernel_size=1), nn.BatchNorm2d(channels))
        self.past = nn.Identity() if stride == 1 else shortcut(channels, channels, stride)
        self.act = nn.LeakyReLU(SLOPE)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, T, V) -> (N, C, ceil(T / s), V)
        v = torch.cat([value(x) for value in self.values], dim=1)
        return self.act(self.join(self._heads(x, v)) + self.past(x))

    def _heads(self, x: Tensor, v: Tensor) -> Tensor:
        """Return z of all heads, (N, H d, T', V), given the values."""
        if not self.attend:
            return v
        placed = x + sinusoids(x.shape[2], x.shape[1]).to(x)[:, :, None]
        q, k = (self._split(part(placed)) for part in (self.query, self.key))  # (N, H, V, T', d)
        a = self.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5)  # (N, H, V, T', T')
        z = self.mix((a.to(v.dtype) @ self._split(v)).permute(0, 1, 4, 3, 2).flatten(1, 2))
        return z + v if self.convolve else z

    def _split(self, x: Tensor) -> Tensor:  # (N, H d, T, V) -> (N, H, V, T, d)
        return x.unflatten(1, (self.heads, -1)).permute(0, 1, 4, 3, 2)


@dataclass(frozen=True)
class Attention:
    """What attention is like in all layers of a network; see `analysis_lib.networks.fg_stformer.FGSTFormer`."""

    heads: int
    shared_time: bool
    attend: bool
    convolve: bool

    def space(self, c_in: int, c_out: int, n_queries: int, n_keys: int) -> SpatialAttention:
        """Return attention among nodes."""
        return SpatialAttention(c_in, c_out, n_queries, n_keys, self.heads, self.shared_time)

    def time(self, channels: int, stride: int) -> TemporalAttention:
        """Return attention over time."""
        return TemporalAttention(channels, stride, attend=self.attend, convolve=self.convolve)
