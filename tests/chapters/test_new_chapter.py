"""A chapter that `stgbook new-chapter` begins is whole as it is; a name that is taken or odd is refused."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analysis_lib.chapters.chapter import chapter_names, load_chapter, table_of_contents
from analysis_lib.chapters.new_chapter import write_chapter
from analysis_lib.errors import UserError
from analysis_lib.files import ROOT, file_digests

TOC = (
    "format: jb-book\nroot: book/intro\nchapters:  # in order\n  - file: book/old\n    title: Old\n  - file: book/end\n"
)


@pytest.fixture
def root(tmp_path):
    """A book of a chapter and a text."""
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "old.ipynb").write_text("{}")
    (tmp_path / "book" / "end.md").write_text("# End\n")
    (tmp_path / "_toc.yml").write_text(TOC)
    return tmp_path


def test_a_chapter_is_listed_after_the_last_notebook(root):
    made = write_chapter("speed", 'Speed: "fast"', "Which joints\\hands move?", root)
    assert all(path.is_relative_to(root) for path in made)
    assert table_of_contents(root) == ["book/intro", "book/old", "book/speed", "book/end"]
    assert (root / "_toc.yml").read_text().startswith(TOC[:70])
    assert chapter_names(root) == ["old", "speed"]
    assert load_chapter("speed", root).title == 'Speed: "fast"'
    assert "Which joints\\hands move?" in "".join(load_chapter("speed", root).cells[0]["source"])
    texts = [path.read_text() for path in made]
    assert not [word for word in ("NAME", "TITLE", "QUESTION") for text in texts if word in text]
    write_chapter("more", root=root)
    assert table_of_contents(root)[-2:] == ["book/more", "book/end"]
    assert load_chapter("more", root).title == "More"


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (("old",), "chapter 'old' is there already: .*old.ipynb"),
        (("end",), "chapter 'end' is there already: .*end.md"),
        (("gone",), "chapter 'gone' is there already: .*_toc.yml"),
        (("half",), "chapter 'half' is there already: .*studies/half"),
        (("Speed",), "a chapter's name has small letters, digits and _, and begins with a letter; got 'Speed'"),
        (("../up",), "a chapter's name .* got '../up'"),
        (("class",), "a chapter's name .* got 'class'"),
        (("",), "a chapter's name .* got ''"),
        (("new", "a b c d e"), "a title has at most four words, on one line, got 'a b c d e'"),
        (("new", "a\nb"), "a title has at most four words, on one line, got 'a.nb'"),
        (("new", "", "a\n:::"), "a question is one line, got 'a.n:::'"),
    ],
)
def test_what_is_taken_or_odd_is_refused_and_nothing_is_written(root, given, line):
    (root / "_toc.yml").write_text(TOC + "  - file: book/gone\n")
    (root / "analysis_lib" / "studies" / "half").mkdir(parents=True)
    before = file_digests(root)
    with pytest.raises(UserError, match=f"^{line}$"):
        write_chapter(*given, root=root)
    assert file_digests(root) == before


def test_a_table_of_contents_without_a_notebook_is_told(root):
    (root / "_toc.yml").write_text("root: book/end\n")
    with pytest.raises(UserError, match="lists no notebook that a new one could follow"):
        write_chapter("new", root=root)
    assert not (root / "book" / "new.ipynb").exists()


@pytest.fixture
def house(tmp_path):
    """A copy of the project, and a function that calls a program of ours in it."""
    for part in ("analysis_lib", "book", "tests"):
        shutil.copytree(ROOT / part, tmp_path / part)
    for part in ("_toc.yml", "pyproject.toml", "requirements.lock"):
        shutil.copyfile(ROOT / part, tmp_path / part)
    (tmp_path / "data").symlink_to(ROOT / "data")

    def call(program, *arguments):
        beside = Path(sys.executable).with_name(program)
        command = [beside] if beside.exists() else [sys.executable, "-m", program]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        done = subprocess.run([*command, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return tmp_path, call


def test_a_new_chapter_runs_and_passes_every_check_as_it_is(house):
    root, call = house
    places = ["analysis_lib/studies/mine", "tests/studies/mine", "book/mine.ipynb"]
    assert "book/mine.ipynb" in call("analysis_lib", "new-chapter", "mine", "--question", "How many clips?")
    call("ruff", "check", *places)
    call("ruff", "format", "--check", *places)
    call("lint-imports", "--no-cache")
    tests = [*places[:2], "tests/test_notebook_calls.py", "tests/test_project.py"]
    assert "9 passed" in call("pytest", *tests, "-k", "mine or every_figure or table_of_contents")
    call("analysis_lib", "run", "mine", "--no-html")
    runs = root / "_build" / "synthetic" / "runs"
    said = (runs / "mine.ipynb").read_text()
    assert [part for part in ("The data have", "verdict-holds", '"image/png"') if part not in said] == []
    assert (runs / "tables" / "mine" / "classes.csv").exists()
