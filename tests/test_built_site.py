"""The pages that `make book` built, as they lie there, in a browser that reaches no other host."""

import pytest
from browser import BROWSER, open_browser, serve

from analysis_lib.chapters.chapter import table_of_contents
from analysis_lib.files import BUILD, ROOT

SITE = BUILD / "html"
PAGES = [page.removeprefix("book/") for page in table_of_contents(ROOT)]

pytestmark = [
    pytest.mark.skipif(not BROWSER, reason="no Chromium or Chrome on this machine"),
    pytest.mark.skipif(not (SITE / "index.html").exists(), reason="no site; `make book` builds it"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with open_browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture(scope="module")
def address():
    with serve(SITE) as url:
        yield url


@pytest.fixture
def page(browser, address):
    """Return a function that opens a page; at the end nothing went wrong on it."""

    def opened(name, width=1280):
        if not (SITE / "book" / f"{name}.html").exists():
            pytest.skip(f"the site was built without {name}")
        browser.open(f"{address}/book/{name}.html", width, 900, touch=width < 500)
        return browser

    yield opened
    assert [url for url in browser.requests if not url.startswith((address, "blob:", "data:"))] == []
    assert browser.problems == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_fits_the_screen(page, name, width):
    shown = page(name, width)
    assert shown.run("document.querySelector('h1').innerText").strip()
    broken = "[...document.images].filter((i) => i.complete && !i.naturalWidth).map((i) => i.src)"
    assert shown.run(broken) == []
    assert shown.run("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", ["explore", "gradcam"])
def test_the_player_moves_without_a_kernel(page, name):
    shown = page(name)
    shown.wait("document.querySelectorAll('.skeleton-player input').length > 0")
    stage = "document.querySelector('.player-stage').innerHTML"
    before = shown.run(stage)
    shown.run("""(() => { const slider = document.querySelector(".skeleton-player input");
        slider.value = +slider.max / 2; slider.dispatchEvent(new Event("input")); })()""")
    assert shown.run(stage) != before


SOURCES = """(() => { const found = [...document.querySelectorAll("figure[id], details.sd-dropdown")];
    return found.filter((e) => e.id).map((e) => [e.id, found[found.indexOf(e) + 1]?.textContent ?? ""]); })()"""


@pytest.mark.parametrize("name", PAGES)
def test_each_figure_says_where_it_comes_from(page, name):
    said = dict(page(name).run(SOURCES))
    assert all("How this figure was made" in text and "Parameters " in text for text in said.values())
    recorded = {figure for figure, text in said.items() if ", recorded: " in text}
    if name == "smoothness":
        assert recorded == {"fig-smoothness", "fig-smoothness-classes", "fig-theorem"}
        assert "fig-dataset-graph" in said
