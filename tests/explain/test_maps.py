"""The arithmetic of GradCAM: by hand, and by loops that follow the equations word for word."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from analysis_lib.errors import UserError
from analysis_lib.explain.maps import channel_weights, importance_map, scaled, slice_weights

SHAPE = (2, 2, 3, 4, 5)  # N, M, C, T, V


@pytest.fixture
def layer(rng):
    """Return features, gradients and valid frames; the second clip has one body of two frames."""
    features, gradients = (torch.tensor(rng.normal(size=SHAPE)) for _ in range(2))
    valid = torch.tensor([[[1, 1, 1, 0], [1, 1, 1, 0]], [[1, 1, 0, 0], [0, 0, 0, 0]]]).bool()
    return features, gradients, valid


def by_loops(features, gradients, valid, sign=1):
    """Equations (5) and (6), one number at a time."""
    N, M, C, T, V = SHAPE
    maps = np.zeros((N, M, T, V))
    for n in range(N):
        places = [(m, t, v) for m in range(M) for t in range(T) for v in range(V) if valid[n, m, t]]
        beta = [sum(sign * gradients[n, m, c, t, v].item() for m, t, v in places) / len(places) for c in range(C)]
        for m, t, v in places:
            maps[n, m, t, v] = max(0, sum(beta[c] * features[n, m, c, t, v] for c in range(C)))
    return maps


@pytest.mark.parametrize("counterfactual", [False, True])
def test_the_map_is_the_equation(layer, counterfactual):
    found = importance_map(*layer, counterfactual=counterfactual)
    expected = by_loops(*layer, sign=-1 if counterfactual else 1)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_what_is_in_the_padding_has_no_say(layer, variant):
    features, gradients, valid = layer
    padding = ~valid[:, :, None, :, None].expand(SHAPE)
    before = importance_map(features, gradients, valid, variant)
    after = importance_map(features.masked_fill(padding, 99.0), gradients.masked_fill(padding, -7), valid, variant)
    torch.testing.assert_close(before, after)
    assert not before[~valid].any()
    assert before.any()


def test_the_counterfactual_is_no_complement(layer):
    plain, against = (importance_map(*layer, counterfactual=c) for c in (False, True))
    assert not (plain * against).any()  # a joint speaks for or against, never both
    assert ((plain + against)[layer[2]] > 0).all()


def test_the_released_variant_by_loops(layer):
    features, gradients, valid = layer
    found = importance_map(features, gradients, valid, "released").numpy()
    f, g = features[1, 0, :, :2].numpy(), gradients[1, 0, :, :2].numpy()  # the body of two frames
    weight = (g / np.sqrt((g**2).mean())).mean(axis=(0, 1)).sum()
    maps = np.maximum(weight * f.mean(axis=0), 0)
    expected = (maps - maps.min()) / (maps.max() + 1e-8)
    np.testing.assert_allclose(found[1, 0, :2], expected, atol=1e-7)
    assert np.isfinite(found).all()


def test_a_clip_without_valid_frames_has_an_empty_map(layer):
    features, gradients, valid = layer
    nothing = torch.zeros_like(valid)
    assert not channel_weights(gradients, nothing).any()
    for variant in ("paper", "released"):
        assert not importance_map(features, gradients, nothing, variant).any()


def test_unknown_variant(layer):
    with pytest.raises(UserError, match="unknown GradCAM variant 'papre'; did you mean 'paper'"):
        importance_map(*layer, variant="papre")


@given(st.integers(1, 9), st.integers(0, 4), st.integers(1, 6))
def test_slices_share_out_the_valid_frames(length, padding, n_slices):
    (weights,) = slice_weights(np.array([length]), length + padding, n_slices)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    np.testing.assert_allclose(weights.mean(axis=0)[:length], 1 / length)
    assert not weights[:, length:].any()


def test_thirds_of_a_length_that_three_divides_are_plain_means():
    (weights,) = slice_weights(np.array([6]), 8, 3)
    np.testing.assert_allclose(weights, np.kron(np.eye(3), [0.5, 0.5]) @ np.eye(6, 8), atol=1e-15)


def test_no_slice_at_all():
    with pytest.raises(UserError, match="n_slices must be at least 1, got 0"):
        slice_weights(np.array([3]), 4, 0)


def test_scales_reach_from_zero_to_one(rng):
    values = rng.uniform(1, 9, size=(4, 3, 5))
    by_layer, over_all = scaled(values, "layer"), scaled(values, "global")
    np.testing.assert_allclose(by_layer.min(axis=(1, 2)), 0)
    np.testing.assert_allclose(by_layer.max(axis=(1, 2)), 1)
    assert (over_all.min(), over_all.max()) == (0, 1)
    assert (over_all.max(axis=(1, 2)) < 1).sum() == 3
    assert scaled(values, "none") is values


@pytest.mark.parametrize("norm", ["layer", "global"])
def test_a_map_without_a_range_becomes_zero(norm):
    assert not scaled(np.full((2, 3), 7.0), norm).any()


def test_unknown_norm():
    with pytest.raises(UserError, match="unknown norm 'layers'; did you mean 'layer'"):
        scaled(np.zeros((1, 2)), "layers")
