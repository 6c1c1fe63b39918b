"""Editions: one choice of dataset and model for the whole book.

An edition is a JSON file: a shipped one in ``data/editions``, or your own, given by its path::

    {"name": "mine", "title": "My actions", "dataset": "clips.npz", "model": "nets.small:make",
     "chapters": {"smoothness": {"n_per_class": 20}}}

``dataset`` is the name of a dataset or a ``.npz`` file of yours; ``model`` the name of a shipped
checkpoint, the path of one, ``package.module:factory`` or ``file.py:factory``. Paths are relative to the JSON file.
``beside`` may list recorded editions whose curves are drawn beside one's own, ``seconds`` how long chapters take.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

from analysis_lib.chapters.chapter import Chapter, chapter_names
from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.files import ROOT, is_there
from analysis_lib.loading import Name, Within, checked, read_json

DEFAULT = "synthetic"

_Place = Annotated[str, Within(1, 4096)]
_RESERVED = ("html", "cache", "store")  # folders of _build that are no edition's


@dataclass(frozen=True)
class Edition:
    """A dataset, a model, what single chapters set otherwise than by default, and what is drawn beside.

    ``seconds``: about how long chapters take on two cores, for those that have not run on a machine yet.
    """

    name: Name
    title: Name
    dataset: _Place
    model: _Place
    chapters: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    beside: Sequence[Name] = ()
    seconds: Mapping[Name, Annotated[float, Within(0, 1e6)]] = field(default_factory=dict)

    def parameters(self, chapter: Chapter, given: Mapping[str, object] | None = None) -> dict[str, object]:
        """Return every parameter of ``chapter`` in this edition; ``given`` wins over the edition.

        What the edition sets for its dataset is no use to another: if that is given, the chapter's defaults hold.
        A chapter of several ``models`` is given the edition's own and all that were trained on the dataset. One that
        by itself is about another dataset than the default edition's stays with it, and with its network.

        Raises
        ------
        UserError
            If the edition or ``given`` names a parameter that the chapter has not, or a value of
            another type.
        """
        declared = {p.name: p.default for p in chapter.parameters}
        given = given or {}
        if declared.get("dataset", DEFAULT) != DEFAULT:
            return chapter.resolve({**self.chapters.get(chapter.name, {}), **given})
        shared = {"dataset": self.dataset, "model": self.model, "edition": self.name}
        settings: Mapping[str, object] = {}
        dataset = given.get("dataset", self.dataset)
        if dataset == self.dataset:
            shared["beside"], settings = list(self.beside), self.chapters.get(chapter.name, {})
        if "models" in declared:
            shared["models"] = _networks(str(dataset), [self.model] if dataset == self.dataset else [])
        own = {name: value for name, value in shared.items() if name in declared}
        return chapter.resolve({**own, **settings, **given})


def _networks(dataset: str, first: Sequence[str]) -> list[str]:
    """Return these networks, and then the others that were trained on a dataset: of several seeds, one."""
    from analysis_lib.networks.checkpoints import trained_on
    from analysis_lib.networks.training.recipes import one_of_seeds

    return one_of_seeds(dict.fromkeys([*first, *trained_on(dataset)]))


def edition_names(root: str | Path = ROOT) -> list[str]:
    """Return the names of the shipped editions."""
    return sorted(path.stem for path in (Path(root) / "data" / "editions").glob("*.json"))


def edition_title(name: str) -> str:
    """Return what an edition is called; a dataset of none by its manifest's title, what is not shipped by its name.

    >>> edition_title("nw-ucla"), edition_title("infants"), edition_title("mine")
    ('NW-UCLA', 'generated infants', 'mine')
    """
    from analysis_lib.datasets.catalogue import dataset_names, manifest

    if name in edition_names():
        return load_edition(name).title
    return manifest(name).title if name in dataset_names() else name


def told_of(tested: Mapping[str, int]) -> list[str]:
    """Return the two editions, at most, whose counts an answer gives: the first that tested any claim, and the next
    that tested half as many at least.

    >>> told_of({"new": 0, "mine": 36, "few": 4, "nw-ucla": 33, "other": 30}), told_of({})
    (['mine', 'nw-ucla'], [])
    """
    first = next(filter(None, tested.values()), 0)
    return [name for name, n in tested.items() if n and 2 * n >= first][:2]


def load_edition(name: str | Path, root: str | Path = ROOT) -> Edition:
    """Return a shipped edition by name, or one of yours by the path of its JSON file.

    Raises
    ------
    UserError
        If there is no such edition (the choices are listed), or its file is not as the module's
        first lines say.

    Examples
    --------
    >>> load_edition("nw-ucla").dataset
    'nw-ucla'
    """
    path, shipped = Path(name), edition_names(root)
    if path.suffix != ".json":
        if str(name) not in shipped:
            raise unknown_choice("edition", str(name), [*shipped, "path/to/your.json"])
        return _read(Path(root) / "data" / "editions" / f"{name}.json", root)
    edition = _read(path, root)
    if edition.name in shipped and path.resolve().parent != _folder(root):
        raise UserError(f"{path}: '{edition.name}' is the name of a shipped edition; choose another")
    return edition


def _folder(root: str | Path) -> Path:
    return (Path(root) / "data" / "editions").resolve()


def _read(path: Path, root: str | Path) -> Edition:
    """Return the edition that a JSON file describes."""
    given = checked(read_json(path, "edition"), Edition, path.name)
    _check_name(path, given.name)
    chapters = chapter_names(root)
    for name in [*given.chapters, *given.seconds]:
        if name not in chapters:
            raise unknown_choice(f"chapter in edition {path.name}", name, chapters)
    return replace(given, dataset=_beside(path, given.dataset), model=_beside(path, given.model))


def _check_name(path: Path, name: str) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name) or name in _RESERVED:
        raise UserError(
            f"{path.name}: name {name!r} must be lower-case letters, digits, '-', '_' or '.', "
            f"and none of {', '.join(_RESERVED)}: it names a folder"
        )


def _beside(path: Path, value: str) -> str:
    """Return ``value`` as a path from here, if it is one, or ``file.py:factory``, that is there beside the JSON."""
    file = value.rpartition(":")[0] if ".py:" in value else value
    looks_like_a_path = "/" in file or Path(file).suffix
    return str(path.parent / value) if looks_like_a_path and is_there(path.parent / file) else value
