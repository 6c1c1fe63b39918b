"""Shift-GCN: channels move between joints and frames, and are then mixed point by point.

References
----------
Cheng, Zhang, He, Chen, Cheng & Lu (2020), Skeleton-based action recognition with shift graph
convolutional network: non-local spatial shift, adaptive temporal shift. The published kernel for
shifts in time runs on one maker's devices alone; here it is a gather.
"""

import torch
from torch import Tensor, nn

from analysis_lib.networks.units import SkeletonNet, fan_out, layer_sizes, shortcut
from analysis_lib.skeletons.skeleton import Skeleton

#: length of a step of the temporal shifts where their gradient has a sign, and where it has none
SIGN_STEP, ZERO_STEP = 0.01, 0.0001


def joint_shift(n_joints: int, channels: int, sign: int) -> Tensor:
    """Return where each place v C + c of a frame takes its value: from joint v + sign c (modulo V), channel c.

    Examples
    --------
    >>> joint_shift(3, 2, sign=1).view(3, 2).tolist()  # channel 1 comes from the next joint
    [[0, 3], [2, 5], [4, 1]]
    """
    v, c = torch.arange(n_joints)[:, None], torch.arange(channels)
    return ((v + sign * c) % n_joints * channels + c).flatten()


class ShiftGraphConv(nn.Module):
    """Shift over joints, mask, linear map, shift back, batch norm, residual, ReLU: (N, C, T, V) -> (N, C', T, V)."""

    def __init__(self, c_in: int, c_out: int, n_joints: int):
        super().__init__()
        self.Linear_weight = nn.Parameter(torch.randn(c_in, c_out) * c_out**-0.5)
        self.Linear_bias = nn.Parameter(torch.zeros(1, 1, c_out))
        self.Feature_Mask = nn.Parameter(torch.zeros(1, n_joints, c_in))
        self.register_buffer("shift_in", joint_shift(n_joints, c_in, 1))
        self.register_buffer("shift_out", joint_shift(n_joints, c_out, -1))
        self.tanh = nn.Tanh()
        self.bn = nn.BatchNorm1d(n_joints * c_out)
        self.down = shortcut(c_in, c_out)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        n, c, t, v = x.shape
        y = x.permute(0, 2, 3, 1).reshape(n * t, v * c)[:, self.shift_in].view(n * t, v, c)
        y = (y * (self.tanh(self.Feature_Mask) + 1)) @ self.Linear_weight + self.Linear_bias  # (N T, V, C')
        y = self.bn(y.flatten(1)[:, self.shift_out])
        return self.relu(y.view(n, t, v, -1).permute(0, 3, 1, 2) + self.down(x))


class _Sign(torch.autograd.Function):
    """The identity, whose gradient is a step of a set length."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return torch.where(gradient == 0, ZERO_STEP, SIGN_STEP * gradient.sign())


class TemporalShift(nn.Module):
    r"""Every channel as it is some frames, and parts of frames, later.

    .. math::
        y_{c,t} = (1 - d_c)\, x_{c,\, st + f_c} + d_c\, x_{c,\, st + f_c + 1}, \qquad
        f_c = \lfloor p_c \rfloor,\; d_c = p_c - f_c

    with zeros beyond the ends. With stride s = 2, half a frame is added to the shift p. There are
    ceil(T / s) frames, so that an odd T works too; the published kernel has floor(T / s), the same for even T.

    Parameters
    ----------
    channels, stride : int
    sign_gradient : bool
        Shifts learn by the sign of their gradient, as published; else by the gradient.

    Notes
    -----
    ``xpos``, shifts over joints that training holds at zero, only keeps its place among the names.
    """

    def __init__(self, channels: int, stride: int = 1, sign_gradient: bool = True):
        super().__init__()
        self.stride, self.sign_gradient = stride, sign_gradient
        self.xpos = nn.Parameter(torch.empty(channels).uniform_(-1e-8, 1e-8))
        self.ypos = nn.Parameter(torch.empty(channels).uniform_(-1, 1))

    def extra_repr(self) -> str:
        return f"{len(self.ypos)}, stride={self.stride}, sign_gradient={self.sign_gradient}"

    def forward(self, x: Tensor) -> Tensor:  # (N, C, T, V) -> (N, C, ceil(T / s), V)
        _, c, t, _ = x.shape
        shift = _Sign.apply(self.ypos) if self.sign_gradient else self.ypos
        shift = (shift + 0.5 if self.stride == 2 else shift)[:, None]  # (C, 1)
        whole = shift.detach().floor()
        later = shift - whole
        start = torch.arange(0, t, self.stride, device=x.device) + whole.long()  # (C, T')
        rows, first_row = x.flatten(1, 2), torch.arange(c, device=x.device)[:, None] * t
        y = 0
        for frame, weight in ((start, 1 - later), (start + 1, later)):
            inside = (frame >= 0) & (frame < t)
            taken = rows[:, (first_row + frame.clamp(0, t - 1)).flatten()].unflatten(1, frame.shape)
            y = y + taken * (weight * inside)[..., None].to(x.dtype)
        return y


class ShiftTemporalConv(nn.Module):
    """Batch norm, shift, linear map, ReLU, shift, batch norm: T becomes ceil(T / stride)."""

    def __init__(self, channels: int, stride: int, sign_gradient: bool):
        super().__init__()
        self.bn = nn.BatchNorm2d(channels)
        self.shift_in = TemporalShift(channels, 1, sign_gradient)
        self.temporal_linear = nn.Conv2d(channels, channels, kernel_size=1)
        self.relu = nn.ReLU()
        self.shift_out = TemporalShift(channels, stride, sign_gradient)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn2(self.shift_out(self.relu(self.temporal_linear(self.shift_in(self.bn(x))))))


class _Past(nn.Module):
    """Convolution of one frame and batch norm, under the published names."""

    def __init__(self, c_in: int, c_out: int, stride: int):
        super().__init__()
        self.conv, self.bn = shortcut(c_in, c_out, stride)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x))


class Block(nn.Module):
    """One layer: shifts over joints, shifts over time, residual, ReLU."""

    def __init__(self, c_in: int, c_out: int, stride: int, n_joints: int, sign_gradient: bool, residual: bool):
        super().__init__()
        self.gcn1 = ShiftGraphConv(c_in, c_out, n_joints)
        self.tcn1 = ShiftTemporalConv(c_out, stride, sign_gradient)
        same = c_in == c_out and stride == 1
        self.residual = (nn.Identity() if same else _Past(c_in, c_out, stride)) if residual else None
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:  # (N, C, T, V) -> (N, C', ceil(T / s), V)
        y = self.tcn1(self.gcn1(x))
        return self.relu(y if self.residual is None else y + self.residual(x))


class ShiftGCN(SkeletonNet):
    """Class scores of skeleton sequences: (N, C, T, V, M) -> (N, n_classes), before softmax.

    Parameters
    ----------
    skeleton : Skeleton
        Its joints alone count: every joint hears every other, and bones have no say.
    n_classes, in_channels : int
    width : float
        Multiplies the published widths 64, 128, 256.
    sign_gradient : bool
        See `TemporalShift`.
    bodies : int
        See `SkeletonNet`; 2 as published.

    Notes
    -----
    Parameter names are those of the official implementation: its state dicts load with ``strict=True``.

    Examples
    --------
    >>> from analysis_lib.skeletons.layouts import layout
    >>> model = ShiftGCN(layout("ntu-25"), n_classes=60, bodies=2)
    >>> sum(p.numel() for p in model.parameters())
    693107
    """

    def __init__(
        self,
        skeleton: Skeleton,
        n_classes: int,
        in_channels: int = 3,
        width: float = 1.0,
        sign_gradient: bool = True,
        bodies: int = 1,
    ):
        sizes = layer_sizes(in_channels, width)
        layers = {
            f"l{i}": Block(c_in, c_out, stride, skeleton.n_joints, sign_gradient, residual=i > 1)
            for i, (c_in, c_out, stride) in enumerate(sizes, 1)
        }
        super().__init__(skeleton, n_classes, in_channels, layers, sizes[-1][1], bodies)
        self.apply(fan_out)
