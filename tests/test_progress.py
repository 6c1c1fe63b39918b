"""A bar is seen only if it is asked for, and is one of those that pages leave out."""

import pytest

from analysis_lib.progress import TOLD, progress_bar
from analysis_lib.publishing.page import tidy_notebook


@pytest.mark.parametrize("unit", ["it", "pair"])
def test_a_bar_counts_and_is_left_out_of_pages(capsys, unit):
    assert list(progress_bar(range(3), "letters", False)) == [0, 1, 2]
    assert capsys.readouterr().err == ""
    assert list(progress_bar(range(3), "letters", unit=unit)) == [0, 1, 2]
    with progress_bar(None, "pairs", True, 20_000, unit) as shown:
        shown.update(20_000)
    seen = capsys.readouterr().err
    assert "letters: " in seen
    outputs = [{"output_type": "stream", "name": "stderr", "text": seen}]
    cell = {"cell_type": "code", "metadata": {}, "source": "", "outputs": outputs}
    assert tidy_notebook({"cells": [cell], "metadata": {}})["cells"][0]["outputs"] == []


def test_open_bars_are_told_the_outermost_first(tmp_path, monkeypatch, capsys):
    told = tmp_path / "told"
    monkeypatch.setenv(TOLD, str(told))
    with progress_bar(None, "layers", total=4) as layers, progress_bar(None, "pairs", True, 20_000, "pair") as pairs:
        layers.update(3)
        pairs.update(5000)
        layers.refresh()
        assert told.read_text() == "layers 75 %, pairs 25 %"
        pairs.close()
        assert told.read_text() == "layers 75 %"
        for _ in progress_bar(iter("ab"), "letters", False):
            assert told.read_text() == "layers 75 %, letters 0"
    assert told.read_text() == ""
    assert capsys.readouterr().err.strip() == ""
