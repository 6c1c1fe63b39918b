"""The six clips: what is counted by hand here is what the page says."""

import pytest

from analysis_lib.geometry.smoothness import label_smoothness
from analysis_lib.studies.smoothness import by_hand


def test_the_label_variation_is_what_a_reader_counts():
    """A: three edges of 0.5 within, seen from both ends, and 0.25 and 0.5 that leave; B: two within, the same leave."""
    assert label_smoothness(by_hand.weights(), by_hand.LABELS) == pytest.approx([0.75 / 3.75, 0.75 / 2.75])
    assert "0.75 / 3.75 = 0.20" in by_hand.sentence(by_hand.weights())


def test_every_edge_is_drawn_with_its_weight():
    axes = by_hand.picture(by_hand.weights()).axes[0]
    dashed = [line for line in axes.lines if line.get_linestyle() == "--"]
    assert len(dashed) == 2
    assert sorted(t.get_text() for t in axes.texts if t.get_text() not in "AB") == sorted(
        f"{w:g}" for w in by_hand.EDGES.values()
    )
