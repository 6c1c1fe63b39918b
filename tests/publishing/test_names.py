"""Names that look like markup, from the data to the page: a browser finds what it finds on the page of plain ones."""

import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser

import nbclient
import nbformat
import numpy as np
import pytest
from browser import BROWSER, open_browser, serve
from notebooks import code, markdown

from analysis_lib.chapters.chapter import load_chapter
from analysis_lib.chapters.editions import Edition
from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.files import ROOT
from analysis_lib.publishing.page import tidy_notebook, write_form
from analysis_lib.publishing.runs import Run
from analysis_lib.publishing.site import assemble, build_site
from analysis_lib.skeletons.skeleton import Skeleton

EVIL = "</SCRIPT><img src=x onerror=evil()>"
HOSTILE = {
    "file": "mine <img src=x onerror=evil()> `c` $x$.npz",
    "data": f"{EVIL} http://evil.example",
    "one": EVIL,
    "two": "*b* `d` $e_1$ [g](//evil.example) | \\",
    "three": "# head\n\n- {math}`h` <!--<script>",
    "four": "=1+1 ${x} <b &lt;u> $$f$$ \\(j\\)",
    "first": "<b>upper",
    "second": "_second_ & |",
    "hip": "<i>hip</i>",
    "left hand": "left *hand* <u>",
    "right hand": 'right "hand" </ScRiPt>',
}
TOC = """format: jb-book
root: book/intro
chapters:
- file: book/plain
- file: book/hostile
- file: book/references
"""

FACTORY = """
from torch import nn

class Net(nn.Module):
    layer_names = ("first", "second")
    def __init__(self, channels, classes):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(channels, 16, 1), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(16, 16, 1), nn.ReLU())
        self.fc = nn.Linear(16, classes)
    def forward(self, x):
        return self.fc(self.second(self.first(x[..., 0])).mean((2, 3)))

def make(data):
    import torch
    torch.manual_seed(0)
    return Net(data.sequences[0].shape[-1], len(data.class_names))
"""

#: chapters, and what of their parameters makes them small
CHAPTERS = {
    "data": {"n_examples": 2},
    "spectrum": {"n_bootstrap": 20},
    "smoothness": {"n_per_class": 0, "n_neighbors": 3, "n_windows": 2, "n_bootstrap": 20},
    "gradcam": {"n_slices": 2, "check_per_class": 1},
    "shap_comparison": {"methods": ["gradcam", "deeplift", "shapley"], "n_background": 2, "n_draws": 2, "n_windows": 2}
    | {"n_edges": 2, "n_few": 1, "n_seeds": 1},
    "noise": {"psnr": [20.0], "graph_psnr": [20.0], "occlusion": [0.4], "frame_drop": [0.5], "jitter": [2]}
    | {"n_seeds": 1, "n_per_class": 0, "n_neighbors": 3, "n_windows": 2},
    "explore": {"n_per_class": 0, "n_neighbors": 3, "n_windows": 2},
    "nnk_vs_knn": {"n_per_class": 0, "n_neighbors": [2, 3], "shown_neighbors": 3, "n_windows": 2, "n_bootstrap": 20},
    "yardsticks": {"n_per_class": 0, "n_neighbors": 3, "n_windows": 2, "n_draws": 1},
    "transfer": {"clips_per_class": [1], "cuts": [0, 1], "epochs": 1, "n_seeds": 1, "n_per_class": 0}
    | {"n_neighbors": 3, "n_windows": 2, "n_bootstrap": 20},
    "performance": {},
    "claims": {"recorded_editions": [], "records": ["claims.json"], "more_records": []},
}


def stick_clips(called, rng):
    """Return a dataset of four classes and five joints, each called what the mapping says."""
    hand = [called[f"{side} hand"] for side in ("left", "right")]
    joints, edges = (called["hip"], *hand, "left foot", "right foot"), ((1, 0), (2, 0), (3, 0), (4, 0))
    parts = {called["hip"]: (0,), called["left hand"]: (1, 2), "feet": (3, 4)}
    body = Skeleton("stick", joints, edges, 0, parts, ((1, 2), (3, 4)))
    clips = [rng.random((1, 9, 5, 3), np.float32) + np.arange(5)[:, None] for _ in range(32)]
    names = [called[name] for name in ("one", "two", "three", "four")]
    groups = [called[name] for name in ("first", "first", "second", "second")]
    order = np.arange(32)
    return SkeletonDataset(
        called["data"],
        body,
        clips,
        order % 4,
        class_names=names,
        groups=groups,
        splits={"train": order[:16], "test": order[16:]},
    )


def write_records(folder, called):
    """Write a record of measurements and a file of claims that are called what the mapping says."""
    bench = json.loads((ROOT / "data" / "published" / "bench.json").read_text())
    bench["machine"] |= {"cpu": called["data"], "blas": called["two"], "code": called["one"]}
    (folder / "bench.json").write_text(json.dumps(bench))
    check = {"name": called["first"], "tables": ["data/none"], "measure": "cell", "arguments": {"column": "n"}}
    text = {
        "claim": called["two"],
        "where": called["three"],
        "paper": called["four"],
        "figure": f"data#{called['hip']}",
    }
    claims = {
        "claims": [{"id": called["one"], **text, "checks": [check]}],
        "left_out": {called["second"]: called["data"]},
    }
    (folder / "claims.json").write_text(json.dumps(claims))


class Elements(HTMLParser):
    """Counts elements and attributes of a page, with what they load or run."""

    def __init__(self, page):
        super().__init__()
        self.found, self.loaded = Counter(), []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag != "span":  # of coloured code, as strings have escapes
            self.found.update([tag, *(f"{tag} {name}" for name, _ in attributes)])
            self.loaded += [value for name, value in attributes if name in ("href", "src", "style")]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site with two pages: all chapters on the clips of each of the twins."""
    root = tmp_path_factory.mktemp("twins")
    (root / "nets.py").write_text(FACTORY)
    plain = {name: " ".join([name] * len(evil.split())) for name, evil in HOSTILE.items()}  # as many words
    plain, runs = plain | {"file": "file.npz"}, []
    for page, called in (("plain", plain), ("hostile", HOSTILE)):
        path = root / called["file"]
        stick_clips(called, np.random.default_rng(0)).save(path)
        write_records(root, called)
        runs.append(Run(page, root / page, True))
        runs[-1].folder.mkdir()
        runs[-1].notebook.write_text(write_form(executed(path, root, called["data"])))
    shutil.copytree(ROOT / "book" / "_assets", root / "book" / "_assets")
    shutil.copyfile(ROOT / "_config.yml", root / "_config.yml")
    for name in ("references.md", "references.bib"):
        shutil.copyfile(ROOT / "book" / name, root / "book" / name)
    (root / "book" / "intro.md").write_text("# A book")
    (root / "_toc.yml").write_text(TOC)
    assemble(Edition("other", HOSTILE["data"], "d", "m"), runs, root, root / "source")
    build_site(root / "source", root / "html", root / "log", "stamp")
    return root / "html" / "book"


def executed(dataset, folder, edition):
    """Return a notebook of the cells of all chapters, run in one kernel; figures are not drawn."""
    cells = [{**markdown("# A page"), "id": "title"}]
    for name, small in CHAPTERS.items():
        chapter = load_chapter(name)
        own = {"dataset": str(dataset), "model": "nets:make", "record": "bench.json", "edition": edition}
        known = {parameter.name for parameter in chapter.parameters}
        given = chapter.resolve({**small, **{name: value for name, value in own.items() if name in known}})
        given |= {"actions": []} if "actions" in given else {}
        cells.append({**code("get_ipython().run_line_magic('reset', '-f')"), "id": f"{name}-alone"})
        for cell in chapter.cells:
            lines = "".join(cell["source"])
            if "parameters" in cell["metadata"].get("tags", []):
                lines = "\n".join(f"{parameter} = {value!r}" for parameter, value in given.items())
            if cell["cell_type"] == "code":
                cells.append({**code(lines), "id": f"{name}-{len(cells)}"})
    notebook = nbformat.from_dict({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MPLBACKEND", "Agg")
        patch.setenv("STGBOOK_STORE", "off")
        patch.setenv("PYTHONPATH", str(ROOT))
        resources = {"metadata": {"path": str(folder)}}
        nbclient.NotebookClient(notebook, kernel_name="python3", timeout=300, resources=resources).execute()
    return tidy_notebook(json.loads(nbformat.writes(notebook)))


def test_a_page_has_no_element_or_attribute_that_names_have_made(site):
    plain, hostile = (Elements((site / f"{page}.html").read_text()) for page in ("plain", "hostile"))
    assert plain.found == hostile.found
    elsewhere = [value for value in plain.loaded + hostile.loaded if not re.fullmatch(r"#[\w-]+", value)]
    assert "evil" not in " ".join(elsewhere)  # a place in the page is loaded from nowhere


@pytest.mark.skipif(not BROWSER, reason="no browser")
def test_a_browser_runs_nothing_and_the_player_has_the_names(site, tmp_path):
    with open_browser(tmp_path) as page, serve(site.parent) as address:
        page.open(f"{address}/book/hostile.html")
        page.wait("!!document.querySelector('.player-clip option')")
        shown = "[...document.querySelectorAll('.player-clip option, .player-stage title')].map(e => e.textContent)"
        texts = "\n".join(page.run(shown))
        assert page.problems == []
        assert [url for url in page.requests if not url.startswith((address, "data:", "blob:"))] == []
    assert all(HOSTILE[name] in texts for name in ("one", "three", "hip", "right hand"))
