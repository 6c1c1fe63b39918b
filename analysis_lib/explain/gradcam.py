"""Layerwise GradCAM: which joints, at which moments, speak for a class at each layer of a network.

References
----------
Das, Shekkizhar & Ortega (2023), equations (5) and (6): GradCAM (Selvaraju et al. 2017) for every
layer. Variant ``"released"``: the code published with a later comparison of GradCAM and SHAP on
skeletons.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.explain.method import Maps, on_joints, target_classes
from analysis_lib.networks.axes import by_name, layer_axes, node_count
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.hooks import captured, evaluating
from analysis_lib.warping.windows import layer_lengths


@dataclass(frozen=True)
class GradCAM:
    r"""Importance maps of all layers from one forward and one backward pass.

    .. math:: H_{m,t,v} = \mathrm{ReLU}\Big(\sum_k \beta_k F_{k,m,t,v}\Big)

    Attributes
    ----------
    variant : {"paper", "released"}
        ``"paper"``: the equation, with one weight a channel (`channel_weights`). ``"released"``:
        one weight for *all* channels, the mean of the RMS-normalised gradient, their mean as
        feature, and each clip scaled by (H - min) / max.
    counterfactual : bool
        Take minus the gradient: what speaks against the class.

    Raises
    ------
    UserError
        If a layer is unknown (the model's are listed), it is not known what its axes mean
        (`analysis_lib.networks.axes`) or its nodes are no joints (`analysis_lib.explain.method.on_joints`),
        it has no influence on the scores; or if the target is no class.
    """

    variant: str = "paper"
    counterfactual: bool = False

    def __post_init__(self) -> None:
        if self.variant not in VARIANTS:
            raise unknown_choice("GradCAM variant", self.variant, VARIANTS)

    def __call__(self, network: Checkpoint, x: np.ndarray, lengths: np.ndarray, target: str | np.ndarray) -> Maps:
        """Return the maps of a few clips (`analysis_lib.explain.method.Method`); no ``.grad`` is touched."""
        return in_one_pass([self], network, x, lengths, target)[0]

    def layer_map(self, features: Tensor, gradients: Tensor, valid: Tensor) -> Tensor:
        """Return the importance of every node at every frame of one layer.

        Parameters
        ----------
        features, gradients : Tensor, shape (N, M, C, T, V)
            What the layer gave, and the class score's gradient with respect to it.
        valid : bool Tensor, shape (N, M, T)
            Frames of bodies that are no padding.

        Returns
        -------
        Tensor, shape (N, M, T, V)
            Not negative; zero in padding.

        Examples
        --------
        >>> features = torch.tensor([[1.0, 2.0], [3.0, 0.0]]).view(1, 1, 2, 1, 2)  # two channels
        >>> gradients = torch.tensor([[1.0, 1.0], [-1.0, 0.0]]).view(1, 1, 2, 1, 2)  # beta = 1, -1/2
        >>> GradCAM().layer_map(features, gradients, torch.ones(1, 1, 1, dtype=bool)).flatten()
        tensor([0., 2.])
        """
        maps = VARIANTS[self.variant](features, -gradients if self.counterfactual else gradients, valid)
        return torch.where(valid[..., None], maps, 0.0)


def in_one_pass(
    methods: Sequence[GradCAM], network: Checkpoint, x: np.ndarray, lengths: np.ndarray, target: str | np.ndarray
) -> list[Maps]:
    """Return what several variants of GradCAM say of a few clips, from one forward and one backward pass.

    Parameters
    ----------
    methods : sequence of GradCAM
    network, x, lengths, target
        As for `analysis_lib.explain.method.Method`; no ``.grad`` is touched.

    Returns
    -------
    list of Maps
        One a variant.
    """
    model, layers, shape = network.model, network.layers, x.shape[1:]
    axes = layer_axes(model, shape, layers, network.axes)
    leaf = torch.from_numpy(np.ascontiguousarray(x)).requires_grad_()
    with torch.enable_grad(), evaluating(model), captured(model, layers) as outputs:
        scores = model(leaf.clone())
        arranged = {
            k: partial(
                by_name, axes=axes[k], layer=k, shape=shape, n_clips=len(x), n_nodes=node_count(model, k, shape[2])
            )
            for k in layers
        }
        features = {k: arranged[k](outputs.get(k)).detach() for k in layers}
        targets = target_classes(scores, target)
        gradients = _gradients(model, scores, targets, {k: outputs[k] for k in layers})
    present = leaf.detach().ne(0).any(dim=3).any(dim=2).any(dim=1)  # (N, M)
    maps, valid_lengths = [], []
    for name in layers:
        given, gradient = features[name], arranged[name](gradients[name])  # (N, M', C, T', V')
        n = layer_lengths(lengths, x.shape[2], given.shape[3])
        valid = torch.arange(given.shape[3]) < torch.from_numpy(n)[:, None]  # (N, T')
        there = present if given.shape[1] == x.shape[4] else present.any(dim=1, keepdim=True)
        found = torch.stack([one.layer_map(given, gradient, valid[:, None] & there[..., None]) for one in methods])
        if "v" in axes[name]:
            found = on_joints(found, name, model, x.shape[3])
        maps.append(found.expand(*found.shape[:4], x.shape[3]).float().numpy())
        valid_lengths.append(n)
    mixed = tuple(name for name in layers if "v" not in axes[name])
    known = (tuple(valid_lengths), scores.detach().float().numpy(), targets)
    return [Maps(tuple(layers), tuple(m[i] for m in maps), *known, mixed=mixed) for i in range(len(methods))]


def channel_weights(gradients: Tensor, valid: Tensor) -> Tensor:
    r"""Return what a unit of each channel adds to the class score, shape (N, C).

    .. math:: \beta_k = \frac{1}{|\Omega|} \sum_{(m, t, v) \in \Omega}
              \frac{\partial y^c}{\partial F_{k,m,t,v}}

    :math:`\Omega` holds the valid frames of the bodies that are there, so padding has no say.

    Parameters
    ----------
    gradients, valid
        As for `GradCAM.layer_map`.

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
    size = (valid.sum(dim=2)[:, :, None] * gradients.shape[2]).clamp(min=1)  # frames times channels: (N, M, 1)
    rms = (kept.square().sum(dim=(2, 3)) / size).mean(dim=2, keepdim=True).sqrt()
    weight = (kept.sum(dim=(2, 3)) / size / (rms + 1e-8)).sum(dim=2)  # (N, M)
    maps = (weight[:, :, None, None] * features.mean(dim=2)).relu()
    inside = valid[..., None].expand_as(maps)
    low = maps.masked_fill(~inside, torch.inf).amin(dim=(2, 3), keepdim=True)
    high = (maps * inside).amax(dim=(2, 3), keepdim=True)
    return (maps - low).nan_to_num(neginf=0.0) / (high + 1e-8)


#: how gradients weigh features, by name
VARIANTS = {"paper": _paper_map, "released": _released_map}


def _gradients(
    model: nn.Module, scores: Tensor, targets: np.ndarray, outputs: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return the gradient of each clip's target score with respect to each layer's output."""
    cut_off = [k for k, v in outputs.items() if not v.requires_grad]
    if cut_off or not scores.requires_grad:
        raise UserError(
            f"{f'layer {cut_off[0]!r}' if cut_off else 'the scores'} of {type(model).__name__} "
            "cannot be differentiated; does its forward() detach, or run under torch.no_grad()?"
        )
    chosen = scores[torch.arange(len(scores)), torch.from_numpy(targets)].sum()
    try:
        found = torch.autograd.grad(chosen, list(outputs.values()), allow_unused=True)
    except RuntimeError as error:
        raise UserError(
            f"{type(model).__name__} has no gradients ({str(error).split(':')[0]}); does its "
            "forward() change a tensor in place (inplace=True, +=)?"
        ) from error
    gradients = dict(zip(outputs, found, strict=True))
    if unused := [name for name, gradient in gradients.items() if gradient is None]:
        raise UserError(f"layer '{unused[0]}' has no influence on the scores; leave it out")
    return gradients
