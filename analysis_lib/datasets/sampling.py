"""Which clips are looked at: so many of each class, some classes, those that are seen best."""

import numpy as np

from analysis_lib.errors import UserError


def sample_per_class(labels: np.ndarray, n_per_class: int, seed: int) -> np.ndarray:
    """Return sorted clip indices, the same number of every class, drawn without replacement.

    Parameters
    ----------
    labels : int ndarray, shape (n,)
    n_per_class : int
        0 takes as many as the smallest class has.

    Raises
    ------
    UserError
        If a class has fewer clips than asked for.

    Examples
    --------
    >>> sample_per_class(np.array([0, 0, 0, 1, 1]), 0, seed=0).shape
    (4,)
    """
    classes, counts = np.unique(labels, return_counts=True)
    wanted = n_per_class or counts.min()
    if wanted < 0 or wanted > counts.min():
        raise UserError(
            f"n_per_class is {n_per_class}, but class {classes[counts.argmin()]} has "
            f"{counts.min()} clips; 0 takes as many as the smallest class has"
        )
    rng = np.random.default_rng(seed)
    drawn = [rng.choice(np.flatnonzero(labels == c), wanted, replace=False) for c in classes]
    return np.sort(np.concatenate(drawn))
