"""Datasets by name: manifests, where data are looked for, what is verified, what is remembered."""

import json
import os
import zipfile

import numpy as np
import pytest

from analysis_lib.datasets import catalogue
from analysis_lib.datasets.catalogue import (
    Manifest,
    available,
    check,
    dataset_names,
    load_dataset,
    manifest,
    source_digest,
)
from analysis_lib.errors import DataError, UserError

NAMES = [
    "infants",
    "kinetics-skeleton",
    "msr-action3d",
    "ntu-120",
    "ntu-60",
    "ntu-61-120",
    "nw-ucla",
    "nw-ucla-known",
    "nw-ucla-people",
    "nw-ucla-unseen",
    "synthetic",
    "synthetic-pictures",
    "synthetic-unseen",
]


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A catalogue with a cache and manifests of its own."""
    (tmp_path / "manifests").mkdir()
    monkeypatch.setattr(catalogue, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(catalogue, "MANIFESTS", tmp_path / "manifests")
    monkeypatch.delenv("STGBOOK_DATA", raising=False)
    return Workshop(tmp_path)


class Workshop:
    """Writes manifests and raw data of a four-clip NW-UCLA."""

    def __init__(self, path):
        self.path, self.root = path, path / "raw"

    def manifest(self, name, **given):
        table = {
            "name": name,
            "title": "",
            "about": "",
            "obtain": "Ask the authors.",
            "licence": "",
            "redistribution": False,
            "citation": "",
            "reader": "nw-ucla",
        } | given
        (self.path / "manifests" / f"{name}.json").write_text(json.dumps(table))

    def raw(self, place):
        folder = self.root / place
        folder.mkdir(parents=True)
        for view in (1, 2, 3, 3):
            name = f"a01_s01_e0{len(list(folder.iterdir()))}_v0{view}"
            clip = {"skeletons": np.ones((view, 20, 3)).tolist(), "label": 1}
            (folder / f"{name}.json").write_text(json.dumps(clip))
        return folder


PLACES = ["small/all.zip", "small/all"]
EXPECTED = {"clips": 4, "classes": 10, "splits": {"train": 2, "test": 2}, "lengths": [1, 2.5, 3]}


def test_the_names():
    assert dataset_names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_manifest_says_everything(name):
    known = manifest(name)
    assert known.name == name
    for what in (known.title, known.about, known.obtain, known.licence, known.citation):
        assert len(what) > 8
        assert "\n" not in what
    assert known.expected["classes"] > 0
    if known.is_computed:
        assert known.reader in catalogue.GENERATORS
        assert known.redistribution
    else:
        assert known.reader in catalogue.READERS
        assert not known.redistribution
        assert "doi:" in known.citation


def test_manifests_and_readers_agree_on_the_names_of_splits():
    from analysis_lib.datasets.readers import ntu_tables

    for name in ("ntu-60", "ntu-120"):
        splits = ntu_tables.splits(np.ones((1, 5), int), name)
        assert set(manifest(name).expected["splits"]) == set(splits)


@pytest.mark.parametrize(("name", "total"), [("ntu-60", 56578), ("ntu-120", 113945)])
def test_the_sizes_of_ntu_splits_add_up(name, total):
    sizes = manifest(name).expected["splits"]
    assert sizes["xsub_train"] + sizes["xsub_test"] == total == manifest(name).expected["clips"]
    other = "xview" if name == "ntu-60" else "xset"
    assert sizes[f"{other}_train"] + sizes[f"{other}_test"] == total


def test_a_manifest_may_test_on_people(house):
    folder = house.raw("small/all")
    for person in (2, 3):
        clip = {"skeletons": np.ones((4, 20, 3)).tolist(), "label": 1}
        (folder / f"a01_s0{person}_e09_v01.json").write_text(json.dumps(clip))
    house.manifest("small", places=PLACES, test_people=[1, 3])
    data = load_dataset("small", house.root)
    assert data.subjects[data.splits["train"]].tolist() == [2]
    assert data.subjects[data.splits["test"]].tolist() == [1, 1, 1, 1, 3]
    before = source_digest("small", house.root)
    house.manifest("small", places=PLACES, test_people=[1])
    assert source_digest("small", house.root) != before


@pytest.mark.parametrize(
    ("people", "words"), [([7], "unknown person of 'nw-ucla' '7'"), ([1], "leave somebody to learn from")]
)
def test_people_who_are_not_there_and_nobody_else(house, people, words):
    house.raw("small/all")
    house.manifest("small", places=PLACES, test_people=people)
    with pytest.raises(UserError, match=words):
        load_dataset("small", house.root)


def test_an_unknown_name_lists_the_choices():
    with pytest.raises(UserError) as caught:
        load_dataset("nwucla")
    assert "unknown dataset 'nwucla'; did you mean 'nw-ucla'?" in str(caught.value)
    assert "path/to/your.npz" in str(caught.value)
    for function in (source_digest, check):
        with pytest.raises(UserError, match="unknown dataset 'nwucla'"):
            function("nwucla")


@pytest.mark.parametrize(
    ("name", "words"), [("", "unknown dataset ''"), ("mine.txt", "mine.txt is no dataset: expected")]
)
def test_what_is_there_and_no_dataset_is_refused(tmp_path, monkeypatch, name, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.txt").write_text("x")
    for function in (load_dataset, source_digest):
        with pytest.raises(UserError, match=words):
            function(name)


def test_a_missing_dataset_says_where_it_was_looked_for_and_the_cure(house):
    house.manifest("small", places=PLACES)
    for function in (load_dataset, source_digest, check):
        with pytest.raises(DataError) as caught:
            function("small", house.root)
        for words in (f"'small' is not in {house.root}", *PLACES, "Ask the authors.", "--data-root", "$STGBOOK_DATA"):
            assert words in str(caught.value)
        assert "\n" not in str(caught.value)
    house.manifest("far", places=["x" * 300], obtain="y" * 250)
    with pytest.raises(DataError) as caught:
        load_dataset("far", "")
    assert len(str(caught.value)) < 500


def test_the_data_root_is_the_argument_else_the_variable(house, monkeypatch):
    house.manifest("small", places=PLACES)
    house.raw("small/all")
    monkeypatch.setenv("STGBOOK_DATA", str(house.root))
    assert len(load_dataset("small")) == len(load_dataset("small", house.root)) == 4
    assert len(load_dataset("small", "")) == 4  # an empty parameter of a notebook
    with pytest.raises(DataError, match="not in"):
        load_dataset("small", house.path / "elsewhere")


def test_a_sound_dataset_is_verified_and_reported(house):
    folder = house.raw("small/all")
    fingerprint = catalogue.read_nw_ucla(folder).fingerprint
    house.manifest("small", places=PLACES, expected=EXPECTED | {"fingerprint": fingerprint})
    assert check("small", house.root) == (
        "small: OK, 4 clips, 10 classes, 1 to 3 frames (median 2.5), splits: train 2, test 2; " + fingerprint[:12]
    )


def test_zip_and_folder_are_the_same_dataset(house):
    folder = house.raw("small/all")
    house.manifest("small", places=PLACES)
    first = load_dataset("small", house.root)
    with zipfile.ZipFile(house.root / "small" / "all.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    assert manifest("small").sources(house.root)["path"].name == "all.zip"
    assert load_dataset("small", house.root).fingerprint == first.fingerprint


@pytest.mark.parametrize(
    ("key", "promised", "words"),
    [
        ("clips", 5, "clips 4 instead of 5"),
        ("classes", 11, "classes 10 instead of 11"),
        ("splits", {"train": 3, "test": 1}, "splits {'train': 2, 'test': 2} instead of {'train': 3"),
        ("lengths", [1, 2, 3], "lengths [1, 2.5, 3] instead of [1, 2, 3]"),
        ("fingerprint", "0" * 64, f"instead of {'0' * 64}"),
    ],
)
def test_what_differs_is_named_unless_it_is_meant(house, key, promised, words):
    house.raw("small/all")
    house.manifest("small", places=PLACES, expected=EXPECTED | {key: promised})
    with pytest.raises(DataError) as caught:
        load_dataset("small", house.root)
    message = str(caught.value)
    for part in ("'small' is not what its manifest promises", words, "Ask the authors.", "verify=False"):
        assert part in message
    others = {"clips", "classes", "splits", "lengths", "fingerprint"} - {key}
    assert not any(f"{other} " in message.split("promises: ")[1].split(". ")[0] for other in others)
    assert len(load_dataset("small", house.root, verify=False)) == 4


def test_a_damaged_file_is_named(house):
    house.manifest("small", places=PLACES)
    next(iter(house.raw("small/all").iterdir())).write_text("{")
    with pytest.raises(DataError, match="not valid JSON"):
        load_dataset("small", house.root)


def test_options_and_further_files_reach_the_reader(house, monkeypatch):
    house.manifest(
        "small", places=PLACES, options={"benchmark": "b"}, needs={"missing": ["list.txt", "small/list.txt"]}
    )
    folder = house.raw("small/all")
    seen, data = {}, catalogue.read_nw_ucla(folder)

    def read(path, **options):
        seen.update(options, path=path)
        return data

    monkeypatch.setattr(catalogue, "READERS", {"nw-ucla": read})
    with pytest.raises(DataError, match=r"looked for list.txt, small/list.txt"):
        load_dataset("small", house.root)
    assert available(house.root) == []
    (house.root / "small" / "list.txt").write_text("")
    load_dataset("small", house.root)
    assert seen == {"path": folder, "benchmark": "b", "missing": house.root / "small" / "list.txt"}


def test_available_names_what_is_there(house):
    house.manifest("absent", places=["nowhere"])
    house.manifest("small", places=PLACES)
    house.manifest("synthetic", reader="synthetic")
    house.raw("small/all")
    assert available(house.root) == ["small", "synthetic"]


def test_a_file_of_ones_own(house):
    path = house.path / "mine.NPZ"
    data = catalogue.read_nw_ucla(house.raw("small/all"))
    data.save(path)
    assert load_dataset(path).fingerprint == load_dataset(str(path)).fingerprint == data.fingerprint
    assert len(source_digest(path)) == 64
    for function in (load_dataset, source_digest):
        with pytest.raises(DataError, match=r"absent\.npz"):
            function(house.path / "absent.npz")


def test_the_digest_follows_the_contents(house):
    house.manifest("small", places=PLACES)
    folder = house.raw("small/all")
    first = source_digest("small", house.root)
    assert source_digest("small", house.root) == first
    path = next(iter(folder.iterdir()))
    path.write_text(path.read_text().replace("1.0", "2.0", 1))  # the size stays
    os.utime(path, (1, 1))
    second = source_digest("small", house.root)
    assert second != first
    path.write_text(path.read_text().replace("2.0", "1.0", 1))
    os.utime(path, (2, 2))
    assert source_digest("small", house.root) == first


def test_the_digest_is_remembered(house, monkeypatch):
    house.manifest("small", places=PLACES)
    house.raw("small/all")
    first = source_digest("small", house.root)
    monkeypatch.setattr(catalogue, "file_digest", lambda path: pytest.fail("computed again"))
    assert source_digest("small", house.root) == first


def test_a_memory_that_is_damaged_is_written_anew(house):
    house.manifest("small", places=PLACES)
    house.raw("small/all")
    first = source_digest("small", house.root)
    memory = house.path / "cache" / "source-digests.json"
    for text in ("{", "[]", "[3]", "3", '{"x": 1}', "\xff"):
        memory.write_text(text, encoding="latin1")
        assert source_digest("small", house.root) == first
    assert json.loads(memory.read_text())


def test_a_manifest_is_data_alone():
    known = Manifest("n", "t", "a", "o", "l", False, "c", "synthetic")
    assert known.is_computed
    assert known.sources("nowhere") == {}


@pytest.mark.parametrize("name", ["nw-ucla", "msr-action3d"])
def test_the_real_data_are_what_their_manifests_promise(real_source, name):
    real_source(name)
    assert check(name).startswith(f"{name}: OK")


def test_a_file_of_ones_own_is_given_splits_and_must_show_something(tmp_path):
    x, labels, edges = np.ones((6, 4, 3, 2)), [0, 1] * 3, [(1, 0), (2, 1)]
    np.savez(tmp_path / "mine.npz", x=x, labels=labels, edges=edges)
    data = load_dataset(tmp_path / "mine.npz")
    assert {name: index.tolist() for name, index in data.splits.items()} == {"train": [0, 1, 2, 3], "test": [4, 5]}
    assert data.notes[0].startswith("The data name no splits, so one was made: every third clip")
    np.savez(tmp_path / "zero.npz", x=0 * x, labels=labels, edges=edges)
    with pytest.raises(DataError, match=r"zero\.npz: all coordinates are zero"):
        load_dataset(tmp_path / "zero.npz")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"reader": "x"}, "unknown reader in .*small.json 'x'"),
        ({"options": {"colour": 1}}, "unknown entry of options 'colour'"),
        ({"needs": {"../x": ["a"]}}, "unknown entry of options '../x'"),
        ({"reader": "synthetic", "places": [], "options": {"seed": "a"}}, "'options.seed' must be a whole number"),
        ({"places": 3}, "'places' must be a list"),
        ({"expected": {"x": 1}}, "unknown promise in the manifest of 'small' 'x'"),
    ],
)
def test_a_manifest_that_asks_for_what_is_not_there(house, given, words):
    house.manifest("small", **{"places": PLACES} | given)
    house.raw(PLACES[0])
    with pytest.raises(UserError, match=words):
        load_dataset("small", house.root)
