"""NTU tables: the published counts, names and super-classes in step, splits that divide."""

import numpy as np
import pytest

from analysis_lib.datasets.readers import ntu_tables as tables


def test_the_tables_have_the_published_counts():
    assert len(set(tables.ACTIONS)) == 120
    parts = ("upper body", "lower body", "full body")
    assert [tables.GROUPS[:60].count(part) for part in parts] == [50, 6, 4]
    assert [tables.GROUPS[60:].count(part) for part in parts] == [49, 4, 7]
    assert len(set(tables.TRAIN_SUBJECTS_60)) == 20
    assert len(set(tables.TRAIN_SUBJECTS_120)) == 53
    assert {s for s in tables.TRAIN_SUBJECTS_120 if s <= 40} == set(tables.TRAIN_SUBJECTS_60)
    assert len(tables.TRAIN_SETUPS) == 16


@pytest.mark.parametrize(
    ("action", "name", "group"),
    [
        (1, "drink water", "upper body"),
        (16, "put on a shoe", "upper body"),
        (24, "kicking something", "lower body"),
        (27, "jump up", "lower body"),
        (43, "falling down", "full body"),
        (44, "headache", "upper body"),
        (48, "nausea or vomiting", "upper body"),
        (51, "kicking other person", "lower body"),
        (59, "walking towards each other", "lower body"),
        (67, "hush", "upper body"),
        (73, "staple book", "upper body"),
        (80, "squat down", "full body"),
        (92, "move heavy objects", "full body"),
        (99, "running on the spot", "full body"),
        (102, "side kick", "lower body"),
        (104, "stretch oneself", "full body"),
        (111, "step on foot", "lower body"),
        (116, "follow other person", "full body"),
        (120, "rock-paper-scissors", "upper body"),
    ],
)
def test_names_and_super_classes_are_in_step(action, name, group):
    assert (tables.ACTIONS[action - 1], tables.GROUPS[action - 1]) == (name, group)


@pytest.mark.parametrize("benchmark", tables.BENCHMARKS)
def test_splits_divide_the_clips(rng, benchmark):
    first, last = tables.BENCHMARKS[benchmark]
    code = np.stack([rng.integers(1, n, 500) for n in (33, 4, 107, 3)], axis=1)
    code = np.column_stack([code, rng.integers(first, last + 1, 500)])
    splits = tables.splits(code, benchmark)
    for name in {split.rsplit("_", 1)[0] for split in splits}:
        both = np.concatenate([splits[f"{name}_train"], splits[f"{name}_test"]])
        n = np.flatnonzero(code[:, 4] > 60) if name == "transfer" else np.arange(500)
        assert sorted(both.tolist()) == n.tolist()
