"""Editions: the shipped ones, one's own, and what they do to a chapter's parameters."""

import json

import pytest
from notebooks import write_chapter

from analysis_lib.chapters.chapter import chapter_names, load_chapter
from analysis_lib.chapters.editions import Edition, edition_names, load_edition
from analysis_lib.datasets.catalogue import manifest
from analysis_lib.errors import UserError

MINE = {
    "name": "mine",
    "title": "Mine",
    "dataset": "clips.npz",
    "model": "nets.small:make",
    "chapters": {"smoothness": {"n": 7}},
}


@pytest.fixture
def root(tmp_path):
    write_chapter(tmp_path, "smoothness")
    folder = tmp_path / "data" / "editions"
    folder.mkdir(parents=True)
    shipped = {"name": "synthetic", "title": "S", "dataset": "synthetic", "model": "synthetic"}
    (folder / "synthetic.json").write_text(json.dumps(shipped))
    return tmp_path


def written(root, **changes):
    path = root / "own" / "edition.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({k: v for k, v in {**MINE, **changes}.items() if v is not None}))
    return path


def test_the_shipped_editions_are_sound():
    assert edition_names() == [
        "kinetics-skeleton",
        "ntu-60",
        "nw-ucla",
        "nw-ucla-known",
        "nw-ucla-padded",
        "nw-ucla-people",
        "synthetic",
        "synthetic-pictures",
    ]
    for name in edition_names():
        assert load_edition(name).name == name


@pytest.mark.parametrize("name", edition_names())
@pytest.mark.parametrize("chapter", chapter_names())
def test_chapters_ask_for_splits_that_the_dataset_has(name, chapter):
    edition = load_edition(name)
    parameters, known = edition.parameters(load_chapter(chapter)), manifest(edition.dataset).expected.get("splits")
    asked = {value for key, value in parameters.items() if key.endswith("split")}
    assert known is None or parameters.get("dataset") != edition.dataset or asked <= set(known)


def test_an_edition_sets_dataset_and_model_where_a_chapter_has_them(root):
    edition = load_edition(written(root), root)
    chapter = load_chapter("smoothness", root)
    assert edition.parameters(chapter) == {"n": 7, "dataset": "clips.npz", "data_root": ""}


def test_a_chapter_may_ask_for_the_edition_s_name(root):
    write_chapter(root, "sum", parameters="edition: str = 'x'  # edition")
    edition = load_edition(written(root), root)
    assert edition.parameters(load_chapter("sum", root)) == {"edition": "mine"}


def test_a_chapter_of_several_networks_is_given_those_that_were_trained_on_the_dataset(root):
    write_chapter(root, "sum", parameters="dataset: str = 'synthetic'  # data\nmodels: list[str] = []  # networks")
    edition, chapter = load_edition(written(root), root), load_chapter("sum", root)
    assert edition.parameters(chapter)["models"] == ["nets.small:make"]
    assert edition.parameters(chapter, {"dataset": "nw-ucla-known"})["models"] == ["nw-ucla-known"]
    assert edition.parameters(chapter, {"models": ["mine"]})["models"] == ["mine"]
    seeds = edition.parameters(chapter, {"dataset": "synthetic"})["models"]  # of several seeds the first
    assert "synthetic" in seeds
    assert not [name for name in seeds if "seed" in name]


def test_what_is_given_wins_over_the_edition(root):
    edition = load_edition(written(root), root)
    chapter = load_chapter("smoothness", root)
    assert edition.parameters(chapter, {"n": "8", "dataset": "x"})["n"] == 8
    assert edition.parameters(chapter, {"dataset": "x"})["dataset"] == "x"


def test_what_an_edition_sets_for_its_dataset_is_no_use_to_another(root):
    write_chapter(
        root, "smoothness", parameters="n: int = 3  # n\ndataset: str = 'synthetic'  # d\nbeside: list[str] = []  # b"
    )
    edition = load_edition(written(root, beside=["nw-ucla"]), root)
    chapter = load_chapter("smoothness", root)
    assert edition.parameters(chapter) == {"n": 7, "dataset": "clips.npz", "beside": ["nw-ucla"]}
    assert edition.parameters(chapter, {"dataset": "x.npz"}) == {"n": 3, "dataset": "x.npz", "beside": []}
    assert edition.parameters(chapter, {"dataset": "clips.npz"})["n"] == 7


def test_a_file_beside_the_json_is_found_from_anywhere(root):
    path = written(root, model="net.json")
    (path.parent / "clips.npz").touch()
    edition = load_edition(path, root)
    assert edition.dataset == str(path.parent / "clips.npz")
    assert edition.model == "net.json"
    (path.parent / "nets.py").touch()
    assert load_edition(written(root, model="nets.py:make"), root).model == str(path.parent / "nets.py:make")


def test_a_chapter_about_another_dataset_stays_with_it_and_its_network(root):
    own = "dataset: str = 'infants'  # d\nmodel: str = 'infants'  # m\nbeside: list[str] = []  # b"
    write_chapter(root, "smoothness", parameters=own)
    edition, chapter = load_edition(written(root, chapters={}), root), load_chapter("smoothness", root)
    assert edition.parameters(chapter) == {"dataset": "infants", "model": "infants", "beside": []}
    assert edition.parameters(chapter, {"dataset": "mine.npz"})["dataset"] == "mine.npz"


def test_a_folder_that_has_a_dataset_s_name_is_not_taken_for_it(root):
    path = written(root, dataset="synthetic")
    (path.parent / "synthetic").mkdir()
    assert load_edition(path, root).dataset == "synthetic"


def test_an_edition_with_a_parameter_that_the_chapter_has_not_is_refused(root):
    edition = Edition("e", "E", "d", "m", {"smoothness": {"k": 1}})
    with pytest.raises(UserError, match="unknown parameter of chapter 'smoothness' 'k'"):
        edition.parameters(load_chapter("smoothness", root))


def test_an_unknown_edition_lists_the_choices(root):
    with pytest.raises(UserError) as error:
        load_edition("synthetik", root)
    assert str(error.value) == (
        "unknown edition 'synthetik'; did you mean 'synthetic'? choices: path/to/your.json, synthetic"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": None}, "edition.json lacks 'title'"),
        ({"dataset": ""}, "'dataset' must be 1 to 4096 characters"),
        ({"model": 3}, "'model' must be text, got 3"),
        ({"modell": "x"}, "edition.json: unknown entry 'modell'; did you mean 'model'"),
        ({"beside": "nw-ucla"}, "'beside' must be a list"),
        ({"name": "../up"}, "must be lower-case letters"),
        ({"name": "html"}, "none of html, cache"),
        ({"name": "synthetic"}, "'synthetic' is the name of a shipped edition"),
        ({"chapters": ["smoothness"]}, "'chapters' must be an object"),
        ({"chapters": {"smoothness": 3}}, "'chapters.smoothness' must be an object"),
        ({"chapters": {"smoothness": {"n": float("nan")}}}, "'chapters.smoothness.n' must be .*, got nan"),
        ({"chapters": {"smooth": {}}}, "unknown chapter in edition edition.json 'smooth'"),
    ],
)
def test_an_edition_that_is_not_as_it_should_be_is_refused(root, changes, message):
    with pytest.raises(UserError, match=message):
        load_edition(written(root, **changes), root)


@pytest.mark.parametrize(("text", "message"), [("{", "not valid JSON"), ("[1]", r"must be an object, .*, got \[1\]")])
def test_a_file_that_is_no_edition_is_refused(root, text, message):
    path = written(root)
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        load_edition(path, root)


def test_a_missing_file_is_named(root):
    with pytest.raises(UserError, match=r"cannot read edition nowhere\.json: No such file"):
        load_edition("nowhere.json", root)
