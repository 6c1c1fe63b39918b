"""Forward kinematics of a jointed body: joint angles in, joint positions in metres out.

The body has the 25 joints of layout ``ntu-25``. It stands upright at the origin and faces the
camera: x to its own right, y up, z backwards (which are the axes of the sensor, too: x to the
sensor's left, z away from it). All angles are anatomical and in degrees, zero in the rest pose with
the arms hanging:

- *flex* bends a limb or the trunk forwards (a knee backwards),
- *side* leads a limb away from the body, or leans the trunk to its right,
- *twist* turns a limb inwards about its own length, or the trunk to its right.

So a left-hander's motion is the right-hander's with the sides exchanged (`mirror_angles`).
"""

import numpy as np
from scipy.spatial.transform import Rotation

from analysis_lib.skeletons.layouts import layout

AXES = ("flex", "side", "twist")

#: joint, parent, place in the parent's frame (m: right, up, back) of a person of 1.75 m
_BONES = (
    ("hip centre", "body", 0, 0, 0),
    ("mid spine", "hip centre", 0, 0.24, 0.01),
    ("upper spine", "mid spine", 0, 0.24, 0),
    ("neck", "upper spine", 0, 0.07, 0),
    ("head", "neck", 0, 0.15, -0.03),
    ("right shoulder", "upper spine", 0.17, -0.03, 0),
    ("right elbow", "right shoulder", 0, -0.29, 0),
    ("right wrist", "right elbow", 0, -0.25, 0),
    ("right hand", "right wrist", 0, -0.07, 0),
    ("right hand tip", "right hand", 0, -0.09, 0),
    ("right thumb", "right hand", -0.01, -0.03, -0.06),
    ("right hip", "body", 0.085, -0.06, 0),
    ("right knee", "right hip", 0, -0.42, 0),
    ("right ankle", "right knee", 0, -0.41, 0),
    ("right foot", "right ankle", 0, -0.06, -0.14),
)

#: height (m) of a joint above the floor when that part of the body lies on it
_CLEARANCE = {
    "ankle": 0.08,
    "foot": 0.02,
    "knee": 0.06,
    "elbow": 0.04,
    "wrist": 0.03,
    "hand": 0.02,
    "thumb": 0.02,
    "tip": 0.02,
}
_TRUNK_CLEARANCE = 0.1

#: range of flexion of a healthy adult, degrees
_FLEXION = {
    "shoulder": (-60, 180),
    "elbow": (0, 150),
    "wrist": (-60, 60),
    "hip": (-35, 125),
    "knee": (0, 145),
    "ankle": (-45, 35),
    "neck": (-55, 50),
}


def _both_sides(rows) -> tuple[tuple[str, str, np.ndarray], ...]:
    """Return the table with a left copy of every row of the right side."""
    table = [(joint, parent, np.array(offset)) for joint, parent, *offset in rows]
    table += [
        (joint.replace("right", "left"), parent.replace("right", "left"), offset * (-1, 1, 1))
        for joint, parent, offset in table
        if joint.startswith("right")
    ]
    return tuple(table)


_TREE = _both_sides(_BONES)  # parents before children
#: The frames that angles belong to: the whole body first, then the joints in order of the layout.
FRAMES = ("body", *layout("ntu-25").joints)
_INDEX = {name: i for i, name in enumerate(FRAMES)}
#: Offset of every frame from its parent, shape (26, 3), m.
OFFSETS = np.zeros((len(FRAMES), 3))
for _joint, _, _offset in _TREE:
    OFFSETS[_INDEX[_joint]] = _offset

#: Frames of the other side; its own index for a frame of the trunk.
OPPOSITE = np.arange(len(FRAMES))
for _left, _right in layout("ntu-25").pairs:
    OPPOSITE[[_left + 1, _right + 1]] = _right + 1, _left + 1


def _axis_signs() -> np.ndarray:
    """Return the sign, shape (26, 3), that takes anatomical angles to right-handed ones."""
    signs = np.empty((len(FRAMES), 3))
    for i, name in enumerate(FRAMES):
        if name.startswith("right"):
            signs[i] = 1, 1, 1
        elif name.startswith("left"):
            signs[i] = 1, -1, -1
        else:
            signs[i] = -1, -1, -1
        if "knee" in name:
            signs[i, 0] = -1
    return signs


_SIGNS = _axis_signs()
_CLEARANCES = np.array([_CLEARANCE.get(name.split()[-1], _TRUNK_CLEARANCE) for name in layout("ntu-25").joints])
_LOWEST, _HIGHEST = np.array([_FLEXION.get(name.split()[-1], (-np.inf, np.inf)) for name in FRAMES]).T
_ANKLES = [layout("ntu-25").joint(f"{side} ankle") for side in ("left", "right")]


def forward_kinematics(angles: np.ndarray, offsets: np.ndarray = OFFSETS) -> np.ndarray:
    r"""Return the joint positions of a body whose hip centre rests at the origin.

    .. math::
        G_j = G_{p(j)}\, \exp(\mathrm{flex}\,\hat x + \mathrm{side}\,\hat z)\,
        \exp(\mathrm{twist}\,\hat y), \qquad x_j = x_{p(j)} + G_{p(j)}\, o_j

    First the twist about the limb's own length and then one swing, so that no order of flex and
    side has to be agreed upon and no pose is singular short of a swing by 180 degrees.

    Parameters
    ----------
    angles : ndarray, shape (T, 26, 3)
        Degrees (flex, side, twist) of each of `FRAMES`.
    offsets : ndarray, shape (26, 3)
        Each frame's place in its parent's frame, m.

    Returns
    -------
    ndarray, shape (T, 25, 3)
        Positions in m; the distance between a joint and its parent never changes.

    Examples
    --------
    Raising the right arm sideways to the horizontal brings the hand 0.61 m to the shoulder's right:

    >>> angles = np.zeros((1, 26, 3))
    >>> angles[0, FRAMES.index("right shoulder"), 1] = 90
    >>> x = forward_kinematics(angles)[0]
    >>> joint = layout("ntu-25").joint
    >>> float((x[joint("right hand")] - x[joint("right shoulder")])[0].round(2))
    0.61
    """
    flex, side, twist = np.moveaxis(np.radians(angles * _SIGNS), 2, 0)  # (T, 26) each
    zero = np.zeros_like(flex)
    swing = Rotation.from_rotvec(np.stack([flex, zero, side], axis=-1).reshape(-1, 3))
    turn = Rotation.from_rotvec(np.stack([zero, twist, zero], axis=-1).reshape(-1, 3))
    local = (swing * turn).as_matrix().reshape(*flex.shape, 3, 3)
    frame, place = {"body": local[:, 0]}, {"body": np.zeros((len(angles), 3))}
    for joint, parent, _ in _TREE:
        place[joint] = place[parent] + frame[parent] @ offsets[_INDEX[joint]]
        frame[joint] = frame[parent] @ local[:, _INDEX[joint]]
    return np.stack([place[joint] for joint in FRAMES[1:]], axis=1)


def within_reach(angles: np.ndarray) -> np.ndarray:
    """Return the angles (T, 26, 3) with no joint flexed further than anatomy lets it.

    Examples
    --------
    >>> angles = np.full((1, 26, 3), -20.0)
    >>> float(within_reach(angles)[0, FRAMES.index("left knee"), 0])
    0.0
    """
    limited = angles.copy()
    limited[:, :, 0] = np.clip(angles[:, :, 0], _LOWEST, _HIGHEST)
    return limited


def mirror_angles(angles: np.ndarray) -> np.ndarray:
    """Return the angles (T, 26, 3) of the mirror image: sides exchanged, the trunk reflected.

    Applied twice it gives back the angles.
    """
    mirrored = angles[:, OPPOSITE].copy()
    trunk = np.arange(len(FRAMES)) == OPPOSITE
    mirrored[:, trunk, 1:] *= -1
    return mirrored


def on_floor(x: np.ndarray, lift: np.ndarray | float = 0.0) -> np.ndarray:
    """Return positions (T, 25, 3) moved so that the body stands, sits or lies on the floor y = 0.

    Its lowest part touches the floor (``lift`` metres above it while it jumps, shape (T,)), and
    the foot that carries the body stays in place: stepping therefore moves the body forwards, and
    sitting down moves the hips back.

    Examples
    --------
    >>> float(on_floor(forward_kinematics(np.zeros((1, 26, 3))))[0, 0, 1].round(2))
    0.97
    """
    height = np.max(_CLEARANCES - x[:, :, 1], axis=1) + lift
    ankles = x[:, _ANKLES]  # (T, 2, 3), seen from the hips
    weight = np.exp(-(ankles[:, :, 1] - ankles[:, :, 1].min(axis=1, keepdims=True)) / 0.02)
    weight = weight / weight.sum(axis=1, keepdims=True)
    step = ((weight[1:] + weight[:-1]) / 2)[:, :, None] * np.diff(ankles, axis=0)
    shift = np.zeros((len(x), 3))
    shift[1:] = -np.cumsum(step.sum(axis=1), axis=0)
    shift[:, 1] = height
    return x + shift[:, None]
