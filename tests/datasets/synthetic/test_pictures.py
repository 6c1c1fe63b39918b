"""Bodies in a video: a pinhole camera by hand, what is hidden, and what a pose estimator does with it."""

import numpy as np
import pytest

from analysis_lib.datasets.synthetic import pictures
from analysis_lib.datasets.synthetic.make import synthetic
from analysis_lib.skeletons.layouts import NTU_25, OPENPOSE_18


@pytest.fixture(scope="module")
def filmed():
    return synthetic(subjects=3, takes=1)


@pytest.fixture
def sharp(monkeypatch):
    """A pose estimator that finds all that is not hidden, where it is."""
    for name in ("BLUR", "SPREAD", "LOST_SEEN"):
        monkeypatch.setattr(pictures, name, 0.0)


def at(joint, layout=OPENPOSE_18):
    return layout.joint(joint)


def test_a_joint_lands_where_a_pinhole_camera_puts_it(sharp, filmed, rng):
    x = filmed.sequences[0][0]
    found = pictures.picture(x, rng)
    for joint in ("right wrist", "left ankle"):
        across, up, away = x[:, at(joint, NTU_25)].T
        seen = found[:, at(joint), 2] > 0
        assert seen.mean() > 0.5
        np.testing.assert_allclose(found[seen, at(joint), 0], (0.7 * across / away)[seen])
        np.testing.assert_allclose(found[seen, at(joint), 1], (-0.7 * 4 / 3 * up / away)[seen])
    assert np.nanmean(found[:, at("nose"), 1]) < found[:, at("left ankle"), 1].mean()  # y grows downward


def test_the_shoulder_behind_the_body_is_found_less_often(sharp, filmed, rng):
    lost = {}
    for view in np.unique(filmed.views):
        clips = [filmed.sequences[i][0] for i in np.flatnonzero(filmed.views == view)[:20]]
        found = np.concatenate([pictures.picture(x, rng) for x in clips])
        lost[view] = [(found[:, at(f"{side} shoulder"), 2] == 0).mean() for side in ("right", "left")]
    (right_a, left_a), _, (right_b, left_b) = lost.values()
    assert right_a > 0.2 > left_a
    assert left_b > 0.2 > right_b


def test_a_face_that_looks_away_has_no_sure_nose(sharp, filmed, rng):
    x = filmed.sequences[np.flatnonzero(filmed.views == 1)[0]][0]
    away = x * [-1, 1, -1] + [0, 0, 2 * x[:, 0, 2].mean()]  # turned by half a circle where it stands
    scores = [pictures.picture(body, rng)[:, at("nose"), 2] for body in (x, away)]
    assert scores[0].max() == pictures.SEEN
    assert scores[1].max() <= pictures.HIDDEN


def test_what_is_outside_the_image_or_not_found_is_zero(filmed, rng):
    beside = pictures.picture(filmed.sequences[0][0] + [9, 0, 0], rng)
    assert not beside.any()
    found = pictures.picture(filmed.sequences[0][0], rng)
    missing = found[..., 2] == 0
    assert 0 < missing.mean() < 0.3
    assert not found[missing].any()
    assert np.abs(found[..., :2]).max() <= 0.5
    assert found[~missing][:, 2].min() > 0
    assert found[..., 2].max() <= 1


def test_the_dataset_has_the_clips_and_splits_of_the_bodies(filmed, monkeypatch):
    monkeypatch.setattr(pictures, "synthetic", lambda **_: filmed)
    found, again = pictures.pictures(), pictures.pictures()
    assert found.fingerprint == again.fingerprint
    assert (found.skeleton.name, found.channels, found.n_coordinates) == ("openpose-18", ("x", "y", "score"), 2)
    assert [x.shape[1] for x in found.sequences] == [x.shape[1] for x in filmed.sequences]
    assert found.labels.tolist() == filmed.labels.tolist()
