"""Widgets on a built page, in a browser that reaches no other host and has no kernel."""

import re
import shutil

import numpy as np
import pytest
from browser import BROWSER, open_browser, serve
from notebooks import markdown, write_chapter

from analysis_lib.chapters.chapter import load_chapter
from analysis_lib.chapters.editions import Edition
from analysis_lib.files import ROOT
from analysis_lib.publishing.runs import run_chapter
from analysis_lib.publishing.site import build_book

pytestmark = pytest.mark.skipif(not BROWSER, reason="no Chromium or Chrome on this machine")

DATA = """
import numpy as np, ipywidgets
from analysis_lib.skeletons.layouts import layout
from analysis_lib.widgets.player import skeleton_player
body, rng = layout("ntu-25"), np.random.default_rng(n)
poses = rng.normal(size=(2, 40, 25, 3)) * 0.05 + rng.normal(size=(1, 1, 25, 3))
maps = rng.normal(size=(2, 3, 40, 25)) * np.reshape([0.25, 0.5, 1], (3, 1, 1))
"""
CHAPTER = (
    DATA,
    "skeleton_player(poses, body, maps, names=['throw', 'a <b> & c'], quantity='contribution')",
    markdown("Flat, two people, no importance."),
    "skeleton_player([rng.normal(size=(2, 30, 25, 2))], body)",
    markdown("What needs Python."),
    "level = ipywidgets.IntSlider(3)\n"
    "shown = ipywidgets.interactive_output(lambda k: print('k is', k), {'k': level})\n"
    "ipywidgets.VBox([level, shown])",
)
TOC = "format: jb-book\nroot: book/intro\nchapters:\n- file: book/player\n- file: book/references\n"
READY = "document.querySelectorAll('.skeleton-player').length === 2"


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A book of one chapter with three widgets: executed, tidied and built as the real one is."""
    root = tmp_path_factory.mktemp("book")
    shutil.copytree(ROOT / "book" / "_assets", root / "book" / "_assets")
    for name in ("book/references.md", "book/references.bib", "_config.yml"):
        shutil.copyfile(ROOT / name, root / name)
    (root / "book" / "intro.md").write_text("# Hello\n\n{cite}`yan2018spatial`: $x^2$.\n")
    (root / "_toc.yml").write_text(TOC)
    write_chapter(root, "player", *CHAPTER, parameters="n: int = 3  # seed")
    build_book(Edition("synthetic", "Synthetic", "s", "s"), root=root, build=root / "_build")
    return root


@pytest.fixture(scope="module")
def site(book):
    return book / "_build" / "html"


@pytest.fixture(scope="module")
def address(site):
    with serve(site) as url:
        yield f"{url}/book/player.html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with open_browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(browser, address):
    """The chapter, open and ready; at the end nothing went wrong and no other host was asked."""
    browser.open(address)
    browser.wait(READY)
    yield browser
    here = (address.rsplit("/", 2)[0], "blob:", "data:")
    assert [url for url in browser.requests if not url.startswith(here)] == []
    assert browser.problems == []


def drawing(page, number=0):
    return page.run(f"document.querySelectorAll('.player-stage')[{number}].innerHTML")


def status(page, number=0):
    return page.run(f"document.querySelectorAll('.player-status')[{number}].textContent")


def radii(page):
    marks = "document.querySelector('.player-stage').querySelectorAll('.bubble')"
    return page.run(f"[...{marks}].map((mark) => +mark.getAttribute('r'))")


def change(page, selector, value, event="change"):
    page.run(f"""(() => {{ const box = document.querySelector("{selector}");
        box.value = {value!r}; box.dispatchEvent(new Event("{event}")); }})()""")


def test_the_slider_moves_the_skeleton(page):
    change(page, ".skeleton-player input", 5, "input")
    before, other = drawing(page), drawing(page, 1)
    assert status(page).startswith("frame 6 of 40 · 0.17 s · largest: ")
    page.run("document.querySelector('.skeleton-player input').focus()")
    page.press("ArrowRight")
    assert status(page).startswith("frame 7 of 40 · 0.20 s")
    assert drawing(page) != before
    assert drawing(page, 1) == other
    page.press("ArrowLeft")
    assert drawing(page) == before


def test_it_plays_only_when_asked_and_stops(page):
    before, still = status(page, 1), drawing(page, 1)
    play = "document.querySelectorAll('.player-play')[1]"
    page.run("new Promise((done) => setTimeout(done, 150))")
    assert status(page, 1) == before == "frame 1 of 30 · 0.00 s"
    page.run(f"{play}.click()")
    page.wait(f"document.querySelectorAll('.player-status')[1].textContent !== '{before}'")
    assert page.run(f"{play}.textContent") == "❚❚ Pause"
    page.run(f"{play}.click()")
    stopped = status(page, 1)
    assert drawing(page, 1) != still
    page.run("new Promise((done) => setTimeout(done, 150))")
    assert status(page, 1) == stopped
    assert page.run(f"{play}.textContent") == "▶ Play"


def test_layer_clip_and_scale_are_chosen(page):
    names = page.run("[...document.querySelector('.player-clip select')].map((o) => o.text)")
    assert names == ["throw", "a <b> & c"]
    last = drawing(page)
    change(page, ".player-layer select", "0")
    assert drawing(page) != last
    change(page, ".player-clip select", "1")
    label = page.run("document.querySelector('.player-stage').getAttribute('aria-label')")
    assert label.startswith("a <b> & c, layer 1, frame 1 of 40, 0.00 s, largest: ")
    sizes = np.array(radii(page))
    assert len(sizes) == 25
    change(page, ".player-scale select", "all")
    ratios = np.array(radii(page)) / sizes
    assert 0.4 < np.median(ratios) < 0.6  # a quarter of the importance, half of the radius
    np.testing.assert_allclose(ratios, np.median(ratios), atol=0.02)


def test_it_is_turned_by_mouse_and_keys_and_put_back(page):
    page.run("document.querySelector('.player-stage').scrollIntoView({block: 'center'})")
    before = drawing(page)
    x, y, width, height = page.run("""(() => {
        const { x, y, width, height } = document.querySelector(".player-stage")
          .getBoundingClientRect(); return [x, y, width, height]; })()""")
    middle = (x + width / 2, y + height / 2)
    page.drag(middle, (middle[0] + 80, middle[1] + 30))
    turned = drawing(page)
    assert turned != before
    page.run("document.querySelector('.player-stage').focus()")
    page.press("ArrowLeft")
    assert drawing(page) != turned
    page.run("document.querySelector('.player-reset').click()")
    assert drawing(page) == before


def test_controls_have_names_and_a_flat_skeleton_only_those_that_it_needs(page):
    named = """[...document.querySelectorAll(".skeleton-player :is(select, input, button, svg[role])")]
        .filter((e) => e.getClientRects().length)
        .map((e) => (e.ariaLabel ?? e.labels?.[0]?.innerText ?? e.textContent).trim() !== "")"""
    assert page.run(named) == [True] * (3 + 1 + 1 + 3 + 1 + 1 + 2)
    seen = """[...document.querySelectorAll(".skeleton-player")[1].querySelectorAll("*")]
        .filter((e) => e.getClientRects().length).map((e) => e.getAttribute("class") ?? "")"""
    assert not {"player-clip", "player-layer", "player-scale", "player-course", "player-reset", "bubble"} & set(
        page.run(seen)
    )


def test_what_needs_python_shows_its_saved_output_and_says_so(page):
    place = "document.querySelectorAll('.widget-on-page')[2].innerText"
    page.wait(f"{place}.includes('k is 3')")
    assert re.search(r"need Python.*JupyterLab", page.run(place))


def test_it_works_from_a_file_too(browser, site):
    browser.open(f"file://{site}/book/player.html")
    browser.wait(READY)
    before = drawing(browser)
    change(browser, ".skeleton-player input", 7, "input")
    assert drawing(browser) != before
    assert browser.problems == []
    assert {url.split(":")[0] for url in browser.requests} <= {"file", "blob", "data"}


def test_only_pages_with_widgets_load_the_host(site):
    assert "widget_host.js" in (site / "book" / "player.html").read_text()
    assert "widget_host.js" not in (site / "book" / "intro.html").read_text()


def test_two_runs_of_a_chapter_with_widgets_give_the_same_bytes(book):
    """Widget ids are random, their state is large; the tidied notebook is the same."""
    chapter = load_chapter("player", book)
    first, again = (
        run_chapter(chapter, {"n": 3}, book / name, cache=book / name, force=True) for name in ("first", "again")
    )
    assert again.notebook.read_bytes() == first.notebook.read_bytes()
