"""Gradients along ways from a background to a clip: integrated and expected gradients.

References
----------
Sundararajan, Taly & Yan (2017), integrated gradients; Erion, Janizek, Sturmfels, Lundberg & Lee (2021),
expected gradients.
"""

from dataclasses import dataclass

import numpy as np
import torch

from analysis_lib.explain.features import all_scores, background_scores, clips_at_once, explained, feature_maps
from analysis_lib.explain.method import Maps, target_classes
from analysis_lib.networks.checkpoints import Checkpoint


@dataclass(frozen=True, eq=False)
class IntegratedGradients:
    r"""Gradients integrated along the straight way from each background clip, averaged over the background.

    .. math:: \phi = \frac{1}{B} \sum_b (x - b) \odot \int_0^1 \nabla f\big(b + u (x - b)\big)\, du

    Attributes
    ----------
    background : float32 ndarray, shape (B, C, T, V, M)
    at : {"coordinates", "streams"}
    n_steps : int
        Nodes of the Gauss-Legendre quadrature.
    max_memory : int
        Bytes for what the network's modules give.
    """

    background: np.ndarray
    at: str = "coordinates"
    n_steps: int = 16
    max_memory: int = 2**29
    name = "integrated gradients"

    def ways(self, n: int) -> tuple[np.ndarray, ...]:
        """Return clip, background, place u and weight of every point at which a gradient is taken."""
        nodes, weights = np.polynomial.legendre.leggauss(self.n_steps)
        b = len(self.background)
        clip, other, node = (i.ravel() for i in np.indices((n, b, self.n_steps)))
        return clip, other, (nodes[node] + 1) / 2, weights[node] / 2 / b

    def __call__(self, network: Checkpoint, x: np.ndarray, lengths: np.ndarray, target: str | np.ndarray) -> Maps:
        """Return the maps of a few clips (`analysis_lib.explain.method.Method`)."""
        scores = explained(network.model, self.at)
        clips, others = scores.of(x), scores.of(self.background)
        scored = all_scores(scores, clips)
        targets = target_classes(torch.from_numpy(scored), target)
        found = torch.zeros_like(clips)
        step = clips_at_once(scores, clips, self.max_memory, copies=2)
        clip, other, place, weight = (torch.from_numpy(each).split(step) for each in self.ways(len(clips)))
        for i, b, u, w in zip(clip, other, place, weight, strict=True):
            way = clips[i] - others[b]
            u, w = (each.view(-1, *[1] * (way.ndim - 1)).to(way) for each in (u, w))
            point = (others[b] + u * way).requires_grad_()
            with torch.enable_grad():
                chosen = scores(point)[torch.arange(len(i)), torch.from_numpy(targets)[i]].sum()
            found.index_add_(0, i, w * way * torch.autograd.grad(chosen, point)[0])
        expected = background_scores(network, scores, others).mean(axis=0)
        return feature_maps(self.name, scores.names, found.numpy(), lengths, scored, targets, expected)


@dataclass(frozen=True, eq=False)
class ExpectedGradients(IntegratedGradients):
    r"""The same integral by lot: background clip and place are drawn anew for each gradient.

    .. math:: \phi = \mathrm{E}_{b, u}\big[(x - b) \odot \nabla f(b + u (x - b))\big]

    Attributes
    ----------
    n_steps : int
        Draws for each background clip; all are used equally often, and u once in each n-th part of 0..1.
    seed : int
    """

    seed: int = 0
    name = "expected gradients"

    def ways(self, n: int) -> tuple[np.ndarray, ...]:
        rng = np.random.default_rng(self.seed)
        b = len(self.background)
        clip, other, node = (i.ravel() for i in np.indices((n, b, self.n_steps)))
        return clip, other, (node + rng.random(node.shape)) / self.n_steps, np.full(node.shape, 1 / (b * self.n_steps))
