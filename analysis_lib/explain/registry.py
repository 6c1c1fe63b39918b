"""Attribution methods by name: a method is one file of this room, and a line here."""

from collections.abc import Callable, Sequence

import numpy as np

from analysis_lib.errors import unknown_choice
from analysis_lib.explain.deeplift import DeepLiftShap
from analysis_lib.explain.features import place_of
from analysis_lib.explain.gradcam import GradCAM
from analysis_lib.explain.gradients import ExpectedGradients, IntegratedGradients
from analysis_lib.explain.joint_shapley import JointShapley, JointShapleyInTime
from analysis_lib.explain.method import Method
from analysis_lib.explain.once import Once
from analysis_lib.explain.plain_baselines import ByLot, MotionEnergy
from analysis_lib.networks.checkpoints import Checkpoint

METHODS: dict[str, Callable[..., Method]] = {
    "gradcam": GradCAM,
    "deeplift": DeepLiftShap,
    "integrated-gradients": IntegratedGradients,
    "expected-gradients": ExpectedGradients,
    "shapley": JointShapley,
    "shapley-in-time": JointShapleyInTime,
    "by-lot": ByLot,
    "motion-energy": MotionEnergy,
}

#: what the methods are called on pages
TITLES = {
    "gradcam": "GradCAM",
    "deeplift": "DeepLIFT-SHAP",
    "integrated-gradients": "integrated gradients",
    "expected-gradients": "expected gradients",
    "shapley": "joint Shapley",
    "shapley-in-time": "Shapley in time",
    "by-lot": "by lot",
    "motion-energy": "motion energy",
}
#: those that know nothing of the network
CONTROLS = ("by-lot", "motion-energy")
#: those that are compared unless others are named
USUAL = ("gradcam", "deeplift", "expected-gradients", "shapley", "shapley-in-time", "motion-energy", "by-lot")


def named_method(name: str, **options) -> Method:
    """Return the method of that name with its options.

    Raises
    ------
    UserError
        If there is no such method; those that are there are listed.

    Examples
    --------
    >>> named_method("gradcam", counterfactual=True)
    GradCAM(variant='paper', counterfactual=True)
    """
    if name not in METHODS:
        raise unknown_choice("attribution method", name, METHODS)
    return METHODS[name](**options)


def chosen_methods(
    names: Sequence[str], network: Checkpoint, others: np.ndarray, n_draws: int = 4, seed: int = 0
) -> dict[str, Method]:
    """Return methods by their titles, each of which explains the same clip once (`analysis_lib.explain.once.Once`).

    Parameters
    ----------
    names : sequence of str
        Keys of `METHODS`; `USUAL` where none is named.
    others : float32 ndarray, shape (B, C, T, V, M)
        The background.
    n_draws : int
        Pairs of permutations of the Shapley values.

    Raises
    ------
    UserError
        If there is no such method; the message lists those that there are.
    """
    at = place_of(network.model)
    shapley = Once(JointShapley(others, n_draws=n_draws, seed=seed))  # the hybrid asks it again
    options = {
        "deeplift": {"background": others, "at": at},
        "integrated-gradients": {"background": others, "at": at, "n_steps": 4},
        "expected-gradients": {"background": others, "at": at, "n_steps": 2, "seed": seed},
        "shapley-in-time": {"shapley": shapley},
        "by-lot": {"seed": seed},
    }
    made = {
        name: shapley if name == "shapley" else Once(named_method(name, **options.get(name, {})))
        for name in names or USUAL
    }
    return {TITLES[name]: method for name, method in made.items()}
