"""The skeleton player's data: what is packed is what was given, and what cannot be packed is told."""

import re
import tomllib
from pathlib import PurePath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_lib.errors import UserError
from analysis_lib.files import ROOT
from analysis_lib.plots.style import LEFT, MIDDLE, NEGATIVE, POSITIVE, RIGHT
from analysis_lib.skeletons.layouts import layout
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.widgets import player as widgets
from analysis_lib.widgets.player import UNSEEN, SkeletonPlayer, skeleton_player

ARM = Skeleton("arm", ("left hand", "hub", "right hand"), ((0, 1), (2, 1)), 1, pairs=((0, 2),))


def unpacked_poses(player):
    """Return each clip's int16 places, read as the page reads them: one clip after the other."""
    flat = np.frombuffer(player.poses, "<i2")
    shapes = [(c["bodies"], c["frames"], len(player.skeleton["joints"]), player.n_axes) for c in player.clips]
    ends = np.cumsum([np.prod(shape) for shape in shapes])
    assert len(flat) == ends[-1]
    parts = np.split(flat, ends[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def unpacked_maps(player):
    """Return each clip's importances (L, M, T, V)."""
    flat, start, maps = np.frombuffer(player.importance, np.int8), 0, []
    for clip, peaks in zip(player.clips, player.peaks, strict=True):
        shape = (len(player.layers), clip["bodies"], clip["frames"], len(player.skeleton["joints"]))
        whole = flat[start : start + np.prod(shape)].reshape(shape)
        maps.append(whole / 127 * np.array(peaks)[:, None, None, None])
        start += np.prod(shape)
    assert start == len(flat)
    return maps


def clips(rng, *lengths, axes=3, bodies=2):
    return [rng.normal(size=(bodies, t, 3, axes)) for t in lengths]


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("bodies", [1, 2])
def test_places_come_back_up_to_their_middle_and_scale(rng, axes, bodies):
    given = clips(rng, 4, 7, axes=axes, bodies=bodies)
    player = skeleton_player(given, ARM)
    assert player.n_axes == axes
    for x, whole in zip(given, unpacked_poses(player), strict=True):
        spread = x.reshape(-1, axes).max(axis=0) - x.reshape(-1, axes).min(axis=0)
        middle = x.reshape(-1, axes).min(axis=0) + spread / 2
        back = whole / 32767 * spread.max() / 2 + middle
        assert np.abs(back - x).max() <= spread.max() / 2 / 32767 * 0.51
        assert np.abs(whole).max() == 32767


def test_a_clip_of_one_body_may_come_without_its_axis(rng):
    x, h = rng.normal(size=(5, 3, 3)), rng.normal(size=(2, 5, 3))
    bare, full = skeleton_player([x], ARM, [h]), skeleton_player([x[None]], ARM, [h[:, None]])
    assert (bare.poses, bare.importance) == (full.poses, full.importance)
    assert bare.clips == [{"name": "clip 1", "bodies": 1, "frames": 5}]


def test_the_input_is_not_changed(rng):
    x, h = rng.normal(size=(5, 3, 3)), rng.normal(size=(2, 5, 3))
    x[0, 0] = 0
    before = x.copy(), h.copy()
    skeleton_player([x], ARM, [h], y_down=True)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(h, before[1])


@pytest.mark.parametrize("mark", [0, np.nan])
def test_a_joint_that_was_not_seen_is_marked_and_stretches_nothing(rng, mark):
    x = rng.normal(size=(1, 4, 3, 3)) + 50
    alone = unpacked_poses(skeleton_player([x[:, 1:]], ARM))[0]
    x[0, 0] = mark
    (whole,) = unpacked_poses(skeleton_player([x], ARM))
    assert (whole[0, 0] == UNSEEN).all()
    np.testing.assert_array_equal(whole[:, 1:], alone)
    assert (alone != UNSEEN).all()


def test_y_of_pixels_is_turned_up(rng):
    x = rng.normal(size=(1, 4, 3, 2))
    up, down = (unpacked_poses(skeleton_player([x], ARM, y_down=d))[0] for d in (False, True))
    np.testing.assert_array_equal(down, up * (1, -1))


@given(st.integers(0, 10**6), st.sampled_from([1e-30, 1e-4, 1.0, 1e6]))
def test_importance_comes_back_to_half_a_step_of_each_layer_s_peak(seed, scale):
    rng = np.random.default_rng(seed)
    given = [scale * rng.normal(size=(3, 2, t, 3)) * [[[[1]]], [[[100]]], [[[0]]]] for t in (4, 2)]
    player = skeleton_player(clips(rng, 4, 2), ARM, given)
    for h, back, peaks in zip(given, unpacked_maps(player), player.peaks, strict=True):
        np.testing.assert_allclose(peaks, np.abs(h).max(axis=(1, 2, 3)))
        steps = np.array(peaks)[:, None, None, None] / 127
        assert (np.abs(back - h) <= 0.501 * steps).all()
        assert (back[2] == 0).all()


def test_zero_stays_zero_and_signs_stay(rng):
    h = np.array([[[1e-3, 0, -2.0]]])
    (back,) = unpacked_maps(skeleton_player([rng.normal(size=(1, 3, 3))], ARM, [h]))
    assert back[0, 0, 0].tolist() == [0, 0, -2]


def test_a_static_clip_of_one_frame_and_one_place_can_be_shown():
    (whole,) = unpacked_poses(skeleton_player([np.ones((1, 3, 2))], ARM))
    assert (whole == 0).all()


def test_menus_have_a_name_for_each_and_tell_equal_ones_apart(rng):
    x, h = clips(rng, 2, 2, 2, bodies=1), [rng.normal(size=(2, 1, 2, 3))] * 3
    player = skeleton_player(x, ARM, h, names=["throw", "kick", "throw"], layers=["in", "out"])
    assert [clip["name"] for clip in player.clips] == ["throw (1)", "kick", "throw (2)"]
    assert player.layers == ["in", "out"]
    assert skeleton_player(x, ARM, h).layers == ["layer 1", "layer 2"]


def test_it_opens_at_the_last_layer_where_importance_is_largest(rng):
    h = np.zeros((2, 6, 3))
    h[0, 1], h[1, 4] = 1, -1
    x = rng.normal(size=(6, 3, 3))
    player = skeleton_player([x], ARM, [h])
    assert (player.clip, player.layer, player.frame) == (0, 1, 4)
    first = skeleton_player([x], ARM, [h], layer=0)
    assert (first.layer, first.frame) == (0, 1)


def test_the_look_is_that_of_the_figures(rng):
    player = skeleton_player(clips(rng, 2), ARM)
    assert player.skeleton == {
        "joints": ["left hand", "hub", "right hand"],
        "edges": [[0, 1], [2, 1]],
        "tints": [LEFT, MIDDLE, RIGHT],
    }
    assert player.colours["positive"] == POSITIVE
    assert player.colours["negative"] == NEGATIVE


def test_the_plain_text_is_the_same_in_every_run(rng):
    assert repr(skeleton_player(clips(rng, 2), ARM)) == "SkeletonPlayer(1 clips, 0 layers)"


X, H = np.ones((4, 3, 3)) * np.arange(1, 4), np.ones((2, 4, 3))


@pytest.mark.parametrize(
    ("poses", "maps", "given", "message"),
    [
        ([], None, {}, "a player needs at least one clip, got none"),
        (
            [X[:, :2]],
            None,
            {},
            "clip 0: expected (T, 3, 2 or 3) or (M, T, 3, 2 or 3) for 'arm', got (4, 2, 3); poses are a list of clips",
        ),
        (X, None, {}, "clip 0: expected (T, 3, 2 or 3)"),
        ([X, X[..., :2]], None, {}, "clips must all have 2 or all have 3 coordinates, got [2, 3]"),
        ([X, X * 0], None, {}, "clip 1: no joint was seen, or a coordinate of a seen one is not"),
        ([np.where(X == 2, np.inf, X)], None, {}, "clip 0: no joint was seen, or a coordinate"),
        ([np.where(X == 2, np.nan, X)], None, {}, "clip 0: no joint was seen, or a coordinate"),
        ([X, X], [H], {}, "importance has 1 clips, poses have 2"),
        (
            [X],
            [H[:, ::2]],
            {},
            "importance of clip 0: expected (layers, 1, 4, 3), bodies, frames "
            "and joints as in its poses and as many layers as clip 0, got (2, 1, 2, 3); a layer with "
            "fewer frames must be brought to the clip's frames first",
        ),
        ([np.stack([X, X])], [H], {}, "expected (layers, 2, 4, 3)"),
        ([X, X], [H, H[:1]], {}, "importance of clip 1: expected (layers, 1, 4, 3)"),
        ([X], [H[:0]], {}, "importance of clip 0: expected (layers, 1, 4, 3)"),
        ([X], [H * np.nan], {}, "importance of clip 0 holds a value that is not finite"),
        ([X], [H], {"layers": ["a"]}, "1 layer names were given for 2 layers"),
        ([X], None, {"layers": ["a"]}, "1 layer names were given for 0 layers"),
        ([X], None, {"names": ["a", "b"]}, "2 clip names were given for 1 clips"),
        ([X], [H], {"layer": 2}, "layer must lie in 0..1, got 2"),
        ([X], [H], {"fps": 0}, "fps must be a positive number of frames a second, got 0"),
        ([X], [H], {"fps": np.nan}, "fps must be a positive number"),
        (
            [X] * 10,
            [H] * 10,
            {"max_bytes": 500},
            "the player would put 0.0 MB into the page, the "
            "limit is 0.0 MB: 10 clips, 2 layers, 40 frames; pass fewer clips or layers or every "
            "other frame, or raise max_bytes",
        ),
    ],
)
def test_what_cannot_be_shown_is_told(poses, maps, given, message):
    with pytest.raises(UserError, match=re.escape(message)):
        skeleton_player(poses, ARM, maps, **given)


def test_the_limit_counts_what_is_packed():
    player = skeleton_player([X], ARM, [H])
    size = len(player.poses) + len(player.importance)
    skeleton_player([X], ARM, [H], max_bytes=size)
    with pytest.raises(UserError, match="raise max_bytes"):
        skeleton_player([X], ARM, [H], max_bytes=size - 1)


def test_a_class_of_every_layout_fits_into_a_page(rng):
    body = layout("infant-29")
    x, h = rng.normal(size=(120, 29, 3)), rng.normal(size=(11, 120, 29))
    assert isinstance(skeleton_player([x] * 20, body, [h] * 20), SkeletonPlayer)


@pytest.mark.parametrize("name", ["skeleton_player.js", "skeleton_player.css", "widget_host.js"])
def test_what_is_sent_to_the_page_is_short_and_asks_for_nothing(name):
    text = (widgets.ASSETS / name).read_text()
    assert len(text.splitlines()) < 300
    assert not re.search(r"https?:(?!//www\.w3\.org/)|^\s*import\b|@import|url\(|</script", text, re.M)


def test_an_installation_carries_the_assets():
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    patterns = tool["package-data"]["analysis_lib.widgets"]
    for path in widgets.ASSETS.iterdir():
        place = PurePath(path.relative_to(widgets.ASSETS.parent))
        assert any(place.match(pattern) for pattern in patterns), path
