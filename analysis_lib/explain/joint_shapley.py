"""Shapley values whose players are joints, joints of single streams, or body parts; for all classes at once."""

from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch

from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.explain.features import (
    SMALL,
    FromFeatures,
    additivity_gap,
    all_scores,
    background_scores,
    clips_at_once,
)
from analysis_lib.explain.gradcam import GradCAM
from analysis_lib.explain.method import Maps, target_classes
from analysis_lib.explain.shapley import exact_shapley, sampled_shapley
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.skeletons.skeleton import Skeleton

#: what may be a player
PLAYERS = ("joints", "joints x streams", "parts")
#: clips of a batch: small ones stay in a processor's cache, and are the fastest
BATCH = 8


def players(skeleton: Skeleton, kind: str, n_streams: int = 1) -> np.ndarray:
    """Return the number of the player that each joint of each stream belongs to, shape (n_streams, V).

    Examples
    --------
    >>> stick = Skeleton("stick", ("foot", "knee", "hip"), ((0, 1), (1, 2)), parts={"leg": (0, 1), "trunk": (2,)})
    >>> players(stick, "parts").tolist(), players(stick, "joints x streams", 2).tolist()
    ([[0, 0, 1]], [[0, 1, 2], [3, 4, 5]])
    """
    if kind not in PLAYERS:
        raise unknown_choice("kind of player", kind, PLAYERS)
    if kind == "joints x streams":
        return np.arange(n_streams * skeleton.n_joints).reshape(n_streams, -1)
    whose = np.arange(skeleton.n_joints)
    for i, part in enumerate(skeleton.parts.values() if kind == "parts" else ()):
        whose[list(part)] = i
    return np.tile(whose, (n_streams, 1))


@dataclass(frozen=True)
class JointValues:
    """Shapley values of a few clips.

    Attributes
    ----------
    values, errors : float64 ndarray, shape (n, P, n_classes)
        The errors are 0 where the values are exact.
    draws : int ndarray, shape (n,)
        Pairs of permutations; 0 where exact.
    scores : float32 ndarray, shape (n, n_classes)
    targets : int ndarray, shape (n,)
    expected : float64 ndarray, shape (n, n_classes)
        Mean scores of the background clips, as often as each was drawn: what the values are counted from.
    """

    values: np.ndarray
    errors: np.ndarray
    draws: np.ndarray
    scores: np.ndarray
    targets: np.ndarray
    expected: np.ndarray


@dataclass(frozen=True, eq=False)
class JointShapley:
    r"""What each joint adds to the scores, where joints outside a coalition move as in another clip.

    .. math:: v(S) = \mathrm{E}_b\, f(x_S, b_{\bar S})

    Attributes
    ----------
    background : float32 ndarray, shape (B, C, T, V, M)
    whose : int ndarray of shape (S, V), optional
        From `players`; by default each joint is one, in all streams.
    at : {"coordinates", "streams"}
        Whether a joint's coordinates are exchanged, or what the streams say of it.
    n_draws : int
        At most so many pairs of permutations a clip, which take turns with the background; 0: exact.
    tolerance : float
        When to stop (`analysis_lib.explain.shapley.sampled_shapley`), seen at the explained class.
    max_memory : int
        Bytes for what the network's modules give.
    seed : int
    """

    background: np.ndarray
    whose: np.ndarray | None = None
    at: str = "coordinates"
    n_draws: int = 32
    tolerance: float = 0.0
    max_memory: int = 2**29
    seed: int = 0

    def values(self, network: Checkpoint, x: np.ndarray, target: str | np.ndarray = "predicted") -> JointValues:
        """Return the values of all players for all classes; ``target`` is what the stopping rule looks at."""
        scores = FromFeatures(network.model, self.at)
        clips, others = scores.of(x), scores.of(self.background)
        whose = self._whose(clips.shape)
        n_players = int(whose.max()) + 1
        batch = min(BATCH, clips_at_once(scores, clips, self.max_memory))
        ends, scored = background_scores(network, scores, others, batch), all_scores(scores, clips, batch)
        targets = target_classes(torch.from_numpy(scored), target)

        def worth(clip: torch.Tensor, own: np.ndarray, coalitions: np.ndarray, b: int) -> np.ndarray:
            """Return the scores of a clip with the joints outside a coalition of background clip b."""
            found = np.empty((len(coalitions), scored.shape[1]), np.float64)
            none, everyone = ~coalitions.any(axis=1), coalitions.all(axis=1)
            found[none], found[everyone] = ends[b], own
            inner = ~(none | everyone)
            masks = torch.from_numpy(coalitions[inner][:, whose])[:, :, None, None, :, None]
            if inner.any():  # one player alone makes none
                parts = [all_scores(scores, torch.where(some, clip, others[b]), batch) for some in masks.split(batch)]
                found[inner] = np.concatenate(parts)
            return found

        rng = np.random.default_rng(self.seed)
        rows = []
        for clip, own, c in zip(clips, scored, targets, strict=True):
            value = partial(worth, clip, own)
            if self.n_draws == 0:

                def mean(coalitions, value=value):
                    return np.mean([value(coalitions, b) for b in range(len(others))], axis=0)

                exact = exact_shapley(mean, n_players)
                rows.append((exact, np.zeros_like(exact), 0, ends.mean(axis=0, dtype=float)))
                continue
            turns = np.resize(rng.permutation(len(others)), self.n_draws)
            found = sampled_shapley(
                lambda coalitions, i, value=value, turns=turns: value(coalitions, turns[i]),
                n_players,
                self.n_draws,
                rng,
                self.tolerance,
                c,
            )
            rows.append((found.values, found.errors, found.draws, ends[turns[: found.draws]].mean(axis=0, dtype=float)))
        values, errors, draws, expected = (np.stack(each) for each in zip(*rows, strict=True))
        return JointValues(values, errors, draws, scored, targets, expected)

    def __call__(self, network: Checkpoint, x: np.ndarray, lengths: np.ndarray, target: str | np.ndarray) -> Maps:
        """Return maps that are the same at every frame (`analysis_lib.explain.method.Method`).

        A joint takes its player's value, in equal parts where they are several. The gaps are ``additivity``,
        ``standard error`` (the largest, relative to the largest absolute value) and ``draws``.
        """
        found = self.values(network, x, target)
        streams = network.model.stream_names if self.at == "streams" else ("coordinates",)
        whose = self._whose((len(x), len(streams), 0, 0, x.shape[3]))
        own = np.arange(len(x)), slice(None), found.targets
        values, errors = found.values[own], found.errors[own]
        by_joint = (values / np.bincount(whose.ravel()))[:, whose]  # (N, S, V)
        rows = np.arange(len(x)), found.targets
        gaps = {
            "additivity": additivity_gap(values.sum(axis=1), found.scores[rows].astype(float), found.expected[rows]),
            "standard error": errors.max(axis=1) / np.maximum(np.abs(values).max(axis=1), SMALL),
            "draws": found.draws,
        }
        apart = tuple(streams) if len(np.unique(whose)) > whose.shape[1] else ()
        shown = [*(by_joint[:, i] for i in range(len(apart))), by_joint.sum(axis=1)]
        valid = np.arange(x.shape[2]) < np.asarray(lengths)[:, None]
        maps = tuple((each[:, None, None] * valid[:, None, :, None]).astype(np.float32) for each in shown)
        layers = (*apart, "shapley")
        return Maps(layers, maps, (np.asarray(lengths),) * len(maps), found.scores, found.targets, gaps)

    def _whose(self, shape: tuple[int, ...]) -> np.ndarray:
        n_streams, n_joints = shape[1], shape[4]
        if self.whose is None:
            return np.tile(np.arange(n_joints), (n_streams, 1))
        whose = np.asarray(self.whose)
        if whose.shape != (n_streams, n_joints):
            raise UserError(f"players of shape {(n_streams, n_joints)} (streams, joints) are needed, got {whose.shape}")
        return whose


@dataclass(frozen=True, eq=False)
class JointShapleyInTime:
    r"""Shapley values say which joints, GradCAM of the last layer says when.

    .. math:: H_{t,v} = \phi_v\, g_t / \bar g, \qquad g_t = \tfrac{1}{V} \sum_v G_{t,v}

    so that the mean over the clip is the Shapley value. Where GradCAM is zero throughout, time is even.
    """

    shapley: JointShapley
    gradcam: GradCAM = field(default_factory=GradCAM)

    def __call__(self, network: Checkpoint, x: np.ndarray, lengths: np.ndarray, target: str | np.ndarray) -> Maps:
        """Return the maps of a few clips (`analysis_lib.explain.method.Method`)."""
        which = self.shapley(network, x, lengths, target)
        when = self.gradcam(network, x, lengths, which.targets)
        maps = which.maps[-1].copy()
        for i, n in enumerate(lengths):
            moments = when.on_frames(i, int(n), when.maps[-1].shape[1])[-1].mean(axis=(0, 2))  # (n,)
            if moments.any():
                maps[i, :, :n] *= (moments / moments.mean())[:, None]
        return Maps(
            ("shapley in time",), (maps,), (np.asarray(lengths),), which.scores, which.targets, dict(which.gaps)
        )
