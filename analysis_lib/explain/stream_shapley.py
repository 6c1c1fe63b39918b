"""Exact Shapley values whose players are whole streams: each passes its branch once, whatever the coalition."""

import numpy as np
import torch

from analysis_lib.explain.shapley import exact_shapley
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.hooks import evaluating


@torch.no_grad()
def stream_shapley(network: Checkpoint, background: np.ndarray, x: np.ndarray, batch_size: int = 8) -> np.ndarray:
    r"""Return what each stream adds to the scores, where streams outside a coalition are those of other clips.

    .. math:: v(S) = \frac{1}{B} \sum_b f(z_S, z^b_{\bar S})

    with :math:`z_s` what the branch of stream s makes of it. They are the values of
    `analysis_lib.explain.joint_shapley.JointShapley` at the streams, all joints of a stream one player and every
    coalition asked, of a network whose streams meet only behind their branches.

    Parameters
    ----------
    network : Checkpoint
        Its model has ``streams``, ``branch_outputs`` and ``scores_from_branches``, as
        `analysis_lib.networks.multi_branch.MultiBranchGCN` has.
    background : float32 ndarray, shape (B, C, T, V, M)
    x : float32 ndarray, shape (N, C, T, V, M)

    Returns
    -------
    float64 ndarray, shape (N, S, n_classes)
    """
    model, n_bodies, values = network.model, x.shape[-1], []

    def passed(clips: torch.Tensor) -> list[torch.Tensor]:
        return model.branch_outputs(model.streams(clips))

    with evaluating(model):
        others = [passed(some) for some in torch.from_numpy(background).split(batch_size)]
        for clip in torch.from_numpy(np.ascontiguousarray(x)).split(1):
            own = passed(clip)

            def score(inside: np.ndarray, own: list[torch.Tensor] = own) -> np.ndarray:
                found = []
                for its in others:
                    n = len(its[0]) // n_bodies
                    pairs = zip(inside, own, its, strict=True)
                    mixed = [mine.repeat(n, 1, 1, 1) if kept else other for kept, mine, other in pairs]
                    found.append(model.scores_from_branches(mixed, n_bodies))
                return torch.cat(found).double().mean(dim=0).numpy()

            values.append(exact_shapley(lambda coalitions, score=score: np.stack([*map(score, coalitions)]), len(own)))
    return np.stack(values)
