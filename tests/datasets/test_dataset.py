"""What a dataset holds: the meaning of its channels, missing joints, and what is refused in one line."""

import numpy as np
import pytest

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.gaps import fill_gaps
from analysis_lib.datasets.preparation.recipe import Preprocessing, clip_tensors
from analysis_lib.errors import DataError, UserError
from analysis_lib.skeletons.skeleton import Skeleton

ARM = Skeleton("arm", ("shoulder", "elbow", "hand"), ((1, 0), (2, 1)))


@pytest.fixture
def made(rng):
    """Return a function that makes four clips of two classes, with changes."""

    def make(count=3, change=lambda x: x, **given):
        sequences = [change(rng.normal(size=(1, 5, 3, count))) for _ in range(4)]
        given = {"labels": [0, 1, 0, 1], "class_names": ("reach", "wave"), "sequences": sequences} | given
        return SkeletonDataset("mine", ARM, **given)

    return make


@pytest.mark.parametrize(
    ("count", "given", "channels", "places"),
    [
        (2, (), ("x", "y"), 2),
        (3, (), ("x", "y", "z"), 3),
        (3, ("x", "y", "score"), ("x", "y", "score"), 2),
        (4, ("x", "y", "z", "score"), ("x", "y", "z", "score"), 3),
    ],
)
def test_channels_mean_something(made, count, given, channels, places):
    data = made(count, channels=given)
    assert (data.channels, data.n_coordinates, data.places[0].shape[-1]) == (channels, places, places)


def test_what_channels_mean_is_part_of_the_fingerprint_only_where_it_is_said(made):
    x = made().sequences
    plain, named, scored = (made(sequences=x, channels=c) for c in ((), ("x", "y", "z"), ("x", "y", "score")))
    assert plain.fingerprint == named.fingerprint != scored.fingerprint


@pytest.mark.parametrize("fit", ["pad", "resample"])
@pytest.mark.parametrize("training", [False, True])
def test_a_score_is_never_moved_turned_or_scaled(made, fit, training):
    steps = ("first-bodies", "largest-bodies", "centre-clip", "centre-frames", "body-size", "min-max")
    recipe = Preprocessing(5, fit, steps, augment=("turn", "turn-about-y", "mirror"))
    scores = [0.9, 0.3, 0.5]
    data = made(
        3,
        lambda x: np.concatenate([x[..., :2], np.broadcast_to(scores, x.shape[:3])[..., None]], -1),
        channels=("x", "y", "score"),
    )
    x, _ = clip_tensors(data, recipe, np.random.default_rng(0) if training else None)
    np.testing.assert_array_equal(x[:, 2, :, :, 0], np.broadcast_to(np.float32(scores), (4, 5, 3)))
    plain, _ = clip_tensors(made(2, sequences=data.places), recipe, np.random.default_rng(0) if training else None)
    np.testing.assert_array_equal(x[:, :2], plain)


@pytest.mark.parametrize("unit", [1e-9, 1e3])
def test_the_unit_does_not_count(made, unit):
    data = made()
    other = made(sequences=[unit * x.astype(float) for x in data.sequences])
    recipe = Preprocessing(5, steps=("first-bodies", "centre-clip", "body-size"))
    np.testing.assert_allclose(clip_tensors(data, recipe)[0], clip_tensors(other, recipe)[0], rtol=1e-4, atol=1e-6)


def test_a_picture_turns_as_a_flat_body(made):
    recipe = Preprocessing(5, "pad", ("first-bodies",), augment=("turn-about-y",))
    data = made(2)
    turned, _ = clip_tensors(data, recipe, np.random.default_rng(0))
    plain, _ = clip_tensors(data, recipe)
    np.testing.assert_array_equal(turned[:, 1], plain[:, 1])
    narrower = turned[:, 0, 0, 0, 0] / plain[:, 0, 0, 0, 0]
    assert ((narrower >= 0.5) & (narrower < 1)).all()


def test_missing_joints_are_filled_in_and_counted(made):
    def change(x):
        x[:, :, 2] = np.linspace(0, 4, 5)[:, None]
        x[:, 1:3, 2, 0] = np.nan
        return x

    data = made(3, change)
    np.testing.assert_allclose(data.sequences[0][0, :, 2], np.repeat(np.arange(5.0)[:, None], 3, axis=1), rtol=1e-6)
    assert data.missing.tolist() == [[0, 0, 0.4]] * 4
    assert data.take([1]).missing.tolist() == [[0, 0, 0.4]]


def test_what_is_never_seen_in_a_clip_is_absent():
    x = np.ones((2, 3, 2, 3))
    x[0, :, 1], x[1] = np.nan, np.nan
    x[0, 1, 0, 2] = np.nan  # a score alone
    filled, missing = fill_gaps(x, 2)
    assert (filled[0, :, 1] == 0).all()
    assert (filled[1] == 0).all()
    assert filled[0, :, 0].tolist() == [[1, 1, 1], [1, 1, 0], [1, 1, 1]]
    assert missing.tolist() == [0, 1]


def test_labels_may_be_names(made):
    data = made(labels=["wave", "reach", "wave", "reach"], class_names=())
    assert (data.labels.tolist(), data.class_names) == ([1, 0, 1, 0], ("reach", "wave"))
    assert made(labels=["wave", "reach", "wave", "reach"], class_names=("wave", "reach")).labels.tolist() == [
        0,
        1,
        0,
        1,
    ]


@pytest.mark.parametrize("kind", [">f8", ">f4", "<f8", "i2", ">i4", "u1", "f2"])
def test_any_type_of_numbers_gives_the_same(made, kind):
    x = [np.arange(15.0).reshape(1, 5, 3, 1) + [0, 1, 2] + k for k in range(4)]
    assert made(sequences=[y.astype(kind) for y in x]).fingerprint == made(sequences=x).fingerprint


def never(x):
    x[:, :, 1] = np.nan
    return x


REFUSED = {
    "one channel": ({"count": 1}, "1 coordinates a joint: expected x and y, or x, y and z"),
    "four channels": ({"count": 4}, "channels=('x', 'y', 'z', 'score')"),
    "other channels": ({"channels": ("x", "y", "w")}, "channels must be one of x-y, x-y-z"),
    "text": ({"change": lambda x: x.astype(str)}, "clip 0: coordinates must be real numbers"),
    "complex": ({"change": lambda x: x * 1j}, "clip 0: coordinates must be real numbers, got complex128"),
    "far from the origin": ({"change": lambda x: x + 1e8}, "subtract an origin"),
    "large whole numbers": ({"change": lambda x: (x * 10).astype(int) + 10**9}, "subtract an origin"),
    "never seen": ({"change": never}, "joint 'elbow' is NaN in every frame of every clip"),
    "nothing seen": ({"change": lambda x: x * np.nan}, "clip 0: every coordinate is NaN"),
    "infinite": ({"change": lambda x: x / 0.0}, "clip 0: infinite coordinate in frame 0"),
    "one body": ({"change": lambda x: x[0]}, "of one body it is x[None]"),
    "axes": ({"change": lambda x: x.transpose(0, 1, 3, 2)[:, :, :2]}, "are the coordinates before the joints?"),
    "one name twice": ({"class_names": ("a", "a")}, "two classes are called 'a'"),
    "labels from 1": ({"labels": [1, 2, 1, 2]}, "do they count from 1? subtract 1"),
    "labels from 1, no names": ({"labels": [1, 2, 1, 2], "class_names": ()}, "labels begin with 1"),
    "real labels": ({"labels": [0.0, 1, 0, 1]}, "labels must be whole numbers"),
    "other names": ({"labels": ["reach", "waive"] * 2}, "did you mean 'wave'?"),
    "subjects of text": ({"subjects": ["a"] * 4}, "subjects must be whole numbers"),
    "splits that share": (
        {"splits": {"xsub_train": [0, 1], "xsub_test": [1, 2]}},
        "splits 'xsub_train' and 'xsub_test' of 'mine' share 1 clips, the first of them 'clip 1'",
    ),
}


@pytest.mark.parametrize(("given", "words"), REFUSED.values(), ids=REFUSED)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_what_is_wrong_is_said_in_one_line(made, given, words):
    with pytest.raises(UserError) as caught:
        made(**given)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_splits_of_other_protocols_may_share_clips_but_none_is_scored_that_was_learnt_from(made):
    data = made(splits={"xsub_train": [0, 1], "xsub_test": [2, 3], "xview_train": [1, 2], "xview_test": [0, 3]})
    train, test = data.train_test("xsub_train", "xsub_test")
    assert (train.clips, test.clips) == (("clip 0", "clip 1"), ("clip 2", "clip 3"))
    with pytest.raises(DataError, match="'xsub_train' and 'xview_test' of 'mine' share 1 clips"):
        data.train_test("xsub_train", "xview_test")


@pytest.mark.parametrize(
    ("joints", "edges", "words"),
    [
        (("a", "b", "a"), ((1, 0),), "two joints called 'a'"),
        (("a", "b", "c"), ((2, 1), (3, 2)), "do the edges count from 1? subtract 1"),
    ],
)
def test_a_skeleton_that_no_body_has(joints, edges, words):
    with pytest.raises(UserError) as caught:
        Skeleton("arm", joints, edges)
    assert words in str(caught.value)
