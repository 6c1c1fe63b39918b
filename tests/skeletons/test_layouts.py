"""Layouts against what was published of them: sizes, distances, symmetry, orders of joints."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from analysis_lib.errors import UserError
from analysis_lib.skeletons.layouts import LAYOUTS, MSR_TO_KINECT, layout

every_layout = pytest.mark.parametrize("skeleton", LAYOUTS.values(), ids=lambda s: s.name)

#: the order of joints in MSR-Action3D files, with the names of ``kinect-20``
MSR_ORDER = (
    "left shoulder, right shoulder, shoulder centre, spine, left hip, right hip, hip centre, left elbow, "
    "right elbow, left wrist, right wrist, left hand, right hand, left knee, right knee, left ankle, "
    "right ankle, left foot, right foot, head"
)


@pytest.mark.parametrize(
    ("name", "joints", "bones", "centre", "diameter"),
    [
        ("ntu-25", 25, 24, "upper spine", 12),
        ("kinect-20", 20, 19, "shoulder centre", 10),
        ("openpose-18", 18, 17, "neck", 8),
        ("infant-29", 29, 28, "thorax", 9),
        ("coco-17", 17, 16, "nose", 8),
        ("mediapipe-33", 33, 39, "nose", 9),
        ("openpose-25", 25, 24, "neck", 10),
        ("halpe-26", 26, 27, "neck", 9),
        ("h36m-17", 17, 16, "root", 8),
        ("smpl-24", 24, 23, "pelvis", 12),
        ("smpl-22", 22, 21, "pelvis", 11),
        ("hand-21", 21, 21, "wrist", 9),
        ("wholebody-133", 133, 139, "nose", 19),
    ],
)
def test_published_sizes(name, joints, bones, centre, diameter):
    skeleton = layout(name)
    assert (skeleton.n_joints, len(skeleton.edges)) == (joints, bones)
    assert skeleton.joints[skeleton.centre] == centre
    assert skeleton.hop_distance.max() == diameter


#: edges, independent cycles and diameter of the other published edge lists
VARIANTS = {
    ("coco-17", "coco-skeleton"): (19, 3, 6),
    ("mediapipe-33", "mediapipe-tree"): (32, 0, 12),
    ("halpe-26", "halpe-tree"): (25, 0, 10),
    ("hand-21", "hand-star"): (20, 0, 8),
}


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_other_edge_lists_have_their_published_sizes(name, variant):
    other = layout(name).with_edges(variant)
    edges = len(other.edges)
    assert (edges, edges - other.n_joints + 1, other.hop_distance.max()) == VARIANTS[name, variant]


@every_layout
def test_bones_join_all_joints_and_are_written_toward_the_centre(skeleton):
    for form in (skeleton, *map(skeleton.with_edges, skeleton.variants)):
        to_centre = form.hop_distance[form.centre]
        assert np.isfinite(to_centre).all()
        assert all(to_centre[child] >= to_centre[parent] for child, parent in form.edges)
        assert len({frozenset(edge) for edge in form.edges}) == len(form.edges)
        for v, parent in enumerate(form.parents):
            assert to_centre[v] == to_centre[parent] + (v != form.centre)


@every_layout
def test_a_mirror_keeps_bones_and_swaps_names_and_parts(skeleton):
    mirror = np.arange(skeleton.n_joints)
    for left, right in skeleton.pairs:
        mirror[[left, right]] = right, left
    for edges in (skeleton.edges, *skeleton.variants.values()):
        assert {frozenset(mirror[list(e)]) for e in edges} == {frozenset(e) for e in edges}
    for a, b in ((skeleton.joints[a], skeleton.joints[b]) for a, b in skeleton.pairs):
        assert (a, b) == (b.replace("right", "left"), a.replace("left", "right")) or a.startswith("face")
    paired = {v for pair in skeleton.pairs for v in pair}
    assert not [n for v, n in enumerate(skeleton.joints) if v not in paired and ("left" in n or "right" in n)]
    for name, part in skeleton.parts.items():
        other = name.replace("left", "right") if "left" in name else name.replace("right", "left")
        assert set(mirror[list(part)]) == set(skeleton.parts[other])


@every_layout
def test_limbs_hang_together(skeleton):
    for part in skeleton.parts.values():
        inside = [[part.index(v) for v in e] for e in skeleton.edges if set(e) <= set(part)]
        graph = coo_array((np.ones(len(inside)), np.reshape(inside, (-1, 2)).T.astype(int)), (len(part),) * 2)
        assert connected_components(graph, directed=False)[0] == 1


#: the traps: joints of one layout at the places of another, as converters list them
SAME_JOINTS = [
    ("mediapipe-33", "coco-17", "0 2 5 7 8 11 12 13 14 15 16 23 24 25 26 27 28"),
    ("openpose-25", "coco-17", "0 16 15 18 17 5 2 6 3 7 4 12 9 13 10 14 11"),
    ("openpose-25", "openpose-18", "0 1 2 3 4 5 6 7 9 10 11 12 13 14 15 16 17 18"),
    ("wholebody-133", "coco-17", "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"),
    ("smpl-24", "smpl-22", " ".join(map(str, range(22)))),
]


@pytest.mark.parametrize(("larger", "smaller", "places"), SAME_JOINTS)
def test_published_maps_between_layouts_keep_names(larger, smaller, places):
    assert tuple(layout(larger).joints[int(v)] for v in places.split()) == layout(smaller).joints


def test_smpl_has_the_chains_of_humanml3d():
    chains = ([0, 2, 5, 8, 11], [0, 1, 4, 7, 10], [0, 3, 6, 9, 12, 15], [9, 14, 17, 19, 21], [9, 13, 16, 18, 20])
    bones = {frozenset(pair) for chain in chains for pair in pairwise(chain)}
    assert bones == {frozenset(edge) for edge in layout("smpl-22").edges}


def test_the_hand_of_ntu_in_both_published_edge_lists():
    ntu = layout("ntu-25")
    hop = {name: ntu.with_edges(name).hop_distance for name in ntu.variants}
    tip, thumb, hand, foot = map(ntu.joint, ("left hand tip", "left thumb", "left hand", "right foot"))
    assert ntu.edges == ntu.variants["ntu-stgcn"]
    assert [hop[n][tip, thumb] for n in ("ntu-stgcn", "ntu-tips-on-hand")] == [1, 2]
    assert [hop[n].max() for n in ("ntu-stgcn", "ntu-tips-on-hand")] == [12, 11]
    # the paper gives 10 for the whole skeleton: that is the way from a hand to a foot
    assert [hop[n][hand, foot] for n in ("ntu-stgcn", "ntu-tips-on-hand")] == [10, 10]
    assert [hop[n][ntu.centre].max() for n in ("ntu-stgcn", "ntu-tips-on-hand")] == [6, 6]


def test_msr_joints_are_brought_to_the_order_of_kinect():
    names = MSR_ORDER.split(", ")
    assert tuple(names[i] for i in MSR_TO_KINECT) == layout("kinect-20").joints
    assert sorted(MSR_TO_KINECT) == list(range(20))


def test_unknown_layout():
    with pytest.raises(UserError) as error:
        layout("ntu25")
    choices = (
        "coco-17, h36m-17, halpe-26, hand-21, infant-29, kinect-20, mediapipe-33, ntu-25, openpose-18, openpose-25, "
        "smpl-22, smpl-24, wholebody-133"
    )
    assert str(error.value) == f"unknown layout 'ntu25'; did you mean 'ntu-25'? choices: {choices}"
