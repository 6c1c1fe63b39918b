"""Maps that know nothing of the network: by lot, and how much each joint moves. A method should beat both."""

from dataclasses import dataclass

import numpy as np
import torch

from analysis_lib.explain.masking import valid_frames
from analysis_lib.explain.method import Maps, target_classes
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.training.fit import predict
from analysis_lib.results.digest import array_digest


@dataclass(frozen=True)
class ByLot:
    """Every joint of every frame takes a number between 0 and 1 by lot, which is drawn for each clip by itself."""

    seed: int = 0

    def __call__(self, network: Checkpoint, x: np.ndarray, lengths: np.ndarray, target: str | np.ndarray) -> Maps:
        """Return the maps of a few clips (`analysis_lib.explain.method.Method`)."""
        lots = [np.random.default_rng([self.seed, int(array_digest(clip), 16)]) for clip in x]
        drawn = np.stack([lot.random(x.shape[2:]) for lot in lots])
        return _maps("by lot", drawn, network, x, lengths, target)


@dataclass(frozen=True)
class MotionEnergy:
    r"""Every joint takes the square of its speed, :math:`\lVert x_{t+1} - x_t \rVert^2`; 0 in the last frame."""

    def __call__(self, network: Checkpoint, x: np.ndarray, lengths: np.ndarray, target: str | np.ndarray) -> Maps:
        """Return the maps of a few clips (`analysis_lib.explain.method.Method`)."""
        valid = valid_frames(x, lengths)[:, :, None]
        steps = np.square(np.diff(x, axis=2, append=x[:, :, -1:])).sum(axis=1)
        steps[:, :-1] *= valid[:, 1:]
        return _maps("motion energy", steps, network, x, lengths, target)


def _maps(name: str, energy: np.ndarray, network: Checkpoint, x, lengths, target) -> Maps:
    """Return (N, T, V, M) as maps of one layer."""
    scores = predict(network.model, x)
    shown = (energy * valid_frames(x, lengths)[:, :, None]).transpose(0, 3, 1, 2).astype(np.float32)
    return Maps((name,), (shown,), (np.asarray(lengths),), scores, target_classes(torch.from_numpy(scores), target))
