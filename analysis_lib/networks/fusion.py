"""Scores of networks that see a clip in other ways, joints, bones, how they move, added up."""

from collections.abc import Mapping

import numpy as np

from analysis_lib.errors import UserError

#: weights of the streams as Shift-GCN and those after it have them
PUBLISHED: Mapping[str, float] = {"joint": 0.6, "bone": 0.6, "joint motion": 0.4, "bone motion": 0.4}


def fused(scores: Mapping[str, np.ndarray], weights: Mapping[str, float] | None = None) -> np.ndarray:
    """Return the weighted sum of scores, shape (N, n_classes).

    Parameters
    ----------
    scores : mapping of str to ndarray, each of shape (N, n_classes)
        Scores before softmax by stream (`analysis_lib.datasets.preparation.recipe.Preprocessing.stream`).
    weights : mapping of str to float, optional
        By stream; equal by default.

    Raises
    ------
    UserError
        If there is no stream, they are of other clips or classes, or one has no weight.

    Examples
    --------
    >>> scores = {"joint": np.array([[1.0, 0.0]]), "bone motion": np.array([[0.0, 1.2]])}
    >>> fused(scores).argmax(), fused(scores, PUBLISHED).argmax()
    (np.int64(1), np.int64(0))
    """
    weights = dict.fromkeys(scores, 1.0) if weights is None else weights
    if missing := [stream for stream in scores if stream not in weights]:
        raise UserError(f"stream '{missing[0]}' has no weight; those that have one: {', '.join(weights)}")
    if len(shapes := {x.shape for x in scores.values()}) != 1:
        raise UserError(f"streams are fused clip by clip, got scores of shapes {sorted(shapes)}")
    return sum(weights[stream] * x for stream, x in scores.items())
