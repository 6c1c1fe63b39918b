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


def _parents(text: str) -> tuple[Edge, ...]:
    """Return bones from the parent of each joint, ``"- 0 1"``; a dash has none."""
    return tuple((child, int(parent)) for child, parent in enumerate(text.split()) if parent != "-")


def _toward(centre: int, published: tuple[Edge, ...]) -> tuple[Edge, ...]:
    """Return undirected bones child first, those of the shortest ways to the centre before those that close a cycle."""
    depth, tree, reached = {centre: 0}, [], [centre]
    for joint in reached:  # grows meanwhile
        for edge in published:
            child = sum(edge) - joint
            if joint in edge and child not in depth:
                depth[child] = depth[joint] + 1
                tree.append((child, joint))
                reached.append(child)
    closing = (tuple(sorted(edge, key=depth.get, reverse=True)) for edge in published)
    return tuple(dict.fromkeys([*tree, *closing]))


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

_COCO_NAMES = (
    "nose, left eye, right eye, left ear, right ear, left shoulder, right shoulder, left elbow, right elbow, "
    "left wrist, right wrist, left hip, right hip, left knee, right knee, left ankle, right ankle"
)
_COCO_PAIRS = "1-2 3-4 5-6 7-8 9-10 11-12 13-14 15-16"
_COCO_BONES = "15-13 13-11 16-14 14-12 11-12 5-11 6-12 5-6 5-7 6-8 7-9 8-10 1-2 0-1 0-2 1-3 2-4 3-5 4-6"
_COCO_PARTS = {
    "left arm": (5, 7, 9),
    "right arm": (6, 8, 10),
    "left leg": (11, 13, 15),
    "right leg": (12, 14, 16),
    "head": (0, 1, 2, 3, 4),
}
_COCO_EDGES = {
    # PYSKL and MMAction2: a tree from the nose, without the lines between the shoulders and the hips
    "coco-tree": _parents("- 0 0 1 2 0 0 5 6 7 8 5 6 11 12 13 14"),
    # the skeleton that COCO's annotations draw
    "coco-skeleton": _toward(0, _zero_based(_COCO_BONES)),
}

COCO_17 = Skeleton(
    name="coco-17",
    joints=_names(_COCO_NAMES),
    edges=_COCO_EDGES["coco-tree"],
    centre=0,
    parts=_COCO_PARTS,
    pairs=_zero_based(_COCO_PAIRS),
    source="joints: COCO keypoints (Lin et al. 2014); edges: PYSKL (Duan et al. 2022), graph 'coco'",
    variants=_COCO_EDGES,
)

_MEDIAPIPE_EDGES = {
    # POSE_CONNECTIONS leaves face, mouth and body apart: the nose is joined to mouth and shoulders
    "mediapipe-connections": _toward(
        0,
        _zero_based(
            "0-1 1-2 2-3 3-7 0-4 4-5 5-6 6-8 9-10 11-12 11-13 13-15 15-17 15-19 15-21 17-19 12-14 14-16 16-18 16-20 "
            "16-22 18-20 11-23 12-24 23-24 23-25 24-26 25-27 26-28 27-29 28-30 29-31 30-32 27-31 28-32 "
            "0-9 0-10 0-11 0-12"
        ),
    ),
    # of gait networks: a tree from the nose
    "mediapipe-tree": _parents("- 0 1 2 0 4 5 3 6 0 0 0 0 11 12 13 14 15 16 15 16 15 16 11 12 23 24 25 26 27 28 29 30"),
}

MEDIAPIPE_33 = Skeleton(
    name="mediapipe-33",
    joints=_names(
        "nose, left eye inner, left eye, left eye outer, right eye inner, right eye, right eye outer, left ear, "
        "right ear, mouth left, mouth right, left shoulder, right shoulder, left elbow, right elbow, left wrist, "
        "right wrist, left pinky, right pinky, left index, right index, left thumb, right thumb, left hip, right hip, "
        "left knee, right knee, left ankle, right ankle, left heel, right heel, left foot index, right foot index"
    ),
    edges=_MEDIAPIPE_EDGES["mediapipe-connections"],
    centre=0,
    parts={
        "left arm": (11, 13, 15, 17, 19, 21),
        "right arm": (12, 14, 16, 18, 20, 22),
        "left leg": (23, 25, 27, 29, 31),
        "right leg": (24, 26, 28, 30, 32),
        "head": tuple(range(11)),
    },
    # of the eyes three left ones come first, then three right ones; from 7 on left and right alternate
    pairs=_zero_based("1-4 2-5 3-6 7-8 9-10 11-12 13-14 15-16 17-18 19-20 21-22 23-24 25-26 27-28 29-30 31-32"),
    source="joints, edges: MediaPipe Pose, POSE_CONNECTIONS; nose to mouth and shoulders: this book",
    variants=_MEDIAPIPE_EDGES,
)

OPENPOSE_25 = Skeleton(
    name="openpose-25",
    joints=_names(
        "nose, neck, right shoulder, right elbow, right wrist, left shoulder, left elbow, left wrist, mid hip, "
        "right hip, right knee, right ankle, left hip, left knee, left ankle, right eye, left eye, right ear, "
        "left ear, left big toe, left small toe, left heel, right big toe, right small toe, right heel"
    ),
    edges=_parents("1 - 1 2 3 1 5 6 1 8 9 10 8 12 13 0 0 15 16 14 19 14 11 22 11"),
    centre=1,
    parts={
        "left arm": (5, 6, 7),
        "right arm": (2, 3, 4),
        "left leg": (12, 13, 14, 19, 20, 21),
        "right leg": (9, 10, 11, 22, 23, 24),
        "torso": (0, 1, 8, 15, 16, 17, 18),
    },
    # of the body the right side comes first, of the feet the left one
    pairs=_zero_based("5-2 6-3 7-4 12-9 13-10 14-11 16-15 18-17 19-22 20-23 21-24"),
    source="OpenPose, model BODY_25 (Cao et al. 2019): joints, and the pairs that it draws",
)

_HALPE_EDGES = {
    # MMPose: the head hangs on ears and shoulders, each point of a foot on its ankle
    "halpe-mmpose": _toward(
        18,
        _zero_based(
            "15-13 13-11 11-19 16-14 14-12 12-19 17-18 18-19 18-5 5-7 7-9 18-6 6-8 8-10 1-2 0-1 0-2 1-3 2-4 3-5 4-6 "
            "15-20 15-22 15-24 16-21 16-23 16-25"
        ),
    ),
    # the dataset's own drawing, whose face is apart: the nose is joined to the neck
    "halpe-tree": _parents("18 0 0 1 2 18 18 5 6 7 8 19 19 11 12 13 14 18 - 18 24 25 24 25 15 16"),
}

HALPE_26 = Skeleton(
    name="halpe-26",
    joints=_names(
        f"{_COCO_NAMES}, head top, neck, mid hip, left big toe, right big toe, left small toe, right small toe, "
        "left heel, right heel"
    ),
    edges=_HALPE_EDGES["halpe-mmpose"],
    centre=18,
    parts={
        **_COCO_PARTS,
        "left leg": (11, 13, 15, 20, 22, 24),
        "right leg": (12, 14, 16, 21, 23, 25),
        "torso": (17, 18, 19),
    },
    pairs=_zero_based(f"{_COCO_PAIRS} 20-21 22-23 24-25"),
    source="joints: Halpe Full-Body (Fang et al. 2022); edges: MMPose, 'halpe26'",
    variants=_HALPE_EDGES,
)

H36M_17 = Skeleton(
    name="h36m-17",
    joints=_names(
        "root, right hip, right knee, right foot, left hip, left knee, left foot, spine, thorax, neck base, head, "
        "left shoulder, left elbow, left wrist, right shoulder, right elbow, right wrist"
    ),
    edges=_parents("- 0 1 2 0 4 5 0 7 8 9 8 11 12 8 14 15"),
    centre=0,
    parts={
        "left arm": (11, 12, 13),
        "right arm": (14, 15, 16),
        "left leg": (4, 5, 6),
        "right leg": (1, 2, 3),
        "torso": (0, 7, 8, 9, 10),
    },
    # the right leg comes before the left one, the left arm before the right one
    pairs=_zero_based("4-1 5-2 6-3 11-14 12-15 13-16"),
    source="Human3.6M (Ionescu et al. 2014) in the 17 joints of VideoPose3D (Pavllo et al. 2019)",
)


def _smpl(n_joints: int, left_arm: tuple[int, ...], right_arm: tuple[int, ...]) -> Skeleton:
    """Return the first joints of the kinematic tree of SMPL."""
    joints = _names(
        "pelvis, left hip, right hip, spine1, left knee, right knee, spine2, left ankle, right ankle, spine3, "
        "left foot, right foot, neck, left collar, right collar, head, left shoulder, right shoulder, left elbow, "
        "right elbow, left wrist, right wrist, left hand, right hand"
    )
    bones = _parents("- 0 0 0 1 2 3 4 5 6 7 8 9 9 9 12 13 14 16 17 18 19 20 21")
    pairs = _zero_based("1-2 4-5 7-8 10-11 13-14 16-17 18-19 20-21 22-23")
    return Skeleton(
        name=f"smpl-{n_joints}",
        joints=joints[:n_joints],
        edges=bones[: n_joints - 1],
        centre=0,
        parts={
            "left arm": left_arm,
            "right arm": right_arm,
            "left leg": (1, 4, 7, 10),
            "right leg": (2, 5, 8, 11),
            "torso": (0, 3, 6, 9, 12, 15),
        },
        pairs=tuple(pair for pair in pairs if max(pair) < n_joints),
        source="SMPL (Loper et al. 2015): kinematic tree; without hands it is that of HumanML3D too",
    )


SMPL_24 = _smpl(24, (13, 16, 18, 20, 22), (14, 17, 19, 21, 23))
SMPL_22 = _smpl(22, (13, 16, 18, 20), (14, 17, 19, 21))

_STAR = "- 0 1 2 3 0 5 6 7 0 9 10 11 0 13 14 15 0 17 18 19"  # every finger from the wrist
_HAND_EDGES = {
    # MediaPipe: knuckles beside each other are joined, and the outer two to the wrist
    "hand-connections": _toward(
        0,
        _zero_based(
            "0-1 0-5 9-13 13-17 5-9 0-17 1-2 2-3 3-4 5-6 6-7 7-8 9-10 10-11 11-12 13-14 14-15 15-16 17-18 18-19 19-20"
        ),
    ),
    # PYSKL's 'handmp' and MMPose
    "hand-star": _parents(_STAR),
}

HAND_21 = Skeleton(
    name="hand-21",
    joints=_names(
        "wrist, thumb cmc, thumb mcp, thumb ip, thumb tip, index finger mcp, index finger pip, index finger dip, "
        "index finger tip, middle finger mcp, middle finger pip, middle finger dip, middle finger tip, "
        "ring finger mcp, ring finger pip, ring finger dip, ring finger tip, pinky mcp, pinky pip, pinky dip, pinky tip"
    ),
    edges=_HAND_EDGES["hand-connections"],
    centre=0,
    parts={
        "wrist": (0,),
        "thumb": (1, 2, 3, 4),
        "index finger": (5, 6, 7, 8),
        "middle finger": (9, 10, 11, 12),
        "ring finger": (13, 14, 15, 16),
        "pinky": (17, 18, 19, 20),
    },
    source="MediaPipe Hands (Zhang et al. 2020), HAND_CONNECTIONS",
    variants=_HAND_EDGES,
)


def _wholebody() -> Skeleton:
    """Return COCO-WholeBody: body 0-16, feet 17-22, face 23-90, left hand 91-111, right hand 112-132.

    Published edges leave the hands apart, and every point of the face. Here a hand hangs on its
    wrist; jaw, brows, nose, eyes and lips are lines or rings, each joined to the nose by its middle.
    """
    face, left, right = 23, 91, 112
    fingers = ("thumb", "forefinger", "middle finger", "ring finger", "pinky finger")
    hand = ["hand root", *(f"{finger}{i}" for finger in fingers for i in range(1, 5))]
    feet = ["big toe", "small toe", "heel"]
    joints = [
        *_names(_COCO_NAMES),
        *(f"{side} {joint}" for side in ("left", "right") for joint in feet),
        *(f"face {i}" for i in range(68)),
        *(f"{side} {joint}" for side in ("left", "right") for joint in hand),
    ]
    # first and last point of each line, and the one at its middle
    lines = ((0, 16, 8), (17, 21, 19), (22, 26, 24), (27, 30, 30), (31, 35, 33))
    rings = ((36, 41, 38), (42, 47, 43), (48, 59, 51), (60, 67, 62))
    edges = [
        *_zero_based(f"{_COCO_BONES} 15-17 15-18 15-19 16-20 16-21 16-22 9-{left} 10-{right}"),
        *((face + i, face + i + 1) for first, last, _ in lines + rings for i in range(first, last)),
        *((face + last, face + first) for first, last, _ in rings),
        *((face + middle, 0) for _, _, middle in lines + rings),
        *((root + a, root + b) for root in (left, right) for a, b in _parents(_STAR)),
    ]
    # in the order of iBUG's 68 points the person's right comes first
    across = _zero_based(
        "16-0 15-1 14-2 13-3 12-4 11-5 10-6 9-7 26-17 25-18 24-19 23-20 22-21 35-31 34-32 45-36 44-37 43-38 42-39 "
        "47-40 46-41 54-48 53-49 52-50 55-59 56-58 64-60 63-61 65-67"
    )
    return Skeleton(
        name="wholebody-133",
        joints=tuple(joints),
        edges=_toward(0, tuple(edges)),
        centre=0,
        parts={
            **_COCO_PARTS,
            "left leg": (11, 13, 15, 17, 18, 19),
            "right leg": (12, 14, 16, 20, 21, 22),
            "left hand": tuple(range(left, right)),
            "right hand": tuple(range(right, 133)),
            "head": (0, 1, 2, 3, 4, *range(face, left)),
        },
        pairs=(
            *_zero_based(f"{_COCO_PAIRS} 17-20 18-21 19-22"),
            *((face + a, face + b) for a, b in across),
            *((left + i, right + i) for i in range(21)),
        ),
        source="joints: COCO-WholeBody (Jin et al. 2020); edges: MMPose; wrists, lines of the face: this book",
    )


WHOLEBODY_133 = _wholebody()

LAYOUTS = {
    s.name: s
    for s in (
        NTU_25,
        KINECT_20,
        OPENPOSE_18,
        INFANT_29,
        COCO_17,
        MEDIAPIPE_33,
        OPENPOSE_25,
        HALPE_26,
        H36M_17,
        SMPL_24,
        SMPL_22,
        HAND_21,
        WHOLEBODY_133,
    )
}

#: MSR-Action3D files list their joints in an order of their own; ``x[:, MSR_TO_KINECT]`` is in the
#: order of ``kinect-20``. Handedness was settled by which hand moves in the one-handed actions.
MSR_TO_KINECT = (6, 3, 2, 19, 0, 7, 9, 11, 1, 8, 10, 12, 4, 13, 15, 17, 5, 14, 16, 18)
