"""FG-STFormer: attention among joints, then among a few focal joints and the parts of the body.

References
----------
Gao, Wang, Lv, Jiang, Liu, Wang, Xu & Li (2022), Focal and global spatial-temporal transformer for
skeleton-based action recognition. What it leaves open follows DSTA-Net (Shi et al. 2020), which it
builds on: heads with queries and keys of a quarter of the channels and values as they are, two
residual steps with batch norm, positions told to queries and keys alone.
"""

import math

import torch
from torch import Tensor, nn

from analysis_lib.errors import UserError
from analysis_lib.networks.units import fan_out, fold_bodies, layer_sizes, pool, shortcut, temporal_conv
from analysis_lib.skeletons.skeleton import Skeleton

#: (output channels at width 1, temporal stride) of the layers of both stages
FIRST_STAGE = ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1))
SECOND_STAGE = ((256, 1), (256, 1))

#: share of the joints that are focal: 15 of 25
FOCAL_SHARE = 0.6

SLOPE = 0.1


def body_parts(skeleton: Skeleton, size: int = 3) -> list[tuple[int, ...]]:
    """Return runs of so many joints that cover every part of the body; the published network has ten.

    The joints of a part are lined up from its end inward, with the joint that it hangs on where
    they do not fill whole runs; runs overlap where they must. A part of fewer joints repeats its last.

    Examples
    --------
    >>> from analysis_lib.skeletons.layouts import layout
    >>> body_parts(layout("kinect-20"))[:2]  # left hand, wrist, elbow; elbow, shoulder, shoulder centre
    [(7, 6, 5), (5, 4, 2)]
    >>> len(body_parts(layout("ntu-25")))
    10
    """
    hops, runs = skeleton.hop_distance, []
    to_centre = hops[skeleton.centre]
    for part in skeleton.parts.values():
        hooks = [v for u in part for v in range(len(hops)) if hops[u, v] == 1 and v not in part]
        hooks = [v for v in hooks if to_centre[v] < min(to_centre[u] for u in part)] if len(part) % size else []
        end = max(part, key=lambda u: to_centre[u])
        line = sorted([*part, *hooks[:1]], key=lambda u: hops[end, u])
        n_runs = math.ceil(len(line) / size)
        starts = torch.linspace(0, max(0, len(line) - size), n_runs, device="cpu").round().int().tolist()
        runs += [tuple(line[min(s + i, len(line) - 1)] for i in range(size)) for s in starts]
    return runs


def sinusoids(n: int, channels: int) -> Tensor:
    """Return sines and cosines that tell n positions apart, shape (channels, n) (Vaswani et al. 2017)."""
    rates = 1e4 ** (-torch.arange(0, channels, 2) / channels)
    angles = rates[:, None] * torch.arange(n)
    return torch.stack([angles.sin(), angles.cos()], dim=1).flatten(0, 1)[:channels]


def focal_joints(scores: Tensor, k: int, per_sequence: bool = False) -> Tensor:
    """Return the k joints of the highest scores, in the order of their numbers, (N, T, V) -> (N, T, k).

    Parameters
    ----------
    scores : Tensor, shape (N, T, V)
    per_sequence : bool
        By the mean score of the clip: the same joints in all of its frames.

    Examples
    --------
    >>> scores = torch.tensor([[[0.9, 0.1, 0.8], [0.1, 0.2, 0.3]]])
    >>> focal_joints(scores, 2).tolist()
    [[[0, 2], [1, 2]]]
    >>> focal_joints(scores, 2, per_sequence=True).tolist()
    [[[0, 2], [0, 2]]]
    """
    if per_sequence:
        scores = scores.mean(dim=1, keepdim=True).expand_as(scores)
    return scores.topk(k, dim=2).indices.sort(dim=2).values


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
    """

    def __init__(self, channels: int, stride: int = 1, heads: int = 2, kernel: int = 7):
        super().__init__()
        self.heads = heads
        width = max(1, channels // heads)
        self.query = nn.Conv2d(channels, heads * width, kernel_size=1, stride=(stride, 1))
        self.key = nn.Conv2d(channels, heads * width, kernel_size=1, stride=(stride, 1))
        self.values = nn.ModuleList(temporal_conv(channels, width, stride, kernel, h + 1) for h in range(heads))
        self.softmax = nn.Softmax(dim=-1)
        self.mix = nn.Conv2d(heads * width, heads * width, kernel_size=1, groups=heads)
        self.join = nn.Sequential(nn.Conv2d(heads * width, channels, kernel_size=1), nn.BatchNorm2d(channels))
        self.past = nn.Identity() if stride == 1 else shortcut(channels, channels, stride)
        self.act = nn.LeakyReLU(SLOPE)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, T, V) -> (N, C, ceil(T / s), V)
        placed = x + sinusoids(x.shape[2], x.shape[1]).to(x)[:, :, None]
        q, k = (self._split(part(placed)) for part in (self.query, self.key))  # (N, H, V, T', d)
        a = self.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5)  # (N, H, V, T', T')
        v = torch.cat([value(x) for value in self.values], dim=1)
        z = (a.to(v.dtype) @ self._split(v)).permute(0, 1, 4, 3, 2).flatten(1, 2)  # (N, H d, T', V)
        return self.act(self.join(self.mix(z) + v) + self.past(x))

    def _split(self, x: Tensor) -> Tensor:  # (N, H d, T, V) -> (N, H, V, T, d)
        return x.unflatten(1, (self.heads, -1)).permute(0, 1, 4, 3, 2)


class GlobalLayer(nn.Sequential):
    """A layer of the first stage: attention among all joints, then over time."""

    def __init__(self, c_in: int, c_out: int, stride: int, n_joints: int, heads: int, shared_time: bool):
        space = SpatialAttention(c_in, c_out, n_joints, n_joints, heads, shared_time)
        super().__init__(space, TemporalAttention(c_out, stride))


class FocalLayer(nn.Module):
    """A layer of the second stage: focal joints and parts, each among themselves, each from the other, over time.

    It takes and gives (N, C, T, V + P): all joints, zero where one is not focal, and then the parts.
    So every node keeps its place from frame to frame, whichever joints are focal.
    """

    def __init__(self, c_in: int, c_out: int, stride: int, n_joints: int, n_parts: int, heads: int, shared_time: bool):
        super().__init__()

        def attention(c: int, queries: int, keys: int) -> SpatialAttention:
            return SpatialAttention(c, c_out, queries, keys, heads, shared_time)

        self.n_joints = n_joints
        self.joints, self.parts = attention(c_in, n_joints, n_joints), attention(c_in, n_parts, n_parts)
        self.joints_from_parts = attention(c_out, n_joints, n_parts)
        self.parts_from_joints = attention(c_out, n_parts, n_joints)
        self.joints_in_time, self.parts_in_time = TemporalAttention(c_out, stride), TemporalAttention(c_out, stride)

    def forward(self, x: Tensor, chosen: Tensor) -> Tensor:
        joints, parts = x.split([self.n_joints, x.shape[3] - self.n_joints], dim=3)
        joints = torch.take_along_dim(joints, chosen[:, None], dim=3)  # (N, C, T, K)
        joints = self.joints(joints, chosen=chosen, chosen_keys=chosen)
        parts = self.parts(parts)
        crossed = self.joints_from_parts(joints, parts, chosen=chosen)
        parts = self.parts_in_time(self.parts_from_joints(parts, joints, chosen_keys=chosen))
        return at_places(self.joints_in_time(crossed), parts, chosen, self.n_joints)


def at_places(joints: Tensor, parts: Tensor, chosen: Tensor, n_joints: int) -> Tensor:
    """Return chosen joints (N, C, T, K) at their places among all, zero elsewhere, then parts: (N, C, T, V + P)."""
    index = chosen[:, None].expand_as(joints)
    whole = joints.new_zeros(*joints.shape[:3], n_joints).scatter(3, index, joints)
    return torch.cat([whole, parts.to(whole.dtype)], dim=3)


class Informativeness(nn.Module):
    r"""How much each joint tells at each frame, (N, C, T, V) -> (N, T, V): :math:`\sigma(x^\top w / \|w\|)`."""

    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels))
        self.sigmoid = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        return self.sigmoid(torch.einsum("nctv,c->ntv", x, self.weight / self.weight.norm()))


class FGSTFormer(nn.Module):
    """Class scores of skeleton sequences: (N, C, T, V, M) -> (N, n_classes), before softmax.

    Parameters
    ----------
    skeleton : Skeleton
    n_classes, in_channels : int
    width : float
        Multiplies the published widths 64, 128, 256.
    focal : int, optional
        K, by default three fifths of the joints: 15 of 25 as published.
    heads : int
        Of the attention among nodes.
    shared_time : bool
        One map of attention among nodes for all frames of a clip, instead of one a frame.
    gate : bool
        Focal joints are weighed by their scores; without it nothing tells the scores what is worth choosing.
    per_sequence : bool
        The same focal joints in all frames of a clip.
    dropout : float
        Between the two linear maps at the end.

    Attributes
    ----------
    layer_names : tuple of str
    layer_nodes : mapping of str to list
        For which joints the nodes of the second stage stand, weights of shape (V + P, V).
    attention_names : tuple of str
        Modules whose outputs are attention: (N M, H, T, queries, keys) among nodes (T = 1 where all
        frames share a map), (N M, H, nodes, T, T) over time. ``"informativeness"`` gives the scores,
        and `focal_joints` of them which joints are chosen.

    Examples
    --------
    >>> from analysis_lib.skeletons.layouts import layout
    >>> model = FGSTFormer(layout("ntu-25"), n_classes=60)
    >>> sum(p.numel() for p in model.parameters())
    8770020
    >>> len(model.parts), model.focal
    (10, 15)
    """

    def __init__(
        self,
        skeleton: Skeleton,
        n_classes: int,
        in_channels: int = 3,
        width: float = 1.0,
        focal: int | None = None,
        heads: int = 3,
        shared_time: bool = False,
        gate: bool = True,
        per_sequence: bool = False,
        dropout: float = 0.5,
    ):
        super().__init__()
        n_joints = skeleton.n_joints
        self.focal = max(1, round(FOCAL_SHARE * n_joints)) if focal is None else focal
        if n_classes < 1 or not 1 <= self.focal <= n_joints:
            raise UserError(
                f"FGSTFormer needs a class and 1 to {n_joints} focal joints, "
                f"got n_classes={n_classes} and focal={self.focal}"
            )
        self.gate, self.per_sequence = gate, per_sequence
        self.parts = body_parts(skeleton)
        sizes = layer_sizes(round(64 * width), width, FIRST_STAGE + SECOND_STAGE)
        first, second = sizes[: len(FIRST_STAGE)], sizes[len(FIRST_STAGE) :]
        middle, last = second[0][0], second[-1][1]
        self.data_bn = nn.BatchNorm1d(in_channels * n_joints)
        self.embed = nn.Conv2d(in_channels, sizes[0][0], kernel_size=1)
        self.global_layers = nn.ModuleList(GlobalLayer(*size, n_joints, heads, shared_time) for size in first)
        self.informativeness = Informativeness(middle)
        self.part_embed = nn.Conv2d(len(self.parts[0]) * middle, middle, kernel_size=1)
        self.focal_layers = nn.ModuleList(
            FocalLayer(*size, n_joints, len(self.parts), heads, shared_time) for size in second
        )
        self.head = nn.Sequential(nn.Linear(2 * last, last), nn.LeakyReLU(SLOPE), nn.Dropout(dropout))
        self.fc = nn.Linear(last, n_classes)
        late = tuple(f"focal_layers.{i}" for i in range(len(second)))
        self.layer_names = (*(f"global_layers.{i}" for i in range(len(first))), *late)
        nodes = [
            [float(v in node) for v in range(n_joints)] for node in [*((v,) for v in range(n_joints)), *self.parts]
        ]
        self.layer_axes = "(n m) c t v"
        self.layer_nodes = dict.fromkeys(late, nodes)
        self.attention_names = tuple(name for name, part in self.named_modules() if isinstance(part, nn.Softmax))
        self.apply(fan_out)

    def forward(self, x: Tensor) -> Tensor:
        n_joints, n_bodies = x.shape[3:]
        x = self.embed(fold_bodies(x, self.data_bn))
        for layer in self.global_layers:
            x = layer(x)
        scores = self.informativeness(x)
        chosen = focal_joints(scores, self.focal, self.per_sequence)
        x = self._chosen_and_parts(x, scores, chosen)
        for layer in self.focal_layers:
            x = layer(x, chosen)
        joints = pool(x[..., :n_joints], n_bodies) * (n_joints / self.focal)  # the mean over those that are focal
        return self.fc(self.head(torch.cat([joints, pool(x[..., n_joints:], n_bodies)], dim=1)))

    def _chosen_and_parts(self, x: Tensor, scores: Tensor, chosen: Tensor) -> Tensor:
        """Return all that the second stage is given, (N, C, T, V) -> (N, C, T, V + P)."""
        gated = x * scores[:, None].to(x.dtype) if self.gate else x
        members = [x[..., list(column)] for column in zip(*self.parts, strict=True)]
        parts = self.part_embed(torch.cat(members, dim=1))
        return at_places(torch.take_along_dim(gated, chosen[:, None], dim=3), parts, chosen, x.shape[3])
