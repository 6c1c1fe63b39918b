"""Who is who from frame to frame, where an estimator does not say it."""

import numpy as np
from scipy.optimize import linear_sum_assignment


def tracked(frames: list[tuple[int, list[np.ndarray], list]]) -> list[list[str]]:
    """Return who the people of each frame are.

    A person whose identity is not given is one of those seen before, in the assignment that moves all
    people least (mean distance of the joints in common), unless that is further than the size of the body.

    Parameters
    ----------
    frames : list of (frame, people, identities)
        People are arrays (V, C) of coordinates and score; an identity is text, or None.

    Returns
    -------
    list of list of str

    Examples
    --------
    >>> ann, bob = np.array([[0, 0, 1.0], [0, 2, 1]]), np.array([[9, 0, 1.0], [9, 2, 1]])
    >>> tracked([(0, [ann, bob], [None, None]), (1, [bob + 0.1, ann], [None, None])])
    [['person 0', 'person 1'], ['person 1', 'person 0']]
    """
    last: dict[str, np.ndarray] = {}
    named = []
    for _, people, identities in frames:
        names = list(identities)
        unknown = [i for i, name in enumerate(names) if name is None]
        free = [name for name in last if name not in names]
        far = np.array([[_distance(people[i], last[name]) for name in free] for i in unknown]).reshape(
            len(unknown), len(free)
        )
        for i, j in zip(*linear_sum_assignment(far), strict=True):
            if far[i, j] <= 1:
                names[unknown[i]] = free[j]
        for i in unknown:
            names[i] = names[i] or f"person {len(last)}"
            last[names[i]] = people[i]
        last |= dict(zip(names, people, strict=True))
        named.append(names)
    return named


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    """Return the mean distance of the joints that both poses have, in sizes of the body; 1e9 if there are none."""
    apart = np.linalg.norm(one[:, :-1] - other[:, :-1], axis=1)
    size = np.linalg.norm(np.nanmax(other[:, :-1], axis=0) - np.nanmin(other[:, :-1], axis=0))
    seen = np.isfinite(apart)
    return float(apart[seen].mean() / max(size, 1e-9)) if seen.any() else 1e9
