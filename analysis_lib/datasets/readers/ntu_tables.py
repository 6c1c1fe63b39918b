"""NTU RGB+D 60 and 120 as published: names and super-classes of the actions, training rules."""

import numpy as np

_NAMES = """
drink water; eat meal or snack; brush teeth; brush hair; drop; pick up; throw; sit down;
stand up; clapping; reading; writing; tear up paper; put on jacket; take off jacket;
put on a shoe; take off a shoe; put on glasses; take off glasses; put on a hat or cap;
take off a hat or cap; cheer up; hand waving; kicking something; reach into pocket; hopping;
jump up; phone call; play with phone or tablet; type on a keyboard; point to something;
taking a selfie; check time (from watch); rub two hands; nod head or bow; shake head;
wipe face; salute; put palms together; cross hands in front; sneeze or cough; staggering;
falling down; headache; chest pain; back pain; neck pain; nausea or vomiting; fan self;
punch or slap; kicking other person; pushing other person; pat on back;
point finger at other person; hugging; giving object; touch pocket; shaking hands;
walking towards each other; walking apart;
put on headphone; take off headphone; shoot at basket; bounce ball; tennis bat swing;
juggle table tennis ball; hush; flick hair; thumb up; thumb down; make OK sign;
make victory sign; staple book; counting money; cutting nails; cutting paper; snap fingers;
open bottle; sniff or smell; squat down; toss a coin; fold paper; ball up paper;
play magic cube; apply cream on face; apply cream on hand; put on bag; take off bag;
put object into bag; take object out of bag; open a box; move heavy objects; shake fist;
throw up cap or hat; hands up; cross arms; arm circles; arm swings; running on the spot;
butt kicks; cross toe touch; side kick; yawn; stretch oneself; blow nose;
hit with object; wield knife; knock over other person; grab stuff; shoot with gun;
step on foot; high-five; cheers and drink; carry object together; take a photo;
follow other person; whisper; exchange things; support somebody; rock-paper-scissors
"""
#: names of actions A1..A120, in order
ACTIONS = tuple(" ".join(name.split()) for name in _NAMES.split(";"))

#: 1-based actions that are not of the upper body (Das, Shekkizhar & Ortega, Tables 1 and 2)
LOWER_BODY = frozenset({24, 26, 27, 51, 59, 60, 100, 101, 102, 111})
FULL_BODY = frozenset({8, 9, 42, 43, 80, 92, 99, 104, 108, 114, 116})

#: super-class of actions A1..A120
GROUPS = tuple(
    "lower body" if a in LOWER_BODY else "full body" if a in FULL_BODY else "upper body"
    for a in range(1, len(ACTIONS) + 1)
)

#: performers of the cross-subject training sets (Shahroudy et al. 2016; Liu et al. 2020)
TRAIN_SUBJECTS_60 = (1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38)
TRAIN_SUBJECTS_120 = (
    *TRAIN_SUBJECTS_60,
    45,
    46,
    47,
    49,
    50,
    52,
    53,
    54,
    55,
    56,
    57,
    58,
    59,
    70,
    74,
    78,
    80,
    81,
    82,
    83,
    84,
    85,
    86,
    89,
    91,
    92,
    93,
    94,
    95,
    97,
    98,
    100,
    103,
)

#: cameras of the cross-view training set of NTU-60, and setups of the cross-setup set of NTU-120
TRAIN_CAMERAS = (2, 3)
TRAIN_SETUPS = tuple(range(2, 33, 2))

#: first and last action of each benchmark; the third is the transfer task of the geometry paper
BENCHMARKS = {"ntu-60": (1, 60), "ntu-120": (1, 120), "ntu-61-120": (61, 120)}


def splits(code: np.ndarray, benchmark: str) -> dict[str, np.ndarray]:
    """Return clip indices by split, ``_train`` and ``_test`` of every protocol of a benchmark.

    Parameters
    ----------
    code : int ndarray, shape (n, 5)
        Setup, camera, performer, replication and action of each clip, 1-based.
    benchmark : str
        A key of `BENCHMARKS`.

    References
    ----------
    Shahroudy et al. (2016), section 4; Liu et al. (2020), section 4. The transfer split is that of
    Das, Shekkizhar & Ortega (2023): actions 61 to 120 by the performers of NTU-120.

    Examples
    --------
    >>> splits(np.array([[1, 1, 1, 1, 5], [1, 2, 3, 1, 5]]), "ntu-60")["xview_train"]
    array([1])
    """
    setup, camera, subject, _, action = code.T
    every = np.ones(len(code), bool)
    if benchmark == "ntu-60":
        rules = {"xsub": (np.isin(subject, TRAIN_SUBJECTS_60), every), "xview": (np.isin(camera, TRAIN_CAMERAS), every)}
    else:
        by_subject = np.isin(subject, TRAIN_SUBJECTS_120)
        rules = {"xsub": (by_subject, every), "xset": (np.isin(setup, TRAIN_SETUPS), every)}
        if benchmark == "ntu-120":
            rules["transfer"] = (by_subject, action > 60)
    return {
        f"{name}_{half}": np.flatnonzero(among & (train if half == "train" else ~train))
        for name, (train, among) in rules.items()
        for half in ("train", "test")
    }
