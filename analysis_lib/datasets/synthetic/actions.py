"""The actions of the synthetic dataset: a table, to which an action is added in a few lines.

Names and super-classes are those of NTU RGB+D 120 (Liu et al. 2020); `SEEN` are from its classes
1-60, `UNSEEN` from 61-120. The motions are our own. Two pairs are close on purpose: reading and
writing differ by a stroke of the hand, drop and pick up by the order of events.
"""

from analysis_lib.datasets.synthetic.motions import Motion, Wave

UPPER, LOWER, FULL = "upper body", "lower body", "full body"


def hold(pose: str, start: float = 0.22, end: float = 0.78) -> tuple[tuple[float, str], ...]:
    """Return the keys that go into a pose, stay there, and come back."""
    return ((start, pose), (end, pose))


_BOOK = "both shoulder flex 12 side 4 twist 22, both elbow flex 75 twist -50, neck flex 22"
_BOOK_AT_TURN = (
    "right shoulder flex 16 side 4 twist 36, right elbow flex 72 twist -20, "
    "left shoulder flex 12 side 4 twist 22, left elbow flex 75 twist -50, neck flex 22"
)
_PAD = "left shoulder flex 12 side 4 twist 22, left elbow flex 75 twist -50, neck flex 22, "
_LINE_START = _PAD + "right shoulder flex 15 side 5 twist 38, right elbow flex 72 twist 20"
_LINE_END = _PAD + "right shoulder flex 13 side 5 twist 24, right elbow flex 72 twist 20"
_STROKE = "right wrist side 15 flex 6, right shoulder twist 4, right elbow flex 2"
_MOUTH = "right shoulder flex 68 side 8 twist 36, right elbow flex 118"
_BRUSH = "right shoulder flex 58 side 24 twist 40, right elbow flex 116, neck flex 8"
_EAR = "right shoulder flex 76 side 32 twist 8, right elbow flex 130, neck side 8"
_CROWN = "right shoulder flex 114 side 36 twist 6, right elbow flex 112, neck flex 6"
_CHAIR = "both hip flex 84 side 4, both knee flex 84, hip centre flex 4, both shoulder flex 20, both elbow flex 38"
_ON_THE_WAY = (
    "both hip flex 55, both knee flex 62, both ankle flex 12, hip centre flex 38, "
    "both shoulder flex 28, both elbow flex 20"
)
_STOOP = (
    "hip centre flex 66, upper spine flex 12, both hip flex 22, both knee flex 32, both ankle flex 9, neck flex -8, "
)
_CROUCH = "hip centre flex 46, upper spine flex 10, both hip flex 74, both knee flex 100, both ankle flex 24, "
_SQUAT = "both hip flex 92 side 10, both knee flex 118, both ankle flex 30, hip centre flex 34, both shoulder flex 74"
_REACH_DOWN = "right shoulder flex 72 side 4, right elbow flex 6"
_CARRY = "right shoulder flex 14 side 4 twist 16, right elbow flex 72"
_CARRY_LOW = "right shoulder flex 6 twist 8, right elbow flex 30"
_BEND = "hip centre flex 40, upper spine flex 8, both hip flex 12, both knee flex 20, both ankle flex 6, neck flex 4, "
_REACH_OUT = "right shoulder flex 60 side 4, right elbow flex 8"
_STRIDE = (
    Wave(
        "right hip flex 26, left hip flex -26, right shoulder flex -20, left shoulder flex 20, upper spine twist 5",
        0.95,
    ),
    Wave("right knee flex 48", 0.95, 0.20, half=True),
    Wave("left knee flex 48", 0.95, 0.70, half=True),
)

SEEN = (
    Motion("drink water", UPPER, hold(_MOUTH + ", neck flex -14", 0.36, 0.68), seated=0.3),
    Motion(
        "drink water",
        UPPER,
        (
            (0.18, _CARRY),
            (0.4, _MOUTH + ", neck flex -4"),
            (0.55, _MOUTH + ", neck flex -24"),
            (0.7, _MOUTH + ", neck flex -14"),
            (0.85, _CARRY),
        ),
        seated=0.3,
        seconds=2.5,
    ),
    Motion(
        "brushing teeth",
        UPPER,
        hold(_BRUSH),
        (Wave("right shoulder twist 7 side 5, right wrist flex 8, right elbow flex 4", 2.7),),
        seconds=2.6,
    ),
    Motion(
        "brushing teeth",
        UPPER,
        hold(_BRUSH),
        (Wave("right shoulder flex 6, right wrist side 10, right elbow flex -5", 2.4),),
        seconds=2.6,
    ),
    Motion(
        "brushing hair",
        UPPER,
        hold(_CROWN),
        (Wave("right shoulder side 13 flex -8, right elbow flex 13, right wrist flex 12", 1.0),),
        seconds=2.6,
    ),
    Motion(
        "drop",
        UPPER,
        (
            (0.18, _CARRY),
            (0.42, _CARRY + ", neck flex 8"),
            (0.54, "right shoulder flex 24 side 6, right elbow flex 14, neck flex 18"),
        ),
    ),
    Motion(
        "drop",
        UPPER,
        ((0.12, _CARRY), (0.28, _CARRY), (0.53, _STOOP + _REACH_DOWN), (0.6, _STOOP + _REACH_DOWN), (0.88, "")),
    ),
    Motion(
        "drop",
        UPPER,
        ((0.08, _CARRY_LOW), (0.2, _CARRY_LOW), (0.45, _STOOP + _REACH_DOWN), (0.52, _STOOP + _REACH_DOWN), (0.8, "")),
    ),
    Motion(
        "drop",
        UPPER,
        ((0.1, _CARRY_LOW), (0.24, _CARRY_LOW), (0.5, _BEND + _REACH_OUT), (0.58, _BEND + _REACH_OUT), (0.86, "")),
    ),
    Motion(
        "pick up",
        UPPER,
        ((0.12, ""), (0.4, _STOOP + _REACH_DOWN), (0.47, _STOOP + _REACH_DOWN), (0.72, _CARRY), (0.86, _CARRY)),
    ),
    Motion(
        "pick up",
        UPPER,
        ((0.2, ""), (0.48, _STOOP + _REACH_DOWN), (0.55, _STOOP + _REACH_DOWN), (0.8, _CARRY_LOW), (0.92, _CARRY_LOW)),
    ),
    Motion(
        "pick up",
        UPPER,
        ((0.14, ""), (0.42, _BEND + _REACH_OUT), (0.5, _BEND + _REACH_OUT), (0.76, _CARRY_LOW), (0.9, _CARRY_LOW)),
    ),
    Motion(
        "pick up",
        UPPER,
        ((0.12, ""), (0.42, _CROUCH + _REACH_DOWN), (0.5, _CROUCH + _REACH_DOWN), (0.74, _CARRY), (0.86, _CARRY)),
        seconds=2.2,
    ),
    Motion(
        "throw",
        UPPER,
        (
            (
                0.38,
                "right shoulder flex 30 side 80 twist -75, right elbow flex 95,"
                "upper spine twist 24, hip centre flex -6",
            ),
            (
                0.54,
                "right shoulder flex 92 side 14, right elbow flex 14, upper spine twist -20,"
                "hip centre flex 12, right hip flex -8",
            ),
            (0.68, "right shoulder flex 36 twist 24, right elbow flex 18, upper spine twist -14"),
        ),
        seconds=1.6,
        repeats=2,
    ),
    Motion(
        "throw",
        UPPER,
        (
            (0.36, "right shoulder flex -42, upper spine twist 10, both knee flex 14,both hip flex 10"),
            (0.56, "right shoulder flex 88, right elbow flex 20, upper spine twist -10,hip centre flex 8"),
        ),
        seconds=1.5,
        repeats=2,
    ),
    Motion(
        "clapping",
        UPPER,
        hold("both shoulder flex 28 side 8 twist 26, both elbow flex 76"),
        (Wave("both shoulder twist -13 side 6", 2.3),),
        seated=0.2,
    ),
    Motion(
        "clapping",
        UPPER,
        hold("both shoulder flex 44 side 4 twist 24, both elbow flex 92"),
        (Wave("both shoulder twist -14 side 4, both wrist flex 6", 2.7),),
        seated=0.2,
    ),
    Motion(
        "reading",
        UPPER,
        hold(_BOOK),
        (Wave("neck twist 5", 0.5), Wave("both elbow flex 2", 0.6)),
        seconds=2.8,
        seated=0.4,
    ),
    Motion(
        "reading",
        UPPER,
        ((0.18, _BOOK), (0.5, _BOOK), (0.58, _BOOK_AT_TURN), (0.66, _BOOK), (0.84, _BOOK)),
        (Wave("neck twist 5", 0.5),),
        seconds=2.8,
        seated=0.4,
    ),
    Motion("writing", UPPER, ((0.18, _LINE_START), (0.82, _LINE_END)), (Wave(_STROKE, 2.9),), seconds=2.8, seated=0.4),
    Motion(
        "writing",
        UPPER,
        ((0.18, _LINE_START), (0.5, _LINE_END), (0.58, _LINE_START), (0.84, _LINE_END)),
        (Wave(_STROKE, 3.2),),
        seconds=2.8,
        seated=0.4,
    ),
    Motion(
        "cheer up",
        UPPER,
        hold("both shoulder flex 100 side 45 twist -20, both elbow flex 46, neck flex -8"),
        (
            Wave("both shoulder flex 16, both elbow flex -20", 1.5),
            Wave("both knee flex 14, both hip flex 8, both ankle flex 7", 1.5, 0.5, half=True),
        ),
    ),
    Motion(
        "hand waving",
        UPPER,
        hold("right shoulder flex 24 side 66 twist -76, right elbow flex 74"),
        (Wave("right shoulder twist 27, right wrist side 10", 1.9),),
        seated=0.1,
    ),
    Motion(
        "hand waving",
        UPPER,
        hold("right shoulder flex 124 side 46, right elbow flex 14"),
        (Wave("right shoulder side 21, right elbow flex 6, right wrist side 12", 1.6),),
        seated=0.1,
    ),
    Motion("phone call", UPPER, hold(_EAR, 0.3, 0.85), seconds=2.6, seated=0.3),
    Motion(
        "phone call",
        UPPER,
        ((0.16, _CARRY + ", neck flex 18"), (0.36, _CARRY + ", neck flex 18"), (0.56, _EAR), (0.9, _EAR)),
        seconds=2.8,
        seated=0.3,
    ),
    Motion(
        "kicking something",
        LOWER,
        (
            (0.34, "right hip flex -20, right knee flex 55, hip centre flex 6, left shoulder flex 14"),
            (
                0.54,
                "right hip flex 58, right knee flex 6, hip centre flex -8, left shoulder flex 26,"
                "right shoulder flex -20, left knee flex 8, left ankle flex 8",
            ),
            (0.72, "right hip flex 16, right knee flex 24"),
        ),
        seconds=1.5,
        repeats=2,
    ),
    Motion(
        "kicking something",
        LOWER,
        (
            (0.32, "right hip flex 30 side 8 twist -20, right knee flex 70"),
            (0.52, "right hip flex 48 side -6 twist -20, right knee flex 18, hip centre flex -4"),
            (0.7, "right hip flex 10, right knee flex 18"),
        ),
        seconds=1.4,
        repeats=2,
    ),
    Motion(
        "hopping",
        LOWER,
        hold("left hip flex 30, left knee flex 80, both shoulder side 16, both elbow flex 34", 0.14, 0.86),
        (
            Wave("body lift 13", 1.9, half=True),
            Wave("right knee flex 30, right hip flex 16, right ankle flex 15", 1.9, 0.5, half=True),
        ),
        seconds=2.4,
    ),
    Motion(
        "jump up",
        LOWER,
        (
            (
                0.36,
                "both hip flex 56, both knee flex 78, both ankle flex 26, hip centre flex 22,both shoulder flex -34",
            ),
            (0.5, "body lift 8, both ankle flex -30, both shoulder flex 110, both elbow flex 16"),
            (0.58, "body lift 30, both ankle flex -30, both shoulder flex 130, both elbow flex 20"),
            (0.66, "body lift 6, both ankle flex -18, both shoulder flex 80"),
            (0.78, "both hip flex 38, both knee flex 54, both ankle flex 20, hip centre flex 14"),
        ),
        seconds=1.5,
        repeats=2,
    ),
    Motion("walking towards", LOWER, hold("hip centre flex 3, both elbow flex 10", 0.1, 0.9), _STRIDE, seconds=2.8),
    Motion("sitting down", FULL, ((0.5, _ON_THE_WAY), (0.86, _CHAIR), (1.0, _CHAIR))),
    Motion(
        "sitting down",
        FULL,
        (
            (0.25, "upper spine twist 18, neck twist 26"),
            (0.55, _ON_THE_WAY + ", upper spine twist 8"),
            (0.86, _CHAIR),
            (1.0, _CHAIR),
        ),
        seconds=2.3,
    ),
    Motion("standing up", FULL, ((0.0, _CHAIR), (0.14, _CHAIR), (0.5, _ON_THE_WAY)), seconds=1.9),
    Motion(
        "staggering",
        FULL,
        (
            (0.3, "hip centre flex 16 side 14, both shoulder side 18"),
            (0.5, "hip centre flex 10 side -16, both shoulder side 26"),
            (0.72, "hip centre flex 18 side 10, both shoulder side 14"),
        ),
        (
            Wave("right hip flex 18 side 8, left hip flex -18 side 8, body side 6, hip centre twist 8", 0.8),
            Wave("right knee flex 46", 0.8, 0.2, half=True),
            Wave("left knee flex 46", 0.8, 0.7, half=True),
        ),
        seconds=2.6,
    ),
    Motion(
        "falling",
        FULL,
        (
            (0.25, "body flex 12, hip centre flex 12, both knee flex 16,both shoulder flex 30 side 18"),
            (0.5, "body flex 38, both knee flex 60, both hip flex 34, both shoulder flex 70,both elbow flex 40"),
            (0.75, "body flex 85, both knee flex 14, both shoulder flex 150 side 20, neck flex -20"),
            (1.0, "body flex 90, both knee flex 8, both shoulder flex 164 side 24, neck flex -16"),
        ),
        seconds=1.7,
    ),
    Motion(
        "falling",
        FULL,
        (
            (0.3, "body side 16, hip centre side 10, right shoulder side 40, left shoulder side 60"),
            (0.6, "body side 56, both hip flex 30, both knee flex 50, right shoulder side 50"),
            (0.8, "body side 84, both hip flex 34, both knee flex 40, right shoulder flex 60"),
            (1.0, "body side 88, both hip flex 36, both knee flex 42, right shoulder flex 64"),
        ),
        seconds=1.7,
    ),
)

UNSEEN = (
    Motion(
        "tennis bat swing",
        UPPER,
        (
            (0.38, "right shoulder flex -20 side 64, right elbow flex 30, upper spine twist 36"),
            (0.58, "right shoulder flex 78 side 20 twist 20, right elbow flex 22,upper spine twist -22"),
            (0.7, "right shoulder flex 92 side -14 twist 34, right elbow flex 60,upper spine twist -32"),
        ),
        seconds=1.7,
        repeats=2,
    ),
    Motion("hush (quiet)", UPPER, hold(_MOUTH + ", neck flex 4", 0.32, 0.74), seconds=1.9),
    Motion(
        "thumb up",
        UPPER,
        hold("right shoulder flex 34 side 6, right elbow flex 66 twist -10, right wrist flex -6", 0.32, 0.76),
        (Wave("right elbow flex 3", 1.2),),
        seconds=1.9,
        seated=0.2,
    ),
    Motion(
        "hands up (both hands)",
        UPPER,
        hold("both shoulder flex 84 side 76 twist -50, both elbow flex 52", 0.32, 0.78),
        seconds=2.2,
    ),
    Motion(
        "arm circles",
        UPPER,
        hold("both shoulder side 82", 0.16, 0.84),
        (Wave("both shoulder flex 24", 1.1), Wave("both shoulder side 24", 1.1, 0.25)),
        seconds=2.8,
    ),
    Motion(
        "arm swings",
        UPPER,
        (),
        (Wave("both shoulder flex 52", 0.95), Wave("both knee flex 12, both hip flex 6", 1.9, 0.25)),
        seconds=2.8,
    ),
    Motion(
        "butt kicks",
        LOWER,
        hold("both elbow flex 50", 0.14, 0.86),
        (
            Wave("right knee flex 105, right hip flex -8", 1.5, half=True),
            Wave("left knee flex 105, left hip flex -8", 1.5, 0.5, half=True),
            Wave("body lift 3", 3.0, half=True),
        ),
        seconds=2.6,
    ),
    Motion(
        "cross toe touch",
        LOWER,
        (
            (0.2, "both shoulder side 72, both hip side 14"),
            (
                0.38,
                "hip centre flex 82 twist -28, both hip side 14, right shoulder flex 88 side -8,"
                "left shoulder flex -40 side 30",
            ),
            (0.56, "both shoulder side 72, both hip side 14"),
            (
                0.74,
                "hip centre flex 82 twist 28, both hip side 14, left shoulder flex 88 side -8,"
                "right shoulder flex -40 side 30",
            ),
        ),
        seconds=3.0,
    ),
    Motion(
        "side kick",
        LOWER,
        (
            (0.34, "right hip flex 52 side 18, right knee flex 84, both elbow flex 60"),
            (0.54, "right hip side 58 flex 6, right knee flex 6, body side -12, left hip side 12,both elbow flex 60"),
            (0.72, "right hip flex 26 side 10, right knee flex 52, both elbow flex 50"),
        ),
        seconds=1.7,
        repeats=2,
    ),
    Motion("squat down", FULL, ((0.45, _SQUAT), (0.6, _SQUAT)), seconds=2.2),
    Motion(
        "running on the spot",
        FULL,
        hold("both elbow flex 78, hip centre flex 6", 0.12, 0.88),
        (
            Wave("right shoulder flex -34, left shoulder flex 34", 1.45),
            Wave("right hip flex 52, right knee flex 78", 1.45, half=True),
            Wave("left hip flex 52, left knee flex 78", 1.45, 0.5, half=True),
            Wave("body lift 4", 2.9, half=True),
        ),
        seconds=2.6,
    ),
    Motion(
        "stretch oneself",
        FULL,
        (
            (
                0.42,
                "both shoulder flex 150 side 20, both elbow flex 18, hip centre flex -10,"
                "neck flex -22, both ankle flex -14",
            ),
            (
                0.68,
                "both shoulder flex 154 side 34, both elbow flex 10, hip centre flex -14,"
                "neck flex -26, both ankle flex -14",
            ),
        ),
        seconds=2.8,
    ),
)

#: Small things that people do meanwhile; they say nothing about the action.
HABITS = (
    Motion(
        "scratches the neck",
        UPPER,
        hold("left shoulder flex 94 side 36 twist 10, left elbow flex 122", 0.4, 0.6),
        (Wave("left wrist flex 12", 2.5),),
        seconds=1.6,
    ),
    Motion(
        "hand on the hip",
        UPPER,
        hold("left shoulder side 36 flex -12 twist 40, left elbow flex 88", 0.3, 0.75),
        seconds=2.0,
    ),
    Motion("hand in the pocket", UPPER, hold("left shoulder flex -8 side 8, left elbow flex 28"), seconds=2.0),
    Motion("swings the free arm", UPPER, (), (Wave("left shoulder flex 16", 0.9),), seconds=2.0),
    Motion("looks round", UPPER, ((0.3, "neck twist 45"), (0.6, "neck twist -20")), seconds=1.8),
    Motion(
        "shifts the weight",
        LOWER,
        hold("body side 4, hip centre side -6, left knee flex 16, left hip flex 9"),
        seconds=1.8,
    ),
    Motion("steps", LOWER, ((0.5, "left knee flex 40, left hip flex 26"),), seconds=1.0),
    Motion("sways", FULL, (), (Wave("body side 3, hip centre side -5", 0.7),), seconds=2.4),
)
