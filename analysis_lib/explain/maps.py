"""Arithmetic of GradCAM: from features and gradients of one layer to the importance of its joints.

References
----------
Das, Shekkizhar & Ortega (2024), equations (5) and (6), after Selvaraju et al. (2017); variant
``"released"``: the code published with a later comparison of GradCAM and SHAP on skeletons.
"""

import numpy as np
import torch
from torch import Tensor

from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.warping.windows import checked_lengths

NORMS = ("layer", "global", "none")


def channel_weights(gradients: Tensor, valid: Tensor) -> Tensor:
    r"""Return what a unit of each channel adds to the class score, shape (N, C).

    .. math:: \beta_k = \frac{1}{|\Omega|} \sum_{(m, t, v) \in \Omega}
              \frac{\partial y^c}{\partial F_{k,m,t,v}}

    :math:`\Omega` holds the valid frames of the bodies that are there, so padding has no say.

    Parameters
    ----------
    gradients : Tensor, shape (N, M, C, T, V)
    valid : bool Tensor, shape (N, M, T)

    Examples
    --------
    >>> channel_weights(torch.ones(1, 1, 2, 3, 4), torch.tensor([[[True, True, False]]]))
    tensor([[1., 1.]])
    """
    count = valid.sum(dim=(1, 2)) * gradients.shape[-1]
    return _kept(gradients, valid).sum(dim=(1, 3, 4)) / count.clamp(min=1)[:, None]


def _kept(x: Tensor, valid: Tensor) -> Tensor:
    return torch.where(valid[:, :, None, :, None], x, 0.0)


def _paper_map(features: Tensor, gradients: Tensor, valid: Tensor) -> Tensor:
    weights = channel_weights(gradients, valid)
    return torch.einsum("nc,nmctv->nmtv", weights, features).relu()


def _released_map(features: Tensor, gradients: Tensor, valid: Tensor) -> Tensor:
    """Return the map with one weight for all channels, each body scaled to its own range."""
    kept = _kept(gradients, valid)
    size = valid.sum(dim=2)[:, :, None] * gradients.shape[2]  # frames times channels: (N, M, 1)
    rms = (kept.square().sum(dim=(2, 3)) / size.clamp(min=1)).mean(dim=2, keepdim=True).sqrt()
    weight = (kept.sum(dim=(2, 3)) / size.clamp(min=1) / (rms + 1e-8)).sum(dim=2)  # (N, M)
    maps = (weight[:, :, None, None] * features.mean(dim=2)).relu()
    inside = valid[..., None].expand_as(maps)
    low = maps.masked_fill(~inside, torch.inf).amin(dim=(2, 3), keepdim=True)
    high = (maps * inside).amax(dim=(2, 3), keepdim=True)
    return (maps - low).nan_to_num(neginf=0.0) / (high + 1e-8)


#: how gradients weigh features, by name
VARIANTS = {"paper": _paper_map, "released": _released_map}


def importance_map(
    features: Tensor, gradients: Tensor, valid: Tensor, variant: str = "paper", counterfactual: bool = False
) -> Tensor:
    r"""Return the importance of every joint at every frame of one layer.

    .. math:: H_{m,t,v} = \mathrm{ReLU}\Big(\sum_k \beta_k F_{k,m,t,v}\Big)

    Parameters
    ----------
    features, gradients : Tensor, shape (N, M, C, T, V)
        What the layer gave, and the class score's gradient with respect to it.
    valid : bool Tensor, shape (N, M, T)
        Frames of bodies that are no padding.
    variant : {"paper", "released"}
        ``"paper"`` is the equation. ``"released"`` is what was published as code for it: one
        weight :math:`\sum_v \overline{g_v}` of the RMS-normalised gradient for *all* channels,
        their mean as feature, and each clip scaled by (H - min) / max.
    counterfactual : bool
        Take minus the gradient: what speaks against the class.

    Returns
    -------
    Tensor, shape (N, M, T, V)
        Not negative; zero in padding.

    Examples
    --------
    >>> features = torch.tensor([[1.0, 2.0], [3.0, 0.0]]).view(1, 1, 2, 1, 2)  # two channels
    >>> gradients = torch.tensor([[1.0, 1.0], [-1.0, 0.0]]).view(1, 1, 2, 1, 2)  # beta = 1, -1/2
    >>> importance_map(features, gradients, torch.ones(1, 1, 1, dtype=bool)).flatten()
    tensor([0., 2.])
    """
    if variant not in VARIANTS:
        raise unknown_choice("GradCAM variant", variant, VARIANTS)
    maps = VARIANTS[variant](features, -gradients if counterfactual else gradients, valid)
    return torch.where(valid[..., None], maps, 0.0)


def slice_weights(lengths: np.ndarray, n_frames: int, n_slices: int) -> np.ndarray:
    r"""Return how much of each time slice every frame fills, shape (n, n_slices, n_frames).

    Each clip's valid frames are cut into equal slices. A frame on a border counts in both, by
    overlap, so no slice is empty, and the mean over slices is the mean over valid frames:

    .. math:: w_{st} = \frac{S}{n_l}\,
              \big|[t, t+1) \cap [s\,n_l/S,\ (s+1)\,n_l/S)\big|

    Parameters
    ----------
    lengths : int ndarray, shape (n,)
        Valid frames at the layer.

    Examples
    --------
    >>> slice_weights(np.array([3]), 4, 2).round(2).tolist()
    [[[0.67, 0.33, 0.0, 0.0], [0.0, 0.33, 0.67, 0.0]]]
    """
    if n_slices < 1:
        raise UserError(f"n_slices must be at least 1, got {n_slices}")
    lengths = checked_lengths(lengths, n_frames, at_least=1)[:, None]
    edges = np.arange(n_slices + 1) * lengths / n_slices
    frame = np.arange(n_frames)
    start = np.maximum(edges[:, :-1, None], frame)
    stop = np.minimum(edges[:, 1:, None], frame + 1)
    return np.clip(stop - start, 0, None) * (n_slices / lengths)[..., None]


def scaled(importance: np.ndarray, norm: str) -> np.ndarray:
    """Return importance between 0 and 1 by its minimum and maximum, or as it is.

    Parameters
    ----------
    importance : ndarray, shape (L, ...)
    norm : {"layer", "global", "none"}
        ``"layer"`` scales each layer by itself and shows where; ``"global"`` all layers by one
        range and shows how much; ``"none"`` changes nothing. Without a range all is 0.

    Examples
    --------
    >>> scaled(np.array([[0.0, 1.0], [2.0, 4.0]]), "layer").tolist()
    [[0.0, 1.0], [0.0, 1.0]]
    >>> scaled(np.array([[0.0, 1.0], [2.0, 4.0]]), "global").tolist()
    [[0.0, 0.25], [0.5, 1.0]]
    """
    if norm not in NORMS:
        raise unknown_choice("norm", norm, NORMS)
    if norm == "none":
        return importance
    axes = tuple(range(norm == "layer", importance.ndim))
    low = importance.min(axis=axes, keepdims=True)
    span = importance.max(axis=axes, keepdims=True) - low
    return np.where(span > 0, (importance - low) / np.where(span > 0, span, 1), 0.0)
