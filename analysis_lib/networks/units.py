"""What several networks of skeletons are made of. Inside a network tensors are (N M, C, T, V).

References
----------
Yan, Xiong & Lin (2018), ST-GCN; Shi et al. (2019), 2s-AGCN, Cheng et al. (2020), Shift-GCN, and Chen
et al. (2021), CTR-GCN, have the same ten layers with other graph convolutions.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from analysis_lib.errors import UserError
from analysis_lib.skeletons.skeleton import Skeleton

#: (output channels at width 1, temporal stride) of each layer
TEN_LAYERS = ((64, 1),) * 4 + ((128, 2),) + ((128, 1),) * 2 + ((256, 2),) + ((256, 1),) * 2
#: the same for the seven layers of ST-GDN and of the 2s-AGCN that it is compared with
SEVEN_LAYERS = ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (256, 1))


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
    r"""Graph convolution :math:`y_w = \sum_k \sum_v (A_k)_{vw}\, \mathbf{W}_k x_v`, of one graph or one a clip."""

    def __init__(self, c_in: int, c_out: int, n_subsets: int):
        super().__init__()
        self.n_subsets = n_subsets
        self.conv = nn.Conv2d(c_in, c_out * n_subsets, kernel_size=1)

    def forward(self, x: Tensor, a: Tensor) -> Tensor:  # x: (N, C, T, V); a: (K, V, V) or (N, K, V, V)
        n, _, t, v = x.shape
        parts = self.conv(x).reshape(n, self.n_subsets, -1, v).unbind(1)  # K of (N, C' T, V), views
        graphs = a.expand(n, *a.shape[-3:]).unbind(1)
        y = torch.bmm(parts[0], graphs[0])
        for part, graph in zip(parts[1:], graphs[1:], strict=True):  # one sum over k and v would copy all parts first
            y = torch.baddbmm(y, part, graph)
        return y.reshape(n, -1, t, v)  # (N, C', T, V)


class AdaptiveGraphConv(nn.Module):
    r"""Graph convolution of 2s-AGCN: bones, a learned graph, and one that each clip gives itself.

    .. math::
        y_w = \sum_k \sum_v (A_k + B_k + C_k)_{vw}\, \mathbf{W}_k x_v, \qquad
        (C_k)_{vw} = \mathrm{softmax}_v \frac{\langle \theta_k x_v, \varphi_k x_w \rangle}{C_e T}

    with embeddings of :math:`C_e = C'/4` channels, compared over all frames.

    Parameters
    ----------
    c_in, c_out : int
    a : Tensor of shape (K, V, V), or None
        A, kept as it is. None: there is neither A nor B, and one C.
    """

    def __init__(self, c_in: int, c_out: int, a: Tensor | None):
        super().__init__()
        self.n_subsets = 1 if a is None else len(a)
        width = self.n_subsets * max(1, c_out // 4)
        self.register_buffer("A", a)
        self.B = None if a is None else nn.Parameter(torch.full_like(a, 1e-6))
        self.theta = nn.Conv2d(c_in, width, kernel_size=1)
        self.phi = nn.Conv2d(c_in, width, kernel_size=1)
        self.softmax = nn.Softmax(dim=-2)
        self.conv = GraphConv(c_in, c_out, self.n_subsets)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, T, V) -> (N, C', T, V)
        source, destination = (
            part(x).reshape(len(x), self.n_subsets, -1, x.shape[3]) for part in (self.theta, self.phi)
        )  # (N, K, Ce T, V)
        a = self.softmax(torch.einsum("nkxv,nkxw->nkvw", source, destination) / source.shape[2])
        return self.conv(x, a if self.A is None else a + self.A + self.B)


class GraphTimeBlock(nn.Module):
    r"""One layer of 2s-AGCN and its kin, whatever its graph part G and its temporal part H.

    .. math::
        z = \mathrm{ReLU}\big(\mathrm{BN}(G(x)) + \mathrm{res}_1(x)\big), \qquad
        y = \mathrm{ReLU}\big(H(z) + \mathrm{res}_2(x)\big)

    The scale of the batch norm begins at 1e-6, as published: at first a layer passes on what it is given.

    Parameters
    ----------
    graph : nn.Module
        (N, C, T, V) -> (N, C', T, V).
    time : nn.Module
        (N, C', T, V) -> (N, C', ceil(T / stride), V).
    residual : bool
        Whether there is a way past the whole layer.
    """

    def __init__(
        self, graph: nn.Module, time: nn.Module, c_in: int, c_out: int, stride: int = 1, residual: bool = True
    ):
        super().__init__()
        self.graph = graph
        self.norm = nn.BatchNorm2d(c_out)
        nn.init.constant_(self.norm.weight, 1e-6)
        self.past_graph = shortcut(c_in, c_out)
        self.relu_graph = nn.ReLU()
        self.time = time
        self.residual = shortcut(c_in, c_out, stride) if residual else None
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.time(self.relu_graph(self.norm(self.graph(x)) + self.past_graph(x)))
        return self.relu(y if self.residual is None else y + self.residual(x))


class SkeletonNet(nn.Module):
    """Layers one after the other, the mean over frames, joints and bodies, and a linear map to scores.

    Parameters
    ----------
    skeleton : Skeleton
    n_classes, in_channels : int
    layers : mapping of str to nn.Module
        By the names that they get, (N M, C, T, V) -> (N M, C', T', V).
    channels : int
        Of the last layer.
    bodies : int
        How many bodies have input statistics of their own, as the published networks for two bodies
        have it; 1: all share them, however many there are.

    Attributes
    ----------
    layer_names : tuple of str
    """

    def __init__(
        self,
        skeleton: Skeleton,
        n_classes: int,
        in_channels: int,
        layers: Mapping[str, nn.Module],
        channels: int,
        bodies: int = 1,
    ):
        super().__init__()
        if min(n_classes, bodies) < 1:
            raise UserError(
                f"{type(self).__name__} needs a class and a body, got n_classes={n_classes} and bodies={bodies}"
            )
        self.data_bn = nn.BatchNorm1d(bodies * in_channels * skeleton.n_joints)
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.fc = nn.Linear(channels, n_classes)
        self.layer_names, self.layer_axes = tuple(layers), "(n m) c t v"

    def forward(self, x: Tensor) -> Tensor:  # (N, C, T, V, M) -> (N, n_classes)
        return self.scores_from(fold_bodies(x, self.data_bn), 0, x.shape[-1])

    def scores_from(self, x: Tensor, layer: int, n_bodies: int) -> Tensor:
        """Return class scores, given what layer 1, 2, ... put out (0: the normalised input)."""
        for name in self.layer_names[layer:]:
            x = self.get_submodule(name)(x)
        return self.fc(pool(x, n_bodies))


def fan_out(module: nn.Module) -> None:
    """Draw the weights of a convolution as He et al. (2015) do, by its outputs; for `nn.Module.apply`."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
        nn.init.zeros_(module.bias)


def temporal_conv(c_in: int, c_out: int, stride: int = 1, kernel: int = 9, dilation: int = 1) -> nn.Conv2d:
    """Return a convolution over time: T becomes ceil(T / stride)."""
    padding = dilation * (kernel // 2)
    return nn.Conv2d(c_in, c_out, (kernel, 1), (stride, 1), (padding, 0), (dilation, 1))


def shortcut(c_in: int, c_out: int, stride: int = 1) -> nn.Module:
    """Return the way past a layer: itself, or a convolution of one frame where the shape changes."""
    if c_in == c_out and stride == 1:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(c_in, c_out, kernel_size=1, stride=(stride, 1)), nn.BatchNorm2d(c_out))


def fold_bodies(x: Tensor, norm: nn.BatchNorm1d) -> Tensor:
    """Return clips (N, C, T, V, M) as (N M, C, T, V), each coordinate of each joint normalised.

    Bodies lie in the batch, so that they share all statistics: channel v C + c of ``norm`` is
    coordinate c of joint v. If ``norm`` has M times as many, each body has its own: (m V + v) C + c.

    Raises
    ------
    UserError
        If the clips have another number of joints, coordinates or bodies.
    """
    n, c, t, v, m = x.shape
    bodies = norm.num_features // (c * v)
    if norm.num_features % (c * v) or bodies not in (1, m):
        raise UserError(
            f"this model takes {norm.num_features} coordinates a frame, got {c} channels x {v} joints "
            f"x {m} bodies, shape (N, C, T, V, M) = {tuple(x.shape)}"
        )
    x = norm(x.permute(0, 4, 3, 1, 2).reshape(n * m // bodies, bodies * v * c, t))
    return x.view(n * m, v, c, t).permute(0, 2, 3, 1)


def pool(x: Tensor, n_bodies: int) -> Tensor:
    """Return the mean over frames, joints and bodies, (N M, C, T, V) -> (N, C)."""
    return x.mean(dim=(2, 3)).unflatten(0, (-1, n_bodies)).mean(dim=1)
