"""Shapley values of joints to one standard error, beside captum's sampling and shap's explainers.

All play one game: a joint outside a coalition moves as in one other clip. Whose values scatter less needs fewer
evaluations of the network for the same standard error, so a time counts by the variance that it leaves
(`analysis_lib.studies.performance.tables.values_table`). Every method gives the values of all classes from one run.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis_lib.bench.rounds import in_turns
from analysis_lib.errors import DataError

if TYPE_CHECKING:  # the other parts of the bench run without torch
    from analysis_lib.explain.features import FromFeatures
    from analysis_lib.networks.checkpoints import Checkpoint

OURS = "JointShapley"
#: whole clips of so many frames at most, and clips of a batch, which are fastest when they stay in the cache
FRAMES, BATCH = 60, 4
#: standard errors that two methods may differ by
TOLERANCE = 3.0


@dataclass(frozen=True, eq=False)
class Game:
    """Joints as players: those of a coalition move as in a clip, the others as in one other clip.

    Attributes
    ----------
    network : Checkpoint
    x, other : float32 ndarray, shapes (N, C, T, V, M) and (1, C, T, V, M)
    pairs : int
        Of permutations, for each clip; peers get as many evaluations of the network.
    """

    network: "Checkpoint"
    x: np.ndarray
    other: np.ndarray
    pairs: int

    @cached_property
    def scores(self) -> "FromFeatures":
        """The network, from the coordinates on."""
        from analysis_lib.explain.features import explained

        return explained(self.network.model, "coordinates")

    @property
    def n_joints(self) -> int:
        """The number of players."""
        return self.x.shape[3]

    def worths(self) -> list[Callable[[np.ndarray], np.ndarray]]:
        """Return for each clip a function of coalitions (k, V), numbers 0 and 1, to scores (k, classes)."""
        import torch

        from analysis_lib.explain.features import all_scores

        clips, instead = self.scores.of(self.x), self.scores.of(self.other)[0]

        def worth(clip, coalitions):
            masks = torch.from_numpy(np.asarray(coalitions) > 0.5)[:, None, None, None, :, None]
            parts = [all_scores(self.scores, torch.where(some, clip, instead), BATCH) for some in masks.split(BATCH)]
            return np.concatenate(parts)

        return [lambda coalitions, clip=clip: worth(clip, coalitions) for clip in clips]


def by_ours(game: Game, seed: int) -> np.ndarray:
    """Return the values (N, V, classes) by paired permutations."""
    from analysis_lib.explain.joint_shapley import JointShapley

    return JointShapley(game.other, n_draws=game.pairs, seed=seed).values(game.network, game.x).values


def by_captum(game: Game, seed: int) -> np.ndarray:
    """Return the values (N, V, classes) by permutations; without a target, captum explains all outputs at once."""
    import torch
    from captum.attr import ShapleyValueSampling

    torch.manual_seed(seed)
    given = ShapleyValueSampling(game.scores.model).attribute(
        torch.from_numpy(game.x),
        torch.from_numpy(game.other),
        feature_mask=torch.arange(game.n_joints)[:, None].expand(1, *game.x.shape[1:]).contiguous(),
        n_samples=2 * game.pairs,
        perturbations_per_eval=max(1, BATCH // len(game.x)),
    )
    return given[:, :, 0, 0, :, 0].transpose(1, 2).double().numpy()  # a player's value stands at all its coordinates


def by_permutation_explainer(game: Game, seed: int) -> np.ndarray:
    """Return the values (N, V, classes) by shap's permutations, each with its reverse."""
    import shap

    nobody, everyone = np.zeros((1, game.n_joints)), np.ones((1, game.n_joints))
    evaluations = game.pairs * (2 * game.n_joints + 1)
    explainers = [shap.PermutationExplainer(worth, nobody) for worth in game.worths()]
    np.random.seed(seed)  # noqa: NPY002 - where shap draws from
    return np.stack([explain(everyone, max_evals=evaluations, silent=True).values[0] for explain in explainers])


def by_kernel_explainer(game: Game, seed: int) -> np.ndarray:
    """Return the values (N, V, classes) by shap's weighted least squares over coalitions and their complements."""
    import shap

    np.random.seed(seed)  # noqa: NPY002 - where shap draws from
    nobody, everyone = np.zeros((1, game.n_joints)), np.ones((1, game.n_joints))
    asked = {"nsamples": 2 * game.pairs * game.n_joints, "l1_reg": False, "silent": True}
    explainers = [shap.KernelExplainer(worth, nobody) for worth in game.worths()]
    return np.stack([explainer.shap_values(everyone, **asked)[0] for explainer in explainers])


class Method(NamedTuple):
    """A way to the values, with the importable library that it needs."""

    name: str
    how: str
    module: str
    values: Callable[[Game, int], np.ndarray]


#: ours first; settings with ``pairs`` and as many ``evaluations`` of a clip
METHODS = (
    Method(OURS, "{pairs} pairs of permutations", "torch", by_ours),
    Method("captum, sampling", "2 x {pairs} permutations, no target", "captum", by_captum),
    Method("shap, permutation", "{pairs} pairs of permutations", "shap", by_permutation_explainer),
    Method("shap, kernel", "nsamples={evaluations}, l1_reg=False", "shap", by_kernel_explainer),
)


def why_missing(methods: Sequence[Method] = METHODS) -> dict[str, str]:
    """Return why a method cannot be measured, for each that cannot."""
    reasons = {}
    for method in methods:
        try:
            with warnings.catch_warnings(action="ignore"):  # of their plots
                import_module(method.module)
        except ImportError as error:
            reasons[method.name] = f"{error}; pip install -e '.[bench]', or make bench"
    return reasons


def bench_values(missing: Mapping[str, str] = {}, n_clips: int = 4, pairs: int = 4, rounds: int = 8) -> list[dict]:
    """Return the seconds and the spread of each method's values, for the explained class and for all.

    Clips are short ones, whole, of the generated dataset, and the network is the book's.

    Returns
    -------
    list of dict
        For ``explained`` (one class, all classes): ``clips``, ``frames``, ``joints``, ``classes``, ``evaluations`` of
        a clip, ``threads`` of the network, and ``methods``: for each ``name``, ``how``, ``seconds`` and ``error``
        (standard deviation of a value over runs with other seeds, root mean square).
    """
    from analysis_lib.datasets.catalogue import load_dataset
    from analysis_lib.explain.features import background
    from analysis_lib.networks.checkpoints import load_network

    data = load_dataset("synthetic")
    network = load_network("synthetic", data)
    short = data.take(np.flatnonzero(data.lengths <= FRAMES))
    x, other = (
        np.ascontiguousarray(background(short.split(split), network.preprocessing, n)[:, :, :FRAMES])
        for split, n in (("test", n_clips), ("train", 1))
    )
    return compared(Game(network, x, other, pairs), [m for m in METHODS if m.name not in missing], rounds)


def apart(one: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> float:
    r"""Return how far the means of two lots of runs are apart, in standard errors of their difference.

    .. math:: \sqrt{\frac{\sum_j (\bar a_j - \bar b_j)^2}{\sum_j (s_{a,j}^2 / n_a + s_{b,j}^2 / n_b)}}

    over all values j; about 1 where both estimate the same, 0 where they are equal.

    Examples
    --------
    >>> apart([np.array([0.0]), np.array([2.0])], [np.array([3.0]), np.array([5.0])])
    2.1213203435596424
    """
    gap = np.mean(one, axis=0) - np.mean(other, axis=0)
    error = sum(np.var(runs, axis=0, ddof=1) / len(runs) for runs in (one, other))
    far = np.square(gap).sum()
    return float(np.sqrt(far / max(error.sum(), np.finfo(float).tiny))) if far else 0.0


def compared(game: Game, methods: Sequence[Method], rounds: int) -> list[dict]:
    """Return the records of `bench_values`; ``methods``, ours first, are called in turns, each round with its seed.

    Raises
    ------
    DataError
        If a peer's values differ from ours by more than `TOLERANCE` standard errors.
    """
    import torch

    from analysis_lib.explain.features import all_scores

    few = Game(game.network, game.x[:1], game.other, 2)
    for method in methods:
        method.values(few, 0)  # compiles
    runs: dict[str, list[np.ndarray]] = {method.name: [] for method in methods}

    def keep(method: Method) -> None:
        runs[method.name].append(method.values(game, len(runs[method.name])))

    seconds = in_turns({}, {m.name: lambda m=m: keep(m) for m in methods}, rounds)
    for name in runs:
        if (gap := apart(runs[OURS], runs[name])) > TOLERANCE:
            raise DataError(
                f"the values of {name} and {OURS} differ by {gap:.1f} standard errors; are the versions right?"
            )
    targets = all_scores(game.scores, game.scores.of(game.x), BATCH).argmax(axis=1)
    spread = {name: np.var(values, axis=0, ddof=1) for name, values in runs.items()}  # (N, V, classes)
    own = {name: variance[np.arange(len(targets)), :, targets] for name, variance in spread.items()}
    shape = {"clips": len(game.x), "frames": game.x.shape[2], "joints": game.n_joints}
    shape |= {"classes": spread[OURS].shape[2], "evaluations": 2 * game.pairs * game.n_joints}
    return [
        {
            "explained": explained,
            **shape,
            "threads": torch.get_num_threads(),
            "methods": [
                {
                    "name": m.name,
                    "how": m.how.format(pairs=game.pairs, evaluations=shape["evaluations"]),
                    "seconds": seconds[m.name],
                    "error": float(np.sqrt(variance[m.name].mean())),
                }
                for m in methods
            ],
        }
        for explained, variance in (("one class", own), ("all classes", spread))
    ]
