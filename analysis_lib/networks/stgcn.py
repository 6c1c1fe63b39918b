"""ST-GCN: ten layers of graph convolution over joints and convolution over time.

References
----------
Yan, Xiong & Lin (2018), Spatial temporal graph convolutional networks for skeleton-based action
recognition. Layer numbers follow Das, Shekkizhar & Ortega (2023): layer l is the output of block l
after its last ReLU, l = 1..10; widths 4 x 64, 3 x 128, 3 x 256.
"""

import torch
from torch import Tensor, nn

from analysis_lib.errors import UserError
from analysis_lib.networks.units import GraphConv, fold_bodies, layer_sizes, pool, shortcut, temporal_conv
from analysis_lib.skeletons.adjacency import partition
from analysis_lib.skeletons.skeleton import Skeleton


class Block(nn.Module):
    """One layer: graph convolution, temporal convolution, residual, ReLU."""

    def __init__(self, c_in: int, c_out: int, n_subsets: int, stride: int, dropout: float, residual: bool = True):
        super().__init__()
        self.gcn = GraphConv(c_in, c_out, n_subsets)
        self.tcn = nn.Sequential(
            nn.BatchNorm2d(c_out),
            nn.ReLU(),
            temporal_conv(c_out, c_out, stride),
            nn.BatchNorm2d(c_out),
            nn.Dropout(dropout),
        )
        self.residual = shortcut(c_in, c_out, stride) if residual else None
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
        Partition of the adjacency (`analysis_lib.skeletons.adjacency.partition`).
        ``"spatial_legacy"`` is what the official code computes and its weights need.
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
        sizes = layer_sizes(in_channels, width)
        if n_classes < 1:
            raise UserError(f"STGCN needs at least one class, got n_classes={n_classes}")
        a = torch.tensor(partition(skeleton, strategy), dtype=torch.float32)
        self.register_buffer("A", a)
        self.data_bn = nn.BatchNorm1d(in_channels * skeleton.n_joints)
        self.st_gcn_networks = nn.ModuleList(
            Block(c_in, c_out, len(a), stride, dropout if i else 0.0, residual=i > 0)
            for i, (c_in, c_out, stride) in enumerate(sizes)
        )
        self.edge_importance = nn.ParameterList(nn.Parameter(torch.ones_like(a)) for _ in sizes)
        self.fcn = nn.Conv2d(sizes[-1][1], n_classes, kernel_size=1)
        self.layer_axes = "(n m) c t v"
        self.layer_names = tuple(f"st_gcn_networks.{i}" for i in range(len(sizes)))
        self.layer_parameters = {name: (f"edge_importance.{i}",) for i, name in enumerate(self.layer_names)}
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        return self.scores_from(fold_bodies(x, self.data_bn), 0, x.shape[-1])

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
        return self.fcn(pool(x, n_bodies)[:, :, None, None]).flatten(1)  # (N, n_classes)


def _initialise(module: nn.Module) -> None:
    """Draw convolutions from N(0, 0.02) and batch-norm scales from N(1, 0.02), as published."""
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
