"""Perturbations: as strong as asked for, only where something was measured, the same by seed."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_lib.datasets.faults import (
    PERTURBATIONS,
    drop_frames,
    gaussian_noise,
    hide_joints,
    jitter_frames,
    measured,
    noise_levels,
)
from analysis_lib.errors import DataError, UserError

STRENGTH = {"noise": 25.0, "occlusion": 0.3, "frame drop": 0.4, "jitter": 2}
every_kind = pytest.mark.parametrize("kind", PERTURBATIONS)


@pytest.fixture
def lengths():
    return np.array([12, 7, 1])


@pytest.fixture
def clips(rng, lengths):
    """Three clips of two bodies; clip 1 has one body only, joint 4 is absent from clip 0."""
    x = rng.normal(size=(3, 3, 12, 6, 2)).astype(np.float32)
    x[np.broadcast_to((np.arange(12) >= lengths[:, None])[:, None, :, None, None], x.shape)] = 0
    x[1, ..., 1] = 0
    x[0, :, :, 4] = 0
    return x


def disturbed(kind, clips, lengths, seed=0, strength=None):
    strength = STRENGTH[kind] if strength is None else strength
    return PERTURBATIONS[kind](clips, lengths, strength, np.random.default_rng(seed))


def test_what_was_measured(clips, lengths):
    found = measured(clips, lengths)
    for i, t, v, m in np.ndindex(found.shape):
        there = t < lengths[i] and not (i == 1 and m == 1) and not (i == 0 and v == 4)
        assert found[i, t, v, m] == there


@every_kind
def test_padding_and_what_is_absent_stay_untouched(kind, clips, lengths):
    before = clips.copy()
    found, achieved = disturbed(kind, clips, lengths)
    np.testing.assert_array_equal(clips, before)
    there = measured(clips, lengths)
    changed = (found != clips).any(axis=1)
    assert changed.any()
    assert not (changed & ~there).any()
    assert found.dtype == np.float32
    assert achieved.shape == (3,)


@every_kind
def test_the_seed_decides(kind, clips, lengths):
    first, again, other = (disturbed(kind, clips, lengths, seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("psnr", [0.0, 15.0, 40.0, 60.0])
def test_the_level_is_what_was_asked_for(clips, lengths, psnr):
    noisy, achieved = gaussian_noise(clips, lengths, psnr, np.random.default_rng(0))
    where = measured(clips, lengths)
    for i in range(len(clips)):
        before, after = (z[i].transpose(1, 2, 3, 0)[where[i]].astype(float) for z in (clips, noisy))
        peak = before.max() - before.min()
        level = 10 * np.log10(peak**2 / np.mean((after - before) ** 2))
        assert level == pytest.approx(psnr, abs=0.01)
        assert achieved[i] == pytest.approx(level, abs=1e-6)


def test_the_noise_is_gaussian_white_and_fills_all_coordinates(rng):
    x = rng.uniform(-1, 1, size=(1, 3, 100, 20, 1)).astype(np.float32)
    noisy, _ = gaussian_noise(x, np.array([100]), 20, np.random.default_rng(0))
    noise = (noisy - x)[0, ..., 0].astype(float) / (np.ptp(x) * 0.1)
    assert noise.var(axis=(1, 2)) == pytest.approx(np.ones(3), abs=0.1)
    assert np.mean(noise**4) == pytest.approx(3, abs=0.3)
    assert (np.abs(noise) < 1).mean() == pytest.approx(0.6827, abs=0.02)
    assert np.mean(noise[:, 1:] * noise[:, :-1]) == pytest.approx(0, abs=0.04)
    assert np.mean(noise[:, :, 1:] * noise[:, :, :-1]) == pytest.approx(0, abs=0.04)


def test_twenty_decibels_are_a_factor_of_ten(clips, lengths):
    strong, weak = (gaussian_noise(clips, lengths, p, np.random.default_rng(0))[0] - clips for p in (20, 40))
    np.testing.assert_allclose(strong, 10 * weak, atol=1e-5)


@pytest.mark.parametrize("psnr", [np.nan, np.inf, -np.inf])
def test_a_level_that_is_not_finite(clips, lengths, psnr):
    with pytest.raises(UserError, match=f"the PSNR must be a finite number of decibels, got {psnr}"):
        gaussian_noise(clips, lengths, psnr, np.random.default_rng(0))


def test_levels_come_once_the_weakest_first():
    assert noise_levels([15.0, 30.0], [30.0, 40.0]) == [40.0, 30.0, 15.0]
    with pytest.raises(UserError, match="noise needs at least one PSNR level, such as 20 dB"):
        noise_levels([], [])
    with pytest.raises(UserError, match="finite number of decibels, got inf"):
        noise_levels([20.0], [np.inf])


@pytest.mark.parametrize("psnr", [150, 400])
def test_noise_that_float32_cannot_hold_is_refused(clips, lengths, psnr):
    with pytest.raises(UserError, match=f"noise at {psnr} dB came out at .* take a level nearer"):
        gaussian_noise(clips, lengths, psnr, np.random.default_rng(0))


def test_a_clip_without_extent():
    x = np.ones((2, 3, 4, 2, 1), np.float32)
    x[0] += np.arange(3)[:, None, None, None]
    with pytest.raises(DataError, match="clip 1 does not move and has no extent"):
        gaussian_noise(x, np.array([4, 4]), 20, np.random.default_rng(0))


def test_an_unknown_place(clips, lengths, rng):
    with pytest.raises(UserError, match=r"unknown place of a hidden joint 'nan'.* mean, zero"):
        hide_joints(clips, lengths, 0.2, rng, place="nan")


@pytest.mark.parametrize("place", ["mean", "zero"])
def test_hidden_joints_are_hidden_throughout_and_reported_at_the_place(clips, lengths, place):
    found, achieved = hide_joints(clips, lengths, 0.4, np.random.default_rng(0), place)
    for i, (n, bodies) in enumerate(zip(lengths, (2, 1, 2), strict=True)):
        count = []
        for m in range(bodies):
            body, after = clips[i, :, :n, :, m], found[i, :, :n, :, m]
            present = np.flatnonzero((body != 0).any(axis=(0, 1)))
            hidden = [v for v in present if (after[:, :, v] != body[:, :, v]).any()]
            seen = [v for v in present if v not in hidden]
            for v in hidden:
                expected = body[:, :, seen].mean(axis=2) if place == "mean" else 0 * body[:, :, 0]
                np.testing.assert_allclose(after[:, :, v], expected, atol=1e-6)
            assert len(hidden) == round(0.4 * len(present))
            count.append(len(hidden) / len(present))
        assert achieved[i] == pytest.approx(np.mean(count))


def test_one_joint_stays_seen(clips, lengths, rng):
    found, achieved = hide_joints(clips, lengths, 1.0, rng)
    assert achieved.tolist() == pytest.approx([4 / 5, 5 / 6, 5 / 6])
    kept = (found[1, :, :7, :, 0] == clips[1, :, :7, :, 0]).all(axis=(0, 1))
    assert kept.sum() == 1


@given(st.integers(1, 9), st.floats(0, 1), st.integers(0, 5))
def test_lost_frames_repeat_the_last_that_came(n, share, seed):
    x = np.arange(1, 11, dtype=np.float32).reshape(1, 1, 10, 1, 1)
    found, achieved = drop_frames(x, np.array([n]), share, np.random.default_rng(seed))
    shown = found.ravel()[:n]
    assert shown[0] == 1
    assert found.ravel()[n:].tolist() == x.ravel()[n:].tolist()
    last = 1.0
    for t, value in enumerate(shown, 1):
        last = float(t) if value == t else last
        assert value == last
    lost = int((shown != np.arange(1, n + 1)).sum())
    assert lost == min(round(share * n), n - 1)
    assert achieved[0] == lost / n


@given(st.integers(1, 9), st.integers(0, 12), st.integers(0, 5))
def test_jitter_shows_frames_of_the_clip_not_farther_than_asked(n, frames, seed):
    x = np.arange(10, dtype=np.float32).reshape(1, 1, 10, 1, 1)
    found, achieved = jitter_frames(x, np.array([n]), frames, np.random.default_rng(seed))
    shift = found.ravel() - np.arange(10)
    assert np.abs(shift).max() == achieved[0] <= frames
    assert (shift[n:] == 0).all()
    assert found.ravel()[:n].max() < n


def test_jitter_is_uniform():
    x = np.broadcast_to(np.arange(5000, dtype=np.float32)[:, None, None], (1, 1, 5000, 1, 1))
    found, _ = jitter_frames(x, np.array([5000]), 2, np.random.default_rng(0))
    shift = (found.ravel() - np.arange(5000))[2:-2]
    values, counts = np.unique(shift, return_counts=True)
    assert values.tolist() == [-2, -1, 0, 1, 2]
    assert counts / len(shift) == pytest.approx(np.full(5, 0.2), abs=0.02)


@pytest.mark.parametrize("kind", ["occlusion", "frame drop"])
def test_what_is_lost_stays_lost_at_greater_strength(kind, clips, lengths):
    lost = [(disturbed(kind, clips, lengths, strength=s)[0] != clips).any(axis=1) for s in (0.0, 0.2, 0.5)]
    assert not lost[0].any()
    assert (lost[1] <= lost[2]).all()
    assert lost[1].sum() < lost[2].sum()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, n, rng: hide_joints(x, n, 1.2, rng), "a share must lie between 0 and 1, got 1.2"),
        (lambda x, n, rng: drop_frames(x, n, np.nan, rng), "a share must lie between 0 and 1, got nan"),
        (lambda x, n, rng: jitter_frames(x, n, 1.5, rng), "a whole number of frames from 0, got 1.5"),
        (lambda x, n, rng: jitter_frames(x, n, -1, rng), "a whole number of frames from 0, got -1"),
        (lambda x, n, rng: drop_frames(x, 0 * n, 0.1, rng), "lengths must lie in 1..12, but clip 0"),
    ],
)
def test_impossible_strengths(call, message, clips, lengths, rng):
    with pytest.raises(UserError, match=re.escape(message)):
        call(clips, lengths, rng)
