"""DeepLIFT averaged over a background (DeepLIFT-SHAP).

References
----------
Shrikumar, Greenside & Kundaje (2017); Lundberg & Lee (2017). Computed by captum.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import DeepLift
from torch import nn

from analysis_lib.errors import UserError
from analysis_lib.explain.features import all_scores, background_scores, clips_at_once, explained, feature_maps
from analysis_lib.explain.linter import inexact
from analysis_lib.explain.method import Maps, target_classes
from analysis_lib.networks.checkpoints import Checkpoint


@dataclass(frozen=True, eq=False)
class DeepLiftShap:
    r"""What each feature adds to a score, by DeepLIFT's rules, averaged over a background.

    .. math:: \phi = \frac{1}{B} \sum_b m(x, b) \odot (x - b)

    with multipliers m. Pairs of clip and background pass in chunks; as sums, they do not depend on them. (captum's rule
    of a softmax takes a mean over the whole chunk; where a network has one, pairs pass alone.)
    `analysis_lib.explain.linter.inexact` says where the rules end; the gap ``additivity`` says what it costs.

    Attributes
    ----------
    background : float32 ndarray, shape (B, C, T, V, M)
        `analysis_lib.explain.features.background`.
    at : {"coordinates", "streams"}
    max_memory : int
        Bytes for what the network's modules give.

    Raises
    ------
    UserError
        If an activation is called more than once a pass.
    """

    background: np.ndarray
    at: str = "coordinates"
    max_memory: int = 2**29

    def __call__(self, network: Checkpoint, x: np.ndarray, lengths: np.ndarray, target: str | np.ndarray) -> Maps:
        """Return the maps of a few clips (`analysis_lib.explain.method.Method`)."""
        scores = explained(network.model, self.at)
        clips, others = scores.of(x), scores.of(self.background)
        faults = inexact(scores, clips[:1])
        again = faults[faults.why.str.startswith("the same module")]
        if len(again):
            name = again.module.iloc[0].removeprefix("model.")
            raise UserError(
                f"DeepLIFT cannot explain {type(network.model).__name__}: at '{name}' {again.why.iloc[0]} in a pass; "
                "give each call a module of its own"
            )
        scored = all_scores(scores, clips)
        targets = target_classes(torch.from_numpy(scored), target)
        pairs = torch.cartesian_prod(torch.arange(len(clips)), torch.arange(len(others))).view(-1, 2)
        method, found = DeepLift(scores), torch.zeros_like(clips)
        alone = any(isinstance(module, nn.Softmax) for module in scores.modules())
        for some in pairs.split(1 if alone else clips_at_once(scores, clips, self.max_memory, copies=4)):
            mine, theirs = some.T
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # captum tells of its hooks
                attributions = method.attribute(
                    clips[mine], others[theirs], target=torch.from_numpy(targets)[mine].contiguous()
                )
            found.index_add_(0, mine, attributions.detach() / len(others))
        expected = background_scores(network, scores, others).mean(axis=0)
        return feature_maps("deeplift", scores.names, found.numpy(), lengths, scored, targets, expected)
