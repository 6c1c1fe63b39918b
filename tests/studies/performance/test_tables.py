"""Tables and figures of recorded measurements."""

import json

import numpy as np
import pytest

from analysis_lib.errors import DataError
from analysis_lib.studies.performance import overviews
from analysis_lib.studies.performance.figures import plot_growth, plot_speed
from analysis_lib.studies.performance.tables import (
    growth_exponents,
    growth_table,
    load_bench,
    nnk_table,
    speed_table,
    values_table,
)

pytestmark = pytest.mark.usefixtures("drawn_whole")


def shape(frames, features, ours, peer_clips=10):
    """Return a case of 10 clips: the floor is 2 s + 1 s, ours as given; of two tslearn, 8 s."""
    return {
        "frames": frames,
        "features": features,
        "clips": 10,
        "windows": 4,
        "operations": 200,
        "cells": 10,
        "floor": {"operations": {"work": 100, "seconds": [1, 1, 7]}, "cells": {"work": 40, "seconds": [4, 4, 4]}},
        "methods": [
            {"name": "windowed_dtw", "how": "a", "clips": 10, "seconds": ours, "gap": None},
            {"name": "windowed_dtw, by path length", "how": "b", "clips": 10, "seconds": [6], "gap": None},
            {"name": "tslearn", "how": "1", "clips": 10, "seconds": [9, 8, 3], "gap": 1e-6},
            {"name": "tslearn", "how": "2", "clips": 10, "seconds": [9], "gap": 1e-6},
            {"name": "aeon", "how": "3", "clips": peer_clips, "seconds": [40], "gap": 2e-6},
        ],
    }


def weights(nodes, candidates):
    return {
        "kernel": "Gaussian",
        "nodes": nodes,
        "candidates": candidates,
        "ridged": 1,
        "duplicates": 0,
        "violation": 2e-9,
        "methods": [
            {"name": "nnk_weights", "seconds": [2, 1, 9], "above": 0.0, "below": 0.0},
            {"name": "nnls", "seconds": [30], "above": 1e-3, "below": 0.0},
        ],
    }


def size(clips, seconds, computed):
    return {
        "clips": clips,
        "frames": 13,
        "features": 64,
        "neighbours": 5,
        "pairs": clips * (clips - 1) // 2,
        "computed": computed,
        "methods": [
            {"name": "windowed_dtw_knn", "seconds": [seconds]},
            {"name": "windowed_dtw", "seconds": [clips**2 / 1e6]},
        ],
    }


def values(explained, error):
    """Return a case in which captum, with ``error``, is twice as fast as ours."""
    return {
        "explained": explained,
        "clips": 4,
        "frames": 60,
        "joints": 25,
        "classes": 20,
        "evaluations": 200,
        "methods": [
            {"name": "JointShapley", "how": "a", "seconds": [4, 3, 9], "error": 0.1},
            {"name": "captum, sampling", "how": "b", "seconds": [2], "error": error},
        ],
    }


@pytest.fixture
def record():
    return {
        "format": 1,
        "dtw": [shape(52, 60, [4, 6, 5]), shape(16, 5120, [4], 4)],
        "nnk": [weights(500, 15), weights(2000, 15)],
        "growth": [size(100, 0.1, 990), size(400, 0.8, 3990)],
        "shapley": [values("one class", 0.3), values("all classes", 0.2)],
    }


def test_what_was_written_is_read_here_or_in_the_project(record, tmp_path, monkeypatch):
    path = tmp_path / "bench.json"
    path.write_text(json.dumps(record))
    assert load_bench(path) == record
    monkeypatch.setattr("analysis_lib.studies.performance.tables.ROOT", tmp_path)
    assert load_bench("bench.json") == record


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"cannot read .*bench\.json: No such file.*; make bench writes one"),
        ("{", r"bench\.json is not valid JSON: "),
        ("[]", r"expected a bench record of format 1, got None; make bench writes one"),
        ('{"format": 2}', r"expected a bench record of format 1, got 2"),
    ],
)
def test_what_is_no_record_is_refused(tmp_path, text, message):
    path = tmp_path / "bench.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DataError, match=message):
        load_bench(path)


def test_a_part_that_was_not_measured_is_named(record):
    del record["growth"]
    with pytest.raises(DataError) as error:
        growth_table(record)
    assert str(error.value) == ("the record has no part 'growth', only dtw, nnk, shapley; make bench measures all")


def test_speed_by_hand(record):
    table = speed_table(record)
    first = table[table["frames"] == 52].set_index("method")
    assert list(first.index) == ["floor", "windowed_dtw", "windowed_dtw, by path length", "tslearn", "aeon"]
    assert first["seconds"].tolist() == [3, 5, 6, 8, 40]
    assert first["times"].tolist() == pytest.approx([0.6, 1, 1.2, 1.6, 8])
    assert first["of_floor"].tolist() == pytest.approx([1, 0.6, 0.5, 0.375, 0.075])
    assert first.loc["tslearn", "how"] == "1"
    assert first["runs"].tolist() == [3, 3, 1, 3, 1]
    second = table[table["frames"] == 16].set_index("method").loc["aeon"]
    assert second["seconds"] == pytest.approx(40 * 90 / 12)  # 4 clips have 6 pairs of the 45
    assert (second["measured"], second["clips"], second["gap"]) == (4, 10, 2e-6)


def test_the_fastest_setting_counts_after_scaling(record):
    record["dtw"][0]["methods"][2]["clips"] = 5  # now 8 s for 10 pairs of 45
    assert speed_table(record).set_index("method").loc["tslearn", "how"].iloc[0] == "2"


def test_weights_and_growth_by_hand(record):
    nnk = nnk_table(record)
    assert nnk["times"].tolist() == [1, 15, 1, 15]
    assert nnk[["above", "ridged", "violation"]].iloc[1].tolist() == [1e-3, 1, 2e-9]
    growth = growth_table(record)
    assert growth["share"].tolist() == pytest.approx([0.2, 0.2, 0.05, 0.05])
    assert growth["times"].tolist() == pytest.approx([1, 0.1, 1, 0.2])
    assert growth_exponents(growth).to_dict() == pytest.approx(
        {"windowed_dtw_knn": np.log(8) / np.log(4), "windowed_dtw": 2}
    )


def test_values_are_timed_to_our_error_by_hand(record):
    table = values_table(record)
    assert table["explained"].tolist() == ["one class"] * 2 + ["all classes"] * 2
    assert table["seconds"].tolist() == pytest.approx([4, 2 * 9, 4, 2 * 4])
    assert table["times"].tolist() == pytest.approx([1, 4.5, 1, 2])
    assert table["error"].tolist() == [0.1, 0.3, 0.1, 0.2]


def test_growth_of_one_size_is_refused(record):
    with pytest.raises(DataError, match=r"^growth needs at least two numbers of clips, got one$"):
        growth_exponents(growth_table({**record, "growth": record["growth"][:1]}))


def test_tables_for_people(record):
    speed = overviews.speed_overview(speed_table(record))
    assert speed.loc["16 × 5120"].to_dict() == {
        "windowed_dtw": "4.00 s",
        "floor": "3.00 s",
        "floor, of ours": "75\u202f%",
        "windowed_dtw, by path length": "1.5×",
        "tslearn": "2.0×",
        "aeon": "75×*",
    }
    nnk = overviews.nnk_overview(nnk_table(record))
    assert nnk.loc[("Gaussian", 2000, 15)].to_dict() == {
        "nnk_weights": "2.00 s",
        "nnls": "15×",
        "excess, nnls": "0.001",
        "nodes with a ridge": 1,
        "KKT": "2 × 10⁻⁹",
    }
    values = overviews.values_overview(values_table(record))
    assert values.loc["one class"].to_dict() == {"JointShapley": "4.00 s", "captum, sampling": "4.5×"}
    growth = overviews.growth_overview(growth_table(record))
    assert growth.loc[400].to_dict() == {
        "windowed_dtw_knn": "800 ms",
        "windowed_dtw": "160 ms",
        "pairs": "79,800",
        "computed": "5.0\u202f%",
    }


def test_the_speed_figure_shows_its_table(record):
    left, right = plot_speed(speed_table(record)).axes
    assert [t.get_text() for t in left.get_yticklabels()] == ["52 × 60", "16 × 5120"]
    legend = [t.get_text() for t in left.get_legend().get_texts()]
    assert legend == ["floor of this machine", "windowed_dtw", "tslearn", "aeon"]
    dots = [tuple(d) for c in left.collections for d in c.get_offsets().tolist()]
    assert {(3, 0), (5, 0), (8, 0), (40, 0), (3, 1), (4, 1), (8, 1), (300, 1)} == set(dots)
    hollow = [c for c in left.collections if len(c.get_offsets()) and (c.get_facecolor() == 1).all()]
    assert [c.get_offsets().tolist() for c in hollow] == [[[300, 1]]]
    shares = sorted(x for c in right.collections for x, _ in c.get_offsets().tolist())
    assert shares == pytest.approx([0.5, 0.5, 0.6, 0.75])
    assert {"60\u202f%", "75\u202f%", "50\u202f%"} == {t.get_text() for t in right.texts}


def test_the_growth_figure_shows_its_table(record):
    left, right = plot_growth(growth_table(record)).axes
    curves = {line.get_label(): line.get_ydata().tolist() for line in left.get_lines()}
    assert curves == {
        "windowed_dtw_knn: grows as 𝑛 to the 1.5": [0.1, 0.8],
        "windowed_dtw: grows as 𝑛 to the 2.0": pytest.approx([0.01, 0.16]),
    }
    (share,) = right.get_lines()
    assert share.get_ydata().tolist() == pytest.approx([0.2, 0.05])
    assert [t.get_text() for t in right.texts] == ["20\u202f%", "5.0\u202f%"]
