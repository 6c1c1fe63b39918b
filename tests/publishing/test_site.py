"""The site: put together from runs, built once, left alone, and free of other hosts."""

import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import yaml
from notebooks import code, markdown, notebook, record, write_chapter

from analysis_lib.chapters import recorded
from analysis_lib.chapters.editions import Edition
from analysis_lib.chapters.notes import SOURCES
from analysis_lib.chapters.shown import ThisRun, run_html
from analysis_lib.errors import UserError
from analysis_lib.files import ROOT, file_digest
from analysis_lib.publishing import side_by_side
from analysis_lib.publishing import site as book
from analysis_lib.publishing.page import tidy_notebook, write_form
from analysis_lib.publishing.runs import Run
from analysis_lib.publishing.site import assemble, build_book, build_site, copy_mathjax, record_run

EDITION = Edition("synthetic", "Synthetic", "synthetic", "synthetic")
OTHER = Edition("other", "Other data", "d", "m")
TOC = "format: jb-book\nroot: book/intro\nchapters:\n- file: book/{}\n- file: book/references\n"
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


@pytest.fixture
def root(tmp_path):
    """A book of two texts and one chapter, with the real configuration and assets."""
    shutil.copytree(ROOT / "book" / "_assets", tmp_path / "book" / "_assets")
    for name in ("references.md", "references.bib"):
        shutil.copyfile(ROOT / "book" / name, tmp_path / "book" / name)
    shutil.copyfile(ROOT / "_config.yml", tmp_path / "_config.yml")
    (tmp_path / "book" / "intro.md").write_text("# Hello\n\nSee {cite}`yan2018spatial`: $x^2$.\n")
    (tmp_path / "_toc.yml").write_text(TOC.format("count"))
    write_chapter(tmp_path, "count", "n")
    return tmp_path


def shown(**data):
    return {"output_type": "display_data", "metadata": {}, "data": data}


def figure(name, *outputs):
    about = {"image": {"alt": "a dot"}, "figure": {"name": name, "caption": f"The dot of {name}."}}
    return {**code("draw()", mystnb=about), "outputs": [*outputs, shown(**{"image/png": DOT})]}


def page():
    """Return what a run of the chapter leaves: folded parameters, two figures, a line of provenance each way."""
    run = ThisRun(run_html({"parameters": {"n": 4}, "code": "1"}, 1.0), "clips")._repr_mimebundle_()
    nb = notebook(
        markdown("{numref}`fig-dot` has $\\lambda$."),
        figure("fig-beside", shown(**{SOURCES: ["Elsewhere, recorded"], "text/plain": ""})),
        figure("fig-dot"),
        {**code("record()", tags=["remove-input"]), "outputs": [shown(**run)]},
        markdown("## Last"),
    )
    nb["cells"].insert(2, {**code("n = 4", tags=["injected-parameters"]), "id": "x"})
    return write_form(tidy_notebook(nb))


@pytest.fixture
def fake_runs(monkeypatch, tmp_path):
    """Run chapters without a kernel: the same page each time; the calls are kept."""
    calls = []

    def run_chapter(chapter, parameters, out, **given):
        calls.append((chapter.name, parameters, given))
        folder = tmp_path / "run" / chapter.name
        record(folder / "tables", chapter.name, table=pd.DataFrame({"i": [0]}))
        (folder / f"{chapter.name}.ipynb").write_text(page())
        inputs = {"parameters": dict(parameters), "data": {"synthetic": "d1"}}
        facts = {"inputs": inputs, "date": "2025-01-31"}
        (folder / "run.json").write_text(json.dumps(facts))
        return Run(chapter.name, folder, True)

    monkeypatch.setattr(side_by_side, "run_chapter", run_chapter)
    return calls


@pytest.fixture
def fake_sphinx(monkeypatch):
    """Build sites without Sphinx; the sources are kept."""
    built = []

    def build(source, site, log, stamp):
        built.append(source)
        site.mkdir(parents=True, exist_ok=True)
        (site / ".source.sha256").write_text(stamp)
        (site / "index.html").write_text("site")

    monkeypatch.setattr(book, "build_site", build)
    return built


def raising(error):
    def call(*given):
        raise error

    return call


def make(root, edition=EDITION, **given):
    return build_book(edition, root=root, build=root / "_build", **given)


def test_the_site_is_built_and_asks_no_other_host(root, fake_runs):
    site = make(root)
    assert site == root / "_build" / "html"
    pages = {path.name: path.read_text() for path in site.rglob("*.html")}
    assert {"index.html", "intro.html", "count.html", "references.html"} <= pages.keys()
    fetched = r"""<(?:script|img|iframe|link|source)\b[^>]*?\b(?:src|href)=["'](?:https?:)?//"""
    assert [name for name, text in pages.items() if re.search(fetched, text)] == []
    scripts = [
        path for path in site.rglob("*.css") if re.search(r"(@import|url\()\s*[\"']?(https?:)?//", path.read_text())
    ]
    assert scripts == []

    chapter = pages["count.html"]
    assert 'alt="a dot"' in chapter
    assert "Fig. 1" in chapter
    made = re.findall(r'<div class="source docutils">\s*<p>(.*?)</p>', chapter)
    assert [re.sub("<[^>]+>", "", line) for line in made] == [
        "Drawn from clips, this run; Elsewhere, recorded.",
        "Drawn from clips, this run.",
    ]
    assert chapter.index("<h2>Last") < chapter.index("tag_injected-parameters tag_set-up")
    assert SOURCES not in chapter
    assert "THEBE" not in chapter
    for wanted in re.findall(r'(?:src|href)="\.\./(_static/[^"?]+)', chapter):
        assert (site / wanted).exists(), wanted
    assert "_static/vendor/mathjax/tex-mml-chtml.js" in chapter
    assert "_static/favicon.svg" in chapter
    fonts = site / "_static" / "vendor" / "mathjax" / "output" / "chtml" / "fonts" / "woff-v2"
    assert (fonts / "MathJax_Main-Regular.woff").exists()

    # a warning fails the build and leaves the site that was there
    intro = (root / "book" / "intro.md").read_text()
    (root / "book" / "intro.md").write_text("# Hello\n\n{cite}`nobody1999nothing`\n")
    with pytest.raises(UserError, match=r"the site was not built: .*intro.*nobody1999nothing"):
        make(root)
    assert pages["intro.html"] == (site / "book" / "intro.html").read_text()

    # and with the old text back, that site is known to be the one that is wanted
    (root / "book" / "intro.md").write_text(intro)
    lines = []
    make(root, report=lines.append)
    assert lines == ["site: unchanged, not built"]


def test_a_site_that_fails_twice_fails_the_second_time_too(tmp_path, monkeypatch):
    answer = SimpleNamespace(
        returncode=1, stdout=f"x\n\x1b[91m{tmp_path}/source/a.md:1: WARNING: odd\x1b[0m\nWARNING: b"
    )
    monkeypatch.setattr(book.subprocess, "run", lambda *a, **k: answer)
    for _ in range(2):
        with pytest.raises(UserError) as error:
            build_site(tmp_path / "source", tmp_path / "html", tmp_path / "build.log", "s")
        assert str(error.value) == (
            f"the site was not built: a.md:1: WARNING: odd (2 warnings, see {tmp_path}/build.log)"
        )
    assert (tmp_path / "build.log").read_text().startswith(f"x\n{tmp_path}/source/a.md")


@pytest.mark.parametrize(
    "name", ["book/intro.md", "book/_assets/book.css", "_toc.yml", "_config.yml", "book/references.bib"]
)
def test_a_site_is_built_again_when_any_source_changes(root, fake_runs, fake_sphinx, name):
    make(root)
    path = root / name
    path.write_text(path.read_text() + "\n")
    if name == "_config.yml":  # a blank line says nothing
        path.write_text(path.read_text().replace("numfig: true", "numfig: false"))
    make(root)
    assert len(fake_sphinx) == 2


def test_a_site_is_built_again_when_it_is_gone_unfinished_or_wanted_and_else_left_alone(
    root, fake_runs, fake_sphinx, monkeypatch
):
    shutil.rmtree(make(root))
    make(root)
    make(root, force=True)
    lines = []
    make(root, report=lines.append)
    assert (lines, len(fake_sphinx)) == (["site: unchanged, not built"], 3)
    assert [given["force"] for _, _, given in fake_runs] == [False, False, True, False]
    (root / "book" / "intro.md").write_text("# Changed\n")
    with monkeypatch.context() as patch:
        patch.setattr(book, "build_site", raising(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            make(root)
    make(root)
    assert len(fake_sphinx) == 4


def test_another_edition_has_a_folder_and_a_title_of_its_own(root, fake_runs, fake_sphinx):
    assert make(root, OTHER) == root / "_build" / "other" / "html"
    config = yaml.safe_load((root / "_build" / "other" / "source" / "_config.yml").read_text())
    assert config["title"].endswith(" · Other data")
    assert fake_runs[0][1]["dataset"] == "d"


def test_the_source_holds_executed_notebooks_and_no_others(root, fake_runs, fake_sphinx):
    write_chapter(root, "draft", "unfinished")
    make(root)
    source = root / "_build" / "synthetic" / "source"
    assert [path.name for path in source.rglob("*.ipynb")] == ["count.ipynb"]
    cells = json.loads((source / "book" / "count.ipynb").read_text())["cells"]
    kept = [c["id"] for c in cells if not c["id"].endswith("-made")]
    assert kept == [c["id"] for c in json.loads(page())["cells"]]
    assert len(cells) == len(kept) + 2
    assert [name for name, _, _ in fake_runs] == ["count"]


def test_parameters_are_checked_before_anything_runs(root, fake_runs):
    wrong = Edition("other", "O", "d", "m", {"count": {"n": "many"}})
    with pytest.raises(UserError, match="parameter 'n' of chapter 'count' is int, got 'many'"):
        make(root, wrong)
    assert fake_runs == []


def test_a_page_that_is_not_there_is_named(root, fake_runs):
    (root / "_toc.yml").write_text(TOC.format("nowhere"))
    with pytest.raises(UserError, match=r"_toc\.yml names 'book/nowhere', but there is no"):
        make(root)
    (root / "_toc.yml").unlink()
    with pytest.raises(UserError, match=r"_toc\.yml names no page"):
        make(root)


def test_only_tables_of_this_build_are_handed_on(root, fake_runs, fake_sphinx):
    stale = root / "_build" / "synthetic" / "runs" / "tables" / "removed" / "table.csv"
    stale.parent.mkdir(parents=True)
    stale.write_text("i\n")
    make(root)
    assert not stale.exists()
    assert [given["edition"] for _, _, given in fake_runs] == ["synthetic"]


def test_what_is_recorded_says_where_it_comes_from(root, fake_runs, fake_sphinx, monkeypatch):
    published = root / "data" / "published" / "other" / "count"
    published.mkdir(parents=True)
    (published / "stale.csv").write_text("old")
    lines = []
    make(root, OTHER, record=True, report=lines.append)
    assert lines[0] == f"recorded {published}"
    assert sorted(path.name for path in published.iterdir()) == ["provenance.json", "table.csv"]
    facts = json.loads((published / "provenance.json").read_text())
    assert facts.pop("code").startswith("0.")
    assert facts == {
        "edition": "other",
        "chapter": "count",
        "date": "2025-01-31",
        "seed": None,
        "parameters": {},  # the chapter's own word goes before the command's
        "inputs": {"data": {"synthetic": "d1"}},
        "files": {"table.csv": file_digest(published / "table.csv")},
    }


@pytest.mark.parametrize("step", range(5))
def test_recording_is_one_step(tmp_path, monkeypatch, step):
    """Interrupted before or between any of its writes, the old record is there, whole."""
    monkeypatch.setattr(recorded, "PUBLISHED", tmp_path / "data" / "published")
    folder, names = tmp_path / "run", ("table", "more", "rest")
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"inputs": {"parameters": {"seed": 7}}, "date": "2025-01-31"}))
    run = Run("count", folder, True)

    def recorded_rows():
        return {len(recorded.recorded_table("other", "count", name)) for name in names}

    for rows in (1, 2):
        record(folder / "tables", "count", **{name: pd.DataFrame({"i": range(rows)}) for name in names})
        if rows == 1:
            record_run(run, OTHER, tmp_path)
    done, real = [], (book.copy_file, book.write_facts, book.put_in_place)

    def counted(write):
        def call(*args):
            if len(done) == step:
                raise KeyboardInterrupt
            done.append(write(*args))

        return call

    for write in real:
        monkeypatch.setattr(book, write.__name__, counted(write))
    with pytest.raises(KeyboardInterrupt):
        record_run(run, OTHER, tmp_path)
    assert recorded_rows() == {1}
    done.extend([None] * 9)
    record_run(run, OTHER, tmp_path)
    assert recorded_rows() == {2}
    assert recorded.recorded_provenance("other", "count")["seed"] == 7


def test_without_mathjax_the_cure_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(book, "_MATHJAX", "no-such-package")
    with pytest.raises(UserError, match="formulas need MathJax: pip install no-such-package"):
        copy_mathjax(tmp_path)


def test_a_missing_configuration_is_told(root):
    (root / "_config.yml").unlink()
    with pytest.raises(UserError, match=r"cannot put together .*source: .*_config\.yml"):
        assemble(EDITION, [], root, root / "source")


def test_every_citation_is_in_the_bibliography():
    known = re.findall(r"^@\w+\{([^,]+),", (ROOT / "book" / "references.bib").read_text(), re.M)
    assert len(known) == len(set(known))
    texts = [p.read_text() for p in Path(ROOT / "book").iterdir() if p.suffix in (".md", ".ipynb")]
    cited = re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", "\n".join(texts))
    assert {key.strip() for keys in cited for key in keys.split(",")} <= set(known)
