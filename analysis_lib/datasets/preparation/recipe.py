"""From sequences of any length to the tensor a network takes: (N, C, T, V, M) and valid lengths.

A `Preprocessing` is data: the names of the steps in order, the number of frames, and how a clip is
brought to it. It is stored in every checkpoint's card, so that a model always meets its own data.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Annotated, Literal

import numpy as np

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation import steps
from analysis_lib.datasets.preparation.augmentations import AUGMENTATIONS, TURNS
from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.loading import Name, Within
from analysis_lib.skeletons.skeleton import Skeleton

Step = Callable[[np.ndarray, "Preprocessing"], np.ndarray]

#: steps that choose bodies and frames, by name: (M, T, V, C), recipe, channels that are places -> (M', T', V, C)
CHOICES: Mapping[str, Callable[[np.ndarray, "Preprocessing", int | None], np.ndarray]] = {
    "first-bodies": lambda x, p, _: steps.first_bodies(x, p.bodies),
    "largest-bodies": lambda x, p, n: steps.largest_bodies(x, p.bodies, n),
    "fill-null-frames": lambda x, p, _: steps.fill_null_frames(x, p.frames),
}
#: steps that move places, and are given no scores: (M, T, V, 2 or 3), recipe -> the same shape
MOVES: Mapping[str, Step] = {
    "centre-clip": lambda x, p: steps.centre_clip(x, p.centre),
    "centre-frames": lambda x, p: steps.centre_frames(x, p.centre),
    "spine-to-z": lambda x, p: steps.align_axis(x, 0, 1, 2),
    "shoulders-to-x": lambda x, p: steps.align_axis(x, 4, 8, 0),
    "min-max": lambda x, p: steps.min_max(x),
    "body-size": lambda x, p: steps.unit_size(x),
}
STEPS = {**CHOICES, **MOVES}
#: steps that make another stream of a clip, by name: places (M, T, V, 2 or 3), skeleton -> the same shape
STREAMS: Mapping[str, Callable[[np.ndarray, Skeleton], np.ndarray]] = {
    "bones": lambda x, skeleton: steps.bones(x, skeleton.parents),
    "motion": lambda x, skeleton: steps.motion(x),
}


@dataclass(frozen=True)
class Preprocessing:
    """How clips become tensors.

    Attributes
    ----------
    frames : int
        T of the tensor.
    fit : {"resample", "pad"}
        ``"resample"`` stretches or thins every clip to ``frames`` frames, so that all valid
        lengths are equal; ``"pad"`` keeps the frames and fills up with zeros (longer clips are
        thinned evenly). For training the frames are drawn at random, in order: a local time warp.
    steps : tuple of str
        Names of sequence steps (keys of `STEPS` and `STREAMS`), applied in order.
    bodies : int
        M of the tensor.
    centre : int, optional
        Joint that the centring steps subtract; by default the skeleton's own centre.
    augment : tuple of str
        Random changes (keys of `AUGMENTATIONS`) applied to training clips before the steps.
    """

    frames: Annotated[int, Within(1, 10_000)] = 64
    fit: Literal["resample", "pad"] = "resample"
    steps: Annotated[tuple[Name, ...], Within(0, 20)] = ("first-bodies", "centre-clip")
    bodies: Annotated[int, Within(1, 10)] = 1
    centre: Annotated[int, Within(0, 1000)] | None = None
    augment: Annotated[tuple[Name, ...], Within(0, 20)] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self.steps))
        object.__setattr__(self, "augment", tuple(self.augment))
        if self.fit not in ("resample", "pad"):
            raise unknown_choice("length rule", self.fit, ("resample", "pad"))
        for kind, names, table in (
            ("preprocessing step", self.steps, {**STEPS, **STREAMS}),
            ("augmentation", self.augment, AUGMENTATIONS),
        ):
            if unknown := [name for name in names if name not in table]:
                raise unknown_choice(kind, unknown[0], table)
        if self.frames < 1 or self.bodies < 1:
            raise UserError(f"frames and bodies must be at least 1, got {self.frames}, {self.bodies}")

    @property
    def stream(self) -> str:
        """What clips are made into: joint, bone, joint motion or bone motion.

        >>> Preprocessing(steps=("first-bodies", "bones", "motion")).stream
        'bone motion'
        """
        return ("bone" if "bones" in self.steps else "joint") + (" motion" if "motion" in self.steps else "")

    def to_dict(self) -> dict:
        """Return plain containers that JSON can hold."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


def clip_tensor(
    x: np.ndarray,
    skeleton: Skeleton,
    recipe: Preprocessing,
    rng: np.random.Generator | None = None,
    n_coordinates: int | None = None,
) -> tuple[np.ndarray, int]:
    """Return one clip as (C, T, V, M) and its number of valid frames.

    Parameters
    ----------
    x : ndarray, shape (M, T_i, V, C)
    rng : Generator, optional
        Given for training: the recipe's augmentations are applied first.
    n_coordinates : int, optional
        How many of the C channels are places; the others are scores, which nothing moves. All by default.
    """
    if recipe.centre is None:
        recipe = replace(recipe, centre=skeleton.centre)
    if rng is not None:
        for name in recipe.augment:
            change = partial(AUGMENTATIONS[name], skeleton=skeleton, rng=rng)
            x = _places(change, x, n_coordinates) if name in TURNS else change(x)
    for name in recipe.steps:
        if name in CHOICES:
            x = CHOICES[name](x, recipe, n_coordinates)
        else:
            change = partial(STREAMS[name], skeleton=skeleton) if name in STREAMS else partial(MOVES[name], p=recipe)
            x = _places(change, x, n_coordinates)
    n_frames = x.shape[1]
    if recipe.fit == "resample" or n_frames > recipe.frames:
        x = x[:, _frame_indices(n_frames, recipe.frames, rng)]
    out = np.zeros((x.shape[3], recipe.frames, x.shape[2], recipe.bodies), np.float32)
    out[:, : x.shape[1], :, : x.shape[0]] = x.transpose(3, 1, 2, 0)
    return out, x.shape[1]


def _places(change: Callable[[np.ndarray], np.ndarray], x: np.ndarray, n_coordinates: int | None) -> np.ndarray:
    """Return the clip with its places changed and its scores as they are."""
    return np.concatenate([change(x[..., :n_coordinates]), x[..., n_coordinates or x.shape[-1] :]], axis=-1)


def _frame_indices(n_frames: int, n_wanted: int, rng: np.random.Generator | None) -> np.ndarray:
    """Return ``n_wanted`` frame indices in order: evenly spaced, or drawn at random for training."""
    if rng is None:
        return np.linspace(0, n_frames - 1, n_wanted).astype(int)
    return np.sort(rng.integers(n_frames, size=n_wanted))


def clip_tensors(
    data: SkeletonDataset, recipe: Preprocessing, rng: np.random.Generator | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return all clips as a (N, C, T, V, M) float32 tensor, and their valid lengths (N,)."""
    clips = [clip_tensor(x, data.skeleton, recipe, rng, data.n_coordinates) for x in data.sequences]
    return np.stack([x for x, _ in clips]), np.array([length for _, length in clips])


#: published recipes by name
PREPROCESSINGS = {
    # Yan, Xiong & Lin (2018): two bodies in file order, no centring, trailing zeros
    "stgcn": Preprocessing(frames=300, fit="pad", steps=("first-bodies",), bodies=2),
    # Shi et al. (2019), pre-normalisation of 2s-AGCN; also Shift-GCN
    "agcn": Preprocessing(
        frames=300,
        fit="pad",
        bodies=2,
        centre=1,
        steps=("largest-bodies", "fill-null-frames", "centre-frames", "spine-to-z", "shoulders-to-x"),
    ),
    # Chen et al. (2021), NW-UCLA feeder of CTR-GCN
    "nw-ucla": Preprocessing(
        frames=52,
        fit="resample",
        steps=("first-bodies", "centre-clip", "min-max"),
        centre=1,
        augment=("turn", "mirror"),
    ),
    # any other data, in any unit: root of the first frame to the origin, body of size 1, zero padding
    "padded": Preprocessing(
        frames=120, fit="pad", steps=("first-bodies", "centre-clip", "body-size"), augment=("turn-about-y",)
    ),
    # image coordinates, already relative to the frame
    "image": Preprocessing(frames=300, fit="pad", steps=("first-bodies",), bodies=2),
}
