"""The embedded default dataset: people made of joint angles, filmed by a noisy depth sensor.

Every clip is drawn from its own random stream, named by (seed, action, subject, view, take), so
that it does not depend on which other clips are made. A person performs a motion of the table
`analysis_lib.datasets.synthetic.actions` (`enact`), a camera looks on (`film`), and its tracker errs
(`track`). No recorded data enter.
"""

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.synthetic.actions import SEEN, UNSEEN
from analysis_lib.datasets.synthetic.motions import by_name
from analysis_lib.datasets.synthetic.performers import enact, person, stream
from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.skeletons.layouts import layout

#: Yaw of the cameras, degrees.
VIEWS = (-45.0, 0.0, 45.0)
CLASSES = {"seen": SEEN, "unseen": UNSEEN}
#: Decimals of the coordinates in m. Processors disagree about the last digits of a sine; rounding
#: hides that, so that a seed has one fingerprint everywhere.
DECIMALS = 4

#: standard deviation (m) of the tracker's jitter, by the last word of a joint's name
_JITTER = {
    "elbow": 0.007,
    "wrist": 0.010,
    "hand": 0.012,
    "tip": 0.018,
    "thumb": 0.018,
    "knee": 0.007,
    "ankle": 0.009,
    "foot": 0.012,
}
_SIGMA = np.array([_JITTER.get(name.split()[-1], 0.005) for name in layout("ntu-25").joints])
#: joints that a tracker loses together: the ends of a limb
_LIMB_ENDS = tuple(
    [layout("ntu-25").joint(f"{side} {name}") for name in names]
    for side in ("left", "right")
    for names in (
        ("hand", "hand tip", "thumb"),
        ("wrist", "hand", "hand tip", "thumb"),
        ("elbow", "wrist", "hand", "hand tip", "thumb"),
        ("ankle", "foot"),
        ("foot",),
    )
)


def synthetic(
    seed: int = 0, classes: str = "seen", subjects: int = 12, takes: int = 2, views: Sequence[float] = VIEWS
) -> SkeletonDataset:
    """Return a dataset of simulated actions: layout ``ntu-25``, metres, one body, 30 Hz.

    Camera axes as in NTU RGB+D: y up, z away from the sensor, x to the sensor's left.

    Parameters
    ----------
    seed : int
        Equal seeds give equal coordinates, to the last bit.
    classes : {"seen", "unseen"}
        The classes for training, or others for transfer (dataset ``synthetic-unseen``); the same
        people do both.
    subjects, takes : int
        People, and recordings of each by each camera of each action.
    views : sequence of float
        Yaw of the cameras, degrees.

    Returns
    -------
    SkeletonDataset
        Splits ``train`` and ``test`` share no subject (every third is a test subject);
        ``xview_train`` and ``xview_test`` share no camera (the first is the test camera).

    Raises
    ------
    UserError
        If ``classes`` is unknown, or there are too few people or cameras for both sides of a split.

    Examples
    --------
    >>> data = synthetic(subjects=3, takes=1)
    >>> len(data), len(data.class_names), {k: len(v) for k, v in data.splits.items()}
    (180, 20, {'train': 120, 'test': 60, 'xview_train': 120, 'xview_test': 60})
    >>> data.clips[0], data.groups[0], data.sequences[0].shape[2:]
    ('drink water, subject 0, view 0, take 0', 'upper body', (25, 3))
    """
    if classes not in CLASSES:
        raise unknown_choice("set of classes", classes, CLASSES)
    if seed < 0 or subjects < 3 or takes < 1 or len(views) < 2:
        raise UserError(
            "the synthetic dataset needs a seed >= 0, at least 3 subjects and 2 views (for both "
            f"sides of the splits) and 1 take; got seed {seed}, {subjects} subjects, "
            f"{len(views)} views, {takes} takes"
        )
    ways = by_name(CLASSES[classes])
    people = [person(seed, subject) for subject in range(subjects)]
    rows = list(np.ndindex(len(ways), subjects, len(views), takes))
    sequences = []
    for label, subject, view, take in rows:
        name, motions = list(ways.items())[label]
        rng = stream(seed, name, subject, view, take)
        x = enact(motions[rng.integers(len(motions))], people[subject], rng)
        x = track(film(x, views[view], rng), rng)
        sequences.append(np.round(x, DECIMALS)[None])  # (M = 1, T, V, C)
    labels, who, view, _ = np.array(rows).T
    return SkeletonDataset(
        name="synthetic" if classes == "seen" else f"synthetic-{classes}",
        skeleton=layout("ntu-25"),
        sequences=tuple(sequences),
        labels=labels,
        class_names=tuple(ways),
        groups=tuple(motions[0].group for motions in ways.values()),
        clips=tuple(f"{tuple(ways)[c]}, subject {s}, view {v}, take {take}" for c, s, v, take in rows),
        subjects=who,
        views=view,
        splits={
            "train": np.flatnonzero(who % 3 != 2),
            "test": np.flatnonzero(who % 3 == 2),
            "xview_train": np.flatnonzero(view != 0),
            "xview_test": np.flatnonzero(view == 0),
        },
    )


def film(x: np.ndarray, yaw: float, rng: np.random.Generator) -> np.ndarray:
    """Return the body (T, 25, 3) in a camera's axes; nobody stands or faces exactly as told.

    Parameters
    ----------
    x : ndarray, shape (T, 25, 3)
        Positions in m, floor at y = 0.
    yaw : float
        Angle of the camera about the person, degrees.
    rng : numpy.random.Generator
    """
    angles = np.array([yaw, 0, 0]) + rng.normal(0, [22, 4, 2])  # yaw, pitch, roll
    turn = Rotation.from_euler("YXZ", angles, degrees=True).as_matrix()
    place = np.array([rng.normal(0, 0.3), -rng.uniform(0.9, 1.4), rng.uniform(2.6, 4.2)])
    return x @ turn.T + place


def track(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the joints (T, 25, 3) as a tracker reports them: jitter, and limbs lost for a while.

    Jitter grows towards the ends of the limbs. A lost limb freezes where it was last seen, or
    jumps to a wrong place beside the true one.
    """
    jitter = gaussian_filter1d(rng.standard_normal(x.shape), 0.6, axis=0)
    x = x + jitter / jitter.std() * _SIGMA[:, None]
    for _ in range(rng.poisson(0.8)):
        limb = _LIMB_ENDS[rng.integers(len(_LIMB_ENDS))]
        start = int(rng.integers(len(x)))
        stop = start + int(rng.integers(4, 18))
        if rng.random() < 0.6:
            x[start:stop, limb] = x[start, limb]
        else:
            x[start:stop, limb] += rng.normal(0, 0.1, 3)
    return x
