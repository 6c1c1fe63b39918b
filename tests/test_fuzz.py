"""Damaged files, a few at every door (`make fuzz` has many); and the fuzz itself sees what it is there to see."""

import random
import subprocess
import sys

import fuzz
import numpy as np
import pytest
from damage import mutated

from analysis_lib.errors import DataError


def test_what_comes_in_is_sound_or_one_line():
    """In a process of its own, as it forks."""
    done = subprocess.run([sys.executable, fuzz.__file__, "-n", "300"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].split()[-1] == "0"


def refuse(path):
    raise DataError(path.read_text())


@pytest.mark.parametrize(
    ("read", "outcome"),
    [
        (lambda path: {"a": [np.zeros(2), "text", 1.0, None]}, "accepted"),
        (lambda path: {"a": [np.array([0, np.nan])]}, "fault"),
        (lambda path: (float("inf"),), "fault"),
        (lambda path: {}["a"], "fault"),
        (lambda path: sys.exit(1), "fault"),
        (lambda path: refuse(path.with_name("line")), "refused"),
        (lambda path: refuse(path.with_name("lines")), "fault"),
    ],
)
def test_each_outcome_is_told_from_the_others(read, outcome):
    def write(folder):
        (folder / "line").write_text("a line")
        (folder / "lines").write_text("many words " * 60)
        return fuzz._json_file("a.json", {"a": 1})(folder)

    assert fuzz.attempt(fuzz.Door(write, read), "0")[0] == outcome


@pytest.mark.parametrize("name", ["card", "npz", "zip", "weights", "keypoints", "infants' table", "queue's notes"])
def test_a_seed_gives_the_same_damage_again(tmp_path, name):
    path = fuzz.DOORS[name].write(tmp_path)
    raw = path.read_bytes()
    found = [mutated(raw, path.suffix, random.Random(seed)) for seed in [*range(20), *range(20)]]
    assert found[:20] == found[20:]
    assert len(set(found)) > 15
