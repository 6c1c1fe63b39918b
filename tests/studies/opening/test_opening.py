"""The opening quotes what chapters recorded, and draws a graph of a few clips."""

import numpy as np
import pandas as pd
import pytest
from notebooks import record

from analysis_lib.chapters import recorded
from analysis_lib.datasets.catalogue import load_dataset
from analysis_lib.geometry.smoothness import label_smoothness
from analysis_lib.networks.checkpoints import load_checkpoint
from analysis_lib.studies.opening import words
from analysis_lib.studies.opening.figures import plot_method
from analysis_lib.studies.opening.tables import answer_table, few_clips, verdict_table


@pytest.fixture
def published(tmp_path, monkeypatch):
    """An edition of which two chapters have answered, and the claims were judged."""
    monkeypatch.setattr(recorded, "PUBLISHED", tmp_path)
    monkeypatch.delenv(recorded.BUILT, raising=False)
    for chapter, text in (("noise", "It *shakes*."), ("transfer", "All of them.")):
        said = {"kind": ["answer", "claim"], "text": [text, "it helps"], "verdict": ["", "holds"]}
        record(tmp_path / "mine", chapter, answer=pd.DataFrame(said))
    ids, editions = ["G1", "G1", "G2", "G1"], ["mine", "mine", "mine", "nw-ucla"]
    verdicts = ["holds", "holds", "cannot be tested here", "does not hold"]
    record(tmp_path / "mine", "claims", table=pd.DataFrame({"id": ids, "edition": editions, "verdict": verdicts}))


def test_what_chapters_answered_is_quoted_and_leads_to_them(published):
    answers = answer_table("mine", ["noise", "smoothness", "transfer"])
    claim = '   - <span class="verdict verdict-holds">holds</span> it helps'
    assert words.findings(answers).splitlines() == [
        "1. **[Noise](noise)**: It *shakes*.",
        claim,
        "1. **[Transfer](transfer)**: All of them.",
        claim,
    ]
    assert words.findings(answers[:0]) == "No chapter has been run yet."


def test_claims_are_counted_once_and_only_where_they_were_tested(published):
    found = verdict_table("mine")
    assert found.values.tolist() == [
        ["G1", "mine", "holds"],
        ["G2", "mine", "cannot be tested here"],
        ["G1", "NW-UCLA", "does not hold"],
    ]
    said = "Of what the papers claim and can be tested here, 1 of 1 hold on mine and 0 of 1 hold on NW-UCLA."
    assert words.answer(found) == said
    assert words.answer(verdict_table("no edition")).startswith("Nothing can be said yet")


def test_the_picture_shows_the_graph_and_the_label_variation_of_its_clips():
    network, data = load_checkpoint("synthetic"), load_dataset("synthetic").split("test")
    few, layers = few_clips(network, data)
    assert np.bincount(np.unique(few.labels, return_inverse=True)[1]).tolist() == [4, 4, 4]
    *_, graph, curve = plot_method(few, layers).axes[:5]
    weights = np.triu(layers[-1].graph.toarray())
    apart = sum(few.labels[i] != few.labels[j] for i, j in zip(*np.nonzero(weights), strict=True))
    assert sum(line.get_linestyle() == "--" for line in graph.lines) == apart
    shares = [label_smoothness(layer.graph, few.labels).mean() for layer in layers[1:]]
    assert curve.lines[0].get_ydata().tolist() == pytest.approx(shares)
