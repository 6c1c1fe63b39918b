"""Generated infants: what they are, and that the class lies where the design says, and not all in the open."""

import numpy as np
import pytest

from analysis_lib.datasets.readers.keypoints import read_keypoints
from analysis_lib.datasets.synthetic.infants import FIDGETY, best_area, fidgeting, infants, recording
from analysis_lib.errors import UserError
from analysis_lib.skeletons.layouts import layout
from analysis_lib.statistics.ranks import ranking_area

BODY = layout("infant-29")


def quickness(windows):
    """Return how jerkily each bone turns, the median over an infant's windows, (V,)."""
    found = []
    for (x,) in windows:
        bone = x - x[:, BODY.parents]
        angles = np.unwrap(np.arctan2(bone[..., 1], bone[..., 0]), axis=0)
        found.append(np.diff(angles, n=2, axis=0).std(axis=0))
    return np.median(found, axis=0)


def test_the_class_is_in_the_joints_that_fidget_and_not_beyond_doubt():
    data = infants(n_infants=64, seconds=10.0)
    clips = [[data.sequences[k] for k in np.flatnonzero(data.subjects == i)] for i in range(64)]
    own = np.array([quickness(each) for each in clips])
    truth = np.arange(64) % 2 > 0
    areas = ranking_area(own.T, np.tile(truth, (29, 1)))
    inside = np.isin(BODY.joints, FIDGETY)
    assert areas[inside].min() > 0.75
    assert areas[~inside].mean() < 0.62
    ideal = ranking_area(np.array([[fidgeting(0, i) for i in range(64)]]), truth[None])[0]
    assert 0.85 < ideal < 0.97
    assert 0.85 < best_area() < 0.97


def test_windows_of_an_infant_stay_together():
    data = infants(n_infants=16, seconds=12.0)
    assert {x.shape for x in data.sequences} == {(1, 150, 29, 2)}
    assert not set(data.subjects[data.splits["train"]]) & set(data.subjects[data.splits["test"]])
    assert np.unique(data.labels[data.splits["test"]]).tolist() == [0, 1]
    again, other = infants(n_infants=16, seconds=12.0), infants(1, n_infants=16, seconds=12.0)
    assert data.fingerprint == again.fingerprint != other.fingerprint
    pelvis, thorax = BODY.joint("pelvis"), BODY.joint("thorax")
    lengths = np.array([np.linalg.norm(x[0, :, thorax] - x[0, :, pelvis], axis=1).mean() for x in data.sequences])
    np.testing.assert_allclose(lengths, 0.5, atol=0.02)


def test_recordings_have_gaps_and_can_be_read_from_a_table(tmp_path):
    x, rate = recording(0, 1, 8.0)
    assert rate in (25, 30, 50)
    assert np.isnan(x).any()
    rows = ["clip,frame,joint,x,y,label"]
    rows += [f"a,{t},{j},{x[t, v, 0]},{x[t, v, 1]},1" for t in range(40) for v, j in enumerate(BODY.joints)]
    rows += [f"b,{t},{j},{x[t, v, 0]},{x[t, v, 1]},0" for t in range(40) for v, j in enumerate(BODY.joints)]
    (tmp_path / "infants.csv").write_text("\n".join(rows))
    data = read_keypoints(tmp_path / "infants.csv")
    assert data.skeleton.name == "infant-29"
    seen = ~np.isnan(x[:40])
    np.testing.assert_allclose(data.sequences[0][0][seen], x[:40][seen], rtol=1e-6)


@pytest.mark.parametrize("given", [{"n_infants": 7}, {"seconds": 4.0}])
def test_too_few_or_too_short(given):
    with pytest.raises(UserError, match="at least 8 infants of 5 s are needed"):
        infants(**given)
