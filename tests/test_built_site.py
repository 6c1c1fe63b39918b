"""The pages that `make book` built, as they lie there, in a browser that reaches no other host: what each must be.

Each page is visited once, in a light and in a dark system, wide and narrow; the gates read what was seen.
"""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from html import unescape
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import axe_core_python
import pytest
from browser import BROWSER, open_browser, serve

from analysis_lib.chapters.chapter import table_of_contents
from analysis_lib.files import BUILD, ROOT

SITE = BUILD / "html"
PAGES = [page.removeprefix("book/") for page in table_of_contents(ROOT)]
AXE = Path(axe_core_python.__file__).with_name("axe.min.js")

#: pages that are no chapter, and what they go without
WITHOUT = {"glossary": {"question", "answer", "figure"}, "references": {"question", "answer", "figure"}}

#: what axe finds in the theme's own parts of a page, by rule: where, and why it stays
THEIRS = {
    "region": (".sidebar-primary-item", "the theme's name and search of the site stand outside of its landmarks"),
    "aria-roles": (".citation", "docutils writes doc-biblioentry, a role that the standard has withdrawn since"),
    "aria-allowed-role": (".citation", "the same"),
    "aria-required-children": (".citation-list", "the same: docutils' list of them has no item of another role"),
}

pytestmark = pytest.mark.skipif(not BROWSER, reason="no Chromium or Chrome on this machine")
built = pytest.mark.skipif(not (SITE / "index.html").exists(), reason="no site; `make book` builds it")

SEEN = """(() => {
  const top = (e) => e ? Math.round(e.getBoundingClientRect().top + scrollY) : null;
  const said = (e) => {
    const copy = e?.cloneNode(true);
    copy?.querySelectorAll(".definition").forEach((hidden) => hidden.remove());
    return copy?.textContent.trim().replace(/\\s+/g, " ") ?? "";
  };
  return {
    title: said(document.querySelector("h1")),
    question: said(document.querySelector(".question")),
    answer: said(document.querySelector(".answer p")),
    figure: top(document.querySelector("article figure img, article .cell_output img, article .skeleton-player")),
    broken: [...document.images].filter((i) => i.complete && !i.naturalWidth).map((i) => i.src),
    links: [...document.querySelectorAll("a[href]")].map((a) => a.href),
    sources: [...document.querySelectorAll("article figure[id], article .source")].map((e) => e.id),
  };
})()"""
#: opens all folds, at once, and asks axe; what it finds is named by rule and element, less what is the theme's
CHECK = """async (theirs) => {
  const still = document.createElement("style");
  still.textContent = "* { transition: none !important; animation: none !important; }";
  document.head.append(still);
  document.querySelector(".code-switch[aria-pressed=false]")?.click();
  localStorage.clear();
  document.querySelectorAll("details").forEach((fold) => { fold.open = true; });
  const { violations } = await axe.run(document, { resultTypes: ["violations"], elementRef: true });
  return violations.flatMap(({ id, nodes }) => nodes
    .filter(({ element }) => !theirs[id] || !element.closest(theirs[id]))
    .map(({ target, any }) => `${id}: ${target.join(" ")} ${any.map((check) => check.message).join("; ")}`));
}"""


@dataclass
class Seen:
    """What a visit of a page has found."""

    file: Path
    address: str
    facts: dict = field(default_factory=dict)
    axe: dict[str, list[str]] = field(default_factory=dict)  # by theme and width
    widths: dict[int, int] = field(default_factory=dict)  # of the page, by that of the screen
    trouble: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with open_browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture(scope="module")
def address():
    with serve(SITE) as url:
        yield url


@pytest.fixture(scope="module", params=PAGES)
def seen(request, browser, address):
    return visit(SITE / "book" / f"{request.param}.html", browser, address)


def visit(file, browser, address):
    """Return what is seen of a page: in the light and in the dark, on a wide screen and on a phone."""
    if not file.exists():
        pytest.skip(f"the site was built without {file.stem}")
    found = Seen(file, address)
    theirs = {rule: where for rule, (where, _) in THEIRS.items()}
    for theme, width, height in (("light", 1280, 800), ("dark", 1280, 800), ("light", 390, 844)):
        browser.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        browser.open(f"{address}/book/{file.name}", width, height, touch=width < 500)
        found.facts = found.facts or browser.run(SEEN)
        browser.run(AXE.read_text(encoding="utf8") + ";0")
        shown = f"{browser.run('document.documentElement.dataset.theme')}, {width} px"
        found.axe[shown] = browser.run(f"({CHECK})({json.dumps(theirs)})")
        found.widths[width] = browser.run("document.documentElement.scrollWidth")
        found.trouble += browser.problems
        found.requests += browser.requests
    return found


def whole(seen):
    """There is a title, every picture is there, and nothing went wrong on the way."""
    return [*seen.facts["broken"], *seen.trouble, *([] if seen.facts["title"] else ["no title"])]


def fits(seen):
    """No page is wider than its screen, with all folds open."""
    return [f"{page} px on {screen}" for screen, page in seen.widths.items() if page > screen]


def small(seen):
    """A page has less than 1 MB."""
    size = seen.file.stat().st_size
    return [f"{size} bytes"] if size >= 1_000_000 else []


def alone(seen):
    """No other host is asked for anything."""
    return [url for url in seen.requests if not url.startswith((seen.address, "blob:", "data:"))]


def linked(seen):
    """Each link within the site leads to a page that is there, and to a place on it."""
    inner = {url for url in seen.facts["links"] if url.startswith(seen.address)}
    site = seen.file.parent.parent
    return sorted(url.removeprefix(seen.address) for url in inner if not is_there(site, *urlsplit(url)[2::2]))


def formed(seen):
    """A chapter has a question, an answer and a figure."""
    return [part for part in ("question", "answer", "figure") if not seen.facts[part] and part not in without(seen)]


def answered(seen):
    """The answer is one of 45 words at most, without brackets."""
    answer = seen.facts["answer"]
    return [f"{len(answer.split())} words: {answer}"] if len(answer.split()) > 45 or set(answer) & set("()[]{}") else []


def pictured(seen):
    """The first figure begins on the first screen and a half."""
    top = seen.facts["figure"] or 0
    return [f"at {top} px"] if top > 1100 and "figure" not in without(seen) else []


def sourced(seen):
    """Below each figure, before the next, a line says what it is drawn from; such a line has no name."""
    names = [*seen.facts["sources"], "the end"]
    return [name for name, following in pairwise(names) if name and following]


def accessible(seen):
    """Axe finds nothing but what is the theme's own, in the light, in the dark and on a phone, all folds open."""
    assert [*seen.axe] == ["light, 1280 px", "dark, 1280 px", "light, 390 px"]
    return [f"{shown}: {fault}" for shown, faults in seen.axe.items() for fault in faults]


def without(seen):
    return WITHOUT.get(seen.file.stem, set())


@cache
def places(path):
    """Return the names of the places on a page of the site."""
    return set(map(unescape, re.findall(r"""\bid=["']?([^"'\s>]+)""", path.read_text(encoding="utf8"))))


def is_there(site, path, fragment):
    file = site / unquote(path).lstrip("/")
    file = file / "index.html" if file.is_dir() else file
    return file.exists() and (not fragment or file.suffix != ".html" or unquote(fragment) in places(file))


GATES = [whole, fits, small, alone, linked, formed, answered, pictured, sourced, accessible]
gates = pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.__name__)


@built
@gates
def test_a_page_passes(seen, gate):
    assert gate(seen) == []


#: a page with one fault, at least, for each gate
BAD = f"""<!doctype html><html lang="en" data-theme="light"><title>Bad</title>
<main><article><div class="answer"><p>It [may] be so.</p></div>
<img alt="none" src="none.png"><img alt="far" src="http://elsewhere.example/far.png">
<p style="color: #999">Pale. <a href="bad.html#nowhere">There</a></p>
<div style="width: 2000px; height: 1200px"></div>
<figure id="fig-bad"><img alt="late" src="none.png"></figure></article></main><!-- {" " * 10**6} -->
<script>document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"
</script></html>"""


@pytest.fixture(scope="module")
def bad(browser, tmp_path_factory):
    page = tmp_path_factory.mktemp("site") / "book" / "bad.html"
    page.parent.mkdir()
    page.write_text(BAD)
    with serve(page.parent.parent) as url:
        yield visit(page, browser, url)


@gates
def test_a_bad_page_does_not(bad, gate):
    assert gate(bad) != []


@built
@pytest.mark.parametrize("name", ["explore", "gradcam"])
def test_the_player_moves_without_a_kernel(browser, address, name):
    if not (SITE / "book" / f"{name}.html").exists():
        pytest.skip(f"the site was built without {name}")
    browser.open(f"{address}/book/{name}.html")
    browser.wait("document.querySelectorAll('.skeleton-player input').length > 0")
    stage = "document.querySelector('.player-stage').innerHTML"
    before = browser.run(stage)
    browser.run("""(() => { const slider = document.querySelector(".skeleton-player input");
        slider.value = +slider.max / 2; slider.dispatchEvent(new Event("input")); })()""")
    assert browser.run(stage) != before
