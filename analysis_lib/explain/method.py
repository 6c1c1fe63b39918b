"""What every attribution method takes and returns, so that tables, checks and players serve any of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.warping.windows import checked_lengths


@dataclass(frozen=True)
class Maps:
    """What a method says of a few clips: the importance of every joint at every frame of each layer.

    Attributes
    ----------
    layers : tuple of str
        A method that knows no layers has one, named for itself.
    maps : tuple of float32 ndarray, each of shape (n, M, T_l, V)
        M is 1 where the bodies have been fused. Zero in padding.
    lengths : tuple of int ndarray, each of shape (n,)
        Valid frames at the layer.
    scores : float32 ndarray, shape (n, n_classes)
        Before softmax.
    targets : int ndarray, shape (n,)
        Class whose score each clip's maps explain.
    gaps : mapping of str to ndarray, each of shape (n,)
        What the method could not do, clip by clip: how far the map is from adding up to the score,
        whether the clip was left out, ...
    mixed : tuple of str
        Layers that have no axis of joints: their maps say when, and are the same at all joints.
    """

    layers: tuple[str, ...]
    maps: tuple[np.ndarray, ...]
    lengths: tuple[np.ndarray, ...]
    scores: np.ndarray
    targets: np.ndarray
    gaps: Mapping[str, np.ndarray] = field(default_factory=dict)
    mixed: tuple[str, ...] = ()

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
        >>> found = Maps(("a",), (maps,), (np.array([2]),), np.zeros((1, 1)), np.zeros(1))
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

    def by_slice(self, n_slices: int, body: int = 0) -> np.ndarray:
        """Return the mean over the frames of each time slice (`slice_weights`), float32 of shape (n, L, n_slices, V).

        Parameters
        ----------
        body : int
            Whose maps are taken; the one map where a layer has fused the bodies.
        """
        slices = [
            slice_weights(n, m.shape[2], n_slices) @ m[:, min(body, m.shape[1] - 1)]
            for m, n in zip(self.maps, self.lengths, strict=True)
        ]
        return np.stack(slices, axis=1).astype(np.float32)


class Method(Protocol):
    """An attribution method: a frozen dataclass of its options, and one call.

    A new one is a file of this room and a line in `analysis_lib.explain.registry.METHODS`.
    """

    def __call__(self, network: Checkpoint, x: np.ndarray, lengths: np.ndarray, target: str | np.ndarray) -> Maps:
        """Return the maps of a few clips, all in memory at once.

        Parameters
        ----------
        network : Checkpoint
            Its ``model`` is explained at its ``layers``; left in the mode and with the gradients it had.
        x : float32 ndarray, shape (N, C, T, V, M)
            A body whose coordinates are all zero is not there, and does not count.
        lengths : int ndarray, shape (N,)
            Valid frames.
        target : "predicted" or int ndarray of shape (N,)
            Class whose score is explained: the highest, or the one given (`target_classes`).
        """


def target_classes(scores: Tensor, target: str | int | np.ndarray) -> np.ndarray:
    """Return the class whose score is explained, for each clip, int64 of shape (N,).

    Raises
    ------
    UserError
        If these are no scores, or the target is no class of the network.

    Examples
    --------
    >>> scores = torch.tensor([[0.0, 2.0, 1.0], [3.0, 0.0, 0.0]])
    >>> [target_classes(scores, t).tolist() for t in ("predicted", np.array([2, 1]), 0)]
    [[1, 0], [2, 1], [0, 0]]
    """
    if scores.ndim != 2:
        raise UserError(f"the network must give (clips, classes) scores, got {tuple(scores.shape)}")
    n, n_classes = scores.shape
    if isinstance(target, str):
        if target != "predicted":
            raise unknown_choice("target", target, ("predicted", "a class's number for each clip"))
        return scores.argmax(dim=1).numpy()
    classes = np.broadcast_to(target, n).astype(np.int64)
    if wrong := [int(c) for c in classes if not 0 <= c < n_classes]:
        raise UserError(f"the network has the classes 0..{n_classes - 1}; there is no {wrong[0]}")
    return classes


def on_joints(maps: Tensor, layer: str, model: nn.Module, n_joints: int) -> Tensor:
    r"""Return maps of the nodes of a layer as maps of joints, (..., P) -> (..., V).

    A layer whose nodes are no joints (parts of the body, some joints) says by weights W of shape
    (P, V), ``model.layer_nodes[layer]``, how much each node stands for each joint. A joint takes
    the mean of its nodes:

    .. math:: H_v = \frac{\sum_p W_{pv} H_p}{\sum_p W_{pv}}

    So an even map stays even, and a node of five joints is not five times as important to each
    as a node of one. A joint that no node stands for takes 0.

    Raises
    ------
    UserError
        If the layer has other nodes than joints and says nothing of them, or the weights do not fit.

    Examples
    --------
    >>> body = nn.Module()
    >>> body.layer_nodes = {"pool": [[1, 1, 0, 0], [0, 1, 1, 0]]}  # two nodes share the second joint
    >>> on_joints(torch.tensor([4.0, 2.0]), "pool", body, 4)
    tensor([4., 3., 2., 0.])
    """
    n_nodes, known = maps.shape[-1], getattr(model, "layer_nodes", {})
    if layer not in known:
        if n_nodes == n_joints:
            return maps
        raise UserError(
            f"layer '{layer}' gave {n_nodes} nodes on the axis of joints, where the clips have {n_joints}; "
            f"set `layer_nodes` of {type(model).__name__} to {{'{layer}': weights of shape ({n_nodes}, {n_joints})}}, "
            "which say how much each node stands for each joint"
        )
    weights = torch.as_tensor(known[layer], dtype=maps.dtype)
    if weights.shape != (n_nodes, n_joints) or not (weights >= 0).all() or not weights.any():
        raise UserError(
            f"layer_nodes['{layer}'] of {type(model).__name__} must hold weights of shape ({n_nodes}, {n_joints}), "
            f"none negative and not all zero, got shape {tuple(weights.shape)}"
        )
    total = weights.sum(dim=0)
    return torch.where(total > 0, maps @ weights / total.where(total > 0, 1), 0.0)


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
