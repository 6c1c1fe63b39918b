"""Where a network is explained: at the coordinates that it is given, or at the streams that it makes of them."""

import copy

import numpy as np
import torch
from torch import Tensor, nn

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import Preprocessing, clip_tensors
from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.explain.method import Maps
from analysis_lib.networks.checkpoints import Checkpoint, weights_digest
from analysis_lib.networks.hooks import evaluating
from analysis_lib.results.digest import array_digest

#: what features may be
PLACES = ("coordinates", "streams")
#: below this a difference of scores is no measure of anything
SMALL = 1e-6


class FromFeatures(nn.Module):
    """The part of a network that takes features, (N, S, C, T, V, M) -> (N, n_classes).

    Attributes
    ----------
    names : tuple of str, length S
        Of the streams; one where the features are the coordinates.

    Raises
    ------
    UserError
        If there is no such place, or the network has no streams.
    """

    def __init__(self, model: nn.Module, at: str):
        super().__init__()
        if at not in PLACES:
            raise unknown_choice("place to explain a network at", at, PLACES)
        if at == "streams" and not hasattr(model, "scores_from_streams"):
            raise UserError(f"{type(model).__name__} makes no streams of its clips; explain it at 'coordinates'")
        self.model, self.at, self.training = model, at, model.training
        self.names = tuple(model.stream_names) if at == "streams" else ("coordinates",)

    def forward(self, features: Tensor) -> Tensor:
        if self.at == "streams":
            return self.model.scores_from_streams(features)
        return self.model(features[:, 0])

    def of(self, x: np.ndarray) -> Tensor:
        """Return the features of clips, (N, C, T, V, M) -> (N, S, C', T, V, M)."""
        x = torch.from_numpy(np.ascontiguousarray(x))
        return self.model.streams(x).detach() if self.at == "streams" else x[:, None]


def place_of(model: nn.Module) -> str:
    """Return where methods that follow gradients stop: at the streams, if the network makes some.

    >>> place_of(nn.Linear(2, 2))
    'coordinates'
    """
    return "streams" if hasattr(model, "scores_from_streams") else "coordinates"


def explained(model: nn.Module, at: str) -> FromFeatures:
    """Return a copy of a network from its features on, in evaluation mode, whose weights ask for no gradient."""
    return FromFeatures(copy.deepcopy(model), at).eval().requires_grad_(False)


def background(data: SkeletonDataset, preprocessing: Preprocessing, n: int, seed: int = 0) -> np.ndarray:
    """Return clips of a dataset, drawn without replacement, as a network takes them: (n, C, T, V, M).

    The dataset is drawn from, and not a loader: what comes first in a folder is no more likely.

    Raises
    ------
    UserError
        If there are fewer clips than are asked for.
    """
    if not 1 <= n <= len(data):
        raise UserError(f"a background of {n} clips was asked for; '{data.name}' has {len(data)} to draw from")
    index = np.random.default_rng(seed).choice(len(data), n, replace=False)
    return clip_tensors(data.take(np.sort(index)), preprocessing)[0]


def clips_at_once(scores: FromFeatures, features: Tensor, max_memory: int, copies: int = 1) -> int:
    """Return how many clips may pass a network together, by what its modules give for one.

    Parameters
    ----------
    features : Tensor, shape (N, S, C, T, V, M)
    max_memory : int
        Bytes.
    copies : int
        How often what a module gives is held: twice for a backward pass, four times for DeepLIFT.
    """
    size = 0

    def add(module, args, output):
        nonlocal size
        size += output.numel() * output.element_size() if isinstance(output, Tensor) else 0

    handles = [module.register_forward_hook(add) for module in scores.modules()]
    with torch.no_grad(), evaluating(scores):
        scores(features[:1])
    for handle in handles:
        handle.remove()
    return max(1, int(max_memory // (copies * size)))


def all_scores(scores: FromFeatures, features: Tensor, batch_size: int = 8) -> np.ndarray:
    """Return the class scores of features, in batches, float32 (N, n_classes)."""
    with torch.no_grad(), evaluating(scores):
        return torch.cat([scores(part) for part in features.split(batch_size)]).float().numpy()


def background_scores(network: Checkpoint, scores: FromFeatures, others: Tensor, batch_size: int = 8) -> np.ndarray:
    """Return the class scores of a background (`all_scores`): it passes once, however many clips are held against it.

    Parameters
    ----------
    network : Checkpoint
        Whose network ``scores`` is made of (`explained`).
    others : Tensor, shape (B, S, C, T, V, M)
    """
    model = network.model
    key = id(model), weights_digest(model), scores.at, array_digest(others.numpy())
    if key not in _PASSED:
        _PASSED.clear()  # of one network at a time: nothing piles up
        _PASSED[key] = model, all_scores(scores, others, batch_size)  # with the model, as one that is held keeps its id
    return _PASSED[key][1]


_PASSED: dict[tuple, tuple[nn.Module, np.ndarray]] = {}


def additivity_gap(total: np.ndarray, scored: np.ndarray, expected: float | np.ndarray) -> np.ndarray:
    r"""Return how far attributions are from adding up, relative to what they should add up to.

    .. math:: \frac{|\sum \phi - (f(x) - \mathrm{E} f(b))|}{|f(x) - \mathrm{E} f(b)|}

    Examples
    --------
    >>> additivity_gap(np.array([1.5]), np.array([3.0]), 1.0)
    array([0.25])
    """
    difference = scored - expected
    return np.abs(total - difference) / np.maximum(np.abs(difference), SMALL)


def feature_maps(
    name: str, names: tuple[str, ...], attributions: np.ndarray, lengths: np.ndarray, scored, targets, expected
) -> Maps:
    """Return attributions of features as maps: one a stream, and last their sum, which bears the method's name.

    What lies in padding is taken away from the maps, as the clip has no such frames; the backgrounds have,
    so it need not be nothing, and its share is told.

    Parameters
    ----------
    attributions : ndarray, shape (N, S, C, T, V, M)
    lengths : int ndarray, shape (N,)
    scored : ndarray, shape (N, n_classes)
    targets : int ndarray, shape (N,)
    expected : ndarray, shape (n_classes,)
        Mean scores of the background.

    Returns
    -------
    Maps
        With the gaps ``additivity`` (`additivity_gap`) and ``in padding``, the share of all absolute
        attributions that was taken away.
    """
    own = np.arange(len(targets)), targets
    total = attributions.sum(axis=(1, 2, 3, 4, 5), dtype=np.float64)
    gaps = {"additivity": additivity_gap(total, scored[own].astype(float), expected[targets])}
    by_stream = attributions.sum(axis=2).transpose(1, 0, 4, 2, 3)  # (S, N, M, T, V)
    valid = np.arange(by_stream.shape[3]) < np.asarray(lengths)[:, None]  # (N, T)
    sizes = np.abs(by_stream).sum(axis=(0, 2, 4), dtype=np.float64)  # (N, T)
    gaps["in padding"] = (sizes * ~valid).sum(axis=1) / np.maximum(sizes.sum(axis=1), SMALL)
    by_stream = np.where(valid[None, :, None, :, None], by_stream, 0).astype(np.float32)
    streams = tuple(by_stream) if len(names) > 1 else ()
    layers = (*(names if streams else ()), name)
    maps = (*streams, by_stream.sum(axis=0))
    return Maps(layers, maps, (np.asarray(lengths),) * len(maps), scored, targets, gaps)
