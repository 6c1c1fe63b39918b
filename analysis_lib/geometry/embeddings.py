"""What each layer of a network says about each clip: activations taken by forward hooks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import nn

from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.networks.axes import by_name, layer_axes, node_count
from analysis_lib.networks.hooks import captured, evaluating
from analysis_lib.progress import progress_bar
from analysis_lib.results.digest import array_digest
from analysis_lib.warping.windows import checked_lengths, layer_lengths

#: name of layer 0, the tensor that the network is given
INPUT = "input"

REDUCTIONS = {
    "flatten": lambda x: x.permute(0, 2, 1, 3),  # (N, T, C, V), a view; flattened where it is written
    "joint": lambda x: x.mean(dim=1),  # (N, T, V)
    "channel": lambda x: x.mean(dim=3).transpose(1, 2),  # (N, T, C)
}


@dataclass(frozen=True)
class Embeddings:
    """Frame features of every clip at every layer.

    Attributes
    ----------
    layers : tuple of str
        ``"input"`` first, then the module names.
    features : tuple of float32 ndarray, each of shape (n, T_l, D_l)
        Memory-mapped where they outgrew the limit.
    lengths : tuple of int ndarray, each of shape (n,)
        Valid frames at that layer, :math:`n_l = \\lceil n\\, T_l / T_0 \\rceil`.
    """

    layers: tuple[str, ...]
    features: tuple[np.ndarray, ...]
    lengths: tuple[np.ndarray, ...]
    folder: TemporaryDirectory | None = None  # kept alive as long as its memory maps are

    @cached_property
    def digests(self) -> tuple[str, ...]:
        """The digest of each layer's features, which is taken once: it reads all of them."""
        return tuple(map(array_digest, self.features))


@torch.no_grad()
def embed(
    model: nn.Module,
    x: np.ndarray,
    lengths: np.ndarray,
    layers: Sequence[str],
    reduce: str = "flatten",
    body: int = 0,
    axes: Mapping[str, str] | None = None,
    batch_size: int = 8,
    max_memory: int = 2**30,
    folder: str | Path | None = None,
    progress: bool = False,
) -> Embeddings:
    """Return the features of all clips at the input and at every named layer.

    Parameters
    ----------
    model : nn.Module
        Any network from (N, C, T, V, M); put into evaluation mode for the pass and restored.
    x : float32 ndarray, shape (N, C, T, V, M)
    lengths : int ndarray, shape (N,)
        Valid frames of each clip.
    layers : sequence of str
    reduce : {"flatten", "joint", "channel"}
        Frame feature: all channels of all joints, the mean over channels, or over joints.
    body : int
        Which body to keep; the whole where a layer has fused them.
    axes : mapping of str to str, optional
        What the axes of the layers mean, where it is known (`analysis_lib.networks.axes.layer_axes`).
    max_memory : int
        Bytes of features above which they are written to memory-mapped files.
    folder : path, optional
        Where those files go; a temporary folder by default, removed with the result.

    Raises
    ------
    UserError
        If a layer is unknown, what its axes mean is not, or a choice does not exist.
    """
    if reduce not in REDUCTIONS:
        raise unknown_choice("reduction", reduce, REDUCTIONS)
    n, _, n_frames, _, n_bodies = x.shape
    if not 0 <= body < n_bodies:
        raise UserError(f"body {body} does not exist; the clips have {n_bodies}")
    names, shape = (INPUT, *layers), x.shape[1:]
    axes = layer_axes(model, shape, layers, axes)
    if reduce == "joint" and (mixed := [layer for layer in layers if "v" not in axes[layer]]):
        raise UserError(
            f"layer '{mixed[0]}' has no axis of joints ('{axes[mixed[0]]}'); reduce must be flatten or channel"
        )
    store: _Store | None = None
    with evaluating(model), captured(model, layers) as outputs:
        for start in progress_bar(range(0, n, batch_size), "embeddings", progress):
            batch = torch.from_numpy(np.ascontiguousarray(x[start : start + batch_size]))
            model(batch.clone())  # it may work in place
            parts = {INPUT: batch[..., body]}
            for k in layers:
                every = by_name(outputs.get(k), axes[k], k, shape, len(batch), node_count(model, k, shape[2]))
                parts[k] = every[:, min(body, every.shape[1] - 1)]
            reduced = {k: REDUCTIONS[reduce](v) for k, v in parts.items()}
            shapes = {k: (n, v.shape[1], v[0, 0].numel()) for k, v in reduced.items()}
            store = store or _Store.for_shapes(shapes, max_memory, folder)
            for name, value in reduced.items():
                torch.from_numpy(store.arrays[name][start : start + len(batch)]).view(value.shape).copy_(value)
    features = tuple(store.arrays[name] for name in names)
    valid = tuple(layer_lengths(lengths, n_frames, f.shape[1]) for f in features)
    return Embeddings(names, features, valid, store.folder)


def reduced(embeddings: Embeddings, n_nodes: Sequence[int], reduce: str) -> Embeddings:
    """Return flattened features as another reduction has them, without a further pass of the network.

    Parameters
    ----------
    embeddings : Embeddings
        As from `embed` with ``reduce="flatten"``: the channels of all nodes side by side.
    n_nodes : sequence of int
        Joints, or other nodes, of the input and of each layer; 1 where a layer has no axis of them.
    reduce : {"flatten", "joint", "channel"}

    Raises
    ------
    UserError
        If there is no such reduction, or it is over the channels of joints where a layer has none.

    Examples
    --------
    >>> flat = Embeddings(("input",), (np.array([[[1.0, 3.0, 5.0, 7.0]]]),), (np.array([1]),))
    >>> reduced(flat, [2], "joint").features[0].tolist(), reduced(flat, [2], "channel").features[0].tolist()
    ([[[3.0, 5.0]]], [[[2.0, 6.0]]])
    """
    if reduce not in REDUCTIONS:
        raise unknown_choice("reduction", reduce, REDUCTIONS)
    if reduce == "joint" and 1 in n_nodes:
        raise UserError(f"layer '{embeddings.layers[list(n_nodes).index(1)]}' has no axis of joints")
    if reduce == "flatten":
        return embeddings
    axis = {"joint": 2, "channel": 3}[reduce]  # of (n, T, C, V)
    split = (x.reshape(*x.shape[:2], -1, n) for x, n in zip(embeddings.features, n_nodes, strict=True))
    return replace(embeddings, features=tuple(x.mean(axis=axis) for x in split))


def clip_means(features: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the mean of each clip's valid frames, for what asks one vector a clip.

    Parameters
    ----------
    features : ndarray, shape (n, T, D)
        One layer of `embed`.
    lengths : int ndarray, shape (n,)

    Returns
    -------
    float64 ndarray, shape (n, D)

    Examples
    --------
    >>> clip_means(np.array([[[1.0], [3.0]], [[1.0], [3.0]]]), np.array([2, 1])).tolist()
    [[2.0], [1.0]]
    """
    lengths = checked_lengths(lengths, features.shape[1], at_least=1)
    return np.stack([clip[:n].mean(axis=0, dtype=float) for clip, n in zip(features, lengths, strict=True)])


@dataclass
class _Store:
    """One float32 array a layer, in memory or on disk."""

    arrays: Mapping[str, np.ndarray]
    folder: TemporaryDirectory | None

    @classmethod
    def for_shapes(cls, shapes: Mapping[str, tuple], max_memory: int, folder) -> "_Store":
        n_bytes = 4 * sum(int(np.prod(shape)) for shape in shapes.values())
        if n_bytes <= max_memory:
            return cls({k: np.empty(s, np.float32) for k, s in shapes.items()}, None)
        temporary = None if folder else TemporaryDirectory(prefix="stgbook-")
        root = Path(folder or temporary.name)
        root.mkdir(parents=True, exist_ok=True)
        arrays = {
            name: np.lib.format.open_memmap(root / f"layer{i}.npy", "w+", np.float32, shape)
            for i, (name, shape) in enumerate(shapes.items())
        }
        return cls(arrays, temporary)
