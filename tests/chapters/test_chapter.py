"""A chapter's parameters: what is declared, what is given, and what is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notebooks import code, notebook, write_chapter

from analysis_lib.chapters.chapter import chapter_names, load_chapter, parse_parameters, table_of_contents
from analysis_lib.chapters.parameters import TYPES, Parameter
from analysis_lib.errors import UserError

DECLARED = """n_neighbors: int = 10  # neighbours of a sequence
scale: float = 1  # an int is a float
name: str = "a # b"  # a text with a hash
fast: bool = True  # quickly
layers: list[int] | None = None  # none for all
"""


@pytest.fixture
def chapter(tmp_path):
    write_chapter(tmp_path, "smoothness", "print(n_neighbors)", parameters=DECLARED)
    return load_chapter("smoothness", tmp_path)


def test_a_chapter_is_read_with_title_and_parameters(chapter):
    assert (chapter.name, chapter.title) == ("smoothness", "A chapter")
    assert [(p.name, p.type, p.default) for p in chapter.parameters] == [
        ("n_neighbors", "int", 10),
        ("scale", "float", 1),
        ("name", "str", "a # b"),
        ("fast", "bool", True),
        ("layers", "list[int] | None", None),
    ]
    assert chapter.parameters[2].help == "a text with a hash"
    assert len(chapter.cells) == 3


def test_a_chapter_has_the_question_under_its_title(chapter):
    assert chapter.question == ""
    asked = {name: load_chapter(name).question for name in chapter_names()}
    assert asked["smoothness"] == "At which layer do clips of one action become neighbours?"
    assert all(question.endswith("?") and "\n" not in question for question in asked.values())


def test_papermill_reads_the_same_parameters(chapter):
    """Its inspector is a regular expression: it knows no unions, and stops at a hash in a text."""
    import papermill

    seen = papermill.inspect_notebook(str(chapter.path))
    for p in chapter.parameters[:2]:
        assert (seen[p.name]["inferred_type_name"], seen[p.name]["help"]) == (p.type, p.help)
    assert seen.keys() == {p.name for p in chapter.parameters if "|" not in p.type}


def test_resolve_fills_in_the_defaults_and_converts_text(chapter):
    values = chapter.resolve({"n_neighbors": "20", "layers": "1, 5,10", "fast": "no"})
    assert values == {"n_neighbors": 20, "scale": 1.0, "name": "a # b", "fast": False, "layers": [1, 5, 10]}


def test_what_a_network_of_ones_own_needs_is_a_parameter_of_every_chapter_with_a_model(tmp_path):
    write_chapter(tmp_path, "one", parameters="model: str = 'synthetic'  # network\nlayers: int = 1  # own")
    chapter = load_chapter("one", tmp_path)
    assert [p.name for p in chapter.parameters] == ["model", "layers", "layer_axes", "architecture"]
    assert chapter.resolve({}) == {"model": "synthetic", "layers": 1}
    text = {"layer_axes": "conv: n c t v, gru: n t c"}
    assert chapter.resolve(text)["layer_axes"] == ["conv: n c t v", "gru: n t c"]


def test_an_ill_typed_value_names_parameter_chapter_and_type(chapter):
    with pytest.raises(UserError) as error:
        chapter.resolve({"n_neighbors": "oops"})
    assert str(error.value) == ("parameter 'n_neighbors' of chapter 'smoothness' is int, got 'oops'")


def test_an_unknown_parameter_lists_every_name_and_type(chapter):
    with pytest.raises(UserError) as error:
        chapter.resolve({"n_neighbours": 20})
    assert str(error.value) == (
        "unknown parameter of chapter 'smoothness' 'n_neighbours'; did you mean "
        "'n_neighbors (int)'? choices: fast (bool), layers (list[int] | None), "
        "n_neighbors (int), name (str), scale (float)"
    )


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", " -3 ", -3),
        ("float", "1e-3", 0.001),
        ("float", "2", 2.0),
        ("str", "None", "None"),
        ("str | None", "none", None),
        ("bool", "TRUE", True),
        ("list[float]", "[1, 2.5]", [1.0, 2.5]),
        ("list[float]", "1,2.5", [1.0, 2.5]),
        ("list[str]", "a, b", ["a", "b"]),
        ("list[str]", "", []),
        ("list[int] | None", "none", None),
    ],
)
def test_text_becomes_a_value_of_the_declared_type(kind, text, value):
    got = Parameter("p", kind, None, "").convert(text, "c")
    assert got == value
    assert type(got) is type(value)


REFUSED = {
    "int": ["1.5", 1.0, True, "none", str(2**63)],
    "float": ["nan", "inf", "x", 10**400],
    "bool": ["maybe", 1],
    "str": [3],
    "list[int]": ["1,x", "[1, 2", "[1, 'a']", "[x]", 3, "[" * 10_000, "[" + "-" * 10_000 + "1]"],
    "list[str] | None": [[None]],
}


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in REFUSED.items() for value in values])
def test_a_value_of_another_type_is_refused(kind, value):
    with pytest.raises(UserError, match=r"parameter 'p' of chapter 'c' is "):
        Parameter("p", kind, None, "").convert(value, "c")


@pytest.mark.parametrize(
    ("parameter", "given", "line"),
    [
        (Parameter("seed", "int", 0, ""), "-1", "a seed is a whole number from 0 on, got -1"),
        (Parameter("dataset", "str", "", ""), "caf\udce9.npz", "no notebook can hold a text that is not UTF-8"),
        (Parameter("layers", "list[str]", [], ""), "a,\udce9", "no notebook can hold a text that is not UTF-8"),
    ],
)
def test_what_a_notebook_cannot_hold_or_use_is_refused(parameter, given, line):
    with pytest.raises(UserError, match=line):
        parameter.convert(given, "c")


VALUES = {
    "int": st.integers(1 - 2**63, 2**63 - 1),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "list[int]": st.lists(st.integers(1 - 2**63, 2**63 - 1)),
    "list[float]": st.lists(st.floats(allow_nan=False, allow_infinity=False)),
}


@given(st.sampled_from(sorted(VALUES)).flatmap(lambda k: st.tuples(st.just(k), VALUES[k])))
def test_what_is_printed_is_read_back(kind_and_value):
    kind, value = kind_and_value
    assert Parameter("p", kind, None, "").convert(str(value), "c") == value


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_may_be_declared(kind):
    plain = kind.removesuffix(" | None")
    default = {"int": "1", "float": "1.5", "str": "'a'", "bool": "True"}.get(plain, "[]")
    (parameter,) = parse_parameters(f"x: {kind} = {default}  # help\n\n# a remark alone\n")
    assert (parameter.type, parameter.help) == (kind, "help")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 3  # help", "line 1: expected `name: type = value  # help` on one line"),
        ("x: int  # help", "line 1: expected `name: type = value  # help` on one line"),
        ("import os", "line 1: expected `name: type = value  # help` on one line"),
        ("a: int = 1  # a\nx: list[int] = [\n  1]  # help", "line 2: expected `name: type"),
        ("x: dict = {}  # help", "unknown type of parameter 'x' \\(line 1\\) 'dict'"),
        ("x: int = 3", "line 1: 'x' needs a help comment, without '='"),
        ("x: int = 3  # k = 3", "line 1: 'x' needs a help comment, without '='"),
        ("x: int = 'a'  # help", "line 1: 'x' is int, but its default is 'a'"),
        ("x: int = int(3)  # help", "line 1: the default of 'x' must be a literal value"),
        ("x: int = 1  # a\nx: int = 2  # b", "'x' is declared 2 times"),
        ("x: int = (", "not valid Python"),
    ],
)
def test_a_parameters_cell_that_breaks_the_rules_is_refused(tmp_path, source, message):
    write_chapter(tmp_path, "bad", parameters=source)
    with pytest.raises(UserError, match=rf"bad\.ipynb, parameters cell: {message}"):
        load_chapter("bad", tmp_path)


def test_a_chapter_without_a_parameters_cell_is_refused(tmp_path):
    path = write_chapter(tmp_path, "none")
    path.write_text(json.dumps(notebook() | {"cells": [code("1")]}))
    with pytest.raises(UserError, match="one cell tagged 'parameters' is needed, got 0"):
        load_chapter("none", tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"nbformat": 3, "cells": []}'])
def test_a_file_that_is_no_notebook_is_refused(tmp_path, text):
    write_chapter(tmp_path, "broken").write_text(text)
    with pytest.raises(UserError, match=r"broken\.ipynb (cannot be read as|is not a version 4)"):
        load_chapter("broken", tmp_path)


def test_an_unknown_chapter_lists_the_choices(tmp_path):
    write_chapter(tmp_path, "smoothness")
    with pytest.raises(UserError, match="unknown chapter 'smooth'; did you mean 'smoothness'"):
        load_chapter("smooth", tmp_path)


def test_chapters_come_in_the_order_of_the_table_of_contents(tmp_path):
    for name in ("a", "b", "extra", "z"):
        write_chapter(tmp_path, name)
    (tmp_path / "_toc.yml").write_text(
        "format: jb-book\nroot: book/intro\nparts:\n- caption: One\n  chapters:\n  - file: book/z\n"
        "    sections:\n    - file: book/b\n- chapters:\n  - file: book/a\n"
    )
    assert table_of_contents(tmp_path) == ["book/intro", "book/z", "book/b", "book/a"]
    assert chapter_names(tmp_path) == ["z", "b", "a", "extra"]


def test_a_broken_table_of_contents_is_one_line(tmp_path):
    (tmp_path / "_toc.yml").write_text("a: [")
    with pytest.raises(UserError, match=r"_toc\.yml is not valid YAML: .*") as error:
        table_of_contents(tmp_path)
    assert "\n" not in str(error.value)
