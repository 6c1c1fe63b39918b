"""Generated infants, filmed from above: half of them fidget with known joints. No person was filmed.

Every bone turns slowly about its resting direction, as general movements do. Fidgety movements are small and
quicker turns of the bones in `FIDGETY`; how large they are varies among infants so much that the two classes
overlap. What explains the class is known by design. This is no medical device, and says nothing of any child.
"""

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.special import ndtr

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recordings import SECONDS, infant_windows
from analysis_lib.datasets.synthetic.performers import stream
from analysis_lib.errors import UserError
from analysis_lib.skeletons.layouts import layout

CLASS_NAMES = ("without fidgety movements", "with fidgety movements")
#: joints whose bones fidget: hands, with what hangs on them
FIDGETY = (
    *("right wrist", "right little finger", "right index finger"),
    *("left wrist", "left little finger", "left index finger"),
)
#: standard deviation (degrees) of a fidgeting bone by class, the middle infant, and its spread (log) among infants
AMPLITUDE, SPREAD = (2.0, 6.5), 0.6
#: seconds over which a turn lasts: general movements, fidgety ones
SLOW, QUICK = 0.6, 0.1
#: standard deviation of slow turns, degrees; of the tracker, pixels; pixels a unit of the table
UNREST, JITTER, PIXELS = 12.0, 0.3, 4.0
#: where the left side of a resting infant lies, from the thorax (x to its left, y to its head)
_REST = {
    **{"head top": (0, 31), "nose": (0, 20), "left ear": (10, 22), "upper neck": (0, 10), "thorax": (0, 0)},
    **{"pelvis": (0, -26), "left shoulder": (14, 3), "left elbow": (24, -8), "left wrist": (31, -22)},
    **{"left little finger": (41, -30), "left index finger": (30, -34), "left hip": (9, -29), "left knee": (16, -45)},
    **{"left ankle": (15, -62), "left heel": (7, -68), "left little toe": (26, -68), "left big toe": (17, -73)},
}


def infants(seed: int = 0, n_infants: int = 80, seconds: float = 30.0) -> SkeletonDataset:
    """Return windows of generated infants: layout ``infant-29``, 5 s at 30 Hz, every 2.5 s, in trunks.

    The windows of an infant share its subject, and ``views`` says which of its windows each is.

    Parameters
    ----------
    seed : int
    n_infants : int
        At least 8; every other one fidgets.
    seconds : float
        Length of a recording.

    Returns
    -------
    SkeletonDataset
        Splits ``train`` and ``test`` share no infant; two of every eight are test infants.

    Examples
    --------
    >>> data = infants(n_infants=8, seconds=10.0)
    >>> len(data), data.sequences[0].shape, sorted({int(s) for s in data.subjects[data.splits["test"]]})
    (24, (1, 150, 29, 2), [6, 7])
    """
    if n_infants < 8 or seconds < SECONDS:
        raise UserError(f"at least 8 infants of {SECONDS:g} s are needed, got {n_infants} of {seconds:g} s")
    body = layout("infant-29")
    cut, rows = [], []
    for infant in range(n_infants):
        x, rate = recording(seed, infant, seconds)
        for i, window in enumerate(infant_windows(x, rate, body.joint("thorax"), body.joint("pelvis"))):
            cut.append(window[None])
            rows.append((infant, i, infant % 2))
    who, view, labels = np.array(rows).T
    return SkeletonDataset(
        name="infants",
        skeleton=body,
        sequences=tuple(cut),
        labels=labels,
        class_names=CLASS_NAMES,
        clips=tuple(f"infant {w}, window {v}" for w, v, _ in rows),
        subjects=who,
        views=view,
        splits={"train": np.flatnonzero(who % 8 < 6), "test": np.flatnonzero(who % 8 >= 6)},
        unit="trunks",
    )


def recording(seed: int, infant: int, seconds: float) -> tuple[np.ndarray, float]:
    """Return what a tracker reports of an infant, pixels, (T, 29, 2), NaN in gaps; and the camera's rate, Hz."""
    body, rng = layout("infant-29"), stream(seed, "infant", infant)
    rate = float(rng.choice([25.0, 30.0, 50.0]))
    n_frames = round(seconds * rate)
    bones, parents = _bones(), np.array(body.parents)
    turns = UNREST * np.exp(rng.normal(0, 0.3)) * _smooth(rng, n_frames, len(parents), SLOW * rate)
    own = fidgeting(seed, infant)
    index = [body.joint(name) for name in FIDGETY]
    turns[:, index] += own * _smooth(rng, n_frames, len(index), QUICK * rate)
    x = _posed(bones * rng.normal(1, 0.05, (len(bones), 1)), parents, np.deg2rad(turns))
    lying = np.deg2rad(rng.normal(0, 10))
    x = x @ np.array([[np.cos(lying), -np.sin(lying)], [np.sin(lying), np.cos(lying)]])
    x = PIXELS * rng.uniform(0.8, 1.25) * x + rng.normal(400, 40, 2) + rng.normal(0, JITTER, x.shape)
    for _ in range(rng.poisson(seconds / 5)):
        start = int(rng.integers(n_frames))
        x[start : start + int(rng.integers(2, 12)), rng.integers(len(parents))] = np.nan
    return x, rate


def fidgeting(seed: int, infant: int) -> float:
    """Return how far the bones in `FIDGETY` turn, standard deviation in degrees; the class is its middle, no more."""
    return float(AMPLITUDE[infant % 2] * np.exp(SPREAD * stream(seed, "fidgeting", infant).standard_normal()))


def fidgety_joints(data: SkeletonDataset) -> np.ndarray:
    """Return which joints fidget by design, bool of shape (n, V): none where the infant is of the other class.

    Raises
    ------
    UserError
        If the clips were not made here.

    Examples
    --------
    >>> fidgety_joints(infants(n_infants=8, seconds=5.0)).sum(axis=1).tolist()
    [0, 6, 0, 6, 0, 6, 0, 6]
    """
    if data.name != "infants":
        raise UserError(f"which joints of '{data.name}' fidget is not known; it is of the generated infants alone")
    return (data.labels == 1)[:, None] & np.isin(data.skeleton.joints, FIDGETY)


def best_area() -> float:
    r"""Return the area under the ROC curve of somebody who sees the amplitudes themselves.

    .. math:: \Phi\Big(\frac{\log (a_1 / a_0)}{\sqrt 2\, \sigma}\Big)

    Examples
    --------
    >>> round(best_area(), 2)
    0.92
    """
    return float(ndtr(np.log(AMPLITUDE[1] / AMPLITUDE[0]) / (np.sqrt(2) * SPREAD)))


def _bones() -> np.ndarray:
    """Return each joint's place from its parent's in rest, (29, 2)."""
    body = layout("infant-29")
    mirrored = {name.replace("left", "right"): (-x, y) for name, (x, y) in _REST.items() if "left" in name}
    places = np.array([(_REST | mirrored)[name] for name in body.joints], float)
    return places - places[list(body.parents)]


def _smooth(rng: np.random.Generator, n_frames: int, n: int, width: float) -> np.ndarray:
    """Return noise of unit variance that lasts for about ``width`` frames, (T, n)."""
    noise = gaussian_filter1d(rng.standard_normal((n_frames, n)), width, axis=0, mode="wrap")
    return noise / noise.std(axis=0)


def _posed(bones: np.ndarray, parents: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Return joints (T, V, 2) whose bones are turned by angles (T, V), and with them all that hangs on them."""
    x, whole = np.zeros((*angles.shape, 2)), angles.copy()
    depth = layout("infant-29").hop_distance[layout("infant-29").centre]
    for v in np.argsort(depth, kind="stable")[1:]:
        whole[:, v] += whole[:, parents[v]]
        cos, sin = np.cos(whole[:, v]), np.sin(whole[:, v])
        turned = np.stack([cos * bones[v, 0] - sin * bones[v, 1], sin * bones[v, 0] + cos * bones[v, 1]], axis=1)
        x[:, v] = x[:, parents[v]] + turned
    return x
