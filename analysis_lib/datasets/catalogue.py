"""Datasets by name: where each is looked for, who reads it, and what it must turn out to be.

What is known of a dataset stands in ``data/manifests/NAME.json``; this module only acts on it.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated

import numpy as np
import scipy

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.readers.keypoints import read_keypoints
from analysis_lib.datasets.readers.kinetics import read_kinetics
from analysis_lib.datasets.readers.msr_action3d import read_msr_action3d
from analysis_lib.datasets.readers.npz import read_npz
from analysis_lib.datasets.readers.ntu import read_ntu
from analysis_lib.datasets.readers.nw_ucla import read_nw_ucla
from analysis_lib.datasets.readers.pyskl import read_pyskl
from analysis_lib.datasets.sampling import made_splits
from analysis_lib.datasets.synthetic.infants import infants
from analysis_lib.datasets.synthetic.make import synthetic
from analysis_lib.datasets.synthetic.pictures import pictures
from analysis_lib.errors import DataError, UserError, cut, unknown_choice
from analysis_lib.files import BUILD, DATA, data_root, digest, file_digest, is_there, write_text
from analysis_lib.loading import Within, checked, checked_arguments, read_json
from analysis_lib.results.digest import canonical_json, module_digest

log = logging.getLogger(__name__)

MANIFESTS = DATA / "manifests"
CACHE = BUILD / "cache" / "datasets"

#: reader of each kind of source, called with its path and the manifest's options
READERS: Mapping[str, Callable[..., SkeletonDataset]] = {
    "nw-ucla": read_nw_ucla,
    "msr-action3d": read_msr_action3d,
    "ntu": read_ntu,
    "kinetics": read_kinetics,
}
#: what computes datasets that need no file, called with the manifest's options
GENERATORS: Mapping[str, Callable[..., SkeletonDataset]] = {
    "synthetic": synthetic,
    "infants": infants,
    "pictures": pictures,
}
#: reader of each kind of file that may be given in place of a name
FILE_READERS = {
    ".npz": read_npz,
    ".pkl": read_pyskl,
    ".pickle": read_pyskl,
    ".csv": read_keypoints,
    ".parquet": read_keypoints,
}


@dataclass(frozen=True)
class Manifest:
    """What is known of a dataset without reading it.

    Attributes
    ----------
    name, title, about : str
    obtain, licence, citation : str
        Where a person gets it, on which terms, and what to cite.
    redistribution : bool
        Whether the data may be passed on.
    reader : str
        A key of `READERS`; of `GENERATORS` if the data are computed, not read.
    places : sequence of str
        Files or folders under the data root, the first that exists is read; none if computed.
    options : mapping
        Keyword arguments of the reader.
    needs : mapping of str to list of str
        Further files, by the reader's argument that takes them: accepted places.
    classes : sequence of str
        Only these classes of what is read, numbered in this order; all, if none are given.
    test_people : sequence of int
        Subjects whose clips are tested on, with everybody else's to learn from; none keep the reader's splits.
    expected : mapping
        Verified at load: ``clips``, ``classes``, ``splits`` (sizes by name), ``lengths`` (minimum,
        median, maximum), ``fingerprint``; only those that are given.
    """

    name: Annotated[str, Within(1, 100)]
    title: str
    about: str
    obtain: str
    licence: str
    redistribution: bool
    citation: str
    reader: str
    places: Sequence[str] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    needs: Mapping[str, list[str]] = field(default_factory=dict)
    classes: Sequence[str] = ()
    test_people: Sequence[int] = ()
    expected: Mapping[str, object] = field(default_factory=dict)

    @cached_property
    def is_computed(self) -> bool:
        """Whether the dataset needs no file."""
        return not self.places

    def sources(self, root: str | Path | None = None) -> dict[str, Path]:
        """Return the path of each file or folder to read: ``path``, and the keys of ``needs``.

        Raises
        ------
        DataError
            If one is not there; the message says where it was looked for, where to get it, and
            how to point to it.
        """
        if self.is_computed:
            return {}
        wanted = {"path": self.places, **self.needs}
        return {key: self._found(data_root(root), places) for key, places in wanted.items()}

    def _found(self, root: Path, places: Sequence[str]) -> Path:
        """Return the first place that exists."""
        for place in places:
            if is_there(root / place):
                return root / place
        raise DataError(
            f"dataset '{self.name}' is not in {root} (looked for {cut(', '.join(places), 120)}). "
            f"{self.obtain} Put it there, or point --data-root or $STGBOOK_DATA to the folder "
            "above it"
        )


def dataset_names() -> list[str]:
    """Return the names of all datasets that have a manifest."""
    return sorted(path.stem for path in MANIFESTS.glob("*.json"))


def manifest(name: str) -> Manifest:
    """Return the manifest of a dataset.

    Raises
    ------
    UserError
        If there is no such dataset (the choices are listed).

    Examples
    --------
    >>> manifest("nw-ucla").expected["splits"]
    {'train': 1020, 'test': 464}
    """
    if name not in dataset_names():
        raise unknown_choice("dataset", name, [*dataset_names(), "path/to/your.npz"])
    path = MANIFESTS / f"{name}.json"
    known = checked(read_json(path), Manifest, path)
    readers, own = (GENERATORS, 0) if known.is_computed else (READERS, 1)
    if known.reader not in readers:
        raise unknown_choice(f"reader in {path}", known.reader, readers)
    given = {**known.options, **dict.fromkeys(known.needs, "")}
    checked_arguments(readers[known.reader], given, path, "options", own)
    return known


def load_dataset(
    name_or_path: str | Path, data_root: str | Path | None = None, *, verify: bool = True
) -> SkeletonDataset:
    """Return a dataset by its name, or from a file of your own.

    Parameters
    ----------
    name_or_path : str or Path
        One of `dataset_names`, or the path of an ``.npz`` (`analysis_lib.datasets.readers.npz`), of a
        PYSKL pickle (``.pkl``), or of a ``.csv`` or a folder from a pose estimator
        (`analysis_lib.datasets.readers.keypoints`).
    data_root : str or Path, optional
        Folder of raw data; else ``$STGBOOK_DATA``, else ``data/raw``.
    verify : bool
        Compare the contents with the manifest.

    Raises
    ------
    UserError
        If there is no such dataset.
    DataError
        If it is not there, cannot be read, or is not what its manifest promises; or if all
        coordinates in a file of your own are zero. Where that has no splits, one is made.
    """
    if reader := _file_reader(name_or_path):
        return _usable(reader(Path(name_or_path).expanduser()), name_or_path)
    known = manifest(str(name_or_path))
    if known.is_computed:
        dataset = _computed(known)
    else:
        dataset = READERS[known.reader](**known.sources(data_root), **known.options)
        if known.classes:
            dataset = dataset.of_classes(known.classes, known.name)
        if known.test_people:
            dataset = dataset.with_test_people(known.test_people, known.name)
    if verify:
        _verify(known, dataset)
    return dataset


def check(name: str, data_root: str | Path | None = None) -> str:
    """Return one line about a dataset that is there and as its manifest promises; else raise."""
    dataset = load_dataset(name, data_root)
    facts = _facts(dataset)
    splits = ", ".join(f"{split} {size}" for split, size in facts["splits"].items())
    shortest, median, longest = facts["lengths"]
    return (
        f"{name}: OK, {facts['clips']} clips, {facts['classes']} classes, {shortest} to {longest} "
        f"frames (median {median:g}), splits: {splits or 'none'}; {dataset.fingerprint[:12]}"
    )


def available(data_root: str | Path | None = None) -> list[str]:
    """Return the names of the datasets whose data are there (not whether they are sound)."""
    found = []
    for name in dataset_names():
        try:
            manifest(name).sources(data_root)
        except DataError:
            continue
        found.append(name)
    return found


def source_digest(name_or_path: str | Path, data_root: str | Path | None = None) -> str:
    """Return a digest of what a dataset is read from, or computed by, without reading it in.

    Digests of files are remembered under ``_build`` until a size or a time of change differs.

    Raises
    ------
    UserError, DataError
        If there is no such dataset, or it is not there.
    """
    if _file_reader(name_or_path):
        path = Path(name_or_path).expanduser()
        if not path.exists():
            raise DataError(f"{path} does not exist; expected a file of skeleton clips")
        return _remembered_digest(path)
    known = manifest(str(name_or_path))
    if known.is_computed:
        return _generator_digest(known)
    sources = known.sources(data_root)
    read = canonical_json([known.reader, dict(known.options), list(known.classes), list(known.test_people)])
    return digest(read, *(f"{key}={_remembered_digest(path)}" for key, path in sources.items()))


def _file_reader(name_or_path: str | Path) -> Callable[[Path], SkeletonDataset] | None:
    """Return the reader that the ending of a path calls for, or None for a name; a folder is of keypoints."""
    reader = FILE_READERS.get(Path(name_or_path).suffix.lower())
    path = Path(name_or_path).expanduser()
    if reader or not str(name_or_path) or str(name_or_path) in dataset_names() or not is_there(path):
        return reader
    if not path.is_dir():
        raise DataError(f"{path} is no dataset: expected a file {', '.join(FILE_READERS)}, or a folder of JSON files")
    return read_keypoints


def _usable(dataset: SkeletonDataset, path: str | Path) -> SkeletonDataset:
    """Return a dataset of the user's own with splits, if it shows anything."""
    if not any(x[..., : dataset.n_coordinates].any() for x in dataset.sequences):
        raise DataError(f"{path}: all coordinates are zero; was the array filled before it was saved?")
    if dataset.splits:
        return dataset
    splits, note = made_splits(dataset)
    return replace(dataset, splits=splits, notes=(*dataset.notes, note))


def _facts(dataset: SkeletonDataset) -> dict:
    """Return what a manifest may promise of a dataset."""
    lengths = dataset.lengths
    return {
        "clips": len(dataset),
        "classes": len(dataset.class_names),
        "splits": {name: len(index) for name, index in dataset.splits.items()},
        "lengths": [int(lengths.min()), float(np.median(lengths)), int(lengths.max())],
        "fingerprint": dataset.fingerprint,
    }


def _verify(known: Manifest, dataset: SkeletonDataset) -> None:
    """Raise DataError unless the dataset is what its manifest promises."""
    facts = _facts(dataset)
    if unknown := [key for key in known.expected if key not in facts]:
        raise unknown_choice(f"promise in the manifest of '{known.name}'", unknown[0], facts)
    differing = [
        f"{key} {facts[key]} instead of {cut(value, 80)}"
        for key, value in known.expected.items()
        if facts[key] != value
    ]
    if differing:
        raise DataError(
            f"dataset '{known.name}' is not what its manifest promises: {'; '.join(differing)}. "
            f"{known.obtain} If you mean this copy, load_dataset(..., verify=False) takes it"
        )


def _computed(known: Manifest) -> SkeletonDataset:
    """Return a dataset that needs no file, from the cache if the same code wrote it there."""
    cached = CACHE / f"{known.name}-{_generator_digest(known)[:16]}.npz"
    if cached.exists():
        try:
            return read_npz(cached)
        except DataError as error:
            log.warning("%s; it is computed anew", error)
    dataset = GENERATORS[known.reader](**known.options)
    try:
        dataset.save(cached)
        for older in CACHE.glob(f"{known.name}-{'?' * 16}.npz"):
            if older != cached:
                older.unlink(missing_ok=True)
    except UserError as error:
        log.warning("%s; the dataset is used without being kept", error)
    return dataset


def _generator_digest(known: Manifest) -> str:
    """Return a digest of all that a computed dataset depends on: options, code and libraries."""
    options = json.dumps(dict(known.options), sort_keys=True)
    code = module_digest(GENERATORS[known.reader].__module__)
    return digest(known.name, options, np.__version__, scipy.__version__, code)


def _remembered_digest(path: Path) -> str:
    """Return `file_digest`, computed again only if a name, a size or a time of change differs."""
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    stats = ((p.resolve(), p.stat()) for p in files)
    state = digest(*(f"{p} {s.st_size} {s.st_mtime_ns}" for p, s in stats))
    memory = CACHE / "source-digests.json"
    try:
        known = checked(read_json(memory), Mapping[str, str], memory)
    except DataError:
        known = {}
    if state not in known:
        known[state] = file_digest(path)
        try:
            write_text(memory, json.dumps(known, indent=1) + "\n")
        except UserError as error:
            log.warning("%s; the digest is computed anew each time", error)
    return known[state]
