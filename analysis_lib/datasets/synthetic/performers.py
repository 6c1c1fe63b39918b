"""People who perform the motions of the table, each in his or her own way."""

from dataclasses import dataclass
from zlib import crc32

import numpy as np

from analysis_lib.datasets.synthetic.actions import HABITS
from analysis_lib.datasets.synthetic.kinematics import (
    FRAMES,
    OFFSETS,
    forward_kinematics,
    mirror_angles,
    on_floor,
    within_reach,
)
from analysis_lib.datasets.synthetic.motions import DEGREES_OF_FREEDOM, Motion, Variation, perform, pose

FRAMES_PER_SECOND = 30
#: Fewest and most frames of a clip.
SHORTEST, LONGEST = 30, 120

_REST = "both shoulder side 8, both elbow flex 10"
_ON_A_CHAIR = "both hip flex 84 side 4, both knee flex 84, hip centre flex 4"
#: how far one take strays from the table, and how far a habit does
_TAKE = Variation(pose=9.0, scale=0.16, timing=0.2, rate=0.1)
_HABIT = Variation(pose=8.0, scale=0.25, timing=0.2, rate=0.15)
#: share of takes in which the other hand leads
_OTHER_HAND = 0.1

_N = len(DEGREES_OF_FREEDOM)
_LEGS = [i for i, f in enumerate(FRAMES) if f.split()[-1] in ("body", "hip", "knee", "ankle")]
#: which of a person's proportions each bone follows
_PROPORTION = {
    "elbow": "arms",
    "wrist": "arms",
    "hand": "arms",
    "tip": "arms",
    "thumb": "arms",
    "knee": "legs",
    "ankle": "legs",
    "foot": "legs",
}


@dataclass(frozen=True, eq=False)
class Person:
    """What stays the same in all takes of a subject.

    Attributes
    ----------
    offsets : ndarray, shape (26, 3)
        Bones, m (`analysis_lib.datasets.synthetic.kinematics.OFFSETS`).
    posture : ndarray, shape (79,)
        Rest pose.
    amplitude : ndarray, shape (79,)
        Factor on every degree of freedom.
    tempo : float
        1 is normal, 1.2 is quicker.
    unrest : float
        Standard deviation of idle movement, degrees.
    left_handed : bool
    """

    offsets: np.ndarray
    posture: np.ndarray
    amplitude: np.ndarray
    tempo: float
    unrest: float
    left_handed: bool


def person(seed: int, subject: int) -> Person:
    """Return a subject of the dataset; every fifth is left-handed.

    Examples
    --------
    >>> [s for s in range(12) if person(0, s).left_handed]
    [3, 8]
    """
    rng = stream(seed, "person", subject)
    height, arms, legs, breadth = np.exp(rng.normal(0, [0.06, 0.04, 0.04, 0.06]))
    share = {"arms": arms, "legs": legs, "trunk": 1.0}
    limbs = [share[_PROPORTION.get(frame.split()[-1], "trunk")] for frame in FRAMES]
    posture = pose(_REST) + 4.0 * rng.standard_normal(_N)
    posture[_columns(_LEGS)] *= 0.5
    posture[-1] = 0
    amplitude = np.exp(rng.normal(0.0, 0.1, _N) + rng.normal(0.0, 0.08))
    amplitude[_columns([FRAMES.index("body")])] = 1
    return Person(
        offsets=OFFSETS * height * np.array(limbs)[:, None] * (breadth, 1, 1),
        posture=posture,
        amplitude=amplitude,
        tempo=float(np.exp(rng.normal(0, 0.14))),
        unrest=float(rng.uniform(1.0, 2.6)),
        left_handed=subject % 5 == 3,
    )


def enact(motion: Motion, who: Person, rng: np.random.Generator) -> np.ndarray:
    """Return one take in the person's own space, shape (T, 25, 3): y up, facing -z, no noise.

    T lies between 30 and 120 frames: some waiting, the motion, some waiting. Meanwhile the person
    moves a little without purpose, and may have a habit or two (`actions.HABITS`); now and then
    the other hand leads.
    """
    repeats = int(rng.integers(1, motion.repeats + 1))
    tempo = who.tempo * np.exp(rng.normal(0, 0.14))
    before, after = rng.uniform(0.0, 0.6, size=2)
    length = motion.seconds * repeats / tempo
    n_frames = int(np.clip(round((before + length + after) * FRAMES_PER_SECOND), SHORTEST, LONGEST))
    seconds = np.arange(n_frames) / FRAMES_PER_SECOND
    done = np.clip((seconds - before) / length, 0, 1)
    curve = who.amplitude * perform(motion, done, tempo * seconds, rng, _TAKE, repeats)
    for habit in rng.choice(len(HABITS), size=rng.binomial(3, 0.5), replace=False):
        curve += _habit(HABITS[habit], seconds, rng)
    curve += who.posture + _idle(seconds, who.unrest, rng)
    angles = curve[:, :-1].reshape(n_frames, len(FRAMES), 3)
    if rng.random() < motion.seated:
        angles[:, _LEGS] *= 0.2
        angles += pose(_ON_A_CHAIR)[:-1].reshape(len(FRAMES), 3)
    if who.left_handed != (rng.random() < _OTHER_HAND):
        angles = mirror_angles(angles)
    lift = np.maximum(curve[:, -1], 0) / 100
    return on_floor(forward_kinematics(within_reach(angles), who.offsets), lift)


def stream(seed: int, name: str, *numbers: int) -> np.random.Generator:
    """Return the random stream of one thing, which no other thing's existence changes."""
    return np.random.default_rng(np.random.SeedSequence([seed, crc32(name.encode()), *numbers]))


def _habit(habit: Motion, seconds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return an unrelated small movement, shape (T, 79), at some time and mostly on the left."""
    start = rng.uniform(-0.5, 0.9) * seconds[-1]
    length = habit.seconds * rng.uniform(0.7, 1.5)
    curve = perform(habit, np.clip((seconds - start) / length, 0, 1), seconds, rng, _HABIT)
    if rng.random() < 0.25:
        angles = curve[:, :-1].reshape(len(seconds), len(FRAMES), 3)
        curve[:, :-1] = mirror_angles(angles).reshape(len(seconds), -1)
    return curve


def _idle(seconds: np.ndarray, unrest: float, rng: np.random.Generator) -> np.ndarray:
    """Return slow aimless movement of all angles, shape (T, 79), standard deviation ``unrest``."""
    hz, phase = rng.uniform(0.1, 0.9, (3, _N)), rng.uniform(0, 1, (3, _N))
    curve = np.sin(2 * np.pi * (hz * seconds[:, None, None] + phase)).sum(axis=1)
    curve[:, _columns(_LEGS)] *= 0.4
    curve[:, -1] = 0
    return unrest * np.sqrt(2 / 3) * curve


def _columns(frames: list[int]) -> list[int]:
    """Return where the three angles of each frame stand in a pose."""
    return [3 * frame + axis for frame in frames for axis in range(3)]
