"""Computed datasets: kept under the digest of what made them, and mended when the copy is bad."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from analysis_lib.datasets import catalogue
from analysis_lib.datasets.catalogue import check, load_dataset, source_digest
from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.skeletons.layouts import NTU_25


class Kept:
    """A catalogue with a cache of its own, and a small generator that notes how it is called."""

    def __init__(self, path):
        self.path, self.calls = path, []

    def generate(self, **options):
        self.calls.append(options)
        rng = np.random.default_rng(options.get("seed", 0))
        clips = rng.normal(size=(3, 1, 50, 25, 3))
        return SkeletonDataset("synthetic", NTU_25, tuple(clips), [0, 0, 0], ("only",))

    def manifest(self, name, **options):
        table = dict.fromkeys(["title", "about", "obtain", "licence", "citation"], "")
        table |= {"name": name, "redistribution": True, "reader": "synthetic", "options": options}
        (self.path / f"{name}.json").write_text(json.dumps(table))


@pytest.fixture
def kept(tmp_path, monkeypatch):
    made = Kept(tmp_path)
    monkeypatch.setattr(catalogue, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(catalogue, "MANIFESTS", tmp_path)
    monkeypatch.setitem(catalogue.GENERATORS, "synthetic", made.generate)
    return made


def test_a_computed_dataset_is_kept_and_read_again(kept):
    kept.manifest("synthetic", seed=3)
    first = load_dataset("synthetic")
    again = load_dataset("synthetic")
    assert kept.calls == [{"seed": 3}]
    assert again.fingerprint == first.fingerprint
    assert again.skeleton == first.skeleton


def test_another_seed_or_other_code_is_computed_and_the_old_file_goes(kept, monkeypatch):
    kept.manifest("synthetic", seed=3)
    kept.manifest("synthetic-more", seed=3)
    digests = {source_digest("synthetic"), source_digest("synthetic-more")}
    load_dataset("synthetic")
    load_dataset("synthetic-more")
    kept.manifest("synthetic", seed=4)
    digests.add(source_digest("synthetic"))
    load_dataset("synthetic")
    monkeypatch.setattr(catalogue, "module_digest", lambda name: "other code")
    digests.add(source_digest("synthetic"))
    load_dataset("synthetic")
    assert len(digests) == 4
    assert len(kept.calls) == 4
    assert len(list((kept.path / "cache").glob("*.npz"))) == 2


def test_a_damaged_cache_is_computed_anew(kept, caplog):
    kept.manifest("synthetic")
    first = load_dataset("synthetic")
    (cached,) = (kept.path / "cache").glob("*.npz")
    cached.write_bytes(cached.read_bytes()[:1000])
    with caplog.at_level(logging.WARNING):
        assert load_dataset("synthetic").fingerprint == first.fingerprint
    assert "computed anew" in caplog.text
    assert load_dataset("synthetic").fingerprint == first.fingerprint
    assert len(kept.calls) == 2


def test_a_cache_that_cannot_be_written_is_done_without(kept, caplog):
    kept.manifest("synthetic")
    (kept.path / "cache").write_text("a file in the way")
    with caplog.at_level(logging.WARNING):
        assert len(load_dataset("synthetic")) == 3
    assert "without being kept" in caplog.text


def test_two_runs_at_once_both_get_the_dataset(kept):
    kept.manifest("synthetic")
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: load_dataset("synthetic").fingerprint, range(2)))
    assert len(set(both)) == 1
    assert len(list((kept.path / "cache").iterdir())) == 1


@pytest.mark.parametrize("name", ["synthetic", "synthetic-unseen", "synthetic-pictures", "infants"])
def test_the_synthetic_data_are_what_their_manifests_promise(name):
    assert check(name).startswith(f"{name}: OK")
