"""ST-GCN: ten layers of graph convolution over joints and convolution over time.

References
----------
Yan, Xiong & Lin (2018), Spatial temporal graph convolutional networks for skeleton-based action
recognition. Layer numbers follow Das, Shekkizhar & Ortega (2024): layer l is the output of block l
after its last ReLU, l = 1..10; widths 4 x 64, 3 x 128, 3 x 256.
"""

import torch
from torch import Tensor, nn

from analysis_lib.errors import UserError
from analysis_lib.skeletons.adjacency import partition
from analysis_lib.skeletons.skeleton import Skeleton

#: (output channels at width 1, temporal stride) of each block
BLOCKS = ((64, 1),) * 4 + ((128, 2),) + ((128, 1),) * 2 + ((256, 2),) + ((256, 1),) * 2
TEMPORAL_KERNEL = 9


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


class Block(nn.Module):
    """One layer: graph convolution, temporal convolution, residual, ReLU."""

    def __init__(self, c_in: int, c_out: int, n_subsets: int, stride: int, dropout: float, residual: bool = True):
        super().__init__()
        self.gcn = GraphConv(c_in, c_out, n_subsets)
        self.tcn = nn.Sequential(
            nn.BatchNorm2d(c_out),
            nn.ReLU(),
            nn.Conv2d(c_out, c_out, (TEMPORAL_KERNEL, 1), (stride, 1), (TEMPORAL_KERNEL // 2, 0)),
            nn.BatchNorm2d(c_out),
            nn.Dropout(dropout),
        )
        self.residual: nn.Module | None = None
        if residual and c_in == c_out and stride == 1:
            self.residual = nn.Identity()
        elif residual:
            self.residual = nn.Sequential(
                nn.Conv2d(c_in, c_out, kernel_size=1, stride=(stride, 1)), nn.BatchNorm2d(c_out)
            )
        self.relu = nn.ReLU()

    def forward(self, x: Tensor, a: Tensor) -> Tensor:  # (N, C, T, V) -> (N, C', ceil(T/s), V)
        y = self.tcn(self.gcn(x, a))
        return self.relu(y if self.residual is None else y + self.residual(x))

    def linear_factors(self, a: Tensor):
        """Return the affine maps between the ReLUs: graph part, temporal part, residual or None.

        In evaluation mode the block is ``ReLU(temporal(ReLU(graph(x))) + residual(x))``, so its
        Lipschitz constant is at most |temporal| |graph| + |residual| in operator norms.
        """
        norm, _, conv, norm_out, _ = self.tcn
        return lambda x: norm(self.gcn(x, a)), lambda y: norm_out(conv(y)), self.residual


class STGCN(nn.Module):
    r"""Class scores of skeleton sequences: (N, C, T, V, M) -> (N, n_classes), before softmax.

    .. math::
        F^{l} = \mathrm{ReLU}\big(\mathrm{TCN}(\textstyle\sum_k (A_k \odot E^l_k)^\top F^{l-1} W^l_k)
        + \mathrm{res}(F^{l-1})\big)

    Parameters
    ----------
    skeleton : Skeleton
        Any joint count and any edges.
    n_classes, in_channels : int
    width : float
        Multiplies the published widths 64, 128, 256.
    strategy : str
        Partition of the adjacency (`analysis_lib.skeletons.adjacency.partition`). ``"spatial_legacy"`` is what
        the official code computes and its weights need.
    dropout : float
        In blocks 2 to 10; the first block has none.

    Attributes
    ----------
    layer_names : tuple of str
        Modules whose outputs are the layers 1..10.
    layer_parameters : mapping of str to tuple of str
        Parameters that belong to a layer but lie outside its module: its edge weights.

    Notes
    -----
    Parameter names are those of the official implementation: its state dicts load with
    ``strict=True``. Bodies are folded into the batch, so that they share all statistics.

    Examples
    --------
    >>> from analysis_lib.skeletons.layouts import layout
    >>> model = STGCN(layout("ntu-25"), n_classes=60, in_channels=3)
    >>> sum(p.numel() for p in model.parameters())
    3098832
    """

    def __init__(
        self,
        skeleton: Skeleton,
        n_classes: int,
        in_channels: int = 3,
        width: float = 1.0,
        strategy: str = "spatial_legacy",
        dropout: float = 0.5,
    ):
        super().__init__()
        channels = [round(c * width) for c, _ in BLOCKS]
        if min(channels) < 1 or n_classes < 1 or in_channels < 1:
            raise UserError(
                f"STGCN needs at least one channel and one class, got width={width}, "
                f"n_classes={n_classes}, in_channels={in_channels}"
            )
        a = torch.tensor(partition(skeleton, strategy), dtype=torch.float32)
        self.register_buffer("A", a)
        self.data_bn = nn.BatchNorm1d(in_channels * skeleton.n_joints)
        self.st_gcn_networks = nn.ModuleList(
            Block(c_in, c_out, len(a), stride, dropout if i else 0.0, residual=i > 0)
            for i, (c_in, c_out, stride) in enumerate(
                zip([in_channels, *channels], channels, [s for _, s in BLOCKS], strict=False)
            )
        )
        self.edge_importance = nn.ParameterList(nn.Parameter(torch.ones_like(a)) for _ in BLOCKS)
        self.fcn = nn.Conv2d(channels[-1], n_classes, kernel_size=1)
        self.layer_names = tuple(f"st_gcn_networks.{i}" for i in range(len(BLOCKS)))
        self.layer_parameters = {name: (f"edge_importance.{i}",) for i, name in enumerate(self.layer_names)}
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        n, c, t, v, m = x.shape
        if c * v != self.data_bn.num_features:
            raise UserError(
                f"this model takes {self.data_bn.num_features} coordinates a frame, got "
                f"{c} channels x {v} joints of shape (N, C, T, V, M) = {tuple(x.shape)}"
            )
        x = x.permute(0, 4, 3, 1, 2).reshape(n * m, v * c, t)  # joint-major channels
        x = self.data_bn(x).view(n * m, v, c, t).permute(0, 2, 3, 1)  # (N M, C, T, V)
        return self.scores_from(x, 0, m)

    def scores_from(self, x: Tensor, layer: int, n_bodies: int) -> Tensor:
        """Return class scores, given what a layer put out (0: the normalised input).

        Parameters
        ----------
        x : Tensor, shape (N M, C_l, T_l, V)
        layer : int
            0..10; the layers after it are passed.
        n_bodies : int
            M.
        """
        blocks = zip(self.st_gcn_networks, self.edge_importance, strict=True)
        for block, importance in list(blocks)[layer:]:
            x = block(x, self.A * importance)
        x = x.mean(dim=(2, 3)).unflatten(0, (-1, n_bodies)).mean(dim=1)  # (N, C')
        return self.fcn(x[:, :, None, None]).flatten(1)  # (N, n_classes)


def _initialise(module: nn.Module) -> None:
    """Draw convolutions from N(0, 0.02) and batch-norm scales from N(1, 0.02), as published."""
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
