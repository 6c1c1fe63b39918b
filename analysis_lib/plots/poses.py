"""Rest poses: where the joints of a published layout are drawn when there are no data.

Coordinates are in body heights, y up, and the body's left is on the left of the picture, as in the
Kinect's own pictures. Only the left side and the middle are written down; the right mirrors it.
Distances are chosen for drawing: hands and heads are larger than life, so that no joints touch.
"""

import numpy as np
from sklearn.manifold import smacof

from analysis_lib.skeletons.skeleton import Skeleton

_SMPL = (
    "pelvis 0 50, spine1 0 58, spine2 0 65, spine3 0 72, neck 0 83, head 0 95, left hip -8 46, left knee -11 25, "
    "left ankle -13 6, left foot -20 0, left collar -7 78, left shoulder -15 77, left elbow -23 63, left wrist -30 48, "
    "left hand -35 39"
)

#: joint, x and y in hundredths of the height
_TRUNK_AND_LEFT = {
    "coco-17": (
        "nose 0 90, left eye -5 97, left ear -11 92, left shoulder -14 77, left elbow -23 62, left wrist -30 46, "
        "left hip -9 47, left knee -11 25, left ankle -13 3"
    ),
    "mediapipe-33": (
        "nose 0 90, left eye inner -4 96, left eye -9 100, left eye outer -15 97, left ear -18 90, mouth left -4 82, "
        "left shoulder -15 75, left elbow -24 61, left wrist -31 48, left pinky -41 41, left index -35 35, "
        "left thumb -26 39, left hip -9 47, left knee -11 25, left ankle -13 8, left heel -8 1, left foot index -20 0"
    ),
    "openpose-25": (
        "nose 0 91, neck 0 79, mid hip 0 50, left eye -5 97, left ear -11 93, left shoulder -14 77, left elbow -23 62, "
        "left wrist -30 46, left hip -9 47, left knee -11 25, left ankle -13 8, left heel -8 1, left big toe -17 0, "
        "left small toe -24 2"
    ),
    "halpe-26": (
        "nose 0 90, neck 0 79, head top 0 104, mid hip 0 50, left eye -5 97, left ear -11 92, left shoulder -14 76, "
        "left elbow -23 62, left wrist -30 46, left hip -9 47, left knee -11 25, left ankle -13 8, left heel -8 1, "
        "left big toe -15 -1, left small toe -22 2"
    ),
    "h36m-17": (
        "root 0 49, spine 0 62, thorax 0 77, neck base 0 86, head 0 97, left hip -9 46, left knee -11 25, "
        "left foot -13 3, left shoulder -14 75, left elbow -23 62, left wrist -30 46"
    ),
    "smpl-24": _SMPL,
    "smpl-22": _SMPL,
    "hand-21": (
        "wrist 0 0, thumb cmc -14 12, thumb mcp -26 24, thumb ip -34 36, thumb tip -40 47, index finger mcp -14 46, "
        "index finger pip -17 63, index finger dip -18 75, index finger tip -19 86, middle finger mcp -2 49, "
        "middle finger pip -2 68, middle finger dip -2 82, middle finger tip -2 94, ring finger mcp 9 46, "
        "ring finger pip 11 63, ring finger dip 12 76, ring finger tip 13 87, pinky mcp 19 40, pinky pip 23 53, "
        "pinky dip 26 63, pinky tip 28 72"
    ),
    "ntu-25": (
        "hip centre 0 50, mid spine 0 64, upper spine 0 78, neck 0 86, head 0 97, left shoulder -14 76, "
        "left elbow -23 62, left wrist -30 48, left hand -34 40, left hand tip -41 31, left thumb -25 35, "
        "left hip -8 46, left knee -11 25, left ankle -13 6, left foot -20 0"
    ),
    "kinect-20": (
        "hip centre 0 50, spine 0 62, shoulder centre 0 80, head 0 95, left shoulder -14 76, left elbow -23 62, "
        "left wrist -30 48, left hand -35 39, left hip -8 46, left knee -11 25, left ankle -13 6, "
        "left foot -20 0"
    ),
    "openpose-18": (
        "nose 0 91, neck 0 79, left eye -5 97, left ear -11 93, left shoulder -14 77, left elbow -23 62, "
        "left wrist -30 46, left hip -9 47, left knee -11 25, left ankle -13 3"
    ),
    "infant-29": (
        "head top 0 102, nose 0 91, left ear -10 93, upper neck 0 81, thorax 0 71, pelvis 0 45, "
        "left shoulder -14 74, left elbow -24 63, left wrist -31 49, left little finger -41 41, "
        "left index finger -30 37, left hip -9 42, left knee -16 26, left ankle -15 9, left heel -7 3, "
        "left little toe -26 3, left big toe -17 -2"
    ),
}


def rest_pose(skeleton: Skeleton) -> np.ndarray:
    """Return a place for each joint in a drawing, shape (V, 2), y up, about 1 high.

    A published layout has a pose drawn by hand. Any other skeleton is spread so that distances in
    the plane come near distances in hops (stress majorisation from classical scaling: the same
    picture every time), with its longer axis upright and its centre's side on top.

    Examples
    --------
    >>> from analysis_lib.skeletons.layouts import layout
    >>> rest_pose(layout("ntu-25"))[[7, 11]].tolist()  # the hands
    [[-0.34, 0.4], [0.34, 0.4]]
    """
    entries = (entry.rsplit(" ", 2) for entry in _TRUNK_AND_LEFT.get(skeleton.name, "").split(", ") if entry)
    table = {name: (int(x) / 100, int(y) / 100) for name, x, y in entries}
    places = {name.replace("left", "right"): (-x, y) for name, (x, y) in table.items()} | table
    if set(skeleton.joints) <= set(places):
        return np.array([places[name] for name in skeleton.joints])
    return _spread(skeleton)


def _spread(skeleton: Skeleton) -> np.ndarray:
    """Return a planar layout of any graph from its hop distances; parts apart stay apart."""
    hops = skeleton.hop_distance
    hops = np.where(np.isfinite(hops), hops, hops[np.isfinite(hops)].max() + 2)
    n = len(hops)
    if n < 3:
        return np.column_stack([np.zeros(n), np.linspace(1, 0, n)])
    centring = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(-centring @ hops**2 @ centring / 2)
    start = vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 1e-6))
    places, _ = smacof(hops, n_components=2, init=start, n_init=1, max_iter=500, eps=1e-9)
    places = places - places.mean(axis=0)
    axes = np.linalg.svd(places, full_matrices=False)[2]
    places = places @ axes.T[:, ::-1]
    places *= np.where(places[skeleton.centre] < -1e-9, -1, 1)
    places -= places.min(axis=0)
    return places / places.max()
