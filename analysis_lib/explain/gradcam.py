"""Layerwise GradCAM: which joints, at which moments, speak for a class at each layer of a network.

References
----------
Das, Shekkizhar & Ortega (2024), equations (5) and (6): GradCAM (Selvaraju et al. 2017) for every
layer. The arithmetic is in `analysis_lib.explain.maps`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.explain.maps import importance_map, slice_weights
from analysis_lib.networks.hooks import captured, evaluating
from analysis_lib.warping.windows import layer_lengths


@dataclass(frozen=True)
class LayerMaps:
    """Importance maps of a few clips at every layer.

    Attributes
    ----------
    layers : tuple of str
    maps : tuple of float32 ndarray, each of shape (n, M, T_l, V)
        M is 1 where the layer has fused the bodies.
    lengths : tuple of int ndarray, each of shape (n,)
        Valid frames at the layer.
    scores : float32 ndarray, shape (n, n_classes)
        Before softmax.
    targets : int ndarray, shape (n,)
        Class whose score each clip's maps explain.
    """

    layers: tuple[str, ...]
    maps: tuple[np.ndarray, ...]
    lengths: tuple[np.ndarray, ...]
    scores: np.ndarray
    targets: np.ndarray

    def on_frames(self, i: int, n_frames: int, n_bodies: int = 1) -> np.ndarray:
        r"""Return the maps of clip i at the frames of the clip itself, shape (L, M, T, V).

        Frame t takes the frame of the map that covers it, of the :math:`n_l` valid ones:

        .. math:: t_l = \lfloor t\, n_l / T \rfloor

        Parameters
        ----------
        n_frames, n_bodies : int
            T and M of the clip. Where a layer has fused the bodies, all get its one map.

        Raises
        ------
        UserError
            If a layer has maps of more than one body, but of fewer than the clip.

        Examples
        --------
        >>> maps = np.array([1.0, 2.0, 0.0]).reshape(1, 1, 3, 1)  # the third frame is padding
        >>> found = LayerMaps(("a",), (maps,), (np.array([2]),), np.zeros((1, 1)), np.zeros(1))
        >>> found.on_frames(0, 5).ravel().tolist()
        [1.0, 1.0, 1.0, 2.0, 2.0]
        """
        shown = []
        for name, maps, lengths in zip(self.layers, self.maps, self.lengths, strict=True):
            if 1 < maps.shape[1] < n_bodies:
                raise UserError(f"layer '{name}' has maps of {maps.shape[1]} bodies; the clip has {n_bodies}")
            bodies = np.minimum(np.arange(n_bodies), maps.shape[1] - 1)
            frames = np.arange(n_frames) * lengths[i] // n_frames
            shown.append(maps[i][bodies][:, frames])
        return np.stack(shown)


@dataclass(frozen=True)
class SliceMaps:
    """Importance of every joint in a few time slices, at every layer, for many clips.

    Attributes
    ----------
    layers : tuple of str
    importance : float32 ndarray, shape (n, L, n_slices, V)
        Mean of a clip's map over the frames of each slice (`slice_weights`).
    lengths : int ndarray, shape (n, L)
        Valid frames at each layer.
    scores, targets
        As in `LayerMaps`.
    """

    layers: tuple[str, ...]
    importance: np.ndarray
    lengths: np.ndarray
    scores: np.ndarray
    targets: np.ndarray

    def take(self, index: np.ndarray) -> "SliceMaps":
        """Return the maps of the clips at ``index``."""
        kept = (a[index] for a in (self.importance, self.lengths, self.scores, self.targets))
        return SliceMaps(self.layers, *kept)


def gradcam(
    model: nn.Module,
    x: np.ndarray,
    lengths: np.ndarray,
    layers: Sequence[str],
    target: str | int = "predicted",
    labels: np.ndarray | None = None,
    variant: str = "paper",
    counterfactual: bool = False,
) -> LayerMaps:
    """Return the importance maps of all layers from one forward and one backward pass.

    The model works in evaluation mode and is then as before; no ``.grad`` is touched. All layers
    of all clips given are in memory at once: for a dataset use `gradcam_slices`.

    Parameters
    ----------
    model : nn.Module
        Any network from (N, C, T, V, M) to (N, n_classes). Modules that work in place are no harm:
        each layer hands on a copy (`analysis_lib.networks.hooks.captured`).
    x : float32 ndarray, shape (N, C, T, V, M)
        A body whose coordinates are all zero is not there, and does not count.
    lengths : int ndarray, shape (N,)
        Valid frames.
    layers : sequence of str
        Modules with outputs of shape (N, C', T', V) or (N M, C', T', V), bodies innermost.
    target : {"predicted", "true"} or int
        Class whose score is explained: the highest, that of ``labels``, or one for all clips.
    labels : int ndarray, shape (N,), optional
        Needed for ``"true"``.
    variant, counterfactual
        See `importance_map`.

    Raises
    ------
    UserError
        If a layer is unknown (the model's are listed), is not laid out as above, has other joints
        or no influence on the scores, or the target is no class.
    """
    leaf = torch.from_numpy(np.ascontiguousarray(x)).requires_grad_()
    with torch.enable_grad(), evaluating(model), captured(model, layers) as outputs:
        scores = model(leaf.clone())
        bodies = {name: _by_body(name, outputs.get(name), x.shape) for name in layers}
        targets = target_classes(scores, target, labels)
        gradients = _gradients(model, scores, targets, {k: outputs[k] for k in layers})
    present = leaf.detach().ne(0).any(dim=3).any(dim=2).any(dim=1)  # (N, M)
    maps, valid_lengths = [], []
    for name in layers:
        features = bodies[name].detach()
        n = layer_lengths(lengths, x.shape[2], features.shape[3])
        valid = torch.arange(features.shape[3]) < torch.from_numpy(n)[:, None]  # (N, T')
        there = present if features.shape[1] == x.shape[4] else present.any(dim=1, keepdim=True)
        gradient = gradients[name].reshape(features.shape)
        found = importance_map(features, gradient, valid[:, None] & there[..., None], variant, counterfactual)
        maps.append(found.float().numpy())
        valid_lengths.append(n)
    return LayerMaps(tuple(layers), tuple(maps), tuple(valid_lengths), scores.detach().float().numpy(), targets)


def gradcam_slices(
    model: nn.Module,
    x: np.ndarray,
    lengths: np.ndarray,
    layers: Sequence[str],
    labels: np.ndarray | None = None,
    n_slices: int = 3,
    body: int = 0,
    batch_size: int = 8,
    progress: bool = False,
    **options,
) -> SliceMaps:
    """Return each clip's importance by layer, time slice and joint, batch by batch.

    Parameters
    ----------
    body : int
        Whose map is kept; 0 where a layer has fused the bodies.
    **options
        ``target``, ``variant`` and ``counterfactual`` of `gradcam`, which has the others too.

    Raises
    ------
    UserError
        As `gradcam`, or if there is no such body.
    """
    if not 0 <= body < x.shape[4]:
        raise UserError(f"body {body} does not exist; the clips have {x.shape[4]}")
    parts = []
    for start in tqdm(range(0, len(x), batch_size), "GradCAM", disable=not progress, leave=False):
        some = slice(start, start + batch_size)
        found = gradcam(
            model, x[some], lengths[some], layers, labels=None if labels is None else labels[some], **options
        )
        slices = [
            slice_weights(n, m.shape[2], n_slices) @ m[:, min(body, m.shape[1] - 1)]
            for m, n in zip(found.maps, found.lengths, strict=True)
        ]
        parts.append(
            (np.stack(slices, axis=1).astype(np.float32), np.stack(found.lengths, 1), found.scores, found.targets)
        )
    return SliceMaps(tuple(layers), *map(np.concatenate, zip(*parts, strict=True)))


def target_classes(scores: Tensor, target: str | int, labels: np.ndarray | None = None) -> np.ndarray:
    """Return the class whose score is explained, for each clip, shape (N,).

    Examples
    --------
    >>> scores = torch.tensor([[0.0, 2.0, 1.0]])
    >>> [target_classes(scores, t, np.array([2])).tolist() for t in ("predicted", "true", 0)]
    [[1], [2], [0]]
    """
    if scores.ndim != 2:
        raise UserError(f"the network must give (clips, classes) scores, got {tuple(scores.shape)}")
    n, n_classes = scores.shape
    if target == "predicted":
        return scores.argmax(dim=1).numpy()
    if isinstance(target, str) and target != "true":
        raise unknown_choice("target", target, ("predicted", "true", "a class's number"))
    if target == "true" and (labels is None or len(labels) != n):
        raise UserError(f"target 'true' needs the labels of all {n} clips, or take 'predicted'")
    classes = np.asarray(labels if target == "true" else np.full(n, target))
    if wrong := [int(c) for c in classes if not 0 <= c < n_classes]:
        raise UserError(f"the network has the classes 0..{n_classes - 1}; there is no {wrong[0]}")
    return classes.astype(np.int64)


def _by_body(name: str, output: Tensor | None, shape: Sequence[int]) -> Tensor:
    """Return a layer's output as (N, M, C', T', V), M = 1 where it has fused the bodies."""
    n, _, _, n_joints, n_bodies = shape
    if output is None:
        raise UserError(f"layer '{name}' is not called in a forward pass; leave it out")
    if not isinstance(output, Tensor) or output.ndim != 4 or len(output) not in (n, n * n_bodies):
        came = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise UserError(
            f"layer '{name}' gave {came} for {n} clips with {n_bodies} bodies; "
            "a (N, C, T, V) or (N*M, C, T, V) tensor is needed: choose another module"
        )
    if output.shape[3] != n_joints:
        raise UserError(
            f"layer '{name}' gave {tuple(output.shape)}: {output.shape[3]} on the axis of joints, "
            f"where the clips have {n_joints}; its maps cannot be drawn on the skeleton"
        )
    return output.unflatten(0, (n, -1))


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
