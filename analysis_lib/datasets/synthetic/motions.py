"""Motions written as short tables of key poses and waves, and how one person performs them.

A pose is a line of text such as ``"right shoulder flex 40 side 10, both knee flex 20"``: degrees
away from the rest pose, joint by joint (`analysis_lib.datasets.synthetic.kinematics`), and ``body lift 20``
for 20 cm above the floor. The right hand leads; whoever is left-handed is mirrored afterwards.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType

import numpy as np
from scipy.interpolate import PchipInterpolator

from analysis_lib.datasets.synthetic.kinematics import AXES, FRAMES
from analysis_lib.errors import UserError, unknown_choice

#: Every number of a pose: three angles a frame, and the lift in cm.
DEGREES_OF_FREEDOM = (*(f"{frame} {axis}" for frame in FRAMES for axis in AXES), "body lift")
_WORDS = (*AXES, "lift")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_NAME = re.compile(r"@([\w-]+)")
#: gravity allows no variation in how the whole body stands or lies
_FREE = np.array([not name.startswith("body") for name in DEGREES_OF_FREEDOM])


@cache
def pose(text: str) -> np.ndarray:
    """Return the pose that ``text`` describes, shape (79,): zero is the rest pose.

    Raises
    ------
    UserError
        If a joint is unknown (the choices are listed), or a clause is not ``joint axis number``.

    Examples
    --------
    >>> bow = pose("hip centre flex 30, both knee flex 5")
    >>> {name: float(v) for name, v in zip(DEGREES_OF_FREEDOM, bow) if v}
    {'hip centre flex': 30.0, 'left knee flex': 5.0, 'right knee flex': 5.0}
    """
    values = np.zeros(len(DEGREES_OF_FREEDOM))
    for clause in filter(str.strip, text.split(",")):
        words = clause.split()
        first = next((i for i, word in enumerate(words) if word in _WORDS), 0)
        pairs = list(zip(words[first::2], words[first + 1 :: 2], strict=False))
        readable = all(axis in _WORDS and _NUMBER.fullmatch(value) for axis, value in pairs)
        if not first or 2 * len(pairs) != len(words) - first or not readable:
            raise UserError(
                f"cannot read '{clause.strip()}' in a pose; "
                "expected a joint, then an axis and a number, as in 'right elbow flex 90'"
            )
        joint = " ".join(words[:first])
        for side in ("left", "right") if words[0] == "both" else ("",):
            for axis, value in pairs:
                name = f"{joint.replace('both', side, 1) if side else joint} {axis}"
                if name not in DEGREES_OF_FREEDOM:
                    raise unknown_choice("degree of freedom", name, DEGREES_OF_FREEDOM)
                values[DEGREES_OF_FREEDOM.index(name)] += float(value)
    values.flags.writeable = False
    return values


@dataclass(frozen=True)
class Wave:
    r"""An oscillation about the key poses: ``amplitude`` times :math:`\sin 2\pi(\nu t + \varphi)`.

    Attributes
    ----------
    amplitude : str
        A pose; a negative number moves in antiphase.
    hz : float
        Frequency at normal tempo.
    phase : float
        In cycles.
    half : bool
        Keep the positive half of the sine only (a knee that bends, a foot that leaves the floor).
    """

    amplitude: str
    hz: float
    phase: float = 0.0
    half: bool = False


@dataclass(frozen=True)
class Motion:
    """One way to do one action. Several motions of the same name are ways to do the same action.

    Attributes
    ----------
    name, group : str
        Action, and super-class such as ``"upper body"``.
    keys : tuple of (time, pose)
        Key poses at fractions of one repetition. At 0 and 1 the body rests unless a key says
        otherwise. Curves between keys are monotone: no key is overshot.
    waves : tuple of Wave
        All on one clock, swelling at the start of the motion and dying down at its end.
    seconds : float
        Usual length of one repetition.
    repeats : int
        Largest number of repetitions.
    seated : float
        Probability that it is done on a chair.
    """

    name: str
    group: str
    keys: tuple[tuple[float, str], ...] = ()
    waves: tuple[Wave, ...] = ()
    seconds: float = 2.0
    repeats: int = 1
    seated: float = 0.0


def read_poses(table: str) -> Mapping[str, str]:
    """Return poses by name, from lines ``name: pose``; ``@name`` stands for an earlier one.

    >>> read_poses("nod: neck flex 20\\nbow: @nod, hip centre flex 30")
    {'nod': 'neck flex 20', 'bow': 'neck flex 20, hip centre flex 30'}
    """
    poses: dict[str, str] = {}
    for line in _lines(table):
        name, _, text = line.partition(": ")
        poses[name] = _spelled(text, poses)
    return poses


def read_motions(table: str, poses: Mapping[str, str] = MappingProxyType({})) -> tuple[Motion, ...]:
    """Return the motions of a table, in its order.

    A line in brackets begins a super-class; a line without indent a motion, by its name, and
    ``seconds``, ``repeats``, ``seated`` if they are not the usual ones. Indented below stand its
    keys, ``time ...: pose``, and its waves, ``~ hz [phase] [half]: amplitude``. ``rest`` is the
    rest pose, ``@name`` one of ``poses``. A line that ends with a comma goes on in the next.

    Raises
    ------
    UserError
        If a line cannot be read.

    Examples
    --------
    >>> lines = ["[upper body]", "nod; seconds 1.5", "  0.2 0.4: neck flex 20", "  ~ 2 half: neck twist 3"]
    >>> read_motions("\\n".join(lines))[0].keys
    ((0.2, 'neck flex 20'), (0.4, 'neck flex 20'))
    """
    motions: list[Motion] = []
    group = ""
    for line in _lines(table):
        head, _, text = line.partition(":")
        text = _spelled(text, poses)
        try:
            if line.startswith("["):
                group = line.strip("[]")
            elif not line.startswith(" "):
                name, *options = line.split("; ")
                pairs = (option.split() for option in options)
                motions.append(Motion(name, group, **{key: _OPTIONS[key](value) for key, value in pairs}))
            elif head.split()[0] == "~":
                numbers = [float(word) for word in head.split()[1:] if word != "half"]
                wave = Wave(text, *numbers, half="half" in head.split())
                motions[-1] = replace(motions[-1], waves=(*motions[-1].waves, wave))
            else:
                keys = tuple((float(time), text) for time in head.split())
                motions[-1] = replace(motions[-1], keys=motions[-1].keys + keys)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise UserError(f"cannot read '{line.strip()}' in a table of motions: {error!r}") from error
    return tuple(motions)


_OPTIONS = {"seconds": float, "repeats": int, "seated": float}


def _lines(table: str) -> list[str]:
    """Return the lines that say something, each with what it goes on in."""
    return [line for line in re.sub(r",\s*\n\s*", ", ", table).splitlines() if line.strip()]


def _spelled(text: str, poses: Mapping[str, str]) -> str:
    """Return a pose with the names in it spelled out."""
    if unknown := [name for name in _NAME.findall(text) if name not in poses]:
        raise unknown_choice("pose", unknown[0], poses)
    return _NAME.sub(lambda match: poses[match[1]], text.strip()).removeprefix("rest")


@dataclass(frozen=True)
class Variation:
    """How far one take strays from the table.

    Attributes
    ----------
    pose : float
        Standard deviation of the key poses' angles, degrees; at most half the angle itself.
    scale : float
        Of the logarithm of each degree of freedom's amplitude.
    timing : float
        Of the logarithm of the time from key to key.
    rate : float
        Of the logarithm of the waves' frequency.
    """

    pose: float = 0.0
    scale: float = 0.0
    timing: float = 0.0
    rate: float = 0.0


EXACT = Variation()
#: Share of a motion in which its waves swell, and die down.
SWELL = 0.15


def perform(
    motion: Motion,
    done: np.ndarray,
    seconds: np.ndarray,
    rng: np.random.Generator,
    variation: Variation = EXACT,
    repeats: int = 1,
) -> np.ndarray:
    """Return one take of a motion, shape (T, 79): the way from the rest pose at each frame.

    Parameters
    ----------
    motion : Motion
    done : ndarray, shape (T,)
        How much of it is done: 0 before the motion, 1 after it.
    seconds : ndarray, shape (T,)
        The waves' clock.
    rng : numpy.random.Generator
    variation : Variation
    repeats : int

    Examples
    --------
    >>> nod = Motion("nod", "upper body", keys=((0.5, "neck flex 20"),))
    >>> time = np.array([0.0, 0.5, 1.0])
    >>> take = perform(nod, time, time, np.random.default_rng(0))
    >>> take[:, DEGREES_OF_FREEDOM.index("neck flex")].tolist()
    [0.0, 20.0, 0.0]
    """
    times, poses = _keys(motion)  # (K,), (K, 79)
    spread = np.minimum(variation.pose, np.abs(poses) / 2) * _FREE
    poses = poses + spread * rng.standard_normal(poses.shape)
    gaps = np.diff(times) * np.exp(variation.timing * rng.standard_normal(len(times) - 1))
    times = np.append(0, np.cumsum(gaps) / gaps.sum())
    within = np.where(done < 1, (done * repeats) % 1, 1.0)
    curve = PchipInterpolator(times, poses, axis=0)(within)
    rate = np.exp(variation.rate * rng.standard_normal())
    start = rng.uniform() if variation.rate else 0.0
    swell = _smooth_step(done / SWELL) * _smooth_step((1 - done) / SWELL)
    for wave in motion.waves:
        sine = np.sin(2 * np.pi * (wave.hz * rate * seconds + wave.phase + start))
        sine = np.maximum(sine, 0) if wave.half else sine
        curve += (sine * swell)[:, None] * pose(wave.amplitude)
    return curve * np.exp(variation.scale * rng.standard_normal(curve.shape[1]) * _FREE)


def _keys(motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    """Return the key times (K,) and poses (K, 79), with rest at 0 and 1 where no key stands."""
    keys = {0.0: "", 1.0: ""} | dict(motion.keys)
    times = np.array(sorted(keys))
    return times, np.stack([pose(keys[t]) for t in sorted(keys)])


def _smooth_step(x: np.ndarray) -> np.ndarray:
    """Return 0 below 0, 1 above 1, and a cubic without corners between."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def by_name(motions: Iterable[Motion]) -> Mapping[str, tuple[Motion, ...]]:
    """Return the ways to do each action, actions in order of first appearance.

    Raises
    ------
    UserError
        If one action is in two super-classes.
    """
    ways: dict[str, tuple[Motion, ...]] = {}
    for motion in motions:
        ways[motion.name] = (*ways.get(motion.name, ()), motion)
        if motion.group != ways[motion.name][0].group:
            raise UserError(
                f"action '{motion.name}' is in two super-classes, "
                f"'{ways[motion.name][0].group}' and '{motion.group}'; give all its ways one group"
            )
    return ways
