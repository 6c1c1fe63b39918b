"""Attribution methods by name: a method is one file of this room, and a line here."""

from collections.abc import Callable

from analysis_lib.errors import unknown_choice
from analysis_lib.explain.deeplift import DeepLiftShap
from analysis_lib.explain.gradcam import GradCAM
from analysis_lib.explain.gradients import ExpectedGradients, IntegratedGradients
from analysis_lib.explain.joint_shapley import JointShapley, JointShapleyInTime
from analysis_lib.explain.method import Method
from analysis_lib.explain.plain_baselines import ByLot, MotionEnergy

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
