"""The page of one run: all that the run showed, in one file, in a folder that says which run it is."""

import json

import pytest
from browser import BROWSER, open_browser
from notebooks import code, markdown, notebook

from analysis_lib.publishing.page import STATE, VIEW
from analysis_lib.publishing.run_page import page_html, write_run_page
from analysis_lib.publishing.runs import Run

DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
TEXT = """Of {cite:t}`das2023geometric` and {cite}`yan2018spatial`: $a<b$, {math}`c`, [another](smoothness).

$$\\lambda_1$$

:::{dropdown} More
Here.
:::

:::{div} question
Why?
:::

:::{note}
So.
:::
"""
WIDGET = "export default { render({ model, el }) { el.textContent = model.get('name'); } }"


def shown(**data):
    return {"output_type": "display_data", "metadata": {}, "data": {k.replace("_", "/"): v for k, v in data.items()}}


@pytest.fixture
def run(tmp_path):
    """A run with one cell of each kind."""
    about = {"image": {"alt": 'a "dot"'}, "figure": {"name": "fig-dot", "caption": "The *dot*."}}
    name = "</script><b>&"
    outputs = {
        "draw()": [shown(image_png=DOT)],
        "say()": [shown(text_markdown=r"\<b\> **yes**", text_plain="Markdown")],
        "table": [shown(text_html="<table><tr><td>1</td></tr></table>", text_plain="1")],
        "loud()": [{"output_type": "stream", "name": "stderr", "text": "a < b"}],
        "play()": [{**shown(), "data": {VIEW: {"model_id": "m", "version_major": 2}, "text/plain": "player"}}],
        "hidden()": [shown(text_plain="lots")],
    }
    cells = [{**code(source), "outputs": found} for source, found in outputs.items()]
    cells[0]["metadata"] = {"mystnb": about}
    cells[-1]["metadata"] = {"tags": ["hide-output", "remove-input"]}
    found = notebook(markdown(TEXT), *cells)
    state = {"m": {"model_name": "AnyModel", "state": {"_esm": WIDGET, "name": name}}}
    found["metadata"]["widgets"] = {STATE: {"state": state, "version_major": 2, "version_minor": 0}}
    made = Run("count", tmp_path / "0123456789abcdef", True)
    made.folder.mkdir()
    made.notebook.write_text(json.dumps(found))
    parameters = {"dataset": "/data/my <set>.npz", "model": "nets:make", "n": 3}
    (made.folder / "run.json").write_text(json.dumps({"inputs": {"parameters": parameters}, "date": "2026-01-01"}))
    return made


def test_the_folder_tells_data_model_and_changes_and_is_no_other_run_s(run, tmp_path):
    changed = {"dataset": "x", "n": "3", "actions": "../../etc, <img>" + 90 * "a"}
    path = write_run_page(run, changed, tmp_path / "pages")
    assert path.parent.parent == tmp_path / "pages"
    assert path.parent.name.startswith("count_my-set_nets-make_n-3_actions-..-..-etc-img-aaa")
    assert path.parent.name.endswith("a_0123456789")
    assert len(path.parent.name) <= 111
    run.folder.rename(tmp_path / "fedcba9876543210")
    other = Run("count", tmp_path / "fedcba9876543210", True)
    assert write_run_page(other, changed, tmp_path / "pages") != path
    assert path.exists()


def test_the_page_has_what_the_run_showed(run):
    page = page_html(json.loads(run.notebook.read_text()))
    assert "<title>A chapter</title>" in page
    assert "Of Das et al. (2023) and (Yan et al., 2018):" in page
    assert '<span class="math">\\(a&lt;b\\)</span>, <span class="math">\\(c\\)</span>, <a>another</a>' in page
    assert '<p class="math">\\[\\lambda_1\\]</p>' in page
    assert "<details><summary>More</summary><p>Here.</p>" in page
    assert '<div class="question"><p>Why?</p>' in page
    assert '<div class="note"><p>So.</p>' in page
    assert '<figure id="fig-dot"><img alt="a &quot;dot&quot;"' in page
    assert "<figcaption>The <em>dot</em>.</figcaption>" in page
    assert "<p>&lt;b&gt; <strong>yes</strong></p>" in page
    assert "<td>1</td>" in page
    assert "<pre>a &lt; b</pre>" in page
    assert "<details><summary>more</summary><pre>lots</pre></details>" in page
    assert "<pre>draw()</pre>" in page
    assert "hidden()" not in page


def test_without_widgets_and_formulas_there_is_no_script():
    page = page_html(notebook(markdown("Plain.")))
    assert "<script" not in page
    assert len(page) < 5000


@pytest.mark.skipif(not BROWSER, reason="no browser")
def test_the_page_works_as_a_file_and_asks_nobody(run, tmp_path):
    path = write_run_page(run, {}, tmp_path / "pages")
    with open_browser(tmp_path / "profile") as page:
        page.open(f"file://{path}")
        page.wait("document.querySelectorAll('mjx-container').length === 3")
        page.wait("!!document.querySelector('.widget-on-page')?.textContent")
        assert page.run("document.querySelector('.widget-on-page').textContent") == "</script><b>&"
        assert page.run("document.querySelector('img').naturalWidth") == 1
        assert page.problems == []
        assert [url for url in page.requests if not url.startswith(("data:", "blob:"))] == [f"file://{path}"]
