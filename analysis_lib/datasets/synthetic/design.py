"""Which joints an action of the synthetic dataset moves by design: the truth that explanations are held against."""

from functools import cache

import numpy as np

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.synthetic.actions import SEEN, UNSEEN
from analysis_lib.datasets.synthetic.kinematics import FRAMES, forward_kinematics, on_floor, within_reach
from analysis_lib.datasets.synthetic.motions import by_name, perform
from analysis_lib.datasets.synthetic.performers import FRAMES_PER_SECOND
from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.skeletons.layouts import layout

#: datasets whose clips are made by this design
DESIGNED = ("synthetic", "synthetic-unseen")
#: a joint moves by design if its way is at least this share of the longest
MOVING = 0.5


@cache
def designed_paths(action: str) -> np.ndarray:
    """Return how far each joint travels in an action as the table has it, m, shape (25,).

    No person's way of doing it, no idle movement, no habit and no noise: the mean over the ways of the table.

    Raises
    ------
    UserError
        If the dataset has no such action.

    Examples
    --------
    >>> joints = layout("ntu-25").joints
    >>> joints[designed_paths("drink water").argmax()] in ("right hand", "right hand tip", "right thumb")
    True
    """
    ways = {**by_name(SEEN), **by_name(UNSEEN)}
    if action not in ways:
        raise unknown_choice("synthetic action", action, ways)
    found = []
    for motion in ways[action]:
        seconds = np.arange(round(motion.seconds * FRAMES_PER_SECOND) + 1) / FRAMES_PER_SECOND
        curve = perform(motion, seconds / seconds[-1], seconds, np.random.default_rng(0))
        angles = curve[:, :-1].reshape(len(seconds), len(FRAMES), 3)
        x = on_floor(forward_kinematics(within_reach(angles)), np.maximum(curve[:, -1], 0) / 100)
        found.append(paths(x))
    mean = np.mean(found, axis=0)
    mean.flags.writeable = False
    return mean


def paths(x: np.ndarray) -> np.ndarray:
    """Return how far each joint travels, (T, V, C) -> (V,)."""
    return np.linalg.norm(np.diff(x, axis=0), axis=-1).sum(axis=0)


def moving_joints(action: str, clip: np.ndarray) -> np.ndarray:
    """Return which joints move by design in a clip of an action, bool of shape (25,).

    Left-handers do an action the other way round; which way a clip is, its own movement tells.

    Parameters
    ----------
    action : str
    clip : ndarray, shape (M, T, 25, 3)
    """
    design, own = designed_paths(action), paths(clip[0])
    mirrored = design.copy()
    for left, right in layout("ntu-25").pairs:
        mirrored[[left, right]] = design[[right, left]]
    nearer = max((design, mirrored), key=lambda way: np.corrcoef(way, own)[0, 1])
    return nearer >= MOVING * nearer.max()


def designed_joints(data: SkeletonDataset) -> np.ndarray:
    """Return which joints move by design in each clip (`moving_joints`), bool of shape (n, V).

    Raises
    ------
    UserError
        If the clips were not made by this design.

    Examples
    --------
    >>> from analysis_lib.datasets.synthetic.make import synthetic
    >>> designed_joints(synthetic(subjects=3, takes=1).take([0])).sum(axis=1).tolist()
    [4]
    """
    if data.name not in DESIGNED:
        raise UserError(f"nobody knows which joints the actions of '{data.name}' move by design")
    clips = zip(data.labels, data.sequences, strict=True)
    return np.stack([moving_joints(data.class_names[c], clip) for c, clip in clips])
