"""FG-STFormer: attention among joints, then among a few focal joints and the parts of the body.

References
----------
Gao, Wang, Lv, Jiang, Liu, Wang, Xu & Li (2022), Focal and global spatial-temporal transformer for
skeleton-based action recognition.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from analysis_lib.errors import UserError
from analysis_lib.networks.attention import SLOPE, Attention
from analysis_lib.networks.hooks import captured, evaluating
from analysis_lib.networks.units import SEVEN_LAYERS, fan_out, fold_bodies, layer_sizes, pool
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.warping.windows import layer_lengths

#: (output channels at width 1, temporal stride) of the layers of both stages together
EIGHT_LAYERS = (*SEVEN_LAYERS, (256, 1))

#: share of the joints that are focal: 15 of 25
FOCAL_SHARE = 0.6


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


class GlobalLayer(nn.Sequential):
    """A layer of the first stage: attention among all joints, then over time."""

    def __init__(self, c_in: int, c_out: int, stride: int, n_joints: int, how: Attention):
        super().__init__(how.space(c_in, c_out, n_joints, n_joints), how.time(c_out, stride))


class FocalLayer(nn.Module):
    """A layer of the second stage: focal joints and parts, each among themselves, each from the other, over time.

    It takes and gives (N, C, T, V + P): all joints, zero where one is not focal, and then the parts.
    So every node keeps its place from frame to frame, whichever joints are focal. Without parts P is 0.
    """

    def __init__(
        self, c_in: int, c_out: int, stride: int, n_joints: int, n_parts: int, focal: int, cross: bool, how: Attention
    ):
        super().__init__()
        self.n_joints, self.focal, self.stride = n_joints, focal, stride
        self.cross, self.with_parts = cross and n_parts > 0, n_parts > 0
        self.joints = how.space(c_in, c_out, n_joints, n_joints)
        if self.with_parts:
            self.parts = how.space(c_in, c_out, n_parts, n_parts)
        if self.cross:
            self.joints_from_parts = how.space(c_out, c_out, n_joints, n_parts)
            self.parts_from_joints = how.space(c_out, c_out, n_parts, n_joints)
        self.joints_in_time = how.time(c_out, stride)
        if self.with_parts:
            self.parts_in_time = how.time(c_out, stride)

    def forward(self, x: Tensor) -> Tensor:
        joints, parts = x.split([self.n_joints, x.shape[3] - self.n_joints], dim=3)
        chosen = focal_joints(joints.ne(0).any(dim=1).float(), self.focal)  # those that are not zero
        joints = torch.take_along_dim(joints, chosen[:, None], dim=3)  # (N, C, T, K)
        joints = self.joints(joints, chosen=chosen, chosen_keys=chosen)
        if self.with_parts:
            parts = self.parts(parts)
        if self.cross:
            joints, parts = (
                self.joints_from_parts(joints, parts, chosen=chosen),
                self.parts_from_joints(parts, joints, chosen_keys=chosen),
            )
        joints = self.joints_in_time(joints)
        parts = self.parts_in_time(parts) if self.with_parts else joints[..., :0]
        return at_places(joints, parts, chosen[:, :: self.stride], self.n_joints)


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
    first : int
        Layers of the first stage, of eight (Table 4 of the paper).
    parts, cross : bool
        Whether there are parts, and whether joints and parts take from each other (Table 1).
    attend, convolve : bool
        What there is over time: attention, convolution (Table 3).
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
        first: int = 6,
        parts: bool = True,
        cross: bool = True,
        attend: bool = True,
        convolve: bool = True,
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
        if not (1 <= first < len(EIGHT_LAYERS) and (attend or convolve)):
            raise UserError(
                f"FGSTFormer needs 1 to {len(EIGHT_LAYERS) - 1} first layers, and attention or convolution over time, "
                f"got first={first}, attend={attend} and convolve={convolve}"
            )
        self.gate, self.per_sequence, how = gate, per_sequence, Attention(heads, shared_time, attend, convolve)
        self.parts = body_parts(skeleton) if parts else []
        sizes = layer_sizes(round(64 * width), width, EIGHT_LAYERS)
        middle, last = sizes[first][0], sizes[-1][1]
        self.data_bn = nn.BatchNorm1d(in_channels * n_joints)
        self.embed = nn.Conv2d(in_channels, sizes[0][0], kernel_size=1)
        self.global_layers = nn.ModuleList(GlobalLayer(*size, n_joints, how) for size in sizes[:first])
        self.informativeness = Informativeness(middle)
        self.part_embed = nn.Conv2d(len(self.parts[0]) * middle, middle, kernel_size=1) if parts else None
        self.focal_layers = nn.ModuleList(
            FocalLayer(*size, n_joints, len(self.parts), self.focal, cross, how) for size in sizes[first:]
        )
        branches = 2 if parts else 1
        self.head = nn.Sequential(nn.Linear(branches * last, last), nn.LeakyReLU(SLOPE), nn.Dropout(dropout))
        self.fc = nn.Linear(last, n_classes)
        late = tuple(f"focal_layers.{i}" for i in range(len(sizes) - first))
        self.layer_names = (*(f"global_layers.{i}" for i in range(first)), *late)
        nodes = [
            [float(v in node) for v in range(n_joints)] for node in [*((v,) for v in range(n_joints)), *self.parts]
        ]
        self.layer_axes = "(n m) c t v"
        self.layer_nodes = dict.fromkeys(late, nodes)
        self.attention_names = tuple(name for name, part in self.named_modules() if isinstance(part, nn.Softmax))
        self.apply(fan_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.scores_from(self.embed(fold_bodies(x, self.data_bn)), 0, x.shape[-1])

    def scores_from(self, x: Tensor, layer: int, n_bodies: int) -> Tensor:
        """Return class scores, given what layer 1, 2, ... put out (0: the embedded input)."""
        first = len(self.global_layers)
        for part in self.global_layers[layer:]:
            x = part(x)
        if layer <= first:
            x = self._focal_and_parts(x)
        for part in self.focal_layers[max(0, layer - first) :]:
            x = part(x)
        n_joints = self.focal_layers[-1].n_joints
        pooled = [pool(x[..., :n_joints], n_bodies) * (n_joints / self.focal)]  # the mean over those that are focal
        pooled += [pool(x[..., n_joints:], n_bodies)] if self.parts else []
        return self.fc(self.head(torch.cat(pooled, dim=1)))

    def _focal_and_parts(self, x: Tensor) -> Tensor:
        """Return all that the second stage is given, (N, C, T, V) -> (N, C, T, V + P)."""
        scores = self.informativeness(x)
        chosen = focal_joints(scores, self.focal, self.per_sequence)
        gated = x * scores[:, None].to(x.dtype) if self.gate else x
        parts = x[..., :0]
        if self.parts:
            members = [x[..., list(column)] for column in zip(*self.parts, strict=True)]
            parts = self.part_embed(torch.cat(members, dim=1))
        return at_places(torch.take_along_dim(gated, chosen[:, None], dim=3), parts, chosen, x.shape[3])


@dataclass(frozen=True)
class Looks:
    """What an FG-STFormer looks at in some clips; figures show it.

    Attributes
    ----------
    informativeness : Tensor, shape (N, T', V)
        Scores of the joints of the first body.
    chosen : int Tensor, shape (N, T', K)
        The focal joints.
    valid : bool Tensor, shape (N, T')
        Which of these frames are no padding.
    from_parts : Tensor, shape (N, V, P)
        What each joint takes from each part in the last layer: attention, mean over heads and over the valid frames
        in which it is focal; zero of a joint that never is.
    """

    informativeness: Tensor
    chosen: Tensor
    valid: Tensor
    from_parts: Tensor


@torch.no_grad()
def looks(model: FGSTFormer, x: Tensor, lengths: np.ndarray) -> Looks:
    """Return what a network looks at in clips (N, C, T, V, M), of which so many frames are valid.

    Raises
    ------
    UserError
        If its joints take nothing from parts.
    """
    last = f"focal_layers.{len(model.focal_layers) - 1}.joints_from_parts.softmax"
    if last not in model.attention_names:
        raise UserError("the joints of this network take nothing from parts; it was built with parts or cross off")
    with evaluating(model), captured(model, ["informativeness", last]) as outputs:
        model(x)
    scores, attention = (outputs[name].unflatten(0, (len(x), -1))[:, 0].float() for name in ("informativeness", last))
    chosen = focal_joints(scores, model.focal, model.per_sequence)  # (N, T', K)
    valid = (
        torch.arange(scores.shape[1]) < torch.from_numpy(layer_lengths(lengths, x.shape[2], scores.shape[1]))[:, None]
    )
    step = math.prod(layer.stride for layer in model.focal_layers[:-1])
    index, weight = chosen[:, ::step], valid[:, ::step, None].float()  # (N, T'', K), (N, T'', 1)
    attention = attention.mean(dim=1).expand(-1, index.shape[1], -1, -1)  # (N, T'', K, P); one may serve all frames
    shape = (*index.shape[:2], scores.shape[2])
    there = torch.zeros(shape).scatter(2, index, weight.expand_as(index))
    spread = torch.zeros(*shape, attention.shape[-1])
    spread = spread.scatter(2, index[..., None].expand_as(attention), attention * weight[..., None])
    return Looks(scores, chosen, valid, spread.sum(dim=1) / there.sum(dim=1).clamp(min=1)[..., None])
