r"""Multi-branch graph network: places, movement, bones and acceleration in branches of their own, then fused.

References
----------
Song, Zhang, Shan & Wang (2022), EfficientGCN; Tempel, Ihlen, Adde & Strümke (2024), AutoGCN, whose two found
architectures these are: one for NTU RGB+D, one for infants in 29 key points.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from analysis_lib.datasets.preparation.streams import STREAMS, streams
from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.networks.units import GraphConv, fan_out, pool, shortcut, temporal_conv
from analysis_lib.skeletons.adjacency import partition
from analysis_lib.skeletons.skeleton import Skeleton

#: bones apart that a subset of the graph may lie; the subsets are normalised together
MAX_HOP = 3


class EdgeGraphConv(nn.Module):
    r"""One graph layer with weights of its edges.

    .. math:: y = \sigma\big(\mathrm{BN}(\textstyle\sum_k (A_k \odot E_k)^\top x W_k)\big) + \mathrm{res}(x)

    The shortcut joins after the activation, as in the published code.
    """

    def __init__(self, c_in: int, c_out: int, a: Tensor, activation: type[nn.Module]):
        super().__init__()
        self.register_buffer("A", a)
        self.edge = nn.Parameter(torch.ones_like(a))
        self.conv = GraphConv(c_in, c_out, len(a))
        self.norm = nn.BatchNorm2d(c_out)
        self.act = activation()
        self.residual = shortcut(c_in, c_out)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, T, V) -> (N, C', T, V)
        return self.act(self.norm(self.conv(x, self.A * self.edge))) + self.residual(x)


class BasicTime(nn.Module):
    """Convolution over time, batch norm, activation, and a way past."""

    def __init__(self, channels: int, kernel: int, activation: type[nn.Module]):
        super().__init__()
        self.conv = temporal_conv(channels, channels, kernel=kernel)
        self.norm = nn.BatchNorm2d(channels)
        self.act = activation()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.norm(self.conv(x))) + x


class DepthwiseTime(nn.Module):
    """Convolution over time of each channel by itself, between two that mix channels, and a way past.

    ``"shuffle"`` has its only activation at the very end, ``"sep"`` one after each of the first two.
    (The published shuffle exchanges groups of one channel, which changes nothing.)
    """

    def __init__(self, channels: int, inner: int, kernel: int, stride: int, kind: str, activation: type[nn.Module]):
        super().__init__()

        def between() -> nn.Module:
            return activation() if kind == "sep" else nn.Identity()

        self.expand = nn.Sequential(nn.Conv2d(channels, inner, 1), nn.BatchNorm2d(inner), between())
        depthwise = nn.Conv2d(inner, inner, (kernel, 1), (stride, 1), (kernel // 2, 0), groups=inner)
        self.depthwise = nn.Sequential(depthwise, nn.BatchNorm2d(inner), between())
        self.point = nn.Sequential(nn.Conv2d(inner, channels, 1), nn.BatchNorm2d(channels))
        self.residual = shortcut(channels, channels, stride)
        self.act = activation() if kind == "shuffle" else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:  # (N, C, T, V) -> (N, C, ceil(T / stride), V)
        return self.act(self.point(self.depthwise(self.expand(x))) + self.residual(x))


class JointAttention(nn.Module):
    """One weight a joint, from means over channels and frames; the weights of a clip sum to one."""

    def __init__(self, n_joints: int):
        super().__init__()
        half = max(1, n_joints // 2)
        self.squeeze = nn.Sequential(nn.Conv2d(n_joints, half, 1), nn.BatchNorm2d(half), nn.ReLU())
        self.spread = nn.Conv2d(half, n_joints, 1)
        self.softmax = nn.Softmax(dim=1)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, T, V) -> (N, 1, 1, V)
        return self.softmax(self.spread(self.squeeze(x.mean(dim=(1, 2))[:, :, None, None]))).permute(0, 2, 3, 1)


class FrameAttention(nn.Module):
    """One weight a frame, from its mean and its maximum over channels and joints; of any size and sign."""

    def __init__(self, n_joints: int):
        super().__init__()
        self.conv = nn.Conv2d(2, 1, (9, 1), padding=(4, 0))

    def forward(self, x: Tensor) -> Tensor:  # (N, C, T, V) -> (N, 1, T, 1)
        frames = torch.stack([x.mean(dim=(1, 3)), x.amax(dim=(1, 3))], dim=1)
        return self.conv(frames[..., None])


class Attended(nn.Module):
    r"""Attention around a way past: :math:`y = \sigma(\mathrm{BN}(x \odot a(x))) + x`."""

    def __init__(self, channels: int, attention: nn.Module, activation: type[nn.Module]):
        super().__init__()
        self.attention = attention
        self.norm = nn.BatchNorm2d(channels)
        self.act = activation()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.norm(x * self.attention(x))) + x


@dataclass(frozen=True)
class Form:
    """What a found architecture is made of: graph layers, temporal layers and attention in turn.

    Attributes
    ----------
    stem : int
        Channels of a branch.
    blocks : int
        How often graph, two depthwise layers and attention follow one another in a branch.
    kernel, stride : int
        Of the temporal layers of a branch; the stride, of the first of a block.
    depthwise : {"shuffle", "sep"}
    expand : float
        Multiplies the channels between the layers of a depthwise one.
    main : tuple of int
        Channels of the layers after the branches are joined.
    main_subsets, main_kernel : int
    """

    stem: int
    blocks: int
    kernel: int
    stride: int
    depthwise: str
    expand: float
    main: tuple[int, ...]
    main_subsets: int
    main_kernel: int
    attention: type[nn.Module]
    activation: type[nn.Module]
    dropout: float


FORMS: Mapping[str, Form] = {
    "ntu": Form(128, 1, 5, 2, "shuffle", 1.0, (128, 48), 3, 5, JointAttention, nn.ReLU, 0.2),
    "infant": Form(64, 2, 3, 3, "sep", 1.5, (128, 48), 2, 7, FrameAttention, nn.SiLU, 0.05),
}


class MultiBranchGCN(nn.Module):
    r"""Class scores of skeleton sequences: (N, C, T, V, M) -> (N, n_classes), before softmax.

    The four `streams` of a clip go through a branch each; their outputs are joined along the channels.
    `scores_from_streams` takes the streams themselves, so that they can be explained, `scores_from_branches` what the
    branches make of them.

    Parameters
    ----------
    skeleton : Skeleton
    n_classes, in_channels : int
    form : str
        A key of `FORMS`.
    width : float
        Multiplies the channels.
    dropout : float, optional
        Before the last layer; by default as published.
    reference : int
        Joint from which places are measured in stream J.

    Attributes
    ----------
    layer_names : tuple of str
        The branches, and the layers after them.
    stream_names : tuple of str
    stages : mapping of str to tuple of str
        Modules at which the published comparison takes maps: ``"in"``, ``"TCN"`` and ``"attention"`` of each
        branch, ``"main TCN"``, and ``"main attention"``.

    Examples
    --------
    >>> from analysis_lib.skeletons.layouts import layout
    >>> sum(p.numel() for p in MultiBranchGCN(layout("ntu-25"), 60, 3).parameters())
    1222864
    >>> sum(p.numel() for p in MultiBranchGCN(layout("infant-29"), 2, 2, form="infant").parameters())
    644732
    """

    stream_names = STREAMS
    layer_axes = "(n m) c t v"

    def __init__(
        self,
        skeleton: Skeleton,
        n_classes: int,
        in_channels: int = 3,
        form: str = "ntu",
        width: float = 1.0,
        dropout: float | None = None,
        reference: int = 1,
    ):
        super().__init__()
        if form not in FORMS:
            raise unknown_choice("form of a multi-branch network", form, FORMS)
        of = FORMS[form]
        stem, *main = (round(c * width) for c in (of.stem, *of.main))
        if min(stem, *main, n_classes, in_channels) < 1:
            raise UserError(
                "a multi-branch network needs a channel in each layer and a class, "
                f"got width={width}, in_channels={in_channels} and n_classes={n_classes}"
            )
        self.parents, self.reference = skeleton.parents, reference
        hops = torch.tensor(partition(skeleton, "distance", MAX_HOP), dtype=torch.float32)
        graph = partial(EdgeGraphConv, activation=of.activation)

        def attended(channels: int) -> nn.Module:
            return Attended(channels, of.attention(skeleton.n_joints), of.activation)

        def branch() -> nn.Sequential:
            c_in, inner, subsets = 2 * in_channels, round(stem * of.expand), hops[:2]
            time = partial(DepthwiseTime, stem, inner, of.kernel, kind=of.depthwise, activation=of.activation)
            blocks = [
                (graph(stem, stem, subsets), time(stride=of.stride), time(stride=1), attended(stem))
                for _ in range(of.blocks)
            ]
            first = (nn.BatchNorm2d(c_in), graph(c_in, stem, subsets), BasicTime(stem, of.kernel, of.activation))
            return nn.Sequential(*first, *(layer for block in blocks for layer in block))

        self.branches = nn.ModuleDict({name: branch() for name in STREAMS})
        self.main = nn.Sequential(
            *(
                nn.Sequential(
                    graph(c_in, c_out, hops[: of.main_subsets]),
                    BasicTime(c_out, of.main_kernel, of.activation),
                    attended(c_out),
                )
                for c_in, c_out in zip((len(STREAMS) * stem, *main), main, strict=False)
            )
        )
        self.dropout = nn.Dropout(of.dropout if dropout is None else dropout)
        self.fc = nn.Linear(main[-1], n_classes)
        self.layer_names = (*(f"branches.{name}" for name in STREAMS), *(f"main.{i}" for i in range(len(main))))
        places = {"in": 0, "TCN": len(self.branches["J"]) - 2, "attention": len(self.branches["J"]) - 1}
        self.stages = {k: tuple(f"branches.{name}.{i}" for name in STREAMS) for k, i in places.items()}
        self.stages |= {"main TCN": (f"main.{len(main) - 1}.1",), "main attention": (f"main.{len(main) - 1}.2",)}
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, T, V, M) -> (N, n_classes)
        return self.scores_from_streams(self.streams(x))

    def streams(self, x: Tensor) -> Tensor:
        """Return the streams of clips, (N, C, T, V, M) -> (N, 4, 2C, T, V, M)."""
        return streams(x, self.parents, self.reference)

    def scores_from_streams(self, x: Tensor) -> Tensor:
        """Return class scores, given the streams, (N, 4, 2C, T, V, M) -> (N, n_classes)."""
        return self.scores_from_branches(self.branch_outputs(x), x.shape[-1])

    def branch_outputs(self, x: Tensor) -> list[Tensor]:
        """Return what each branch makes of its stream, (N, 4, 2C, T, V, M) -> 4 of (N M, C', T', V)."""
        folded = x.permute(1, 0, 5, 2, 3, 4).flatten(1, 2)  # (4, N M, 2C, T, V)
        return [branch(part) for branch, part in zip(self.branches.values(), folded, strict=True)]

    def scores_from_branches(self, branches: Sequence[Tensor], n_bodies: int) -> Tensor:
        """Return class scores, given what the branches made of the streams of clips with so many bodies."""
        return self.fc(self.dropout(pool(self.main(torch.cat([*branches], dim=1)), n_bodies)))


def _initialise(module: nn.Module) -> None:
    """Draw convolutions as He et al. (2015) do, by their outputs, and the last layer from N(0, 0.001)."""
    fan_out(module)
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.001)
        nn.init.zeros_(module.bias)
