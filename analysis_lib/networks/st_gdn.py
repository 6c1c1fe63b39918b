"""ST-GDN: joints and frames are made unlike each other again before they are mixed.

Every graph convolution draws neighbours together, until all joints say the same (over-smoothing).
A graph *deconvolution* first takes out what the joints have in common: it centres and whitens them.

References
----------
Peng, Shi & Zhao, Spatial temporal graph deconvolutional network for skeleton-based human action recognition,
equations (3) to (8); it cites network deconvolution, which scales the matrix before it iterates, as here.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.networks.units import (
    SEVEN_LAYERS,
    AdaptiveGraphConv,
    GraphTimeBlock,
    SkeletonNet,
    fan_out,
    layer_sizes,
    temporal_conv,
)
from analysis_lib.skeletons.adjacency import partition
from analysis_lib.skeletons.skeleton import Skeleton

#: by kind of layer: the graph convolutions that are added up (whether each is whitened), and whether frames are
BLOCKS = {
    "plain": ((False,), False),  # 2s-AGCN
    "node": ((True,), False),  # ST-GDN2
    "union": ((False, True), False),  # ST-GDCN
    "frame": ((False,), True),  # ST-GDN-T
    "element": ((True,), True),  # ST-GDN-E
}

#: kinds of the seven layers of the published network
PUBLISHED = ("union",) * 4 + ("node", "frame", "element")


def inverse_root(c: Tensor, iterations: int = 5, normalised: bool = True) -> Tensor:
    r"""Return an approximation of :math:`C^{-1/2}` by coupled Newton-Schulz iterations.

    .. math::
        Y_0 = C / \|C\|_F,\; Z_0 = I, \qquad R_k = \tfrac12 (3I - Z_k Y_k), \qquad
        Y_{k+1} = Y_k R_k,\; Z_{k+1} = R_k Z_k, \qquad C^{-1/2} \approx Z / \sqrt{\|C\|_F}

    Parameters
    ----------
    c : Tensor, shape (n, n)
        Symmetric, positive definite. The larger its condition number, the more iterations it takes.
    normalised : bool
        False: begin with C itself, as equation (6) is printed; that diverges unless the eigenvalues
        lie between 0 and 2 or so.

    Examples
    --------
    >>> inverse_root(torch.tensor([[4.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.5000]])
    >>> inverse_root(torch.tensor([[6.0]]), normalised=False).abs().item() > 1e6  # 0.408 in truth
    True
    """
    scale = torch.linalg.matrix_norm(c) if normalised else c.new_ones(())
    eye = torch.eye(len(c), dtype=c.dtype, device=c.device)
    y, z = c / scale, eye
    for _ in range(iterations):
        r = (3 * eye - z @ y) / 2
        y, z = y @ r, r @ z
    return z / scale.sqrt()


class Whitening(nn.Module):
    r"""Variables along one axis, centred and uncorrelated: :math:`(X - \mu) C^{-1/2}`.

    .. math:: C = \frac{1}{m} \sum_{s=1}^{m} (x_s - \mu)(x_s - \mu)^\top + \epsilon I

    The samples s are all places of the other axes. In training mean and root are those of the
    batch, and gradients pass through them; in evaluation their running means are taken.

    Parameters
    ----------
    n : int
        Number of variables.
    axis : int
        Where they lie: 3 for the joints of (N, C, T, V), 2 for the frames.
    eps : float
        Added to the variances, in units of the features squared.
    iterations : int
        Of `inverse_root`.
    momentum : float
        Weight of a new batch in the running means.

    Raises
    ------
    UserError
        If a clip has another number of variables.

    Examples
    --------
    >>> x = torch.randn(64, 8, 4, 3) @ torch.tensor([[1.0, 0.5, 0.0], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    >>> white = Whitening(3, axis=3, eps=0, iterations=15)(x).flatten(0, 2)
    >>> torch.allclose(torch.cov(white.T, correction=0), torch.eye(3), atol=1e-3)
    True
    """

    def __init__(self, n: int, axis: int, eps: float = 1e-5, iterations: int = 5, momentum: float = 0.1):
        super().__init__()
        self.n, self.axis, self.eps, self.iterations, self.momentum = n, axis, eps, iterations, momentum
        self.register_buffer("running_mean", torch.zeros(n))
        self.register_buffer("running_root", torch.eye(n))

    def extra_repr(self) -> str:
        return f"{self.n}, axis={self.axis}, eps={self.eps}, iterations={self.iterations}, momentum={self.momentum}"

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[self.axis] != self.n:
            name = {2: "frames", 3: "joints"}[self.axis]
            raise UserError(f"this layer whitens {self.n} {name}, got {x.shape[self.axis]}; build the network for them")
        with torch.autocast(x.device.type, enabled=False):  # inverse roots need all digits
            x = x.float().movedim(self.axis, -1)
            mean, root = self._statistics(x) if self.training else (self.running_mean, self.running_root)
            return ((x - mean) @ root).movedim(-1, self.axis)

    def _statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        samples = x.reshape(-1, self.n)
        mean = samples.mean(dim=0)
        centred = samples - mean
        eye = torch.eye(self.n, device=x.device)
        root = inverse_root(centred.T @ centred / len(samples) + self.eps * eye, self.iterations)
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_root.lerp_(root, self.momentum)
        return mean, root


class Sum(nn.ModuleList):
    """What several modules make of the same input, added up."""

    def forward(self, x: Tensor) -> Tensor:
        return sum(module(x) for module in self)


class STGDN(SkeletonNet):
    """Class scores of skeleton sequences: (N, C, T, V, M) -> (N, n_classes), before softmax.

    Each layer is a `GraphTimeBlock`, like those of 2s-AGCN, with `Whitening` where its kind has it:

    =============  =========================================  ========================
    kind           graph part                                 before the temporal part
    =============  =========================================  ========================
    ``"plain"``    graph convolution
    ``"node"``     graph convolution of whitened joints
    ``"union"``    both of these, added up
    ``"frame"``    graph convolution                          whitened frames
    ``"element"``  graph convolution of whitened joints       whitened frames
    =============  =========================================  ========================

    Parameters
    ----------
    skeleton : Skeleton
    n_classes, in_channels : int
    width : float
        Multiplies the published widths 64, 128, 256.
    frames : int
        T of the clips, for layers that whiten frames: each whitens as many as reach it.
    kinds : sequence of str
        One a layer, first to last.
    eps, iterations
        Of `Whitening`.
    dynamic_only : bool
        The graph is the one that each clip gives itself, equation (8), without bones.
    bodies : int
        See `SkeletonNet`; 2 as published.

    Examples
    --------
    >>> from analysis_lib.skeletons.layouts import layout
    >>> model = STGDN(layout("ntu-25"), n_classes=60, frames=300, bodies=2)
    >>> sum(p.numel() for p in model.parameters())
    3268793
    """

    def __init__(
        self,
        skeleton: Skeleton,
        n_classes: int,
        in_channels: int = 3,
        width: float = 1.0,
        frames: int = 52,
        kinds: Sequence[str] = PUBLISHED,
        eps: float = 1e-5,
        iterations: int = 5,
        dynamic_only: bool = False,
        bodies: int = 1,
    ):
        sizes = layer_sizes(in_channels, width, SEVEN_LAYERS)
        if unknown := [kind for kind in kinds if kind not in BLOCKS]:
            raise unknown_choice("kind of layer", unknown[0], BLOCKS)
        if len(kinds) != len(sizes):
            raise UserError(f"ST-GDN has {len(sizes)} layers, got kinds of {len(kinds)}")
        a = None if dynamic_only else torch.tensor(partition(skeleton, "agcn"), dtype=torch.float32)

        def graph(c_in: int, c_out: int, white: bool) -> nn.Module:
            conv = AdaptiveGraphConv(c_in, c_out, a)
            return nn.Sequential(Whitening(skeleton.n_joints, 3, eps, iterations), conv) if white else conv

        layers = {}
        for i, ((c_in, c_out, stride), kind) in enumerate(zip(sizes, kinds, strict=True), 1):
            graphs, white_frames = BLOCKS[kind]
            time = [temporal_conv(c_out, c_out, stride), nn.BatchNorm2d(c_out)]
            if white_frames:
                time.insert(0, Whitening(frames, 2, eps, iterations))
            spatial = Sum(graph(c_in, c_out, white) for white in graphs)
            layers[f"l{i}"] = GraphTimeBlock(spatial, nn.Sequential(*time), c_in, c_out, stride, residual=i > 1)
            frames = math.ceil(frames / stride)
        super().__init__(skeleton, n_classes, in_channels, layers, sizes[-1][1], bodies)
        self.apply(fan_out)
