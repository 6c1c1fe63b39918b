"""Layouts against what was published of them: sizes, distances, symmetry, orders of joints."""

import numpy as np
import pytest

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
    ],
)
def test_published_sizes(name, joints, bones, centre, diameter):
    skeleton = layout(name)
    assert (skeleton.n_joints, len(skeleton.edges)) == (joints, bones)
    assert skeleton.joints[skeleton.centre] == centre
    assert skeleton.hop_distance.max() == diameter


@every_layout
def test_bones_form_one_tree_that_is_written_toward_the_centre(skeleton):
    to_centre = skeleton.hop_distance[skeleton.centre]
    assert np.isfinite(to_centre).all()
    assert all(to_centre[child] == to_centre[parent] + 1 for child, parent in skeleton.edges)
    assert skeleton.parents[skeleton.centre] == skeleton.centre


@every_layout
def test_a_mirror_keeps_bones_and_swaps_names_and_parts(skeleton):
    mirror = np.arange(skeleton.n_joints)
    for left, right in skeleton.pairs:
        mirror[[left, right]] = right, left
    for edges in (skeleton.edges, *skeleton.variants.values()):
        assert {(mirror[a], mirror[b]) for a, b in edges} == set(edges)
    for v, name in enumerate(skeleton.joints):
        swapped = name.replace("left", "?").replace("right", "left").replace("?", "right")
        assert skeleton.joints[mirror[v]] == swapped
    assert set(mirror[list(skeleton.parts["left arm"])]) == set(skeleton.parts["right arm"])
    assert set(mirror[list(skeleton.parts["left leg"])]) == set(skeleton.parts["right leg"])
    assert set(mirror[list(skeleton.parts["torso"])]) == set(skeleton.parts["torso"])


@every_layout
def test_limbs_hang_together(skeleton):
    for part in skeleton.parts.values():
        inside = [e for e in skeleton.edges if set(e) <= set(part)]
        assert len(inside) == len(part) - 1


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
    assert str(error.value) == (
        "unknown layout 'ntu25'; did you mean 'ntu-25'? choices: infant-29, kinect-20, ntu-25, openpose-18"
    )
