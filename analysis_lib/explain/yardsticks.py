r"""What explanations are measured by: faithfulness, stability, sparseness.

References
----------
Agarwal et al. (2022), OpenXAI: PGI, PGU, RIS, ROS, RRS. Pellano, Strümke & Ihlen (2024), the same on skeletons, with
perturbations that stay human. Yeh et al. (2019): infidelity and maximal sensitivity, as captum computes them.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from captum.metrics import infidelity as captum_infidelity
from captum.metrics import sensitivity_max
from scipy.special import softmax
from torch import nn

from analysis_lib.errors import unknown_choice
from analysis_lib.explain.masking import valid_frames
from analysis_lib.explain.method import Method
from analysis_lib.explain.once import answered
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.hooks import captured, evaluating
from analysis_lib.networks.training.fit import predict
from analysis_lib.statistics.ranks import rank_correlation

#: smaller denominators are taken for this, so that nothing divides by zero
SMALL = 1e-6


def sparseness(importance: np.ndarray) -> np.ndarray:
    r"""Return Gini's coefficient of the absolute importance of each clip, (N, V) -> (N,).

    .. math:: G = \frac{\sum_i (2 i - V - 1)\, a_{(i)}}{V \sum_i a_i}

    0: all joints alike; :math:`1 - 1/V`: one joint has all. A map of zeros has 0.

    Examples
    --------
    >>> sparseness(np.array([[1.0, 1.0], [0.0, -3.0], [0.0, 0.0]])).tolist()
    [0.0, 0.5, 0.0]
    """
    a = np.sort(np.abs(importance), axis=1)
    n = a.shape[1]
    total = n * a.sum(axis=1)
    return np.divide(a @ (2 * np.arange(1, n + 1) - n - 1), total, out=np.zeros(len(a)), where=total > 0)


# ---- perturbations that stay human


def on_spheres(x: np.ndarray, radius: float, joints: np.ndarray, parents: Sequence[int], rng) -> np.ndarray:
    """Return clips with some joints moved by ``radius``, each in a direction of its own that lasts for the clip."""
    return x + radius * joints[:, None, None, :, None] * _directions(x, rng)


def with_bone_lengths(x: np.ndarray, radius: float, joints: np.ndarray, parents: Sequence[int], rng) -> np.ndarray:
    """Return the same with every bone turned back to its own length, from the root outwards."""
    wanted = on_spheres(x, radius, joints, parents, rng)
    found, done = wanted.copy(), {v for v, parent in enumerate(parents) if parent == v}
    while waiting := [v for v, parent in enumerate(parents) if v not in done and parent in done]:
        for v in waiting:
            bone = wanted[:, :, :, v] - wanted[:, :, :, parents[v]]
            length, own = (
                np.linalg.norm(b, axis=1, keepdims=True) for b in (bone, x[:, :, :, v] - x[:, :, :, parents[v]])
            )
            found[:, :, :, v] = found[:, :, :, parents[v]] + bone * (own / np.maximum(length, SMALL))
            done.add(v)
    return found


def _directions(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    drawn = rng.normal(size=(len(x), x.shape[1], 1, x.shape[3], x.shape[4]))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(x.dtype)


#: by name: clips, radius (their unit), which joints (N, V), parents, generator -> clips
PERTURBATIONS: Mapping[str, Callable] = {"spheres": on_spheres, "bone lengths kept": with_bone_lengths}


def perturbed(x: np.ndarray, lengths: np.ndarray, how: str, radius: float, joints, parents, rng) -> np.ndarray:
    """Return perturbed clips; padding and absent bodies stay as they are."""
    if how not in PERTURBATIONS:
        raise unknown_choice("perturbation", how, PERTURBATIONS)
    found = PERTURBATIONS[how](x, radius, joints, parents, rng)
    return np.where(valid_frames(x, lengths)[:, None, :, None, :], found, x).astype(np.float32)


# ---- faithfulness


def prediction_gaps(
    model: nn.Module,
    x: np.ndarray,
    lengths: np.ndarray,
    targets: np.ndarray,
    ranks: np.ndarray,
    counts: Sequence[int],
    parents: Sequence[int],
    radius: float,
    how: str = "spheres",
    n_draws: int = 5,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    r"""Return by how much the probability of each clip's class moves with its first, and its last, k joints.

    .. math:: \mathrm{PGI}_k = \mathrm{E}\, |f(x) - f(x')|, \quad x' \text{ perturbed at the } k
              \text{ most important joints}

    and PGU at the k least important ones. Larger is better for PGI, smaller for PGU.

    Parameters
    ----------
    ranks : int ndarray, shape (N, V)
        0 the most important (`analysis_lib.explain.masking.ranking`).
    counts : sequence of int, length K
    radius : float
        In the unit of the clips.

    Returns
    -------
    dict of str to float64 ndarray of shape (N, K)
        ``"PGI"`` and ``"PGU"``.
    """
    rng, n_joints = np.random.default_rng(seed), x.shape[3]

    def probability(clips: np.ndarray) -> np.ndarray:
        return softmax(predict(model, clips).astype(float), axis=1)[np.arange(len(x)), targets]

    before = probability(x)
    found = {"PGI": np.zeros((len(x), len(counts))), "PGU": np.zeros((len(x), len(counts)))}
    for i, k in enumerate(counts):
        for name, joints in (("PGI", ranks < k), ("PGU", ranks >= n_joints - k)):
            draws = [perturbed(x, lengths, how, radius, joints, parents, rng) for _ in range(n_draws)]
            found[name][:, i] = np.mean([np.abs(probability(moved) - before) for moved in draws], axis=0)
    return found


def infidelity(
    model: nn.Module,
    x: np.ndarray,
    masked: np.ndarray,
    targets: np.ndarray,
    importance: np.ndarray,
    n_draws: int = 32,
    known: dict[tuple[int, bytes], torch.Tensor] | None = None,
) -> np.ndarray:
    r"""Return how far the importance of masked joints is from what masking them costs, (N,); smaller is better.

    .. math:: \mathrm{E}_I \big(\beta\, I^\top e - (f(x) - f(x_{\bar I}))\big)^2

    I are joints drawn with probability 1/2, :math:`x_{\bar I}` the clip with them masked, and
    :math:`\beta` the best factor, so that the units of a method do not count.

    Parameters
    ----------
    x, masked : float32 ndarray, shape (N, C, T, V, M)
        The clips, and the clips with every joint masked (`analysis_lib.explain.masking.masking_baseline`).
    importance : ndarray, shape (N, V)
    known : dict, optional
        Scores, by clip and the joints that it kept: as the joints that are drawn are always the same, one that is given
        again for another importance of the same clips spares asking twice.
    """
    clips, others, known = torch.from_numpy(x), torch.from_numpy(masked), {} if known is None else known

    def scores(kept: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
        def ask(new: list[int]) -> torch.Tensor:
            weights, own = kept[new][:, None, None, :, None], index[new]
            with evaluating(model):
                return model(weights * clips[own] + (1 - weights) * others[own])

        asked = [(int(clip), joints.numpy().tobytes()) for clip, joints in zip(index, kept, strict=True)]
        return torch.stack(answered(asked, ask, known))

    def drop(kept: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        taken = torch.randint(0, 2, kept.shape).to(kept)
        return taken, kept - taken

    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        found = captum_infidelity(
            scores,
            drop,
            torch.ones(len(x), x.shape[3]),
            torch.from_numpy(np.asarray(importance, np.float32)),
            additional_forward_args=torch.arange(len(x)),
            target=torch.from_numpy(targets),
            n_perturb_samples=n_draws,
            max_examples_per_batch=_at_once(len(x), n_draws),
            normalize=True,
        )
    return found.double().numpy()


def _at_once(n_clips: int, n_draws: int) -> int:
    """Return how many perturbed clips pass together: about eight, and as many of each clip."""
    return n_clips * max(1, min(n_draws, 8 // n_clips))


# ---- stability


def maximal_sensitivity(
    method: Method, network: Checkpoint, x: np.ndarray, lengths, targets, radius: float, n_draws: int = 5
) -> np.ndarray:
    r"""Return :math:`\max_{\|x' - x\|_\infty \le r} \|e(x') - e(x)\| / \|e(x)\|`, (N,), of the last layer's maps."""

    def explanation(given: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        (clips,) = given
        repeats = len(clips) // len(x)
        found = method(network, clips.numpy(), np.repeat(lengths, repeats), np.repeat(targets, repeats))
        return (torch.from_numpy(np.ascontiguousarray(found.maps[-1])),)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        found = sensitivity_max(
            explanation,
            torch.from_numpy(x),
            perturb_radius=radius,
            n_perturb_samples=n_draws,
            max_examples_per_batch=_at_once(len(x), n_draws),
        )
    return found.double().numpy()


def stability(
    method: Method,
    network: Checkpoint,
    x: np.ndarray,
    lengths: np.ndarray,
    parents: Sequence[int],
    radius: float,
    how: str = "spheres",
    n_draws: int = 5,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    r"""Return how much more an explanation changes than the clip, the scores, and the last layer do.

    .. math:: \mathrm{RIS} = \max_{x'} \frac{\|(e - e') / e\|}{\max(\|(x - x') / x\|, 10^{-6})}

    over perturbed clips :math:`x'` of the same predicted class; ROS has the scores below, RRS what the last
    layer gives. e is each joint's mean over time. All denominators are at least 1e-6. Where e is near
    zero the ratios explode; ``ranks``, the least rank correlation of e and e', does not.

    Returns
    -------
    dict of str to float64 ndarray of shape (N,)
        ``"RIS"``, ``"ROS"``, ``"RRS"``, ``"ranks"``; NaN where every perturbed clip got another class.
    """

    def seen(clips: np.ndarray, target) -> tuple[np.ndarray, ...]:
        with torch.no_grad(), evaluating(network.model), captured(network.model, network.layers[-1:]) as outputs:
            scores = network.model(torch.from_numpy(clips)).numpy()
            hidden = outputs[network.layers[-1]].reshape(len(clips), -1).numpy()
        e = method(network, clips, lengths, target).by_slice(1)[:, -1, 0]
        return e, clips.reshape(len(clips), -1), scores, hidden

    def change(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        below = np.where(np.abs(one) < SMALL, SMALL, one)
        return np.linalg.norm((one - other) / below, axis=1)

    rng = np.random.default_rng(seed)
    targets = predict(network.model, x).argmax(axis=1)
    first = seen(x, targets)
    draws = []
    for _ in range(n_draws):
        moved = perturbed(x, lengths, how, radius, np.ones((len(x), x.shape[3]), bool), parents, rng)
        other = seen(moved, targets)
        same = other[2].argmax(axis=1) == targets
        top, *below = (change(a, b) for a, b in zip(first, other, strict=True))
        rows = [*(top / np.maximum(b, SMALL) for b in below), -rank_correlation(first[0], other[0])]
        draws.append(np.where(same, rows, -np.inf))
    worst = np.max(draws, axis=0)
    worst[np.isinf(worst)] = np.nan
    return dict(zip(("RIS", "ROS", "RRS"), worst[:3], strict=True)) | {"ranks": -worst[3]}
