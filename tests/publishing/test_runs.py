"""Running a chapter: what runs again and what does not, what is kept, how a failure is told."""

import json
import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import papermill
import pytest
from jupyter_client.kernelspec import NoSuchKernel
from nbclient.exceptions import DeadKernelError
from notebooks import PARAMETERS, code, record, write_chapter

from analysis_lib.chapters import recorded
from analysis_lib.chapters.chapter import chapter_names, load_chapter
from analysis_lib.chapters.recorded import BUILT, write_facts
from analysis_lib.chapters.session import TABLES
from analysis_lib.errors import UserError
from analysis_lib.files import ROOT
from analysis_lib.publishing import runs
from analysis_lib.publishing.run_cache import last_seconds
from analysis_lib.publishing.runs import run_chapter, run_inputs
from analysis_lib.results.digest import closure

CODE = (
    "import pandas as pd, mine\nfrom analysis_lib.chapters.session import open_chapter",
    "chapter = open_chapter('count', globals())\ntable = pd.DataFrame({'i': range(n)})",
    "chapter.record(table=table)",
)


@pytest.fixture(scope="module")
def stubs():
    """Stand-ins for what a run depends on, to be changed one by one."""
    return SimpleNamespace(data="d1", model="m1", roots=[])


@pytest.fixture(scope="module")
def place(tmp_path_factory, stubs):
    """A book of one chapter, with code and a lock of its own."""
    root = tmp_path_factory.mktemp("project")
    write_chapter(root, "count", *CODE, parameters=PARAMETERS + "\nmodel: str = 'm'  # model")
    (root / "lock").write_text("torch==1\n")
    for name, source in (("mine", "from mine import used"), ("used", ""), ("unused", "")):
        path = root / "mine" / f"{'__init__' if name == 'mine' else name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)

    def source_digest(name, data_root):
        stubs.roots.append((name, data_root))
        return stubs.data

    catalogue = SimpleNamespace(source_digest=source_digest, dataset_names=list, manifest=None)
    checkpoints = SimpleNamespace(checkpoint_digest=lambda name: stubs.model)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "analysis_lib.datasets.catalogue", catalogue)
        patch.setitem(sys.modules, "analysis_lib.networks.checkpoints", checkpoints)
        patch.chdir(root)
        patch.setattr(runs, "LOCK", root / "lock")
        yield root


@pytest.fixture(scope="module")
def first(place):
    """The chapter, really executed once with n = 4."""
    chapter = load_chapter("count", place)
    lines = []
    run = run_chapter(chapter, chapter.resolve({"n": 4}), place / "out", cache=place / "cache", report=lines.append)
    return SimpleNamespace(run=run, lines=lines, chapter=chapter)


@pytest.fixture
def no_kernel(monkeypatch):
    """Make any execution a failure of the test."""

    def execute(*args, **kwargs):
        pytest.fail("the chapter was executed")

    monkeypatch.setattr(papermill, "execute_notebook", execute)


def again(place, first, **given):
    parameters = first.chapter.resolve({"n": 4})
    return run_chapter(first.chapter, parameters, place / "out", cache=place / "cache", **given)


def test_a_run_gives_a_tidied_notebook_and_its_tables(place, first):
    assert first.run.fresh
    assert 0 < first.run.facts["seconds"] == last_seconds("count", place / "cache")
    assert first.lines[0] == "count: running"
    page = json.loads((place / "out" / "count.ipynb").read_text())
    assert [c["id"] for c in page["cells"]] == [f"cell-0{i}" for i in range(5)]
    assert "".join(page["cells"][1]["source"]).startswith('n = 4\ndataset = "synthetic"\n')
    table = place / "out" / "tables" / "count" / "table.csv"
    assert table.read_text() == "i\n0\n1\n2\n3\n"
    facts = json.loads((table.parent / "provenance.json").read_text())
    assert facts["parameters"] == {"n": 4, "dataset": "synthetic", "model": "m"}
    assert not list((place / "cache" / "count").glob(".*"))


def test_the_source_is_left_without_outputs(first):
    assert all(not cell.get("outputs") for cell in first.chapter.cells)
    assert len(first.chapter.cells) == 5


def test_nothing_runs_while_nothing_has_changed(place, first, no_kernel):
    shutil.rmtree(place / "out")
    lines = []
    run = again(place, first, report=lines.append)
    assert not run.fresh
    assert lines == ["count: unchanged, not run"]
    assert (place / "out" / "tables" / "count" / "table.csv").exists()


@pytest.mark.parametrize(
    ("edited", "rerun"),
    [
        ("studies/noise/words.py", {"noise"}),
        ("studies/transfer/figures.py", {"transfer"}),
        ("widgets/assets/skeleton_player.js", {"explore", "gradcam", "shap_comparison"}),
        ("publishing/site.py", set()),
        ("publishing/page.py", set(chapter_names())),
        ("bench/machine.py", set()),
        ("cli/main.py", set()),
    ],
)
def test_a_change_of_the_library_reruns_the_chapters_that_use_it(monkeypatch, edited, rerun):
    """The real book; `analysis_lib.results.digest` has the rules."""
    found = []
    monkeypatch.setattr(runs, "module_digest", lambda *names, roots: found.append(closure(names, roots)) or "")
    for name in chapter_names():
        runs._code_digest(load_chapter(name))
    needed = dict(zip(chapter_names(), found, strict=True))
    assert (ROOT / "analysis_lib" / edited).exists()
    assert {name for name in needed if f"analysis_lib/{edited}" in needed[name]} == rerun
    assert all(f"analysis_lib/chapters/{file}.py" in needed["data"] for file in ("__init__", "session", "recorded"))


def test_two_runs_differ_in_the_line_of_the_run_time_alone(place, first):
    before = first.run.notebook.read_text().splitlines()
    assert again(place, first, force=True).fresh
    after = first.run.notebook.read_text().splitlines()
    changed = [a for a, b in zip(before, after, strict=True) if a != b]
    assert all("<p>run time " in line for line in changed)


def changes(place, stubs, monkeypatch):
    """Yield the kind of input and a function that changes it."""
    yield "chapter", lambda: write_chapter(place, "count", *CODE, "1 + 1")
    yield "chapter", lambda: write_chapter(place, "count", *CODE, "1 + 2")
    yield "chapter", lambda: write_chapter(place, "count", *CODE, "1 + 2", title="# New text")
    hidden = code("1 + 2", tags=["hide-input"])
    yield "chapter", lambda: write_chapter(place, "count", *CODE, hidden, title="# New text")
    yield "code", lambda: (place / "mine" / "used.py").write_text("edited = 1")
    yield "", lambda: (place / "mine" / "unused.py").write_text("edited = 1")
    yield "requirements", lambda: (place / "lock").write_text("torch==2\n")
    yield "data", lambda: monkeypatch.setattr(stubs, "data", "d2")
    yield "models", lambda: monkeypatch.setattr(stubs, "model", "m2")
    yield "python", lambda: monkeypatch.setattr(sys, "version", "3.99.0 (x)")


def test_each_input_alone_changes_the_key(place, first, stubs, monkeypatch):
    files = (first.chapter.path, place / "lock", place / "mine" / "used.py", place / "mine" / "unused.py")
    kept = {path: path.read_bytes() for path in files}
    parameters = first.chapter.resolve({"n": 4})
    before = run_inputs(first.chapter, parameters)
    assert run_inputs(first.chapter, parameters) == before
    for kind, change in changes(place, stubs, monkeypatch):
        was = run_inputs(first.chapter, parameters)
        change()
        now = run_inputs(first.chapter, parameters)
        assert {key for key in now if now[key] != was[key]} == {kind} - {""}
    monkeypatch.undo()
    for path, content in kept.items():
        path.write_bytes(content)
    assert run_inputs(first.chapter, parameters) == before
    assert run_inputs(first.chapter, {**parameters, "n": 5}) != before


def test_every_dataset_and_model_that_a_parameter_names_counts(place, first):
    given = {
        "dataset": "a",
        "target_dataset": "b",
        "datasets": ["c", "a"],
        "data_root": "/raw",
        "models": ["m", "n"],
        "model_of_noise": "gaussian",
        "other_model": None,
    }
    inputs = run_inputs(first.chapter, given)
    assert list(inputs["data"]) == ["a", "b", "c"]
    assert list(inputs["models"]) == ["m", "n"]


@pytest.mark.parametrize("file", ["count.ipynb", "tables/count/table.csv", "tables/count/provenance.json", "run.json"])
def test_a_run_of_which_any_file_is_damaged_is_made_again(place, first, monkeypatch, file):
    page = first.run.notebook.read_text()
    executed = []

    def execute(source, target, *args, surroundings, **kwargs):
        executed.append(source)
        Path(target).write_text(page)
        record(surroundings[TABLES], "count", table=pd.DataFrame({"i": range(4)}))

    monkeypatch.setattr(papermill, "execute_notebook", execute)
    path = first.run.folder / file
    path.write_bytes(path.read_bytes()[:-3])
    assert again(place, first).fresh
    assert not again(place, first).fresh
    assert executed == [str(first.chapter.path)]
    assert (place / "out" / "tables" / "count" / "table.csv").read_text() == "i\n0\n1\n2\n3\n"


def failing(place, *cells):
    write_chapter(place, "bad", *cells)
    chapter = load_chapter("bad", place)
    return lambda: run_chapter(chapter, chapter.resolve({}), place / "out", cache=place / "cache")


def test_a_failing_cell_is_one_line_the_second_time_too(place):
    run = failing(place, "x = 1", "print(n)\nraise KeyError('two\\nlines')", "y = 2")
    partial = place / "out" / "bad.failed.ipynb"
    for _ in range(2):
        with pytest.raises(UserError) as error:
            run()
        assert str(error.value) == (
            f"chapter 'bad' failed in cell 4 of 5: KeyError: 'two\\nlines'; the notebook as far as it got: {partial}"
        )
        assert '"3\\n"' in partial.read_text()
    assert list((place / "cache" / "bad").iterdir()) == []
    assert not (place / "out" / "bad.ipynb").exists()


def raising(error):
    def execute(source, target, *args, **kwargs):
        shutil.copyfile(source, target)
        raise error

    return execute


def cell_error(index, ename, evalue):
    return papermill.PapermillExecutionError(index, 3, "source", ename, evalue, [])


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (cell_error(3, "DataError", "clip 3: NaN"), "clip 3: NaN"),
        (cell_error(3, "UserError", "k is too large"), "k is too large"),
        (
            cell_error(0, "ValueError", "\x1b[31mred\x1b[0m\n  text"),
            "chapter 'bad' failed in cell 1 of 3: ValueError: red text; the notebook as far",
        ),
        (cell_error(2, "NameError", "x"), "chapter 'bad' failed in cell 2 of 3: NameError: x;"),
        (NoSuchKernel("python3"), "there is no Jupyter kernel 'python3'; install ipykernel"),
        (DeadKernelError("Kernel died"), "chapter 'bad': its kernel died (Kernel died)"),
    ],
)
def test_each_kind_of_failure_has_its_line(place, monkeypatch, error, message):
    run = failing(place, "x")
    monkeypatch.setattr(papermill, "execute_notebook", raising(error))
    with pytest.raises(UserError) as raised:
        run()
    assert str(raised.value).startswith(message)


def test_a_kernel_of_an_environment_that_is_gone_is_named(place, monkeypatch, tmp_path):
    spec = tmp_path / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = ["/gone/bin/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    with pytest.raises(UserError) as raised:
        failing(place, "x")()
    assert str(raised.value) == (
        f"the Jupyter kernel 'python3' of {spec} starts /gone/bin/python, which is gone; remove {spec.parent}"
    )


def test_a_success_removes_the_notebook_of_the_failure_before(place, first, no_kernel):
    failed = place / "out" / "count.failed.ipynb"
    failed.write_text("{}")
    again(place, first)
    assert not failed.exists()


def test_data_root_and_tables_of_a_build_reach_the_kernel_and_are_no_part_of_the_page(place, first, monkeypatch):
    names, seen = ("STGBOOK_DATA", BUILT, TABLES), []

    def execute(source, target, *args, surroundings, **kwargs):
        seen.append([surroundings.get(name) for name in names])
        shutil.copyfile(first.run.notebook, target)

    monkeypatch.setattr(papermill, "execute_notebook", execute)
    for name in names:
        monkeypatch.delenv(name, raising=False)
    run = again(place, first, force=True, data_root="raw", edition="mine")
    again(place, first, force=True)
    assert [given[:2] for given in seen] == [[str(place / "raw"), f"mine={place / 'out' / 'tables'}"], [None, None]]
    assert not set(names) & set(os.environ)
    assert str(place) not in run.notebook.read_text()


def test_another_record_at_the_same_path_is_another_run(monkeypatch, tmp_path):
    chapter = load_chapter("performance")
    monkeypatch.setattr(runs, "ROOT", tmp_path)
    (tmp_path / "bench.json").write_text("{}")
    before = run_inputs(chapter, {"record": "bench.json"})
    (tmp_path / "bench.json").write_text("{} ")
    assert run_inputs(chapter, {"record": "bench.json"})["records"] != before["records"]


def recorded_as(folder, n, **facts):
    """Record a table of n rows, made of these facts, in a folder."""
    record(folder.parent, folder.name, table=pd.DataFrame({"i": range(n)}))
    write_facts(folder, {"parameters": {"dataset": "synthetic", "model": "m"}, **facts})


def test_tables_of_other_chapters_that_a_run_may_read_count(tmp_path, monkeypatch):
    monkeypatch.setattr(recorded, "PUBLISHED", tmp_path)
    monkeypatch.delenv(BUILT, raising=False)
    chapter = load_chapter("performance")
    given = {"edition": "mine", "other_editions": ["a", "b"], "chapters": ["data", "noise"]}

    def records():
        return run_inputs(chapter, given)["records"]

    assert records() == {}
    for place in ("mine/data", "b/noise", "c/data"):
        recorded_as(tmp_path / place, 1, code="1")
    before = records()
    assert set(before) == {"mine/data", "b/noise"}
    assert set(run_inputs(chapter, given | {"beside": ["c"]})["records"]) == {"mine/data", "b/noise", "c/data"}
    recorded_as(tmp_path / "b/noise", 1, code="2")  # a page may say which code it was
    assert records()["b/noise"] != before["b/noise"]
    monkeypatch.setenv(BUILT, f"mine={tmp_path / 'built'}")  # goes before the published one
    recorded_as(tmp_path / "built" / "data", 1, code="1")
    built = records()["mine/data"]
    assert built != before["mine/data"]
    recorded_as(tmp_path / "built" / "data", 1, code="1, edited")  # the same tables, made by other code
    assert records()["mine/data"] == built
    recorded_as(tmp_path / "built" / "data", 2, code="1")
    assert records()["mine/data"] != built


def test_what_other_editions_recorded_of_the_chapter_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(recorded, "PUBLISHED", tmp_path)
    write_chapter(tmp_path, "count", "n")
    for edition, model in (("mine", "m"), ("other", "n")):
        recorded_as(tmp_path / edition / "count", 1, parameters={"dataset": "synthetic", "model": model})
    chapter = load_chapter("count", tmp_path)
    monkeypatch.setattr(runs, "named_in", lambda kind, parameters: [])  # its data and model are none
    given = {"dataset": "synthetic", "model": "m", "beside": ["mine", "other"]}
    assert set(run_inputs(chapter, given)["records"]) == {"other/count"}
    assert run_inputs(chapter, given | {"beside": []})["records"] == {}
