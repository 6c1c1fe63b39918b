"""Attribution methods by name: a method is one file of this room, and a line here."""

from collections.abc import Callable

from analysis_lib.errors import unknown_choice
from analysis_lib.explain.gradcam import GradCAM
from analysis_lib.explain.method import Method

METHODS: dict[str, Callable[..., Method]] = {"gradcam": GradCAM}


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
