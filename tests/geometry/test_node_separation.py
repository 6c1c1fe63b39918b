"""Over-smoothing as a number: by hand, by its laws, and what it refuses."""

import numpy as np
import pytest

from analysis_lib.errors import UserError
from analysis_lib.geometry.node_separation import node_separation


def features(rng, apart):
    """Return six clips, four frames, 3 channels x 5 nodes (nodes innermost) that differ by so much."""
    return (rng.normal(size=(6, 4, 3, 5)) + apart * np.arange(5)).reshape(6, 4, 15)


def test_it_is_the_double_sum(rng):
    x, lengths = features(rng, 1.0), np.array([4, 4, 3, 2, 1, 4])
    means = np.stack([x[i, :n].mean(axis=0) for i, n in enumerate(lengths)]).reshape(6, 3, 5)
    centre = means.mean(axis=(0, 2))
    between = sum(np.sum((means[:, :, v].mean(axis=0) - centre) ** 2) for v in range(5))
    within = sum(np.sum((means[i, :, v] - means[:, :, v].mean(axis=0)) ** 2) for i in range(6) for v in range(5)) / 6
    assert node_separation(x, lengths, 5) == pytest.approx(between / within)


def test_laws(rng):
    lengths = np.full(6, 4)
    near, far = (node_separation(features(np.random.default_rng(0), a), lengths, 5) for a in (0.1, 3.0))
    assert near < far
    x = features(rng, 1.0)
    assert node_separation(7 * x + 2, lengths, 5) == pytest.approx(node_separation(x, lengths, 5))
    same = np.repeat(rng.normal(size=(6, 4, 3)), 5, axis=2)  # all nodes say the same
    assert node_separation(same, lengths, 5) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("size", "nodes", "words"), [(15, 4, "not those of 4 nodes"), (15, 5, "do not differ")])
def test_what_it_refuses(size, nodes, words):
    with pytest.raises(UserError, match=words):
        node_separation(np.ones((2, 3, size)), np.array([3, 3]), nodes)
