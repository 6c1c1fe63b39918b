"""The house itself: pins agree, notebooks are clean."""

import importlib
import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted(ROOT.glob("book/*.ipynb"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pins(lock):
    lines = (ROOT / lock).read_text().split()
    return {canonicalize_name(n): v for n, v in (line.split("==") for line in lines)}


def ranges():
    """Yield each lock file with the requirements that it is to satisfy."""
    extras = PROJECT["optional-dependencies"]
    for extra, wanted in {"": PROJECT["dependencies"], **extras}.items():
        lock = "requirements-bench.lock" if extra == "bench" else "requirements.lock"
        yield from ((lock, Requirement(r)) for r in wanted)


@pytest.mark.parametrize(("lock", "wanted"), list(ranges()), ids=str)
def test_the_lock_satisfies_every_range(lock, wanted):
    assert pins(lock)[canonicalize_name(wanted.name)] in wanted.specifier


def test_the_bench_runs_on_versions_that_the_project_allows():
    held = pins("requirements-bench.lock")
    for wanted in map(Requirement, PROJECT["dependencies"]):
        name = canonicalize_name(wanted.name)
        assert name not in held or held[name] in wanted.specifier


def test_torch_is_pinned_to_the_build_that_needs_no_gpu():
    lock = (ROOT / "requirements.lock").read_text()
    assert "torch==2.13.0\n" in lock
    assert "nvidia" not in lock


def test_the_conda_environment_installs_the_same_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    (python,) = [d for d in environment["dependencies"] if str(d).startswith("python=")]
    (pip,) = [d["pip"] for d in environment["dependencies"] if isinstance(d, dict)]
    assert python.removeprefix("python=") + ".0" in Requirement(f"python{PROJECT['requires-python']}").specifier
    assert pip == ["-r requirements.lock", "-e ."]


def test_versions_agree():
    from analysis_lib import __version__

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert __version__ == PROJECT["version"] == citation["version"]
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebooks_follow_the_house_style(path):
    notebook = json.loads(path.read_text())
    code = [c for c in notebook["cells"] if c["cell_type"] == "code"]
    sources = ["".join(c["source"]) for c in code]
    assert not any(c["outputs"] or c["execution_count"] for c in code), "outputs are stored"
    assert sum("parameters" in c["metadata"].get("tags", []) for c in code) == 1
    assert not any(re.search(r"^\s*(def|class|for|while) ", s, re.M) for s in sources)
    declared = {"".join(c["source"]) for c in code if "parameters" in c["metadata"].get("tags", [])}
    assert max(len(s.splitlines()) for s in sources if s not in declared) <= 15
    assert not any("sys.path" in s or s.startswith(("!", "%pip")) for s in sources)


def test_every_figure_has_a_name_a_caption_and_an_alt_text():
    figures = []
    for path in NOTEBOOKS:
        for cell in json.loads(path.read_text())["cells"]:
            myst = cell["metadata"].get("mystnb", {})
            if "figure" in myst or "image" in myst:
                figures.append(myst["figure"]["name"])
                assert len(myst["figure"]["caption"]) > 30
                assert len(myst["image"]["alt"]) > 30
    assert figures
    assert len(figures) == len(set(figures))


def test_every_chapter_is_in_the_table_of_contents():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    listed = {toc["root"]} | {chapter["file"] for part in toc.get("parts", [toc]) for chapter in part["chapters"]}
    written = {
        p.relative_to(ROOT).with_suffix("").as_posix() for p in [*ROOT.glob("book/*.ipynb"), *ROOT.glob("book/*.md")]
    }
    assert listed == written


def test_no_large_or_licensed_files():
    checkpoints = sum(p.stat().st_size for p in ROOT.glob("data/checkpoints/*"))
    assert checkpoints < 60e6


@pytest.mark.parametrize(
    ("second", "code"),
    [("a: unchanged, not run\nsite: unchanged, not built", 0), ("a: running", 1), ("site: building", 1)],
)
def test_the_check_of_a_checkout_fails_if_an_unchanged_book_is_made_again(tmp_path, second, code):
    """With a `make` that does nothing, and says on its second book what was made."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    tool = tmp_path / "bin" / "make"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\n[ $1 = book ] && [ -e built ] && echo '{second}' >&2\ntouch built\n")
    tool.chmod(0o755)
    tool.with_name("chromium").symlink_to(tool)
    path = f"{tool.parent}:{os.environ['PATH']}"
    done = subprocess.run([tmp_path / ".ci" / "run"], env={**os.environ, "PATH": path}, capture_output=True, text=True)
    assert (done.returncode, "== tests: " in done.stdout) == (code, code == 0), done.stderr


def stands_for_something(name):
    """Return whether a dotted name is a module or something in one."""
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:n]))
        except ModuleNotFoundError:
            continue
        return all((found := getattr(found, part, None)) is not None for part in parts[n:])
    return False


def test_what_texts_refer_to_is_there():
    texts = [
        *ROOT.glob("analysis_lib/**/*.py"),
        *ROOT.glob("*.md"),
        *ROOT.glob("book/*.ipynb"),
        *ROOT.glob("book/*.md"),
    ]
    names = {(p.name, m[0]) for p in texts for m in re.finditer(r"(?<![\w./])analysis_lib(\.\w+)+", p.read_text())}
    assert [pair for pair in sorted(names) if not stands_for_something(pair[1])] == []
    assert not stands_for_something("analysis_lib.files.no_such_name")
