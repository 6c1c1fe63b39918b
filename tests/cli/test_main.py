"""The command line: its codes, its one line for a mistake, and what it hands on."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from analysis_lib import files
from analysis_lib.chapters import chapter as chapters
from analysis_lib.chapters import editions
from analysis_lib.chapters.editions import Edition
from analysis_lib.cli import main as cli
from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.errors import DataError, UserError
from analysis_lib.publishing import run_page, runs
from analysis_lib.publishing import site as book
from analysis_lib.skeletons.layouts import layout
from analysis_lib.skeletons.skeleton import Skeleton

HAND = layout("hand-21").joints
CHAPTER = chapters.Chapter(
    "smoothness",
    "How smooth?",
    Path("smoothness.ipynb"),
    chapters.parse_parameters("n: int = 3  # how many\ndataset: str = 'synthetic'  # data"),
)


@pytest.fixture(autouse=True)
def house(monkeypatch):
    """A book of one chapter; the path that modules are found on is put back."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(chapters, "chapter_names", lambda root=None: ["smoothness"])
    real = chapters.load_chapter
    monkeypatch.setattr(chapters, "load_chapter", lambda name: CHAPTER if name == "smoothness" else real(name))


@pytest.fixture
def stgbook(capsys):
    """Return a function that runs the command line: (code, stdout, stderr)."""

    def call(*arguments):
        with pytest.raises(SystemExit) as done:
            cli.main([str(argument) for argument in arguments])
        return done.value.code, *capsys.readouterr()

    return call


@pytest.fixture
def ran(monkeypatch):
    """Catch what `run` hands to the library."""
    calls = []

    def run_chapter(chapter, parameters, out, **given):
        calls.append(SimpleNamespace(chapter=chapter, parameters=parameters, out=out, **given))
        given["report"]("smoothness: running")

    monkeypatch.setattr(runs, "run_chapter", run_chapter)
    monkeypatch.setattr(run_page, "write_run_page", lambda run, changed, out: out / "-".join(changed) / "index.html")
    return calls


def failing(monkeypatch, error):
    def build_book(*args, **kwargs):
        raise error

    monkeypatch.setattr(book, "build_book", build_book)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "chapters",
        "new-chapter",
        "run",
        "book",
        "train",
        "data",
        "data check",
        "data describe",
        "model",
        "model describe",
        "cache",
        "cache list",
        "cache clear",
    ],
)
def test_each_command_explains_itself_with_examples(stgbook, command):
    code, out, err = stgbook(*command.split(), "--help")
    assert (code, err) == (0, "")
    assert "stgbook" in out.split("Options:")[0].split("\n", 1)[1] or command in ("data", "model", "cache")


@pytest.mark.parametrize(
    ("seconds", "known", "took"),
    [
        (None, {}, "not run here yet"),
        (None, {"smoothness": 65}, "not run here yet, about 65 s on two cores"),
        (48.7, {"smoothness": 65}, "49 s when it last ran here"),
    ],
)
def test_chapters_are_listed_with_their_times_and_parameters(stgbook, monkeypatch, seconds, known, took):
    monkeypatch.setattr("analysis_lib.publishing.run_cache.last_seconds", lambda name: seconds)
    monkeypatch.setattr(editions, "load_edition", lambda name: Edition(name, "O", "d", "m", seconds=known))
    code, out, _ = stgbook("chapters")
    assert code == 0
    parameters = "    n: int = 3  # how many\n    dataset: str = 'synthetic'  # data\n"
    assert out == f"smoothness: How smooth? ({took})\n{parameters}"


def test_a_new_chapter_is_told_by_its_files(stgbook, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "analysis_lib.chapters.new_chapter.write_chapter", lambda *given: asked.append(given) or [Path("book/x.ipynb")]
    )
    code, out, err = stgbook("new-chapter", "speed", "--question", "How fast?")
    assert (code, out, asked) == (0, "book/x.ipynb\n", [("speed", "", "How fast?")])
    assert err == "stgbook: listed in _toc.yml; try it: stgbook run speed\n"


def test_run_hands_on_converted_parameters(stgbook, ran, tmp_path):
    edition = tmp_path / "mine.json"
    edition.write_text('{"name": "mine", "title": "Mine", "dataset": "nw-ucla", "model": "m"}')
    code, out, err = stgbook(
        "run", "smoothness", "-p", "n", "20", "--out", tmp_path, "--edition", edition, "--data-root", "raw", "--force"
    )
    assert (code, out) == (0, f"{tmp_path}/smoothness.ipynb\n{tmp_path}/pages/n/index.html\n")
    assert err == "stgbook: smoothness: running\n"
    (call,) = ran
    assert call.parameters == {"n": 20, "dataset": "nw-ucla"}
    assert (call.out, call.data_root, call.force) == (tmp_path, Path("raw"), True)


def test_a_run_without_its_page(stgbook, ran, tmp_path):
    assert stgbook("run", "smoothness", "--out", tmp_path, "--no-html")[1] == f"{tmp_path}/smoothness.ipynb\n"


def test_a_run_is_recorded_only_if_asked_for(stgbook, ran, monkeypatch):
    monkeypatch.setattr("analysis_lib.publishing.site.record_run", lambda run, edition: f"at {edition.name}")
    assert "recorded" not in stgbook("run", "smoothness")[2]
    assert stgbook("run", "smoothness", "--record")[2].endswith("stgbook: recorded at synthetic\n")


@pytest.mark.parametrize(
    ("option", "place", "check"),
    [("scheduler", "local", "cluster.check_scheduler"), ("device", "cuda:1", "cuda.checked_device")],
)
def test_where_distances_are_computed_is_checked_and_handed_on(stgbook, ran, monkeypatch, option, place, check):
    variable, asked = f"STGBOOK_{option.upper()}", []
    monkeypatch.setenv(variable, "")  # and it is put back
    monkeypatch.setattr(f"analysis_lib.warping.{check}", asked.append)
    stgbook("run", "smoothness")
    assert (asked, os.environ[variable]) == ([], "")
    stgbook("run", "smoothness", f"--{option}", place)
    assert (asked, os.environ[variable]) == ([place], place)


def test_a_device_that_is_not_there_is_one_line(stgbook, ran):
    code, _, err = stgbook("book", "--device", "tpu")
    assert (code, err) == (1, "stgbook: error: device must be 'cpu', 'cuda' or 'cuda:1' and so on, got 'tpu'\n")


def test_a_negative_value_is_no_option(stgbook, ran):
    assert stgbook("run", "smoothness", "-p", "n", "-1")[0] == 0
    assert ran[0].parameters["n"] == -1
    assert ran[0].out.parts[-3:] == ("_build", "synthetic", "runs")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["run", "smoothness", "--out", "/dev/null/runs"], "cannot write /dev/null/runs: Not a directory"),
        (["run", "smoothness", "-p", "n", "oops"], "parameter 'n' of chapter 'smoothness' is int, got 'oops'"),
        (
            ["run", "smoothness", "-p", "m", "1"],
            "unknown parameter of chapter 'smoothness' 'm'; choices: dataset (str), n (int)",
        ),
        (["run", "smoothness", "-p", "n", "1", "-p", "n", "2"], "parameter 'n' is given 2 times"),
        (
            ["run", "smoothness", "--edition", "nw_ucla"],
            "unknown edition 'nw_ucla'; did you mean 'nw-ucla'? "
            "choices: kinetics-skeleton, ntu-60, nw-ucla, nw-ucla-known, nw-ucla-padded, nw-ucla-people, "
            "path/to/your.json, synthetic, synthetic-pictures",
        ),
    ],
)
def test_a_mistake_is_one_line_and_code_1(stgbook, ran, arguments, line):
    assert stgbook(*arguments) == (1, "", f"stgbook: error: {line}\n")
    assert ran == []


def test_an_unknown_chapter_is_one_line(stgbook, ran):
    code, _, err = stgbook("run", "no-such-chapter")
    assert code == 1
    assert err.startswith("stgbook: error: unknown chapter 'no-such-chapter'")


@pytest.mark.parametrize("arguments", [["run"], ["nope"], ["run", "smoothness", "-p", "n"]])
def test_wrong_usage_is_code_2(stgbook, arguments):
    code, _, err = stgbook(*arguments)
    assert code == 2
    assert "Error:" in err


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UserError("a\n  b"), 1, "error: a b"),
        (DataError("torn zip"), 1, "error: torn zip"),
        (OSError(28, "No space left on device"), 1, "error: [Errno 28] No space left on device"),
        (KeyboardInterrupt(), 130, "interrupted; what was finished is kept"),
    ],
)
def test_each_failure_has_its_code_and_one_line(stgbook, monkeypatch, error, code, line):
    failing(monkeypatch, error)
    found, out, err = stgbook("book")
    assert (found, out, err.strip()) == (code, "", f"stgbook: {line}")


@pytest.mark.parametrize("error", [ZeroDivisionError("x" * 10**6), RecursionError("a\nb"), KeyError("\ud800")])
def test_a_fault_of_our_own_is_one_line_and_a_log(stgbook, monkeypatch, tmp_path, error):
    monkeypatch.setattr("analysis_lib.files.BUILD", tmp_path)
    failing(monkeypatch, error)
    code, out, err = stgbook("book")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"stgbook: error: {type(error).__name__}: ")
    assert len(err) < 500
    assert "Traceback" in (tmp_path / "stgbook-error.log").read_text(encoding="utf8")


@pytest.mark.parametrize("error", [UserError("what was asked for"), ZeroDivisionError("\udcff")])
def test_debug_shows_where_an_error_comes_from(stgbook, monkeypatch, tmp_path, error):
    monkeypatch.setattr("analysis_lib.files.BUILD", tmp_path)
    failing(monkeypatch, error)
    assert "Traceback" not in stgbook("book")[2]
    code, _, err = stgbook("--debug", "book")
    assert code == 1
    assert err.startswith("Traceback (most recent call last)")
    assert "build_book" in err
    assert "Traceback" not in stgbook("--debug", "run")[2]


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["run", "\udcff"], 1, r"unknown chapter '\udcff'"),
        (["run", "smoothness", "-p", "n", "\udcff"], 1, r"is int, got '\udcff'"),
        (["run", "smoothness", "-p", "n", "x" * 10**6], 1, "is int, got 'xxx"),
        (["run", "smoothness", "-e", "\0.json"], 1, "cannot read edition"),
        (["data", "describe", "\udcff.npz"], 1, r"\udcff.npz"),
        (["model", "describe", "x" * 5000], 1, "unknown model 'xxx"),
        (["train", "--dataset", "synthetic", "--out", "x", "--seed", "-1"], 2, "-1 is not in the range"),
        (["train", "--dataset", "synthetic", "--out", "x", "--seed", "9" * 99], 2, "is not in the range"),
        (["train", "--dataset", "synthetic", "--out", "x", "--name", "../../x"], 1, "'../../x' is no name"),
    ],
)
def test_whatever_is_given_is_told_in_a_line(stgbook, ran, arguments, code, line):
    found, _, err = stgbook(*arguments)
    last = err.splitlines()[-1]
    assert (found, line in last, len(last) < 500) == (code, True, True), err[:1000]


@pytest.mark.parametrize(("error", "line"), [(MemoryError(), "not enough memory"), (SystemExit(3), "sys.exit(3)")])
def test_an_end_that_others_make_is_one_line(stgbook, monkeypatch, error, line):
    failing(monkeypatch, error)
    code, _, err = stgbook("book")
    assert (code, err.count("\n")) == (1, 1)
    assert line in err


def test_book_hands_on_its_options(stgbook, monkeypatch):
    seen = {}

    def build_book(edition, **given):
        seen.update(given, edition=edition)
        return Path("_build/other")

    monkeypatch.setattr(book, "build_book", build_book)
    monkeypatch.setattr(editions, "load_edition", lambda name: Edition(name, "O", "d", "m"))
    code, out, _ = stgbook("book", "-e", "other", "--record", "--data-root", "raw", "-j", "3")
    assert (code, out) == (0, "_build/other/index.html\n")
    assert (seen["edition"].name, seen["record"], seen["force"], seen["jobs"]) == ("other", True, False, 3)
    assert seen["data_root"] == Path("raw")


@pytest.fixture
def catalogue(monkeypatch):
    """Four datasets, one absent and one torn."""

    def check(name, root):
        if name in ("torn", "absent"):
            raise DataError(f"{name}: no zip file")
        return f"{name}: fine in {root!r}"

    stub = SimpleNamespace(
        check=check, dataset_names=lambda: ["a", "absent", "b", "torn"], available=lambda root: ["a", "b"]
    )
    monkeypatch.setitem(sys.modules, "analysis_lib.datasets.catalogue", stub)
    monkeypatch.setattr("analysis_lib.datasets.catalogue", stub, raising=False)


def test_data_check_goes_through_all_that_are_named_and_counts_failures(stgbook, catalogue):
    assert stgbook("data", "check", "a", "--data-root", "raw") == (0, "a: fine in 'raw'\n", "")
    assert stgbook("data", "check", "a", "torn", "b") == (
        1,
        "a: fine in ''\nb: fine in ''\n",
        "stgbook: error: torn: no zip file\nstgbook: error: 1 of 3 datasets are missing or damaged\n",
    )


def test_data_check_without_names_is_about_what_is_there(stgbook, catalogue):
    assert stgbook("data", "check") == (
        0,
        "a: fine in ''\nb: fine in ''\n",
        "stgbook: not there: absent, torn (check one by name to see where to get it)\n",
    )


def test_train_hands_on_its_options(stgbook, monkeypatch, tmp_path):
    seen = {}

    def train_checkpoint(dataset, out, **given):
        seen.update(given, dataset=dataset, out=out)
        return out / "mine.json"

    stub = SimpleNamespace(train_checkpoint=train_checkpoint)
    monkeypatch.setitem(sys.modules, "analysis_lib.networks.training.recipes", stub)
    code, out, _ = stgbook("train", "--dataset", "mine.npz", "--out", tmp_path, "--epochs", "3")
    assert (code, out) == (0, f"{tmp_path}/mine.json\n")
    assert (seen["dataset"], seen["epochs"], seen["seed"]) == ("mine.npz", 3, 0)


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A store with three results, one of them not used for two days."""
    from analysis_lib.results.store import Store

    monkeypatch.setenv("STGBOOK_STORE", str(tmp_path / "store"))
    store = Store(tmp_path / "store")
    for kind, code in (("graphs", "old"), ("graphs", "new"), ("embeddings", "new")):
        store.fetch(kind, {}, {}, code, lambda folder: {"n": "x" * 2**20}, f"{kind} of mine")
    old = store.entries()[0].folder
    os.utime(old, (time.time() - 2 * 86400,) * 2)
    return store


def test_cache_list_says_what_is_kept(stgbook, results):
    code, out, err = stgbook("cache", "list")
    lines = [line.split() for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert lines[0] == ["kind", "size", "age", "unused", "what"]
    assert lines[1] == ["graphs", "1.0", "MiB", "0", "min", "2", "d", "graphs", "of", "mine"]
    assert lines[3][:3] == ["embeddings", "1.0", "MiB"]
    total = f"3 results, 3.0 MiB in {results.folder}; the limit is 5.0 GiB"
    assert out.splitlines()[4:] == [total]


def test_cache_clear_says_what_it_removed(stgbook, results):
    for arguments, n in ((["--older-than", "1.5"], 1), (["--kind", "graphs"], 1), ([], 1), ([], 0)):
        code, out, _ = stgbook("cache", "clear", *arguments)
        assert (code, out.split(",")[0]) == (0, f"removed {n} results")
        assert out.endswith(f" from {results.folder}\n")
    assert stgbook("cache", "list")[1].startswith("0 results, 0 B in ")


def test_cache_mistakes_are_one_line(stgbook, results, monkeypatch):
    code, _, err = stgbook("cache", "clear", "--kind", "graph")
    assert (code, err) == (
        1,
        "stgbook: error: unknown kind of result 'graph'; did you mean 'graphs'? choices: embeddings, graphs\n",
    )
    monkeypatch.setenv("STGBOOK_STORE", "off")
    code, _, err = stgbook("cache", "list")
    assert (code, err) == (
        1,
        "stgbook: error: results are not kept: STGBOOK_STORE is off; unset it, or name a folder\n",
    )
    assert stgbook("cache", "clear", "--older-than", "-1")[0] == 2


def test_the_module_is_the_command_and_loads_nothing_heavy():
    program = "import sys, analysis_lib.cli.main; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout
    heavy = {"torch", "papermill", "numpy", "pandas", "nbformat", "sphinx", "yaml"}
    assert not heavy & set(loaded.split())
    done = subprocess.run([sys.executable, "-m", "analysis_lib", "--version"], capture_output=True, text=True)
    assert done.stdout.startswith("stgbook, version ")


def test_a_dataset_is_described_and_drawn(stgbook, tmp_path):
    rows = [f"{clip},{t},{j},{t},{v},{clip}" for clip in "ab" for t in (1, 2) for v, j in enumerate(HAND)]
    (tmp_path / "hands.csv").write_text("\n".join(["clip,frame,joint,x,y,label", *rows]))
    picture = tmp_path / "hand.svg"
    code, out, _ = stgbook("data", "describe", tmp_path / "hands.csv", "--picture", picture)
    assert code == 0
    assert out.startswith("hands: 2 clips, 2 classes\nskeleton: hand-21 (21 joints, 21 bones)\n")
    assert out.endswith(f"picture: {picture}\n")
    assert "<svg" in picture.read_text()
    assert stgbook("data", "describe", tmp_path / "hands.csv", "--picture", "hand.jpg") == (
        1,
        out.rpartition("picture: ")[0],
        "stgbook: error: the picture is written as .png or .svg, got hand.jpg\n",
    )


@pytest.mark.parametrize("name", ["../../book/intro", "a/b", "", "n" * 300])
def test_a_picture_is_written_nowhere_but_in_its_folder(stgbook, tmp_path, monkeypatch, name):
    monkeypatch.setattr(files, "BUILD", tmp_path / "build" / "here")
    clips = [np.zeros((1, 4, 3, 3)) + np.arange(3.0)[:, None] for _ in range(2)]
    skeleton = Skeleton("stick", ("foot", "knee", "hip"), ((0, 1), (1, 2)))
    SkeletonDataset(name, skeleton, clips, [0, 1]).save(tmp_path / "data.npz")
    before = {*tmp_path.rglob("*")}
    code, out, err = stgbook("data", "describe", tmp_path / "data.npz")
    assert (code, "2 clips, 2 classes" in out) == (1, True)
    assert re.fullmatch("stgbook: error: the dataset's name, which its picture would have, .* is no name: .*\n", err)
    assert {*tmp_path.rglob("*")} == before


def test_a_network_is_described(stgbook):
    code, out, _ = stgbook("model", "describe", "synthetic")
    first, head, *rows = out.splitlines()
    assert code == 0
    assert first == "synthetic: STGCN, for clips of (C, T, V, M) = (3, 120, 25, 1)"
    assert head.split() == ["module", "type", "gives", "axes", "parameters", "layer"]
    assert sum(row.split()[-1] == "layer" and "(n m) c t v" in row for row in rows) == 10
    code, _, err = stgbook("model", "describe", "no_such:make")
    assert (code, "cannot import 'no_such'" in err) == (1, True)


def test_a_reader_that_has_seen_enough_ends_it_without_a_word():
    read, write = os.pipe()
    os.close(read)  # as `stgbook chapters | head -1` does
    command = [sys.executable, "-m", "analysis_lib", "chapters"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")
