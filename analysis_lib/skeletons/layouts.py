"""Published joint layouts, each with its source: the tables that `Skeleton` objects are made of."""

from analysis_lib.errors import unknown_choice
from analysis_lib.skeletons.skeleton import Edge, Skeleton


def layout(name: str) -> Skeleton:
    """Return a published skeleton layout by name.

    Raises
    ------
    UserError
        If there is no such layout; the message lists them and the closest match.

    Examples
    --------
    >>> layout("ntu-25").n_joints
    25
    """
    if name not in LAYOUTS:
        raise unknown_choice("layout", name, LAYOUTS)
    return LAYOUTS[name]


def _names(text: str) -> tuple[str, ...]:
    """Return joints from ``"hip, knee"``."""
    return tuple(text.split(", "))


def _one_based(text: str) -> tuple[Edge, ...]:
    """Return 0-based edges from ``"1-2 3-2"``, the 1-based form in which they are published."""
    return tuple((int(a) - 1, int(b) - 1) for a, b in (edge.split("-") for edge in text.split()))


def _zero_based(text: str) -> tuple[Edge, ...]:
    """Return edges (or left-right pairs) from ``"0-1 2-1"``."""
    return tuple((int(a), int(b)) for a, b in (edge.split("-") for edge in text.split()))


_NTU_TRUNK = "1-2 2-21 3-21 4-3 5-21 6-5 7-6 8-7 9-21 10-9 11-10 12-11 13-1 14-13 15-14 16-15 17-1 18-17 19-18 20-19"

NTU_25 = Skeleton(
    name="ntu-25",
    joints=_names(
        "hip centre, mid spine, neck, head, left shoulder, left elbow, left wrist, left hand, right shoulder, "
        "right elbow, right wrist, right hand, left hip, left knee, left ankle, left foot, right hip, "
        "right knee, right ankle, right foot, upper spine, left hand tip, left thumb, right hand tip, "
        "right thumb"
    ),
    edges=_one_based(f"{_NTU_TRUNK} 22-23 23-8 24-25 25-12"),
    centre=20,
    parts={
        "left arm": (4, 5, 6, 7, 21, 22),
        "right arm": (8, 9, 10, 11, 23, 24),
        "left leg": (12, 13, 14, 15),
        "right leg": (16, 17, 18, 19),
        "torso": (0, 1, 2, 3, 20),
    },
    pairs=_zero_based("4-8 5-9 6-10 7-11 12-16 13-17 14-18 15-19 21-23 22-24"),
    source="joints: Kinect v2 SDK; edges: ST-GCN (Yan, Xiong & Lin 2018), graph 'ntu-rgb+d'",
    variants={
        # ST-GCN, 2s-AGCN, Shift-GCN, CTR-GCN: the tip of a hand hangs on its thumb
        "ntu-stgcn": _one_based(f"{_NTU_TRUNK} 22-23 23-8 24-25 25-12"),
        # PYSKL (Duan et al. 2022), and the eigenbasis published with the geometry paper
        "ntu-tips-on-hand": _one_based(f"{_NTU_TRUNK} 22-8 23-8 24-12 25-12"),
    },
)

KINECT_20 = Skeleton(
    name="kinect-20",
    joints=_names(
        "hip centre, spine, shoulder centre, head, left shoulder, left elbow, left wrist, left hand, "
        "right shoulder, right elbow, right wrist, right hand, left hip, left knee, left ankle, left foot, "
        "right hip, right knee, right ankle, right foot"
    ),
    edges=_one_based("1-2 2-3 4-3 5-3 6-5 7-6 8-7 9-3 10-9 11-10 12-11 13-1 14-13 15-14 16-15 17-1 18-17 19-18 20-19"),
    centre=2,
    parts={
        "left arm": (4, 5, 6, 7),
        "right arm": (8, 9, 10, 11),
        "left leg": (12, 13, 14, 15),
        "right leg": (16, 17, 18, 19),
        "torso": (0, 1, 2, 3),
    },
    pairs=_zero_based("4-8 5-9 6-10 7-11 12-16 13-17 14-18 15-19"),
    source="joints: Kinect v1 SDK; edges: CTR-GCN (Chen et al. 2021), graph 'ucla'",
)

OPENPOSE_18 = Skeleton(
    name="openpose-18",
    joints=_names(
        "nose, neck, right shoulder, right elbow, right wrist, left shoulder, left elbow, left wrist, "
        "right hip, right knee, right ankle, left hip, left knee, left ankle, right eye, left eye, right ear, "
        "left ear"
    ),
    edges=_zero_based("4-3 3-2 7-6 6-5 13-12 12-11 10-9 9-8 11-5 8-2 5-1 2-1 0-1 15-0 14-0 17-15 16-14"),
    centre=1,
    parts={
        "left arm": (5, 6, 7),
        "right arm": (2, 3, 4),
        "left leg": (11, 12, 13),
        "right leg": (8, 9, 10),
        "torso": (0, 1, 14, 15, 16, 17),
    },
    pairs=_zero_based("5-2 6-3 7-4 11-8 12-9 13-10 15-14 17-16"),
    source="joints: OpenPose COCO model (Cao et al. 2017); edges: ST-GCN, graph 'openpose'",
)

INFANT_29 = Skeleton(
    name="infant-29",
    joints=_names(
        "head top, nose, right ear, left ear, upper neck, right shoulder, right elbow, right wrist, thorax, "
        "left shoulder, left elbow, left wrist, pelvis, right hip, right knee, right ankle, left hip, "
        "left knee, left ankle, right little finger, right index finger, left little finger, "
        "left index finger, right heel, right little toe, right big toe, left heel, left little toe, "
        "left big toe"
    ),
    edges=_zero_based(
        "0-1 2-1 3-1 1-4 9-8 10-9 11-10 5-8 6-5 7-6 4-8 12-8 16-12 17-16 18-17 13-12 14-13 15-14 "
        "19-7 20-7 21-11 22-11 23-15 24-15 25-15 26-18 27-18 28-18"
    ),
    centre=8,
    parts={
        "left arm": (9, 10, 11, 21, 22),
        "right arm": (5, 6, 7, 19, 20),
        "left leg": (16, 17, 18, 26, 27, 28),
        "right leg": (13, 14, 15, 23, 24, 25),
        "torso": (0, 1, 2, 3, 4, 8, 12),
    },
    pairs=_zero_based("9-5 10-6 11-7 16-13 17-14 18-15 21-19 22-20 26-23 27-24 28-25 3-2"),
    source="ShapGCN (Tempel et al. 2024), layout 'in-motion-2022'",
)

LAYOUTS = {s.name: s for s in (NTU_25, KINECT_20, OPENPOSE_18, INFANT_29)}

#: MSR-Action3D files list their joints in an order of their own; ``x[:, MSR_TO_KINECT]`` is in the
#: order of ``kinect-20``. Handedness was settled by which hand moves in the one-handed actions.
MSR_TO_KINECT = (6, 3, 2, 19, 0, 7, 9, 11, 1, 8, 10, 12, 4, 13, 15, 17, 5, 14, 16, 18)
